"""What a composition stands among, without a screen: on a real project and record."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from orch_tui.compose_context import (
    UNSAVED_ID,
    ComposeContext,
    apply_fit,
    composition_for,
    find_common_content,
    fit_composition,
    list_openable,
    load_compose_context,
    load_composition,
    render_composition,
    resolve_agent,
    save_composition,
    share_composition,
    unshare_composition,
)
from orch_tui.errors import NotFoundError, OverBudgetError, SourceError
from orch_tui.prepare.budget import Judgement
from orch_tui.prepare.bundle import ContextItem
from orch_tui.prepare.composition import Choice, Composition, list_weighed_items, weigh_choices
from orch_tui.project import Project
from orch_tui.project_bundles import fit_bundle, keep_composition
from orch_tui.record import bundles, deployment, plan, sessions
from orch_tui.record.session_budget import load_session_budget
from tests.conftest import FakeClock

TYPES = "".join(f"export interface Vector{n} {{ id: string; at: number }}\n" for n in range(40))


@pytest.fixture
def project(tmp_path: Path, clock: FakeClock) -> Iterator[Project]:
    (tmp_path / ".git").mkdir()
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "types.ts").write_text(TYPES)
    (tmp_path / "lib" / "search.ts").write_text("export function search() { return [] }\n" * 30)
    (tmp_path / "README.md").write_text("# Spotter\n\nFinds what looks alike.\n")
    made = Project(tmp_path, clock=clock)
    yield made
    made.close()


@pytest.fixture
def session_id(project: Project) -> str:
    record = project.record
    return sessions.init_session(record, "Search", project=str(project.root)).session_id


def composed(*paths: str, agent_type: str = "Explore") -> Composition:
    return Composition(agent_type, "Do it").adding(map(Choice, paths))


def judged(project: Project, context: ComposeContext, now: Composition) -> Judgement:
    weights = weigh_choices(now.choices, reader=project.reader(), family="v4.8")
    keyed = dict(zip((choice.key for choice in now.choices), weights, strict=True))
    items = list_weighed_items(now, keyed, {})
    return context.judge(context.measure(now, context.agent, items, keyed), context.agent)


def items_of(project: Project, now: Composition) -> list[ContextItem]:
    weights = weigh_choices(now.choices, reader=project.reader(), family="v4.8")
    keyed = dict(zip((choice.key for choice in now.choices), weights, strict=True))
    return list_weighed_items(now, keyed, {})


def loaded(project: Project, session_id: str, now: Composition) -> ComposeContext:
    return load_compose_context(project, session_id, now)


def test_without_a_record_there_is_an_agent_and_its_limit(project: Project) -> None:
    now = composed("lib/types.ts")
    context = loaded(project, "", now)
    assert not project.database.exists()
    assert (context.bundles, context.planned, context.saved) == ((), (), None)
    assert "Explore" in context.agent_types
    assert context.agent.matches(now) and not context.agent.matches(replace(now, model="opus"))
    found = judged(project, context, now)
    assert found.agent.used.tokens > 0 and found.others.tokens == 0


def test_a_session_that_is_not_there_is_named(project: Project, session_id: str) -> None:
    with pytest.raises(NotFoundError, match="orch-0"):
        loaded(project, "orch-0", Composition())


def test_what_other_bundles_take_is_the_same_wherever_it_is_asked(
    project: Project, session_id: str
) -> None:
    keep_composition(project, composed("lib/types.ts"), session_id=session_id)
    kept = keep_composition(project, composed("lib/search.ts"), session_id=session_id)
    bundle = kept.bundle
    now = load_composition(project, bundle.bundle_id)
    context = loaded(project, session_id, now)
    in_compose = judged(project, context, now)
    before_deploying = deployment.preview_deployment(
        project.record,
        session_id,
        catalogue=project.catalogue,
        limits=project.limits,
        bundle_id=bundle.bundle_id,
    ).judgement
    assert in_compose == kept.judgement == before_deploying
    assert in_compose.others.tokens > 0
    budget = load_session_budget(project.record, session_id, project.limits)
    assert in_compose.session == budget.gauge
    others = budget.taken_by_others(bundle.bundle_id)
    assert in_compose.others == others
    # The same room is left where it is to fit: none, with the others at the limit.
    with project.record.write():
        project.record.execute("UPDATE sessions SET budget = ?", [others.high])
    context = loaded(project, session_id, now)
    with pytest.raises(OverBudgetError, match=f"{others.high:,}"):
        fit_composition(project, context, context.agent, now)
    with pytest.raises(OverBudgetError, match=f"{others.high:,}"):
        fit_bundle(project, bundle, session_id=session_id)


def test_a_draft_decides_for_whom_and_which_bundle(project: Project, session_id: str) -> None:
    bundle, draft = save_composition(project, session_id, composed("README.md", agent_type="Plan"))
    context = load_compose_context(project, session_id, Composition(), draft=draft)
    assert context.agent.agent_type == "Plan" and context.draft == draft
    assert context.saved_composition == draft
    found = context.find_bundle(bundle.bundle_id)
    assert found and context.saved and found.version_id == context.saved.version_id
    gone = replace(draft, bundle_id="bundle-999")
    assert load_compose_context(project, session_id, Composition(), draft=gone).saved is None


def test_planned_agents_and_bundles_can_be_opened(project: Project, session_id: str) -> None:
    other = sessions.init_session(project.record, "Another", project=str(project.root))
    for name, where in (("README.md", session_id), ("lib/types.ts", other.session_id)):
        save_composition(project, where, composed(name))
    save_composition(project, session_id, composed("lib/search.ts"))
    planned = plan.add_planned_agent(project.record, session_id, "Plan", scope="Look", model="opus")
    found = list_openable(project, loaded(project, session_id, Composition()))
    assert [each.planned and each.planned.planned_id for each in found] == [
        *(planned.planned_id, None, None, None)
    ]
    assert [each.saved and each.saved.bundle_id for each in found] == [
        *(None, "bundle-001", "bundle-003", "bundle-002")
    ]
    assert [each.as_new for each in found] == [False, False, False, True]
    begun = composition_for(planned)
    assert (begun.agent_type, begun.scope, begun.model) == ("Plan", "Look", "opus")
    assert load_composition(project, "bundle-002", as_new=True).bundle_id == ""


def test_what_is_common_is_found_shared_and_taken_back(project: Project, session_id: str) -> None:
    first, _ = save_composition(project, session_id, composed("lib/types.ts", "README.md"))
    now = composed("lib/types.ts", agent_type="Plan")
    common = find_common_content(project, session_id, now, items_of(project, now))
    assert common.changes == (first.bundle_id, UNSAVED_ID)
    weights = weigh_choices(now.choices, reader=project.reader(), family="v4.8")
    assert common.holders(now, {"lib/types.ts": weights[0]}) == {"lib/types.ts": (first.bundle_id,)}
    shared = share_composition(project, session_id, now, unsaved=True)
    assert [choice.type for choice in shared.choices] == ["shared_context", "briefing"]
    context = loaded(project, session_id, shared)
    assert context.shared_ids == (first.bundle_id, shared.bundle_id)
    assert unshare_composition(project, [first.bundle_id], shared) is shared
    back = unshare_composition(project, [shared.bundle_id], shared)
    assert [choice.source for choice in back.choices] == ["lib/types.ts"]
    assert loaded(project, session_id, back).shared_ids == ()


def test_what_fits_is_found_and_nothing_is_saved(project: Project, session_id: str) -> None:
    with project.record.write():
        project.record.execute("UPDATE sessions SET budget = 1100")
    now = composed("README.md").adding([Choice("lib/types.ts", priority="optional")])
    context = loaded(project, session_id, now)
    assert judged(project, context, now).status == "over"
    fitted = fit_composition(project, context, resolve_agent(project, now), now)
    left, weights = apply_fit(now, fitted)
    assert left.choices != now.choices and {c.key for c in left.choices} == {*weights}
    assert judged(project, context, left).status != "over"
    assert bundles.load_session_bundles(project.record, session_id) == []


def test_a_briefing_is_rendered_or_says_what_cannot_be_taken(project: Project) -> None:
    now = composed("README.md")
    assert "looks alike" in render_composition(project, "", "v4.8", now, "markdown")
    with pytest.raises(SourceError, match="gone.md"):
        render_composition(project, "", "v4.8", composed("gone.md"), "xml")
    assert not project.database.exists()
