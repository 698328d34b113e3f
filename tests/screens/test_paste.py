"""A text of any size, kept exactly as it was received."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from textual import events
from textual.app import App, ComposeResult
from textual.widgets import Input

from orch_tui.screens.widgets.lines import Lines
from orch_tui.screens.widgets.passages import fold
from orch_tui.screens.widgets.paste import EDITABLE, Editor, PasteArea, Verbatim, pasted

HOSTILE = "a\r\nb\rc\nd\u2028e\x0bf\x0cg\x85h\x1b[31mi\x00j\u202ek\udc80\té\n\n"
TEXTS = st.text(st.sampled_from("ab\r\n\t\u2028\x0b\x85\x1b\x00\u202eé漢\udc80"), max_size=30)


@given(TEXTS)
def test_a_document_gives_back_what_was_put_in(text: str) -> None:
    document = Verbatim(text)
    assert document.text == text
    assert document.get_text_range((0, 0), document.end) == text
    assert not any(set("\r\n\x1b\x00\x0b\x85\u2028\u202e") & set(line) for line in document.lines)


@given(TEXTS, st.lists(st.tuples(TEXTS, st.integers(0, 99), st.integers(0, 99)), max_size=6))
def test_edits_change_what_they_name_and_nothing_else(
    text: str, edits: list[tuple[str, int, int]]
) -> None:
    document = Verbatim(text)
    for insert, first, second in edits:
        before, (start, end) = (
            document.text,
            sorted((place(document, first), place(document, second))),
        )
        head = document.get_text_range((0, 0), start)
        tail = document.get_text_range(end, document.end)
        result = document.replace_range(start, end, insert)
        assert head + result.replaced_text + tail == before
        assert document.text == head + insert + tail
        assert document.get_text_range((0, 0), result.end_location) == head + insert
        assert document.line_count == len(document.lines)


def place(document: Verbatim, number: int) -> tuple[int, int]:
    row = number % document.line_count
    return row, number % (len(document.get_line(row)) + 1)


def test_the_line_ends_that_a_terminal_made_are_undone_and_no_others() -> None:
    assert pasted("a\rb\r") == "a\nb\n"
    assert pasted("a\r\nb\rc") == "a\r\nb\rc"
    assert pasted("a\nb") == "a\nb"


class Alone(App[None]):
    """The area, and something else to have the focus."""

    def __init__(self) -> None:
        super().__init__()
        self.stormed = 0

    def compose(self) -> ComposeResult:
        yield PasteArea()
        yield Input(id="other")

    def on_mount(self) -> None:
        self.query_one(PasteArea).focus_text()

    def on_editor_stormed(self) -> None:
        self.stormed += 1

    @property
    def area(self) -> PasteArea:
        return self.query_one(PasteArea)

    def paste(self, text: str) -> None:
        self.post_message(events.Paste(text))


async def test_a_paste_is_kept_exactly_and_once() -> None:
    app = Alone()
    async with app.run_test() as pilot:
        app.paste(HOSTILE)
        await pilot.pause()
        assert app.area.text == HOSTILE
        await pilot.press("x", "enter")
        assert app.area.text == HOSTILE + "x\n"


async def test_an_undo_gives_the_very_text_back() -> None:
    app = Alone()
    async with app.run_test() as pilot:
        app.paste(HOSTILE)
        await pilot.pause()
        app.area.editor.select_all()
        await pilot.press("delete")
        assert app.area.text == ""
        await pilot.press("ctrl+z")
        assert app.area.text == HOSTILE


async def test_what_is_typed_goes_where_the_cursor_is() -> None:
    app = Alone()
    async with app.run_test() as pilot:
        app.paste("one\r\ntwo")
        await pilot.pause()
        await pilot.press("up", "home", "a", "b", "backspace", "end", "!")
        assert app.area.text == "aone!\r\ntwo"


LARGE: tuple[Callable[[], str], ...] = (
    lambda: "0123456789\r\n" * 90_000,
    lambda: "x" * 1_048_576,
    lambda: "short\n" + "one long line " * 1000,
)


@pytest.mark.parametrize("make", LARGE)
async def test_a_large_paste_is_kept_beside_and_can_be_taken_back(make: Callable[[], str]) -> None:
    app, large = Alone(), make()
    async with app.run_test() as pilot:
        await pilot.press(*"before")
        app.paste(large)
        await pilot.pause()
        assert app.area.is_large and app.area.text == "before" + large
        assert len(app.area.query_one(Lines).text) < 10_000
        app.paste(" and more\n")
        await pilot.pause()
        assert app.area.text == "before" + large + " and more\n"
        await pilot.press("ctrl+z")
        assert app.area.text == "before" and not app.area.is_large
        await pilot.press("!")
        assert app.area.text == "before!"


async def test_a_text_that_was_loaded_large_is_not_taken_back() -> None:
    app = Alone()
    async with app.run_test() as pilot:
        app.area.load("line\n" * EDITABLE)
        await pilot.pause()
        app.area.focus_text()
        await pilot.press("ctrl+z")
        assert app.area.text == "line\n" * EDITABLE


async def test_a_storm_of_keys_is_inserted_whole_and_named() -> None:
    app = Alone()
    async with app.run_test() as pilot:
        keys = {"\n": "enter", "\t": "tab", " ": "space"}
        text = "a line\tof keys\n" * 40
        editor = app.query_one(Editor)
        for character in text:
            editor.post_message(events.Key(keys.get(character, character), character))
        await pilot.pause()
        assert app.area.text == text
        assert app.stormed == 1 and app.focused is editor


async def test_a_tab_alone_leaves_the_area() -> None:
    app = Alone()
    async with app.run_test() as pilot:
        await pilot.press("a", "tab")
        assert app.area.text == "a" and app.focused is app.query_one(Input)
        assert app.stormed == 0


@given(st.text("ab \u4e2d", max_size=60), st.integers(4, 20))
def test_folded_text_is_the_text_and_breaks_between_words(text: str, width: int) -> None:
    lines = ["".join(segment.text for segment in strip) for strip in fold(text, width)]
    assert "".join(lines) == text
    assert all(cell_len(line) <= width for line in lines)
    assert [line.text for line in fold("a few words here", 8)] == ["a few ", "words ", "here"]
