"""Finding runs here or on the hub of the record: what is shown where the hub is away."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from orch_tui.errors import HubError

if TYPE_CHECKING:
    from orch_tui.project import Project
    from orch_tui.search.query import Page

TEAM_PAGE = 50
"""Hits of a team read at a time: their texts come from the hub."""


class FoundRuns(NamedTuple):
    """What a search found: on the hub, or here."""

    page: Page | None
    """None: there is no record."""
    is_joined: bool
    """Whether the record is joined to a hub."""
    away: str = ""
    """Why the hub could not be asked, where it was to be: then it is what is here."""


def find_runs(
    project: Project,
    text: str,
    *,
    of_team: bool,
    everywhere: bool,
    limit: int,
    before: str | None,
    order: str,
    is_wanted: Callable[[], bool],
) -> FoundRuns:
    """Find runs on the hub, or else here; the pages behind the first where that was found.

    ``is_wanted``: whether anybody waits for it; who types on does not.
    """
    from orch_tui.search.query import search

    if not project.database.exists():
        return FoundRuns(None, False)
    is_joined, away = project.is_joined, ""
    if of_team and is_joined:
        try:
            page = project.team.search(
                text,
                limit=min(limit, TEAM_PAGE) if order in ("best", "newest") else limit,
                before=before,
                all_projects=everywhere,
                include_archived=everywhere,
                order=order,
                is_wanted=is_wanted,
            )
            return FoundRuns(page, True)
        except HubError as error:
            if before or not is_wanted():
                raise
            away = error.message
    page = search(
        project.existing_record,
        text,
        limit=limit,
        order=order,
        before=before,
        project=None if everywhere else project.project_filter,
        include_archived=everywhere,
    )
    return FoundRuns(page, is_joined, away)
