"""The question what is to be handed over: of the plan, of the bundles, or by its name."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.cells import cell_len
from textual.content import Content

from orch_tui.errors import OrchError
from orch_tui.prepare.validation import Remark
from orch_tui.screens.agent_choices import list_agent_choices
from orch_tui.screens.deploy.launch_form import Wanted
from orch_tui.screens.dialogs import Pick
from orch_tui.screens.screen_part import ScreenPart
from orch_tui.screens.theme import PARTS
from orch_tui.screens.widgets.form import Field, Form, Values
from orch_tui.screens.widgets.line_list import fit_text
from orch_tui.screens.widgets.row_list import Column, Row
from orch_tui.screens.widgets.safe import one_line
from orch_tui.screens.widgets.words import format_tokens

if TYPE_CHECKING:
    from orch_tui.prepare.bundle import ContextItem
    from orch_tui.record.deployable import Attempted, Deployable

NO_SESSION = OrchError(
    "there is no open session to deploy in", hint="F1 opens one and plans its agents"
)


PICKED = (
    Column("agent", 21, bold=True),
    Column("for what"),
    Column("", 21),
    Column("bundle", 11, gives_way=2),
    Column("tokens", 8, right=True, gives_way=1),
)
OTHER, AGAIN = "other", "again"
"""The keys of the rows for an agent by its name, and for the run that is attempted again."""
ANOTHER_ATTEMPT = "another attempt"


def choose_hand_over(
    part: ScreenPart, then: Callable[[Wanted], object], *, planned: int | None = None, run: str = ""
) -> None:
    """Ask what is to be handed over, and give it to ``then``.

    The question begins at the agent that is meant: ``planned`` of the plan, or what the execution
    ``run`` was an attempt at, in the session of that.
    """
    from orch_tui.record.deployable import list_deployable, read_attempted

    session = part.app.session
    if session is None and not run:
        part.refuse(NO_SESSION, "choices")
        return
    project = part.app.project

    def work() -> _Offer:
        record = project.existing_record
        attempted = read_attempted(record, run) if run else None
        if attempted is not None:
            session_id = attempted.session_id
        else:
            assert session is not None
            session_id = session.session_id
        found = list_deployable(record, session_id)
        return _Offer(session_id, found, planned, attempted, project.known_agents)

    part.run_in_thread(work, lambda offer: _choose(part, offer, then), group="choices")


@dataclass(frozen=True, slots=True)
class _Offer:
    """What can be handed over, and which of it is meant."""

    session_id: str
    found: Sequence[Deployable]
    planned: int | None
    attempted: Attempted | None
    known_agents: Collection[str]

    @property
    def meant(self) -> str:
        """The key of the row that is meant; empty: the first."""
        again, planned = self.attempted, self.planned
        if again is not None:
            planned = again.planned
        for number, each in enumerate(self.found):
            is_bundle = bool(again and again.bundle_id) and each.planned is None
            if planned is not None and each.planned == planned:
                return str(number)
            if planned is None and is_bundle and again and each.bundle_id == again.bundle_id:
                return str(number)
        return AGAIN if again is not None else ""


def _choose(part: ScreenPart, offer: _Offer, then: Callable[[Wanted], object]) -> None:
    found, again, session_id = offer.found, offer.attempted, offer.session_id
    names = {each.planned: each.agent_type for each in found}
    meant = offer.meant
    rows = [
        _pick_row(str(number), each, names, is_again=again is not None and str(number) == meant)
        for number, each in enumerate(found)
    ]
    if again is not None and meant == AGAIN:
        cells = (again.agent_type, again.scope, ANOTHER_ATTEMPT, "no bundle", "")
        rows.insert(0, Row(AGAIN, cells))
    rows.append(Row(OTHER, ("another agent", "by its name, without a bundle", "", "", "")))
    question = "Hand over to which agent?"
    detail = (
        "" if found else "Nothing is planned or composed: F1 plans an agent, F2 composes a bundle."
    )

    def chosen(number: str | None) -> None:
        if number == OTHER:
            _ask_agent(part, session_id, offer.known_agents, then)
        elif number == AGAIN and again is not None:
            then(Wanted(session_id, agent_type=again.agent_type, scope=again.scope or None))
        elif number is not None:
            choice = found[int(number)]
            bundle_id = None if choice.planned else choice.bundle_id
            then(Wanted(session_id, choice.planned, bundle_id))

    asked = Pick(question, PICKED, rows, detail=detail, at=meant, enter="looks it over first")
    part.app.push_screen(asked, chosen)


def _ask_agent(
    part: ScreenPart, session_id: str, known: Collection[str], then: Callable[[Wanted], object]
) -> None:
    def check(values: Values) -> list[Remark]:
        missing = not values["agent_type"].strip()
        return [Remark("agent_type", "which agent?", stops=True)] if missing else []

    def asked(values: dict[str, str] | None) -> None:
        if values is not None:
            agent_type, scope = values["agent_type"].strip(), values["scope"].strip()
            then(Wanted(session_id, agent_type=agent_type, scope=scope or None))

    agents = list_agent_choices(known)
    fields = [
        Field("agent_type", "agent type", "", "as Claude Code names it", agents),
        Field("scope", "scope", "", "what it is to do"),
    ]
    form = Form("Hand over to another agent", fields, check=check, accept="looks it over first")
    part.app.push_screen(form, asked)


def _pick_row(
    key: str, choice: Deployable, names: Mapping[int | None, str], *, is_again: bool
) -> Row:
    tokens = f"{'' if choice.count.exact else '~'}{choice.count.tokens:,}" if choice.count else ""
    state = "ready" if choice.planned else ""
    if choice.waits_for:
        state = f"after {', '.join(names.get(each, str(each)) for each in choice.waits_for)}"
    elif is_again:
        state = ANOTHER_ATTEMPT
    elif choice.runs:
        state = "handed over" if choice.runs == 1 else f"handed over {choice.runs} x"
    bundle = choice.bundle_id if choice.count else "no bundle"
    return Row(key, (choice.agent_type, choice.scope, state, bundle or "", tokens))


def tell_planned(planned: Deployable, items: Sequence[ContextItem], width: int) -> Content:
    """Tell of a planned agent what its row has no room for: what to do with it, and the items that
    it is given, in so many cells."""
    waits = ", ".join(map(str, planned.waits_for))
    told: list[tuple[str, str] | str] = [
        (f"{one_line(planned.scope, 400)}\n", "bold"),
        (f"{planned.bundle_id}  " if planned.count else "no bundle  ", "$foreground-muted"),
        (f"{planned.count} tokens  " if planned.count else "", "$foreground-muted"),
        (f"after {waits} of the plan\n\n" if waits else "ready\n\n", "$foreground-muted"),
        ("Enter", "bold $text-accent"),
        " shows what is handed over, before anything is recorded\n",
    ]
    if not planned.count:
        told += [("F1  b", "bold $text-accent"), " composes what it is given\n"]
    room = max(10, min(width - 16, max((cell_len(item.source) for item in items), default=0)))
    for item in items:
        part = "shared" if item.type == "shared_context" else item.priority
        tokens = f"{'' if item.count.exact else '~'}{format_tokens(item.count.tokens)}"
        source = fit_text(one_line(item.source, 400), room, cut_head=True)
        told += ["\n", (f"{PARTS[part]} ", f"$part-{part}"), source, f"{tokens:>9}"]
    return Content.assemble(*told)
