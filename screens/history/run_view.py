"""One run over the whole screen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen

from orch_tui.screens.orch_screen import OrchScreen
from orch_tui.screens.widgets.key_line import HELP_KEY, HELP_KEY_ANYWHERE, KeyLine
from orch_tui.screens.widgets.preview import Preview

if TYPE_CHECKING:
    from orch_tui.recall.show import Shown
    from orch_tui.search.matching import TextMatcher

TEXT_KEYS = "F9 copy · F10 $EDITOR"
"""What can be done with the text in front, as the edge of its pane tells it."""


class Run(ModalScreen[None]):
    """One run whole; letters are found in it."""

    HORIZONTAL_BREAKPOINTS = OrchScreen.HORIZONTAL_BREAKPOINTS
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f6", "next_tab", "Said, Given …", id="history-tab"),
        Binding("f9", "copy_text", "copy", id="history-copy"),
        Binding("f10", "edit", "in $EDITOR", id="history-edit"),
        Binding("escape", "app.pop_screen", "back to the list", id="run-leave"),
        Binding("q", "app.pop_screen", "Back", show=False),
        HELP_KEY,
        HELP_KEY_ANYWHERE,
    ]

    def __init__(self, shown: Shown, tab: str, sought: Sequence[TextMatcher] = ()) -> None:
        super().__init__()
        self._shown = shown
        self._tab = tab
        self._sought = sought

    def compose(self) -> ComposeResult:
        yield Preview(id="run")
        yield KeyLine()

    def on_mount(self) -> None:
        preview = self.query_one(Preview)
        preview.show(self._shown, self._sought)
        preview.tab = self._tab
        self.call_after_refresh(preview.focus_part)

    def action_next_tab(self) -> None:
        preview = self.query_one(Preview)
        preview.action_tab(1)
        self.call_after_refresh(preview.focus_part)

    def action_copy_text(self) -> None:
        self.query_one(Preview).copy_text()

    def action_edit(self) -> None:
        self.query_one(Preview).edit_text()
