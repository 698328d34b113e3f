"""The keys that do something now, in the last line.

Textual's footer is a widget for every key, made anew whenever one changes: a third of the time
the app took to its first paint. This one draws a line.
"""

from __future__ import annotations

from typing import Any, ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from textual import events
from textual.binding import ActiveBinding, Binding
from textual.screen import Screen
from textual.strip import Strip
from textual.widget import Widget

from orch_tui.screens.pane_room import STAYS

HELP_KEY = Binding("question_mark", "app.toggle_help", "help", id="help")
"""The app's own, which a modal screen does not reach."""
HELP_KEY_ANYWHERE = Binding("ctrl+g", "app.toggle_help", "help", id="help-anywhere")
"""The same for a modal screen in which one can type."""

HELPS = ("help", "help-anywhere")
"""The ids of the keys that say what all the others do, the better first: one is always there."""
QUITS = ("quit-by-letter", "quit")
"""Those that leave the app, the shorter first: one is there where the app can be left."""
PALETTE = ("palette",)
"""The id of the key for all commands, there as long as nothing gives way to it."""
ASIDE = (PALETTE, QUITS, HELPS)
"""The keys at the right, from the left."""

NEEDED = ("enter", "escape", "f8", "f9", "f6")
"""Keys that a screen cannot be used without: they come before others where there is little room."""

_Key = tuple[str, str, str, bool]


class KeyLine(Widget):
    """As many keys as there is room for, in the order of their bindings; at the right the ones for
    all commands, for leaving and for help."""

    DEFAULT_CLASSES = STAYS
    DEFAULT_CSS = """
    KeyLine {
        dock: bottom; height: 1;
        color: $footer-foreground; background: $footer-background;
        & > .keys--key { color: $footer-key-foreground; text-style: bold; }
        & > .keys--dim { color: $foreground-muted; }
    }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {"keys--key", "keys--dim"}

    def __init__(self) -> None:
        super().__init__()
        self._keys: list[_Key] = []
        """Key as shown, description, key as pressed, whether it can be."""
        self._aside: list[_Key] = []
        """Those at the right, the one that stays last."""
        self._places: list[tuple[int, str]] = []
        """Where each that is drawn ends, and the key it stands for."""
        self._before = 0
        """Cells before the keys that something else has."""
        self._above = 0
        """Lines above the keys that something else has."""

    def make_room(self, before: int, above: int) -> None:
        """Leave so many cells of the line, and so many lines, to what is told there."""
        if (before, above) != (self._before, self._above):
            self._before, self._above = before, above
            self.refresh()

    def on_mount(self) -> None:
        self.screen.bindings_updated_signal.subscribe(self, self._changed)
        self._read(self.screen)

    def _changed(self, screen: Screen[Any]) -> None:
        # Beneath another screen, actions of this one would be asked of that one.
        in_front = screen is self.screen and self.app.screen_stack[-1:] == [screen]
        if in_front and self.app.app_focus:
            self._read(screen)

    def _read(self, screen: Screen[Any]) -> None:
        shown: dict[str, _Key] = {}
        always: dict[str, _Key] = {}
        for _, binding, enabled, _ in _in_their_order(screen):
            if not binding.show or binding.action in shown:
                continue
            key = (
                self.app.get_key_display(binding),
                binding.description,
                binding.key,
                enabled,
            )
            if any(binding.id in ids for ids in ASIDE):
                always[f"{binding.id}"] = key
            else:
                shown[binding.action] = key
        keys = list(shown.values())
        found = ([always[name] for name in ids if name in always][:1] for ids in ASIDE)
        aside = [key for first in found for key in first]
        if (keys, aside) != (self._keys, self._aside):
            self._keys, self._aside = keys, aside
            self.refresh()

    def render_line(self, y: int) -> Strip:
        base = self.rich_style
        if y != self._above:
            return Strip.blank(self.size.width, base)
        bold = self.get_component_rich_style("keys--key")
        dim = self.get_component_rich_style("keys--dim")
        at = self._before
        segments = [Segment(" " * at, base)]
        self._places = [(at, "")]
        left, right = self._fitting()
        room = self.size.width - at - sum(_width(*key[:2]) for key in (*left, *right))
        for keys, before in ((left, 0), (right, max(0, room))):
            segments.append(Segment(" " * before, base))
            at += before
            for key, words, pressed, enabled in keys:
                segments.append(Segment(f" {key}", bold if enabled else dim))
                segments.append(Segment(f" {words} ", base if enabled else dim))
                at += _width(key, words)
                self._places.append((at, pressed))
        return Strip(segments).adjust_cell_length(self.size.width, base)

    def _fitting(self) -> tuple[list[_Key], list[_Key]]:
        """Return as many keys as there is room for, and those at the right."""
        aside = self._aside
        needed = sum(_width(*key[:2]) for key in (*self._keys, *aside))
        width = self.size.width - self._before
        if needed > width:
            aside = aside[-2:]
        room = width - sum(_width(*key[:2]) for key in aside)
        kept = set()
        for key in sorted(self._keys, key=_order_of_need):
            if (width := _width(*key[:2])) <= room:
                room -= width
                kept.add(key)
        return [key for key in self._keys if key in kept], aside

    def on_click(self, event: events.Click) -> None:
        clicked = event.get_content_offset_capture(self)
        if clicked.y != self._above:
            return
        for end, key in self._places:
            if clicked.x < end:
                if key:
                    self.app.simulate_key(key)
                return


def _order_of_need(key: _Key) -> int:
    return NEEDED.index(key[2]) if key[2] in NEEDED else len(NEEDED)


def _in_their_order(screen: Screen[Any]) -> list[ActiveBinding]:
    """The keys that do something now, of what has the focus first, those of one widget together
    and as it has them: Textual puts one that overrides another in the place of that."""
    active = list(screen.active_bindings.values())
    nodes = list(dict.fromkeys(each.node for each in active))
    places = {node: {key: n for n, (key, _) in enumerate(node._bindings)} for node in nodes}
    ranks = {node: number for number, node in enumerate(nodes)}

    def rank(each: ActiveBinding) -> tuple[int, int]:
        own = places[each.node]
        return ranks[each.node], own.get(each.binding.key, len(own))

    return sorted(active, key=rank)


def _width(key: str, words: str) -> int:
    return cell_len(key) + cell_len(words) + 3
