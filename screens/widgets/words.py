"""How facts are worded on every screen."""

from __future__ import annotations

from orch_tui.models.values import ENDINGS, has_succeeded
from orch_tui.screens.theme import SIGNS

_STATES = {
    "deployed": (f"{SIGNS['running']} waiting", "running"),
    "completed": (f"{SIGNS['done']} done", "ok"),
    "failed": (f"{SIGNS['failed']} failed", "bad"),
}


def state_of(
    status: str | None, unverified: str | None = None, success: bool | None = None
) -> tuple[str, str]:
    """A state as a glyph with a word, readable without colour, and its row style: as statistics
    count it (``has_succeeded``), whatever status it was given."""
    if status in ENDINGS:
        well = has_succeeded(status, success, unverified)
        if well is None:
            return f"{SIGNS['doubt']} in doubt", "warn"
        status = "completed" if well else "failed"
    return _STATES.get(status or "", ("? unknown", "dim"))


def format_tokens(tokens: int) -> str:
    """Format tokens in at most five cells: ``850``, ``12.3k``, ``168k``, ``1.25M``."""
    if tokens < 1000:
        return str(tokens)
    if tokens < 99_950:
        return f"{tokens / 1000:.1f}k"
    return f"{tokens / 1000:.0f}k" if tokens < 999_500 else f"{tokens / 1e6:.2f}M"


def format_duration(seconds: float) -> str:
    """Format seconds in at most six cells: ``41 s`` to 90 s, ``26 min``, ``3 h``, ``4 d``."""
    if seconds < 90:
        return f"{max(0, round(seconds))} s"
    if seconds < 5400:
        return f"{seconds // 60:.0f} min"
    return f"{seconds // 3600:.0f} h" if seconds < 48 * 3600 else f"{seconds // 86400:.0f} d"
