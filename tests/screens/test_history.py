"""History as a person uses it: keys in, screen out, over a real record."""

from __future__ import annotations

import json
import shlex
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

import pytest
from textual.containers import Vertical
from textual.message import Message
from textual.pilot import Pilot
from textual.widgets import Input, Static

from orch_tui.api import OrchestrationSession
from orch_tui.app import OrchApp
from orch_tui.cli import main
from orch_tui.project import Project
from orch_tui.record import bundles
from orch_tui.record.executions import get_execution
from orch_tui.record.opening import open_record
from orch_tui.record.sessions import complete_session
from orch_tui.screens.app_messages import Reindexed
from orch_tui.screens.command_list import list_commands
from orch_tui.screens.dialogs import Confirm
from orch_tui.screens.header import Header
from orch_tui.screens.history.compare_view import SideBySide
from orch_tui.screens.history.drift_view import Drifted
from orch_tui.screens.history.filter_chips import FilterChips
from orch_tui.screens.history.run_view import Run
from orch_tui.screens.history.screen import HistoryScreen
from orch_tui.screens.orch_screen import Problem
from orch_tui.screens.small_list import SmallList
from orch_tui.screens.widgets.lines import Lines
from orch_tui.screens.widgets.preview import Preview
from orch_tui.screens.widgets.row_list import Rows
from orch_tui.screens.widgets.search_box import QueryInput
from orch_tui.search.maintenance import check, is_of_another_version
from orch_tui.search.query import search
from tests.conftest import FakeClock
from tests.record import hook_events
from tests.screens.looks import in_looks
from tests.screens.quiet import settled
from tests.search.older_index import make_version_1
from tests.variants import vary

HOSTILE = "[bold]not markup[/] \x1b[31mred\x1b[0m \u202ereversed\u202c\x07 [unclosed"


@pytest.fixture
def folder(tmp_path: Path, clock: FakeClock) -> Path:
    """A project with three runs, the last one still waiting."""
    root = tmp_path / "spotter"
    (root / ".claude").mkdir(parents=True)
    (root / "spec.md").write_text("# Walrus\nThe walrus indexes words.\n" * 20)
    project = Project(root, clock=clock)
    session = OrchestrationSession("Index the words", project=project)
    bundle = session.prepare_context("debugger", scope="Find the slow query", files=["spec.md"])
    first = session.init_deployment(context_bundle=bundle, model="sonnet")
    first.record_completion("# Found it\n\nThe **walrus** was slow.", collect=True)
    second = session.init_deployment("implementor", "Mend the index", model="opus")
    second.record_completion(HOSTILE, status="failed", error_code="ORG-003")
    session.init_deployment("Explore", "Look for more")
    project.close()
    return root


def opened(folder: Path, clock: FakeClock) -> OrchApp:
    return OrchApp(Project(folder, clock=clock))


def keys(app: OrchApp) -> list[str]:
    return [row.key for row in app.screen.query_one("#hits", Rows).rows]


def lines_of(app: OrchApp) -> list[str]:
    """The difference that is shown, line by line."""
    lines = app.screen.query_one("#difference", Lines)
    return [lines.render_line(y).text.strip() for y in range(lines.virtual_size.height)]


async def test_it_opens_ready_to_type_with_everything_newest_first(
    folder: Path, clock: FakeClock
) -> None:
    app = opened(folder, clock)
    async with app.run_test() as pilot:
        await settled(pilot)
        assert keys(app) == ["exec-003", "exec-002", "exec-001"]
        assert isinstance(app.focused, QueryInput)
        await pilot.press(*"walr")
        await settled(pilot)
        assert keys(app) == ["exec-001"]


async def test_an_older_index_answers_and_is_made_anew_meanwhile(
    folder: Path, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("orch_tui.screens.record_watch.INDEXED_AT_ONCE", 1)
    told = []

    def listen(message: Message) -> None:
        if isinstance(message, Reindexed):
            told.append(message.remaining)

    with open_record(Project(folder).database) as record:
        make_version_1(record)
        app = opened(folder, clock)
        with ExitStack() as writing:
            writing.enter_context(record.write())  # while another writes, it waits, and answers
            async with app.run_test(message_hook=listen) as pilot:
                await settled(pilot)
                assert keys(app) == ["exec-003", "exec-002", "exec-001"]
                await pilot.press(*"walr")
                await settled(pilot)
                assert keys(app) == ["exec-001"]
                assert told == []
                writing.close()
                while 0 not in told:
                    await pilot.pause(0.02)
                await pilot.press("u")
                await settled(pilot)
                assert keys(app) == ["exec-001"]
        assert check(record) == []
        assert not is_of_another_version(record)
    assert told == [2, 1, 0]


@pytest.mark.parametrize(("width", "name"), [(140, "search index"), (80, " index")])
async def test_the_header_has_a_bar_while_the_search_is_indexed_anew(
    folder: Path, clock: FakeClock, width: int, name: str
) -> None:
    app = opened(folder, clock)
    async with app.run_test(size=(width, 30)) as pilot:
        await settled(pilot)
        header = app.screen.query_one(Header)

        def line() -> str:
            return header.render_line(0).text.rstrip()

        before = line()
        for remaining, bar in ((4, "────────── 0 %"), (1, "━━━━━━━─── 75 %")):
            app.on_reindexed(Reindexed(remaining))
            assert line().endswith(f"{name} {bar}")
        app.on_reindexed(Reindexed(0))
        assert line() == before


async def test_typing_brings_the_best_under_the_cursor(folder: Path, clock: FakeClock) -> None:
    app = opened(folder, clock)
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
    app = opened(folder, clock)
    async with app.run_test() as pilot:
        await pilot.press(*"status:perhaps")
        await settled(pilot)
        assert "perhaps" in str(app.screen.query_one("#mistakes", Static).content)
        assert len(keys(app)) == 3


async def test_filters_are_chips_that_keys_and_clicks_take_off(
    folder: Path, clock: FakeClock
) -> None:
    app = opened(folder, clock)
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
        assert box.value == "walrus" and not chips.display and keys(app) == ["exec-001"]


async def test_chips_without_room_are_counted_and_hostile_ones_are_shown(
    folder: Path, clock: FakeClock
) -> None:
    app = opened(folder, clock)
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
    app = opened(folder, clock)
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


async def test_enter_opens_a_run_and_escape_comes_back(folder: Path, clock: FakeClock) -> None:
    app = opened(folder, clock)
    async with app.run_test() as pilot:
        await settled(pilot)
        await pilot.press("enter")
        await settled(pilot)
        assert isinstance(app.screen, Run)
        await pilot.press("escape")
        assert not isinstance(app.screen, Run)


async def test_two_runs_are_marked_and_compared(folder: Path, clock: FakeClock) -> None:
    app = opened(folder, clock)
    async with app.run_test() as pilot:
        await settled(pilot)
        await pilot.press("down", "f7")
        await settled(pilot)
        await pilot.press("down", "f7")
        await settled(pilot)
        assert isinstance(app.screen, SideBySide)
        await pilot.press("f6", "f6")
        await settled(pilot)
        drawn = lines_of(app)
        assert "+ # Found it" in drawn
        assert drawn[0].startswith("− [bold]not markup[/] ␛[31mred")


async def test_marked_runs_are_written_to_a_file_and_none_is_replaced(
    folder: Path, clock: FakeClock
) -> None:
    app = opened(folder, clock)
    async with app.run_test(size=(120, 36)) as pilot:
        await settled(pilot)
        await pilot.press("escape", "space", "space", "u", "home", "space", "down", "space")
        await settled(pilot)
        hits = app.screen.query_one("#hits", Rows)
        assert [row.cells[0] for row in hits.rows] == ["■", "", "■"]
        assert "2 marked: F7 compare" in str(hits.border_subtitle)
        await pilot.press("f12", "enter")
        await settled(pilot)
        written = folder / "2-runs.jsonl"
        lines = [json.loads(line) for line in written.read_text().splitlines()]
        assert [line["facts"]["execution_id"] for line in lines] == ["exec-003", "exec-001"]
        written.write_text("mine")
        await pilot.press("f12", "enter")
        await settled(pilot)
        assert "is there already" in app.screen.query_one(Problem).text
    assert written.read_text() == "mine"


async def test_what_messages_of_earlier_runs_tell_of_is_kept_as_found(
    folder: Path, clock: FakeClock
) -> None:
    with ExitStack() as stack:
        project = Project(folder, clock=clock)
        stack.callback(project.close)
        session = OrchestrationSession("Before", project=project)
        run = session.init_deployment("scribe", "Write it down")
        run.record_completion("I wrote `spec.md`.\n\n- tests: pass")
    app = opened(folder, clock)
    async with app.run_test(size=(120, 36)) as pilot:
        await settled(pilot)
        await pilot.press("escape", "o")
        await settled(pilot)
        told = [note.message for note in app._notifications]
        assert told == ["its message: 2 outputs kept as found, which nobody has verified"]
        await pilot.press("down", "o")  # one that is still waiting
        await settled(pilot)
        assert [note.message for note in app._notifications][1:] == [
            "its message: no output is told of"
        ]
    with open_record(Project(folder).database) as record:
        found = "SELECT output_type, path FROM outputs WHERE execution_id = 'exec-004' AND found"
        assert sorted(record.sql(found), key=str) == [
            ("deliverable", "spec.md"),
            ("validation_result", None),
        ]


async def test_sessions_of_marked_runs_are_archived_and_come_back(
    folder: Path, clock: FakeClock
) -> None:
    app = opened(folder, clock)
    async with app.run_test(size=(120, 36)) as pilot:
        await settled(pilot)
        await pilot.press("escape", "space", "space", "A")
        await settled(pilot)
        said = " ".join(str(each.content) for each in app.screen.query(Static))
        assert app.screen.query_one(Vertical).border_title == "Archive orch-2026-11-22-001?"
        assert "3 runs will be out of lists and search, 1 of them not marked." in said
        await pilot.press("n")
        await settled(pilot)
        assert len(keys(app)) == 3
        await pilot.press("A", "a")
        await settled(pilot)
        await pilot.press("y")
        await settled(pilot)
        assert keys(app) == []
        await pilot.press("ctrl+z")
        await settled(pilot)
        assert len(keys(app)) == 3
        assert "marked" not in str(app.screen.query_one("#hits").border_subtitle)


async def test_marked_runs_are_retracted_for_a_reason(folder: Path, clock: FakeClock) -> None:
    app = opened(folder, clock)
    async with app.run_test(size=(120, 36)) as pilot:
        await settled(pilot)
        await pilot.press("escape", "space", "space", "R", "enter")
        await settled(pilot)
        assert len(keys(app)) == 3
        await pilot.press("R", *"twice", "enter")
        await settled(pilot)
        assert keys(app) == ["exec-001"]
        record = app.project.record
        complete_session(record, get_execution(record, "exec-001").session_id, "failed")
        await pilot.press("R")
        await settled(pilot)
        besides = app.screen.query_one("#besides", Static)
        assert besides.display and "The session is closed, as failed" in str(besides.content)
    with open_record(Project(folder).database) as record:
        reasons = record.rows("SELECT payload FROM observations WHERE kind = 'retracted'")
        assert len(reasons) == 2 and all("twice" in str(row["payload"]) for row in reasons)


async def test_texts_of_marked_runs_are_forgotten_for_good(folder: Path, clock: FakeClock) -> None:
    app = opened(folder, clock)
    async with app.run_test(size=(120, 36)) as pilot:
        await settled(pilot)
        await pilot.press("escape", "space", "space", "space", "F")
        await settled(pilot)
        assert isinstance(app.screen, Confirm)
        await pilot.press("escape")
        assert (
            app.project.record.value("SELECT count(*) FROM contents WHERE encoding = 'gone'") == 0
        )
        await pilot.press("F")
        await settled(pilot)
        await pilot.press("enter")
        await settled(pilot)
        said = app.project.record.sql(
            "SELECT DISTINCT final_message FROM agent_executions WHERE status = 'completed'"
        )
        assert said == [("[forgotten]",)]
        await pilot.press("F")
        await settled(pilot)
        assert not isinstance(app.screen, Confirm)


async def test_nested_runs_stand_beneath_the_one_that_launched_them(
    folder: Path, clock: FakeClock
) -> None:
    app = opened(folder, clock)
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
        assert keys(app) == ["exec-001", "exec-002", "exec-003"]
        names = [row.cells[3] for row in hits.rows]
        assert names == ["debugger", "└ implementor", "  └ Explore"]
        assert hits.key == "exec-003"
        app.screen.query_one(QueryInput).value = "agent:implementor"
        await settled(pilot)
        assert [row.cells[3] for row in hits.rows] == ["↳ implementor"]
        app.screen.query_one(QueryInput).value = ""
        await pilot.press("t")
        await settled(pilot)
        assert keys(app) == ["exec-003", "exec-002", "exec-001"]


async def test_a_replay_is_deployed_again(folder: Path, clock: FakeClock) -> None:
    app = opened(folder, clock)
    async with app.run_test() as pilot:
        await pilot.press(*"walr")
        await settled(pilot)
        await pilot.press("f8")
        await pilot.pause()
        await pilot.press("down", "enter")
        await settled(pilot)
        assert app.project.record.value("SELECT count(*) FROM agent_executions") == 4
        assert "Find the slow query" in app.clipboard


async def test_what_changed_since_is_shown_and_taken(folder: Path, clock: FakeClock) -> None:
    app = opened(folder, clock)
    spec = folder / "spec.md"
    spec.write_text(spec.read_text() + "A line more.\n")
    async with app.run_test() as pilot:
        await pilot.press(*"walr")
        await settled(pilot)
        await pilot.press("f8", "down", "down", "enter")
        await settled(pilot)
        assert isinstance(app.screen, Drifted)
        assert app.screen.query_one("#pairs", Rows).rows[0].cells == (
            *("≠", "spec.md", "319", "324", "changed"),
        )
        assert "+ A line more." in lines_of(app)
        await pilot.press("escape", "f8", "up", "enter")
        await settled(pilot)
    project = Project(folder, clock=clock)
    made = bundles.load_bundle(project.existing_record, "bundle-001").bundle
    assert made.version == 2 and made.items[0].text.endswith("A line more.\n")
    project.close()


async def test_what_another_process_records_appears_and_the_place_is_kept(
    folder: Path, clock: FakeClock
) -> None:
    app = opened(folder, clock)
    async with app.run_test() as pilot:
        await settled(pilot)
        await pilot.press("down")
        await settled(pilot)
        with OrchestrationSession.open("orch-2026-11-22-001", project=folder) as other:
            other.init_deployment("Explore", "From elsewhere")
        while len(keys(app)) < 4:
            await pilot.pause(0.02)
        assert app.screen.query_one("#hits", Rows).key == "exec-002"


async def test_a_record_that_is_replaced_or_removed_is_noticed(
    folder: Path, clock: FakeClock, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    (other / ".git").mkdir(parents=True)
    with OrchestrationSession("Elsewhere", project=other) as session:
        session.init_deployment("Explore", "A walrus of another record")
    app = opened(folder, clock)
    async with app.run_test() as pilot:
        await settled(pilot)
        database = app.project.database
        (other / ".claude/orchestration/execution.db").replace(database)
        for stale in ("-wal", "-shm"):
            database.with_name(database.name + stale).unlink(missing_ok=True)
        while keys(app) != ["exec-001"]:
            await pilot.pause(0.02)
        database.unlink()
        while keys(app):
            await pilot.pause(0.02)
        with OrchestrationSession("Begun again", project=folder) as session:
            session.init_deployment("Explore", "Into a record of its own")
        while len(keys(app)) != 1:
            await pilot.pause(0.02)


async def test_without_a_record_it_says_what_to_do_and_makes_none(
    tmp_path: Path, clock: FakeClock
) -> None:
    (tmp_path / ".git").mkdir()
    app = opened(tmp_path, clock)
    async with app.run_test() as pilot:
        await settled(pilot)
        assert keys(app) == []
        await pilot.press(*"x", "f7", "f8", "f9", "enter")
        await settled(pilot)
    assert not (tmp_path / ".claude").exists()


async def test_the_place_comes_back_when_reopened(folder: Path, clock: FakeClock) -> None:
    app = opened(folder, clock)
    async with app.run_test() as pilot:
        await pilot.press(*"agent:expl")
        await settled(pilot)
        await pilot.press("f6", "ctrl+q")
    again = opened(folder, clock)
    async with again.run_test() as pilot:
        await settled(pilot)
        assert again.screen.query_one(QueryInput).value == "agent:expl"
        assert keys(again) == ["exec-003"]
        assert again.screen.query_one(Preview).tab == "given"


async def test_the_command_that_does_the_same(folder: Path, clock: FakeClock) -> None:
    app = opened(folder, clock)
    async with app.run_test() as pilot:
        await settled(pilot)
        await pilot.press(*"walr", "ctrl+y")
        await settled(pilot)
        assert app.clipboard == "orch history walr"
        await pilot.press("escape", "ctrl+y")
        await settled(pilot)
        assert app.clipboard == "orch show exec-001 --part said"


async def test_a_thousand_runs_are_read_as_the_cursor_comes_near_their_end(
    tmp_path: Path, clock: FakeClock
) -> None:
    (tmp_path / ".git").mkdir()
    with OrchestrationSession("many", project=tmp_path, clock=clock) as session:
        record = session.project.record
        with record.write():
            for number in range(500):
                session.init_deployment("worker", f"part {number}")
    app = opened(tmp_path, clock)
    async with app.run_test() as pilot:
        await settled(pilot)
        assert len(keys(app)) == 200
        await pilot.press("escape", "end")
        await settled(pilot)
        await pilot.press("end")
        await settled(pilot)
        assert len(set(keys(app))) == len(keys(app)) == 500
    assert search(Project(tmp_path).existing_record, "").total >= 400


async def test_the_palette_holds_what_the_keys_do(folder: Path, clock: FakeClock) -> None:
    app = opened(folder, clock)
    async with app.run_test() as pilot:
        await settled(pilot)
        commands = {each.words for each in list_commands(app, app.screen)}
        assert {
            "Compare two",
            "Given then, and now",
            "Copy command",
            "Plan",
            "Insights",
        } <= commands
        await pilot.press("down")
        await settled(pilot)
        await pilot.press("ctrl+p")
        await pilot.pause()
        await pilot.press(*"compare two", "enter")
        await settled(pilot)
        assert "1 marked" in str(app.screen.query_one("#hits").border_subtitle)


Snap = Callable[..., bool]


@in_looks((80, 24), (140, 45), always=2)
def test_how_it_looks(
    folder: Path, clock: FakeClock, snap_compare: Snap, theme: str, size: tuple[int, int]
) -> None:
    app = opened_later(folder, clock)
    app.theme = theme
    assert snap_compare(app, terminal_size=size, run_before=typing("slow"))


def test_how_hostile_text_looks(folder: Path, clock: FakeClock, snap_compare: Snap) -> None:
    app = opened_later(folder, clock)
    assert snap_compare(app, terminal_size=(80, 24), run_before=typing("status:failed"))


def test_how_nothing_looks(tmp_path: Path, clock: FakeClock, snap_compare: Snap) -> None:
    empty = tmp_path / "spotter"
    (empty / ".git").mkdir(parents=True)
    assert snap_compare(opened(empty, clock), terminal_size=(80, 24), run_before=typing(""))


def test_how_a_mistake_looks(folder: Path, clock: FakeClock, snap_compare: Snap) -> None:
    app = opened_later(folder, clock)
    assert snap_compare(app, terminal_size=(80, 24), run_before=typing("since:nevre agnet:x"))


def opened_later(folder: Path, clock: FakeClock) -> OrchApp:
    """Open the app with a clock that stands: how often it is looked at does not show."""
    later = clock() + timedelta(hours=3)
    return OrchApp(Project(folder, clock=lambda: later))


def typing(text: str) -> Callable[[Pilot[None]], Awaitable[None]]:
    async def run_before(pilot: Pilot[None]) -> None:
        pilot.app.screen.query_one(QueryInput).cursor_blink = False
        await pilot.press(*text)
        await settled(pilot)

    return run_before


@pytest.mark.parametrize("size", vary([(59, 16), (60, 15)]))
async def test_a_terminal_that_is_too_small_shows_what_waits_and_loses_nothing(
    folder: Path, clock: FakeClock, size: tuple[int, int]
) -> None:
    app = opened(folder, clock)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        told = app.screen.query_one(SmallList)
        assert not told.display
        await pilot.resize_terminal(*size)
        await settled(pilot)
        assert told.display
        assert any("exec-" in row.key for row in told.query_one(Rows).rows)  # what waits
        await pilot.press(*"walr")
        await pilot.resize_terminal(80, 24)
        await settled(pilot)
        assert not told.display
        assert keys(app) == ["exec-001"]


def test_how_too_small_looks(folder: Path, clock: FakeClock, snap_compare: Snap) -> None:
    app = opened_later(folder, clock)
    assert snap_compare(app, terminal_size=(50, 12), run_before=settled)


def configured(folder: Path, text: str) -> None:
    home = folder / ".claude" / "orchestration"
    home.mkdir(parents=True, exist_ok=True)
    (home / "config.toml").write_text(text)


async def test_a_theme_of_ones_own(folder: Path, clock: FakeClock) -> None:
    configured(folder, 'theme = "mine"\n[themes.mine]\nprimary = "#ff8800"\ndark = false\n')
    app = opened(folder, clock)
    async with app.run_test() as pilot:
        await settled(pilot)
        assert app.theme == "mine"
        assert not app.current_theme.dark


async def test_a_theme_chosen_in_the_app_is_there_again(folder: Path, clock: FakeClock) -> None:
    app = opened(folder, clock)
    async with app.run_test() as pilot:
        await settled(pilot)
        app.theme = "textual-light"
        await pilot.press("ctrl+q")
    assert opened(folder, clock).theme == "textual-light"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('theme = "mien"\n', "theme mien is not known"),
        ('[themes.mine]\nprimary = "no colour"\n', "theme mine: "),
        ("[themes.mine]\ndark = true\n", "theme mine: "),
        ('[keymap]\nhelp = "1"\n', "keymap: 1 is taken from 'Plan'"),
    ],
)
async def test_what_is_wrong_with_a_theme_or_a_key_is_said(
    folder: Path, clock: FakeClock, text: str, said: str
) -> None:
    configured(folder, text)
    app = opened(folder, clock)
    async with app.run_test() as pilot:
        await settled(pilot)
        assert any(said in notice.message for notice in app._notifications)


async def test_what_hooks_see_appears_by_itself(folder: Path, clock: FakeClock) -> None:
    app = opened(folder, clock)
    async with app.run_test() as pilot:
        await settled(pilot)
        before = keys(app)
        hook_events.deliver(folder, hook_events.foreground())
        while keys(app) == before:
            await pilot.pause(0.05)
        await settled(pilot)
        (new,) = set(keys(app)) - set(before)
        assert app.project.record.value(
            "SELECT status FROM agent_executions WHERE execution_id = ?", [new]
        ) == ("completed")


@pytest.mark.parametrize(
    "typed", vary(["$(date) `x` *", "it's", 'given:"the walrus"', "-draft --all"])
)
async def test_a_copied_command_does_the_same_in_a_shell(
    folder: Path,
    clock: FakeClock,
    typed: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Quoted, and within what was searched: a session, the project, or all with the archived."""
    project = Project(folder, clock=clock)
    OrchestrationSession("Another", session_id="it's $mine", project=project)
    project.close()
    app = opened(folder, clock)
    async with app.run_test() as pilot:
        await settled(pilot)
        app.use_session("it's $mine")
        app.screen.query_one(QueryInput).value = typed
        copied = []
        for _ in range(3):
            await settled(pilot)
            await pilot.press("ctrl+y")
            await settled(pilot)
            copied.append(app.clipboard)
            await pilot.press("ctrl+f")
    found = [shlex.split(command) for command in copied]
    assert found[0][:2] == ["orch", "history"] and found[0][-1] == typed
    assert found[1][-1] == f'session:"it\'s $mine" {typed}'
    assert found[2][2:4] == ["--all-projects", "--archived"] and found[2][-1] == typed
    monkeypatch.chdir(folder)
    for words in found:
        assert main(words[1:]) == 0, capsys.readouterr()


async def test_a_run_with_any_id_is_shown_by_its_copied_command(
    folder: Path, clock: FakeClock
) -> None:
    project = Project(folder, clock=clock)
    session = OrchestrationSession("Index the words", project=project)
    session.init_deployment("a", "b", execution_id="it's; rm -rf $HOME")
    project.close()
    app = opened(folder, clock)
    async with app.run_test() as pilot:
        await settled(pilot)
        await pilot.press("escape", "home", "ctrl+y")
        await settled(pilot)
        assert shlex.split(app.clipboard) == [
            *("orch", "show", "it's; rm -rf $HOME", "--part", "said"),
        ]


async def test_the_pane_opens_at_what_is_sought_and_n_goes_on(
    folder: Path, clock: FakeClock
) -> None:
    """From the message through the items that were given to the next part that has it."""
    app = opened(folder, clock)
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
    app = opened(folder, clock)
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
    app = opened(folder, clock)
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
    app = opened(folder, clock)
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
    app = opened(folder, clock)
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
    app = opened(folder, clock)
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
    app = opened(folder, clock)
    async with app.run_test(size=(120, 36)) as pilot:
        await settled(pilot)
        await pilot.press(*"agent:expl")
        await settled(pilot)
        await pilot.press("f6", "ctrl+q")
    again = opened(folder, clock)
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
    app = opened(folder, clock)
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


async def test_a_failed_run_is_compared_with_the_last_success_of_its_kind(
    folder: Path, clock: FakeClock
) -> None:
    project = Project(folder, clock=clock)
    session = OrchestrationSession("Index the words", project=project)
    failed = session.init_deployment("debugger", "Find the slow query again")
    failed.record_completion("It stayed slow.", status="failed")
    project.close()
    app = opened(folder, clock)
    async with app.run_test(size=(120, 36)) as pilot:
        await settled(pilot)
        await pilot.press("escape", "home", "d")
        await settled(pilot)
        assert isinstance(app.screen, SideBySide)
        rows = app.screen.query_one("#figures", Rows).rows
        assert rows[0].cells == ("outcome", "✓ done", "✗ failed", "")
        await pilot.press("f6", "f6")
        await settled(pilot)
        assert "+ It stayed slow." in "\n".join(lines_of(app))
        await pilot.press("escape", "home", "down", "d")
        await settled(pilot)
        assert not isinstance(app.screen, SideBySide)
        problem = app.screen.query_one(Problem)
        assert problem.has_class("-shown") and "succeeded before" in problem.text
        await pilot.press("up")
        await settled(pilot)
        assert not problem.has_class("-shown")


async def test_runs_are_put_in_another_order_by_a_key(folder: Path, clock: FakeClock) -> None:
    app = opened(folder, clock)
    with open_record(Project(folder).database) as record, record.write():
        record.execute("UPDATE agent_executions SET cost_usd = 3 WHERE execution_id = 'exec-001'")
        record.execute("UPDATE agent_executions SET cost_usd = 9 WHERE execution_id = 'exec-002'")
    async with app.run_test(size=(120, 36)) as pilot:
        await settled(pilot)
        await pilot.press("escape", "s")
        await settled(pilot)
        assert keys(app) == ["exec-002", "exec-001", "exec-003"]
        assert "dearest first" in str(app.screen.query_one("#hits", Rows).border_subtitle)
        await pilot.press("s", "s")
        await settled(pilot)
        assert keys(app) == ["exec-001", "exec-003", "exec-002"]


async def test_the_best_or_the_newest_come_first_and_the_choice_is_kept(
    folder: Path, clock: FakeClock
) -> None:
    app = opened(folder, clock)
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
    again = opened(folder, clock)
    async with again.run_test(size=(120, 36)) as pilot:
        await pilot.press("f4")
        await settled(pilot)
        assert "newest first" in str(again.screen.query_one("#hits", Rows).border_subtitle)


async def test_enter_takes_the_words_that_are_offered(folder: Path, clock: FakeClock) -> None:
    app = opened(folder, clock)
    async with app.run_test(size=(120, 36)) as pilot:
        await pilot.press(*"walrsu")
        await settled(pilot)
        assert keys(app) == []
        assert "Did you mean: walrus" in shown_text(app)
        await pilot.press("enter")
        await settled(pilot)
        assert app.screen.query_one(QueryInput).value == "walrus"
        assert "exec-001" in keys(app)


async def test_enter_looks_further_where_a_search_stopped(
    folder: Path, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("orch_tui.search.query.search.__kwdefaults__", PATIENT_NO_MORE)
    monkeypatch.setattr("orch_tui.search.checking.SURELY_LOOKED", 0)
    monkeypatch.setattr("orch_tui.search.checking._FIRST_WINDOW", 1)
    app = opened(folder, clock)
    async with app.run_test(size=(120, 36)) as pilot:
        await pilot.press(*"part:alru")
        await settled(pilot)
        box = app.screen.query_one("#search")
        assert keys(app) == [] and "Enter looks further" in str(box.border_subtitle)
        assert "Enter in the search looks further back" in shown_text(app)
        await pilot.press("enter")
        await settled(pilot)
        await pilot.press("enter")
        await settled(pilot)
        assert keys(app) == ["exec-001"]
        assert "1 run ·" in str(box.border_subtitle)
        await pilot.press("enter")  # all was looked at: it opens the run
        await settled(pilot)
        assert isinstance(app.screen, Run)


PATIENT_NO_MORE = (search.__kwdefaults__ or {}) | {"patience": 0}


def shown_text(app: OrchApp) -> str:
    """What the list says, where it lists nothing."""
    rows = app.screen.query_one("#hits", Rows)
    return "\n".join(
        "".join(segment.text for segment in rows.render_line(y)) for y in range(rows.size.height)
    )


async def test_a_low_terminal_shows_the_list_or_the_run(folder: Path, clock: FakeClock) -> None:
    app = opened(folder, clock)
    async with app.run_test(size=(60, 16)) as pilot:
        await pilot.press(*"walrus", "escape")
        await settled(pilot)
        hits, preview = app.screen.query_one("#hits"), app.screen.query_one(Preview)
        assert hits.display and not preview.display
        await pilot.press("f6")
        await settled(pilot)
        assert preview.display and not hits.display
        await pilot.press("f6", "f6", "f6", "f6", "f6")
        await settled(pilot)
        assert hits.display and hits.has_focus and preview.tab == "said"


LOOKS = {
    "marked": ["escape", "space", "space"],
    "retract": ["escape", "R"],
    "tree": ["escape", "t", "f6"],
    "opened": ["escape", "end", "enter", "slash", *"walrus"],
    "chips": ["escape"],
    "archive": ["escape", "space", "space", "A"],
}
"""The keys to what is looked at."""


@pytest.mark.parametrize(
    ("size", "theme"),
    vary(
        [
            pytest.param((80, 24), "orch-dark", id="dark"),
            pytest.param((120, 36), "orch-light", id="light"),
        ]
    ),
)
@pytest.mark.parametrize("look", vary(LOOKS, always=4))
def test_how_what_keys_bring_looks(
    folder: Path,
    clock: FakeClock,
    snap_compare: Snap,
    look: str,
    size: tuple[int, int],
    theme: str,
) -> None:
    with open_record(Project(folder).database) as record, record.write():
        record.execute(
            "UPDATE agent_executions SET parent_execution_id = 'exec-001' "
            "WHERE execution_id <> 'exec-001'"
        )

    async def run_before(pilot: Pilot[None]) -> None:
        box = pilot.app.screen.query_one(QueryInput)
        if look == "chips":
            box.value = "walrus agent:debugger -status:failed since:30d has:fins"
        await settled(pilot)
        for key in LOOKS[look]:
            await pilot.press(key)
            await settled(pilot)
        for each in pilot.app.screen.query(Input):
            each.cursor_blink = False
        await settled(pilot)

    app = opened_later(folder, clock)
    app.theme = theme
    assert snap_compare(app, terminal_size=size, run_before=run_before)
