"""The app brings the record of an older orch up to date before it shows anything."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from orch_tui.app import OrchApp
from orch_tui.models.values import READING_VERSION
from orch_tui.project import Project
from orch_tui.screens.dialogs import Working
from orch_tui.screens.widgets.row_list import Rows
from tests.conftest import FakeClock
from tests.record.test_migrate import LAST, read, stored
from tests.screens.quiet import settled


@pytest.fixture
def project(tmp_path: Path, clock: FakeClock) -> Project:
    folder = tmp_path / ".claude" / "orchestration"
    folder.mkdir(parents=True)
    stored(LAST, folder)
    return Project(tmp_path, clock=clock)


async def test_the_first_screen_has_what_the_older_record_held(project: Project) -> None:
    runs = "SELECT count(*) FROM agent_executions WHERE retracted_at IS NULL"
    ((count,),) = read(project.database, runs)
    app = OrchApp(project)
    async with app.run_test() as pilot:
        while isinstance(app.screen, Working) or not app.screen.query("#hits"):
            await settled(pilot)
        await settled(pilot)
        assert len(app.screen.query_one("#hits", Rows).rows) == count
    assert project.database.with_name("execution.db.v1.bak").exists()


async def test_who_stops_it_finds_the_record_as_it_was(project: Project) -> None:
    before = project.database.read_bytes()
    app = OrchApp(project)
    with closing(sqlite3.connect(project.database, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")  # so that it waits
        async with app.run_test() as pilot:
            while not isinstance(app.screen, Working):
                await pilot.pause()
            await pilot.press("escape")
        other.execute("ROLLBACK")
    await asyncio.get_running_loop().shutdown_default_executor()
    assert app.return_code == 1
    assert project.database.read_bytes() == before


async def test_what_the_older_orch_read_is_read_again_while_the_app_is_open(
    project: Project,
) -> None:
    waits = "SELECT count(*) FROM import_checkpoints WHERE note = 'to be read again'"
    version = "SELECT value FROM record_facts WHERE name = 'reading_version'"
    async with OrchApp(project).run_test() as pilot:
        while isinstance(pilot.app.screen, Working):
            await pilot.pause()
        while read(project.database, version) != [(str(READING_VERSION),)]:
            await pilot.pause()
        while read(project.database, waits) != [(0,)]:
            await pilot.pause()
