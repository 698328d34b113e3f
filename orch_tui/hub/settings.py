"""Which hub a record is joined to, and what is sent there: the user's own word, for one record.

It stands in the user's configuration folder, never in a file of a project: a repository that
somebody cloned could have their runs sent anywhere. A record is known by its uid and by where it
lies, since a repository may bring a record with the uid of another.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict, fields
from pathlib import Path
from typing import Literal, get_args

from orch_tui.errors import HubError
from orch_tui.files import whole_file
from orch_tui.frozen import frozen
from orch_tui.models import facts
from orch_tui.models.database import Record
from orch_tui.paths import hubs_folder

Level = Literal["nothing", "figures", "messages", "everything"]
LEVELS: tuple[Level, ...] = get_args(Level)
"""What is sent, each with all before it; its number in the hub is its place here."""

MEANING: dict[Level, str] = {
    "nothing": "only fetch what others sent",
    "figures": "agent, model, status, times, tokens, cost; no text, no path, no hash of a text",
    "messages": "and scopes, messages, outputs, paths, a briefing's own text",
    "everything": "and the contents that agents were given",
}


@frozen
class HubSettings:
    """The hub of a record."""

    service: str
    schema: str
    send: Level
    insecure: bool
    """It was said that the server may be reached without TLS that proves who it is."""
    hub_uid: str
    joined_at: str

    @property
    def level(self) -> int:
        """What is sent, as the hub counts it: 0 nothing, 3 everything."""
        return LEVELS.index(self.send)


def read_settings(record: Record) -> HubSettings | None:
    """Read which hub a record is joined to; None: none."""
    uid = facts.get_fact(record, "uid")
    if uid is None:
        return None
    try:
        held = json.loads(_file(record, uid).read_text("utf-8"))
        values = {each.name: held[each.name] for each in fields(HubSettings)}
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return HubSettings(**values) if values["send"] in LEVELS else None


def require_settings(record: Record) -> HubSettings:
    """Read which hub a record is joined to.

    Raises:
        HubError: it is joined to none.
    """
    settings = read_settings(record)
    if settings is None:
        raise HubError("the record is joined to no hub", hint="orch hub connect SERVICE joins one")
    return settings


def keep_settings(record: Record, settings: HubSettings) -> None:
    """Join a record to a hub, from now on."""
    with record.write():
        path = _file(record, facts.ensure_uid(record))
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    told = {**asdict(settings), "record": os.path.realpath(record.path)}
    with whole_file(path) as file:
        file.write(json.dumps(told, indent=1).encode("utf-8", "surrogateescape"))


def forget_settings(record: Record) -> None:
    """Have a record be joined to no hub any more."""
    _file(record, facts.get_fact(record, "uid") or "").unlink(missing_ok=True)


def _file(record: Record, uid: str) -> Path:
    return Path(hubs_folder(), f"{name_record(record, uid)}.json")


def name_record(record: Record, uid: str) -> str:
    """Name a record among all of the user's."""
    named = f"{uid}\n{os.path.realpath(record.path)}".encode("utf-8", "surrogateescape")
    return hashlib.sha256(named).hexdigest()[:32]
