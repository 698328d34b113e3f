"""Budget arithmetic: limits, statuses, what is left, and saying no."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest

from orch_tui.errors import OverBudgetError
from orch_tui.prepare.budget import (
    Limits,
    compute_agent_limit,
    gauge_limit,
    judge_count,
    sum_by_priority,
)
from orch_tui.prepare.catalogue import Model
from orch_tui.prepare.count import ZERO, Count, describe_known

MODEL = Model("small", window=100_000, family="v3")
LIMITS = Limits(budget=50_000, output_reserve=20_000)


@dataclass
class Item:
    count: Count
    priority: str = "required"
    is_pointed_to: bool = False


class Reviewers:
    """An agent of any type has 5,000 tokens, give or take, before it is handed anything."""

    def tokens(self, agent_type: str, model: Model) -> Count:
        return Count(4_500, "e~", 4_000, 5_000)

    def model(self, agent_type: str) -> str:
        return ""

    def problems(self, agent_type: str) -> tuple[str, ...]:
        return ()


def exact(tokens: int) -> Count:
    return Count(tokens, "e", tokens, tokens)


@pytest.mark.parametrize(
    ("tokens", "status"),
    [
        (0, "ok"),
        (37_499, "ok"),
        (37_500, "warning"),
        (44_999, "warning"),
        (45_000, "critical"),
        (50_000, "critical"),
        (50_001, "over"),
    ],
)
def test_status_at_the_thresholds(tokens: int, status: str) -> None:
    assert gauge_limit("session budget", exact(tokens), 50_000, LIMITS).status == status


def test_an_estimate_is_judged_by_its_upper_end_and_what_is_left_by_its_middle() -> None:
    near = gauge_limit("session budget", Count(46_000, "e~", 44_000, 51_000), 50_000, LIMITS)
    assert (near.status, near.remaining, near.share) == ("over", 4_000, 1.02)


def test_the_agent_gets_its_window_less_reserve_and_ambient_context() -> None:
    assert compute_agent_limit(MODEL, LIMITS) == 80_000
    with_ambient = replace(LIMITS, agents=Reviewers())
    assert compute_agent_limit(MODEL, with_ambient, "reviewer") == 75_000
    judged = judge_count(exact(30_000), MODEL, with_ambient, agent_type="reviewer").agent
    assert (judged.limit, judged.remaining) == (75_000, 45_000)
    assert str(judged).endswith("45,000 left (besides ~4,500 ±11 % ambient)")
    assert compute_agent_limit(MODEL, Limits(output_reserve=200_000)) == 0
    assert gauge_limit("agent limit", exact(1), 0, LIMITS).status == "over"


def test_of_no_limit_at_all_anything_is_more_than_any_share() -> None:
    assert gauge_limit("agent limit", exact(1), 0, LIMITS).share == float("inf")
    assert gauge_limit("agent limit", exact(1), 1, LIMITS).share == 1.0


def test_totals_name_every_priority() -> None:
    named = Item(exact(900), is_pointed_to=True)  # it is not handed over
    items = [Item(exact(5)), Item(exact(7), "optional"), Item(exact(2)), named]
    assert sum_by_priority(items) == {
        "required": exact(7),
        "recommended": ZERO,
        "optional": exact(7),
    }


def test_a_bundle_counts_alone_for_its_agent_and_with_the_others_for_the_session() -> None:
    judgement = judge_count(exact(30_000), MODEL, LIMITS, session_used=exact(15_000))
    assert (judgement.agent.used.tokens, judgement.agent.status) == (30_000, "ok")
    assert (judgement.session.used.tokens, judgement.session.status) == (45_000, "critical")
    assert judgement.status == "critical"
    judgement.require_fit()


def test_over_a_limit_is_refused_with_the_figures_and_what_could_go() -> None:
    items = [Item(exact(40_000)), Item(Count(12_000, "e", 11_000, 13_000), "optional")]
    with pytest.raises(OverBudgetError) as refused:
        judge_count(items[0].count + items[1].count, MODEL, LIMITS, items=items).require_fit()
    assert refused.value.message == (
        "session budget: ~52,000 ±2 % of 50,000 tokens, over by up to 3,000"
    )
    assert "~12,000 ±8 % optional" in refused.value.hint
    items.insert(1, Item(exact(300), "recommended"))
    with pytest.raises(OverBudgetError) as refused:
        judge_count(exact(52_300), MODEL, LIMITS, items=items).require_fit()
    assert "300 recommended, ~12,000 ±8 % optional" in refused.value.hint


def test_required_items_alone_over_a_limit_leave_nothing_to_drop() -> None:
    with pytest.raises(OverBudgetError, match=r"agent limit.*over by 10,000;.*session") as refused:
        judge_count(exact(90_000), MODEL, LIMITS, items=[Item(exact(90_000))]).require_fit()
    assert "everything is required" in refused.value.hint


def test_a_gauge_reads_in_plain_words() -> None:
    estimate = Count(20_000, "e", 19_000, 21_000)
    assert str(gauge_limit("session budget", estimate, 50_000, LIMITS)) == (
        "session budget: ~20,000 ±5 % of 50,000 tokens, ok, about 30,000 left"
    )
    assert str(gauge_limit("agent limit", exact(45_000), 50_000, LIMITS)) == (
        "agent limit: 45,000 of 50,000 tokens, critical, 5,000 left"
    )
    partly = replace(gauge_limit("s", exact(1), 50_000, LIMITS), known=2, unknown=3)
    assert str(partly) == f"s: 1 of 50,000 tokens, ok, 49,999 left ({describe_known(2, 3)})"
    assert "(" not in str(replace(partly, unknown=0))
