"""A pane that has the screen for itself: what lies beside it is put away until it goes back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from weakref import WeakKeyDictionary

from textual.screen import Screen
from textual.widget import Widget

STAYS = "-stays"
"""The class of header, footer and notices."""

_ROOM: Mapping[str, object] = {
    "width": "1fr",
    "height": "1fr",
    "max_width": "100%",
    "max_height": "100%",
}
_AWAY: Mapping[str, object] = {"display": "none"}

_Kept = list[tuple[Widget, dict[str, object]]]
_KEPT: WeakKeyDictionary[Screen[Any], _Kept] = WeakKeyDictionary()
"""By screen on which a pane stands alone: the styles that its widgets had of their own."""


def toggle_room(screen: Screen[Any]) -> None:
    """Give the screen to the pane that has the keys, or put all back as it was."""
    pane = find_pane(screen.focused)
    if restore_room(screen) or pane is None:
        return
    kept: _Kept = []
    node: Widget = pane
    while isinstance(parent := node.parent, Widget):
        for beside in parent.children:
            if beside is not node and not beside.has_class(STAYS):
                kept.append(_put_on(beside, _AWAY))
        kept.append(_put_on(node, _ROOM))
        node = parent
    _KEPT[screen] = kept


def restore_room(screen: Screen[Any]) -> bool:
    """Put all panes back; tell whether one had the screen for itself."""
    kept = _KEPT.pop(screen, [])
    for widget, styles in kept:
        for name, value in styles.items():
            if value is None:
                widget.styles.inline.clear_rule(name)
            else:
                setattr(widget.styles, name, value)
        widget.refresh(layout=True)
    return bool(kept)


def _put_on(widget: Widget, styles: Mapping[str, object]) -> tuple[Widget, dict[str, object]]:
    """Give a widget styles of its own, and tell which it had; None: what the style sheet says."""
    had = {name: widget.styles.inline.get_rule(name, None) for name in styles}
    for name, value in styles.items():
        setattr(widget.styles, name, value)
    return widget, had


def find_pane(widget: Widget | None) -> Widget | None:
    """The outermost pane around a widget; None where it is in none."""
    around = [] if widget is None else widget.ancestors_with_self
    panes = [
        node
        for node in around
        if isinstance(node, Widget) and (node.has_class("pane") or node.has_class("tabbed"))
    ]
    return panes[-1] if panes else None
