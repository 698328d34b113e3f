"""How far each agent of a plan is, from the runs there were of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from orch_tui.api import OrchestrationSession
from orch_tui.project import Project
from orch_tui.record.plan_state import describe_outstanding, read_plan_states


@pytest.fixture
def session(tmp_path: Path) -> OrchestrationSession:
    """A finder, a builder that waits for it, and a writer that waits for both."""
    (tmp_path / ".claude").mkdir()
    opened = OrchestrationSession("Plan it", project=Project(tmp_path))
    opened.plan_agent("finder")
    opened.plan_agent("builder", waits_for=[1])
    opened.plan_agent("writer", waits_for=[1, 2])
    return opened


def progress(session: OrchestrationSession) -> list[str]:
    states = read_plan_states(session.project.record, session.session_id)
    return [states[position].progress for position in sorted(states)]


def early(session: OrchestrationSession, position: int) -> list[str]:
    states = read_plan_states(session.project.record, session.session_id)
    return list(describe_outstanding(states, position))


def test_an_agent_waits_until_each_before_it_has_completed(session: OrchestrationSession) -> None:
    assert progress(session) == ["ready", "waiting", "waiting"]
    run = session.init_deployment(planned=1)
    assert progress(session) == ["running", "waiting", "waiting"]
    (said,) = early(session, 2)
    assert said.startswith("planned agent 2 is deployed before 1 (finder)")
    assert said.endswith("exec-001 has not returned")
    assert [line.rpartition(": ")[2] for line in early(session, 3)] == [
        "exec-001 has not returned",
        "not begun",
    ]
    run.record_completion("Found it.", success=True)
    assert progress(session) == ["done", "ready", "waiting"]
    assert early(session, 2) == early(session, 1) == []


def test_the_last_attempt_tells_and_a_retracted_one_never_was(
    session: OrchestrationSession,
) -> None:
    failed = session.init_deployment(planned=1)
    failed.record_completion("I broke it.", status="failed", success=False)
    assert progress(session) == ["failed", "waiting", "waiting"]
    assert early(session, 2)[0].endswith("exec-001 failed")
    again = session.init_deployment(planned=1)
    again.record_completion("Done, I think.", success=None)
    states = read_plan_states(session.project.record, session.session_id)
    assert (states[1].execution_id, states[1].runs) == ("exec-002", 2)
    assert progress(session)[1:] == ["ready", "waiting"]
    again.retract("a test")
    assert progress(session) == ["failed", "waiting", "waiting"]
