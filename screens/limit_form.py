"""The form for what a session is about and for its limits, those of its agents among them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from orch_tui.screens.orch_screen import OrchScreen
from orch_tui.screens.widgets.form import Field, Form, Values
from orch_tui.screens.widgets.safe import one_line

if TYPE_CHECKING:
    from orch_tui.prepare.budget import Limits
    from orch_tui.prepare.validation import Remark
    from orch_tui.record.sessions import SessionChanges
    from orch_tui.rows import Session

LIMITS = "limits, budget"
"""What the key is called on each screen that has it, and what else stands in the form."""
LIMITS_OF = "limit of an agent, thresholds, reserve, scope"

EACH_LIMIT = "tokens it may be handed; else what its model takes"
"""What stands in the line for the limit of each agent while it is empty."""

_NO_LIMIT = "a whole number of tokens, above 0"

Accept = Callable[[str, "SessionChanges", tuple[str, Values]], None]
"""Is called with a session, what is changed of it, and the form's draft with what was typed."""


def ask_limits(
    screen: OrchScreen, session_id: str, then: Accept, *, agent_type: str = "", at: str = "scope"
) -> None:
    """Ask for another scope, budget, thresholds or reserve of a session, and for the limits of its
    agents, by themselves those of ``agent_type``; ``at`` is the line that one begins in."""
    project = screen.app.project

    def work() -> tuple[Session, dict[str, Any]]:
        from orch_tui.record import sessions

        record = project.existing_record
        session = sessions.get_session(record, session_id)
        return session, sessions.read_limits(record, session_id)

    def offer(found: tuple[Session, dict[str, Any]]) -> None:
        session, own = found
        form = _make_form(session, own, project.limits, agent_type, at)

        def accepted(values: dict[str, str] | None) -> None:
            if values is not None:
                then(session_id, _changes_of(values, agent_type), (form.draft, values))

        screen.app.push_screen(form, accepted)

    screen.run_in_thread(work, offer, group="limits")


def _make_form(
    session: Session, own: dict[str, Any], limits: Limits, agent_type: str, at: str
) -> Form:
    """Make it; ``own`` is what the session says of its limits by itself, and ``limits`` what the
    settings say."""
    from orch_tui.prepare.budget import EACH

    of_agents = own["agent_limits"]
    one = [
        Field(
            *("agent_limit", "this type", _typed(of_agents.get(agent_type))),
            f"tokens for each {one_line(agent_type, 30)}; else as each agent",
        )
    ]
    fields = [
        Field("scope", "scope", session.scope, "what it is about"),
        Field("budget", "budget", _typed(own["budget"]), f"{limits.budget:,} tokens"),
        *(one if agent_type else ()),
        Field(
            *("each_limit", "each agent", _typed(of_agents.get(EACH))),
            EACH_LIMIT,
        ),
        Field(
            *("warn_threshold", "warning at", _typed_share(own["warn_threshold"])),
            f"{_typed_share(limits.warn_threshold)} of a limit",
        ),
        Field(
            *("critical_threshold", "critical at", _typed_share(own["critical_threshold"])),
            f"{_typed_share(limits.critical_threshold)} of a limit",
        ),
        Field(
            *("reserve", "kept free", _typed(own["reserve"])),
            f"{limits.output_reserve:,} tokens, for the answer of each agent",
        ),
    ]
    return Form(
        "Limits of this session" if at != "scope" else f"Change {session.session_id}",
        fields,
        check=_check,
        accept="changes it",
        draft=f"session-{session.uid}",
        at=at if agent_type or at != "agent_limit" else "each_limit",
    )


def _changes_of(values: Values, agent_type: str) -> SessionChanges:
    """What was typed, as the engine takes it."""
    from orch_tui.prepare.budget import EACH

    limits = {EACH: parse_tokens(values["each_limit"])}
    if "agent_limit" in values:
        limits[agent_type] = parse_tokens(values["agent_limit"])
    return {
        "scope": values["scope"].strip(),
        "budget": parse_tokens(values["budget"]),
        "warn_threshold": _share(values["warn_threshold"]),
        "critical_threshold": _share(values["critical_threshold"]),
        "reserve": _reserve(values["reserve"]),
        "agent_limits": limits,
    }


def _check(values: Values) -> list[Remark]:
    from orch_tui.prepare.validation import Remark

    remarks = check_session(values)
    if values.get("agent_limit", "").strip() and not parse_tokens(values["agent_limit"]):
        remarks.append(Remark("agent_limit", _NO_LIMIT, stops=True))
    for name in ("warn_threshold", "critical_threshold"):
        if values[name].strip() and _share(values[name]) is None:
            remarks.append(Remark(name, "a share such as 75 % or 0.75", stops=True))
    if values["reserve"].strip() and _reserve(values["reserve"]) is None:
        remarks.append(Remark("reserve", "a whole number of tokens", stops=True))
    warn, critical = _share(values["warn_threshold"]), _share(values["critical_threshold"])
    if warn and critical and warn > critical:
        remarks.append(Remark("critical_threshold", "comes before the warning", stops=True))
    return remarks


def check_session(values: Values) -> list[Remark]:
    """Say what is wrong with the scope, the budget and the limit that were typed for a session."""
    from orch_tui.prepare.validation import Remark, check_scope

    remarks = check_scope(values["scope"])
    for name in ("budget", "each_limit"):
        if values[name].strip() and not parse_tokens(values[name]):
            remarks.append(Remark(name, _NO_LIMIT, stops=True))
    return remarks


def _typed(tokens: int | None) -> str:
    return "" if tokens is None else f"{tokens:,}"


def _typed_share(share: float | None) -> str:
    return "" if share is None else f"{100 * share:g} %"


def _share(text: str) -> float | None:
    """``75 %`` or ``0.75``."""
    digits = text.strip().removesuffix("%").strip()
    try:
        share = float(digits) / (100 if text.strip().endswith("%") else 1)
    except ValueError:
        return None
    return share if 0 < share <= 1 else None


def _reserve(text: str) -> int | None:
    digits = _digits(text)
    return int(digits) if is_number(digits) else None


_THOUSANDS = "k"


def parse_tokens(text: str) -> int | None:
    """``20,000``, ``20 000``, ``20_000`` or ``20k``; None: no number above 0."""
    digits = _digits(text)
    if digits[-1:].lower() == _THOUSANDS and is_number(digits[:-1]):
        digits = f"{digits[:-1]}000"
    return int(digits) or None if is_number(digits) else None


def _digits(text: str) -> str:
    return "".join(text.split()).replace(",", "").replace("_", "")


def is_number(text: str) -> bool:
    """Tell whether a text is a whole number that a person may mean."""
    return text.isdecimal() and len(text) < 10
