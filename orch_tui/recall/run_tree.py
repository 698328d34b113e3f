"""Runs beneath the ones that launched them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

T = TypeVar("T")


def arrange_tree(
    runs: Iterable[T], *, label: Callable[[T], str], parent: Callable[[T], str | None]
) -> list[tuple[T, int]]:
    """Put each run after the one that launched it, with its depth; the order is kept otherwise.

    Depth 0 is a run whose parent is not among them, or that names itself or its own children as
    its parent, as only raw SQL can.
    """
    runs = list(runs)
    children: dict[str | None, list[T]] = {}
    for run in runs:
        children.setdefault(parent(run), []).append(run)
    listed = {label(run) for run in runs}
    found: dict[str, tuple[T, int]] = {}
    for first in (*(run for run in runs if parent(run) not in listed), *runs):
        left = [(first, 0)]
        while left:
            run, depth = left.pop()
            if label(run) not in found:
                found[label(run)] = run, depth
                left += [(child, depth + 1) for child in reversed(children.get(label(run), ()))]
    return list(found.values())
