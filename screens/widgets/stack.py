"""What a limit is taken up by, part by part, readable without colour.

Every part has its own sign and colour in the bar, and its figure in the legend beneath; ``╱`` is
the rest of the estimate's band, ``┊`` where warning and critical begin, ``┃`` the limit, and ``╳``
what is beyond it. A gauge without parts is a thin line.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from rich.segment import Segment
from rich.style import Style
from textual.geometry import Size
from textual.reactive import reactive
from textual.strip import Strip
from textual.widget import Widget

from orch_tui.screens.theme import PARTS
from orch_tui.screens.widgets.line_list import fold_words
from orch_tui.screens.widgets.words import format_tokens

if TYPE_CHECKING:
    from orch_tui.prepare.budget import LimitGauge as Figures

TICK, LIMIT, BEYOND = "┊", "┃", "╳"
LEAST_BAR = 16


@dataclass(frozen=True, slots=True)
class GaugePart:
    """One part of what a limit is taken up by; its kind is one of ``theme.PARTS``."""

    kind: str
    name: str
    tokens: int

    @property
    def sign(self) -> str:
        return PARTS[self.kind]


def draw_bar(parts: Sequence[GaugePart], figures: Figures, width: int) -> list[tuple[str, str]]:
    """Draw the bar as pieces: the kind of what fills them, and their text.

    Every part that is there has at least one cell, as long as there is room. What an agent has
    anyway is the first part, and not of its limit. Where that is passed the scale grows.
    """
    ambient = figures.ambient.high
    limit, taken = ambient + max(0, figures.limit), ambient + figures.used.high
    whole = max(limit, taken, 1)
    end = width - 1 if taken <= limit else min(width - 2, int(limit / whole * width))
    cells: list[tuple[str, str]] = [("", " ")] * width
    for share in (figures.warn_threshold, figures.critical_threshold):
        cells[min(end, int((ambient + share * figures.limit) / whole * width))] = ("tick", TICK)
    at, known = 0, 0
    for part in parts:
        known += part.tokens
        to = min(width, max(round(known / whole * width), at + 1 if part.tokens else at))
        cells[at:to] = [(part.kind, part.sign)] * (to - at)
        at = to
    to = min(width, round(taken / whole * width))
    if known and not figures.used.exact:
        to = min(width, max(to, at + 1))
    cells[at:to] = [("uncertain", PARTS["uncertain"])] * (to - at)
    if taken > limit:
        cells[end + 1 :] = [("over", BEYOND)] * (width - end - 1)
    cells[end] = ("limit", LIMIT)
    return _join(cells)


def draw_line(figures: Figures, width: int) -> list[tuple[str, str]]:
    """Draw a sum without parts as a thin line."""
    share = min(1.0, figures.share)
    halves = round(2 * share * width) or (1 if figures.used.high else 0)
    full, half = divmod(halves, 2)
    line = "━" * full + "╸" * half
    kind = "over" if figures.status == "over" else "line"
    return [(kind, line), ("rest", "─" * (width - len(line)))]


def _join(cells: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    pieces: list[tuple[str, str]] = []
    for kind, text in cells:
        if pieces and pieces[-1][0] == kind:
            pieces[-1] = (kind, pieces[-1][1] + text)
        else:
            pieces.append((kind, text))
    return pieces


class Stack(Widget):
    """A name, a bar of several parts and its figures; beneath, as high as it must be, a legend."""

    DEFAULT_CSS = """
    Stack {
        height: auto;
        & > .stack--name { color: $foreground-muted; }
        & > .stack--figure { color: $foreground; text-style: bold; }
        & > .stack--ground { background: $panel; color: $foreground-muted; }
        & > .stack--line { color: $foreground; }
        & > .stack--rest { color: $line; }
        & > .stack--warning { color: $state-doubt; }
        & > .stack--critical { color: $state-failed; }
        & > .stack--over { color: $state-failed; text-style: bold; }
        & > .stack--had { color: $part-had; }
        & > .stack--template { color: $part-template; }
        & > .stack--required { color: $part-required; }
        & > .stack--recommended { color: $part-recommended; }
        & > .stack--optional { color: $part-optional; }
        & > .stack--shared { color: $part-shared; }
        & > .stack--uncertain { color: $part-uncertain; }
    }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        *(f"stack--{part}" for part in PARTS),
        *(
            f"stack--{name}"
            for name in ("name", "figure", "ground", "line", "rest", "warning", "critical", "over")
        ),
    }

    height_of_legend: reactive[int] = reactive(0, layout=True)

    def __init__(self, name: str, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._title = name
        self._parts: Sequence[GaugePart] = ()
        self._figures: Figures | None = None
        self._besides = ""

    def show(self, figures: Figures, parts: Sequence[GaugePart] = (), besides: str = "") -> None:
        """Show other figures; ``parts`` are what they are made of, in the order of the bar, and
        ``besides`` is what no figure tells of. Without parts it is a thin line."""
        self._figures, self._parts, self._besides = figures, parts, besides
        self.height_of_legend = len(self._fold_legend(self.size.width))
        self.refresh()

    def on_resize(self) -> None:
        self.height_of_legend = len(self._fold_legend(self.size.width))

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return 1 + len(self._fold_legend(width))

    def render_line(self, y: int) -> Strip:
        style = {
            name.removeprefix("stack--"): self.get_component_rich_style(name)
            for name in self.COMPONENT_CLASSES
        }
        if self._figures is None:
            segments = [Segment(f"{self._title} –" if not y else "", style["name"])]
        elif y == 0:
            segments = list(self._bar(self._figures, style))
        else:
            legend = self._fold_legend(self.size.width)
            line = legend[y - 1] if y <= len(legend) else ()
            segments = [
                Segment(text, style[{"mark": "name"}.get(kind, kind)]) for kind, text in line
            ]
        return Strip(segments).adjust_cell_length(self.size.width, self.rich_style)

    def _bar(self, figures: Figures, style: dict[str, Style]) -> Iterator[Segment]:
        name = f"{self._title} "
        for said in _figures_in_words(figures):
            room = self.size.width - len(name) - sum(len(text) for _, text in said) - 1
            if room >= LEAST_BAR:
                break
        yield Segment(name, style["name"])
        if figures.limit <= 0:
            yield Segment("! no room ".ljust(max(0, room)), style["over"])
        elif room > 4 and self._parts:
            ground = Style(bgcolor=style["ground"].bgcolor)
            for kind, text in draw_bar(self._parts, figures, room):
                known = style.get({"tick": "ground", "limit": "figure"}.get(kind, kind))
                yield Segment(text, (known or style["ground"]) + ground)
        elif room > 4:
            yield from (Segment(text, style[kind]) for kind, text in draw_line(figures, room))
        yield Segment(" ", self.rich_style)
        for kind, text in said:
            yield Segment(text, style[kind] + Style(reverse=kind == "over"))

    def _fold_legend(self, width: int) -> list[list[tuple[str, str]]]:
        """Return the lines of the legend, as pieces with their kinds; it wraps and is never cut."""
        figures = self._figures
        if figures is None or not self._parts:
            return []
        told = [
            ((part.kind, f"{part.sign} "), ("name", f"{part.name} "), ("figure", _short(part)))
            for part in self._parts
            if part.tokens
        ]
        band = sum(each.high - each.tokens for each in (figures.ambient, figures.used))
        if band or not figures.used.exact:
            sign = ("uncertain", f"{PARTS['uncertain']} ")
            told.append((sign, ("name", "uncertain "), ("figure", f"±{format_tokens(band)}")))
        room = max(20, width - len(self._title) - 2)
        besides = [
            (("name", ""), ("name", line), ("name", "")) for line in fold_words(self._besides, room)
        ]
        indent = ("name", " " * (len(self._title) + 1))
        lines, taken = [[indent]], len(indent[1])

        def add(entry: Sequence[tuple[str, str]]) -> None:
            nonlocal taken
            length = sum(len(text) for _, text in entry)
            if taken + length > width and len(lines[-1]) > 1:
                lines.append([indent])
                taken = len(indent[1])
            lines[-1].extend((*entry, ("name", "  ")))
            taken += length + 2

        for entry in told:
            add(entry)
        for marks in _name_marks(figures):
            if taken + sum(len(text) for _, text in marks) <= width:
                add(marks)
                break
        for entry in besides:
            add(entry)
        return lines if told else []


def _name_marks(figures: Figures) -> Iterator[Sequence[tuple[str, str]]]:
    """Name the marks of the bar, ever shorter; they stand in the legend where there is room."""
    warning, critical = 100 * figures.warn_threshold, 100 * figures.critical_threshold
    limit = (("mark", f"{LIMIT} "), ("name", "limit"))
    yield (
        *(("mark", f"{TICK} "), ("name", "warning "), ("figure", f"{warning:.0f} %")),
        *(("name", ", critical "), ("figure", f"{critical:.0f} %"), ("name", "  ")),
        *limit,
    )
    yield (("mark", f"{TICK} "), ("name", "warning, critical  "), *limit)


def _short(part: GaugePart) -> str:
    return format_tokens(part.tokens)


def _figures_in_words(figures: Figures) -> Iterator[list[tuple[str, str]]]:
    """Word the figures, ever shorter: what is used of the limit, and what is left of it."""
    used = f"{'' if figures.used.exact else '~'}{format_tokens(figures.used.tokens)}"
    whole = f"{used} of {format_tokens(max(0, figures.limit))}"
    left = figures.limit - figures.used.high
    status = {"ok": "name", "warning": "warning", "critical": "critical", "over": "over"}
    rest = f"{format_tokens(left)} free" if left >= 0 else f"OVER by {format_tokens(-left)}"
    unknown = f"  {figures.unknown} without a count" if figures.unknown else ""
    yield [("figure", used), ("name", whole.removeprefix(used)), ("name", "  ")] + [
        (status[figures.status], rest),
        ("warning", unknown),
    ]
    yield [("figure", used), ("name", whole.removeprefix(used)), ("name", "  ")] + [
        (status[figures.status], rest)
    ]
    yield [(status[figures.status], rest)]
