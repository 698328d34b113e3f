"""One running agent, followed look by look: beneath the list, or over the whole screen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.geometry import Size
from textual.screen import ModalScreen
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.widget import Widget
from textual.widgets import Static

from orch_tui.live.live_words import describe_agent, percentage
from orch_tui.screens.widgets.key_line import HELP_KEY, KeyLine
from orch_tui.screens.widgets.line_list import fit_text, fold_words
from orch_tui.screens.widgets.named_styles import read_styles
from orch_tui.screens.widgets.row_list import BOLD
from orch_tui.screens.widgets.safe import flat, one_line
from orch_tui.screens.widgets.words import format_duration, format_tokens
from orch_tui.times import ago, local_time

if TYPE_CHECKING:
    from orch_tui.app import OrchApp
    from orch_tui.live.live_agent import LiveAgent, LiveSnapshot, LiveStep

_NAMES = 12
"""Cells of the names of facts."""

_TOOLS = 6
"""Cells of the names of tools at least."""

_FOLDED = 3
"""Lines of what an agent says at most."""

_NEARLY_FULL = 0.8


class StepLines(ScrollView, can_focus=True, inherit_bindings=False):
    """What an agent did, a line each; stays at its end until somebody scrolls up."""

    DEFAULT_CSS = """
    StepLines {
        height: 1fr; background: $surface; padding: 0 1; overflow-x: hidden;
        scrollbar-size-vertical: 1; scrollbar-gutter: stable;
    }
    """
    STYLES: ClassVar[Mapping[str, str]] = {
        "bad": "$state-failed",
        "removed": "$state-failed",
        "dim": "$foreground-muted",
        "added": "$state-done",
        "running": "$state-running",
    }
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "scroll_up", "Up", show=False),
        Binding("down,j", "scroll_down", "Down", show=False),
        Binding("pageup", "page_up", "Page up", show=False),
        Binding("pagedown", "page_down", "Page down", show=False),
        Binding("home,g", "scroll_home", "Top", show=False),
        Binding("end,G", "scroll_end", "follow the end"),
    ]

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 # Textual's own name
        super().__init__(id=id)
        self._steps: Sequence[LiveStep] = ()
        self._lines: Sequence[tuple[LiveStep, str | None]] = ()
        """A step; on the lines after its first, more of its words."""
        self._follows = True
        self._lasted = 0.0

    @property
    def steps(self) -> Sequence[LiveStep]:
        """The steps that are shown, the oldest first."""
        return self._steps

    def show(self, steps: Sequence[LiveStep], lasted: float = 0.0) -> None:
        """Show these steps; the view stays where somebody scrolled to. ``lasted``: seconds of the
        call that goes on."""
        if steps == self._steps and lasted == self._lasted:
            return
        is_other = steps != self._steps
        self._steps, self._lasted = steps, lasted
        if is_other:
            self._fold()
        self.refresh()

    def start_again(self) -> None:
        """Show nothing, and follow the end of what comes."""
        self._follows = True
        self.show(())

    def on_resize(self) -> None:
        self._fold()

    def _fold(self) -> None:
        room = self.scrollable_content_region.width - _WORDS_AT
        self._lines = [line for step in self._steps for line in _fold_step(step, room)]
        self.virtual_size = Size(self.scrollable_content_region.width, len(self._lines))
        if self._follows:
            self.call_after_refresh(self._go_to_end)

    def _go_to_end(self) -> None:
        if self._follows:
            self.scroll_end(animate=False, immediate=True)

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        self._follows = new_value >= self.max_scroll_y

    def render_line(self, y: int) -> Strip:
        index = y + round(self.scroll_offset.y)
        width = self.size.width
        if index >= len(self._lines):
            return Strip.blank(width, self.rich_style)
        styles = read_styles(self, self.STYLES)
        own = styles[""]
        step, more = self._lines[index]
        if more is not None:
            before = " " * _WORDS_AT if index and self._lines[index - 1][0] is step else ""
            if not before:
                before = f"{_clock(step)}  {'says':<{_TOOLS}}  "
            segments = [Segment(before, styles["dim"]), Segment(more, own)]
        else:
            figures = list(_draw_figures(step, self._lasted, styles))
            taken = sum(segment.cell_length for segment in figures)
            tool = f"{flat(step.tool):<{_TOOLS}}"
            room = width - len(_clock(step)) - cell_len(tool) - 4 - taken - 1
            segments = [
                Segment(f"{_clock(step)}  ", styles["dim"]),
                Segment(f"{tool}  ", own + BOLD),
                Segment(fit_text(flat(step.text), max(1, room)) + " ", own),
                *figures,
            ]
        return Strip(segments).adjust_cell_length(width, own)


_WORDS_AT = 8 + 2 + _TOOLS + 2
"""Cells before what is said."""


def _fold_step(step: LiveStep, room: int) -> Iterator[tuple[LiveStep, str | None]]:
    if step.tool:
        yield step, None
        return
    lines = fold_words(flat(step.text), max(20, room)) or [""]
    for number, line in enumerate(lines[:_FOLDED], start=1):
        is_cut = number == _FOLDED < len(lines)
        yield step, fit_text(f"{line} …", room) if is_cut else line


def _clock(step: LiveStep) -> str:
    return f"{local_time(step.at, seconds=True)[11:]:<8}"


def _draw_figures(step: LiveStep, lasted: float, styles: dict[str, Style]) -> Iterator[Segment]:
    """``+18 −4   0.2 s``; of a call that goes on ``● 41 s``."""
    if step.seconds is None:
        yield Segment(f"● {format_duration(lasted)}", styles["running"])
        return
    if step.is_error:
        yield Segment("failed  ", styles["bad"])
    if step.added or step.removed:
        yield Segment(f"+{step.added}" if step.added else "", styles["added"])
        yield Segment(f" −{step.removed}" if step.removed else "", styles["removed"])
    elif step.added is None:
        yield Segment(_word_size(step.size or 0), styles["dim"])
    took = f"{step.seconds:.1f} s" if step.seconds < 10 else format_duration(step.seconds)
    yield Segment(f"{took:>8}", styles["dim"])


def _word_size(size: int) -> str:
    return f"{size} B" if size < 1000 else f"{size / 1000:,.1f} kB"


class ContextLine(Widget):
    """How full the window of an agent is: a thin line and its figures."""

    DEFAULT_CSS = """
    ContextLine {
        height: 1; padding: 0 1;
        & > .context--dim { color: $foreground-muted; }
        & > .context--rest { color: $line; }
        & > .context--doubt { color: $state-doubt; }
    }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {"context--dim", "context--rest", "context--doubt"}

    agent: LiveAgent | None = None

    def render_line(self, y: int) -> Strip:
        own, agent, width = self.rich_style, self.agent, self.size.width
        if agent is None or not agent.context:
            return Strip.blank(width, own)
        dim, rest, doubt = (
            own + self.get_component_rich_style(f"context--{name}", partial=True)
            for name in ("dim", "rest", "doubt")
        )
        told = f"  {format_tokens(agent.context)}"
        if agent.filled is None or agent.window is None:
            return Strip([Segment("context", dim), Segment(f"{told} tokens", own + BOLD)])
        is_full = agent.filled >= _NEARLY_FULL
        of = f" of {format_tokens(agent.window)} tokens  {percentage(agent)}"
        alarm = "  ! nearly full" if is_full else ""
        room = max(0, min(60, width - len(f"context {told}{of}{alarm}") - 1))
        full = min(room, max(1, round(room * agent.filled)))
        return Strip(
            [
                Segment("context ", dim),
                Segment("━" * full, doubt if is_full else dim),
                Segment("─" * (room - full), rest),
                Segment(told, (doubt if is_full else own) + BOLD),
                Segment(of, own),
                Segment(alarm, doubt),
            ]
        ).adjust_cell_length(width, own)


class AgentFollow(Vertical):
    """What one running agent is to do, how full it is, and what it did last."""

    DEFAULT_CSS = """
    AgentFollow {
        & #follow-what { height: 1; padding: 0 1; text-wrap: nowrap; text-overflow: ellipsis; }
    }
    """

    app: OrchApp

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 # Textual's own name
        super().__init__(id=id, classes="pane")
        self.agent: LiveAgent | None = None

    def compose(self) -> ComposeResult:
        yield Static("", markup=False, id="follow-what")
        yield ContextLine()
        yield StepLines(id="agent-steps")

    def follow(self, agent: LiveAgent) -> None:
        """Show this agent as it is now, and have the app look for what it did last."""
        before, self.agent = self.agent, agent
        of = (agent.claude_session, agent.agent_id)
        steps = self.query_one(StepLines)
        if before is None or (before.claude_session, before.agent_id) != of:
            steps.start_again()
        self.app.followed = of
        last = self.app.last_steps
        if last is not None and last.of == of:
            steps.show(last.steps, agent.seconds if agent.state == "tool" else agent.quiet)
        self.border_title = Content(f"Following {one_line(agent.agent_type or agent.agent_id, 60)}")
        label = agent.execution_id or "not recorded yet"
        self.border_subtitle = Content(f"{label} · it follows the end; scroll to hold")
        facts = (agent.model, _word_start(agent, steps.steps, self.app.project.now()))
        scope = one_line(agent.scope or "(no scope)", 200)
        told = "  ".join(("", " · ".join(filter(None, facts))))
        self.query_one("#follow-what", Static).update(
            Content.assemble((scope, "bold"), (told, "$foreground-muted"))
        )
        line = self.query_one(ContextLine)
        line.agent = agent
        line.refresh()


def _word_start(agent: LiveAgent, steps: Sequence[LiveStep], now: str) -> str:
    """When the first step that is known of began, as far as one knows."""
    if not steps or agent.is_partial:
        return ""
    return f"at work since {local_time(steps[0].at)[11:]}, {ago(steps[0].at, now)}"


class AgentPane(ModalScreen[None]):
    """What one agent does, how one knows, and what it did last."""

    DEFAULT_CSS = """
    AgentPane {
        background: $background;
        & AgentFollow { height: 1fr; }
        & #agent-facts { height: auto; max-height: 50%; padding: 0 1; text-wrap: nowrap;
                         text-overflow: ellipsis; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "app.pop_screen", "back to the list"),
        HELP_KEY,
    ]

    app: OrchApp

    def __init__(self, agent: LiveAgent) -> None:
        super().__init__()
        self._agent = agent

    @property
    def followed(self) -> tuple[str, str]:
        """The agent that is shown, by session and id."""
        return self._agent.claude_session, self._agent.agent_id

    def compose(self) -> ComposeResult:
        facts = Static("", markup=False, id="agent-facts", classes="pane")
        facts.border_title = Content(one_line(self._agent.agent_type or "This agent", 60))
        yield facts
        yield AgentFollow()
        yield KeyLine()

    def on_mount(self) -> None:
        self.app.agent_pane = self
        self._show()
        self.query_one(StepLines).focus()

    def on_unmount(self) -> None:
        self.app.agent_pane = None

    def show_agent(self, live: LiveSnapshot) -> None:
        """Show what the agent does by now; one that is gone from view stays as it was."""
        if not self.query(StepLines):  # it is closing
            return
        followed = (a for a in live.agents if (a.claude_session, a.agent_id) == self.followed)
        self._agent = next(followed, self._agent)
        self._show()

    def _show(self) -> None:
        agent = self._agent
        facts = (fact for fact in describe_agent(agent) if fact[0] != "context")
        told = [
            piece
            for name, value in facts
            for piece in ((f"{name:<{_NAMES}}  ", "$foreground-muted"), f"{value}\n")
        ]
        self.query_one("#agent-facts", Static).update(Content.assemble(*told).rstrip())
        self.query_one(AgentFollow).follow(agent)
