"""Bundles that are edited, saved, opened and kept through whatever happens."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from orch_tui import api
from orch_tui.prepare.composition import Choice, Composition
from orch_tui.project import Project
from orch_tui.record import bundles, plan, sessions
from orch_tui.screens.dialogs import Confirm, Pick
from orch_tui.screens.orch_screen import Problem
from orch_tui.screens.widgets.filetree import FileTree
from orch_tui.screens.widgets.form import Form
from tests.conftest import FakeClock
from tests.screens.compose.driven import (
    SESSION,
    app_of,
    head,
    lines,
    picked,
    press,
    screen_of,
    sources,
    used,
    view,
)
from tests.screens.quiet import settled


async def test_edits_can_be_undone_and_redone(folder: Path, clock: FakeClock) -> None:
    async with app_of(folder, clock).run_test() as pilot:
        await settled(pilot)
        await press(pilot, "»types", "enter", "»README", "enter", "ctrl+z")
        assert sources(pilot) == ["lib/types.ts"]
        await press(pilot, "escape", "Z")
        assert sources(pilot) == ["lib/types.ts", "README.md"]
        await press(pilot, "z", "z", "z")
        assert sources(pilot) == []


async def test_it_begins_with_the_planned_agent_that_has_no_bundle(
    project: Project, clock: FakeClock
) -> None:
    async with app_of(project.root, clock).run_test() as pilot:
        await settled(pilot)
        assert "for task-implementor" in head(pilot) and "claude-haiku-4-5" in head(pilot)
        await press(pilot, "»types", "enter", "ctrl+s")  # from the box, where s is a letter
        assert "bundle-002 v1 · saved" in head(pilot)
    agents = plan.list_planned_agents(project.existing_record, SESSION)
    assert [agent.bundle_id for agent in agents] == ["bundle-001", "bundle-002"]
    project.close()


async def test_a_bundle_is_saved_changed_and_saved_as_another(
    project: Project, clock: FakeClock
) -> None:
    async with app_of(project.root, clock).run_test() as pilot:
        await settled(pilot)
        await press(pilot, "»types", "enter", "escape", "s", "escape", "»README", "enter")
        assert "changed, not saved" in head(pilot)
        await press(pilot, "escape", "s")
        assert "bundle-002 v1 · saved" in head(pilot)
        await press(pilot, "tab", "p", "S")
        assert "bundle-003 v1 · saved" in head(pilot)
    held = bundles.load_session_bundles(project.existing_record, SESSION)
    assert [len(saved.bundle.items) for saved in held] == [2, 2, 2]
    project.close()


async def test_without_an_agent_saving_asks_for_one(folder: Path, clock: FakeClock) -> None:
    async with app_of(folder, clock).run_test() as pilot:
        await settled(pilot)
        await press(pilot, "»types", "enter", "escape", "s")
        assert isinstance(pilot.app.screen, Form)
        await press(pilot, "»task-imp", "down", "enter", "enter")
        assert screen_of(pilot).state.composition.agent_type == "task-implementor"
        await press(pilot, "s")
        assert "bundle-001 v1 · saved" in head(pilot)


async def test_a_saved_bundle_is_opened_and_what_is_unsaved_asked_about(
    project: Project, clock: FakeClock
) -> None:
    async with app_of(project.root, clock).run_test() as pilot:
        await settled(pilot)
        await press(pilot, "»types", "enter", "escape", "o")
        assert isinstance(pilot.app.screen, Pick)
        await press(pilot, "down", "enter")
        assert isinstance(pilot.app.screen, Confirm)
        await press(pilot, "y")
        assert sources(pilot) == ["lib/types.ts", "README.md"]
        assert "bundle-001 v1 · saved" in head(pilot)
        await press(pilot, "z")
        assert sources(pilot) == ["lib/types.ts"] and "task-implementor" in head(pilot)


async def test_a_bundle_of_another_session_is_used_again(
    project: Project, clock: FakeClock
) -> None:
    other = sessions.init_session(project.record, "Another", project=str(project.root))
    now = Composition("Explore", "Look around", name="tour").adding([Choice("lib/search.ts")])
    api.keep_composition(project, now, session_id=other.session_id)
    project.close()
    app = app_of(project.root, clock)
    async with app.run_test() as pilot:
        app.use_session(SESSION)
        await settled(pilot)
        await press(pilot, "escape", "o")
        assert [cells[:2] for cells in picked(pilot)] == [
            ("a new bundle", "empty, for any agent"),
            ("Planned, without a bundle", "1"),
            ("task-implementor", "Implement the index"),
            ("Of this session", "1"),
            ("Explore", "Find the types"),
            ("Of other sessions: taken as a new one", "1"),
            ("Explore", "“tour” Look around"),
        ]
        await press(pilot, "down", "down", "enter")
        assert sources(pilot) == ["lib/search.ts"] and "new, not saved" in head(pilot)
        await press(pilot, "s")
        assert "“tour”" in head(pilot) and "bundle-003 v1 · saved" in head(pilot)
    kept = bundles.load_bundle(project.existing_record, "bundle-003").bundle
    assert kept.session_id == SESSION
    assert (
        bundles.load_bundle(project.existing_record, "bundle-002").bundle.session_id
        == other.session_id
    )
    project.close()


async def test_one_of_many_is_found_by_its_words(project: Project, clock: FakeClock) -> None:
    for number in range(12):
        now = Composition("Explore", name=f"tour {number}").adding([Choice("lib/search.ts")])
        api.keep_composition(project, now)
    project.close()
    async with app_of(project.root, clock).run_test() as pilot:
        await settled(pilot)
        await press(pilot, "escape", "o", "»tour 11", "enter")
        assert screen_of(pilot).state.composition.name == "tour 11"
        await press(pilot, "o", "»nothing", "enter")
        assert isinstance(pilot.app.screen, Pick)
        await press(pilot, "ctrl+u", "»bundle-001", "enter", "y")
        assert "bundle-001 v1" in head(pilot)
        await press(pilot, "o", "up", "enter")
        assert "new" in head(pilot) and sources(pilot) == []


async def test_a_draft_survives_a_crash(project: Project, clock: FakeClock) -> None:
    async with app_of(project.root, clock).run_test() as pilot:
        await settled(pilot)
        await press(pilot, "»types", "enter", "escape", "p")
        drafts = project.database.parent / "drafts"
        while not any("recommended" in path.read_text() for path in drafts.glob("*.draft")):
            await pilot.pause(0.02)
    async with app_of(project.root, clock).run_test() as pilot:  # it never quit
        await settled(pilot)
        (choice,) = screen_of(pilot).state.composition.choices
        assert (choice.source, choice.priority) == ("lib/types.ts", "recommended")
        assert "task-implementor" in head(pilot) and used(pilot) > 0


async def test_what_is_no_draft_is_passed_over(project: Project, clock: FakeClock) -> None:
    Project(project.root).database.parent.joinpath("drafts").mkdir(exist_ok=True)
    (project.database.parent / "drafts" / f"compose-{SESSION}.draft").write_text("{no")
    async with app_of(project.root, clock).run_test() as pilot:
        await settled(pilot)
        assert sources(pilot) == []


async def test_each_session_has_its_own_unsaved_bundle(project: Project, clock: FakeClock) -> None:
    other = sessions.init_session(
        project.record, "Another", project=str(project.root), session_id="orch-other"
    )
    project.close()
    app = app_of(project.root, clock)
    async with app.run_test() as pilot:
        app.use_session(SESSION)
        await settled(pilot)
        await press(pilot, "»types", "enter")
        app.use_session(other.session_id)
        await settled(pilot)
        assert sources(pilot) == []
        await press(pilot, "»README", "enter")
        app.use_session(SESSION)
        await settled(pilot)
        assert sources(pilot) == ["lib/types.ts"]


async def test_the_command_and_the_briefing_are_copied(project: Project, clock: FakeClock) -> None:
    app = app_of(project.root, clock)
    async with app.run_test(size=(140, 45)) as pilot:
        await settled(pilot)
        await press(pilot, "»types", "enter", "escape", "ctrl+y")
        assert app.clipboard == (
            "orch prepare-bundle --agent-type task-implementor --scope 'Implement the index' "
            f"--model claude-haiku-4-5 --session-id {SESSION} --files lib/types.ts"
        )
        await press(pilot, "c")
        assert "Implement the index" in app.clipboard and "interface Vector" in app.clipboard
        await press(pilot, "f6")
        assert view(pilot) == app.clipboard
        await press(pilot, "m")
        assert "<document_content>" in view(pilot)
        await press(pilot, "c")
        assert view(pilot) == app.clipboard
        await press(pilot, "m", "f6", "m")
        assert "<document_content>" not in screen_of(pilot).views.briefing_text()()


# When something is wrong


async def test_a_locked_record_is_said_and_nothing_is_lost(
    project: Project, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("orch_tui.models.database.BUSY_SECONDS", 0.05)
    async with app_of(project.root, clock).run_test() as pilot:
        await settled(pilot)
        await press(pilot, "»types", "enter", "escape")
        with sqlite3.connect(project.database, isolation_level=None) as other:
            other.execute("BEGIN IMMEDIATE")
            await press(pilot, "s")
            assert screen_of(pilot).query_one(Problem).has_class("-shown")
            assert sources(pilot) == ["lib/types.ts"]
            other.execute("ROLLBACK")
        other.close()
        await press(pilot, "s")
        assert "saved" in head(pilot)
        assert not screen_of(pilot).query_one(Problem).has_class("-shown")


async def test_it_goes_on_while_files_come_and_go(folder: Path, clock: FakeClock) -> None:
    async with app_of(folder, clock).run_test() as pilot:
        await settled(pilot)
        await press(pilot, "escape", "right", "down", "down")
        for path in sorted((folder / "lib").rglob("*.ts")):
            path.unlink()
        await press(pilot, "f4", "f2", "escape", "escape")
        await settled(pilot)
        assert lines(pilot)[0] == "spec"
        await press(pilot, "space", "space", "right", "left")


# Coming back


async def test_filter_place_and_open_folders_come_back(project: Project, clock: FakeClock) -> None:
    app = app_of(project.root, clock)
    async with app.run_test() as pilot:
        await settled(pilot)
        await press(pilot, "escape", "right", "down", "down", "ctrl+q")
    async with app_of(project.root, clock).run_test() as pilot:
        await settled(pilot)
        files = screen_of(pilot).query_one(FileTree)
        assert lines(pilot)[:4] == ["lib", "lib/deep", "lib/search.ts", "lib/types.ts"]
        assert files.line is not None and files.line.node.path == "lib/search.ts"
