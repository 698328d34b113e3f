"""How far something is, in one line."""

from __future__ import annotations


def progress_line(done: int, total: int, cells: int) -> str:
    """``━━━━────── 40 %``, the bar ``cells`` wide."""
    filled = cells * done // max(total, 1)
    return f"{'━' * filled}{'─' * (cells - filled)} {100 * done // max(total, 1)} %"
