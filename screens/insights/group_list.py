"""The runs behind a figure of the insights, where no query of History asks for them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from orch_tui.screens.dialogs import Pick
from orch_tui.screens.widgets.row_list import Column, Row
from orch_tui.screens.widgets.safe import one_line
from orch_tui.screens.widgets.words import state_of
from orch_tui.times import ago

if TYPE_CHECKING:
    from orch_tui.recall.insights.group_runs import GroupRun
    from orch_tui.recall.show import Shown
    from orch_tui.screens.orch_screen import OrchScreen

COLUMNS = (
    Column("", 10, state=True, gives_way=-1),
    Column("agent type", 22, bold=True, gives_way=-1),
    Column("what for"),
    Column("when", 6, right=True, gives_way=1),
    Column("run", 9, own="dim", gives_way=2),
)


def group_name(row: dict[str, Any]) -> str | int | None:
    """Return the name of the group that a row of figures is of; None: it is not recorded."""
    name: str | int | None = next(iter(row.values()))
    return name


def figures_name(part: str, row: dict[str, Any], names: Mapping[str, str]) -> str:
    """Name the runs that a row is of."""
    name = group_name(row)
    if name is None:
        return "Runs of which that is not recorded"
    if part == "by_attempt":
        return f"Attempt {name} of what was planned, or done again"
    called = names.get(f"{name}", "")
    return " · ".join(filter(None, (f"Runs of {name}", one_line(called, 60))))


def show_group_runs(
    screen: OrchScreen, part: str, name: str | int | None, title: str, session_id: str | None
) -> None:
    """Show the newest runs of a group; Enter opens one whole."""
    project = screen.app.project

    def work() -> list[GroupRun]:
        from orch_tui.recall.insights.group_runs import list_group_runs

        return list_group_runs(
            project.existing_record,
            part,
            name,
            project=project.project_filter,
            session_id=session_id,
        )

    def choose(runs: list[GroupRun]) -> None:
        now = project.now()
        rows = [_draw(run, now) for run in runs]
        asked = Pick(title, COLUMNS, rows, find_in=(1, 2, 4), enter="opens the run")
        screen.app.push_screen(asked, lambda label: screen.read_run(label or "", open_run))

    def open_run(shown: Shown | None) -> None:
        from orch_tui.screens.history.run_view import Run

        if shown is not None:
            screen.app.push_screen(Run(shown, "said"))

    screen.run_in_thread(work, choose, group="group")


def _draw(run: GroupRun, now: str) -> Row:
    state, style = state_of(run.status, run.unverified, run.success)
    what = one_line(run.scope or "", 200)
    cells = (state, one_line(run.agent_type, 60), what, ago(run.at, now), run.execution_id)
    return Row(run.execution_id, cells, style)
