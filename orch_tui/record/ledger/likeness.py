"""Whether a prompt is a briefing that somebody passed on: re-wrapped, prefixed, cut, unmarked.

Measured on the 15 variants a real client was made to pass (exact, trimmed, re-wrapped, prefixed,
collapsed; with the marker, without, with a broken one) and on made ones: what is passed on keeps
all of its characters in whole lines, less what was cut; a paraphrase or another task with the same
files keeps less than 0.8 of them, or lacks the scope.
"""

from __future__ import annotations

from collections.abc import Mapping

from orch_tui.frozen import frozen

MOST = 0.8
"""The share of the characters of a briefing that a prompt has to hold, in whole lines."""

_TELLING = 0.8
"""The share of what tells a briefing from another one that the prompt has to hold of it; of what
tells the other one it must hold less than the rest."""


@frozen
class Likeness:
    """Which of some briefings a prompt is."""

    label: str | None
    """None: none of them, or it cannot be told which."""
    undecided: tuple[str, ...] = ()
    """Those between which it cannot be told."""


def find_likeness(prompt: str, planned: Mapping[str, tuple[str, str | None]]) -> Likeness:
    """Find the briefing that a prompt holds most lines of.

    ``planned`` are text and scope of the briefings by label. One whose scope the prompt does not
    hold is none: another task may come with the same files.
    """
    held = _Text(prompt)
    alike: dict[str, frozenset[str]] = {}
    for label, (text, scope) in planned.items():
        if len(prompt) < MOST / 2 * len(text):
            continue
        mine = _Text(text)
        if scope and scope in mine and scope not in held:
            continue
        if held.holds(mine.lines, MOST):
            alike[label] = mine.lines
    chosen = [
        label
        for label, lines in alike.items()
        if all(_is_rather(held, lines, others) for other, others in alike.items() if other != label)
    ]
    if len(chosen) == 1:
        return Likeness(chosen[0])
    return Likeness(None, tuple(alike))


def _is_rather(held: _Text, lines: frozenset[str], others: frozenset[str]) -> bool:
    own, foreign = lines - others, others - lines
    return held.holds(own, _TELLING) and not held.holds(foreign, 1 - _TELLING)


class _Text:
    """A text without its white space at line ends, and in which lines may stand in others."""

    def __init__(self, text: str) -> None:
        lines = (" ".join(line.split()) for line in text.split("\n"))
        self.lines = frozenset(line for line in lines if line)
        self._joined = " ".join(text.split())

    def __contains__(self, words: str) -> bool:
        """Tell whether words stand here, however they are wrapped, and are no part of others."""
        words = " ".join(words.split())
        place = self._joined.find(words)
        while place >= 0:
            before = self._joined[place - 1 : place] if place else ""
            after = self._joined[place + len(words) : place + len(words) + 1]
            if not (_joins(before, words[:1]) or _joins(words[-1:], after)):
                return True
            place = self._joined.find(words, place + 1)
        return False

    def holds(self, lines: frozenset[str], share: float) -> bool:
        """Tell whether lines with this share of the characters of all stand here; False of none.

        Looking for one line in all of a text takes as long as the text is, so that ends as soon as
        it is known.
        """
        total = sum(map(len, lines))
        others = lines - self.lines
        unknown = sum(map(len, others))
        held = total - unknown
        for line in others:
            if held >= total * share or held + unknown < total * share:
                break
            unknown -= len(line)
            if line in self:
                held += len(line)
        return bool(total) and held >= total * share


def _joins(one: str, other: str) -> bool:
    return (one.isalnum() or one == "_") and (other.isalnum() or other == "_")
