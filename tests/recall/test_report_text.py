"""The facts of a report in words: what is not recorded is said so, and no fact is markup."""

from __future__ import annotations

from typing import Any

import pytest

from orch_tui.recall.report_text import clean_values, render_placeholders

AT = "2026-11-22T10:00:00.000Z"


def known(**told: Any) -> dict[str, Any]:
    """The facts of a session of which next to nothing is recorded."""
    nothing = dict.fromkeys(
        (
            *("agents", "deliverable_states", "superseded_deliverables"),
            *("gates", "next_steps", "insights", "errors"),
        ),
        (),
    )
    changes = dict.fromkeys(
        ("created", "modified", "not_known", "tests_added", "tests_not_known"), 0
    )
    return {
        **nothing,
        "changes": {**changes, "docs": []},
        "coverage": {"actual": {}, "target": None},
        "evidence": "none",
        "budget": {"text": "0 of 10 tokens"},
        "overflows": [],
        "skipped_gates": [],
        "session": {"session_id": "s", "scope": "a scope", "phase": None},
        "status": None,
        **told,
    }


def agent(**told: Any) -> dict[str, Any]:
    return {
        "agent_type": "Explore",
        "execution_id": "exec-001",
        "scope": "look",
        "outcome": "completed",
        "superseded": False,
        "unverified": None,
        "requested_model": "opus",
        "resolved_model": None,
        "context_token_count": 15_000,
        "estimator": "claimed",
        "deployed_at": AT,
        "completed_at": None,
        "duration_ms": None,
        **told,
    }


def told_of(**facts: Any) -> str:
    return render_placeholders(known(agents=[agent(**facts)]))["agent_summaries"]


def test_what_is_not_recorded_is_said_so() -> None:
    words = render_placeholders(known())
    assert words["session_line"] == "s: a scope (not recorded, phase ?)"
    assert words["coverage_actual"] == words["coverage_target"] == "not recorded"
    assert words["agent_summaries"] == words["error_list"] == "- none recorded"
    assert words["recommended_actions"] == "- nothing follows from what is recorded"
    assert (words["docs_updated"], words["files_created_count"]) == ("none", "0")
    assert words["budget_status"] == "- 0 of 10 tokens"


def test_an_agent_is_told_with_what_it_was_given_and_how_long_it_took() -> None:
    assert told_of() == (
        "- **Explore** (exec-001): look\n"
        "  completed; model not recorded (asked for: opus); given 15,000 tokens (claimed); "
        "deployed 2026-11-22 10:00"
    )
    bare = told_of(
        scope=None,
        requested_model=None,
        context_token_count=None,
        deployed_at=None,
        superseded=True,
    )
    assert bare == (
        "- **Explore** (exec-001): scope not recorded\n"
        "  completed, superseded by a later attempt; model not recorded; "
        "tokens given not recorded; deployed not recorded"
    )
    zero = told_of(context_token_count=0, estimator=None)
    assert "given 0 tokens (estimator not recorded)" in zero


def test_the_model_that_ran_is_told_where_it_is_another() -> None:
    assert "model haiku (asked for: opus);" in told_of(resolved_model="haiku")
    assert "(ran" not in told_of(resolved_model="opus")


@pytest.mark.parametrize(
    ("milliseconds", "words"),
    [
        (0, "0s"),
        (499, "0s"),
        (59_400, "59s"),
        (60_000, "1m00s"),
        (3_599_000, "59m59s"),
        (3_600_000, "1h00m"),
        (90_061_000, "25h01m"),
        (363_600_000, "4d05h"),
    ],
)
def test_a_time_that_passed_is_told_in_its_two_largest_units(milliseconds: int, words: str) -> None:
    line = told_of(completed_at=AT, duration_ms=milliseconds)
    assert line.endswith(f"returned 2026-11-22 10:00 after {words}")


def test_without_a_duration_the_return_alone_is_told() -> None:
    assert told_of(completed_at=AT).endswith("returned 2026-11-22 10:00")


def test_counts_that_are_not_known_are_not_zero() -> None:
    changes = {"created": 0, "modified": 3, "not_known": 2, "tests_added": 1, "tests_not_known": 0}
    words = render_placeholders(known(changes={**changes, "docs": ["a.md", "b`.md"]}))
    assert words["files_created_count"] == "not known (2 files)"
    assert words["files_modified_count"] == "3 (and 2 not known)"
    assert words["tests_added_count"] == "1"
    assert words["docs_updated"] == "`a.md`, `` b`.md ``"


def test_coverage_is_a_range_from_the_least_to_the_most() -> None:
    actual = {"exec-002": 90, "exec-001": 85.5, "exec-003": 88}
    words = render_placeholders(known(coverage={"actual": actual, "target": 80}))
    assert (words["coverage_actual"], words["coverage_target"]) == ("85.5 to 90 %", "80 %")
    same = render_placeholders(known(coverage={"actual": {"a": 90, "b": 90.0}, "target": None}))
    assert same["coverage_actual"] == "90 %"


def test_deliverables_gates_and_findings_name_their_runs() -> None:
    states = [
        {"path": "a.py", "state": "changed", "execution_id": "exec-001", "found": False}
        | {"lines_added": 3, "lines_modified": None},
        {"path": "b.py", "state": "missing", "execution_id": "exec-002", "found": False}
        | {"lines_added": None, "lines_modified": None},
    ]
    gates = [
        {"gate": "lint", "result": "mixed"}
        | {"executions": {"pass": ["exec-001"], "fail": ["exec-002", "exec-003"]}},
        {"gate": "tests", "result": "not recorded", "executions": {}},
    ]
    insights = [{"text": "one\ntwo", "execution_ids": ["exec-001"], "found": False}]
    words = render_placeholders(known(deliverable_states=states, gates=gates, insights=insights))
    assert words["deliverable_list_with_locations"] == (
        "- `a.py`: 3 lines added, 0 modified; changed (exec-001)\n"
        "- `b.py`: lines not recorded; missing (exec-002)"
    )
    assert words["gate_results"] == (
        "- lint: mixed (pass: exec-001; fail: exec-002, exec-003)\n- tests: not recorded"
    )
    assert words["insight_list"] == "- one two (exec-001)"


def test_overflows_and_skipped_gates_are_told_with_their_reason() -> None:
    words = render_placeholders(
        known(
            overflows=[{"execution_id": "exec-001", "reason": "it *must*"}]
            + [{"execution_id": "exec-002", "reason": ""}],
            skipped_gates=[{"gate": "planned", "phase": 3, "at": AT, "actor": "me"}],
        )
    )
    assert words["budget_status"].splitlines()[1:] == [
        r"- overflow allowed for exec-001: it \*must\*",
        "- overflow allowed for exec-002: no reason recorded",
    ]
    assert words["skipped_gate_list"] == ("- planned (on the way to phase 3, 2026-11-22 10:00, me)")


def test_no_fact_is_markup_or_a_terminal_code() -> None:
    words = render_placeholders(known(next_steps=["[a](b) <i> `c` | \\ \x1b[0m\x9b \ud800"]))
    assert words["recommended_actions"] == (
        r"- \[a\](b) \<i\> \`c\` \| \\ "
        + "\N{REPLACEMENT CHARACTER}\\[0m\N{REPLACEMENT CHARACTER} ?"
    )


def test_values_lose_terminal_codes_however_deep_they_lie() -> None:
    value = {"k\x1b": ["&", ("\x9b", {"n": 1, "none": None, "yes": True})]}
    gone = "\N{REPLACEMENT CHARACTER}"
    assert clean_values(value) == {f"k{gone}": ["&", [gone, {"n": 1, "none": None, "yes": True}]]}
