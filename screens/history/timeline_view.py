"""A session in time: a bar for each of its runs, nested ones beneath the one that launched them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.screen import ModalScreen
from textual.strip import Strip
from textual.widgets import Static

from orch_tui.screens.history.time_axis import TimeAxis, draw_bar
from orch_tui.screens.widgets.key_line import HELP_KEY, KeyLine
from orch_tui.screens.widgets.line_list import LineFrame, LineList, fit_text
from orch_tui.screens.widgets.safe import flat, one_line
from orch_tui.screens.widgets.words import state_of
from orch_tui.times import lasting, local_time, moment_of
from orch_tui.wording import plural

if TYPE_CHECKING:
    from orch_tui.recall.session_timeline import RunSpan, SessionTimeline

NAME_CELLS = 26
"""Cells for the name of a run; a third of the line where that is less."""
TOOK_CELLS = 7
DEEPEST = 6
STYLE_OF = {"running": "running", "ok": "ok", "bad": "bad", "warn": "warn"}
OPEN, WAITED = "╌", "┈"


class SpanLines:
    """The runs of a session as bars: a ``LineSource``."""

    def __init__(self, timeline: SessionTimeline, now: str) -> None:
        self.spans: Sequence[RunSpan] = timeline.spans
        self._times = {span.execution_id: _times(span) for span in self.spans}
        known = [times for times in self._times.values() if times]
        last = max((end or start for start, end in known), default=0.0)
        here = moment_of(now)
        is_open = any(end is None for _, end in known)
        # What never returned does not stretch the line to today.
        recent = here is not None and here.timestamp() - last < 3600
        self._until = here.timestamp() if here and is_open and recent else last
        self._axis = TimeAxis((), 1)

    def __len__(self) -> int:
        return len(self.spans)

    def can_hold_cursor(self, index: int) -> bool:
        return True

    def draw_title(self, frame: LineFrame) -> Strip:
        """Draw the axis, and with it fit all to the width."""
        name, bars = _cells(frame.width)
        if self._axis.width != bars:
            known = (times for times in self._times.values() if times)
            spans = ((start, self._until if end is None else end) for start, end in known)
            self._axis = TimeAxis(spans, bars)
        text = f"{'':{name + 1}}{self._axis.draw_times()} {'took':>{TOOK_CELLS}}"
        return Strip([Segment(text, frame.styles["dim"])]).adjust_cell_length(frame.width)

    def draw_line(self, index: int, frame: LineFrame, cursor: Style) -> Strip:
        span = self.spans[index]
        name, bars = _cells(frame.width)
        own, dim = frame.styles[""] + cursor, frame.styles["dim"] + cursor
        state, kind = state_of(span.status, span.unverified, span.success)
        coloured = frame.styles[STYLE_OF.get(kind, "dim")] + Style(bgcolor=own.bgcolor)
        indent = f"{'  ' * (min(span.depth, DEEPEST) - 1)}└ " if span.depth else ""
        times = self._times[span.execution_id]
        took = "" if times is None or times[1] is None else lasting(times[1] - times[0])
        segments = [
            Segment(f"{state[:1]} ", coloured),
            Segment(indent, dim),
            Segment(
                fit_text(flat(span.agent_type), max(1, name - 2 - cell_len(indent))),
                own + Style(bold=True),
            ),
            Segment(" ", own),
            *self._draw_bar(span, bars, coloured, dim),
            Segment(f" {took:>{TOOK_CELLS}}", own),
        ]
        return Strip(segments).adjust_cell_length(frame.width, own)

    def _draw_bar(self, span: RunSpan, width: int, own: Style, dim: Style) -> Iterator[Segment]:
        times = self._times[span.execution_id]
        if times is None:
            yield Segment(fit_text("at an unknown time", width), dim)
            return
        begun, ended = times
        start = self._axis.place(begun)
        end = self._axis.place(self._until if ended is None else ended)
        waited = [self._times[label] for label in span.waited_for if label in self._times]
        released = max((each[1] for each in waited if each and each[1]), default=begun)
        lead = range((self._axis.place(min(begun, released)) + 7) // 8, start // 8)
        for cell, (letter, is_reversed) in enumerate(draw_bar(start, end, width)):
            if letter != " ":
                letter = OPEN if ended is None else letter
                yield Segment(letter, own + Style(reverse=True) if is_reversed and ended else own)
            else:
                yield Segment(WAITED if cell in lead else " ", dim)


def _times(span: RunSpan) -> tuple[float, float | None] | None:
    """Give when a run began and ended, in seconds; None where the first is not known."""
    begun, ended = moment_of(span.begun_at), moment_of(span.ended_at)
    if begun is None:
        return None
    return begun.timestamp(), None if ended is None else max(begun, ended).timestamp()


def _cells(width: int) -> tuple[int, int]:
    """Share the cells of a line between names and bars."""
    name = min(NAME_CELLS, width // 3)
    return name, max(1, width - name - 2 - TOOK_CELLS)


class SpanList(LineList):
    """The bars, with a cursor."""

    STYLES: ClassVar[Mapping[str, str]] = {
        **LineList.STYLES,
        "dim": "$foreground-muted",
        "running": "$state-running",
        "ok": "$state-done",
        "bad": "$state-failed",
        "warn": "$state-doubt",
    }
    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "open", "open the run")]

    @dataclass
    class Moved(Message):
        """The cursor is on another run."""

        span: RunSpan

    @dataclass
    class Opened(Message):
        """A run is to be opened."""

        span: RunSpan

    def __init__(self, timeline: SessionTimeline, now: str) -> None:
        self._lines = SpanLines(timeline, now)
        empty = "Nothing ran in this session."
        super().__init__(self._lines, title=self._lines.draw_title, empty=empty, id="spans")

    @property
    def span(self) -> RunSpan | None:
        return self._lines.spans[self.cursor] if len(self._lines) else None

    def cursor_moved(self) -> None:
        if self.span is not None:
            self.post_message(self.Moved(self.span))

    def line_clicked(self, index: int, event: events.Click) -> None:
        if event.chain == 2:
            self.action_open()

    def action_open(self) -> None:
        if self.span is not None:
            self.post_message(self.Opened(self.span))


class TimelineView(ModalScreen[None]):
    """When the runs of a session ran; Enter opens one."""

    DEFAULT_CSS = """
    TimelineView {
        & > .pane { height: 1fr; & > #spans { height: 1fr; } }
        & #about-run { height: 2; padding: 0 2; border-top: none; color: $foreground-muted; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "app.pop_screen", "back to the list"),
        HELP_KEY,
    ]

    def __init__(
        self, timeline: SessionTimeline, now: str, label: str, open_run: Callable[[str], None]
    ) -> None:
        """``label`` is the run to begin at; ``open_run`` shows one whole."""
        super().__init__()
        self._timeline = timeline
        self._now = now
        self._label = label
        self._open_run = open_run
        self._names: Mapping[str, str] = {
            span.execution_id: span.agent_type for span in timeline.spans
        }

    def compose(self) -> ComposeResult:
        session, spans = self._timeline.session, self._timeline.spans
        with Vertical(classes="pane") as pane:
            pane.border_title = Content(f"Runs in time: {one_line(session.scope, 100)}")
            count = plural(self._timeline.count, "run")
            shown = "" if len(spans) == self._timeline.count else f", the first {len(spans)} shown"
            pane.border_subtitle = Content(f"{one_line(session.session_id, 60)} · {count}{shown}")
            yield SpanList(self._timeline, self._now)
            yield Static("", id="about-run", markup=False)
        yield KeyLine()

    def on_mount(self) -> None:
        bars = self.query_one(SpanList)
        bars.focus()
        found = (
            n for n, span in enumerate(self._timeline.spans) if span.execution_id == self._label
        )
        bars.move_to(next(found, 0))
        if bars.span is not None:
            self._tell(bars.span)

    @on(SpanList.Moved)
    def _moved(self, event: SpanList.Moved) -> None:
        self._tell(event.span)

    def _tell(self, span: RunSpan) -> None:
        """Say of the run under the cursor what its bar does not."""
        state, _ = state_of(span.status, span.unverified, span.success)
        begun, ended = moment_of(span.begun_at), moment_of(span.ended_at)
        until = local_time(span.ended_at)[11:] if begun and ended else "open"
        times = f"{local_time(span.begun_at)} to {until}"
        first = (span.execution_id, state[2:], times, span.scope)
        names = [f"{self._names.get(label, '')} {label}".strip() for label in span.waited_for]
        waited = f"waited for {', '.join(names)}" if names else ""
        parent = span.parent or ""
        by = f"launched by {self._names.get(parent, '')} {parent}" if parent else ""
        told = (" · ".join(filter(None, first)), " · ".join(filter(None, (waited, by))))
        self.query_one("#about-run", Static).update(
            Content("\n".join(one_line(line, 300) for line in told))
        )

    @on(SpanList.Opened)
    def _opened(self, event: SpanList.Opened) -> None:
        self._open_run(event.span.execution_id)
