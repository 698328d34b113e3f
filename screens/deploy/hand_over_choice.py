"""The question what is to be handed over: of the plan, of the bundles, or by its name."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from orch_tui.errors import OrchError
from orch_tui.screens.deploy.launch_form import Wanted
from orch_tui.screens.dialogs import Ask, Pick
from orch_tui.screens.screen_part import ScreenPart
from orch_tui.screens.widgets.row_list import Column, Row

if TYPE_CHECKING:
    from orch_tui.record.deployable import Deployable

NO_SESSION = OrchError(
    "there is no open session to deploy in", hint="F1 opens one and plans its agents"
)


PICKED = (
    Column("agent", 21, bold=True),
    Column("for what"),
    Column("", 19, gives_way=1),
    Column("bundle", 11, gives_way=3),
    Column("tokens", 8, right=True, gives_way=2),
)
OTHER = "other"


def choose_hand_over(part: ScreenPart, then: Callable[[Wanted], object]) -> None:
    """Ask what of the session is to be handed over, and give it to ``then``."""
    from orch_tui.record.deployable import list_deployable

    session = part.app.session
    if session is None:
        part.refuse(NO_SESSION, "choices")
        return
    project, session_id = part.app.project, session.session_id
    part.run_in_thread(
        lambda: list_deployable(project.existing_record, session_id),
        lambda found: _choose(part, session_id, found, then),
        group="choices",
    )


def _choose(
    part: ScreenPart, session_id: str, found: Sequence[Deployable], then: Callable[[Wanted], object]
) -> None:
    names = {each.planned: each.agent_type for each in found}
    rows = [_pick_row(str(number), each, names) for number, each in enumerate(found)]
    rows.append(Row(OTHER, ("another agent", "by its name, without a bundle", "", "", "")))
    question = "Hand over to which agent?"
    detail = (
        "" if found else "Nothing is planned or composed: F1 plans an agent, F2 composes a bundle."
    )

    def chosen(number: str | None) -> None:
        if number == OTHER:
            _ask_agent(part, session_id, then)
        elif number is not None:
            choice = found[int(number)]
            bundle_id = None if choice.planned else choice.bundle_id
            then(Wanted(session_id, choice.planned, bundle_id, waits_for=choice.waits_for))

    part.app.push_screen(Pick(question, PICKED, rows, detail=detail), chosen)


def _ask_agent(part: ScreenPart, session_id: str, then: Callable[[Wanted], object]) -> None:
    def ask_scope(agent_type: str | None) -> None:
        name = (agent_type or "").strip()

        def asked(scope: str | None) -> None:
            if scope is not None:
                then(Wanted(session_id, agent_type=name, scope=scope.strip() or None))

        if name:
            part.app.push_screen(Ask(f"What is {name} to do?"), asked)

    part.app.push_screen(Ask("Which agent type?", detail="As Claude Code names it."), ask_scope)


def _pick_row(key: str, choice: Deployable, names: Mapping[int | None, str]) -> Row:
    tokens = f"{'' if choice.count.exact else '~'}{choice.count.tokens:,}" if choice.count else ""
    state = "ready" if choice.planned else ""
    if choice.waits_for:
        state = f"after {', '.join(names.get(each, str(each)) for each in choice.waits_for)}"
    elif choice.runs:
        state = "deployed once" if choice.runs == 1 else f"deployed {choice.runs} times"
    bundle = choice.bundle_id if choice.count else "no bundle"
    return Row(key, (choice.agent_type, choice.scope, state, bundle or "", tokens))
