"""A past briefing once more, and deployed once more."""

from __future__ import annotations

import pytest

from orch_tui.api import OrchestrationSession
from orch_tui.errors import OrchError
from orch_tui.project import Project
from orch_tui.recall.replay import deploy_again, replay_briefing


def test_a_replay_is_byte_for_byte_after_the_files_changed(
    project: Project, session: OrchestrationSession
) -> None:
    bundle = session.prepare_context("debugger", files=["a.md", "b.md"])
    execution = session.init_deployment(context_bundle=bundle)
    handed_over = execution.briefing
    (project.root / "a.md").write_text("something else\n")
    (project.root / "b.md").unlink()
    again = replay_briefing(project.record, execution.execution_id)
    assert handed_over.startswith(again.briefing.decode().rstrip("\n"))

    deployed = deploy_again(
        project.record,
        execution.execution_id,
        catalogue=project.catalogue,
        limits=project.limits,
    )
    assert deployed.execution.execution_id == "exec-002"
    assert replay_briefing(project.record, "exec-002").briefing == again.briefing
    assert deployed.execution.bundle_version_id == execution.facts.bundle_version_id


def test_what_was_never_briefed_cannot_be_replayed(
    project: Project, session: OrchestrationSession
) -> None:
    execution = session.init_deployment("debugger")
    with pytest.raises(OrchError, match="no briefing was recorded for exec-001"):
        replay_briefing(project.record, execution.execution_id)
