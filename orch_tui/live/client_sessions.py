"""Which Claude Code process works on which session, and whether it still runs.

Since 2.1.139 each writes ``sessions/PID.json`` into its configuration folder, on changes only (so
the age of a file says nothing), and removes it at its end unless it was killed. The start of a
process, in clock ticks since boot, tells it from a later one of the same number.
"""

from __future__ import annotations

import os
import re
from functools import cache
from stat import S_ISREG
from typing import Literal

import msgspec

from orch_tui.frozen import frozen
from orch_tui.record.transcripts.transcript_lines import decode_struct

Life = Literal["alive", "gone", "unknown"]

WRITTEN_SINCE = (2, 1, 139)
"""The release from which a client writes the file."""

_NAME = re.compile(r"[0-9]{1,10}\.json")
_LARGEST = 64 * 1024
_PROC = "/proc"


class ClientFile(msgspec.Struct):
    """``sessions/PID.json``; times are milliseconds since 1970."""

    pid: int = 0
    sessionId: str = ""
    cwd: str = ""
    procStart: str | None = None
    pidDomain: str | None = None
    """Machine and pid namespace in which the pid means something."""
    startedAt: float = 0.0
    status: str = ""
    """idle, busy, waiting or shell."""
    waitingFor: str = ""
    statusUpdatedAt: float = 0.0


@frozen
class Client:
    """One client and its session."""

    pid: int
    claude_session: str
    cwd: str
    started_at: float
    """Seconds since 1970."""
    status: str
    waits_for: str
    status_at: float
    """Seconds since 1970 of the last change of ``status``."""
    life: Life

    @property
    def waits_for_permission(self) -> bool:
        """Whether it says that it waits for somebody to allow something."""
        return self.status == "waiting" and (
            not self.waits_for or "permission" in self.waits_for or "sandbox" in self.waits_for
        )


class ClientSessions:
    """The clients that have a file in one ``sessions`` folder; ``look`` reads what changed."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._files: dict[str, tuple[tuple[int, int], ClientFile]] = {}
        self._sessions_of: dict[str, set[str]] = {}
        """By file: every session it was seen with; ``/clear`` gives a client another one."""
        self.clients: dict[str, Client] = {}
        """By session."""
        self.left: set[str] = set()
        """Sessions whose client was seen and has taken its file away."""
        self.is_kept = False
        """There is such a folder: its clients say that they run."""

    def look(self) -> None:
        """Read the files that changed, and ask the system which clients live.

        A file that cannot be understood, torn perhaps, counts as it was.
        """
        names = self._list()
        for name in self._files.keys() - names:
            del self._files[name]
            self.left |= self._sessions_of.pop(name, set())
        for name in names:
            self._read(name)
        self.clients = {}
        for name, (_, file) in self._files.items():
            client = _client_of(file)
            for session in self._sessions_of[name]:
                known = self.clients.get(session)
                is_now = session == file.sessionId
                if known is None or (is_now and known.life != "alive"):
                    self.clients[session] = client
        self.left -= self.clients.keys()

    def _list(self) -> set[str]:
        try:
            with os.scandir(self._folder) as entries:
                names = {entry.name for entry in entries if _NAME.fullmatch(entry.name)}
        except OSError:
            self.is_kept = False
            return set()
        self.is_kept = True
        return names

    def _read(self, name: str) -> None:
        path = os.path.join(self._folder, name)
        try:
            status = os.lstat(path)
            seen = (status.st_mtime_ns, status.st_size)
            if not S_ISREG(status.st_mode) or self._files.get(name, (None,))[0] == seen:
                return
            with open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as file:
                data = file.read(_LARGEST)
        except OSError:
            return
        found = decode_struct(data, ClientFile)
        if found is not None and found.sessionId and found.pid > 0:
            held = self._files.get(name)
            if held is not None and held[1].procStart != found.procStart:
                self.left |= self._sessions_of.pop(name, set())  # another process of that number
            self._files[name] = (seen, found)
            self._sessions_of.setdefault(name, set()).add(found.sessionId)


def _client_of(file: ClientFile) -> Client:
    return Client(
        pid=file.pid,
        claude_session=file.sessionId,
        cwd=file.cwd,
        started_at=file.startedAt / 1000,
        status=file.status,
        waits_for=file.waitingFor,
        status_at=file.statusUpdatedAt / 1000,
        life=_life_of(file),
    )


def _life_of(file: ClientFile) -> Life:
    """Whether the process that wrote a file runs; unknown where this system cannot tell."""
    if file.pidDomain is not None and file.pidDomain != _own_domain():
        return "unknown"
    try:
        with open(f"{_PROC}/{file.pid}/stat", "rb") as stat:
            fields = stat.read().rpartition(b")")[2].split()
    except FileNotFoundError:
        return "gone" if os.path.exists(f"{_PROC}/self/stat") else "unknown"
    except ProcessLookupError:
        return "gone"
    except OSError:
        return "unknown"
    if not fields or fields[0] in (b"Z", b"X"):
        return "gone"
    if file.procStart is None or len(fields) < 20:
        return "alive"
    return "alive" if fields[19] == file.procStart.encode("utf-8", "replace") else "gone"


@cache
def _own_domain() -> str:
    """The ``pidDomain`` of this process, as Claude Code makes its own."""
    try:
        with open("/etc/machine-id", encoding="utf-8") as file:
            machine = file.read().strip()
    except (OSError, ValueError):
        machine = ""
    try:
        namespace = os.readlink(f"{_PROC}/self/ns/pid")
    except OSError:
        namespace = ""
    return f"linux:{machine}:{namespace}"
