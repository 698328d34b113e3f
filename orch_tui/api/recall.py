"""What was recorded, from Python: search, show, compare, replay, drift, lists and figures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, overload

from orch_tui.api.place import Place, opened
from orch_tui.errors import UsageError
from orch_tui.models.values import OutputType
from orch_tui.prepare.bundle import Bundle
from orch_tui.project import Project
from orch_tui.project_bundles import model_of
from orch_tui.record import executions
from orch_tui.rows import Output

if TYPE_CHECKING:
    from orch_tui.hub.team_stats import TeamInsights
    from orch_tui.live.live_agent import LiveSnapshot
    from orch_tui.recall.activity import Activity
    from orch_tui.recall.compare import Comparison
    from orch_tui.recall.drift import Drift
    from orch_tui.recall.insights import Insights
    from orch_tui.recall.replay import Replay
    from orch_tui.recall.show import Shown
    from orch_tui.search.query import Page


Scope = Literal["mine", "team"]
"""Whose runs: those of the record, or of all who share its hub."""


def search(
    query: str = "",
    *,
    limit: int = 50,
    before: str | None = None,
    include_archived: bool = False,
    all_projects: bool = False,
    order: str | None = None,
    scope: Scope = "mine",
    project: Place = None,
    database: str | None = None,
) -> Page:
    """Executions by words and filters, as ``orch history`` finds them.

    ``scope`` is ``mine``, or ``team`` for those of everybody who shares the hub of the record; a
    hit there that the record does not know is known by its ``uid``.

    ``before`` is the ``next_before`` of the page before. A mistake in ``query`` is among the
    ``mistakes`` of the page; the rest of it is searched. ``order`` is ``best``, ``newest``,
    ``cost``, ``duration`` or ``agent``; without one it is that of the settings.

    Raises:
        UsageError: ``before`` or ``order`` is no such thing.
        HubError: the record is joined to no hub, or it cannot be asked.
    """
    from orch_tui.search.query import search as find

    with opened(project, database) as place:
        if scope == "team":
            return place.team.search(
                query,
                limit=limit,
                before=before,
                include_archived=include_archived,
                all_projects=all_projects,
                order=order or place.config.search_order,
            )
        return find(
            place.existing_record,
            query,
            limit=limit,
            before=before,
            include_archived=include_archived,
            project=None if all_projects else place.project_filter,
            order=order or place.config.search_order,
        )


def show(execution_id: str, *, project: Place = None, database: str | None = None) -> Shown:
    """One execution whole: given, said, delivered. One of another person, by what it is called on
    the hub (``exec-014@ann-laptop``), is fetched from there where the record does not know it.

    Raises:
        NotFoundError: with the nearest known ids.
    """
    with opened(project, database) as place:
        return place.show_run(execution_id)


def live(*, project: Place = None, database: str | None = None) -> LiveSnapshot:
    """What each running agent of a project does now, known to its record or not; stores nothing.

    To follow them, look again and again at one ``Project.live_view()``, which reads only what was
    added since.
    """
    with opened(project, database) as place:
        return place.live()


def compare(
    left: str, right: str, *, project: Place = None, database: str | None = None
) -> Comparison:
    """Two executions side by side."""
    from orch_tui.recall.compare import compare_executions as put_side_by_side

    with opened(project, database) as place:
        return put_side_by_side(place.existing_record, left, right, place.root)


def replay(execution_id: str, *, project: Place = None, database: str | None = None) -> Replay:
    """What a past execution was handed, byte for byte; ``context_bundle`` takes its bundle."""
    from orch_tui.recall.replay import replay_briefing as render_again

    with opened(project, database) as place:
        return render_again(place.existing_record, execution_id)


def drift(execution_id: str, *, project: Place = None, database: str | None = None) -> list[Drift]:
    """What a past execution was given, file by file, beside what is on disk now.

    Raises:
        NotFoundError: no such execution.
        OrchError: it was given no bundle.
    """
    from orch_tui.recall import drift as drifting

    with opened(project, database) as place:
        past = drifting.given_bundle(place.existing_record, execution_id)
        family = model_of(place, past).family
        reader = place.reader(worktree=_worktree_of(place, execution_id))
        return drifting.find_drift(past.items, reader=reader, family=family, cache=place.counts)


def refresh(
    execution_id: str, *, project: Place = None, database: str | None = None
) -> tuple[Bundle, list[Drift]]:
    """What a past execution was given, as the files are now: the next version of its bundle (or
    the same, where nothing changed), and what is different; raises as ``drift`` does."""
    from orch_tui.recall import drift as drifting

    with opened(project, database) as place:
        record = place.existing_record
        family = model_of(place, drifting.given_bundle(record, execution_id)).family
        reader = place.reader(worktree=_worktree_of(place, execution_id))
        return drifting.refresh_bundle(
            record, execution_id, reader=reader, family=family, cache=place.counts
        )


def _worktree_of(place: Project, execution_id: str) -> str | None:
    return executions.get_execution(place.existing_record, execution_id).worktree


@overload
def stats(
    *,
    session_id: str | None = None,
    agent_type: str | None = None,
    since: str | None = None,
    until: str | None = None,
    include_archived: bool = False,
    every: Literal["day", "week"] = "day",
    all_projects: bool = False,
    scope: Literal["mine"] = "mine",
    project: Place = None,
    database: str | None = None,
) -> Insights: ...


@overload
def stats(
    *,
    agent_type: str | None = None,
    since: str | None = None,
    until: str | None = None,
    include_archived: bool = False,
    every: Literal["day", "week"] = "day",
    all_projects: bool = False,
    scope: Literal["team"],
    project: Place = None,
    database: str | None = None,
) -> TeamInsights: ...


def stats(
    *,
    session_id: str | None = None,
    agent_type: str | None = None,
    since: str | None = None,
    until: str | None = None,
    include_archived: bool = False,
    every: Literal["day", "week"] = "day",
    all_projects: bool = False,
    scope: Scope = "mine",
    project: Place = None,
    database: str | None = None,
) -> Insights | TeamInsights:
    """What went with success, always with n; ``every`` is the width of a bucket of
    ``over_time``. In the ``scope`` ``team`` by person and machine, too.

    Raises:
        NotFoundError: no such session; with the nearest known ids.
        UsageError: no such date, or one session of a team.
        HubError: the record is joined to no hub, or it cannot be asked.
    """
    from orch_tui.recall.insights import gather_insights

    with opened(project, database) as place:
        if scope == "team":
            if session_id is not None:
                raise UsageError("the figures of a team are not of one session")
            return place.team.stats(
                agent_type=agent_type,
                since=since,
                until=until,
                include_archived=include_archived,
                every=every,
                all_projects=all_projects,
            )
        return gather_insights(
            place.existing_record,
            session_id=session_id,
            agent_type=agent_type,
            since=since,
            until=until,
            include_archived=include_archived,
            every=every,
            project=None if all_projects or session_id else place.project_filter,
        )


def activity(
    *,
    since: str = "1d",
    session_id: str | None = None,
    every: Literal["day", "week"] = "day",
    all_projects: bool = False,
    project: Place = None,
    database: str | None = None,
) -> Activity:
    """What waits, what came back or failed since a time, runs and cost of the newest days or weeks,
    success by agent type, open sessions and doubts.

    Raises:
        NotFoundError: no such session; with the nearest known ids.
        UsageError: no such date.
    """
    from orch_tui.recall.activity import gather_activity
    from orch_tui.search.dates import parse_time

    with opened(project, database) as place:
        record = place.existing_record
        return gather_activity(
            record,
            parse_time(since, record.clock()),
            session_id=session_id,
            every=every,
            project=None if all_projects or session_id else place.project_filter,
        )


def outputs_of(
    *,
    session_id: str | None = None,
    execution_id: str | None = None,
    agent_type: str | None = None,
    output_type: OutputType | None = None,
    since: str | None = None,
    until: str | None = None,
    limit: int | None = None,
    all_projects: bool = False,
    project: Place = None,
    database: str | None = None,
) -> list[Output]:
    """What agents produced, newest first; not in archived sessions unless session or execution
    is named.

    Raises:
        NotFoundError: no such session or execution; with the nearest known ids.
        UsageError: an output type, date or limit that does not exist.
    """
    from orch_tui.recall import listing

    with opened(project, database) as place:
        return listing.list_outputs(
            place.existing_record,
            session_id=session_id,
            execution_id=execution_id,
            agent_type=agent_type,
            output_type=output_type,
            since=since,
            until=until,
            limit=limit,
            project=None if all_projects or session_id or execution_id else place.project_filter,
        )
