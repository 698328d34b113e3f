"""Undo and redo mean the last thing that was done, on whatever screen, and say what it was."""

from __future__ import annotations

from pathlib import Path

import pytest

from orch_tui.api import OrchestrationSession
from orch_tui.app import OrchApp
from orch_tui.project import Project
from orch_tui.record.executions import get_execution
from orch_tui.record.sessions import get_session
from tests.conftest import FakeClock
from tests.screens.quiet import settled
from tests.screens.test_file_names import folder, pressed

__all__ = ["folder"]


def told(app: OrchApp) -> list[str]:
    return [notice.message for notice in app._notifications]


@pytest.mark.parametrize("screen", ["f1", "f3", "f4", "f5"])
async def test_what_history_did_last_is_undone_and_done_again_anywhere(
    folder: Path, clock: FakeClock, screen: str
) -> None:
    app = OrchApp(Project(folder, clock=clock))
    async with app.run_test(size=(120, 36)) as pilot:
        await settled(pilot)
        await pressed(pilot, "f4", "escape", "R", *"by mistake", "enter")
        record = app.project.existing_record
        (label,) = [
            row[0] for row in record.sql("SELECT execution_id FROM agent_executions LIMIT 1")
        ]
        assert get_execution(record, label).retracted_at
        await pressed(pilot, screen, *["tab"] * (screen != "f4"), "ctrl+z")
        await settled(pilot)
        assert get_execution(record, label).retracted_at is None
        assert told(app)[-1].startswith("undone: retracted 1 run") or screen == "f1"
        await pressed(pilot, "Z")
        await settled(pilot)
        assert get_execution(record, label).retracted_at
        await pressed(pilot, "z")
        await settled(pilot)
        assert get_execution(record, label).retracted_at is None


async def test_changes_of_several_screens_are_undone_the_last_one_first(
    folder: Path, clock: FakeClock
) -> None:
    project = Project(folder, clock=clock)
    session = OrchestrationSession("Mend the tokenizer", project=project)
    session.init_deployment("debugger", briefing="Find it.")
    project.close()
    app = OrchApp(Project(folder, clock=clock))
    async with app.run_test(size=(120, 36)) as pilot:
        await settled(pilot)
        record = app.project.existing_record
        began = get_session(record, session.session_id).phase
        await pressed(pilot, "f1", "p", "enter")  # on to the next phase, whatever its gate says
        await settled(pilot)
        moved = get_session(record, session.session_id).phase
        assert moved != began
        await pressed(pilot, "f4", "escape", "home", "A")
        await settled(pilot)
        await pressed(pilot, "enter")
        await settled(pilot)
        assert get_session(record, session.session_id).archived_at
        await pressed(pilot, "f5", "ctrl+z")
        await settled(pilot)
        now = get_session(record, session.session_id)
        assert not now.archived_at and now.phase == moved
        assert told(app)[-1] == "undone: archived 1 session"
        await pressed(pilot, "ctrl+z")
        await settled(pilot)
        assert get_session(record, session.session_id).phase == began
        assert told(app)[-1].startswith("undone: moved to phase")
        await pressed(pilot, "Z", "Z")
        await settled(pilot)
        now = get_session(record, session.session_id)
        assert now.archived_at and now.phase == moved
        await pressed(pilot, "z", "z", "z")
        await settled(pilot)
        assert told(app)[-1] == "nothing was done that can be undone"


async def test_an_edit_of_a_bundle_says_what_was_undone(folder: Path, clock: FakeClock) -> None:
    app = OrchApp(Project(folder, clock=clock))
    async with app.run_test(size=(120, 36)) as pilot:
        await settled(pilot)
        await pressed(pilot, "f2", *"spec", "enter", "escape", "p", "z")
        assert told(app)[-1].startswith("undone: made spec.md ")
        await pressed(pilot, "ctrl+z")
        assert told(app)[-1].startswith("undone: added spec.md")
        await pressed(pilot, "Z")
        assert told(app)[-1] == "done again: added spec.md"
