"""The line under a briefing that names its deployment."""

from __future__ import annotations

import pytest

from orch_tui.prepare.marker import find_marker, remove_marker, render_marker

UID, OTHER = "0123456789abcdef" * 2, "fedcba9876543210" * 2


@pytest.mark.parametrize("around", ["{}", "Please do this:\n\n{}\nThank you.", "{}\n\n\n"])
def test_a_marker_is_found_whatever_was_put_around_the_briefing(around: str) -> None:
    prompt = around.format(f"# Task\n\nDo it.{render_marker(UID)}")
    assert find_marker(prompt) == UID
    assert "orch" not in remove_marker(prompt)
    assert remove_marker(prompt).split() == around.format("# Task\n\nDo it.").split()


def test_the_marker_of_a_quoted_briefing_is_not_that_of_the_prompt() -> None:
    quoted = f"What another was told:\n\n> Do that.{render_marker(OTHER)}\nDo it better."
    prompt = quoted + render_marker(UID)
    assert find_marker(prompt) == UID
    assert remove_marker(prompt) == f"{quoted}\n"


@pytest.mark.parametrize(
    "prompt",
    ["", "Do it.", "<!-- orch -->", f"<!-- orch {UID[1:]} -->", " " * 1_000_000],
    ids=["empty", "none", "without a uid", "short", "blanks"],
)
def test_other_comments_are_no_markers(prompt: str) -> None:
    assert find_marker(prompt) is None
    assert remove_marker(prompt) == prompt
