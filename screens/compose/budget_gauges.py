"""What the bundle takes of its agent's limit, and its session's bundles of the budget."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.containers import Vertical

from orch_tui.screens.compose.compose_state import ComposeState
from orch_tui.screens.compose.composition_text import describe_unknown_ambient
from orch_tui.screens.widgets.bundle_parts import gauge_parts
from orch_tui.screens.widgets.stack import Stack

if TYPE_CHECKING:
    from orch_tui.prepare.bundle import ContextItem


LINES = 20
"""Lines of the terminal from which the legend has one for what no figure tells of."""


class BudgetGauges(Vertical):
    """Two gauges, the agent's with a legend, that move with every choice."""

    def __init__(self, state: ComposeState, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._state = state
        self._items: Sequence[ContextItem] = ()
        self._agent = Stack("this agent ", id="agent-gauge")
        self._session = Stack("the session", id="session-gauge")

    def compose(self) -> ComposeResult:
        yield self._agent
        yield self._session

    def on_resize(self) -> None:
        self.show(self._items)

    def show(self, items: Sequence[ContextItem]) -> None:
        """Judge the weighed items of the composition, and draw both gauges."""
        state, self._items = self._state, items
        bundle = state.measure(items)
        if bundle is None or state.context is None or state.agent is None:
            return
        judgement = state.context.judge(bundle, state.agent)
        state.budget_status = judgement.status
        ambient = state.agent.ambient
        # Where there are few lines, what no figure tells of stands in the view Sharing alone.
        besides = describe_unknown_ambient(ambient) if self.app.size.height >= LINES else ""
        self._agent.show(judgement.agent, gauge_parts(bundle, ambient.total), besides)
        self._session.show(judgement.session)
