"""What running agents do, in the list of what waits, in the header and in a pane of its own."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Static

from orch_tui.app import OrchApp
from orch_tui.drafts import Drafts
from orch_tui.project import Project
from orch_tui.record import sessions
from orch_tui.record.executions import get_execution
from orch_tui.screens.agent_pane import AgentPane, StepLines
from orch_tui.screens.deploy.screen import DeployScreen
from orch_tui.screens.header import Header
from orch_tui.screens.widgets.paste import Editor
from orch_tui.screens.widgets.row_list import Row, Rows
from tests.live.claude_files import NOON, AgentWriter, ClaudeFiles
from tests.screens.deploy.driven import send, settled
from tests.screens.looks import in_sizes

AT = 260.0
"""Seconds after noon: now, for the app."""

ASKS, OUTER, INNER, SILENT = "a1", "a2", "a3", "a4"
_TICKS = count()


def now() -> datetime:
    return datetime.fromtimestamp(NOON + AT, UTC)


def ticking() -> datetime:
    return now() + timedelta(milliseconds=next(_TICKS))


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ClaudeFiles:
    """Four agents at work, one of which asks and one of which is silent, and a run without one."""
    files = ClaudeFiles(tmp_path, cwd=str(tmp_path / "project"))
    monkeypatch.setenv("CLAUDE_CONFIG_DIR", str(files.folder))
    files.client(
        status="waiting",
        waitingFor="permission prompt",
        statusUpdatedAt=round((NOON + AT - 22) * 1000),
    )
    cwd = files.cwd
    asks = files.agent(ASKS, description="Find the slow part").prompt(10)
    asks.says(AT - 24, "I write down what I found.", stop="tool_use", name="m", context=24_000)
    write = {"file_path": f"{cwd}/new.txt", "content": "x"}
    asks.calls(AT - 23, ("t1", "Write", write), name="m", context=24_000)
    outer = files.agent(OUTER, agentType="task-implementor", description="Make it fast").prompt(1)
    outer.calls(20, ("t1", "Agent", {"description": "Plan it"}), context=420_000)
    inner = files.agent(INNER, agentType="Plan", parentAgentId=OUTER, description="Plan it")
    inner.prompt(21).calls(AT - 3, ("t1", "Bash", {"command": "make test"}), context=90_000)
    silent = files.agent(SILENT, agentType="systematic-debugger", description="Why?").prompt(5)
    for turn in range(3):
        silent.calls(10 + turn, (f"t{turn}", "Read", {"file_path": f"{cwd}/{turn}.py"}))
        silent.answers(10 + turn, f"t{turn}", "x" * 2_100)
    silent.request(13)
    project = Project(files.root, clock=ticking)
    session = sessions.init_session(project.record, "Make it fast", project=cwd).session_id
    send(project, session, "reviewer", "Review it by hand", "2026-11-28T11:00:00.000Z")
    project.import_files([asks.path, outer.path])
    Drafts.beside(project.database).save("state", '{"offered": true}')
    project.close()
    return files


def shown(files: ClaudeFiles) -> OrchApp:
    return OrchApp(Project(files.root, clock=now))


async def seen(pilot: Pilot[None], is_so: Callable[[], object]) -> None:
    """Wait for the thread that looks at the agents."""
    while not is_so():
        await pilot.pause(0.01)
    await settled(pilot)


class Following:
    """The app at its Deploy screen, with the agents it has seen."""

    def __init__(self, app: OrchApp, pilot: Pilot[None]) -> None:
        self.app = app
        self.pilot = pilot

    async def keys(self, *keys: str) -> None:
        await self.pilot.press(*keys)
        await settled(self.pilot)

    @property
    def rows(self) -> list[Row]:
        rows = self.app.screen.query_one("#runs", Rows).rows
        return [row for row in rows if not row.section]

    @property
    def sections(self) -> list[tuple[str, ...]]:
        return [row.cells for row in self.app.screen.query_one("#runs", Rows).rows if row.section]

    @property
    def doing(self) -> list[str]:
        return [row.cells[2] for row in self.rows]

    async def until_doing(self, text: str) -> None:
        await seen(self.pilot, lambda: any(text in doing for doing in self.doing))

    @property
    def header(self) -> str:
        return self.app.screen.query_one(Header).render_line(0).text


@asynccontextmanager
async def following(
    files: ClaudeFiles, size: tuple[int, int] = (80, 24)
) -> AsyncIterator[Following]:
    app = shown(files)
    async with app.run_test(size=size) as pilot:
        await settled(pilot)
        await pilot.press("f3")
        await seen(pilot, lambda: app.live)
        yield Following(app, pilot)


async def test_who_needs_somebody_stands_first(files: ClaudeFiles) -> None:
    async with following(files) as driven:
        assert [row.cells[:3] for row in driven.rows] == [
            ("?", "Explore", "asks?  Write  new.txt"),
            ("●", "task-implementor", "waits for 1"),
            ("●", "└ Plan", "Bash  make test"),
            ("!", "systematic-debugger", "silent  thinking"),
            ("●", "reviewer", "Review it by hand"),
        ]
        assert driven.sections == [
            ("Needs you", "1"),
            ("Running", "3"),
            ("Waiting", "1"),
        ]
        assert [row.cells[3] for row in driven.rows[:4]] == ["22 s", "4 min", "3 s", "4 min"]


async def test_the_header_counts(files: ClaudeFiles) -> None:
    async with following(files, (120, 36)) as driven:
        assert "● 4 running  ? 1 asks  ! 1 silent" in driven.header
        await driven.keys("f4")
        assert "● 4 running  ? 1 asks  ! 1 silent" in driven.header
    async with following(files, (80, 24)) as driven:
        assert "● 4  ? 1  ! 1" in driven.header


async def test_rows_move_by_class_of_state_only(files: ClaudeFiles) -> None:
    async with following(files) as driven:
        order = [row.key for row in driven.rows]
        await driven.keys("end")
        inner = writer(files, INNER)
        inner.answers(AT - 1, "t1").calls(AT - 1, ("t2", "Read", {"file_path": "a"}))
        await driven.until_doing("Read  a")
        assert [row.key for row in driven.rows] == order
        rows = driven.app.screen.query_one("#runs", Rows)
        assert rows.key == "exec-001"
        asks = order[0]
        writer(files, ASKS).answers(AT - 1, "t1")
        await seen(driven.pilot, lambda: driven.sections[0] == ("Running", "4"))
        assert {row.key for row in driven.rows} == set(order) and asks in order
        assert rows.key == "exec-001"


def writer(files: ClaudeFiles, agent_id: str) -> AgentWriter:
    """Go on with the transcript of an agent; messages get other names than those before."""
    folder = next(files.project.glob("*/subagents"))
    again = AgentWriter(folder, agent_id, folder.parent.name, files.cwd)
    again.messages = 50
    return again


async def test_an_agent_that_returns_leaves_the_waiting(files: ClaudeFiles) -> None:
    async with following(files) as driven:
        label = driven.rows[0].key
        writer(files, ASKS).answers(AT, "t1").says(AT, "Found it.")
        record = driven.app.project.existing_record
        await seen(driven.pilot, lambda: label not in [row.key for row in driven.rows])
        await seen(driven.pilot, lambda: get_execution(record, label).status == "completed")
        run = get_execution(record, label)
        assert (run.status, run.final_message) == ("completed", "Found it.")


async def test_a_pane_follows_one_agent(files: ClaudeFiles) -> None:
    async with following(files) as driven:
        await driven.keys("home", *["down"] * 3, "enter")
        pane = driven.app.screen
        assert isinstance(pane, AgentPane)
        steps = pane.query_one(StepLines)
        await seen(driven.pilot, lambda: steps.virtual_size.height == 3)
        assert steps.render_line(0).text.rstrip().endswith("2.1 kB   0.0 s")
        facts = str(pane.query_one("#agent-facts", Static).content)
        assert "thinking, for 4m07s" in facts
        assert "newest record: a request to the model" in facts
        more = writer(files, SILENT)
        for turn in range(40):
            more.calls(AT - 2, (f"u{turn}", "Read", {"file_path": f"{turn}"}))
            more.answers(AT - 1, f"u{turn}")
        await seen(driven.pilot, lambda: steps.virtual_size.height == 43)
        assert steps.is_vertical_scroll_end
        await driven.keys("home")
        more.calls(AT, ("v", "Read", {"file_path": "last"}))
        await seen(driven.pilot, lambda: steps.virtual_size.height == 44)
        assert steps.scroll_offset.y == 0
        await driven.keys("end", "escape")
        assert isinstance(driven.app.screen, DeployScreen)
        assert driven.app.agent_pane is None


async def test_a_run_is_still_completed_by_its_key(files: ClaudeFiles) -> None:
    async with following(files) as driven:
        label = driven.rows[0].key
        await driven.keys("home", "c")
        assert isinstance(driven.app.screen, DeployScreen)
        assert driven.app.screen.remember()["completing"] == label


async def test_without_agents_the_list_is_as_it_was(files: ClaudeFiles) -> None:
    for path in files.folder.glob("sessions/*"):
        path.unlink()
    async with following_nobody(files) as driven:
        assert [row.key for row in driven.rows][-1] == "exec-001"
        assert not driven.app.screen.query(".-following")


async def test_agents_are_seen_without_a_record(files: ClaudeFiles) -> None:
    shutil.rmtree(files.root / ".claude" / "orchestration")
    async with following(files) as driven:
        assert driven.doing == [
            *("asks?  Write  new.txt", "waits for 1", "Bash  make test", "silent  thinking")
        ]
        await driven.keys("enter")
        assert isinstance(driven.app.screen, AgentPane)
    assert not (files.root / ".claude" / "orchestration" / "execution.db").exists()


@asynccontextmanager
async def following_nobody(files: ClaudeFiles) -> AsyncIterator[Following]:
    app = shown(files)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("f3")
        await settled(pilot)
        yield Following(app, pilot)


# How it looks

Snap = Callable[..., bool]
SIZES = [(60, 16), (80, 24), (120, 36)]


def after(*keys: str) -> Callable[[Pilot[None]], Awaitable[None]]:
    async def run_before(pilot: Pilot[None]) -> None:
        app = pilot.app
        assert isinstance(app, OrchApp)
        await settled(pilot)
        await pilot.press("f3")
        await seen(pilot, lambda: app.live)
        app.screen.query_one(Editor).cursor_blink = False
        await pilot.press(*keys)
        pane = app.screen
        await seen(pilot, lambda: pane.query_one(StepLines).steps)
        app.clear_notifications()
        await pilot.pause()

    return run_before


@in_sizes(*SIZES, always=1)
def test_how_running_agents_look(
    files: ClaudeFiles, snap_compare: Snap, size: tuple[int, int]
) -> None:
    assert snap_compare(shown(files), terminal_size=size, run_before=after())


@in_sizes(*SIZES, always=1)
def test_how_the_pane_looks(files: ClaudeFiles, snap_compare: Snap, size: tuple[int, int]) -> None:
    app = shown(files)
    assert snap_compare(app, terminal_size=size, run_before=after("home", *["down"] * 3, "enter"))
