"""Commands for the record and the installation themselves."""

from __future__ import annotations

import argparse
import os
from argparse import Namespace
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from orch_tui.cli.answers import add_answer_format, print_answer
from orch_tui.cli.parser import Parser, project_of
from orch_tui.cli.printing import (
    add_format,
    as_row,
    make_folder_of,
    print_rows,
    progress_bar,
    read_bytes,
    say,
)
from orch_tui.errors import OrchError, UsageError
from orch_tui.files import refuse_leading_out
from orch_tui.paths import hubs_folder, resolve_path
from orch_tui.project import Project
from orch_tui.wording import plural, word_size
from orch_tui.written_files import note_written

if TYPE_CHECKING:
    from orch_tui.models.database import Record

PLACES = {
    "record": "the database",
    "project": "the folder that the record is of",
    "config": "the file of the project's settings",
    "user-config": "the file of your own settings, for all projects",
    "inbox": "the folder in which hooks leave what they were told",
    "state": "the folder of drafts, choices and texts to hand over",
    "claude": "the folder in which Claude Code keeps its transcripts",
}
"""What ``orch path`` names; a place need not be there yet."""


def path() -> argparse.ArgumentParser:
    listed = "\n".join(f"  {name:<12}{meaning}" for name, meaning in PLACES.items())
    parser = Parser("path", remarks=listed, example='orch path record\nsqlite3 "$(orch path)"')
    parser.add_argument(
        "place", nargs="?", choices=PLACES, default="record", help="default: %(default)s"
    )
    add_answer_format(parser)
    parser.set_defaults(run=_path)
    return parser


def _path(arguments: Namespace) -> None:
    from orch_tui import paths
    from orch_tui.setting_changes import name_file

    project = project_of(arguments, lambda error: None)
    match arguments.place:
        case "record":
            place: object = project.database
        case "project":
            place = project.root
        case "config" | "user-config" as kind:
            place = name_file(project.root, for_user=kind == "user-config")
        case "inbox":
            place = next(paths.inboxes(project.root))
        case "state":
            place = paths.state_folder()
        case _:
            place = paths.claude_folder()
    print_answer(arguments, str(place), place=arguments.place, path=str(place))


def config() -> argparse.ArgumentParser:
    parser = Parser(
        "config",
        remarks="set NAME VALUE writes one into the project's file, unset NAME takes it out,\n"
        "edit opens the file in $VISUAL or $EDITOR, path prints its name; with --user it\n"
        "is your own file. Entries of tables are named keymap.quit.",
        example="orch config set budget 300000 --user",
    )
    acts = ("show", "set", "unset", "edit", "path")
    parser.add_argument("act", nargs="?", choices=acts, default="show", help="default: show")
    parser.add_argument("name", nargs="?", metavar="SETTING", help="its name")
    parser.add_argument("value", nargs="?", help="what it is to be")
    parser.add_argument("--user", action="store_true", help="in your own file, for all projects")
    add_format(parser)
    parser.set_defaults(run=_config)
    return parser


def _config(arguments: Namespace) -> None:
    if arguments.act in ("edit", "path"):
        _open_settings(arguments, project_of(arguments, lambda error: None))
        return
    project = project_of(arguments)
    if arguments.act != "show":
        _change_setting(arguments, project)
        return
    if arguments.user:
        raise UsageError("--user is not for show", hint="leave it out")
    settings = project.config
    rows = []
    for name, value in as_row(settings).items():
        if name == "origins":
            continue
        shown = dict(value) if hasattr(value, "items") else value
        rows.append({"setting": name, "value": shown, "from": settings.origins[name]})
    print_rows(rows, arguments.format)
    say(f"project: {project.root}", f"record: {project.database}")


def _open_settings(arguments: Namespace, project: Project) -> None:
    """Print the name of a file of settings, or open it; what is wrong in it then is said."""
    from orch_tui.config import load
    from orch_tui.setting_changes import name_file

    if arguments.name is not None:
        raise UsageError(f"orch config {arguments.act} takes no name", hint="orch config --help")
    file = name_file(project.root, for_user=arguments.user)
    if arguments.act == "path":
        print(file)
        return
    import subprocess

    from orch_tui.processes import name_editor

    if not arguments.user:
        refuse_leading_out(file, project.root)
    file.parent.mkdir(parents=True, exist_ok=True)
    try:
        subprocess.run([*name_editor(), str(file)], check=True)
    except (OSError, ValueError, subprocess.CalledProcessError) as error:
        raise UsageError(f"the editor failed: {error}", hint="$EDITOR names it") from None
    load(project.root)


def _change_setting(arguments: Namespace, project: Project) -> None:
    from orch_tui.setting_changes import change_setting

    act, name, value = arguments.act, arguments.name, arguments.value
    if name is None or (value is None) is (act == "set"):
        wanted = "a name and a value" if act == "set" else "a name and nothing else"
        raise UsageError(f"orch config {act} takes {wanted}", hint="orch config --help")
    file = change_setting(project.root, name, value, for_user=arguments.user)
    say(f"{name} is {value} in {file}" if act == "set" else f"{name} is taken out of {file}")
    if name == "model" and act == "set" and (doubt := project.catalogue.doubt(value)):
        say(doubt)


def doctor() -> argparse.ArgumentParser:
    parser = Parser(
        "doctor",
        remarks="Of a large record, the public tables and the newest 1,000 runs are looked at;\n"
        "what was not is said.",
        example="orch doctor\norch doctor --full",
    )
    parser.add_argument("--full", action="store_true", help="look at everything")
    parser.add_argument(
        "--repair",
        action="store_true",
        help="mend what can be derived again, and look at everything",
    )
    add_format(parser)
    parser.set_defaults(run=_doctor)
    return parser


def _doctor(arguments: Namespace) -> int:
    from orch_tui.record.upkeep import doctor as checks

    project = project_of(arguments, lambda error: None)  # it is one of the findings
    is_full = arguments.full or arguments.repair
    if arguments.repair:
        with progress_bar() as progress:
            done = checks.repair_record(project.existing_record, progress)
        say(*(done or ["nothing needed mending"]))
    with progress_bar() if is_full else nullcontext(lambda done, total: None) as progress:
        findings = checks.examine_record(
            project.database, project.root, is_full=is_full, progress=progress
        )
    if os.path.isdir(hubs_folder()):
        from orch_tui.hub.background_sync import examine_lag  # hardly anybody has a hub

        with suppress(OrchError):  # one of the findings says what is wrong with the record
            findings += examine_lag(project.existing_record)
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
    add_answer_format(parser)
    parser.set_defaults(run=_migrate)
    return parser


def _migrate(arguments: Namespace) -> None:
    project = project_of(arguments)
    with progress_bar() as progress:
        copy = project.migrate(progress)
    say(f"the record as it was: {copy}" if copy else "it is up to date already")
    print_answer(
        arguments, str(project.database), record=str(project.database), backup=copy and str(copy)
    )


def backup() -> argparse.ArgumentParser:
    parser = Parser("backup", example="orch backup ../execution-2026-11-22.db")
    parser.add_argument("target", metavar="FILE", help="must not exist yet")
    add_answer_format(parser)
    parser.set_defaults(run=_backup)
    return parser


def _backup(arguments: Namespace) -> None:
    project = project_of(arguments)
    target = resolve_path(arguments.target)
    record = project.existing_record
    make_folder_of(Path(target))
    with progress_bar() as progress:
        record.backup(Path(target), progress)
    note_written(target)
    print_answer(arguments, arguments.target, backup=arguments.target)


def restore() -> argparse.ArgumentParser:
    parser = Parser(
        "restore",
        remarks="What the record is now is kept beside it, as FILE.before-restore.bak.",
        example="orch backup copy.db\norch restore copy.db",
    )
    parser.add_argument("source", metavar="FILE", help="a copy made by orch backup")
    add_answer_format(parser)
    parser.set_defaults(run=_restore)
    return parser


def _restore(arguments: Namespace) -> None:
    from orch_tui.record.upkeep.restoring import restore_record

    project = project_of(arguments, lambda error: None)
    done = restore_record(project.database, Path(resolve_path(arguments.source)))
    if done.kept:
        say(f"the record as it was: {done.kept}")
    print_answer(
        arguments,
        str(done.record),
        record=str(done.record),
        kept=done.kept and str(done.kept),
        runs=done.runs,
    )


def export() -> argparse.ArgumentParser:
    parser = Parser(
        "export",
        example="""orch export --output record.jsonl
orch export --sqlite plain.db   # for datasette, duckdb or sqlite3
sqlite3 plain.db "SELECT scope FROM texts WHERE texts MATCH 'hnsw'\"""",
    )
    parser.add_argument("--output", metavar="FILE", default="-", help="default: standard output")
    parser.add_argument(
        "--sqlite",
        metavar="FILE",
        help="a copy for other tools: tables sessions, runs, given, said and outputs in plain "
        "text, and texts for full-text search",
    )
    parser.forbid("--sqlite", "--output")
    parser.set_defaults(run=_export)
    return parser


def _export(arguments: Namespace) -> None:
    from orch_tui.cli.printing import progress, write_lines
    from orch_tui.record.upkeep.export import export_record as read_all

    project = project_of(arguments)
    if arguments.sqlite:
        from orch_tui.recall.plain_database import write_plain_database

        target, record = Path(resolve_path(arguments.sqlite)), project.existing_record
        make_folder_of(target)
        written = write_plain_database(record, target)
        count = sum(1 for _ in progress(written, "runs"))
        note_written(target)
        say(f"written to {arguments.sqlite}: {plural(count, 'run')}")
        return
    lines = read_all(project.existing_record)
    write_lines(arguments.output, progress(lines, "rows"))


def redact() -> argparse.ArgumentParser:
    parser = Parser(
        "redact", example="pass show api-key | orch redact - --reason 'pasted by mistake'"
    )
    parser.add_argument(
        "secret", metavar="FILE", help="a file that holds it; - reads standard input"
    )
    parser.add_argument("--reason", required=True, metavar="TEXT", help="kept in the journal")
    parser.add_argument("--dry-run", action="store_true", help="only count where it stands")
    parser.add_argument(
        "--yes", action="store_true", help="clean also the files that orch wrote, without asking"
    )
    parser.forbid("--yes", "--dry-run")
    add_format(parser)
    parser.set_defaults(run=_redact)
    return parser


def _redact(arguments: Namespace) -> None:
    from orch_tui.record.upkeep.holding_files import choose_own_files, find_transcripts
    from orch_tui.record.upkeep.redaction import redact_secret as remove

    project = project_of(arguments)
    secret = read_bytes(arguments.secret).rstrip(b"\r\n")
    with progress_bar() as progress:
        found = remove(
            project.existing_record,
            secret,
            arguments.reason,
            dry_run=arguments.dry_run,
            progress=progress,
        )
    rows = [{"where": where, "places": count} for where, count in found.places.items()]
    print_rows(rows, arguments.format, empty="the record does not hold it")
    removed = "would be removed" if arguments.dry_run else "removed"
    for path in found.removed:
        say(f"{removed}: {path}, a copy of a briefing that waited to be handed over")
    record = project.existing_record
    own, transcripts = choose_own_files(record, found.still_in), find_transcripts(record, secret)
    foreign = [path for path in found.still_in if path not in own]
    for path in foreign:
        say(f"still in {path}: orch does not change that file")
    for path in transcripts:
        say(f"still in {path}: a transcript of Claude Code, which orch does not change")
    for path in own:
        say(f"still in {path}, which orch wrote")
    if own and not arguments.dry_run:
        _clean_own(arguments, record, secret, own)
    if found.places or found.still_in or transcripts:
        say(
            "not looked into: the history of git, what other programs copied, and exports that "
            "were handed on; an import of one of those leaves it out here"
        )


def _clean_own(arguments: Namespace, record: Record, secret: bytes, paths: tuple[str, ...]) -> None:
    """Clean the files that orch wrote, where a person says so."""
    from orch_tui.cli.consent import answer, is_answered
    from orch_tui.record.upkeep.secret_cleaning import clean_files

    files = "that file" if len(paths) == 1 else f"those {len(paths)} files"
    if not arguments.yes:
        if arguments.secret == "-" or not is_answered():
            say(f"--yes takes it out of {files}")
            return
        if not answer(f"take it out of {files}? [y/N] ", ("y", "yes")):
            return
    cleaned = tuple(clean_files(record, secret, arguments.reason, paths))
    for path in paths:
        if path in cleaned:
            say(f"taken out of {path}")
        else:
            say(f"still in {path}: it cannot be taken out there; delete that file")


def forget() -> argparse.ArgumentParser:
    parser = Parser(
        "forget",
        remarks="What the runs were given, were told and said goes, for good. What they cost,\n"
        "when they ran, how they ended and the hash of each text stays. An import or an\n"
        "older export brings nothing back, and a record that takes in an export of this\n"
        "one forgets it, too. Backups keep it.",
        example="orch forget --before 2026-01-01 --dry-run",
    )
    parser.add_argument(
        "--before",
        metavar="WHEN",
        help="runs deployed before: 2026-11-22, monday, 30d, '2 weeks ago'",
    )
    parser.add_argument("--session-id", "-s", metavar="ID", help="runs of one session")
    parser.add_argument("--dry-run", action="store_true", help="only say what would be dropped")
    parser.add_argument("--yes", action="store_true", help="do not ask")
    parser.forbid("--yes", "--dry-run")
    add_answer_format(parser)
    parser.set_defaults(run=_forget)
    return parser


def _forget(arguments: Namespace) -> int:
    from orch_tui.cli.consent import act_if_agreed
    from orch_tui.record.upkeep.forgetting import (
        find_forgettable,
        forget_runs,
        measure_forgetting,
    )
    from orch_tui.search.dates import parse_time

    record = project_of(arguments).existing_record
    before = arguments.before and parse_time(arguments.before, record.clock())
    runs = find_forgettable(record, before=before, session_id=arguments.session_id)
    found = measure_forgetting(record, runs)
    room = word_size(found.size)
    if not found.texts:
        say("no run that has ended has texts to forget there")
        print_answer(arguments, "", **as_row(found), forgotten=False)
        return 0
    named = ", ".join([*runs[:3], "..."] if len(runs) > 3 else runs)
    say(f"{plural(found.texts, 'text')} of {plural(found.runs, 'run')} ({named}): {room}")
    say("what a run that is kept was given, too, stays")
    question = f"forget them for good ({room})?"

    def drop() -> None:
        forget_runs(record, runs)

    agreed = act_if_agreed(arguments, question, drop, is_final=True)
    is_done = agreed and not arguments.dry_run
    print_answer(arguments, f"{room} forgotten" * is_done, **as_row(found), forgotten=is_done)
    return 0 if agreed else 1


SHELLS = ("bash", "zsh", "fish")


def completion() -> argparse.ArgumentParser:
    parser = Parser("completion", example='eval "$(orch completion bash)"', has_record=False)
    parser.add_argument("shell", choices=SHELLS, help="its kind")
    parser.set_defaults(run=_completion)
    return parser


def _completion(arguments: Namespace) -> None:
    from argcomplete.shell_integration import shellcode

    print(shellcode(["orch"], shell=arguments.shell))
