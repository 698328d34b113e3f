"""Commands of whoever keeps a hub: make it, bring it up to date, check it, keep secrets out of it,
forget."""

from __future__ import annotations

import argparse
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from orch_tui.cli.answers import add_answer_format, print_answer
from orch_tui.cli.hub_commands import add_schema
from orch_tui.cli.parser import Parser, project_of
from orch_tui.cli.printing import NO, add_format, as_row, print_rows, say
from orch_tui.wording import plural, word_size

if TYPE_CHECKING:
    from psycopg import Connection


def hub_admin_init() -> argparse.ArgumentParser:
    parser = _parser(
        "hub admin init",
        remarks="In a database that is there, as its owner: a schema with the tables of a hub,\n"
        "and two roles, SCHEMA_reader and SCHEMA_pusher. GRANT gives them to people.",
        example="""
orch hub admin init team-owner
psql service=team-owner -c 'GRANT orch_reader, orch_pusher TO ann'""",
    )
    add_answer_format(parser)
    parser.set_defaults(run=_init)
    return parser


def _init(arguments: Namespace) -> None:
    from orch_tui.hub.administration import make_hub
    from orch_tui.hub.service import quoted_name, role_names

    with _connected(arguments) as (connection, place):
        make_hub(connection, arguments.schema, datetime.now(UTC))
    reader, pusher = role_names(arguments.schema)
    say(f"people are let in by: GRANT {quoted_name(reader)}, {quoted_name(pusher)} TO NAME")
    print_answer(
        arguments,
        f"made a hub in schema {arguments.schema} of {place}",
        place=place,
        schema=arguments.schema,
        roles=[reader, pusher],
    )


def hub_admin_migrate() -> argparse.ArgumentParser:
    parser = _parser(
        "hub admin migrate",
        remarks="Tables, the months of the search ahead, and who may do what; as its owner.\n"
        "Run it after an upgrade of orch, and once a year: no push changes a table.",
        example="orch hub admin migrate team-owner",
    )
    add_answer_format(parser)
    parser.set_defaults(run=_migrate)
    return parser


def _migrate(arguments: Namespace) -> None:
    from orch_tui.hub.administration import migrate_hub

    with _connected(arguments) as (connection, place):
        done = migrate_hub(connection, arguments.schema, datetime.now(UTC))
    made = plural(len(done.months), "month")
    print_answer(
        arguments,
        f"the hub at {place} is of version {done.version}; {made} of the search made",
        place=place,
        schema=arguments.schema,
        version_before=done.version_before,
        version=done.version,
        months=list(done.months),
    )


def hub_admin_check() -> argparse.ArgumentParser:
    parser = _parser(
        "hub admin check",
        remarks="As its owner; whole tables are read, which takes minutes in a large hub.",
        example="orch hub admin check team-owner",
    )
    parser.add_argument("--mend", action="store_true", help="mend what can be, then check")
    add_format(parser)
    parser.set_defaults(run=_check)
    return parser


def _check(arguments: Namespace) -> int:
    from orch_tui.hub.hub_checks import examine_hub, mend_hub

    with _connected(arguments) as (connection, _):
        now = datetime.now(UTC)
        if arguments.mend:
            done = mend_hub(connection, arguments.schema, now)
            say(*(done or ["nothing needed mending"]))
        findings = examine_hub(connection, arguments.schema, now)
    print_rows([as_row(finding) for finding in findings], arguments.format)
    return NO if any(finding.level == "problem" for finding in findings) else 0


def hub_admin_held() -> argparse.ArgumentParser:
    parser = Parser(
        "hub admin held",
        remarks="What looks like it holds a secret is not sent: of a text its hash goes alone,\n"
        "of a statement its figures. Told is what it looks like and where; the words are\n"
        "not shown. --allow says that one is none and may go; what is one goes from the\n"
        "record by `orch redact`.",
        example="""
orch hub admin held
orch hub admin held --allow 3f9c01ab22""",
    )
    parser.add_argument("--allow", metavar="NAME", help="send this one after all")
    add_format(parser)
    parser.set_defaults(run=_held)
    return parser


def _held(arguments: Namespace) -> int:
    from orch_tui.hub.held_texts import allow_held, list_held
    from orch_tui.hub.settings import require_settings

    record = project_of(arguments).existing_record
    level = require_settings(record).send
    if arguments.allow:
        allowed = [allow_held(record, level, arguments.allow)]
        say("the next sync sends it")
    else:
        allowed = list_held(record, level)
        say(f"{plural(len(allowed), 'text')} held back")
    rows = [
        {
            "name": each.name,
            "what": each.what,
            "looks_like": "; ".join(map(str, each.secrets)),
            "sha256": each.sha256,
        }
        for each in allowed
    ]
    print_rows(rows, arguments.format)
    return NO if rows and not arguments.allow else 0


def hub_admin_forget() -> argparse.ArgumentParser:
    parser = _parser(
        "hub admin forget",
        remarks="As its owner. The words go, for good, and what nothing else names; the places\n"
        "in the log stay, so that nothing is sent again. Records that fetched it keep it\n"
        "until `orch forget` is run there; backups of the server keep it, too.",
        example="orch hub admin forget team-owner --machine ann-laptop --dry-run",
    )
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--machine", metavar="NAME", help="what this machine sent and nobody else")
    what.add_argument("--before", metavar="WHEN", help="runs deployed before: 2026-01-01, 90d")
    parser.add_argument("--dry-run", action="store_true", help="only say what would go")
    parser.add_argument("--yes", action="store_true", help="do not ask")
    parser.forbid("--yes", "--dry-run")
    add_answer_format(parser)
    parser.set_defaults(run=_forget)
    return parser


def _forget(arguments: Namespace) -> int:
    from orch_tui.cli.consent import act_if_agreed
    from orch_tui.hub.hub_forgetting import forget_on_hub
    from orch_tui.search.dates import parse_time

    before = arguments.before and parse_time(arguments.before, datetime.now(UTC))
    with _connected(arguments) as (connection, place):
        forget = partial(forget_on_hub, connection, machine=arguments.machine, before=before)
        found = forget(dry_run=True)

        def drop() -> None:
            forget()

        room = word_size(found.size)
        if found.statements or found.runs:
            runs, statements = plural(found.runs, "run"), plural(found.statements, "statement")
            say(f"{runs}, {statements} and {plural(found.texts, 'text')} at {place}: {room}")
            question = f"forget them for good ({room})?"
            agreed = act_if_agreed(arguments, question, drop, is_final=True)
        else:
            say(f"there is nothing of that to forget at {place}")
            agreed = True
    is_done = bool(agreed and not arguments.dry_run and found.statements)
    print_answer(arguments, f"{room} forgotten" * is_done, **as_row(found), forgotten=is_done)
    return 0 if agreed else NO


def _parser(name: str, *, remarks: str, example: str) -> Parser:
    parser = Parser(name, remarks=remarks, example=example, has_record=False)
    parser.add_argument(
        "service", metavar="SERVICE", help="an entry of ~/.pg_service.conf, or an address"
    )
    add_schema(parser)
    parser.add_argument(
        "--insecure", action="store_true", help="also a server that does not prove who it is"
    )
    return parser


@contextmanager
def _connected(arguments: Namespace) -> Iterator[tuple[Connection[Any], str]]:
    """The database that was named, and where it is."""
    from orch_tui.hub.service import connected, find_service

    service = find_service(arguments.service, insecure=arguments.insecure)
    with connected(service, arguments.schema) as connection:
        yield connection, service.place
