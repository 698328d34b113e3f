"""Joining a record to a hub, leaving it, and telling how things stand between the two."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from orch_tui.errors import HubError, UsageError
from orch_tui.frozen import frozen
from orch_tui.hub.service import DEFAULT_SCHEMA, find_service, open_hub
from orch_tui.hub.settings import (
    LEVELS,
    HubSettings,
    Level,
    forget_settings,
    keep_settings,
    read_settings,
    require_settings,
)
from orch_tui.models.values import timestamp

if TYPE_CHECKING:
    from orch_tui.hub.service import OpenHub
    from orch_tui.models.database import Record

PROPOSED: Level = "messages"


@frozen
class OriginLine:
    """A record that pushes to the hub: one life of it, on one machine."""

    name: str
    """As it stands in labels: ``ann-laptop``."""
    person: str
    """Who PostgreSQL says it is."""
    declared: str | None
    """Who git says it is, where people share one login."""
    machine: str
    client: str
    sends: str
    statements: int
    redactions: int
    """Of those that the hub knows of, how many were done there; who only pushes does none."""
    seen_at: str
    mine: bool


@frozen
class HubStatus:
    """How a record stands to the hub it is joined to."""

    joined: bool
    service: str | None = None
    place: str | None = None
    schema: str | None = None
    send: str | None = None
    joined_at: str | None = None
    problem: str | None = None
    """Why the hub cannot be used just now; what it alone knows is None then."""
    hint: str | None = None
    hub: str | None = None
    """The uid of the hub."""
    version: int | None = None
    person: str | None = None
    may_read: bool | None = None
    may_push: bool | None = None
    waiting: int | None = None
    """Statements of this record that the hub has not got."""
    redactions: int | None = None
    """How many texts and statements were redacted there."""
    origins: tuple[OriginLine, ...] = ()


@frozen
class Invitation:
    """A hub that a record may join, and as whom."""

    settings: HubSettings
    place: str
    person: str
    may_read: bool
    may_push: bool


def look_at_invitation(
    record: Record, service: str, *, schema: str = DEFAULT_SCHEMA, insecure: bool = False
) -> Invitation:
    """Look whether a record may join a hub; nothing is kept yet.

    Raises:
        UsageError: the service is no name and no address, or holds a password.
        HubError: the hub cannot be reached or used.
    """
    found = find_service(service, insecure=insecure)
    with open_hub(found, schema) as hub:
        settings = HubSettings(
            service=found.name,
            schema=schema,
            send=PROPOSED if hub.may_push else "nothing",
            insecure=insecure,
            hub_uid=hub.uid,
            joined_at=record.now(),
        )
        return Invitation(settings, found.place, hub.person, hub.may_read, hub.may_push)


def join_hub(record: Record, invitation: Invitation, send: Level) -> HubSettings:
    """Join a record to a hub, with what is sent there.

    Raises:
        UsageError: there is no such level.
        HubError: who may only read sends nothing, who may only push sends something.
    """
    if send not in LEVELS:
        raise UsageError(f"{send!r} is no level", hint=f"one of {', '.join(LEVELS)}")
    person, place = invitation.person, invitation.place
    if send != "nothing" and not invitation.may_push:
        raise HubError(
            f"{person} may only read the hub at {place}", hint="--send nothing joins to read it"
        )
    if send == "nothing" and not invitation.may_read:
        raise HubError(
            f"{person} may only push to the hub at {place}", hint="choose what is sent: --send"
        )
    settings = replace(invitation.settings, send=send)
    keep_settings(record, settings)
    return settings


def leave_hub(record: Record) -> HubSettings:
    """Leave the hub; gives which it was. What was sent there stays there.

    Raises:
        HubError: the record is joined to none.
    """
    settings = require_settings(record)
    forget_settings(record)
    return settings


def read_hub_status(record: Record) -> HubStatus:
    """Read how a record stands to its hub; that it is away is a part of the answer."""
    settings = read_settings(record)
    if settings is None:
        return HubStatus(joined=False)
    known = HubStatus(
        joined=True,
        service=settings.service,
        schema=settings.schema,
        send=settings.send,
        joined_at=settings.joined_at,
    )
    try:
        service = find_service(settings.service, insecure=settings.insecure)
        known = replace(known, place=service.place)
        with open_hub(service, settings.schema) as hub:
            return replace(
                known,
                hub=hub.uid,
                version=hub.version,
                person=hub.person,
                may_read=hub.may_read,
                may_push=hub.may_push,
                waiting=_count_waiting(record, hub),
                redactions=_count_redactions(hub),
                origins=_list_origins(record, hub),
            )
    except (HubError, UsageError) as error:
        return replace(known, problem=error.message, hint=error.hint or None)


def _list_origins(record: Record, hub: OpenHub) -> tuple[OriginLine, ...]:
    mine = {str(uid) for (uid,) in record.sql("SELECT uid FROM origins WHERE mine")}
    return tuple(
        OriginLine(
            *(name, person, declared, machine, client, LEVELS[sends], last_seq, redactions),
            seen_at=timestamp(seen_at),
            mine=uid in mine,
        )
        for uid, name, person, declared, machine, client, sends, last_seq, redactions, seen_at in (
            hub.connection.execute(
                "SELECT uid, name, person, declared, machine, client, sends, last_seq, redactions, "
                "seen_at "
                "FROM origins ORDER BY seen_at DESC, origin_id"
            )
        )
    )


def _count_redactions(hub: OpenHub) -> int:
    row = hub.connection.execute("SELECT count(*) FROM gone").fetchone()
    return int(row[0]) if row else 0


def _count_waiting(record: Record, hub: OpenHub) -> int:
    """Count what was stated here that the hub has not got, numbered or not."""
    origins = dict(record.sql("SELECT uid, origin_id FROM origins WHERE mine"))
    held = dict(
        hub.connection.execute(
            "SELECT uid, last_seq FROM origins WHERE uid = ANY(%s)", [list(origins)]
        ).fetchall()
    )
    waiting = record.value(
        "SELECT count(*) FROM observations WHERE NOT pending "
        "AND observation_id NOT IN (SELECT observation_id FROM log)"
    )
    for uid, origin_id in origins.items():
        waiting += record.value(
            "SELECT count(*) FROM log WHERE origin_id = ? AND seq > ?",
            [origin_id, held.get(uid, 0)],
        )
    return int(waiting)
