"""What the owner of a hub does: make its tables, its months and its roles.

Nobody else changes the schema, and no push does: a change of a table waits for all who read it.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from orch_tui.assets import asset

if TYPE_CHECKING:
    from psycopg import Connection

MONTHS_BACK = 12
MONTHS_AHEAD = 12
"""How many months of the search are kept ready."""


def role_names(schema: str) -> tuple[str, str]:
    """Name the roles of who reads and of who pushes in the hub of this schema.

    Roles are of all databases of a server: each hub has its own, by its schema.
    """
    return f"{schema}_reader", f"{schema}_pusher"


def make_hub(connection: Connection[Any], schema: str, now: datetime) -> None:
    """Make the tables, months and roles of a hub, in one transaction."""
    from psycopg import sql

    with connection.transaction():
        connection.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(schema)))
        _use_schema(connection, schema)
        connection.execute(_script("hub.schema.sql"))
        make_months(connection, now)
        for role in role_names(schema):
            _ensure_role(connection, role)
        grant_privileges(connection, schema)


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
    held = {
        str(name)
        for (name,) in connection.execute(
            "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'search'::regclass"
        )
    }
    for month in range(number - MONTHS_BACK, number + MONTHS_AHEAD + 1):
        name = f"search_{month // 12}{month % 12 + 1:02}"
        if name not in held and f"{_schema_of(connection)}.{name}" not in held:
            _make_month(connection, name, _first_day(month), _first_day(month + 1))
            made.append(name)
    return made


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


def _schema_of(connection: Connection[Any]) -> str:
    found = connection.execute("SELECT current_schema()").fetchone()
    return str(found[0]) if found else ""


def _ensure_role(connection: Connection[Any], role: str) -> None:
    from psycopg import sql

    if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role]).fetchone():
        connection.execute(sql.SQL("CREATE ROLE {} NOLOGIN").format(sql.Identifier(role)))


def _script(name: str) -> bytes:
    return asset(name).read_bytes()
