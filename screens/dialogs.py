"""Small questions over a screen: yes or no, one line of text, one of several."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace
from typing import ClassVar

from rich.cells import cell_len
from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.reactive import reactive
from textual.screen import ModalScreen
from textual.widgets import Input, OptionList, Static, TextArea
from textual.widgets.option_list import Option

from orch_tui.screens.widgets.row_list import Column, Row, Rows
from orch_tui.screens.widgets.safe import one_line

_CSS = """
{name} {{ align: center middle; }}
{name} > Vertical {{
    width: 72; max-width: 90%; height: auto; max-height: 90%;
    border: round $border; background: $surface; padding: 0 2;
    border-title-color: $border; border-title-style: bold;
}}
{name} .keys {{ margin-top: 1; }}
"""
SHORT = 44
"""Cells of a question that stands in the border of its dialog; a longer one is folded below it."""
_KEY = "bold $text-accent"
STAYS_SO = ("Esc", "leaves all as it is")


def _ask(box: Vertical, question: str, detail: str = "") -> Iterator[Static]:
    """Put the question in the border of its dialog or, where it is long, at its top; then what is
    to be known."""
    if cell_len(question) <= SHORT:
        box.border_title = Content(question)
    else:
        yield Static(Text(question, style="bold"))
    if detail:
        yield Static(Text(detail))


class Confirm(ModalScreen[bool]):
    """Yes or no; the answer is the screen's result."""

    DEFAULT_CSS = _CSS.format(name="Confirm")
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y,enter", "answer(True)", "Yes"),
        Binding("n,escape", "answer(False)", "No"),
    ]

    def __init__(self, question: str, *, detail: str = "", yes: str = "") -> None:
        """``yes`` is what Enter will do, in words."""
        super().__init__()
        self._question = question
        self._detail = detail
        self._yes = yes

    def compose(self) -> ComposeResult:
        keys = tell_keys(self._yes, [STAYS_SO]) if self._yes else tell_keys("yes", [("Esc", "no")])
        with Vertical() as box:
            yield from _ask(box, self._question, self._detail)
            yield Static(keys, classes="keys")

    def action_answer(self, answer: bool) -> None:
        self.dismiss(answer)


class Ask(ModalScreen[str | None]):
    """One line of text; None when it was left with Escape."""

    DEFAULT_CSS = _CSS.format(name="Ask") + (
        "Ask Input, Ask Input:focus { height: 1; border: none; padding: 0 1; margin-top: 1;"
        " background: $panel; }"
        "Ask #besides { margin-top: 1; }"
    )
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "leave", "Leave")]

    def __init__(self, question: str, *, value: str = "", detail: str = "") -> None:
        super().__init__()
        self._question = question
        self._value = value
        self._detail = detail
        self._besides = Static("", id="besides", markup=False)
        self._besides.display = False

    def tell(self, besides: str) -> None:
        """Say, too, what is found out while it is asked."""
        self._besides.update(besides)
        self._besides.display = bool(besides)

    def compose(self) -> ComposeResult:
        with Vertical() as box:
            yield from _ask(box, self._question, self._detail)
            yield self._besides
            yield Input(self._value, select_on_focus=False)  # it is there to be corrected
            yield Static(tell_keys("accepts it", [STAYS_SO]), classes="keys")

    @on(Input.Submitted)
    def _accept(self, event: Input.Submitted) -> None:
        self.dismiss(event.value)

    def action_leave(self) -> None:
        self.dismiss(None)


class Working(ModalScreen[None]):
    """Something takes a while; Escape stops it where it is."""

    DEFAULT_CSS = _CSS.format(name="Working")
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "stop", "Stop")]

    done: reactive[str] = reactive("")

    def __init__(self, what: str, stop: Callable[[], None]) -> None:
        super().__init__()
        self._what = what
        self._stop = stop

    def compose(self) -> ComposeResult:
        with Vertical() as box:
            yield from _ask(box, self._what)
            yield Static("", id="done", markup=False)
            yield Static(tell_keys("", [("Esc", "stops it where it is")]), classes="keys")

    def watch_done(self, done: str) -> None:
        if self.is_mounted:
            self.query_one("#done", Static).update(done)

    def action_stop(self) -> None:
        self._stop()
        self.dismiss()


class AskLong(ModalScreen[str | None]):
    """Words of any length, folded; None when it was left with Escape."""

    DEFAULT_CSS = _CSS.format(name="AskLong") + (
        "AskLong TextArea, AskLong TextArea:focus { height: auto; max-height: 12; margin-top: 1;"
        " border: none; padding: 0; }"
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "accept", "Accept", priority=True),
        Binding("escape", "leave", "Leave", priority=True),
    ]

    def __init__(self, question: str, *, value: str = "") -> None:
        super().__init__()
        self._question = question
        self._value = value

    def compose(self) -> ComposeResult:
        with Vertical() as box:
            yield from _ask(box, self._question)
            yield TextArea(self._value, highlight_cursor_line=False)
            yield Static(tell_keys("accepts it", [STAYS_SO]), classes="keys")

    def on_mount(self) -> None:
        area = self.query_one(TextArea)
        area.move_cursor(area.document.end)
        area.focus()

    def action_accept(self) -> None:
        self.dismiss(" ".join(self.query_one(TextArea).text.split()))

    def action_leave(self) -> None:
        self.dismiss(None)


class Pick(ModalScreen[str | None]):
    """One of several that are told in columns; None when it was left with Escape."""

    DEFAULT_CSS = """
    Pick {
        align: center middle;
        & > Vertical {
            width: 110; max-width: 96%; height: auto; max-height: 90%; padding: 0;
            border: round $border; background: $surface;
            border-title-color: $border; border-title-style: bold;
            border-subtitle-color: $foreground-muted;
        }
        & Rows { height: auto; max-height: 20; padding-right: 1; }
        & .detail { padding: 0 1; color: $foreground-muted; }
        & Input { margin: 0 1; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Leave"),
        Binding("up", "move('cursor(-1)')", show=False),
        Binding("down", "move('cursor(1)')", show=False),
        Binding("pageup", "move('page(-1)')", show=False),
        Binding("pagedown", "move('page(1)')", show=False),
    ]

    def __init__(
        self,
        question: str,
        columns: Sequence[Column],
        rows: Sequence[Row],
        *,
        detail: str = "",
        find_in: Collection[int] = (),
        at: str = "",
        enter: str = "chooses",
        fixed: Collection[str] = (),
        preview: Callable[[str], None] = lambda key: None,
    ) -> None:
        """The key of the row that is chosen is the result; those in ``fixed`` cannot be chosen.

        ``find_in`` are the columns that a box finds words in. ``at`` is the key that the cursor
        begins on, ``enter`` what Enter does, ``preview`` is told each key the cursor comes to.
        """
        super().__init__()
        self._question = question
        self._detail = detail
        self._all = rows
        self._find_in = find_in
        self._enter = enter
        self._fixed = fixed
        self._preview = preview
        self._list = Rows(columns, rows=rows, titled=any(column.title for column in columns))
        self._list.is_led = bool(find_in)
        self._at = at

    def compose(self) -> ComposeResult:
        with Vertical() as box:
            box.border_title = Content(self._question)
            if self._detail:
                yield Static(Text(self._detail), classes="detail")
            if self._find_in:
                yield Input(placeholder="find one by its words", compact=True)
            yield self._list

    def on_mount(self) -> None:
        self._list.move_to_key(self._at or self._first(self._all))
        self._tell_count(self._all)

    def _first(self, rows: Sequence[Row]) -> str:
        """The key of the first row that can be chosen."""
        can = (row.key for row in rows if not row.section and row.key not in self._fixed)
        return next(can, "")

    def on_resize(self) -> None:
        self._list.styles.max_height = max(3, int(self.app.size.height * 0.9) - 4)

    def _tell_count(self, rows: Sequence[Row]) -> None:
        of = sum(not row.section for row in self._all)
        shown = sum(not row.section for row in rows)
        count = f"{shown} of {of} · " if shown < of else ""
        self.query_one(
            Vertical
        ).border_subtitle = f"{count}Enter {self._enter} · Esc leaves all as it is"

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        rows = find_rows(self._all, event.value, self._find_in)
        self._list.show(rows, keep=False, empty="Nothing has these words.")
        self._list.move_to_key(self._first(rows))
        self._tell_count(rows)

    @on(Input.Submitted)
    def _submitted(self) -> None:
        self._list.action_select()

    @on(Rows.Highlighted)
    def _highlighted(self, event: Rows.Highlighted) -> None:
        event.stop()
        if event.key:
            self._preview(event.key)

    @on(Rows.Selected)
    def _chosen(self, event: Rows.Selected) -> None:
        event.stop()
        if event.key not in self._fixed:
            self.dismiss(event.key)

    async def action_move(self, action: str) -> None:
        """Move in the list while the box has the keys."""
        await self._list.run_action(action)

    def action_leave(self) -> None:
        self.dismiss(None)


def tell_keys(enter: str, others: Sequence[tuple[str, str]]) -> Content:
    """Say at the end of a dialog what Enter does (empty: nothing now), and other keys."""
    told: list[str | tuple[str, str]] = []
    if enter:
        told += [(" Enter ", f"reverse {_KEY}"), f" {enter}   "]
    for key, does in others:
        told += [(key, _KEY), f" {does}   "]
    return Content.assemble(*told)


def find_rows(rows: Sequence[Row], text: str, columns: Collection[int]) -> list[Row]:
    """Find the rows with every word of a text in some columns, marked, below their sections."""
    words = text.casefold().split()
    found: list[Row] = []
    section: Row | None = None
    for row in rows:
        cells = {n: cell.casefold() for n, cell in enumerate(row.cells) if n in columns}
        if row.section:
            section = row
        elif all(any(word in cell for cell in cells.values()) for word in words):
            if section is not None:
                found.append(replace(section, cells=section.cells[:1]) if words else section)
                section = None
            marks = ((n, _spans(cell, words)) for n, cell in cells.items())
            found.append(replace(row, marks=tuple((n, spans) for n, spans in marks if spans)))
    return found


def _spans(cell: str, words: Sequence[str]) -> tuple[tuple[int, int], ...]:
    """Where words begin and end in a cell."""
    places = ((cell.find(word), len(word)) for word in words)
    return tuple((at, at + length) for at, length in places if at >= 0)


class PickSeveral(ModalScreen[tuple[str, ...] | None]):
    """Several of many that are told in columns: Space marks, Enter takes the marked ones or, where
    none is, the one under the cursor. None when it was left with Escape."""

    DEFAULT_CSS = """
    PickSeveral {
        align: center middle;
        & > Vertical {
            width: 110; max-width: 98%; height: auto; padding: 0;
            border: round $border; background: $surface;
            border-title-color: $border; border-title-style: bold;
        }
        & Rows { height: auto; }
        & Static { padding: 0 1; color: $foreground-muted; }
        & .keys { color: $foreground; margin-top: 1; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Leave"),
        Binding("space", "mark", "Mark"),
    ]

    def __init__(
        self,
        question: str,
        columns: Sequence[Column],
        rows: Sequence[Row],
        *,
        fixed: Collection[str] = (),
        detail: str = "",
        consequence: Callable[[Sequence[str]], str],
    ) -> None:
        """The keys of the rows are the result, in their order. The first cell of a row is its mark,
        which those that are ``fixed`` keep: they cannot be taken. ``consequence`` says what Enter
        does with the rows of some keys."""
        super().__init__()
        self._question = question
        self._detail = detail
        self._rows = rows
        self._fixed = fixed
        self._consequence = consequence
        self._marked: set[str] = set()
        self._list = Rows(columns, rows=self._drawn())

    def compose(self) -> ComposeResult:
        with Vertical() as box:
            box.border_title = Content(self._question)
            if self._detail:
                yield Static(Text(self._detail))
            yield self._list
            yield Static("", classes="keys")

    def on_mount(self) -> None:
        self._tell()

    def on_resize(self) -> None:
        others = 7 + len(self._detail) // max(1, self.app.size.width - 8)
        self._list.styles.max_height = max(3, self.app.size.height - others)

    @property
    def taken(self) -> tuple[str, ...]:
        """The keys of the rows that Enter takes."""
        free = [row.key for row in self._rows if row.key not in self._fixed]
        marked = self._marked or {self._list.key}
        return tuple(key for key in free if key in marked)

    def _drawn(self) -> list[Row]:
        """The rows with their marks."""
        return [
            row
            if row.section or row.key in self._fixed
            else replace(row, cells=("■" if row.key in self._marked else "□", *row.cells[1:]))
            for row in self._rows
        ]

    @on(Rows.Highlighted)
    def _tell(self) -> None:
        """Say what the keys do now."""
        taken = self.taken
        keys = [("Space", "marks"), ("Esc", "changes nothing")]
        enter = self._consequence(taken) if taken else ""
        self.query_one(".keys", Static).update(tell_keys(enter, keys))

    def action_mark(self) -> None:
        """Mark the row under the cursor, or take the mark off, and go on to the next."""
        if (key := self._list.key) and key not in self._fixed:
            self._marked ^= {key}
            self._list.redraw(self._drawn())
            self._list.action_cursor(1)
            self._tell()

    @on(Rows.Selected)
    def _chosen(self, event: Rows.Selected) -> None:
        event.stop()
        if self.taken:
            self.dismiss(self.taken)

    def action_leave(self) -> None:
        self.dismiss(None)


MANY = 12
"""Choices from which on there is a box to find one in."""


class Choose(ModalScreen[str | None]):
    """One of several, by arrow keys, of many by typing; None when it was left with Escape."""

    DEFAULT_CSS = _CSS.format(name="Choose") + (
        "Choose OptionList, Choose OptionList:focus { height: auto; max-height: 16;"
        " padding: 0;"
        " border: none; background: $surface; }"
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Leave"),
        Binding("up", "cursor_up", "Up", show=False),
        Binding("down", "cursor_down", "Down", show=False),
    ]

    def __init__(
        self, question: str, choices: Sequence[tuple[str, str]], *, detail: str = ""
    ) -> None:
        """``choices`` are pairs of a key, which is the result, and the words for it."""
        super().__init__()
        self._question = question
        self._detail = detail
        self._choices = choices

    def compose(self) -> ComposeResult:
        with Vertical() as box:
            yield from _ask(box, self._question, self._detail)
            if len(self._choices) > MANY:
                yield Input(placeholder="find one by its words", compact=True)
            yield OptionList(*self._options(""))
            yield Static(tell_keys("chooses it", [STAYS_SO]), classes="keys")

    def _options(self, text: str) -> Iterator[Option]:
        """Those that hold every word of a text."""
        sought = text.lower().split()
        for number, (_, words) in enumerate(self._choices):
            if all(word in words.lower() for word in sought):
                shown = Text(one_line(words), no_wrap=True, overflow="ellipsis")
                yield Option(shown, id=str(number))

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        options = self.query_one(OptionList)
        options.set_options(self._options(event.value))
        options.action_first()

    @on(Input.Submitted)
    def _submitted(self) -> None:
        self.query_one(OptionList).action_select()

    @on(OptionList.OptionSelected)
    def _chosen(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(self._choices[int(event.option_id or 0)][0])

    def action_cursor_up(self) -> None:
        self.query_one(OptionList).action_cursor_up()

    def action_cursor_down(self) -> None:
        self.query_one(OptionList).action_cursor_down()

    def action_leave(self) -> None:
        self.dismiss(None)
