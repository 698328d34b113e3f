"""What sharing would do is told before, and is what it does."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from orch_tui import api
from orch_tui.prepare.bundle import Bundle
from orch_tui.project import Project
from orch_tui.project_bundles import apply_sharing
from orch_tui.record import sessions
from orch_tui.record.bundles import load_session_bundles
from orch_tui.record.session_budget import load_session_budget
from orch_tui.sharing_prospect import SharingProspect, foretell_sharing
from tests.conftest import FakeClock


@pytest.fixture
def project(tmp_path: Path, clock: FakeClock) -> Iterator[Project]:
    (tmp_path / ".git").mkdir()
    (tmp_path / "long.py").write_text("value = 1\n" * 400)
    (tmp_path / "mid.py").write_text("other = 2\n" * 200)
    (tmp_path / "short.md").write_text("# Short\n")
    made = Project(tmp_path, clock=clock)
    sessions.init_session(made.record, "Search", project=str(tmp_path), session_id="s")
    yield made
    made.close()


def prepared(project: Project, *bundles: tuple[str, ...]) -> list[Bundle]:
    for number, files in enumerate(bundles):
        api.prepare_bundle(project, f"agent-{number}", files=files, session_id="s")
    return [saved.bundle for saved in load_session_bundles(project.record, "s")]


def foretold(
    project: Project, given: list[Bundle], left: frozenset[str] | None = None
) -> SharingProspect:
    budget = load_session_budget(project.record, "s", project.limits)
    return foretell_sharing(project, given, budget, left=left)


def test_what_is_foretold_is_what_comes(project: Project) -> None:
    given = prepared(project, ("long.py", "mid.py"), ("long.py", "mid.py"), ("mid.py",))
    said = foretold(project, given, frozenset({"mid.py"}))
    assert [item.source for item in said.offered] == ["long.py", "mid.py"]
    assert [agent.before.agent_type for agent in said.agents] == ["agent-0", "agent-1"]
    apply_sharing(project, given, foreseen=said.foreseen)
    after = [saved.bundle for saved in load_session_bundles(project.record, "s")]
    assert [[item.is_pointed_to for item in b.items[:2]] for b in after[:2]] == [[True, False]] * 2
    assert [agent.gauge_after.used for agent in said.agents] == [b.total for b in after[:2]]
    budget = load_session_budget(project.record, "s", project.limits)
    assert said.session_after.used.tokens == budget.gauge.used.tokens
    assert said.growth == said.session_after.used.tokens - said.session_before.used.tokens < 0


def test_texts_that_are_too_short_to_share_are_left_by_itself(project: Project) -> None:
    given = prepared(project, ("short.md",), ("short.md",))
    assert foretold(project, given, frozenset()).growth > 0
    said = foretold(project, given)
    assert said.left == {"short.md"} and not said.agents and said.growth == 0
    given = prepared(project, ("short.md", "long.py"), ("short.md", "long.py"))
    said = foretold(project, given)
    assert said.growth < 0 and not said.left  # with the long one it is less all the same


def test_what_is_shared_already_is_not_offered(project: Project) -> None:
    given = prepared(project, ("long.py",), ("long.py",))
    apply_sharing(project, given)
    shared = [saved.bundle for saved in load_session_bundles(project.record, "s")]
    assert foretold(project, shared).offered == ()


def test_what_stands_twice_in_one_bundle_is_told(project: Project) -> None:
    (project.root / "again.py").write_text("value = 1\n" * 400)
    (bundle,) = given = prepared(project, ("long.py", "again.py"))
    said = foretold(project, given)
    assert [(b.bundle_id, o.source) for b, o in said.overlaps] == [(bundle.bundle_id, "again.py")]
