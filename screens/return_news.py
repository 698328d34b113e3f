"""Which runs came back since somebody looked: what every screen announces and counts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from orch_tui.screens.widgets.safe import one_line

if TYPE_CHECKING:
    from orch_tui.recall.run_endings import RunEnding


class ReturnNews:
    """The runs that came back since the app was opened, or that nobody has looked at since.

    ``kept`` is what ``keep`` returned when the app was closed last, or anything else; ``now`` the
    time from which returns are news where nothing was kept.
    """

    def __init__(self, kept: Any, now: str) -> None:
        told = kept if isinstance(kept, dict) else {}
        since, looked = told.get("since"), told.get("looked")
        self.since = since if isinstance(since, str) else now
        """The time from which returns are news, as the record writes it."""
        self._looked = {key for key in looked if isinstance(key, str)} if looked else set()
        self._own: set[str] = set()
        self._known: dict[str, RunEnding] = {}
        self._is_first = True

    @property
    def unseen(self) -> list[RunEnding]:
        """The returns that nobody has looked at, the newest first."""
        return [ending for key, ending in self._known.items() if key not in self._looked]

    @property
    def counts(self) -> tuple[tuple[str, int, str], ...]:
        """State, number and word of each badge that is not none."""
        failed = sum(ending.status == "failed" for ending in self.unseen)
        counted = (("failed", failed, "failed"), ("done", len(self.unseen) - failed, "back"))
        return tuple(each for each in counted if each[1])

    def take(self, endings: Sequence[RunEnding]) -> list[RunEnding]:
        """Take in the returns since ``since``; return those to be announced.

        Those of the first time came while nobody was there, others by this app itself: neither is
        announced.
        """
        before, self._known = self._known, {_key_of(ending): ending for ending in endings}
        self._looked |= {key for key, e in self._known.items() if e.execution_id in self._own}
        is_first, self._is_first = self._is_first, False
        new = (
            e for key, e in self._known.items() if key not in before | dict.fromkeys(self._looked)
        )
        return [] if is_first else list(new)

    def expect(self, execution_id: str) -> None:
        """Know that a return is about to be recorded here: it is no news."""
        self._own.add(execution_id)

    def look_at(self, execution_id: str) -> bool:
        """Know that somebody has looked at a run; tell whether that was news."""
        unseen = [e for e in self.unseen if e.execution_id == execution_id]
        self._looked |= set(map(_key_of, unseen))
        return bool(unseen)

    def keep(self) -> dict[str, Any]:
        """Return what is to be known when the app is opened again, as plain JSON."""
        unseen = [ending.completed_at or "" for ending in self.unseen]
        known = [ending.completed_at or "" for ending in self._known.values()]
        since = min(unseen) if unseen else max([self.since, *known])
        still = (key for key, e in self._known.items() if (e.completed_at or "") >= since)
        return {"since": since, "looked": sorted(self._looked.intersection(still))}


def _key_of(ending: RunEnding) -> str:
    return f"{ending.execution_id}/{ending.returns}"


def word_returns(new: Sequence[RunEnding]) -> tuple[list[tuple[str, bool]], str]:
    """Say what came back, each line with whether it is bad; and what a key would show."""
    if len(new) > 2:
        failed = sum(ending.status == "failed" for ending in new)
        line = f"{len(new)} came back{f', {failed} of them failed' * bool(failed)}"
        return [(line, bool(failed))], "them"
    return [_word_return(ending) for ending in reversed(new)], "it"


def _word_return(ending: RunEnding) -> tuple[str, bool]:
    """Say who came back, or why who failed or is in doubt, and whether it is bad."""
    name = one_line(ending.agent_type, 40)
    if ending.went_well is False:
        return f"{name} failed: {one_line(ending.words, 80) or 'no reason was given'}", True
    if ending.went_well is None:
        return f"{name} came back, in doubt: {one_line(ending.doubt, 80)}", True
    return f"{name} came back", False
