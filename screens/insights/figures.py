"""How each part of the insights stands in its table."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from orch_tui.screens.widgets.row_list import Column, Row
from orch_tui.screens.widgets.safe import one_line
from orch_tui.screens.widgets.words import format_tokens
from orch_tui.wording import plural

Figures = dict[str, Any]
"""One row of a part as the engine gives it."""

PATHS = ("by_context_source", "context")
"""The parts whose groups are paths: what tells them apart stands at their ends."""


@dataclass(frozen=True, slots=True)
class ShownColumn:
    """One column of a part: the figure it shows, and how."""

    key: str
    column: Column
    form: Callable[[Any], str] = str


def _count(value: Any) -> str:
    return "–" if value is None else f"{value:,}"


def _tokens(value: Any) -> str:
    return "–" if value is None else format_tokens(value)


def _dollars(value: Any) -> str:
    return "–" if value is None else f"{value:,.2f}"


def _text(value: Any) -> str:
    return "not recorded" if value is None else one_line(f"{value}", 300)


def _number(value: Any) -> str:
    if isinstance(value, str):
        return one_line(value, 60)
    return "–" if value is None else f"{value:,.4g}" if isinstance(value, float) else f"{value:,}"


def _figure(
    key: str,
    title: str,
    width: int,
    form: Callable[[Any], str] = _count,
    *,
    goes: int = -1,
    state: bool = False,
) -> ShownColumn:
    return ShownColumn(key, Column(title, width, right=True, gives_way=goes, state=state), form)


TABLES: Mapping[str, tuple[ShownColumn, ...]] = {
    "files": (
        ShownColumn("path", Column("file", cut_head=True, bold=True), _text),
        ShownColumn("agent_type", Column("agent type", 19, gives_way=2), _text),
        _figure("not_given", "not given", 9),
        _figure("read_again", "read again", 10, goes=1),
        _figure("unread", "unread", 6, goes=3),
        _figure("n", "of", 5),
    ),
    "sources": (
        ShownColumn("source", Column("file", cut_head=True, bold=True), _text),
        ShownColumn("agent_type", Column("agent type", 19, gives_way=2), _text),
        _figure("given", "given", 5),
        _figure("n", "of", 5),
        _figure("read", "read", 5),
        _figure("n_known", "of", 5),
        _figure("token_count", "tokens", 7, _tokens, goes=1),
    ),
    "worth": (
        ShownColumn("agent_type", Column("agent type", bold=True), _text),
        _figure("success", "✓", 5),
        _figure("failure", "✗", 5, state=True),
        _figure("tokens_given", "given", 6, _tokens, goes=3),
        _figure("tokens_used", "used", 6, _tokens, goes=4),
        _figure("deliverables", "files", 6),
        _figure("deliverables_existing", "there now", 9, goes=2),
        _figure("validations_passed", "checks ✓", 8, goes=1),
        _figure("validations_failed", "✗", 5, state=True, goes=1),
    ),
    "costs": (
        ShownColumn("agent_type", Column("agent type", bold=True, least=20), _text),
        ShownColumn("model", Column("model", 14, gives_way=-1), _text),
        _figure("cost_usd", "cost $", 8, _dollars),
        _figure("cost_usd_mean", "a run $", 7, _dollars, goes=6),
        _figure("n_priced", "known", 5),
        _figure("n", "of n", 5),
        _figure("output_tokens", "output", 7, _tokens, goes=4),
        _figure("input_tokens", "input", 7, _tokens, goes=3),
        _figure("cache_write_tokens", "written", 7, _tokens, goes=2),
        _figure("cache_read_tokens", "re-read", 7, _tokens, goes=1),
    ),
    "corrections": (
        ShownColumn("model", Column("model", bold=True), _text),
        _figure("n", "n", 5),
        _figure("besides", "more tokens", 11),
        _figure("besides_low", "25 %", 7, goes=2),
        _figure("besides_high", "75 %", 7, goes=2),
        _figure("factor", "× estimate", 10, _number),
        _figure("factor_low", "25 %", 5, _number, goes=1),
        _figure("factor_high", "75 %", 5, _number, goes=1),
    ),
    "estimates": (
        ShownColumn("agent_type", Column("agent type", bold=True), _text),
        _figure("n", "n", 5),
        _figure("estimated_tokens", "estimated", 9, _tokens),
        _figure("input_and_cache_tokens", "read in all", 11, _tokens),
        _figure("context_end_tokens", "at its end", 10, _tokens, goes=2),
        ShownColumn("estimator", Column("counted by", 12, gives_way=1), _text),
    ),
    "validations": (
        ShownColumn("agent_type", Column("agent type", bold=True), _text),
        ShownColumn(
            "check", Column("check", 18, bold=True, gives_way=-1), lambda v: v or "none recorded"
        ),
        _figure("passed", "✓", 5),
        _figure("failed", "✗", 5, state=True),
        _figure("other", "other", 5, goes=4),
        _figure("unknown", "unknown", 7),
        _figure("median", "median", 7, _number, goes=3),
        _figure("minimum", "least", 6, _number, goes=1),
        _figure("maximum", "most", 6, _number, goes=1),
        _figure("latest", "latest", 8, _number, goes=2),
    ),
}
"""What is shown of a part, what matters most before what is a kind of it."""

OUTCOMES = (
    Column("success", bar=True),
    Column("", 5, right=True, bold=True, gives_way=-1),
    Column("95 %", 7, right=True, gives_way=2),
    Column("n", 6, right=True, gives_way=-1),
    Column("✗", 5, right=True, state=True, gives_way=-1),
    Column("unknown", 7, right=True, gives_way=1),
)
WITH_NAME = 28
"""Cells of such names before figures give way."""
WITH_BAR = 16
"""Cells of a bar where the names take what is left."""


def make_table(
    part: str, rows: Sequence[Figures], names: Mapping[str, str]
) -> tuple[list[Column], list[Row]]:
    """Return the columns and the rows of a part; ``names`` are what ids are called."""
    if "success_share_without" in rows[0]:
        return _compare(rows)
    if "success_share" in rows[0]:
        return _outcomes(part, rows, names)
    if part == "sharing":
        return _sharing(rows, names)
    if part == "starts":
        return _starts(rows)
    shown = TABLES.get(part) or _any(rows)
    return (
        [each.column for each in shown],
        [
            Row(
                f"{number}",
                tuple(each.form(row[each.key]) for each in shown),
                "bad" if any(row[e.key] for e in shown if e.column.state) else "",
            )
            for number, row in enumerate(rows)
        ],
    )


def _any(rows: Sequence[Figures]) -> tuple[ShownColumn, ...]:
    """Return a column for each figure, the first as wide as there is room."""
    first, *others = rows[0]
    return (
        ShownColumn(first, Column(first.replace("_", " "), bold=True), _text),
        *(
            _figure(
                key,
                title := key.replace("_", " "),
                max(len(title), *(min(20, len(_number(row[key]))) for row in rows)),
                _number,
                goes=0,
            )
            for key in others
        ),
    )


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def outcome_cells(row: Figures) -> tuple[str, ...]:
    """Return the cells of ``OUTCOMES`` for a group, without those that are unknown."""
    share = row["success_share"]
    told = ("unknown", "", "")
    if share is not None:
        low, high = 100 * row["share_low"], 100 * row["share_high"]
        told = (f"{share}", _percent(share), f"{low:.0f}–{high:.0f}")
    return (*told, _count(row["success"] + row["failure"]), _count(row["failure"]))


def _outcomes(
    part: str, rows: Sequence[Figures], names: Mapping[str, str]
) -> tuple[list[Column], list[Row]]:
    name = next(iter(rows[0]))
    title = name.replace("_id", "").replace("_", " ")
    bar, *figures = OUTCOMES
    if part in PATHS or part == "by_bundle":
        first = Column(title, bold=True, cut_head=part in PATHS, least=WITH_NAME)
        bar = Column(bar.title, WITH_BAR, bar=True, gives_way=3)
    else:
        first = Column(title, 22, bold=True, gives_way=-1)
    table = []
    for number, row in enumerate(rows):
        called = names.get(f"{row[name]}") or _text(row[name])
        unknown = _count(row["unknown"]) if row["unknown"] else ""
        cells = (called, *outcome_cells(row), unknown)
        table.append(Row(f"{number}", cells, "bad" if row["failure"] else ""))
    return [first, bar, *figures], table


def _compare(rows: Sequence[Figures]) -> tuple[list[Column], list[Row]]:
    columns = [
        Column("source", bold=True, cut_head=True),
        Column("with it", WITH_BAR // 2, bar=True, gives_way=2),
        Column("", 5, right=True, bold=True, gives_way=-1),
        Column("n", 5, right=True, gives_way=-1),
        Column("without", WITH_BAR // 2, bar=True, gives_way=1),
        Column("", 5, right=True, bold=True, gives_way=-1),
        Column("n", 6, right=True, gives_way=-1),
    ]

    def half(share: float | None, n: int) -> tuple[str, str, str]:
        told = ("–", "–") if share is None else (f"{share}", _percent(share))
        return (*told, _count(n))

    return columns, [
        Row(
            f"{number}",
            (
                _text(row["context_source"]),
                *half(row["success_share"], row["n"]),
                *half(row["success_share_without"], row["n_without"]),
            ),
        )
        for number, row in enumerate(rows)
    ]


def word_share(share: float) -> str:
    """Word by which share something differs: ``+31 %``, ``−22 %``."""
    percent = round(100 * share)
    return f"{percent:+} %".replace("-", "−") if percent else "0 %"


def _starts(rows: Sequence[Figures]) -> tuple[list[Column], list[Row]]:
    """One row for a run: what it began with, beside what was estimated, then what was learned."""
    columns = [
        Column("agent type", 19, bold=True, gives_way=-1),
        Column("what for", least=12, gives_way=2),
        Column("used", 6, right=True, bold=True, gives_way=-1),
        Column("estimated", 9, right=True, gives_way=3),
        Column("off by", 7, right=True, state=True, gives_way=-1),
        Column("learned", 7, right=True, gives_way=4),
        Column("off by", 7, right=True, state=True, gives_way=-1),
        Column("run", 9, gives_way=1),
    ]

    def cells(row: Figures) -> tuple[str, ...]:
        off = row["off_learned"]
        return (
            _text(row["agent_type"]),
            one_line(row["scope"] or "", 200),
            _tokens(row["used"]),
            _tokens(row["estimated"]),
            word_share(row["off_estimate"]),
            _tokens(row["learned"]),
            "–" if off is None else word_share(off),
            row["execution_id"],
        )

    return columns, [
        Row(f"{number}", cells(row), "warn" if row["is_far"] else "")
        for number, row in enumerate(rows)
    ]


def _sharing(rows: Sequence[Figures], names: Mapping[str, str]) -> tuple[list[Column], list[Row]]:
    """Tokens per agent before and after, of all, by session and over time; above them what was
    moved."""
    columns = [
        Column("for each agent", bold=True),
        Column("before", 7, right=True, gives_way=2),
        Column("after", 7, right=True, bold=True, gives_way=-1),
        Column("less by", 8, right=True, gives_way=-1),
        Column("n", 6, right=True, gives_way=-1),
        Column("no count", 8, right=True, gives_way=1),
    ]
    shown = [Row("moved", (_word_moved(rows[0]),), "dim", note=True)]
    group = ""
    for number, row in enumerate(rows):
        if row["of"] != group:
            group = row["of"]
            title = {"all": "All runs", "session": "By session"}.get(group, f"By {group}")
            shown.append(Row(group, (title,), section=True))
        name = "all" if row["name"] is None else names.get(row["name"]) or row["name"]
        less = row["saved_share"]
        cells = (
            _text(name),
            _tokens(row["tokens_before"]),
            _tokens(row["tokens_after"]),
            "–" if less is None else word_share(-less),
            _count(row["n"]),
            _count(row["n_unknown"]) if row["n_unknown"] else "",
        )
        shown.append(Row(f"{number}", cells))
    return columns, shown


def _word_moved(row: Figures) -> str:
    """Word what was moved into shared documents, and what these take where they are read."""
    if not row["n_shared"]:
        return "Nothing was moved into a shared document yet."
    runs = plural(row["n_shared"], "run")
    moved, document = _tokens(row["moved_to_shared_tokens"]), _tokens(row["shared_document_tokens"])
    return f"{runs} pointed to what is shared: {moved} not sent, {document} once in a document."


def word_count(part: str, rows: Sequence[Figures]) -> str:
    """Word how many runs the rows of a part are of, where each run stands in one row; else how many
    rows there are."""
    if not rows:
        return ""
    parted = part in ("by_agent_type", "by_model", "by_bundle", "by_attempt", "over_time", "costs")
    if not parted:
        return f"{len(rows):,} rows" if len(rows) > 1 else ""
    n = sum(row["n"] for row in rows)
    unknown = sum(row.get("unknown") or 0 for row in rows)
    return f"n {n - unknown:,}" + (f", and {unknown:,} unknown" if unknown else "")
