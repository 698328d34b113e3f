"""One running agent over the whole screen, followed look by look."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from rich.segment import Segment
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.screen import ModalScreen
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.widgets import Static

from orch_tui.live.live_words import describe_agent
from orch_tui.screens.widgets.key_line import HELP_KEY, KeyLine
from orch_tui.screens.widgets.line_list import fit_text
from orch_tui.times import lasting, local_time

if TYPE_CHECKING:
    from orch_tui.app import OrchApp
    from orch_tui.live.live_agent import LiveAgent, LiveSnapshot, LiveStep

_NAMES = 12
"""Cells of the names of facts."""


class StepLines(ScrollView, can_focus=True, inherit_bindings=False):
    """What an agent did, a line each; stays at its end until somebody scrolls up."""

    DEFAULT_CSS = """
    StepLines {
        height: 1fr; background: $surface; padding: 0 1; overflow-x: hidden;
        scrollbar-size-vertical: 1;
        & > .steps--bad { color: $text-error; }
        & > .steps--words { color: $text-muted; }
    }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {"steps--bad", "steps--words"}
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "scroll_up", "Up", show=False),
        Binding("down,j", "scroll_down", "Down", show=False),
        Binding("pageup", "page_up", "Page up", show=False),
        Binding("pagedown", "page_down", "Page down", show=False),
        Binding("home,g", "scroll_home", "Top", show=False),
        Binding("end,G", "scroll_end", "Follow"),
    ]

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 # Textual's own name
        super().__init__(id=id)
        self._steps: Sequence[LiveStep] = ()
        self._follows = True

    def show(self, steps: Sequence[LiveStep]) -> None:
        """Show these steps; the view stays where somebody scrolled to."""
        if steps == self._steps:
            return
        self._steps = steps
        self.virtual_size = Size(self.scrollable_content_region.width, len(steps))
        self.refresh()
        if self._follows:
            self.call_after_refresh(self._go_to_end)

    def _go_to_end(self) -> None:
        if self._follows:
            self.scroll_end(animate=False, immediate=True)

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        self._follows = new_value >= self.max_scroll_y

    def render_line(self, y: int) -> Strip:
        style = self.rich_style
        index = y + round(self.scroll_offset.y)
        if index >= len(self._steps):
            return Strip.blank(self.size.width, style)
        step = self._steps[index]
        if step.is_error:
            style += self.get_component_rich_style("steps--bad", partial=True)
        elif not step.tool:
            style += self.get_component_rich_style("steps--words", partial=True)
        return Strip([Segment(fit_text(_step_line(step, self.size.width), self.size.width), style)])


def _step_line(step: LiveStep, width: int) -> str:
    """``12:00:01  Bash make test          3s  2.1 kB``."""
    at = local_time(step.at, seconds=True)[11:]
    text = f"{at}  {step.tool} {step.text}" if step.tool else f"{at}  “{step.text}”"
    if not step.tool or step.seconds is None:
        return text
    figures = f" {lasting(step.seconds):>5} {_size(step.size or 0):>8}"
    if step.is_error:
        figures = f" error{figures}"
    return fit_text(text, max(1, width - len(figures))) + figures


def _size(size: int) -> str:
    return f"{size} B" if size < 1000 else f"{size / 1000:,.1f} kB"


class AgentPane(ModalScreen[None]):
    """What one agent does, how one knows, and what it did last."""

    DEFAULT_CSS = """
    AgentPane {
        background: $background;
        & .title { height: 1; background: $panel; text-style: bold; text-wrap: nowrap;
                   text-overflow: ellipsis; }
        & #agent-facts { height: auto; max-height: 50%; padding: 0 1; text-wrap: nowrap;
                         text-overflow: ellipsis; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "app.pop_screen", "Back"),
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
        yield Static("", markup=False, classes="title")
        yield Static("", markup=False, id="agent-facts")
        yield StepLines(id="agent-steps")
        yield KeyLine()

    def on_mount(self) -> None:
        self.app.agent_pane = self
        self._show()
        self.query_one(StepLines).focus()

    def on_unmount(self) -> None:
        self.app.agent_pane = None

    def show_agent(self, live: LiveSnapshot, steps: Sequence[LiveStep]) -> None:
        """Show what the agent does by now; one that is gone from view stays as it was."""
        if not self.query(StepLines):  # it is closing
            return
        followed = (a for a in live.agents if (a.claude_session, a.agent_id) == self.followed)
        self._agent = next(followed, self._agent)
        self._show()
        if steps:
            self.query_one(StepLines).show(steps)

    def _show(self) -> None:
        agent = self._agent
        title = (agent.execution_id, agent.agent_type, agent.model, agent.scope)
        self.query_one(".title", Static).update(f" {' · '.join(filter(None, title))}")
        lines = [f"{name:<{_NAMES}}  {value}" for name, value in describe_agent(agent)]
        self.query_one("#agent-facts", Static).update("\n".join(lines))
