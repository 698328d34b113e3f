"""Writers are killed at random moments; what they had acknowledged is there, and whole."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from orch_tui.models.database import Record
from orch_tui.record.ledger.rebuild import find_stale_executions
from orch_tui.record.upkeep.doctor import examine_record
from orch_tui.search import maintenance
from tests.counts import COUNTS, SEED

ROOT = Path(__file__).parents[2]
ROUNDS = COUNTS.histories
"""Each kills two writers."""


@pytest.mark.slow
@pytest.mark.deep
def test_nothing_acknowledged_is_lost(record: Record) -> None:
    result = subprocess.run(
        [
            *(sys.executable, "-m", "tests.record.writers", "kill"),
            *(str(record.path), str(ROUNDS), str(SEED)),
        ],
        cwd=ROOT,
        input="",
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.stderr == ""
    rounds = [line.split() for line in result.stdout.splitlines()]
    assert [ended[:2] for ended in rounds] == [["-9", "-9"]] * ROUNDS  # killed, none gave up
    acknowledged = {label for ended in rounds for label in ended[2:]}
    assert len(acknowledged) > ROUNDS
    whole = record.sql(
        "SELECT e.execution_id FROM agent_executions AS e JOIN completions USING (execution_id) "
        "JOIN contents ON content_id = completions.message_id "
        "WHERE e.status = 'completed' AND final_message LIKE e.scope || ' done.%'"
    )
    assert acknowledged <= {label for (label,) in whole}
    assert record.value("PRAGMA integrity_check") == "ok"
    assert record.sql("PRAGMA foreign_key_check") == []
    assert maintenance.check(record) == []
    assert list(find_stale_executions(record)) == []
    assert [f for f in examine_record(record.path) if f.level != "ok"] == []


@pytest.mark.slow
def test_what_was_begun_is_whole_or_not_there(record: Record) -> None:
    """A deployment that was cut off left no row behind, nor did a return."""
    subprocess.run(
        [*(sys.executable, "-m", "tests.record.writers", "kill"), str(record.path), "40", "11"],
        cwd=ROOT,
        input="",
        capture_output=True,
        check=True,
    )
    torn = record.sql(
        "SELECT execution_id FROM agent_executions AS e WHERE NOT EXISTS "
        "(SELECT 1 FROM observations AS o WHERE o.execution_id = e.execution_id "
        "AND o.kind = 'deployed') "
        "OR (status = 'completed') <> EXISTS (SELECT 1 FROM completions AS c "
        "WHERE c.execution_id = e.execution_id) "
        "OR NOT EXISTS (SELECT 1 FROM journal AS j WHERE j.execution_id = e.execution_id)"
    )
    assert torn == []
