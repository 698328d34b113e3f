"""How runs ended, in a line each."""

from __future__ import annotations

from pathlib import Path

import pytest

from orch_tui.models.database import Record
from orch_tui.prepare.catalogue import load_catalogue
from orch_tui.recall.run_endings import (
    RunEnding,
    find_first_words,
    list_returned_since,
    read_endings,
)
from orch_tui.record.completion import record_completion
from orch_tui.record.executions import retract_execution
from orch_tui.record.outputs import collect_outputs
from tests.recall.test_overview import open_session, run


@pytest.fixture
def session(record: Record) -> str:
    return open_session(record, "s")


def ending(record: Record, label: str) -> RunEnding:
    return read_endings(record, [label], load_catalogue())[label]


def test_a_failure_tells_its_reason_and_a_success_its_first_words(
    record: Record, session: str
) -> None:
    failed, done, waiting = (run(record, session) for _ in range(3))
    record_completion(
        record, failed, status="failed", error_message="no room", final_message="I stop here"
    )
    record_completion(record, done, final_message="# Report\n\n**It** is `found`.\n")
    assert (ending(record, failed).words, ending(record, failed).returns) == ("no room", 1)
    assert ending(record, done).words == "It is found."
    assert (ending(record, waiting).words, ending(record, waiting).returns) == ("", 0)
    assert ending(record, waiting).status == "deployed"
    assert ending(record, done).filled is None and ending(record, done).context is None
    assert read_endings(record, ["nobody"], load_catalogue()) == {}


@pytest.mark.parametrize(
    ("message", "words"),
    [
        ("", ""),
        ("\n---\n\n***\n", ""),
        ("# Only a heading", "Only a heading"),
        ("# One\n## Two", "One"),
        ("> quoted\nsaid", "quoted"),
        ("\n- `a.py`: made", "a.py: made"),
        ("完了しました。\n", "完了しました。"),
    ],
)
def test_the_first_words_are_of_a_line_that_says_something(message: str, words: str) -> None:
    assert find_first_words(message) == words


def test_what_returned_since_is_listed_newest_first(record: Record, session: str) -> None:
    before, first, second, taken_back = (run(record, session) for _ in range(4))
    record_completion(record, before, final_message="early")
    for label in (first, second, taken_back):
        record_completion(record, label, final_message="later")
    since = ending(record, first).completed_at or ""
    retract_execution(record, taken_back, "by mistake")
    run(record, session)
    assert list_returned_since(record, since, None) == [second, first]
    assert list_returned_since(record, since, ("/p",)) == [second, first]
    assert list_returned_since(record, since, ("/elsewhere",)) == []


def test_a_check_that_failed_is_told_until_it_passes(record: Record, session: str) -> None:
    label = run(record, session)
    record_completion(record, label, final_message="It is done.")
    collect_outputs(record, label, root=Path(), validation={"tests": "fail", "lint": "pass"})
    assert ending(record, label).failed_checks == ("tests",)
    collect_outputs(record, label, root=Path(), validation={"tests": "pass"})
    assert ending(record, label).failed_checks == ()
