"""Printing lists and documents: tables for people, JSON, JSON lines, CSV or Markdown for others."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import fields, is_dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

from orch_tui.errors import SourceError, UsageError

FORMATS = ("table", "json", "jsonl", "csv", "markdown")

Row = Mapping[str, Any]


def add_format(parser: argparse.ArgumentParser, *, default: str = "table") -> None:
    """``--format``, for commands that list."""
    parser.add_argument("--format", choices=FORMATS, default=default, help="default: %(default)s")


def as_row(fact: Any) -> dict[str, Any]:
    """A frozen dataclass as a row by column name."""
    if not is_dataclass(fact):
        return dict(fact)
    return {f.name: getattr(fact, f.name) for f in fields(fact)}


def print_rows(
    rows: Iterable[Row], form: str, *, columns: Sequence[str] = (), empty: str = ""
) -> None:
    """Print a list. ``columns`` are those a table shows; the other formats give them all.

    An empty list in a table says ``empty`` on standard error: what to do next.
    """
    if form == "jsonl":
        for row in rows:
            print(_json(row))
        return
    listed = list(rows)
    if form == "json":
        print(_json(listed, indent=2))
    elif form == "csv":
        _print_csv(listed)
    elif not listed:
        print(empty or "nothing found", file=sys.stderr)
    else:
        names = list(columns) or list(listed[0])
        cells = [[_cell(row.get(name), name) for name in names] for row in listed]
        (_print_markdown if form == "markdown" else _print_table)(names, cells)


def print_json(value: Any) -> None:
    """Print one JSON document."""
    print(_json(value, indent=2))


def say(*lines: str) -> None:
    """Narration, on standard error."""
    for line in lines:
        print(printable(line), file=sys.stderr)


def printable(text: str, *, lines: bool = False) -> str:
    """Text from anywhere, made harmless for a terminal: no escape codes, no direction changes.

    What is not printable is shown as its escape; ``lines`` keeps newlines and tabs.
    """
    kept = "\n\t" if lines else ""
    return "".join(
        c if c.isprintable() or c in kept else c.encode("unicode_escape").decode() for c in text
    )


def write_text(path: str, text: str | bytes) -> None:
    """Write a file as a whole or not at all; ``-`` is standard output.

    Raises:
        SourceError: it cannot be written there.
    """
    data = text.encode("utf-8", "surrogateescape") if isinstance(text, str) else text
    if path == "-":
        sys.stdout.flush()
        sys.stdout.buffer.write(data)
        return
    with _whole_file(path) as file:
        file.write(data)


def write_lines(path: str, rows: Iterable[Row]) -> None:
    """Write JSON lines as they come; a file is there as a whole or not at all."""
    if path == "-":
        for row in rows:
            print(_json(row))
        return
    with _whole_file(path) as file:
        for row in rows:
            file.write(_json(row).encode() + b"\n")


@contextmanager
def _whole_file(path: str) -> Iterator[BinaryIO]:
    """A file to write that takes its name only when it is complete.

    Raises:
        SourceError: it cannot be written there.
    """
    target = Path(path)
    unfinished = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with unfinished.open("wb") as file:
            yield file
        os.replace(unfinished, target)
    except OSError as error:
        raise SourceError(path, f"cannot be written: {error.strerror}") from error
    finally:
        unfinished.unlink(missing_ok=True)


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
            print(f"\r{count:,} {what}", end="", file=sys.stderr, flush=True)
    print(f"\r{count:,} {what}", file=sys.stderr)


def read_bytes(path: str) -> bytes:
    """A file given on the command line; ``-`` is standard input.

    Raises:
        SourceError: it cannot be read.
    """
    if path == "-":
        return sys.stdin.buffer.read()
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise SourceError(path, f"cannot be read: {error.strerror}") from error


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
    return number


def boolean(text: str) -> bool:
    """An argparse type: true or false in any of the usual spellings."""
    known = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
    if text.lower() not in known:
        raise argparse.ArgumentTypeError(f"{text!r} is neither true nor false")
    return known[text.lower()]


def json_object(text: str) -> dict[str, Any]:
    """A JSON object given on the command line.

    Raises:
        UsageError: it is none.
    """
    try:
        value = json.loads(text)
    except ValueError as error:
        raise UsageError(f"{text!r} is not JSON: {error}") from error
    if not isinstance(value, dict):
        raise UsageError(f"{text!r} is not a JSON object", hint='{"name": "value"}')
    return value


def _json(value: Any, indent: int | None = None) -> str:
    text = json.dumps(value, ensure_ascii=False, indent=indent, default=as_row)
    try:
        text.encode()
    except UnicodeEncodeError:  # lone surrogates can only be escaped
        text = json.dumps(value, indent=indent, default=as_row)
    return text


def local_time(value: str) -> str:
    """A time of the record as people read it: local, to the minute."""
    try:
        return f"{datetime.fromisoformat(value).astimezone():%Y-%m-%d %H:%M}"
    except ValueError:  # raw SQL may have put anything there
        return value


def _cell(value: Any, name: str = "") -> str:
    if value is None:
        return ""
    if name.endswith("_at") and isinstance(value, str):
        return local_time(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.4g}"
    if isinstance(value, list | dict | tuple):
        return _json(value)
    return printable(" ".join(str(value).split()))


def _print_csv(rows: list[Row]) -> None:
    import csv

    writer = csv.DictWriter(sys.stdout, list(rows[0]) if rows else [], lineterminator="\n")
    if rows:
        writer.writeheader()
    for row in rows:
        writer.writerow({n: _json(v) if isinstance(v, list | dict) else v for n, v in row.items()})


def _print_markdown(names: list[str], cells: list[list[str]]) -> None:
    print(f"| {' | '.join(names)} |")
    print(f"|{'---|' * len(names)}")
    for line in cells:
        print(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |")


def _print_table(names: list[str], cells: list[list[str]]) -> None:
    """Rich on a terminal, where it fits columns to the width; plain columns elsewhere."""
    if sys.stdout.isatty():
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text

        table = Table(*names, box=None, pad_edge=False, header_style="bold")
        for line in cells:
            table.add_row(*(Text(cell) for cell in line))
        Console().print(table)
        return
    widths = [max(map(len, column)) for column in zip(names, *cells, strict=True)]
    for line in (names, *cells):
        padded = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        print("  ".join(padded).rstrip())
