"""Bringing a record and its hub up to date with each other: what is new here goes there, what those
who are followed stated comes here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import field

from orch_tui.errors import HubError
from orch_tui.frozen import frozen
from orch_tui.hub.derived_runs import derive_pushed_runs, mend_stale_runs
from orch_tui.hub.pull import Followed, Pulled, pull_own_origin, pull_runs_since, pull_statements
from orch_tui.hub.push import (
    Pushed,
    find_fork,
    gather_for_hub,
    push_statements,
    register_origins,
    renumber_fork,
)
from orch_tui.hub.redactions import (
    fetch_redactions,
    push_forgotten,
    push_redactions,
    tell_redactions,
)
from orch_tui.hub.watched_hub import WatchedHub
from orch_tui.models.database import Record

Progress = Callable[[str, int, int], object]


@frozen
class SyncPlan:
    """What a sync is to do."""

    pushes: bool = True
    pulls: bool = True
    followed: Followed = Followed()
    since: str | None = None
    """Fetch the runs of those who are followed since then, instead of what is new."""


@frozen
class Synced:
    """What a sync did."""

    pushed: Pushed = field(default_factory=Pushed)
    pulled: Pulled = field(default_factory=Pulled)
    runs: int = 0
    """How many rows of runs were written there."""


_FORKS = 8
"""That are mended in one sync: one for each life that the record had, at most."""


def sync_record(
    record: Record,
    hub: WatchedHub,
    level: int,
    declared: str | None = None,
    plan: SyncPlan = SyncPlan(),  # noqa: B008  it is frozen
    *,
    progress: Progress = lambda what, done, total: None,
) -> Synced:
    """Push, then pull, as far as the plan, the level and the rights there go.

    ``level``: what is sent, as the hub counts it; 0 is nothing.

    Raises:
        HubError: the hub went away, or this person may do there nothing of what is planned.
    """
    may_push = plan.pushes and level > 0 and hub.hub.may_push
    may_pull = plan.pulls and hub.hub.may_read
    if not may_push and not may_pull:
        raise HubError(
            f"{hub.hub.person} may not do that on the hub {hub.hub.service.name}",
            hint="who only pushes fetches nothing, who only reads sends nothing",
        )
    pushed, pulled, runs = Pushed(), Pulled(), 0
    if hub.hub.may_read:  # before anything is sent that others have redacted
        fetch_redactions(record, hub)
    if may_push:
        mend_forks(record, hub, declared, level)
        pushed = push_statements(record, hub, declared, level=level, progress=progress)
        origins = register_origins(record, hub, declared, level)
        runs = derive_pushed_runs(record, hub, origins, level=level, progress=progress)
        push_redactions(record, hub, level)
        push_forgotten(record, hub, origins)
        if hub.hub.may_read:
            tell_redactions(hub, origins)
        if pushed.statements:
            runs += mend_stale_runs(record, hub, level=level)
    if may_pull and plan.since is not None:
        pulled = pull_runs_since(record, hub, plan.since, plan.followed, progress=progress)
    elif may_pull:
        pulled = pull_statements(record, hub, plan.followed, progress=progress)
    return Synced(pushed, pulled, runs)


def mend_forks(record: Record, hub: WatchedHub, declared: str | None, level: int) -> None:
    """Number what is new; where the hub knows other statements under numbers of this record, or
    later ones, go on as another origin, with what the hub knows."""
    for _ in range(_FORKS):
        gather_for_hub(record)
        origins = register_origins(record, hub, declared, level)
        fork = find_fork(record, hub, origins)
        if fork is None:
            return
        if hub.hub.may_read:
            pull_own_origin(record, hub, fork.origin.uid, fork.first)
        else:
            renumber_fork(record, fork)
    raise HubError(
        f"the hub {hub.hub.service.name} knows this record otherwise, and not only once",
        hint="`orch doctor` looks at the record; is it written by another program, too?",
    )
