"""Placeholders that nothing is known for are named, all at once, with the first line."""

from __future__ import annotations

import pytest

from orch_tui.errors import FormatError
from orch_tui.prepare.placeholders import check_placeholders, format_place


def test_what_is_not_known_is_named_with_what_is() -> None:
    check_placeholders("t", {"a": 1}, {"a": 1, "b": 2})
    with pytest.raises(
        FormatError, match=r"^template t, line 2: .*placeholders \{c\}, \{d\}$"
    ) as no:
        check_placeholders("t", {"a": 1, "c": 4, "d": 2}, {"b": 2, "a": 1})
    assert no.value.hint == "known: a, b"
    with pytest.raises(FormatError, match=r"placeholder \{c\}$"):
        check_placeholders("t", {"c": 1}, {})


def test_a_place_has_a_line_where_one_is_known() -> None:
    assert format_place("t", 3) == "template t, line 3"
    assert format_place("t", None) == "template t"
