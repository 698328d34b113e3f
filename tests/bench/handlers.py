"""How long each of our handlers keeps the event loop, while somebody uses every screen."""

from __future__ import annotations

import asyncio
import gc
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from types import FrameType
from typing import Any, NamedTuple
from unittest.mock import patch

from textual import _callback, message_pump, screen, timer
from textual import app as textual_app
from textual.pilot import Pilot

from orch_tui.app import OrchApp
from orch_tui.paths import anything_waits
from orch_tui.project import Project
from tests.record import hook_events

KEYS = (
    *("f4", *"walrus", *["backspace"] * 6, "down", "pagedown", "pagedown", "f6", "f6"),
    *("escape", "G", "g", "enter", "escape"),
    *("f1", "down", "down", "tab", "down", "shift+tab"),
    *("f2", *"mod", "down", "enter", *["backspace"] * 3, "escape", "right", "down", "space"),
    *("down", "space", "tab", "p", "z", "f6", "f6"),
    *("f3", "right", "right", "down", "ctrl+f"),
    *("f5", "escape", "down", "down", "down", "w", "s"),
    *("f4", "f2", "f1"),
)
"""A walk through all screens."""


class Block(NamedTuple):
    """One handler called once."""

    taken: float
    """Of what is measured: seconds of CPU of the event loop's thread alone, or calls in it."""
    handler: str


class CallCounter:
    """Counts the calls of functions in this thread, as ``sys.setprofile`` hears of them.

    Unlike seconds they are the same however loaded the machine is. Only inside ``with`` is
    counted: being heard makes every call several times as slow.
    """

    def __init__(self) -> None:
        self.count = 0
        self._entered = 0

    def __enter__(self) -> None:
        self._entered += 1
        sys.setprofile(self._hear)

    def __exit__(self, *_: object) -> None:
        self._entered -= 1
        if not self._entered:
            sys.setprofile(None)

    def _hear(self, frame: FrameType, event: str, argument: object) -> None:
        if event in ("call", "c_call"):
            self.count += 1


@contextmanager
def blocks(
    measure: Callable[[], float], measuring: AbstractContextManager[None]
) -> Iterator[list[Block]]:
    """Measure every call of a handler, action, timer or callback of ours, inside ``measuring``."""
    taken: list[Block] = []
    invoke = _callback.invoke

    async def timed(callback: Callable[..., Any], *params: object) -> Any:
        function = getattr(callback, "func", callback)
        if not getattr(function, "__module__", "").startswith("orch_tui"):
            return await invoke(callback, *params)
        with measuring:
            start = measure()
            try:
                return await invoke(callback, *params)
            finally:
                took = measure() - start
                then = getattr(params[0] if params else None, "then", function)
                name = getattr(getattr(then, "func", then), "__qualname__", "")
                taken.append(Block(took, name))

    with (
        patch.object(message_pump, "invoke", timed),
        patch.object(textual_app, "invoke", timed),
        patch.object(timer, "invoke", timed),
        patch.object(screen, "invoke", timed),
    ):
        yield taken


_ALWAYS = nullcontext()


def walk(
    project: Project,
    measure: Callable[[], float] = time.thread_time,
    measuring: AbstractContextManager[None] = _ALWAYS,
) -> list[Block]:
    """Go through all screens of a project, and give what each handler took."""
    return asyncio.run(_walk(project, measure, measuring))


def walk_counting_calls(project: Project) -> list[Block]:
    """The same walk, measured by the number of calls.

    No garbage is collected meanwhile: what that calls would count as the handler's it falls into.
    """
    counter = CallCounter()
    gc.collect()
    gc.disable()
    try:
        return walk(project, lambda: counter.count, counter)
    finally:
        gc.enable()


async def _walk(
    project: Project, measure: Callable[[], float], measuring: AbstractContextManager[None]
) -> list[Block]:
    with blocks(measure, measuring) as taken:
        async with OrchApp(project).run_test(size=(140, 45)) as pilot:
            for key in KEYS:
                await pilot.press(key)
                await _answered(pilot)
    return taken


def hear(project: Project, payloads: int = 500) -> list[Block]:
    """Have payloads of hooks arrive while one screen after the other is open, and give what each
    handler took."""
    return asyncio.run(_hear(project, payloads // len(HEARD_ON)))


HEARD_ON = ("f1", "f3", "f4", "f5")
"""The screens that show runs."""
AT_ONCE = 20
"""Payloads that come between two looks of the app."""


async def _hear(project: Project, each: int) -> list[Block]:
    arrivals: list[Block] = []
    with blocks(time.thread_time, _ALWAYS) as taken:
        async with OrchApp(project).run_test(size=(140, 45)) as pilot:
            for place, key in enumerate(HEARD_ON):
                await pilot.press(key)
                await _answered(pilot)
                taken.clear()  # what opening a screen takes is measured by the walk
                runs = range(place * each, (place + 1) * each, 4)
                told = [event for run in runs for event in hook_events.background(run)]
                for first in range(0, len(told), AT_ONCE):
                    at = hook_events.START_NS + (place * each + first) * 10**9
                    hook_events.deliver(project.root, told[first : first + AT_ONCE], at)
                    while anything_waits(project.root):
                        await pilot.pause(0.02)
                    await _answered(pilot)
                arrivals += taken
    return arrivals


async def _answered(pilot: Pilot[None]) -> None:
    """Until the engine has answered what was asked; what it counts by itself may go on."""
    for _ in range(3):
        await pilot.pause()
        busy = [
            worker
            for worker in pilot.app.workers
            if worker.group not in ("watch", "count", "walk") and not worker.is_finished
        ]
        await asyncio.gather(*(worker.wait() for worker in busy), return_exceptions=True)


def longest(taken: list[Block], count: int = 5) -> list[Block]:
    """The longest of each handler, longest first."""
    best: dict[str, Block] = {}
    for block in taken:
        if block.taken > best.get(block.handler, block).taken or block.handler not in best:
            best[block.handler] = block
    return sorted(best.values(), reverse=True)[:count]
