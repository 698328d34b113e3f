"""The plugins of orch that Claude Code loads for a project, as far as files say.

One comes from a marketplace and is enabled by name, or lies among the skills of a ``.claude`` and
is enabled unless somebody says no (https://code.claude.com/docs/en/plugins-reference; the names and
files are those that 2.1.332 writes). What ``claude --plugin-dir`` loads stands in no file.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from orch_tui.files import read_plain
from orch_tui.paths import AnyPath, claude_folder

PLUGIN = "orch"
MANIFEST = ".claude-plugin/plugin.json"
HOOKS = "hooks/hooks.json"

_LONGEST = 1_000_000
"""Bytes; what is longer is no file of orch's."""


def enabled_plugins(project: AnyPath, settings: Sequence[Any]) -> Iterator[Path]:
    """Yield the folders of enabled plugins of orch.

    ``settings`` are the settings that hold, those that overrule others first.
    """
    said: dict[str, bool] = {}
    for document in reversed(settings):
        names = document.get("enabledPlugins")
        if isinstance(names, dict):
            said |= {name: value for name, value in names.items() if isinstance(value, bool)}
    yield from (
        folder
        for name, folder in _from_marketplaces()
        if said.get(name) and (folder / MANIFEST).is_file()
    )
    if said.get(f"{PLUGIN}@skills-dir", True):
        for top in (Path(project, ".claude"), Path(claude_folder())):
            yield from (each for each in sorted(top.glob("skills/*")) if is_plugin(each))


def is_plugin(folder: Path) -> bool:
    """Tell whether a folder is a plugin of orch."""
    return read_object(folder / MANIFEST).get("name") == PLUGIN


def read_object(path: Path) -> dict[str, Any]:
    """Read a JSON object; empty where the file is none, is no plain file or is huge."""
    with suppress(OSError, ValueError, RecursionError):
        found = json.loads(read_plain(path)) if path.stat().st_size <= _LONGEST else None
        if isinstance(found, dict):
            return found
    return {}


def _from_marketplaces() -> Iterator[tuple[str, Path]]:
    """Yield name and folder of every plugin of this name that was installed."""
    kept = read_object(Path(claude_folder(), "plugins", "installed_plugins.json")).get("plugins")
    for name, places in kept.items() if isinstance(kept, dict) else ():
        for place in places if isinstance(places, list) else ():
            folder = place.get("installPath") if isinstance(place, dict) else None
            if name.startswith(f"{PLUGIN}@") and isinstance(folder, str) and os.path.isabs(folder):
                yield name, Path(folder)
