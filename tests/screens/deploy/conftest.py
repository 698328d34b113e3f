"""A project to deploy agents in."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from orch_tui.project import Project
from orch_tui.record import plan, sessions
from orch_tui.record.completion import record_completion
from tests.screens.deploy.driven import (
    noon,
    save,
    send,
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A session with two planned agents and four executions, and another session."""
    root = tmp_path / "spotter"
    (root / ".claude").mkdir(parents=True)
    (root / "lib").mkdir()
    for name, hour in (("postings", 11), ("index", 8)):
        path = root / "lib" / f"{name}.py"
        path.write_text("x = 1\n")
        written = datetime(2026, 11, 22, hour, tzinfo=UTC).timestamp()
        os.utime(path, (written, written))
    project = Project(root, clock=noon)
    record = project.record
    other = sessions.init_session(record, "Something else", project=str(root)).session_id
    send(project, other, "Explore", "Look around", "2026-11-22T11:00:00.000Z")
    session = sessions.init_session(record, "Make the index fast", project=str(root)).session_id
    made = save(project, session, "implementor", "Implement the postings list")
    plan.add_planned_agent(
        record, session, "implementor", scope="Implement the postings list", bundle_id=made
    )
    plan.add_planned_agent(
        record, session, "reviewer", scope="Review what was implemented", waits_for=[1]
    )
    send(project, session, "implementor", "Implement the hash", "2026-11-18T09:00:00.000Z")
    send(project, session, "implementor", "Implement the trie", "2026-11-22T09:55:00.000Z")
    done = send(project, session, "Explore", "Find the slow part", "2026-11-22T08:00:00.000Z")
    record_completion(record, done, final_message="# Found\n\nThe **walrus** is slow.")
    failed = send(project, session, "tester", "Test the trie", "2026-11-22T08:30:00.000Z")
    record_completion(record, failed, status="failed", error_message="it was cut off")
    project.close()
    return root


@pytest.fixture(autouse=True)
def deploy_first(history_first: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """No other screen is built on the way, where there is a record."""
    monkeypatch.setattr("orch_tui.app.OrchApp.FIRST", "deploy")
