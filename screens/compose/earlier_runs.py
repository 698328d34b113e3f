"""What earlier runs had, offered to the next one: single sources, or all that one run was given."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from orch_tui.compose_context import list_earlier_choices
from orch_tui.screens.compose.compose_state import ComposeState
from orch_tui.screens.compose.composition_editor import CompositionEditor
from orch_tui.screens.compose.composition_text import (
    EARLIER_COLUMNS,
    describe_earlier,
    describe_taking,
    earlier_row,
)
from orch_tui.screens.compose.project_files import ProjectFiles
from orch_tui.screens.dialogs import PickSeveral
from orch_tui.screens.orch_screen import OrchScreen
from orch_tui.screens.widgets.safe import one_line

if TYPE_CHECKING:
    from orch_tui.compose_context import EarlierChoice
    from orch_tui.prepare.composition import Weight


class EarlierRuns:
    """Offers what runs of the composition's agent type that succeeded were given or read."""

    def __init__(
        self,
        screen: OrchScreen,
        state: ComposeState,
        editor: CompositionEditor,
        files: ProjectFiles,
    ) -> None:
        self._screen = screen
        self._state = state
        self._editor = editor
        self._files = files

    def offer(self) -> None:
        """Look what there is, and ask which of it the bundle is to have."""
        agent_type, family = self._state.composition.agent_type, self._state.family
        if not agent_type:
            self._editor.edit_agent()
            return
        project = self._screen.app.project
        self._screen.run_in_thread(
            lambda: list_earlier_choices(project, agent_type, family),
            partial(self._ask, agent_type, family),
            group="earlier",
        )

    def _ask(self, agent_type: str, family: str, found: Sequence[EarlierChoice]) -> None:
        if not found:
            agent = one_line(agent_type, 40)
            text = f"no run of {agent} that succeeded was given or read a file of the project yet"
            self._screen.notify(text, markup=False)
            return
        by_key = {each.choice.key: each for each in found}
        held = {choice.key: choice for choice in self._state.composition.choices}
        inside = {key: held[key] for key in by_key if key in held}
        refused = {key for key, each in by_key.items() if each.weight.refused}
        order = sorted(by_key, key=lambda key: key in inside or key in refused)  # stable
        dialog = PickSeveral(
            "From earlier runs",
            EARLIER_COLUMNS,
            [earlier_row(by_key[key], inside.get(key)) for key in order],
            fixed={*inside, *refused},
            detail=describe_earlier(agent_type, found[0].figures),
            consequence=lambda keys: self._foretell([by_key[key] for key in keys]),
        )
        taken = partial(self._take, by_key, family)
        self._screen.app.push_screen(dialog, taken)

    def _take(
        self, found: dict[str, EarlierChoice], family: str, keys: tuple[str, ...] | None
    ) -> None:
        if keys:
            self._files.post_weights(family, {key: found[key].weight for key in keys})
            added = [found[key].choice for key in keys]
            self._editor.edit(self._state.composition.adding(added))

    def _foretell(self, chosen: Sequence[EarlierChoice]) -> str:
        """Say what taking these does, with what the agent's gauge shows then."""
        from orch_tui.prepare.composition import list_weighed_items

        state = self._state
        now = state.composition.adding(each.choice for each in chosen)
        weights: dict[str, Weight] = {c.choice.key: c.weight for c in chosen}
        weights = {**state.weights, **weights}
        items = list_weighed_items(now, weights, state.sizes)
        gauge = None
        if state.context is not None and state.agent is not None:
            bundle = state.context.measure(
                replace(now, agent_type=state.agent.agent_type), state.agent, items, weights
            )
            gauge = state.context.judge(bundle, state.agent).agent
        return describe_taking(chosen, gauge)
