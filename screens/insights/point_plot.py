"""Points and lines over two scales, by dots of which each cell has eight; some points are big."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from rich.segment import Segment
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from orch_tui.screens.insights.day_columns import round_up
from orch_tui.screens.widgets.named_styles import read_styles
from orch_tui.screens.widgets.words import format_tokens

NO_DOT = "\u2800"
BIG = "●"
HERE = "◉"
QUARTERED = (1, 1.2, 1.6, 2, 2.4, 3.2, 4, 4.8, 6, 8)
"""Digits of which a quarter is short to write, too."""
ROOM = (8, 3)
"""Cells and lines that a plot needs; in less nothing is drawn."""


@dataclass(frozen=True, slots=True)
class PlotPoint:
    """One point; a big one is seen first."""

    key: str
    x: float
    y: float
    is_big: bool = False


@dataclass(frozen=True, slots=True)
class PlotLine:
    """A straight line, as ``factor * x + besides``, over the x that it was learned from.

    ``style`` is one of the plot's ``STYLES``.
    """

    factor: float
    besides: float
    style: str


class PointPlot(Widget, can_focus=True):
    """Tokens against tokens; one of the points can be chosen, Enter says which."""

    DEFAULT_CSS = """
    PointPlot {
    }
    """
    STYLES: ClassVar[Mapping[str, str]] = {
        "dot": "$state-running",
        "big": "bold $state-doubt",
        "same": "$foreground-muted",
        "learned": "$part-shared",
        "scale": "$foreground-muted",
        "here": "bold $foreground",
    }

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "select", "its run"),
        Binding("left,h", "step(-1)", "the point before", show=False),
        Binding("right,l", "step(1)", "the point after", show=False),
    ]

    @dataclass
    class Reached(Message, bubble=True):
        """Another point was chosen by a key or the mouse."""

        key: str

    class Selected(Message, bubble=True):
        """Enter or a double click on the chosen point."""

    def __init__(
        self,
        x_title: str,
        y_title: str,
        *,
        id: str | None = None,  # noqa: A002 # Textual's own name
        classes: str = "",
    ) -> None:
        super().__init__(id=id, classes=classes)
        self._titles = (x_title, y_title)
        self._points: Sequence[PlotPoint] = ()
        self._lines: Sequence[PlotLine] = ()
        self._here = ""
        self._drawn: list[list[tuple[str, str]]] = []
        self._drawn_for: object = None

    def show(self, points: Sequence[PlotPoint], lines: Sequence[PlotLine]) -> None:
        """Show other points; where they lie in one cell, the first is on top."""
        self._points, self._lines = points, lines
        self._drawn_for = None
        self.refresh()

    def point_out(self, key: str) -> None:
        """Mark the point with a key, wherever it lies."""
        if key != self._here:
            self._here = key
            self._drawn_for = None
            self.refresh()

    def action_step(self, by: int) -> None:
        points = sorted(self._points, key=lambda point: (point.x, point.y, point.key))
        if points:
            at = next((n for n, point in enumerate(points) if point.key == self._here), 0)
            self.post_message(self.Reached(points[max(0, min(len(points) - 1, at + by))].key))

    def action_select(self) -> None:
        self.post_message(self.Selected())

    # Drawing

    def render_line(self, y: int) -> Strip:
        size = (self.size.width, self.size.height)
        if self._drawn_for != size:
            self._drawn, self._drawn_for = self._draw(*size), size
        styles = read_styles(self, self.STYLES)
        base = styles[""]
        if y >= len(self._drawn):
            return Strip.blank(self.size.width, base)
        cells = [Segment(text, styles.get(name, base)) for text, name in self._drawn[y]]
        return Strip(Segment.simplify(cells)).adjust_cell_length(self.size.width, base)

    def _draw(self, width: int, height: int) -> list[list[tuple[str, str]]]:
        """Return the lines of the plot as texts and the names of their styles."""
        x_title, y_title = self._titles
        if not self._points:
            return []
        right = round_up(max(point.x for point in self._points), QUARTERED)
        top = round_up(max(point.y for point in self._points), QUARTERED)
        marks = _marks(top, height - 1)
        gutter = max(len(text) for text in marks.values()) + 1
        across = width - gutter
        if across < ROOM[0] or height - 1 < ROOM[1]:
            return []
        layers = self._layers(across, height - 1, right, top)
        lines: list[list[tuple[str, str]]] = []
        for row in range(height - 1):
            cells = [(marks.get(row, "").rjust(gutter - 1) + " ", "scale")]
            for column in range(across):
                cells.append(
                    next(
                        (
                            (glyph, style)
                            for style, texts in layers
                            if (glyph := texts[row][column]) != NO_DOT
                        ),
                        (" ", ""),
                    )
                )
            lines.append(cells)
        if len(y_title) + 1 < across:
            _write(lines[0], y_title)
        lines.append([(_scale(right, gutter, width, x_title), "scale")])
        return lines

    def _layers(
        self, width: int, height: int, right: float, top: float
    ) -> list[tuple[str, list[str]]]:
        """Return what lies on what, the uppermost first: a style, and the text of each line."""
        from plotille import Canvas

        def canvas() -> Any:
            return Canvas(width, height, 0, 0, right, top)

        def fits(value: float, limit: float, dots: int) -> float:
            return min(value, limit * (1 - 1 / dots))  # the upper end is not in the canvas

        def put(points: Sequence[PlotPoint], marker: str | None = None) -> list[str]:
            on = canvas()
            for point in points:
                x, y = fits(point.x, right, 2 * width), fits(point.y, top, 4 * height)
                on.point(x, y, marker=marker)
                if marker is None:  # a square, and so more than the dots of a line
                    for across, up in ((0.5, 0), (0, 0.25), (0.5, 0.25)):
                        on.point(x + across * right / width, y + up * top / height)
            text: str = on.plot(linesep="\n")
            return text.split("\n")

        def rule(line: PlotLine) -> list[str]:
            """Every third dot, so that it is told from points without colours too."""
            on = canvas()
            for dot in range(0, 2 * width, 3):
                x = (dot + 0.5) * right / (2 * width)
                if 0 <= (y := line.factor * x + line.besides) < top:
                    on.point(x, y)
            text: str = on.plot(linesep="\n")
            return text.split("\n")

        big = [point for point in self._points if point.is_big]
        here = [point for point in self._points if point.key == self._here]
        return [
            ("here", put(here, HERE)),
            ("big", put(big, BIG)),
            ("dot", put([point for point in self._points if not point.is_big])),
            *((line.style, rule(line)) for line in self._lines),
        ]


def _word(tokens: float) -> str:
    """Write a figure of a scale, without decimals that are none."""
    return format_tokens(round(tokens)).replace(".0k", "k").replace(".00M", "M")


def _marks(top: float, height: int) -> dict[int, str]:
    """Return what stands before which line: the scale from the top down to nothing."""
    parts = next((parts for parts in (4, 2, 1) if height > 3 * parts), 1)
    return {
        round((height - 1) * part / parts): _word(top * (parts - part) / parts)
        for part in range(parts + 1)
    }


def _scale(right: float, gutter: int, width: int, title: str) -> str:
    """Return the line beneath, with the name of what grows to the right at its end."""
    text = " " * (gutter - 1) + "0"
    across = width - gutter
    end = f"{_word(right)} {title}"
    for part in (1, 2, 3):
        mark = _word(right * part / 4)
        start = gutter + across * part // 4 - len(mark) // 2
        if len(text) + 1 < start and start + len(mark) + 1 < width - len(end):
            text = text.ljust(start) + mark
    return text.ljust(width - len(end)) + end


def _write(cells: list[tuple[str, str]], text: str) -> None:
    """Write a word over the first cells of a line, where nothing lies beneath it."""
    if all(glyph == " " for glyph, _ in cells[1 : len(text) + 1]):
        cells[1 : len(text) + 1] = [(letter, "scale") for letter in text]
