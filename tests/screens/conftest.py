"""What every test of the screens stands on."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def estimates(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same figures on every Python: nothing is counted exactly in the background."""
    monkeypatch.setattr("orch_tui.prepare.exact.is_available", lambda: False)


@pytest.fixture(autouse=True)
def history_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """Most tests begin in History, as who was there last does."""
    monkeypatch.setattr("orch_tui.app.OrchApp.FIRST", "history")


@pytest.fixture(autouse=True)
def nothing_moves(monkeypatch: pytest.MonkeyPatch) -> None:
    """What scrolls is there at once: nothing is painted on the way, and no key waits for it."""
    monkeypatch.setattr("textual.constants.TEXTUAL_ANIMATIONS", "none")
