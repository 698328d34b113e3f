"""No handler keeps the event loop, however much there is; the figures are in ``tests.bench``."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from orch_tui.project import Project
from tests.bench.handlers import Block, longest, walk_counting_calls
from tests.bench.screens import tree
from tests.counts import HANGS_AFTER

FEW, MUCH = 550, 1_800  # a page of History has 200, the runs in Plan 500

STYLES = 0.02
"""How much more styling the same widgets takes where other rules were looked up before."""


@pytest.mark.deep
@pytest.mark.slow
@pytest.mark.skipif(
    os.environ.get("ORCH_TESTS") != "deep", reason="it depends on what is counted meanwhile"
)
def test_no_handler_does_more_the_more_there_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What another process records is heard on whatever screen is open then: once, at the start.
    monkeypatch.setattr("orch_tui.screens.record_watch.LOOK_EVERY", HANGS_AFTER)
    few, much = (_walked(tmp_path / str(size), size) for size in (FEW, MUCH))
    assert {"HistoryScreen._found", "ProjectFiles._project_listed", "InsightsScreen._took"} <= {
        name.partition(".<")[0] for name in much
    }
    more = {
        name: block.taken - few[name].taken * (1 + STYLES)
        for name, block in much.items()
        if name in few
    }
    assert {name: calls for name, calls in more.items() if calls > MUCH - FEW} == {}


def _walked(root: Path, size: int) -> dict[str, Block]:
    """The most calls that each handler makes in a project of so many files and runs."""
    tree(root, size)
    project = Project(root)
    with project.record.write():
        project.record.execute(
            "INSERT INTO sessions (session_id, scope, status) VALUES ('s', 'all', 'executing')"
        )
        project.record.execute(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?) "
            "INSERT INTO agent_executions (execution_id, session_id, agent_type, deployed_at, "
            "status, scope, source, revision) SELECT 'exec-' || i, 's', 'reviewer', "
            "strftime('%Y-%m-%dT%H:%M:%S.000Z', 1700000000 + i * 600, 'unixepoch'), "
            "'completed', 'run ' || i, 'manual', 1 FROM n",
            [size],
        )
        project.record.execute(
            "INSERT INTO execution_keys (key, execution_id) "
            "SELECT 'id:' || execution_id, execution_id FROM agent_executions"
        )
    taken = walk_counting_calls(project)
    return {block.handler: block for block in longest(taken, len(taken))}
