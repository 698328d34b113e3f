"""The keys of where one is: those of the screen first, those that only move about last."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

from rich.table import Table
from rich.text import Text
from textual.app import App, ComposeResult
from textual.binding import ActiveBinding, Binding, BindingType
from textual.containers import VerticalScroll
from textual.dom import DOMNode
from textual.screen import ModalScreen, Screen
from textual.widgets import Input, Markdown, Static, TextArea

_CURSOR_KEYS = frozenset(
    ("up", "down", "left", "right", "pageup", "pagedown", "home", "end", "tab", "shift+tab")
    + ("ctrl+home", "ctrl+end", "ctrl+pageup", "ctrl+pagedown", "j", "k", "h", "l", "g", "G")
)


def _does(kinds: Iterable[type[DOMNode]]) -> frozenset[tuple[str, str]]:
    """Action and words of the bindings that a kind of Textual's brings along."""
    found = (binding for kind in kinds for binding in kind.BINDINGS if isinstance(binding, Binding))
    return frozenset((binding.action, binding.description) for binding in found)


_EDITING = _does((Input, TextArea))
"""What every text field does."""
_ANY_SCREEN = _does((Screen,))

KEY_WIDTH = 16
"""Cells for the keys; what does not fit goes on beneath."""


@dataclass(frozen=True, slots=True)
class KeyGroup:
    """Keys under one heading, each with what it does."""

    title: str
    keys: tuple[tuple[str, str], ...]
    is_own: bool = False
    """Of the screen itself, not of the app or of any text field."""


def group_keys(screen: Screen[Any]) -> list[KeyGroup]:
    """Group the keys of a screen: its own, its own that do nothing at the moment, the app's, those
    that move about, and those of any text field. Empty groups are left out."""
    own: list[ActiveBinding] = []
    everywhere: list[Binding] = []
    moving: list[Binding] = []
    editing: list[Binding] = []
    for active in screen.active_bindings.values():
        node, binding = active.node, active.binding
        does = (binding.action, binding.description)
        if binding.system or not binding.description:
            continue
        if binding.key in _CURSOR_KEYS:
            moving.append(binding)
        elif isinstance(node, App) or does in _ANY_SCREEN:
            everywhere.append(binding)
        elif isinstance(node, Input | TextArea) and does in _EDITING:
            editing.append(binding)
        else:
            own.append(active)
    # Those of the footer first, and the screen's before those of a list in it.
    own.sort(key=lambda each: (not each.binding.show, len(each.node.ancestors_with_self)))
    here = [active.binding for active in own]
    known = {binding.description for binding in (*here, *everywhere, *moving, *editing)}
    later = [each for _, each in list_bindings_around(screen) if each.description not in known]
    typing = isinstance(screen.focused, Input | TextArea)
    groups = (
        ("Here", here),
        ("Here, outside the text field" if typing else "Here, at other moments", later),
        ("Everywhere", everywhere),
        ("Moving about", moving),
        ("In a text field", editing),
    )
    shown = (
        KeyGroup(title, tuple(_rows(screen.app, keys)), is_own=keys is here or keys is later)
        for title, keys in groups
    )
    return [group for group in shown if group.keys]


def list_bindings_around(screen: Screen[Any]) -> Iterator[tuple[DOMNode, Binding]]:
    """List all bindings of the screen and of what holds the focus, whether they do anything now or
    not, and what each belongs to."""
    nodes: list[DOMNode] = screen.focused.ancestors_with_self if screen.focused else [screen]
    for node in reversed(nodes[: 1 + nodes.index(screen)]):
        if isinstance(node, Input | TextArea):
            continue
        bindings = node._bindings.copy()
        bindings.apply_keymap(screen.app._keymap)
        for _, binding in bindings:
            does = (binding.action, binding.description)
            if binding.system or not binding.description or does in _ANY_SCREEN:
                continue
            if binding.key not in _CURSOR_KEYS:
                yield node, binding


def _rows(app: App[Any], bindings: Iterable[Binding]) -> Iterator[tuple[str, str]]:
    """What can be done, each once, with all its keys."""
    keys: dict[str, list[str]] = {}
    for binding in bindings:
        shown = app.get_key_display(binding)
        names = keys.setdefault(binding.description, [])
        if shown not in names:
            names.append(shown)
    for words, names in keys.items():
        yield "  ".join(names), words


def _help_of(screen: Screen[Any]) -> str:
    """What the nearest part of a screen says of itself, in Markdown."""
    nodes: list[DOMNode] = screen.focused.ancestors_with_self if screen.focused else [screen]
    return next((node.HELP for node in nodes if node.HELP), "") or ""


class KeyHelp(ModalScreen[None]):
    """A window with the keys of the screen beneath it; it scrolls, and Escape closes it."""

    DEFAULT_CSS = """
    KeyHelp { align: center middle; }
    KeyHelp > VerticalScroll {
        width: 84; max-width: 96%; height: auto; max-height: 94%; scrollbar-size-vertical: 1;
        border: round $border; background: $surface; padding: 0 2;
        border-title-color: $foreground; border-title-style: bold;
        border-subtitle-color: $foreground-muted;
    }
    KeyHelp .group { height: auto; margin-bottom: 1; }
    KeyHelp Markdown { height: auto; background: $surface; padding: 0; margin: 0; }
    KeyHelp MarkdownParagraph { margin: 0 0 1 0; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,question_mark", "app.pop_screen", "Close", id="help-close"),
        Binding("j", "scroll('down')", "Down", show=False),
        Binding("k", "scroll('up')", "Up", show=False),
        Binding("space", "scroll('page_down')", "Page down", show=False),
        Binding("g", "scroll('home')", "Top", show=False),
        Binding("G", "scroll('end')", "End", show=False),
    ]

    def __init__(self, beneath: Screen[Any], title: str) -> None:
        super().__init__()
        self._groups = group_keys(beneath)
        self._help = _help_of(beneath)
        self._title = title

    def compose(self) -> ComposeResult:
        with VerticalScroll() as window:
            window.border_title = self._title
            window.border_subtitle = "↑ ↓ scroll   esc close"
            yield from self._tables(own=True)
            if self._help:
                yield Markdown(self._help)
            yield from self._tables(own=False)

    def _tables(self, *, own: bool) -> Iterator[Static]:
        for group in self._groups:
            if group.is_own is own:
                yield Static(_table(group), classes="group")

    def on_mount(self) -> None:
        self.query_one(VerticalScroll).focus()

    def action_scroll(self, to: str) -> None:
        getattr(self.query_one(VerticalScroll), f"scroll_{to}")(animate=False)


def _table(group: KeyGroup) -> Table:
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0), title_justify="left")
    table.title = Text(group.title, style="bold")
    table.add_column(width=KEY_WIDTH)
    table.add_column()
    for keys, words in group.keys:
        table.add_row(Text(keys, style="bold"), Text(words))
    return table
