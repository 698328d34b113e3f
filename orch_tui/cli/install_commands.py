"""Commands that put orch into Claude Code and take it out again; both show, ask, and then do."""

from __future__ import annotations

import argparse
import sys
from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from orch_tui.cli.consent import act_if_agreed, answer, is_answered
from orch_tui.cli.parser import Parser
from orch_tui.cli.printing import say
from orch_tui.errors import OrchError, SourceError
from orch_tui.files import remove_empty
from orch_tui.paths import resolve_path
from orch_tui.project import Project

if TYPE_CHECKING:
    from orch_tui.install.settings_file import Change


def install() -> argparse.ArgumentParser:
    parser = Parser(
        "install",
        example="""
orch install              # the skill, into this project's .claude/skills
orch install --hooks      # record every agent run of this project by itself""",
        remarks="What would be written is shown, and asked; without a terminal, --yes agrees.",
        has_record=False,
    )
    what = _add_place(parser)
    what.add_argument("--hooks", action="store_true", help="the hooks that record agent runs")
    what.add_argument(
        "--plugin", metavar="DIR", help="hooks, skill and commands as a plugin, into this folder"
    )
    parser.add_argument(
        "--shared",
        action="store_true",
        help="with --hooks or --plugin: for all who work on the project",
    )
    parser.add_argument(
        "--hand-over",
        action="store_true",
        help="with --hooks or --plugin: a hook that puts a briefing in the place of its line",
    )
    parser.add_argument(
        "--allow",
        action="store_true",
        help="also let Claude Code run any orch command without asking you",
    )
    parser.require("--shared", "--hooks", "--plugin")
    parser.require("--hand-over", "--hooks", "--plugin")
    parser.forbid("--allow", "--plugin")
    parser.set_defaults(run=_install)
    return parser


def _install(arguments: Namespace) -> int:
    agreed = _install_hooks(arguments) if arguments.hooks else _install_files(arguments)
    if agreed and not arguments.plugin:
        agreed = _allow(arguments)
    return 0 if agreed else 1


def _install_files(arguments: Namespace) -> bool:
    from orch_tui.install import skill

    files = None
    if arguments.plugin:
        from orch_tui.install.plugin import plugin_files

        run = _hook_command(arguments)
        files = plugin_files(sys.executable, run, hand_over=arguments.hand_over)
    folder = _folder(arguments)
    found = skill.install(folder, sys.executable, files=files, dry_run=True)
    for path, copy in found.backed_up:
        say(f"{path}: yours; kept as {copy.name}")
    for path in found.kept:
        say(f"{path}: no longer part of it, but yours; kept")
    would = f"{len(found.written)} files to write, {len(found.unchanged)} as they are"
    say(f"{would}, {len(found.removed)} of an older orch to remove" if found.removed else would)

    def write() -> None:
        skill.install(folder, sys.executable, files=files)
        say(
            "written", *([f"claude --plugin-dir {folder} tries it out"] if arguments.plugin else [])
        )

    is_same = not found.written and not found.removed
    agreed = is_same or act_if_agreed(arguments, f"write them into {folder}?", write)
    print(folder)
    return agreed


def _hook_command(arguments: Namespace) -> str:
    from orch_tui.install import hook_settings

    return hook_settings.PLAIN if arguments.shared else hook_settings.command(sys.executable)


def _install_hooks(arguments: Namespace) -> bool:
    from orch_tui.install import hook_settings

    path = _settings(arguments)
    change = hook_settings.installation(
        path, _hook_command(arguments), hand_over=arguments.hand_over
    )
    if change.is_none:
        say("the hooks are there already")
        agreed = True
    else:
        agreed = _change(arguments, change, f"write {path}?")
        if agreed and not arguments.dry_run:
            say(hook_settings.WHEN)
    print(path)
    return agreed


def _allow(arguments: Namespace) -> bool:
    """Put in the permission that was asked for, or offer it to who sits there."""
    from orch_tui.install.allowance import RULE, allowance

    change = allowance(_settings(arguments))
    if change.is_none:
        if arguments.allow:
            say(f"{RULE} is allowed already")
    elif arguments.allow:
        return _change(arguments, change, f"allow {RULE}?")
    elif not arguments.yes and not arguments.dry_run and is_answered():
        say("Claude Code asks you before each orch command, unless a rule allows them all.")
        if answer(f"add {RULE} to {change.path}? [y/N] ", ("y", "yes")):
            _apply(change)
    return True


def _change(arguments: Namespace, change: Change, question: str) -> bool:
    _show(arguments, change)
    return act_if_agreed(arguments, question, lambda: _apply(change))


def _show(arguments: Namespace, change: Change) -> None:
    say(*(change.diff() if arguments.dry_run else change.summarize()))


def _apply(change: Change) -> None:
    from orch_tui.install.settings_file import apply

    backup = apply(change)
    say(f"written; what it was is kept as {backup.name}" if backup else "written")


def uninstall() -> argparse.ArgumentParser:
    parser = Parser(
        "uninstall",
        example="orch uninstall --user --dry-run",
        remarks="What would go is shown, and asked; without a terminal, --yes agrees. The record\n"
        "stays: it is yours.",
        has_record=False,
    )
    what = _add_place(parser)
    what.add_argument("--hooks", action="store_true", help="only the hooks")
    what.add_argument("--plugin", metavar="DIR", help="the plugin in this folder")
    parser.add_argument("--shared", action="store_true", help="only the hooks of the project")
    parser.forbid("--shared", "--plugin")
    parser.set_defaults(run=_uninstall)
    return parser


def _uninstall(arguments: Namespace) -> int:
    """The hooks, the permission and the skill; only what is there, an error where nothing is."""
    from orch_tui.install import skill
    from orch_tui.install.settings_file import apply, made_folders

    changes = [] if arguments.plugin else _removals(arguments)
    only_hooks = arguments.hooks or arguments.shared
    if only_hooks and not changes:
        raise OrchError("no hooks of orch are registered there", hint="orch doctor tells more")
    folder = _folder(arguments)
    files = None
    if not only_hooks and not (changes and not (folder / skill.MANIFEST).exists()):
        files = skill.uninstall(folder, dry_run=True)
    for change in changes:
        _show(arguments, change)
    if files:
        for path in (*files.kept, *files.backups):
            say(f"{path}: yours; kept")
        say(f"{len(files.removed)} files to remove from {folder}")

    def remove() -> None:
        made = [made_folders(change.path) for change in changes]
        made += [skill.made_folders(folder)] if files else []
        for change in changes:
            apply(change)
            for backup in skill.backups_of(change.path):
                say(f"{backup}: what the file was once; kept")
        if files:
            skill.uninstall(folder)
        if changes:
            _clear_state()
        for folders in filter(None, made):  # what one was put into, another may have made
            remove_empty(folders[0], folders[-1])
        say("removed")

    agreed = act_if_agreed(arguments, "remove it?", remove)
    print(*(change.path for change in changes), *([folder] if files else []), sep="\n")
    return 0 if agreed else 1


def _removals(arguments: Namespace) -> list[Change]:
    from orch_tui.install import hook_settings
    from orch_tui.install.settings_file import settings_file

    root = None if arguments.user else _root(arguments.project)
    kinds = [True] if arguments.shared or root is None else [False, True]
    paths = [settings_file(root, shared=shared) for shared in kinds]
    return [c for c in map(hook_settings.removal, paths) if not c.is_none]


def _clear_state() -> None:
    from orch_tui.install.leftovers import clear_state

    for path in clear_state():
        say(f"{path}: runs that wait to be recorded; kept, until orch is opened in their project")


def _add_place(parser: Parser) -> argparse._MutuallyExclusiveGroup:
    """Where to, and how it is agreed to; a group for what there is to choose besides the skill."""
    place = parser.add_mutually_exclusive_group()
    place.add_argument("--user", action="store_true", help="for all your projects")
    place.add_argument("--project", metavar="DIR", help="default: this project")
    parser.add_argument("--dry-run", action="store_true", help="only say what would be done")
    parser.add_argument("--yes", action="store_true", help="do not ask")
    parser.forbid("--yes", "--dry-run")
    parser.forbid("--plugin", "--user", "--project")
    parser.forbid("--shared", "--user")
    return parser.add_mutually_exclusive_group()


def _settings(arguments: Namespace) -> Path:
    from orch_tui.install.settings_file import settings_file

    root = None if arguments.user else _root(arguments.project)
    return settings_file(root, shared=arguments.shared)


def _folder(arguments: Namespace) -> Path:
    from orch_tui.install.skill import skill_folder

    if arguments.plugin:
        return Path(resolve_path(arguments.plugin))
    return skill_folder(None if arguments.user else _root(arguments.project))


def _root(given: str | None) -> Path:
    """The project that was named, which must be there; default: of the working folder."""
    project = Project(given)
    if not project.cwd.is_dir():
        raise SourceError(str(given), "there is no such folder")
    return project.root
