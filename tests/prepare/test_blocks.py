from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from orch_tui.prepare.blocks import LEAST, Earlier, LineMatch, Numbering, TextLines

TEXTS = st.lists(
    st.lists(st.sampled_from("abc"), max_size=30).map(lambda lines: "\n".join(lines)), max_size=5
)


def matches(*texts: str) -> list[LineMatch]:
    """Those of the last text with the ones before."""
    numbering, earlier = Numbering(), Earlier()
    *before, last = [numbering.read(text) for text in texts]
    for lines in before:
        earlier.add(lines)
    return list(earlier.matches(last))


def test_blocks_are_found_whatever_their_indentation_and_blank_lines() -> None:
    block = [f"line {n}" for n in range(8)]
    first = "\n".join(["head", *block, "tail"])
    second = "\n\n".join(["own", *(f"    {line}" for line in block), "own end"])
    (found,) = matches(first, second)
    assert (found.first, found.last) == (3, 17)
    assert (found.text, found.its_first, found.its_last) == (0, 2, 9)
    assert 0.8 < found.share < 1


def test_five_lines_are_no_block() -> None:
    block = "\n".join(f"line {n}" for n in range(5))
    assert matches(block, f"{block}\nother") == []


def test_a_piece_ends_where_the_earlier_text_goes_on_otherwise() -> None:
    one, two = ("\n".join(f"{name} {n}" for n in range(7)) for name in "ab")
    found = matches(f"{one}\nx", f"y\n{two}", f"{one}\n{two}")
    assert [(m.text, m.first, m.last) for m in found] == [(0, 1, 7), (1, 8, 14)]


@given(TEXTS)
def test_exactly_the_lines_in_a_repeated_block_are_found(texts: list[str]) -> None:
    """Held against looking up every six lines in every earlier text."""
    numbering, earlier = Numbering(), Earlier()
    before: list[TextLines] = []
    for text in texts:
        lines = numbering.read(text)
        found: set[int] = set()
        for match in earlier.matches(lines):
            span = range(match.first, match.last + 1)
            assert not found & {*span}
            found |= {*span}
            other = before[match.text]
            at = other.numbers.index(match.its_first)
            length = len(span)
            start = lines.numbers.index(match.first)
            assert other.ids[at : at + length] == lines.ids[start : start + length]
        expected = {
            line
            for start in range(len(lines.ids) - LEAST + 1)
            for other in before
            for place in range(len(other.ids) - LEAST + 1)
            if other.ids[place : place + LEAST] == lines.ids[start : start + LEAST]
            for line in lines.numbers[start : start + LEAST]
        }
        assert found == expected
        before.append(lines)
        earlier.add(lines)
