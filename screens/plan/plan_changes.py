"""Changes of the record that the Plan screen makes: one after the other, each can be taken back."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

from orch_tui.errors import OrchError
from orch_tui.screens.orch_screen import OrchScreen, Problem
from orch_tui.screens.widgets.form import Values, draft_of

if TYPE_CHECKING:
    from orch_tui.models.database import Record
    from orch_tui.rows import JournalEntry

T = TypeVar("T")


class PlanChanges:
    """Makes changes in threads, in the order they were asked for, and shows the record anew."""

    def __init__(self, screen: OrchScreen) -> None:
        self._screen = screen
        self._done: list[str] = []
        """The sessions that were changed here, one for each change; likewise where changes were
        taken back that can be done again."""
        self._undone: list[str] = []
        self._waiting: list[tuple[Callable[[], Any], Callable[[Any], None]]] = []
        """Changes that wait for the one before them: keys may come faster than the disk."""

    @property
    def can_undo(self) -> bool:
        return bool(self._done)

    @property
    def can_redo(self) -> bool:
        return bool(self._undone)

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
                self._done.append(of)
                self._undone.clear()
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
        """Take back the last thing done here, whatever it was and in whatever session; where
        nothing was, the last change of the session ``shown``. ``then`` is told the session and
        what was undone."""
        self._take_back(self._done, self._undone, shown, "undone", then)

    def redo(self, shown: str, then: Callable[[str, str], None]) -> None:
        """Do again what was taken back last, as ``undo`` takes it back."""
        self._take_back(self._undone, self._done, shown, "done again", then)

    def _take_back(
        self,
        taken: list[str],
        given: list[str],
        shown: str,
        word: str,
        then: Callable[[str, str], None],
    ) -> None:
        from orch_tui.record import change_history

        session_id = taken.pop() if taken else shown
        work = change_history.undo_change if word == "undone" else change_history.redo_change

        def changed(entry: JournalEntry) -> None:
            given.append(session_id)
            where = "" if session_id == shown else f", in {session_id}"
            then(session_id, f"{word}: {change_history.describe_change(entry)}{where}")

        self.make(lambda record: work(record, session_id), changed)
