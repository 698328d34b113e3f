"""History while the record changes, and when it is opened again."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import pytest
from textual.message import Message

from orch_tui.api import OrchestrationSession
from orch_tui.project import Project
from orch_tui.record.opening import open_record
from orch_tui.screens.app_messages import Reindexed
from orch_tui.screens.header import Header
from orch_tui.screens.widgets.preview import Preview
from orch_tui.screens.widgets.row_list import Rows
from orch_tui.screens.widgets.search_box import QueryInput
from orch_tui.search import index_merge
from orch_tui.search.maintenance import check, is_of_another_version
from tests.conftest import FakeClock
from tests.record import hook_events
from tests.screens.history.driven import list_keys, open_app
from tests.screens.quiet import settled
from tests.search.older_index import make_version_1


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
        app = open_app(folder, clock)
        with ExitStack() as writing:
            writing.enter_context(record.write())  # while another writes, it waits, and answers
            async with app.run_test(message_hook=listen) as pilot:
                await settled(pilot)
                assert list_keys(app) == ["exec-003", "exec-002", "exec-001"]
                await pilot.press(*"walr")
                await settled(pilot)
                assert list_keys(app) == ["exec-001"]
                assert told == []
                writing.close()
                while 0 not in told:
                    await pilot.pause(0.02)
                await pilot.press("u")
                await settled(pilot)
                assert list_keys(app) == ["exec-001"]
        assert check(record) == []
        assert not is_of_another_version(record)
    assert told == [2, 1, 0]


async def test_the_open_app_merges_the_index_where_enough_was_recorded(
    folder: Path, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index_merge, "LEAST_GROWTH", 3)
    app = open_app(folder, clock)
    with open_record(Project(folder).database) as record:
        async with app.run_test() as pilot:
            await settled(pilot)
            while index_merge.is_merge_due(record):
                await pilot.pause(0.02)
        assert check(record) == []


@pytest.mark.parametrize(("width", "name"), [(140, "search index"), (80, " index")])
async def test_the_header_has_a_bar_while_the_search_is_indexed_anew(
    folder: Path, clock: FakeClock, width: int, name: str
) -> None:
    app = open_app(folder, clock)
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


async def test_what_another_process_records_appears_and_the_place_is_kept(
    folder: Path, clock: FakeClock
) -> None:
    app = open_app(folder, clock)
    async with app.run_test() as pilot:
        await settled(pilot)
        await pilot.press("down")
        await settled(pilot)
        with OrchestrationSession.open("orch-2026-11-22-001", project=folder) as other:
            other.init_deployment("Explore", "From elsewhere")
        while len(list_keys(app)) < 4:
            await pilot.pause(0.02)
        assert app.screen.query_one("#hits", Rows).key == "exec-002"


async def test_a_record_that_is_replaced_or_removed_is_noticed(
    folder: Path, clock: FakeClock, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    (other / ".git").mkdir(parents=True)
    with OrchestrationSession("Elsewhere", project=other) as session:
        session.init_deployment("Explore", "A walrus of another record")
    app = open_app(folder, clock)
    async with app.run_test() as pilot:
        await settled(pilot)
        database = app.project.database
        (other / ".claude/orchestration/execution.db").replace(database)
        for stale in ("-wal", "-shm"):
            database.with_name(database.name + stale).unlink(missing_ok=True)
        while list_keys(app) != ["exec-001"]:
            await pilot.pause(0.02)
        database.unlink()
        while list_keys(app):
            await pilot.pause(0.02)
        with OrchestrationSession("Begun again", project=folder) as session:
            session.init_deployment("Explore", "Into a record of its own")
        while len(list_keys(app)) != 1:
            await pilot.pause(0.02)


async def test_without_a_record_it_says_what_to_do_and_makes_none(
    tmp_path: Path, clock: FakeClock
) -> None:
    (tmp_path / ".git").mkdir()
    app = open_app(tmp_path, clock)
    async with app.run_test() as pilot:
        await settled(pilot)
        assert list_keys(app) == []
        await pilot.press(*"x", "f7", "f8", "f9", "enter")
        await settled(pilot)
    assert not (tmp_path / ".claude").exists()


async def test_the_place_comes_back_when_reopened(folder: Path, clock: FakeClock) -> None:
    app = open_app(folder, clock)
    async with app.run_test() as pilot:
        await pilot.press(*"agent:expl")
        await settled(pilot)
        await pilot.press("f6", "ctrl+q")
    again = open_app(folder, clock)
    async with again.run_test() as pilot:
        await settled(pilot)
        assert again.screen.query_one(QueryInput).value == "agent:expl"
        assert list_keys(again) == ["exec-003"]
        assert again.screen.query_one(Preview).tab == "given"


def configured(folder: Path, text: str) -> None:
    home = folder / ".claude" / "orchestration"
    home.mkdir(parents=True, exist_ok=True)
    (home / "config.toml").write_text(text)


async def test_a_theme_of_ones_own(folder: Path, clock: FakeClock) -> None:
    configured(folder, 'theme = "mine"\n[themes.mine]\nprimary = "#ff8800"\ndark = false\n')
    app = open_app(folder, clock)
    async with app.run_test() as pilot:
        await settled(pilot)
        assert app.theme == "mine"
        assert not app.current_theme.dark


async def test_a_theme_chosen_in_the_app_is_there_again(folder: Path, clock: FakeClock) -> None:
    app = open_app(folder, clock)
    async with app.run_test() as pilot:
        await settled(pilot)
        app.theme = "textual-light"
        await pilot.press("ctrl+q")
    assert open_app(folder, clock).theme == "textual-light"


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
    app = open_app(folder, clock)
    async with app.run_test() as pilot:
        await settled(pilot)
        assert any(said in notice.message for notice in app._notifications)


async def test_what_hooks_see_appears_by_itself(folder: Path, clock: FakeClock) -> None:
    app = open_app(folder, clock)
    async with app.run_test() as pilot:
        await settled(pilot)
        before = list_keys(app)
        hook_events.deliver(folder, hook_events.foreground())
        while list_keys(app) == before:
            await pilot.pause(0.05)
        await settled(pilot)
        (new,) = set(list_keys(app)) - set(before)
        assert app.project.record.value(
            "SELECT status FROM agent_executions WHERE execution_id = ?", [new]
        ) == ("completed")
