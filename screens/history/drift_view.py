"""What changed in the files of a past execution since it was given them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen

from orch_tui.screens.history.compared_pane import ComparedPane, TextPair
from orch_tui.screens.widgets.key_line import HELP_KEY, KeyLine
from orch_tui.screens.widgets.row_list import Column
from orch_tui.screens.widgets.words import format_tokens

if TYPE_CHECKING:
    from orch_tui.recall.drift import Drift

COLUMNS = (
    Column("", 1, state=True, gives_way=-1),
    Column("what it was given", cut_head=True),
    Column("then", 6, right=True, gives_way=-1),
    Column("now", 6, right=True, gives_way=-1),
    Column("", 10, state=True, gives_way=-1),
)
GLYPHS = {"unchanged": "=", "changed": "≠", "gone": "✗"}
STYLES = {"unchanged": "dim", "changed": "warn", "gone": "bad"}
ORDER = ("changed", "gone", "unchanged")


class Drifted(ModalScreen[None]):
    """The items that were given, with the difference of the one under the cursor."""

    DEFAULT_CSS = """
    Drifted { & > .pane { height: 1fr; } }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "app.pop_screen", "back to the list"),
        HELP_KEY,
    ]

    def __init__(self, label: str, found: Sequence[Drift]) -> None:
        super().__init__()
        self._label = label
        self._found = sorted(found, key=lambda drift: ORDER.index(drift.state))

    def compose(self) -> ComposeResult:
        with Vertical(classes="pane") as pane:
            pane.border_title = Content(f"What {self._label} was given, then and now")
            pane.border_subtitle = Content(in_words(self._found))
            yield ComparedPane(id="compared")
        yield KeyLine()

    def on_mount(self) -> None:
        pane = self.query_one(ComparedPane)
        empty = "It was given no files: nothing can have changed."
        pane.show([_pair_drift(drift) for drift in self._found], COLUMNS, empty=empty)
        pane.focus_part()


def _pair_drift(drift: Drift) -> TextPair:
    """Pair what was given with what the file holds now."""
    from orch_tui.prepare.encoding import decode_text

    then, now = (
        None if item is None or item.data is None else decode_text(item.data)
        for item in (drift.then, drift.now)
    )
    note = {
        "gone": f"{drift.then.source} {drift.reason}.",
        "changed": "Only its hash is known: what it was cannot be shown.",
    }.get(drift.state, "It is as it was given.")
    name = "#".join((drift.then.source, *drift.then.sections))
    tokens = [format_tokens(item.count.tokens) if item else "–" for item in (drift.then, drift.now)]
    cells = (GLYPHS[drift.state], name, *tokens, drift.state)
    same = drift.state == "unchanged"
    return TextPair(cells, STYLES[drift.state], drift.then.source, then, now, note, same)


def in_words(found: Sequence[Drift]) -> str:
    """How many of the items are not what they were, and what that makes."""
    count = {state: sum(drift.state == state for drift in found) for state in ORDER}
    said = [f"{number} {state}" for state, number in count.items() if number]
    tokens = sum(drift.tokens for drift in found)
    return ", ".join(said or ["no files"]) + (
        f", {tokens:+,} tokens".replace("-", "−") if tokens else ""
    )
