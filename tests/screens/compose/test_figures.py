"""The gauges, and what would fit."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widget import Widget
from textual.widgets import Static

from orch_tui.prepare.composition import Choice, Weight
from orch_tui.prepare.count import Count
from orch_tui.project import Project
from orch_tui.record import sessions
from orch_tui.screens.dialogs import Confirm
from orch_tui.screens.orch_screen import Problem
from orch_tui.screens.widgets.form import Form
from orch_tui.screens.widgets.row_list import Rows
from orch_tui.screens.widgets.stack import GaugePart, Stack, draw_bar, draw_line
from orch_tui.screens.widgets.words import format_tokens
from tests.conftest import FakeClock
from tests.screens.compose.driven import (
    AGENT,
    SESSION,
    ambient,
    app_of,
    cells,
    dialog_words,
    head,
    lines,
    press,
    screen_of,
    sources,
    used,
    view,
)
from tests.screens.quiet import settled
from tests.variants import vary


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


async def test_what_is_too_much_is_made_to_fit_with_one_key(much: Path, clock: FakeClock) -> None:
    async with app_of(much, clock).run_test() as pilot:
        await settled(pilot)
        await press(pilot, "»types", "enter", "escape", "f")
        assert not isinstance(pilot.app.screen, Confirm)  # it fits
        await press(pilot, "escape", "»big", "enter", "escape", "p", "p")
        assert screen_of(pilot).state.budget_status == "over"
        await press(pilot, "f")
        assert isinstance(pilot.app.screen, Confirm)
        said = " ".join(str(each.render()) for each in pilot.app.screen.query(Static))
        assert "The briefing takes ~" in said and "lib/big.ts" in said and "(optional, ~" in said
        await press(pilot, "y")
        assert screen_of(pilot).state.budget_status != "over"
        before = used(pilot)
        assert before > 0
        await press(pilot, "z")
        assert sources(pilot) == ["lib/types.ts", "lib/big.ts"] and used(pilot) > before


def shown_text(widget: Widget) -> str:
    lines = [widget.render_line(y).text.strip() for y in range(widget.size.height)]
    return " ".join(lines)


async def test_required_items_that_are_too_much_are_said_in_place(
    much: Path, clock: FakeClock
) -> None:
    async with app_of(much, clock).run_test() as pilot:
        await settled(pilot)
        await press(pilot, "»big", "enter", "escape", "f")
        problem = screen_of(pilot).query_one(Problem)
        assert "the required items alone take ~" in problem.text and sources(pilot)
        assert problem.text.endswith("make them recommended")
        assert problem.text in shown_text(problem), "what to do is not cut"
        top = screen_of(pilot).query_one("#top")
        assert str(top.border_subtitle).startswith("f makes it fit · ")
        await press(pilot, "escape")
        assert str(top.border_subtitle).startswith("Esc, f makes it fit · ")
        await press(pilot, "escape", "p")
        assert not problem.has_class("-shown")  # it may be true no more


# Limits


def limit(pilot: Pilot[None], gauge: str) -> int:
    figures = screen_of(pilot).query_one(f"#{gauge}", Stack)._figures
    assert figures is not None
    return figures.limit


async def test_the_limit_of_this_agent_and_of_the_session_are_set_with_one_key(
    project: Project, clock: FakeClock
) -> None:
    async with app_of(project.root, clock).run_test() as pilot:
        await settled(pilot)
        await press(pilot, "escape", "L")
        assert isinstance(pilot.app.screen, Form) and pilot.app.screen._now == "agent_limit"
        await press(pilot, *"20k", "shift+tab", *"90,000", "enter")
        assert (limit(pilot, "agent-gauge"), limit(pilot, "session-gauge")) == (20_000, 90_000)
        agent_type = screen_of(pilot).state.composition.agent_type
        own = sessions.read_limits(project.existing_record, SESSION)
        assert (own["agent_limits"], own["budget"]) == ({agent_type: 20_000}, 90_000)
        await press(pilot, "L", *["backspace"] * 6, *"much", "enter")
        assert "a whole number of tokens" in dialog_words(pilot)
        await press(pilot, *["backspace"] * 4, "enter")
        assert limit(pilot, "agent-gauge") > 20_000


@pytest.mark.parametrize("words", vary(["limit", "budget", "threshold", "scope"]))
async def test_limits_are_found_among_the_commands(
    project: Project, clock: FakeClock, words: str
) -> None:
    async with app_of(project.root, clock).run_test() as pilot:
        await settled(pilot)
        await press(pilot, "ctrl+p", f"»{words}")
        rows = pilot.app.screen.query_one(Rows).rows
        assert any(row.cells[0] == "Limits, budget" for row in rows)


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


@pytest.mark.parametrize(("width", "named"), [(180, True), (60, False)])
async def test_the_marks_of_a_bar_are_named_where_there_is_room(
    project: Project, clock: FakeClock, width: int, named: bool
) -> None:
    async with app_of(project.root, clock).run_test(size=(width, 36)) as pilot:
        await settled(pilot)
        await press(pilot, "»hnsw", "enter")
        gauge = pilot.app.screen.query_one("#agent-gauge", Stack)
        told = [gauge.render_line(y).text for y in range(gauge.size.height)]
        assert any("┊ warning 75 %, critical 90 %  ┃ limit" in line for line in told) is named
        assert all(len(line.rstrip()) <= width for line in told)


def test_the_legend_tells_of_all_that_is_drawn_as_uncertain() -> None:
    from orch_tui.prepare.budget import LimitGauge
    from orch_tui.prepare.count import Count

    gauge = Stack("this agent")
    had, used = Count(100, "e", 90, 140), Count(10, "e", 8, 13)
    figures = LimitGauge("agent limit", used, 1000, 0.75, 0.9, ambient=had)
    gauge._figures, gauge._parts = figures, (GaugePart("had", "had anyway", 100),)
    (line,) = gauge._fold_legend(120)
    assert "╱ uncertain ±43" in "".join(text for _, text in line)
