"""One of several views, chosen in a line of their names: the upper edge of a pane."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from textual import events
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip
from textual.widget import Widget


class Tabs(Widget):
    """The names of the views, the one in front marked; whoever shows them has the keys.

    It is the upper edge of what stands beneath it, in a container of the class ``tabbed``.
    """

    DEFAULT_CSS = """
    Tabs {
        height: 1;
        & > .tabs--edge { color: $border-blurred; }
        & > .tabs--name { color: $foreground-muted; }
        & > .tabs--active { color: $foreground; text-style: bold; }
    }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {"tabs--edge", "tabs--name", "tabs--active"}

    active: reactive[str] = reactive("", init=False)

    @dataclass
    class Activated(Message):
        """Another view is in front."""

        tabs: Tabs
        name: str

        @property
        def control(self) -> Tabs:
            return self.tabs

    def __init__(self, names: Mapping[str, str], *, id: str | None = None) -> None:  # noqa: A002
        """``names`` maps what a view is called here to its title."""
        super().__init__(id=id)
        self._titles = dict(names)
        self.set_reactive(Tabs.active, next(iter(names)))

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._titles)

    @property
    def titles(self) -> tuple[str, ...]:
        return tuple(self._titles.values())

    def retitle(self, name: str, title: str) -> None:
        """Another title for a view."""
        if self._titles[name] != title:
            self._titles[name] = title
            self.refresh()

    def step(self, by: int) -> None:
        """Go to the next view, or another near it; after the last comes the first."""
        self.active = self.names[(self.names.index(self.active) + by) % len(self.names)]

    def watch_active(self, name: str) -> None:
        self.post_message(self.Activated(self, name))

    def render_line(self, y: int) -> Strip:
        base = self.rich_style
        edge, name, active = (
            base + self.get_component_rich_style(f"tabs--{part}", partial=True)
            for part in ("edge", "name", "active")
        )
        segments = [Segment("╭─", edge)]
        for key, title, between in self._parts():
            segments += [
                Segment(between, edge),
                Segment(f" {title} ", active if key == self.active else name),
            ]
        room = self.size.width - sum(segment.cell_length for segment in segments) - 1
        segments.append(Segment("─" * max(0, room) + "╮", edge))
        return Strip(segments).adjust_cell_length(self.size.width, edge)

    def _parts(self) -> Iterator[tuple[str, str, str]]:
        """Yield each view, its title, and what stands before it."""
        between = ""
        for key, title in self._titles.items():
            yield key, title, between
            between = "│"

    @property
    def starts(self) -> Iterator[tuple[int, str]]:
        """The cell where the name of each view begins, and the view."""
        end = 2
        for key, title, between in self._parts():
            yield end + len(between), key
            end += cell_len(title) + 2 + len(between)

    def on_click(self, event: events.Click) -> None:
        before = [key for start, key in self.starts if start <= event.x]
        if before:
            self.active = before[-1]
