"""The items of the bundle, one row each, with their weights and who else holds them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.containers import Vertical

from orch_tui.prepare.composition import Choice
from orch_tui.screens.compose.compose_state import ComposeState
from orch_tui.screens.compose.composition_text import (
    bundle_columns,
    bundle_row,
    describe_items,
    flag_ambient,
)
from orch_tui.screens.widgets.row_list import Rows
from orch_tui.screens.widgets.words import format_tokens

if TYPE_CHECKING:
    from orch_tui.prepare.bundle import ContextItem

NOTHING_CHOSEN = """Nothing is chosen yet.

Type letters of a file's name: Enter takes it.
Or, after Esc:

Space  takes a file or a folder in the tree
a      adds lines, a heading, a symbol, words
r      shows what earlier runs were given
o      opens another agent, or a saved bundle
L      limits what an agent may be handed"""


class BundleList(Vertical):
    """Draws the choices of a composition; the cursor is on one of them."""

    def __init__(self, state: ComposeState, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, classes="pane")
        self._state = state
        self.rows = Rows((), id="items", empty=NOTHING_CHOSEN)
        self._marked: set[str] = set()
        """Keys of choices."""

    def compose(self) -> ComposeResult:
        yield self.rows

    @property
    def is_focused(self) -> bool:
        """Whether keys go to the list."""
        return self.screen.focused is self.rows

    @property
    def choice_at_cursor(self) -> Choice | None:
        """The choice under the cursor; None where nothing is chosen."""
        choices = self._state.composition.choices
        return next((choice for choice in choices if choice.key == self.rows.key), None)

    @property
    def targets(self) -> list[Choice]:
        """The choices that are marked, or else the one under the cursor."""
        choices = self._state.composition.choices
        marked = [choice for choice in choices if choice.key in self._marked]
        return marked or [choice for choice in choices if choice.key == self.rows.key]

    @property
    def has_marks(self) -> bool:
        """Whether any choice is marked."""
        return bool(self._marked)

    def mark(self) -> None:
        """Mark the choice under the cursor, or take its mark off, and go on to the next."""
        if self.rows.key:
            self._marked ^= {self.rows.key}
            self.show(self._state.weigh_items())
            self.rows.action_cursor(1)

    def unmark(self) -> None:
        """Take all marks off."""
        self._marked.clear()
        self.show(self._state.weigh_items())

    def show(self, items: Sequence[ContextItem]) -> None:
        """Draw the choices with the weighed items that they are."""
        state, common, marks = self._state, self._state.common, self._marked
        marks &= {choice.key for choice in state.composition.choices}
        holders = common.holders(state.composition, state.weights) if common else {}
        ambient = common.ambient_overlaps if common else {}
        total = sum(item.count.tokens for item in items)
        rows = [
            bundle_row(
                choice,
                item.count,
                state.weights.get(choice.key),
                total=total,
                also=_first_of(holders.get(choice.key, ())) if holders else None,
                ambient=flag_ambient(ambient.get(item.sha256, ())),
                marked=choice.key in marks if marks else None,
            )
            for choice, item in zip(state.composition.choices, items, strict=True)
        ]
        self.rows.set_columns(bundle_columns(shared=bool(holders), marks=bool(marks)))
        self.rows.show(rows)
        self.border_title = f"In the bundle · {len(rows)}" if rows else "In the bundle"
        self.border_subtitle = describe_items(items) if rows else ""
        if marks:
            choices = state.composition.choices
            held = [i for c, i in zip(choices, items, strict=True) if c.key in marks]
            tokens = format_tokens(sum(item.count.tokens for item in held))
            self.border_subtitle = f"{len(marks)} marked, ~{tokens} · u unmarks"


def _first_of(labels: Sequence[str]) -> str:
    """Name the first of several, and how many more there are."""
    if not labels:
        return ""
    return f"{labels[0]} +{len(labels) - 1}" if len(labels) > 1 else labels[0]
