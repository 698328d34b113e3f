"""When the app has nothing left to do: what a test waits for, whatever else the machine does.

Textual's own pause waits until the process takes little of the processor for a while: on a loaded
machine it takes little however much is left to do, and on a quiet one every key waits in vain.
"""

from __future__ import annotations

import asyncio
from typing import Any
from weakref import WeakKeyDictionary, WeakSet

from textual._context import active_app
from textual.app import App
from textual.pilot import Pilot
from textual.screen import Screen

from orch_tui.app import OrchApp

ROUNDS = 3
"""What was answered may ask again: so often nothing is found to wait for."""


_put_off: WeakSet[Screen[Any]] = WeakSet()
_paint = Screen._compositor_refresh
_held_back: WeakKeyDictionary[App[Any], int] = WeakKeyDictionary()
"""How often an app put off what it shows, to mask that it goes to another screen."""


def put_off_painting(screen: Screen[Any]) -> None:
    """Stand in for ``Screen._compositor_refresh``: paint once at rest, and nothing on the way."""
    if screen is screen.app.screen:
        _put_off.add(screen)
        screen._dirty_widgets.clear()  # the compositor keeps what of them is to be painted
    else:
        _paint(screen)


def _paint_what_was_put_off(app: App[Any]) -> bool:
    screen = app.screen_stack[-1] if app.screen_stack else None
    if screen is None or screen not in _put_off or not screen.is_current or app._batch_count:
        return False
    _put_off.discard(screen)
    _paint(screen)
    return True


def hold_back(app: App[Any], delay: float = 0) -> None:
    """Stand in for ``App.delay_update``: what changes is shown at rest, not some time later."""
    app._begin_batch()
    _held_back[app] = _held_back.get(app, 0) + 1


def _show_what_was_held_back(app: App[Any]) -> bool:
    times = _held_back.pop(app, 0)
    for _ in range(times):
        app._end_batch()
    if times and not app._batch_count and app.screen_stack:
        app.screen.refresh()
    return bool(times)


async def wait_for_answers(min_sleep: float = 0, max_sleep: float = 0) -> None:
    """Wait until the event loop itself has nothing to do; between two keys nobody looks.

    All that is left then are threads and timers. It stands in for Textual's ``wait_for_idle`` and
    takes what that takes, which says nothing here.
    """
    loop: Any = asyncio.get_running_loop()
    app = active_app.get()
    quiet = 0
    while quiet < ROUNDS:
        await asyncio.sleep(0)
        quiet = 0 if loop._ready else quiet + 1
        if quiet == ROUNDS and app._resize_timer is not None:
            app._check_resize()
            quiet = 0
        elif quiet == ROUNDS and _show_what_was_held_back(app):
            quiet = 0
        elif quiet == ROUNDS and _waits_for_frame(app):
            app.screen._on_timer_update()  # frames come 60 times a second
            quiet = 0


async def wait_for_loop(min_sleep: float = 0, max_sleep: float = 0) -> None:
    """Wait likewise, and until what changed is painted."""
    while True:
        await wait_for_answers()
        if not _paint_what_was_put_off(active_app.get()):
            return


def _waits_for_frame(app: App[Any]) -> bool:
    screen = app.screen_stack[-1] if app.screen_stack else None
    if screen is None or not screen.is_current or app._batch_count:
        return False
    repaint = screen._layout_required or screen._scroll_required or screen._repaint_required
    return bool(repaint or screen._recompose_required or screen._dirty_widgets or screen._callbacks)


async def settled(pilot: Pilot[Any]) -> None:
    """Wait until everything that was asked is answered, and on the screen.

    All threads are waited for but the one that watches the record: it never ends.
    """
    quiet = 0
    while quiet < ROUNDS:
        await wait_for_answers()
        app = pilot.app
        busy = [worker for worker in app.workers if worker.group != "watch"]
        busy = [worker for worker in busy if not worker.is_finished]
        await asyncio.gather(*(worker.wait() for worker in busy), return_exceptions=True)
        coming_up = isinstance(app, OrchApp) and app.current_mode not in app.TITLES
        quiet = 0 if busy or coming_up else quiet + 1
        if quiet == ROUNDS and _paint_what_was_put_off(app):
            quiet -= 1  # what is painted may ask, too
    await pilot.pause()


async def stand_still(pilot: Pilot[Any]) -> None:
    """Wait as above, then until the record was looked at once more; nothing looks at it again."""
    await settled(pilot)
    app = pilot.app
    if isinstance(app, OrchApp):
        app._unmounted.set()
        watch = [worker for worker in app.workers if worker.group == "watch"]
        await asyncio.gather(*(worker.wait() for worker in watch), return_exceptions=True)
        if app._begun:
            app.on_record_changed()
        await settled(pilot)
