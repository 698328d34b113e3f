"""How many lines an edit adds and removes."""

from __future__ import annotations

import json

import pytest

from orch_tui.live.agent_work import count_edited_lines


@pytest.mark.parametrize(
    ("given", "counted"),
    [
        ({"old_string": "a\nb\nc", "new_string": "a\nx\ny\nc"}, (2, 1)),
        ({"old_string": "a\nb", "new_string": ""}, (0, 2)),
        ({"old_string": "a", "new_string": "a"}, (0, 0)),
        ({"content": "a\nb\n"}, (2, 0)),
        ({"command": "make"}, (None, None)),
        ({"new_string": 3}, (None, None)),
    ],
)
def test_lines_alike_at_both_ends_are_not_counted(
    given: dict[str, object], counted: tuple[int | None, int | None]
) -> None:
    assert count_edited_lines(json.dumps(given).encode()) == counted


def test_what_is_no_json_edits_nothing() -> None:
    assert count_edited_lines(b"{") == (None, None)
