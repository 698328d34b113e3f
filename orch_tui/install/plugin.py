"""The plugin for Claude Code: hooks, skill and commands in one folder."""

from __future__ import annotations

import json
from collections.abc import Mapping

from orch_tui import __version__
from orch_tui.assets import asset
from orch_tui.install.enabled_plugins import HOOKS, MANIFEST, PLUGIN
from orch_tui.install.hook_settings import hooks
from orch_tui.install.skill import NAME, shipped_files

_ABOUT = "Prepare, record and recall the work that is delegated to subagents."


def plugin_files(interpreter: str, run: str, *, hand_over: bool = False) -> dict[str, bytes]:
    """Make every file of the plugin, by its name in the plugin's folder.

    ``run`` is the command of its hooks; with ``hand_over`` it has that hook, too.
    https://code.claude.com/docs/en/plugins-reference; `claude plugin validate --strict` takes it,
    and the plugin directory asks for README and icon.
    """
    skill = {f"skills/{NAME}/{name}": data for name, data in shipped_files(interpreter).items()}
    commands = {
        f"commands/{path.name}": path.read_bytes()
        for path in sorted(asset("plugin/commands").glob("*.md"))
    }
    manifest = {
        "name": PLUGIN,
        "version": __version__,
        "description": _ABOUT,
        "author": {"name": "the orch developers"},
        "license": "MIT",
        "keywords": ["subagents", "context", "orchestration"],
        "network": {"hosts": []},
    }
    return {
        MANIFEST: _json(manifest),
        ".claude-plugin/icon.png": asset("plugin/icon.png").read_bytes(),
        "README.md": asset("plugin/README.md").read_bytes(),
        HOOKS: _json({"description": "Every agent run recorded.", "hooks": hooks(run, hand_over)}),
        **commands,
        **skill,
    }


def _json(document: Mapping[str, object]) -> bytes:
    return json.dumps(document, indent=2, ensure_ascii=False).encode() + b"\n"
