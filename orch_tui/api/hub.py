"""The hub of a team from Python: join it, sync with it, look at it, leave it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from orch_tui.api.place import Place, opened

if TYPE_CHECKING:
    from orch_tui.hub.joining import HubStatus
    from orch_tui.hub.settings import Level
    from orch_tui.hub.sync_process import SyncReport


def hub_connect(
    service: str,
    *,
    send: Level,
    schema: str = "orch",
    insecure: bool = False,
    project: Place = None,
    database: str | None = None,
) -> HubStatus:
    """Join the record to a hub, and tell how it stands to it.

    ``service`` is an entry of ``~/.pg_service.conf`` or an address without a password, ``send``
    what is sent there: ``nothing``, ``figures``, ``messages`` or ``everything``. ``insecure``: a
    server elsewhere need not prove who it is.

    Raises:
        UsageError: the service is no name and no address, or there is no such level.
        HubError: the hub cannot be reached or used, or not so.
    """
    from orch_tui.hub import joining

    with opened(project, database) as place:
        found = joining.look_at_invitation(place.record, service, schema=schema, insecure=insecure)
        joining.join_hub(place.record, found, send)
        return joining.read_hub_status(place.record)


def hub_status(*, project: Place = None, database: str | None = None) -> HubStatus:
    """Tell how the record stands to its hub; that it is away is a part of the answer.

    Raises:
        RecordError: there is no record.
    """
    from orch_tui.hub.joining import read_hub_status

    with opened(project, database) as place:
        return read_hub_status(place.existing_record)


def hub_sync(
    *,
    push: bool = True,
    pull: bool = True,
    everybody: bool = False,
    persons: Sequence[str] = (),
    since: str | None = None,
    project: Place = None,
    database: str | None = None,
) -> SyncReport:
    """Send what is new here to the hub, and fetch what is new there.

    One's own other records are followed, besides them those of ``persons``, or of ``everybody``.
    ``since`` (``2026-11-01``, ``7d``): fetch their runs from then on, instead of what is new.

    Raises:
        UsageError: ``since`` is no time.
        HubError: the record is joined to no hub, that is away, or another sync is at work.
    """
    from orch_tui.hub.pull import Followed
    from orch_tui.hub.sync import SyncPlan
    from orch_tui.hub.sync_process import sync_with_hub
    from orch_tui.search.dates import parse_time

    with opened(project, database) as place:
        record = place.existing_record
        moment = None if since is None else parse_time(since, record.clock())
        followed = Followed(everybody=everybody, persons=tuple(persons))
        plan = SyncPlan(pushes=push, pulls=pull, followed=followed, since=moment)
        return sync_with_hub(record, plan)


def hub_disconnect(*, project: Place = None, database: str | None = None) -> None:
    """Leave the hub; what was sent there stays there.

    Raises:
        HubError: the record is joined to none.
    """
    from orch_tui.hub.joining import leave_hub

    with opened(project, database) as place:
        leave_hub(place.existing_record)
