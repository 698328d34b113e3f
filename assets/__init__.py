"""Files that ship with orch: schema, templates, model catalogue, token tables, the skill."""

from __future__ import annotations

from pathlib import Path


def asset(name: str) -> Path:
    """The path of a shipped file, e.g. ``asset("models.json")`` or ``asset("templates/x.md")``."""
    return Path(__file__).parent / name
