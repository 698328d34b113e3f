"""The outcome that is proposed for a return, by what its message says."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from orch_tui.record.messages.admitted_failures import find_admitted_failure
from orch_tui.record.messages.message_lines import read_lines
from orch_tui.record.messages.proposed_outcome import find_failure, propose_outcome
from orch_tui.record.pasted_words import read_pasted_return

MESSAGES = Path(__file__).parents[1] / "fixtures" / "final_messages"
ADMITTED = {
    *("refusal", "partial-success", "failure-report", "failing-ci", "environment-trouble"),
    *("blocked", "failed-partly", "agent-failed", "partial-failure", "suggested-diff-only"),
    *("excuse-no-access", "blocked-partway", "blocked-with-question", "cannot-access"),
    *("refusal-scope", "failed-honestly"),
}


def admitted(text: str) -> str | None:
    return find_admitted_failure(read_lines(text).lines)


@pytest.mark.parametrize(
    "text",
    [
        "❌ **Failed** — the index loses words",
        "## Result: FAILED\n\nMore.",
        "Done so far:\n\n- a\n- b\n- c\n- d\n- e\n- f\n- g\n\nStatus: blocked\n\na\n\nb\n\nc\n\nd",
        "I'm sorry, but I can't help with that request.",
        "I won't do this: it would delete the bucket.",
        "The task failed: no database.",
        "This did not work. The tokenizer still drops apostrophes.",
        "Unable to complete: missing credentials.",
        "I was unable to complete this. `make` failed before any of my changes.",
        "I gave up after three attempts.",
        "Die Aufgabe ist fehlgeschlagen.",
        "Ich konnte die Aufgabe nicht abschließen.",
        "Je n'ai pas pu terminer la tâche.",
        "No pude terminar la tarea.",
    ],
)
def test_an_agent_that_says_it_failed_is_believed(text: str) -> None:
    assert admitted(text)


@pytest.mark.parametrize(
    "text",
    [
        "I couldn't find any problems. All tests pass.",
        "Failed tests are fixed now.",
        "Failed: 0, Passed: 18",
        "Done: `a.py`\nNot done: `b/c.py`",
        "Failure modes are documented in docs/x.md.",
        "I fixed the bug that could not be reproduced.",
        "```\nI could not finish.\n```\nDone.",
        "",
    ],
)
def test_words_about_failures_are_none(text: str) -> None:
    assert admitted(text) is None


def test_of_real_reports_those_say_so_that_mean_it() -> None:
    texts = [
        (message["name"], message["text"])
        for file in sorted(MESSAGES.glob("*.toml"))
        for message in tomllib.loads(file.read_text())["message"]
    ]
    assert {name for name, text in texts if admitted(text)} == ADMITTED


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("API Error: 529 overloaded", "it ended with an API error: API Error: 529 overloaded"),
        ("Agent terminated early due to an API error: rate limited\n\nPart", "rate limited"),
        ("NOTE: this agent stopped at its 9-turn limit\n\nPart", "limit of 9 turns"),
        ("I could not finish: the index is locked.", "I could not finish: the index is locked."),
    ],
)
def test_a_failure_is_proposed_with_its_reason(text: str, reason: str) -> None:
    proposed = propose_outcome(find_failure(read_pasted_return(text)), [("tests", "pass")])
    assert proposed.status == "failed" and reason in proposed.reason and proposed.because


def test_checks_decide_where_the_message_does_not() -> None:
    failed = propose_outcome(None, [("tests", "pass"), ("lint", "fail"), ("format", "FAIL")])
    assert (failed.status, failed.reason) == ("failed", "checks failed: lint, format")
    assert propose_outcome(None, [("coverage", "84")]).status == "completed"
    assert propose_outcome(None, []).because == ""
