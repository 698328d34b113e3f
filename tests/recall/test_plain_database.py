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


def test_whatever_plain_sql_put_there_is_copied(
    copy: Path, project: Project, tmp_path: Path
) -> None:
    with closing(sqlite3.connect(project.record.path)) as plain, plain:
        for table in ("agent_executions", "context_allocations", "completions", "outputs"):
            plain.execute(f"UPDATE {table} SET execution_id = CAST(execution_id AS BLOB)")
        plain.execute("UPDATE sessions SET metadata = ?", [r'{"a": "\ud800"}'])
    target = tmp_path / "odd.db"
    labels = [*write_plain_database(project.record, target)]
    assert labels == [label for (label,) in read(copy, "SELECT execution_id FROM runs")]
    for table in ("given", "said", "outputs"):
        assert read(target, f"SELECT execution_id FROM {table}") == [(labels[0],)]


def test_a_place_that_is_taken_meanwhile_is_refused_in_words(
    project: Project, tmp_path: Path, copy: Path
) -> None:
    target = tmp_path / "taken.db"
    begun = write_plain_database(project.record, target)
    next(begun)
    (target / "folder").mkdir(parents=True)
    with pytest.raises(SourceError, match=r"taken\.db.* cannot be written"):
        list(begun)
    assert not [path for path in tmp_path.iterdir() if path.suffix == ".tmp"]


def test_columns_have_types_keys_and_what_they_point_to(copy: Path) -> None:
    kinds = {name: kind for _, name, kind, *_ in read(copy, "PRAGMA table_info(runs)")}
    assert "" not in kinds.values()
    assert (kinds["cost_usd"], kinds["success"], kinds["scope"]) == ("REAL", "INTEGER", "TEXT")
    ((key, kind),) = read(copy, "SELECT name, type FROM pragma_table_info('runs') WHERE pk")
    assert (key, kind) == ("execution_id", "TEXT")
    targets = {row[2:5] for row in read(copy, "PRAGMA foreign_key_list(given)")}
    assert targets == {("runs", "execution_id", "execution_id")}
    assert read(copy, "PRAGMA foreign_key_check") == []


def test_two_runs_whose_labels_look_alike_are_both_there(
    copy: Path, project: Project, tmp_path: Path
) -> None:
    with closing(sqlite3.connect(project.record.path)) as plain, plain:
        plain.execute(
            "INSERT INTO agent_executions (execution_id, session_id, agent_type, scope) "
            "SELECT CAST(execution_id AS BLOB), session_id, agent_type, 'twin' "
            "FROM agent_executions WHERE scope = 'Index vectors'"
        )
    target = tmp_path / "twins.db"
    assert len([*write_plain_database(project.record, target)]) == 3
    assert len(read(target, "SELECT * FROM runs")) == 3


def test_what_is_recorded_meanwhile_is_not_in_it(
    copy: Path, project: Project, session: OrchestrationSession, tmp_path: Path
) -> None:
    session.init_deployment("impl", scope="Another").record_completion("Another word.")
    target = tmp_path / "moment.db"
    begun = write_plain_database(project.record, target)
    done = [next(begun)]
    with closing(sqlite3.connect(project.record.path)) as plain, plain:
        plain.execute("DELETE FROM completions")
        plain.execute("UPDATE agent_executions SET scope = 'changed'")
    session.init_deployment("impl", scope="Recorded late")
    done += begun
    assert len(done) == 3
    assert len(read(target, "SELECT * FROM said")) == 2
    scopes = {scope for (scope,) in read(target, "SELECT scope FROM runs")}
    assert scopes == {"Index vectors", "Nobody returned", "Another"}
