"""Insights: what went with success, always with n; a chart where one would rather look."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from shlex import join
from time import monotonic
from typing import Any, ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widget import Widget
from textual.widgets import Static

from orch_tui.screens.orch_screen import OrchScreen
from orch_tui.screens.widgets.row_list import Column, Row, Rows

AT_ONCE = 1.0
"""Seconds of reading up to which a change of the record is read by itself."""
WIDEST = 20
"""Columns of a table that one figure or name may take."""
LEFT = 30
"""Columns of the list of parts."""

Parts = dict[str, list[dict[str, Any]]]

PARTS = {
    "overall": "All runs",
    "by_agent_type": "By agent type",
    "by_model": "By model",
    "by_bundle": "By bundle",
    "by_context_source": "By context source",
    "by_attempt": "By attempt",
    "over_time": "Over time",
    "context": "With it and without",
    "validations": "Validations",
    "estimates": "Estimate and usage",
    "corrections": "What estimates miss",
    "sharing": "Shared documents",
    "files": "Given and read",
    "worth": "Taken and delivered",
    "costs": "Used and paid",
}
"""The parts of the insights, in the order they are read."""

OUTCOMES = "Success of the runs that returned: █ at least, ▓ as seen, ░ at most (95 %)."
SAID = {
    "by_attempt": "First, second … run of one planned agent or task.",
    "over_time": "Each day on which something was deployed.",
    "context": "Success with a source and without it. It went with it; that is no cause.",
    "validations": "The latest result of each check of every run.",
    "estimates": "Tokens estimated for bundles beside what runs read; medians.",
    "corrections": "First requests beside what was estimated for them; never put into an estimate.",
    "sharing": "An agent that reads the document spends its tokens; never added up, never money.",
    "files": "Files agents read though they had them, and files they needed and were not given.",
    "worth": "Tokens given and used, beside what is there for it now.",
    "costs": "Usage and cost by agent type and model, each with the runs it is known of.",
}
EMPTY = """Nothing to learn from yet.

F3 records a deployment, and what came back of it."""
NO_USAGE = """No run has told its usage or its files yet.

It comes with hooks and transcripts of Claude Code."""


class Figures(Rows):
    """Rows to be read: there is nothing to open in them."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "screen.to_parts", "Back", id="insights-back"),
    ]

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return action != "select"


class InsightsScreen(OrchScreen):
    """Success, failure and unknown, by whatever might have to do with it."""

    AUTO_FOCUS = "#parts"
    HELP = """\
Every figure has its n. The bar is the share of success among the runs that returned; between its
darkest and its lightest part lies the true share (Wilson interval, 95 %). `?` are runs that wait.
"""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("s", "cycle_scope", "Session/project", id="insights-scope"),
        Binding("w", "cycle_width", "Day/week", id="insights-width"),
        Binding("r", "load", "Read again", id="insights-read"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._parts: Parts | None = None
        self._took_seconds = 0.0
        self._of_session = False
        self._weekly = False

    def body(self) -> Iterable[Widget]:
        with Horizontal(id="insights"):
            parts = Rows(
                (Column("insight"), Column("n", 6, right=True)),
                id="parts",
                rows=[Row(part, (title, "")) for part, title in PARTS.items()],
                classes="pane",
            )
            parts.border_title = "Insights"
            yield parts
            with Vertical(id="part", classes="pane"):
                yield Static("", id="about", markup=False)
                yield Static("", id="lines", markup=False)
                yield Figures((Column(""),), id="table")

    # Reading

    def load(self) -> None:
        """Read them; where that took long before, only when asked to."""
        if self._took_seconds > AT_ONCE:
            self._tell("the record may have changed, r reads it again")
        else:
            self.action_load()

    def action_load(self) -> None:
        project, session = self.app.project, self.app.session
        session_id = session.session_id if self._of_session and session else None
        every = "week" if self._weekly else "day"

        def work() -> tuple[Parts, float]:
            from orch_tui.recall.insights import gather_insights

            started = monotonic()
            if not project.database.exists():
                return {}, 0.0
            found = gather_insights(
                project.existing_record,
                project=project.project_filter,
                session_id=session_id,
                every="week" if every == "week" else "day",
            )
            parts = found.parts() if found.overall.n else {}
            return parts, monotonic() - started

        self._tell("reading the record …")
        self.run_in_thread(work, self._took, group="insights")

    def _took(self, answer: tuple[Parts, float]) -> None:
        self._parts, self._took_seconds = answer
        counted = self._parts
        self.query_one("#parts", Rows).show(
            [
                Row(part, (title, str(len(counted.get(part, ()))) if part in counted else ""))
                for part, title in PARTS.items()
            ]
        )
        self._draw()

    @on(Rows.Highlighted, "#parts")
    def _part_chosen(self) -> None:
        if self._parts is not None:
            self._draw()

    @on(Rows.Selected, "#parts")
    def _part_opened(self) -> None:
        self.query_one("#table", Rows).focus()

    def action_to_parts(self) -> None:
        self.query_one("#parts", Rows).focus()

    def session_changed(self) -> None:
        if self._of_session or self._parts is None:
            self.action_load()

    def action_cycle_scope(self) -> None:
        self._of_session = not self._of_session
        self.action_load()

    def action_cycle_width(self) -> None:
        self._weekly = not self._weekly
        self.action_load()

    # Drawing

    def _tell(self, remark: str = "") -> None:
        """What the part is about; ``remark`` says what else there is to know."""
        part = self.query_one("#parts", Rows).key
        where = "this session" if self._of_session else "this project"
        said = SAID.get(part, OUTCOMES)
        title = " · ".join(filter(None, (PARTS[part], where, remark)))
        self.query_one("#about", Static).update(f"{title}\n{said}")

    def _draw(self) -> None:
        part = self.query_one("#parts", Rows).key
        table = self.query_one("#table", Rows)
        rows = (self._parts or {}).get(part, [])
        self._tell()
        lines = self.query_one("#lines", Static)
        lines.display = part == "over_time" and len(rows) > 1
        if lines.display:
            lines.update(over_time(rows, self.size.width - LEFT))
        if not self._parts:
            table.set_columns((Column(""),))
            table.show((), empty=EMPTY, keep=False)
        elif not rows:
            table.set_columns((Column(""),))
            table.show(
                (),
                empty=NO_USAGE if part in ("estimates", "corrections", "files") else EMPTY,
                keep=False,
            )
        elif "success_share" in rows[0]:
            self._draw_outcomes(table, rows)
        elif part == "sharing":
            table.set_columns((Column("handed over"), Column("before → after", 24, right=True)))
            table.show(_sharing_rows(rows), keep=False)
        else:
            names = list(rows[0])
            table.set_columns([_column(name, rows) for name in names])
            table.show([_plain(row, names) for row in rows], keep=False)

    def _draw_outcomes(self, table: Rows, rows: Sequence[dict[str, Any]]) -> None:
        """A bar for each group: success, and how far the true share may lie from it."""
        name = next(iter(rows[0]))
        if "success_share_without" in rows[0]:
            table.set_columns(
                (
                    Column(name.replace("_", " ")),
                    Column("with it", 22),
                    Column("n", 5, right=True),
                    Column("without", 22),
                    Column("n", 5, right=True),
                )
            )
            table.show(
                [
                    Row(
                        f"{row[name]}",
                        (
                            f"{row[name]}",
                            share_bar(row["success_share"]),
                            f"{row['n']}",
                            share_bar(row["success_share_without"]),
                            f"{row['n_without']}",
                        ),
                    )
                    for row in rows
                ],
                keep=False,
            )
            return
        table.set_columns(
            (
                Column(name.replace("_", " ")),
                Column("success", 22),
                Column("n", 5, right=True),
                Column("✓", 5, right=True),
                Column("✗", 5, right=True),
                Column("?", 5, right=True),
            )
        )
        table.show(
            [
                Row(
                    f"{row[name]}",
                    (
                        "not recorded" if row[name] is None else f"{row[name]}",
                        share_bar(row["success_share"], row["share_low"], row["share_high"]),
                        f"{row['n']}",
                        f"{row['success']}",
                        f"{row['failure']}",
                        f"{row['unknown']}",
                    ),
                )
                for row in rows
            ],
            keep=False,
        )

    def command(self) -> str:
        part = self.query_one("#parts", Rows).key.removeprefix("by_")
        session = self.app.session
        words = ["orch", "stats", "--by", part]
        if self._of_session and session:
            words += ["--session-id", session.session_id]
        if self._weekly:
            words += ["--every", "week"]
        return join(words)

    def remember(self) -> dict[str, Any]:
        return {
            "part": self.query_one("#parts", Rows).key,
            "session": self._of_session,
            "weekly": self._weekly,
        }

    def recollect(self, state: dict[str, Any]) -> None:
        self._of_session = state.get("session") is True
        self._weekly = state.get("weekly") is True
        if state.get("part") in PARTS:
            self.query_one("#parts", Rows).move_to_key(state["part"])


def _sharing_rows(rows: Sequence[dict[str, Any]]) -> list[Row]:
    """Tokens per agent before and after, of all, by session and over time; then what was moved."""
    shown = []
    for row in rows:
        named = f"{row['name']}" if row["of"] == "session" else f"{row['of']} {row['name']}"
        name = "for each agent" if row["name"] is None else named
        less = "" if row["saved_share"] is None else f" (−{row['saved_share']:.0%})"
        figure = f"{cell(row['tokens_before'])} → {cell(row['tokens_after'])}{less}"
        count = f"{row['n']} known" + f", {row['n_unknown']} without" * bool(row["n_unknown"])
        shown.append(Row(name, (f"{name} · {count}", figure.replace("(−-", "(+"))))
    for key in ("n_shared", "moved_to_shared_tokens", "shared_document_tokens", "estimator"):
        shown.append(Row(key, (key.replace("_", " "), cell(rows[0][key]))))
    return shown


CELLS = 16
SPARKS = "▁▂▃▄▅▆▇█"


def over_time(rows: Sequence[dict[str, Any]], width: int) -> str:
    """Runs and success as two lines of bars, the newest days that fit, with their range."""
    room = max(8, width - len("success  100–100 %  "))
    shown = sorted(rows, key=lambda row: str(row["since"]))[-room:]
    runs = [row["n"] for row in shown]
    shares = [row["success_share"] for row in shown]
    known = [share for share in shares if share is not None]
    said = f"{min(known):.0%}–{max(known):.0%}" if known else "none returned yet"
    return (
        f"runs     {sparks(runs, max(runs))}  {min(runs)}–{max(runs)}\n"
        f"success  {sparks(shares, 1)}  {said}\n"
        f"         {shown[0]['since']} … {shown[-1]['since']}"
    )


def sparks(values: Sequence[float | None], full: float) -> str:
    """One bar for each value, ``full`` the highest; a dot where there is none."""
    return "".join(
        "·" if value is None else SPARKS[round(value / (full or 1) * (len(SPARKS) - 1))]
        for value in values
    )


def share_bar(share: float | None, low: float | None = None, high: float | None = None) -> str:
    """A share as a bar with its percentage: ``█`` at least, ``▓`` as seen, ``░`` at most."""
    if share is None:
        return "none returned yet"
    low, high = share if low is None else low, share if high is None else high
    cells = ""
    for cell in range(CELLS):
        middle = (cell + 0.5) / CELLS
        cells += (
            "█" if middle <= low else "▓" if middle <= share else "░" if middle <= high else "·"
        )
    return f"{cells} {share:4.0%}"


def _column(name: str, rows: Sequence[dict[str, Any]]) -> Column:
    title = name.replace("_", " ")
    if any(isinstance(row[name], str) for row in rows) and name in ("agent_type", "check"):
        return Column(title)
    widest = max(len(cell(row[name])) for row in rows)
    return Column(title, max(len(title) + 1, min(widest, WIDEST), 8), right=True)


def _plain(row: dict[str, Any], names: Sequence[str]) -> Row:
    cells = tuple(cell(row[name]) for name in names)
    return Row("/".join(cells[:2]), cells)


def cell(value: Any) -> str:
    """A figure as it stands in a table."""
    return "–" if value is None else f"{value:,}" if isinstance(value, int) else f"{value}"
