"""History: one box for words and filters, results as you type, everything of a run beside it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from shlex import join
from typing import TYPE_CHECKING, Any, ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Input, Static
from textual.worker import get_current_worker

from orch_tui.screens.dialogs import Choose
from orch_tui.screens.history.compare_view import SideBySide
from orch_tui.screens.history.drift_view import Drifted, in_words
from orch_tui.screens.history.filter_chips import FilterChips
from orch_tui.screens.history.run_actions import RunActions
from orch_tui.screens.history.run_view import TEXT_KEYS, Run
from orch_tui.screens.history.team_runs import FoundRuns, find_runs
from orch_tui.screens.history.timeline_view import TimelineView
from orch_tui.screens.orch_screen import OrchScreen
from orch_tui.screens.split_panes import SplitPanes
from orch_tui.screens.widgets.preview import TABS, Preview
from orch_tui.screens.widgets.row_list import Column, Row, Rows, Spans
from orch_tui.screens.widgets.safe import one_line
from orch_tui.screens.widgets.search_box import QueryInput
from orch_tui.screens.widgets.words import state_of
from orch_tui.search.language import filters_in_words
from orch_tui.times import ago, local_time

if TYPE_CHECKING:
    from orch_tui.prepare.bundle import Bundle
    from orch_tui.recall.compare import Comparison
    from orch_tui.recall.drift import Drift
    from orch_tui.recall.session_timeline import SessionTimeline
    from orch_tui.recall.show import Shown
    from orch_tui.record.deployment import Deployment
    from orch_tui.search.matching import TextMatcher
    from orch_tui.search.query import Hit, Page

MOST_SORTED = 1000
"""Hits read in another order than by time."""

PAGE = 200
"""Hits read at a time; more are read when the cursor comes near the end."""

SCOPES = {"project": "this project", "session": "this session", "all": "all, archived too"}
SCOPE_KEYS = {
    "session": "this session only",
    "all": "everywhere",
    "project": "this project only",
}
"""What the key for the next scope says, by that scope."""

IN_SIGHT = 24
"""Characters of what a run was about that are surely seen."""

ORDER_WORDS = {
    "best": "best first",
    "newest": "newest first",
    "cost": "dearest first",
    "duration": "longest first",
    "agent": "by agent",
}

BEFORE = 12
"""Characters shown before the first of the words sought."""

MARK = Column("", 1, gives_way=-1)
"""Whether a run is marked, as long as any is."""
COLUMNS = (
    Column("when", 6, right=True, gives_way=-1),
    Column("", 1, state=True, gives_way=-1),
    Column("agent", 19, bold=True, gives_way=-1),
    Column("what it was about"),
)
WHO = (Column("who", 9, gives_way=3), Column("machine", 11, gives_way=2))
"""Whose runs they are, where those of a team are shown."""
COST = Column("$", 6, right=True, gives_way=1)
"""What a run cost, as long as that is known of any."""
MARKED = "■"
DEEPEST = 6
"""Levels of nested runs that are told apart by how far they stand to the right."""

ONLY_HERE = (
    *("collect", "archive", "retract", "forget", "copy_text", "edit", "export", "next_tab"),
)
"""What cannot be done with a run that is on the hub alone."""

OF_A_RUN = (
    *("mark", "compare", "compare_success", "replay", "collect", "archive", "retract", "forget"),
    *("tree", "sort", "timeline"),
    *("copy_text", "edit", "export", "next_tab", "compose"),
)
"""What can only be done where there is a run."""

NO_RECORD = """This project has no record yet.

F1  plans a first session

orch demo, in a shell, makes a sample project to look around in."""
NO_RUNS = """Nothing is recorded yet.

F1  plans an agent
F3  hands it over, and records what it said"""
NO_HITS = """Nothing matches.

Fewer words find more.
^X  takes a filter off
^F  looks further than here"""


class HistoryScreen(OrchScreen):
    """Everything that was recorded, found by keyboard."""

    AUTO_FOCUS = "#query"
    VERTICAL_BREAKPOINTS = [(0, "-low"), (20, "-high")]
    HELP = f"""\
Type words; all must match, the last one from its beginning. `"a phrase"`, `-word`, and the filters
`{filters_in_words()}`.
Parts of names are words (`search` finds `vectorSearch`), words with signs are looked for as they
are written (`C++`, `a::b`, `--flag`), and `part:ecto` finds any three letters or more: where that
stops it says how far back it looked, and **Enter** looks further. **Enter** takes the words that
are offered, too. **s** puts the best or the newest first.
Right completes what is offered in grey. Up and down move the list while you type. **Esc** goes from
the box to the list and back. **Space** marks runs: **F7** compares two, **F12** writes them to a
file, **o** keeps the outputs their messages tell of, **A** archives their sessions, **R** retracts
them, **F** forgets their texts for good; without marks, the one under the cursor.
Where the record is joined to a hub, **T** shows the runs of everybody who shares it, and yours
again; **Enter** fetches one of another, which then opens, compares and replays like your own.
"""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "move(-1)", "Up", show=False),
        Binding("down", "move(1)", "Down", show=False),
        Binding("pageup", "page(-1)", "Page up", show=False),
        Binding("pagedown", "page(1)", "Page down", show=False),
        Binding("f6", "next_tab", "Said, Given …", id="history-tab"),
        Binding("n", "match(1)", "next match", id="history-next-match"),
        Binding("N", "match(-1)", "match before", id="history-match-before", show=False),
        Binding("space", "mark", "mark", id="history-mark"),
        Binding("u", "unmark", "unmark all", id="history-unmark", show=False),
        Binding("d", "compare_success", "to its last success", id="history-success"),
        Binding("escape", "focus_list", "to the list", id="history-focus"),
        Binding("escape", "focus_search", "to the search", id="history-focus"),
        Binding("t", "tree", "nested runs beneath their parent", id="history-tree", show=False),
        Binding("T", "switch_team", "runs of the team, or mine", id="history-team"),
        Binding("w", "timeline", "when they ran", id="history-timeline"),
        Binding("s", "sort", "sort", id="history-sort", show=False),
        Binding("f7", "compare", "compare two", id="history-compare", show=False),
        *(
            Binding("ctrl+f", f"find_in('{name}')", words, id="history-scope")
            for name, words in SCOPE_KEYS.items()
        ),
        Binding("ctrl+x", "take_filter_off", "a filter less", id="history-filter", show=False),
        Binding("f8", "replay", "given then, and now", id="history-replay"),
        Binding("b", "compose", "a bundle like its own", id="history-compose"),
        Binding("o", "collect", "outputs its message tells of", id="history-collect", show=False),
        Binding("A", "archive", "archive the session", id="history-archive", show=False),
        Binding("R", "retract", "retract", id="history-retract", show=False),
        Binding("F", "forget", "forget the texts", id="history-forget", show=False),
        Binding("f9", "copy_text", "copy this text", id="history-copy", show=False),
        Binding("f10", "edit", "this text in $EDITOR", id="history-edit", show=False),
        Binding("f12", "export", "Write to file", id="history-export", show=False),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._page: Page | None = None
        self._scope = "project"
        self._hits: list[Hit] = []
        """Those of all pages so far."""
        self._sessions: dict[str, str] = {}
        """The session of each of them."""
        self._has_costs = False
        self._marked: dict[str, str] = {}
        """Labels of runs, each with its session, in the order they were marked."""
        self._order = ""
        """The order that was chosen here; else it is that of the settings."""
        self._as_tree = False
        self._of_team = False
        """Whether the runs of the team are to be shown."""
        self._is_joined = False
        self._away = ""
        """Why the hub could not be asked for them: those that are here are shown."""
        self._elsewhere: dict[str, Hit] = {}
        """The hits that are on the hub alone."""
        self._actions = RunActions(self, self._left_lists)

    def body(self) -> Iterable[Widget]:
        with Vertical(id="search", classes="pane") as pane:
            pane.border_title = "Search"
            yield QueryInput(id="query")
            yield FilterChips(id="filters")
        yield Static("", id="mistakes", markup=False)
        with SplitPanes(id="history"):
            hits = Rows(COLUMNS, id="hits", classes="pane")
            hits.border_title = "Runs"
            yield hits
            yield Preview(id="preview", keys=TEXT_KEYS)

    # Searching

    @property
    def text(self) -> str:
        """What was typed."""
        return self.query_one(QueryInput).value

    def load(self) -> None:
        self._search()

    def session_changed(self) -> None:
        if self._scope == "session":
            self._search()

    @on(Input.Changed, "#query")
    def _typed(self) -> None:
        from orch_tui.search.language import list_written_filters

        self.query_one(FilterChips).show(list_written_filters(self.text))
        self._search(typed=True)

    @on(FilterChips.TakenOff)
    def _take_off(self, event: FilterChips.TakenOff) -> None:
        from orch_tui.search.language import remove_filter

        box = self.query_one(QueryInput)
        box.value = remove_filter(box.value, event.written)
        box.cursor_position = len(box.value)

    @on(QueryInput.CutNothing)
    def action_take_filter_off(self) -> None:
        """Take off the filter that was written last."""
        self.query_one(FilterChips).take_off(-1)

    def _search(self, before: str | None = None, *, typed: bool = False) -> None:
        """Search; what was typed brings the cursor to the best, anything else leaves it."""
        project, text, scope = self.app.project, self._scoped(self.text), self._scope
        order = self._asked_order

        # A page that follows comes from where the one before it came from.
        of_team = self._of_team and not (before and self._away)

        def work() -> FoundRuns:
            worker = get_current_worker()
            return find_runs(
                project,
                text,
                of_team=of_team,
                everywhere=scope == "all",
                limit=PAGE if order in ("best", "newest") else MOST_SORTED,
                before=before,
                order=order,
                is_wanted=lambda: not worker.is_cancelled,
            )

        found = partial(self._found, keep=not typed)
        self.run_in_thread(work, self._more if before else found, group="search")

    def _scoped(self, text: str) -> str:
        """What is looked for, within the session where that is the scope."""
        session = self.app.session
        if self._scope != "session" or session is None:
            return text
        return f'session:"{session.session_id}" {text}'

    def _found(self, found: FoundRuns, *, keep: bool) -> None:
        page, self._is_joined, self._away = found
        self._page, self._hits, self._sessions, self._has_costs = page, [], {}, False
        self._elsewhere = {}
        self._take_page(page)
        self._say(page)
        empty = NO_RECORD if page is None else NO_RUNS
        is_sought = page is not None and bool(self.text.strip())
        if page is not None and is_sought:
            empty = _describe_nothing(page)
        self.set_class(not self._hits and not is_sought, "-empty")
        self._show_columns()
        self.query_one("#hits", Rows).show(self._rows(self._hits), empty=empty, keep=keep)

    def _more(self, found: FoundRuns) -> None:
        page = found.page
        if page is None:
            return
        self._page = page
        self._take_page(page)
        self._say(page)
        self._show_columns()
        rows = self.query_one("#hits", Rows)
        if self._as_tree or not rows.rows:  # a child may have its parent now
            rows.show(self._rows(self._hits), empty=_describe_nothing(page))
        else:
            rows.extend(self._rows(page.hits))

    def _take_page(self, page: Page | None) -> None:
        if page is not None:
            self._hits += page.hits
            self._sessions |= {hit.execution_id: hit.session_id for hit in page.hits}
            self._has_costs |= any(hit.cost_usd is not None for hit in page.hits)
            self._elsewhere |= {hit.execution_id: hit for hit in page.hits if not hit.is_here}

    def _show_columns(self) -> None:
        """Show the columns in which there is something, and what the keys will do."""
        mark = replace(MARK, hidden=not self._marked)
        cost = replace(COST, hidden=not self._has_costs)
        who = [replace(column, hidden=not self._shows_team) for column in WHO]
        columns = (mark, *COLUMNS[:-1], *who, COLUMNS[-1], cost)
        self.query_one("#hits", Rows).set_columns(columns)
        self._tell_order()

    @property
    def _shows_team(self) -> bool:
        return self._of_team and self._is_joined and not self._away

    def _tell_order(self) -> None:
        """Say at the edge of the list what can be done with those marked, else their order."""
        marked = len(self._marked)
        if marked:
            keys = "F7 compare  " * (marked == 2) + "F12 write  A archive  R retract"
            said = f"{marked} marked: {keys}"
        else:
            order = ORDER_WORDS[self._shown_order]
            said = f"{order} · s sorts · t {'list' if self._as_tree else 'tree'}"
            if self._is_joined:
                said += " · T mine" if self._of_team else " · T team"
        self.query_one("#hits").border_subtitle = Content(said)
        self.refresh_bindings()

    @on(Rows.NearEnd, "#hits")
    def _near_end(self) -> None:
        if self._page and self._page.next_before and not self._page.looked_back_to:
            self._search(self._page.next_before)

    def _say(self, page: Page | None) -> None:
        mistakes = self.query_one("#mistakes", Static)
        wrong = page.mistakes if page else ()
        if self._away:
            wrong = (f"The team cannot be asked: {self._away}. Shown is what is here.", *wrong)
        mistakes.update("\n".join(wrong))
        mistakes.set_class(bool(wrong), "-shown")
        self.query_one("#search").border_subtitle = Content(self._describe(page) if page else "")

    def _describe(self, page: Page) -> str:
        listed = len(self._hits)
        found = _runs(page.count_text if page.more or page.total >= listed else str(listed))
        if page.looked_back_to:
            back_to = local_time(page.looked_back_to)
            found = f"{_runs(str(listed))} since {back_to}, Enter looks further"
        whose = " of the team" if self._shows_team else ""
        return f"{found}{whose} · {SCOPES[self._scope]}"

    def _rows(self, hits: Sequence[Hit]) -> list[Row]:
        now, sought = self.app.project.now(), self._sought()
        if not self._as_tree:
            return [self._row(hit, hit.agent_type, now, sought) for hit in hits]
        from orch_tui.recall.run_tree import arrange_tree

        tree = arrange_tree(
            hits, label=lambda hit: hit.execution_id, parent=lambda hit: hit.parent_execution_id
        )
        return [self._row(hit, _name_nested(hit, depth), now, sought) for hit, depth in tree]

    def _row(self, hit: Hit, name: str, now: str, sought: Sequence[TextMatcher]) -> Row:
        state, style = state_of(hit.status, hit.unverified, hit.success)
        cost = "" if hit.cost_usd is None else f"{hit.cost_usd:.2f}"
        text, spans = _in_view(hit, sought)
        mark = MARKED if hit.execution_id in self._marked else ""
        return Row(
            hit.execution_id,
            (mark, ago(hit.at, now), state[:1], name, *_whose(hit), text, cost),
            style,
            ((6, spans),) if spans else (),
        )

    # The run under the cursor

    @property
    def execution_id(self) -> str:
        return self.query_one("#hits", Rows).key

    @on(Rows.Highlighted, "#hits")
    def _highlighted(self, event: Rows.Highlighted) -> None:
        if hit := self._elsewhere.get(event.key):
            self._show_elsewhere(hit)
        else:
            self.read_run(event.key, self._show_run)

    def _show_elsewhere(self, hit: Hit) -> None:
        """Show what the hub told of a run that is not here."""
        preview = self.query_one("#preview", Preview)
        preview.show(None, hint=_describe_elsewhere(hit))
        self.refresh_bindings()

    def _fetch(self, labels: Iterable[str], then: Callable[[list[str]], None]) -> None:
        """Fetch those of some runs that are on the hub alone, and go on with what they are called
        here."""
        project, wanted = self.app.project, list(labels)
        away = {label: self._elsewhere[label].uid for label in wanted if label in self._elsewhere}
        if not away:
            then(wanted)
            return

        def fetched(called: dict[str, str]) -> None:
            named = {label: called[uid] for label, uid in away.items() if uid in called}
            self._take_fetched(named)
            then([named.get(label, label) for label in wanted])

        self.run_in_thread(lambda: project.team.fetch_runs(away.values()), fetched, group="fetch")

    def _take_fetched(self, named: dict[str, str]) -> None:
        """List runs that were fetched as they are called here."""
        for before, label in named.items():
            self._elsewhere.pop(before, None)
            self._sessions[label] = self._sessions.pop(before, "")
            if before in self._marked:
                self._marked[label] = self._marked.pop(before)
        self._hits = [
            replace(hit, execution_id=named[hit.execution_id], is_here=True)
            if hit.execution_id in named
            else hit
            for hit in self._hits
        ]
        rows = self.query_one("#hits", Rows)
        rows.wanted = named.get(self.execution_id, self.execution_id)
        rows.show(self._rows(self._hits))

    def _show_run(self, shown: Shown | None) -> None:
        self.query_one("#preview", Preview).show(shown, self._sought())
        self.refresh_bindings()

    def _sought(self) -> Sequence[TextMatcher]:
        """What the box says is to be found in a run."""
        from orch_tui.search.matching import make_markers

        return make_markers(self.text)

    def action_match(self, by: int) -> None:
        self.query_one("#preview", Preview).action_match(by)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if self.query_one_optional(QueryInput) is None:
            return False  # it comes up, and a return was heard of meanwhile
        if action == "match":
            return self.query_one("#preview", Preview).has_matches
        if action == "take_filter_off":
            return bool(self.query_one(FilterChips).filters)
        if action in ("focus_list", "focus_search"):
            return (action == "focus_list") == (self.focused is self.query_one(QueryInput))
        if action == "find_in":
            names = list(SCOPE_KEYS)
            return parameters[0] == names[(names.index(self._scope) + 1) % len(names)]
        if action == "unmark":
            return bool(self._marked)
        if action == "switch_team":
            return self._is_joined
        if action in ONLY_HERE and self._elsewhere:
            chosen = self._marked or (self.execution_id,)
            if any(label in self._elsewhere for label in chosen):
                return False
        return action not in OF_A_RUN or bool(self.execution_id)

    def action_move(self, by: int) -> None:
        self.query_one("#hits", Rows).action_cursor(by)

    def action_page(self, by: int) -> None:
        self.query_one("#hits", Rows).action_page(by)

    def action_focus_list(self) -> None:
        self.remove_class("-pane")
        self.query_one("#hits", Rows).focus()

    def action_focus_search(self) -> None:
        self.remove_class("-pane")
        self.query_one(QueryInput).focus()

    def action_next_tab(self) -> None:
        """Show the next part of the run; where there is room for one pane, it or the list."""
        preview = self.query_one("#preview", Preview)
        if not self.has_class("-low"):
            preview.action_tab(1)
        elif not self.has_class("-pane"):
            self.add_class("-pane")
            self.call_after_refresh(preview.focus_part)
        elif preview.tab == TABS[-1]:
            preview.tab = TABS[0]
            self.remove_class("-pane")
            self.query_one("#hits", Rows).focus()
        else:
            preview.action_tab(1)
            self.call_after_refresh(preview.focus_part)

    def action_sort(self) -> None:
        """Put the runs in the next order, with the cursor on the first."""
        names = list(ORDER_WORDS)
        self._order = names[(names.index(self._shown_order) + 1) % len(names)]
        self._search(typed=True)

    @property
    def _shown_order(self) -> str:
        """The order the runs are in: without words none is better than another."""
        order = self._asked_order
        return "newest" if order == "best" and not self._sought() else order

    @property
    def _asked_order(self) -> str:
        return self._order or self.app.project.config.search_order

    def action_tree(self) -> None:
        """Show nested runs beneath those that launched them, or all by their order."""
        self._as_tree = not self._as_tree
        self.query_one("#hits", Rows).show(self._rows(self._hits))
        self._tell_order()

    def action_switch_team(self) -> None:
        """Show the runs of everybody who shares the hub, or those of the record."""
        self.show_team(not self._of_team)

    def show_team(self, of_team: bool) -> None:
        """Show the runs of everybody who shares the hub, or those of the record."""
        if of_team != self._of_team:
            self._of_team = of_team
            self._marked = {}
            self._search(typed=True)

    def action_timeline(self) -> None:
        """Show when the runs of the session ran that the run under the cursor belongs to."""
        from orch_tui.recall.session_timeline import load_session_timeline
        from orch_tui.record.executions import get_execution

        project = self.app.project

        def read(labels: list[str]) -> None:
            def work() -> SessionTimeline:
                record = project.existing_record
                return load_session_timeline(record, get_execution(record, labels[0]).session_id)

            self.run_in_thread(work, partial(self._show_timeline, labels[0]), group="timeline")

        self._fetch([self.execution_id], read)

    def _show_timeline(self, label: str, timeline: SessionTimeline) -> None:
        now = self.app.project.now()
        self.app.push_screen(TimelineView(timeline, now, label, self._open_run))

    def _open_run(self, label: str) -> None:
        """Open a run whole that may not be in the list."""

        def show(shown: Shown | None) -> None:
            if shown is not None:
                self.app.push_screen(Run(shown, TABS[0]))

        self.read_run(label, show)

    def leave_session(self) -> None:
        """Search the project where one session was searched: a query from elsewhere says itself
        which runs it means."""
        if self._scope == "session":
            self.action_find_in("project")

    def action_find_in(self, scope: str) -> None:
        self._scope = scope
        self._search()
        self.refresh_bindings()

    @on(Input.Submitted, "#query")
    def _submit(self) -> None:
        """Look further where the search stopped, take the words that are offered where nothing was
        found, or else open the run."""
        page = self._page
        if page and page.looked_back_to:
            self._search(page.next_before)
        elif page and page.nearest:
            box = self.query_one(QueryInput)
            box.value = page.nearest[0]
            box.cursor_position = len(box.value)
        else:
            self._open()

    @on(Rows.Selected, "#hits")
    def _open(self) -> None:
        preview, here = self.query_one("#preview", Preview), self.execution_id
        if here in self._elsewhere:
            self._fetch(
                [here],
                lambda labels: self.read_run(labels[0], self._show_and_open, group="open"),
            )
        elif preview.shown is not None and preview.shown.execution.execution_id == here:
            self.app.push_screen(Run(preview.shown, preview.tab, self._sought()))
        elif here:  # the pane is behind the cursor
            self.read_run(here, self._show_and_open, group="open")

    def _show_and_open(self, shown: Shown | None) -> None:
        self._show_run(shown)
        if shown is not None:
            self._open()

    # What can be done with it

    @property
    def _chosen(self) -> dict[str, str]:
        """The runs that were marked, or else the one under the cursor."""
        here = self.execution_id
        return dict(self._marked) or {here: self._sessions[here]}

    def action_mark(self) -> None:
        """Mark the run under the cursor, or unmark it, and go to the next."""
        self._toggle_mark()
        self.action_move(1)

    def _toggle_mark(self) -> None:
        here = self.execution_id
        if self._marked.pop(here, None) is None:
            self._marked[here] = self._sessions[here]
        self._redraw_marks([here])

    def action_unmark(self) -> None:
        before, self._marked = list(self._marked), {}
        self._redraw_marks(before)

    def _redraw_marks(self, labels: Collection[str]) -> None:
        rows = self.query_one("#hits", Rows)
        drawn = list(rows.rows)
        for index, row in enumerate(drawn):
            if row.key in labels:
                mark = MARKED if row.key in self._marked else ""
                drawn[index] = replace(row, cells=(mark, *row.cells[1:]))
        self._show_columns()
        rows.redraw(drawn)

    def action_compare(self) -> None:
        """Compare the two that are marked, or one that is with the one under the cursor; where
        none is, mark it."""
        pair = list(self._marked)
        if len(pair) == 1 and self.execution_id != pair[0]:
            pair.append(self.execution_id)
        if len(pair) == 2:
            self._compare(*pair)
        elif len(pair) > 2:
            self.app.notify(f"{len(pair)} are marked: two can be compared")
        else:
            self._toggle_mark()

    def _compare(self, left: str, right: str) -> None:
        from orch_tui.recall.compare import compare_executions

        project = self.app.project

        def compare(labels: list[str]) -> None:
            self.run_in_thread(
                lambda: compare_executions(
                    project.existing_record, labels[0], labels[1], project.root
                ),
                self._compared,
                group="compare",
            )

        self._fetch([left, right], compare)

    def _left_lists(self) -> None:
        self._marked = {}
        self._search()

    def action_collect(self) -> None:
        self._actions.collect(self._chosen)

    def action_archive(self) -> None:
        self._actions.archive(self._chosen)

    def action_retract(self) -> None:
        self._actions.retract(self._chosen)

    def action_forget(self) -> None:
        self._actions.forget(self._chosen)

    def action_compare_success(self) -> None:
        """Compare the run with the last of its agent type that succeeded before it."""
        here = self.execution_id
        if not here:
            return
        from orch_tui.recall.compare import compare_with_success

        project = self.app.project

        def compare(labels: list[str]) -> None:
            self.run_in_thread(
                lambda: compare_with_success(project.existing_record, labels[0], project.root),
                partial(self._compared, note="left is the last of its type that succeeded before"),
                group="compare",
            )

        self._fetch([here], compare)

    def _compared(self, found: Comparison, note: str = "") -> None:
        self.app.push_screen(SideBySide(found, note))

    def action_compose(self) -> None:
        """Begin a bundle of what the run was given or used."""
        if label := self.execution_id:
            self._fetch([label], lambda labels: self.app.compose_from_run(labels[0]))

    def action_replay(self) -> None:
        """Hand the same briefing over again, or see and take what its files hold now."""
        if label := self.execution_id:
            self._fetch([label], lambda labels: self._choose_replay(labels[0]))

    def _choose_replay(self, label: str) -> None:
        choices = (
            ("copy", "copy its briefing, exactly as it was"),
            ("deploy", "deploy it again: a new execution, and its briefing copied"),
            ("drift", "what changed in its files since"),
            ("refresh", "make its bundle anew from today's files"),
        )
        self.app.push_screen(
            Choose(f"Replay {label}", choices), lambda choice: self._replay(label, choice)
        )

    def _replay(self, label: str, choice: str | None) -> None:
        from orch_tui.recall.replay import deploy_again, replay_briefing

        project = self.app.project
        if choice == "copy":
            self.run_in_thread(
                lambda: replay_briefing(project.existing_record, label).briefing,
                lambda briefing: self.app.copy(briefing.decode("utf-8", "replace"), "the briefing"),
                group="replay",
            )
        elif choice == "deploy":

            def deploy() -> Deployment:
                project.check_own_run(label)
                return deploy_again(
                    project.existing_record,
                    label,
                    catalogue=project.catalogue,
                    limits=project.limits,
                    worktree=project.worktree,
                    root=project.root,
                )

            self.run_in_thread(deploy, self._deployed_again, group="replay")
        elif choice == "drift":
            from orch_tui import api

            self.run_in_thread(
                lambda: api.drift(label, project=project),
                lambda found: self._drifted(label, found),
                group="replay",
            )
        elif choice == "refresh":
            from orch_tui import api

            self.run_in_thread(
                lambda: api.refresh(label, project=project), self._refreshed, group="replay"
            )

    def _deployed_again(self, deployed: Deployment) -> None:
        label = deployed.execution.execution_id
        if deployed.line:
            self.app.copy(deployed.line, f"the line for {label}, deployed")
        else:
            briefing = deployed.briefing.decode("utf-8", "replace")
            self.app.copy(briefing, f"the briefing of {label}, deployed")
        for remark in deployed.all_remarks:
            self.app.notify(remark, markup=False)

    def _drifted(self, label: str, found: list[Drift]) -> None:
        self.app.push_screen(Drifted(label, found))

    def _refreshed(self, made: tuple[Bundle, list[Drift]]) -> None:
        bundle, found = made
        same = all(drift.state == "unchanged" for drift in found)
        said = f"is as it was: {in_words(found)}" if same else f"is made anew: {in_words(found)}"
        more = "" if same else "; F2, o opens it"
        self.app.notify(f"{bundle.bundle_id} v{bundle.version} {said}{more}", markup=False)

    def action_copy_text(self) -> None:
        self.query_one("#preview", Preview).copy_text()

    def action_edit(self) -> None:
        self.query_one("#preview", Preview).edit_text()

    def action_export(self) -> None:
        """Write the runs that are marked to a file, or the part that is shown of one."""
        preview = self.query_one("#preview", Preview)
        if self._marked:
            self._actions.export(self._marked)
        elif preview.text:
            data = preview.text.encode("utf-8", "surrogateescape")
            name = f"{self.execution_id}-{preview.tab}.md"
            self._actions.ask_file(f"Write {preview.tab} to which file?", name, lambda: data)

    def command(self) -> str:
        from orch_tui.search.language import parse_query

        label, preview = self.execution_id, self.query_one("#preview", Preview)
        if self.focused is not self.query_one(QueryInput) and label:
            return join(["orch", "show", label, "--part", preview.tab])
        words, text = ["orch", "history"], self._scoped(self.text).strip()
        if self._scope == "all":
            words += ["--all-projects", "--archived"]
        if self._of_team:
            words.append("--team")
        if self._order:
            words += ["--order", self._order]
        query = parse_query(text, datetime.now(UTC))
        if query.mistakes or query.unfinished:
            words.append("--lenient")  # as here
        if text.startswith("-"):
            words.append("--")  # what follows is no flag
        return join([*words, text] if text else words)

    def remember(self) -> dict[str, Any]:
        return {
            "query": self.text,
            "scope": self._scope,
            "team": self._of_team,
            "order": self._order,
            "execution": self.execution_id,
            "tab": self.query_one("#preview", Preview).tab,
        }

    def recollect(self, state: dict[str, Any]) -> None:
        if state.get("scope") in SCOPES:
            self._scope = state["scope"]
        self._of_team = state.get("team") is True
        if state.get("order") in ORDER_WORDS:
            self._order = state["order"]
        if isinstance(state.get("query"), str):
            self.query_one(QueryInput).value = state["query"]
        if state.get("tab") in TABS:
            self.query_one("#preview", Preview).tab = state["tab"]
        if isinstance(state.get("execution"), str):
            self.query_one("#hits", Rows).wanted = state["execution"]


def _describe_nothing(page: Page) -> str:
    if page.looked_back_to:
        return f"""Nothing since {local_time(page.looked_back_to)} matches.

Enter in the search looks further back."""
    if page.nearest:
        return f"""Nothing matches. Did you mean: {page.nearest[0]}

Enter in the search takes it."""
    return NO_HITS


def _whose(hit: Hit) -> tuple[str, str]:
    """Name who ran a run, and where."""
    return one_line(hit.person or "", 40), one_line(hit.machine or "", 40)


def _describe_elsewhere(hit: Hit) -> str:
    whose = f"{hit.execution_id}, by {hit.person or 'somebody'} on {hit.machine}"
    return f"""{whose}

{hit.scope or "(no scope)"}

{hit.snippet}

Enter fetches this run from the hub, and keeps it."""


def _name_nested(hit: Hit, depth: int) -> str:
    """Name a run in a tree; one whose parent is not listed has an arrow."""
    if depth:
        return f"{'  ' * (min(depth, DEEPEST) - 1)}└ {hit.agent_type}"
    return f"↳ {hit.agent_type}" if hit.parent_execution_id else hit.agent_type


def _runs(found: str) -> str:
    return "1 run" if found == "1" else f"{found} runs"


def _in_view(hit: Hit, sought: Sequence[TextMatcher]) -> tuple[str, Spans]:
    """What a run was about or, where words were sought that are not in it, the text they stand in,
    begun so that the first of them is in view."""
    from orch_tui.search.matching import find_spans

    in_scope = find_spans(hit.scope or "", sought) if hit.spans else ()
    text, spans = (hit.scope or "", in_scope) if in_scope else (hit.snippet, hit.spans)
    if not spans:
        return hit.scope or hit.snippet or "", ()
    skipped = spans[0][0] - BEFORE
    if skipped <= 0 or (in_scope and spans[0][1] <= IN_SIGHT):
        return text, spans
    shift = skipped - 1  # the ellipsis takes one
    return "…" + text[skipped:], tuple((start - shift, end - shift) for start, end in spans)
