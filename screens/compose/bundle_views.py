"""Beside the list: the item under the cursor, the briefing, and what is shared, as text."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from textual import on
from textual.app import ComposeResult

from orch_tui.compose_context import render_composition
from orch_tui.prepare.composition import Choice
from orch_tui.screens.compose.bundle_list import BundleList
from orch_tui.screens.compose.compose_state import ComposeState
from orch_tui.screens.compose.composition_text import render_sharing, text_or_refusal
from orch_tui.screens.compose.project_files import ProjectFiles
from orch_tui.screens.screen_part import ScreenPart
from orch_tui.screens.widgets.lines import Lines
from orch_tui.screens.widgets.passages import AsIs, Code
from orch_tui.screens.widgets.tabs import Tabs
from orch_tui.source_name import path_of

VIEWS = {"item": "Item", "briefing": "Briefing", "sharing": "Sharing"}
FORMS = ("markdown", "xml")
"""Of the briefing."""
SUFFIXES = {"markdown": "md", "xml": "xml"}
"""How a file of each form would end."""


class BundleViews(ScreenPart):
    """Shows one of several texts; those of files and briefings are made in threads."""

    def __init__(
        self,
        state: ComposeState,
        files: ProjectFiles,
        bundle_list: BundleList,
        *,
        id: str | None = None,  # noqa: A002 # Textual's own name
    ) -> None:
        super().__init__(id=id)
        self.add_class("tabbed")
        self._state = state
        self._files = files
        self._list = bundle_list
        self._tabs = Tabs(VIEWS)
        self._lines = Lines(id="view", classes="-body")
        self._looked_at: Choice | None = None
        self.form = FORMS[0]

    def compose(self) -> ComposeResult:
        yield self._tabs
        yield self._lines

    @property
    def active(self) -> str:
        """The view in front, one of ``VIEWS``."""
        return self._tabs.active

    @active.setter
    def active(self, name: str) -> None:
        self._tabs.active = name

    def show_next(self) -> None:
        """Bring the next view to the front; after the last comes the first."""
        self._tabs.step(1)

    def focus_text(self) -> None:
        """Give the keys to the text."""
        self._lines.focus()

    def switch_form(self) -> None:
        """Show the briefing in its other form."""
        self.form = FORMS[1 - FORMS.index(self.form)]
        self.show()

    def follow_cursor(self) -> None:
        """Show what is under the cursor of the list or the tree, whichever is used; who reads it
        goes on reading."""
        if self._lines.has_focus:
            return
        if self._list.is_focused:
            choice = self._list.choice_at_cursor
        else:
            choice = self._files.source_at_cursor
        if choice != self._looked_at or choice is None:
            self._looked_at = choice
            if self.active == "item":
                self.show()

    def show_folder(self) -> None:
        """Show the folder under the cursor anew, where one is shown: more of it is counted."""
        if self.active == "item" and self._looked_at is None and not self._list.is_focused:
            self.show()

    @on(Tabs.Activated)
    def show(self) -> None:
        """Make the text of the view in front anew."""
        if self.active == "sharing":
            state = self._state
            self._show_text(render_sharing(state.common, state.context, state.agent))
        else:
            make, name = self.briefing_text(), f"briefing.{SUFFIXES[self.form]}"
            if self.active == "item":
                looked_at = self._looked_at
                make, name = self._item_text(), path_of(looked_at.source) if looked_at else ""
            self.run_in_thread(make, partial(self._show_text, name=name), group="view")

    def _show_text(self, text: str, name: str = "") -> None:
        """Show another text, in the colours of files of that name."""
        if self._lines.text != text:
            self._lines.show_passages(text, (Code(text, name, 0) if name else AsIs(text),))

    def _item_text(self) -> Callable[[], str]:
        """Return what makes the text of the item under the cursor, in a thread."""
        from orch_tui.prepare.composition import read_choice_text

        state, looked_at, reader = self._state, self._looked_at, self.app.project.reader()
        if looked_at is None:
            folder = "" if self._list.is_focused else self._files.describe_folder_at_cursor()
            return lambda: folder
        chosen = [choice for choice in state.composition.choices if choice.key == looked_at.key]
        choice = chosen[0] if chosen else looked_at  # what was said yes to can be read
        weight = state.weights.get(choice.key)
        if weight and weight.refused and weight.secret:
            reason = weight.refused.reason
            refusal = f"✗ {choice.source} {reason}.\n\nOnce it is chosen, y lets it pass."
            return lambda: refusal
        return lambda: text_or_refusal(lambda: read_choice_text(choice, reader))

    def briefing_text(self) -> Callable[[], str]:
        """Return what renders the briefing, in a thread."""
        state = self._state
        if not state.composition.choices:
            return lambda: "Nothing is chosen yet."
        render = partial(
            render_composition,
            self.app.project,
            state.session_id,
            state.family,
            state.composition,
            self.form,
        )
        return lambda: text_or_refusal(render)
