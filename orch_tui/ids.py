"""Labels for people: ``orch-2026-11-22-001``, ``exec-001``, ``bundle-001``.

They come from counters inside the writer's transaction, so they are unique under concurrency; a
number somebody already took by hand is skipped. A label of another machine ends in the name of
that: ``exec-014@ann-laptop``.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from orch_tui.errors import NotFoundError, UsageError, shorten_name
from orch_tui.models.database import Record
from orch_tui.models.values import readable

_TABLES = {
    "session": ("sessions", "session_id"),
    "execution": ("agent_executions", "execution_id"),
    "bundle": ("bundles", "bundle_id"),
}


LONGEST_LABEL = 200
"""Characters of a label that is given by hand."""

_BREAKING = {"Cc", "Zl", "Zp"}
"""Kinds of characters that break a line or steer a terminal."""

_VERSIONED = re.compile(r"(.+)@([0-9]{1,9})", re.S)


def check_label(kind: str, label: str) -> None:
    """Refuse a label, given by hand for something new, that nobody could read or type.

    Raises:
        UsageError: it is blank, too long or holds control characters.
    """
    if len(label) > LONGEST_LABEL:
        wrong = f"has {len(label):,} characters"
    elif any(unicodedata.category(char) in _BREAKING for char in label):
        wrong = "holds control characters"
    elif not label.strip():
        wrong = "is blank"
    else:
        return
    raise UsageError(
        f"{kind} id {ascii(shorten_name(label))} {wrong}",
        hint=f"an id has up to {LONGEST_LABEL} characters: letters, digits, signs and spaces",
    )


def split_version(given: str) -> tuple[str, int | None]:
    """Split ``bundle-003@ann-laptop@2`` into the label and the version; None: no version is named.

    What stands behind another ``@`` is the machine whose label it is. A machine's name begins with
    a letter, so a number behind the last one is a version and nothing else.
    """
    versioned = _VERSIONED.fullmatch(given)
    return (versioned[1], int(versioned[2])) if versioned else (given, None)


def new_label(record: Record, kind: str) -> str:
    """The next free label for a ``session``, ``execution`` or ``bundle``."""
    table, column = _TABLES[kind]
    prefix = {
        "session": f"orch-{record.clock().astimezone():%Y-%m-%d}",
        "execution": "exec",
        "bundle": "bundle",
    }[kind]
    while True:
        number = record.value(
            "INSERT INTO counters (name, value) VALUES (?, 1) "
            "ON CONFLICT (name) DO UPDATE SET value = value + 1 RETURNING value",
            [prefix],
        )
        label = f"{prefix}-{number:03}"
        if not record.value(f"SELECT 1 FROM {table} WHERE {column} = ?", [label]) and not (
            kind == "execution"
            and record.value("SELECT 1 FROM execution_keys WHERE key = ?", [f"id:{label}"])
        ):
            return label


def not_found(record: Record, kind: str, wanted: str, names: Sequence[str] = ()) -> NotFoundError:
    """The error for an unknown id, with the nearest known ones (of the newest 2,000) and
    ``names`` that would do as well."""
    table, column = _TABLES[kind]
    known = [
        readable(label) or ""
        for (label,) in record.sql(f"SELECT {column} FROM {table} ORDER BY rowid DESC LIMIT 2000")
    ]
    return NotFoundError(kind, wanted, [*known, *names])
