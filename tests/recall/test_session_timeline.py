"""When the runs of a session ran, and for whom they waited."""

from __future__ import annotations

from pathlib import Path

import pytest

from orch_tui.api import OrchestrationSession
from orch_tui.errors import NotFoundError
from orch_tui.project import Project
from orch_tui.recall.session_timeline import load_session_timeline
from tests.record import hook_events


def test_who_waited_for_whom_and_when_each_ran(
    project: Project, session: OrchestrationSession
) -> None:
    for waits in ((), (), (1, 2)):
        session.plan_agent("worker", "part", waits_for=list(waits))
    again, other = (session.init_deployment("worker", "part", planned=n) for n in (1, 2))
    again.record_completion("No.", status="failed")
    first = session.init_deployment("worker", "part", planned=1)
    first.record_completion("Done.")
    last = session.init_deployment("worker", "part", planned=3)
    timeline = load_session_timeline(project.record, session.session_id)
    found = {span.execution_id: span for span in timeline.spans}
    assert list(found) == [run.execution_id for run in (again, other, first, last)]
    assert found[last.execution_id].waited_for == (first.execution_id, other.execution_id)
    assert found[last.execution_id].ended_at is None
    assert found[first.execution_id].ended_at is not None
    assert timeline.count == 4


def test_what_hooks_saw_has_its_time(tmp_path: Path) -> None:
    (tmp_path / ".claude").mkdir()
    hook_events.deliver(tmp_path, hook_events.foreground())
    project = Project(tmp_path)
    project.drain_inbox()
    (session_id,) = project.record.sql("SELECT DISTINCT session_id FROM agent_executions")
    (span,) = load_session_timeline(project.record, session_id[0]).spans
    assert span.begun_at and span.ended_at and span.begun_at <= span.ended_at
    assert span.waited_for == () and span.depth == 0
    project.close()


def test_an_unknown_session_is_named(project: Project, session: OrchestrationSession) -> None:
    with pytest.raises(NotFoundError):
        load_session_timeline(project.record, "nobody")
