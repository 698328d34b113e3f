"""Which final messages are no report, and why."""

from __future__ import annotations

import pytest

from orch_tui.record.ledger.doubt import (
    EMPTY,
    doubt_of_missing,
    doubt_of_stop,
    doubt_of_text,
)


@pytest.mark.parametrize(
    ("text", "doubt"),
    [
        ("", EMPTY),
        (" \n\t", EMPTY),
        ("API Error: 500", "it ended with an API error: API Error: 500"),
        ("API Error: 429", "it ended with a rate limit: API Error: 429"),
        ("** rate limit reached", "it ended with a rate limit: ** rate limit reached"),
        ("5-hour limit reached", "it ended with a rate limit: 5-hour limit reached"),
        (
            "You’ve hit your weekly limit",
            "it ended with a rate limit: You’ve hit your weekly limit",
        ),
        ("Prompt is\ntoo long", None),
        ("Prompt is too long", "it ended with an API error: Prompt is too long"),
        ("Error: a\nb\nc\nd", "it ended with an API error: Error: a b c d"),
        ("Error: a\nb\nc\nd\ne", None),
        ("API Errors are handled", None),
        ("I handled the API Error", None),
        ("API Error " + "x" * 1989, "it ended with an API error: API Error " + "x" * 110),
        ("API Error " + "x" * 1990, None),
    ],
)
def test_a_message_that_begins_as_an_error_is_no_report(text: str, doubt: str | None) -> None:
    assert doubt_of_text(text) == doubt


@pytest.mark.parametrize(
    ("paths", "doubt"),
    [
        ([], None),
        ([""], None),
        (["a.py"], "missing when it was collected: a.py"),
        (["a.py", "b.py"], "missing when it was collected: a.py and 1 more"),
        (["a.py", "b.py", "c.py"], "missing when it was collected: a.py and 2 more"),
    ],
)
def test_the_first_of_the_missing_files_is_named(paths: list[str], doubt: str | None) -> None:
    assert doubt_of_missing(iter(paths)) == doubt


def test_an_answer_that_was_cut_off_is_not_whole() -> None:
    assert doubt_of_stop("max_tokens") == "cut off: it reached the limit of its output"
    assert doubt_of_stop("refusal") == "the model refused"
    for whole in (None, "", "end_turn", "stop_sequence", "tool_use"):
        assert doubt_of_stop(whole) is None
