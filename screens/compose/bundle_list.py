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
    flag_ambient,
)
from orch_tui.screens.widgets.row_list import Rows

if TYPE_CHECKING:
    from orch_tui.prepare.bundle import ContextItem

NOTHING_CHOSEN = """Nothing is chosen yet.

Type letters of a file's name
and press Enter. Or Esc: then
Space chooses in the tree,
e says for which agent it is,
o opens what is planned or saved,
a adds lines, patterns, text."""


class BundleList(Vertical):
    """Draws the choices of a composition; the cursor is on one of them."""

    def __init__(self, state: ComposeState, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, classes="pane")
        self._state = state
        self.rows = Rows((), id="items", empty=NOTHING_CHOSEN)

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

    def show(self, items: Sequence[ContextItem]) -> None:
        """Draw the choices with the weighed items that they are."""
        state, common = self._state, self._state.common
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
            )
            for choice, item in zip(state.composition.choices, items, strict=True)
        ]
        self.rows.set_columns(bundle_columns(shared=bool(holders)))
        self.rows.show(rows)
        self.border_title = f"In the bundle · {len(rows)}" if rows else "In the bundle"
        exact = all(item.count.exact for item in items)
        self.border_subtitle = f"{'' if exact else '~'}{total:,} tokens" if rows else ""


def _first_of(labels: Sequence[str]) -> str:
    """Name the first of several, and how many more there are."""
    if not labels:
        return ""
    return f"{labels[0]} +{len(labels) - 1}" if len(labels) > 1 else labels[0]
