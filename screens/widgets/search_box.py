"""The search box: completes filters, and lays nothing out anew while one types."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Self

from textual.geometry import Region
from textual.message import Message
from textual.suggester import Suggester
from textual.widgets import Input

if TYPE_CHECKING:
    from orch_tui.app import OrchApp


class QueryInput(Input):
    """An input whose width never depends on its text."""

    app: OrchApp

    class CutNothing(Message):
        """The key that cuts was pressed, and nothing was selected."""

    def __init__(
        self,
        *,
        id: str | None = None,  # noqa: A002 # Textual's own name
        classes: str | None = None,
    ) -> None:
        super().__init__(
            classes=classes,
            placeholder='words, "a phrase", -word, agent: status: file: given: since: …',
            id=id,
            compact=True,
        )
        self.suggester = Filters(self)

    def action_cut(self) -> None:
        if self.selection.is_empty:
            self.post_message(self.CutNothing())
        else:
            super().action_cut()

    def refresh(
        self, *regions: Region, repaint: bool = True, layout: bool = False, recompose: bool = False
    ) -> Self:
        # Input sets its virtual size at every key, which would lay the whole screen out anew.
        return super().refresh(*regions, repaint=repaint, layout=False, recompose=recompose)


class Filters(Suggester):
    """Offers the rest of a filter's name, then of its value."""

    def __init__(self, box: QueryInput) -> None:
        super().__init__(use_cache=False, case_sensitive=True)
        self._box = box

    async def get_suggestion(self, value: str) -> str | None:
        word = value.rsplit(" ", 1)[-1].lstrip("-")
        if not word:
            return None
        rest = await asyncio.to_thread(_rest, self._box.app, word)
        return value + rest if rest else None


def _rest(app: OrchApp, word: str) -> str:
    from orch_tui.search.query import complete_filter_names, complete_filter_values

    name, colon, beginning = word.partition(":")
    if not colon:
        names = complete_filter_names(word) if len(word) > 1 else ()
        return f"{names[0]}:"[len(word) :] if names else ""
    beginning = beginning.rsplit(",", 1)[-1]
    if beginning.startswith('"') or not app.project.database.exists():
        return ""
    values: tuple[Any, ...] = complete_filter_values(
        app.project.existing_record, name, beginning, limit=1
    )
    if not values or not values[0].lower().startswith(beginning.lower()):
        return ""
    return str(values[0][len(beginning) :])
