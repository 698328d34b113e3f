"""A copy of the record that other tools read: plain text in every cell."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from orch_tui.api import OrchestrationSession
from orch_tui.errors import ConflictError, SourceError
from orch_tui.models.database import Record
from orch_tui.project import Project
from orch_tui.recall.plain_database import write_plain_database


def read(path: Path, statement: str) -> list[Any]:
    with closing(sqlite3.connect(path)) as copy:
        return copy.execute(statement).fetchall()


@pytest.fixture
def copy(project: Project, session: OrchestrationSession, tmp_path: Path) -> Path:
    (project.root / "a.md").write_text("# Vectors\nNearest neighbours are approximate.\n")
    bundle = session.prepare_context("impl", files=["a.md"], scope="Index vectors")
    run = session.init_deployment(context_bundle=bundle)
    run.record_completion("Built the graph index.", deliverables=["a.md"])
    session.init_deployment("impl", scope="Nobody returned")
    target = tmp_path / "plain.db"
    assert len([*write_plain_database(project.record, target)]) == 2
    return target


def test_texts_stand_in_plain_words_and_are_found(copy: Path) -> None:
    (row,) = read(copy, "SELECT scope, final_message, briefing FROM runs WHERE status='completed'")
    assert row[:2] == ("Index vectors", "Built the graph index.")
    assert "Nearest neighbours" in row[2]
    given = read(copy, "SELECT context_source, text FROM given")
    assert given == [("a.md", "# Vectors\nNearest neighbours are approximate.\n")]
    assert read(copy, "SELECT text FROM said") == [("Built the graph index.",)]
    ((content,),) = read(copy, "SELECT json_extract(content, '$.file_path') FROM outputs")
    assert content == "a.md"
    found = "SELECT execution_id FROM texts WHERE texts MATCH 'neighbours graph'"
    assert len(read(copy, found)) == 1
    assert len(read(copy, "SELECT * FROM sessions")) == 1


def test_what_is_there_is_not_replaced_and_what_fails_leaves_nothing(
    copy: Path, project: Project, tmp_path: Path
) -> None:
    with pytest.raises(ConflictError, match="is there already"):
        next(write_plain_database(project.record, copy))
    with pytest.raises(SourceError, match="cannot be written"):
        next(write_plain_database(project.record, tmp_path / "none" / "x.db"))
    begun = write_plain_database(project.record, tmp_path / "given-up.db")
    next(begun)
    begun.close()
    assert not [path for path in tmp_path.iterdir() if "given-up" in path.name]


def test_a_record_without_runs_has_empty_tables(record: Record, tmp_path: Path) -> None:
    target = tmp_path / "plain.db"
    assert [*write_plain_database(record, target)] == []
    for table in ("sessions", "runs", "given", "said", "outputs", "texts"):
        assert read(target, f"SELECT count(*) FROM {table}") == [(0,)]
