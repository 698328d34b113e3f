"""What changed in the files of a past execution since it was given them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen
from textual.widgets import Static

from orch_tui.screens.widgets.key_line import KeyLine
from orch_tui.screens.widgets.lines import Lines
from orch_tui.screens.widgets.passages import AsIs, ColouredDiff
from orch_tui.screens.widgets.row_list import Column, Row, Rows

if TYPE_CHECKING:
    from orch_tui.recall.drift import Drift

COLUMNS = (
    Column("since then", 13, state=True),
    Column("tokens", 9, right=True),
    Column("source"),
)
GLYPHS = {"unchanged": "=", "changed": "≠", "gone": "✗"}
STYLES = {"unchanged": "dim", "changed": "warn", "gone": "bad"}
ORDER = ("changed", "gone", "unchanged")


class Drifted(ModalScreen[None]):
    """The items that were given, with the difference of the one under the cursor."""

    DEFAULT_CSS = """
    Drifted {
        background: $background;
        & > #drifts { height: 1fr; }
        & > #diff { height: 2fr; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "app.pop_screen", "back to the list")
    ]

    def __init__(self, label: str, found: Sequence[Drift]) -> None:
        super().__init__()
        self._label = label
        self._found = sorted(found, key=lambda drift: ORDER.index(drift.state))

    def compose(self) -> ComposeResult:
        yield Static(f" {self._label} · {in_words(self._found)}", markup=False, classes="title")
        rows = [
            Row(
                str(place),
                (
                    f"{GLYPHS[drift.state]} {drift.state}",
                    f"{drift.tokens:+,}".replace("-", "−") if drift.tokens else "",
                    "#".join((drift.then.source, *drift.then.sections)),
                ),
                STYLES[drift.state],
            )
            for place, drift in enumerate(self._found)
        ]
        empty = "It was given no files: nothing can have changed."
        drifts = Rows(COLUMNS, id="drifts", rows=rows, empty=empty, classes="pane")
        drifts.border_title = "What it was given, and what the files hold now"
        yield drifts
        diff = Lines(id="diff", classes="pane")
        diff.border_title = "Difference"
        yield diff
        yield KeyLine()

    @on(Rows.Selected, "#drifts")
    def _read(self) -> None:
        self.query_one("#diff", Lines).focus()

    def on_mount(self) -> None:
        if self._found:
            self._show(self._found[0])

    @on(Rows.Highlighted, "#drifts")
    def _highlighted(self, event: Rows.Highlighted) -> None:
        if event.key:
            self._show(self._found[int(event.key)])

    def _show(self, drift: Drift) -> None:
        text = _on(drift)
        passage = ColouredDiff(text) if drift.diff() else AsIs(text)
        self.query_one("#diff", Lines).show_passages(text, (passage,))


def in_words(found: Sequence[Drift]) -> str:
    """How many of the items are not what they were, and what that makes."""
    count = {state: sum(drift.state == state for drift in found) for state in ORDER}
    said = [f"{number} {state}" for state, number in count.items() if number]
    tokens = sum(drift.tokens for drift in found)
    return ", ".join(said or ["no files"]) + (f", {tokens:+,} tokens" if tokens else "")


def _on(drift: Drift) -> str:
    if drift.state == "gone":
        return f"✗ {drift.then.source} {drift.reason}."
    if drift.state == "unchanged":
        return "As it was given."
    return drift.diff() or "Only its hash is known: what it was cannot be shown."
