"""The forms of the Plan screen: a session to open or to change, an agent to plan."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from orch_tui.screens.agent_choices import list_agent_choices
from orch_tui.screens.limit_form import EACH_LIMIT, check_session, is_number, parse_tokens
from orch_tui.screens.widgets.form import Field, Form, Values

if TYPE_CHECKING:
    from orch_tui.prepare.validation import Remark
    from orch_tui.recall.overview import PlannedLine, PlanPage, PlanRules


def session_form(budget: int) -> Form:
    """A new session; ``budget`` is what it has when none is given, in tokens."""
    return Form(
        "New session",
        [
            Field("scope", "scope", placeholder="what is to be done"),
            Field("budget", "budget", placeholder=f"{budget:,} tokens for all agents"),
            Field("each_limit", "each agent", placeholder=EACH_LIMIT),
            Field("session_id", "id", placeholder="made from the day when left empty"),
        ],
        check=check_session,
        accept="opens it",
        draft="new-session",
    )


def session_of(values: Values) -> dict[str, Any]:
    """What was typed, as the engine takes it."""
    return {
        "scope": values["scope"].strip(),
        "session_id": values["session_id"].strip() or None,
        "budget": parse_tokens(values["budget"]),
    }


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
        Field(
            "scope",
            "scope",
            agent.scope if agent else "",
            "what this agent is to do",
            is_asked=True,
        ),
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
    numbers = tuple(int(part) for part in parts if is_number(part))
    return numbers, [part for part in parts if not is_number(part)]
