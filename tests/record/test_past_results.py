"""What a past run gave back, as context for the next one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from orch_tui.errors import NotFoundError
from orch_tui.models.database import Record
from orch_tui.record.completion import record_completion
from orch_tui.record.outputs import collect_outputs
from orch_tui.record.past_results import read_past_result
from orch_tui.record.sessions import init_session
from orch_tui.record.upkeep.redaction import redact_secret
from tests.record.reporting import report


@pytest.fixture
def label(record: Record) -> str:
    init_session(record, "x", project="/p", session_id="s")
    with record.write():
        columns = {"session_id": "s", "agent_type": "Explore"}
        return report(record, "deployed", columns, source="manual")


def test_the_latest_message_comes_byte_for_byte(record: Record, label: str) -> None:
    assert read_past_result(record, label, "message") == b""
    record_completion(record, label, final_message=b"First \xff")
    assert read_past_result(record, label, "message") == b"First \xff"
    record_completion(
        record, label, final_message=b"Second.\n", completed_at="2026-11-23T10:00:00Z"
    )
    assert read_past_result(record, label, "message") == b"Second.\n"


def test_a_message_that_was_redacted_is_what_is_shown(record: Record, label: str) -> None:
    record_completion(record, label, final_message=b"It is skliveTOPSECRETq7Zx.")
    redact_secret(record, "skliveTOPSECRETq7Zx", "pasted")
    assert read_past_result(record, label, "message") == b"It is [redacted]."


def test_outputs_stand_by_type_the_latest_of_each_file(
    record: Record, label: str, tmp_path: Path
) -> None:
    assert read_past_result(record, label, "outputs") == b""
    validations: list[dict[str, Any]] = [{"tests": "fail"}, {"tests": "pass", "coverage": 85}]
    for size, validation in enumerate(validations, start=1):
        (tmp_path / "a.py").write_text("x" * 1000 * size)
        collect_outputs(
            record,
            label,
            root=tmp_path,
            deliverable_paths=["a.py", "gone.py"],
            validation=validation,
            insights=[f"insight {size}\nin two lines"],
        )
    collect_outputs(record, label, root=tmp_path, errors=["no disk"])
    assert read_past_result(record, label, "outputs").decode() == (
        f"# Outputs of {label} (Explore)\n"
        "\n## Deliverables\n\n- a.py (2,000 bytes)\n- gone.py (missing)\n"
        "\n## Validation results\n\n- tests: pass\n- coverage: 85\n"
        "\n## Insights\n\n- insight 1\n  in two lines\n- insight 2\n  in two lines\n"
        "\n## Errors\n\n- no disk\n"
    )


def test_an_unknown_run_comes_with_the_nearest(record: Record, label: str) -> None:
    for what in ("message", "outputs"):
        with pytest.raises(NotFoundError) as unknown:
            read_past_result(record, f"{label}x", what)
        assert label in unknown.value.hint
