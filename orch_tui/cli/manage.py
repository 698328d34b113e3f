"""Commands for the record and the installation themselves."""

from __future__ import annotations

import argparse
import sys
from argparse import Namespace
from pathlib import Path

from orch_tui.cli.output import add_format, as_row, print_rows, read_bytes, say
from orch_tui.cli.parser import Parser, project_of
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
    from orch_tui.record import doctor as checks

    project = project_of(arguments)
    if arguments.repair:
        say(*(checks.repair(project.existing_record) or ["nothing needed mending"]))
    findings = checks.examine(project.database, project.root)
    rows = [as_row(finding) for finding in findings]
    print_rows(rows, arguments.format)
    return int(any(finding.level == "problem" for finding in findings))


def backup() -> argparse.ArgumentParser:
    parser = Parser("backup", example="orch backup ../execution-2026-11-22.db")
    parser.add_argument("target", metavar="FILE", help="must not exist yet")
    parser.set_defaults(run=_backup)
    return parser


def _backup(arguments: Namespace) -> None:
    project = project_of(arguments)
    project.existing_record.backup(Path(arguments.target))
    print(arguments.target)


def export() -> argparse.ArgumentParser:
    parser = Parser("export", example="orch export --output record.jsonl")
    parser.add_argument("--output", metavar="FILE", default="-", help="default: standard output")
    parser.set_defaults(run=_export)
    return parser


def _export(arguments: Namespace) -> None:
    from orch_tui.cli.output import progress, write_lines
    from orch_tui.record.export import export as read_all

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
    from orch_tui.record.redaction import redact as remove

    project = project_of(arguments)
    secret = read_bytes(arguments.secret).rstrip(b"\r\n")
    found = remove(project.existing_record, secret, arguments.reason, dry_run=arguments.dry_run)
    rows = [{"where": where, "places": count} for where, count in found.places.items()]
    print_rows(rows, arguments.format, empty="the record does not hold it")
    for path in found.still_in:
        say(f"still in {path}: orch does not change that file")


def install() -> argparse.ArgumentParser:
    parser = Parser(
        "install", example="orch install              # into this project's .claude/skills"
    )
    _add_place(parser)
    parser.set_defaults(run=_install)
    return parser


def _install(arguments: Namespace) -> None:
    from orch_tui import skill

    done = skill.install(_skill_folder(arguments), sys.executable, dry_run=arguments.dry_run)
    would = "would be " if arguments.dry_run else ""
    for path, copy in done.backed_up:
        say(f"{path}: yours; {would}kept as {copy.name}")
    for path in done.kept:
        say(f"{path}: no longer part of the skill, but yours; kept")
    say(f"{len(done.written)} files {would}written, {len(done.unchanged)} as they were")
    print(done.folder)


def uninstall() -> argparse.ArgumentParser:
    parser = Parser("uninstall", example="orch uninstall --user")
    _add_place(parser)
    parser.set_defaults(run=_uninstall)
    return parser


def _uninstall(arguments: Namespace) -> None:
    from orch_tui import skill

    done = skill.uninstall(_skill_folder(arguments), dry_run=arguments.dry_run)
    for path in (*done.kept, *done.backups):
        say(f"{path}: yours; kept")
    say(f"{len(done.removed)} files {'would be ' if arguments.dry_run else ''}removed")
    print(done.folder)


def _add_place(parser: argparse.ArgumentParser) -> None:
    place = parser.add_mutually_exclusive_group()
    place.add_argument("--user", action="store_true", help="for all your projects")
    place.add_argument("--project", metavar="DIR", help="default: this project")
    parser.add_argument("--dry-run", action="store_true", help="only say what would be done")


def _skill_folder(arguments: Namespace) -> Path:
    from orch_tui.skill import skill_folder

    if arguments.user:
        return skill_folder()
    return skill_folder(Project(arguments.project).root)


SHELLS = ("bash", "zsh", "fish")


def completion() -> argparse.ArgumentParser:
    parser = Parser("completion", example='eval "$(orch completion bash)"')
    parser.add_argument("shell", choices=SHELLS, help="its kind")
    parser.set_defaults(run=_completion)
    return parser


def _completion(arguments: Namespace) -> None:
    from argcomplete.shell_integration import shellcode

    print(shellcode(["orch"], shell=arguments.shell))
