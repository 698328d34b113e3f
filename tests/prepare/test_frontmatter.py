"""Frontmatter, read as leniently as Claude Code reads it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orch_tui.prepare import frontmatter


def test_frontmatter_is_read_leniently() -> None:
    front = frontmatter.parse_frontmatter(
        "---\nname: 'a b' # note\ndescription: Use when: it is asked\n"
        'skills:\n  - one\n  - "two"\n'
        "tools: [Read, Grep]\nlong: |\n  first\n  second\nhooks:\n  Stop:\n    - x\n---\nbody\n"
    )
    assert front.text("name") == "a b"
    assert front.text("description") == "Use when: it is asked"
    assert (front.listed("skills"), front.listed("tools")) == (("one", "two"), ("Read", "Grep"))
    assert (front.text("long"), front.body, front.problem) == ("first second", "body\n", "")
    assert frontmatter.parse_frontmatter("---\nname: x\n").problem == "its frontmatter does not end"


@given(st.text(alphabet="-:#'\"[], \nabk|>\r\t", max_size=60))
def test_any_frontmatter_is_read(text: str) -> None:
    front = frontmatter.parse_frontmatter("---\n" + text)
    assert front.body in "---\n" + text
    for key in front.values:
        for read in (front.text, front.listed, front.true):
            read(key)


@pytest.mark.parametrize(
    ("text", "body"),
    [
        ("no frontmatter\n", "no frontmatter\n"),
        ("", ""),
        ("\n---\nname: x\n---\n", "\n---\nname: x\n---\n"),  # not at the very beginning
        ("---\r\nname: x\r\n---\r\nbody", "body"),
        ("\ufeff---\nname: x\n---", ""),
        ("---\nname: x\n---\n---\nrest\n", "---\nrest\n"),
    ],
)
def test_the_body_is_what_stands_behind_it(text: str, body: str) -> None:
    assert frontmatter.parse_frontmatter(text).body == body


def test_what_is_wrong_is_named_with_its_line_and_the_rest_is_read() -> None:
    front = frontmatter.parse_frontmatter("---\nname: x\n# a note\n\n???\n!!!\nmodel: opus\n---\n")
    assert front.problem == "line 5 of its frontmatter is no `key: value`"
    assert (front.text("name"), front.text("model")) == ("x", "opus")


def test_values_are_texts_lists_or_flags() -> None:
    front = frontmatter.parse_frontmatter(
        "---\na: one, two # more\nb: Yes\nc: no\nd:\n  - x\n  - y\ne:\n---\n"
    )
    assert (front.listed("a"), front.text("d"), front.listed("d")) == (
        ("one", "two"),
        "x, y",
        ("x", "y"),
    )
    assert [front.true(key) for key in "abcdef"] == [False, True, False, False, False, False]
    assert (front.text("e"), front.listed("e"), front.text("f")) == ("", (), "")


@pytest.mark.slow
def test_lists_and_texts_of_any_length_are_read_in_time_by_their_length() -> None:
    listed = frontmatter.parse_frontmatter("---\nskills:\n" + " - a\n" * 400_000 + "---\nx")
    assert listed.listed("skills") == ("a",) * 400_000
    told = frontmatter.parse_frontmatter("---\ndescription: d\n" + " e\n" * 900_000 + "---\nx")
    assert told.text("description") == "d" + " e" * 900_000
