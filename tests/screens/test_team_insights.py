"""Insights of a team: the figures of everybody who shares the hub, by person and by machine."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from orch_tui.app import OrchApp
from orch_tui.errors import HubError
from orch_tui.project import Project
from orch_tui.recall.insights.group_outcomes import GroupOutcome
from orch_tui.screens.history.screen import HistoryScreen
from orch_tui.screens.insights.screen import InsightsScreen
from orch_tui.screens.widgets.row_list import Rows
from orch_tui.search.query import Page
from tests.conftest import FakeClock
from tests.screens.history.conftest import folder as folder
from tests.screens.history.driven import open_app_later
from tests.screens.history.test_history_looks import Snap
from tests.screens.looks import in_looks
from tests.screens.quiet import settled


class TeamOfTwo:
    """Ann, whose record it is, and Bob."""

    def __init__(self) -> None:
        self.away = ""
        self.asked: list[str] = []

    def stats_parts(self, parts: Iterable[str], **_: object) -> dict[str, list[dict[str, Any]]]:
        if self.away:
            raise HubError(self.away, is_away=True)
        names = {"by_person": ("ann", "bob"), "by_machine": ("ann-laptop", "bob-desk")}
        return {
            part: [
                GroupOutcome(name, 30 - 9 * number, 20 - number, 5, 5).row(part[3:])
                for number, name in enumerate(names.get(part, ("one",)))
            ]
            for part in parts
        }

    def search(self, text: str, **_: object) -> Page:
        self.asked.append(text)
        return Page((), 0, False, None, ())

    def close(self) -> None:
        pass


@pytest.fixture
def team(monkeypatch: pytest.MonkeyPatch) -> TeamOfTwo:
    both = TeamOfTwo()
    monkeypatch.setattr(Project, "is_joined", property(lambda _: True))
    monkeypatch.setattr(Project, "team", property(lambda _: both))
    return both


async def open_team(pilot: Pilot[None]) -> None:
    await settled(pilot)
    await pilot.press("f5")
    await settled(pilot)
    await pilot.press("T")
    await settled(pilot)


@in_looks((80, 24), (120, 36), always=2)
@pytest.mark.usefixtures("team")
def test_how_it_looks(
    folder: Path, clock: FakeClock, snap_compare: Snap, theme: str, size: tuple[int, int]
) -> None:
    app = open_app_later(folder, clock)
    app.theme = theme
    assert snap_compare(app, terminal_size=size, run_before=open_team)


def table_of(app: OrchApp) -> list[str]:
    return [row.cells[0] for row in app.screen.query_one("#table", Rows).rows]


async def test_the_figures_of_the_team_lead_to_its_runs(
    folder: Path, clock: FakeClock, team: TeamOfTwo
) -> None:
    app = open_app_later(folder, clock)
    async with app.run_test(size=(120, 36)) as pilot:
        await open_team(pilot)
        insights = app.screen
        assert isinstance(insights, InsightsScreen)
        assert insights.part == "by_person"
        assert table_of(app) == ["ann", "bob"]
        assert insights.command() == "orch stats --by person --team"
        assert not insights.check_action("cycle_scope", ())
        app.screen.query_one("#table", Rows).focus()
        await pilot.press("down", "enter")
        await settled(pilot)
        assert isinstance(app.screen, HistoryScreen)
        assert team.asked[-1].strip() == 'person:"bob"'
        await pilot.press("escape", "f5")
        await settled(pilot)
        await pilot.press("T")
        await settled(pilot)
        assert app.screen.query_one("#parts", Rows).key == "overview"


async def test_where_the_hub_is_away_it_is_said(
    folder: Path, clock: FakeClock, team: TeamOfTwo
) -> None:
    team.away = "the hub team does not answer"
    app = open_app_later(folder, clock)
    async with app.run_test(size=(120, 36)) as pilot:
        await open_team(pilot)
        assert table_of(app) == []
        strips = app.screen._compositor.render_strips()
        text = "\n".join("".join(segment.text for segment in strip) for strip in strips)
        assert "the hub team does not answer" in text
        team.away = ""
        await pilot.press("r")
        await settled(pilot)
        assert table_of(app) == ["ann", "bob"]
