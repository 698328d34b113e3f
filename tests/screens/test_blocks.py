"""No handler keeps the event loop, however much there is; the figures are in ``tests.bench``."""

from __future__ import annotations

import gc
from pathlib import Path

from orch_tui.project import Project
from tests.bench.handlers import longest, walk
from tests.bench.screens import tree

MUCH = 4_000


def test_no_handler_takes_longer_the_more_there_is(tmp_path: Path) -> None:
    root = tmp_path / "spotter"
    tree(root, MUCH)
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
            [MUCH],
        )
        project.record.execute(
            "INSERT INTO execution_keys (key, execution_id) "
            "SELECT 'id:' || execution_id, execution_id FROM agent_executions"
        )
    gc.freeze()  # what other tests left would be looked through in the middle of a handler
    try:
        taken = walk(project)
    finally:
        gc.unfreeze()
    handlers = {block.handler for block in taken}
    assert {"HistoryScreen._found", "ProjectFiles._walked", "InsightsScreen._took"} <= {
        name.partition(".<")[0] for name in handlers
    }
    # 16 ms is the aim; what grows with the project or the record takes far more than this
    assert longest(taken)[0].seconds < 0.1, longest(taken)
