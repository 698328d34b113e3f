"""Printing lists and documents: tables for people, JSON, JSON lines, CSV or Markdown for others."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import fields, is_dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, TypeVar

from orch_tui.cli.terminal_text import find_unprintable, own_codes, printable
from orch_tui.errors import SourceError, UsageError
from orch_tui.files import (
    list_missing_folders,
    refuse_endless,
    refuse_link,
    refused_reading,
    refused_writing,
    whole_file,
)
from orch_tui.paths import resolve_path
from orch_tui.times import local_time
from orch_tui.wording import plural
from orch_tui.written_files import note_written

if TYPE_CHECKING:
    from orch_tui.prepare.bundle import Bundle
    from orch_tui.prepare.templates import Template
    from orch_tui.project import Project

NO = 1
"""The exit code of an answer that is no."""

FORMATS = ("table", "json", "jsonl", "csv", "markdown")

Row = Mapping[str, Any]


def add_no_record(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--no-record", action="store_true", help="use and make no database")


def add_allow_model(parser: argparse.ArgumentParser) -> None:
    """``--allow-model``, for commands that record the model of ``--model``."""
    parser.add_argument(
        "--allow-model",
        action="store_true",
        help="take a --model that reads like a misspelling of another",
    )


def check_model(project: Project, arguments: argparse.Namespace) -> None:
    """Refuse a model that reads like a misspelling, unless ``--allow-model`` insists on it."""
    if not arguments.allow_model:
        project.catalogue.check_asked(arguments.model)


def add_format(parser: argparse.ArgumentParser, *, default: str = "table") -> None:
    """``--format``, for commands that list."""
    parser.add_argument("--format", choices=FORMATS, default=default, help="default: %(default)s")


def add_fields(parser: argparse.ArgumentParser) -> None:
    """``--fields``, for commands that list rows of one kind."""
    parser.add_argument(
        "--fields", metavar="NAME,...", help="only these, in this order; any key of --format json"
    )


def as_row(fact: Any) -> dict[str, Any]:
    """A frozen dataclass as a row by column name."""
    if not is_dataclass(fact):
        return dict(fact)
    return {f.name: getattr(fact, f.name) for f in fields(fact)}


def print_rows(
    rows: Iterable[Row],
    form: str,
    *,
    columns: Sequence[str] = (),
    empty: str = "",
    fields: str | None = None,
) -> None:
    """Print a list, as its rows come. ``columns`` are those that tables show; the other formats
    give them all.

    An empty list in a table says ``empty`` on standard error: what to do next. ``fields`` are the
    names, between commas, that every format gives, and no other.

    Raises:
        UsageError: there is no such field; with those there are.
    """
    if fields is not None:
        columns = split_list([fields])
        rows = (_choose_fields(row, columns) for row in rows)
    if form == "jsonl":
        for row in rows:
            print(_json(row))
        return
    if form == "json":
        _print_json_array(rows)
    elif form == "csv":
        _print_csv(rows)
    else:
        table = _Table(columns, form)
        rest = iter(rows)
        while block := list(islice(rest, _BLOCK)):
            table.print_block(block)
        if table.is_empty:
            print(empty or "nothing found", file=sys.stderr)


def _choose_fields(row: Row, names: Sequence[str]) -> Row:
    for name in names:
        if name not in row:
            raise UsageError(
                f"there is no field {name!r}{_nearest_field(name, row)}",
                hint=f"known: {', '.join(row)}",
            )
    return {name: row[name] for name in names}


def _nearest_field(name: str, row: Row) -> str:
    """Name the fields that a wrong one may stand for: one by its heading, else by its spelling."""
    from difflib import get_close_matches

    headed = [field for field in row if heading(field) == name]
    near = headed or get_close_matches(name, list(row), n=2)
    return f"; did you mean {' or '.join(near)}?" if near else ""


SCHEMA_VERSION = 1
"""Of the objects that commands print: counted up when a key changes its meaning or goes; new keys
may come at any time."""


def print_object(value: Row) -> None:
    """Print one JSON object, with the version of its shape."""
    print_json({**value, "schema_version": SCHEMA_VERSION})


def print_json(value: Any) -> None:
    """Print one JSON document."""
    print(_json(value, indent=2))


def json_text(value: Any) -> str:
    """Give one JSON document as it is printed."""
    return f"{_json(value, indent=2)}\n"


def say(*lines: str) -> None:
    """Narration, on standard error."""
    for line in lines:
        print(printable(line), file=sys.stderr)


def may_style() -> bool:
    """Whether standard output is a terminal that shows bold, and nobody asked for plain text."""
    plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    return sys.stdout.isatty() and not plain


def write_text(path: str, text: str | bytes) -> None:
    """Write a file as a whole or not at all; ``-`` is standard output.

    Raises:
        SourceError: it cannot be written there.
    """
    with writing(path) as write:
        write(text)


@contextmanager
def writing(path: str | None) -> Iterator[Callable[[str | bytes], None]]:
    """Gives what writes the one text that ``path`` is for; ``-`` is standard output.

    The file is opened at once: a path that cannot be written is refused before anything is
    recorded. A terminal is shown what is printable; anything else gets the exact bytes.

    Raises:
        SourceError: it cannot be written there.
    """
    if path is None:
        yield lambda text: None
    elif path == "-":
        yield _write_out
    else:
        with _whole_file(path) as file:
            yield lambda text: file.writelines([_bytes(text)])


def _write_out(text: str | bytes) -> None:
    if sys.stdout.isatty():
        sys.stdout.write(_bytes(text).decode("utf-8", "replace"))
    else:
        sys.stdout.flush()
        sys.stdout.buffer.write(_bytes(text))


def _bytes(text: str | bytes) -> bytes:
    return text.encode("utf-8", "surrogateescape") if isinstance(text, str) else text


def copy_text(text: bytes, what: str) -> None:
    """Put a text on the clipboard, and say where it is."""
    from orch_tui import clipboard

    say(f"{what}: {clipboard.copy(text.decode('utf-8', 'replace'))}")


def write_lines(path: str, lines: Iterable[str]) -> None:
    """Write lines of JSON as they come; a file is there as a whole or not at all, and is named."""
    if path == "-":
        for line in lines:
            print(_escape_unprintable(line))
        return
    count = 0
    with _whole_file(path) as file:
        for line in lines:
            file.write(_escape_unprintable(line).encode() + b"\n")
            count += 1
    say(f"written to {path}: {plural(count, 'row')}")


@contextmanager
def _whole_file(path: str) -> Iterator[BinaryIO]:
    """A file to write that takes its name only when it is complete.

    Raises:
        SourceError: it cannot be written there, or holds a database.
    """
    target = Path(resolve_path(path))
    refuse_link(target, path)
    if target.exists() and not target.is_file():  # a pipe or device is written, never replaced
        with refused_writing(path), target.open("wb") as file:
            yield file
        return
    target = target.resolve()  # what a link leads to is written, not the link
    if _is_database(target):
        raise SourceError(path, "is an SQLite database", hint="name another file to write")
    missing = list_missing_folders(target)
    with whole_file(target, named=path) as file:
        yield file
    note_written(target)
    if missing:
        say(f"made the folder {os.path.relpath(missing[0])}")


def make_folder_of(path: Path) -> None:
    """Make the folder that a file is to be written in, and say so; nothing where it is there.

    Raises:
        SourceError: it cannot be made.
    """
    if missing := list_missing_folders(path):
        with refused_writing(str(path)):
            path.parent.mkdir(parents=True)
        say(f"made the folder {os.path.relpath(missing[0])}")


def _is_database(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(15) == b"SQLite format 3"
    except OSError:
        return False


T = TypeVar("T")


def progress(items: Iterable[T], what: str) -> Iterator[T]:
    """The items, counted on a terminal as they pass by; elsewhere silently."""
    if not sys.stderr.isatty():
        yield from items
        return
    count = 0
    for count, item in enumerate(items, start=1):
        yield item
        if count % 1000 == 0:
            print(f"\r{count:,} {what}", end="", file=own_codes(sys.stderr), flush=True)
    print(f"\r{count:,} {what}", file=own_codes(sys.stderr))


@contextmanager
def progress_bar() -> Iterator[Callable[[int, int], None]]:
    """A bar on a terminal, drawn by telling it how much is done of how much; elsewhere nothing."""
    if not sys.stderr.isatty():
        yield lambda done, total: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(file=own_codes(sys.stderr)), transient=True) as bar:
        task = bar.add_task("", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def read_bytes(path: str) -> bytes:
    """A file given on the command line; ``-`` is standard input.

    Raises:
        SourceError: it cannot be read.
    """
    if path == "-":
        if sys.stdin.isatty():
            say("reading from the terminal; Ctrl-D ends it")
        return sys.stdin.buffer.read()
    with refused_reading(path):
        file = Path(resolve_path(path))
        refuse_endless(file, path)
        return file.read_bytes()


def named_bundle(project: Project, given: str, *, allow_secret: bool = True) -> Bundle:
    """A bundle named on the command line, a file, an id, or ``-`` for standard input; where it
    differs from disk is said."""
    if given == "-":
        given, data = "standard input", read_bytes(given)
        bundle, differences = project.parse_bundle(data, name=given, allow_secret=allow_secret)
    else:
        bundle, differences = project.read_bundle(given, allow_secret=allow_secret)
    say(*(f"{given}: {difference}" for difference in differences))
    return bundle


def named_template(project: Project, given: str | None) -> Template | None:
    """A template named on the command line, a file, one of the known, or ``-``."""
    if given != "-":
        return project.template(given)
    from orch_tui.prepare.templates import Template

    try:
        return Template("standard input", read_bytes(given).decode())
    except UnicodeDecodeError:
        raise SourceError("standard input", "is not UTF-8") from None


def split_list(values: Sequence[str] | None) -> list[str]:
    """Repeated and comma-separated values of a flag, one by one."""
    return [part.strip() for value in values or () for part in value.split(",") if part.strip()]


def positive(text: str) -> int:
    """An argparse type: a whole number above 0, with or without thousands marks."""
    try:
        number = int(text.replace(",", "").replace("_", ""))
    except ValueError:
        number = 0
    if number <= 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number above 0")
    if number >= 1 << 63:
        raise argparse.ArgumentTypeError("the number is too large")
    return number


def none_or_more(text: str) -> int:
    """An argparse type: a whole number, 0 or above."""
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of 0 or above")
    return int(text)


def boolean(text: str) -> bool:
    """An argparse type: true or false in any of the usual spellings."""
    known = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
    if text.lower() not in known:
        raise argparse.ArgumentTypeError(f"{text!r} is neither true nor false")
    return known[text.lower()]


def share_of_limit(text: str) -> float:
    """An argparse type: a share of a limit."""
    try:
        share = float(text)
    except ValueError:
        share = 0
    if not 0 < share <= 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not above 0 and at most 1")
    return share


def json_object(text: str) -> dict[str, Any]:
    """A JSON object given on the command line, or for ``-`` on standard input.

    Raises:
        UsageError: it is none.
    """
    if text == "-":
        text = read_bytes(text).decode("utf-8", "replace")
    try:
        value = json.loads(text)
    except ValueError as error:
        raise UsageError(f"{text!r} is not JSON: {error}") from error
    if not isinstance(value, dict):
        raise UsageError(f"{text!r} is not a JSON object", hint='{"name": "value"}')
    return value


def _json(value: Any, indent: int | None = None) -> str:
    """JSON that is valid UTF-8 and harmless for a terminal: all else is escaped."""
    return _escape_unprintable(json.dumps(value, ensure_ascii=False, indent=indent, default=_plain))


def _escape_unprintable(text: str) -> str:
    """JSON text in which all that is not printable is escaped."""
    unusual = find_unprintable(text) - {"\n"}
    if not unusual:
        return text
    return text.translate({ord(sign): json.dumps(sign)[1:-1] for sign in unusual})


def _plain(value: Any) -> Any:
    """What JSON has no form for, as a row; dates and times, which settings may hold, as text."""
    return as_row(value) if is_dataclass(value) or isinstance(value, Mapping) else str(value)


def in_words(content: Any) -> Any:
    """The content of an output for a table: of a deliverable its path and its lines."""
    if not (isinstance(content, dict) and "file_path" in content):
        return content
    remarks = [content["problem"]] if "problem" in content else []
    remarks += ["missing"] if content.get("missing") else []
    for key, what in (("lines_added", "added"), ("lines_modified", "modified")):
        if content.get(key):
            remarks.append(f"{plural(content[key], 'line')} {what}")
    return f"{content['file_path']} ({', '.join(remarks)})" if remarks else content["file_path"]


def cell(value: Any, name: str = "") -> str:
    """One value as people read it; ``name`` is its column."""
    if name in _SHARES and isinstance(value, int | float):
        return f"{value:.0%}" if name != "difference" else f"{value:+.1%}"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return str(value) if name in _LABELS else f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.4g}"
    if value is None or value == [] or value == {}:
        return ""
    if isinstance(value, list | tuple):
        return (" to " if name == "band" else ", ").join(cell(each) for each in value)
    if isinstance(value, dict):
        return ", ".join(f"{cell(key)}: {cell(each)}" for key, each in value.items())
    is_time = name == "at" or name.endswith("_at")
    text = local_time(str(value), seconds=name == "at") if is_time else str(value)
    return printable(" ".join(text.split()))


_SHARES = {"success_share", "success_share_without", "difference", "saved_share"}
_LABELS = {"output_id", "position", "seq", "phase"}
"""Numbers that name something: nobody wants thousands marks in them."""

_HEADINGS = {
    "execution_id": "execution",
    "session_id": "session",
    "bundle_id": "bundle",
    "output_id": "output",
    "agent_type": "agent",
    "output_type": "type",
    "context_type": "type",
    "context_source": "source",
    "context_token_count": "tokens",
    "token_count": "tokens",
    "if_shared_is_read_tokens": "with shared texts",
    "created_at": "created",
    "deployed_at": "deployed",
    "completed_at": "completed",
    "latest_at": "latest at",
    "success_share": "share",
    "success_share_without": "share without",
    "n_priced": "cost known",
    "tokens_given": "given",
    "tokens_used": "used",
    "deliverables": "delivered",
    "deliverables_existing": "existing",
    "validations_passed": "passed",
    "validations_failed": "failed",
    "position": "n",
}
"""What tables call a column where its own name is longer than what stands under it."""


def heading(name: str) -> str:
    """What people see a column called."""
    return _HEADINGS.get(name, name.replace("_", " "))


def _is_number(value: Any) -> bool:
    return value is None or (isinstance(value, int | float) and not isinstance(value, bool))


def _print_json_array(rows: Iterable[Row]) -> None:
    """Print one array, as if all of it had been written at once."""
    before = "["
    for row in rows:
        text = _json(row, indent=2).replace("\n", "\n  ")
        print(f"{before}\n  {text}", end="")
        before = ","
    print("[]" if before == "[" else "\n]")


def _print_csv(rows: Iterable[Row]) -> None:
    import csv

    writer = None
    for row in rows:
        if writer is None:
            writer = csv.DictWriter(sys.stdout, list(row), lineterminator="\n")
            writer.writeheader()
        writer.writerow(
            {n: _json(v) if isinstance(v, list | dict | tuple) else v for n, v in row.items()}
        )


_BLOCK = 200
"""Rows of a table that are in memory at once."""


class _Table:
    """A table of the columns that hold anything; on a narrow terminal one value a line.

    It is printed block by block. The first one says which columns there are and how wide; a later
    one that needs another is printed under its own headings.
    """

    def __init__(self, columns: Sequence[str], form: str) -> None:
        self._names = list(columns)
        self._form = form
        self.is_empty = True
        self._shown: list[str] = []
        self._widths: dict[str, int] = {}

    def print_block(self, rows: list[Row]) -> None:
        names = self._names or list(rows[0])
        table = {name: [cell(row.get(name), name) for row in rows] for name in names}
        shown = [name for name in names if name in self._shown or any(table[name])]
        headings = [heading(name) for name in shown]
        lines = list(zip(*(table[name] for name in shown), strict=True))
        for name, title in zip(shown, headings, strict=True):
            widest = max(map(len, (title, *table[name])))
            self._widths[name] = max(widest, self._widths.get(name, 0))
        widths = [self._widths[name] for name in shown]
        numeric = [all(_is_number(row.get(name)) for row in rows) for name in shown]
        is_new, is_first = shown != self._shown, self.is_empty
        self._shown, self.is_empty = shown, False
        if self._form == "markdown":
            if is_new and not is_first:
                print()
            _print_markdown(shown if is_new else [], lines)
        elif not sys.stdout.isatty():
            _print_plain([tuple(headings), *lines] if is_new else lines, widths, numeric)
        elif sum(_least(width) + 2 for width in widths) - 2 > _terminal_width():
            _print_records(headings, lines, is_first=is_first)
        else:
            _print_fitted(headings, lines, widths, numeric, is_headed=is_new)


_NARROW = 20
"""Columns up to this width are never broken: ids, times, agent types."""


def _terminal_width() -> int:
    from shutil import get_terminal_size  # brings three compression libraries along

    return get_terminal_size().columns


def _least(width: int) -> int:
    """The columns of a terminal that a column of a table cannot do without."""
    return width if width <= _NARROW else 10


def _print_markdown(names: list[str], lines: list[tuple[str, ...]]) -> None:
    if names:
        print(f"| {' | '.join(names)} |")
        print(f"|{'---|' * len(names)}")
    for line in lines:
        print(f"| {' | '.join(text.replace('|', chr(92) + '|') for text in line)} |")


def _print_plain(lines: list[tuple[str, ...]], widths: list[int], numeric: list[bool]) -> None:
    for line in lines:
        padded = (
            text.rjust(width) if is_number else text.ljust(width)
            for text, width, is_number in zip(line, widths, numeric, strict=True)
        )
        print("  ".join(padded).rstrip())


def _print_records(headings: list[str], lines: list[tuple[str, ...]], *, is_first: bool) -> None:
    from textwrap import wrap

    width = max(map(len, headings))
    room = max(10, _terminal_width() - width - 2)
    for number, line in enumerate(lines):
        if number or not is_first:
            print()
        for title, text in zip(headings, line, strict=True):
            for part in wrap(text, room):
                print(f"{title:<{width}}  {part}")
                title = ""


def _print_fitted(
    headings: list[str],
    lines: list[tuple[str, ...]],
    widths: list[int],
    numeric: list[bool],
    *,
    is_headed: bool,
) -> None:
    """On a terminal Rich breaks the wide columns so that all of them fit."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold", show_header=is_headed)
    for title, width, is_number in zip(headings, widths, numeric, strict=True):
        table.add_column(
            title,
            justify="right" if is_number else "left",
            no_wrap=width <= _NARROW,
            overflow="fold",
        )
    for line in lines:
        table.add_row(*map(Text, line))
    Console(file=own_codes(sys.stdout)).print(table)
