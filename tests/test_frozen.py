"""Frozen values do what the dataclasses of the standard library do."""

from __future__ import annotations

import copy
import dataclasses
import inspect
import pickle
from collections.abc import Callable
from dataclasses import FrozenInstanceError, dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orch_tui.frozen import WIDTH, frozen, mutable


@frozen
class Point:
    """With everything that a field can be."""

    x: int
    name: str = "here"
    tags: list[str] = field(default_factory=list)
    seen: object = field(default=None, compare=False, repr=False)
    size: int = field(init=False)
    unit: str = field(default="m", init=False)
    parts: list[int] = field(default_factory=list, init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "size", abs(self.x))

    @property
    def where(self) -> str:
        return f"{self.name} {self.x}"


@dataclass(frozen=True, slots=True)
class Twin:
    """The same, by the standard library."""

    x: int
    name: str = "here"
    tags: list[str] = field(default_factory=list)
    seen: object = field(default=None, compare=False, repr=False)
    size: int = field(init=False)
    unit: str = field(default="m", init=False)
    parts: list[int] = field(default_factory=list, init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "size", abs(self.x))


@frozen
class Empty:
    """No field at all."""


ARGUMENTS = st.fixed_dictionaries(
    {"x": st.integers(-2, 2)},
    optional={
        "name": st.sampled_from(["here", "there"]),
        "tags": st.lists(st.sampled_from("ab"), max_size=2),
        "seen": st.integers(0, 1),
    },
)


@given(ARGUMENTS, ARGUMENTS)
def test_they_are_made_compared_and_taken_apart_alike(
    one: dict[str, Any], other: dict[str, Any]
) -> None:
    assert dataclasses.asdict(Point(**one)) == dataclasses.asdict(Twin(**one))
    assert dataclasses.astuple(Point(**one)) == dataclasses.astuple(Twin(**one))
    assert (Point(**one) == Point(**other)) == (Twin(**one) == Twin(**other))
    twin: object = Twin(**one)
    assert Point(**one) != twin
    changed = dataclasses.replace(Point(**one), x=5)
    assert dataclasses.asdict(changed) == dataclasses.asdict(dataclasses.replace(Twin(**one), x=5))


def test_they_are_called_alike() -> None:
    names = [*inspect.signature(Twin).parameters]
    assert [*inspect.signature(Point).parameters] == names
    calls: list[Callable[[Any], object]] = [
        lambda kind: kind(),
        lambda kind: kind(1, "a", [], None, 2),
        lambda kind: kind(1, nam="a"),
        lambda kind: kind(1, x=2),
    ]
    for call in calls:
        with pytest.raises(TypeError) as theirs:
            call(Twin)
        with pytest.raises(TypeError) as ours:
            call(Point)
        assert str(ours.value) == str(theirs.value).replace("Twin", "Point")
    assert Point(1).tags is not Point(1).tags
    assert Empty() == Empty()


def test_what_may_change_is_compared_and_is_no_key() -> None:
    @mutable
    class Reader:
        """With a default that each has for itself."""

        found: list[int] = field(default_factory=list)
        mark: str = ""

    one, other = Reader(), Reader([1])
    one.found.append(1)
    one.mark = other.mark = "✓"
    assert one == other != Reader()
    assert [*inspect.signature(Reader).parameters] == ["found", "mark"]
    with pytest.raises(TypeError, match="unhashable"):
        hash(one)
    with pytest.raises(AttributeError):
        one.other = 1  # type: ignore[attr-defined]


def test_equal_values_are_one_key() -> None:
    @frozen
    class Key:
        """Hashable."""

        a: int
        b: object = field(default=None, compare=False)

    assert hash(Key(1)) == hash(Key(1, "b")) != hash(Key(2))
    assert len({Key(1), Key(1, "b"), Key(2)}) == 2
    with pytest.raises(TypeError, match="unhashable"):
        hash(Point(1))


@pytest.mark.parametrize("name", ["x", "size", "where", "nothing"])
def test_nothing_is_assigned_or_deleted(name: str) -> None:
    point = Point(1)
    with pytest.raises(FrozenInstanceError, match=f"cannot assign to field '{name}'"):
        setattr(point, name, 2)
    with pytest.raises(FrozenInstanceError, match=f"cannot delete field '{name}'"):
        delattr(point, name)
    assert not hasattr(point, "__dict__")


def test_they_are_copied_and_pickled() -> None:
    point = Point(-3, tags=["a"], seen="b")
    for again in (copy.copy(point), copy.deepcopy(point), pickle.loads(pickle.dumps(point))):
        assert again == point
        assert (again.size, again.seen, again.unit) == (3, "b", "m")


def test_a_method_of_its_own_stays() -> None:
    @frozen
    class Own:
        """Named by itself."""

        a: int

        def __repr__(self) -> str:
            return "own"

        def __eq__(self, other: object) -> bool:
            return True

    assert repr(Own(1)) == "own"
    assert Own(1) == Own(2)


def test_repr_is_one_short_line_that_leaves_out_what_is_not_known() -> None:
    assert repr(Point(1)) == "Point(x=1, name='here', size=1, unit='m')"
    assert repr(Point(1, "a\nb", ["a"] * 9)) == (
        "Point(x=1, name='a\\nb', tags=<9>, size=1, unit='m')"
    )
    long = repr(Point(1, "n" * 10_000, seen="secret"))
    assert len(long) <= WIDTH and "..." in long and "secret" not in long
