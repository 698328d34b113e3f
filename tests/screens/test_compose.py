"""The Compose screen, driven as a person drives it, on a real project and record."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from textual.events import Paste
from textual.pilot import Pilot
from textual.widgets import Input, Static

from orch_tui import api
from orch_tui.app import OrchApp
from orch_tui.prepare import tree
from orch_tui.prepare.composition import Choice, Composition, Weight
from orch_tui.prepare.count import Count
from orch_tui.project import Project
from orch_tui.record import bundles, plan, sessions
from orch_tui.record.ledger import journal
from orch_tui.screens.compose.add_source import AddSource
from orch_tui.screens.compose.screen import ComposeScreen
from orch_tui.screens.compose.share_dialog import ShareDialog
from orch_tui.screens.dialogs import Confirm, Pick, PickSeveral
from orch_tui.screens.orch_screen import Problem
from orch_tui.screens.widgets.filetree import FileTree
from orch_tui.screens.widgets.form import Form
from orch_tui.screens.widgets.lines import Lines
from orch_tui.screens.widgets.row_list import Rows
from orch_tui.screens.widgets.stack import GaugePart, Stack, draw_bar, draw_line
from orch_tui.screens.widgets.words import format_tokens
from tests.conftest import FakeClock
from tests.recall.runs import make_bundle, make_item, run_agent
from tests.recall.test_file_worth import touch
from tests.screens.looks import in_looks, in_sizes
from tests.screens.quiet import settled

SPEC = """\
# Requirements

The index must be fast.

## Vector search

Nearest neighbours under 10 ms.

## Storage

Everything in one file.
"""
AGENT = "---\nname: task-implementor\ndescription: does it\n---\n"
SESSION = "orch-2026-11-22-001"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A project without a record."""
    root = tmp_path / "spotter"
    texts = {
        ".claude/agents/task-implementor.md": AGENT,
        ".gitignore": "build/\n.claude/\n",
        ".env": "TOKEN=1\n",
        "build/out.js": "x\n",
        "lib/types.ts": "export interface Vector { id: string; values: number[] }\n" * 12,
        "lib/search.ts": "export function search(query: Vector): Vector[] { return [] }\n" * 30,
        "lib/deep/hnsw.ts": "const layers = new Map<number, number[]>()\n" * 40,
        "spec/requirements.md": SPEC,
        "tests/search.test.ts": "test('finds', () => expect(search(v)).toEqual([v]))\n" * 9,
        "README.md": "# Spotter\n\nFinds what looks alike.\n",
    }
    for name, text in texts.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    (root / "logo.png").write_bytes(b"\x89PNG\0\0")
    (root / ".git").mkdir()
    return root


@pytest.fixture
def project(folder: Path, clock: FakeClock) -> Project:
    """With a session, a plan and one bundle."""
    made = Project(folder, clock=clock)
    record = made.record
    sessions.init_session(record, "Implement vector search", project=str(folder))
    now = Composition("Explore", "Find the types").adding(
        [Choice("lib/types.ts"), Choice("README.md", priority="recommended")]
    )
    kept = api.keep_composition(made, now, session_id=SESSION).bundle.bundle_id
    plan.add_planned_agent(record, SESSION, "Explore", scope="Find the types", bundle_id=kept)
    plan.add_planned_agent(
        record, SESSION, "task-implementor", scope="Implement the index", model="claude-haiku-4-5"
    )
    made.close()
    return made


class Compose(OrchApp):
    FIRST = FIRST_EVER = "compose"


def app_of(folder: Path, clock: FakeClock) -> OrchApp:
    return Compose(Project(folder, clock=clock))


def screen_of(pilot: Pilot[None]) -> ComposeScreen:
    (screen,) = (s for s in pilot.app.screen_stack if isinstance(s, ComposeScreen))
    return screen


async def press(pilot: Pilot[None], *keys: str) -> None:
    """Press keys one after the other; ``»text`` is put into the line that has the focus."""
    for key in keys:
        if key.startswith("»"):
            assert isinstance(pilot.app.focused, Input)
            pilot.app.focused.post_message(Paste(key[1:]))
            await pilot.pause()
        else:
            await pilot.press(key)
        await settled(pilot)


def sources(pilot: Pilot[None]) -> list[str]:
    choices = screen_of(pilot).state.composition.choices
    return ["#".join((choice.source, *choice.sections)) for choice in choices]


def choices(pilot: Pilot[None]) -> tuple[Choice, ...]:
    return screen_of(pilot).state.composition.choices


def lines(pilot: Pilot[None]) -> list[str]:
    files = screen_of(pilot).query_one(FileTree)
    return [line.title or line.node.path for line in files.lines]


def used(pilot: Pilot[None], gauge: str = "agent-gauge") -> int:
    figures = screen_of(pilot).query_one(f"#{gauge}", Stack)._figures
    assert figures is not None
    return figures.used.tokens


def head(pilot: Pilot[None]) -> str:
    """What the pane on top says: its title, its first line and its lower edge."""
    screen = screen_of(pilot)
    top = screen.query_one("#top")
    line = str(screen.query_one("#head", Static).render())
    return f"{top.border_title} · {line} · {top.border_subtitle}"


def cells(pilot: Pilot[None], title: str) -> list[str]:
    """A column of the bundle's list."""
    rows = screen_of(pilot).list.rows
    at = [column.title for column in rows._table.columns].index(title)
    return [row.cells[at] for row in rows.rows]


def view(pilot: Pilot[None]) -> str:
    return screen_of(pilot).query_one("#view", Lines).text


Drive = Callable[[Pilot[None]], Awaitable[None]]


# Choosing


async def test_it_opens_with_the_project_as_git_sees_it(folder: Path, clock: FakeClock) -> None:
    async with app_of(folder, clock).run_test() as pilot:
        await settled(pilot)
        assert lines(pilot) == [
            *("lib", "spec", "tests", ".env", ".gitignore", "logo.png", "README.md")
        ]
        assert not (folder / ".claude" / "orchestration" / "execution.db").exists()


async def test_a_few_letters_and_an_enter_choose_a_file(folder: Path, clock: FakeClock) -> None:
    async with app_of(folder, clock).run_test() as pilot:
        await settled(pilot)
        await press(pilot, "»types", "enter")
        assert sources(pilot) == ["lib/types.ts"]
        # What was typed is selected: the next name replaces it.
        await press(pilot, "»hnsw", "enter")
        assert sources(pilot) == ["lib/types.ts", "lib/deep/hnsw.ts"]
        await press(pilot, "enter")
        assert sources(pilot) == ["lib/types.ts"]


async def test_enter_waits_for_what_is_found(folder: Path, clock: FakeClock) -> None:
    async with app_of(folder, clock).run_test() as pilot:
        await settled(pilot)
        await pilot.press(*"search.ts", "enter")  # without a pause between
        await settled(pilot)
        assert sources(pilot) == ["lib/search.ts"]
        await pilot.press(*"hnsw", "enter", *"types", "enter")
        await settled(pilot)
        assert sorted(sources(pilot)) == ["lib/deep/hnsw.ts", "lib/search.ts", "lib/types.ts"]


async def test_enter_before_the_files_are_listed_is_not_lost(
    folder: Path, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed, walk = Event(), tree.walk_project

    def late(*given: Any, **more: Any) -> tree.ProjectTree:
        listed.wait(10)
        return walk(*given, **more)

    monkeypatch.setattr(tree, "walk_project", late)
    async with app_of(folder, clock).run_test() as pilot:
        await pilot.press(*"types", "enter")
        await pilot.pause()
        assert lines(pilot) == []
        listed.set()
        await settled(pilot)
        assert sources(pilot) == ["lib/types.ts"]


async def test_space_chooses_in_the_tree_and_folders_open(folder: Path, clock: FakeClock) -> None:
    async with app_of(folder, clock).run_test() as pilot:
        await settled(pilot)
        await press(pilot, "escape", "right", "down", "down", "space", "left", "left")
        assert sources(pilot) == ["lib/search.ts"]
        assert lines(pilot)[:2] == ["lib", "spec"]
        await press(pilot, "space")
        assert sources(pilot) == ["lib/search.ts", "lib/deep/hnsw.ts", "lib/types.ts"]
        await press(pilot, "space")
        assert sources(pilot) == []


async def test_sections_open_under_their_file_and_can_be_chosen(
    folder: Path, clock: FakeClock
) -> None:
    async with app_of(folder, clock).run_test() as pilot:
        await settled(pilot)
        await press(pilot, "»requirem", "escape", "right")
        assert lines(pilot) == [
            *("spec/requirements.md", "Requirements", "Vector search", "Storage")
        ]
        await press(pilot, "down", "down", "space")
        assert sources(pilot) == ["spec/requirements.md#Vector search"]
        part = used(pilot)
        assert view(pilot) == "## Vector search\n\nNearest neighbours under 10 ms.\n\n"
        await press(pilot, "left", "left", "space")
        assert sources(pilot) == ["spec/requirements.md"]
        assert used(pilot) > part > 0


async def test_symbols_open_under_their_file_and_a_key_in_one_needs_a_yes(
    folder: Path, clock: FakeClock
) -> None:
    key = "AKIA" + "Q3EGR7J2XKLM4P5T"
    (folder / "lib" / "conf.py").write_text(
        f"class Conf:\n    def name(self):\n        return 1\n\ndef key():\n    return '{key}'\n"
    )
    async with app_of(folder, clock).run_test() as pilot:
        await settled(pilot)
        await press(pilot, "»conf.py", "escape", "right")
        assert lines(pilot) == ["lib/conf.py", "Conf", "Conf.name", "key"]
        await press(pilot, "down", "down", "space")
        assert sources(pilot) == ["lib/conf.py#Conf.name"]
        assert view(pilot) == "    def name(self):\n        return 1\n"
        await press(pilot, "down", "space")
        (choice,) = screen_of(pilot).state.composition.choices
        assert choice.sections == ("Conf.name", "key")
        assert screen_of(pilot).state.weights[choice.key].secret


async def test_lines_patterns_and_text_are_added_by_name(folder: Path, clock: FakeClock) -> None:
    async with app_of(folder, clock).run_test() as pilot:
        await settled(pilot)
        for given in (
            *("lib/types.ts:1-3", "text:Be brief.", "tests/*.ts"),
            "lib/search.ts#(skeleton)",
        ):
            await press(pilot, "escape", "a")
            assert isinstance(pilot.app.screen, AddSource)
            await press(pilot, f"»{given}", "enter", "escape")
        assert sources(pilot) == [
            *("lib/types.ts:1-3", "text:Be brief.", "tests/search.test.ts"),
            "lib/search.ts#(skeleton)",
        ]
        screen_of(pilot).list.rows.focus()
        await press(pilot, "end")
        assert view(pilot).startswith("export function search(")


def told(pilot: Pilot[None]) -> str:
    """What the dialog in front says of what was typed."""
    return str(pilot.app.screen.query_one("#says", Static).render())


async def test_a_source_is_completed_while_it_is_typed(folder: Path, clock: FakeClock) -> None:
    async with app_of(folder, clock).run_test() as pilot:
        await settled(pilot)
        await press(pilot, "escape", "a", "»requirem")
        assert [cells[0] for cells in picked(pilot)] == ["spec/requirements.md"]
        assert "Enter  completes" in foretold(pilot)
        await press(pilot, "enter")
        assert "1 item, ~" in told(pilot) and "Enter  adds it" in foretold(pilot)
        await press(pilot, "#")
        names = [cells[0].partition("#")[2] for cells in picked(pilot)]
        assert names == ["Requirements", "Vector search", "Storage", "(skeleton)"]
        assert picked(pilot)[1][1]  # its tokens
        await press(pilot, "s", "t", "down", "up", "tab")
        assert "1 item, ~" in told(pilot)
        await press(pilot, "enter")
        assert sources(pilot) == ["spec/requirements.md#Storage"]
        await press(pilot, "a", "»lib/types.ts:", "tab", "enter")
        assert sources(pilot)[1] == "lib/types.ts:1-12"


async def test_what_was_typed_stays_after_a_mistake_and_after_escape(
    folder: Path, clock: FakeClock
) -> None:
    async with app_of(folder, clock).run_test() as pilot:
        await settled(pilot)
        await press(pilot, "escape", "a", "»lib/types.ts:50-60", "enter")
        assert isinstance(pilot.app.screen, AddSource)
        assert "✗ lines 50-60 wanted, it has 12" in told(pilot)
        await press(pilot, "escape", "a")
        assert pilot.app.screen.query_one(Input).value == "lib/types.ts:50-60"
        await press(pilot, "ctrl+u", "»lib/types.ts:10-12", "enter")
        assert sources(pilot) == ["lib/types.ts:10-12"]
        await press(pilot, "a")
        assert pilot.app.screen.query_one(Input).value == ""


async def test_enter_waits_for_what_a_source_names(folder: Path, clock: FakeClock) -> None:
    async with app_of(folder, clock).run_test() as pilot:
        await settled(pilot)
        await press(pilot, "escape", "a")
        await pilot.press(*"README.md", "enter")  # without a pause between
        await settled(pilot)
        assert sources(pilot) == ["README.md"]


async def test_a_folder_leaves_out_what_cannot_be_taken(folder: Path, clock: FakeClock) -> None:
    (folder / "lib" / "key.pem").write_text("secret")
    (folder / "lib" / "blob.bin").write_bytes(b"\0")
    async with app_of(folder, clock).run_test() as pilot:
        await settled(pilot)
        await press(pilot, "escape", "space")
        assert sources(pilot) == ["lib/deep/hnsw.ts", "lib/search.ts", "lib/types.ts"]


async def test_a_large_folder_is_asked_about(folder: Path, clock: FakeClock) -> None:
    (folder / "aa").mkdir()
    for n in range(60):
        (folder / "aa" / f"{n}.txt").write_text("x")
    async with app_of(folder, clock).run_test() as pilot:
        await settled(pilot)
        await press(pilot, "escape", "space")
        assert isinstance(pilot.app.screen, Confirm)
        await press(pilot, "n")
        assert sources(pilot) == []
        await press(pilot, "space", "y")
        assert len(sources(pilot)) == 60


async def test_priority_type_and_order_are_set_by_keys(folder: Path, clock: FakeClock) -> None:
    async with app_of(folder, clock).run_test() as pilot:
        await settled(pilot)
        await press(
            pilot, "»types", "enter", "»README", "enter", "escape", "p", "t", "tab", "up", "p", "p"
        )
        now = screen_of(pilot).state.composition
        assert [(c.source, c.priority, c.type) for c in now.choices] == [
            ("lib/types.ts", "optional", "file"),
            ("README.md", "recommended", "reference"),
        ]
        await press(pilot, "shift+down")
        assert sources(pilot) == ["README.md", "lib/types.ts"]
        await press(pilot, "x")
        assert sources(pilot) == ["README.md"]
        assert screen_of(pilot).list.rows.key == "README.md"


async def test_several_are_marked_and_changed_at_once(folder: Path, clock: FakeClock) -> None:
    async with app_of(folder, clock).run_test(size=(120, 36)) as pilot:
        await settled(pilot)
        for name in ("types", "hnsw", "README", "search.ts"):
            await press(pilot, f"»{name}", "enter")
        listed = screen_of(pilot).list
        listed.rows.focus()
        await press(pilot, "home", "down", "space", "space")
        assert cells(pilot, "as") == ["required"] * 4
        assert [row.cells[0] for row in listed.rows.rows] == ["□", "■", "■", "□"]
        assert str(listed.border_subtitle).startswith("2 marked, ~")
        await press(pilot, "p")
        assert cells(pilot, "as") == ["required", "recommended", "recommended", "required"]
        await press(pilot, "shift+up")
        assert sources(pilot)[:3] == ["lib/deep/hnsw.ts", "README.md", "lib/types.ts"]
        await press(pilot, "z", "home", "x")
        assert sources(pilot) == ["lib/types.ts", "lib/search.ts"]
        assert listed.rows.key == "lib/types.ts"
        assert [row.cells[0] for row in listed.rows.rows] == ["█", "█"]  # no marks are left
        await press(pilot, "z")
        assert len(sources(pilot)) == 4
        await press(pilot, "space", "u", "p")
        # that under the cursor alone
        assert cells(pilot, "as") == ["required", "optional", "recommended", "required"]


# Gauges


async def test_the_gauges_move_with_every_toggle(project: Project, clock: FakeClock) -> None:
    async with app_of(project.root, clock).run_test() as pilot:
        await settled(pilot)
        others = used(pilot, "session-gauge")
        assert used(pilot) == 0 < others
        await press(pilot, "»hnsw", "enter")
        first = used(pilot)
        await press(pilot, "»README", "enter")
        assert 0 < first < used(pilot)
        assert used(pilot, "session-gauge") == others + used(pilot)
        await press(pilot, "enter")
        assert used(pilot) == first


async def test_a_file_nobody_counted_shows_a_guess_at_once(
    folder: Path, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("orch_tui.prepare.count_order.Counting.batches", lambda counting: iter(()))
    async with app_of(folder, clock).run_test() as pilot:
        await settled(pilot)
        await press(pilot, "»hnsw", "enter")
        guess = (folder / "lib/deep/hnsw.ts").stat().st_size // 3
        state = screen_of(pilot).state
        bundle = state.measure(state.weigh_items())
        assert bundle and bundle.given.tokens == guess and used(pilot) == bundle.total.tokens
        assert cells(pilot, "tokens")[0].endswith("?")


async def test_the_model_decides_limit_and_count(project: Project, clock: FakeClock) -> None:
    async with app_of(project.root, clock).run_test() as pilot:
        await settled(pilot)
        await press(pilot, "»hnsw", "enter", "escape")
        figures = screen_of(pilot).query_one("#agent-gauge", Stack)._figures
        assert figures is not None  # of the model that was planned
        assert figures.limit == 200_000 - 32_000 - figures.ambient.high
        before = used(pilot)
        await press(pilot, "e", "tab", "tab", "ctrl+u", "»opus", "enter")
        assert used(pilot) > before  # another tokenizer
        await press(pilot, "e", "tab", "tab", "ctrl+u", "»nonsense", "enter")
        assert "not in the catalogue" in head(pilot)


async def test_a_file_that_changes_is_counted_again(folder: Path, clock: FakeClock) -> None:
    async with app_of(folder, clock).run_test() as pilot:
        await settled(pilot)
        await press(pilot, "»types", "enter")
        before = used(pilot)
        (folder / "lib" / "types.ts").write_text("export {}\n")
        (folder / "lib" / "new.ts").write_text("export {}\n")
        await press(pilot, "f4", "f2")
        await settled(pilot)
        assert 0 < used(pilot) < before
        await press(pilot, "ctrl+u", "»lib/new")
        assert lines(pilot)[0] == "lib/new.ts"


async def test_a_file_that_goes_away_says_so_and_is_not_saved(
    folder: Path, clock: FakeClock
) -> None:
    async with app_of(folder, clock).run_test() as pilot:
        await settled(pilot)
        await press(pilot, "»types", "enter")
        (folder / "lib" / "types.ts").unlink()
        await press(pilot, "f4", "f2")
        await settled(pilot)
        assert "does not exist" in cells(pilot, "source")[0]
        await press(pilot, "escape", "e", "»Explore", "enter", "s")
        problem = screen_of(pilot).query_one(Problem)
        assert problem.has_class("-shown") and "does not exist" in problem.text
        assert not folder.joinpath(".claude/orchestration/execution.db").exists()


async def test_folders_sum_their_files(folder: Path, clock: FakeClock) -> None:
    async with app_of(folder, clock).run_test() as pilot:
        await settled(pilot)
        project = screen_of(pilot).files
        inside = [
            w.count.tokens
            for path, w in screen_of(pilot).state.weights.items()
            if path.startswith("lib/")
        ]
        assert project._tally.of("lib") == (sum(inside), True) and len(inside) == 3


# What cannot be taken


async def test_a_binary_file_says_why_and_is_not_put_in(folder: Path, clock: FakeClock) -> None:
    async with app_of(folder, clock).run_test() as pilot:
        await settled(pilot)
        await press(pilot, "»logo", "enter")
        problem = screen_of(pilot).query_one(Problem)
        assert sources(pilot) == [] and "is binary" in problem.text
        assert "is binary" in view(pilot)
        await press(pilot, "»types", "enter")
        assert not problem.has_class("-shown")


async def test_a_secret_needs_a_yes_that_is_recorded(project: Project, clock: FakeClock) -> None:
    async with app_of(project.root, clock).run_test() as pilot:
        await settled(pilot)
        await press(pilot, "».env", "enter", "escape")
        assert used(pilot) == 0
        await press(pilot, "s")
        assert "looks like a secret" in screen_of(pilot).query_one(Problem).text
        await press(pilot, "y")
        assert isinstance(pilot.app.screen, Confirm)
        await press(pilot, "n")
        assert not screen_of(pilot).state.composition.choices[0].allow_secret
        await press(pilot, "y", "y")
        assert used(pilot) > 0
        await press(pilot, "s")
        assert "saved" in head(pilot)
    entries = journal.list_journal(project.existing_record)
    assert [e.after for e in entries if e.action == "allow-secret"] == [{"sources": [".env"]}]
    project.close()


# Editing, saving, opening


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
        await press(pilot, "»types", "enter", "escape", "s")
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


# Sharing


async def test_what_other_bundles_hold_is_shown_and_shared_with_one_key(
    project: Project, clock: FakeClock
) -> None:
    async with app_of(project.root, clock).run_test(size=(140, 45)) as pilot:
        await settled(pilot)
        await press(pilot, "»types", "enter", "»hnsw", "enter")
        assert cells(pilot, "also in") == ["bundle-001", ""]
        await press(pilot, "f6", "f6")
        assert "lib/types.ts · ~" in view(pilot) and "bundle-001, (this bundle)" in view(pilot)
        await press(pilot, "escape", "d")
        assert isinstance(pilot.app.screen, ShareDialog)
        assert "saves this bundle, shares 1 text in 2 bundles" in foretold(pilot)
        await press(pilot, "enter")
        now = screen_of(pilot).state.composition
        assert [(c.type, c.shared_with) for c in now.choices] == [
            ("shared_context", ("bundle-001",)),
            ("file", ()),
            ("briefing", ()),
        ]
        assert now.bundle_id == "bundle-002" and "saved" in head(pilot)
    first = bundles.load_bundle(project.existing_record, "bundle-001").bundle.items
    assert [(item.type, item.shared_with) for item in first] == [
        ("shared_context", ("bundle-002",)),
        ("file", ()),
        ("briefing", ()),
    ]
    project.close()


async def test_sharing_is_taken_back_with_one_key(project: Project, clock: FakeClock) -> None:
    async with app_of(project.root, clock).run_test(size=(140, 45)) as pilot:
        await settled(pilot)
        await press(pilot, "»types", "enter", "»hnsw", "enter", "escape", "d", "enter")
        assert screen_of(pilot).state.composition.choices[0].shared_with
        assert screen_of(pilot).check_action("share", ()) is False  # there is nothing left to share
        await press(pilot, "D", "y")
        assert sources(pilot) == ["lib/types.ts", "lib/deep/hnsw.ts"]
        assert "bundle-002 v3 · saved" in head(pilot)
        assert screen_of(pilot).check_action("unshare", ()) is False
        await press(pilot, "D")
        assert not isinstance(pilot.app.screen, Confirm)
    first = bundles.load_bundle(project.existing_record, "bundle-001").bundle
    assert first.version == 3 and [item.shared_with for item in first.items] == [(), ()]
    project.close()


def effects(pilot: Pilot[None]) -> str:
    """What the dialog in front says of each agent."""
    return str(pilot.app.screen.query_one("#effects", Static).render())


async def test_sharing_is_foretold_text_by_text(project: Project, clock: FakeClock) -> None:
    (project.root / "lib" / "big.ts").write_text("export const a = 1\n" * 300)
    made = Project(project.root, clock=clock)
    now = Composition("Explore", "More").adding([Choice("lib/big.ts"), Choice("lib/types.ts")])
    api.keep_composition(made, now, session_id=SESSION)
    made.close()
    async with app_of(project.root, clock).run_test(size=(120, 36)) as pilot:
        await settled(pilot)
        await press(pilot, "»types", "enter", "»big", "enter", "escape", "d")
        assert [cells[:2] for cells in picked(pilot)] == [
            ("■", "lib/types.ts"),
            ("■", "lib/big.ts"),
        ]
        assert picked(pilot)[1][3] == "Explore 2, task-implementor"
        whole = effects(pilot)
        assert all(name in whole for name in ("task-implementor", "Explore 1", "Explore 2"))
        assert "if it reads the shared document" in whole and "the session" in whole
        await press(pilot, "space", "space")
        assert effects(pilot) != whole and "shares 0 texts in 0 bundles" in foretold(pilot)
        await press(pilot, "up", "space")
        assert [cells[0] for cells in picked(pilot)] == ["■", "□"]
        assert "shares 1 text in 3 bundles" in foretold(pilot)
        said = effects(pilot).partition("the session")[2].splitlines()[1].split()
        assert "□ stays in each bundle" in effects(pilot)
        await press(pilot, "enter")
        assert [(c.source, bool(c.shared_with)) for c in choices(pilot)[:2]] == [
            ("lib/types.ts", True),
            ("lib/big.ts", False),
        ]
        session = screen_of(pilot).query_one("#session-gauge", Stack)._figures
        assert session and f"~{format_tokens(session.used.tokens)}" == said[2]


async def test_short_texts_are_not_shared_unless_somebody_says_so(
    project: Project, clock: FakeClock
) -> None:
    async with app_of(project.root, clock).run_test(size=(120, 36)) as pilot:
        await settled(pilot)
        await press(pilot, "»README", "enter", "escape", "d")
        assert [cells[0] for cells in picked(pilot)] == ["□"]
        assert "raises" not in effects(pilot)
        await press(pilot, "space")
        assert "It raises the session's total" in effects(pilot)
        await press(pilot, "escape")
        assert not choices(pilot)[0].shared_with


async def test_blocks_in_different_bundles_are_shown_with_both_places(
    project: Project, clock: FakeClock
) -> None:
    lines = "".join(f"const value{n} = {n} * {n}\n" for n in range(20))
    (project.root / "lib" / "copy.ts").write_text(f"// another\n{lines}")
    (project.root / "lib" / "first.ts").write_text(lines)
    made = Project(project.root, clock=clock)
    now = Composition("Explore", "More").adding([Choice("lib/first.ts")])
    api.keep_composition(made, now, session_id=SESSION)
    made.close()
    async with app_of(project.root, clock).run_test(size=(140, 45)) as pilot:
        await settled(pilot)
        await press(pilot, "»copy.ts", "enter", "f6", "f6")
        assert "lib/first.ts:1-20 in bundle-002" in view(pilot)
        assert "lib/copy.ts:2-21 in (this bundle)" in view(pilot)
        assert "      1     2 │ const value0 = 0 * 0" in view(pilot)
        assert "… 8 more lines" in view(pilot)


# From earlier runs


@pytest.fixture
def runs(project: Project) -> list[str]:
    """Two runs of the planned agent's type that succeeded, and one that nobody prepared."""
    record = project.record
    given = [make_item("lib/types.ts"), make_item("lib/gone.ts")]
    labels = [
        run_agent(record, SESSION, agent_type="task-implementor", bundle=make_bundle("b1", *given)),
        run_agent(record, SESSION, agent_type="task-implementor", briefing=b"Find the leak."),
    ]
    touch(record, labels[0], "spec/requirements.md")
    touch(record, labels[1], "spec/requirements.md", "lib/search.ts", written=("README.md",))
    project.close()
    return labels


def picked(pilot: Pilot[None]) -> list[tuple[str, ...]]:
    """The rows of the dialog in front, cell by cell."""
    rows = pilot.app.screen.query_one(Rows)
    return [row.cells for row in rows.rows]


def foretold(pilot: Pilot[None]) -> str:
    """What the dialog in front says of its keys."""
    return str(pilot.app.screen.query_one(".keys", Static).render())


async def test_what_earlier_runs_had_is_taken_by_marks(
    project: Project, runs: list[str], clock: FakeClock
) -> None:
    async with app_of(project.root, clock).run_test(size=(120, 36)) as pilot:
        await settled(pilot)
        await press(pilot, "»types", "enter", "escape", "r")
        assert isinstance(pilot.app.screen, PickSeveral)
        assert [cells[:5] for cells in picked(pilot)] == [
            ("□", "spec/requirements.md", "", "0 of 2", "2 of 2"),
            ("□", "lib/search.ts", "", "0 of 2", "1 of 2"),
            ("✗", "lib/gone.ts", "does not exist", "1 of 2", "0 of 2"),
            ("█", "lib/types.ts", "in it already", "1 of 2", "0 of 2"),
        ]
        assert "takes 1 as recommended" in foretold(pilot)
        before = foretold(pilot)
        await press(pilot, "space", "space")
        assert "takes 2 as recommended" in foretold(pilot) and foretold(pilot) != before
        await press(pilot, "space", "end", "space")  # what is gone or in it cannot be marked
        assert [cells[0] for cells in picked(pilot)] == ["■", "■", "✗", "█"]
        free = foretold(pilot).partition("then ")[2].partition(" free")[0]
        await press(pilot, "enter")
        assert sources(pilot) == ["lib/types.ts", "spec/requirements.md", "lib/search.ts"]
        assert {c.priority for c in screen_of(pilot).state.composition.choices[1:]} == {
            "recommended"
        }
        figures = screen_of(pilot).query_one("#agent-gauge", Stack)._figures
        assert figures and format_tokens(figures.limit - figures.used.high) == free
        await press(pilot, "z")
        assert sources(pilot) == ["lib/types.ts"]


async def test_without_marks_enter_takes_the_row_and_escape_nothing(
    project: Project, runs: list[str], clock: FakeClock
) -> None:
    async with app_of(project.root, clock).run_test() as pilot:
        await settled(pilot)
        await press(pilot, "escape", "r", "space", "escape")
        assert sources(pilot) == []
        await press(pilot, "r", "down", "enter")
        assert sources(pilot) == ["lib/search.ts"]
        await press(pilot, "r", "end", "enter")
        assert isinstance(pilot.app.screen, PickSeveral)  # it is in the bundle already


async def test_without_earlier_runs_that_is_said(project: Project, clock: FakeClock) -> None:
    async with app_of(project.root, clock).run_test() as pilot:
        await settled(pilot)
        await press(pilot, "escape", "r")
        assert not isinstance(pilot.app.screen, PickSeveral)
        (said,) = [n.message for n in pilot.app._notifications]
        assert "no run of task-implementor that succeeded" in said


async def test_a_bundle_is_begun_from_a_run_in_history(
    project: Project, runs: list[str], clock: FakeClock
) -> None:
    app = app_of(project.root, clock)
    async with app.run_test(size=(120, 36)) as pilot:
        await settled(pilot)
        await press(pilot, "»README", "enter", "f4")
        await press(pilot, "escape", "b")  # the newest run: nobody prepared it
        assert isinstance(pilot.app.screen, Confirm)  # what is in Compose is not saved
        await press(pilot, "y")
        assert sources(pilot) == ["text:Find the leak.", "lib/search.ts", "spec/requirements.md"]
        assert "for task-implementor" in head(pilot) and "new, not saved" in head(pilot)
        await press(pilot, "f4", "down", "b", "y")
        assert sources(pilot) == ["lib/types.ts"]
        assert any("lib/gone.ts" in n.message for n in app._notifications)


# What agents have anyway, and what would fit


def ambient(pilot: Pilot[None]) -> int:
    figures = screen_of(pilot).query_one("#agent-gauge", Stack)._figures
    assert figures is not None
    return figures.ambient.tokens


async def test_what_the_agent_has_anyway_is_off_its_limit_and_flagged(
    folder: Path, clock: FakeClock
) -> None:
    (folder / "CLAUDE.md").write_text("Be brief.\n\n@spec/requirements.md\n@spec/none.md\n")
    async with app_of(folder, clock).run_test(size=(140, 45)) as pilot:
        await settled(pilot)
        await press(pilot, "»requirem", "enter", "»types", "enter")
        of_all = ambient(pilot)
        assert of_all > 0
        assert cells(pilot, "source") == ["spec/requirements.md", "lib/types.ts"]
        assert cells(pilot, "part") == ["░ had anyway", ""]
        await press(pilot, "f6", "f6")
        assert "spec/requirements.md · ~" in view(pilot) and "imported by CLAUDE.md" in view(pilot)
        assert "! CLAUDE.md: imports spec/none.md, which does not exist" in view(pilot)
        await press(pilot, "escape", "e", "»Explore", "enter")
        assert cells(pilot, "part")[0] == ""
        assert "requirements.md · ~" not in view(pilot)  # it gets no CLAUDE.md
        assert "system prompt · ~697 ±" in view(pilot)


async def test_the_model_of_the_agents_definition_is_the_usual_one(
    folder: Path, clock: FakeClock
) -> None:
    agent = folder / ".claude" / "agents" / "task-implementor.md"
    agent.write_text(AGENT.replace("does it", "does it\nmodel: claude-haiku-4-5"))
    async with app_of(folder, clock).run_test() as pilot:
        await settled(pilot)
        await press(pilot, "escape", "e", "»task-imp", "down", "enter", "enter")
        assert "claude-haiku-4-5, from its definition" in head(pilot)
        figures = screen_of(pilot).query_one("#agent-gauge", Stack)._figures
        assert figures and figures.limit < 200_000


@pytest.fixture
def much(folder: Path) -> Path:
    """A project with more than a session may take."""
    code = "export function f{0}(a: number): number {{\n  return a * {0}\n}}\n"
    (folder / "lib" / "big.ts").write_text("".join(code.format(n) for n in range(300)))
    settings = folder / ".claude" / "orchestration" / "config.toml"
    settings.parent.mkdir()
    settings.write_text("budget = 5000\n")
    return folder


async def test_what_is_too_much_is_made_to_fit_with_one_key(much: Path, clock: FakeClock) -> None:
    async with app_of(much, clock).run_test() as pilot:
        await settled(pilot)
        await press(pilot, "»types", "enter", "escape", "f")
        assert not isinstance(pilot.app.screen, Confirm)  # it fits
        await press(pilot, "escape", "»big", "enter", "escape", "p", "p")
        assert screen_of(pilot).state.budget_status == "over"
        await press(pilot, "f")
        assert isinstance(pilot.app.screen, Confirm)
        said = str(pilot.app.screen.query(Static)[1].render())
        assert "The briefing takes ~" in said and "lib/big.ts" in said and "(optional, ~" in said
        await press(pilot, "y")
        assert screen_of(pilot).state.budget_status != "over"
        before = used(pilot)
        assert before > 0
        await press(pilot, "z")
        assert sources(pilot) == ["lib/types.ts", "lib/big.ts"] and used(pilot) > before


async def test_required_items_that_are_too_much_are_said_in_place(
    much: Path, clock: FakeClock
) -> None:
    async with app_of(much, clock).run_test() as pilot:
        await settled(pilot)
        await press(pilot, "»big", "enter", "escape", "f")
        problem = screen_of(pilot).query_one(Problem)
        assert "the required items alone take ~" in problem.text and sources(pilot)
        await press(pilot, "p")
        assert not problem.has_class("-shown")  # it may be true no more


# Counted exactly


async def test_figures_become_exact_by_themselves_where_that_is_possible(
    folder: Path, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[list[str]] = []

    def exactly(choices: list[Choice], **options: Any) -> Iterator[tuple[str, Weight]]:
        asked.append([choice.key for choice in choices])
        for choice in choices:
            yield choice.key, Weight(Count(1000, "claude-v4.8", 1000, 1000), "0" * 64)

    monkeypatch.setattr("orch_tui.prepare.exact.is_available", lambda: True)
    monkeypatch.setattr("orch_tui.prepare.composition.weigh_exactly", exactly)
    monkeypatch.setattr("orch_tui.screens.compose.project_files.EXACT_AFTER", 0.01)
    async with app_of(folder, clock).run_test() as pilot:
        await settled(pilot)
        await press(pilot, "»types", "enter", "»hnsw", "enter")
        while not asked:
            await pilot.pause(0.02)
        await settled(pilot)
        assert cells(pilot, "tokens") == ["1.0k", "1.0k"]
        figures = screen_of(pilot).query_one("#agent-gauge", Stack)._figures
        assert figures and figures.used.high - figures.used.low == 2  # the template's
        assert sorted(asked[0]) == ["lib/types.ts"]  # what is known is not counted again


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


# Drawing


@pytest.mark.parametrize(
    ("tokens", "shown"),
    [(0, "0"), (999, "999"), (1_000, "1.0k"), (99_949, "99.9k"), (99_950, "100k")],
)
def test_short_figures(tokens: int, shown: str) -> None:
    assert format_tokens(tokens) == shown


def test_every_part_is_in_the_bar_even_past_the_limit() -> None:
    from orch_tui.prepare.budget import Limits, gauge_limit
    from orch_tui.prepare.count import Count

    def bar(used: int, *parts: int, high: int = 0) -> str:
        count = Count(used, "e", used, high or used)
        figures = gauge_limit("agent limit", count, 1000, Limits())
        kinds = ("required", "recommended", "optional")
        named = [GaugePart(kind, kind, n) for kind, n in zip(kinds, parts, strict=False)]
        return "".join(text for _, text in draw_bar(named, figures, 20))

    assert bar(500, 250, 250, 0) == "█████▆▆▆▆▆     ┊  ┊┃"
    assert bar(252, 1, 250, 1) == "█▆▆▆▆▃         ┊  ┊┃"
    assert bar(500, 500, high=501) == "██████████╱    ┊  ┊┃"
    assert bar(1000, 1000) == "███████████████████┃"
    assert bar(2000, 1000, 1000) == "██████████┃╳╳╳╳╳╳╳╳╳"
    assert bar(100_000, 100_000) == "┃╳╳╳╳╳╳╳╳╳╳╳╳╳╳╳╳╳╳╳"
    assert bar(0) == "               ┊  ┊┃"


def test_a_sum_without_parts_is_a_line() -> None:
    from orch_tui.prepare.budget import Limits, gauge_limit
    from orch_tui.prepare.count import Count

    def line(used: int) -> list[tuple[str, str]]:
        count = Count(used, "e", used, used)
        return draw_line(gauge_limit("session budget", count, 1000, Limits()), 10)

    assert line(0) == [("line", ""), ("rest", "─" * 10)]
    assert line(1) == [("line", "╸"), ("rest", "─" * 9)]
    assert line(550) == [("line", "━━━━━╸"), ("rest", "────")]
    assert line(1000) == [("line", "━" * 10), ("rest", "")]
    assert line(9000) == [("over", "━" * 10), ("rest", "")]


Snap = Callable[..., bool]


def after(*keys: str) -> Drive:
    async def run_before(pilot: Pilot[None]) -> None:
        await settled(pilot)
        await press(pilot, *keys)
        for line in pilot.app.screen.query(Input):
            line.cursor_blink = False
        await settled(pilot)

    return run_before


CHOSEN = ("»types", "enter", "»hnsw", "enter", "»README", "enter")


@in_looks((80, 24), (140, 45))
def test_how_it_looks(
    project: Project, clock: FakeClock, snap_compare: Snap, theme: str, size: tuple[int, int]
) -> None:
    app = app_of(project.root, clock)
    app.theme = theme
    keys = (*CHOSEN, "escape", "p", "t", "escape", "ctrl+u", "escape", "right", "down")
    assert snap_compare(app, terminal_size=size, run_before=after(*keys))


def test_how_nothing_looks(folder: Path, clock: FakeClock, snap_compare: Snap) -> None:
    assert snap_compare(app_of(folder, clock), terminal_size=(80, 24), run_before=after())


def test_how_too_much_looks(project: Project, clock: FakeClock, snap_compare: Snap) -> None:
    (project.root / "lib" / "big.ts").write_text(("export const a = 1;" * 20 + "\n") * 3_000)
    app = app_of(project.root, clock)
    keys = ("»big", "enter", "»types", "enter", "escape", "p", "p", "f6", "f6")
    assert snap_compare(app, terminal_size=(140, 45), run_before=after(*keys))


@in_sizes((80, 24), (140, 45))
def test_how_sharing_looks(
    project: Project, clock: FakeClock, snap_compare: Snap, size: tuple[int, int]
) -> None:
    (project.root / "CLAUDE.md").write_text("Be brief.\n\n@spec/requirements.md\n")
    app = app_of(project.root, clock)
    keys = (*CHOSEN, "»requirem", "enter", "escape", "f6", "f6", *["f6"] * (size[0] < 100))
    assert snap_compare(app, terminal_size=size, run_before=after(*keys))


DIALOG_SIZES = [((80, 24), "orch-dark"), ((120, 36), "orch-light")]


@pytest.mark.parametrize(("size", "theme"), DIALOG_SIZES)
def test_how_foretold_sharing_looks(
    project: Project, clock: FakeClock, snap_compare: Snap, size: tuple[int, int], theme: str
) -> None:
    (project.root / "CLAUDE.md").write_text("Be brief.\n\n@spec/requirements.md\n")
    app = app_of(project.root, clock)
    app.theme = theme
    keys = (*CHOSEN, "»requirem", "enter", "escape", "d")
    assert snap_compare(app, terminal_size=size, run_before=after(*keys))


@pytest.mark.parametrize(("size", "theme"), DIALOG_SIZES)
def test_how_earlier_runs_look(
    project: Project,
    runs: list[str],
    clock: FakeClock,
    snap_compare: Snap,
    size: tuple[int, int],
    theme: str,
) -> None:
    app = app_of(project.root, clock)
    app.theme = theme
    keys = ("»types", "enter", "escape", "r", "space")
    assert snap_compare(app, terminal_size=size, run_before=after(*keys))


@pytest.mark.parametrize(("size", "theme"), DIALOG_SIZES)
def test_how_a_source_is_completed_looks(
    project: Project, clock: FakeClock, snap_compare: Snap, size: tuple[int, int], theme: str
) -> None:
    app = app_of(project.root, clock)
    app.theme = theme
    keys = ("escape", "a", "»spec/requirements.md#")
    assert snap_compare(app, terminal_size=size, run_before=after(*keys))


@pytest.mark.parametrize(("size", "theme"), DIALOG_SIZES)
def test_how_bundles_to_open_look(
    project: Project, snap_compare: Snap, size: tuple[int, int], theme: str
) -> None:
    later = datetime(2026, 11, 25, 9, tzinfo=UTC)  # however often it is looked at
    app = Compose(Project(project.root, clock=lambda: later))
    app.theme = theme
    assert snap_compare(app, terminal_size=size, run_before=after("escape", "o"))


def test_how_what_would_fit_looks(much: Path, clock: FakeClock, snap_compare: Snap) -> None:
    keys = ("»types", "enter", "»big", "enter", "escape", "p", "p", "f")
    assert snap_compare(app_of(much, clock), terminal_size=(80, 24), run_before=after(*keys))


def test_how_what_cannot_be_taken_looks(
    project: Project, clock: FakeClock, snap_compare: Snap
) -> None:
    app = app_of(project.root, clock)
    keys = ("».env", "enter", "»types", "enter", "»logo", "enter", "tab", "tab")
    assert snap_compare(app, terminal_size=(80, 24), run_before=after(*keys))


def test_how_hostile_names_look(folder: Path, clock: FakeClock, snap_compare: Snap) -> None:
    names = ["[bold]x[bold].md", "a\x1b[31mred.md", "\u202egnp.md", "[unclosed", "w" * 200 + ".md"]
    for name in names:
        (folder / name).write_text("# [b]x\x1b[31m\n\n\u202etext\n")
    (folder / os.fsdecode(b"not-utf8-\xff.txt")).write_text("x")
    keys = ("»[bold", "enter", "escape", "right", "escape", "ctrl+u", "»red", "enter", "ctrl+u")
    app = app_of(folder, clock)
    assert snap_compare(app, terminal_size=(140, 45), run_before=after(*keys, "escape", "end"))
