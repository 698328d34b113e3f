"""How facts are worded on every screen."""

from __future__ import annotations

_STATES = {
    "deployed": ("○ waiting", "warn"),
    "completed": ("● done", ""),
    "failed": ("✗ failed", "bad"),
}


def state_of(status: str | None) -> tuple[str, str]:
    """A state as a glyph with a word, readable without colour, and its row style."""
    return _STATES.get(status or "", ("? unknown", "dim"))
