"""History shows the runs of a team: who ran them where, and what is here where the hub is away."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Static

from orch_tui.errors import HubError
from orch_tui.project import Project
from orch_tui.screens.history.run_view import Run
from orch_tui.screens.history.screen import HistoryScreen
from orch_tui.screens.widgets.row_list import Rows
from orch_tui.search.query import Hit, Page
from tests.conftest import FakeClock
from tests.screens.history.driven import list_keys, open_app, open_app_later
from tests.screens.history.test_history_looks import Snap
from tests.screens.looks import in_looks
from tests.screens.quiet import settled


def hit(label: str, at: str, person: str, machine: str, scope: str, agent: str = "debugger") -> Hit:
    return Hit(
        execution_id=label,
        session_id="orch-2026-11-22-001@bob-desk",
        agent_type=agent,
        status="completed",
        model="opus",
        at=at,
        scope=scope,
        unverified=None,
        success=True,
        used_tokens=1200,
        cost_usd=0.25,
        parent_execution_id=None,
        person=person,
        machine=machine,
        is_own="@" not in label,
        uid=f"uid of {label}",
        snippet="The walrus was slow on my machine, too.",
        spans=(),
        is_here="@" not in label,
    )


class TeamOfTwo:
    """Ann, whose record it is, and Bob."""

    def __init__(self) -> None:
        self.away = ""
        self.asked: list[str] = []
        self.fetched: list[str] = []
        self.hits = [
            hit("exec-007@bob-desk", "2026-11-22T11:00:00.000Z", "bob", "bob-desk", "Slow query"),
            hit("exec-001", "2026-11-22T10:00:00.000Z", "ann", "ann-laptop", "Find the slow query"),
            hit(
                "exec-002@ci",
                "2026-11-21T09:00:00.000Z",
                "ci",
                "runner-17",
                "Review it",
                "reviewer",
            ),
        ]

    def search(self, text: str, **_: object) -> Page:
        self.asked.append(text)
        if self.away:
            raise HubError(self.away, is_away=True)
        return Page(tuple(self.hits), len(self.hits), False, None, ())

    def fetch_runs(self, uids: Iterable[str]) -> dict[str, str]:
        self.fetched += uids
        called = dict.fromkeys(self.fetched, "exec-002")
        self.hits = [
            replace(each, execution_id=called[each.uid], is_here=True)
            if each.uid in called
            else each
            for each in self.hits
        ]
        return called

    def close(self) -> None:
        pass


@pytest.fixture
def team(monkeypatch: pytest.MonkeyPatch) -> TeamOfTwo:
    both = TeamOfTwo()
    monkeypatch.setattr(Project, "is_joined", property(lambda _: True))
    monkeypatch.setattr(Project, "team", property(lambda _: both))
    return both


async def press_team(pilot: Pilot[None]) -> None:
    await settled(pilot)
    await pilot.press("escape", "T")
    await settled(pilot)


@in_looks((80, 24), (120, 36), always=2)
@pytest.mark.usefixtures("team")
def test_how_it_looks(
    folder: Path, clock: FakeClock, snap_compare: Snap, theme: str, size: tuple[int, int]
) -> None:
    app = open_app_later(folder, clock)
    app.theme = theme
    assert snap_compare(app, terminal_size=size, run_before=press_team)


def test_how_a_hub_that_is_away_looks(
    folder: Path, clock: FakeClock, snap_compare: Snap, team: TeamOfTwo
) -> None:
    team.away = "the hub team (db.example.org/orch) cannot be reached: timeout"
    app = open_app_later(folder, clock)
    assert snap_compare(app, terminal_size=(80, 24), run_before=press_team)


async def test_the_runs_of_the_team_come_and_go(
    folder: Path, clock: FakeClock, team: TeamOfTwo
) -> None:
    app = open_app(folder, clock)
    async with app.run_test(size=(120, 36)) as pilot:
        await settled(pilot)
        mine = list_keys(app)
        assert not team.asked
        await press_team(pilot)
        assert list_keys(app) == ["exec-007@bob-desk", "exec-001", "exec-002@ci"]
        history = app.screen
        assert isinstance(history, HistoryScreen)
        assert history.command() == "orch show exec-007@bob-desk --part said"
        await pilot.press("escape", *"slow")
        await settled(pilot)
        assert team.asked[-1] == "slow"
        assert history.command() == "orch history --team slow"
        await pilot.press("escape", "T")
        await settled(pilot)
        assert list_keys(app) == [label for label in mine if label == "exec-001"]


async def test_a_hub_that_is_away_says_so_and_what_is_here_is_shown(
    folder: Path, clock: FakeClock, team: TeamOfTwo
) -> None:
    team.away = "the hub team does not answer"
    app = open_app(folder, clock)
    async with app.run_test(size=(120, 36)) as pilot:
        await settled(pilot)
        mine = list_keys(app)
        await press_team(pilot)
        said = app.screen.query_one("#mistakes", Static)
        assert "the hub team does not answer. Shown is what is here" in str(said.render())
        assert list_keys(app) == mine
        team.away = ""
        await pilot.press("s")
        await settled(pilot)
        assert list_keys(app) == ["exec-007@bob-desk", "exec-001", "exec-002@ci"]
        assert not said.display


async def test_a_run_of_another_is_fetched_when_it_is_opened(
    folder: Path, clock: FakeClock, team: TeamOfTwo
) -> None:
    app = open_app(folder, clock)
    async with app.run_test(size=(120, 36)) as pilot:
        await press_team(pilot)
        screen = app.screen
        assert not team.fetched
        assert not screen.check_action("archive", ())
        assert not screen.check_action("export", ())
        await pilot.press("enter")
        await settled(pilot)
        assert team.fetched == ["uid of exec-007@bob-desk"]
        assert isinstance(app.screen, Run)
        await pilot.press("escape")
        await settled(pilot)
        assert list_keys(app) == ["exec-002", "exec-001", "exec-002@ci"]
        assert app.screen.query_one("#hits", Rows).key == "exec-002"
        assert screen.check_action("archive", ())


async def test_a_run_of_another_is_compared(
    folder: Path, clock: FakeClock, team: TeamOfTwo
) -> None:
    app = open_app(folder, clock)
    async with app.run_test(size=(120, 36)) as pilot:
        await press_team(pilot)
        history = app.screen
        await pilot.press("space", "space")
        await pilot.press("f7")
        await settled(pilot)
        assert team.fetched == ["uid of exec-007@bob-desk"]
        assert app.screen is not history


async def test_where_no_hub_is_joined_the_key_is_not_there(
    folder: Path, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Callable[[], None]] = []
    monkeypatch.setattr(Project, "team", property(lambda _: asked.append))
    app = open_app(folder, clock)
    async with app.run_test(size=(80, 24)) as pilot:
        before = list_keys(app)
        await press_team(pilot)
        assert not app.screen.check_action("switch_team", ())
        assert not asked
        assert list_keys(app) == before or before == []
