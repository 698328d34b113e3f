"""The user's own editor, which has the terminal while the app waits."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from textual.app import App, SuspendNotSupported

from orch_tui.processes import name_editor

if TYPE_CHECKING:
    import subprocess


class TextEditor:
    """Opens texts in $VISUAL or $EDITOR."""

    def __init__(self, app: App[Any]) -> None:
        self._app = app
        self._running: subprocess.Popen[bytes] | None = None

    def edit(self, text: str, name: str) -> str | None:
        """Open text in a file called ``name`` and give what came back; None where that failed."""
        import tempfile

        with tempfile.TemporaryDirectory(prefix="orch-") as folder:
            path = Path(folder) / name
            try:
                path.write_bytes(text.encode("utf-8", "surrogateescape"))
                with self._app.suspend():  # nothing may be raised in there: it would not resume
                    failure = self._wait_for(path)
                if not failure:
                    return path.read_bytes().decode("utf-8", "surrogateescape")
            except (OSError, SuspendNotSupported) as error:
                failure = str(error)
        self._app.notify(failure, severity="error", markup=False)
        return None

    def _wait_for(self, path: Path) -> str:
        """Wait for the editor; gives what went wrong."""
        import subprocess

        try:
            command = name_editor()
            with subprocess.Popen([*command, str(path)]) as self._running:
                code = self._running.wait()
        except (OSError, ValueError) as error:
            return f"the editor failed: {error}"
        return f"{command[0]}: it ended with exit code {code}" if code else ""

    def terminate(self) -> None:
        """End the editor, for which the event loop waits."""
        if self._running is not None:
            self._running.terminate()
