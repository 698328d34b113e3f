"""A place for a text of any size that is kept exactly as it was received.

Textual's own document turns every kind of line end into one and splits lines at characters that
are none; this one holds each line with the end it came with. A large text is not laid out at all:
it is kept beside the widget, and its beginning is shown.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar

from rich.text import Text
from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.widgets import TextArea
from textual.widgets.text_area import (
    Document,
    DocumentNavigator,
    EditResult,
    Location,
    WrappedDocument,
)

from orch_tui.screens.widgets.lines import Lines
from orch_tui.screens.widgets.safe import in_place

EDITABLE = 200_000
"""Characters up to which the text can be edited here."""

LONGEST_LINE = 5_000
"""Characters of a line from which drawing it takes too long for an editor."""

FOLDED = 20_000
"""Characters up to which long lines are folded; every edit of more would be felt."""

HEAD = 4_000
"""Characters shown of a text that is not edited here."""

_TYPED_AT_ONCE = 60
"""Keys waiting to be handled together that no fingers have typed."""

_HEADING = re.compile(r" {0,3}#{1,6}(?: |$)")
_ITEM = re.compile(r"\s*([-*+]|\d{1,3}[.)]) ")
"""How a heading and an item of a list begin in Markdown."""

_LINE = re.compile(r"[^\r\n]*(?:\r\n?|\n)")


class Verbatim(Document):
    """A document that gives back what was put in: every line has the end it came with.

    The lines that are drawn are harmless, with one character for each of the text's.
    """

    def __init__(self, text: str = "") -> None:
        super().__init__("")
        self._exact = [""]
        self._joined: str | None = None
        self.replace_range((0, 0), (0, 0), text)

    @property
    def text(self) -> str:
        if self._joined is None:
            self._joined = "".join(self._exact)
        return self._joined

    def replace_range(self, start: Location, end: Location, text: str) -> EditResult:
        (top, left), (bottom, right) = sorted(map(self._inside, (start, end)))
        replaced = self.get_text_range((top, left), (bottom, right))
        lines = _lines(self._exact[top][:left] + text)
        end_location = (top + len(lines) - 1, len(lines[-1]))
        lines[-1] += self._exact[bottom][right:]
        self._exact[top : bottom + 1] = lines
        self._lines[top : bottom + 1] = [in_place(line.rstrip("\r\n")) for line in lines]
        self._joined = None
        return EditResult(end_location, replaced)

    def get_text_range(self, start: Location, end: Location) -> str:
        (top, left), (bottom, right) = sorted(map(self._inside, (start, end)))
        if top == bottom:
            return self._exact[top][left:right]
        between = self._exact[top + 1 : bottom]
        return "".join([self._exact[top][left:], *between, self._exact[bottom][:right]])

    def _inside(self, location: Location) -> Location:
        """Deleting the last line, an editor names the one after it."""
        return min(location, self.end)


def _lines(text: str) -> list[str]:
    """The lines of a text with their ends; the last has none."""
    lines = _LINE.findall(text)
    return [*lines, text[sum(map(len, lines)) :]]


class Editor(TextArea):
    """A text area over a verbatim document that takes a storm of keys for what it is."""

    DEFAULT_CSS = """
    Editor {
        & > .editor--heading { color: $text-accent; text-style: bold; }
        & > .editor--list { color: $text-accent; }
        & > .editor--marked { background: $primary-muted; }
    }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "editor--heading",
        "editor--list",
        "editor--marked",
    }

    marked: int | None = None
    """The line that is told of elsewhere, from 0."""

    @dataclass
    class Stormed(Message):
        """So many keys came at once that they are a paste which the terminal did not mark."""

    def __init__(self, *, id: str | None = None, placeholder: str = "") -> None:  # noqa: A002
        super().__init__(id=id, placeholder=placeholder, highlight_cursor_line=False, compact=True)
        self.document = Verbatim()
        self.wrapped_document = WrappedDocument(self.document, tab_width=self.indent_width)
        self.navigator = DocumentNavigator(self.wrapped_document)
        self._typed: list[str] = []

    def get_line(self, line_index: int) -> Text:
        """Draw headings and lists as Markdown has them, and the line that is told of."""
        line = super().get_line(line_index)
        if line_index == self.marked:
            line.stylize(self.get_component_rich_style("editor--marked", partial=True))
        if _HEADING.match(line.plain):
            line.stylize(self.get_component_rich_style("editor--heading", partial=True))
        elif item := _ITEM.match(line.plain):
            style = self.get_component_rich_style("editor--list", partial=True)
            line.stylize(style, item.start(1), item.end(1))
        return line

    async def on_key(self, event: events.Key) -> None:
        """Gather what is typed, and insert it when no more keys are waiting."""
        typed = _TYPED.get(event.key) or (event.character if event.is_printable else None)
        if event.key == "tab" and self._typed:
            typed = "\t"  # in the middle of a storm it moves nothing
        if typed is None:
            self.insert_typed()
            return
        event.stop()
        event.prevent_default()
        if not self._typed:
            self.call_later(self._no_more_keys)
        self._typed.append(typed)

    def _no_more_keys(self) -> None:
        if self.app.message_queue_size > 1:
            self.set_timer(0.02, self._no_more_keys)
        else:
            self.insert_typed()

    def insert_typed(self) -> None:
        """Insert the keys gathered so far."""
        typed, self._typed = "".join(self._typed), []
        if typed:
            self.replace(typed, *self.selection, maintain_selection_offset=False)
            self.scroll_cursor_visible()
        if len(typed) >= _TYPED_AT_ONCE:
            self.post_message(self.Stormed())

    def fold(self, length: int) -> None:
        """Fold long lines, or not, before there are ``length`` characters to be laid out."""
        if self.soft_wrap != (length <= FOLDED):
            self.soft_wrap = length <= FOLDED

    async def on_paste(self, event: events.Paste) -> None:
        event.prevent_default()  # the area around it decides where the text goes
        self.insert_typed()


_TYPED = {"enter": "\n", "ctrl+j": "\n"}
"""Keys that a line end arrives as."""


class PasteArea(Vertical):
    """An editor for text of ordinary size, and the head of a text that is larger."""

    DEFAULT_CSS = """
    PasteArea {
        & > Editor { height: 1fr; border: none; padding: 0 1; }
        & > Lines { height: 1fr; display: none; }
        &.-large > Editor { display: none; }
        &.-large > Lines { display: block; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+z", "take_back", "Take the paste back", show=False),
    ]

    @dataclass
    class Changed(Message):
        """The text is another."""

        area: PasteArea

        @property
        def control(self) -> PasteArea:
            return self.area

        def can_replace(self, message: Message) -> bool:
            return isinstance(message, PasteArea.Changed)

    def __init__(self, *, id: str | None = None, placeholder: str = "") -> None:  # noqa: A002
        super().__init__(id=id)
        self._placeholder = placeholder
        self._large: str | None = None
        self._before: str | None = None
        """The text that a large paste came to."""

    def compose(self) -> ComposeResult:
        yield Editor(placeholder=self._placeholder)
        yield Lines()

    @property
    def editor(self) -> Editor:
        return self.query_one(Editor)

    @property
    def is_large(self) -> bool:
        """Too large to be edited here."""
        return self._large is not None

    @property
    def text(self) -> str:
        """The text, exactly as it was pasted and typed."""
        if self._large is not None:
            return self._large
        self.editor.insert_typed()
        return self.editor.document.text

    def load(self, text: str) -> None:
        """Show another text, with nothing to take back."""
        self._large = None
        self._before = None
        if _is_large(text):
            self._keep_beside(text)
        else:
            self._edit(text)

    def insert(self, text: str) -> None:
        """Put text where the cursor is; at the end of one that is not edited here."""
        if self._large is not None:
            self._keep_beside(self._large + text)
            return
        editor, document = self.editor, self.editor.document
        editor.insert_typed()
        start, end = sorted(editor.selection)
        before = document.text
        if _is_large(text) or len(before) + len(text) > EDITABLE:
            self._before = before
            whole = document.get_text_range((0, 0), start) + text
            self._keep_beside(whole + document.get_text_range(end, document.end))
        else:
            editor.fold(len(before) + len(text))
            editor.replace(text, start, end, maintain_selection_offset=False)
            editor.scroll_cursor_visible()

    def on_paste(self, event: events.Paste) -> None:
        event.stop()  # or the widget around would insert it once more
        self.insert(pasted(event.text))

    def action_take_back(self) -> None:
        """Return to what was there before the large text came."""
        if self._large is not None and self._before is not None:
            self.load(self._before)
            self.editor.focus()

    def mark_line(self, line: int | None) -> None:
        """Show a line of the text, from 1, and mark it; None takes the mark away."""
        editor = self.editor
        at = None if line is None or self.is_large else min(line, editor.document.line_count) - 1
        editor.marked = at
        if at is not None:
            editor.move_cursor((at, 0))
        editor.refresh()

    def focus_text(self) -> None:
        (self.query_one(Lines) if self.is_large else self.editor).focus()

    def _keep_beside(self, text: str) -> None:
        had_focus = self.has_focus_within
        self._large = text
        self.query_one(Lines).show(_head(text))
        self.add_class("-large")
        if had_focus:
            self.query_one(Lines).focus()
        self.post_message(self.Changed(self))

    def _edit(self, text: str) -> None:
        editor = self.editor
        self.remove_class("-large")
        editor.fold(len(text))
        editor.replace(text, (0, 0), editor.document.end, maintain_selection_offset=False)
        editor.move_cursor(editor.document.end)
        editor.history.clear()
        self.post_message(self.Changed(self))

    @on(TextArea.Changed)
    def _typed(self, event: TextArea.Changed) -> None:
        event.stop()
        text = self.editor.document.text
        self.editor.fold(len(text))
        if _is_large(text):  # key by key
            self._before = None
            self._keep_beside(text)
        elif not self.is_large:
            self.post_message(self.Changed(self))


def pasted(text: str) -> str:
    """A paste as it was copied.

    Terminals send the line feeds of a paste as carriage returns (xterm, VTE and tmux do). Where
    both came, or none, the text is what was received.
    """
    return text if "\n" in text else text.replace("\r", "\n")


def _is_large(text: str) -> bool:
    return len(text) > EDITABLE or any(len(line) > LONGEST_LINE for line in text.split("\n"))


def _head(text: str) -> str:
    beginning = text[:HEAD]
    return beginning if len(text) <= HEAD else beginning + "\n…"
