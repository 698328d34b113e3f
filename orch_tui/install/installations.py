"""Which orchs the PATH, the skill, the hooks and the plugin lead to, and of which versions.

Nothing is run: a cloned repository may name any program. Versions are read where installers leave
them.
"""

from __future__ import annotations

import ast
import json
import os
import re
import shlex
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from orch_tui import __version__
from orch_tui.errors import OrchError
from orch_tui.files import read_plain
from orch_tui.frozen import frozen
from orch_tui.install import hook_settings, skill
from orch_tui.install.enabled_plugins import HOOKS, MANIFEST, is_plugin, read_object
from orch_tui.paths import AnyPath, claude_folder
from orch_tui.processes import upgrade_command


@frozen
class NamedOrch:
    """An orch that something leads to."""

    by: str
    """PATH, skill, hooks or plugin."""
    place: Path
    """The file or folder that names it."""
    path: str
    """The program, Python or package that is named."""
    version: str | None
    """None: it cannot be told."""
    remedy: str
    """The command that makes it this orch."""

    @property
    def is_there(self) -> bool:
        return os.path.exists(self.path)

    @property
    def is_same(self) -> bool:
        """Whether it is there and of this orch's version, as far as can be told."""
        return self.is_there and self.version in (None, __version__)


def named_orchs(root: AnyPath) -> Iterator[NamedOrch]:
    """Every orch that is named for a project and for its user, those on PATH first."""
    yield from _on_path()
    for project, option in ((root, ""), (None, " --user")):
        yield from _by_skill(project, f"orch install{option}")
    yield from _by_hooks(root)
    for folder in (Path(root, ".claude"), Path(claude_folder())):
        yield from _by_plugins(folder)


def _on_path() -> Iterator[NamedOrch]:
    seen = set()
    for folder in os.environ.get("PATH", "").split(os.pathsep):
        program = os.path.join(folder, "orch")
        if not os.path.isabs(folder) or not os.access(program, os.X_OK) or os.path.isdir(program):
            continue
        real = os.path.realpath(program)
        if real not in seen:
            seen.add(real)
            prefix = _prefix_of_script(real)
            remedy = upgrade_command(prefix, os.path.join(prefix, "bin", "python"))
            yield NamedOrch("PATH", Path(folder), program, _version_in(prefix), remedy)


def _by_skill(project: AnyPath | None, remedy: str) -> Iterator[NamedOrch]:
    try:
        folder = skill.skill_folder(project)
        named = re.search(r"^INTERPRETER = (.+)$", _text_of(folder / skill.BOOTSTRAP), re.MULTILINE)
        interpreter = str(ast.literal_eval(named[1])) if named else ""
    except (OrchError, ValueError, SyntaxError):  # it is none of ours
        return
    if interpreter:
        version = _version_in(os.path.dirname(os.path.dirname(interpreter)))
        yield NamedOrch("skill", folder, interpreter, version, remedy)


def _by_hooks(root: AnyPath) -> Iterator[NamedOrch]:
    for registered in hook_settings.state(root).registered:
        file = None if registered.by_plugin else _hook_file(registered.command)
        if file is not None:  # else it is the one on PATH
            remedy = hook_settings.remedy(root, registered)
            package = os.path.dirname(file)
            yield NamedOrch("hooks", registered.path, file, _version_of_package(package), remedy)


def _by_plugins(folder: Path) -> Iterator[NamedOrch]:
    """Plugins that Claude Code keeps, and those that lie among the skills of a ``.claude``.

    https://code.claude.com/docs/en/plugins-reference
    """
    for pattern in ("plugins/cache/*/orch/*", "skills/*"):
        for plugin in sorted(folder.glob(pattern)):
            if not is_plugin(plugin):
                continue
            manifest = read_object(plugin / MANIFEST)
            hooks = json.dumps(read_object(plugin / HOOKS))
            command = re.search(r'"command": "((?:[^"\\]|\\.)*)"', hooks)
            file = _hook_file(json.loads(f'"{command[1]}"')) if command else None
            version = manifest.get("version")
            yield NamedOrch(
                *("plugin", plugin, file or str(plugin)),
                version if isinstance(version, str) else None,
                f"orch install --plugin {shlex.quote(str(plugin))}",
            )


def _hook_file(command: str) -> str | None:
    """The file of orch that a command of a hook runs; None: whichever orch is on PATH."""
    with suppress(ValueError):
        for word in shlex.split(command):
            if os.path.isabs(word) and os.path.basename(word) == "hook.py":
                return word
    return None


def _prefix_of_script(script: str) -> str:
    """The folder that the Python of a script is installed in."""
    with suppress(OSError), open(script, "rb") as file:
        first = file.readline(500).decode("utf-8", "replace").strip()
        if first.startswith("#!/") and "python" in first:
            return os.path.dirname(os.path.dirname(first[2:].split()[0]))
    return os.path.dirname(os.path.dirname(script))


def _version_in(prefix: str) -> str | None:
    """The version of orch that is installed under a prefix, by the name pip gives its notes
    (https://packaging.python.org/en/latest/specifications/recording-installed-packages/)."""
    found = [
        notes.name.removeprefix("orch_tui-").removesuffix(".dist-info")
        for notes in Path(prefix).glob("lib/python3*/*-packages/orch_tui-*.dist-info")
    ]
    return found[0] if len(found) == 1 else None


def _version_of_package(package: str) -> str | None:
    found = re.search(r'^__version__ = "([^"]*)"', _text_of(Path(package, "__init__.py")), re.M)
    return found[1] if found else None


_LONGEST = 1_000_000
"""Bytes; what is longer is no file of orch's."""


def _text_of(path: Path) -> str:
    with suppress(OSError):
        if path.stat().st_size <= _LONGEST:
            return read_plain(path).decode("utf-8", "replace")
    return ""
