"""The first line of every screen: the screens, what runs, and the session with how full it is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, ClassVar

from rich.segment import Segment
from textual import events
from textual.strip import Strip
from textual.widget import Widget

from orch_tui.screens.pane_room import STAYS
from orch_tui.screens.theme import SIGNS
from orch_tui.screens.widgets.gauge import words
from orch_tui.screens.widgets.named_styles import read_styles
from orch_tui.screens.widgets.progress_line import progress_line
from orch_tui.screens.widgets.safe import one_line

if TYPE_CHECKING:
    from orch_tui.app import OrchApp


TITLES_FROM = 80
"""Columns from which the header has the titles of all screens; below it, of the one in front."""


class Header(Widget):
    """One line: the screens, what runs, and the session with how full it is."""

    DEFAULT_CLASSES = STAYS
    DEFAULT_CSS = """
    Header {
        dock: top; height: 1; background: $panel; color: $foreground;
    }
    """
    STYLES: ClassVar[Mapping[str, str]] = {
        "here": "bold $text-primary",
        "rest": "$foreground-muted",
        "running": "$state-running",
        "asks": "bold $state-asks",
        "doubt": "$state-doubt",
        "failed": "bold $state-failed",
        "done": "bold $state-done",
    }

    def __init__(self) -> None:
        super().__init__()
        self._ends: list[tuple[int, str]] = []
        """Where the name of each screen ends, and its mode."""

    def render_line(self, y: int) -> Strip:
        app: OrchApp = self.app  # type: ignore[assignment]
        style = read_styles(self, self.STYLES)
        base = style[""]
        segments = [Segment(" ", base)]
        at = 1
        self._ends = []
        for number, (mode, title) in enumerate(app.TITLES.items(), start=1):
            here = mode == app.current_mode
            shown = f"{number} {title}" if here or self.size.width >= TITLES_FROM else str(number)
            segments.append(Segment(f"{shown}  ", style["here" if here else "rest"]))
            at += len(shown) + 2
            self._ends.append((at, mode))
        badges, place = _fitting(app, self.size.width - at - 1)
        told = [Segment(text, style[state]) for state, text in badges]
        gauge = app.session_gauge
        alarm = gauge is not None and gauge.status in ("critical", "over")
        told.append(Segment(place, style["failed" if alarm else "rest"]))
        room = self.size.width - at - 1 - sum(segment.cell_length for segment in told)
        segments += [Segment(" " * max(0, room), base), *told]
        return Strip(segments).adjust_cell_length(self.size.width, base)

    async def on_click(self, event: events.Click) -> None:
        """Go to the screen whose name was clicked."""
        for end, mode in self._ends:
            if event.x < end:
                await self.run_action(f"app.switch_mode('{mode}')")
                return


_BADGES = {"running": "running", "asks": "asks"}
"""The states of what is counted; all else that is counted is a doubt."""


def _fitting(app: OrchApp, room: int) -> tuple[list[tuple[str, str]], str]:
    """Return the badges with their states, and the place one is at, as much as there is room for:
    the sign and the number of a badge always stay."""
    counts = app.live.counts if app.live else ()
    states = [(_BADGES.get(word, "doubt"), number, word) for number, word in counts]
    if app.unseen:
        states.append(("running", app.unseen, "waiting"))
    states += app.news.counts
    long = [(state, f"{SIGNS[state]} {number} {word}  ") for state, number, word in states]
    short = [(state, f"{SIGNS[state]} {number}  ") for state, number, _ in states]
    if app.hub_lag:
        long.append(("doubt", f"{SIGNS['doubt']} hub {app.hub_lag}  "))
        short.append(("doubt", f"{SIGNS['doubt']} hub  "))
    if app.to_index:  # how far that is comes before words
        long = short
    places = [*_name_place(app), ""]
    for badges in (long, short):
        taken = sum(len(text) for _, text in badges)
        for place in places:
            if place and taken + len(place) <= room:
                return badges, place
        if taken <= room:
            return badges, ""
    return short, ""


def _name_place(app: OrchApp) -> Iterator[str]:
    """Name the place one is at, ever shorter; while the search is indexed anew, how far that is."""
    full = "" if app.session_gauge is None else words(app.session_gauge)
    name = one_line(app.project.root.name, 40)
    if app.to_index:
        done = progress_line(app.to_index - app.still_to_index, app.to_index, 10)
        yield f"search index {done}"
        yield f"index {done}"
    if app.session is not None:
        scope, phase = one_line(app.session.scope), app.phase
        yield " · ".join(filter(None, (name, scope, phase, full)))
        yield " · ".join(filter(None, (scope, phase, full)))
        yield " · ".join(filter(None, (scope, full)))
        session = one_line(app.session.session_id, 60)
        yield " · ".join(filter(None, (session, phase, full)))
        yield f"session {full}"
        yield full
    yield name
