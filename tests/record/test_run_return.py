"""A return is recorded with all that came with it, or not at all."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from orch_tui.errors import OrchError, UsageError
from orch_tui.models.database import Record
from orch_tui.record.executions import get_execution
from orch_tui.record.messages.findings import Findings
from orch_tui.record.outputs import list_execution_outputs
from orch_tui.record.run_return import record_return
from orch_tui.record.sessions import init_session
from tests.record.reporting import report

MESSAGE = "Created `a.py`.\n\n## Validation\n- tests: pass\n"


@pytest.fixture
def label(record: Record) -> str:
    init_session(record, "x", project="/p", session_id="s")
    with record.write():
        columns = {"session_id": "s", "agent_type": "Explore"}
        return report(record, "deployed", columns, source="manual")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "a.py").write_text("x\n")
    return tmp_path


def kept(record: Record, label: str) -> set[tuple[Any, ...]]:
    outputs = list_execution_outputs(record, label)
    return {(each.output_type, each.path or each.text, each.found) for each in outputs}


def test_what_a_message_tells_is_given_and_not_recorded_unasked(
    record: Record, label: str, root: Path
) -> None:
    recorded, findings = record_return(record, label, root=root, final_message=MESSAGE)
    assert recorded.execution.status == "completed"
    assert findings and findings.validation == {"tests": "pass"}
    assert kept(record, label) == set()


def test_what_was_found_is_marked_and_what_was_claimed_is_not(
    record: Record, label: str, root: Path
) -> None:
    record_return(
        record,
        label,
        root=root,
        final_message=MESSAGE.encode(),
        insights=["slow"],
        errors=["flaky"],
        collect=True,
    )
    assert kept(record, label) == {
        ("deliverable", "a.py", True),
        ("validation_result", '{"tests": "pass"}', True),
        ("insight", "slow", False),
        ("error", "flaky", False),
    }


def test_findings_that_somebody_left_are_recorded_instead(
    record: Record, label: str, root: Path
) -> None:
    nothing = Findings((), (), (), ())
    _, findings = record_return(
        record, label, root=root, final_message=MESSAGE, collect=nothing, deliverable_paths=["a.py"]
    )
    assert findings == nothing
    assert kept(record, label) == {("deliverable", "a.py", False)}


def test_without_a_message_nothing_is_found(record: Record, label: str, root: Path) -> None:
    recorded, findings = record_return(
        record, label, root=root, collect=True, status="failed", error_message="cut off"
    )
    assert findings is None
    assert (recorded.execution.status, recorded.execution.error_message) == ("failed", "cut off")


def test_where_a_part_fails_nothing_is_recorded(record: Record, label: str, root: Path) -> None:
    record.execute(
        "CREATE TEMP TRIGGER refuse BEFORE INSERT ON main.outputs "
        "BEGIN SELECT RAISE(ABORT, 'refused'); END"
    )
    with pytest.raises(OrchError):
        record_return(record, label, root=root, final_message=MESSAGE, insights=["slow"])
    assert get_execution(record, label).status == "deployed"
    record.execute("DROP TRIGGER temp.refuse")
    record_return(record, label, root=root, final_message=MESSAGE, insights=["slow"])
    assert kept(record, label) == {("insight", "slow", False)}


def test_a_status_that_does_not_exist_is_refused(record: Record, label: str, root: Path) -> None:
    with pytest.raises(UsageError):
        record_return(record, label, root=root, status="lost")
    assert get_execution(record, label).status == "deployed"
