"""Pairs of texts: a list of them, and beneath it how the two under the cursor differ."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content

from orch_tui.frozen import frozen
from orch_tui.screens.widgets.compared_texts import ComparedTexts
from orch_tui.screens.widgets.lines import Lines
from orch_tui.screens.widgets.passages import AsIs
from orch_tui.screens.widgets.row_list import Column, Row, Rows
from orch_tui.wording import plural

SAME = "same"
"""The key of the row that stands for all pairs that are the same."""


@frozen
class TextPair:
    """A row of the list, and the two texts it is about."""

    cells: tuple[str, ...]
    style: str
    name: str = ""
    left: str | None = None
    right: str | None = None
    note: str = ""
    """What is said where one of the texts is not there."""
    same: bool = False


class PairRows(Rows):
    """The list of pairs."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "select", "unfold or fold")]


class ComparedPane(Vertical):
    """The list, where there is one, and the difference; pairs that are the same are one row."""

    DEFAULT_CSS = """
    ComparedPane {
        & > #pairs { height: auto; max-height: 50%; }
        & > #difference {
            height: 1fr; border-top: solid $line;
            border-title-color: $foreground; border-title-style: none;
            border-subtitle-color: $foreground-muted;
        }
        &.-listless > #pairs { display: none; }
        &.-listless > #difference { border-top: none; }
        &.-textless > #pairs { max-height: 100%; height: 1fr; }
        &.-textless > #difference { display: none; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,equals_sign", "fold", "unfold or fold", id="compare-fold", show=False),
        Binding("n", "step(1)", "next difference", id="compare-next"),
        Binding("N", "step(-1)", "difference before", id="compare-before", show=False),
    ]

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 # Textual's own name
        super().__init__(id=id)
        self._pairs: Sequence[TextPair] = ()
        self._folded = True
        self._same_shown = False

    def compose(self) -> ComposeResult:
        yield PairRows((), id="pairs")
        yield Lines(id="difference")

    @property
    def _rows(self) -> Rows:
        return self.query_one("#pairs", Rows)

    @property
    def _lines(self) -> Lines:
        return self.query_one("#difference", Lines)

    def show(
        self,
        pairs: Sequence[TextPair],
        columns: Sequence[Column],
        *,
        listed: bool = True,
        texts: bool = True,
        empty: str = "",
    ) -> None:
        """Show other pairs, those that differ first; ``listed`` and ``texts`` are what of them is
        shown."""
        self._pairs = sorted(pairs, key=lambda pair: pair.same)
        self._folded, self._same_shown = True, False
        self.set_class(not listed, "-listless")
        self.set_class(not texts, "-textless")
        self._rows.set_columns(columns)
        self._rows.show(self._make_rows(), empty=empty, keep=False)
        self._draw()

    def focus_part(self) -> None:
        """Focus the list, or where there is none the difference."""
        (self._lines if self.has_class("-listless") else self._rows).focus()

    def _make_rows(self) -> list[Row]:
        rows = [Row(str(n), pair.cells, pair.style) for n, pair in enumerate(self._pairs)]
        count = sum(pair.same for pair in self._pairs)
        if count < 2 or self._same_shown:
            return rows
        words = f"{count} more that are the same" if count < len(rows) else f"all {count} the same"
        return [*rows[:-count], Row(SAME, ("=", words, *[""] * (len(rows[0].cells) - 2)), "dim")]

    @property
    def _pair(self) -> TextPair | None:
        key = self._rows.key
        return self._pairs[int(key)] if key.isdigit() else None

    @on(Rows.Highlighted, "#pairs")
    def _highlighted(self, event: Rows.Highlighted) -> None:
        event.stop()
        self._folded = True
        self._draw()

    @on(Rows.Selected, "#pairs")
    def _selected(self, event: Rows.Selected) -> None:
        event.stop()
        self.action_fold()

    def action_fold(self) -> None:
        """Show what is the same, or fold it: lines of two texts, or the pairs of a row."""
        if self._rows.key == SAME:
            self._same_shown = True
            self._rows.wanted = str(len(self._pairs) - sum(pair.same for pair in self._pairs))
            self._rows.show(self._make_rows())
        else:
            self._folded = not self._folded
            self._draw()

    def action_step(self, by: int) -> None:
        self._lines.step_change(by)

    def _draw(self) -> None:
        pair, lines = self._pair, self._lines
        lines.border_title = ""
        if pair is None:
            note = "These are the same, byte for byte; Enter lists them." if self._pairs else ""
            lines.show_passages(note, (AsIs(note),))
        elif pair.left is None or pair.right is None:
            text = next((text for text in (pair.left, pair.right) if text is not None), "")
            note = f"{pair.note}\n\n{text}" if text else pair.note
            lines.show_passages(text, (AsIs(note),))
        elif pair.left == pair.right:
            note = pair.note or "They are the same, byte for byte."
            lines.show_passages(pair.left, (AsIs(f"{note}\n\n{pair.left}"),))
        else:
            texts = ComparedTexts(pair.left, pair.right, pair.name, self._folded)
            lines.show_passages(pair.right, (texts,))
        self._tell_place()

    def on_lines_found(self, event: Lines.Found) -> None:
        event.stop()
        self._tell_place()

    def _tell_place(self) -> None:
        pair, lines = self._pair, self._lines
        count, change = lines.change_count, lines.change
        place = f"difference {change} of {count}" if change else plural(count, "difference")
        name = pair.name if pair else ""
        told = "  ".join(filter(None, (name, place if count else "")))
        lines.border_title = Content(f" {told} ") if told else ""
