"""Notices: lines at the foot of the screen, where they cover nothing that is typed or read.

They lie over the footer, which grows for as long as they take more lines than it has. A new one
takes the place of those that something before it brought.
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
    app.call_later(_draw, rack, shown)
    width = max(20, app.size.width - BESIDE)
    lines = sum(len(Content(notice.message).wrap(width)) for notice in shown)
    for footer in screen.query(KeyLine):
        footer.styles.height = max(1, min(MOST, lines))


async def _draw(rack: ToastRack, shown: list[Notification]) -> None:
    with rack.app.batch_update():
        await rack.remove_children()
        await rack.mount_all(ToastHolder(Toast(notice)) for notice in shown)
        rack.display = bool(shown)


def pick_last(notices: list[Notification]) -> list[Notification]:
    """Pick the notices that came together with the newest."""
    newest = max((notice.raised_at for notice in notices), default=0.0)
    return [notice for notice in notices if notice.raised_at > newest - TOGETHER]
