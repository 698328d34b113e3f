"""What was done last, whatever it was and on whatever screen: it can be undone, and done again.

What is edited and not saved yet, a composition or a form, has its own: nothing is recorded of it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from orch_tui.errors import ConflictError, NotFoundError, OrchError, UsageError

if TYPE_CHECKING:
    from orch_tui.models.database import Record
    from orch_tui.screens.orch_screen import OrchScreen

T = TypeVar("T")


@dataclass(frozen=True, slots=True, eq=False)
class DoneThing:
    """One thing that was done; both ways give what was done, in words."""

    undo: Callable[[Record], str]
    redo: Callable[[Record], str]
    session_id: str = ""
    """The session whose change it was; empty: of several, or of none."""


@dataclass(frozen=True, slots=True)
class TakenBack:
    """What was taken back, or done again: ``undone: moved to phase 2 design``."""

    doing: DoneThing
    words: str


class Doings:
    """Things that were done since the app came up, the last one last; one is done at a time."""

    def __init__(self) -> None:
        self._done: list[DoneThing] = []
        self._undone: list[DoneThing] = []
        self._waiting: list[Callable[[], None]] = []
        """What is being done, and then what waits for it: keys may come faster than the disk."""

    @property
    def can_undo(self) -> bool:
        return bool(self._done)

    @property
    def can_redo(self) -> bool:
        return bool(self._undone)

    @property
    def is_quiet(self) -> bool:
        """Nothing is being done."""
        return not self._waiting

    def add(self, doing: DoneThing) -> None:
        """Remember what was done; what was undone before cannot be done again any more."""
        self._done.append(doing)
        self._undone.clear()

    def find_next(self, *, again: bool) -> DoneThing | None:
        """Return what is to be undone, or done again; it stays until it ``took``."""
        known = self._undone if again else self._done
        return known[-1] if known else None

    def took(self, doing: DoneThing, *, again: bool) -> None:
        """Know that it was undone, or done again: it can go back the other way."""
        known, other = (self._undone, self._done) if again else (self._done, self._undone)
        if doing in known:
            known.remove(doing)
        other.append(doing)

    def step_aside(self, doing: DoneThing, *, again: bool) -> bool:
        """Have what was refused for what it is tried after all others; tell whether there are any.
        What stands in its way may be gone by then."""
        known = self._undone if again else self._done
        if doing in known[1:]:
            known.remove(doing)
            known.insert(0, doing)
            return True
        return False

    def begin_in_turn(self, begin: Callable[[], None]) -> None:
        """Begin something once all that was asked for before is done; ``end_turn`` ends it."""
        self._waiting.append(begin)
        if len(self._waiting) == 1:
            begin()

    def end_turn(self) -> None:
        """Let the next begin."""
        del self._waiting[0]
        if self._waiting:
            self._waiting[0]()


def do_in_turn(screen: OrchScreen, work: Callable[[], T], then: Callable[[T], None]) -> None:
    """Change the record in a thread, after the changes asked for before on any screen; ``then``
    gets the result. What is refused is told on the screen, and the next is done all the same."""
    app = screen.app

    def done(result: T) -> None:
        then(result)
        end()

    def end(_: OrchError | None = None) -> None:
        app.doings.end_turn()
        if app.doings.is_quiet:
            if app.screen is not screen:
                screen.load()
            app.on_record_changed()

    app.doings.begin_in_turn(
        lambda: screen.run_in_thread(work, done, group="change", failed=end),
    )


def take_back(
    screen: OrchScreen,
    *,
    again: bool,
    otherwise: DoneThing | None = None,
    then: Callable[[TakenBack], None] | None = None,
) -> None:
    """Undo the last thing that was done, or do again what was undone last, and say what it was.

    What the record cannot do now, as it is locked, stays the last thing; what is refused for what
    it is, as something stands on it by now, steps aside. ``otherwise`` is taken where nothing was
    done here; ``then`` says it in place of a notice.
    """
    app = screen.app
    doings, project = app.doings, app.project

    def work() -> TakenBack | None:
        doing = doings.find_next(again=again) or otherwise
        if doing is None:
            return None
        try:
            if again:
                return TakenBack(doing, f"done again: {doing.redo(project.record)}")
            return TakenBack(doing, f"undone: {doing.undo(project.record)}")
        except (ConflictError, NotFoundError, UsageError) as error:
            if not doings.step_aside(doing, again=again):
                raise
            before = "undone" if again else "done"
            hint = f"it stays as it is; the same key goes on to what was {before} before"
            raise ConflictError(error.message, hint=hint) from error

    def tell(taken: TakenBack | None) -> None:
        if taken is None:
            app.notify("nothing was undone" if again else "nothing was done that can be undone")
            return
        doings.took(taken.doing, again=again)
        if then is None:
            app.notify(taken.words, markup=False)
        else:
            then(taken)

    do_in_turn(screen, work, tell)


def make_done_thing(changes: Sequence[int], session_id: str = "", words: str = "") -> DoneThing:
    """Make of changes, by their entries in the journal, one thing that can be undone.

    ``words`` say what it was; empty: what the journal says.
    """

    def undo(record: Record) -> str:
        from orch_tui.record.change_history import undo_changes

        if told := undo_changes(record, changes):
            return words or told
        return f"{words or 'the last change'}, which was taken back already"

    def redo(record: Record) -> str:
        from orch_tui.record.change_history import redo_changes

        told = redo_changes(record, changes)
        return words or told

    return DoneThing(undo, redo, session_id)
