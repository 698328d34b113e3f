"""What of the items of a bundle its agent has elsewhere."""

from __future__ import annotations

from dataclasses import replace

import pytest

from orch_tui.prepare.ambient import Ambient, AmbientPart
from orch_tui.prepare.bundle import Bundle, ContextItem
from orch_tui.prepare.count import ZERO, Count
from orch_tui.prepare.overlaps import (
    WORTH_LEAVING_OUT,
    Overlap,
    Texts,
    View,
    ambient_to_dict,
    in_ambient,
    part_of,
)

LAW = "".join(f"Article {n}\n" for n in range(1, 21))


def item(source: str, text: str | None, tokens: int = 400) -> ContextItem:
    data = None if text is None else text.encode()
    return ContextItem("file", source, "required", (), data, Count(tokens, "e", tokens, tokens))


def ambient(*parts: tuple[str, str]) -> Ambient:
    return Ambient("a", tuple(AmbientPart("instructions", n, "why", t, n) for n, t in parts))


def view(*items: ContextItem, anyway: Ambient | None = None) -> View:
    return View(Bundle("b1", "a", "", items, "", ""), anyway or ambient(), Texts())


@pytest.mark.parametrize(
    ("share", "part"),
    [(1, (100, 90, 120)), (0.5, (50, 45, 60)), (1 / 3, (33, 30, 40)), (0.001, (0, 0, 1))],
)
def test_a_part_has_its_share_of_the_band(share: float, part: tuple[int, int, int]) -> None:
    tokens, low, high = part
    assert part_of(Count(100, "e", 90, 120), share) == Count(tokens, "e", low, high)


def test_the_agent_has_nothing_of_what_nobody_looked_up() -> None:
    assert in_ambient([item("a.md", LAW)], ambient()) == ()


def test_a_whole_item_and_lines_of_one_are_told_apart() -> None:
    anyway = ambient(("CLAUDE.md", f"# Ours\n{LAW}"), ("rules.md", "Be brief.\n"))
    items = [
        item("law.md", LAW),
        item("part.md", f"Mine\n\n{LAW}"),
        item("rules.md", None),
        item("own.md", "Something else\n"),
    ]
    whole, part, name = in_ambient(items, anyway)
    assert (whole.whole, whole.by, whole.first, whole.last) == (True, "CLAUDE.md", 1, 20)
    assert str(whole) == "law.md: the same as CLAUDE.md"
    assert (part.position, part.first, part.last, part.by_first, part.by_last) == (1, 3, 22, 2, 21)
    assert str(part) == "part.md, lines 3-22: the same as CLAUDE.md, lines 2-21"
    assert part.count == part_of(items[1].count, part.share) and part.removable
    assert (name.source, name.whole, name.removable, name.first, name.last) == (
        *("rules.md", True),
        *(False, 0, 0),
    )
    assert all(overlap.ambient for overlap in (whole, part, name))


def test_a_part_of_a_name_that_the_agent_has_is_not_the_whole() -> None:
    section = replace(item("rules.md", None), sections=("Intro",))
    assert in_ambient([section], ambient(("rules.md", LAW))) == ()


def test_an_item_made_of_several_things_the_agent_has_is_had_as_a_whole() -> None:
    other = LAW.replace("Article", "Rule")
    anyway = ambient(("a.md", LAW), ("b.md", other))
    (overlap,) = in_ambient([item("both.md", LAW + other)], anyway)
    assert (overlap.whole, overlap.by, overlap.count.tokens) == (True, "a.md", 400)


def test_of_two_items_the_one_that_fewer_bundles_hold_is_cut() -> None:
    one, two = item("one.md", f"1\n{LAW}"), item("two.md", f"2\n{LAW}")
    seen = view(one, two)
    for holders, cut, by in (
        ({one.sha256: 2, two.sha256: 1}, "two.md", "one.md"),
        ({one.sha256: 1, two.sha256: 2}, "one.md", "two.md"),
        ({}, "two.md", "one.md"),
    ):
        (overlap,) = seen.overlaps(holders)
        assert (overlap.source, overlap.by, overlap.ambient) == (cut, by, False)


def test_what_costs_more_to_tell_than_to_send_stays() -> None:
    share = len(LAW) / len(f"2\n{LAW}")
    for tokens, removable in ((WORTH_LEAVING_OUT, True), (WORTH_LEAVING_OUT - 1, False)):
        two = item("two.md", f"2\n{LAW}", round(tokens / share))
        (overlap,) = view(item("one.md", LAW), two).overlaps({})
        assert (overlap.count.tokens, overlap.removable) == (tokens, removable)


def test_without_what_can_be_left_out_the_rest_is_counted_by_its_share() -> None:
    one, two = item("one.md", LAW), item("two.md", f"{'x' * len(LAW)}\n{LAW}", 1_000)
    seen = view(one, two, one)
    assert seen.repeats == (one,)
    overlaps = seen.overlaps({})
    kept, rest = seen.without(overlaps)
    assert kept is seen.items[0]
    assert (rest.source, rest.data) == ("two.md:1-1", b"x" * len(LAW) + b"\n")
    assert rest.count == part_of(two.count, len(rest.data or b"") / len(two.data or b""))
    assert seen.without([replace(each, removable=False) for each in overlaps]) == [one, two]
    assert seen.without([replace(each, share=1) for each in overlaps]) == [one]


def test_the_ambient_context_as_json() -> None:
    anyway = replace(ambient(("CLAUDE.md", LAW)), unknown=("tools",), problems=("broken",))
    part = Overlap(0, "a.md", 1, 20, 0.5, Count(7, "e", 7, 7), "CLAUDE.md", 2, 21, True, True)
    told = ambient_to_dict(anyway, [part, replace(part, share=1)])
    assert (told["unknown"], told["problems"]) == (["tools"], ["broken"])
    assert told["parts"] == [
        {
            "role": "instructions",
            "source": "CLAUDE.md",
            "why": "why",
            "token_count": ZERO.tokens,
            "band": [0, 0],
        }
    ]
    assert told["already_held"] == [
        {
            "source": "a.md",
            "lines": [1, 20],
            "token_count": 7,
            "by": "CLAUDE.md",
            "by_lines": [2, 21],
        },
        {"source": "a.md", "lines": None, "token_count": 7, "by": "CLAUDE.md", "by_lines": None},
    ]


def test_lines_are_those_of_the_file_and_of_a_section_those_within_it() -> None:
    part = item("lib/a.md:11-31", f"first\n{LAW}", 1_000)
    section = replace(item("lib/b.md", f"# Law\n\n{LAW}", 1_000), sections=("Law",))
    first, second = view(item("c.md", LAW), part, section).overlaps({})
    assert str(first) == "lib/a.md, lines 12-31: the same as c.md, lines 1-20"
    assert str(second) == "lib/b.md#Law, lines 3-22: the same as c.md, lines 1-20"
    other = view(part, item("d.md", f"{LAW}\nown", 1_000)).overlaps({})[0]
    assert str(other) == "d.md, lines 1-20: the same as lib/a.md, lines 12-31"
    (left,) = view(item("c.md", LAW), part).without([first])[1:]
    assert (left.source, left.data) == ("lib/a.md:11-11", b"first\n")
