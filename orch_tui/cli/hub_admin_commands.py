"""Commands of whoever keeps a hub: make it, bring it up to date, check it."""

from __future__ import annotations

import argparse
from argparse import Namespace
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from orch_tui.cli.answers import add_answer_format, print_answer
from orch_tui.cli.hub_commands import add_schema
from orch_tui.cli.parser import Parser
from orch_tui.cli.printing import NO, add_format, as_row, print_rows, say
from orch_tui.wording import plural

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
    from orch_tui.hub.service import asking, connect_to_service, find_service

    service = find_service(arguments.service, insecure=arguments.insecure)
    with asking(service), closing(connect_to_service(service, arguments.schema)) as connection:
        yield connection, service.place
