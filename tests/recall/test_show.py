"""One execution whole, whoever asks for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from orch_tui import api
from orch_tui.api import OrchestrationSession
from orch_tui.errors import NotFoundError
from orch_tui.project import Project
from orch_tui.recall import listing
from orch_tui.recall.show import find_troubles, show_execution


def test_one_execution_whole(project: Project, session: OrchestrationSession) -> None:
    bundle = session.prepare_context("debugger", files=["a.md"])
    first = session.init_deployment(context_bundle=bundle)
    second = session.init_deployment(context_bundle=bundle)
    (project.root / "made.txt").write_text("made\n")
    first.record_completion("Made it.", deliverables=["made.txt", "never.txt"])
    first.record_completion("And again.")
    (project.root / "made.txt").write_text("changed\n")

    shown = show_execution(project.record, first.execution_id, project.root)
    assert [given.text for given in shown.given] == [(project.root / "a.md").read_text()]
    assert shown.briefing is not None and "words of the first file" in shown.briefing
    assert [returned.final_message for returned in shown.returned] == ["Made it.", "And again."]
    assert [delivered.state for delivered in shown.delivered] == ["changed since", "missing"]
    assert (shown.before, shown.after) == (None, second.execution_id)
    assert shown.same_context == (second.execution_id,)


def test_the_same_context_is_the_same_set_of_contents(
    project: Project, session: OrchestrationSession
) -> None:
    both = session.init_deployment(
        context_bundle=session.prepare_context("debugger", files=["a.md", "b.md"])
    )
    only_a = session.init_deployment(
        context_bundle=session.prepare_context("debugger", files=["a.md"])
    )
    session.init_deployment("debugger")
    for label in (both.execution_id, only_a.execution_id):
        assert show_execution(project.record, label, project.root).same_context == ()


def test_everything_can_be_recalled_from_python(tmp_path: Path) -> None:
    (tmp_path / ".claude").mkdir()
    with api.OrchestrationSession("find the bug", project=tmp_path) as session:
        execution = session.init_deployment("debugger", briefing=b"Look at the walrus.\n")
        execution.record_completion("The walrus was late.", collect=True)
        execution.collect(insights=["walruses are slow"])
        session.init_deployment("debugger", scope="once more")
    (hit,) = api.search("walr", project=tmp_path).hits
    assert hit.execution_id == "exec-001"
    assert api.show("exec-001", project=tmp_path).briefing == "Look at the walrus.\n"
    assert api.replay("exec-001", project=tmp_path).briefing == b"Look at the walrus.\n"
    assert api.compare("exec-001", "exec-002", project=tmp_path).said
    assert api.stats(project=tmp_path).overall.n == 2
    assert [o.content for o in api.outputs_of(project=tmp_path)] == ["walruses are slow"]
    with api.OrchestrationSession.open(session.session_id, project=tmp_path) as again:
        assert [e.execution_id for e in again.executions()] == ["exec-002", "exec-001"]


def test_sources_are_a_list_or_one_text_as_commands_take_it(project: Project) -> None:
    (project.root / "a, b.md").write_text("a name with a comma\n")
    session = OrchestrationSession("find the bug", project=project)
    assert len(session.prepare_context("debugger", files=["a.md", "b.md"]).items) == 2
    assert len(session.prepare_context("debugger", files=["a, b.md"]).items) == 1


def test_signs_of_trouble_are_shown_ever_after(
    project: Project, session: OrchestrationSession
) -> None:
    session.init_deployment("debugger").record_completion("API Error: 529 overloaded")
    execution = show_execution(project.record, "exec-001", project.root).execution
    kinds = [t.kind for t in find_troubles(project.record, execution, project.root)]
    assert kinds == ["error"]


def test_an_agent_type_is_its_last_run(project: Project, session: OrchestrationSession) -> None:
    session.init_deployment("debugger")
    last = session.init_deployment("debugger", "once more").execution_id
    session.init_deployment("Explore")
    assert show_execution(project.record, "debugger", project.root).execution.execution_id == last
    with pytest.raises(NotFoundError, match="debuger"):
        show_execution(project.record, "debuger", project.root)


def test_which_checks_failed_by_their_latest_result(
    project: Project, session: OrchestrationSession
) -> None:
    mended = session.init_deployment("debugger")
    broken = session.init_deployment("debugger")
    for results in ({"tests": "fail", "lint": "pass"}, {"tests": "pass", "lint": "pass"}):
        mended.collect(validation_results=results)
    broken.collect(validation_results={"tests": "pass", "types": "fail"})
    failed = listing.iterate_failed_checks(project.record)
    assert [(row["execution_id"], row["check"]) for row in failed] == [
        (broken.execution_id, "types")
    ]
