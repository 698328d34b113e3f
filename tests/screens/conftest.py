"""What every test of the screens stands on."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def estimates(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same figures on every Python: nothing is counted exactly in the background."""
    monkeypatch.setattr("orch_tui.prepare.exact.is_available", lambda: False)
