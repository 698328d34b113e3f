"""``orch hook``: one hook event of Claude Code, from standard input into the inbox, unparsed.

It runs inside the tool calls of the user and must never get in their way: it prints nothing, ends
with 0 whatever happens, waits a second at most for who does not close its input, and imports next
to nothing. ``orch install --hooks`` registers this very file with an interpreter that skips
``site`` (``python -I -S hook.py``), so it finds its neighbour ``paths`` by itself.
"""

from __future__ import annotations

import os
import sys
import time

TYPE_CHECKING = False  # type checkers know the name; importing typing would load re
if TYPE_CHECKING:
    from typing import NoReturn

PATIENCE = 1.0
"""Seconds to wait for the end of the input."""

_STILL_COMING = 0.05
"""Seconds of silence that end an input which is late and may be whole."""

_LONGEST = 5.0
"""Seconds after which even an input that still flows is cut."""


def main() -> NoReturn:
    """The whole process; nothing of Python's own end is needed, so it is left out."""
    try:
        import _signal  # type: ignore[import-not-found]  # the public module brings enum

        for number in (_signal.SIGINT, _signal.SIGTERM, _signal.SIGHUP):
            _signal.signal(number, _signal.SIG_IGN)  # what began takes milliseconds to finish
        take()
    except BaseException:
        pass
    finally:
        os._exit(0)


def take() -> None:
    """Put what is on standard input into the first inbox that takes it; none: it is lost."""
    arrived = time.time_ns()
    chunks = _read() if sys.stdin is not None else []
    if chunks and not is_prompt(b"".join(chunks)):
        put(chunks, find_project(), arrived)


def is_prompt(payload: bytes) -> bool:
    """Tell whether a payload is a prompt of the user's, which never reaches a disk.

    Claude Code hands over what it tells a session of its agents by the same event: that begins
    with a tag of its own. Quotation marks within JSON texts are escaped, so what is looked for
    cannot stand in one.
    """
    return _PROMPTING in _values(payload, b'"hook_event_name"') and not any(
        value.startswith(_NOTICES) for value in _values(payload, b'"prompt"', 30)
    )


_PROMPTING = b'"UserPromptSubmit"'
_NOTICES = (b'"<task-notification>', b'"<agent-notification>')
_SPACE = b" \t\r\n"


def _values(payload: bytes, key: bytes, length: int = 18) -> list[bytes]:
    """Cut out how the values of a key in JSON begin, wherever it stands."""
    values = []
    at = payload.find(key)
    while at >= 0:
        at += len(key)
        rest = payload[at : at + 200].lstrip(_SPACE)
        if rest.startswith(b":"):
            values.append(rest[1:].lstrip(_SPACE)[:length])
        at = payload.find(key, at)
    return values


def put(chunks: list[bytes], root: str, arrived: int) -> str | None:
    """Write one payload for the project at ``root`` and give its path; None: nowhere.

    The names of payloads sort by the time of their arrival, in nanoseconds.
    """
    from orch_tui.paths import inboxes

    name = f"{arrived:020}-{os.getpid()}-{os.urandom(4).hex()}"
    for number, inbox in enumerate(inboxes(root)):
        try:
            if _projects_own(inbox) if number == 0 else _users_own(inbox):
                return _write(inbox, name, chunks)
        except OSError:
            continue
    return None


def _read() -> list[bytes]:
    from select import select

    chunks: list[bytes] = []
    start = time.monotonic()
    while (waited := time.monotonic() - start) < _LONGEST:
        try:
            is_cut = bool(chunks) and not chunks[-1].rstrip().endswith(b"}")
            silence = PATIENCE if is_cut else _STILL_COMING  # a busy writer pauses within a text
            ready = select([0], [], [], max(PATIENCE - waited, silence))[0]
            chunk = os.read(0, 1 << 20) if ready else b""
        except OSError:  # closed
            break
        if not chunk:
            break
        chunks.append(chunk)
    return chunks


def find_project() -> str:
    """The project, from what Claude Code says or the working folder."""
    from orch_tui.paths import project_root

    given = os.environ.get("CLAUDE_PROJECT_DIR", "")
    if os.path.isdir(given):
        return project_root(given)
    try:
        return project_root()
    except OSError:  # the working folder is gone
        return project_root(os.environ.get("PWD", "/"))


def _projects_own(inbox: str) -> bool:
    """Whether the project has an inbox; a project with a record gets one."""
    from orch_tui.paths import is_plain_inbox, linked_part

    record = os.path.join(os.path.dirname(inbox), "execution.db")
    if not linked_part(record) and os.path.exists(record):
        _make(inbox)
    return is_plain_inbox(inbox)


def _users_own(inbox: str) -> bool:
    """Make an inbox of the user's; False where somebody else could reach into it."""
    from orch_tui.paths import is_private

    between = os.path.dirname(inbox)
    top = os.path.dirname(between)
    os.makedirs(os.path.dirname(top), exist_ok=True)
    _make(top)
    if not is_private(top):
        return False
    _make(inbox)
    return True


def _make(folder: str) -> None:
    if not os.path.isdir(folder):
        os.makedirs(folder, 0o700, exist_ok=True)


def _write(inbox: str, name: str, chunks: list[bytes]) -> str:
    unfinished, path = os.path.join(inbox, f".{name}.tmp"), os.path.join(inbox, f"{name}.json")
    file = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        try:
            for chunk in chunks:
                rest = memoryview(chunk)
                while rest:
                    rest = rest[os.write(file, rest) :]
        finally:
            os.close(file)
        os.rename(unfinished, path)
    except OSError:
        os.unlink(unfinished)
        raise
    return path


if __name__ == "__main__":
    sys.path.append(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    main()
