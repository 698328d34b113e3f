"""What every test of the screens stands on."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

import pytest
from textual.css.model import RuleSet
from textual.css.stylesheet import Stylesheet
from textual.pilot import Pilot

from orch_tui.app import OrchApp
from orch_tui.prepare.count import Count
from orch_tui.prepare.handed_parts import count_headings
from tests.screens.quiet import (
    hold_back,
    put_off_painting,
    stand_still,
    wait_for_answers,
    wait_for_loop,
)


@pytest.fixture(autouse=True)
def estimates(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same figures on every Python: nothing is counted exactly in the background."""
    monkeypatch.setattr("orch_tui.prepare.exact.is_available", lambda: False)


@pytest.fixture(autouse=True)
def history_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """Most tests begin in History, as who was there last does."""
    monkeypatch.setattr("orch_tui.app.OrchApp.FIRST", "history")
    monkeypatch.setattr("orch_tui.app.OrchApp.FIRST_EVER", "history")


@pytest.fixture(autouse=True)
def anywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same figures wherever the project lies: its path is handed over with its CLAUDE.md."""
    of_one = Count(20, "e", 20, 20)

    def count(paths: Sequence[Count], family: str) -> Count:
        return count_headings([of_one] * len(paths), family)

    monkeypatch.setattr("orch_tui.prepare.ambient.count_headings", count)


@pytest.fixture(autouse=True)
def nothing_moves(monkeypatch: pytest.MonkeyPatch) -> None:
    """What scrolls is there at once: nothing is painted on the way, and no key waits for it."""
    monkeypatch.setattr("textual.constants.TEXTUAL_ANIMATIONS", "none")


@pytest.fixture(autouse=True)
def styles_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """What one app read of the styles the next takes over: each test begins one."""
    monkeypatch.setattr(Stylesheet, "_parse_rules", _parse_once)


_parse_rules = Stylesheet._parse_rules
_parsed: dict[tuple[object, ...], list[RuleSet]] = {}


def _parse_once(
    styles: Stylesheet,
    css: str,
    read_from: tuple[str, str],
    is_default_rules: bool = False,
    tie_breaker: int = 0,
    scope: str = "",
) -> list[RuleSet]:
    variables = tuple(sorted(styles._variables.items()))
    key = (css, read_from, is_default_rules, tie_breaker, scope, variables)
    if key not in _parsed:
        _parsed[key] = _parse_rules(styles, css, read_from, is_default_rules, tie_breaker, scope)
    return _parsed[key]


@pytest.fixture(autouse=True)
def nothing_pending(monkeypatch: pytest.MonkeyPatch) -> None:
    """A pause or a key waits for what there is to do, and not for time to pass."""
    monkeypatch.setattr("textual.pilot.wait_for_idle", wait_for_loop)
    monkeypatch.setattr("textual.app.wait_for_idle", wait_for_answers)
    monkeypatch.setattr("textual.screen.Screen._compositor_refresh", put_off_painting)
    monkeypatch.setattr("textual.app.App.delay_update", hold_back)
    monkeypatch.setattr("textual.app.App.NOTIFICATION_TIMEOUT", 600)


@pytest.fixture
def snap_compare(snap_compare: Callable[..., bool]) -> Callable[..., bool]:
    """Compare a picture of the app once nothing is on its way to it."""

    def compare(
        app: OrchApp,
        *,
        terminal_size: tuple[int, int],
        run_before: Callable[[Pilot[None]], Awaitable[None]],
    ) -> bool:
        async def drive(pilot: Pilot[None]) -> None:
            await run_before(pilot)
            await stand_still(pilot)

        return snap_compare(app, terminal_size=terminal_size, run_before=drive)

    return compare
