"""The full-text index (interface the database expects)."""

from __future__ import annotations

from typing import Any

SEARCH_TABLES: tuple[str, ...] = ()
SEARCH_TRIGGERS: dict[str, str] = {}


def refresh_pending(record: Any) -> None:
    """Bring the index up to date with every execution marked in search_pending."""
