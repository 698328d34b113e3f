"""A few lines in the colours of their meaning, drawn anew for every width."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar, TypeAlias

from rich.cells import cell_len
from rich.segment import Segment
from textual.geometry import Size
from textual.strip import Strip
from textual.widget import Widget

from orch_tui.screens.widgets.line_list import fit_text
from orch_tui.screens.widgets.safe import flat

Spans: TypeAlias = Sequence[tuple[str, str]]
"""A line: texts, each with the name of its style before it; ``""`` is that of the widget."""

Draw: TypeAlias = Callable[[int, int], Sequence[Spans]]
"""Draws lines for a width and at most so many; more of them are not shown."""


def cells_of(spans: Spans) -> int:
    """Return how many cells a line takes."""
    return sum(cell_len(text) for _, text in spans)


class ToldLines(Widget):
    """Lines that somebody else draws; untrusted text in them is shown, never obeyed."""

    DEFAULT_CSS = """
    ToldLines {
        height: auto;
        & > .told--dim { color: $foreground-muted; }
        & > .told--rule { color: $line; }
        & > .told--key { color: $text-accent; }
        & > .told--bold { text-style: bold; }
        & > .told--planned { color: $state-planned; }
        & > .told--running { color: $state-running; }
        & > .told--asks { color: $state-asks; }
        & > .told--done { color: $state-done; }
        & > .told--failed { color: $state-failed; }
        & > .told--doubt { color: $state-doubt; }
        & > .told--over { color: $state-failed; text-style: bold reverse; }
    }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        f"told--{name}"
        for name in (
            *("dim", "rule", "key", "bold", "over"),
            *("planned", "running", "asks", "done", "failed", "doubt"),
        )
    }

    def __init__(self, *, most: int, id: str | None = None) -> None:  # noqa: A002 # Textual's own
        """``most`` is how many lines there are at most."""
        super().__init__(id=id)
        self.most = most
        self._draw: Draw = lambda width, height: ()
        self._lines: Sequence[Spans] = ()
        self._drawn_for = (0, 0)

    def show(self, draw: Draw) -> None:
        """Show other lines; the screen is laid out anew only where there are more or fewer."""
        self._draw = draw
        before = len(self._lines)
        width, _ = self._drawn_for
        self._drawn_for = (0, 0)
        self.refresh(layout=not width or len(self._drawn(width)) != before)

    @property
    def text(self) -> str:
        """What is shown, without colours."""
        width = self.size.width or 80
        return "\n".join("".join(text for _, text in spans) for spans in self._drawn(width))

    def _drawn(self, width: int) -> Sequence[Spans]:
        if self._drawn_for != (width, self.most):
            self._lines = list(self._draw(width, self.most))[: self.most]
            self._drawn_for = (width, self.most)
        return self._lines

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return len(self._drawn(width))

    def render_line(self, y: int) -> Strip:
        width, base = self.size.width, self.rich_style
        lines = self._drawn(width)
        left = width
        segments: list[Segment] = []
        for name, text in lines[y] if y < len(lines) else ():
            shown = flat(text)
            style = self.get_component_rich_style(f"told--{name}") if name else base
            if cell_len(shown) > left:
                shown = fit_text(shown, left)
            segments.append(Segment(shown, style))
            left -= cell_len(shown)
            if left <= 0:
                break
        return Strip(segments).adjust_cell_length(width, base)


def fold_spans(words: Sequence[Spans], width: int, gap: str = "   ") -> list[Spans]:
    """Put things beside each other, as many in a line as fit; none is broken in two."""
    lines: list[list[tuple[str, str]]] = []
    for spans in words:
        taken = cells_of(lines[-1]) + len(gap) if lines else 0
        if lines and taken + cells_of(spans) <= width:
            lines[-1] += [("", gap), *spans]
        else:
            lines.append(list(spans))
    return list(lines)


def thin_bar(share: float, width: int) -> tuple[str, str]:
    """Draw a sum without parts: ``━━╸`` that is taken, and ``───`` that is free."""
    halves = round(2 * width * min(1.0, max(0.0, share)))
    if share > 0:
        halves = max(1, halves)
    full = "━" * (halves // 2) + "╸" * (halves % 2)
    return full, "─" * (width - len(full))
