"""The keys of where one is: those of the pane first, those that only move about last.

Each can be found by its words and done from here, as in the list of commands, which has what stands
for no key, too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from textwrap import wrap
from typing import TYPE_CHECKING, Any, ClassVar

from textual import on
from textual.actions import parse
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.dom import DOMNode
from textual.screen import ModalScreen, Screen
from textual.widget import Widget
from textual.widgets import Input, TextArea

from orch_tui.screens.dialogs import find_rows
from orch_tui.screens.orch_screen import OrchScreen
from orch_tui.screens.widgets.row_list import Column, Row, Rows

if TYPE_CHECKING:
    from orch_tui.app import OrchApp

_CURSOR_KEYS = frozenset(
    ("up", "down", "left", "right", "pageup", "pagedown", "home", "end", "tab", "shift+tab")
    + ("ctrl+home", "ctrl+end", "ctrl+pageup", "ctrl+pagedown", "j", "k", "h", "l", "g", "G")
)


def _does(kinds: Iterable[type[DOMNode]]) -> frozenset[tuple[str, str]]:
    """Action and words of the bindings that a kind of widget brings along."""
    found = (binding for kind in kinds for binding in kind.BINDINGS if isinstance(binding, Binding))
    return frozenset((binding.action, binding.description) for binding in found)


_EDITING = _does((Input, TextArea))
"""What every text field does."""
_ANY_SCREEN = _does((Screen,))
ANY_OF_OURS = _does((OrchScreen,))
"""What each of the five screens does."""
_NO_WORDS = frozenset(("Close", "Copy selected text"))

TOGETHER = {
    "Up": ("Down", "a line up, a line down"),
    "Page up": ("Page down", "a page up, a page down"),
    "First": ("Last", "to the first, to the last"),
    "Top": ("End", "to the top, to the end"),
    "Focus Next": ("Focus Previous", "to the next pane, to the one before"),
    "next match": ("match before", "next match, the one before"),
    "next difference": ("difference before", "next difference, the one before"),
    "The border to the left": ("The border to the right", "the border between two panes"),
    "undo": ("redo", "undo, redo the last thing you did"),
}
"""Two that go together in one line, and what that says."""

_DONE_LAST = frozenset(("undo", *TOGETHER["undo"][:1]))
"""The same on every screen, whichever of its panes has a key of its own for it."""

ELSEWHERE = "elsewhere, or later"
"""Why a key does nothing now of which no more is known: that it stands apart says as much."""
SWITCHING = "app.switch_mode("
KEYS = Column("", 15, own="here", bold=True, gives_way=-1)
"""A column of keys."""
COLUMNS = (KEYS, Column(""))


@dataclass(frozen=True, slots=True)
class Key:
    """What one or more keys do; ``not_now`` is why they do nothing just now."""

    names: str
    words: str
    action: str = ""
    """Empty: there are several."""
    node: DOMNode | None = None
    not_now: str = ""


@dataclass(frozen=True, slots=True)
class KeyGroup:
    """Keys under one heading."""

    title: str
    keys: tuple[Key, ...]


def group_keys(screen: Screen[Any]) -> list[KeyGroup]:
    """Group the keys of a screen: those of the pane that has the focus, of the screen, its own that
    do nothing at the moment, the app's, those that move about, and those of any text field. Empty
    groups are left out."""
    pane: list[Found] = []
    own: list[Found] = []
    everywhere: list[Found] = []
    moving: list[Found] = []
    editing: list[Found] = []
    for active in screen.active_bindings.values():
        node, binding = active.node, active.binding
        does = (binding.action, binding.description)
        if binding.system or not binding.description or binding.description in _NO_WORDS:
            continue
        if binding.key in _CURSOR_KEYS:
            moving.append((node, binding))
        elif (
            isinstance(node, App)
            or does in (*_ANY_SCREEN, *ANY_OF_OURS)
            or binding.description in _DONE_LAST
        ):
            everywhere.append((node, binding))
        elif isinstance(node, Input | TextArea) and does in _EDITING:
            editing.append((node, binding))
        else:
            (own if node is screen else pane).append((node, binding))
    for keys in (pane, own):  # those of the footer first
        keys.sort(key=lambda each: not each[1].show)
    everywhere.sort(key=_order_in_app)
    active_now = (*pane, *own, *everywhere, *moving, *editing)
    known = {binding.description for _, binding in active_now}
    taken = {binding.key for _, binding in active_now}
    later = [
        (node, binding)
        for node, binding in list_bindings_around(screen)
        if binding.description not in known and binding.key not in taken
    ]
    typing = isinstance(screen.focused, Input | TextArea)
    app = screen.app
    groups = (
        (_name_pane(screen.focused), _join_keys(app, pane)),
        (_name_screen(screen), _join_keys(app, own)),
        (
            "Outside the text field" if typing else "Not just now",
            _join_keys(app, later, reasons=getattr(screen, "NOT_NOW", {})),
        ),
        ("On every screen", _join_keys(app, everywhere)),
        ("Moving about", _join_keys(app, moving)),
        ("In a text field", _join_keys(app, editing)),
    )
    return [KeyGroup(title, keys) for title, keys in groups if keys]


Found = tuple[DOMNode, Binding]


def list_bindings_around(screen: Screen[Any]) -> Iterator[Found]:
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


def _order_in_app(found: Found) -> int:
    """Order what is everywhere as the app lists it, and then what each screen has."""
    node, binding = found
    actions = [each.action for _, each in node._bindings] if isinstance(node, App) else []
    return actions.index(binding.action) if binding.action in actions else 1000


def _name_pane(focused: Widget | None) -> str:
    """Name the pane that has the focus as its border does, without its figures."""
    nodes = focused.ancestors_with_self if focused else []
    titles = (node.border_title for node in nodes if isinstance(node, Widget))
    told = next((Content.from_markup(title).plain for title in titles if title), "")
    name = told.partition(" · ")[0].strip()
    return name or ("In this field" if isinstance(focused, Input | TextArea) else "In this pane")


def _name_screen(screen: Screen[Any]) -> str:
    return f"On {name_place(screen)}" if isinstance(screen, OrchScreen) else "Here"


def name_place(screen: Screen[Any]) -> str:
    """Name the screen as the header does; empty: it is none of those."""
    app: OrchApp = screen.app  # type: ignore[assignment]
    return app.TITLES[app.current_mode] if isinstance(screen, OrchScreen) else ""


def _join_keys(
    app: App[Any], found: Iterable[Found], *, reasons: Mapping[str, str] | None = None
) -> tuple[Key, ...]:
    """Tell what can be done, each once, with all its keys. ``reasons``: they do nothing now."""
    by_words: dict[str, list[Found]] = {}
    for node, binding in found:
        switches = binding.action.startswith(("switch_mode(", SWITCHING))
        by_words.setdefault(SWITCHING if switches else binding.description, []).append(
            (node, binding)
        )
    keys = []
    for words, each in by_words.items():
        if any(words == after for after, _ in TOGETHER.values()) and _first_of(words) in by_words:
            continue
        other, both = TOGETHER.get(words, ("", ""))
        names = [app.get_key_display(binding) for _, binding in each]
        if words == SWITCHING:
            keys.append(_name_switching(each, names))
        elif other in by_words:
            others = [app.get_key_display(binding) for _, binding in by_words[other]]
            pairs = (pair for pair in zip(names, others, strict=False))
            keys.append(Key("  ".join(" ".join(pair) for pair in pairs), both))
        else:
            node, binding = each[0]
            reason = ""
            if reasons is not None:
                reason = reasons.get(parse(binding.action)[1], "") or ELSEWHERE
            # A reason takes the room of all that a key does.
            does = words if reason not in ("", ELSEWHERE) else binding.tooltip or words
            shown = "  ".join(sorted(dict.fromkeys(names), key=len))
            keys.append(Key(shown, does, binding.action, node, reason))
    return tuple(keys)


def _first_of(words: str) -> str:
    return next((first for first, (after, _) in TOGETHER.items() if after == words), "")


def _name_switching(found: Sequence[Found], names: Sequence[str]) -> Key:
    """Name the keys of all screens in one line, the first of each in their order."""
    first: dict[str, str] = {}
    for (_, binding), name in zip(found, names, strict=True):
        first.setdefault(binding.description, name)
    shown = list(first.values())
    return Key(f"{shown[0]} … {shown[-1]}", ", ".join(first))


def begin_large(words: str) -> str:
    """Begin words with a large letter, as a sentence does."""
    return words[:1].upper() + words[1:]


def _help_of(screen: Screen[Any]) -> str:
    """Return what the nearest part of a screen says of itself, as plain words."""
    nodes: list[DOMNode] = screen.focused.ancestors_with_self if screen.focused else [screen]
    told = next((node.HELP for node in nodes if node.HELP), "") or ""
    return told.replace("**", "").replace("`", "")


class KeyRows(Rows):
    """The keys; Enter does what the one under the cursor does."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "select", "Does it", show=False)]


class KeyHelp(ModalScreen[Key | None]):
    """A window with the keys of the screen beneath it; it scrolls, and Escape closes it. Its result
    is the key to do; None when it was closed."""

    DEFAULT_CSS = """
    KeyHelp {
        align: center middle;
        & > Vertical {
            width: 88; max-width: 96%; height: auto; max-height: 94%; padding: 0;
            border: round $border; background: $surface;
            border-title-color: $border; border-title-style: bold;
            border-subtitle-color: $foreground-muted;
        }
        & Rows { height: auto; padding: 0 1; }
        & Input { margin: 0 1; display: none; }
        & Input.-shown { display: block; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,question_mark", "close", "Close", id="help-close"),
        Binding("slash", "find", "Find", show=False),
        Binding("space", "move('page(1)')", "Page down", show=False),
        Binding("up", "move('cursor(-1)')", show=False),
        Binding("down", "move('cursor(1)')", show=False),
        Binding("pageup", "move('page(-1)')", show=False),
        Binding("pagedown", "move('page(1)')", show=False),
    ]

    def __init__(self, beneath: Screen[Any]) -> None:
        super().__init__()
        self._groups = group_keys(beneath)
        self._help = _help_of(beneath)
        self._place = name_place(beneath)
        self._keys = [key for group in self._groups for key in group.keys]
        self._list = KeyRows(COLUMNS, titled=False)
        self._all: list[Row] = []

    def compose(self) -> ComposeResult:
        with Vertical() as window:
            window.border_title = f"Keys in {self._place}" if self._place else "Keys"
            count = sum(bool(key.action) for key in self._keys)
            edges = ("/ finds", "Enter does it", "Esc closes", f"{count} keys")
            window.border_subtitle = " · ".join(edges)
            yield Input(placeholder="a key, or a word", compact=True)
            yield self._list

    def on_mount(self) -> None:
        self._list.focus()

    def on_resize(self) -> None:
        width = min(88, int(self.app.size.width * 0.96))
        self._all = [*self._draw(width - 6)]
        self._list.styles.max_height = max(3, int(self.app.size.height * 0.94) - 3)
        self._show(self.query_one(Input).value)

    def _draw(self, width: int) -> Iterator[Row]:
        number = 0
        for group in self._groups:
            if number:
                yield Row("", ("",), note=True)
            yield Row(group.title, (group.title,), section=True)
            for key in group.keys:
                why = "" if key.not_now == ELSEWHERE else key.not_now
                words = begin_large(key.words) + (f" · {why}" if why else "")
                yield Row(str(number), (key.names, words), "dim" if key.not_now else "")
                number += 1
        if self._help:
            yield Row("", ("",), note=True)
            yield Row("about", (f"About {self._place or 'this'}",), section=True)
            for paragraph in self._help.strip().split("\n\n"):
                for line in wrap(paragraph, width):
                    yield Row("", (line,), note=True)
                yield Row("", ("",), note=True)

    def _show(self, text: str) -> None:
        rows = find_rows([r for r in self._all if not r.note], text, (0, 1)) if text else self._all
        self._list.show(rows, empty="No key has these words.")
        if self._list.key not in {row.key for row in rows if row.key.isdigit()}:
            self._list.move_to_key(next((row.key for row in rows if row.key.isdigit()), ""))

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        self._show(event.value)

    @on(Input.Submitted)
    def _submitted(self) -> None:
        self._list.action_select()

    @on(Rows.Selected)
    def _chosen(self, event: Rows.Selected) -> None:
        event.stop()
        key = self._keys[int(event.key)] if event.key.isdigit() else None
        if key is not None and key.action and not key.not_now:
            self.dismiss(key)

    async def action_move(self, action: str) -> None:
        """Move in the list while the box has the keys."""
        await self._list.run_action(action)

    def action_find(self) -> None:
        box = self.query_one(Input)
        box.add_class("-shown")
        box.focus()

    def action_close(self) -> None:
        """Close the box of what was found first, then the window."""
        box = self.query_one(Input)
        if box.has_class("-shown"):
            box.remove_class("-shown")
            box.value = ""
            self._list.focus()
        else:
            self.dismiss(None)
