"""How Compose words a composition: its head, its rows, its figures, and what can be done."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from rich.text import Text

from orch_tui.errors import SourceError
from orch_tui.prepare.composition import Choice, Composition, Weight
from orch_tui.screens.theme import PARTS
from orch_tui.screens.widgets.row_list import Column, Row
from orch_tui.screens.widgets.safe import one_line
from orch_tui.screens.widgets.words import format_tokens
from orch_tui.wording import plural

if TYPE_CHECKING:
    from orch_tui.compose_context import (
        CommonContent,
        ComposeContext,
        EarlierChoice,
        ResolvedAgent,
        SourceLook,
    )
    from orch_tui.prepare.ambient import Ambient
    from orch_tui.prepare.budget import LimitGauge
    from orch_tui.prepare.bundle import ContextItem
    from orch_tui.prepare.count import Count
    from orch_tui.prepare.dedup import SharedBlock
    from orch_tui.prepare.fitting import Fitted
    from orch_tui.prepare.model_choice import ModelChoice
    from orch_tui.prepare.overlaps import Overlap
    from orch_tui.project import Project
    from orch_tui.recall.insights.earlier_sources import EarlierSource

PRIORITIES = {name: PARTS[name] for name in ("required", "recommended", "optional")}
TYPES = {
    "file": "file",
    "reference": "reference",
    "shared_context": "shared",
    "briefing": "text",
}

ANYWAY = PARTS["had"]
"""Marks what Claude Code gives an agent by itself."""

MOST_CHANGES = 8
MOST_BLOCKS = 20
MOST_LINES = 12
"""How many changes, blocks and lines of a block are shown."""


# In words


def agent_remarks(
    agent_type: str, model: str, *, known: Sequence[str], project: Project
) -> list[tuple[str, str]]:
    """Return what is unusual about an agent type or model, as pairs of a field and a sentence."""
    remarks = []
    if agent_type and known and agent_type not in known:
        remarks.append(("agent_type", f"{agent_type!r} is not defined in .claude/agents"))
    found = project.catalogue.model(model)
    if found.assumed:
        remarks.append(
            ("model", f"not in the catalogue: window of {format_tokens(found.window)} is assumed")
        )
    return remarks


def render_head(now: Composition, model: ModelChoice, remarks: Sequence[tuple[str, str]]) -> Text:
    """Render in a line what the agent is to do, on which model, and what is unusual about it."""
    line = Text(no_wrap=True, overflow="ellipsis")
    if now.scope:
        line.append(one_line(now.scope, 300), "bold")
    else:
        line.append("no scope yet, e says it", "italic")
    line.append(f"   {one_line(str(model), 60)}")
    for _, remark in remarks:
        line.append(f" · ! {remark}", "bold")
    return line


def name_bundle(now: Composition) -> str:
    """Name what is composed: the title of its pane."""
    agent = one_line(now.agent_type, 40)
    title = f"Bundle for {agent}" if agent else "Bundle, for no agent yet: e says for which"
    return f"{title} · “{one_line(now.name, 40)}”" if now.name else title


def describe_state(now: Composition, context: ComposeContext | None, *, changed: bool) -> str:
    """Say what is in the record, and whether that is what is on the screen."""
    if not now.bundle_id:
        return "new, not saved" if now.choices else "new"
    saved = context.find_bundle(now.bundle_id) if context else None
    version = f" v{saved.bundle.version}" if saved else ""
    deployed = ", deployed" if saved and saved.frozen else ""
    state = "changed, not saved" if changed else "saved"
    return f"{one_line(now.bundle_id, 40)}{version}{deployed} · {state}"


# In figures


def format_weight(weight: Weight | None) -> str:
    """Format tokens in a few cells, as in ``~1.2k``; empty where they are not known."""
    if weight is None:
        return ""
    return f"{'' if weight.count.exact else '~'}{format_tokens(weight.count.tokens)}"


def describe_unknown_ambient(ambient: Ambient) -> str:
    """Say what an agent has anyway that no figure counts; empty where that is nothing."""
    return f"? {'; '.join(ambient.unknown)}" if ambient.unknown else ""


# In rows


def bundle_columns(*, shared: bool, marks: bool) -> tuple[Column, ...]:
    """Return the columns of the items; ``shared`` adds who else holds one, ``marks`` which are
    marked."""
    also = (Column("also in", 13, gives_way=1),) if shared else ()
    mark = (Column("", 1, gives_way=-1),) if marks else ()
    return (
        *mark,
        Column("", 1, state=True, gives_way=-1),
        Column("as", 11, state=True, gives_way=3),
        Column("source", cut_head=True),
        Column("part", 16, gives_way=4),
        *also,
        Column("tokens", 7, right=True, gives_way=-1),
        Column("share", 5, right=True, gives_way=2),
    )


def bundle_row(
    choice: Choice,
    count: Count,
    weight: Weight | None,
    *,
    total: int,
    also: str | None,
    ambient: str,
    marked: bool | None = None,
) -> Row:
    """Make the row of one item, with the cells of ``bundle_columns``.

    ``also`` names the other bundles that hold it; None: there is no such column. ``ambient`` flags
    what of it the agent has anyway, ``total`` is the tokens of all items, and ``marked`` is None
    where none is.
    """
    refused = describe_refusal(weight)
    kind = TYPES[choice.type]
    style = "bad" if refused else "shared" if choice.type == "shared_context" else choice.priority
    sign = "✗" if refused else PARTS[style]
    tokens = "–" if refused else f"{'' if count.exact else '~'}{format_tokens(count.tokens)}"
    tokens += "" if weight else "?"
    remark = f"✗ {refused}" if refused else weight.remark if weight else ""
    source = f"{choice.source}  {remark}" if remark else choice.source
    part = "; ".join(choice.sections) or (kind if kind != "file" else "")
    if ambient and not refused:
        part = f"{ambient} {part or 'had anyway'}"
    share = f"{count.tokens / total:.0%}".replace("%", " %") if total and not refused else ""
    middle = () if also is None else (also,)
    word = "refused" if refused else kind if style == "shared" else choice.priority
    mark = () if marked is None else ("■" if marked else "□",)
    return Row(choice.key, (*mark, sign, word, source, part, *middle, tokens, share), style)


def describe_items(items: Sequence[ContextItem]) -> str:
    """Say what items weigh together."""
    exact = all(item.count.exact for item in items)
    return f"{'' if exact else '~'}{sum(item.count.tokens for item in items):,} tokens"


def describe_refusal(weight: Weight | None) -> str:
    """Say why a choice cannot be taken as it stands; empty where it can."""
    if weight is None or weight.refused is None:
        return ""
    return f"{weight.refused.reason}{', y takes it' if weight.secret else ''}"


# From earlier runs

EARLIER_COLUMNS = (
    Column("", 1, state=True, gives_way=-1),
    Column("source", cut_head=True, bold=True),
    Column("part", 14, gives_way=2),
    Column("given", 9, right=True, gives_way=3),
    Column("read", 9, right=True, gives_way=-1),
    Column("tokens", 7, right=True, gives_way=-1),
)


def earlier_row(each: EarlierChoice, held: Choice | None) -> Row:
    """Make the row of what earlier runs had; ``held`` is the choice of it in the bundle."""
    choice, figures = each.choice, each.figures
    refused = each.weight.refused
    mark, style = "", "recommended"
    if held is not None:
        mark, style = PARTS[held.priority], "dim"
    elif refused is not None:
        mark, style = "✗", "dim"
    part = "in it already" if held else refused.reason if refused else "; ".join(choice.sections)
    cells = (
        mark,
        choice.source,
        part,
        _of(figures.given, figures.n),
        _of(figures.read, figures.n_known),
        "–" if refused else format_weight(each.weight),
    )
    return Row(choice.key, cells, style)


def _of(count: int, n: int) -> str:
    return f"{count} of {n}" if n else "unknown"


def describe_earlier(agent_type: str, figures: EarlierSource) -> str:
    """Say of how many runs the rows tell."""
    runs = f"{plural(figures.n, 'run')} of {one_line(agent_type, 40)} that succeeded"
    were = "was given, or read itself" if figures.n == 1 else "were given, or read themselves"
    known = (
        "" if figures.n_known == figures.n else f"; of {figures.n_known} is known what they read"
    )
    return f"What {runs} {were}{known}."


def describe_taking(chosen: Sequence[EarlierChoice], gauge: LimitGauge | None) -> str:
    """Say what Enter takes, and what the agent's gauge shows then."""
    tokens = sum(each.weight.count.tokens for each in chosen)
    said = f"takes {len(chosen)} as recommended, ~{format_tokens(tokens)} tokens"
    if gauge is None:
        return said
    left = gauge.limit - gauge.used.high
    rest = f"{format_tokens(left)} free" if left >= 0 else f"OVER by {format_tokens(-left)}"
    return f"{said}: then {rest} of {format_tokens(max(0, gauge.limit))}"


def describe_source_look(found: SourceLook) -> Text:
    """Say what typed text names and takes, or why it names nothing."""
    if found.refused is not None and found.typed.strip():
        if found.completions:
            return Text()
        # Its name stands above, and may be long.
        return Text(one_line(f"✗ {found.refused.reason}", 300), overflow="ellipsis", no_wrap=True)
    weights = found.weights.values()
    tokens = sum(weight.count.tokens for weight in weights)
    said = [f"{plural(len(found.choices), 'item')}, ~{format_tokens(tokens)} tokens"]
    secrets = sum(weight.secret for weight in weights)
    said += [f"{secrets} looks like a secret, y lets it pass then"] * bool(secrets)
    said += [f"{len(found.left_out)} left out"] * bool(found.left_out)
    return Text(" · ".join(said)) if found.choices else Text()


# What stands elsewhere too


def flag_ambient(overlaps: Sequence[Overlap]) -> str:
    """Flag how much of an item the agent has anyway; empty for nothing."""
    if any(overlap.whole for overlap in overlaps):
        return ANYWAY
    return f"{ANYWAY} {sum(o.share for o in overlaps):.0%} of" if overlaps else ""


def describe_deployed(agents: Sequence[str]) -> str:
    """Say what becomes of bundles that were deployed, where they are changed; empty for none."""
    if not agents:
        return ""
    had = "has its briefing" if len(agents) == 1 else "have their briefings"
    names = one_line(", ".join(agents), 200)
    return f"{names} {had} already: what was handed over stays; another time the new one is."


def _sharing_figures(common: CommonContent) -> Iterator[str]:
    """Yield the savings in tokens; agents spend what is moved again on reading the document."""
    found = common.sharing
    yield f"sent twice     {found.duplicate_tokens_saved}"
    yield f"{ANYWAY} had anyway   {found.ambient}"
    yield f"moved          {found.moved}"
    yield f"  to document  {found.document}"
    yield from common.remarks


def render_sharing(
    common: CommonContent | None, context: ComposeContext | None, agent: ResolvedAgent | None
) -> str:
    """Render what bundles and agents have in common as the text of a view."""
    lines: list[str] = []
    if common is not None:
        lines += _render_common(common)
    elif context is None or not context.bundles:
        lines += ["There is no other bundle in this session yet."]
    if agent is not None:
        lines += ["", *_render_ambient(agent.ambient)]
    return "\n".join(lines).strip("\n")


def _render_common(common: CommonContent) -> Iterator[str]:
    found = common.sharing
    if common.changes:
        yield f"d leaves out or moves, in {', '.join(common.changes)}:"
        yield from ("", *(f"  {line}" for line in _sharing_figures(common)))
    elif not (found.items or found.blocks or any(bundle.overlaps for bundle in found.bundles)):
        yield "Nothing stands twice, in other bundles of this session, or in what the agent has."
        return
    if found.items:
        yield from ("", "In several bundles")
        for item in found.items:
            sections = f" # {'; '.join(item.sections)}" if item.sections else ""
            held = ", ".join(item.shared_with)
            yield f"  {item.source}{sections} · {item.count} · {held}"
    for ambient, title in ((True, f"{ANYWAY} The agent has it anyway"), (False, "In twice")):
        overlaps = [
            (bundle.bundle_id, each)
            for bundle in found.bundles
            for each in bundle.overlaps
            if each.ambient == ambient
        ]
        if overlaps:
            yield from ("", title)
        for bundle_id, each in overlaps:
            stays = "" if each.removable else ", stays"
            yield f"  {bundle_id} · {_describe_overlap(each)} · {each.count}{stays}"
    if found.blocks:
        yield from ("", "The same lines in different bundles; what is done about them is yours")
        for block in found.blocks[:MOST_BLOCKS]:
            yield ""
            yield from _render_block(block)
        if len(found.blocks) > MOST_BLOCKS:
            yield f"  … and {len(found.blocks) - MOST_BLOCKS} more"


def _describe_overlap(overlap: Overlap) -> str:
    """Say which lines of an item stand where else."""
    if overlap.whole:
        by = "" if overlap.by == overlap.source else f" = {overlap.by}"
        return f"{overlap.source}{by}"
    here = f"{overlap.source}:{overlap.first}-{overlap.last}"
    return f"{here} = {overlap.by}:{overlap.by_first}-{overlap.by_last}"


def _render_block(block: SharedBlock) -> Iterator[str]:
    """Render a block once, with its lines' numbers in both places."""
    left, right = block.places
    yield f"  {left.source}:{left.first}-{left.last} in {', '.join(left.bundles)}"
    yield f"  {right.source}:{right.first}-{right.last} in {', '.join(right.bundles)}"
    yield f"  {block.count} tokens"
    lines = block.text.splitlines()
    for number, line in enumerate(lines[:MOST_LINES]):
        yield f"  {left.first + number:>5} {right.first + number:>5} │ {line}"
    if len(lines) > MOST_LINES:
        yield f"              │ … {len(lines) - MOST_LINES} more lines"


def _render_ambient(ambient: Ambient) -> Iterator[str]:
    if ambient.total.tokens:
        yield f"{ANYWAY} What {ambient.agent_type or 'any agent'} has anyway: {ambient.total}"
        for part in ambient.parts:
            yield f"  {part.source} · {part.count} · {part.why}"
        for handed in ambient.handed_and_headings:
            yield f"  {handed.name} · {handed.count} · {handed.why}"
    yield from (f"  ! {problem}" for problem in ambient.problems)
    yield from (f"  ? {unknown}, in no figure" for unknown in ambient.unknown)


# What would fit


def describe_fit(fitted: Fitted) -> str:
    """Say what fitting will do, the largest savings first where there are many."""
    lines = [f"- {one_line(str(change), 120)}" for change in fitted.changes[:MOST_CHANGES]]
    if len(fitted.changes) > MOST_CHANGES:
        lines.append(f"… and {len(fitted.changes) - MOST_CHANGES} more")
    of = f" ({fitted.of})" if fitted.of else ""
    takes = f"The briefing takes {fitted.before} of {fitted.limit:,} tokens{of}; it would take"
    return "\n".join([f"{takes} {fitted.after}.", "", *lines, "", "z takes it back."])


# What cannot be taken


def text_or_refusal(text: Callable[[], str]) -> str:
    """Make a text, or say in its place why there is none."""
    try:
        return text()
    except SourceError as error:
        return f"✗ {error.message}\n\n{error.hint}"
