"""What a session has taken of its budget, from stored counts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from orch_tui.errors import ConflictError, NotFoundError, UsageError
from orch_tui.models.database import Record
from orch_tui.prepare.budget import Limits, compute_agent_limit
from orch_tui.prepare.bundle import CLAIMED, Bundle, ContextItem
from orch_tui.prepare.catalogue import Model, load_catalogue
from orch_tui.prepare.count import FRAMES, ZERO, Count
from orch_tui.record import bundles, change_history, sessions
from orch_tui.record.deployment import Deployment, record_deployment
from orch_tui.record.executions import retract_execution
from orch_tui.record.ledger import journal
from orch_tui.record.ledger.registers import read_registers
from orch_tui.record.session_budget import (
    BudgetEntry,
    SessionBudget,
    load_session_budget,
    read_taken,
    resolve_limits,
    track_budget,
)
from orch_tui.search.query import search

FRAME = FRAMES["v4.8"]
LIMITS = Limits(budget=10_000, output_reserve=0)
BOUNDS: Any = {"catalogue": load_catalogue(), "limits": LIMITS}


def figure(tokens: int, estimator: str = "claude-v4.8") -> Count:
    return Count(tokens, estimator, tokens - 1, tokens + 1)


def bundle(bundle_id: str, *tokens: int, agent_type: str = "a", model: str = "opus") -> Bundle:
    items = tuple(
        ContextItem("file", f"{n}.md", "required", (), b"x", figure(each))
        for n, each in enumerate(tokens)
    )
    return Bundle(bundle_id, agent_type, "scope", items, model, "")


@pytest.fixture
def session(record: Record, tmp_path: Path) -> str:
    return sessions.init_session(record, "s", project=str(tmp_path)).session_id


def labels(record: Record, session_id: str, phase: int | None = None) -> dict[str, int]:
    return {t.label: t.count.tokens for t in read_taken(record, session_id, phase=phase)}


def used(record: Record, done: Deployment) -> int:
    """What the bundle takes that was deployed, with its template."""
    version_id = done.execution.bundle_version_id
    assert version_id is not None
    return bundles.load_bundle_version(record, version_id).bundle.total.tokens


def test_a_bundle_counts_once_in_its_latest_version_with_the_frame_of_its_message(
    record: Record, session: str
) -> None:
    bundles.save_bundle(record, bundle("b1", 100, 20), session)
    bundles.save_bundle(record, bundle("b1", 300), session, keep_latest=True)
    bundles.save_bundle(record, bundle("b2"), session)
    bundles.save_bundle(record, bundle("elsewhere", 7), None)
    taken = read_taken(record, session)
    assert taken[0] == BudgetEntry("b1", "a", "opus", figure(300) + Count(FRAME, "", FRAME, FRAME))
    assert [(entry.label, entry.count) for entry in taken[1:]] == [("b2", ZERO)]
    assert read_taken(record, "no such session") == []


def test_what_was_deployed_counts_wherever_it_was_prepared(record: Record, session: str) -> None:
    for other in (None, sessions.init_session(record, "s", project="p").session_id):
        saved = bundles.save_bundle(record, bundle(f"of-{other}", 100), other)
        _, done = (  # however often
            record_deployment(record, session, bundle=saved.bundle, **BOUNDS) for _ in range(2)
        )
        assert labels(record, session)[f"of-{other}"] == used(record, done)


def test_what_was_retracted_or_taken_out_counts_no_more(record: Record, session: str) -> None:
    bundles.save_bundle(record, bundle("b1", 100), session)
    saved = bundles.save_bundle(record, bundle("b2", 100), None)
    done = record_deployment(record, session, bundle=saved.bundle, **BOUNDS)
    claimed = record_deployment(
        record, session, agent_type="a", scope="s", context_token_count=55, **BOUNDS
    ).execution.execution_id
    assert labels(record, session) == {"b1": 106, "b2": used(record, done), claimed: 55}
    retract_execution(record, done.execution.execution_id, "a mistake")
    retract_execution(record, claimed, "a mistake")
    bundles.drop_bundle(record, "b1", "a mistake")
    assert labels(record, session) == {}


def test_an_execution_without_a_bundle_counts_as_claimed(record: Record, session: str) -> None:
    record_deployment(record, session, agent_type="a", scope="s", **BOUNDS)  # of no known size
    done = record_deployment(
        record, session, agent_type="b", scope="s", model="opus", context_token_count=55, **BOUNDS
    )
    (entry,) = read_taken(record, session)
    assert entry == BudgetEntry(
        done.execution.execution_id, "b", "opus", Count(55, CLAIMED, 55, 55)
    )


def test_a_phase_has_what_was_deployed_in_it(record: Record, session: str) -> None:
    saved = bundles.save_bundle(record, bundle("b1", 100), session)
    done = record_deployment(record, session, bundle=saved.bundle, **BOUNDS)
    sessions.set_phase(record, session, 2)
    record_deployment(record, session, agent_type="b", scope="s", context_token_count=55, **BOUNDS)
    bundles.save_bundle(record, bundle("b2", 10), session)
    assert [*labels(record, session, 1).values()] == [used(record, done)]
    assert [*labels(record, session, 2).values()] == [55]
    assert labels(record, session, 3) == {}
    report = track_budget(record, session, **BOUNDS, phase=2)
    assert (report.phase, report.in_phase) == (2, Count(55, CLAIMED, 55, 55))
    assert report.to_dict()["phase_tokens"] == 55
    assert track_budget(record, session, **BOUNDS).in_phase is None
    assert track_budget(None, None, **BOUNDS, phase=2).in_phase is None


def test_the_budget_of_a_session_goes_before_that_of_the_settings(
    record: Record, session: str
) -> None:
    own = sessions.init_session(record, "s", project="p", budget=500).session_id
    assert load_session_budget(record, session, LIMITS).limits == LIMITS
    held = load_session_budget(record, own, LIMITS)
    assert (held.limits.budget, held.limits.output_reserve) == (500, 0)
    with pytest.raises(NotFoundError):
        load_session_budget(record, "none", LIMITS)
    assert track_budget(record, own, **BOUNDS).session.limit == 500
    assert track_budget(record, own, **BOUNDS, budget=70).session.limit == 70
    assert track_budget(None, own, **BOUNDS).session.limit == 10_000


def test_a_bundle_is_judged_beside_what_the_others_take() -> None:
    entries = tuple(BudgetEntry(name, "a", "", figure(4_000)) for name in ("b1", "b2"))
    budget = SessionBudget(LIMITS, entries)
    assert budget.taken_by_others().tokens == 8_000
    assert budget.taken_by_others("b1", None).tokens == 4_000
    assert budget.taken_by_others("b1", "b2") == ZERO
    gauge = budget.gauge
    assert (gauge.name, gauge.used.tokens, gauge.limit) == ("session budget", 8_000, 10_000)
    made, model = bundle("b1", 3_000), Model("m", window=3_100, family="v4.8")
    judged = budget.judge(made.total, model, agent_type="a", instead_of=["b1"])
    assert (judged.session.used.tokens, judged.agent.limit) == (7_000 + FRAME, 3_100)
    assert judged.others.tokens == 4_000
    assert budget.judge(made.total, model, agent_type="a").session.used.tokens == 11_000 + FRAME


def test_bundles_given_besides_count_as_they_are_given(record: Record, session: str) -> None:
    bundles.save_bundle(record, bundle("b1", 100), session)
    bundles.save_bundle(record, bundle("b2", 200), session)
    report = track_budget(
        record, session, [bundle("b2", 7_000), bundle("file", 40)], **BOUNDS, budget=8_000
    )
    assert [(entry.label, entry.count.tokens) for entry, _ in report.agents] == [
        ("b1", 106),
        ("b2", 7_006),
        ("file", 46),
    ]
    assert (report.session.used.tokens, report.status) == (7_158, "warning")
    told = report.to_dict()
    assert (told["session_id"], told["budget"], told["budget_remaining"]) == (session, 8_000, 842)
    assert (told["total_tokens"], told["percentage_used"]) == (7_158, 89.47)
    assert told["band"] == [7_155, 7_161]
    row = told["bundles"][1]
    assert (row["bundle_id"], row["tokens"], row["band"]) == ("b2", 7_006, [7_005, 7_007])
    assert (row["agent_limit"], row["ambient_tokens"]) == (load_catalogue().model("opus").window, 0)


def test_the_worst_gauge_is_the_status_of_all() -> None:
    small = load_catalogue({"small": {"window": 100, "family": "v4.8"}})
    report = track_budget(
        None, None, [bundle("b", 200, model="small")], catalogue=small, limits=LIMITS
    )
    assert (report.session.status, report.status) == ("ok", "over")
    report = track_budget(
        None, None, [bundle("b", 200)], catalogue=small, limits=LIMITS, budget=150
    )
    assert (report.agents[0][1].status, report.status) == ("ok", "over")


class Agents:
    """Agents of type ``lean`` ask for a small model."""

    def tokens(self, agent_type: str, model: Model) -> Count:
        return ZERO

    def model(self, agent_type: str) -> str:
        return "small" if agent_type == "lean" else ""

    def problems(self, agent_type: str) -> tuple[str, ...]:
        return ()


def test_an_agent_that_asks_for_a_model_has_the_limit_of_that() -> None:
    small = load_catalogue({"small": {"window": 100, "family": "v4.8"}})
    limits = Limits(output_reserve=0, agents=Agents())
    given = [bundle("b1", 50, agent_type="lean", model=""), bundle("b2", 50, agent_type="lean")]
    report = track_budget(None, None, given, catalogue=small, limits=limits)
    assert [gauge.limit for _, gauge in report.agents] == [100, small.model("opus").window]


def test_the_limits_of_a_session_are_its_own_and_change_by_statement(
    record: Record, session: str
) -> None:
    bundles.save_bundle(record, bundle("b1", 600), session)
    assert load_session_budget(record, session, LIMITS).gauge.status == "ok"
    changed = sessions.change_session(
        record, session, budget=1_000, warn_threshold=0.5, reserve=2_000
    )
    assert changed.budget == 1_000
    held = load_session_budget(record, session, LIMITS)
    assert (held.limits.budget, held.limits.output_reserve) == (1_000, 2_000)
    assert (held.limits.warn_threshold, held.gauge.status) == (0.5, "warning")
    window = load_catalogue().model("opus").window
    report = track_budget(record, session, **BOUNDS)
    assert report.agents[0][1].limit == window - 2_000
    assert track_budget(record, session, **BOUNDS, warn_threshold=0.8).session.status == "ok"
    sessions.change_session(record, session, budget=None, warn_threshold=None, reserve=None)
    assert load_session_budget(record, session, LIMITS).limits == LIMITS
    first, last = (e for e in journal.list_journal(record) if e.action == "set-budget")
    assert first.before == {"budget": None, "reserve": None, "warn_threshold": None}
    assert first.after == {"budget": 1_000, "reserve": 2_000, "warn_threshold": 0.5}
    assert (last.after, last.session_id) == (first.before, session)
    uid = sessions.get_session(record, session).uid
    assert read_registers(record, f"session:{uid}")["budget"].value is None


def test_one_threshold_of_its_own_takes_the_other_along(record: Record, session: str) -> None:
    sessions.change_session(record, session, critical_threshold=0.5)
    limits = load_session_budget(record, session, LIMITS).limits
    assert (limits.warn_threshold, limits.critical_threshold) == (0.5, 0.5)
    sessions.change_session(record, session, critical_threshold=None, warn_threshold=0.95)
    limits = load_session_budget(record, session, LIMITS).limits
    assert (limits.warn_threshold, limits.critical_threshold) == (0.95, 0.95)


def test_what_is_no_limit_is_refused_and_what_sql_left_is_passed_over(
    record: Record, session: str
) -> None:
    wrong = (
        sessions.SessionChanges(budget=0),
        sessions.SessionChanges(warn_threshold=1.5),
        sessions.SessionChanges(critical_threshold=0),
        sessions.SessionChanges(warn_threshold=0.9, critical_threshold=0.8),
        sessions.SessionChanges(reserve=-1),
        sessions.SessionChanges(scope=" "),
    )
    for changes in wrong:
        with pytest.raises(UsageError):
            sessions.change_session(record, session, **changes)
    before = record.value("SELECT count(*) FROM journal")
    sessions.change_session(record, session, scope=sessions.get_session(record, session).scope)
    assert record.value("SELECT count(*) FROM journal") == before
    record.execute("UPDATE sessions SET thresholds = '[1, \"x\"', reserve = 'much'")
    assert load_session_budget(record, session, LIMITS).limits == LIMITS


def test_another_scope_is_found_and_told(record: Record, session: str) -> None:
    record_deployment(record, session, agent_type="a", scope="own", **BOUNDS)
    sessions.change_session(record, session, scope="Quaternions all over")
    assert sessions.get_session(record, session).scope == "Quaternions all over"
    assert [hit.execution_id for hit in search(record, "quaternions").hits] == ["exec-001"]
    (entry,) = [e for e in journal.list_journal(record) if e.action == "set-scope"]
    assert (entry.before, entry.after) == ({"scope": "s"}, {"scope": "Quaternions all over"})


def test_what_nobody_counted_is_told_beside_the_sum(record: Record, session: str) -> None:
    bundles.save_bundle(record, bundle("b1", 100), session)
    for _ in range(2):
        record_deployment(record, session, agent_type="a", scope="s", **BOUNDS)
    record_deployment(record, session, agent_type="a", scope="s", context_token_count=5, **BOUNDS)
    gauge = load_session_budget(record, session, LIMITS).gauge
    assert (gauge.used.tokens, gauge.known, gauge.unknown) == (111, 2, 2)
    assert str(gauge).endswith("left (2 known, 2 without a count)")
    report = track_budget(record, session, **BOUNDS, phase=1)
    assert [entry.label for entry in report.uncounted] == ["exec-001", "exec-002"]
    told = report.to_dict()
    assert (told["known"], told["without_count"], told["phase_without_count"]) == (2, 2, 2)
    assert [row["tokens"] for row in told["bundles"]] == [106, 5, None, None]
    assert told["bundles"][2]["status"] == "without a count"
    assert told["bundles"][2].keys() == told["bundles"][0].keys()
    assert told["bundles"][2]["agent_type"] == "a"
    # what is deployed now takes the place of what was without a count
    budget = load_session_budget(record, session, LIMITS)
    model = load_catalogue().model("opus")
    judged = budget.judge(figure(7), model, agent_type="a", instead_of=["exec-001"])
    assert (judged.session.known, judged.session.unknown) == (3, 1)
    retract_execution(record, "exec-001", "a mistake")
    assert load_session_budget(record, session, LIMITS).gauge.unknown == 1


def test_a_session_that_was_changed_is_opened_again_as_it_was(
    record: Record, tmp_path: Path
) -> None:
    call: Any = {"project": str(tmp_path), "session_id": "s1", "budget": 500}
    sessions.init_session(record, "first", **call)
    sessions.change_session(record, "s1", scope="second", budget=900)
    again = sessions.init_session(record, "first", **call)
    assert (again.scope, again.budget) == ("second", 900)
    assert sessions.init_session(record, "second", project=str(tmp_path), session_id="s1") == again
    with pytest.raises(ConflictError, match="scope is 'second', not 'third'"):
        sessions.init_session(record, "third", **call)


def test_agents_have_limits_of_their_own(record: Record) -> None:
    session = sessions.init_session(
        record, "Make it small", session_id="small", project="/p"
    ).session_id
    model = load_catalogue().model("sonnet")

    def limit_of(agent_type: str) -> int:
        limits = resolve_limits(record, session, Limits())
        return compute_agent_limit(model, limits, agent_type)

    whole = limit_of("Explore")
    sessions.change_session(record, session, agent_limits={"*": 20_000, "Explore": 5_000})
    assert (limit_of("tester"), limit_of("Explore")) == (20_000, 5_000)
    sessions.change_session(record, session, agent_limits={"Explore": whole + 1})
    assert limit_of("Explore") == whole  # no window grows by it
    sessions.change_session(record, session, budget=9_000, agent_limits={"*": None})
    assert sessions.read_limits(record, session)["agent_limits"] == {"Explore": whole + 1}
    change_history.undo_change(record, session)
    assert sessions.read_limits(record, session)["agent_limits"]["*"] == 20_000
    with pytest.raises(UsageError, match="a limit of 0 tokens for 'tester'"):
        sessions.change_session(record, session, agent_limits={"tester": 0})
