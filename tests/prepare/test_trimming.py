"""Items without some of their lines: what is left is named as if it had been chosen."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orch_tui.prepare.bundle import ContextItem
from orch_tui.prepare.count import ZERO, Count
from orch_tui.prepare.trimming import can_be_trimmed, trim_item

LINES = b"".join(b"line %d\n" % n for n in range(1, 9))


def item(source: str, data: bytes | None = LINES) -> ContextItem:
    kind = "briefing" if source.startswith("text:") else "file"
    return ContextItem(kind, source, "optional", (), data, Count(9, "e", 9, 9), ("b2",))


@pytest.mark.parametrize(
    ("without", "left"),
    [
        ([], ["a.py:1-8"]),
        ([(1, 8)], []),
        ([(1, 2)], ["a.py:3-8"]),
        ([(3, 4), (8, 8)], ["a.py:1-2", "a.py:5-7"]),
        ([(5, 6), (2, 5)], ["a.py:1-1", "a.py:7-8"]),  # in any order, one within the other
        ([(2, 7), (3, 4)], ["a.py:1-1", "a.py:8-8"]),
        ([(7, 90)], ["a.py:1-6"]),
    ],
)
def test_each_range_that_is_left_is_an_item(
    without: list[tuple[int, int]], left: list[str]
) -> None:
    parts = trim_item(item("a.py"), without)
    assert [part.source for part in parts] == left
    lines = LINES.splitlines(keepends=True)
    for part in parts:
        first, last = map(int, part.source.partition(":")[2].split("-"))
        assert part.data == b"".join(lines[first - 1 : last])
        assert (part.count, part.priority, part.shared_with) == (ZERO, "optional", ("b2",))
        assert part.sha256 == sha256(part.data or b"").hexdigest()


@pytest.mark.parametrize(
    ("source", "left"),
    [
        ("a.py:11-18", "a.py:13-18"),
        ("c#/a.py", "c#/a.py:3-8"),
        ("notes:7", "notes:7:3-8"),  # a file called so: orch writes lines as FIRST-LAST
        ("./-", "./-:3-8"),
    ],
)
def test_lines_are_numbered_as_in_the_file(source: str, left: str) -> None:
    assert [part.source for part in trim_item(item(source), [(1, 2)])] == [left]


def test_of_a_text_that_no_file_holds_one_item_is_left() -> None:
    (left,) = trim_item(item("text:line 1…"), [(1, 2), (4, 7)])
    assert (left.source, left.data, left.count) == ("text:line 3…", b"line 3\nline 8", ZERO)
    assert trim_item(item("text:line 1…"), [(1, 8)]) == []


def test_what_is_blank_is_not_left() -> None:
    assert [p.source for p in trim_item(item("a.py", b"a\n \n\nb\n"), [(1, 1), (4, 4)])] == []
    assert [p.source for p in trim_item(item("a.py", b"a\n\nb"), [(1, 1)])] == ["a.py:2-3"]


def test_lines_end_as_editors_see_them() -> None:
    parts = trim_item(item("a.py", b"a\r\nb\rc\nd\x0c\xe2\x80\xa8e"), [(2, 2)])
    assert [(part.source, part.data) for part in parts] == [
        ("a.py:1-1", b"a\r\n"),
        ("a.py:3-4", b"c\nd\x0c\xe2\x80\xa8e"),
    ]


@pytest.mark.parametrize(
    ("changed", "can"),
    [
        (item("a.py"), True),
        (item("a.py:1-8"), True),
        (item("text:line 1…"), True),
        (item("-"), True),
        (item("a.py", None), False),
        (replace(item("a.md"), sections=("Intro",)), False),
        (item("a.md#Intro"), False),
        (item("exec-003:message"), False),
        (item("a.py", b"\xef\xbb\xbf" + LINES), False),
        (item("a.py", LINES.decode().encode("utf-16")), False),
    ],
)
def test_what_can_be_named_can_be_trimmed(changed: ContextItem, can: bool) -> None:
    assert can_be_trimmed(changed) is can


@given(
    st.lists(st.sampled_from([b"a\n", b"b\r\n", b"\n", b"c\r", b" d\n"]), max_size=12),
    st.lists(st.tuples(st.integers(1, 12), st.integers(0, 4)), max_size=4),
)
def test_nothing_is_left_twice_and_only_blank_lines_are_lost(
    lines: list[bytes], starts: list[tuple[int, int]]
) -> None:
    without = [(first, first + more) for first, more in starts]
    data = b"".join(lines)
    kept = b"".join(part.data or b"" for part in trim_item(item("a.py", data), without))
    gone = {n for first, last in without for n in range(first, last + 1)}
    whole = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n").splitlines()
    stays = [line for n, line in enumerate(whole, start=1) if n not in gone and line.strip()]
    left = kept.replace(b"\r\n", b"\n").replace(b"\r", b"\n").splitlines()
    assert [line for line in left if line.strip()] == stays
