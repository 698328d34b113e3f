"""Sections and symbols asked for in one way, and the skeleton of a file."""

from __future__ import annotations

import pytest

from orch_tui.errors import SourceError
from orch_tui.prepare.outline import (
    SKELETON,
    find_part_spans,
    is_markdown,
    may_have_parts,
    outline_file,
)
from orch_tui.prepare.tokens import count_tokens

GUIDE = """Before all.

# Guide
What it is about.

More of it.

## Use
Do it.

# Guide
Again.
"""
CODE = '''"""What it is."""

import os


class Parser:
    """Reads."""

    def parse(self) -> int:
        value = 1
        return value


def parse() -> int:
    return 2
'''


def names(text: str, name: str) -> list[str]:
    return [part.name for part in outline_file(text, name, family="o200k_base")]


def texts(text: str, name: str, *parts: str) -> str:
    return "".join(text[s.start : s.end] for s in find_part_spans(text, name, parts, source=name))


@pytest.mark.parametrize(
    ("name", "markdown", "parts"),
    [
        ("a.md", True, True),
        ("README", True, True),
        ("docs/A.MDX", True, True),
        ("notes.txt", True, True),
        ("a.py", False, True),
        ("a.csv", False, False),
        ("a.json", False, False),
    ],
)
def test_parts_are_those_of_markdown_and_code(name: str, markdown: bool, parts: bool) -> None:
    assert (is_markdown(name), may_have_parts(name)) == (markdown, parts)


def test_every_part_has_a_name_of_its_own_and_its_tokens() -> None:
    parts = outline_file(GUIDE, "a.md", family="o200k_base")
    assert [(part.name, part.level) for part in parts] == [
        ("Guide[1]", 1),
        ("Use", 2),
        ("Guide[2]", 1),
    ]
    for part in parts:
        text = texts(GUIDE, "a.md", part.name)
        assert text == GUIDE[part.span.start : part.span.end]
        assert part.count == count_tokens(text, family="o200k_base", kind="markdown")
    assert names(CODE, "a.py") == ["Parser", "Parser.parse", "parse"]
    assert names("a,b\n", "a.csv") == []


def test_parts_come_in_the_order_of_the_text_and_overlaps_once() -> None:
    assert texts(GUIDE, "a.md", "Guide[2]", "Use") == "## Use\nDo it.\n\n# Guide\nAgain.\n"
    assert texts(GUIDE, "a.md", "Use", "Guide[1]") == texts(GUIDE, "a.md", "Guide[1]")
    assert texts(CODE, "a.py", "Parser.parse").strip().endswith("return value")


def test_the_skeleton_is_of_the_whole_or_of_the_parts_beside_it() -> None:
    assert "What it is about." in texts(GUIDE, "a.md", SKELETON)
    assert "More of it." not in texts(GUIDE, "a.md", SKELETON)
    assert texts(GUIDE, "a.md", SKELETON, "Use") == "## Use\nDo it.\n"
    whole, part = texts(CODE, "a.py", SKELETON), texts(CODE, "a.py", "Parser", SKELETON)
    assert "def parse() -> int:" in whole and "return value" not in whole
    assert "def parse(self) -> int:" in part and "def parse() -> int:" not in part


@pytest.mark.parametrize(
    ("text", "name", "part", "said"),
    [
        ("a,b\n", "a.csv", "Intro", "only Markdown and code have parts by name"),
        ("a,b\n", "a.csv", SKELETON, "only Markdown and code have parts by name"),
        (GUIDE, "a.md", "Usage", "has no heading 'Usage'"),
        (CODE, "a.py", "Pasrer", "has no symbol 'Pasrer'"),
        ("", "a.py", SKELETON, "has no symbols to make a skeleton of"),
    ],
)
def test_a_part_that_is_not_there_is_refused(text: str, name: str, part: str, said: str) -> None:
    with pytest.raises(SourceError) as no:
        find_part_spans(text, name, [part], source=f"lib/{name}#{part}")
    assert no.value.source == f"lib/{name}#{part}"
    assert said in no.value.reason
    if name == "a.csv":
        assert no.value.hint == "name lines: lib/a.csv:FIRST-LAST"
