"""A session in time, as a person sees it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Input, Static

from orch_tui.api import OrchestrationSession
from orch_tui.app import OrchApp
from orch_tui.project import Project
from orch_tui.record.opening import open_record
from orch_tui.screens.history.run_view import Run
from orch_tui.screens.history.timeline_view import SpanList
from tests.screens.quiet import settled
from tests.variants import vary


class Minutes:
    """A clock that is put forward by hand."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def pass_by(self, minutes: float) -> None:
        self.now += timedelta(minutes=minutes)


@pytest.fixture
def minutes() -> Minutes:
    return Minutes()


@pytest.fixture
def folder(tmp_path: Path, minutes: Minutes) -> Path:
    """A session of six runs: two side by side, one that waited for them, two nested in it, and
    after the night one that runs."""
    root = tmp_path / "spotter"
    (root / ".claude").mkdir(parents=True)
    project = Project(root, clock=minutes)
    session = OrchestrationSession("Index the words", project=project)
    for agent, waits in (("Explore", ()), ("architect", ()), ("implementer", (1, 2))):
        session.plan_agent(agent, f"the part of {agent}", waits_for=list(waits))
    explore = session.init_deployment("Explore", "Map it", planned=1)
    minutes.pass_by(4)
    architect = session.init_deployment("architect", "Design it", planned=2)
    minutes.pass_by(8)
    explore.record_completion("Mapped.")
    minutes.pass_by(3)
    architect.record_completion("Designed.")
    minutes.pass_by(10)
    implementer = session.init_deployment("implementer", "Make it", planned=3)
    minutes.pass_by(2)
    searcher = session.init_deployment("Explore", "Find callers")
    minutes.pass_by(5)
    searcher.record_completion("Found.")
    tester = session.init_deployment("test-writer", "Test it")
    minutes.pass_by(6)
    tester.record_completion("No.", status="failed", error_message="no tests here")
    minutes.pass_by(7)
    implementer.record_completion("Made.")
    minutes.pass_by(14 * 60)
    session.init_deployment("reviewer", "Read the change [b]twice[/b] \x1b[31m")
    minutes.pass_by(12)
    project.close()
    with open_record(Project(root).database) as record, record.write():
        record.execute(
            "UPDATE agent_executions SET parent_execution_id = 'exec-003' "
            "WHERE execution_id IN ('exec-004', 'exec-005')"
        )
    return root


@asynccontextmanager
async def timeline(
    folder: Path, minutes: Minutes, size: tuple[int, int] = (120, 36)
) -> AsyncIterator[tuple[OrchApp, Pilot[None]]]:
    app = OrchApp(Project(folder, clock=minutes))
    async with app.run_test(size=size) as pilot:
        await settled(pilot)
        await pilot.press("escape", "end", "w")
        await settled(pilot)
        yield app, pilot


def drawn(app: OrchApp) -> list[str]:
    bars = app.screen.query_one(SpanList)
    return [strip.text for strip in bars.render_lines(bars.size.region)]


async def test_bars_stand_in_their_time_nested_beneath_their_parent(
    folder: Path, minutes: Minutes
) -> None:
    async with timeline(folder, minutes) as (app, _):
        axis, *lines = drawn(app)[:7]
        assert [line.lstrip("▌ ")[:27].strip() for line in lines] == [
            *("✓ Explore", "✓ architect", "✓ implementer", "✓ └ Explore"),
            *("✗ └ test-writer", "● reviewer"),
        ]
        assert "10:00" in axis and "⋯" in axis and "took" in axis
        bars = [line[29:] for line in lines]
        begins = [min(line.find(bar) for bar in "█▌▋▊▉▍▎▏╌" if bar in line) for line in bars]
        assert begins == sorted(begins)
        assert "┈" in lines[2] and "╌" in lines[5]
        assert lines[1].rstrip().endswith("11m00s")


async def test_the_run_under_the_cursor_is_told_and_opened(folder: Path, minutes: Minutes) -> None:
    async with timeline(folder, minutes) as (app, pilot):
        about = app.screen.query_one("#about-run", Static)
        await pilot.press("home", "down", "down")
        await pilot.pause()
        told = str(about.content)
        assert "exec-003 · done · 2026-11-22" in told and "Make it" in told
        assert "waited for Explore exec-001, architect exec-002" in told
        await pilot.press("down")
        await pilot.pause()
        assert "launched by implementer exec-003" in str(about.content)
        await pilot.press("end")
        await pilot.pause()
        assert "[b]twice[/b] ␛[31m" in str(about.content)
        await pilot.press("enter")
        await settled(pilot)
        assert isinstance(app.screen, Run)
        await pilot.press("escape", "escape")
        await settled(pilot)
        assert app.screen.query("#hits")


async def test_times_that_raw_sql_broke_stop_nothing(folder: Path, minutes: Minutes) -> None:
    with open_record(Project(folder).database) as record, record.write():
        record.execute("UPDATE agent_executions SET deployed_at = 'soon' WHERE model IS NULL")
    async with timeline(folder, minutes, (60, 16)) as (app, _):
        assert len(app.screen.query_one(SpanList).span.execution_id)  # type: ignore[union-attr]


Snap = Callable[..., bool]


@pytest.mark.parametrize(
    ("size", "theme"),
    vary(
        [
            pytest.param((80, 24), "orch-dark", id="dark"),
            pytest.param((120, 36), "orch-light", id="light"),
        ]
    ),
)
def test_how_a_session_in_time_looks(
    folder: Path, minutes: Minutes, snap_compare: Snap, size: tuple[int, int], theme: str
) -> None:
    async def run_before(pilot: Pilot[None]) -> None:
        for box in pilot.app.screen.query(Input):
            box.cursor_blink = False
        await settled(pilot)
        await pilot.press("escape", "end", "w")
        await settled(pilot)
        await pilot.press("down", "down")
        await settled(pilot)

    app = OrchApp(Project(folder, clock=minutes))
    app.theme = theme
    assert snap_compare(app, terminal_size=size, run_before=run_before)
