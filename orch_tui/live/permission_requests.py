"""What agents ask for, as a hook told of it: read in the inbox, where the last request of each
stays for an hour."""

from __future__ import annotations

from collections.abc import Collection

from orch_tui.errors import FormatError
from orch_tui.live.agent_state import PermissionAsked
from orch_tui.live.agent_work import describe_target
from orch_tui.live.words import clean_line
from orch_tui.record.hooks.inbox import list_asked, list_waiting
from orch_tui.record.hooks.payloads import parse_payload, read_permission

_LARGEST = 4_000_000
"""Bytes of a payload; what is to be written into a file stands in it."""


_FOUND_AFTER = 60.0
"""Seconds within which an agent that a hook tells of is found by who looks."""


class PermissionRequests:
    """The permissions that agents of the project at ``root``, or their sessions, asked for last."""

    def __init__(self, root: str) -> None:
        self._root = root
        self._seen: set[tuple[str, int]] = set()
        self.asked: dict[tuple[str, str], PermissionAsked] = {}
        """By session and agent; the main conversation has no name."""

    def look(self) -> None:
        """Read the payloads that came since the last look, and leave them where they are."""
        waiting = [*list_asked(self._root), *list_waiting(self._root)]
        for item in waiting:
            if (item.path, item.arrived_ns) not in self._seen and item.size <= _LARGEST:
                self._read(item.path, item.arrived_ns / 1e9)
        self._seen = {(item.path, item.arrived_ns) for item in waiting}

    def last_asked(self, claude_session: str) -> float | None:
        """When anybody in a session last asked, in seconds since 1970."""
        times = [
            asked.at for (session, _), asked in self.asked.items() if session == claude_session
        ]
        return max(times, default=None)

    def forget(self, now: float, running: Collection[tuple[str, str]]) -> None:
        """Drop what agents asked for that are not running, once they had time to be found."""
        for key, asked in list(self.asked.items()):
            if key not in running and now - asked.at > _FOUND_AFTER:
                del self.asked[key]

    def _read(self, path: str, at: float) -> None:
        try:
            with open(path, "rb") as file:
                data = file.read()
            found = read_permission(parse_payload(data)) if b"PermissionRequest" in data else None
        except (OSError, FormatError):
            return
        if found is None:
            return
        who = found.claude_session, found.agent_id
        if who not in self.asked or self.asked[who].at <= at:
            target = describe_target(found.given, self._root)
            self.asked[who] = PermissionAsked(clean_line(found.tool, 60), target, at)
