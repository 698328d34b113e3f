"""Whether what a session delivered holds: what is stored, and the disk."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from orch_tui.errors import NotFoundError
from orch_tui.models.database import Record
from orch_tui.recall.output_validation import validate_outputs
from orch_tui.record import plan
from orch_tui.record.ledger import journal
from orch_tui.record.outputs import collect_outputs
from orch_tui.record.sessions import init_session
from tests.recall.runs import ALL_PASS, run_agent


def test_outputs_hold_when_all_is_there_and_passed(
    record: Record, session_id: str, tmp_path: Path
) -> None:
    (tmp_path / "a.py").write_text("x\n")
    execution = run_agent(record, session_id)
    collect_outputs(
        record, execution, root=tmp_path, deliverable_paths=["a.py"], validation=ALL_PASS
    )
    validation = validate_outputs(record, session_id, tmp_path)
    assert validation.ok
    assert validation.not_recorded == ()
    assert [(d.path, d.state) for d in validation.deliverables] == [("a.py", "unchanged")]
    assert validation.executions[0].results["tests"].value == "pass"


def test_what_failed_is_missing_or_unrecorded_is_named(
    record: Record, session_id: str, tmp_path: Path
) -> None:
    (tmp_path / "a.py").write_text("x\n")
    one, two, three = (run_agent(record, session_id, e) for e in ("completed", "failed", None))
    collect_outputs(
        record,
        one,
        root=tmp_path,
        deliverable_paths=["a.py", "gone.py"],
        validation={"lint": "fail", "tests": "pass"},
    )
    (tmp_path / "a.py").write_text("y\n")
    validation = validate_outputs(record, session_id, tmp_path)
    assert not validation.ok
    assert validation.failed == (f"lint failed for {one}", f"{two} (implementor) failed")
    assert validation.missing == (f"gone.py ({one})",)
    assert validation.changed == (f"a.py ({one})",)
    assert validation.waiting == (f"{three} (implementor) has not returned",)
    assert validation.not_recorded == (f"format, types ({one})",)


def test_the_check_is_kept_in_the_journal(record: Record, session_id: str, tmp_path: Path) -> None:
    collect_outputs(
        record, run_agent(record, session_id), root=tmp_path, validation={"tests": "fail"}
    )
    validation = validate_outputs(record, session_id, tmp_path)
    (*_, entry) = journal.list_journal(record, session_id=session_id)
    assert entry.action == "validate-outputs"
    assert entry.after["ok"] is False
    assert entry.after["failed"] == list(validation.failed)
    json.dumps(validation.to_dict())


def test_a_later_attempt_stands_for_the_earlier(
    record: Record, session_id: str, tmp_path: Path
) -> None:
    plan.add_planned_agent(record, session_id, "implementor")
    first = run_agent(record, session_id, "failed", planned=1)
    collect_outputs(record, first, root=tmp_path, validation={"tests": "fail"})
    second = run_agent(record, session_id, planned=1)
    collect_outputs(record, second, root=tmp_path, validation=ALL_PASS)
    validation = validate_outputs(record, session_id, tmp_path)
    assert validation.ok and validation.failed == ()
    assert [each.superseded for each in validation.executions] == [True, False]


def test_a_missing_deliverable_alone_is_not_ok(
    record: Record, session_id: str, tmp_path: Path
) -> None:
    collect_outputs(
        record, run_agent(record, session_id), root=tmp_path, deliverable_paths=["gone.py"]
    )
    assert not validate_outputs(record, session_id, tmp_path).ok


def test_coverage_below_its_target_fails(record: Record, tmp_path: Path) -> None:
    session = init_session(
        record, "a scope", project=str(tmp_path), metadata={"coverage_target": 90}
    ).session_id
    execution = run_agent(record, session)
    collect_outputs(record, execution, root=tmp_path, validation={**ALL_PASS, "coverage": 85})
    validation = validate_outputs(record, session, tmp_path)
    assert validation.failed == (f"coverage 85 of {execution} is below 90",)


def test_an_unknown_session_comes_with_the_nearest(
    record: Record, session_id: str, tmp_path: Path
) -> None:
    with pytest.raises(NotFoundError) as unknown:
        validate_outputs(record, session_id[:-1] + "9", root=tmp_path)
    assert session_id in unknown.value.hint
