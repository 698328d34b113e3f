"""Changes of the record that the Plan screen makes: one after the other, each can be taken back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, TypeVar

from orch_tui.errors import OrchError
from orch_tui.screens.doings import DoneThing, TakenBack, do_in_turn, make_done_thing, take_back
from orch_tui.screens.orch_screen import OrchScreen
from orch_tui.screens.widgets.form import Values, draft_of

if TYPE_CHECKING:
    from orch_tui.models.database import Record

T = TypeVar("T")


class PlanChanges:
    """Makes changes in threads, in the order they were asked for, and shows the record anew."""

    def __init__(self, screen: OrchScreen) -> None:
        self._screen = screen

    @property
    def can_undo(self) -> bool:
        return self._screen.app.doings.can_undo

    @property
    def can_redo(self) -> bool:
        return self._screen.app.doings.can_redo

    def make(
        self,
        work: Callable[[Record], T],
        then: Callable[[T], None],
        *,
        typed: tuple[str, Values] | None = None,
        of: str = "",
    ) -> None:
        """Change the record in a thread, after the changes asked for before, and show it.

        ``typed`` is what came out of a form and the name of its draft: kept where it is refused.
        ``of`` is the session whose change it is, which can be taken back; empty: it cannot.
        """
        project, drafts = self._screen.app.project, self._screen.app.drafts

        def attempt() -> tuple[T, Sequence[int]]:
            from orch_tui.record.change_history import make_changes

            if typed:
                drafts.save(typed[0], draft_of(typed[1]))
            record = project.record
            answer = make_changes(record, work) if of else (work(record), ())
            if typed:
                with suppress(OrchError):
                    drafts.drop(typed[0])
            return answer

        def done(answer: tuple[T, Sequence[int]]) -> None:
            result, made = answer
            if made:
                self._screen.app.doings.add(make_done_thing(made, of))
            then(result)

        do_in_turn(self._screen, attempt, done)

    def undo(self, shown: str, then: Callable[[str, str], None]) -> None:
        """Take back the last thing done, whatever it was and wherever; where nothing was, the last
        change of the session ``shown``. ``then`` is told the session and what was undone."""
        self._take_back(shown, then, again=False)

    def redo(self, shown: str, then: Callable[[str, str], None]) -> None:
        """Do again what was taken back last, as ``undo`` takes it back."""
        self._take_back(shown, then, again=True)

    def _take_back(self, shown: str, then: Callable[[str, str], None], *, again: bool) -> None:
        def changed(taken: TakenBack) -> None:
            session_id = taken.doing.session_id
            where = f", in {session_id}" if session_id not in ("", shown) else ""
            then(session_id or shown, f"{taken.words}{where}")

        otherwise = _last_change_of(shown) if shown else None
        take_back(self._screen, again=again, otherwise=otherwise, then=changed)


def _last_change_of(session_id: str) -> DoneThing:
    """The last change of a session or its plan, whatever it was: the journal knows."""

    def undo(record: Record) -> str:
        from orch_tui.record import change_history

        return change_history.describe_change(change_history.undo_change(record, session_id))

    def redo(record: Record) -> str:
        from orch_tui.record import change_history

        return change_history.describe_change(change_history.redo_change(record, session_id))

    return DoneThing(undo, redo, session_id)
