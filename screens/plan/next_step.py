"""What is told of a session above its plan: what to do next, its phases, its budget."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from rich.cells import cell_len

from orch_tui.phases import PHASES
from orch_tui.recall.next_step import NextStep, list_next_steps
from orch_tui.screens.theme import SIGNS
from orch_tui.screens.widgets.safe import one_line
from orch_tui.screens.widgets.told_lines import Spans, fold_spans, thin_bar
from orch_tui.screens.widgets.words import format_tokens
from orch_tui.times import ago
from orch_tui.wording import plural

if TYPE_CHECKING:
    from orch_tui.live.live_agent import LiveAgent
    from orch_tui.prepare.budget import LimitGauge
    from orch_tui.recall.overview import PlannedLine, PlanPage
    from orch_tui.record.phase_gates import Gate

SHORT = 68
"""Cells up to which words are fewer."""
FULL = 8
"""Lines from which each phase has one of its own."""

_GATES = {
    "validated": ("plan validated", "not validated: v does it"),
    "planned": ("agents planned", "no agent is planned: a does it"),
    "deployed": ("handed over", "nobody was handed over: F3 does it"),
    "returned": ("all returned", ""),
    "results recorded": ("results of checks recorded", "no result of a check is recorded: F3, c"),
}
"""How a gate is told here, where keys do what commands do elsewhere: when it holds, and what is
missing where not; empty: in its own words."""


def word_missing(gate: Gate) -> str:
    """Say what is missing for a gate, with the key that does it."""
    return _GATES.get(gate.name, ("", ""))[1] or gate.missing


def draw_session(
    page: PlanPage, asking: Mapping[str, LiveAgent], now: str, width: int, most: int, at: int = 0
) -> list[Spans]:
    """Draw what is told of a session; ``asking`` are those of its agents, by execution, that need
    somebody, and ``at`` is the place in the plan of the one under the cursor (0: none)."""
    if not page.is_planned:
        return _draw_unplanned(page, now)
    steps = _draw_steps(page, asking, now, width, at)
    full = most >= FULL
    phases = _draw_phases(page, width) if full else [_draw_phase_line(page, width)]
    gap: list[Spans] = [()] if full else []
    lines = [*steps[:2], *gap, *phases, *gap, draw_budget(page.budget, width)]
    return lines if len(lines) <= most else [line for line in lines if line]


def _draw_unplanned(page: PlanPage, now: str) -> list[Spans]:
    runs = page.runs
    waiting = sum(run.status == "deployed" for run in runs)
    failed = sum(run.went_well is False for run in runs)
    doubted = sum(
        run.status != "deployed"
        and (run.went_well is None or run.went_well and run.failed_checks != ())
        for run in runs
    )
    counted: list[tuple[str, str]] = [("bold", plural(len(runs), "run"))]
    for state, number, word in (
        ("running", waiting, "running"),
        ("failed", failed, "failed"),
        ("doubt", doubted, "in doubt"),
    ):
        if number:
            counted += [("", "   "), (state, f"{SIGNS[state]} {number} {word}")]
    begun = ago(page.session.created_at, now)
    return [
        [*counted, ("dim", f"   begun {begun}{' ago' if begun[-1:] in 'snhd' else ''}")],
        [
            ("dim", "seen by hooks or an import; nobody planned in it: "),
            ("key", "a"),
            ("dim", " plans an agent"),
        ],
    ]


# Steps


def _draw_steps(
    page: PlanPage, asking: Mapping[str, LiveAgent], now: str, width: int, at: int
) -> list[Spans]:
    lines: list[Spans] = []
    for label, agent in asking.items():
        lines.append(
            [
                ("asks", f"{SIGNS['asks']} "),
                ("bold", f"{one_line(agent.agent_type, 40)} asks"),
                ("", f" {one_line(f'{agent.tool} {agent.target}', 60)}"),
                ("dim", f"  {ago(agent.since, now)}   "),
                ("key", "F3"),
                ("", f" shows {label}"),
            ]
        )
        break
    steps = list_next_steps(page)
    for number, step in enumerate(steps):
        spans = _word_step(step, steps[:number], page, at, short=width < SHORT)
        if spans:
            lines.append([("dim", "then  "), *spans] if lines else spans)
    return lines


def _word_step(
    step: NextStep, before: Sequence[NextStep], page: PlanPage, at: int, *, short: bool
) -> list[tuple[str, str]]:
    names = name_agents(page)
    places = [line.agent.position for line in step.agents]
    first = names[at if at in places else places[0]] if places else ""
    more = f" and {len(step.agents) - 1} more" if len(step.agents) > 1 else ""
    if step.act == "wait":
        who = f"{len(places)} run" if more else f"{first} runs"
        return [
            *_sign("running"),
            ("bold", who),
            ("dim", "   "),
            ("key", "F3"),
            ("", " records what it said" if short else " shows it, and records what it said"),
        ]
    if step.act == "look":
        failed = step.agents[0].went_well is False
        return [
            *_sign("failed" if failed else "doubt"),
            ("bold", f"{first} {'failed' if failed else 'is in doubt'}"),
            ("", more),
            ("dim", "   "),
            ("key", "F3"),
            ("", " shows why" if short else " shows why, and hands it over again"),
        ]
    if step.act == "move":
        waits = next((len(other.agents) for other in before if other.act == "wait"), 0)
        who = f"{waits}" if short else f"the {waits} that run"
        later = f", when {who} have returned" if waits > 1 else ""
        if step.phase > (page.session.phase or 1) + 1:
            later = ", where its agents are already"
        if waits == 1:
            later = f", when {names[before[0].agents[0].agent.position]} has returned"
        return [
            ("key", "p"),
            ("bold" if not before or waits else "", f" to phase {step.phase},"),
            ("bold" if not before or waits else "", f" {PHASES[step.phase]}"),
            ("dim", later),
        ]
    if step.act == "open":
        return [
            *_sign(page.session.status == "failed" and "failed" or "done"),
            ("bold", f"closed as {'failed' if page.session.status == 'failed' else 'done'}"),
            ("dim", "   "),
            ("key", "n"),
            ("", " opens another session"),
        ]
    key, words, rest = {
        "plan": ("a", "plans the first agent", ""),
        "validate": ("v", "checks the plan", ""),
        "compose": ("b", f"composes what {first} is given", more),
        "deploy": ("F3", f"hands over {first}", more),
        "collect": ("F3", "records the results of checks", ": c on what came back"),
        "close": ("c", "closes the session", ""),
    }[step.act]
    there: list[tuple[str, str]] = []
    if step.act == "compose" and at and at not in places:  # the key is for the one under the cursor
        there = [("key", "↑ " if places[0] < at else "↓ ")]
    return [*there, ("key", key), ("bold" if not before else "", f" {words}"), ("", rest)]


def name_agents(page: PlanPage) -> dict[int, str]:
    """Name each planned agent: its type, with its number where another has the same type."""
    types = [line.agent.agent_type for line in page.agents]
    return {
        line.agent.position: one_line(line.agent.agent_type, 60)
        + (f" {line.agent.position}" if types.count(line.agent.agent_type) > 1 else "")
        for line in page.agents
    }


def _sign(state: str) -> list[tuple[str, str]]:
    return [(state, f"{SIGNS[state]} ")]


# Phases


def _draw_phases(page: PlanPage, width: int) -> list[Spans]:
    lines: list[Spans] = []
    for phase in PHASES:
        gates = [_draw_gate(gate, page) for gate in page.gates if gate.phase == phase]
        folded = fold_spans(gates, width - 16) or [()]
        lines.append([*_draw_phase(page, phase, 12), *folded[0]])
        lines += [[("", " " * 16), *spans] for spans in folded[1:]]
    return lines


def _draw_phase_line(page: PlanPage, width: int) -> Spans:
    spans: list[tuple[str, str]] = []
    for phase in PHASES:
        if spans:
            spans.append(("rule", " ─ "))
        spans += _draw_phase(page, phase)
    if sum(cell_len(text) for _, text in spans) > width:
        here = min(page.session.phase or 1, max(PHASES))
        return [*_draw_phase(page, here), ("dim", f" of {max(PHASES)}")]
    return spans


def _draw_phase(page: PlanPage, phase: int, room: int = 0) -> list[tuple[str, str]]:
    here = max(PHASES) + 1 if page.session.completed_at else page.session.phase or 1
    word = f"{phase} {PHASES[phase]}"
    if phase == here:
        return [("running", f"{SIGNS['running']} "), ("bold", f"{word:{room}}"), *_gap(room)]
    if phase > here:
        return [("dim", f"{SIGNS['planned']} {word:{room}}"), *_gap(room)]
    skipped = any(gate.phase == phase and gate.can_hold and not gate.met for gate in page.gates)
    return [*_sign("doubt" if skipped else "done"), ("dim", f"{word:{room}}"), *_gap(room)]


def _gap(room: int) -> list[tuple[str, str]]:
    return [("", "  ")] if room else []


def _draw_gate(gate: Gate, page: PlanPage) -> list[tuple[str, str]]:
    """Draw a gate: grey until it could hold, never as a failure before anything could be done."""
    here = max(PHASES) + 1 if page.session.completed_at else page.session.phase or 1
    holds, _ = _GATES.get(gate.name, (gate.name, ""))
    counted = _count(gate, page) or holds
    if gate.met and gate.can_hold:
        return [*_sign("done"), ("", counted)]
    if gate.phase < here and gate.can_hold:
        missing = word_missing(gate).partition(":")[0] if gate.phase < here - 1 else ""
        return [*_sign("doubt"), ("", f"skipped: {missing or word_missing(gate)}")]
    if not gate.can_hold or gate.phase > here:
        return [("dim", f"{SIGNS['planned']} {holds}")]
    if gate.name == "returned":
        return [*_sign("running"), ("", counted)]
    return [("planned", f"{SIGNS['planned']} "), ("", word_missing(gate))]


def _count(gate: Gate, page: PlanPage) -> str:
    """Say how many of the planned agents a gate holds of; empty where it is not about them."""
    agents, deployed = page.agents, [line for line in page.agents if line.attempts]
    if not agents:
        return ""
    if gate.name == "planned":
        return f"{plural(len(agents), 'agent')} planned"
    if gate.name == "deployed" and deployed:
        return f"{len(deployed)} of {len(agents)} handed over"
    if gate.name == "returned" and deployed:
        back = sum(line.status != "deployed" for line in deployed)
        return f"{back} of {len(deployed)} returned"
    return ""


# Budget


def draw_budget(figures: LimitGauge, width: int, name: str = "budget", tail: str = "") -> Spans:
    """Draw a limit as a thin line with how much of it is taken, and how much is free."""
    about = "" if figures.used.exact else "~"
    used = f"{about}{format_tokens(figures.used.tokens)}"
    state = {"warning": "doubt", "critical": "failed", "over": "failed"}.get(figures.status, "")
    left = figures.limit - figures.used.high
    told: list[tuple[str, str]] = [
        (state or "bold", f"  {used}"),
        ("", f" of {format_tokens(figures.limit)}"),
    ]
    if left >= 0:
        free: list[tuple[str, str]] = [("bold", f"  {format_tokens(left)}"), ("", " free")]
    else:
        free = [("", "  "), ("over", f"OVER by {format_tokens(-left)}")]
    if figures.unknown:
        free.append(("doubt", f"  {figures.unknown} without a count"))
    free.append(("dim", tail and f"  {tail}"))
    taken = cell_len(name) + 1 + sum(cell_len(text) for _, text in (*told, *free))
    room = width - taken
    if room < 5:
        return [("dim", f"{name} "), *told, *free]
    share = figures.share if figures.limit > 0 else 1.0
    full, rest = thin_bar(share, min(room, 60))
    fill = " " * (room - len(full) - len(rest))
    return [("dim", f"{name} "), (state, full), ("rule", rest), ("", fill), *told, *free]


def after_whom(page: PlanPage, line: PlannedLine) -> str:
    """Name whom an agent waits for: ``after implementer and test-writer``."""
    names = name_agents(page)
    others = [names.get(position, str(position)) for position in line.waits_for]
    if not others:
        return ""
    *head, last = others
    return f"after {', '.join(head)} and {last}" if head else f"after {last}"


def find_asking(page: PlanPage, agents: Sequence[LiveAgent]) -> Iterator[tuple[str, LiveAgent]]:
    """Find those of a plan's agents that need somebody, by their executions."""
    own = {label for line in page.agents for label, _ in line.attempts}
    own |= {run.execution_id for run in page.runs}
    for agent in agents:
        if agent.needs_somebody and agent.execution_id in own:
            yield agent.execution_id or "", agent
