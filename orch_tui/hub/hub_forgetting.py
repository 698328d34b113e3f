"""Forgetting on the hub: what a machine sent, or what is old, by who keeps the hub.

Texts and words go; the place of each statement in the log stays, so that nothing is sent again.
Records that have fetched it keep it: their owners forget with `orch forget`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orch_tui.errors import NotFoundError, UsageError
from orch_tui.frozen import frozen

if TYPE_CHECKING:
    from psycopg import Connection


@frozen
class ForgottenOnHub:
    """What went, or would go."""

    runs: int
    statements: int
    texts: int
    """Contents and briefings that nothing names any more."""
    size: int
    """Bytes of what went, as the hub held it."""


def forget_on_hub(
    connection: Connection[Any],
    *,
    machine: str | None = None,
    before: str | None = None,
    dry_run: bool = False,
) -> ForgottenOnHub:
    """Forget what a machine sent and nobody else did, or the runs that were deployed before a time.

    Raises:
        UsageError: neither is given.
        NotFoundError: no such machine.
    """
    if machine is None and before is None:
        raise UsageError("nothing says what to forget", hint="--machine NAME, or --before DATE")
    names = [str(name) for (name,) in connection.execute("SELECT name FROM origins ORDER BY name")]
    if machine is not None and machine not in names:
        raise NotFoundError("machine", machine, names)
    with connection.transaction(force_rollback=dry_run):
        connection.execute("CREATE TEMP TABLE doomed (recognition BYTEA PRIMARY KEY)")
        connection.execute("CREATE TEMP TABLE doomed_runs (run_id BIGINT PRIMARY KEY)")
        connection.execute(
            "INSERT INTO doomed_runs SELECT run_id FROM runs JOIN origins USING (origin_id) "
            "WHERE (%(machine)s::text IS NULL OR name = %(machine)s) "
            "AND (%(before)s::timestamptz IS NULL OR at < %(before)s)",
            {"machine": machine, "before": before},
        )
        # of a machine all that nobody else said, too; what is old goes by the runs it is about
        connection.execute(
            "INSERT INTO doomed SELECT DISTINCT recognition FROM about "
            "JOIN runs ON key = 'uid:' || uid JOIN doomed_runs USING (run_id) "
            "UNION SELECT log.recognition FROM log JOIN origins USING (origin_id) "
            "WHERE %(before)s::timestamptz IS NULL AND name = %(machine)s",
            {"machine": machine, "before": before},
        )
        if machine is not None:
            connection.execute(
                "DELETE FROM doomed USING log JOIN origins USING (origin_id) "
                "WHERE doomed.recognition = log.recognition AND name <> %s",
                [machine],
            )
        forgotten = _forget_doomed(connection)
        connection.execute("DROP TABLE doomed, doomed_runs")
    return forgotten


def _forget_doomed(connection: Connection[Any]) -> ForgottenOnHub:
    size = _count(
        connection,
        "SELECT coalesce(sum(length(body)), 0) FROM statements JOIN doomed USING (recognition)",
    )
    statements = connection.execute(
        "UPDATE statements SET body = '', redacted = true FROM doomed "
        "WHERE statements.recognition = doomed.recognition AND body <> ''"
    ).rowcount
    connection.execute(
        "DELETE FROM about USING doomed WHERE about.recognition = doomed.recognition"
    )
    connection.execute(
        "DELETE FROM search USING doomed_runs WHERE search.run_id = doomed_runs.run_id"
    )
    runs = connection.execute(
        "DELETE FROM runs USING doomed_runs WHERE runs.run_id = doomed_runs.run_id"
    ).rowcount
    texts = 0
    for table, says in (
        ("briefings", "SELECT body FROM statements"),
        ("contents", "SELECT body FROM statements UNION ALL SELECT parts FROM briefings"),
    ):
        counted = connection.execute(
            f"WITH named AS (SELECT DISTINCT decode(hash_in[1], 'hex') AS sha256 "
            f"FROM ({says}) AS said (words) "
            "CROSS JOIN LATERAL regexp_matches(words, '\"([0-9a-f]{64})\"', 'g') AS hash_in), "
            f"taken AS (DELETE FROM {table} WHERE sha256 NOT IN (SELECT sha256 FROM named) "
            "AND sha256 NOT IN (SELECT digest FROM gone) RETURNING size) "
            "SELECT count(*), coalesce(sum(size), 0) FROM taken".encode()
        ).fetchone()
        texts += int(counted[0]) if counted else 0
        size += int(counted[1]) if counted else 0
    connection.execute(
        "DELETE FROM content_search WHERE sha256 NOT IN "
        "(SELECT sha256 FROM contents WHERE encoding <> 'gone')"
    )
    return ForgottenOnHub(runs, statements, texts, size)


def _count(connection: Connection[Any], query: str) -> int:
    row = connection.execute(query.encode()).fetchone()
    return int(row[0]) if row else 0
