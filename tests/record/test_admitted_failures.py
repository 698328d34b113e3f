"""A message that says itself that the work failed."""

from __future__ import annotations

import pytest

from orch_tui.record.messages.admitted_failures import find_admitted_failure
from orch_tui.record.messages.message_lines import read_lines


def admitted(text: str) -> str | None:
    return find_admitted_failure(read_lines(text).lines)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("I could not finish the migration.", "I could not finish the migration."),
        (
            "**Status: failed** because the disk is full.",
            "Status: failed because the disk is full.",
        ),
        ("Task failed: no network.", "Task failed: no network."),
        ("I was unable to build it.\n\nMore follows.", "I was unable to build it."),
        ("I gave up after three tries.", "I gave up after three tries."),
        ("- Result: incomplete", "Result: incomplete"),
        ("All is read. I still cannot run the tests.", "I still cannot run the tests."),
        ("Die Aufgabe ist fehlgeschlagen.", "Die Aufgabe ist fehlgeschlagen."),
        ("\n".join([*("One line." for _ in range(9)), "It did not work."]), "It did not work."),
        ("\n".join([*("One line." for _ in range(9)), "Status: blocked"]), "Status: blocked"),
    ],
)
def test_what_an_agent_says_of_its_failure_is_found(text: str, said: str) -> None:
    assert admitted(text) == said


@pytest.mark.parametrize(
    "text",
    [
        "",
        "All done.",
        "Fixed the bug: the build could not run before.",
        "I could not find any problem.",
        "2 tests failed before, none now.",
        "Failed tests: 0",
        "```\nTask failed: no network\n```\nis what it prints.",
        # in the middle of a long report, and without a label
        "\n".join(
            [*("One line." for _ in range(5)), "It did not work.", *("More." for _ in range(5))]
        ),
        "\n".join([*("One line." for _ in range(5)), "Failed.", *("More." for _ in range(5))]),
    ],
)
def test_what_tells_of_something_else_is_not(text: str) -> None:
    assert admitted(text) is None


def test_a_long_sentence_is_shown_from_its_beginning() -> None:
    found = admitted(f"I could not finish {'very ' * 60}much.")
    assert found is not None and len(found) == 160 and found.endswith("…")
