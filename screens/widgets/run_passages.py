"""The parts of a run as passages: what it said and why it failed, what it delivered, its facts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from orch_tui.frozen import frozen
from orch_tui.rows import ERROR_CODES
from orch_tui.screens.theme import PARTS, SIGNS
from orch_tui.screens.widgets.passages import (
    AsIs,
    Code,
    MarkdownText,
    MarkedLine,
    NoteBeside,
    Passage,
    Table,
    TableEntry,
    Words,
)
from orch_tui.screens.widgets.words import format_tokens, state_of
from orch_tui.source_name import NamedFile, parse_source
from orch_tui.times import between, lasting, local_time
from orch_tui.wording import plural

if TYPE_CHECKING:
    from orch_tui.recall.show import Given, Shown, ShownOutput, ShownReturn
    from orch_tui.rows import ExecutionFacts

BLANK = MarkedLine((Words(""),))

ON_DISK = {
    "unchanged": (f"{SIGNS['done']} as said", "done"),
    "changed since": (f"{SIGNS['doubt']} changed since", "doubt"),
    "missing": (f"{SIGNS['failed']} gone", "failed"),
    "not known": ("? not known", "muted"),
}
"""What is said of a deliverable, by what became of it, and in which colour."""

VERDICTS = {
    "pass": (f"{SIGNS['done']} pass", "done"),
    "fail": (f"{SIGNS['failed']} fail", "failed"),
}


def describe_figures(run: ExecutionFacts) -> str:
    """Say in a line who it was and what it took; what is not known is left out."""
    took = between(run.deployed_at, run.completed_at) if run.status != "deployed" else None
    seconds = took if run.duration_ms is None else run.duration_ms / 1000
    figures = (
        run.agent_type,
        (run.model or "").removeprefix("claude-"),
        "" if run.tool_calls is None else plural(run.tool_calls, "call"),
        "" if seconds is None else lasting(seconds),
        "" if run.cost_usd is None else f"$ {run.cost_usd:.2f}",
        "retracted" if run.retracted_at else "",
    )
    return " · ".join(filter(None, figures))


def make_said(shown: Shown, *, markdown: bool) -> list[Passage]:
    """Make passages of what it said, each return begun with why it failed or is in doubt."""
    run = shown.execution
    passages: list[Passage] = []
    if run.unverified:
        passages += [
            MarkedLine((Words("In doubt", "doubt bold"), Words(f"  {run.unverified}"))),
            BLANK,
        ]
    if not shown.returned:
        return [*passages, MarkedLine((Words("It has not returned yet.", "muted"),))]
    many = len(shown.returned) > 1
    notes = tuple(_note_files(shown.delivered))
    for returned in shown.returned:
        passages += _make_return(returned, notes if markdown else None, many=many)
    return passages[:-1]


def _note_files(delivered: Iterable[ShownOutput]) -> Iterator[NoteBeside]:
    """Say beside the files that a message tells of what became of them."""
    for each in delivered:
        known = ON_DISK.get(each.state or "")
        if each.output.output_type == "deliverable" and known:
            yield NoteBeside(each.output.file_path or each.output.text, Words(*known))


def _make_return(
    returned: ShownReturn, notes: tuple[NoteBeside, ...] | None, *, many: bool
) -> Iterator[Passage]:
    """Make passages of a return; ``notes`` stand in its rendered message, None: it is not."""
    completion, message = returned.completion, returned.final_message
    at = local_time(completion.completed_at)
    if many:
        state, _ = state_of(completion.status, None, completion.success)
        yield MarkedLine((Words(f"━━ return {completion.position} · {state} · {at}", "muted"),))
    code = completion.error_code or ""
    if completion.error_message or code:
        known = f"{code} {ERROR_CODES.get(code, '')}".strip()
        why = "Why it failed" if completion.status == "failed" else "What went wrong"
        yield MarkedLine((Words(why, "failed bold"), Words(f"  {known}", "muted")))
        yield AsIs(completion.error_message or "No reason was given.")
        yield BLANK
    if secrets := returned.secrets:
        told = ", ".join(map(str, secrets[:3])) + f", and {len(secrets) - 3} more" * (
            len(secrets) > 3
        )
        yield MarkedLine((Words("Looks like a secret", "doubt bold"), Words(f"  {told}")))
        yield AsIs("It is kept as it came; `orch redact` takes it out.")
        yield BLANK
    if message and message.strip():
        yield AsIs(message) if notes is None else MarkdownText(message, notes)
    else:
        yield MarkedLine((Words("It left no message.", "muted"),))
    yield BLANK


def make_delivered(shown: Shown) -> list[Passage]:
    """Make small tables of what it delivered, a kind each."""
    from orch_tui.recall.listing import latest_results

    kinds: dict[str, list[TableEntry]] = {"Files": [], "Checks": []}
    for delivered in shown.delivered:
        kind, entry = _make_entry(delivered)
        if entry is not None:
            kinds.setdefault(kind, []).append(entry)
    outputs = [delivered.output for delivered in shown.delivered]
    said = ((o.execution_id, o.output_type or "", o.text, o.found, o.created_at) for o in outputs)
    for results in latest_results(said).values():
        for check, result in results.items():
            label, style = VERDICTS.get(result.verdict, (f"· {result.value}", "muted"))
            how = "" if result.found else "  (claimed)"
            kinds["Checks"].append(TableEntry(label, f"{check}{how}", style))
    passages: list[Passage] = []
    for kind, entries in kinds.items():
        if entries:
            passages += [MarkedLine((Words(kind, "accent bold"),)), Table(tuple(entries)), BLANK]
    return passages[:-1] or [MarkedLine((Words("Nothing was collected.", "muted"),))]


def _make_entry(delivered: ShownOutput) -> tuple[str, TableEntry | None]:
    output, content = delivered.output, delivered.output.content
    if output.output_type == "deliverable":
        label, style = ON_DISK.get(delivered.state or "", ("·", "muted"))
        lines = (("+", content.get("lines_added")), ("~", content.get("lines_modified")))
        figures = " ".join(f"{sign}{number}" for sign, number in lines if number)
        text = "  ".join(filter(None, (output.file_path, figures)))
        return "Files", TableEntry(label, text, style)
    if output.output_type == "validation_result":
        return "Checks", None if isinstance(content, dict) else TableEntry("·", output.text)
    if output.output_type == "error":
        return "Errors", TableEntry(SIGNS["failed"], output.text, "failed")
    return "Insights" if output.output_type == "insight" else "Others", TableEntry("•", output.text)


def make_facts(shown: Shown) -> list[Passage]:
    """Make a table of all that is known of it."""
    from orch_tui.recall.run_figures import describe_run

    styles = {"error": "failed", "unverified": "doubt"}
    entries = (
        TableEntry(name, value, styles.get(name, "muted")) for name, value in describe_run(shown)
    )
    return [Table(tuple(entries))]


@frozen
class GivenItem:
    """A row of what a run was given, and the text that stands for it."""

    sign: str
    style: str
    source: str
    tokens: str
    remark: str
    """What became of it, where that is not what was planned."""
    text: str
    passage: Passage


def list_given(shown: Shown) -> list[GivenItem]:
    """List what it was given, begun with how the text it got differs from the plan."""
    items = []
    if shown.difference is not None:
        text = "\n".join((shown.difference.summary, *shown.difference.lines))
        code = Code(text, "handed-over.diff", 0)
        items.append(GivenItem("!", "warn", "how the text it got differs", "", "", text, code))
    return [*items, *(_make_item(given) for given in shown.given)]


def _make_item(given: Given) -> GivenItem:
    allocation = given.allocation
    source = allocation.context_source or "?"
    sections = "; ".join(allocation.sections or ())
    priority = allocation.priority or ""
    sign, style = PARTS.get(priority, "·"), priority if priority in PARTS else "dim"
    if allocation.context_type == "shared_context":
        sign, style = PARTS["shared"], "shared"
    remark = ""
    if allocation.included_in_deployment is False:
        sign, style, remark = "✗", "bad", "left out"
    elif given.named_only:
        sign, style, remark = "!", "warn", "only named"
    elif allocation.arrived is False:
        sign, style, remark = "!", "warn", "did not arrive"
    count = allocation.token_count
    return GivenItem(
        sign,
        style,
        f"{source} # {sections}" if sections else source,
        "?" if count is None else format_tokens(count),
        remark,
        given.text or "",
        _make_text(source, sections, given.text),
    )


def _make_text(source: str, sections: str, text: str | None) -> Passage:
    if text is None:
        return MarkedLine((Words("Its text was not recorded.", "muted"),))
    name = parse_source(source)
    if not isinstance(name, NamedFile):
        return MarkdownText(text)
    first = name.lines[0] if name.lines else 0 if name.part or sections else 1
    return Code(text, name.path, first)
