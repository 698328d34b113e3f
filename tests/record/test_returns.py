"""Which statements of hooks tell of the same return: statements in, keyed statements out."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from orch_tui.record.ledger.doubt import EMPTY, UNHEARD
from orch_tui.record.ledger.merge import Observation
from orch_tui.record.ledger.returns import (
    AgentActivity,
    LaunchedRun,
    assign_return_keys,
    group_by_return,
    mark_waits,
    with_return_key,
)
from orch_tui.record.ledger.statement import KINDS, Noted, Returned


def at(second: float) -> str:
    return f"2026-11-22T10:00:{second:06.3f}Z"


def told(source: str, kind: str, second: float, **payload: Any) -> Observation:
    digest = f"{source} {kind} {second} {sorted(payload.items())}"
    return Observation(digest, source, at(second), KINDS[kind](**payload))


def stop(second: float, words: str | None = "w", **payload: Any) -> Observation:
    return told("hook", "returned", second, words=words, **payload)


def begun(second: float) -> Observation:
    return told("hook", "noted", second, begun=True)


def resumed(second: float, call: str = "T") -> Observation:
    return told("hook", "noted", second, resumed=call)


def groups(*heard: Observation) -> list[list[Observation]]:
    """The stops that are told apart by everything that was heard."""
    stops = [o for o in heard if isinstance(o.statement, Returned)]
    return group_by_return(stops, AgentActivity(heard))


# What the agent did


@pytest.mark.parametrize(
    ("heard", "expected"),
    [
        ([], False),
        ([begun(15)], True),
        ([begun(20)], True),
        ([begun(20.001)], False),
        ([begun(0)], False),
        ([begun(0.001)], True),
        ([begun(0), begun(30), begun(15)], True),
        ([resumed(20)], True),
        ([resumed(20.001)], False),
        ([resumed(0)], False),
        ([resumed(0.001)], True),
        ([resumed(5), resumed(30)], False),
        ([resumed(5), resumed(30, "U")], True),
        ([resumed(0), resumed(5)], False),
        ([told("import", "noted", 15, begun=True)], False),
        ([told("import", "noted", 15, resumed="T")], False),
        ([told("hook", "noted", 15, begun=False)], False),
        ([told("hook", "noted", 15)], False),
        ([told("hook", "deployed", 15)], False),
        ([stop(15)], False),
    ],
)
def test_an_agent_went_to_work_again_when_it_began_or_was_told_to(
    heard: list[Observation], expected: bool
) -> None:
    assert AgentActivity(heard).between(at(0), at(20)) is expected


@pytest.mark.parametrize(
    ("heard", "expected"),
    [(resumed(5), True), (begun(5), False)],
)
def test_a_beginning_within_ten_seconds_is_that_of_the_same_return(
    heard: Observation, expected: bool
) -> None:
    activity = AgentActivity([heard])
    assert activity.between(at(0), at(10)) is expected
    assert activity.between(at(0), at(10.001)) is True
    assert activity.between("no time", "nor this") is False


# Which stops are one return


def test_the_same_words_are_one_return_until_the_agent_went_on() -> None:
    one, two, three = stop(0), stop(20), stop(40)
    assert groups(one, two, three) == [[one, two, three]]
    assert groups(one, two, begun(30), three) == [[one, two], [three]]
    assert groups(one, resumed(1), two, begun(30), three) == [[one], [two], [three]]
    assert groups() == []


def test_other_words_are_another_return() -> None:
    one, two, again = stop(0), stop(1, "v"), stop(2)
    assert groups(one, two, again) == [[one, again], [two]]
    third = stop(40)
    assert groups(one, two, begun(30), third) == [[one], [two], [third]]
    also = stop(41)
    assert groups(one, two, begun(30), third, also) == [[one], [two], [third, also]]


def test_a_stop_of_an_agent_that_went_on_shows_the_one_before_to_be_none() -> None:
    refused, final = stop(0), stop(1, "v", went_on=True)
    assert groups(refused, final) == [[final]]
    earlier = stop(0, "u")
    late, last = stop(20), stop(21, "v", went_on=True)
    assert groups(earlier, begun(15), late, last) == [[earlier], [last]]
    again = stop(2, "w")
    assert groups(refused, final, again) == [[final], [again]]


def test_what_broke_off_joins_the_newest_return() -> None:
    one, two = stop(0), stop(1, "v")
    broken = stop(2, None, broke_off=True)
    assert groups(one, two, broken) == [[one], [two, broken]]
    assert groups(broken) == [[broken]]
    words = stop(3, "u")
    assert groups(broken, words) == [[broken, words]]
    more = stop(4, "x")
    assert groups(broken, words, more) == [[broken, words], [more]]
    assert groups(stop(2, None, broke_off=True), resumed(3), stop(4)) == [
        [stop(2, None, broke_off=True)],
        [stop(4)],
    ]
    also = stop(5, None, broke_off=True)
    assert groups(broken, also) == [[broken, also]]


def test_what_a_tool_hands_back_is_one_return_with_what_is_said_besides() -> None:
    handed, said, more = stop(0, "r", by_tool=True), stop(1, "v"), stop(2, "x")
    assert groups(handed, said, more) == [[handed, said, more]]
    again = stop(3, "s", by_tool=True)
    assert groups(handed, said, again) == [[handed, said], [again]]


def test_who_waited_for_tasks_of_its_own_had_not_returned() -> None:
    waiting, final = stop(10, "u", is_waiting=True), stop(30)
    assert groups(begun(0), waiting, begun(15), final) == [[final]]
    assert groups(begun(0), waiting, final) == [[waiting], [final]]
    assert groups(waiting, begun(15), resumed(14), final) == [[waiting], [final]]
    assert groups(stop(10, "u"), begun(15), final) == [[stop(10, "u")], [final]]


def test_an_echo_joins_the_return_whose_words_it_repeats() -> None:
    one, two = stop(0, "v"), stop(1)
    echo = stop(2, echo=True)
    assert groups(one, two, echo) == [[one], [two, echo]]
    assert groups(echo, stop(3, echo=True, status="completed")) == [
        [echo, stop(3, echo=True, status="completed")]
    ]
    assert groups(stop(0, "u"), one, echo) == [[stop(0, "u")], [one, echo]]
    broken, said = stop(1, None, broke_off=True), stop(2)
    later = stop(3, echo=True)
    assert groups(stop(0, "u"), begun(0.5), broken, said, later) == [
        [stop(0, "u"), broken],
        [said, later],
    ]
    assert groups(broken, said, stop(3, "u"), later) == [[broken, said, later], [stop(3, "u")]]
    last = stop(5, "u", echo=True)
    again = stop(20, "u")
    ends = stop(21, None, broke_off=True)
    assert groups(said, again, ends, last) == [[said], [again, ends, last]]
    early = stop(0, echo=True)
    assert groups(early, stop(1, "v"), two) == [[stop(1, "v")], [two, early]]


# What they are told to be


def test_every_statement_of_a_return_has_its_number_and_its_words() -> None:
    silent = stop(0, None, doubt=EMPTY, message="2", status="completed")
    unheard = stop(1, None, doubt=UNHEARD)
    doubtful = stop(2, "w", doubt="cut off", message="1")
    other = stop(3, "v", doubt=None, message="3")
    alone = stop(4, None, doubt=EMPTY)

    def keyed(observation: Observation, **changes: Any) -> Observation:
        statement = observation.statement
        assert isinstance(statement, Returned)
        return replace(observation, statement=statement.replaced(**changes))

    assert list(with_return_key([[silent, unheard, doubtful, other], [alone]])) == [
        keyed(silent, return_key=1, words="w", doubt=None, message=None),
        keyed(unheard, return_key=1, words="w", doubt=None),
        keyed(doubtful, return_key=1),
        keyed(other, return_key=1, words="w", message=None),
        keyed(alone, return_key=2),
    ]


def test_hooks_are_keyed_and_others_pass_as_they_are() -> None:
    imported, edited = told("import", "returned", 1), told("sql", "sql", 2, status="failed")
    one, two = stop(0), stop(3, "v")
    first = replace(one, statement=Returned(words="w", return_key=1))
    second = replace(two, statement=Returned(words="v", return_key=2))
    given = [one, imported, edited, two]
    assert assign_return_keys(given, given) == [first, imported, edited, second]
    assert assign_return_keys([imported, edited], []) == [imported, edited]
    assert assign_return_keys([], []) == []


def test_what_went_on_leaves_the_others_out() -> None:
    refused, imported = stop(0), told("import", "returned", 1)
    final = stop(2, "v", went_on=True)
    keyed = replace(final, statement=Returned(words="v", went_on=True, return_key=1))
    assert assign_return_keys([refused, imported, final], []) == [imported, keyed]


def test_what_is_presumed_counts_once_where_nothing_else_tells_of_a_return() -> None:
    one = told("hook", "returned", 0, presumed=True)
    two = told("import", "returned", 1, presumed=True)
    seen = told("import", "returned", 2)
    assert assign_return_keys([one, two], []) == [one]
    assert assign_return_keys([one, seen, two], []) == [seen]


def test_what_the_agent_did_is_heard_of_all_that_lives() -> None:
    one, two = stop(0), stop(20)
    noted = told("hook", "noted", 15, begun=True)
    assert isinstance(noted.statement, Noted)
    keys = [
        getattr(o.statement, "return_key", None)
        for o in assign_return_keys([one, two], [one, noted, two])
    ]
    assert keys == [1, 2]


@pytest.mark.parametrize(
    ("child", "expected"),
    [
        (LaunchedRun(at(5), (at(15),)), ["w"]),
        (LaunchedRun(at(5), (at(2), at(20))), ["w"]),
        (LaunchedRun(at(5), (at(10),)), []),  # it was back before the stop
        (LaunchedRun(at(5), (at(21),)), []),  # something else had the agent go on
        (LaunchedRun(at(12), (at(15),)), []),  # it was launched afterwards
        (LaunchedRun(at(5), ()), []),
    ],
)
def test_who_began_again_when_its_agent_came_back_had_waited(
    child: LaunchedRun, expected: list[str]
) -> None:
    heard = [begun(0), stop(10), begun(20), stop(30, "v"), stop(31, "v", echo=True)]
    marked = mark_waits(heard, lambda: [child])
    assert [o.words for o in marked if getattr(o.statement, "is_waiting", False)] == expected
    assert [o.digest for o in marked] == [o.digest for o in heard]


def test_nobody_is_asked_for_agents_where_nothing_went_on() -> None:
    def ask() -> list[LaunchedRun]:
        raise AssertionError("nothing depends on them")

    for heard in (
        [begun(0), stop(10)],
        [stop(10), stop(20)],
        [stop(1), stop(2, echo=True), stop(3, None, is_waiting=True), begun(5)],
    ):
        assert mark_waits(heard, ask) == heard
