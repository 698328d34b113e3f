"""What Compose is about: the composition, what it was before, and what is known about it.

Controllers change it, widgets draw it; it draws nothing and reads nothing itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from orch_tui.prepare.composition import Composition, Edits, Weight

if TYPE_CHECKING:
    from orch_tui.compose_context import CommonContent, ComposeContext, ResolvedAgent
    from orch_tui.prepare.bundle import Bundle, ContextItem


class ComposeState:
    """The composition on the screen, with what the engine found out about it so far."""

    def __init__(self) -> None:
        self.edits = Edits(Composition())
        self.context: ComposeContext | None = None
        """None until the engine has looked for the first time."""
        self.agent: ResolvedAgent | None = None
        """For whom the composition is, or was until the engine has looked at another."""
        self.saved: dict[str, Composition] = {}
        """Bundles as they are in the record, by id, as far as they were opened here."""
        self.common: CommonContent | None = None
        """With other bundles and with what agents have anyway, where that was found."""
        self.weights: dict[str, Weight] = {}
        """By the key of a choice, for the tokenizer family of the agent's model."""
        self.sizes: dict[str, int] = {}
        """Bytes of each file of the project, by path."""
        self.budget_status = "ok"
        """As the gauges show it, one of ``budget.STATUSES``."""

    @property
    def composition(self) -> Composition:
        """The composition as it is now."""
        return self.edits.now

    @property
    def has_unsaved_changes(self) -> bool:
        """Whether saving would change the record."""
        return self.composition.differs_from(self.saved.get(self.composition.bundle_id))

    @property
    def session_id(self) -> str:
        """The session that was looked at; empty: none."""
        return self.context.session_id if self.context else ""

    @property
    def family(self) -> str:
        """The tokenizer family of the agent's model; empty while that is not known."""
        return self.agent.resolved_model.family if self.agent else ""

    def weigh_items(self) -> list[ContextItem]:
        """Return the items of the composition with their weights, guessed where not counted."""
        from orch_tui.prepare.composition import list_weighed_items

        return list_weighed_items(self.composition, self.weights, self.sizes)

    def measure(self, items: Sequence[ContextItem]) -> Bundle | None:
        """Measure the bundle that these weighed items would be; None until the agent is known."""
        if self.context is None or self.agent is None:
            return None
        return self.context.measure(self.composition, self.agent, items, self.weights)
