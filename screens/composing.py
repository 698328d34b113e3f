"""What Compose says about a composition: what is around it, its rows, its state in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from rich.text import Text

from orch_tui.errors import OrchError
from orch_tui.prepare.composition import Choice, Composition, Weight
from orch_tui.screens.widgets.rows import Column, Row
from orch_tui.screens.widgets.safe import one_line
from orch_tui.screens.widgets.stack import Part, short

if TYPE_CHECKING:
    from orch_tui.facts import PlannedAgent
    from orch_tui.prepare.budget import Limits
    from orch_tui.prepare.bundle import ContextItem
    from orch_tui.prepare.sharing import Sharing
    from orch_tui.prepare.tokens import Count
    from orch_tui.project import Project
    from orch_tui.record.bundles import Saved

PRIORITIES = {"required": "●", "recommended": "◐", "optional": "○"}
TYPES = {
    "file": "file",
    "reference": "reference",
    "shared_context": "shared",
    "briefing": "text",
}

THIS = "(this bundle)"
"""Its id among those of the session, while it has none."""


@dataclass(frozen=True, slots=True)
class Around:
    """What the record and the project say about a composition."""

    session_id: str
    limits: Limits
    used: tuple[tuple[str, Count], ...]
    """What each bundle or execution of the session takes."""
    bundles: tuple[Saved, ...]
    """Of the session, without their bytes."""
    planned: tuple[PlannedAgent, ...]
    agents: tuple[str, ...]
    draft: Composition | None
    saved: Saved | None
    """The bundle that is being changed, as it is in the record."""
    composed: Composition | None
    """What it was composed of."""

    def bundle(self, bundle_id: str) -> Saved | None:
        held = (*self.bundles, *([self.saved] if self.saved else ()))
        return next((saved for saved in held if saved.bundle.bundle_id == bundle_id), None)


def look_around(
    project: Project, session_id: str, bundle_id: str, draft: Composition | None
) -> Around:
    """Read it, as far as there is a record; meant for a thread."""
    from orch_tui.record import budget, bundles, plan

    limits = project.limits
    used: tuple[tuple[str, Count], ...] = ()
    held: tuple[Saved, ...] = ()
    planned: tuple[PlannedAgent, ...] = ()
    saved = None
    bundle_id = bundle_id or (draft.bundle_id if draft else "")
    if project.database.exists():
        record = project.existing_record
        if session_id:
            limits = budget.session_limits(record, session_id, limits)
            used = tuple((t.label, t.count) for t in budget.taken(record, session_id))
            held = tuple(bundles.by_figures(record, session_id))
            planned = tuple(plan.agents(record, session_id))
        if bundle_id:
            try:
                saved = bundles.load(record, bundle_id)
            except OrchError:  # it was removed, or the draft is of another record
                saved = None
    project.catalogue.model("")  # read once, here
    agents = tuple(sorted(project.known_agents))
    composed = Composition.of_bundle(saved.bundle) if saved else None
    return Around(session_id, limits, used, held, planned, agents, draft, saved, composed)


# In words


def remarks(
    agent_type: str, model: str, *, agents: Sequence[str], project: Project
) -> list[tuple[str, str]]:
    """What is unusual about an agent or a model, by field."""
    said = []
    if agent_type and agents and agent_type not in agents:
        said.append(("agent_type", "no such agent in .claude/agents, nor is it built in"))
    found = project.catalogue.model(model)
    if found.assumed:
        said.append(("model", f"not in the catalogue: window of {short(found.window)} is assumed"))
    return said


def head(now: Composition, state: str, default_model: str, said: Sequence[tuple[str, str]]) -> Text:
    """Two lines: for which agent, in which state; and what it is to do."""
    first = Text()
    if now.agent_type:
        first.append(one_line(now.agent_type, 40), "bold")
    else:
        first.append("no agent yet, e says for which", "italic")
    first.append(f" · {one_line(now.model, 40) or f'{default_model} (default)'}")
    if now.name:
        first.append(f" · “{one_line(now.name, 40)}”")
    first.append(f" · {state}")
    for _, remark in said:
        first.append(f" · ! {remark}")
    second = Text(one_line(now.scope, 300)) if now.scope else Text("no scope yet", "italic")
    return Text("\n", no_wrap=True, overflow="ellipsis").join((first, second))


def state_of(now: Composition, around: Around | None, *, changed: bool) -> str:
    """What is in the record, and whether that is what is on the screen."""
    if not now.bundle_id:
        return "new, not saved" if now.choices else "new"
    saved = around.bundle(now.bundle_id) if around else None
    version = f" v{saved.bundle.version}" if saved else ""
    deployed = ", deployed" if saved and saved.frozen else ""
    state = "changed, not saved" if changed else "saved"
    return f"{one_line(now.bundle_id, 40)}{version}{deployed} · {state}"


def differs(now: Composition, saved: Composition | None) -> bool:
    """Whether there is something to save."""
    return bool(now.choices) and (saved is None or replace(now, planned_id=0) != saved)


# In figures


def figure(weight: Weight | None) -> str:
    if weight is None:
        return ""
    return f"{'' if weight.count.exact else '~'}{short(weight.count.tokens)}"


def parts(items: Sequence[ContextItem]) -> tuple[Part, ...]:
    """What takes up the agent's limit."""
    shared = sum(item.count.tokens for item in items if item.type == "shared_context")
    by_priority = dict.fromkeys(PRIORITIES, 0)
    for item in items:
        if item.type != "shared_context":
            by_priority[item.priority] += item.count.tokens
    required, recommended, optional = by_priority.values()
    return (
        Part("shared", "▚", shared),
        Part("required", "█", required),
        Part("recommended", "▓", recommended),
        Part("optional", "▒", optional),
    )


# In rows


def columns(width: int, *, shared: bool) -> tuple[Column, ...]:
    """What fits beside the sources; with several bundles, who else holds them."""
    if width < 60:
        return (Column("", 1), Column("tokens", 7, right=True), Column("source"), Column("as", 6))
    also = (Column("also in", 13),) if shared else ()
    bar = (Column("", 8),) if _has_bar(width, shared) else ()
    return (
        Column("priority", 13),
        Column("tokens", 8, right=True),
        *bar,
        Column("source"),
        Column("type", 9),
        *also,
    )


def row(
    choice: Choice,
    count: Count,
    weight: Weight | None,
    *,
    largest: int,
    also: str | None,
    width: int,
) -> Row:
    """One item of the bundle, with the cells of ``columns``; ``also`` None: no such column."""
    refused = refusal(weight)
    glyph = "✗" if refused else PRIORITIES[choice.priority]
    tokens = "–" if refused else f"{'' if count.exact else '~'}{short(count.tokens)}"
    tokens += "" if weight else "?"
    source = " # ".join((choice.source, *filter(None, ["; ".join(choice.sections)])))
    if refused:
        source = f"{source}  ✗ {refused}"
    kind = TYPES[choice.type]
    style = "bad" if refused else ""
    if width < 60:
        return Row(choice.key, (glyph, tokens, source, kind.replace("reference", "ref")), style)
    shared = also is not None
    bar = (_bar(count.tokens, largest),) if _has_bar(width, shared) else ()
    cells = (f"{glyph} {choice.priority}", tokens, *bar, source, kind)
    return Row(choice.key, cells if also is None else (*cells, also), style)


def refusal(weight: Weight | None) -> str:
    """Why it cannot be taken as it stands."""
    if weight is None or weight.refused is None:
        return ""
    return f"{weight.refused.reason}{', y takes it' if weight.secret else ''}"


def _has_bar(width: int, shared: bool) -> bool:
    return width >= 62 + 14 * shared


def _bar(tokens: int, largest: int) -> str:
    """Eight cells, in eighths."""
    eighths = round(64 * tokens / largest) if largest else 0
    whole, rest = divmod(eighths, 8)
    return "█" * whole + " ▏▎▍▌▋▊▉"[rest].rstrip()


# What is shared


def holders(
    now: Composition, weights: dict[str, Weight], sharing: Sharing | None
) -> dict[str, tuple[str, ...]]:
    """By the key of a choice, the other bundles that hold the same."""
    if sharing is None:
        return {}
    own = now.bundle_id or THIS
    by_sha256 = {item.sha256: item.shared_with for item in sharing.items if item.sha256}
    found = {}
    for choice in now.choices:
        weight = weights.get(choice.key)
        others = [b for b in by_sha256.get(weight.sha256 if weight else "", ()) if b != own]
        if others and choice.text is None:
            found[choice.key] = tuple(others)
    return found


def on_sharing(sharing: Sharing | None, around: Around | None) -> str:
    """What several bundles of the session hold, as text."""
    if around is None or not around.bundles:
        return "There is no other bundle in this session yet."
    if sharing is None or not sharing.items:
        return "No item stands in several bundles of this session."
    one = len(sharing.items) == 1
    lines = [
        f"{len(sharing.items)} {'item stands' if one else 'items stand'} in several bundles of "
        f"this session; d shares {'it' if one else 'them'}.",
        "",
        f"  in the bundles           {sharing.moved} tokens",
        f"  in one shared document   {sharing.document} tokens",
        f"  twice in one bundle      {sharing.dropped} tokens",
        "",
    ]
    for item in sharing.items:
        sections = f" # {'; '.join(item.sections)}" if item.sections else ""
        lines.append(f"{item.source}{sections} · {item.count} · {', '.join(item.shared_with)}")
    return "\n".join(lines)
