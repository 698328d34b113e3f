"""Asking whether words that hold what looks like a secret are to be kept."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from textual.screen import Screen

from orch_tui.screens.dialogs import Confirm


def ask_for_secrets(screen: Screen[Any], words: str, then: Callable[[bool], None]) -> None:
    """Ask where words hold what looks like a secret; ``then`` is told whether somebody said yes.

    Where the answer is no the engine refuses them, and what was typed is kept as a draft.
    """
    from orch_tui.prepare.secrets import find_secrets

    found = find_secrets(words)
    if not found:
        then(False)
        return
    detail = "\n".join(map(str, found[:5]))
    ask = Confirm("Keep what looks like a secret?", detail=detail)
    screen.app.push_screen(ask, lambda said: then(bool(said)))
