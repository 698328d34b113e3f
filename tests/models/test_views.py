"""The views for people who open the record with other tools."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import Any

import pytest

from orch_tui.api import OrchestrationSession
from orch_tui.models.database import Record
from orch_tui.project import Project
from tests.recall.conftest import project, session

__all__ = ["project", "session"]


def ask(record: Record, statement: str) -> list[Any]:
    """Ask as another program does."""
    with closing(sqlite3.connect(f"{record.path.as_uri()}?mode=ro", uri=True)) as other:
        return other.execute(statement).fetchall()


@pytest.fixture
def record(project: Project, session: OrchestrationSession) -> Record:
    (project.root / "a.md").write_text("# Vectors\n")
    bundle = session.prepare_context("impl", files=["a.md"], scope="Index vectors")
    run = session.init_deployment(context_bundle=bundle, model="sonnet")
    run.record_completion("Half of it. " * 40, status="failed", error_message="No time.")
    run.record_completion("Built the graph index.")
    session.init_deployment("impl", scope="By mistake").retract("by mistake")
    return project.record


def test_runs_tell_who_did_what_and_how_it_ended(record: Record) -> None:
    columns = "agent_type, scope, status, model, final_message"
    told = ("impl", "Index vectors", "completed", "sonnet", "Built the graph index.")
    assert ask(record, f"SELECT {columns} FROM runs") == [told]
    ((session, scope),) = ask(record, "SELECT session, s.scope FROM runs JOIN sessions AS s")
    assert session == scope


def test_given_and_said_have_a_row_for_each_item_and_return(record: Record) -> None:
    columns = "agent_type, context_source, priority, included_in_deployment"
    assert ask(record, f"SELECT {columns} FROM given") == [("impl", "a.md", "required", 1)]
    said = ask(record, "SELECT position, status, error_message, text FROM said ORDER BY position")
    assert [row[1:3] for row in said] == [("failed", "No time."), ("completed", None)]
    assert said[-1][-1] == "Built the graph index."
    assert said[0][-1] is None, "it is compressed: `orch export --sqlite` has it"
