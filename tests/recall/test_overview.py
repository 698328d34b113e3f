"""Sessions at a glance, and a session's plan with what is wrong in it."""

from __future__ import annotations

import pytest

from orch_tui.errors import NotFoundError
from orch_tui.models.database import Record
from orch_tui.prepare.budget import Limits
from orch_tui.prepare.bundle import Bundle, ContextItem
from orch_tui.prepare.catalogue import load_catalogue
from orch_tui.prepare.count import Count
from orch_tui.recall.overview import Intent, PlanPage, list_session_lines, load_plan_page
from orch_tui.record import bundles, plan, sessions
from orch_tui.record.completion import record_completion
from orch_tui.record.deployment import record_deployment

LIMITS = Limits(budget=10_000)


@pytest.fixture
def session(record: Record) -> str:
    return open_session(record, "s")


def open_session(record: Record, session_id: str, budget: int | None = None) -> str:
    return sessions.init_session(
        record, "plan the work", project="/p", session_id=session_id, budget=budget
    ).session_id


def save(record: Record, session_id: str | None, tokens: int, agent_type: str = "Explore") -> str:
    count = Count(tokens, "o200k_base", tokens, tokens)
    item = ContextItem("file", f"{tokens}.md", "required", (), b"x", count)
    made = Bundle("", agent_type, "look", (item,), "sonnet", "2026-11-22T10:00:00.000Z")
    return bundles.save_bundle(record, made, session_id).bundle.bundle_id


def run(record: Record, session_id: str, **given: int) -> str:
    return record_deployment(
        record,
        session_id,
        catalogue=load_catalogue(),
        limits=LIMITS,
        agent_type=None if given else "Explore",
        **given,  # type: ignore[arg-type]
    ).execution.execution_id


def page(record: Record, session_id: str = "s") -> PlanPage:
    return load_plan_page(
        record,
        session_id,
        catalogue=load_catalogue(),
        limits=LIMITS,
        known_agents={"Explore", "tester"},
    )


def remarks(shown: PlanPage, position: int) -> list[tuple[str, bool]]:
    return [(r.field, r.stops) for r in shown.agents[position - 1].remarks]


def test_sessions_with_what_waits_and_what_is_used(record: Record, session: str) -> None:
    save(record, session, 2_500)
    waiting, returned, taken_back = (run(record, session) for _ in range(3))
    record_completion(record, returned, final_message="done")
    record.execute(
        "UPDATE agent_executions SET retracted_at = 'now' WHERE execution_id = ?", [taken_back]
    )
    open_session(record, "t", budget=500)
    newest, oldest = list_session_lines(record, limits=LIMITS)
    assert (newest.session.session_id, newest.waiting, newest.budget.limit) == ("t", 0, 500)
    assert (oldest.session.session_id, oldest.waiting) == ("s", 1)
    assert oldest.budget.share == 0.25


def test_archived_sessions_are_there_when_asked_for(record: Record, session: str) -> None:
    open_session(record, "t")
    sessions.archive_session(record, session)
    assert [line.session.session_id for line in list_session_lines(record, limits=LIMITS)] == ["t"]
    shown = list_session_lines(record, limits=LIMITS, include_archived=True)
    assert [line.session.session_id for line in shown] == ["t", "s"]
    assert len(list_session_lines(record, limits=LIMITS, include_archived=True, limit=1)) == 1


def test_a_plan_with_waves_bundles_and_attempts(record: Record, session: str) -> None:
    bundle_id = save(record, session, 1_000)
    plan.add_planned_agent(record, session, "Explore", scope="list the files", bundle_id=bundle_id)
    plan.add_planned_agent(record, session, "tester", model="opus")
    plan.add_planned_agent(record, session, "tester", waits_for=[1, 2])
    first = run(record, session, planned=1)
    record_completion(record, first, status="failed")
    second = run(record, session, planned=1)
    run(record, session)
    shown = page(record)
    assert shown.waves == ((1, 2), (3,))
    explore, tester, last = shown.agents
    assert explore.attempts == ((first, "failed"), (second, "deployed"))
    assert explore.bundle is not None
    assert explore.bundle.used == shown.rules.bundles[bundle_id].count == shown.budget.used
    assert explore.bundle.used.tokens > 1_000  # with its template
    assert (tester.bundle, tester.attempts) == (None, ())
    assert (last.waits_for, last.wave) == ((1, 2), 2)
    assert {gate.name: gate.met for gate in shown.gates}["returned"] is False
    assert shown.budget.used == explore.bundle.used


def test_what_is_wrong_is_said_where_it_is_wrong(record: Record, session: str) -> None:
    small, huge = save(record, session, 100), save(record, session, 1_800_000)
    plan.add_planned_agent(record, session, "nobody", bundle_id=small, model="claude-old-1")
    plan.add_planned_agent(record, session, "Explore", bundle_id=huge, model="haiku")
    plan.add_planned_agent(record, session, "plugin:agent", scope="short")
    plan.add_planned_agent(record, session, "tester", scope="nothing is wrong here")
    shown = page(record)
    assert [field for field, _ in remarks(shown, 1)] == ["agent_type", "model", "bundle_id"]
    assert remarks(shown, 2) == [("bundle_id", False)]
    assert "over the agent's limit: 1,800,000 of" in shown.agents[1].remarks[0].text
    assert remarks(shown, 3) == [("scope", False)]
    assert remarks(shown, 4) == []


def test_a_cycle_that_raw_sql_made_is_shown(record: Record, session: str) -> None:
    first, second = (plan.add_planned_agent(record, session, "Explore") for _ in range(2))
    plan.add_planned_agent(record, session, "Explore")
    record.execute(
        "INSERT INTO planned_waits (planned_id, waits_for) VALUES (?1, ?2), (?2, ?1)",
        [first.planned_id, second.planned_id],
    )
    shown = page(record)
    assert shown.waves == ((3,),)
    assert [line.wave for line in shown.agents] == [None, None, 1]
    assert [remarks(shown, p) for p in (1, 2, 3)] == [[("waits_for", True)]] * 2 + [[]]


@pytest.mark.parametrize(
    ("intent", "stopped"),
    [
        (Intent("tester"), set()),
        (Intent(" "), {"agent_type"}),
        (Intent("tester", bundle_id="bundle-404"), {"bundle_id"}),
        (Intent("tester", waits_for=(1, 3)), {"waits_for"}),
        (Intent("tester", waits_for=(2,), position=1), {"waits_for"}),
        (Intent("tester", waits_for=(1,), position=1), {"waits_for"}),
        (Intent("tester", waits_for=(1,), position=2), set()),
    ],
)
def test_what_cannot_be_planned_is_told_before(
    record: Record, session: str, intent: Intent, stopped: set[str]
) -> None:
    plan.add_planned_agent(record, session, "Explore")
    plan.add_planned_agent(record, session, "Explore", waits_for=[1])
    found = page(record).rules.remarks(intent)
    assert {remark.field for remark in found if remark.stops} == stopped


def test_bundles_of_no_session_and_of_others_that_the_plan_names(
    record: Record, session: str
) -> None:
    elsewhere = save(record, open_session(record, "t"), 300)
    nowhere = save(record, None, 200)
    assert list(page(record).rules.bundles) == [nowhere]
    plan.add_planned_agent(record, session, "Explore", bundle_id=elsewhere)
    assert page(record).rules.bundles[elsewhere].count.tokens == 300


def test_an_unknown_session(record: Record, session: str) -> None:
    with pytest.raises(NotFoundError):
        page(record, "nobody")


def test_what_ran_unplanned_is_a_tree_until_somebody_plans(record: Record, session: str) -> None:
    labels = [run(record, session) for _ in range(4)]
    record.execute("UPDATE sessions SET phase = NULL WHERE session_id = ?", [session])
    for child, parent in ((1, 0), (3, 0), (2, 2)):
        record.execute(
            "UPDATE agent_executions SET parent_execution_id = ? WHERE execution_id = ?",
            [labels[parent], labels[child]],
        )
    shown = page(record)
    assert not shown.is_planned
    assert [(line.execution_id, line.depth) for line in shown.runs] == [
        *((labels[0], 0), (labels[1], 1), (labels[3], 1)),
        (labels[2], 0),  # its own parent
    ]
    plan.add_planned_agent(record, session, "tester")
    assert page(record).is_planned and not page(record).runs
