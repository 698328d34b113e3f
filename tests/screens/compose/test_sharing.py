"""What is shared with other bundles, and taken from earlier runs."""

from __future__ import annotations

from orch_tui import api
from orch_tui.prepare.composition import Choice, Composition
from orch_tui.project import Project
from orch_tui.record import bundles
from orch_tui.screens.compose.share_dialog import ShareDialog
from orch_tui.screens.dialogs import Confirm, PickSeveral
from orch_tui.screens.widgets.stack import Stack
from orch_tui.screens.widgets.words import format_tokens
from tests.conftest import FakeClock
from tests.screens.compose.driven import (
    SESSION,
    app_of,
    cells,
    choices,
    effects,
    foretold,
    head,
    picked,
    press,
    screen_of,
    sources,
    view,
)
from tests.screens.quiet import settled


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
