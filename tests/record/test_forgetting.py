"""The texts of runs can be forgotten; what they cost, when they ran and how they ended stays."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from orch_tui.api import OrchestrationSession
from orch_tui.errors import NotFoundError, UsageError
from orch_tui.models.database import Record
from orch_tui.record.ledger.rebuild import find_stale_executions
from orch_tui.record.opening import open_record
from orch_tui.record.upkeep.doctor import examine_record
from orch_tui.record.upkeep.export import export_record
from orch_tui.record.upkeep.forgetting import find_forgettable, forget_runs, measure_forgetting
from orch_tui.record.upkeep.restore import restore_export
from orch_tui.search.query import search

GIVEN = "what only the first was given, long enough to be a content of its own " * 9
SHARED = "what both were given, long enough to be a content of its own as well " * 9
SAID = "what the first said when it returned, at some length and in its own words " * 9


@pytest.fixture
def record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Record]:
    """exec-001 and exec-002 of one session returned; exec-003 of another waits."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".claude").mkdir()
    for name, text in (("given.md", GIVEN), ("shared.md", SHARED)):
        (tmp_path / name).write_text(text)
    with OrchestrationSession(scope="first") as first:
        for given, said in ((["given.md", "shared.md"], SAID), (["shared.md"], "the second")):
            bundle = first.prepare_context("a", "do it", files=given)
            run = first.init_deployment(context_bundle=bundle, model="opus")
            run.record_completion(final_message=said, insights=["it is so"])
    with OrchestrationSession(scope="second") as second:
        second.init_deployment("b", "wait")
        path = second.project.database
    with open_record(path) as opened:
        yield opened


def texts(record: Record) -> str:
    """All that the file holds, unpacked."""
    held = b"".join(path.read_bytes() for path in record.path.parent.glob(f"{record.path.name}*"))
    found = [held.decode("latin-1")]
    for start in range(len(held) - 1):
        if held[start] == 0x78 and held[start + 1] == 0x9C:
            try:
                found.append(zlib.decompressobj().decompress(held[start:]).decode("latin-1"))
            except zlib.error:
                continue
    return "\n".join(found)


def figures(record: Record) -> list[tuple[object, ...]]:
    return record.sql(
        "SELECT execution_id, agent_type, scope, status, success, model, deployed_at, "
        "completed_at, context_token_count, estimator FROM agent_executions ORDER BY 1"
    )


def test_texts_go_and_figures_stay(record: Record) -> None:
    before = figures(record)
    measured = measure_forgetting(record, ["exec-001"])
    assert forget_runs(record, ["exec-001"]) == measured
    assert (measured.runs, measured.texts) == (1, 3)  # a file, the message, the briefing
    assert figures(record) == before
    held = texts(record)
    assert GIVEN[:60] not in held
    assert SAID[:60] not in held
    assert SHARED[:60] in held
    assert "the second" in held
    said = "SELECT final_message FROM agent_executions ORDER BY execution_id"
    assert record.sql(said) == [("[forgotten]",), ("the second",), (None,)]
    hashes = record.value("SELECT count(*) FROM contents WHERE encoding = 'gone' AND size > 100")
    assert hashes == 2
    assert [f for f in examine_record(record.path) if f.level != "ok"] == []
    assert list(find_stale_executions(record)) == []
    assert record.value("SELECT count(*) FROM journal WHERE action = 'forget'") == 1


def test_what_the_rest_still_needs_stays_until_they_are_forgotten_too(record: Record) -> None:
    forget_runs(record, ["exec-001"])
    forget_runs(record, ["exec-002"])
    held = texts(record)
    assert SHARED[:60] not in held
    assert "the second" not in held
    assert find_forgettable(record, before="9999-01-01") == []


def test_what_waits_and_what_is_later_is_kept(record: Record) -> None:
    session_id = record.value("SELECT session_id FROM sessions WHERE scope = 'first'")
    assert find_forgettable(record, before="9999-01-01") == ["exec-001", "exec-002"]
    assert find_forgettable(record, before="2020-01-01T00:00:00Z") == []
    assert find_forgettable(record, session_id=session_id) == ["exec-001", "exec-002"]
    with pytest.raises(NotFoundError):
        find_forgettable(record, session_id="nosuch")
    with pytest.raises(UsageError):
        find_forgettable(record)


def test_no_search_finds_them(record: Record) -> None:
    assert [hit.execution_id for hit in search(record, "returned length").hits]
    forget_runs(record, ["exec-001"])
    assert not [hit.execution_id for hit in search(record, "returned length").hits]


def written(record: Record, path: Path) -> Path:
    path.write_text("".join(row + "\n" for row in export_record(record)))
    return path


def test_it_travels_and_nothing_comes_back(record: Record, tmp_path: Path) -> None:
    older = written(record, tmp_path / "older.jsonl")
    with open_record(tmp_path / "other.db") as other:
        restore_export(other, older)
        assert GIVEN[:60] in texts(other)
        forget_runs(record, ["exec-001"])
        newer = written(record, tmp_path / "newer.jsonl")
        assert GIVEN[:60] not in newer.read_text()
        restore_export(other, newer)
        other.execute("VACUUM")
        other.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        assert GIVEN[:60] not in texts(other)
        assert SAID[:60] not in texts(other)
        assert SHARED[:60] in texts(other)
        for record_again in (other, record):
            restore_export(record_again, older)
            assert SAID[:60] not in texts(record_again)
            assert [f for f in examine_record(record_again.path) if f.level != "ok"] == []
    with open_record(tmp_path / "fresh.db") as fresh:
        restore_export(fresh, newer)
        restore_export(fresh, older)
        assert GIVEN[:60] not in texts(fresh)
        assert [f for f in examine_record(fresh.path) if f.level != "ok"] == []
