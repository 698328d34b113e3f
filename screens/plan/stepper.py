"""The five phases of a session, and the gate of each: what must be true to move on.

Five lines where there is room, one phase a line with its gates beside it; else two, the phases
in a row over the gates of the current one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.segment import Segment
from rich.style import Style
from textual.reactive import reactive
from textual.strip import Strip
from textual.widget import Widget

from orch_tui.phases import PHASES

if TYPE_CHECKING:
    from orch_tui.record.phase_gates import Gate


class Stepper(Widget):
    """Where a session stands; words and glyphs say it, colour only helps."""

    DEFAULT_CSS = """
    Stepper {
        height: 5;
        & > .stepper--done { color: $text-success; }
        & > .stepper--skipped { color: $text-warning; }
        & > .stepper--here { color: $text-accent; text-style: bold; }
        & > .stepper--ahead { color: $foreground-muted; }
        & > .stepper--met { color: $text-success; }
        & > .stepper--missing { color: $text-warning; }
    }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "stepper--done",
        "stepper--skipped",
        "stepper--here",
        "stepper--ahead",
        "stepper--met",
        "stepper--missing",
    }

    phase: reactive[int] = reactive(0)
    """1 to 5; 6 when the session is closed; 0 when there is none."""
    gates: reactive[tuple[Gate, ...]] = reactive(())

    def render_line(self, y: int) -> Strip:
        base = self.rich_style
        if not self.phase:
            return Strip.blank(self.size.width, base)
        if self.size.height >= len(PHASES):
            segments = self._phase(y + 1, 11) + self._gates_of(y + 1, base)
        elif y == 0:
            segments = []
            for phase in PHASES:
                if segments:
                    segments.append(Segment(" ─ ", self._style("ahead")))
                segments += self._phase(phase)
        else:
            muted = self._style("ahead")
            segments = [Segment("to move on: ", muted), *self._gates_of(self.phase, base)]
            if len(segments) == 1:
                last = "the last phase: c closes the session"
                segments = [Segment(last if self.phase == len(PHASES) else "closed", muted)]
        return Strip(segments).adjust_cell_length(self.size.width, base)

    def _style(self, name: str) -> Style:
        return self.get_component_rich_style(f"stepper--{name}")

    def _phase(self, phase: int, width: int = 0) -> list[Segment]:

        glyph, name = "○", "ahead"
        if phase == self.phase:
            glyph, name = "▶", "here"
        elif phase < self.phase:
            skipped = any(gate.phase == phase and not gate.met for gate in self.gates)
            glyph, name = ("!", "skipped") if skipped else ("✓", "done")
        return [Segment(f"{glyph} {phase} {PHASES[phase]:{width}}", self._style(name))]

    def _gates_of(self, phase: int, base: Style) -> list[Segment]:
        segments: list[Segment] = []
        for gate in self.gates:
            if gate.phase != phase:
                continue
            if segments:
                segments.append(Segment("   ", base))
            if gate.met:
                segments.append(Segment(f"✓ {gate.name}", self._style("met")))
            else:
                name = "missing" if phase <= self.phase else "ahead"
                word = " skipped" if phase < self.phase else ""
                segments.append(Segment(f"✗ {gate.name}{word}: {gate.missing}", self._style(name)))
        return segments
