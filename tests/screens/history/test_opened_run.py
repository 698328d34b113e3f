"""A run in the pane and opened whole: where it opens, and what is found in it."""

from __future__ import annotations

from pathlib import Path

from textual.widgets import Static

from orch_tui.api import OrchestrationSession
from orch_tui.project import Project
from orch_tui.screens.history.compare_view import SideBySide
from orch_tui.screens.history.run_view import Run
from orch_tui.screens.history.screen import HistoryScreen
from orch_tui.screens.widgets.lines import Lines
from orch_tui.screens.widgets.preview import Preview
from orch_tui.screens.widgets.row_list import Rows
from tests.conftest import FakeClock
from tests.screens.history.driven import open_app
from tests.screens.quiet import settled


async def test_enter_opens_a_run_and_escape_comes_back(folder: Path, clock: FakeClock) -> None:
    app = open_app(folder, clock)
    async with app.run_test() as pilot:
        await settled(pilot)
        await pilot.press("enter")
        await settled(pilot)
        assert isinstance(app.screen, Run)
        await pilot.press("escape")
        assert not isinstance(app.screen, Run)


async def test_the_pane_opens_at_what_is_sought_and_n_goes_on(
    folder: Path, clock: FakeClock
) -> None:
    """From the message through the items that were given to the next part that has it."""
    app = open_app(folder, clock)
    async with app.run_test(size=(120, 36)) as pilot:
        await pilot.press(*"walrus", "escape")
        await settled(pilot)
        preview = app.screen.query_one(Preview)
        lines = preview.query_one(Lines)
        assert (lines.match, lines.match_count) == (1, 1)
        await pilot.press("n")
        await settled(pilot)
        assert preview.tab == "given"
        assert lines.match_count == 40 and lines.match == 1
        await pilot.press("n", "n")
        assert lines.match == 3
        await pilot.press("N", "N", "N")
        await settled(pilot)
        assert preview.tab == "said"


async def test_enter_opens_the_run_under_the_cursor_though_the_pane_is_behind(
    folder: Path, clock: FakeClock
) -> None:
    app = open_app(folder, clock)
    async with app.run_test(size=(120, 36)) as pilot:
        await settled(pilot)
        await pilot.press("escape")
        screen = app.screen
        assert isinstance(screen, HistoryScreen)
        for key in ("end", "home", "end"):
            before = screen.execution_id
            screen.query_one("#hits", Rows).action_to(-1 if key == "end" else 0)
            assert screen.execution_id != before
            screen._open()  # before anything was read
            await settled(pilot)
            assert isinstance(app.screen, Run)
            shown = app.screen.query_one(Preview).shown
            assert shown and shown.execution.execution_id == screen.execution_id
            await pilot.press("escape")
            await settled(pilot)


async def test_letters_are_found_in_the_opened_run(folder: Path, clock: FakeClock) -> None:
    app = open_app(folder, clock)
    async with app.run_test(size=(120, 36)) as pilot:
        await settled(pilot)
        await pilot.press("escape", "end", "f6", "enter")
        await settled(pilot)
        await pilot.press("slash", *"rus ind", "enter")
        await settled(pilot)
        lines = app.screen.query_one(Lines)
        assert isinstance(app.screen, Run) and lines.has_focus
        assert lines.match_count == 20
        await pilot.press("slash", "escape")
        assert isinstance(app.screen, Run) and lines.has_focus
        await pilot.press("escape")
        assert not isinstance(app.screen, Run)


async def test_letters_are_found_in_the_pane_beside_the_list(
    folder: Path, clock: FakeClock
) -> None:
    app = open_app(folder, clock)
    async with app.run_test(size=(120, 36)) as pilot:
        await pilot.press(*"slow", "escape", "end", "tab")
        await settled(pilot)
        preview = app.screen.query_one("#preview", Preview)
        lines = preview.query_one(Lines)
        assert lines.has_focus
        await pilot.press("slash", *"alru", "enter")
        await settled(pilot)
        assert lines.has_focus and lines.match_count == 1
        await pilot.press("slash", "end", "ctrl+u", "enter")
        await settled(pilot)
        assert not preview.query_one("#find").display
        assert lines.match_count == 1  # the word of the search again
        assert "F9 copy · F10 $EDITOR" in str(preview.query_one("#run-body").border_subtitle)
        await pilot.press("f9")
        await settled(pilot)
        assert app.clipboard.startswith("# Found it")


async def test_the_reason_the_text_it_was_given_and_the_last_success_are_three_keys_away(
    folder: Path, clock: FakeClock
) -> None:
    project = Project(folder, clock=clock)
    session = OrchestrationSession("Index the words", project=project)
    bundle = session.prepare_context("debugger", scope="Find it again", files=["spec.md"])
    failed = session.init_deployment(context_bundle=bundle)
    failed.record_completion("", status="failed", error_message="no such [b]index[/b]")
    project.close()
    app = open_app(folder, clock)
    async with app.run_test(size=(120, 36)) as pilot:
        await settled(pilot)
        preview, keys_pressed = app.screen.query_one("#preview", Preview), 0
        head = preview.query_one("#run-head", Static)
        lines = preview.query_one(Lines)
        drawn = [lines.render_line(y).text for y in range(3)]
        assert any("no such [b]index[/b]" in line for line in drawn)
        for key in ("f6", "escape", "d"):
            await pilot.press(key)
            await settled(pilot)
            keys_pressed += 1
            if key == "f6":
                assert preview.tab == "given" and "The walrus" in preview.text
                assert "no such [b]index[/b]" in str(head.content)
        assert isinstance(app.screen, SideBySide) and keys_pressed == 3
        figures = app.screen.query_one("#figures", Rows).rows
        assert ("why", "–", "no such [b]index[/b]", "") in [row.cells for row in figures]


async def test_why_a_run_failed_stands_before_what_it_said(folder: Path, clock: FakeClock) -> None:
    app = open_app(folder, clock)
    async with app.run_test(size=(120, 36)) as pilot:
        await pilot.press(*"status:failed")
        await settled(pilot)
        lines = app.screen.query_one(Preview).query_one(Lines)
        drawn = [lines.render_line(y).text for y in range(5)]
        assert drawn[0].startswith("Why it failed  ORG-003 Sub-Agent Failure")
        assert drawn[1].startswith("No reason was given.")
        assert drawn[3].startswith("[bold]not markup[/] ␛[31mred")


async def test_the_reason_comes_first_whatever_tab_was_used_last(
    folder: Path, clock: FakeClock
) -> None:
    """Runs of exec-001 to -003: the second failed."""
    app = open_app(folder, clock)
    async with app.run_test(size=(120, 36)) as pilot:
        await settled(pilot)
        await pilot.press(*"agent:expl")
        await settled(pilot)
        await pilot.press("f6", "ctrl+q")
    again = open_app(folder, clock)
    async with again.run_test(size=(120, 36)) as pilot:
        await settled(pilot)
        preview = again.screen.query_one(Preview)
        assert preview.tab == "given"
        again.find_in_history("status:failed ")
        await settled(pilot)
        assert preview.tab == "said"
        assert preview.query_one(Lines).render_line(0).text.startswith("Why it failed")
        await pilot.press("escape", "f6", "enter")  # somebody wants to see what it was given
        await settled(pilot)
        assert isinstance(again.screen, Run) and again.screen.query_one(Preview).tab == "given"
        assert "Why it failed" in str(again.screen.query_one("#run-head", Static).content)
        await pilot.press("escape")
        again.find_in_history("agent:expl ")
        await settled(pilot)
        assert preview.tab == "given"


async def test_text_is_selected_by_dragging_over_it(folder: Path, clock: FakeClock) -> None:
    app = open_app(folder, clock)
    async with app.run_test(size=(120, 36)) as pilot:
        await pilot.press(*"status:failed")
        await settled(pilot)
        lines = app.screen.query_one(Preview).query_one(Lines)
        await pilot.hover(lines, offset=(1, 0))
        await settled(pilot)
        await pilot.mouse_down(lines, offset=(1, 0))
        await pilot.hover(lines, offset=(5, 1))
        await pilot.mouse_up(lines, offset=(13, 1))
        await settled(pilot)
        said = app.screen.get_selected_text()
        assert said is not None and said.startswith("Why it failed  ORG-003")
        assert said.splitlines()[1] == "No reason was"
        chosen = app.screen.get_component_rich_style("screen--selection").bgcolor
        assert any(
            segment.style and segment.style.bgcolor == chosen for segment in lines.render_line(0)
        )
