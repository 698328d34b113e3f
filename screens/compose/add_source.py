"""The question for a source by its name: completed while one types, weighed before it is added."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from orch_tui.screens.compose.composition_text import describe_source_look
from orch_tui.screens.dialogs import tell_keys
from orch_tui.screens.widgets.row_list import Column, Row, Rows
from orch_tui.screens.widgets.words import format_tokens

if TYPE_CHECKING:
    from orch_tui.compose_context import SourceLook

GRAMMAR = """Letters of a file find it, FILE# its parts.

lib/a.py:10-80         some lines
docs/a.md#Heading      a section
lib/a.py#Parser.parse  a symbol, or #(skeleton)
lib/*.py               a pattern, or a folder
exec-003:message       what a run gave back
text:Be brief.         words of your own"""

Look = Callable[[str, Callable[["SourceLook"], None]], None]
"""Finds out what typed text names, and gives that to a function when it is known."""


class AddSource(ModalScreen["SourceLook | None"]):
    """A line for the name of a source, with completions beneath; the result is what it names. It
    stays after a mistake; None when it was left with Escape."""

    DEFAULT_CSS = """
    AddSource {
        align: center middle;
        & > Vertical {
            width: 84; max-width: 96%; height: 15; max-height: 100%; padding: 0 1;
            border: round $border; background: $surface;
            border-title-color: $border; border-title-style: bold;
        }
        & Input { background: $panel; }
        & Rows { height: 1fr; }
        & #says { height: 1; }
        & .keys { height: auto; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Leave"),
        Binding("tab", "complete", "Complete", priority=True),
        Binding("up", "move(-1)", "Up", show=False),
        Binding("down", "move(1)", "Down", show=False),
    ]

    def __init__(self, typed: str, look: Look) -> None:
        super().__init__()
        self._typed = typed
        self._look = look
        self._found: SourceLook | None = None
        """What the text of the line was found to name; None until it is known."""
        self._submitted = False
        self._list = Rows(
            (Column("", cut_head=True), Column("", 7, right=True, gives_way=-1)),
            empty=GRAMMAR,
            titled=False,
        )
        self._list.can_focus = False

    def compose(self) -> ComposeResult:
        with Vertical() as box:
            box.border_title = "Add a source"
            yield Input(self._typed, compact=True, select_on_focus=False)
            yield self._list
            yield Static("", id="says")
            yield Static("", classes="keys")

    def on_mount(self) -> None:
        self._tell()
        self._look(self._typed, self._looked)

    @property
    def _text(self) -> str:
        return self.query_one(Input).value

    @on(Input.Changed)
    def _changed(self) -> None:
        self._found = None
        self._look(self._text, self._looked)

    def _looked(self, found: SourceLook) -> None:
        if not self.is_attached or found.typed != self._text:
            return
        self._found = found
        rows = [
            Row(each.source, (each.source, format_tokens(each.count.tokens) if each.count else ""))
            for each in found.completions
        ]
        self._list.show(rows, empty="" if found.typed.strip() else GRAMMAR, keep=False)
        self._tell()
        if self._submitted:
            self._submit()

    def _tell(self) -> None:
        """Say what the line names, and what the keys do now."""
        found, enter = self._found, ""
        says = describe_source_look(found) if found else Text()
        if found and found.choices:
            enter = "adds it" if len(found.choices) == 1 else f"adds {len(found.choices)}"
        elif self._list.rows:
            enter = "completes"
        self.query_one("#says", Static).update(says)
        others = [("Tab", "completes")] if self._list.rows else []
        keys = tell_keys(enter, [*others, ("Esc", "keeps what is typed")])
        self.query_one(".keys", Static).update(keys)

    @on(Input.Submitted)
    def _submit(self) -> None:
        """Add what the line names, or complete it; what is not known yet is waited for."""
        self._submitted = self._found is None and bool(self._text.strip())
        if self._found is None:
            return
        if self._found.choices:
            self.dismiss(self._found)
        else:
            self.action_complete()

    def action_complete(self) -> None:
        """Put the completion under the cursor into the line."""
        if self._list.key:
            line = self.query_one(Input)
            line.value = self._list.key
            line.cursor_position = len(line.value)

    def action_move(self, by: int) -> None:
        self._list.action_cursor(by)

    @on(Rows.Selected)
    def _picked(self, event: Rows.Selected) -> None:
        event.stop()
        self.action_complete()

    def action_leave(self) -> None:
        self.dismiss(None)
