"""The keys that do something now, in the last line.

Textual's footer is a widget for every key, made anew whenever one changes: a third of the time
the app took to its first paint. This one draws a line.
"""

from __future__ import annotations

from typing import Any, ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from textual import events
from textual.binding import Binding
from textual.screen import Screen
from textual.strip import Strip
from textual.widget import Widget

HELP_KEY = Binding("question_mark", "app.toggle_help", "Keys", id="help")
"""The app's own, which a modal screen does not reach."""

ALWAYS = ("help", "help-anywhere")
"""The ids of the keys that say what all the others do, the better first: one is always there."""


class KeyLine(Widget):
    """As many keys as there is room for, in the order of their bindings, and the one for help."""

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
        self._keys: list[tuple[str, str, str, bool]] = []
        """Key as shown, description, key as pressed, whether it can be."""
        self._places: list[tuple[int, str]] = []
        """Where each that is drawn ends, and the key it stands for."""

    def on_mount(self) -> None:
        self.screen.bindings_updated_signal.subscribe(self, self._changed)
        self._read(self.screen)

    def _changed(self, screen: Screen[Any]) -> None:
        # Beneath another screen, actions of this one would be asked of that one.
        in_front = screen is self.screen and self.app.screen_stack[-1:] == [screen]
        if in_front and self.app.app_focus:
            self._read(screen)

    def _read(self, screen: Screen[Any]) -> None:
        shown: dict[str, tuple[str, str, str, bool]] = {}
        always: dict[str, tuple[str, str, str, bool]] = {}
        for _, binding, enabled, _ in screen.active_bindings.values():
            if not binding.show or binding.action in shown:
                continue
            key = (
                self.app.get_key_display(binding),
                binding.description,
                binding.key,
                enabled,
            )
            if binding.id in ALWAYS:
                always[binding.id] = key
            else:
                shown[binding.action] = key
        helps = [always[name] for name in ALWAYS if name in always]
        keys = [*shown.values(), *helps[:1]]
        if keys != self._keys:
            self._keys = keys
            self.refresh()

    def render_line(self, y: int) -> Strip:
        base = self.rich_style
        bold = self.get_component_rich_style("keys--key")
        dim = self.get_component_rich_style("keys--dim")
        segments: list[Segment] = []
        self._places = []
        at = 0
        for key, words, pressed, enabled in self._fitting():
            segments.append(Segment(f" {key}", bold if enabled else dim))
            segments.append(Segment(f" {words} ", base if enabled else dim))
            at += _width(key, words)
            self._places.append((at, pressed))
        return Strip(segments).adjust_cell_length(self.size.width, base)

    def _fitting(self) -> list[tuple[str, str, str, bool]]:
        if not self._keys:
            return []
        *others, last = self._keys
        room = self.size.width - _width(*last[:2])
        kept = []
        for key in others:
            room -= _width(*key[:2])
            if room < 0:
                break
            kept.append(key)
        return [*kept, last]

    def on_click(self, event: events.Click) -> None:
        for end, key in self._places:
            if event.x < end:
                self.app.simulate_key(key)
                return


def _width(key: str, words: str) -> int:
    return cell_len(key) + cell_len(words) + 3
