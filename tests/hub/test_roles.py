"""Who may do what in a hub: by privileges, and by policies on writing alone."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import pytest

from orch_tui.assets import asset

if TYPE_CHECKING:
    from psycopg import Connection

    from tests.hub.conftest import Connect


BODY = '{"said":1}'
DIGEST = hashlib.sha256(BODY.encode()).hexdigest()
STATEMENT = (
    "INSERT INTO statements (recognition, level, digest, kind, at, body) "
    rf"VALUES ('\x%s', 2, '\x{DIGEST}', 'noted', now(), '{BODY}')"
)
RUN = (
    "INSERT INTO runs (uid, origin_id, at, machine, label, agent, made_of, rules{also}) "
    "VALUES ('{uid}', {origin}, '2026-11-22T10:00Z', 'm', 'exec-001', 'a', 'x', 1{value}) "
)
ORIGIN = "INSERT INTO origins (uid, machine, name, client"
MINE = "(SELECT origin_id FROM origins WHERE uid = 'o-{}')"

PRIVILEGE = "permission denied"
POLICY = "violates row-level security policy"

ATTEMPTS: list[tuple[str, str, Any]] = [
    # who, what, and what comes of it: rows changed, rows read, or what PostgreSQL says
    ("ann", f"{ORIGIN}) VALUES ('n', 'm', 'n', '1')", 1),
    ("ci", f"{ORIGIN}) VALUES ('n', 'm', 'n', '1')", 1),
    ("eve", f"{ORIGIN}) VALUES ('n', 'm', 'n', '1')", PRIVILEGE),
    ("ann", f"{ORIGIN}, person) VALUES ('n', 'm', 'n', '1', 'bob')", PRIVILEGE),
    ("ann", "UPDATE origins SET person = 'bob' WHERE uid = 'o-ann'", PRIVILEGE),
    ("ann", "UPDATE origins SET uid = 'o-x' WHERE uid = 'o-ann'", PRIVILEGE),
    ("ci", "SELECT uid FROM origins", [("o-ci",)]),
    ("eve", "SELECT uid FROM origins ORDER BY 1", [("o-ann",), ("o-bob",), ("o-ci",)]),
    ("ann", f"INSERT INTO log VALUES ({MINE.format('ann')}, 9, 'x')", 1),
    ("ci", f"INSERT INTO log VALUES ({MINE.format('ci')}, 9, 'x')", 1),
    ("bob", f"INSERT INTO log VALUES ({MINE.format('ann')}, 9, 'x')", POLICY),
    ("ci", "INSERT INTO log VALUES (1, 9, 'x'), (2, 9, 'x'), (3, 9, 'x')", POLICY),
    ("bob", "UPDATE origins SET last_seq = 99 WHERE uid = 'o-ann'", 0),
    ("ci", "UPDATE origins SET last_seq = 99", 1),
    ("bob", "UPDATE log SET seq = 7", PRIVILEGE),
    ("bob", "DELETE FROM log", PRIVILEGE),
    ("bob", "DELETE FROM origins", PRIVILEGE),
    ("ann", STATEMENT % "0a", 1),
    ("ann", f"{STATEMENT % '01'} ON CONFLICT DO NOTHING", 0),
    ("ci", f"{STATEMENT % '01'} ON CONFLICT DO NOTHING", 0),
    ("ci", f"{STATEMENT % '01'} ON CONFLICT (recognition, level, digest) DO NOTHING", PRIVILEGE),
    (
        "bob",
        f"{STATEMENT % '01'} ON CONFLICT (recognition, level, digest) DO UPDATE SET body = ''",
        PRIVILEGE,
    ),
    ("bob", "UPDATE statements SET body = '{}', redacted = true", PRIVILEGE),
    ("bob", "DELETE FROM statements", PRIVILEGE),
    ("bob", "TRUNCATE statements", PRIVILEGE),
    ("bob", (STATEMENT % "0b").replace(BODY, "{}"), "violates check constraint"),
    (
        "bob",
        "INSERT INTO statements (recognition, level, digest, kind, body, redacted) "
        "VALUES ('x', 1, 'x', 'noted', '{}', true)",
        PRIVILEGE,
    ),
    ("ci", "SELECT * FROM statements", PRIVILEGE),
    ("ci", "SELECT * FROM contents", PRIVILEGE),
    ("ci", "SELECT * FROM log", PRIVILEGE),
    ("ci", "SELECT scope FROM run_texts", PRIVILEGE),
    ("ci", "SELECT words FROM search", PRIVILEGE),
    ("ci", "SELECT agent FROM runs", PRIVILEGE),
    ("ci", "SELECT uid FROM runs", []),
    ("eve", "SELECT uid FROM runs", [("r-ann",)]),
    ("eve", "SELECT key FROM hub_secret", PRIVILEGE),
    ("eve", STATEMENT % "0c", PRIVILEGE),
    ("eve", "INSERT INTO about VALUES ('uid:1', 'x')", PRIVILEGE),
    ("mallory", "SELECT * FROM orch.hub", PRIVILEGE),
    ("mallory", "SELECT * FROM orch.runs", PRIVILEGE),
    ("ann", RUN.format(uid="r", origin=MINE.format("ann"), also="", value=""), 1),
    ("ci", RUN.format(uid="r", origin=MINE.format("ci"), also="", value=""), 1),
    (
        "ann",
        RUN.format(uid="r", origin=MINE.format("ann"), also=", person", value=", 'bob'"),
        PRIVILEGE,
    ),
    ("ann", "UPDATE runs SET person = 'bob'", PRIVILEGE),
    ("bob", "UPDATE runs SET status = 'failed' WHERE uid = 'r-ann'", 1),  # a member mends any
    ("ci", "UPDATE runs SET status = 'failed'", 0),
    ("ci", "DELETE FROM search", 0),
    ("bob", "DELETE FROM runs", PRIVILEGE),
    ("ci", "INSERT INTO contents (sha256, size, encoding, data) VALUES ('x', 1, 'raw', 'x')", 1),
    ("bob", "INSERT INTO contents (sha256, size, encoding) VALUES ('x', 1, 'gone')", POLICY),
    ("bob", "UPDATE contents SET data = 'y'", PRIVILEGE),
    ("bob", "INSERT INTO gone (digest, kind) VALUES ('x', 'content')", PRIVILEGE),
    ("bob", "UPDATE hub SET min_writer = 9", PRIVILEGE),
    ("bob", "CREATE TABLE orch.mine (n int)", PRIVILEGE),
    ("bob", "ALTER TABLE orch.runs ADD COLUMN n int", "must be owner of table runs"),
    ("bob", "DROP POLICY add_own ON log", "must be owner of relation log"),
    ("bob", "SET SESSION AUTHORIZATION ann", PRIVILEGE),
    ("bob", "SET ROLE ann", PRIVILEGE),
    ("bob", "GRANT orch_reader TO mallory", PRIVILEGE),
]  # fmt: skip


@pytest.fixture
def hub(connect: Connect) -> Connect:
    """A hub with a machine of each of three people, a statement, and a run of Ann's."""
    for name in ("ann", "bob", "ci"):
        connect(name).execute(
            "INSERT INTO origins (uid, machine, name, client) VALUES (%s, 'm', %s, '1')",
            [f"o-{name}", name],
        )
    ann = connect("ann")
    ann.execute((STATEMENT % "01").encode())
    ann.execute(RUN.format(uid="r-ann", origin=MINE.format("ann"), also="", value="").encode())
    ann.execute("INSERT INTO search SELECT run_id, at, 'word:1' FROM runs")
    return connect


def outcome(connection: Connection[Any], statement: str) -> Any:
    """What comes of a statement: rows read, the number of rows changed, or what PostgreSQL says."""
    import psycopg

    try:
        with connection.transaction():
            done = connection.execute(statement.encode())
            return done.fetchall() if done.description else done.rowcount
    except psycopg.Error as error:
        return str(error)


def test_what_each_may_and_may_not(hub: Connect) -> None:
    """Each attempt is taken back, so that none is about another."""
    import psycopg

    people = {who: hub(who) for who, _, _ in ATTEMPTS}
    wrong = []
    for who, statement, expected in ATTEMPTS:
        with people[who].transaction() as taken_back:
            came = outcome(people[who], statement)
            is_refused = isinstance(expected, str) and isinstance(came, str)
            if not (expected in came if is_refused else came == expected):
                wrong.append((who, statement, expected, came))
            raise psycopg.Rollback(taken_back)
    assert wrong == []


def test_nothing_is_copied_past_a_policy(hub: Connect) -> None:
    import psycopg

    with (
        pytest.raises(psycopg.Error, match="COPY FROM not supported with row-level security"),
        hub("ci").cursor().copy("COPY log FROM STDIN"),
    ):
        pass


def test_who_only_pushes_writes_its_own_runs_again(hub: Connect) -> None:
    ci = hub("ci")
    row = RUN.format(uid="r-ci", origin=MINE.format("ci"), also="", value="")
    again = f"{row} ON CONFLICT (uid) DO UPDATE SET status = 'completed' WHERE runs.rules <= 1"
    assert [outcome(ci, again), outcome(ci, again)] == [1, 1]
    theirs = again.replace("'r-ci'", "'r-ann'")
    assert POLICY in outcome(ci, theirs)
    assert hub("eve").execute("SELECT uid, status FROM runs ORDER BY 1").fetchall() == [
        ("r-ann", None),
        ("r-ci", "completed"),
    ]


def test_a_function_of_the_owner_is_not_led_astray(hub: Connect) -> None:
    """By a table that a person puts before the hub's own."""
    bob = hub("bob")
    bob.execute("CREATE TEMP TABLE origins AS SELECT 1::bigint AS origin_id, 'bob' AS person")
    told = outcome(bob, "SELECT orch.forget_texts(1, ARRAY['x'::bytea])")
    assert "nobody forgets what others were given" in str(told)


@pytest.mark.parametrize("who", ["ann", "eve"])
def test_a_search_is_answered_by_the_index_of_words(hub: Connect, who: str) -> None:
    """With a policy on reading it never would be: the operator is not leakproof."""
    reader = hub(who)
    reader.execute("SET enable_seqscan = off")
    plan = reader.execute(
        "EXPLAIN SELECT run_id FROM search WHERE words @@ 'word'::tsquery"
    ).fetchall()
    assert any("Index Cond: (words @@ " in line for (line,) in plan), plan
    assert reader.execute("SELECT count(*) FROM search WHERE words @@ 'word'").fetchone() == (1,)


def test_roles_are_of_one_hub(connect: Connect) -> None:
    """Roles are of a whole server: another schema has others, by its name."""
    from orch_tui.hub.administration import make_hub
    from tests.hub.conftest import NOW

    owner = connect()
    make_hub(owner, "Other", NOW)
    assert PRIVILEGE in outcome(connect("ann"), 'SELECT * FROM "Other".runs')
    owner.execute('CREATE ROLE zoe LOGIN IN ROLE "Other_reader"')
    try:
        zoe = connect("zoe")
        assert outcome(zoe, 'SELECT * FROM "Other".runs') == []
        assert PRIVILEGE in outcome(zoe, "SELECT * FROM orch.runs")
        zoe.close()
    finally:
        owner.execute("DROP ROLE zoe")
        owner.execute('DROP SCHEMA "Other" CASCADE; DROP ROLE "Other_reader", "Other_pusher"')


def test_every_table_is_spoken_of() -> None:
    schema, privileges = (
        asset("hub.schema.sql").read_text(),
        asset("hub.privileges.sql").read_text(),
    )
    tables = {line.split()[2] for line in schema.splitlines() if line.startswith("CREATE TABLE")}
    assert {table for table in tables if table not in privileges} == {"search_other"}
