"""The forms of the Plan screen: a session to open or to change, an agent to plan."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from orch_tui.screens.agent_choices import list_agent_choices
from orch_tui.screens.widgets.form import Field, Form, Values

if TYPE_CHECKING:
    from orch_tui.prepare.budget import Limits
    from orch_tui.prepare.validation import Remark
    from orch_tui.recall.overview import PlannedLine, PlanPage, PlanRules
    from orch_tui.record.sessions import SessionChanges
    from orch_tui.rows import Session


def session_form(budget: int) -> Form:
    """A new session; ``budget`` is what it has when none is given, in tokens."""
    return Form(
        "New session",
        [
            Field("scope", "scope", placeholder="what is to be done"),
            Field("session_id", "id", placeholder="made from the day when left empty"),
            Field("budget", "budget", placeholder=f"{budget:,} tokens"),
        ],
        check=_session_remarks,
        accept="opens it",
        draft="new-session",
    )


def session_of(values: Values) -> dict[str, Any]:
    """What was typed, as the engine takes it."""
    return {
        "scope": values["scope"].strip(),
        "session_id": values["session_id"].strip() or None,
        "budget": _tokens(values["budget"]),
    }


def session_changes_form(session: Session, own: Mapping[str, Any], limits: Limits) -> Form:
    """What of a session can be changed; ``own`` is what it says of its limits by itself, and
    ``limits`` what the settings say."""
    return Form(
        f"Change {session.session_id}",
        [
            Field("scope", "scope", session.scope, "what it is about"),
            Field("budget", "budget", _typed(own["budget"]), f"{limits.budget:,} tokens"),
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
        ],
        check=_change_remarks,
        accept="changes it",
        draft=f"session-{session.uid}",
    )


def changes_of(values: Values) -> SessionChanges:
    """What was typed, as the engine takes it."""
    return {
        "scope": values["scope"].strip(),
        "budget": _tokens(values["budget"]),
        "warn_threshold": _share(values["warn_threshold"]),
        "critical_threshold": _share(values["critical_threshold"]),
        "reserve": _reserve(values["reserve"]),
    }


def _change_remarks(values: Values) -> list[Remark]:
    from orch_tui.prepare.validation import Remark

    remarks = _session_remarks(values)
    for name in ("warn_threshold", "critical_threshold"):
        if values[name].strip() and _share(values[name]) is None:
            remarks.append(Remark(name, "a share such as 75 % or 0.75", stops=True))
    if values["reserve"].strip() and _reserve(values["reserve"]) is None:
        remarks.append(Remark("reserve", "a whole number of tokens", stops=True))
    warn, critical = _share(values["warn_threshold"]), _share(values["critical_threshold"])
    if warn and critical and warn > critical:
        remarks.append(Remark("critical_threshold", "comes before the warning", stops=True))
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
    digits = text.strip().replace(",", "").replace("_", "")
    return int(digits) if _is_number(digits) else None


def _session_remarks(values: Values) -> list[Remark]:
    from orch_tui.prepare.validation import Remark, check_scope

    remarks = check_scope(values["scope"])
    if values["budget"].strip() and not _tokens(values["budget"]):
        remarks.append(Remark("budget", "a whole number of tokens, above 0", stops=True))
    return remarks


def agent_form(page: PlanPage, line: PlannedLine | None = None) -> Form:
    """A planned agent as it is, or one more."""
    agent = line.agent if line else None
    return Form(
        f"Agent {agent.position} of {agent.session_id}" if agent else "Plan an agent",
        _fields(page, line),
        check=lambda values: _agent_remarks(page.rules, values, agent.position if agent else None),
        accept="accepts" if agent else "plans it",
        draft=f"planned-{agent.uid if agent else page.session.session_id}",
    )


def agent_of(values: Values) -> dict[str, Any]:
    """What was typed, as the engine takes it."""
    return {
        "agent_type": values["agent_type"].strip(),
        "scope": values["scope"],
        "model": values["model"].strip() or None,
        "bundle_id": values["bundle_id"].strip() or None,
        "waits_for": _numbers(values["waits_for"])[0],
    }


def _fields(page: PlanPage, line: PlannedLine | None) -> list[Field]:
    """The lines of the form for a planned agent, with what each can be completed to."""
    rules, agent = page.rules, line.agent if line else None
    models = {
        name: f"{model.model_id} · window {model.window:,}"
        for model in rules.catalogue.models.values()
        for name in (*model.aliases, model.model_id)
    }
    bundles = [
        (
            bundle.bundle_id,
            f"{bundle.agent_type} · {bundle.count} tokens · {bundle.name}".strip(" ·"),
        )
        for bundle in rules.bundles.values()
    ]
    others = [
        (str(other.agent.position), f"{other.agent.agent_type} · {other.agent.scope}".strip(" ·"))
        for other in page.agents
        if other is not line
    ]
    return [
        Field(
            "agent_type",
            "agent type",
            agent.agent_type if agent else "",
            "from .claude/agents, or one of Claude Code's own",
            list_agent_choices(rules.known_agents),
        ),
        Field("scope", "scope", agent.scope if agent else "", "what this agent is to do"),
        Field(
            "model",
            "model",
            (agent.model if agent else "") or "",
            str(rules.choose_model(None, agent.bundle_id, agent.agent_type))
            if agent
            else f"that of its bundle or definition, else {rules.catalogue.default}",
            sorted(models.items(), key=lambda item: (len(item[0]), item[0])),
        ),
        Field(
            "bundle_id",
            "bundle",
            (agent.bundle_id if agent else "") or "",
            "none yet: F2 composes one" if not bundles else "what it is given",
            bundles,
        ),
        Field(
            "waits_for",
            "waits for",
            ", ".join(map(str, line.waits_for)) if line else "",
            "numbers of the plan, such as 1, 2; empty: nobody",
            others,
            several=True,
        ),
    ]


def _agent_remarks(rules: PlanRules, values: Values, position: int | None) -> Sequence[Remark]:
    from orch_tui.prepare.validation import Remark
    from orch_tui.recall.overview import Intent

    numbers, strange = _numbers(values["waits_for"])
    remarks = rules.remarks(
        Intent(
            values["agent_type"],
            values["scope"],
            values["model"].strip(),
            values["bundle_id"].strip(),
            numbers,
            position,
        )
    )
    wrong = [Remark("waits_for", f"{text!r} is no number of the plan", True) for text in strange]
    return [*remarks, *wrong]


def _numbers(text: str) -> tuple[tuple[int, ...], list[str]]:
    """The numbers in a list with commas, and what is none."""
    parts = [part.strip() for part in text.split(",") if part.strip()]
    numbers = tuple(int(part) for part in parts if _is_number(part))
    return numbers, [part for part in parts if not _is_number(part)]


def _tokens(text: str) -> int | None:
    digits = text.strip().replace(",", "").replace("_", "")
    return int(digits) or None if _is_number(digits) else None


def _is_number(text: str) -> bool:
    return text.isdecimal() and len(text) < 10
