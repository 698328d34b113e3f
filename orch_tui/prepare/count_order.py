"""In which order a project is counted in the background: what is looked at comes first."""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence

from orch_tui.prepare.composition import Choice
from orch_tui.prepare.tree import Node

FIRST_AT_ONCE = 16
"""Sources that somebody waits for, so few that figures appear one after the other."""

REST_BYTES = 1_000_000
REST_FILES = 200
"""Of the files that nobody waits for: so many that keeping the figures costs little."""

LARGE = 500_000
"""Bytes of a file that is only counted when somebody looks at it."""


class Counting:
    """Hands out batches of sources to count until all are counted.

    ``first`` may be replaced at any time, by another thread too: the next batch is from it.
    """

    def __init__(
        self, first: Sequence[Choice], rest: Sequence[Node], known: Container[str] = ()
    ) -> None:
        self.first = first
        self._rest = rest
        self._known = known

    def batches(self) -> Iterator[list[Choice]]:
        """Each source once: of ``first`` while there is any, then of the rest."""
        taken: set[str] = set()
        rest = iter([node for node in self._rest if node.path not in self._known])
        while True:
            wanted = {choice.key: choice for choice in self.first if choice.key not in taken}
            batch = list(wanted.values())[:FIRST_AT_ONCE] or list(_some(rest, taken))
            if not batch:
                return
            taken.update(choice.key for choice in batch)
            yield batch


def _some(rest: Iterator[Node], taken: Container[str]) -> Iterator[Choice]:
    """The next files that are not large, a batch of them."""
    size = files = 0
    for node in rest:
        if node.size > LARGE or node.path in taken:
            continue
        yield Choice(node.path)
        size, files = size + node.size, files + 1
        if size >= REST_BYTES or files >= REST_FILES:
            return
