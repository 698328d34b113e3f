"""What is learned from runs about estimates: enough of them, medians, never put into one."""

from __future__ import annotations

import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orch_tui.models.database import Record
from orch_tui.prepare.budget import Limits
from orch_tui.prepare.bundle import Bundle, ContextItem
from orch_tui.prepare.catalogue import Catalogue, load_catalogue
from orch_tui.prepare.count import ZERO, Count
from orch_tui.recall import estimate_corrections
from orch_tui.recall.estimate_corrections import (
    Correction,
    Start,
    describe_correction,
    find_correction,
    learn_corrections,
)
from orch_tui.recall.insights import gather_insights, gather_run_starts
from orch_tui.recall.insights.run_starts import Deviation
from orch_tui.record.deployment import record_deployment
from orch_tui.record.executions import retract_execution
from orch_tui.record.ledger.ingest import Report, ingest_statement
from orch_tui.record.ledger.statement import Used
from orch_tui.record.ledger.usage import MessageUse, price_messages
from orch_tui.record.sessions import init_session

MODEL = "claude-sonnet-5-5"


def starts(*figures: tuple[int, int], model: str = MODEL) -> list[Start]:
    return [Start(model, estimated, real) for estimated, real in figures]


@given(st.lists(st.integers(-(10**6), 10**6), min_size=2, max_size=40))
def test_quartiles_are_those_of_the_standard_library(values: list[int]) -> None:
    low, middle, high = statistics.quantiles(values, n=4, method="inclusive")
    assert estimate_corrections._quartiles(values) == (low, middle, high)


def test_two_runs_are_not_enough() -> None:
    assert learn_corrections(starts((1, 2), (3, 4))) == ()


def test_bundles_of_one_size_tell_only_what_comes_besides() -> None:
    (found,) = learn_corrections(starts((5_000, 17_100), (5_010, 17_010), (5_020, 17_420)))
    assert found == Correction(MODEL, 3, 1.0, 1.0, 1.0, 12_100, 12_050, 12_250)
    assert found.of(5_000) == 17_100
    assert str(found) == "12,100 tokens (12,050 to 12,250) besides the estimated ones"


@given(
    st.lists(st.integers(0, 200).map(lambda k: 2_000 * k), min_size=3, max_size=12, unique=True),
    st.floats(0.8, 1.3),
    st.integers(0, 40_000),
)
def test_what_follows_a_line_is_found_whatever_the_sizes(
    sizes: list[int], factor: float, besides: int
) -> None:
    (found,) = learn_corrections(
        starts(*((size, round(factor * size) + besides) for size in sizes))
    )
    assert found.factor == pytest.approx(factor, abs=0.002)
    assert found.besides == pytest.approx(besides, abs=0.002 * max(sizes) + 2)
    assert found.factor_low <= found.factor <= found.factor_high
    assert found.besides_low <= found.besides <= found.besides_high


def test_one_run_that_went_another_way_changes_little() -> None:
    figures = [(size, size + 10_000) for size in range(2_000, 20_000, 2_000)]
    (found,) = learn_corrections(starts(*figures, (3_000, 900_000)))
    assert found.factor == pytest.approx(1, abs=0.01)
    assert found.besides == pytest.approx(10_000, rel=0.01)


def test_a_model_by_several_names_is_one() -> None:
    some = starts((1, 2), model="sonnet") + starts((1, 2), (1, 3))
    (found,) = learn_corrections(some, lambda name: load_catalogue().model(name).model_id)
    assert (found.model, found.n) == (MODEL, 3)


def test_remarks_name_the_runs_their_spread_and_what_it_comes_to() -> None:
    found = Correction(MODEL, 7, 1.05, 1.01, 1.08, 12_000, 11_500, 12_400)
    assert describe_correction(found, Count(100_000, "claude-v4.8~1", 99_900, 100_100)) == (
        "learned, not counted in: 7 runs of claude-sonnet-5-5 began with 12,000 tokens "
        "(11,500 to 12,400) and 1.05 (1.01 to 1.08) for each estimated one; "
        "this one would with 117,000"
    )


def run(record: Record, session: str, tokens: int, real: int, estimator: str) -> str:
    """A deployment of so many tokens, whose first request held ``real`` ones."""
    of_claude = estimator.startswith("claude-")
    item = ContextItem("file", f"{tokens}.py", "required", (), b"%d" % tokens, ZERO)
    bundle = Bundle(f"b-{tokens}-{estimator}", "Explore", "scope", (item,), "", "2026-11-22")
    label = record_deployment(
        record,
        session,
        catalogue=load_catalogue(),
        limits=Limits(budget=10**7),
        agent_type="Explore",
        bundle=bundle if of_claude else None,
        context_token_count=tokens,
    ).execution.execution_id
    with record.write():
        record.execute(
            "UPDATE agent_executions SET context_token_count = ? WHERE execution_id = ?",
            [tokens, label],
        )
        uses = [
            MessageUse(f"{label}-late", "2026-11-22T11:00", MODEL, 9, 9, 0, 999_999, 9),
            MessageUse(f"{label}-first", "2026-11-22T10:00", MODEL, 10, real - 110, 0, 100, 9),
            MessageUse(f"result:{label}", "", MODEL, 1, 1, 0, 1, 9),
        ]
        put(record, label, uses, load_catalogue())
    return label


def test_the_first_requests_of_recorded_runs_are_compared(record: Record) -> None:
    session = init_session(record, "scope", project="/p").session_id
    assert find_correction(record, load_catalogue(), "sonnet") is None
    for tokens in (4_000, 8_000, 16_000):
        run(record, session, tokens, tokens + 12_000, "claude-v4.8~1")
    run(record, session, 1_000, 900_000, "claimed")  # nobody knows by what; another vendor's tokens
    retract_execution(
        record, run(record, session, 2_000, 900_000, "claude-v4.8"), "it was a mistake"
    )
    found = find_correction(record, load_catalogue(), "sonnet")
    assert found == Correction(MODEL, 3, 1.0, 1.0, 1.0, 12_000, 12_000, 12_000)
    assert find_correction(record, load_catalogue(), "opus") is None
    assert gather_insights(record).corrections == (found,)


def test_runs_are_set_against_what_was_estimated_and_apart_from_it_what_was_learned(
    record: Record,
) -> None:
    session = init_session(record, "scope", project="/p").session_id
    plain = [
        run(record, session, tokens, tokens + 12_000, "claude-v4.8~1")
        for tokens in (4_000, 8_000, 16_000, 24_000)
    ]
    odd = run(record, session, 20_000, 64_000, "claude-v4.8~1")
    run(record, session, 1_000, 900_000, "claimed")
    found = gather_run_starts(record)
    assert found.n == 6
    assert {each.execution_id for each in found.runs} == {odd, *plain}
    first = found.runs[0]
    assert (first.execution_id, first.estimated, first.used) == (odd, 20_000, 64_000)
    assert (first.learned, first.is_far) == (32_000, True)
    assert first.off_estimate == pytest.approx(2.2)
    assert first.off == first.off_learned == pytest.approx(1)
    assert not any(each.is_far for each in found.runs[1:])
    assert found.off_learned == Deviation(5, 0, first.off)
    assert found.off_estimate is not None
    assert found.off_estimate.median == pytest.approx(1.5)
    assert found.off_estimate.within == pytest.approx(3)


def test_too_few_runs_of_a_model_are_set_against_the_estimate_alone(record: Record) -> None:
    session = init_session(record, "scope", project="/p").session_id
    run(record, session, 10_000, 11_000, "claude-v4.8~1")
    (only,) = (found := gather_run_starts(record)).runs
    assert only.learned is None
    assert only.off == only.off_estimate == pytest.approx(0.1)
    assert found.off_learned is None


def test_only_the_latest_runs_tell(record: Record, monkeypatch: pytest.MonkeyPatch) -> None:
    session = init_session(record, "scope", project="/p").session_id
    for number, besides in enumerate((90_000, 90_000, 12_000, 12_000, 12_000)):
        run(record, session, 4_000 + number, 4_000 + number + besides, "claude-v4.8")
    monkeypatch.setattr(estimate_corrections, "LATEST", 3)
    found = find_correction(record, load_catalogue(), "sonnet")
    assert found is not None and (found.n, found.besides_high) == (3, 12_000)
    monkeypatch.setattr(estimate_corrections, "WALKED", 2)
    assert find_correction(record, load_catalogue(), "sonnet") is None


def test_a_request_that_several_runs_claim_began_neither_for_sure(record: Record) -> None:
    session = init_session(record, "scope", project="/p").session_id
    labels = [run(record, session, n, n + 12_000, "claude-v4.8") for n in (4_000, 8_000, 9_000)]
    with record.write():
        use = MessageUse(f"{labels[0]}-first", "2026-11-22T10:00", MODEL, 1, 1, 0, 1, 1)
        put(record, labels[1], [use], load_catalogue())
    assert find_correction(record, load_catalogue(), "sonnet") is None


def test_what_did_not_hold_what_was_counted_tells_nothing(record: Record) -> None:
    session = init_session(record, "scope", project="/p").session_id
    labels = [run(record, session, n, n + 12_000, "claude-v4.8") for n in (4_000, 8_000, 9_000)]
    run(record, session, 30_000, 3_500, "claude-v4.8")  # it had to read what was counted
    found = find_correction(record, load_catalogue(), "sonnet")
    assert found is not None and (found.n, found.besides_low) == (3, 12_000)
    with record.write():  # of an earlier orch: its items alone were counted
        record.execute(
            "UPDATE bundle_versions SET template_tokens = NULL WHERE version_id = "
            "(SELECT bundle_version_id FROM agent_executions WHERE execution_id = ?)",
            [labels[0]],
        )
    assert find_correction(record, load_catalogue(), "sonnet") is None


def put(record: Record, execution_id: str, uses: list[MessageUse], prices: Catalogue) -> None:
    """Record what a run used."""
    used = Used(messages=price_messages(uses, prices))
    ingest_statement(record, Report([f"id:{execution_id}"], used, source="import"))
