"""Bringing the record of an older orch up to date before the first screen, with a bar."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from textual.worker import Worker, get_current_worker

from orch_tui.errors import OrchError
from orch_tui.screens.dialogs import Working
from orch_tui.screens.widgets.progress_line import progress_line

if TYPE_CHECKING:
    from orch_tui.app import OrchApp

_CELLS = 40


class _StoppedError(Exception):
    """The user had enough; the record is as it was."""


def migrate_record(app: OrchApp, *, then: Callable[[], None]) -> None:
    """Bring the record of the app up to date in a thread, then call ``then``.

    It is called where that failed, too: each screen says what is wrong with the record. Who stops
    it leaves the app, which can show nothing of such a record.
    """
    project = app.project

    def work() -> None:
        worker = get_current_worker()

        def progress(done: int, total: int) -> None:
            if worker.is_cancelled:
                raise _StoppedError
            app.call_from_thread(show, progress_line(done, total, _CELLS))

        try:
            project.migrate(progress)
        except _StoppedError:
            return
        except OrchError:
            pass
        app.call_from_thread(done)

    def show(text: str) -> None:
        dialog.done = text

    def done() -> None:
        dialog.dismiss()
        then()

    def stop() -> None:
        worker.cancel()
        app.exit(return_code=1, message="the record is as it was; orch migrate goes on")

    worker: Worker[None]
    dialog = Working("Bringing the record up to date …", stop)
    app.push_screen(dialog)
    worker = app.run_worker(work, thread=True, group="migrate", exit_on_error=True)
