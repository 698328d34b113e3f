"""What the Plan screen is about: the session it shows, and where its cursors are to go."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from orch_tui.recall.overview import PlannedLine, PlanPage


class PlanState:
    """The session that is shown, and wishes for the lists once they are read anew."""

    def __init__(self) -> None:
        self.page: PlanPage | None = None
        self.wanted_session: str | None = None
        """The session to put the cursor on, once it is listed; likewise the planned agent."""
        self.wanted_agent: str | None = None

    @property
    def session_id(self) -> str:
        """The session that is shown; empty: none."""
        return self.page.session.session_id if self.page else ""

    def find_planned(self, uid: str) -> PlannedLine | None:
        """Find a planned agent by what identifies it, such as the key of its row."""
        agents = self.page.agents if self.page else ()
        return next((line for line in agents if line.agent.uid == uid), None)
