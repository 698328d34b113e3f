"""Commands for the record and the installation themselves."""

from __future__ import annotations

import argparse
import sys
from argparse import Namespace
from pathlib import Path

from orch_tui.cli.parser import Parser, project_of
from orch_tui.cli.printing import add_format, as_row, print_rows, read_bytes, say
from orch_tui.errors import OrchError, SourceError
from orch_tui.paths import resolve_path
from orch_tui.project import Project


def config() -> argparse.ArgumentParser:
    parser = Parser("config", example="orch config --format json")
    add_format(parser)
    parser.set_defaults(run=_config)
    return parser


def _config(arguments: Namespace) -> None:
    project = project_of(arguments)
    settings = project.config
    rows = []
    for name, value in as_row(settings).items():
        if name == "origins":
            continue
        shown = dict(value) if hasattr(value, "items") else value
        rows.append({"setting": name, "value": shown, "from": settings.origins[name]})
    print_rows(rows, arguments.format)
    say(f"project: {project.root}", f"record: {project.database}")


def doctor() -> argparse.ArgumentParser:
    parser = Parser("doctor", example="orch doctor --repair")
    parser.add_argument("--repair", action="store_true", help="mend what can be derived again")
    add_format(parser)
    parser.set_defaults(run=_doctor)
    return parser


def _doctor(arguments: Namespace) -> int:
    from orch_tui.record.upkeep import doctor as checks

    project = project_of(arguments, lambda error: None)  # it is one of the findings
    if arguments.repair:
        from orch_tui.cli.printing import progress_bar

        with progress_bar() as progress:
            done = checks.repair_record(project.existing_record, progress)
        say(*(done or ["nothing needed mending"]))
    findings = checks.examine_record(project.database, project.root)
    rows = [as_row(finding) for finding in findings]
    print_rows(rows, arguments.format)
    return int(any(finding.level == "problem" for finding in findings))


def migrate() -> argparse.ArgumentParser:
    parser = Parser(
        "migrate",
        remarks="Any command does so on its way for a record of up to 20,000 runs. A copy of\n"
        "what it was lies beside it afterwards; broken off, the record is as it was.",
        example="orch migrate",
    )
    parser.set_defaults(run=_migrate)
    return parser


def _migrate(arguments: Namespace) -> None:
    from orch_tui.cli.printing import progress_bar

    project = project_of(arguments)
    with progress_bar() as progress:
        copy = project.migrate(progress)
    say(f"the record as it was: {copy}" if copy else "it is up to date already")
    print(project.database)


def backup() -> argparse.ArgumentParser:
    parser = Parser("backup", example="orch backup ../execution-2026-11-22.db")
    parser.add_argument("target", metavar="FILE", help="must not exist yet")
    parser.set_defaults(run=_backup)
    return parser


def _backup(arguments: Namespace) -> None:
    project = project_of(arguments)
    project.existing_record.backup(Path(resolve_path(arguments.target)))
    print(arguments.target)


def export() -> argparse.ArgumentParser:
    parser = Parser("export", example="orch export --output record.jsonl")
    parser.add_argument("--output", metavar="FILE", default="-", help="default: standard output")
    parser.set_defaults(run=_export)
    return parser


def _export(arguments: Namespace) -> None:
    from orch_tui.cli.printing import progress, write_lines
    from orch_tui.record.upkeep.export import export_record as read_all

    project = project_of(arguments)
    rows = read_all(project.existing_record)
    write_lines(arguments.output, progress(rows, "rows"))


def redact() -> argparse.ArgumentParser:
    parser = Parser(
        "redact", example="pass show api-key | orch redact - --reason 'pasted by mistake'"
    )
    parser.add_argument(
        "secret", metavar="FILE", help="a file that holds it; - reads standard input"
    )
    parser.add_argument("--reason", required=True, metavar="TEXT", help="kept in the journal")
    parser.add_argument("--dry-run", action="store_true", help="only count where it stands")
    add_format(parser)
    parser.set_defaults(run=_redact)
    return parser


def _redact(arguments: Namespace) -> None:
    from orch_tui.record.upkeep.redaction import redact_secret as remove

    project = project_of(arguments)
    secret = read_bytes(arguments.secret).rstrip(b"\r\n")
    found = remove(project.existing_record, secret, arguments.reason, dry_run=arguments.dry_run)
    rows = [{"where": where, "places": count} for where, count in found.places.items()]
    print_rows(rows, arguments.format, empty="the record does not hold it")
    removed = "would be removed" if arguments.dry_run else "removed"
    for path in found.removed:
        say(f"{removed}: {path}, a copy of a briefing that waited to be handed over")
    for path in found.still_in:
        say(f"still in {path}: orch does not change that file")


def install() -> argparse.ArgumentParser:
    parser = Parser(
        "install",
        example="""
orch install              # the skill, into this project's .claude/skills
orch install --hooks      # record every agent run of this project by itself""",
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
    parser.add_argument("--yes", action="store_true", help="do not ask")
    parser.require("--shared", "--hooks", "--plugin")
    parser.require("--hand-over", "--hooks", "--plugin")
    parser.require("--yes", "--hooks")
    parser.forbid("--yes", "--dry-run")
    parser.set_defaults(run=_install)
    return parser


def _install(arguments: Namespace) -> int:
    from orch_tui.install import skill

    if arguments.hooks:
        return _install_hooks(arguments)
    files = None
    if arguments.plugin:
        from orch_tui.install.plugin import plugin_files

        run = _hook_command(arguments)
        files = plugin_files(sys.executable, run, hand_over=arguments.hand_over)
    folder = _folder(arguments)
    done = skill.install(folder, sys.executable, files=files, dry_run=arguments.dry_run)
    would = "would be " if arguments.dry_run else ""
    for path, copy in done.backed_up:
        say(f"{path}: yours; {would}kept as {copy.name}")
    for path in done.kept:
        say(f"{path}: no longer part of it, but yours; kept")
    say(f"{len(done.written)} files {would}written, {len(done.unchanged)} as they were")
    if arguments.plugin and not arguments.dry_run:
        say(f"claude --plugin-dir {done.folder} tries it out")
    print(done.folder)
    return 0


def _hook_command(arguments: Namespace) -> str:
    from orch_tui.install import hook_settings

    return hook_settings.PLAIN if arguments.shared else hook_settings.command(sys.executable)


def _install_hooks(arguments: Namespace) -> int:
    from orch_tui.install import hook_settings

    root = None if arguments.user else _root(arguments.project)
    path = hook_settings.settings_file(root, shared=arguments.shared)
    change = hook_settings.installation(
        path, _hook_command(arguments), hand_over=arguments.hand_over
    )
    say(*change.diff())
    if change.is_none:
        say("the hooks are there already")
    elif arguments.dry_run:
        say("nothing was written")
    elif not (arguments.yes or _agreed(f"write {path}?")):
        say("nothing was written")
        return 1
    else:
        backup = hook_settings.apply(change)
        kept = f"; what it was is kept as {backup.name}" if backup else ""
        say(f"written{kept}", "Claude Code uses the hooks from its next session on")
    print(path)
    return 0


def _agreed(question: str) -> bool:
    """What a person at a terminal answers; a script that gives the command has agreed."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return True
    print(f"{question} [Y/n] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("", "y", "yes")


def uninstall() -> argparse.ArgumentParser:
    parser = Parser("uninstall", example="orch uninstall --user", has_record=False)
    what = _add_place(parser)
    what.add_argument("--hooks", action="store_true", help="only the hooks")
    what.add_argument("--plugin", metavar="DIR", help="the plugin in this folder")
    parser.add_argument("--shared", action="store_true", help="only the hooks of the project")
    parser.forbid("--shared", "--plugin")
    parser.set_defaults(run=_uninstall)
    return parser


def _uninstall(arguments: Namespace) -> None:
    """The hooks and the skill; only what is there, and an error where nothing is."""
    from orch_tui.install import skill

    found = False if arguments.plugin else _uninstall_hooks(arguments)
    if arguments.hooks or arguments.shared:
        if not found:
            raise OrchError("no hooks of orch are registered there", hint="orch doctor tells more")
        return
    folder = _folder(arguments)
    if found and not (folder / skill.MANIFEST).exists():
        return
    done = skill.uninstall(folder, dry_run=arguments.dry_run)
    for path in (*done.kept, *done.backups):
        say(f"{path}: yours; kept")
    say(f"{len(done.removed)} files {'would be ' if arguments.dry_run else ''}removed")
    print(done.folder)


def _uninstall_hooks(arguments: Namespace) -> bool:
    from orch_tui.install import hook_settings

    root = None if arguments.user else _root(arguments.project)
    kinds = [True] if arguments.shared or root is None else [False, True]
    found = False
    for shared in kinds:
        path = hook_settings.settings_file(root, shared=shared)
        change = hook_settings.removal(path)
        if change.is_none:
            continue
        found = True
        say(*change.diff())
        if arguments.dry_run:
            say("nothing was written")
        else:
            hook_settings.apply(change)
        print(path)
    return found


def _add_place(parser: Parser) -> argparse._MutuallyExclusiveGroup:
    """Where to; and a group for what there is to choose besides the skill."""
    place = parser.add_mutually_exclusive_group()
    place.add_argument("--user", action="store_true", help="for all your projects")
    place.add_argument("--project", metavar="DIR", help="default: this project")
    parser.add_argument("--dry-run", action="store_true", help="only say what would be done")
    parser.forbid("--plugin", "--user", "--project")
    parser.forbid("--shared", "--user")
    return parser.add_mutually_exclusive_group()


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


SHELLS = ("bash", "zsh", "fish")


def completion() -> argparse.ArgumentParser:
    parser = Parser("completion", example='eval "$(orch completion bash)"', has_record=False)
    parser.add_argument("shell", choices=SHELLS, help="its kind")
    parser.set_defaults(run=_completion)
    return parser


def _completion(arguments: Namespace) -> None:
    from argcomplete.shell_integration import shellcode

    print(shellcode(["orch"], shell=arguments.shell))
