"""The Plan screen, driven as a person drives it, on a real record."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path

import pytest
from textual.events import Key, Paste
from textual.pilot import Pilot
from textual.widgets import Input, Static

from orch_tui.api import OrchestrationSession
from orch_tui.app import OrchApp
from orch_tui.prepare.budget import EACH
from orch_tui.prepare.bundle import Bundle, ContextItem
from orch_tui.prepare.count import Count
from orch_tui.project import Project
from orch_tui.record import bundles, plan, sessions
from orch_tui.record.completion import record_completion
from orch_tui.record.deployment import record_deployment
from orch_tui.record.ledger import journal
from orch_tui.record.session_budget import load_session_budget
from orch_tui.screens.compose.screen import ComposeScreen
from orch_tui.screens.dialogs import Choose, Confirm
from orch_tui.screens.orch_screen import Problem
from orch_tui.screens.plan.lists import AgentRows, SessionRows
from orch_tui.screens.plan.screen import PlanScreen
from orch_tui.screens.widgets.form import Field, Form, matching
from orch_tui.screens.widgets.key_line import KeyLine
from orch_tui.screens.widgets.row_list import Rows
from orch_tui.screens.widgets.told_lines import ToldLines
from tests.conftest import FakeClock
from tests.screens.looks import EVERY_SIZE, in_dialogs, in_looks
from tests.screens.quiet import settled
from tests.variants import vary

NOW, DONE, OLD = (f"orch-2026-11-22-00{n}" for n in (3, 2, 1))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An empty project."""
    root = tmp_path / "spotter"
    (root / ".git").mkdir(parents=True)
    return root


@pytest.fixture
def project(folder: Path, clock: FakeClock) -> Project:
    """The project of ``seed``, as another process sees it."""
    made = Project(folder, clock=clock)
    seed(made)
    made.close()
    return made


def seed(project: Project) -> None:
    """Three sessions: one done, one open with a plan that has faults, one archived."""
    agents = project.root / ".claude" / "agents"
    agents.mkdir(parents=True)
    for name in ("task-implementor", "principle-evaluator"):
        (agents / f"{name}.md").write_text(f"---\nname: {name}\ndescription: does it\n---\n")
    record, root = project.record, str(project.root)
    old = sessions.init_session(record, "An idea nobody followed", project=root)
    done = sessions.init_session(record, "Word index for the notes", project=root)
    now = sessions.init_session(record, "Implement vector search feature", project=root)
    s = now.session_id
    for phase in (2, 3):
        sessions.set_phase(record, s, phase)
    small = save(project, s, 12_300, "Explore", "Existing types")
    large = save(project, s, 61_000, "task-implementor", "HNSW index")
    huge = save(project, s, 1_310_000, "principle-evaluator", "")
    plan.add_planned_agent(
        record, s, "Explore", scope="Find the types that searching needs", bundle_id=small
    )
    plan.add_planned_agent(
        record,
        s,
        "task-implementor",
        scope="Implement the HNSW index",
        bundle_id=large,
        model="opus",
        waits_for=[1],
    )
    plan.add_planned_agent(
        record, s, "test-writer", scope="Write the tests of the index", waits_for=[1]
    )
    plan.add_planned_agent(
        record, s, "principle-evaluator", scope="Review", bundle_id=huge, waits_for=[2, 3]
    )
    first, second = run(project, s, 1), run(project, s, 1)
    record_completion(record, first, status="failed", error_message="cut off")
    record_completion(record, second, final_message="Found them.")
    run(project, s, 2)
    sessions.complete_session(record, done.session_id)
    sessions.archive_session(record, old.session_id)


def save(project: Project, session_id: str, tokens: int, agent_type: str, name: str) -> str:
    count = Count(tokens, "o200k_base", tokens * 24 // 25, tokens * 26 // 25)
    item = ContextItem("file", f"lib/{tokens}.ts", "required", (), b"x", count)
    bundle = Bundle("", agent_type, "", (item,), "sonnet", project.now(), name=name)
    return bundles.save_bundle(project.record, bundle, session_id).bundle.bundle_id


def run(project: Project, session_id: str, planned: int) -> str:
    return record_deployment(
        project.record,
        session_id,
        catalogue=project.catalogue,
        limits=project.limits,
        planned=planned,
        allow_overflow="the demo",
    ).execution.execution_id


async def opened(pilot: Pilot[None], *keys: str) -> PlanScreen:
    """The screen after some keys, each answered before the next; »text is typed at once."""
    await settled(pilot)
    await press(pilot, *keys)
    screen = pilot.app.screen_stack[0]
    assert isinstance(screen, PlanScreen)
    return screen


TYPED = "»"


async def press(pilot: Pilot[None], *keys: str) -> None:
    for key in keys:
        await pilot.press(*(key[1:] if key.startswith(TYPED) else [key]))
        if key not in ("tab", "backspace", "up") and not key.startswith(TYPED):
            await settled(pilot)
    await settled(pilot)


class PlanApp(OrchApp):
    """The app, opened on its first screen."""

    FIRST = FIRST_EVER = "plan"
    TITLE = OrchApp.__name__


def app_of(folder: Path, clock: FakeClock) -> OrchApp:
    return PlanApp(Project(folder, clock=clock))


def still(folder: Path, clock: FakeClock) -> OrchApp:
    """The app for a picture: how often the time is asked for is not to be seen in it."""
    clock.step = timedelta()
    return app_of(folder, clock)


def order(project: Project, session_id: str = NOW) -> list[str]:
    return [
        agent.agent_type for agent in plan.list_planned_agents(project.existing_record, session_id)
    ]


def under_cursor(screen: PlanScreen) -> str:
    rows = screen.query_one(AgentRows)
    return rows.rows[rows.cursor].cells[2]


def listed(screen: PlanScreen) -> list[str]:
    return [row.key for row in screen.query_one(SessionRows).rows]


def remarks(app: OrchApp) -> list[str]:
    return [str(label.render()) for label in app.screen.query(".remark.-shown").results(Static)]


def notices(app: OrchApp) -> list[str]:
    return [notice.message for notice in app._notifications]


PLAN = ["Explore", "task-implementor", "test-writer", "principle-evaluator"]


# The first session


async def test_the_first_session_is_planned_by_keyboard_alone(
    folder: Path, clock: FakeClock
) -> None:
    app = app_of(folder, clock)
    async with app.run_test() as pilot:
        screen = await opened(pilot)
        assert "n   opens a first session" in screen.query_one(SessionRows).empty
        assert not app.project.database.exists()
        await press(pilot, "n", "»Add a word index", "enter")
        assert app.session is not None and app.session.scope == "Add a word index"
        assert app.focused is screen.query_one(AgentRows)
        await press(pilot, "a", "»expl", "down", "enter", "»Find it", "enter")
        await press(pilot, "a", "»general", "down", "tab", "»Do it", "tab", "»op", "down")
        await press(pilot, "tab", "tab", "down", "enter", "enter")
    held = plan.list_planned_agents(app.project.record, "orch-2026-11-22-001")
    assert [(a.agent_type, a.scope, a.model) for a in held] == [
        ("Explore", "Find it", None),
        ("general-purpose", "Do it", "opus"),
    ]
    assert plan.list_waits(app.project.record, held[0].session_id) == {1: [], 2: [1]}


async def test_a_scope_that_holds_a_secret_is_asked_about(folder: Path, clock: FakeClock) -> None:
    key = "AKIA" + "Q3EGR7J2XKLM4P5T"
    app = app_of(folder, clock)
    async with app.run_test() as pilot:
        await opened(pilot, "n", f"»use {key}", "enter")
        assert isinstance(app.screen, Confirm)
        await press(pilot, "n")
        assert app.session is None
        await press(pilot, "n", "enter", "y")
        assert app.session is not None and app.session.scope == f"use {key}"


async def test_a_session_without_scope_or_with_a_strange_budget_is_not_opened(
    folder: Path, clock: FakeClock
) -> None:
    app = app_of(folder, clock)
    async with app.run_test() as pilot:
        await opened(pilot, "n", "enter")
        assert isinstance(app.screen, Form)
        assert remarks(app) == ["✗ a scope is needed: what is to be done"]
        await press(pilot, "»short", "tab", "»lots", "enter")
        assert isinstance(app.screen, Form)
        assert [said[0] for said in remarks(app)] == ["!", "✗"]
        await press(pilot, "backspace", "backspace", "backspace", "backspace", "»9,000")
        await press(pilot, "tab", "»20k", "enter")
        assert app.session is not None and (app.session.budget, app.session.scope) == (
            9000,
            "short",
        )
        limits = sessions.read_limits(app.project.record, app.session.session_id)
        assert limits["agent_limits"] == {EACH: 20_000}


async def test_the_key_of_the_next_step_is_for_the_agent_that_it_names(
    folder: Path, clock: FakeClock
) -> None:
    app = app_of(folder, clock)
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await opened(pilot, "n", "»scope", "enter", "a", "»one", "enter", "enter")
        await press(pilot, "a", "»two", "enter", "enter")

        def step() -> str:
            return screen.query_one("#next", ToldLines).render_line(0).text.strip()

        assert step() == "b composes what two is given and 1 more"
        assert app.session is not None
        own = OrchestrationSession.current(project=app.project)
        (folder / "store.py").write_text("x = 1\n")
        bundle = own.prepare_context("two", "scope", files=["store.py"])
        plan.change_planned_agent(
            app.project.record, app.session.session_id, 2, bundle_id=bundle.bundle_id
        )
        app.on_record_changed()
        await settled(pilot)
        assert screen._planned is not None and screen._planned.agent.agent_type == "one"
        assert step() == "b composes what one is given"
        await press(pilot, "down")
        assert step() == "↑ b composes what one is given"
        await press(pilot, "tab", "b")  # from the sessions it is for the one that is named
        assert isinstance(app.screen, ComposeScreen)
        assert app.screen.state.composition.agent_type == "one"


async def test_a_folder_that_is_no_project_says_so(tmp_path: Path, clock: FakeClock) -> None:
    app = app_of(tmp_path, clock)
    app.project.root = tmp_path  # whatever marks the folders above it
    async with app.run_test() as pilot:
        screen = await opened(pilot)
        assert "neither .git nor .claude" in screen.query_one(SessionRows).empty


# Sessions


async def test_going_into_a_plan_makes_it_the_session_of_the_app(
    project: Project, clock: FakeClock
) -> None:
    app = app_of(project.root, clock)
    async with app.run_test() as pilot:
        screen = await opened(pilot)
        assert listed(screen) == [NOW, DONE]
        assert app.session is not None and app.session.session_id == NOW
        await press(pilot, "down")
        assert app.session.session_id == NOW  # only looked at
        assert "Word index" in str(screen.query_one("#next-pane").border_title)
        assert screen.command() == "orch query --sessions"
        await press(pilot, "enter")
        assert app.session.session_id == DONE
        assert screen.query_one(SessionRows).rows[1].cells[0] == "✓▸"
        assert screen.command() == f"orch plan --session-id {DONE}"


async def test_the_app_begins_with_the_session_that_commands_mean(
    project: Project, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = sessions.init_session(project.record, "Newer", project=str(project.root)).session_id
    for chosen, meant in ((None, other), (NOW, NOW)):
        if chosen:
            monkeypatch.setenv("ORCH_SESSION", chosen)
        assert project.choose_session().session.session_id == meant
        app = app_of(project.root, clock)
        async with app.run_test() as pilot:
            await opened(pilot)
            assert app.session is not None and app.session.session_id == meant
    monkeypatch.delenv("ORCH_SESSION")
    for label in (NOW, other):
        sessions.complete_session(project.record, label)
    app = app_of(project.root, clock)
    async with app.run_test() as pilot:
        await opened(pilot)
        assert app.session is None, "as for commands none is open"


async def test_closing_and_archiving_ask_first(project: Project, clock: FakeClock) -> None:
    app = app_of(project.root, clock)
    async with app.run_test() as pilot:
        screen = await opened(pilot, "c")
        assert isinstance(app.screen, Choose)
        said = " ".join(str(part.render()) for part in app.screen.query(Static))
        assert "1 of 3 agents have not returned" in said
        await press(pilot, "escape")
        assert sessions.get_session(project.existing_record, NOW).status == "executing"
        await press(pilot, "c", "down", "enter")
        assert sessions.get_session(project.existing_record, NOW).status == "failed"
        await press(pilot, "x", "y")
        assert listed(screen) == [DONE]
        await press(pilot, "full_stop")
        assert listed(screen) == [NOW, DONE, OLD]
        assert screen.query_one(SessionRows).rows[2].cells[0] == "▪ "
        await press(pilot, "end", "x")
        assert sessions.get_session(project.existing_record, OLD).archived_at is None


async def test_moving_on_past_a_gate_asks_and_is_recorded(
    project: Project, clock: FakeClock
) -> None:
    app = app_of(project.root, clock)
    async with app.run_test() as pilot:
        await opened(pilot, "p")
        assert isinstance(app.screen, Confirm)
        said = " ".join(str(part.render()) for part in app.screen.query(Static))
        assert "1 of 3 agents have not returned" in said
        await press(pilot, "n")
        assert sessions.get_session(project.existing_record, NOW).phase == 3
        await press(pilot, "p", "y")
    session = sessions.get_session(project.existing_record, NOW)
    assert session.phase == 4
    entry = journal.list_journal(project.existing_record, session_id=NOW)[-1]
    assert entry.after["skipped_gates"] == ["returned: 1 of 3 agents have not returned"]


async def test_what_was_done_last_is_taken_back_whatever_it_was(
    project: Project, clock: FakeClock
) -> None:
    app = app_of(project.root, clock)
    async with app.run_test() as pilot:
        screen = await opened(pilot, "tab", "v", "p", "y", "x", "ctrl+z", "ctrl+z")
        assert (order(project), screen._page and screen._page.session.phase) == (PLAN, 3)
        assert notices(app)[-2:] == [
            "undone: removed 1 Explore",
            "undone: moved to phase 4 validate",
        ]
        await press(pilot, "Z")
        assert sessions.get_session(project.existing_record, NOW).phase == 4
        assert notices(app)[-1] == "done again: moved to phase 4 validate"


async def test_a_session_that_was_archived_is_brought_back(
    project: Project, clock: FakeClock
) -> None:
    app = app_of(project.root, clock)
    async with app.run_test() as pilot:
        screen = await opened(pilot, "x", "y")
        assert listed(screen) == [DONE]
        await press(pilot, "ctrl+z")
        assert listed(screen) == [NOW, DONE] and screen.query_one(SessionRows).key == NOW
        assert notices(app)[-1] == f"undone: archived it, in {NOW}"


async def test_going_back_to_a_phase_asks_nothing(project: Project, clock: FakeClock) -> None:
    app = app_of(project.root, clock)
    async with app.run_test() as pilot:
        await opened(pilot, "P", "down", "enter")
        assert app.session is not None and app.session.phase == 2


async def test_validating_is_recorded_and_meets_the_gate(
    project: Project, clock: FakeClock
) -> None:
    app = app_of(project.root, clock)
    async with app.run_test() as pilot:
        screen = await opened(pilot, "v")
        assert screen._page is not None
        assert [gate.met for gate in screen._page.gates if gate.name == "validated"] == [True]
        assert any("the plan is not valid" in said for said in notices(app))
    last = journal.list_journal(project.existing_record, session_id=NOW)[-1]
    assert (last.action, last.after["bundles_over_limit"]) == ("validate", ["bundle-003"])


# Planned agents


async def test_arrows_in_a_plan_without_agents_do_nothing(
    project: Project, clock: FakeClock
) -> None:
    session = sessions.init_session(project.record, "Nothing yet", project=str(project.root))
    app = app_of(project.root, clock)
    async with app.run_test() as pilot:
        screen = await opened(pilot)
        assert screen._sessions.key == session.session_id
        await press(pilot, "enter", "down", "up", "end")
        assert app.is_running
        assert not screen._agents.rows


async def test_what_is_wrong_takes_one_cell_and_is_told_below(
    project: Project, clock: FakeClock
) -> None:
    app = app_of(project.root, clock)
    async with app.run_test() as pilot:
        screen = await opened(pilot, "tab", "down", "down")
        rows = screen.query_one(AgentRows)
        assert [row.cells[-1] for row in rows.rows] == ["", "", "!", "!"]
        assert under_cursor(screen) == "test-writer"
        assert "'test-writer' is not defined" in screen.query_one("#detail", ToldLines).text
        await press(pilot, "down")
        assert under_cursor(screen) == "principle-evaluator"
        await press(pilot, "down", "end", "pagedown")
        assert under_cursor(screen) == "principle-evaluator"
        await press(pilot, "up")
        assert under_cursor(screen) == "test-writer"


async def test_keys_faster_than_the_disk_are_all_obeyed(project: Project, clock: FakeClock) -> None:
    app = app_of(project.root, clock)
    async with app.run_test() as pilot:
        screen = await opened(pilot, "tab")
        await pilot.press("shift+down", "shift+down", "shift+down", "shift+down", "shift+up")
        await settled(pilot)
        assert order(project) == ["task-implementor", "test-writer", "Explore", PLAN[3]]
        assert under_cursor(screen) == "Explore"
        await pilot.press(*["ctrl+z"] * 4)
        await settled(pilot)
        assert order(project) == PLAN


async def test_duplicate_remove_and_undo(project: Project, clock: FakeClock) -> None:
    app = app_of(project.root, clock)
    async with app.run_test() as pilot:
        screen = await opened(pilot, "tab", "down", "d")
        assert order(project) == [*PLAN[:2], *PLAN[1:]]
        assert screen.query_one(AgentRows).rows[screen.query_one(AgentRows).cursor].cells[0] == "3"
        await press(pilot, "x")
        assert order(project) == PLAN and under_cursor(screen) == "test-writer"
        waits = plan.list_waits(project.existing_record, NOW)
        await press(pilot, "x", "x")
        assert order(project) == PLAN[:2] and under_cursor(screen) == "task-implementor"
        await press(pilot, "ctrl+z", "ctrl+z")
        assert order(project) == PLAN
        assert plan.list_waits(project.existing_record, NOW) == waits
        assert "undone: removed 3 test-writer" in notices(app)


async def test_what_is_wrong_is_said_while_it_is_typed(project: Project, clock: FakeClock) -> None:
    app = app_of(project.root, clock)
    async with app.run_test() as pilot:
        await opened(pilot, "tab", "e", "»x")
        assert remarks(app) == [
            "! 'Explorex' is not defined in .claude/agents",
            "! bundle-001 was prepared for Explore",
        ]
        await press(pilot, "backspace", "tab", "tab", "tab", "tab", "»2", "enter")
        assert remarks(app) == ["✗ they wait for each other: 1 -> 2 -> 1"]
        assert isinstance(app.screen, Form)
        await press(pilot, "»x", "enter")
        assert remarks(app) == ["✗ '2x' is no number of the plan"]
        await press(pilot, "backspace", "backspace", "»9", "enter")
        assert remarks(app) == ["✗ the plan has no agent 9"]
        await press(pilot, "backspace", "enter")
        assert isinstance(app.screen, PlanScreen)
    assert plan.list_waits(project.existing_record, NOW)[1] == []


async def test_several_agents_to_wait_for_are_chosen_one_by_one(
    project: Project, clock: FakeClock
) -> None:
    app = app_of(project.root, clock)
    async with app.run_test() as pilot:
        await opened(pilot, "a", "»fork", "tab", "tab", "tab", "tab", "down", "»,", "down", "down")
        assert isinstance(app.screen, Form)
        assert app.screen.values["waits_for"] == "1, 3"
        await press(pilot, "enter")
        assert isinstance(app.screen, Form), "the suggestion is taken, no more"
        await press(pilot, "enter")
    assert plan.list_waits(project.existing_record, NOW)[5] == [1, 3]


@pytest.mark.parametrize("way", ["enter", "tab"])
async def test_enter_or_tab_takes_the_only_choice_there_is(
    project: Project, clock: FakeClock, way: str
) -> None:
    app = app_of(project.root, clock)
    async with app.run_test() as pilot:
        await opened(pilot, "a", "»expl")
        hint = app.screen.query_one("#hint", Static)
        assert "Enter  takes Explore" in str(hint.render()) and not remarks(app)
        await press(pilot, way, "»look around")
        assert isinstance(app.screen, Form)
        assert app.screen.values["agent_type"] == "Explore"
        assert app.screen.values["scope"] == "look around"
        await press(pilot, "shift+tab", *["backspace"] * 7, "»l", "tab")
        assert app.screen.values["agent_type"] == "l", "of several none is taken"


@pytest.mark.parametrize("size", vary([(60, 16), (80, 24), (120, 36)]))
async def test_the_keys_of_a_form_are_seen_at_any_size(
    project: Project, clock: FakeClock, size: tuple[int, int]
) -> None:
    app = app_of(project.root, clock)
    async with app.run_test(size=size) as pilot:
        await opened(pilot, "a", "»imp")
        hint = app.screen.query_one("#hint", Static)
        assert hint.region and app.screen.region.contains_region(hint.region)
        await press(pilot, "tab", "tab", "tab", "tab")
        assert app.screen.region.contains_region(app.screen.query_one("#hint").region)
        assert app.focused is not None and app.focused.region


async def test_what_runs_is_no_more_prepared(project: Project, clock: FakeClock) -> None:
    record = project.existing_record
    sessions.set_phase(record, NOW, 1)
    app = app_of(project.root, clock)
    async with app.run_test(size=(120, 36)) as pilot:
        await opened(pilot)
        told = app.screen.query_one("#next", ToldLines).text
        assert "p to phase 3, execute, where its agents are already" in told
        await press(pilot, "p", "enter")
    assert sessions.get_session(record, NOW).phase == 3


async def test_keys_typed_ahead_go_to_the_line_they_were_meant_for(
    project: Project, clock: FakeClock
) -> None:
    app = app_of(project.root, clock)
    async with app.run_test() as pilot:
        await opened(pilot, "a")
        for key in (*"fork", "tab", *"think"):  # at once, as a slow line delivers them
            app.post_message(Key(key, key if len(key) == 1 else None))
        await settled(pilot)
        assert isinstance(app.screen, Form)
        assert (app.screen.values["agent_type"], app.screen.values["scope"]) == ("fork", "think")


async def test_line_ends_in_a_scope_survive_the_form(project: Project, clock: FakeClock) -> None:
    scope = "first line\n\tsecond line\x1b[31m"
    plan.change_planned_agent(project.existing_record, NOW, 1, scope=scope)
    app = app_of(project.root, clock)
    async with app.run_test() as pilot:
        await opened(pilot, "tab", "e", "tab", "tab", "»opus", "enter")
        assert plan.get_planned_agent(project.existing_record, NOW, 1).scope == scope
        await press(pilot, "a", "»fork", "tab")
        field = app.screen.query_one("#field-scope", Input)
        field.post_message(Paste("one\r\ntwo\n"))
        await settled(pilot)
        await press(pilot, "enter")
    assert plan.get_planned_agent(project.existing_record, NOW, 5).scope == "one\ntwo"


async def test_what_was_typed_is_back_after_leaving(project: Project, clock: FakeClock) -> None:
    app = app_of(project.root, clock)
    async with app.run_test() as pilot:
        await opened(pilot, "a", "»fork", "tab", "»think", "escape", "a")
        assert isinstance(app.screen, Form)
        assert app.screen.values["scope"] == "think"
        assert "what you typed is back" in str(app.screen.query_one("#hint", Static).render())
        await press(pilot, "ctrl+z")
        assert set(app.screen.values.values()) == {""}
        await press(pilot, "escape", "a")
        assert set(app.screen.values.values()) == {""}


async def test_what_was_typed_is_kept_where_the_record_refuses_it(
    project: Project, clock: FakeClock
) -> None:
    app = app_of(project.root, clock)
    async with app.run_test() as pilot:
        screen = await opened(pilot, "tab", "end", "e", "tab", "»!")
        uid = screen.query_one(AgentRows).key
        plan.remove_planned_agent(project.existing_record, NOW, 4)  # somebody else, meanwhile
        await press(pilot, "enter")
        assert "not in the plan any more" in screen.query_one(Problem).text
        assert screen.query_one(Problem).has_class("-shown")
    assert '"Review!"' in app.drafts.load(f"planned-{uid}")


async def test_changes_of_others_appear_while_a_form_is_open(
    project: Project, clock: FakeClock
) -> None:
    app = app_of(project.root, clock)
    async with app.run_test() as pilot:
        screen = await opened(pilot, "tab", "down", "e", "tab", "»...")
        plan.add_planned_agent(project.existing_record, NOW, "Explore", position=1)
        app.on_record_changed()
        await settled(pilot)
        await press(pilot, "enter")
        assert [row.cells[2] for row in screen.query_one(AgentRows).rows[:2]] == ["Explore"] * 2
        assert under_cursor(screen) == "task-implementor"
    assert (
        plan.get_planned_agent(project.existing_record, NOW, 3).scope
        == "Implement the HNSW index..."
    )


async def test_the_place_comes_back(project: Project, clock: FakeClock) -> None:
    first = app_of(project.root, clock)
    async with first.run_test() as pilot:
        screen = await opened(pilot, "full_stop", "tab", "down", "down")
        remembered = screen.remember()
    again = PlanScreen()
    again.recollect(remembered)
    app = app_of(project.root, clock)
    async with app.run_test() as pilot:
        await app.push_screen(again)
        await settled(pilot)
        assert listed(again) == [NOW, DONE, OLD]
        assert under_cursor(again) == "test-writer"
        again.recollect({"session": 5, "agent": None, "archived": "yes"})
        assert not again._archived


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ["alpha", "beta", "gamma"]),
        ("BET", ["beta"]),
        ("a", ["alpha", "beta", "gamma"]),
        ("m", ["gamma"]),
        ("alpha", ["alpha", "beta", "gamma"]),
        ("delta", []),
    ],
)
def test_what_is_typed_may_become(text: str, expected: list[str]) -> None:
    field = Field("f", "f", choices=[(name, "") for name in ("beta", "alpha", "gamma")])
    assert sorted(value for value, _ in matching(field, text)) == expected
    assert [value for value, _ in matching(field, "a")][0] == "alpha"


# How it looks

Snap = Callable[..., bool]


def keys(*pressed: str) -> Callable[[Pilot[None]], Awaitable[None]]:
    async def run_before(pilot: Pilot[None]) -> None:
        await opened(pilot, *pressed)
        for line in pilot.app.screen.query(Input):
            line.cursor_blink = False

    return run_before


@in_looks(*EVERY_SIZE)
def test_how_it_looks(
    project: Project, clock: FakeClock, snap_compare: Snap, theme: str, size: tuple[int, int]
) -> None:
    app = still(project.root, clock)
    app.theme = theme
    assert snap_compare(app, terminal_size=size, run_before=keys("tab"))


@in_looks((60, 16), (60, 40), (100, 15), always=0)
def test_how_sessions_look(
    project: Project, clock: FakeClock, snap_compare: Snap, theme: str, size: tuple[int, int]
) -> None:
    app = still(project.root, clock)
    app.theme = theme
    assert snap_compare(app, terminal_size=size, run_before=keys())


@in_dialogs
@pytest.mark.parametrize("key", ["a", "c", "n"])
def test_how_dialogs_look(
    project: Project,
    clock: FakeClock,
    snap_compare: Snap,
    theme: str,
    size: tuple[int, int],
    key: str,
) -> None:
    app = still(project.root, clock)
    app.theme = theme
    assert snap_compare(app, terminal_size=size, run_before=keys("tab", key))


def test_how_nothing_looks(folder: Path, clock: FakeClock, snap_compare: Snap) -> None:
    assert snap_compare(still(folder, clock), terminal_size=(80, 24), run_before=keys())


def test_how_an_empty_plan_looks(project: Project, clock: FakeClock, snap_compare: Snap) -> None:
    app = still(project.root, clock)
    assert snap_compare(app, terminal_size=(140, 45), run_before=keys("down"))


def test_how_mistakes_look(project: Project, clock: FakeClock, snap_compare: Snap) -> None:
    pressed = keys("tab", "down", "e", "»x", "tab", "tab", "tab", "tab", "backspace", "»9")
    app = still(project.root, clock)
    assert snap_compare(app, terminal_size=(80, 24), run_before=pressed)


def test_how_a_gate_looks(project: Project, clock: FakeClock, snap_compare: Snap) -> None:
    app = still(project.root, clock)
    assert snap_compare(app, terminal_size=(80, 24), run_before=keys("p"))


def test_how_hostile_text_looks(project: Project, clock: FakeClock, snap_compare: Snap) -> None:
    hostile = "[bold]not markup[/] \x1b[31mred\u202ereversed [unclosed\nnext line"
    plan.change_planned_agent(project.existing_record, NOW, 1, agent_type=hostile, scope=hostile)
    app = still(project.root, clock)
    assert snap_compare(app, terminal_size=(80, 24), run_before=keys("tab", "e"))


def test_how_a_refusal_looks(project: Project, clock: FakeClock, snap_compare: Snap) -> None:
    async def run_before(pilot: Pilot[None]) -> None:
        await opened(pilot, "tab", "end", "e", "tab", "»!")
        plan.remove_planned_agent(project.existing_record, NOW, 4)
        await press(pilot, "enter")

    app = still(project.root, clock)
    assert snap_compare(app, terminal_size=(80, 24), run_before=run_before)


async def test_undone_the_cursor_stays_near(project: Project, clock: FakeClock) -> None:
    app = still(project.root, clock)
    async with app.run_test(size=(140, 45)) as pilot:
        screen = await opened(pilot, "enter", "down", "down", "d")
        line = screen._planned
        assert line is not None and line.agent.position == 4
        await press(pilot, "ctrl+z")
        line = screen._planned
        assert line is not None and line.agent.position == 4


async def test_beneath_a_form_no_other_keys_are_told(tmp_path: Path, clock: FakeClock) -> None:
    app = still(tmp_path, clock)
    async with app.run_test() as pilot:
        screen = await opened(pilot)
        before = screen.query_one(KeyLine).render_line(0).text
        assert "new session" in before and "archive " not in before
        await press(pilot, "n")
        screen.refresh_bindings()
        await pilot.pause()
        assert screen.query_one(KeyLine).render_line(0).text == before


async def test_a_planned_agent_goes_on_in_compose(project: Project, clock: FakeClock) -> None:
    from orch_tui.screens.compose.screen import ComposeScreen

    app = still(project.root, clock)
    async with app.run_test(size=(140, 45)) as pilot:
        screen = await opened(pilot, "enter")
        agent = screen._planned
        assert agent is not None
        await pilot.press("b")
        await settled(pilot)
        compose = app.screen
        assert isinstance(compose, ComposeScreen)
        assert compose.state.composition.agent_type == agent.agent.agent_type
        assert compose.state.composition.bundle_id == (agent.agent.bundle_id or "")


async def test_a_bundle_begun_from_the_plan_takes_letters_at_once(
    project: Project, clock: FakeClock
) -> None:
    app = still(project.root, clock)
    async with app.run_test(size=(140, 45)) as pilot:
        await opened(pilot, "enter", "a", "»reviewer", "enter", "enter")
        await press(pilot, "f2", "escape", "f1")  # the tree of Compose has the focus
        await press(pilot, "b")
        box = app.screen.query_one("#filter", Input)
        assert app.focused is box and not box.value


async def test_a_broken_agent_file_costs_only_itself(project: Project, clock: FakeClock) -> None:
    agents = project.root / ".claude" / "agents"
    agents.mkdir(parents=True, exist_ok=True)
    (agents / "broken.md").write_bytes(b"---\nname: [unclosed\n\xff\xfe---\n")
    (agents / "fine.md").write_text("---\nname: fine-agent\ndescription: d\n---\nDo it.\n")
    app = still(project.root, clock)
    async with app.run_test(size=(140, 45)) as pilot:
        screen = await opened(pilot, "enter", "a", "»fine-a", "down", "enter", "enter")
        page = screen._page
        assert page is not None
        assert "fine-agent" in [line.agent.agent_type for line in page.agents]


async def test_the_scope_and_the_limits_of_a_session_are_changed(
    project: Project, clock: FakeClock
) -> None:
    async with still(project.root, clock).run_test(size=(120, 36)) as pilot:
        screen = await opened(pilot)
        screen.query_one(SessionRows).focus()
        await press(pilot, "e")
        form = pilot.app.screen
        assert isinstance(form, Form)
        fields = {"scope": "Search with filters", "budget": "9,000", "warn_threshold": "60 %"}
        for name, text in fields.items():
            form.query_one(f"#field-{name}", Input).value = text
        form.query_one("#field-scope", Input).focus()
        await press(pilot, "enter")
        session = sessions.get_session(project.record, NOW)
        assert (session.scope, session.budget) == ("Search with filters", 9_000)
        limits = load_session_budget(project.record, NOW, project.limits).limits
        assert (limits.warn_threshold, limits.critical_threshold) == (0.6, 0.9)
        assert "of 9.0k" in screen.query_one("#next", ToldLines).text
        assert screen._page and screen._page.budget.warn_threshold == 0.6


async def test_deploy_shows_the_run_that_is_to_be_looked_at(
    project: Project, clock: FakeClock
) -> None:
    (label,) = (
        row[0]
        for row in project.record.sql(
            "SELECT execution_id FROM agent_executions "
            "WHERE session_id = ? AND status = 'deployed'",
            [NOW],
        )
    )
    record_completion(project.record, label, status="failed", error_message="no room")
    async with app_of(project.root, clock).run_test(size=(120, 36)) as pilot:
        await settled(pilot)
        await press(pilot, "f3")
        assert pilot.app.screen.query_one("#runs", Rows).key == label
