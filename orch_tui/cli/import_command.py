"""The command that takes in what is already on disk: transcripts, and exports of records."""

from __future__ import annotations

import argparse
import sys
from argparse import Namespace
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from orch_tui.cli.parser import Parser, project_of
from orch_tui.cli.printing import FORMATS, as_row, print_rows, say
from orch_tui.cli.terminal_text import own_codes, printable
from orch_tui.errors import SourceError
from orch_tui.files import refuse_endless
from orch_tui.paths import claude_folder, resolve_path

if TYPE_CHECKING:
    from orch_tui.record.transcripts.importer import ImportSummary


def import_() -> argparse.ArgumentParser:
    parser = Parser(
        "import",
        example="""orch import                     # what Claude Code kept of this project
orch import --all --dry-run     # of every project, only to see
orch import old-projects/       # of another machine, say""",
    )
    parser.add_argument(
        "paths",
        nargs="*",
        metavar="PATH",
        help="transcripts, folders of them, or a file of `orch export`, which may stand on "
        "standard input, - (default: transcripts of this project "
        "in CLAUDE_CONFIG_DIR, else ~/.claude)",
    )
    parser.add_argument("--all", action="store_true", help="those of every project")
    parser.add_argument("--dry-run", action="store_true", help="only say what would be taken in")
    parser.add_argument(
        "--format", choices=FORMATS, default="table", help="of the summary; default: %(default)s"
    )
    parser.forbid("--all", "PATH")
    parser.set_defaults(run=_import)
    return parser


def _import(arguments: Namespace) -> None:
    with ExitStack() as stack:
        piped = [stack.enter_context(_kept_input())] if "-" in arguments.paths else []
        named = [Path(resolve_path(path)) for path in arguments.paths if path != "-"]
        _import_from(arguments, [*named, *piped])


@contextmanager
def _kept_input() -> Iterator[Path]:
    """What stands on standard input, in a file while it is read: an export is read twice.

    Raises:
        SourceError: it is no export; a transcript is told by its name and folder.
    """
    import shutil
    import tempfile

    from orch_tui.record.upkeep.restore import is_export

    with tempfile.TemporaryDirectory(prefix="orch-import-") as folder:
        path = Path(folder, "standard-input.jsonl")
        with path.open("wb") as file:
            shutil.copyfileobj(sys.stdin.buffer, file)
        with path.open("rb") as file:
            if not is_export(file.readline(100_000)):
                hint = "name the file of a transcript"
                raise SourceError("standard input", "is no export of orch", hint=hint)
        yield path


def _import_from(arguments: Namespace, paths: Sequence[Path]) -> None:
    project = project_of(arguments)
    for path in paths:
        try:
            path.stat()
        except (FileNotFoundError, NotADirectoryError):
            hint = "name a transcript, an export of orch, or a folder of either"
            raise SourceError(str(path), "is not there", hint=hint) from None
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise SourceError(str(path), f"cannot be read ({reason})") from None
        refuse_endless(path)
    with _progress() as progress:
        summary = project.import_files(
            paths,
            every_project=arguments.all,
            dry_run=arguments.dry_run,
            progress=progress,
        )
    if arguments.format == "table":
        _tell(summary, arguments.dry_run)
    else:
        print_rows([as_row(summary)], arguments.format)
    if not (summary.files_read or summary.files_unchanged or summary.remarks):
        say(_say_nothing_found(arguments))


def _tell(summary: ImportSummary, dry_run: bool) -> None:
    would = "would be " if dry_run else ""
    print(
        f"executions: {summary.new:,} {would}new, {summary.merged:,} {would}merged with what was "
        f"known, {summary.known:,} known already"
    )
    print(
        f"files: {summary.files_read:,} read ({summary.bytes_read / 1e6:,.1f} MB), "
        f"{summary.files_unchanged:,} as they were"
    )
    for reason, count in sorted(summary.skipped.items()):
        print(f"skipped: {count:,} files {reason}")
    if summary.lines_skipped:
        print(f"skipped: {summary.lines_skipped:,} lines that are no JSON or only a part of it")
    for remark in summary.remarks:
        say(remark)


def _say_nothing_found(arguments: Namespace) -> str:
    """Say where no transcript was found, and where else one could look."""
    if arguments.paths:
        return "no transcripts and no export found there"
    folder = printable(claude_folder())
    if arguments.all:
        return f"no transcripts of any project in {folder}: PATH names another folder or file"
    return f"no transcripts of this project in {folder}: --all takes those of every project"


@contextmanager
def _progress() -> Iterator[Callable[[int, int], None]]:
    """A bar of the bytes that are read, on a terminal."""
    if not sys.stderr.isatty():
        yield lambda done, total: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn

    columns = (BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(file=own_codes(sys.stderr)), transient=True) as bar:
        task = bar.add_task("reading", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
