"""Insights: what is new, and what went with success, always with n."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from shlex import join
from time import monotonic
from typing import TYPE_CHECKING, Any, ClassVar

from textual import events, on
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from orch_tui.screens.insights.day_columns import DayColumns, day_column
from orch_tui.screens.insights.figures import make_table, word_count
from orch_tui.screens.insights.group_list import figures_name, group_name, show_group_runs
from orch_tui.screens.insights.one_pane import ONE, bring_forward, judge_room, turn_to
from orch_tui.screens.insights.overview import LETTERS, Overview
from orch_tui.screens.insights.point_plot import PointPlot
from orch_tui.screens.insights.queries import bucket_query, quoted, write_query
from orch_tui.screens.insights.start_points import show_starts, word_deviations
from orch_tui.screens.orch_screen import OrchScreen
from orch_tui.screens.record_watch import stamp_record
from orch_tui.screens.report_view import open_report
from orch_tui.screens.widgets.row_list import Column, Row, Rows

if TYPE_CHECKING:
    from orch_tui.models.database import Record
    from orch_tui.recall.activity import Activity
    from orch_tui.recall.insights.run_starts import RunStarts
    from orch_tui.recall.next_step import NextStep
    from orch_tui.recall.show import Shown
    from orch_tui.rows import Session

AT_ONCE = 1.0
"""Seconds of reading up to which a change of the record is read by itself."""
OVERVIEW = "overview"
STARTS = "starts"
"""The part that is points: what runs began with, against what was estimated."""
DRAFT = "final-message "
"""How the name of the draft of a final message begins; the execution follows."""

GROUPS = {
    "": {OVERVIEW: "Overview"},
    "Success by": {
        "by_agent_type": "Agent type",
        "by_model": "Model",
        "by_bundle": "Bundle",
        "by_context_source": "Source given",
        "by_attempt": "Attempt",
        "over_time": "Day or week",
        "context": "With and without",
    },
    "Context": {
        "files": "Missing, needless",
        "sources": "Used in successes",
        "worth": "What came of it",
        "sharing": "Saved by sharing",
    },
    "Cost": {"costs": "Cost and usage"},
    "Estimates": {
        STARTS: "First requests",
        "estimates": "Whole runs",
        "corrections": "Learned from runs",
    },
    "Checks": {"validations": "Latest results"},
}
"""The parts of the insights by what they are about, in the order they are read: what was learned
apart from what was estimated."""

TEAM_GROUPS = {
    "The team by": {
        "by_person": "Person",
        "by_machine": "Machine",
        "by_agent_type": "Agent type",
        "by_model": "Model",
        "over_time": "Day or week",
    },
    "Cost": {"costs": "Cost and usage"},
}
"""The parts that are of everybody who shares the hub."""

PARTS = {part: title for group in GROUPS.values() for part, title in group.items()}

_NAMES = PARTS | {part: title for group in TEAM_GROUPS.values() for part, title in group.items()}

TITLES = {
    "over_time": "Success by day",
    "overview": "Overview",
    "context": "Success with a source, and without it",
    "files": "Files that were missing, and files nobody read",
    "sources": "What successful runs were given, or read themselves",
    "worth": "Tokens given and used, and what came of them",
    "sharing": "Tokens handed over, before and after sharing",
    "costs": "Cost and usage by agent type and model",
    STARTS: "First requests, against what was estimated",
    "estimates": "Tokens estimated for bundles, and read by whole runs",
    "corrections": "Learned from first requests, by model",
    "validations": "Latest results of checks",
}
"""What stands above a part where its place in the list does not say it all."""

AROUND_TITLE = 6
"""Cells of a border that its title cannot have."""

OUTCOMES = "Of the runs that returned; the true share lies within the 95 % range."
SAID = {
    "by_attempt": "First, second … run of one planned agent or task.",
    "over_time": "By when they were handed over; the newest first.",
    "context": "Success with a source and without it. It went with it; that is no cause.",
    "validations": "The latest result of each check of every run.",
    STARTS: "The first requests of runs. An estimate holds nothing that was learned from others.",
    "estimates": "Tokens estimated for bundles beside what runs read; medians.",
    "corrections": "First requests beside what was estimated for them; never put into an estimate.",
    "sharing": "An agent that reads the document spends its tokens; never added up, never money.",
    "files": "Files agents read though they had them, and files they needed and were not given.",
    "sources": "What runs that succeeded were given or read; r in Compose takes of it.",
    "worth": "Tokens given and used, beside what is there for it now.",
    "costs": "By agent type and model; each sum is of the runs it is known of.",
}
EMPTY = """Nothing to learn from yet.

F3  hands an agent over, and records what it said"""
NO_USAGE = """No run has told its usage or its files yet.

It comes with hooks and transcripts of Claude Code."""


@dataclass(frozen=True, slots=True)
class ReadPart:
    """One part as it was read: its rows, how long that took, and what goes with some parts."""

    part: str
    rows: Sequence[dict[str, Any]] = ()
    seconds: float = 0.0
    names: Mapping[str, str] = field(default_factory=dict)
    """What bundles are called, by their ids."""
    starts: RunStarts | None = None


class EndableReading:
    """Reading of the record in threads that nobody waits for any more once it is ended."""

    def __init__(self) -> None:
        self._is_ended = False

    @contextmanager
    def statements(self, record: Record) -> Iterator[Record]:
        """Give the record to a thread, whose statements ``end`` breaks off: those that run and,
        unlike an interrupt, those that would come after them."""
        with record.ending(lambda: self._is_ended):
            yield record

    def end(self) -> None:
        """Break off all statements; whoever asked for them gets a RecordError."""
        self._is_ended = True


class Figures(Rows):
    """Rows of figures; Enter goes to the runs behind one."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "select", "its runs"),
    ]


class InsightsScreen(OrchScreen):
    """Success, failure and unknown, by whatever might have to do with it."""

    VERTICAL_BREAKPOINTS = [(0, "-short"), (20, "-low"), (34, "-high")]
    AUTO_FOCUS = "#news"
    HELP = """\
Every figure has its n, and Enter on it goes to its runs in History. What waits or is in doubt is
unknown: neither success nor failure. The 95 % range is the Wilson interval: with few runs it is
wide. In the overview a letter goes to what is new. Where the record is joined to a hub, **T** shows
the figures of everybody who shares it: by person, by machine.
"""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f6", "next_pane", "next figure", id="insights-next"),
        Binding("escape", "to_parts", "to the list", id="insights-back"),
        Binding("w", "cycle_width", "days or weeks", id="insights-width"),
        Binding("ctrl+f,s", "cycle_scope", "session or project", id="insights-scope"),
        Binding("T", "switch_team", "the team's, or mine", id="insights-team"),
        Binding("r", "load", "read again", id="insights-read"),
        Binding("R", "report", "report of the session", id="insights-report"),
        *(
            Binding(letter, f"news('{letter}')", f"what {word}", show=False)
            for letter, word in zip(
                LETTERS.values(),
                ("asks", "waits", "failed", "came back", "is drafted"),
                strict=True,
            )
        ),
    ]

    NOT_NOW: ClassVar[dict[str, str]] = {"news": "there is none that is new"}

    def __init__(self) -> None:
        super().__init__()
        self._read: dict[str, ReadPart] = {}
        self._stamp: tuple[int, ...] = ()
        """Of the record that they were read from."""
        """The parts that were read, until the record changes."""
        self._is_empty = True
        self._reading = EndableReading()
        self._took_seconds = 0.0
        self._of_session = False
        self._weekly = False
        self._of_team = False
        self._is_joined = False

    def body(self) -> Iterable[Widget]:
        with Horizontal(id="insights"):
            parts = Rows(
                (Column(""),), id="parts", rows=_list_parts(GROUPS), classes="pane", titled=False
            )
            parts.border_title = "Insights"
            yield parts
            yield Overview(id=OVERVIEW)
            with Vertical(id="shown"):
                yield PointPlot("estimated", "used", id="points", classes="pane -none")
                with Vertical(id="part", classes="pane"):
                    yield Static("", id="about", markup=False)
                    yield DayColumns(id="days")
                    yield Figures((Column(""),), id="table")

    @property
    def part(self) -> str:
        """The part in front."""
        return self.query_one("#parts", Rows).key

    @property
    def _rows(self) -> Sequence[dict[str, Any]]:
        read = self._read.get(self.part)
        return read.rows if read else ()

    # Reading

    def load(self) -> None:
        """Read what is in front where the record changed since; where that took long before, only
        when asked to."""
        if self._read and self._stamp == stamp_record(self.app.project.database):
            self._load_part()
        elif self._took_seconds > AT_ONCE and self.part != OVERVIEW:
            self._tell("the record may have changed, r reads it again")
        else:
            self.action_load()

    def action_load(self) -> None:
        self._read, self._stamp = {}, stamp_record(self.app.project.database)
        self._load_part()
        project = self.app.project
        self.run_in_thread(lambda: project.is_joined, self._know_joined, group="joined")

    def _know_joined(self, is_joined: bool) -> None:
        self._is_joined = is_joined
        self.refresh_bindings()

    def _load_part(self) -> None:
        part = self.part
        self._show_front()
        if part in self._read:
            self._draw()
            return
        self._break_off()
        project, reading, session_id = self.app.project, self._reading, self._session_id
        every = "week" if self._weekly else "day"
        if part == OVERVIEW:
            self._load_overview(session_id)
            return
        if self._of_team:
            self._load_of_team(part)
            return

        def work() -> ReadPart:
            from orch_tui.recall.insights import gather_part, gather_run_starts
            from orch_tui.recall.insights.group_outcomes import name_bundles, name_sessions

            started = monotonic()
            if not project.database.exists():
                return ReadPart(part)
            with reading.statements(project.existing_record) as record:
                if part == STARTS:
                    found = gather_run_starts(
                        record, project=project.project_filter, session_id=session_id
                    )
                    rows = [run.row() for run in found.runs]
                    return ReadPart(part, rows, monotonic() - started, starts=found)
                rows = gather_part(
                    record,
                    part,
                    project=project.project_filter,
                    session_id=session_id,
                    every="week" if every == "week" else "day",
                )
                ids = [row["bundle_id"] for row in rows] if part == "by_bundle" else []
                names = name_bundles(record, ids) if ids else {}
                if part == "sharing":
                    ids = [row["name"] for row in rows if row["of"] == "session"]
                    names = name_sessions(record, ids)
            return ReadPart(part, rows, monotonic() - started, names)

        self._tell("reading the record …")
        self.run_in_thread(work, self._took, group="insights")

    def _load_of_team(self, part: str) -> None:
        """Ask the hub for a part; where it is away that is said, and nothing is shown."""
        project, weekly = self.app.project, self._weekly

        def work() -> ReadPart:
            found = project.team.stats_parts([part], every="week" if weekly else "day")
            return ReadPart(part, found[part])

        self._tell("asking the hub …")
        self.run_in_thread(
            work, self._took, group="insights", failed=lambda _: self._took(ReadPart(part))
        )

    def _took(self, read: ReadPart) -> None:
        self._took_seconds = read.seconds
        if read.part == "over_time":
            read = replace(read, rows=read.rows[::-1])
        self._read[read.part] = read
        if read.part == self.part:
            self._draw()

    def _load_overview(self, session_id: str | None) -> None:
        project, drafts = self.app.project, self.app.drafts
        left, weekly, reading = self.app.left_at, self._weekly, self._reading

        def work() -> Activity | None:
            from orch_tui.recall.activity import gather_activity

            if not project.database.exists():
                return None
            with reading.statements(project.existing_record) as record:
                return gather_activity(
                    record,
                    left,
                    project=project.project_filter,
                    session_id=session_id,
                    every="week" if weekly else "day",
                    drafted=[
                        name.removeprefix(DRAFT)
                        for name in drafts.names()
                        if name.startswith(DRAFT)
                    ],
                )

        def show(activity: Activity | None) -> None:
            self._is_empty = activity is None
            self._show_front()
            if activity is None:
                self._draw()
            else:
                overview = self.query_one(Overview)
                overview.within = self._within
                overview.show(activity, left, project.now(), weekly=weekly)
                self._load_steps(activity.sessions)
            self.refresh_bindings()

        self.run_in_thread(work, show, group="insights")

    def _load_steps(self, sessions: Sequence[Session]) -> None:
        """Read what is next in the sessions: it takes longer than all else in the overview."""
        project, reading = self.app.project, self._reading

        def work() -> dict[str, NextStep]:
            from orch_tui.recall.next_step import load_first_steps

            with reading.statements(project.existing_record) as record:
                return load_first_steps(
                    record,
                    [session.session_id for session in sessions],
                    catalogue=project.catalogue,
                    limits=project.limits,
                    known_agents=project.known_agents,
                )

        show = self.query_one(Overview).show_steps
        self.run_in_thread(work, lambda steps: show(sessions, steps), group="steps")

    def on_unmount(self) -> None:
        self._break_off()

    def _break_off(self) -> None:
        """End what is still being read: nobody waits for it, and leaving would."""
        for group in ("insights", "steps"):
            self.workers.cancel_group(self, group)
        self._reading.end()
        self._reading = EndableReading()

    def agents_seen(self) -> None:
        if self.part == OVERVIEW:
            self.query_one(Overview).show_news(self.app.project.now())

    @on(Rows.Highlighted, "#parts")
    def _part_chosen(self) -> None:
        self._load_part()

    @on(Rows.Selected, "#parts")
    def _part_opened(self) -> None:
        self.query_one("#news" if self._shows_overview else "#table", Rows).focus()

    @on(Rows.Selected, "#table")
    def _row_chosen(self, event: Rows.Selected) -> None:
        rows = self._rows
        row = rows[int(event.key)] if event.key.isdigit() and int(event.key) < len(rows) else None
        if row and self.part == STARTS:
            self.read_run(row["execution_id"], self._open_run)
            return
        if row is None:
            return
        query = write_query(self.part, row, weekly=self._weekly)
        if self._of_team:
            if query:
                self.app.find_in_history(query, of_team=True)
        elif query is None:
            title = f"{figures_name(self.part, row, self._read[self.part].names)}"
            show_group_runs(self, self.part, group_name(row), title, self._session_id)
        else:
            self.app.find_in_history(query + self._within)

    @property
    def _session_id(self) -> str | None:
        """The session that the figures are of; None: they are of the whole project."""
        session = self.app.session
        is_of_it = self._of_session and not self._of_team
        return session.session_id if is_of_it and session else None

    @property
    def _within(self) -> str:
        """The filter for what the figures are of, for a query."""
        return f"session:{quoted(self._session_id)} " if self._session_id else ""

    def _open_run(self, shown: Shown | None) -> None:
        from orch_tui.screens.history.run_view import Run

        if shown is not None:
            self.app.push_screen(Run(shown, "facts"))

    @on(Rows.Highlighted, "#table")
    def _row_reached(self, event: Rows.Highlighted) -> None:
        self.query_one("#points", PointPlot).point_out(event.key)

    @on(PointPlot.Reached)
    def _point_reached(self, event: PointPlot.Reached) -> None:
        self.query_one("#table", Rows).move_to_key(event.key)

    @on(PointPlot.Selected)
    def _point_chosen(self) -> None:
        self.query_one("#table", Rows).action_select()

    @on(DayColumns.Selected, "#days")
    def _day_chosen(self, event: DayColumns.Selected) -> None:
        query = bucket_query(event.key, weekly=self._weekly) + self._within
        self.app.find_in_history(query, of_team=self._of_team)

    # Moving

    def action_to_parts(self) -> None:
        self.add_class("-choosing")
        self.query_one("#parts", Rows).focus()

    def action_next_pane(self) -> None:
        if not self.has_class(ONE):
            self.focus_next()
        elif self._shows_overview:
            self.query_one(Overview).turn()
        else:
            self._turn_points()

    def _turn_points(self) -> None:
        """Go from rows to their points, or back; one of both has the room."""
        plot, pane = self.query_one("#points", PointPlot), self.query_one("#part")
        if self._has_points:
            to_plot = not plot.has_focus
            bring_forward(plot if to_plot else pane, (plot, pane), self.query_one("#shown"))
            turn_to(plot if to_plot else self.query_one("#table"))
        else:
            self.query_one("#table").focus()

    @property
    def _has_points(self) -> bool:
        read = self._read.get(self.part)
        return read is not None and read.starts is not None and bool(read.starts.runs)

    def judge_size(self) -> None:
        super().judge_size()
        judge_room(self)
        if self._has_points:
            self._draw_points()

    def action_news(self, letter: str) -> None:
        self.query_one(Overview).go_by_letter(letter)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "to_parts":
            return self.focused is None or self.focused.id != "parts"
        if action == "switch_team":
            return self._is_joined
        if self._of_team and action in ("cycle_scope", "report"):
            return False
        if action == "news":
            return self._shows_overview and self.query_one(Overview).leads(str(parameters[0]))
        return True

    def on_descendant_focus(self) -> None:
        self.set_class(self.focused is not None and self.focused.id == "parts", "-choosing")
        self.refresh_bindings()

    def session_changed(self) -> None:
        if self._of_session or self._is_empty:
            self.action_load()

    def action_cycle_scope(self) -> None:
        self._of_session = not self._of_session
        self.action_load()

    def action_switch_team(self) -> None:
        """Show the figures of everybody who shares the hub, or those of the record."""
        self._of_team = not self._of_team
        self._show_parts()
        self.query_one("#parts", Rows).move_to_key("by_person" if self._of_team else OVERVIEW)
        self.action_load()

    def _show_parts(self) -> None:
        groups = TEAM_GROUPS if self._of_team else GROUPS
        self.query_one("#parts", Rows).show(_list_parts(groups), keep=False)

    def action_report(self) -> None:
        open_report(self)

    def action_cycle_width(self) -> None:
        self._weekly = not self._weekly
        self.action_load()

    # Drawing

    @property
    def _shows_overview(self) -> bool:
        return self.part == OVERVIEW and not self._is_empty

    def _show_front(self) -> None:
        self.query_one(Overview).display = self._shows_overview
        self.query_one("#shown").display = not self._shows_overview
        self.query_one("#parts").border_subtitle = Content(
            "the team" if self._of_team else "this session" if self._of_session else "this project"
        )

    def _tell(self, remark: str = "") -> None:
        """What the part is about; ``remark`` says what else there is to know."""
        part = self.part
        self._write_title()
        self.query_one("#part").border_subtitle = Content(remark)
        about = "" if part == OVERVIEW else SAID.get(part, OUTCOMES)
        self.query_one("#about", Static).update(about)

    def on_resize(self, event: events.Resize) -> None:
        super().on_resize(event)
        self.call_after_refresh(self._write_title)

    def _write_title(self) -> None:
        """Write what the part is above it, in few words where there is little room."""
        part, pane = self.part, self.query_one("#part")
        short = _NAMES[part]
        title = TITLES.get(part) or f"Success by {short.lower()}"
        if part == "over_time" and self._weekly:
            title = "Success by week"
        room = (pane.outer_size.width or self.app.size.width) - AROUND_TITLE
        pane.border_title = Content(title if len(title) <= room else short)

    def _draw(self) -> None:
        part = self.part
        if self._shows_overview:
            return
        table = self.query_one("#table", Figures)
        rows = self._rows
        self._tell(word_count(part, rows))
        self._draw_points()
        days = self.query_one("#days", DayColumns)
        days.display = part == "over_time" and len(rows) > 1
        if days.display:
            dated = [row for row in reversed(rows) if row["since"]]
            days.show([day_column(r["since"], r["failure"], r["success"]) for r in dated])
        if not rows:
            table.set_columns((Column(""),))
            no_usage = part in (STARTS, "estimates", "corrections", "files")
            table.show((), empty=NO_USAGE if no_usage else EMPTY, keep=False)
            return
        columns, shown = make_table(part, rows, self._read[part].names)
        table.set_columns(columns)
        table.show(shown, keep=False)

    def _draw_points(self) -> None:
        """Show runs as points, above their rows."""
        plot, pane = self.query_one("#points", PointPlot), self.query_one("#part")
        plot.set_class(not self._has_points, "-none")
        front = plot if self._has_points and plot.has_focus else pane
        bring_forward(front, (plot, pane), self.query_one("#shown"))
        read = self._read.get(self.part)
        if read and read.starts and self._has_points:
            show_starts(plot, read.starts)
            self._name_starts(read.starts)

    def _name_starts(self, found: RunStarts) -> None:
        pane = self.query_one("#part")
        far = sum(run.is_far for run in found.runs)
        pane.border_title = f"Farthest off first · {far:,} far of {len(found.runs):,}"
        told = "F6 as points" if self.has_class(ONE) else word_deviations(found)
        pane.border_subtitle = Content(told)

    def command(self) -> str:
        part = self.part
        session = self.app.session
        words = ["orch", "stats"]
        if part != OVERVIEW:
            words += ["--by", part.removeprefix("by_")]
        if self._of_team:
            words.append("--team")
        elif self._of_session and session:
            words += ["--session-id", session.session_id]
        if self._weekly and part in ("over_time", "sharing"):
            words += ["--every", "week"]
        return join(words)

    def remember(self) -> dict[str, Any]:
        return {"part": self.part, "session": self._of_session, "weekly": self._weekly}

    def recollect(self, state: dict[str, Any]) -> None:
        self._of_session = state.get("session") is True
        self._weekly = state.get("weekly") is True
        part = state.get("part")
        if part in PARTS and part != OVERVIEW:
            self.query_one("#parts", Rows).move_to_key(part)
            self.action_to_parts()


def _list_parts(groups: Mapping[str, Mapping[str, str]]) -> list[Row]:
    rows = []
    for word, parts in groups.items():
        if word:
            rows.append(Row(word, (word,), section=True))
        rows += [Row(part, (f"  {title}" if word else title,)) for part, title in parts.items()]
    return rows
