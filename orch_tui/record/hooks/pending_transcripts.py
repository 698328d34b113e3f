"""Transcripts of which a hook said that they are at their end: they are read without a command.

Claude Code runs its hooks before the last lines of a transcript are on disk, so a file is looked
at again until it has surely been written, and whoever looks later does so once more.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from datetime import timedelta
from pathlib import Path
from stat import S_ISREG

from orch_tui.errors import PathError
from orch_tui.frozen import frozen
from orch_tui.models.database import Record
from orch_tui.models.values import timestamp
from orch_tui.paths import resolve_path
from orch_tui.record.claude_code import SIDECAR

BYTES_IN_PASSING = 16_000_000
"""Bytes of transcripts that a command reads on its way: a fifth of a second."""

_LONG_ENOUGH = timedelta(minutes=15)
"""After which nobody adds to the file of an agent or a session that has ended."""


def watch_transcript(record: Record, transcript: str, at: str, agents: Iterable[str] = ()) -> None:
    """Look at a transcript from now on, and at what is kept beside it.

    Call it within a write. ``at`` is when a hook told of its end; ``agents`` are the ids of those
    a session launched, whose files lie in the same folder in releases before 2.0.60 or so.
    """
    if not transcript.startswith(("/", "~")) or not transcript.endswith(".jsonl"):
        return
    try:
        transcript = os.path.normpath(resolve_path(transcript))
    except PathError:
        return
    record.executemany(
        "INSERT INTO import_checkpoints (path, size, mtime_ns, position, awaited_since) "
        "VALUES (?, -1, -1, 0, ?) ON CONFLICT (path) DO UPDATE SET "
        "awaited_since = max(coalesce(awaited_since, ''), excluded.awaited_since)",
        [(path, at) for path in (*_with_its_own(transcript), *_beside(transcript, agents))],
    )


def _with_its_own(transcript: str) -> Iterator[str]:
    """List a transcript with its sidecar, or that of a session with those of its agents."""
    yield transcript
    stem = transcript.removesuffix(".jsonl")
    if os.path.basename(stem).startswith("agent-"):
        yield stem + SIDECAR
        return
    for folder, _, names in os.walk(os.path.join(stem, "subagents")):
        of_agents = (name for name in names if name.startswith(("agent-", "journal.jsonl")))
        yield from (os.path.join(folder, name) for name in of_agents)
    for folder, _, names in os.walk(os.path.join(stem, "workflows")):
        yield from (os.path.join(folder, name) for name in names if name.startswith("wf_"))


def _beside(transcript: str, agents: Iterable[str]) -> Iterator[str]:
    folder = os.path.dirname(transcript)
    for agent in agents:
        path = os.path.join(folder, f"agent-{agent}.jsonl")
        if "/" not in agent and os.path.isfile(path):
            yield path


@frozen
class GrownTranscripts:
    """What became of the awaited transcripts."""

    grown: list[Path]
    """Not as they were read."""
    last: list[str]
    """Not to be looked at again: nobody adds to them any more."""


def find_grown_transcripts(record: Record, most: int | None) -> GrownTranscripts:
    """Look at the awaited transcripts; those that have grown by ``most`` bytes together."""
    rows = record.sql(
        "SELECT path, size, mtime_ns, awaited_since FROM import_checkpoints "
        "WHERE awaited_since NOTNULL AND typeof(path) = 'text' ORDER BY awaited_since"
    )
    seen = GrownTranscripts([], [])
    long_ago = timestamp(record.clock() - _LONG_ENOUGH)
    for path, size, mtime_ns, since in rows:
        unread = _unread(path, size, mtime_ns)
        if unread is not None:
            if most is not None and unread > most:
                continue
            most = None if most is None else most - unread
            seen.grown.append(Path(path))
        if str(since) < long_ago:
            seen.last.append(path)
    return seen


def _unread(path: str, size: int, mtime_ns: int) -> int | None:
    """Bytes that a file has more than when it was read; None: it is as it was, or is none."""
    try:
        status = os.stat(path)
        if S_ISREG(status.st_mode) and (status.st_size, status.st_mtime_ns) != (size, mtime_ns):
            return max(status.st_size - max(size, 0), 0)
    except (OSError, ValueError, TypeError):  # the record may hold anything
        pass
    return None


def unwatch_transcripts(record: Record, paths: list[str]) -> None:
    """Look at these no more; another time where another process is writing just now."""
    if paths:
        with record.in_passing(), record.write():
            record.executemany(
                "UPDATE import_checkpoints SET awaited_since = NULL WHERE path = ?",
                [(path,) for path in paths],
            )
