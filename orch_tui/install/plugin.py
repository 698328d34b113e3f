"""The plugin for Claude Code: hooks, skill and commands in one folder."""

from __future__ import annotations

import json
from collections.abc import Mapping

from orch_tui import __version__
from orch_tui.assets import asset
from orch_tui.install.hook_settings import hooks
from orch_tui.install.skill import NAME, shipped_files

_ABOUT = "Prepare, record and recall the work that is delegated to subagents."


def plugin_files(interpreter: str, run: str) -> dict[str, bytes]:
    """Every file of the plugin, by its name in the plugin's folder.

    ``run`` is the command of its hooks. https://code.claude.com/docs/en/plugins-reference
    """
    skill = {f"skills/{NAME}/{name}": data for name, data in shipped_files(interpreter).items()}
    commands = {
        f"commands/{path.name}": path.read_bytes()
        for path in sorted(asset("plugin/commands").glob("*.md"))
    }
    manifest = {
        "name": "orch",
        "version": __version__,
        "description": _ABOUT,
        "license": "MIT",
        "keywords": ["subagents", "context", "orchestration"],
    }
    return {
        ".claude-plugin/plugin.json": _json(manifest),
        "hooks/hooks.json": _json(
            {"description": "Every agent run recorded.", "hooks": hooks(run)}
        ),
        **commands,
        **skill,
    }


def _json(document: Mapping[str, object]) -> bytes:
    return json.dumps(document, indent=2, ensure_ascii=False).encode() + b"\n"
