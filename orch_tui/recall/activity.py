"""What happened lately: what waits, came back or failed, runs and cost a day, what to do next.

Every query is bounded: by the covering index of runs, by the days that are shown, or by the number
of rows that fit on a screen.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import date, datetime, time, timedelta
from typing import Literal

from orch_tui.frozen import frozen
from orch_tui.models.database import Record, in_list, timestamp
from orch_tui.models.values import WHEN
from orch_tui.recall import listing
from orch_tui.recall.insights.group_outcomes import ChosenRuns, GroupOutcome, day_of
from orch_tui.record.own_projects import OwnProjects
from orch_tui.rows import Session

BUCKETS = 14
"""Days or weeks that are shown."""
NAMED = 3
"""Runs of a group that are told by name."""
SESSIONS = 6
"""Open sessions that are told."""
LONGEST_RUN = timedelta(days=30)
"""A run that came back lately was handed over within this time before."""
LONG_WAIT = timedelta(days=1)
"""A run that waits for longer is in doubt."""
REASONS = 5
"""Reasons of doubt that are told."""


@frozen
class RecentRun:
    """A run by what it is known as."""

    execution_id: str
    agent_type: str
    scope: str
    at: str
    """When it was handed over, while it waits; else when it came back."""
    reason: str
    """Why it failed; empty where it did not, or nobody said."""


@frozen
class RunGroup:
    """Some runs of one kind: how many, and a few of them."""

    n: int = 0
    runs: tuple[RecentRun, ...] = ()
    """At most ``NAMED``: of those that wait the longest first, else the newest."""


@frozen
class TimeBucket:
    """The runs that were handed over on one local day, or in one week."""

    since: str
    """The day, or the Monday."""
    n: int = 0
    success: int = 0
    failure: int = 0
    unknown: int = 0
    """Waiting, or in doubt."""
    n_priced: int = 0
    """Those whose cost is known: the cost is theirs."""
    cost_usd: float = 0.0


@frozen
class Doubt:
    """Runs in doubt for one reason."""

    reason: str
    n: int
    query: str
    """What finds them, in the query language."""


@frozen
class Activity:
    """What a returning user wants to know first."""

    waiting: RunGroup
    failed: RunGroup
    """Since the time that was asked for; likewise ``returned``."""
    returned: RunGroup
    drafted: RunGroup
    """Runs of which a final message was pasted and not recorded."""
    buckets: tuple[TimeBucket, ...]
    agents: tuple[GroupOutcome, ...]
    """Of all runs, by agent type; the worst share first."""
    sessions: tuple[Session, ...]
    """The newest that are open."""
    doubts: tuple[Doubt, ...]

    @property
    def n(self) -> int:
        """All runs."""
        return sum(agent.n for agent in self.agents)


def gather_activity(
    record: Record,
    since: str | None = None,
    *,
    project: OwnProjects | None = None,
    session_id: str | None = None,
    every: Literal["day", "week"] = "day",
    drafted: Collection[str] = (),
) -> Activity:
    """Gather what happened since a time of the record, and how things stand.

    Without ``since`` it is what happened in the last day.
    ``drafted`` are the execution ids of which something is typed; those that wait no more are
    left out. Archived sessions count only where one is named.

    Raises:
        NotFoundError: no such session; with the nearest known ids.
    """

    def choose(term: str = "1", *parameters: str) -> ChosenRuns:
        where = listing.filter_executions(record, project=project, session_id=session_id)
        where.add(term, *parameters)
        return ChosenRuns(record, str(where), where.parameters)

    now = record.clock()
    since = since or timestamp(now - LONG_WAIT)
    with record.read():
        back = choose(
            f"{WHEN} >= ? AND completed_at > ? AND status IN ('completed', 'failed')",
            *(_before(since, LONGEST_RUN), since),
        )
        ids, names = in_list(drafted)
        return Activity(
            waiting=_group(choose(_AWAITED), "1", "at"),
            failed=_group(back, "went_well IS 0", "completed_at DESC"),
            returned=_group(back, "went_well IS NOT 0", "completed_at DESC"),
            drafted=_group(choose(f"{_AWAITED} AND execution_id IN {ids}", *names)),
            buckets=_fill_buckets(record, choose, now, every),
            agents=tuple(sorted(choose().outcomes("agent_type"), key=_badness)),
            sessions=_open_sessions(record, project, session_id),
            doubts=_doubts(choose, now),
        )


_AWAITED = "status = 'deployed' AND origin_id IS NULL"
"""Runs that were sent from here; those of other machines are awaited there."""


def _before(moment: str, span: timedelta) -> str:
    try:
        return timestamp(datetime.fromisoformat(moment) - span)
    except (ValueError, OverflowError):  # no time: nothing is older
        return ""


def _group(of: ChosenRuns, term: str = "1", order: str = "at") -> RunGroup:
    rows = of.rows(
        "SELECT count(*) OVER (), execution_id, agent_type, scope, "
        "iif(status = 'deployed', at, completed_at), error_message "
        f"FROM chosen WHERE {term} ORDER BY {order} LIMIT {NAMED}"
    )
    runs = (
        RecentRun(label, agent_type or "", scope or "", at or "", reason or "")
        for _, label, agent_type, scope, at, reason in rows
    )
    return RunGroup(rows[0][0] if rows else 0, tuple(runs))


def _badness(agent: GroupOutcome) -> tuple[float, int, str]:
    return (2.0 if agent.share is None else agent.share, -agent.n, str(agent.name))


# Days


def _fill_buckets(
    record: Record, choose: Callable[..., ChosenRuns], now: datetime, every: str
) -> tuple[TimeBucket, ...]:
    """Return the newest days or weeks, those without a run too: up to today, or to the newest run
    where that was long ago."""
    today = now.astimezone().date()
    found = _read_buckets(choose, _starts(today, every), every)
    if not found:
        newest = choose().rows("SELECT max(date(at, 'localtime')) FROM chosen")[0][0]
        try:
            today = min(today, date.fromisoformat(newest or ""))
        except ValueError:  # no run has a time
            return ()
        found = _read_buckets(choose, _starts(today, every), every)
    return tuple(
        found.get(day.isoformat(), TimeBucket(day.isoformat())) for day in _starts(today, every)
    )


def _starts(last: date, every: str) -> list[date]:
    step = 1
    if every == "week":
        step, last = 7, last - timedelta(days=last.weekday())
    return [last - timedelta(days=step * back) for back in reversed(range(BUCKETS))]


def _read_buckets(
    choose: Callable[..., ChosenRuns], starts: list[date], every: str
) -> dict[str, TimeBucket]:
    first = timestamp(datetime.combine(starts[0], time()))
    rows = choose(f"{WHEN} >= ?", first).rows(
        f"SELECT {day_of(every)} AS day, count(*), coalesce(sum(went_well), 0), count(went_well), "
        "count(cost_usd), coalesce(sum(cost_usd), 0) FROM chosen GROUP BY day"
    )
    return {
        str(day): TimeBucket(str(day), n, well, back - well, n - back, priced, float(cost))
        for day, n, well, back, priced, cost in rows
    }


# Sessions and what is next in them


def _open_sessions(
    record: Record, project: OwnProjects | None, session_id: str | None
) -> tuple[Session, ...]:
    rows = record.sql("SELECT session_id FROM sessions WHERE origin_id NOTNULL")
    elsewhere = {label for (label,) in rows}
    found = [
        session
        for status in ("planning", "executing")
        for session in listing.list_sessions(record, status=status, project=project, limit=SESSIONS)
        if session_id in (None, session.session_id) and session.session_id not in elsewhere
    ]
    found.sort(key=lambda session: session.created_at, reverse=True)
    return tuple(found[:SESSIONS])


# Doubts


def _doubts(choose: Callable[..., ChosenRuns], now: datetime) -> tuple[Doubt, ...]:
    reasons: dict[str, int] = {}
    for reason, n in choose("unverified IS NOT NULL").rows(
        "SELECT unverified, count(*) FROM chosen WHERE went_well IS NULL GROUP BY unverified"
    ):
        kind = str(reason).partition(":")[0]
        reasons[kind] = reasons.get(kind, 0) + n
    told = sorted(reasons.items(), key=lambda each: (-each[1], each[0]))
    doubts = [Doubt(reason, n, "has:doubt") for reason, n in told[:REASONS]]
    if rest := sum(n for _, n in told[REASONS:]):
        doubts.append(Doubt("other reasons", rest, "has:doubt"))
    long_ago = timestamp(now - LONG_WAIT)
    silent = choose(f"{_AWAITED} AND {WHEN} < ?", long_ago).rows("SELECT count(*) FROM chosen")[0][
        0
    ]
    if silent:
        until = (now - LONG_WAIT).astimezone().strftime("%Y-%m-%dT%H:%M")
        query = f"status:waiting until:{until}"
        doubts.insert(0, Doubt("not heard of for a day", silent, query))
    return tuple(doubts)
