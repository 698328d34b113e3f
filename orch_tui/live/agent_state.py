"""What an agent is doing, decided from what its transcript, its sidecar and its client tell.

A pure reading, anew at each look: no state sticks, each has its evidence, and none is guessed from
how long nothing was written.
"""

from __future__ import annotations

from typing import Literal

from orch_tui.frozen import frozen
from orch_tui.live.agent_work import AgentWork, NewestRecord, OpenCall
from orch_tui.live.client_sessions import Client, Life
from orch_tui.record.claude_code import LAUNCHERS

StateName = Literal[
    "starting",
    "thinking",
    "tool",
    "asks",
    "asks?",
    "retrying",
    "waiting",
    "returned",
    "failed",
    "stopped",
    "gone",
    "unknown",
]
"""``tool``: a call is open; ``asks``: for a permission, with a mark where only its client's
session says so; ``waiting``: for its children; ``gone``: its client ended; ``unknown``: nobody
here can tell whether its client runs."""

ENDED: tuple[StateName, ...] = ("returned", "failed", "stopped", "gone")
NEEDS_SOMEBODY: tuple[StateName, ...] = ("asks", "asks?")

Mark = Literal["silent", "loops", "polls", "full"]

SILENT_AFTER = 120.0
"""Seconds of thinking; the client itself breaks off a stream that stands still for ten minutes."""

SILENT_CALL_AFTER = 600.0
"""Seconds of one call."""

FULL_FROM = 0.8
"""Share of the window."""

_WOKEN_WITHIN = 3.0
"""Seconds after the end of its child within which a client wakes an agent that waited for it."""

_ASKS_AFTER = 1.0
"""Seconds a call must be open: calls that need no permission looked so for a quarter of one."""

_OF_RECORD: dict[NewestRecord, str] = {
    "": "no record yet",
    "prompt": "newest record: its prompt",
    "told": "newest record: a message to it",
    "asked": "newest record: a request to the model",
    "said": "newest record: its words",
    "called": "newest record: a call",
    "answered": "newest record: the result of a call",
    "ended": "its last message ended its turn",
    "failed": "newest record: an API error",
    "stopped": "newest record: the interruption",
}


@frozen
class SidecarFacts:
    """What Claude Code notes beside a transcript."""

    finished: bool = False
    stopped_by_user: bool = False
    written_at: float = 0.0
    """Seconds since 1970."""


@frozen
class PermissionAsked:
    """What a hook told of: an agent asks whether it may call a tool."""

    tool: str
    target: str
    at: float
    """Seconds since 1970."""


@frozen
class AgentState:
    """What an agent is doing, and how one knows."""

    name: StateName
    evidence: str
    since: float
    """Seconds since 1970."""
    tool: str = ""
    target: str = ""
    more_calls: int = 0
    """Other calls that are open beside this one."""
    count: int = 0
    """Of ``waiting``: children; of ``retrying``: attempts after the first."""


@frozen
class AgentSurroundings:
    """What stands around an agent at one look."""

    now: float
    """Seconds since 1970."""
    life: Life
    life_evidence: str
    client: Client | None = None
    running_children: int = 0
    child_back_at: float | None = None
    """When the last of its children that have ended did, in seconds since 1970."""
    asked: PermissionAsked | None = None
    open_calls_in_session: int = 1
    """Calls of all its session's agents that may be what is asked for."""
    is_explained: bool = False
    """A hook told who of its session asks for what its client waits for."""


def decide_state(work: AgentWork, sidecar: SidecarFacts, around: AgentSurroundings) -> AgentState:
    """Decide the state of an agent: the first that holds, ends before work."""
    last = work.last_at or around.now
    newest = work.newest
    if newest == "failed":
        return AgentState("failed", _OF_RECORD[newest], last)
    is_stopped = sidecar.stopped_by_user and _stands(sidecar, work)
    if newest == "stopped" or is_stopped:
        why = "its sidecar says that it was stopped" if is_stopped else _OF_RECORD[newest]
        return AgentState("stopped", why, last)
    calls = work.open_calls
    is_finished = sidecar.finished and _stands(sidecar, work)
    if is_finished or (newest == "ended" and not calls):
        if around.running_children:
            return _waits(around.running_children, last)
        back = around.child_back_at
        if back is not None and last < back and around.now - back < _WOKEN_WITHIN:
            return AgentState("waiting", "its child came back just now", last, count=1)
        why = "its sidecar says that it finished" if is_finished else _OF_RECORD[newest]
        return AgentState("returned", why, last)
    first = calls[0] if calls else OpenCall("", "", last)
    if around.life != "alive":
        name: StateName = "gone" if around.life == "gone" else "unknown"
        why = f"{around.life_evidence}; {_OF_RECORD[newest]}"
        return AgentState(name, why, last, first.tool, first.target, max(0, len(calls) - 1))
    if calls:
        return _of_calls(calls, around)
    retries = work.requests - 1
    if retries > 0:
        why = f"{work.requests} requests without an answer"
        return AgentState("retrying", why, last, count=retries)
    if newest in ("", "prompt"):
        return AgentState("starting", _OF_RECORD[newest], work.first_at or around.now)
    return AgentState("thinking", _OF_RECORD[newest], last)


def is_asked_for(call: OpenCall, client: Client, now: float) -> bool:
    """Whether an open call may be what a client waits to be allowed."""
    return (
        client.waits_for_permission
        and call.tool not in LAUNCHERS
        and call.at <= client.status_at
        and now - call.at > _ASKS_AFTER
    )


def find_marks(
    state: AgentState, work: AgentWork, *, now: float, window: int | None
) -> tuple[Mark, ...]:
    """Find what somebody should know of a running agent besides its state."""
    if state.name in ENDED:
        return ()
    marks: list[Mark] = []
    quiet = now - (state.since if state.name == "tool" else work.last_at or now)
    if state.name in ("starting", "thinking", "retrying") and quiet > SILENT_AFTER:
        marks.append("silent")
    if state.name == "tool" and quiet > SILENT_CALL_AFTER:
        marks.append("silent")
    if work.repetition.loops:
        marks.append("loops")
    elif work.repetition.polls:
        marks.append("polls")
    if window and work.context >= FULL_FROM * window:
        marks.append("full")
    return tuple(marks)


def _stands(sidecar: SidecarFacts, work: AgentWork) -> bool:
    """Whether what a sidecar says of an end was said after the newest record: an agent may have
    been woken since, and its sidecar not yet be rewritten."""
    woken = work.newest in ("told", "asked", "said", "called", "answered")
    return not (woken and work.last_at > sidecar.written_at)


def _waits(children: int, since: float) -> AgentState:
    runs = "child runs" if children == 1 else "children run"
    return AgentState("waiting", f"{children} {runs}", since, count=children)


def _of_calls(calls: list[OpenCall], around: AgentSurroundings) -> AgentState:
    client, asked = around.client, around.asked
    more = len(calls) - 1
    if asked is not None and is_unanswered(asked, calls, client):
        why = "its hook told that it asks for a permission"
        return AgentState("asks", why, asked.at, asked.tool, asked.target, more)
    wanted = [call for call in calls if client and is_asked_for(call, client, around.now)]
    if wanted and client and not around.is_explained:
        why = "its client waits for a permission, and this call is open"
        if around.open_calls_in_session > 1:
            why += f", one of {around.open_calls_in_session}"
        call = wanted[0]
        return AgentState(
            "asks?", why, max(call.at, client.status_at), call.tool, call.target, more
        )
    if around.running_children and all(call.tool in LAUNCHERS for call in calls):
        return _waits(around.running_children, calls[0].at)
    call = next((call for call in calls if call.tool not in LAUNCHERS), calls[0])
    return AgentState("tool", "a call without a result", call.at, call.tool, call.target, more)


def is_unanswered(asked: PermissionAsked, calls: list[OpenCall], client: Client | None) -> bool:
    """Whether a permission is still asked for: its call is open, and its client still waits."""
    if all(call.tool != asked.tool or call.at > asked.at + 1 for call in calls):
        return False
    return (
        client is None
        or not client.status
        or client.waits_for_permission
        or (client.status_at < asked.at)
    )
