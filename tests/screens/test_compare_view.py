"""Two runs beside each other, and what became of what one was given."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from orch_tui.api import OrchestrationSession
from orch_tui.app import OrchApp
from orch_tui.project import Project
from orch_tui.screens.history.compared_pane import SAME
from orch_tui.screens.widgets.compared_texts import ComparedTexts
from orch_tui.screens.widgets.passages import draw_passages
from orch_tui.screens.widgets.row_list import Rows
from orch_tui.screens.widgets.tabs import Tabs
from tests.conftest import FakeClock
from tests.screens.history.driven import HOSTILE, lines_of, open_app, open_app_later
from tests.screens.quiet import settled
from tests.variants import vary

BODY = "".join(f"    step_{number}()\n" for number in range(30))
QUERY = f"def parse(words):\n    folded = [fold(word) for word in words]\n{BODY}"


@pytest.fixture
def folder(tmp_path: Path, clock: FakeClock) -> Path:
    """A project where an implementer succeeded, and failed after a file was changed."""
    root = tmp_path / "lumen"
    (root / ".claude").mkdir(parents=True)
    for name in ("index.py", "spec.md", "old.md", "same.md"):
        (root / name).write_text(f"# {name}\n" * 9)
    (root / "query.py").write_text(QUERY + "return folded\n")
    (root / "bytes.md").write_text(HOSTILE)
    project = Project(root, clock=clock)
    session = OrchestrationSession("Fold accents", project=project)
    both = ["query.py", "index.py", "same.md", "bytes.md"]
    first = session.prepare_context("implementer", "Fold case", files=[*both, "old.md"])
    done = session.init_deployment(context_bundle=first, model="opus")
    (root / "made.py").write_text("x = 1\n")
    done.record_completion(
        "Folded.\n\n## Deliverables\n\n- Created `made.py`\n\n## Validation\n\n- tests: pass\n",
        collect=True,
    )
    (root / "query.py").write_text(QUERY.replace("[fold(word)", "[soft(word)") + "return words\n")
    second = session.prepare_context("implementer", "Fold accents", files=[*both, "spec.md"])
    failed = session.init_deployment(context_bundle=second, model="sonnet")
    failed.record_completion("It broke.", status="failed", error_message="The tests fail")
    project.close()
    return root


@asynccontextmanager
async def compared(
    folder: Path, clock: FakeClock, size: tuple[int, int] = (120, 36)
) -> AsyncIterator[tuple[OrchApp, Pilot[None]]]:
    app = open_app(folder, clock)
    async with app.run_test(size=size) as pilot:
        await settled(pilot)
        await pilot.press("escape", "home", "d")
        await settled(pilot)
        yield app, pilot


def cells(app: OrchApp, name: str) -> list[tuple[str, ...]]:
    return [row.cells for row in app.screen.query_one(name, Rows).rows]


async def test_figures_stand_beside_each_other_with_the_difference(
    folder: Path, clock: FakeClock
) -> None:
    async with compared(folder, clock) as (app, pilot):
        figures = {row[0]: row[1:] for row in cells(app, "#figures")}
        assert figures["outcome"] == ("✓ done", "✗ failed", "")
        assert figures["why"] == ("–", "The tests fail", "")
        assert figures["model"] == ("opus", "sonnet", "")
        assert figures["given"][2].startswith(("+", "−"))
        assert "took" in figures and "agent" not in figures
        await pilot.press("x")
        await settled(pilot)
        assert cells(app, "#figures")[0] == ("outcome", "✗ failed", "✓ done", "")


async def test_what_differs_of_what_they_were_given_comes_first_and_the_rest_is_folded(
    folder: Path, clock: FakeClock
) -> None:
    async with compared(folder, clock) as (app, pilot):
        rows = cells(app, "#pairs")
        assert [(row[0], row[1], row[-1]) for row in rows] == [
            ("≠", "query.py", "2 lines out, 2 in"),
            ("−", "old.md", "only left"),
            ("+", "spec.md", "only right"),
            ("=", "3 more that are the same", ""),
        ]
        await pilot.press("end", "enter")
        await settled(pilot)
        pairs = app.screen.query_one("#pairs", Rows)
        assert len(pairs.rows) == 6 and pairs.key != SAME and pairs.cursor == 3


async def test_equal_lines_are_folded_and_texts_stand_beside_each_other_where_there_is_room(
    folder: Path, clock: FakeClock
) -> None:
    async with compared(folder, clock) as (app, pilot):
        lines = lines_of(app)
        changed = next(line for line in lines if line.startswith("−"))
        assert "[fold(word)" in changed.split("│")[0] and "+     folded" in changed.split("│")[1]
        assert sum("⋯ 26 lines the same" in line for line in lines) == 1
        await pilot.press("enter")
        await settled(pilot)
        assert not any("⋯" in line for line in lines_of(app))
        assert len(lines_of(app)) == 33
        difference = app.screen.query_one("#difference")
        for title in ("difference 1 of 2", "difference 2 of 2", "difference 1 of 2"):
            await pilot.press("n")
            assert title in str(difference.border_title)
        await pilot.press("enter")
        await settled(pilot)
        assert any("⋯" in line for line in lines_of(app))


async def test_below_100_columns_they_stand_beneath_each_other(
    folder: Path, clock: FakeClock
) -> None:
    async with compared(folder, clock, (80, 24)) as (app, _):
        signs = [line[:1] for line in lines_of(app) if line[:1] in ("−", "+")]
        assert signs == ["−", "+", "−", "+"]


async def test_briefings_messages_and_deliveries_have_a_tab_each(
    folder: Path, clock: FakeClock
) -> None:
    async with compared(folder, clock) as (app, pilot):
        await pilot.press("f6")
        await settled(pilot)
        assert app.screen.query_one(Tabs).active == "briefing"
        assert not app.screen.query_one("#pairs").display
        await pilot.press("f6", "f6")
        await settled(pilot)
        assert cells(app, "#pairs") == [
            ("≠", "made.py", "✓ as said", "–"),
            ("≠", "tests", "✓ pass", "–"),
        ]


async def test_in_a_low_terminal_figures_and_texts_take_turns(
    folder: Path, clock: FakeClock
) -> None:
    async with compared(folder, clock, (60, 16)) as (app, pilot):
        figures, pane = app.screen.query_one("#figures"), app.screen.query_one("#compared")
        assert figures.has_focus and not pane.region.height
        await pilot.press("f6")
        await settled(pilot)
        assert pane.region.height and not figures.display
        await pilot.press("f6", "f6", "f6", "f6")
        await settled(pilot)
        assert figures.display and figures.has_focus


def test_texts_that_share_nothing_or_have_nothing_are_drawn() -> None:
    def drawn(left: str, right: str, width: int) -> list[str]:
        lines = draw_passages((ComparedTexts(left, right, "a.py"),), width, dark=True)
        return [line.strip.text.rstrip() for line in lines]

    assert drawn("", "", 40) == []
    assert drawn("", "a\n", 40) == ["+ a"]
    assert drawn("b\r\n", "", 40) == ["− b"]
    assert drawn(HOSTILE, "x" * 50, 100)[0].startswith("− [bold]not markup[/] ␛[31mred")
    assert all(len(line) <= 40 for line in drawn("a" * 100, "b c " * 40, 40))


def against_success(*more: str) -> Callable[[Pilot[None]], Awaitable[None]]:
    async def run_before(pilot: Pilot[None]) -> None:
        for box in pilot.app.screen.query(Input):
            box.cursor_blink = False
        await settled(pilot)
        await pilot.press("escape", "home", "d")
        await settled(pilot)
        await pilot.press(*more)
        await settled(pilot)

    return run_before


Snap = Callable[..., bool]


@pytest.mark.parametrize(
    ("size", "theme"),
    vary(
        [
            pytest.param((80, 24), "orch-dark", id="dark"),
            pytest.param((120, 36), "orch-light", id="light"),
        ]
    ),
)
def test_how_a_comparison_looks(
    folder: Path, clock: FakeClock, snap_compare: Snap, size: tuple[int, int], theme: str
) -> None:
    app = open_app_later(folder, clock)
    app.theme = theme
    assert snap_compare(app, terminal_size=size, run_before=against_success())


@pytest.mark.parametrize(
    ("size", "theme"),
    vary(
        [
            pytest.param((80, 24), "orch-dark", id="dark"),
            pytest.param((120, 36), "orch-light", id="light"),
        ]
    ),
)
def test_how_drift_looks(
    folder: Path, clock: FakeClock, snap_compare: Snap, size: tuple[int, int], theme: str
) -> None:
    async def run_before(pilot: Pilot[None]) -> None:
        for box in pilot.app.screen.query(Input):
            box.cursor_blink = False
        await settled(pilot)
        await pilot.press("escape", "end", "f8", "down", "down", "enter")
        await settled(pilot)

    app = open_app_later(folder, clock)
    app.theme = theme
    assert snap_compare(app, terminal_size=size, run_before=run_before)
