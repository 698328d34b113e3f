"""What the owner of a hub does: make its tables, its months and its roles.

Nobody else changes the schema, and no push does: a change of a table waits for all who read it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, LiteralString

from orch_tui.assets import asset
from orch_tui.errors import HubError
from orch_tui.frozen import frozen
from orch_tui.hub.service import quoted_name, role_names
from orch_tui.models.values import HUB_VERSION

if TYPE_CHECKING:
    from psycopg import Connection

MONTHS_BACK = 12
MONTHS_AHEAD = 12
"""How many months of the search are kept ready."""


OLDEST_POSTGRES = 15

MIGRATIONS: Mapping[int, str] = {}
"""By the version that a hub is of: the script that makes the next one of it."""


def make_hub(connection: Connection[Any], schema: str, now: datetime) -> None:
    """Make the tables, months and roles of a hub, in one transaction.

    Raises:
        HubError: there is one already, the server is too old, or this is not for this person.
    """
    from psycopg import errors

    _check_server(connection)
    try:
        with connection.transaction():
            _ensure_empty_schema(connection, schema)
            _use_schema(connection, schema)
            connection.execute(_script("hub.schema.sql"))
            make_months(connection, now)
            for role in role_names(schema):
                _ensure_role(connection, role)
            grant_privileges(connection, schema)
    except errors.InsufficientPrivilege as error:
        reader, pusher = map(quoted_name, role_names(schema))
        raise HubError(
            f"{connection.info.user} may not make a hub in {connection.info.dbname}: {error}",
            hint=f"own the database, and have CREATEROLE, or {reader} and {pusher} made for you: "
            "docs/team.md",
        ) from None


def _ensure_empty_schema(connection: Connection[Any], schema: str) -> None:
    """Make a schema, where who keeps the server has not made it; nothing else may be in it."""
    from psycopg import sql

    row = connection.execute(
        "SELECT EXISTS (SELECT 1 FROM pg_class WHERE relnamespace = n.oid) "
        "FROM pg_namespace n WHERE nspname = %s",
        [schema],
    ).fetchone()
    if row is None:
        connection.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(schema)))
    elif row[0]:
        raise HubError(
            f"there are tables in schema {schema} of {connection.info.dbname} already",
            hint="orch hub admin migrate brings a hub up to date; --schema names another",
        )


def _check_server(connection: Connection[Any]) -> None:
    number = connection.info.server_version // 10_000
    if number < OLDEST_POSTGRES:
        raise HubError(f"the server is PostgreSQL {number}; a hub needs {OLDEST_POSTGRES} or newer")
    encoding = _value(connection, "SHOW server_encoding")
    if encoding != "UTF8":
        raise HubError(
            f"the database {connection.info.dbname} is encoded in {encoding}; a hub needs UTF8",
            hint="createdb -E UTF8 -T template0 NAME makes one",
        )


@frozen
class Migration:
    """What was done to bring a hub up to date."""

    version_before: int
    version: int
    months: tuple[str, ...]
    """The months of the search that were made."""


def migrate_hub(connection: Connection[Any], schema: str, now: datetime) -> Migration:
    """Bring the schema of a hub up to date: its tables, its months, who may do what.

    All of it or nothing; where a table is in use for five seconds, it gives up.

    Raises:
        HubError: there is no hub, it is newer than this orch, or belongs to somebody else.
    """
    check_owner(connection, schema)
    with connection.transaction():
        before = int(_value(connection, "SELECT version FROM hub FOR UPDATE"))
        if before > HUB_VERSION:
            from orch_tui.processes import upgrade_command

            raise HubError(
                f"the hub is of version {before}, this orch knows {HUB_VERSION}",
                hint=upgrade_command(),
            )
        for version in range(before, HUB_VERSION):
            connection.execute(_script(MIGRATIONS[version]))
        if before < HUB_VERSION:
            connection.execute("UPDATE hub SET version = %s", [HUB_VERSION])
        months = make_months(connection, now)
        grant_privileges(connection, schema)
    return Migration(before, HUB_VERSION, tuple(months))


def check_owner(connection: Connection[Any], schema: str) -> None:
    """Refuse who does not own the hub, which must be there."""
    row = connection.execute(
        "SELECT nspowner::regrole::text, pg_has_role(nspowner, 'MEMBER'), "
        "EXISTS (SELECT 1 FROM pg_class WHERE relnamespace = n.oid AND relname = 'hub') "
        "FROM pg_namespace n WHERE nspname = %s",
        [schema],
    ).fetchone()
    where = f"schema {schema} of {connection.info.dbname}"
    if row is None or not row[2]:
        raise HubError(f"there is no hub in {where}", hint="orch hub admin init makes one")
    if not row[1]:
        raise HubError(
            f"the hub in {where} belongs to {row[0]}; {connection.info.user} may not change it",
            hint=f"connect as {row[0]}",
        )


def let_in(connection: Connection[Any], schema: str, person: str) -> None:
    """Make a role for a person who reads and pushes, where there is none of that name."""
    from psycopg import sql

    if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [person]).fetchone():
        connection.execute(sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(person)))
    connection.execute(
        sql.SQL("GRANT {}, {} TO {}").format(*map(sql.Identifier, (*role_names(schema), person)))
    )


def grant_privileges(connection: Connection[Any], schema: str) -> None:
    """Give the roles of a hub what they may do, and what does for them what they may not."""
    from psycopg import sql

    reader, pusher = role_names(schema)
    connection.execute(
        sql.SQL("GRANT USAGE ON SCHEMA {} TO {}, {}").format(
            *map(sql.Identifier, (schema, reader, pusher))
        )
    )
    names = {
        "orch_reader": sql.Identifier(reader).as_string(connection),
        "'orch_reader'": sql.Literal(reader).as_string(connection),
        "orch_pusher": sql.Identifier(pusher).as_string(connection),
    }
    with connection.transaction():
        # functions keep this path: what a person puts into pg_temp must not stand before it
        connection.execute(
            sql.SQL("SET LOCAL search_path TO {}, pg_temp").format(sql.Identifier(schema))
        )
        for script in ("hub.functions.sql", "hub.privileges.sql"):
            named = re.sub(
                r"'orch_reader'|orch_reader|orch_pusher",
                lambda found: names[found[0]],
                asset(script).read_text("utf-8"),
            )
            connection.execute(named.encode())


def make_months(connection: Connection[Any], now: datetime) -> list[str]:
    """Make the months of the search around a time that are not there yet; gives their names.

    What was put into ``search_other`` meanwhile moves into its month.
    """
    made = []
    this = now.astimezone(UTC)
    number = this.year * 12 + this.month - 1
    held = list_months(connection)
    for month in range(number - MONTHS_BACK, number + MONTHS_AHEAD + 1):
        name = f"search_{month // 12}{month % 12 + 1:02}"
        if name not in held:
            _make_month(connection, name, _first_day(month), _first_day(month + 1))
            made.append(name)
    return made


def list_months(connection: Connection[Any]) -> set[str]:
    """List the parts of the search by name: ``search_202611``, and ``search_other``."""
    return {
        str(name)
        for (name,) in connection.execute(
            "SELECT relname FROM pg_inherits JOIN pg_class ON oid = inhrelid "
            "WHERE inhparent = 'search'::regclass"
        )
    }


def _make_month(connection: Connection[Any], name: str, start: str, end: str) -> None:
    with connection.transaction():
        connection.execute(
            f"CREATE TABLE {name} (LIKE search INCLUDING DEFAULTS INCLUDING CONSTRAINTS "
            "INCLUDING STORAGE INCLUDING COMPRESSION)".encode()
        )
        connection.execute(
            f"WITH moved AS (DELETE FROM search_other WHERE at >= '{start}' AND at < '{end}' "
            f"RETURNING run_id, at, words, archived) INSERT INTO {name} "
            "(run_id, at, words, archived) SELECT run_id, at, words, archived FROM moved".encode()
        )
        connection.execute(
            f"ALTER TABLE search ATTACH PARTITION {name} "
            f"FOR VALUES FROM ('{start}') TO ('{end}')".encode()
        )


def _first_day(month: int) -> str:
    return f"{month // 12:04}-{month % 12 + 1:02}-01 00:00:00+00"


def _use_schema(connection: Connection[Any], schema: str) -> None:
    from psycopg import sql

    connection.execute(sql.SQL("SET search_path TO {}").format(sql.Identifier(schema)))


def _value(connection: Connection[Any], query: LiteralString) -> Any:
    row = connection.execute(query).fetchone()
    return row[0] if row else None


def _ensure_role(connection: Connection[Any], role: str) -> None:
    from psycopg import sql

    if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role]).fetchone():
        connection.execute(sql.SQL("CREATE ROLE {} NOLOGIN").format(sql.Identifier(role)))


def _script(name: str) -> bytes:
    return asset(name).read_bytes()
