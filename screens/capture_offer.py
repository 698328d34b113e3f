"""Having the runs of Claude Code in the record: what is on disk already, and all from now on."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

from textual.worker import Worker, get_current_worker

from orch_tui.errors import OrchError
from orch_tui.screens.dialogs import Choose, Confirm, Working
from orch_tui.screens.widgets.safe import one_line

if TYPE_CHECKING:
    from textual.notifications import SeverityLevel

    from orch_tui.app import OrchApp
    from orch_tui.install.offers import Offer
    from orch_tui.install.settings_file import Change
    from orch_tui.record.transcripts.importer import ImportSummary

DIFF_LINES = 14


class _StoppedError(Exception):
    """The user had enough; what was read so far is recorded."""


def show_offer(app: OrchApp, found: Offer) -> None:
    """Ask once, where there is something to record that is not."""
    choices = [("no", "not now: it stays in the palette, Ctrl+P")]
    if found.update:
        choices.insert(0, ("hooks", "hear of that, too: bring the hooks up to date"))
    elif found.hooks:
        choices.insert(0, ("hooks", "record every run from now on: install the hooks"))
    if found.transcripts:
        choices.insert(0, ("import", "import what is on disk"))
    if found.hooks and found.transcripts:
        choices.insert(0, ("both", "both: import, and install the hooks"))

    def chosen(choice: str | None) -> None:
        if choice in ("import", "both"):
            import_transcripts(app, then=lambda: install_hooks(app) if choice == "both" else None)
        elif choice == "hooks":
            install_hooks(app)

    app.push_screen(
        Choose("Record what Claude Code's agents do?", choices, detail=str(found)), chosen
    )


def import_transcripts(app: OrchApp, *, then: Callable[[], None] = lambda: None) -> None:
    """Take in what Claude Code keeps of the project, with its progress in view."""
    project = app.project

    def work() -> None:
        worker = get_current_worker()

        def progress(done: int, total: int) -> None:
            if worker.is_cancelled:
                raise _StoppedError
            app.call_from_thread(show, f"{done / 1e6:,.0f} of {total / 1e6:,.0f} MB read")

        try:
            summary = project.import_files(progress=progress)
        except _StoppedError:
            return
        except OrchError as error:
            app.call_from_thread(failed, error)
            return
        app.call_from_thread(done, summary)

    def show(text: str) -> None:
        dialog.done = text

    def failed(error: OrchError) -> None:
        dialog.dismiss()
        app.notify(one_line(f"{error.message}. {error.hint}", 300), severity="error", markup=False)

    def done(summary: ImportSummary) -> None:
        dialog.dismiss()
        app.notify(
            f"{summary.new:,} runs new, {summary.merged:,} merged with what was known, "
            f"{summary.known:,} known already",
            markup=False,
        )
        then()

    worker: Worker[None]
    dialog = Working("Reading transcripts …", lambda: worker.cancel())
    app.push_screen(dialog)
    worker = app.run_worker(work, thread=True, group="import", exit_on_error=True)


def install_hooks(app: OrchApp) -> None:
    """Show what would change in the settings of Claude Code, and change it."""
    from orch_tui.install import hook_settings
    from orch_tui.install.settings_file import apply as apply_change

    project = app.project

    def work() -> None:
        try:
            change = hook_settings.due_installation(project.root, sys.executable)
        except OrchError as error:
            app.call_from_thread(say, f"{error.message}. {error.hint}", "error")
            return
        app.call_from_thread(ask, change)

    def ask(change: Change) -> None:
        if change.is_none:
            say("the hooks are there already", "information")
            return
        lines = [one_line(line, 100) for line in change.diff()]
        shown = "\n".join(lines[:DIFF_LINES])
        more = f"\n… and {len(lines) - DIFF_LINES} lines" if len(lines) > DIFF_LINES else ""
        app.push_screen(
            Confirm(f"Write the hooks into {change.path}?", detail=shown + more),
            lambda agreed: write(change) if agreed else None,
        )

    def write(change: Change) -> None:
        def apply() -> None:
            try:
                backup = apply_change(change)
            except OrchError as error:
                app.call_from_thread(say, f"{error.message}. {error.hint}", "error")
                return
            kept = f"; what was there before is in {backup}" if backup else ""
            said = f"Written: {hook_settings.WHEN}{kept}"
            app.call_from_thread(say, said, "information")

        app.run_worker(apply, thread=True, group="hooks", exit_on_error=True)

    def say(text: str, severity: SeverityLevel) -> None:
        app.notify(one_line(text, 300), severity=severity, markup=False)

    app.run_worker(work, thread=True, group="hooks", exit_on_error=True)
