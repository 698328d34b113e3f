"""Two executions beside each other."""

from __future__ import annotations

from orch_tui.api import OrchestrationSession
from orch_tui.project import Project
from orch_tui.recall.compare import compare_executions


def test_two_side_by_side(project: Project, session: OrchestrationSession) -> None:
    one = session.init_deployment(
        context_bundle=session.prepare_context("debugger", files=["a.md"]), model="sonnet"
    )
    other = session.init_deployment(
        context_bundle=session.prepare_context("debugger", files=["a.md", "b.md"]), model="opus"
    )
    one.record_completion("It was the index.")
    other.record_completion("It was the cache.", status="failed")
    found = compare_executions(project.record, one.execution_id, other.execution_id, project.root)
    differing = {fact.what: (fact.left, fact.right) for fact in found.facts if not fact.same}
    assert differing["model"] == ("sonnet", "opus")
    assert differing["status"] == ("completed", "failed")
    assert [(g.what, g.same) for g in found.given] == [("a.md", True), ("b.md", False)]
    assert "-It was the index." in found.said.splitlines()
