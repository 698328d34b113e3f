"""A message as lines that know where they stand."""

from __future__ import annotations

from orch_tui.record.messages.message_lines import LONGEST, MessageLine, read_lines


def lines(text: str) -> tuple[MessageLine, ...]:
    return read_lines(text).lines


def placed(text: str) -> list[tuple[str, tuple[str, ...]]]:
    """The content of each line, with what it stands under."""
    return [(line.content, line.headings) for line in lines(text)]


def test_each_line_has_its_number_kind_and_content() -> None:
    text = "# Title #1\r\n\nwords\n  - [x] done\n2) second\n| a | b |\n**Bold**:\n"
    assert [(n.number, n.kind, n.indent, n.content) for n in lines(text)] == [
        (1, "heading", 0, "Title #1"),
        (3, "text", 0, "words"),
        (4, "item", 2, "done"),
        (5, "item", 0, "second"),
        (6, "row", 0, "| a | b |"),
        (7, "heading", 0, "Bold"),
    ]
    assert lines("") == lines(" \n\t\n") == ()


def test_a_deeper_heading_ends_where_a_higher_begins() -> None:
    assert placed("# A\n## B\n**C**\nx\n## D\ny\n# E\nz") == [
        ("A", ()),
        ("B", ("A",)),
        ("C", ("A", "B")),
        ("x", ("A", "B", "C")),
        ("D", ("A",)),
        ("y", ("A", "D")),
        ("E", ()),
        ("z", ("E",)),
    ]


def test_a_paragraph_behind_a_list_is_no_longer_under_what_introduced_it() -> None:
    assert placed("# A\nThese:\n- one:\n  - deep\n- two\nafter") == [
        ("A", ()),
        ("These:", ("A",)),
        ("one:", ("A", "These:")),
        ("deep", ("A", "These:", "one:")),
        ("two", ("A", "These:")),
        ("after", ()),
    ]


def test_a_fence_ends_with_as_many_marks_as_it_began_with() -> None:
    text = "````Python\n```\n# no heading\n````\n# heading\n~~~\n```\n~~~~\nlast"
    found = read_lines(text)
    assert [(n.kind, n.content, n.language) for n in found.lines] == [
        ("code", "```", "python"),
        ("code", "# no heading", "python"),
        ("heading", "heading", ""),
        ("code", "```", ""),
        ("text", "last", ""),
    ]
    assert found.unclosed is None


def test_a_fence_that_never_ends_is_told() -> None:
    opening = read_lines("words\n```sh\nls").unclosed
    assert opening and (opening.number, opening.language) == (2, "sh")
    assert read_lines("```md\n```sh\nls\n```\n```").unclosed is None, "it was quoted whole"
    assert read_lines("``` and `` are marks").unclosed is None


def test_a_long_line_is_cut_at_a_space() -> None:
    words = "word " * 900
    pieces = lines(words)
    assert [piece.number for piece in pieces] == [1, 1, 1]
    assert "".join(piece.text for piece in pieces) == words
    assert max(len(piece.text) for piece in pieces) <= LONGEST
    assert all(piece.content.startswith("word") for piece in pieces)
    assert [len(piece.text) for piece in lines("x" * (LONGEST + 1))] == [LONGEST, 1]
    assert [len(piece.text) for piece in lines("x" * LONGEST)] == [LONGEST]


def test_only_an_empty_box_is_unticked() -> None:
    assert [n.unticked for n in lines("- [ ] a\n- [x] b\n- c\n1. [ ] d\n[ ] e")] == [
        *(True, False, False, True, False)
    ]


def test_an_excerpt_is_short_and_without_marks_and_codes() -> None:
    (line,) = lines("  - \x1b[31mred\x1b[0m")
    assert line.excerpt == "red"
    (fits,) = lines("x" * 200)
    (cut,) = lines("x" * 201)
    assert (fits.excerpt, cut.excerpt) == ("x" * 200, "x" * 199 + "…")
