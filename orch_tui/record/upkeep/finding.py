"""What the doctor tells of one thing it looked at."""

from __future__ import annotations

from typing import Literal

from orch_tui.frozen import frozen
from orch_tui.wording import plural

Level = Literal["ok", "warning", "problem"]
REPAIR = "orch doctor --repair"
RESTORE = (
    "orch restore FILE puts a backup back; or save what can be read with `sqlite3 FILE .recover`"
)


@frozen
class Finding:
    """One thing that was looked at."""

    level: Level
    what: str
    detail: str
    remedy: str = ""
    """What to do about it; empty where nothing needs doing."""


def count_and_name(names: list[str], kind: str, kinds: str = "") -> str:
    """Word how many there are of a kind, and name the first; ``kinds``: what several are called."""
    count = f"{len(names):,} {kinds}" if kinds and len(names) > 1 else plural(len(names), kind)
    return f"{count} ({', '.join(names[:3])}{', ...' if len(names) > 3 else ''})"
