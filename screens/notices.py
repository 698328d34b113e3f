"""Notices: lines at the foot of the screen, where they cover nothing that is typed or read.

A short one stands in the footer, before the keys; longer ones stand above the keys, in a footer
that grows for as long. In a terminal of few lines they lie over the keys. A new one takes the place
of those that something before it brought.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from textual.content import Content
from textual.css.query import NoMatches
from textual.notifications import Notification
from textual.widgets._toast import Toast, ToastHolder, ToastRack

from orch_tui.screens.widgets.key_line import KeyLine

if TYPE_CHECKING:
    from textual.app import App

TOGETHER = 1.0
"""Seconds within which notices are of one thing that was done."""
MOST = 4
"""Lines that all notices take at most."""
BESIDE = 3
"""Cells of a line beside its words: the bar at its left, and room."""
KEYS = 40
"""Cells that the keys keep of the line where a notice stands before them."""
LOW = 20
"""Lines below which the terminal has none to spare for notices above the keys."""
LEAST_TIME = 0.1
"""Seconds that a notice is there at least. The time of one may be over before it is drawn, and with
an interval below 0 Textual's timer goes round for ever, and holds the event loop."""


def show_notices(app: App[Any]) -> None:
    """Show those of the app's notices that came last, on the screen in front."""
    if not app.screen_stack:
        return
    screen = app.screen
    shown = pick_last([*app._notifications])
    try:
        rack = screen.get_child_by_type(ToastRack)
    except NoMatches:  # it is just coming up
        return
    columns, rows = app.size
    width = max(20, columns - BESIDE)
    lines = min(MOST, sum(len(Content(notice.message).wrap(width)) for notice in shown))
    words = max((Content(notice.message).cell_length for notice in shown), default=0)
    before_keys = lines == 1 and words + BESIDE <= columns - KEYS
    above = 0 if before_keys or rows < LOW else lines
    app.call_later(_draw, rack, shown, words + BESIDE if before_keys else 0, int(above > 0))
    for footer in screen.query(KeyLine):
        footer.make_room(words + BESIDE if before_keys and shown else 0, above)
        footer.styles.height = above + 1 if above else max(1, lines)


async def _draw(rack: ToastRack, shown: list[Notification], width: int, above: int) -> None:
    with rack.app.batch_update():
        await rack.remove_children()
        toasts = [Toast(notice) for notice in shown]
        for toast in toasts:
            toast._timeout = max(LEAST_TIME, toast._timeout)
            if width:
                toast.styles.width = width
        rack.styles.margin = (0, 0, above, 0)
        await rack.mount_all(ToastHolder(toast) for toast in toasts)
        rack.display = bool(shown)


def pick_last(notices: list[Notification]) -> list[Notification]:
    """Pick the notices that came together with the newest."""
    newest = max((notice.raised_at for notice in notices), default=0.0)
    return [notice for notice in notices if notice.raised_at > newest - TOGETHER]
