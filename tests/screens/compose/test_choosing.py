"""Choosing what an agent is given."""

from __future__ import annotations

from pathlib import Path
from threading import Event
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from orch_tui.prepare import tree
from orch_tui.project import Project
from orch_tui.record.ledger import journal
from orch_tui.screens.compose.add_source import AddSource
from orch_tui.screens.dialogs import Confirm
from orch_tui.screens.orch_screen import Problem
from orch_tui.screens.widgets.filetree import FileTree
from tests.conftest import FakeClock
from tests.screens.compose.driven import (
    app_of,
    cells,
    foretold,
    head,
    lines,
    picked,
    press,
    screen_of,
    sources,
    told,
    used,
    view,
)
from tests.screens.quiet import settled
from tests.variants import vary


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
        listed.wait(200)
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


# Where there is little room


def panes(pilot: Pilot[None]) -> list[str]:
    """The panes that are on the screen beneath the gauges."""
    screen = screen_of(pilot)
    return [name for name in ("files", "list", "views") if screen.query_one(f"#{name}").region]


@pytest.mark.parametrize("size", vary([(60, 16), (71, 40), (100, 15)]))
async def test_one_pane_has_the_room_where_there_is_little(
    folder: Path, clock: FakeClock, size: tuple[int, int]
) -> None:
    async with app_of(folder, clock).run_test(size=size) as pilot:
        await settled(pilot)
        assert panes(pilot) == ["files"]
        assert "F6 the bundle · 0" in str(screen_of(pilot).files.border_subtitle)
        await press(pilot, "»types", "enter", "tab")
        assert panes(pilot)[0] == "list" and screen_of(pilot).list.is_focused
        await press(pilot, "shift+tab")
        assert panes(pilot) == ["files"] and pilot.app.focused is screen_of(pilot).files.box
        await pilot.resize_terminal(120, 36)
        await settled(pilot)
        assert panes(pilot) == ["files", "list", "views"]


async def test_f6_goes_through_all_panes_of_a_small_screen(folder: Path, clock: FakeClock) -> None:
    async with app_of(folder, clock).run_test(size=(60, 16)) as pilot:
        await settled(pilot)
        await press(pilot, "»types", "enter", "f6")
        assert panes(pilot) == ["list"]
        seen = []
        for _ in range(3):
            await press(pilot, "f6")
            seen.append((panes(pilot), screen_of(pilot).views.active))
        assert seen == [(["views"], name) for name in ("item", "briefing", "sharing")]
        await press(pilot, "f6")
        assert panes(pilot) == ["files"]


async def test_what_a_folder_takes_is_told_when_it_is_counted(
    folder: Path, clock: FakeClock
) -> None:
    async with app_of(folder, clock).run_test() as pilot:
        await settled(pilot)
        await press(pilot, "escape")
        told = view(pilot)
        assert "lib/" in told and "3 files, ~" in told and "so far" not in told


async def test_what_a_machine_made_or_is_no_utf_8_is_said_beside_it(
    folder: Path, clock: FakeClock
) -> None:
    (folder / "app.min.js").write_text("x")
    (folder / "notes.txt").write_bytes("设置 配置文件\n".encode("gbk"))
    async with app_of(folder, clock).run_test(size=(180, 40)) as pilot:
        await settled(pilot)
        tree_lines = screen_of(pilot).query_one(FileTree)
        shown = [tree_lines.render_line(row).text for row in range(tree_lines.size.height)]
        assert any("app.min.js" in line and "minified" in line for line in shown), shown
        assert any("notes.txt" in line and "gb18030" in line for line in shown), shown
