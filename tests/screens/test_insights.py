"""Insights: every part has its figures, its n and its words for nothing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest
from textual.containers import Vertical
from textual.pilot import Pilot
from textual.widgets import Input

from orch_tui.api import OrchestrationSession
from orch_tui.app import OrchApp
from orch_tui.drafts import Drafts
from orch_tui.errors import RecordError
from orch_tui.models.database import Record
from orch_tui.project import Project
from orch_tui.recall import insights
from orch_tui.screens.deploy.return_form import ReturnForm
from orch_tui.screens.dialogs import Pick
from orch_tui.screens.history.run_view import Run
from orch_tui.screens.insights.overview import PANES
from orch_tui.screens.insights.point_plot import BIG, HERE, PointPlot
from orch_tui.screens.insights.screen import (
    OVERVIEW,
    PARTS,
    STARTS,
    TITLES,
    EndableReading,
    InsightsScreen,
)
from orch_tui.screens.report_view import ReportView
from orch_tui.screens.widgets.lines import Lines
from orch_tui.screens.widgets.preview import Preview
from orch_tui.screens.widgets.row_list import Rows
from tests.conftest import FakeClock
from tests.recall.test_estimate_corrections import run as record_run
from tests.screens.looks import in_looks, in_sizes
from tests.screens.quiet import settled, wait_for_loop
from tests.variants import vary

Snap = Callable[..., bool]


@pytest.fixture
def folder(tmp_path: Path, clock: FakeClock) -> Path:
    root = tmp_path / "spotter"
    (root / ".claude").mkdir(parents=True)
    (root / "spec.md").write_text("# Walrus\n" * 20)
    project = Project(root, clock=clock)
    session = OrchestrationSession("Index the words", project=project)
    bundle = session.prepare_context("debugger", files=["spec.md"])
    for number in range(6):
        run = session.init_deployment(
            "debugger" if number % 2 else "implementor", context_bundle=bundle, model="sonnet"
        )
        if number < 5:
            run.record_completion(f"Run {number} is over.", success=number != 3)
            run.collect(validation_results={"tests": "fail" if number == 3 else "pass"})
    project.close()
    return root


def figures(app: OrchApp) -> Rows:
    return app.screen.query_one("#table", Rows)


def news(app: OrchApp) -> dict[str, tuple[str, ...]]:
    return {row.key: row.cells for row in app.screen.query_one("#news", Rows).rows}


async def test_every_part_can_be_looked_at(folder: Path, clock: FakeClock) -> None:
    app = OrchApp(Project(folder, clock=clock))
    async with app.run_test() as pilot:
        await pilot.press("f5")
        await settled(pilot)
        await pilot.press("escape")
        for part in PARTS:
            assert app.screen.query_one("#parts", Rows).key == part
            if part == OVERVIEW:
                assert app.screen.query_one("#agents", Rows).rows
                assert not app.screen.query_one("#shown").display
            else:
                nothing = (STARTS, "estimates", "corrections", "files")
                assert bool(figures(app).rows) == (part not in nothing), part
            await pilot.press("down")
            await settled(pilot)


async def test_enter_goes_into_the_figures_and_escape_back(folder: Path, clock: FakeClock) -> None:
    app = OrchApp(Project(folder, clock=clock))
    async with app.run_test() as pilot:
        await pilot.press("f5")
        await settled(pilot)
        assert app.screen.focused is app.screen.query_one("#news")
        await pilot.press("escape")
        assert app.screen.focused is app.screen.query_one("#parts")
        await pilot.press("down")
        await settled(pilot)
        await pilot.press("enter")
        assert app.screen.focused is figures(app)
        await pilot.press("escape")
        assert app.screen.focused is app.screen.query_one("#parts")


async def test_what_did_not_change_is_not_read_again(
    folder: Path, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []
    gather = insights.gather_part

    def note(record: Record, part: str, **chosen: Any) -> list[dict[str, Any]]:
        read.append(part)
        return gather(record, part, **chosen)

    monkeypatch.setattr(insights, "gather_part", note)
    app = OrchApp(Project(folder, clock=clock))
    async with app.run_test() as pilot:
        for key in ("f5", "escape", "down"):
            await pilot.press(key)
            await settled(pilot)
        assert read == ["by_agent_type"]
        for key in ("down", "up", "f4", "f5"):
            await pilot.press(key)
            await settled(pilot)
        assert read == ["by_agent_type", "by_model"]
        assert figures(app).rows
        OrchestrationSession("Another", project=app.project)
        app.on_record_changed()
        await settled(pilot)
        assert read == ["by_agent_type", "by_model", "by_agent_type"]


async def test_a_figure_leads_to_its_runs(folder: Path, clock: FakeClock) -> None:
    app = OrchApp(Project(folder, clock=clock))
    async with app.run_test() as pilot:
        for part, query in (
            ("by_agent_type", 'agent:"debugger" '),
            ("by_model", 'model:"sonnet" '),
            ("by_context_source", 'file:"spec.md" '),
            ("over_time", "since:2026-11-22 until:2026-11-22 "),
            ("validations", 'agent:"debugger" has:validation '),
            ("costs", 'agent:"debugger" model:"sonnet" '),
        ):
            await pilot.press("f5")
            await settled(pilot)
            app.screen.query_one("#parts", Rows).move_to_key(part)
            await settled(pilot)
            figures(app).focus()
            await pilot.press("enter")
            await settled(pilot)
            assert app.current_mode == "history"
            assert app.screen.query_one("#query", Input).value == query
            assert app.screen.query_one("#hits", Rows).rows, part


@pytest.mark.parametrize(
    ("part", "words", "n"), [("by_bundle", "Runs of bundle-001", 6), ("by_attempt", "Attempt 1", 2)]
)
async def test_bundles_and_attempts_lead_to_their_runs(
    folder: Path, clock: FakeClock, part: str, words: str, n: int
) -> None:
    app = OrchApp(Project(folder, clock=clock))
    async with app.run_test(size=(120, 36)) as pilot:
        await pilot.press("f5")
        await settled(pilot)
        app.screen.query_one("#parts", Rows).move_to_key(part)
        await settled(pilot)
        figures(app).focus()
        await pilot.press("enter")
        await settled(pilot)
        assert isinstance(app.screen, Pick)
        box = app.screen.query_one(Vertical)
        assert str(box.border_title).startswith(words)
        labels = [row.key for row in app.screen.query_one(Rows).rows]
        assert len(labels) == n and labels == sorted(labels, reverse=True)
        await pilot.press("enter")
        await settled(pilot)
        assert isinstance(app.screen, Run)
        shown = app.screen.query_one(Preview).shown
        assert shown is not None and shown.execution.execution_id == labels[0]


async def test_figures_of_one_session_lead_to_its_runs_alone(
    folder: Path, clock: FakeClock
) -> None:
    project = Project(folder, clock=clock)
    other = OrchestrationSession("Write the manual", project=project)
    other.init_deployment("debugger", briefing="Find it.")
    project.close()
    app = OrchApp(Project(folder, clock=clock))
    async with app.run_test(size=(120, 36)) as pilot:
        await pilot.press("f5", "s")
        await settled(pilot)
        app.screen.query_one("#parts", Rows).move_to_key("by_agent_type")
        await settled(pilot)
        assert app.screen.query_one("#part").border_subtitle == "n 0, and 1 unknown"
        figures(app).focus()
        await pilot.press("enter")
        await settled(pilot)
        assert [row.key for row in app.screen.query_one("#hits", Rows).rows] == ["exec-007"]


async def test_no_title_of_a_part_is_cut(folder: Path, clock: FakeClock) -> None:
    app = OrchApp(Project(folder, clock=clock))
    async with app.run_test(size=(60, 16)) as pilot:
        await pilot.press("f5")
        await settled(pilot)
        await pilot.press("escape")
        await settled(pilot)
        listed = app.screen.query_one("#parts", Rows)
        for part, title in PARTS.items():
            assert len(title) + 2 <= 23 - 2 - 2, part  # where it stands beside the figures
            assert len(TITLES.get(part, title)) + 4 <= 60 - 2, part
        assert listed.size.width >= 23 - 2


@pytest.mark.parametrize("width", vary([60, 72, 80]))
async def test_what_a_part_is_stands_whole_above_it(
    folder: Path, clock: FakeClock, width: int
) -> None:
    app = OrchApp(Project(folder, clock=clock))
    async with app.run_test(size=(width, 36)) as pilot:
        await pilot.press("f5")
        await settled(pilot)
        await pilot.press("escape")
        pane = app.screen.query_one("#part")
        for part in PARTS:
            await settled(pilot)
            if part != OVERVIEW:
                assert len(str(pane.border_title)) + 6 <= pane.outer_size.width, part
            await pilot.press("down")


async def test_the_overview_tells_what_is_new_since_one_left(
    folder: Path, clock: FakeClock
) -> None:
    app = OrchApp(Project(folder, clock=clock))
    async with app.run_test() as pilot:
        await pilot.press("f5")
        await settled(pilot)
        assert news(app)["waiting"][1:3] == ("1 waiting", "debugger")
        assert news(app)["failed"][1:3] == ("1 failed", "debugger")
        assert news(app)["returned"][1] == "4 came back"
        await pilot.press("ctrl+q")
    clock.now += timedelta(hours=20)
    Drafts.beside(Project(folder).database).save("final-message exec-006", "It is over.")
    app = OrchApp(Project(folder, clock=clock))
    async with app.run_test() as pilot:
        await pilot.press("f5")
        await settled(pilot)
        assert {*news(app)} == {"waiting", "drafted"}
        assert "Since you were here" in str(app.screen.query_one("#news").border_title)
        await pilot.press("d")
        await settled(pilot)
        assert app.current_mode == "deploy"
        assert app.screen.query_one(ReturnForm).execution_id == "exec-006"


def seen(app: OrchApp) -> list[str]:
    """The panes of the overview that are on the screen, from the top."""
    panes = [app.screen.query_one(f"#{name}") for name in ("news", *PANES)]
    shown = [pane for pane in panes if all(node.display for node in pane.ancestors_with_self)]
    return [f"{pane.id}" for pane in sorted(shown, key=lambda pane: pane.region.y)]


@pytest.mark.parametrize("size", vary([(60, 16), (71, 30), (120, 19)]))
async def test_where_there_is_little_room_f6_brings_one_pane_after_the_other(
    folder: Path, clock: FakeClock, size: tuple[int, int]
) -> None:
    app = OrchApp(Project(folder, clock=clock))
    async with app.run_test(size=size) as pilot:
        await pilot.press("f5")
        await settled(pilot)
        assert seen(app) == ["news", "agents"]
        assert "F6 sessions" in str(app.screen.query_one("#agents").border_subtitle)
        for name in ("agents", "steps", "runs-a-day", "news", "agents"):
            await pilot.press("f6")
            await settled(pilot)
            assert app.screen.focused is not None
            assert app.screen.focused.id == name
            below = "agents" if name == "news" else name
            assert seen(app) == ["news", below]
        last = app.screen.query_one("#runs-a-day")
        assert "F6 what is new" in str(last.border_subtitle)
        await pilot.resize_terminal(120, 36)
        await settled(pilot)
        assert seen(app) == ["news", "runs-a-day", "agents", "steps"]


async def test_below_a_hundred_columns_all_stand_in_the_order_of_their_weight(
    folder: Path, clock: FakeClock
) -> None:
    app = OrchApp(Project(folder, clock=clock))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("f5")
        await settled(pilot)
        assert seen(app) == ["news", "agents", "steps", "runs-a-day"]
        for name in ("agents", "steps", "runs-a-day"):
            await pilot.press("f6")
            await settled(pilot)
            pane = app.screen.query_one(f"#{name}")
            assert pane.has_focus
            assert app.screen.query_one("#overview").region.contains_region(pane.region)


@pytest.mark.parametrize("width", vary([80, 100, 99, 101, 120]))
async def test_success_has_a_bar_at_every_width(folder: Path, clock: FakeClock, width: int) -> None:
    app = OrchApp(Project(folder, clock=clock))
    async with app.run_test(size=(width, 30)) as pilot:
        await pilot.press("f5")
        await settled(pilot)
        agents = app.screen.query_one("#agents", Rows)
        line = "".join(s.text for s in agents.render_line(1))
        assert line.count("━") + line.count("╍") + line.count("╸") + line.count("╺") >= 5, line


async def test_rows_and_points_take_turns_where_there_is_little_room(
    measured: Path, clock: FakeClock
) -> None:
    app = OrchApp(Project(measured, clock=clock))
    async with app.run_test(size=(60, 16)) as pilot:
        await pilot.press("f5")
        await settled(pilot)
        app.screen.query_one("#parts", Rows).move_to_key(STARTS)
        figures(app).focus()
        await settled(pilot)
        plot = app.screen.query_one(PointPlot)
        assert (plot.display, figures(app).region.height > 5) == (False, True)
        assert app.screen.query_one("#part").border_subtitle == "F6 as points"
        await pilot.press("f6")
        await settled(pilot)
        assert plot.has_focus
        assert not app.screen.query_one("#part").display
        await pilot.press("f6")
        await settled(pilot)
        assert figures(app).has_focus


async def test_letters_and_days_go_to_their_runs(folder: Path, clock: FakeClock) -> None:
    app = OrchApp(Project(folder, clock=clock))
    async with app.run_test() as pilot:
        await pilot.press("f5")
        await settled(pilot)
        assert "a" not in app.screen.active_bindings
        await pilot.press("f")
        await settled(pilot)
        assert app.screen.query_one("#query", Input).value == "status:failed "
        for key in ("f5", "f6", "f6", "f6", "enter"):  # each pane is gone to once it has its rows
            await pilot.press(key)
            await settled(pilot)
        query = app.screen.query_one("#query", Input).value
        assert query == "since:2026-11-22 until:2026-11-22 "
        assert len(app.screen.query_one("#hits", Rows).rows) == 6


async def test_what_runs_cost_stands_before_kinds_of_tokens(folder: Path, clock: FakeClock) -> None:
    app = OrchApp(Project(folder, clock=clock))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("f5")
        await settled(pilot)
        app.screen.query_one("#parts", Rows).move_to_key("costs")
        await settled(pilot)
        figures(app).focus()
        await settled(pilot)
        titles = "".join(segment.text for segment in figures(app).render_line(0)).split()
        assert titles[:5] == ["agent", "type", "model", "cost", "$"]


@pytest.fixture
def measured(folder: Path) -> Path:
    """The folder with runs that told how they began: one of them far from the others."""
    project = Project(folder)
    record = project.existing_record
    for number in range(1, 13):
        tokens = 4_000 * number
        real = tokens + (40_000 if number == 5 else 12_000 + 100 * (number % 3))
        record_run(record, "orch-2026-11-22-001", tokens, real, "claude-v4.8~1")
    project.close()
    return folder


def opened_run(app: OrchApp) -> str:
    shown = app.screen.query_one(Preview).shown
    assert shown is not None
    return shown.execution.execution_id


def drawn(plot: PointPlot) -> list[str]:
    return ["".join(s.text for s in plot.render_line(y)) for y in range(plot.size.height)]


@pytest.mark.parametrize("size", vary([(120, 36), (80, 24)]))
async def test_what_is_far_from_its_estimate_is_big_and_leads_to_its_run(
    measured: Path, clock: FakeClock, size: tuple[int, int]
) -> None:
    app = OrchApp(Project(measured, clock=clock))
    async with app.run_test(size=size) as pilot:
        await pilot.press("f5")
        await settled(pilot)
        app.screen.query_one("#parts", Rows).move_to_key(STARTS)
        await settled(pilot)
        plot = app.screen.query_one(PointPlot)
        assert "12 of 18 runs" in str(plot.border_title)
        text = "\n".join(drawn(plot))
        assert (text.count(HERE), text.count(BIG)) == (1, 0)  # the only one is the chosen row's
        figures(app).focus()
        await pilot.press("down")
        await settled(pilot)
        assert "\n".join(drawn(plot)).count(BIG) == 1
        assert figures(app).rows[0].cells[2] == "60.0k"
        await pilot.press("up", "enter")
        await settled(pilot)
        assert isinstance(app.screen, Run)
        assert opened_run(app) == "exec-011"
        await pilot.press("escape")
        await settled(pilot)
        assert app.screen.focused is figures(app)


async def test_points_can_be_walked_by_key(measured: Path, clock: FakeClock) -> None:
    app = OrchApp(Project(measured, clock=clock))
    async with app.run_test(size=(120, 36)) as pilot:
        await pilot.press("f5")
        await settled(pilot)
        app.screen.query_one("#parts", Rows).move_to_key(STARTS)
        await settled(pilot)
        app.screen.query_one(PointPlot).focus()
        rows = {row.key: row.cells[3] for row in figures(app).rows}
        assert rows[figures(app).key] == "20.0k"
        await pilot.press("right")
        await settled(pilot)
        assert rows[figures(app).key] == "24.0k"
        await pilot.press("left", "left", "enter")
        await settled(pilot)
        assert opened_run(app) == "exec-010"


@pytest.mark.parametrize("key", vary(["f1", "f5"]))
async def test_the_report_of_the_session_opens_with_what_is_missing_on_top(
    folder: Path, clock: FakeClock, key: str
) -> None:
    app = OrchApp(Project(folder, clock=clock))
    async with app.run_test(size=(100, 30)) as pilot:
        await pilot.press(key)
        await settled(pilot)
        await pilot.press("R")
        await settled(pilot)
        assert isinstance(app.screen, ReportView)
        text = app.screen.query_one(Lines).text
        assert text.startswith("## Missing: ")
        assert "\n- tests: fail\n" in text
        assert "Index the words" in text
        await pilot.press("escape")
        await settled(pilot)
        assert app.current_mode == ("plan" if key == "f1" else "insights")


ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i FROM n) SELECT count(*) FROM n"


def test_reading_that_nobody_waits_for_is_broken_off(folder: Path) -> None:
    record, reading = Project(folder).existing_record, EndableReading()
    refused: list[RecordError] = []

    def read_for_ever() -> None:
        with reading.statements(record) as endless:
            for _ in range(3):  # ended before, between or in the midst of them
                with pytest.raises(RecordError) as error:
                    endless.sql(ENDLESS)
                refused.append(error.value)

    thread = Thread(target=read_for_ever)
    thread.start()
    reading.end()
    thread.join()
    assert len(refused) == 3


@pytest.mark.parametrize("group", vary(["insights", "steps"]))
async def test_one_can_leave_while_it_reads(folder: Path, clock: FakeClock, group: str) -> None:
    app = OrchApp(Project(folder, clock=clock))
    begun, ended = Event(), Event()
    async with app.run_test() as pilot:
        await pilot.press("f5")
        await settled(pilot)
        screen = app.screen
        assert isinstance(screen, InsightsScreen)
        reading, project = screen._reading, app.project

        def read_for_ever() -> None:
            with reading.statements(project.existing_record) as record:
                begun.set()
                try:
                    record.sql(ENDLESS)
                finally:
                    ended.set()

        screen.run_in_thread(read_for_ever, lambda _: None, group=group)
        while not begun.is_set():
            await wait_for_loop()
        await pilot.press("ctrl+q")
    ended.wait()
    assert app.return_code == 0


async def test_the_command_gives_the_same(folder: Path, clock: FakeClock) -> None:
    app = OrchApp(Project(folder, clock=clock))
    async with app.run_test() as pilot:
        await pilot.press("f5")
        await settled(pilot)
        await pilot.press("ctrl+y")
        await settled(pilot)
        assert app.clipboard == "orch stats"
        await pilot.press("escape", "down", "s")
        await settled(pilot)
        await pilot.press("ctrl+y")
        await settled(pilot)
        assert app.clipboard == "orch stats --by agent_type --session-id orch-2026-11-22-001"


@in_sizes((120, 36), (80, 24), (60, 16))
def test_how_the_overview_looks(
    folder: Path, clock: FakeClock, snap_compare: Snap, size: tuple[int, int]
) -> None:
    later = clock.now + timedelta(hours=3)
    app = OrchApp(Project(folder, clock=lambda: later))

    async def look(pilot: Pilot[None]) -> None:
        await app.run_action("switch_mode('insights')")
        await settled(pilot)

    assert snap_compare(app, terminal_size=size, run_before=look)


@in_looks((80, 24), (140, 45))
def test_how_it_looks(
    folder: Path, clock: FakeClock, snap_compare: Snap, theme: str, size: tuple[int, int]
) -> None:
    app = OrchApp(Project(folder, clock=clock))
    app.theme = theme

    async def look(pilot: Pilot[None]) -> None:
        await app.run_action("switch_mode('insights')")
        await settled(pilot)
        app.screen.query_one("#parts", Rows).move_to_key("by_agent_type")
        await settled(pilot)

    assert snap_compare(app, terminal_size=size, run_before=look)


@in_looks((60, 16), (80, 24), (120, 36))
def test_how_estimates_look(
    measured: Path, clock: FakeClock, snap_compare: Snap, theme: str, size: tuple[int, int]
) -> None:
    app = OrchApp(Project(measured, clock=clock))
    app.theme = theme

    async def look(pilot: Pilot[None]) -> None:
        await app.run_action("switch_mode('insights')")
        await settled(pilot)
        app.screen.query_one("#parts", Rows).move_to_key(STARTS)
        await settled(pilot)

    assert snap_compare(app, terminal_size=size, run_before=look)


def test_how_days_look(tmp_path: Path, clock: FakeClock, snap_compare: Snap) -> None:
    root = tmp_path / "spotter"
    (root / ".claude").mkdir(parents=True)
    project = Project(root, clock=clock)
    session = OrchestrationSession("Index the words", project=project)
    for day in range(12):
        for number in range(day % 5 + 1):
            run = session.init_deployment("debugger", f"Run {day} {number}")
            run.record_completion("Over.", status="failed" if (day * number) % 3 else "completed")
        clock.now += timedelta(days=1)
    project.close()
    app = OrchApp(Project(root, clock=clock))

    async def look(pilot: Pilot[None]) -> None:
        await app.run_action("switch_mode('insights')")
        await settled(pilot)
        app.screen.query_one("#parts", Rows).move_to_key("over_time")
        await settled(pilot)

    assert snap_compare(app, terminal_size=(100, 30), run_before=look)


def test_how_nothing_looks(tmp_path: Path, clock: FakeClock, snap_compare: Snap) -> None:
    empty = tmp_path / "spotter"
    (empty / ".git").mkdir(parents=True)
    app = OrchApp(Project(empty, clock=clock))

    async def look(pilot: Pilot[None]) -> None:
        await app.run_action("switch_mode('insights')")
        await settled(pilot)

    assert snap_compare(app, terminal_size=(80, 24), run_before=look)


@pytest.mark.parametrize("size", vary([(80, 24), (120, 36)]))
async def test_tokens_per_agent_are_shown_before_and_after_sharing(
    folder: Path, size: tuple[int, int]
) -> None:
    async with OrchApp(Project(folder)).run_test(size=size) as pilot:
        await settled(pilot)
        await pilot.press("f5")
        await settled(pilot)
        pilot.app.screen.query_one("#parts", Rows).move_to_key("sharing")
        await settled(pilot)
        table = pilot.app.screen.query_one("#table", Rows)
        drawn = [table.render_line(y).text for y in range(6)]
        assert "for each agent" in drawn[0] and " after " in drawn[0]
        assert "Nothing was moved into a shared document yet." in drawn[1]
        assert "By session" in drawn[4] and "Index the words" in drawn[5]
