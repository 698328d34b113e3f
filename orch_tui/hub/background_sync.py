"""Syncs that nobody waits for: each in a process of its own, begun beside what wrote to a record.

What became of the last one stands in the user's state folder, so that status, doctor and the app
can say how far behind a record is without asking the hub.
"""

from __future__ import annotations

import fcntl
import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, fields, replace
from pathlib import Path

from orch_tui.files import whole_file
from orch_tui.frozen import frozen
from orch_tui.hub.settings import name_record, read_settings
from orch_tui.models import facts
from orch_tui.models.database import Record
from orch_tui.paths import state_folder
from orch_tui.processes import own_module
from orch_tui.record.upkeep.finding import Finding
from orch_tui.times import between, lasting
from orch_tui.wording import plural


@frozen
class LastSync:
    """What became of the syncs of a record with its hub, as far as this machine knows."""

    tried_at: str | None = None
    """When the last one began."""
    done_at: str | None = None
    """When the last one that came to its end did so."""
    error: str | None = None
    """Why the last one did not."""
    through: int = 0
    """The newest statement of the record that was sent, or held back by the level."""


def read_last_sync(record: Record) -> LastSync:
    """Read what became of the last sync of a record."""
    with suppress(OSError, ValueError, TypeError):
        held = json.loads(_file(record).read_text("utf-8"))
        return LastSync(**{each.name: held[each.name] for each in fields(LastSync)})
    return LastSync()


def note_try(record: Record) -> None:
    """Note that a sync begins."""
    _keep(record, replace(read_last_sync(record), tried_at=record.now()))


def note_end(record: Record, through: int, error: str | None = None) -> None:
    """Note how a sync ended: the record was sent through a statement, or why it was not."""
    last = read_last_sync(record)
    if error is None:
        last = replace(last, done_at=record.now(), through=through)
    _keep(record, replace(last, error=error))


def count_unsent(record: Record, last: LastSync) -> int:
    """Count the statements that the hub has not heard of."""
    return int(
        record.value(
            "SELECT count(*) FROM observations WHERE observation_id > ? AND NOT pending "
            "AND observation_id NOT IN (SELECT observation_id FROM log JOIN origins "
            "USING (origin_id) WHERE NOT mine)",
            [last.through],
        )
    )


@frozen
class HubLag:
    """How far a record is behind its hub, as far as this machine knows."""

    service: str
    unsent: int
    """Statements that wait to be sent."""
    done_at: str | None
    """When the last sync that came to its end did so; None: none did yet."""
    error: str | None
    """Why the last one did not."""

    @property
    def is_behind(self) -> bool:
        """Tell whether the last sync failed, or none was ever done."""
        return self.error is not None or self.done_at is None


def read_lag(record: Record) -> HubLag | None:
    """Read how far a record is behind its hub, without asking that; None: it is joined to none."""
    settings = read_settings(record)
    if settings is None:
        return None
    last = read_last_sync(record)
    unsent = count_unsent(record, last) if settings.level else 0
    return HubLag(settings.service, unsent, last.done_at, last.error)


def word_lag(lag: HubLag, now: str) -> str:
    """Word in a few signs how long ago the last sync was: ``3h00m behind``."""
    if lag.done_at is None:
        return "not synced yet"
    return f"{lasting(between(lag.done_at, now))} behind"


def describe_lag(lag: HubLag, now: str) -> str:
    """Word how far behind a record is: ``the last sync was 3 h ago; 12 statements wait``."""
    if lag.done_at is None:
        when = "no sync was done yet"
    else:
        when = f"the last sync was {lasting(between(lag.done_at, now))} ago"
    waits = "waits" if lag.unsent == 1 else "wait"
    waiting = f"{plural(lag.unsent, 'statement')} {waits}" if lag.unsent else "nothing waits"
    return "; ".join(filter(None, (when, waiting, lag.error)))


def examine_lag(record: Record) -> list[Finding]:
    """Tell of a record that is joined to a hub how far behind it is, as the doctor does."""
    lag = read_lag(record)
    if lag is None:
        return []
    told = f"{lag.service}: {describe_lag(lag, record.now())}"
    if lag.is_behind:
        return [Finding("warning", "hub", told, "orch hub sync")]
    return [Finding("ok", "hub", told)]


def begin_due_sync(record: Record, folder: Path | str, every: int) -> bool:
    """Begin a sync in a process of its own where the last try is ``every`` seconds old; tells
    whether it did.

    Nothing waits for it, and nobody hears of it here: `orch hub status` does.
    """
    if not every or read_settings(record) is None:
        return False
    tried_at = read_last_sync(record).tried_at
    passed = between(tried_at, record.now()) if tried_at else None
    if passed is not None and 0 <= passed.total_seconds() < every:
        return False
    note_try(record)
    process = subprocess.Popen(
        own_module("orch_tui", "--db", str(record.path), "hub", "sync", "--quiet"),
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    process.returncode = 0  # nobody waits for it: without a code Popen complains when it goes
    return True


@contextmanager
def only_sync(record: Record) -> Iterator[bool]:
    """Keep other syncs of a record from beginning; gives False where one is at work."""
    path = _file(record).with_suffix(".lock")
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with path.open("wb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            yield False
            return
        yield True


def _keep(record: Record, last: LastSync) -> None:
    path = _file(record)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with whole_file(path) as file:
        file.write(json.dumps(asdict(last)).encode())


def _file(record: Record) -> Path:
    uid = facts.get_fact(record, "uid") or ""
    return Path(state_folder(), "hubs", f"{name_record(record, uid)}.json")
