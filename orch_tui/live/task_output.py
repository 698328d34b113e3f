"""What a running command has printed so far, from the file that its client writes.

The client writes it to ``TMP/claude-UID/KEY/SESSION/tasks/ID.output`` and removes it when the
command has ended. The answer to a call names the file of a command in the background; nothing
names that of one in the foreground. A transcript may be anybody's: only a file that lies so for
its own session, and is the user's own, is read.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection
from dataclasses import dataclass
from stat import S_ISREG

from orch_tui.live.words import clean_line

SHOWN_LINES = 3
MOST_TASKS = 8
"""Of one agent; the newest are kept."""

_LAST_BYTES = 4096
_NAMED = re.compile(
    r"\bID: (?P<id>\w{1,40})\)?\. Output is being written to: "
    r"(?P<path>/[^\n]{1,1000}?/claude-\d{1,10}/[^/\n]{1,300}/(?P<session>[\w-]{1,100})/tasks/"
    r"(?P=id)\.output)\b"
)

_COMMAND = re.compile(r"(?P<id>b\w{1,40})\.output")
"""The file of a command; those of agents begin with an ``a``."""


@dataclass(slots=True)
class RunningCommand:
    """A command that runs, and the end of what it printed."""

    task_id: str
    target: str
    """The command."""
    path: str
    size: int = 0
    """Bytes so far."""
    lines: tuple[str, ...] = ()
    """The last ones, oldest first."""
    _seen: tuple[int, int] | None = None

    def look(self) -> bool:
        """Read the end of the file where it changed; False: it is not there, the task has ended."""
        try:
            file = os.open(self.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        except OSError:
            return False
        try:
            status = os.fstat(file)
            if not S_ISREG(status.st_mode) or status.st_uid != os.getuid():
                return False
            seen = (status.st_mtime_ns, status.st_size)
            if seen != self._seen:
                self._seen, self.size = seen, status.st_size
                start = max(0, status.st_size - _LAST_BYTES)
                self.lines = _last_lines(os.pread(file, _LAST_BYTES, start), is_cut=start > 0)
        except OSError:
            return False
        finally:
            os.close(file)
        return True


def read_task(answer: str, target: str, session: str) -> RunningCommand | None:
    """Read which task an answer says it started, for ``session``; None: it says of none."""
    named = _NAMED.search(answer)
    if named is None or named["session"] != session:
        return None
    return RunningCommand(named["id"], target, named["path"])


def find_foreground_output(
    transcript: str, session: str, in_background: Collection[str], target: str
) -> RunningCommand | None:
    """Find what the one command prints that a session runs in the foreground.

    ``transcript`` is that of its agent, ``in_background`` are the ids of known tasks. None: no
    other task has a file, or several have, so that it cannot be told.
    """
    key = os.path.basename(transcript.partition(f"/{session}/")[0])
    own = os.path.join(f"claude-{os.getuid()}", key, session, "tasks")
    for folder in dict.fromkeys((os.environ.get("TMPDIR") or "/tmp", "/tmp")):
        try:
            names = os.listdir(os.path.join(folder, own))
        except (OSError, ValueError):
            continue
        named = [found for name in names if (found := _COMMAND.fullmatch(name))]
        others = [found for found in named if found["id"] not in in_background]
        if len(others) == 1:
            path = os.path.join(folder, own, others[0].string)
            return RunningCommand(others[0]["id"], target, path)
    return None


def _last_lines(data: bytes, *, is_cut: bool) -> tuple[str, ...]:
    lines = data.decode("utf-8", "replace").split("\n")
    if is_cut and len(lines) > 1:
        del lines[0]
    # what a carriage return went over is no longer there to see
    cleaned = (clean_line(line.rstrip("\r").rpartition("\r")[2]) for line in lines)
    return tuple([line for line in cleaned if line][-SHOWN_LINES:])
