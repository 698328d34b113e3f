from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orch_tui.errors import SourceError
from orch_tui.prepare.outline import find_part_spans as cut_out
from orch_tui.prepare.sections import find_headings, find_line_span

DOCUMENT = """\
---
name: front
description: matter
---
intro
# Guide
one
## Use `it` *well*
two
```sh
# not a heading
```
### Deeper
three

Setext
======
four
## Use `it` *well*
five
> # quoted
"""


def cut(text: str, *titles: str) -> str:
    return "".join(text[start:end] for start, end in cut_out(text, "a.md", titles, source="a.md"))


def test_headings_are_those_that_commonmark_sees() -> None:
    assert [(heading.name, heading.level) for heading in find_headings(DOCUMENT)] == [
        ("Guide", 1),
        ("Use it well", 2),
        ("Deeper", 3),
        ("Setext", 1),
        ("Use it well", 2),
    ]


def test_a_section_holds_its_subsections_and_ends_at_its_own_level() -> None:
    assert cut(DOCUMENT, "Guide") == DOCUMENT[DOCUMENT.index("# Guide") : DOCUMENT.index("Setext")]
    assert cut(DOCUMENT, "Deeper") == "### Deeper\nthree\n\n"


def test_every_heading_of_that_title_counts_and_overlaps_are_not_repeated() -> None:
    assert cut(DOCUMENT, "use it WELL").count("## Use `it` *well*\n") == 2
    assert cut(DOCUMENT, "Deeper", "Guide", "Guide") == cut(DOCUMENT, "Guide")


def test_a_title_in_the_same_case_wins() -> None:
    text = "# Setup\na\n# SETUP\nb\n"
    assert cut(text, "SETUP") == "# SETUP\nb\n"
    assert cut(text, "setup") == text


def test_newlines_are_left_alone() -> None:
    text = "# A\r\none\r\rB\n-\ntwo\r\n# C"
    assert cut(text, "A") == "# A\r\none\r\rB\n-\ntwo\r\n"
    assert cut(text, "B") == "B\n-\ntwo\r\n"
    assert cut(text, "C") == "# C"


def test_a_rule_at_the_top_is_no_front_matter() -> None:
    assert [heading.name for heading in find_headings("---\n# A\n\n---\n# B\n")] == ["A", "B"]


def test_an_unknown_heading_names_the_nearest() -> None:
    with pytest.raises(SourceError, match=r"a\.md: has no heading 'Gide'") as refused:
        cut(DOCUMENT, "Gide")
    assert "Guide" in refused.value.hint
    with pytest.raises(SourceError) as refused:
        cut("no headings here", "Guide")
    assert refused.value.hint == "it has no headings"


@pytest.mark.parametrize(
    ("first", "last", "expected"),
    [(1, 1, "a\r\n"), (2, 3, "b\rc\n"), (4, 4, "\x0bd"), (1, 4, None)],
)
def test_lines_are_counted_as_editors_do(first: int, last: int, expected: str | None) -> None:
    text = "a\r\nb\rc\n\x0bd"
    start, end = find_line_span(text, first, last, source="a")
    assert text[start:end] == (text if expected is None else expected)


@pytest.mark.parametrize(("first", "last"), [(0, 1), (3, 2), (1, 4)])
def test_lines_that_are_not_there_are_refused(first: int, last: int) -> None:
    with pytest.raises(SourceError, match=f"a: lines {first}-{last}"):
        find_line_span("one\ntwo\nthree\n", first, last, source="a")


@given(st.text(st.sampled_from("ab#=-` \n\r\t>*\\[]()<!&;\x0c\u2028é"), max_size=80))
def test_sections_are_whole_lines_and_never_fail(text: str) -> None:
    found = find_headings(text)
    for heading, following in zip(found, [*found[1:], None], strict=False):
        assert 0 <= heading.span.start < heading.span.end <= len(text)
        before = text[: heading.span.start]
        assert not before or before[-1] in "\r\n"
        if following is not None and following.level <= heading.level:
            assert heading.span.end == following.span.start
    for title in {heading.name for heading in found}:
        assert all(start < end for start, end in cut_out(text, "x.md", [title], source="x"))


@given(st.text(st.sampled_from("ab\n\r"), min_size=1, max_size=40), st.data())
def test_adjoining_ranges_of_lines_make_up_the_whole(text: str, data: st.DataObject) -> None:
    count = len(text.replace("\r\n", "\n").replace("\r", "\n").rstrip("\n").split("\n"))
    border = data.draw(st.integers(1, count))
    head = find_line_span(text, 1, border, source="x")
    assert head.start == 0
    if border < count:
        tail = find_line_span(text, border + 1, count, source="x")
        assert tail.start == head.end
