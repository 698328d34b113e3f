"""A record of any older shape becomes one of today, whole, or stays as it is."""

from __future__ import annotations

import gzip
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest

from orch_tui.errors import RecordError
from orch_tui.models.creation import schema_script
from orch_tui.models.database import Record
from orch_tui.models.migrations.shapes import columns_of, named, parts_of, version_script
from orch_tui.models.stored_bytes import STORED_BYTES, unpack_bytes, unpack_text
from orch_tui.models.values import SCHEMA_VERSION
from orch_tui.record.executions import list_completions
from orch_tui.record.ledger import briefings, contents
from orch_tui.record.ledger.rebuild import find_stale_executions
from orch_tui.record.ledger.statement import decode_statement, describe_problem, unpack_fields
from orch_tui.record.opening import open_record
from orch_tui.record.upkeep import migrate
from orch_tui.record.upkeep.doctor import examine_record
from orch_tui.record.upkeep.export import export_record
from orch_tui.record.upkeep.finding import Finding
from orch_tui.record.upkeep.restore import restore_export
from orch_tui.search import maintenance
from tests.variants import vary

ROOT = Path(__file__).parents[2]
RECORDS = ROOT / "tests" / "fixtures" / "records"
SHAPES = sorted(path.name.removesuffix(".db.gz") for path in RECORDS.glob("*.db.gz"))
"""Records of schema version 1, as each of its shapes wrote them: people's statements (one that
takes another back), plain SQL that nobody has looked at yet, hooks, transcripts."""

LAST = "version_1.last"
PROPOSAL = "version_0"
"""The four tables of the proposal, as scripts of its readers filled them."""


def stored(name: str, folder: Path) -> Path:
    """A stored record as a file of its own."""
    path = folder / "execution.db"
    if name == PROPOSAL:
        with closing(sqlite3.connect(path)) as raw:
            raw.executescript((RECORDS / "version_0.sql").read_text())
        path.chmod(0o600)
        return path
    path.write_bytes(gzip.decompress((RECORDS / f"{name}.db.gz").read_bytes()))
    path.chmod(0o600)
    return path


@pytest.fixture(params=SHAPES)
def older(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return stored(request.param, tmp_path)


@pytest.fixture(scope="module", params=SHAPES)
def before_and_after(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Path]:
    """A stored record, and the same brought up to date; only to be read."""
    before, after = (stored(request.param, tmp_path_factory.mktemp(name)) for name in "ba")
    open_record(after).close()
    return before, after


@pytest.fixture
def last(tmp_path: Path) -> Path:
    return stored(LAST, tmp_path)


def read(path: Path, statement: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(path)) as database:
        return database.execute(statement).fetchall()


def rows(path: Path, table: str, columns: list[str], *, leave: str = "") -> set[tuple[Any, ...]]:
    condition = f" WHERE NOT ({leave})" if leave else ""
    found = read(path, f"SELECT {', '.join(columns)} FROM {table}{condition}")
    packed = [columns.index(name) for name in ("parts", "state") if name in columns]
    return {
        tuple(unpack_text(v) if n in packed and v else v for n, v in enumerate(row))
        for row in found
    }


CHANGED = {"revision", "sha256", "item_id"}
"""Columns that no reader of rows looks at, or that are bytes now."""

BY_HAND = "execution_id GLOB 'mine-*' OR execution_id = 'exec-002'"
"""The runs that plain SQL touched: what it did is taken in with the step."""

LEFT_OUT = {
    "journal": "action IN ('execution', 'unite', 'collect', 'sql')",
    "execution_keys": "key GLOB 'uid:*'",
    **dict.fromkeys(("agent_executions", "completions"), BY_HAND),
}


@pytest.mark.parametrize(
    "table",
    [
        *("sessions", "agent_executions", "completions", "outputs", "context_allocations"),
        *("execution_keys", "usage_messages", "execution_files", "planned_agents"),
        *("planned_waits", "bundles", "bundle_versions", "bundle_items", "briefings"),
        *("journal", "counters", "import_checkpoints"),
    ],
)
def test_every_row_is_there_as_it_was(before_and_after: tuple[Path, Path], table: str) -> None:
    older, newer = before_and_after
    with closing(sqlite3.connect(older)) as database:
        columns = [name for name in columns_of(database, table) if name not in CHANGED]
    if not columns:
        return  # a table this shape did not have yet
    if table == "agent_executions":
        columns.remove("tool_calls")  # shapes that did not count them count none
    left_out = LEFT_OUT.get(table, "")
    before = rows(older, table, columns, leave=left_out)
    assert rows(newer, table, columns, leave=left_out) >= before
    if table not in ("journal", "completions"):  # numbers of completions are nobody's
        assert rows(newer, table, columns, leave=left_out) == before


def test_every_content_is_there_with_its_bytes(older: Path) -> None:
    columns = "content_id, size, encoding, data"
    before = read(older, f"SELECT {columns} FROM contents ORDER BY content_id")
    open_record(older).close()
    columns = columns.replace("data", STORED_BYTES)
    after = read(older, f"SELECT {columns} FROM contents ORDER BY content_id")
    assert [(*row[:2], unpack_bytes(*row[2:])) for row in after] == [
        (*row[:2], unpack_bytes(*row[2:])) for row in before
    ]
    assert "run" in {row[2] for row in after}


def test_what_plain_sql_did_is_taken_in(older: Path) -> None:
    with open_record(older) as record:
        runs = {row["execution_id"]: row for row in record.rows("SELECT * FROM agent_executions")}
        by_hand = runs["mine-1"]
        assert (by_hand["scope"], by_hand["source"]) == ("By hand, again", "sql")
        assert by_hand["completed_at"] == "2026-11-22T10:00:00.000Z"
        assert by_hand["final_message"] == "Green.\n"
        assert (runs["mine-2"]["status"], runs["mine-2"]["agent_type"]) == ("deployed", "tester")
        assert runs["exec-002"]["success"] == 0
        assert runs["exec-002"]["error_message"] == "Not so"


def test_what_was_taken_back_stays_so(older: Path) -> None:
    with open_record(older) as record:
        (returned,) = list_completions(record, "exec-001")
        assert (contents.get_content_text(record, returned.message_id) or "").startswith(
            "Added rebates."
        )
        assert record.value(
            "SELECT retracted_at FROM agent_executions WHERE execution_id = 'exec-003'"
        )


def list_complaints(path: Path) -> list[Finding]:
    """What the doctor finds, but for runs that never returned: stored records grow old."""
    return [f for f in examine_record(path) if f.level != "ok" and f.what != "waiting"]


def test_nothing_is_wrong_with_it(older: Path) -> None:
    with open_record(older) as record:
        assert list(find_stale_executions(record)) == []
        assert maintenance.check(record) == []
        maintenance.index_older(record)
        assert record.sql("SELECT * FROM changed_rows UNION ALL SELECT * FROM search_pending") == []
        for briefing in briefings.iterate_briefings(record):
            assert (
                briefing.sha256.hex()
                in read(
                    older.with_name("execution.db.v1.bak"),
                    "SELECT group_concat(sha256) FROM briefings",
                )[0][0]
            )
    assert list_complaints(older) == []


def test_it_has_the_schema_of_a_new_record(older: Path, tmp_path: Path) -> None:
    with open_record(older) as record:
        maintenance.index_older(record)
    open_record(tmp_path / "new.db").close()
    with (
        closing(sqlite3.connect(older)) as one,
        closing(sqlite3.connect(tmp_path / "new.db")) as other,
    ):
        tables = named(parts_of(other), "table")
        for kind in ("table", "index", "trigger"):
            assert named(parts_of(one), kind).keys() == named(parts_of(other), kind).keys()
        for name in tables:
            assert columns_of(one, name) == columns_of(other, name)
    assert read(older, "PRAGMA user_version") == [(SCHEMA_VERSION,)]
    assert read(older, "PRAGMA foreign_key_check") == []
    assert read(older, "PRAGMA integrity_check") == [("ok",)]


def test_every_statement_is_one_that_other_records_take(older: Path) -> None:
    with open_record(older) as record:
        for kind, about, payload in record.sql("SELECT kind, about, payload FROM observations"):
            said = unpack_fields(payload) or {}
            assert describe_problem(kind, said) is None
            assert about or kind in ("set", "journal")
            assert getattr(decode_statement(kind, said), "extra", None) is None


RUNS = """SELECT e.uid, s.claude_session, e.agent_type, e.deployed_at, e.completed_at, e.status,
    e.scope, e.model, e.final_message, e.success, e.error_message, e.source, e.input_tokens,
    e.cost_usd, e.retracted_at, (SELECT count(*) FROM completions AS c
      WHERE c.execution_id = e.execution_id),
    (SELECT group_concat(uid) FROM (SELECT uid FROM outputs AS o
      WHERE o.execution_id = e.execution_id ORDER BY uid)),
    (SELECT group_concat(context_source) FROM (SELECT context_source FROM context_allocations AS a
      WHERE a.execution_id = e.execution_id ORDER BY allocation_id)),
    (SELECT group_concat(path) FROM (SELECT path FROM execution_files AS f
      WHERE f.execution_id = e.execution_id ORDER BY path))
  FROM agent_executions AS e JOIN sessions AS s USING (session_id) ORDER BY e.uid"""


@pytest.mark.slow
def test_another_record_can_be_told_all_of_it(older: Path, tmp_path: Path) -> None:
    lines = tmp_path / "export.jsonl"
    with open_record(older) as record, open_record(tmp_path / "other.db") as other:
        lines.write_text("".join(f"{line}\n" for line in export_record(record)))
        restore_export(other, lines)
        assert other.sql(RUNS) == record.sql(RUNS)


@pytest.mark.slow
def test_two_copies_say_the_same_of_runs(last: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.db"
    copy.write_bytes(last.read_bytes())
    said = "SELECT hex(digest), kind, about FROM observations WHERE kind <> 'set' ORDER BY 1"
    open_record(last).close()
    open_record(copy).close()
    assert read(last, said) == read(copy, said)
    uids = "SELECT uid FROM bundle_versions ORDER BY version_id"
    assert read(last, uids) == read(copy, uids)


def test_nothing_is_wrong_with_one_of_the_proposal(tmp_path: Path) -> None:
    path = stored(PROPOSAL, tmp_path)
    with open_record(path) as record:
        assert list(find_stale_executions(record)) == []
        assert record.value("SELECT count(*) FROM agent_executions") == 2
    bad = [f for f in examine_record(path) if f.level != "ok"]
    assert [f.what for f in bad] == ["waiting"]  # one has been at work since 2025


def test_what_the_user_added_stays(last: Path) -> None:
    with closing(sqlite3.connect(last)) as raw:
        raw.executescript(
            """CREATE TABLE notes (note TEXT);
            CREATE INDEX mine ON observations (kind, at);
            CREATE TRIGGER noted AFTER UPDATE ON outputs BEGIN
              INSERT INTO notes VALUES (NEW.content); END;
            CREATE TRIGGER broken AFTER INSERT ON contents BEGIN
              INSERT INTO notes SELECT note FROM notes; END;
            CREATE VIEW texts AS SELECT content_id, data FROM contents;"""
        )
    open_record(last).close()
    assert read(last, "SELECT count(*) FROM notes") == [(0,)]
    assert read(last, "SELECT count(*) > 0 FROM texts") == [(1,)]
    added = "SELECT name FROM sqlite_schema WHERE name IN ('mine', 'noted', 'broken') ORDER BY 1"
    assert read(last, added) == [("broken",), ("mine",), ("noted",)]


def test_odd_rows_stop_nothing(last: Path) -> None:
    """Plain SQL may have put anything anywhere."""
    with closing(sqlite3.connect(last)) as raw:
        for statement in (
            "DROP TRIGGER journal_keeps_words",
            "UPDATE journal SET after = '[1' WHERE action = 'collect'",
            "UPDATE observations SET payload = 'none' WHERE observation_id = 1",
            "UPDATE observations SET payload = '[]', at = NULL WHERE observation_id = 2",
            "UPDATE outputs SET size = 'big', content = x'ff00' WHERE output_id = 1",
            "UPDATE context_allocations SET token_count = 'many', sections = x'ff'",
            "UPDATE usage_messages SET cost_usd = 'dear', model = 5",
            "DELETE FROM observations WHERE execution_id = 'exec-004'",
            "DELETE FROM agent_executions WHERE execution_id = 'exec-003'",
            "DELETE FROM planned_agents",
            "DELETE FROM briefings WHERE briefing_id = 3",
        ):
            raw.execute(statement)
        raw.commit()
    with open_record(last) as record:
        assert list(find_stale_executions(record)) == []
        held = record.rows("SELECT * FROM agent_executions WHERE execution_id = 'exec-004'")[0]
        assert (held["scope"], held["agent_type"]) == ("Still waiting", "debugger")


def test_many_runs_are_left_to_the_command_for_it(
    last: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = last.read_bytes()
    monkeypatch.setattr(migrate, "MANY_RUNS", 3)
    with pytest.raises(RecordError) as stopped:
        open_record(last)
    assert "orch migrate" in stopped.value.hint
    assert last.read_bytes() == before


def test_it_tells_how_far_it_is(last: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migrate, "_A_STRETCH", 5)
    told: list[tuple[int, int]] = []

    def run(record: Record) -> None:
        migrate.migrate_record(record, lambda done, total: told.append((done, total)))

    open_record(last, migrate=run).close()
    assert told == sorted(told)
    assert len(told) > 1
    assert told[-1][0] == told[-1][1]


def interrupted(statement: int) -> Callable[[Record], None]:
    """A migration that SQLite breaks off after so many statements."""

    def run(record: Record) -> None:
        begun = iter(range(statement))
        is_due = iter([True])

        with ExitStack() as broken_off:

            def trace(_: str) -> None:
                if next(begun, None) is None:
                    broken_off.enter_context(record.ending(lambda: next(is_due, False), 1))

            record.connection.set_trace_callback(trace)
            migrate.migrate_record(record)

    return run


def statements_of(path: Path) -> int:
    """How many statements it takes to bring a record up to date."""
    count = 0

    def run(record: Record) -> None:
        def trace(_: str) -> None:
            nonlocal count
            count += 1

        record.connection.set_trace_callback(trace)
        migrate.migrate_record(record)

    open_record(path, migrate=run).close()
    return count


@pytest.mark.slow
@pytest.mark.parametrize("name", vary([LAST, "version_1.without_search", PROPOSAL]))
def test_broken_off_anywhere_it_is_as_it_was(name: str, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    count = statements_of(stored(name, other))
    path = stored(name, tmp_path)
    before = path.read_bytes()
    # the first ones are those that find out what the file is
    for statement in [*range(5, 60, 11), *range(60, count - 20, max(1, count // 12))]:
        with pytest.raises(RecordError):
            open_record(path, migrate=interrupted(statement))
        assert path.read_bytes() == before
        assert [p.name for p in tmp_path.iterdir() if p.is_file()] == [path.name]
    open_record(path).close()
    assert [f for f in examine_record(path) if f.level == "problem"] == []


KILLED = """
import os, signal, sys
from pathlib import Path
from orch_tui.record.opening import open_record
from orch_tui.record.upkeep.migrate import migrate_record

def run(record):
    left = iter(range(int(sys.argv[2])))
    record.connection.set_trace_callback(
        lambda _: os.kill(os.getpid(), signal.SIGKILL) if next(left, None) is None else None
    )
    migrate_record(record)

open_record(Path(sys.argv[1]), migrate=run)
"""


@pytest.mark.slow
def test_killed_on_the_way_it_is_as_it_was(last: Path) -> None:
    before = list(dumped(last))
    for statement in (100, 400, 900):
        result = subprocess.run(
            [sys.executable, "-c", KILLED, str(last), str(statement)], cwd=ROOT, check=False
        )
        assert result.returncode == -9
        assert list(dumped(last)) == before
    with open_record(last) as record:
        maintenance.index_older(record)
    assert list_complaints(last) == []


def dumped(path: Path) -> Iterator[str]:
    with closing(sqlite3.connect(path)) as database:
        yield from (line for line in database.iterdump() if "fts5" not in line)


def test_the_step_to_this_version_makes_the_shipped_schema() -> None:
    assert version_script(SCHEMA_VERSION) == schema_script()
