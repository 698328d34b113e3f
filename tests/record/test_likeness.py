"""Whether a prompt is a briefing that was passed on, told from the texts alone."""

from __future__ import annotations

from orch_tui.record.ledger.likeness import Likeness, find_likeness

LINES = [f"line number {n}" for n in range(10)]


def briefing(scope: str, *more: str) -> tuple[str, str | None]:
    return "\n".join([scope, *LINES, *more]), scope


def test_what_has_fewer_lines_than_most_is_none() -> None:
    planned = {"e": ("\n".join(f"line number {n}" for n in range(10)), None)}
    assert find_likeness("\n".join(f"line number {n}" for n in range(9)), planned).label == "e"
    assert find_likeness("\n".join(f"line number {n}" for n in range(7)), planned) == Likeness(None)
    assert find_likeness("anything", {"e": ("", None)}) == Likeness(None)


def test_lines_may_be_wrapped_and_joined() -> None:
    text, scope = briefing("Find it")
    assert find_likeness(" ".join(text.split()), {"e": (text, scope)}) == Likeness("e")
    assert find_likeness(text.replace(" ", "\n  "), {"e": (text, scope)}) == Likeness("e")


def test_a_scope_that_only_stands_in_a_longer_word_is_another() -> None:
    text, scope = briefing("Find part 1")
    assert find_likeness(text, {"e": (text, scope)}).label == "e"
    for other in ("Find part 10", "reFind part 1", "Find part 1_"):
        assert find_likeness(text.replace("Find part 1", other), {"e": (text, scope)}).label is None
    twice = text.replace("Find part 1", "Find part 10, then Find part 1")
    assert find_likeness(twice, {"e": (text, scope)}).label == "e", "it stands there as well"


def test_a_scope_that_the_briefing_itself_lacks_tells_nothing() -> None:
    assert find_likeness("\n".join(LINES), {"e": ("\n".join(LINES), "elsewhere")}).label == "e"


def test_of_similar_briefings_the_one_whose_own_lines_are_held_is_meant() -> None:
    planned = {"one": briefing("Find it", "quickly now"), "two": briefing("Find it", "slowly then")}
    assert find_likeness(planned["one"][0], planned) == Likeness("one", ())
    assert find_likeness(planned["two"][0], planned) == Likeness("two", ())
    both = planned["one"][0] + "\nslowly then"
    assert find_likeness(both, planned) == Likeness(None, ("one", "two"))


def test_equal_briefings_cannot_be_told_apart() -> None:
    planned = {"one": briefing("Find it"), "two": briefing("Find it")}
    assert find_likeness(planned["one"][0], planned) == Likeness(None, ("one", "two"))
    assert find_likeness("x", {}) == Likeness(None)


def test_a_briefing_of_which_much_else_is_held_as_well_cannot_be_told() -> None:
    two = briefing("Find it", "slowly then", "and softly")
    planned = {"one": briefing("Find it", "quickly now"), "two": two}
    prompt = f"{planned['one'][0]}\nslowly then"
    assert find_likeness(prompt, planned) == Likeness(None, ("one", "two"))
