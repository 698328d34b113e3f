"""What a shell is offered for the word that is typed: commands, options, and what is recorded.

Only the parser of the command in the line is built, and the record is read as plain SQL: an answer
comes before the next key.
"""

from __future__ import annotations

import argparse
import os
import sqlite3
import time
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import fields
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from orch_tui.errors import RecordError
from orch_tui.models.database import check_place, uri_to_look_at
from orch_tui.models.values import OUTPUT_TYPES, STATES, STATUSES

_PATIENCE = 0.1
"""Seconds in which a record has to answer."""
MOST = 200
"""Offered of the record, the newest first."""

_IDS = {
    "session": "SELECT session_id FROM sessions WHERE archived_at IS NULL ORDER BY created_at DESC",
    "execution": "SELECT execution_id FROM agent_executions WHERE retracted_at IS NULL "
    "ORDER BY coalesce(deployed_at, completed_at) DESC",
    "bundle": "SELECT bundle_id FROM bundles ORDER BY rowid DESC",
    "agent": "SELECT DISTINCT agent_type FROM agent_executions WHERE retracted_at IS NULL "
    "ORDER BY agent_type",
}
_KIND_OF: dict[str, tuple[str, ...]] = {
    "--session-id": ("session",),
    "--execution-id": ("execution",),
    "--from": ("execution",),
    "EXECUTION": ("execution",),
    "--context-bundle": ("bundle",),
    "--bundle": ("bundle",),
    "--bundles": ("bundle",),
    "--bundle-id": ("bundle",),
    "BUNDLE": ("bundle",),
    "--agent-type": ("agent",),
    "--agent-types": ("agent",),
    "--model": ("model",),
    "--status": ("status",),
    "--output-type": ("output_type",),
    "--error-code": ("error_code",),
    "BOOL": ("boolean",),
    "SETTING": ("setting",),
}
"""What an argument takes, by its option or by what the help calls it."""
_OF_COMMAND: dict[str, tuple[str, ...]] = {"use": ("session",), "retract": ("execution", "bundle")}
"""What ``ID`` is, where it stands alone."""
_FILES = {"FILE", "DIR", "PATH", "SOURCE", "FILE#NAME"}
"""What the help calls arguments that take files: of others that nothing is known for, the shell
would offer files, too."""


Offered = tuple[str, str, Callable[[], argparse.ArgumentParser]]
"""A command: its name, its summary and what builds its parser."""


def answer_shell(commands: Iterable[Offered]) -> None:
    """Answer the shell's question in the environment, and exit."""
    import argcomplete

    words = os.environ.get("COMP_LINE", "")[: int(os.environ.get("COMP_POINT") or 0)].split()
    whole = argparse.ArgumentParser(prog="orch")
    listed: dict[str, Any] = {"": whole.add_subparsers()}
    for name, summary, build in commands:
        group, _, last = name.rpartition(" ")
        is_typed = f" {name} " in f" {' '.join(words[1:])} "
        parents = [with_completers(build(), name)] if is_typed else []
        _open_group(listed, group).add_parser(last, help=summary, parents=parents, add_help=False)
    argcomplete.autocomplete(whole)


def _open_group(listed: dict[str, Any], name: str) -> Any:
    """Get what the commands of a group (``hub``, ``hub admin``) are added to."""
    if name not in listed:
        outer, _, last = name.rpartition(" ")
        group = _open_group(listed, outer).add_parser(last, help=f"{name} ...", add_help=False)
        listed[name] = group.add_subparsers()
    return listed[name]


def with_completers(parser: argparse.ArgumentParser, command: str) -> argparse.ArgumentParser:
    """Have each argument of a command offer its words: those that are known, or none."""
    for action in parser._actions:
        names = [*action.option_strings, str(action.metavar).removesuffix(",...")]
        kinds = next((_KIND_OF[name] for name in names if name in _KIND_OF), ())
        if not action.option_strings and action.metavar == "ID":
            kinds = _OF_COMMAND.get(command, ())
        if "--fields" in names:
            kinds = (f"fields of {command}",)
        if action.choices is not None or action.nargs == 0:
            continue  # argcomplete offers what there is to choose from
        if kinds or not _FILES & {*names}:
            action.completer = partial(_offer, kinds)  # type: ignore[attr-defined]
    return parser


def _offer(
    kinds: tuple[str, ...], prefix: str, parsed_args: argparse.Namespace, **_: Any
) -> list[str]:
    """Offer the words of some kinds that begin so; behind a comma, for the last of a list."""
    before, comma, last = prefix.rpartition(",")
    words: list[str] = []
    for kind in kinds:
        words += islice(
            (word for word in _list_words(kind, parsed_args) if word.startswith(last)), MOST
        )
    return [f"{before}{comma}{word}" for word in words]


def _list_words(kind: str, arguments: argparse.Namespace) -> Iterable[str]:
    from orch_tui import paths

    if kind in _FIXED:
        return _FIXED[kind](arguments)
    root = paths.project_root()
    from orch_tui.config import load

    config = load(root, lambda error: None)
    if kind == "model":
        from orch_tui.prepare.catalogue import load_catalogue

        models = load_catalogue(config.models).models
        return [*(alias for model in models.values() for alias in model.aliases), *models]
    given = getattr(arguments, "db", None)
    recorded = read_recorded_ids(
        kind, paths.database_path(root, given=given, configured=config.database)
    )
    if kind != "agent":
        return recorded
    from orch_tui.prepare.agent_types import list_agent_types

    return sorted({*list_agent_types(Path(root)), *recorded})


def _list_statuses(arguments: argparse.Namespace) -> Iterable[str]:
    return STATUSES if getattr(arguments, "sessions", False) else STATES


def _list_error_codes(_: argparse.Namespace) -> Iterable[str]:
    from orch_tui.rows import ERROR_CODES

    return ERROR_CODES


def _list_settings(_: argparse.Namespace) -> Iterable[str]:
    from orch_tui.config import DEFAULTS

    return [field.name for field in fields(DEFAULTS) if field.name != "origins"]


def _list_run_fields(arguments: argparse.Namespace) -> Iterable[str]:
    from orch_tui.rows import ExecutionFacts, Session

    return _names(Session if getattr(arguments, "sessions", False) else ExecutionFacts)


def _list_output_fields(_: argparse.Namespace) -> Iterable[str]:
    from orch_tui.rows import Output

    return _names(Output)


def _list_hit_fields(_: argparse.Namespace) -> Iterable[str]:
    from orch_tui.search.query import HIT_COLUMNS

    return HIT_COLUMNS


def _list_bundle_fields(_: argparse.Namespace) -> Iterable[str]:
    from orch_tui.record.library import BundleLine

    return _names(BundleLine)


def _names(fact: Any) -> list[str]:
    return [field.name for field in fields(fact)]


_FIXED: dict[str, Callable[[argparse.Namespace], Iterable[str]]] = {
    "status": _list_statuses,
    "output_type": lambda _: OUTPUT_TYPES,
    "error_code": _list_error_codes,
    "boolean": lambda _: ("true", "false"),
    "setting": _list_settings,
    "fields of query": _list_run_fields,
    "fields of outputs": _list_output_fields,
    "fields of history": _list_hit_fields,
    "fields of bundles": _list_bundle_fields,
}
"""Words that no record has to be asked for."""


def read_recorded_ids(kind: str, database: str) -> list[str]:
    """Read ids of a record, without waiting for anybody and without making a file.

    A cloned repository may have brought it: what is no table is not read (a view may compute for
    ever), and after a moment nothing more is.
    """
    try:
        check_place(Path(database))
        uri = uri_to_look_at(Path(os.path.realpath(database)))
        with closing(sqlite3.connect(uri, uri=True, timeout=0.05)) as connection:
            connection.execute("PRAGMA trusted_schema = OFF")
            last = time.monotonic() + _PATIENCE
            connection.set_progress_handler(lambda: time.monotonic() > last, 10_000)
            table = _IDS[kind].split(" FROM ")[1].split()[0]
            is_table = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?"
            if not connection.execute(is_table, [table]).fetchone():
                return []
            rows = connection.execute(f"{_IDS[kind]} LIMIT 5000").fetchall()
    except (sqlite3.Error, ValueError, RecordError):
        return []
    return [row[0] for row in rows if isinstance(row[0], str) and row[0].isprintable()]
