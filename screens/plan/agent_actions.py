"""What is done with the planned agents of a session: planned, changed, moved, taken out."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from orch_tui.screens.orch_screen import OrchScreen
from orch_tui.screens.plan.forms import agent_form, agent_of
from orch_tui.screens.plan.lists import AgentRows
from orch_tui.screens.plan.plan_changes import PlanChanges
from orch_tui.screens.plan.plan_state import PlanState
from orch_tui.screens.secret_consent import ask_for_secrets
from orch_tui.screens.widgets.form import Form, Values
from orch_tui.screens.widgets.safe import one_line

if TYPE_CHECKING:
    from orch_tui.models.database import Record
    from orch_tui.prepare.validation import Validation
    from orch_tui.recall.overview import PlannedLine
    from orch_tui.rows import PlannedAgent

T = TypeVar("T")


class AgentActions:
    """Changes the agent under the cursor of a list, or the plan as a whole."""

    def __init__(
        self, screen: OrchScreen, state: PlanState, changes: PlanChanges, rows: AgentRows
    ) -> None:
        self._screen = screen
        self._state = state
        self._changes = changes
        self._rows = rows

    @property
    def planned(self) -> PlannedLine | None:
        """The planned agent under the cursor."""
        return self._state.find_planned(self._rows.key)

    def _change(
        self,
        work: Callable[[Record], T],
        then: Callable[[T], None],
        *,
        typed: tuple[str, Values] | None = None,
    ) -> None:
        self._changes.make(work, then, typed=typed, of=self._state.session_id)

    def _say(self, text: str) -> None:
        self._screen.notify(one_line(text, 300), markup=False)

    def add(self) -> None:
        from orch_tui.record import plan

        page = self._state.page
        if page is None:
            return
        session_id = page.session.session_id
        self._open(
            agent_form(page),
            lambda record, values: plan.add_planned_agent(record, session_id, **values),
        )

    def edit(self) -> None:
        from orch_tui.record import plan

        page, line = self._state.page, self.planned
        if page is None or line is None:
            return
        agent = line.agent

        def change(record: Record, values: dict[str, Any]) -> PlannedAgent:
            position = plan.find_position(record, agent.session_id, agent.uid)
            return plan.change_planned_agent(record, agent.session_id, position, **values)

        self._open(agent_form(page, line), change)

    def _open(self, form: Form, work: Callable[[Record, dict[str, Any]], PlannedAgent]) -> None:
        """Ask for a planned agent, and do ``work`` with what was accepted."""

        def accepted(values: dict[str, str] | None) -> None:
            if values is None:
                return
            agent = agent_of(values)

            def make(allow_secret: bool) -> None:
                self._change(
                    lambda record: work(record, {**agent, "allow_secret": allow_secret}),
                    lambda agent: self._want(agent.uid),
                    typed=(form.draft, values),
                )

            ask_for_secrets(self._screen, str(agent.get("scope") or ""), make)

        self._screen.app.push_screen(form, accepted)

    def bundle(self) -> None:
        if self.planned:
            self._screen.app.compose_for(self.planned.agent)

    def duplicate(self) -> None:
        from orch_tui.record import plan

        self._change_planned(
            lambda record, session_id, position: plan.duplicate_planned_agent(
                record, session_id, position
            ),
            lambda agent: self._want(agent.uid),
        )

    def remove(self) -> None:
        from orch_tui.record import plan

        line = self.planned
        if self._state.page is None or line is None:
            return
        agents = self._state.page.agents
        at = line.agent.position - 1
        beside = agents[at + 1 : at + 2] or agents[at - 1 : at]
        name = f"{line.agent.position} {line.agent.agent_type}"

        def removed(_: object) -> None:
            self._want(beside[0].agent.uid if beside else "")
            self._say(f"{name} is out of the plan · Ctrl+Z brings it back")

        self._change_planned(plan.remove_planned_agent, removed)

    def move(self, by: int) -> None:
        from orch_tui.record import plan

        def move(record: Record, session_id: str, position: int) -> None:
            to = position + by
            if 1 <= to <= len(plan.list_planned_agents(record, session_id)):
                plan.move_planned_agent(record, session_id, position, to)

        self._change_planned(move, lambda _: None)

    def _change_planned(
        self, work: Callable[[Record, str, int], T], then: Callable[[T], None]
    ) -> None:
        """Change the agent under the cursor, wherever earlier changes have put it meanwhile."""
        line = self.planned
        if line is None:
            return
        from orch_tui.record import plan

        session_id, uid = line.agent.session_id, line.agent.uid
        self._change(
            lambda record: work(record, session_id, plan.find_position(record, session_id, uid)),
            then,
        )

    def _want(self, uid: str) -> None:
        self._state.wanted_agent = uid

    def validate(self) -> None:
        page, project = self._state.page, self._screen.app.project
        if page is None:
            return
        session_id = page.session.session_id

        def work(record: Record) -> Validation:
            from orch_tui.record.session_validation import validate_session

            return validate_session(
                record,
                session_id,
                reader=project.reader(),
                catalogue=project.catalogue,
                limits=project.limits,
                known_agents=project.known_agents,
            )

        self._changes.make(work, self._validated)

    def _validated(self, answer: Validation) -> None:
        remarks = (*answer.warnings, *answer.recommendations)
        said = "the plan is valid" if answer.valid else "the plan is not valid"
        self._screen.notify(
            "\n".join(map(one_line, (said, *remarks))),
            severity="information" if answer.valid else "warning",
            markup=False,
        )
