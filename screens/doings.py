"""What was done last, whatever it was and on whatever screen: it can be undone, and done again.

What is edited and not saved yet, a composition or a form, has its own: nothing is recorded of it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from orch_tui.models.database import Record
    from orch_tui.screens.orch_screen import OrchScreen


@dataclass(frozen=True, slots=True)
class DoneThing:
    """One thing that was done; both ways give what was done, in words."""

    undo: Callable[[Record], str]
    redo: Callable[[Record], str]
    session_id: str = ""
    """The session whose change it was; empty: of several, or of none."""


@dataclass(frozen=True, slots=True)
class TakenBack:
    """What was taken back, or done again: ``undone: moved to phase 2 design``."""

    words: str
    session_id: str


class Doings:
    """Things that were done since the app came up, the last one last."""

    def __init__(self) -> None:
        self._done: list[DoneThing] = []
        self._undone: list[DoneThing] = []

    @property
    def can_undo(self) -> bool:
        return bool(self._done)

    @property
    def can_redo(self) -> bool:
        return bool(self._undone)

    def add(self, doing: DoneThing) -> None:
        """Remember what was done; what was undone before cannot be done again any more."""
        self._done.append(doing)
        self._undone.clear()

    def next(self, *, again: bool, otherwise: DoneThing | None = None) -> DoneThing | None:
        """Take what is to be undone, or done again; ``otherwise``: where nothing was done here."""
        taken = self._undone if again else self._done
        return taken.pop() if taken else otherwise

    def took(self, doing: DoneThing, *, again: bool) -> None:
        """Know that it was: it can go back the other way."""
        (self._done if again else self._undone).append(doing)


def take_back(screen: OrchScreen, *, again: bool) -> None:
    """Undo the last thing that was done, or do again what was undone last, and say what it was."""
    app = screen.app
    doing = app.doings.next(again=again)
    if doing is None:
        app.notify("nothing was undone" if again else "nothing was done that can be undone")
        return
    project, known = app.project, doing

    def work() -> TakenBack:
        return run(project.record, known, again=again)

    def then(taken: TakenBack) -> None:
        app.doings.took(known, again=again)
        app.notify(taken.words, markup=False)
        app.on_record_changed()

    screen.run_in_thread(work, then, group="change")


def run(record: Record, doing: DoneThing, *, again: bool) -> TakenBack:
    """Take something back or do it again, and word it."""
    if again:
        return TakenBack(f"done again: {doing.redo(record)}", doing.session_id)
    return TakenBack(f"undone: {doing.undo(record)}", doing.session_id)
