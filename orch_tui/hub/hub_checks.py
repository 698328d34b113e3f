"""Looking through a hub: is the log whole, is what was derived complete, are its months there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from orch_tui.hub.administration import (
    check_owner,
    grant_privileges,
    list_months,
    make_months,
)
from orch_tui.hub.service import role_names
from orch_tui.models.values import HUB_VERSION
from orch_tui.record.upkeep.finding import Finding
from orch_tui.wording import plural

if TYPE_CHECKING:
    from psycopg import Connection

_LEAST_MONTHS = 2
"""Months ahead, below which it is time to make more."""

_SHOWN = 3


def examine_hub(connection: Connection[Any], schema: str, now: datetime) -> list[Finding]:
    """Look at all of a hub, as its owner; whole tables are read.

    Raises:
        HubError: there is no hub, or it belongs to somebody else.
    """
    check_owner(connection, schema)
    checks: tuple[Callable[[Connection[Any]], Iterator[Finding]], ...] = (
        _check_version,
        lambda connection: _check_months(connection, now),
        lambda connection: _check_roles(connection, schema),
        _check_log,
        _check_statements,
        _check_runs,
    )
    with connection.transaction():
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        connection.execute("SET LOCAL statement_timeout = 0")
        return [finding for check in checks for finding in check(connection)]


def mend_hub(connection: Connection[Any], schema: str, now: datetime) -> list[str]:
    """Mend what can be: months, privileges, and derived rows whose run is gone; gives what was
    done. Rows that are not there are derived by the next record that syncs.

    Raises:
        HubError: there is no hub, or it belongs to somebody else.
    """
    check_owner(connection, schema)
    with connection.transaction():
        connection.execute("SET LOCAL statement_timeout = 0")
        done = [f"the month {name} was made" for name in make_months(connection, now)]
        grant_privileges(connection, schema)
        removed = connection.execute(
            "DELETE FROM search WHERE NOT EXISTS "
            "(SELECT 1 FROM runs WHERE runs.run_id = search.run_id AND runs.at = search.at)"
        ).rowcount
    if removed:
        done.append(f"{plural(removed, 'row')} of the search were removed, of no run")
    return done


def _check_version(connection: Connection[Any]) -> Iterator[Finding]:
    version = _number(connection, "SELECT version FROM hub")
    if version < HUB_VERSION:
        yield Finding(
            "problem",
            "version",
            f"the hub is of version {version}, this orch makes {HUB_VERSION}",
            "orch hub admin migrate",
        )
    else:
        yield Finding("ok", "version", f"version {version}")


def _check_months(connection: Connection[Any], now: datetime) -> Iterator[Finding]:
    this = now.astimezone(UTC)
    ahead = [
        name for name in list_months(connection) if f"search_{this:%Y%m}" < name < "search_other"
    ]
    mend = "orch hub admin migrate makes them"
    if len(ahead) < _LEAST_MONTHS:
        yield Finding("problem", "months", f"{plural(len(ahead), 'month')} ahead are made", mend)
    else:
        yield Finding("ok", "months", f"made until {max(ahead).removeprefix('search_')}")
    strays = connection.execute(
        "SELECT count(*) FROM search_other WHERE at BETWEEN %s::timestamptz - interval '1 year' "
        "AND %s::timestamptz + interval '1 month'",
        [now, now],
    ).fetchone()
    if strays and strays[0]:
        yield Finding("problem", "months", f"{plural(strays[0], 'run')} lie in no month", mend)


def _check_roles(connection: Connection[Any], schema: str) -> Iterator[Finding]:
    for role in role_names(schema):
        members = [
            str(name)
            for (name,) in connection.execute(
                "SELECT member::regrole::text FROM pg_auth_members "
                "JOIN pg_roles ON pg_roles.oid = roleid WHERE rolname = %s ORDER BY 1",
                [role],
            )
        ]
        shown = ", ".join(members[:_SHOWN]) + (", ..." if len(members) > _SHOWN else "")
        if members:
            yield Finding("ok", role, f"{plural(len(members), 'role')}: {shown}")
        else:
            yield Finding("warning", role, "nobody has this role", f"GRANT {role} TO somebody")


def _check_log(connection: Connection[Any]) -> Iterator[Finding]:
    broken = connection.execute(
        "SELECT name, last_seq, coalesce(n, 0), coalesce(top, 0) FROM origins LEFT JOIN "
        "(SELECT origin_id, count(*) AS n, max(seq) AS top FROM log GROUP BY 1) AS held "
        "USING (origin_id) WHERE (coalesce(n, 0), coalesce(top, 0)) <> (last_seq, last_seq)"
    ).fetchall()
    for name, last, count, top in broken:
        yield Finding(
            "problem",
            "log",
            f"{name} says it sent {last:,}, and {count:,} are there, up to {top:,}",
            "orch hub sync on that machine; where it is lost: a backup of the hub",
        )
    if not broken:
        origins = _number(connection, "SELECT count(*) FROM origins")
        statements = _number(connection, "SELECT count(*) FROM log")
        yield Finding(
            "ok", "log", f"{plural(statements, 'statement')} of {plural(origins, 'record')}"
        )


def _check_statements(connection: Connection[Any]) -> Iterator[Finding]:
    lost = _number(
        connection,
        "SELECT count(DISTINCT recognition) FROM log WHERE NOT EXISTS "
        "(SELECT 1 FROM statements WHERE statements.recognition = log.recognition)",
    )
    unclaimed = _number(
        connection,
        "SELECT count(*) FROM statements WHERE NOT EXISTS "
        "(SELECT 1 FROM log WHERE log.recognition = statements.recognition)",
    )
    if lost:
        yield Finding("ok", "statements", f"{lost:,} in the log have no body: they were forgotten")
    if unclaimed:
        yield Finding(
            "problem",
            "statements",
            f"{unclaimed:,} stand in nobody's log, so nobody fetches them",
            "a push broke off, or somebody wrote them by hand",
        )
    if not (lost or unclaimed):
        yield Finding("ok", "statements", "each that is in the log is there")


def _check_runs(connection: Connection[Any]) -> Iterator[Finding]:
    for what, query, remedy in (
        (
            "{} cannot be found by any word",
            "SELECT count(*) FROM runs WHERE NOT EXISTS (SELECT 1 FROM search "
            "WHERE search.run_id = runs.run_id AND search.at = runs.at)",
            "orch hub sync of a member derives them anew",
        ),
        (
            "{} stand in the search and are gone",
            "SELECT count(*) FROM search WHERE NOT EXISTS (SELECT 1 FROM runs "
            "WHERE runs.run_id = search.run_id AND runs.at = search.at)",
            "orch hub admin check --mend",
        ),
    ):
        if count := _number(connection, query):
            yield Finding("problem", "runs", what.format(plural(count, "run")), remedy)
            return
    yield Finding("ok", "runs", plural(_number(connection, "SELECT count(*) FROM runs"), "run"))


def _number(connection: Connection[Any], query: str) -> int:
    row = connection.execute(query.encode()).fetchone()
    return int(row[0]) if row else 0
