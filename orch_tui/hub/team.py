"""The hub that a record is joined to, as its people ask it: search, figures, a run of another.

Asked from threads, one question at a time; it stays connected between two, as who types asks at
each key. A server that falls silent is given up after so long.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from threading import Event, Lock, Timer
from typing import TYPE_CHECKING, Any, Unpack

from orch_tui.errors import HubError, OrchError
from orch_tui.hub.settings import read_settings

if TYPE_CHECKING:
    from psycopg import Connection

    from orch_tui.hub.service import OpenHub
    from orch_tui.hub.team_stats import TeamFilters, TeamInsights, TeamRuns
    from orch_tui.models.database import Record, Row
    from orch_tui.search.language import Query
    from orch_tui.search.query import Page

DEADLINE = 4.0
"""Seconds after which a hub that was reached and says nothing is away."""


_FETCHING = 60.0
"""Seconds in which a run of another must have come."""


def is_joined(record: Record) -> bool:
    """Tell whether a record is joined to a hub."""
    return read_settings(record) is not None


class Team:
    """Whoever shares the hub of a record."""

    def __init__(self, record: Record, root: Path, *, deadline: float = DEADLINE) -> None:
        self.record, self._root = record, root
        self._deadline = deadline
        self._lock = Lock()
        self._open: OpenHub | None = None
        self._held = ExitStack()

    def search(
        self,
        query: str | Query,
        *,
        limit: int = 50,
        before: str | None = None,
        all_projects: bool = False,
        include_archived: bool = False,
        order: str = "best",
        is_wanted: Callable[[], bool] = lambda: True,
    ) -> Page:
        """Find runs, as `orch_tui.hub.team_search.search_team` does.

        ``is_wanted``: whether anybody still waits for it, once those who asked before are answered.

        Raises:
            HubError: the hub cannot be asked, or nobody waits any more.
            UsageError: ``before`` or ``order`` is no such thing.
        """
        from orch_tui.hub.team_search import search_team, team_projects

        with self._asking() as hub:
            if not is_wanted():
                raise HubError("something else was asked meanwhile")
            return search_team(
                hub,
                self.record,
                query,
                limit=limit,
                before=before,
                projects=None if all_projects else team_projects(self.record, str(self._root)),
                include_archived=include_archived,
                order=order,
            )

    def stats(self, *, all_projects: bool = False, **chosen: Unpack[TeamFilters]) -> TeamInsights:
        """Gather every figure; ``chosen`` as people write it.

        Raises:
            HubError: the hub cannot be asked.
        """
        from orch_tui.hub.team_stats import gather_team_insights

        with self._asking() as hub:
            return gather_team_insights(hub, self._choose(all_projects, chosen))

    def stats_parts(
        self, parts: Iterable[str], *, all_projects: bool = False, **chosen: Unpack[TeamFilters]
    ) -> dict[str, list[Row]]:
        """Gather the rows of some figures, by name.

        Raises:
            HubError: the hub cannot be asked.
        """
        from orch_tui.hub.team_stats import gather_team_parts

        with self._asking() as hub:
            return gather_team_parts(hub, self._choose(all_projects, chosen), parts)

    def _choose(self, all_projects: bool, chosen: TeamFilters) -> TeamRuns:
        from orch_tui.hub.team_search import team_projects
        from orch_tui.hub.team_stats import TeamRuns
        from orch_tui.search.dates import parse_time

        now = self.record.clock()
        since, until = chosen.get("since"), chosen.get("until")
        return TeamRuns(
            projects=None if all_projects else team_projects(self.record, str(self._root)),
            agent_type=chosen.get("agent_type"),
            since=since and parse_time(since, now),
            until=until and parse_time(until, now, end=True),
            include_archived=chosen.get("include_archived", False),
            every=chosen.get("every", "day"),
        )

    def fetch_runs(self, uids: Iterable[str]) -> dict[str, str]:
        """Fetch all that the hub holds of some runs, and keep it; gives what they are called here,
        by uid.

        Raises:
            HubError: the hub cannot be asked.
        """
        from orch_tui.hub.pull import pull_runs
        from orch_tui.hub.watched_hub import WatchedHub
        from orch_tui.record.ledger.keys import owner_of

        keys = {f"uid:{uid}": uid for uid in uids}
        with self._asking(_FETCHING) as hub, WatchedHub(hub) as watched:
            pull_runs(self.record, watched, keys)
        found = {uid: owner_of(self.record, key) for key, uid in keys.items()}
        return {uid: label for uid, label in found.items() if label}

    def fetch_named(self, label: str) -> str | None:
        """Fetch the run that is called so (``exec-014@ann-laptop``), and keep it; gives what it is
        called here, None where the hub has none of that name.

        Raises:
            HubError: the hub cannot be asked.
        """
        of_origin, _, origin = label.rpartition("@")
        with self._asking() as hub:
            rows = hub.connection.execute(
                "SELECT r.uid FROM runs AS r JOIN origins AS o USING (origin_id) "
                "WHERE r.label = %s AND %s IN (o.name, o.name || '.' || left(o.uid, 4)) "
                "ORDER BY r.at DESC LIMIT 1",
                [of_origin, origin],
            ).fetchall()
        return next(iter(self.fetch_runs(uid for (uid,) in rows).values()), None) if rows else None

    def close(self) -> None:
        """Close the connection, where there is one."""
        with self._lock:
            self._leave()

    # Asking

    @contextmanager
    def _asking(self, deadline: float | None = None) -> Iterator[OpenHub]:
        """Ask the hub, connected as long as it is well."""
        from orch_tui.hub.service import hub_error, load_psycopg

        psycopg = load_psycopg()
        with self._lock:
            hub = self._connected()
            deadline = deadline or self._deadline
            with cut_after(hub.connection, deadline) as cut:
                try:
                    yield hub
                except psycopg.Error as error:
                    self._leave()
                    if cut.is_set():
                        raise HubError(
                            f"the hub {hub.service.name} ({hub.service.place}) did not answer: "
                            f"it was silent for {deadline:g} s",
                            is_away=True,
                        ) from None
                    raise hub_error(hub.service, error) from None
                except OrchError:
                    raise
                except BaseException:
                    self._leave()
                    raise

    def _connected(self) -> OpenHub:
        from orch_tui.hub.service import find_service, open_hub

        settings = read_settings(self.record)
        if settings is None:
            self._leave()
            raise HubError(
                "this record is joined to no hub",
                hint="`orch hub connect SERVICE` joins one; without --team all is searched that "
                "is here",
            )
        if self._open is not None:
            if not self._open.connection.closed and self._open.uid == settings.hub_uid:
                return self._open
            self._leave()
        service = find_service(settings.service, insecure=settings.insecure)
        hub = self._held.enter_context(open_hub(service, settings.schema))
        if not hub.may_read:
            self._leave()
            raise HubError(
                f"{hub.person} may push to the hub {service.name}, and not read it",
                hint=f"its owner lets people read: GRANT {settings.schema}_reader TO {hub.person}",
            )
        self._open = hub
        return hub

    def _leave(self) -> None:
        self._open = None
        with suppress(Exception):
            self._held.close()


@contextmanager
def cut_after(connection: Connection[Any], seconds: float) -> Iterator[Event]:
    """Cut a connection that is still waited for after so long; gives what is then set."""
    was_cut = Event()

    def cut() -> None:
        was_cut.set()
        with suppress(Exception):
            descriptor = os.dup(connection.fileno())
            with socket.socket(fileno=descriptor) as its:
                its.shutdown(socket.SHUT_RDWR)

    timer = Timer(seconds, cut)
    timer.daemon = True
    timer.start()
    try:
        yield was_cut
    finally:
        timer.cancel()
