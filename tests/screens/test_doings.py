"""Undo and redo mean the last thing that was done, on whatever screen, and say what it was."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import pytest
from textual.pilot import Pilot

from orch_tui.api import OrchestrationSession
from orch_tui.app import OrchApp
from orch_tui.models.database import Record
from orch_tui.project import Project
from orch_tui.record.executions import get_execution
from orch_tui.record.sessions import archive_session, change_session, get_session
from orch_tui.screens.orch_screen import Problem
from tests.conftest import FakeClock
from tests.screens.quiet import settled
from tests.screens.test_file_names import folder, pressed
from tests.variants import vary

__all__ = ["folder"]


def told(app: OrchApp) -> list[str]:
    return [notice.message for notice in app._notifications]


@asynccontextmanager
async def opened(
    folder: Path, clock: FakeClock
) -> AsyncIterator[tuple[OrchApp, Pilot[None], Record, str]]:
    """The app at rest, its record, and the one session in it."""
    app = OrchApp(Project(folder, clock=clock))
    async with app.run_test(size=(120, 36)) as pilot:
        await settled(pilot)
        record = app.project.existing_record
        yield app, pilot, record, record.value("SELECT session_id FROM sessions")


@pytest.mark.parametrize("screen", vary(["f4", "f1", "f3", "f5"]))
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


async def test_two_quick_undos_take_back_two_things(folder: Path, clock: FakeClock) -> None:
    async with opened(folder, clock) as (app, pilot, record, session_id):
        began = get_session(record, session_id).phase
        await pressed(pilot, "f1", "enter", "p", "enter", "f4", "escape", "home", "A", "enter")
        assert get_session(record, session_id).archived_at
        for key in ("ctrl+z", "ctrl+z"):
            app.simulate_key(key)  # the second comes while the first is under way
        await settled(pilot)
        now = get_session(record, session_id)
        assert (now.archived_at, now.phase) == (None, began)
        first, second = (words for words in told(app) if words.startswith("undone"))
        assert first == "undone: archived 1 session"
        assert second.startswith("undone: moved to phase")
        for key in ("Z", "Z", "ctrl+z"):
            app.simulate_key(key)
        await settled(pilot)
        now = get_session(record, session_id)
        assert now.archived_at is None and now.phase != began


def refuse_changes_of_sessions(folder: Path, *, refuse: bool) -> None:
    """Have SQLite refuse them, as a full disk does, or let them be again."""
    with closing(sqlite3.connect(Project(folder).database)) as other:
        if refuse:
            other.execute(
                "CREATE TRIGGER refused BEFORE UPDATE ON sessions "
                "BEGIN SELECT RAISE(ABORT, 'not now'); END"
            )
        else:
            other.execute("DROP TRIGGER refused")
        other.commit()


@pytest.mark.parametrize("screen", vary(["f1", "f4"]))
async def test_what_could_not_be_undone_is_undone_later(
    folder: Path, clock: FakeClock, screen: str
) -> None:
    async with opened(folder, clock) as (app, pilot, record, session_id):
        await pressed(pilot, "f4", "escape", "home", "A", "enter")
        assert get_session(record, session_id).archived_at
        await pressed(pilot, screen)
        refuse_changes_of_sessions(folder, refuse=True)
        await pressed(pilot, *["escape"] * (screen == "f4"), "ctrl+z", "ctrl+z")
        problem = app.screen.query_one(Problem)
        assert problem.has_class("-shown") and "not now" in problem.text
        refuse_changes_of_sessions(folder, refuse=False)
        await pressed(pilot, "ctrl+z")
        assert get_session(record, session_id).archived_at is None
        assert told(app)[-1].startswith("undone: archived 1 session")


async def test_a_refused_change_of_a_plan_lets_the_next_be_done(
    folder: Path, clock: FakeClock
) -> None:
    async with opened(folder, clock) as (app, pilot, record, session_id):
        began = get_session(record, session_id).phase
        refuse_changes_of_sessions(folder, refuse=True)
        await pressed(pilot, "f1", "enter", "p", "enter")
        assert "not now" in app.screen.query_one(Problem).text
        refuse_changes_of_sessions(folder, refuse=False)
        await pressed(pilot, "p", "enter")
        assert get_session(record, session_id).phase != began


async def test_undoing_an_archiving_leaves_what_somebody_else_changed_since(
    folder: Path, clock: FakeClock
) -> None:
    async with opened(folder, clock) as (app, pilot, record, session_id):
        await pressed(pilot, "f4", "escape", "home", "A", "enter")
        other = Project(folder, clock=clock)
        change_session(other.record, session_id, scope="Somebody else's words")
        await pressed(pilot, "ctrl+z")
        now = get_session(record, session_id)
        assert (now.archived_at, now.scope) == (None, "Somebody else's words")
        await pressed(pilot, "A", "enter")
        for archived in (False, True):
            archive_session(other.record, session_id, archived=archived)
        other.close()
        await pressed(pilot, "ctrl+z")
        assert get_session(record, session_id).archived_at
        assert "a later change stands on that" in app.screen.query_one(Problem).text


async def test_what_can_no_more_be_undone_does_not_bar_what_was_done_before(
    folder: Path, clock: FakeClock
) -> None:
    async with opened(folder, clock) as (app, pilot, record, session_id):
        began = get_session(record, session_id).phase
        await pressed(pilot, "f1", "enter", "p", "enter")
        assert get_session(record, session_id).phase != began
        await pressed(pilot, "f4", "escape", "home", "A", "enter")
        other = Project(folder, clock=clock)
        for archived in (False, True):
            archive_session(other.record, session_id, archived=archived)
        other.close()
        await pressed(pilot, "ctrl+z")
        assert "the same key goes on" in app.screen.query_one(Problem).text
        await pressed(pilot, "ctrl+z")
        assert get_session(record, session_id).phase == began
        assert get_session(record, session_id).archived_at
