"""Changes of the record that the Plan screen makes: one after the other, each can be taken back."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

from orch_tui.errors import OrchError
from orch_tui.screens.doings import DoneThing, TakenBack, run
from orch_tui.screens.orch_screen import OrchScreen, Problem
from orch_tui.screens.widgets.form import Values, draft_of

if TYPE_CHECKING:
    from orch_tui.models.database import Record

T = TypeVar("T")


class PlanChanges:
    """Makes changes in threads, in the order they were asked for, and shows the record anew."""

    def __init__(self, screen: OrchScreen) -> None:
        self._screen = screen
        self._waiting: list[tuple[Callable[[], Any], Callable[[Any], None]]] = []
        """Changes that wait for the one before them: keys may come faster than the disk."""

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

        def attempt() -> T:
            if typed:
                drafts.save(typed[0], draft_of(typed[1]))
            result = work(project.record)
            if typed:
                with suppress(OrchError):
                    drafts.drop(typed[0])
            return result

        def done(result: T) -> None:
            if of:
                self._screen.app.doings.add(_change_of(of))
            then(result)

        self._waiting.append((attempt, done))
        if len(self._waiting) == 1:
            self._make_next()

    def _make_next(self) -> None:
        work, then = self._waiting[0]

        def attempt() -> tuple[Any, OrchError | None]:
            try:
                return work(), None
            except OrchError as error:
                return None, error

        def changed(answer: tuple[Any, OrchError | None]) -> None:
            del self._waiting[0]
            result, refusal = answer
            if refusal:
                self._screen.query_one(Problem).show(refusal, "change")
            else:
                then(result)
            if self._waiting:
                self._make_next()
            elif not refusal:
                self._screen.load()
                self._screen.app.read_session()

        self._screen.run_in_thread(attempt, changed, group="change")

    def undo(self, shown: str, then: Callable[[str, str], None]) -> None:
        """Take back the last thing done, whatever it was and wherever; where nothing was, the last
        change of the session ``shown``. ``then`` is told the session and what was undone."""
        self._take_back(shown, then, again=False)

    def redo(self, shown: str, then: Callable[[str, str], None]) -> None:
        """Do again what was taken back last, as ``undo`` takes it back."""
        self._take_back(shown, then, again=True)

    def _take_back(self, shown: str, then: Callable[[str, str], None], *, again: bool) -> None:
        doings = self._screen.app.doings
        doing = doings.next(again=again, otherwise=_change_of(shown))
        if doing is None:
            return

        def changed(taken: TakenBack) -> None:
            doings.took(doing, again=again)
            elsewhere = taken.session_id not in ("", shown)
            where = f", in {taken.session_id}" if elsewhere else ""
            then(taken.session_id or shown, f"{taken.words}{where}")

        self.make(lambda record: run(record, doing, again=again), changed)


def _change_of(session_id: str) -> DoneThing:
    """The last change of a session or its plan, whatever it was: the journal knows."""

    def undo(record: Record) -> str:
        from orch_tui.record import change_history

        return change_history.describe_change(change_history.undo_change(record, session_id))

    def redo(record: Record) -> str:
        from orch_tui.record import change_history

        return change_history.describe_change(change_history.redo_change(record, session_id))

    return DoneThing(undo, redo, session_id)
