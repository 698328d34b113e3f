"""Taking in what hooks left in the inbox.

A payload is applied within one transaction and its file removed after that: who is killed between
the two applies it again, which changes nothing, since a statement is known by its digest and the
time of its arrival stands in the name of its file. What cannot be read is set aside with the
reason.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from orch_tui.errors import RecordError
from orch_tui.frozen import frozen
from orch_tui.paths import SET_ASIDE, AnyPath, safe_inboxes

if TYPE_CHECKING:
    from orch_tui.models.database import Record
    from orch_tui.record.hooks.payloads import HookStatements, PermissionPayload

PAYLOADS_IN_PASSING = 500
"""Payloads that a command records on its way; the app and ``orch watch`` take all."""

_BATCH = 100
"""Payloads of one transaction."""

_BATCH_BYTES = 16_000_000

_ABANDONED = 60.0
"""Seconds after which an unfinished payload is nobody's any more: its hook was killed."""


_SHOWN_NS = 10 * 10**9
"""Nanoseconds for which every payload stays that says what an agent asks for: it is for whoever
looks at running agents, in whatever process, and not for the record."""

_ASKED_NS = 3_600 * 10**9
"""Nanoseconds for which the last of them of each agent stays: somebody may come back to an agent
that has been asking for long."""

_ASKED = ".asked-"
"""How its name begins then; no payload that waits for the record has such a name."""


@frozen
class WaitingPayload:
    """One payload in an inbox."""

    path: str
    arrived_ns: int
    """Nanoseconds since 1970."""
    size: int
    """Bytes."""


def list_waiting(root: AnyPath) -> list[WaitingPayload]:
    """List the payloads that wait for the project, oldest first."""
    found = [w for folder in safe_inboxes(root) for w in list_inbox(folder)]
    return sorted(found, key=lambda w: (w.arrived_ns, w.path))


def list_asked(root: AnyPath) -> list[WaitingPayload]:
    """List what each agent of the project asked for last, as far as it is kept."""
    found = []
    for folder in safe_inboxes(root):
        with suppress(OSError), os.scandir(folder) as entries:
            for entry in entries:
                if entry.name.startswith(_ASKED) and entry.is_file(follow_symlinks=False):
                    seen = entry.stat()
                    found.append(WaitingPayload(entry.path, seen.st_mtime_ns, seen.st_size))
    return found


def list_inbox(folder: str) -> list[WaitingPayload]:
    """List the payloads in one inbox, in no order."""
    try:
        return list(_found(folder))
    except OSError:
        return []


def drain_inbox(
    record: Record,
    root: AnyPath,
    *,
    most: int | None = None,
    remark: Callable[[str], object] = lambda text: None,
) -> int:
    """Take in what waits for the project, oldest first, and give how many payloads that were.

    A record that is locked or cannot be written is left alone, and so is what waits. ``remark``
    is told of each payload that is set aside.
    """
    taken = 0
    if record.writable:
        _forget_asked(root)
        with suppress(RecordError):
            for batch in _batches(list_waiting(root)[:most]):
                taken += _take(record, root, batch, remark)
    if taken:
        from orch_tui.record.hand_over import remove_returned

        remove_returned(record)
    return taken


def _batches(items: list[WaitingPayload]) -> Iterator[list[WaitingPayload]]:
    batch: list[WaitingPayload] = []
    for item in items:
        if batch and (len(batch) == _BATCH or sum(w.size for w in batch) > _BATCH_BYTES):
            yield batch
            batch = []
        batch.append(item)
    if batch:
        yield batch


def _found(folder: str) -> Iterator[WaitingPayload]:
    with os.scandir(folder) as entries:
        for entry in entries:
            name = entry.name
            if not entry.is_file(follow_symlinks=False):
                continue
            whole = name.endswith(".json") and not name.startswith(".")
            with suppress(FileNotFoundError):  # another process took it
                found = entry.stat()
                if whole or _abandoned(name, found):
                    yield WaitingPayload(entry.path, _arrived(name, found), found.st_size)


def _abandoned(name: str, found: os.stat_result) -> bool:
    return name.endswith(".tmp") and time.time() - found.st_mtime > _ABANDONED


def _arrived(name: str, found: os.stat_result) -> int:
    number = name.lstrip(".").partition("-")[0]
    if number.isascii() and number.isdigit() and len(number) == 20:
        return int(number)
    return found.st_mtime_ns


class _Read(NamedTuple):
    """One payload as it was read."""

    path: str
    at: str
    heard: HookStatements | None


def _take(
    record: Record, root: AnyPath, batch: list[WaitingPayload], remark: Callable[[str], object]
) -> int:
    """Apply a batch in one transaction, and remove its files when that is on disk."""
    from orch_tui.record.defects import confine_defects
    from orch_tui.record.hooks import payload_ingest

    read: list[_Read] = []
    aside: dict[str, str] = {}

    def put_aside(each: WaitingPayload | _Read, reason: str) -> None:
        aside[each.path] = reason

    for item in batch:
        confine_defects([item], lambda items: read.extend(_read(*items)), put_aside)
    names = payload_ingest.map_agent_keys(each.heard for each in read if each.heard)
    with record.not_waiting():
        confine_defects(read, lambda part: _apply(record, root, part, names), put_aside)
    for path in {each.path for each in read} - aside.keys():
        with suppress(OSError):
            os.unlink(path)
    for path, reason in aside.items():
        _set_aside(path, reason)
        remark(f"{path} is set aside, a hook's payload that cannot be taken in: {reason}")
    return len({each.path for each in read} | aside.keys())


def _read(item: WaitingPayload) -> Iterator[_Read]:
    """Yield a waiting payload and when it arrived; nothing where another process took it, or
    where it waits for those who look at running agents.

    Raises:
        OSError, UnreadableError: it cannot be read.
    """
    from datetime import UTC, datetime

    from orch_tui.models.values import timestamp
    from orch_tui.record.hooks import payloads

    try:
        with open(item.path, "rb") as file:
            data = file.read()
    except FileNotFoundError:
        return
    at = timestamp(datetime.fromtimestamp(item.arrived_ns / 1e9, UTC))
    payload = payloads.parse_payload(data)
    age = time.time_ns() - item.arrived_ns
    permission = payloads.read_permission(payload) if 0 <= age < _ASKED_NS else None
    if permission is None:
        yield _Read(item.path, at, payloads.read_payload(payload, at))
    elif age >= _SHOWN_NS:
        _keep_asked(item, permission)


def _keep_asked(item: WaitingPayload, permission: PermissionPayload) -> None:
    """Keep what an agent asks for in the place of what it asked for before."""
    import hashlib

    who = hashlib.sha256(repr((permission.claude_session, permission.agent_id)).encode())
    kept = os.path.join(os.path.dirname(item.path), f"{_ASKED}{who.hexdigest()[:32]}.json")
    os.replace(item.path, kept)
    os.utime(kept, ns=(item.arrived_ns, item.arrived_ns))


def _forget_asked(root: AnyPath) -> None:
    for kept in list_asked(root):
        if not 0 <= time.time_ns() - kept.arrived_ns < _ASKED_NS:
            with suppress(OSError):
                os.unlink(kept.path)


def _apply(
    record: Record, root: AnyPath, part: Sequence[_Read], names: Mapping[str, tuple[str, ...]]
) -> None:
    from orch_tui.record.hooks import payload_ingest

    # two hooks tell of one call side by side: whose it is has to be known first
    in_order = sorted(part, key=lambda each: bool(each.heard and each.heard.not_handed_over))
    with record.write():
        for each in in_order:
            if each.heard is not None:
                payload_ingest.ingest_hook_payload(record, str(root), each.heard, each.at, names)


def _set_aside(path: str, reason: str) -> None:
    folder, name = os.path.split(path)
    aside = os.path.join(folder, SET_ASIDE)
    with suppress(OSError):
        os.makedirs(aside, 0o700, exist_ok=True)
        target = _free_name(os.path.join(aside, name.lstrip(".")))
        with open(f"{target}.reason", "x", encoding="utf-8", errors="replace") as file:
            file.write(f"{reason}\n")
        os.rename(path, target)


def _free_name(path: str) -> str:
    """Give a name that neither a payload has nor, with ``.reason``, anything else: a link would
    lead the reason out of the inbox."""
    number, free = 1, path
    while os.path.lexists(free) or os.path.lexists(f"{free}.reason"):
        number += 1
        free = f"{path}.{number}"
    return free


def list_set_aside(folder: str) -> list[tuple[str, str]]:
    """List the payloads in one inbox that could not be read, each with the reason."""
    aside = os.path.join(folder, SET_ASIDE)
    try:
        names = sorted(n for n in os.listdir(aside) if not n.endswith(".reason"))
    except OSError:
        return []
    return [(os.path.join(aside, name), _reason(os.path.join(aside, name))) for name in names]


def _reason(path: str) -> str:
    file = f"{path}.reason"
    try:
        if os.path.islink(file) or not os.path.isfile(file):
            return ""
        with open(file, encoding="utf-8") as stream:
            return stream.readline(500).strip()
    except (OSError, ValueError):
        return ""
