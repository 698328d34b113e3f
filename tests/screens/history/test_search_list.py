"""The list of runs follows what is typed: words, filters, order."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.widgets import Static

from orch_tui.api import OrchestrationSession
from orch_tui.project import Project
from orch_tui.record.opening import open_record
from orch_tui.screens.history.filter_chips import FilterChips
from orch_tui.screens.history.run_view import Run
from orch_tui.screens.widgets.preview import Preview
from orch_tui.screens.widgets.row_list import Rows
from orch_tui.screens.widgets.search_box import QueryInput
from orch_tui.search.query import search
from tests.conftest import FakeClock
from tests.screens.history.driven import list_keys, open_app, shown_text
from tests.screens.quiet import settled


async def test_it_opens_ready_to_type_with_everything_newest_first(
    folder: Path, clock: FakeClock
) -> None:
    app = open_app(folder, clock)
    async with app.run_test() as pilot:
        await settled(pilot)
        assert list_keys(app) == ["exec-003", "exec-002", "exec-001"]
        assert isinstance(app.focused, QueryInput)
        await pilot.press(*"walr")
        await settled(pilot)
        assert list_keys(app) == ["exec-001"]


async def test_typing_brings_the_best_under_the_cursor(folder: Path, clock: FakeClock) -> None:
    app = open_app(folder, clock)
    async with app.run_test() as pilot:
        await settled(pilot)
        rows = app.screen.query_one("#hits", Rows)
        await pilot.press("down", "down")
        assert rows.key == "exec-001"
        await pilot.press(*"the")  # still among the hits, but not the first of them
        await settled(pilot)
        assert len(rows.rows) > 1
        assert rows.key == rows.rows[0].key


async def test_a_mistake_is_named_and_the_rest_is_searched(folder: Path, clock: FakeClock) -> None:
    app = open_app(folder, clock)
    async with app.run_test() as pilot:
        await pilot.press(*"status:perhaps")
        await settled(pilot)
        assert "perhaps" in str(app.screen.query_one("#mistakes", Static).content)
        assert len(list_keys(app)) == 3


async def test_filters_are_chips_that_keys_and_clicks_take_off(
    folder: Path, clock: FakeClock
) -> None:
    app = open_app(folder, clock)
    async with app.run_test(size=(100, 30)) as pilot:
        await settled(pilot)
        box, chips = app.screen.query_one(QueryInput), app.screen.query_one(FilterChips)
        assert not chips.display
        box.value = "walrus agent:debug -status:failed since:30d has:fins"
        await settled(pilot)
        line = chips.render_line(0).text
        assert "agent: debug ×  not status: failed ×  since 30d ×  ! has: fins ×" in line
        await pilot.press("ctrl+x")
        assert box.value == "walrus agent:debug -status:failed since:30d"
        await pilot.press("tab", "left", "enter")
        assert chips.has_focus and box.value == "walrus agent:debug since:30d"
        await pilot.click(chips, offset=(line.index("agent"), 0))
        assert box.value == "walrus since:30d"
        await pilot.press("escape", "escape", "ctrl+x")
        await settled(pilot)
        assert box.value == "walrus" and not chips.display and list_keys(app) == ["exec-001"]


async def test_chips_without_room_are_counted_and_hostile_ones_are_shown(
    folder: Path, clock: FakeClock
) -> None:
    app = open_app(folder, clock)
    async with app.run_test(size=(60, 16)) as pilot:
        await settled(pilot)
        app.screen.query_one(
            QueryInput
        ).value = 'file:"\x1b[31m[b]" agent:aaaaaaaaaaaaaaaaaa,b model:c -has:d'
        await settled(pilot)
        chips = app.screen.query_one(FilterChips)
        assert chips.size.height == 1
        line = chips.render_line(0).text
        assert "file: ␛[31m[b]" in line and line.rstrip().endswith("+2")


async def test_the_list_moves_while_one_types_and_the_preview_follows(
    folder: Path, clock: FakeClock
) -> None:
    app = open_app(folder, clock)
    async with app.run_test() as pilot:
        await settled(pilot)
        await pilot.press("down", "down")
        await settled(pilot)
        preview = app.screen.query_one(Preview)
        assert preview.shown is not None and preview.shown.execution.execution_id == "exec-001"
        assert isinstance(app.focused, QueryInput)
        await pilot.press("f6")
        await settled(pilot)
        assert preview.tab == "given" and "The walrus indexes words." in preview.text


async def test_nested_runs_stand_beneath_the_one_that_launched_them(
    folder: Path, clock: FakeClock
) -> None:
    app = open_app(folder, clock)
    with open_record(Project(folder).database) as record, record.write():
        for child, parent in (("exec-002", "exec-001"), ("exec-003", "exec-002")):
            record.execute(
                "UPDATE agent_executions SET parent_execution_id = ? WHERE execution_id = ?",
                [parent, child],
            )
    async with app.run_test(size=(120, 36)) as pilot:
        await settled(pilot)
        await pilot.press("escape", "t")
        await settled(pilot)
        hits = app.screen.query_one("#hits", Rows)
        assert list_keys(app) == ["exec-001", "exec-002", "exec-003"]
        names = [row.cells[3] for row in hits.rows]
        assert names == ["debugger", "└ implementor", "  └ Explore"]
        assert hits.key == "exec-003"
        app.screen.query_one(QueryInput).value = "agent:implementor"
        await settled(pilot)
        assert [row.cells[3] for row in hits.rows] == ["↳ implementor"]
        app.screen.query_one(QueryInput).value = ""
        await pilot.press("t")
        await settled(pilot)
        assert list_keys(app) == ["exec-003", "exec-002", "exec-001"]


async def test_a_thousand_runs_are_read_as_the_cursor_comes_near_their_end(
    tmp_path: Path, clock: FakeClock
) -> None:
    (tmp_path / ".git").mkdir()
    with OrchestrationSession("many", project=tmp_path, clock=clock) as session:
        record = session.project.record
        with record.write():
            for number in range(500):
                session.init_deployment("worker", f"part {number}")
    app = open_app(tmp_path, clock)
    async with app.run_test() as pilot:
        await settled(pilot)
        assert len(list_keys(app)) == 200
        await pilot.press("escape", "end")
        await settled(pilot)
        await pilot.press("end")
        await settled(pilot)
        assert len(set(list_keys(app))) == len(list_keys(app)) == 500
    assert search(Project(tmp_path).existing_record, "").total >= 400


async def test_runs_are_put_in_another_order_by_a_key(folder: Path, clock: FakeClock) -> None:
    app = open_app(folder, clock)
    with open_record(Project(folder).database) as record, record.write():
        record.execute("UPDATE agent_executions SET cost_usd = 3 WHERE execution_id = 'exec-001'")
        record.execute("UPDATE agent_executions SET cost_usd = 9 WHERE execution_id = 'exec-002'")
    async with app.run_test(size=(120, 36)) as pilot:
        await settled(pilot)
        await pilot.press("escape", "s")
        await settled(pilot)
        assert list_keys(app) == ["exec-002", "exec-001", "exec-003"]
        assert "dearest first" in str(app.screen.query_one("#hits", Rows).border_subtitle)
        await pilot.press("s", "s")
        await settled(pilot)
        assert list_keys(app) == ["exec-001", "exec-003", "exec-002"]


async def test_the_best_or_the_newest_come_first_and_the_choice_is_kept(
    folder: Path, clock: FakeClock
) -> None:
    app = open_app(folder, clock)
    async with app.run_test(size=(120, 36)) as pilot:
        await pilot.press(*"walrus")
        await settled(pilot)
        hits = app.screen.query_one("#hits", Rows)
        assert "best first" in str(hits.border_subtitle)
        await pilot.press("escape", "s")
        await settled(pilot)
        assert "newest first" in str(hits.border_subtitle)
        await pilot.press("escape")
        assert "--order newest" in app.screen.command()  # type: ignore[attr-defined]
        await pilot.press("ctrl+q")
    again = open_app(folder, clock)
    async with again.run_test(size=(120, 36)) as pilot:
        await pilot.press("f4")
        await settled(pilot)
        assert "newest first" in str(again.screen.query_one("#hits", Rows).border_subtitle)


async def test_enter_takes_the_words_that_are_offered(folder: Path, clock: FakeClock) -> None:
    app = open_app(folder, clock)
    async with app.run_test(size=(120, 36)) as pilot:
        await pilot.press(*"walrsu")
        await settled(pilot)
        assert list_keys(app) == []
        assert "Did you mean: walrus" in shown_text(app)
        await pilot.press("enter")
        await settled(pilot)
        assert app.screen.query_one(QueryInput).value == "walrus"
        assert "exec-001" in list_keys(app)


async def test_enter_looks_further_where_a_search_stopped(
    folder: Path, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("orch_tui.search.query.search.__kwdefaults__", PATIENT_NO_MORE)
    monkeypatch.setattr("orch_tui.search.checking.SURELY_LOOKED", 0)
    monkeypatch.setattr("orch_tui.search.checking._FIRST_WINDOW", 1)
    app = open_app(folder, clock)
    async with app.run_test(size=(120, 36)) as pilot:
        await pilot.press(*"part:alru")
        await settled(pilot)
        box = app.screen.query_one("#search")
        assert list_keys(app) == [] and "Enter looks further" in str(box.border_subtitle)
        assert "Enter in the search looks further back" in shown_text(app)
        await pilot.press("enter")
        await settled(pilot)
        await pilot.press("enter")
        await settled(pilot)
        assert list_keys(app) == ["exec-001"]
        assert "1 run ·" in str(box.border_subtitle)
        await pilot.press("enter")  # all was looked at: it opens the run
        await settled(pilot)
        assert isinstance(app.screen, Run)


PATIENT_NO_MORE = (search.__kwdefaults__ or {}) | {"patience": 0}
