"""Exports of orchs before statements were typed are taken in like any other."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from orch_tui.errors import FormatError
from orch_tui.models.database import Record
from orch_tui.models.migrations import version_1
from orch_tui.record.ledger.rebuild import find_stale_executions
from orch_tui.record.opening import open_record
from orch_tui.record.upkeep.doctor import examine_record
from orch_tui.record.upkeep.restore import restore_export
from tests.record.test_migrate import LAST, RECORDS, RUNS, stored


@pytest.fixture
def export(tmp_path: Path) -> Path:
    """What the last orch with schema version 1 wrote of the record that ``LAST`` is."""
    path = tmp_path / "older.jsonl"
    path.write_bytes(gzip.decompress((RECORDS / f"{LAST}.jsonl.gz").read_bytes()))
    return path


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def changed(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    return path


SESSIONS = """SELECT coalesce(claude_session, uid), scope, phase, status, created_at, budget,
    metadata, project FROM sessions WHERE scope <> '(not recorded)' ORDER BY 1"""
PLANS = """SELECT p.uid, p.agent_type, p.scope, b.uid FROM planned_agents AS p
    LEFT JOIN bundles AS b USING (bundle_id) ORDER BY 1"""
BUNDLES = """SELECT v.uid, b.uid, version, agent_type, scope, model, (SELECT group_concat(source)
    FROM bundle_items AS i WHERE i.version_id = v.version_id)
    FROM bundle_versions AS v JOIN bundles AS b USING (bundle_id) ORDER BY 1"""
JOURNAL = "SELECT at, actor, action, subject, before, after FROM journal ORDER BY 1, 3, 4"


@pytest.mark.slow
def test_it_says_what_the_migrated_record_says(export: Path, tmp_path: Path) -> None:
    with (
        open_record(tmp_path / "new.db") as record,
        open_record(stored(LAST, tmp_path)) as migrated,
    ):
        restore_export(record, export)
        for what in (RUNS, SESSIONS, PLANS, BUNDLES):
            assert record.sql(what) == migrated.sql(what)
        mine = [row for row in migrated.sql(JOURNAL) if row[2] != "sql"]
        assert [row for row in record.sql(JOURNAL) if row[2] != "sql"] == mine
        texts = "SELECT hex(sha256), size FROM contents ORDER BY 1"
        assert record.sql(texts) == migrated.sql(texts)
        assert list(find_stale_executions(record)) == []
        assert [f for f in examine_record(record.path) if f.level == "problem"] == []


def test_the_same_again_changes_nothing(record: Record, export: Path) -> None:
    restore_export(record, export)
    before = "\n".join(record.connection.iterdump())
    again = restore_export(record, export)
    assert again.statements == 0
    assert "\n".join(record.connection.iterdump()) == before


def test_the_record_it_came_from_learns_nothing_of_runs(export: Path, tmp_path: Path) -> None:
    with open_record(stored(LAST, tmp_path)) as record:
        tables = ("agent_executions", "completions", "outputs", "context_allocations", "sessions")
        said = (
            "SELECT count(*) FROM observations WHERE kind NOT IN ('set', 'journal', 'identified')"
        )
        before = record.value(said), [len(record.sql(f"SELECT * FROM {t}")) for t in tables]
        journal = record.sql(JOURNAL)
        restore_export(record, export)
        assert before == (
            record.value(said),
            [len(record.sql(f"SELECT * FROM {t}")) for t in tables],
        )
        assert record.sql(JOURNAL) == journal


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"table": "recipes", "name": "soup"}, "there is no such table"),
        ({"table": "search_docs", "docid": 1}, "there is no such table"),
        ({"table": "sessions", "session_id": "x", "colour": 1}, "no column colour"),
        ({"table": "sessions", "session_id": "x", "scope": "s", "phase": 9}, "CHECK"),
        ({"table": "sessions", "session_id": "x", "scope": "s", "phase": 1 << 70}, "too large"),
        ({"table": "sessions"}, "no column at all"),
        ({"name": "x"}, "there is no such table"),
    ],
)
def test_a_row_that_fits_nowhere_is_named(
    record: Record, export: Path, row: dict[str, Any], said: str
) -> None:
    rows = lines(export)
    changed(export, [rows[0], row, *rows[1:]])
    before = "\n".join(record.connection.iterdump())
    with pytest.raises(FormatError, match=said) as caught:
        restore_export(record, export)
    assert f"{export}, line 2" in caught.value.message
    assert "\n".join(record.connection.iterdump()) == before


def test_texts_that_are_missing_stop_nothing_else(record: Record, export: Path) -> None:
    changed(export, [row for row in lines(export) if row.get("table") != "contents"])
    restore_export(record, export)
    assert record.value("SELECT count(*) FROM agent_executions") == 17
    assert list(find_stale_executions(record)) == []


def test_an_empty_database_of_version_1_takes_rows(tmp_path: Path) -> None:
    path = tmp_path / "one.db"
    with version_1.new_database(path) as database:
        version_1.insert(database, "sessions", {"session_id": "s", "scope": "made by hand"})
    with open_record(path) as record:
        assert record.value("SELECT scope FROM sessions") == "made by hand"
