"""Who needs somebody, runs, came back or can be handed over, in one list, and the one under the
cursor beside it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from shlex import join
from typing import TYPE_CHECKING, ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.widgets import Static

from orch_tui.screens.agent_pane import AgentFollow, AgentPane, StepLines
from orch_tui.screens.deploy.agent_rows import (
    Board,
    agent_key_of,
    arrange_rows,
    columns_for,
    planned_key_of,
    shown_agents,
)
from orch_tui.screens.deploy.hand_over_choice import choose_hand_over, tell_planned
from orch_tui.screens.deploy.launch_form import Wanted, write_briefing
from orch_tui.screens.deploy.outcome_changes import OutcomeChanges
from orch_tui.screens.screen_part import ScreenPart
from orch_tui.screens.widgets.paste import pasted
from orch_tui.screens.widgets.preview import Preview
from orch_tui.screens.widgets.row_list import Row, Rows
from orch_tui.screens.widgets.safe import one_line

if TYPE_CHECKING:
    from orch_tui.live.live_agent import LiveAgent
    from orch_tui.prepare.bundle import ContextItem
    from orch_tui.recall.run_endings import RunEnding
    from orch_tui.recall.show import Shown
    from orch_tui.record.deployable import Deployable
    from orch_tui.search.query import Page

PAGE = 200
"""Waiting executions read at a time."""

EARLIER = 50
"""Executions that came back earlier, read at a time."""

NO_RECORD = """This project has no record yet.

F1  plans a first session
d   then hands its agents over"""
EMPTY = """Nobody is at work, and nobody came back.

d   hands over a planned agent or a bundle
F1  plans an agent
F2  composes what it is given"""


@dataclass(frozen=True, slots=True)
class _Found:
    """What the list shows of the record."""

    waiting: Page
    earlier: Page
    endings: dict[str, RunEnding]
    planned: Sequence[Deployable]
    given: dict[str, tuple[ContextItem, ...]]
    """What the bundles of the session hold, by their ids."""
    drafts: set[str]
    now: str


class AgentList(Rows):
    """The agents in sections."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "take('follow')", "follow", id="deploy-follow"),
        Binding("enter", "take('open')", "open", id="deploy-open"),
        Binding("enter", "take('complete')", "record what it said", id="deploy-record"),
        Binding("enter", "take('hand over')", "hand it over", id="deploy-hand-over"),
    ]

    act = ""
    """What Enter does with the row under the cursor."""

    @dataclass
    class MovedOff(Message):
        """Somebody moved the cursor off a row, of which they have seen what is shown."""

        key: str

    def move_to(self, index: int) -> None:
        before = self.key
        super().move_to(index)
        if self.key != before:
            self.post_message(self.MovedOff(before))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "take":
            return bool(self.rows) and parameters == (self.act,)
        return super().check_action(action, parameters)

    def action_take(self, act: str) -> None:
        self.action_select()

    def jump_to(self, key: str) -> bool:
        """Put the cursor on the row with this key, for nobody in particular."""
        index = self._table.find(key)
        if index is not None:
            super().move_to(index)
        return index is not None


class Lists(ScreenPart):
    """Who needs somebody, runs, came back or can be handed over, and the one under the cursor."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("d", "deploy('')", "hand over", id="deploy"),
        Binding("d", "deploy('again')", "hand over again", id="deploy"),
        Binding("d", "deploy('other')", "hand over another", id="deploy"),
        Binding("c", "complete", "record what it said", id="complete", show=False),
        Binding("c", "amend", "amend, or again", id="complete"),
        Binding("x", "close", "close as failed", id="close-as-failed"),
        Binding("h", "history", "its session in History", id="in-history"),
        Binding("b", "copy", "copy briefing", id="copy-briefing"),
        Binding("w", "write", "briefing to file", id="write-briefing", show=False),
        Binding("left", "tab(-1)", "tab before", id="deploy-tab-before", show=False),
        Binding("right", "tab(1)", "next tab", id="deploy-tab-next", show=False),
        Binding("f6", "next_tab", "next view", id="deploy-tab"),
        Binding("f6", "to_pane", "to what it does", id="deploy-tab"),
        Binding("ctrl+f", "all", "all sessions or one", id="deploy-where", show=False),
    ]

    NOT_NOW: ClassVar[dict[str, str]] = {
        "complete": "choose a run that waits",
        "amend": "choose a run that came back",
        "history": "the run has not returned",
        "copy": "no briefing was kept",
        "write": "no briefing was kept",
        "close": "the run does not wait",
    }

    @dataclass
    class HandOver(Message):
        """Somebody wants to hand an agent over."""

        wanted: Wanted

    @dataclass
    class Complete(Message):
        """Somebody wants to record a return of an execution; ``pasted`` is of its message."""

        execution_id: str
        pasted: str = ""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 # Textual's own name
        super().__init__(id=id)
        self.all_sessions = False
        self._found: _Found | None = None
        self._agents: dict[str, LiveAgent] = {}
        """The agents that have a row, by its key."""
        self._back: list[str] = []
        """What came back and had a row among it since the list came up: it stays there."""
        self._wished = ""
        self._outcomes = OutcomeChanges(self, self.load)

    def compose(self) -> ComposeResult:
        runs = AgentList(columns_for(0), id="runs", classes="pane")
        runs.border_title = "Agents"
        yield runs
        yield Preview(id="run")
        ready = Static("", id="ready", classes="pane", markup=False)
        ready.border_title = "Can be handed over"
        yield ready
        yield AgentFollow(id="follow")

    @property
    def _rows(self) -> AgentList:
        return self.query_one("#runs", AgentList)

    @property
    def _ending(self) -> RunEnding | None:
        """What the record knows of the run under the cursor."""
        return self._known.get(self._rows.key)

    @property
    def _known(self) -> dict[str, RunEnding]:
        news = {ending.execution_id: ending for ending in self.app.news.unseen}
        return {**news, **(self._found.endings if self._found else {})}

    @property
    def _planned(self) -> Deployable | None:
        """The planned agent under the cursor."""
        planned = self._found.planned if self._found else ()
        return next((p for p in planned if planned_key_of(p) == self._rows.key), None)

    @property
    def _label(self) -> str:
        """The execution under the cursor, also one of another session whose agent runs."""
        agent, ending = self._agents.get(self._rows.key), self._ending
        return ending.execution_id if ending else (agent and agent.execution_id) or ""

    @property
    def _is_waiting(self) -> bool:
        """Whether the run under the cursor has not returned."""
        ending = self._ending
        return ending.status == "deployed" if ending else bool(self._label)

    def focus_list(self) -> None:
        self._rows.focus()

    def leave(self) -> None:
        """Know that what the cursor is on was looked at; what came back is earlier from now on."""
        if self.query("#runs"):
            self.app.look_at(self._rows.key)
            self._back.clear()
            self.app.followed = None

    # Reading

    def load(self, execution_id: str = "") -> None:
        """Read the list again; the cursor goes to ``execution_id`` where it has a row."""
        from orch_tui.recall.run_endings import read_endings
        from orch_tui.record.bundles import load_session_figures
        from orch_tui.record.deployable import list_deployable
        from orch_tui.search.query import search

        if not self.query("#runs"):  # the app is closing
            return
        self._wished = execution_id or self.app.to_show or self._wished
        self.app.to_show = ""
        project, drafts, within = self.app.project, self.app.drafts, self._within
        session = self.app.session
        back = [ending.execution_id for ending in self.app.news.unseen] + self._back
        many = max(EARLIER, len(self._found.earlier.hits) if self._found else 0)

        def work() -> _Found | None:
            if not project.database.exists():
                return None
            record, own = project.existing_record, project.project_filter
            waiting = search(record, f"{within} status:deployed", limit=PAGE, project=own)
            earlier = search(record, f"{within} status:completed,failed", limit=many, project=own)
            labels = [hit.execution_id for hit in (*waiting.hits, *earlier.hits)]
            is_open = session is not None and session.status in ("planning", "executing")
            session_id = session.session_id if session and is_open else ""
            bundles = load_session_figures(record, session_id) if session_id else []
            return _Found(
                waiting,
                earlier,
                read_endings(record, [*labels, *back], project.catalogue),
                list_deployable(record, session_id) if session_id else (),
                {saved.bundle.bundle_id: tuple(saved.bundle.items) for saved in bundles},
                drafts.names(),
                project.now(),
            )

        self.run_in_thread(work, self._show, group="lists")

    @property
    def _within(self) -> str:
        session = self.app.session
        return "" if self.all_sessions or session is None else f'session:"{session.session_id}"'

    def _show(self, found: _Found | None) -> None:
        self._found = found
        self._show_rows()
        if self._wished and self._rows.jump_to(self._wished):
            self._looked_at(self._wished)
            self._wished = ""
        self._read_again()
        self.refresh_bindings()

    def _read_again(self) -> None:
        """Read the run in the pane again where it came back since."""
        ending, shown = self._ending, self.query_one("#run", Preview).shown
        if ending is None or shown is None:
            return
        run, ended = shown.execution, (ending.status, ending.returns)
        if run.execution_id == ending.execution_id and ended != (run.status, len(shown.returned)):
            self.read_run(ending.execution_id, self._show_run)

    def _show_rows(self) -> None:
        """Show the runs, and what their agents do where any runs."""
        found, news = self._found, self.app.news.unseen
        waiting = [hit.execution_id for hit in found.waiting.hits] if found else []
        agents = shown_agents(self.app.live, waiting)
        self._agents = {agent_key_of(agent): agent for agent in agents}
        unseen = [ending.execution_id for ending in news]
        self._back = [*(e for e in unseen if e not in self._back), *self._back]
        board = Board(
            agents=agents,
            endings=self._known,
            waiting=waiting,
            back=self._back,
            unseen=unseen,
            planned=[p for p in found.planned if p.planned] if found else (),
            earlier=[hit.execution_id for hit in found.earlier.hits] if found else (),
            drafts=_labels_of_drafts(found.drafts) if found else (),
            now=found.now if found else "",
        )
        width = self.app.size.width
        rows = arrange_rows(board, width)
        self._rows.set_columns(columns_for(width, rows))
        self.set_class(not rows, "-empty")
        if not self.screen.has_class("-low"):
            self._rows.border_subtitle = Content(self._word_place(agents, width))
        if [row.key for row in rows] == [row.key for row in self._rows.rows] != []:
            self._rows.redraw(rows)
        else:
            self._keep_cursor(rows)
            self._rows.show(rows, empty=EMPTY if found else NO_RECORD)
        self._show_pane()

    def _keep_cursor(self, rows: Sequence[Row]) -> None:
        """Leave the cursor on its agent, which has another key once the record knows it; where it
        is gone, near where it was."""
        key = self._rows.key
        if key.startswith("agent:"):
            names = {f"agent:{a.claude_session}/{a.agent_id}": k for k, a in self._agents.items()}
            key = names.get(key, key)
        left = {row.key for row in rows if not row.section}
        if key and key not in left:
            before = [row.key for row in self._rows.rows[: self._rows.cursor]]
            key = next((k for k in reversed(before) if k in left), "")
        self._rows.wanted = key

    def _word_place(self, agents: Sequence[LiveAgent], width: int) -> str:
        """What the list is of, and what is spent."""
        session = self.app.session
        scope = (
            one_line(session.scope or session.session_id, max(20, width - 50)) if session else ""
        )
        place = scope if self._within else "all sessions"
        costs = [agent.cost for agent in agents if agent.cost is not None]
        spent = f"$ {sum(costs):.2f} so far" if costs else ""
        return " · ".join(filter(None, (place, spent)))

    def agents_seen(self) -> None:
        """Show what agents do by now."""
        if self.query("#runs"):
            self._show_rows()

    def on_resize(self) -> None:
        self.agents_seen()

    @on(Rows.NearEnd, "#runs")
    def _near_end(self) -> None:
        from orch_tui.recall.run_endings import read_endings
        from orch_tui.search.query import search

        found = self._found
        if found is None or found.earlier.next_before is None:
            return
        project, before, within = self.app.project, found.earlier.next_before, self._within

        def work() -> tuple[Page, dict[str, RunEnding]]:
            record, own, query = (
                project.existing_record,
                project.project_filter,
                f"{within} status:completed,failed",
            )
            page = search(record, query, limit=PAGE, before=before, project=own)
            labels = [hit.execution_id for hit in page.hits]
            return page, read_endings(record, labels, project.catalogue)

        self.run_in_thread(work, lambda more: self._more(*more), group="lists")

    def _more(self, page: Page, endings: dict[str, RunEnding]) -> None:
        if self._found is not None:
            known = self._found.earlier
            earlier = replace(page, hits=(*known.hits, *page.hits))
            endings = {**self._found.endings, **endings}
            self._found = replace(self._found, earlier=earlier, endings=endings)
            self._show_rows()

    @on(Rows.Highlighted, "#runs")
    def _highlighted(self, event: Rows.Highlighted) -> None:
        self._show_pane()
        self.refresh_bindings()
        is_run = not event.key.startswith(("agent:", "planned:"))
        self.read_run(event.key if is_run else "", self._show_run)

    @on(AgentList.MovedOff)
    def _moved_off(self, event: AgentList.MovedOff) -> None:
        self._looked_at(event.key)

    def _looked_at(self, execution_id: str) -> None:
        if self.app.look_at(execution_id):
            self._show_rows()

    def _show_pane(self) -> None:
        """Follow the agent under the cursor, or show what the record holds of the run."""
        agent = self._agents.get(self._rows.key)
        self.set_class(agent is not None, "-following")
        self.set_class(self._planned is not None, "-ready")
        if self._planned is not None:
            given = self._found.given if self._found else {}
            items = given.get(self._planned.bundle_id or "", ())
            pane = self.query_one("#ready", Static)
            pane.border_title = Content(
                f"{one_line(self._planned.agent_type, 60)} can be handed over"
            )
            pane.update(tell_planned(self._planned, items, self.app.size.width - 4))
        if agent is not None:
            self.query_one(AgentFollow).follow(agent)
        else:
            self.app.followed = None
        if agent is not None:
            act = "follow"
        elif self._planned is not None:
            act = "hand over"
        else:
            act = "complete" if self._is_waiting else "open"
        if self.screen.has_class("-low"):
            name = agent.agent_type if agent else self._ending.agent_type if self._ending else ""
            shown = f"F6 {'follow' if agent else 'what there is of'} {one_line(name, 30)}"
            self._rows.border_subtitle = Content(shown if name else "")
        if act != self._rows.act:
            self._rows.act = act
            self.refresh_bindings()

    def _show_run(self, shown: Shown | None) -> None:
        preview = self.query_one("#run", Preview)
        if shown is not None and (before := preview.shown) is not None:
            was, now = before.execution, shown.execution
            is_other = (was.execution_id, was.status) != (now.execution_id, now.status)
        else:
            is_other = shown is not None
        if shown is not None and is_other:
            # what one wants to read of a run: what it is to do, or what it said
            preview.tab = "briefing" if shown.execution.status == "deployed" else "said"
        preview.show(shown)
        self.refresh_bindings()

    # Keys

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action in ("complete", "amend"):
            return bool(self._label) and self._is_waiting is (action == "complete")
        if action == "deploy":
            return parameters == (self._which,)
        if action in ("next_tab", "to_pane"):
            if self.has_class("-ready") and not self.screen.has_class("-low"):
                return False
            at_once = self.has_class("-following") or self.screen.has_class("-low")
            return at_once is (action == "to_pane")
        if action == "history":
            return self._ending is not None
        if action in ("copy", "write"):
            shown = self.query_one("#run", Preview).shown
            return bool(self._label and shown and shown.briefing)
        if action == "close":
            return self._is_waiting
        if action == "tab":
            return not self.has_class("-following")
        return True

    def action_tab(self, by: int) -> None:
        self.query_one("#run", Preview).action_tab(by)

    def action_next_tab(self) -> None:
        """Show the next of what there is of a run."""
        self.action_tab(1)

    def action_to_pane(self) -> None:
        """Go to the pane, which has the room to itself where there is little; or back."""
        if self.screen.has_class("-low"):
            self.toggle_class("-pane")
            pane = "#agent-steps" if self.has_class("-following") else "#run Lines"
            (self.query_one(pane) if self.has_class("-pane") else self._rows).focus()
        else:
            self.query_one(StepLines).focus()

    def action_all(self) -> None:
        self.all_sessions = not self.all_sessions
        self.load()

    @on(Rows.Selected, "#runs")
    def _opened(self) -> None:
        ending, preview = self._ending, self.query_one("#run", Preview)
        agent, planned = self._agents.get(self._rows.key), self._planned
        self._looked_at(self._rows.key)
        if agent is not None:
            self.app.push_screen(AgentPane(agent))
        elif planned is not None and self.app.session is not None:
            session_id = self.app.session.session_id
            wanted = Wanted(session_id, planned.planned)
            self.post_message(self.HandOver(wanted))
        elif ending is not None and ending.status == "deployed":
            self.action_complete()
        elif preview.shown is not None:
            from orch_tui.screens.history.run_view import Run

            self.app.push_screen(Run(preview.shown, preview.tab))

    def action_complete(self) -> None:
        """Record what a run said; of one that came back, say so and ask what is meant."""
        label, ending, found = self._label, self._ending, self._found
        if not label:
            return
        drafts = _labels_of_drafts(found.drafts) if found else set()
        if ending is None or ending.status == "deployed" or label in drafts:
            self.post_message(self.Complete(label))
            return
        self._outcomes.ask_what_is_meant(
            ending,
            self._now,
            another=lambda: self._complete(label),
            again=self.action_deploy,
        )

    def _complete(self, label: str) -> None:
        self.post_message(self.Complete(label))

    def action_amend(self) -> None:
        self.action_complete()

    @property
    def _now(self) -> str:
        return self._found.now if self._found else ""

    def on_paste(self, event: events.Paste) -> None:
        """A message pasted on a waiting run is its final message."""
        event.stop()
        if self._is_waiting:
            self.post_message(self.Complete(self._label, pasted(event.text)))

    def action_close(self) -> None:
        if label := self._label:
            self._outcomes.close(label, self._ending.agent_type if self._ending else label)

    def action_copy(self) -> None:
        self._with_briefing(
            lambda label, text: self.app.copy(
                text.decode("utf-8", "replace"), f"the briefing of {label}"
            )
        )

    def action_write(self) -> None:
        self._with_briefing(lambda label, text: write_briefing(self, label, text))

    def _with_briefing(self, use: Callable[[str, bytes], None]) -> None:
        from orch_tui.record.deployment import get_handed_over

        if not self._label:
            return
        project, label = self.app.project, self._label

        self.run_in_thread(
            lambda: get_handed_over(project.existing_record, label),
            lambda briefing: use(label, briefing),
            group="briefing",
        )

    def action_history(self) -> None:
        """Show the session of this run in History."""
        ending = self._ending
        if ending is None:
            return
        query = f"session:{ending.session_id} "
        self.app.switch_mode("history")

        def fill() -> None:
            from textual.widgets import Input

            self.app.screen.query_one("#query", Input).value = query

        self.app.call_after_refresh(fill)

    def command(self) -> str:
        session = self.app.session
        words = ["orch", "query", "--status", "deployed"]
        if self._within and session:
            words += ["--session-id", session.session_id]
        return join(words)

    @property
    def _which(self) -> str:
        """What ``d`` hands over: ``again`` what came back, or beside a planned agent another."""
        ending = self._ending
        if ending is not None and ending.status != "deployed":
            return "again"
        return "other" if self._planned is not None else ""

    def action_deploy(self, which: str = "") -> None:
        """Ask what is to be handed over: the agent under the cursor, again where it was once."""
        planned, ending = self._planned, self._ending
        choose_hand_over(
            self,
            lambda wanted: self.post_message(self.HandOver(wanted)),
            planned=planned.planned if planned else None,
            run=ending.execution_id if ending and ending.status != "deployed" else "",
        )


def _labels_of_drafts(names: Iterable[str]) -> set[str]:
    return {name.removeprefix("final-message ") for name in names if "final-message" in name}
