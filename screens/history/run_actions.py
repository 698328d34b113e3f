"""What is done with one run or several that were marked: written to a file, looked over, archived,
retracted, forgotten."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from orch_tui.errors import OrchError
from orch_tui.paths import resolve_path
from orch_tui.screens.dialogs import Ask, Confirm
from orch_tui.screens.doings import DoneThing, do_in_turn, make_done_thing
from orch_tui.screens.widgets.safe import one_line
from orch_tui.wording import plural, word_size

if TYPE_CHECKING:
    from orch_tui.models.database import Record
    from orch_tui.record.upkeep.forgetting import ForgottenTexts
    from orch_tui.rows import Session
    from orch_tui.screens.orch_screen import OrchScreen

Chosen = Mapping[str, str]
"""Runs by label, each with its session."""


class RunActions:
    """Asks once, names how many, and takes back what can be taken back."""

    def __init__(self, screen: OrchScreen, done: Callable[[], None]) -> None:
        """``done`` is called when runs changed, left the lists or came back."""
        self._screen = screen
        self._done = done

    def export(self, chosen: Chosen) -> None:
        """Write runs to a file, whole, a line of JSON for each."""
        project, labels = self._screen.app.project, list(chosen)

        def read() -> bytes:
            from orch_tui.recall.run_export import export_runs

            return export_runs(project.existing_record, labels, project.root)

        self.ask_file(
            f"Write {plural(len(labels), 'run')} to which file?",
            f"{labels[0]}.jsonl" if len(labels) == 1 else f"{len(labels)}-runs.jsonl",
            read,
            detail="A line of JSON for each: what it was given, said, delivered, and its trail.",
        )

    def ask_file(
        self, question: str, name: str, read: Callable[[], bytes], *, detail: str = ""
    ) -> None:
        """Ask for a file and write there what is read then; one that is there is not replaced."""
        write = partial(self._write, read=read)
        self._screen.app.push_screen(Ask(question, value=name, detail=detail), write)

    def _write(self, name: str | None, *, read: Callable[[], bytes]) -> None:
        if not name:
            return
        folder, notify = self._screen.app.project.cwd, self._screen.app.notify

        def work() -> str:
            from orch_tui.files import write
            from orch_tui.written_files import note_written

            path = resolve_path(name, folder)
            if Path(path).exists():
                raise OrchError(f"{path} is there already", hint="give it another name")
            write(Path(path), read())
            note_written(path)
            return path

        self._screen.run_in_thread(
            work, lambda path: notify(f"written to {one_line(path)}", markup=False), group="write"
        )

    def collect(self, chosen: Chosen) -> None:
        """Keep what the messages of runs tell of, marked as found."""
        project, labels = self._screen.app.project, list(chosen)

        def work() -> int:
            from orch_tui.record.found_outputs import collect_told_outputs

            for label in labels:
                project.check_own_run(label)
            return len(collect_told_outputs(project.existing_record, labels, root=project.root))

        self._screen.run_in_thread(work, partial(self._collected, len(labels)), group="collect")

    def _collected(self, runs: int, outputs: int) -> None:
        whose = "its message" if runs == 1 else f"messages of {runs} runs"
        told = f"{whose}: {plural(outputs, 'output')} kept as found, which nobody has verified"
        self._screen.app.notify(told if outputs else f"{whose}: no output is told of")
        self._done()

    def archive(self, chosen: Chosen) -> None:
        """Archive the sessions of runs, once it is known how many runs that hides."""
        project, sessions = self._screen.app.project, list(dict.fromkeys(chosen.values()))

        def count() -> int:
            from orch_tui.recall.listing import count_runs

            for label in chosen:
                project.check_own_run(label)
            return count_runs(project.existing_record, sessions)

        self._screen.run_in_thread(
            count, partial(self._ask_archive, sessions, len(chosen)), group="archive"
        )

    def _ask_archive(self, sessions: Sequence[str], chosen: int, runs: int) -> None:
        others = runs - chosen
        beside = f", {others} of them not marked" if others else ""
        name = one_line(sessions[0], 60) if len(sessions) == 1 else f"{len(sessions)} sessions"
        asked = Confirm(
            f"Archive {name}?",
            detail=f"{plural(runs, 'run')} will be out of lists and search{beside}. Nothing is "
            "deleted: Ctrl+F finds what is archived, too, and Ctrl+Z takes this back.",
            yes="archives it" if len(sessions) == 1 else "archives them",
        )
        answered = partial(self._archive, sessions)
        self._screen.app.push_screen(asked, answered)

    def _archive(self, sessions: Sequence[str], agreed: bool | None) -> None:
        if not agreed:
            return
        project = self._screen.app.project

        def work() -> tuple[list[str], Sequence[int]]:
            from orch_tui.record.change_history import make_changes
            from orch_tui.record.sessions import archive_sessions

            return make_changes(
                project.existing_record, lambda record: archive_sessions(record, sessions)
            )

        do_in_turn(self._screen, work, lambda done: self._was_archived(*done))

    def _was_archived(self, sessions: list[str], changes: Sequence[int]) -> None:
        if sessions:
            told = plural(len(sessions), "session")
            self._screen.app.doings.add(make_done_thing(changes, words=f"archived {told}"))
            self._screen.app.notify(f"{told} archived · ^Z takes back")
        else:
            self._screen.app.notify("archived they were already")
        self._done()

    def retract(self, chosen: Chosen) -> None:
        """Retract runs for a reason; without one nothing happens. Where a session of theirs is
        closed that is said: its outcome stays."""
        asked = Ask(
            f"Retract {plural(len(chosen), 'run')}: why?",
            detail="For what was recorded by mistake. It leaves lists, search and sums, and stays "
            "in the record with your reason. Ctrl+Z takes this back, and says so in the record.",
        )
        self._screen.app.push_screen(asked, partial(self._retract, list(chosen)))
        project, sessions = self._screen.app.project, dict.fromkeys(chosen.values())

        def look() -> str:
            from orch_tui.record.sessions import get_session

            return _word_closed([get_session(project.existing_record, each) for each in sessions])

        self._screen.run_in_thread(look, asked.tell, group="closed")

    def _retract(self, labels: Sequence[str], reason: str | None) -> None:
        if reason is None:
            return
        if not reason.strip():
            self._screen.app.notify("a retraction needs a reason: nothing was retracted")
            return
        project = self._screen.app.project

        def work() -> None:
            from orch_tui.record.executions import retract_executions

            for label in labels:
                project.check_own_run(label)
            retract_executions(project.existing_record, labels, reason.strip())

        def then(_: None) -> None:
            self._screen.app.doings.add(_retracting(labels, reason.strip()))
            self._screen.app.notify(f"{plural(len(labels), 'run')} retracted · ^Z takes back")
            self._done()

        do_in_turn(self._screen, work, then)

    def forget(self, chosen: Chosen) -> None:
        """Forget the texts of runs that have ended, once it is known how much that is."""
        project, labels = self._screen.app.project, list(chosen)

        def measure() -> tuple[list[str], ForgottenTexts]:
            from orch_tui.record.upkeep.forgetting import find_forgettable, measure_forgetting

            for label in labels:
                project.check_own_run(label)
            runs = find_forgettable(project.existing_record, labels=labels)
            return runs, measure_forgetting(project.existing_record, runs)

        self._screen.run_in_thread(measure, lambda found: self._ask_forget(*found), group="forget")

    def _ask_forget(self, runs: list[str], found: ForgottenTexts) -> None:
        if not found.texts:
            self._screen.app.notify("nothing to forget: it waits, or its texts are gone already")
            return
        asked = Confirm(
            f"Forget the texts of {plural(len(runs), 'run')}, {word_size(found.size)}?",
            detail="What they were given, were told and said goes, for good: no key and no import "
            "brings it back. What they cost, when they ran and how they ended stays, and so does "
            "what another run was given, too.",
            yes="forgets them",
        )
        self._screen.app.push_screen(asked, partial(self._forget, runs))

    def _forget(self, runs: list[str], agreed: bool | None) -> None:
        if not agreed:
            return
        project = self._screen.app.project

        def work() -> ForgottenTexts:
            from orch_tui.record.upkeep.forgetting import forget_runs

            return forget_runs(project.existing_record, runs)

        def then(found: ForgottenTexts) -> None:
            self._screen.app.notify(f"{plural(found.texts, 'text')} forgotten")
            self._done()

        do_in_turn(self._screen, work, then)


def _word_closed(sessions: Sequence[Session]) -> str:
    """Say which of the sessions of runs are closed; empty: none."""
    closed = [session for session in sessions if session.completed_at]
    if not closed:
        return ""
    if len(sessions) > 1:
        return f"{len(closed)} of their sessions are closed; they stay as they were closed."
    word = "failed" if closed[0].status == "failed" else "done"
    name = one_line(closed[0].scope, 60)
    return f"The session is closed, as {word}, and stays closed so: {name}"


def _retracting(labels: Sequence[str], reason: str) -> DoneThing:
    words = f"retracted {plural(len(labels), 'run')}"

    def undo(record: Record) -> str:
        from orch_tui.record.executions import restore_executions

        restore_executions(record, labels)
        return words

    def redo(record: Record) -> str:
        from orch_tui.record.executions import retract_executions

        retract_executions(record, labels, reason)
        return words

    return DoneThing(undo, redo)
