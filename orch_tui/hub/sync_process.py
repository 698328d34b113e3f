"""Syncing the record of a project with the hub that it is joined to: once, or again and again.

Whoever asks for it waits for it: a command, a script, a process of its own beside the app. Two do
not work on one record at once.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

from orch_tui import git
from orch_tui.errors import HubError
from orch_tui.frozen import frozen
from orch_tui.hub.background_sync import note_end, note_try, only_sync
from orch_tui.hub.push import channel_of
from orch_tui.hub.service import OpenHub, find_service, hub_error, load_psycopg, open_hub
from orch_tui.hub.settings import HubSettings, require_settings
from orch_tui.hub.sync import Synced, SyncPlan, sync_record
from orch_tui.hub.watched_hub import PATIENCE, WatchedHub
from orch_tui.models.database import Record

EVERY = 30.0
"""Seconds after which a watched record is synced also where nobody told of anything new."""

IN_TURN = 20.0
"""Seconds to wait for another sync of the record: a command that wrote may just have begun one."""

_PAUSE = 0.1
_LOOKS = 1.0
"""Seconds between two looks at whether this record changed."""

Progress = Callable[[str, int, int], object]


@frozen
class SyncReport:
    """What a sync did."""

    hub: str
    """The service, as it was named."""
    pushed: int = 0
    """Statements that went there; likewise contents and briefings."""
    pushed_texts: int = 0
    runs: int = 0
    """Rows of runs that were written there."""
    pulled: int = 0
    """Statements that are new here."""
    pulled_texts: int = 0
    pulled_runs: int = 0
    """Runs that they tell of, known before or not."""
    origins: int = 0
    """Records from which they came."""
    remarks: tuple[str, ...] = ()

    @property
    def moved(self) -> bool:
        """Tell whether anything went either way."""
        return bool(self.pushed or self.pushed_texts or self.runs or self.pulled)


def sync_with_hub(
    record: Record,
    plan: SyncPlan = SyncPlan(),  # noqa: B008  it is frozen
    *,
    progress: Progress = lambda what, done, total: None,
    patience: float = PATIENCE,
    in_turn: float = IN_TURN,
) -> SyncReport:
    """Sync a record with its hub.

    A hub that is silent for ``patience`` seconds is given up; so is, after ``in_turn`` seconds, a
    record of which another sync is at work.

    Raises:
        HubError: the record is joined to none, the hub is away or not the one that was joined, or
            another sync is at work.
    """
    settings = require_settings(record)
    until = time.monotonic() + in_turn
    with ExitStack() as held:
        while not (is_alone := held.enter_context(only_sync(record))):
            if time.monotonic() > until:
                break
            time.sleep(_PAUSE)
        if not is_alone:
            raise HubError(
                "another sync of this record is at work", hint="it does the same; wait for it"
            )
        note_try(record)
        through = int(record.value("SELECT coalesce(max(observation_id), 0) FROM observations"))
        try:
            synced = _sync(record, settings, plan, progress, patience)
        except HubError as error:
            note_end(record, through, error.message)
            raise
        if plan.pushes:
            note_end(record, through)
    return _report(settings, synced)


def _sync(
    record: Record, settings: HubSettings, plan: SyncPlan, progress: Progress, patience: float
) -> Synced:
    service = find_service(settings.service, insecure=settings.insecure)
    pushes = plan.pushes and settings.level > 0
    with open_hub(service, settings.schema, pushes=pushes) as hub:
        if hub.uid != settings.hub_uid:
            raise HubError(
                f"{service.place} is not the hub that was joined: it was made anew, or moved",
                hint=f"orch hub connect {settings.service} joins the one that is there",
            )
        with WatchedHub(hub, patience) as watched:
            declared = git_user(record.path.parent)
            return sync_record(record, watched, settings.level, declared, plan, progress=progress)


def git_user(folder: Path) -> str | None:
    """Read who git says works here."""
    name = git.run_git(folder, "config", "user.name")
    return (name or "").strip() or None


def _report(settings: HubSettings, synced: Synced) -> SyncReport:
    pushed, pulled = synced.pushed, synced.pulled
    return SyncReport(
        hub=settings.service,
        pushed=pushed.statements,
        pushed_texts=pushed.contents + pushed.briefings,
        runs=synced.runs,
        pulled=pulled.statements,
        pulled_texts=pulled.contents,
        pulled_runs=len(pulled.executions),
        origins=pulled.origins,
        remarks=tuple(pulled.remarks),
    )


def watch_hub(
    record: Record,
    plan: SyncPlan = SyncPlan(),  # noqa: B008  it is frozen
    *,
    every: float = EVERY,
    patience: float = PATIENCE,
) -> Iterator[SyncReport | HubError]:
    """Sync again and again: when this record changed, when the hub tells that somebody pushed, and
    every so many seconds; yields what each sync did, or why it did not.

    Raises:
        HubError: the record is joined to no hub, or not any more.
    """
    with ExitStack() as held:
        hub: OpenHub | None = None
        while True:
            settings = require_settings(record)
            told: SyncReport | HubError
            try:
                hub = hub or _listen(held, record, settings)  # what is told meanwhile counts, too
                told = sync_with_hub(record, plan, patience=patience)
            except HubError as error:
                told = error
            before = _count_changes(record)
            yield told
            try:
                _wait_for_news(record, hub, before, every)
            except HubError:  # it went away
                held.close()
                hub = None


def _listen(held: ExitStack, record: Record, settings: HubSettings) -> OpenHub:
    """Connect to a hub to hear when somebody pushes; that it is away is noted as of a sync."""
    try:
        service = find_service(settings.service, insecure=settings.insecure)
        hub = held.enter_context(open_hub(service, settings.schema))
        hub.connection.execute(f'LISTEN "{channel_of(hub.schema)}"'.encode())
    except HubError as error:
        note_try(record)
        note_end(record, 0, error.message)
        raise
    return hub


def _count_changes(record: Record) -> tuple[int, int]:
    """Give another pair of numbers once anybody changed the record, this process or another."""
    connection = record.connection
    return int(record.value("PRAGMA data_version")), connection.total_changes


def _wait_for_news(
    record: Record, hub: OpenHub | None, before: tuple[int, int], every: float
) -> None:
    """Wait until the record changes, the hub tells of something, or so many seconds passed."""
    until = time.monotonic() + every
    own = {str(uid) for (uid,) in record.sql("SELECT uid FROM origins WHERE mine")}
    while (left := until - time.monotonic()) > 0 and _count_changes(record) == before:
        if hub is None:
            time.sleep(min(left, _LOOKS))
            continue
        try:
            heard = list(hub.connection.notifies(timeout=min(left, _LOOKS), stop_after=1))
        except load_psycopg().Error as error:
            raise hub_error(hub.service, error) from None
        if any(each.payload not in own for each in heard):
            return
