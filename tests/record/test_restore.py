"""An export taken in again: whole, once, and without taking anybody's place."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from orch_tui.errors import FormatError
from orch_tui.models.database import Record
from orch_tui.prepare.budget import Limits
from orch_tui.prepare.catalogue import load_catalogue
from orch_tui.record.deployment import record_deployment
from orch_tui.record.ledger.rebuild import find_stale_executions
from orch_tui.record.opening import open_record
from orch_tui.record.sessions import init_session
from orch_tui.record.upkeep.export import export_record
from orch_tui.record.upkeep.restore import is_export, restore_export
from orch_tui.search import maintenance
from tests.record import claude_home
from tests.record.test_exchange import view
from tests.record.test_importer import executions, take_in
from tests.record.test_redaction import fill


def exported(record: Record, path: Path) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in export_record(record)))
    return path


@pytest.fixture
def full(record: Record, tmp_path: Path) -> Record:
    """What people recorded and what was imported."""
    (tmp_path / "work").mkdir()
    fill(record, "something to be found", tmp_path / "work")
    take_in(record, claude_home.write_home(tmp_path / "home"))
    return record


def test_an_empty_record_becomes_the_same(full: Record, tmp_path: Path) -> None:
    path = exported(full, tmp_path / "export.jsonl")
    with open_record(tmp_path / "again.db") as again:
        restored = restore_export(again, path)
        (remark,) = restored.remarks
        assert remark.startswith("labels of what came from ")
        assert view(again) == view(full)
        assert again.sql("PRAGMA foreign_key_check") == []
        assert maintenance.check(again) == [] and list(find_stale_executions(again)) == []
        restore_export(again, path)
        assert view(again) == view(full)


def test_into_itself_it_changes_nothing(full: Record, tmp_path: Path) -> None:
    path = exported(full, tmp_path / "export.jsonl")
    before = view(full)
    assert restore_export(full, path).statements == 0
    assert view(full) == before


def test_runs_that_both_know_are_one_and_labels_that_are_taken_change(
    full: Record, tmp_path: Path
) -> None:
    path = exported(full, tmp_path / "export.jsonl")
    with open_record(tmp_path / "other.db") as other:
        session = init_session(other, "mine", project="/p", session_id="s").session_id
        record_deployment(
            other,
            session,
            catalogue=load_catalogue(),
            limits=Limits(),
            agent_type="mine",
            scope="mine",
            execution_id="exec-1",
        )
        parent, agent, _ = claude_home.foreground()
        take_in(other, parent.write(tmp_path / "part"))  # the agent's file is only in the export
        restored = restore_export(other, path)
        assert any(remark.startswith("labels of what") for remark in restored.remarks)
        assert other.value("SELECT scope FROM agent_executions WHERE execution_id = 'exec-1'") == (
            "mine"
        )
        imported = "tool_use_id IS NOT NULL OR agent_id IS NOT NULL"
        for record in (full, other):
            assert record.value(f"SELECT count(*) FROM agent_executions WHERE {imported}") == 9
        tokens = "SELECT output_tokens FROM agent_executions WHERE tool_use_id = 'T1'"
        assert other.value(tokens) == full.value(tokens) == 402
        assert (
            other.sql("PRAGMA foreign_key_check") == [] and list(find_stale_executions(other)) == []
        )
        exported(other, tmp_path / "other.jsonl")
        once = view(other)
        restore_export(other, path)
        assert view(other) == once


def test_a_broken_export_is_named_and_leaves_nothing(full: Record, tmp_path: Path) -> None:
    path = exported(full, tmp_path / "export.jsonl")
    whole = path.read_bytes()
    with open_record(tmp_path / "again.db") as again:
        empty = view(again)
        for broken in (
            whole[: len(whole) // 2].rstrip(b"}\n"),
            whole + b'{"statement": "00"}\n',
            whole.replace(b'"schema_version": 2', b'"schema_version": 99', 1),
        ):
            path.write_bytes(broken)
            with pytest.raises(FormatError):
                restore_export(again, path)
            assert view(again) == empty


def test_an_import_knows_an_export_by_its_first_line(full: Record, tmp_path: Path) -> None:
    path = exported(full, tmp_path / "record.jsonl")
    assert is_export(path.read_bytes().split(b"\n")[0])
    with open_record(tmp_path / "again.db") as again:
        summary = take_in(again, path)
        assert summary.new == full.value("SELECT count(*) FROM agent_executions")
        assert take_in(again, path).new == 0
        assert executions(again)["T1"]["output_tokens"] == 402
