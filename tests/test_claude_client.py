"""How Claude Code names its releases."""

from __future__ import annotations

import pytest

from orch_tui.claude_client import parse_release


@pytest.mark.parametrize(
    ("text", "release"),
    [
        ("2.1.332", (2, 1, 332)),
        ("2.1.332-beta.1", (2, 1, 332)),
        ("10.0.0", (10, 0, 0)),
        ("", None),
        ("2.1", None),
        ("v2.1.332", None),
        ("2.1.x", None),
        ("9" * 5000 + ".1.1", None),
    ],
)
def test_a_release_is_compared_by_its_numbers(
    text: str, release: tuple[int, int, int] | None
) -> None:
    assert parse_release(text) == release
