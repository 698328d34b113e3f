"""Which session is meant where nobody names one: the one rule of commands, screens and API.

``ORCH_SESSION``, then the session that was chosen where one stands (``orch use``, or by opening
it), then that of the Claude session whose shell it is, then the newest that somebody opened. What
was chosen is kept in the user's state folder, for a terminal, a tmux pane or a Claude session, and
for one record; it is forgotten when the session is closed.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import time
from contextlib import suppress

from orch_tui.errors import ConflictError, NotFoundError, UsageError
from orch_tui.frozen import frozen
from orch_tui.models.database import Record
from orch_tui.models.values import ENDINGS
from orch_tui.paths import AnyPath, is_private, state_folder
from orch_tui.record import sessions
from orch_tui.record.own_projects import IN_PROJECT, OwnProjects
from orch_tui.rows import Session, columns

VARIABLE = "ORCH_SESSION"
CLAUDE_VARIABLE = "CLAUDE_CODE_SESSION_ID"
"""What recent releases of Claude Code set in the shells of their sessions (2.1.332 does)."""

_KEPT_DAYS = 60
"""After which a choice is forgotten that nobody used: its terminal is gone."""

_SHOWN = 3
"""Other open sessions that are named."""

_ALL = "SELECT *, rowid AS number FROM sessions"
_NEWEST = f"{_ALL} ORDER BY created_at DESC LIMIT 100"

_OPEN = "archived_at IS NULL AND status NOT IN ('completed', 'failed')"


@frozen
class ChosenSession:
    """The session that is meant, and why that one."""

    session: Session
    reason: str
    """In words: what made it the one."""
    others: tuple[str, ...]
    """The newest of those that are open besides."""
    is_expected: bool = False
    """The environment names it, it is open, and none that was opened is newer."""

    @property
    def remark(self) -> str:
        """What a person should be told; empty where no other could have been meant."""
        if not _is_open(self.session):
            return f"session {self.session.session_id}, {self.reason}, is closed"
        if self.is_expected or not self.others:
            return ""
        rest = ", ".join(self.others[:_SHOWN]) + (", ..." if len(self.others) > _SHOWN else "")
        return (
            f"session {self.session.session_id}, {self.reason} (also open: {rest}; "
            "--session-id names another, orch use ID keeps one)"
        )


def choose_session(
    record: Record, root: AnyPath, project: OwnProjects | None = None
) -> ChosenSession:
    """Choose the session that is meant in the project at ``root``, among those of ``project``.

    Raises:
        NotFoundError: none is open, or ``ORCH_SESSION`` names none; with the nearest known ids.
    """
    session, reason = _choose(record, root, project)
    opened = _opened(record, project, _SHOWN + 2)
    is_newest = [session] == opened[:1]
    candidates = [*opened, *_of_claude(record, project)]
    others = dict.fromkeys(each.session_id for each in candidates)
    others.pop(session.session_id, None)
    is_expected = is_newest and bool(os.environ.get(VARIABLE))
    return ChosenSession(session, reason, tuple(others), is_expected)


def _choose(record: Record, root: AnyPath, project: OwnProjects | None) -> tuple[Session, str]:
    if named := os.environ.get(VARIABLE):
        try:
            return sessions.get_session(record, named), f"as {VARIABLE} says"
        except NotFoundError as error:
            error.hint = f"{VARIABLE} names it; {error.hint}" if error.hint else f"unset {VARIABLE}"
            raise
    if kept := _read_kept(record, root):
        return kept, "chosen here"
    for session in _with_runs_of_claude(record, project):
        return session, "with runs of this Claude Code session"
    for session in _of_claude(record, project):
        return session, "of this Claude Code session"
    for session in _opened(record, project, 1):
        return session, "the newest"
    raise _nothing_open(record, project)


def keep_session(record: Record, root: AnyPath, session_id: str) -> Session:
    """Have a session meant from now on where one stands, until it is closed.

    Raises:
        NotFoundError: no such session; with the nearest known ids.
        ConflictError: it is closed.
        UsageError: there is nothing to keep it for.
    """
    session = sessions.get_session(record, session_id)
    if not _is_open(session):
        raise ConflictError(
            f"session {session.session_id!r} is closed", hint="--session-id names a closed one"
        )
    path = _path(record, root)
    if path is None:
        raise UsageError(
            "there is no terminal here to keep a session for",
            hint=f"export {VARIABLE}={session.session_id}",
        )
    folder = os.path.dirname(path)
    os.makedirs(folder, 0o700, exist_ok=True)
    _forget_old(folder)
    unfinished = f"{path}.{os.urandom(4).hex()}"
    with open(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(f"{session.session_id}\n")
    os.replace(unfinished, path)
    return session


def forget_session(record: Record, root: AnyPath) -> None:
    """Have no session be meant more than others where one stands."""
    if path := _path(record, root):
        with suppress(OSError):
            os.unlink(path)


def _read_kept(record: Record, root: AnyPath) -> Session | None:
    path = _path(record, root)
    if path is None or not os.path.isfile(path) or not is_private(os.path.dirname(path)):
        return None
    try:
        with open(path, encoding="utf-8") as file:
            session = sessions.get_session(record, file.readline(1000).strip())
        os.utime(path)
    except (OSError, ValueError, NotFoundError):
        return None
    if _is_open(session):
        return session
    forget_session(record, root)
    return None


def _is_open(session: Session) -> bool:
    return session.status not in ENDINGS and session.archived_at is None


def _path(record: Record, root: AnyPath) -> str | None:
    """Where the choice is kept that was made here, for one record and project."""
    place = _standing_place()
    if place is None:
        return None
    what = f"{place}\n{os.path.realpath(record.path)}\n{os.path.realpath(root)}"
    name = hashlib.sha256(what.encode("utf-8", "surrogateescape")).hexdigest()[:32]
    return os.path.join(state_folder(), "current-sessions", name)


def _standing_place() -> str | None:
    """Name the Claude session, tmux pane or terminal that a command is typed in."""
    if claude := os.environ.get(CLAUDE_VARIABLE):
        return f"claude {claude}"
    if pane := os.environ.get("TMUX_PANE"):
        return f"tmux {os.environ.get('TMUX', '')} {pane}"
    for stream in (0, 2, 1):
        with suppress(OSError):
            return f"tty {_name_terminal(stream)}"
    return None


def _name_terminal(stream: int) -> str:
    """Name the terminal behind a stream, and on Linux when it began: names are used again."""
    name = os.ttyname(stream)
    return f"{name} {os.stat(name).st_ctime_ns}" if sys.platform == "linux" else name


def _forget_old(folder: str) -> None:
    long_ago = time.time() - _KEPT_DAYS * 86_400
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if entry.stat(follow_symlinks=False).st_mtime < long_ago:
                os.unlink(entry.path)


def _opened(record: Record, project: OwnProjects | None, most: int) -> list[Session]:
    """The newest sessions that somebody opened here and nobody closed; of more than one only
    those are looked for that are among the newest of all."""
    rows = record.rows(
        f"SELECT {columns(Session)} FROM ({_ALL if most == 1 else _NEWEST}) "
        f"WHERE (? IS NULL OR {IN_PROJECT}) AND {_OPEN} AND origin_id IS NULL "
        "AND +claude_session IS NULL "  # + : by time
        "ORDER BY created_at DESC, number DESC LIMIT ?",
        [*_twice(project), most],
    )
    return [Session.of(row) for row in rows]


def _of_claude(record: Record, project: OwnProjects | None) -> list[Session]:
    """What was recorded of the Claude session whose shell it is, where that is open."""
    claude = os.environ.get(CLAUDE_VARIABLE)
    if not claude:
        return []
    rows = record.rows(
        f"SELECT {columns(Session)} FROM sessions WHERE (? IS NULL OR {IN_PROJECT}) "
        f"AND claude_session = ? AND {_OPEN}",
        [*_twice(project), claude],
    )
    return [Session.of(row) for row in rows]


def _with_runs_of_claude(record: Record, project: OwnProjects | None) -> list[Session]:
    """The newest opened session that runs of that Claude session are recorded in."""
    claude = os.environ.get(CLAUDE_VARIABLE)
    if not claude:
        return []
    rows = record.rows(
        f"SELECT {columns(Session)} FROM sessions WHERE (? IS NULL OR {IN_PROJECT}) "
        f"AND claude_session IS NULL AND {_OPEN} AND session_id IN ("
        "SELECT e.session_id FROM execution_keys JOIN agent_executions AS e USING (execution_id) "
        "WHERE key >= ? AND key < ?) ORDER BY created_at DESC, rowid DESC LIMIT 1",
        [*_twice(project), f"agent:{claude}/", f"agent:{claude}0"],
    )
    return [Session.of(row) for row in rows]


def _twice(project: OwnProjects | None) -> tuple[str | None, str | None]:
    """Give what the condition on the project asks for, to see whether there is one and for it."""
    listed = None if project is None else json.dumps(project)
    return listed, listed


def _nothing_open(record: Record, project: OwnProjects | None) -> NotFoundError:
    error = NotFoundError("session", "(open)")
    error.message = "this project has no open session"
    error.args = (error.message,)
    rows = record.rows(
        f"SELECT session_id FROM sessions WHERE (? IS NULL OR {IN_PROJECT}) "
        "AND archived_at IS NULL ORDER BY created_at DESC, rowid DESC LIMIT 1",
        _twice(project),
    )
    error.hint = 'orch init-session --scope "..." opens one; --session-id names a closed one'
    for row in rows:
        error.hint += f" ({row['session_id']} is the newest)"
    return error


def has_open_plan(record: Record, project: OwnProjects | None) -> bool:
    """Tell whether somebody planned here in a session that is open.

    ``project`` is whose sessions count; None: all of the record.
    """
    within = "1" if project is None else IN_PROJECT
    return bool(
        record.value(
            f"SELECT EXISTS (SELECT 1 FROM sessions WHERE {_OPEN} AND phase IS NOT NULL "
            f"AND origin_id IS NULL AND {within})",
            [] if project is None else [json.dumps(project)],
        )
    )
