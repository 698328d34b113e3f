"""What the lists show: the right rows, newest first, under every filter."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from orch_tui.errors import NotFoundError, UsageError
from orch_tui.models.database import Record
from orch_tui.recall import listing
from orch_tui.record.completion import record_completion
from orch_tui.record.executions import retract_execution
from orch_tui.record.ledger.raw_sql import ingest_noted_changes
from orch_tui.record.outputs import collect_outputs
from orch_tui.record.sessions import archive_session, complete_session, init_session
from tests.record.reporting import report

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def _session(record: Record, project: str = "/p", session_id: str | None = None) -> str:
    return init_session(record, "a scope", project=project, session_id=session_id).session_id


def _run(
    record: Record,
    session_id: str,
    agent_type: str = "implementor",
    *,
    at: str = "2026-11-22T09:00:00.000Z",
    model: str | None = None,
) -> str:
    payload = {
        "session_id": session_id,
        "agent_type": agent_type,
        "model": model,
        "deployed_at": at,
    }
    with record.write():
        execution_id = report(record, "deployed", payload, source="hook", at=at)
    return execution_id


def _labels(rows: list[Any]) -> list[str]:
    return [row.execution_id for row in rows]


def test_executions_come_newest_first_also_those_seen_only_when_they_returned(
    record: Record,
) -> None:
    session = _session(record)
    old = _run(record, session, at="2026-11-20T09:00:00.000Z")
    new = _run(record, session, at="2026-11-22T09:00:00.000Z")
    with record.write():
        between = report(
            record,
            "returned",
            {
                "session_id": session,
                "agent_type": "implementor",
                "status": "completed",
                "completed_at": "2026-11-21T09:00:00.000Z",
            },
            source="hook",
            keys=["agent:c/1"],
        )
    assert _labels(listing.list_executions(record)) == [new, between, old]
    assert _labels(listing.list_executions(record, limit=1)) == [new]
    assert _labels(listing.list_executions(record, since="2026-11-21")) == [new, between]
    assert _labels(listing.list_executions(record, until="2026-11-21")) == [between, old]
    assert _labels(listing.list_executions(record, since="2026-11-21", until="2026-11-21")) == [
        between
    ]


def test_executions_by_each_filter(record: Record) -> None:
    here, there = _session(record, "/here"), _session(record, "/there")
    one = _run(record, here, "debugger", model="opus")
    other = _run(record, there, "implementor", model="sonnet")
    with record.write():
        report(
            record,
            "noted",
            {"resolved_model": "claude-sonnet-5"},
            source="import",
            keys=[f"id:{other}"],
        )
    record_completion(record, other, final_message="done")
    assert _labels(listing.list_executions(record, session_id=here)) == [one]
    assert _labels(listing.list_executions(record, project=("/there",))) == [other]
    assert _labels(listing.list_executions(record, agent_type="debugger")) == [one]
    assert _labels(listing.list_executions(record, status="completed")) == [other]
    assert _labels(listing.list_executions(record, model="opus")) == [one]
    assert _labels(listing.list_executions(record, model="claude-sonnet-5")) == [other]
    assert listing.list_executions(record, agent_type="debugger", project=("/there",)) == []


def test_hidden_are_the_archived_unless_asked_for_and_always_the_retracted(
    record: Record, tmp_path: Path
) -> None:
    kept, away = _session(record), _session(record)
    shown, hidden, wrong = _run(record, kept), _run(record, away), _run(record, kept)
    for execution_id in (shown, hidden, wrong):
        collect_outputs(record, execution_id, root=tmp_path, insights=["learnt"])
    archive_session(record, away)
    retract_execution(record, wrong, "recorded by mistake")
    assert _labels(listing.list_executions(record)) == [shown]
    assert _labels(listing.list_executions(record, session_id=away)) == [hidden]
    assert set(_labels(listing.list_executions(record, include_archived=True))) == {shown, hidden}
    assert _labels(listing.list_outputs(record)) == [shown]
    assert _labels(listing.list_outputs(record, session_id=away)) == [hidden]
    assert _labels(listing.list_outputs(record, execution_id=hidden)) == [hidden]
    assert listing.list_outputs(record, execution_id=wrong) == []
    assert [s.session_id for s in listing.list_sessions(record)] == [kept]
    assert len(listing.list_sessions(record, include_archived=True)) == 2


def test_sessions_by_each_filter(record: Record) -> None:
    first, second = _session(record, "/a"), _session(record, "/b")
    _run(record, first, "debugger")
    complete_session(record, second)

    def found(**filters: Any) -> list[str]:
        return [session.session_id for session in listing.list_sessions(record, **filters)]

    assert found() == [second, first]
    assert found(limit=1) == [second]
    assert found(agent_type="debugger") == [first]
    assert found(status="completed") == [second]
    assert found(project=("/a",)) == [first]
    assert found(since="2026-11-23") == []
    assert found(since="2026-11-22", until="2026-11-22") == [second, first]


def test_outputs_by_each_filter(record: Record, tmp_path: Path) -> None:
    session, other_session = _session(record), _session(record, "/other")
    one, other = _run(record, session, "debugger"), _run(record, other_session)
    collect_outputs(record, one, root=tmp_path, insights=["first"], validation={"lint": "pass"})
    collect_outputs(record, other, root=tmp_path, insights=["second"])

    def found(**filters: Any) -> list[str]:
        return [output.text for output in listing.list_outputs(record, **filters)]

    assert found() == ["second", "first", '{"lint": "pass"}']
    assert found(limit=1) == ["second"]
    assert found(agent_type="debugger", output_type="insight") == ["first"]
    assert found(session_id=session) == ["first", '{"lint": "pass"}']
    assert found(execution_id=other) == ["second"]
    assert found(project=("/other",)) == ["second"]
    assert found(since="2026-11-23") == []


@pytest.mark.parametrize(
    "call",
    [
        lambda r: listing.list_executions(r, status="in_progress"),
        lambda r: listing.list_executions(r, since="soon"),
        lambda r: listing.list_executions(r, limit=-1),
        lambda r: listing.list_sessions(r, status="deployed"),
        lambda r: listing.list_outputs(r, output_type="file"),
    ],
)
def test_what_cannot_be_listed_is_named(record: Record, call: Any) -> None:
    with pytest.raises(UsageError):
        call(record)


def test_unknown_ids_come_with_the_nearest(record: Record) -> None:
    session = _session(record)
    execution = _run(record, session)
    with pytest.raises(NotFoundError) as unknown:
        listing.list_executions(record, session_id=session[:-1] + "9")
    assert session in unknown.value.hint
    with pytest.raises(NotFoundError) as unknown:
        listing.list_outputs(record, execution_id="exec-009")
    assert execution in unknown.value.hint


def test_the_output_json_of_the_proposal(record: Record, tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("pass\n")
    execution = _run(record, _session(record), "implementor", model="sonnet")
    collect_outputs(
        record,
        execution,
        root=tmp_path,
        deliverable_paths=["a.py", "gone.py"],
        validation={"lint": "pass", "coverage": 85},
    )
    (*_, deliverable) = listing.list_outputs(record, output_type="deliverable")
    shown = listing.output_to_dict(deliverable)
    assert list(shown)[:6] == [
        "output_id",
        "execution_id",
        "output_type",
        "content",
        "created_at",
        "metadata",
    ]
    assert shown["content"] == {
        "file_path": "a.py",
        "lines_added": None,
        "lines_modified": None,
        "validation": {"lint": "pass", "coverage": 85},
    }
    assert shown["metadata"] == {
        "agent_type": "implementor",
        "model": "sonnet",
        "related_files": ["gone.py"],
    }
    assert shown["sha256"] == deliverable.sha256
    json.dumps(shown)


def test_texts_stay_texts_and_bare_paths_get_the_shape(record: Record) -> None:
    execution = _run(record, _session(record))
    for kind, content in [
        ("deliverable", "lib/a.py"),
        ("insight", "[x] is no JSON"),
        ("insight", "42"),
    ]:
        record.execute(
            "INSERT INTO outputs (execution_id, output_type, content) VALUES (?, ?, ?)",
            [execution, kind, content],
        )
    contents = [
        listing.output_to_dict(output)["content"]
        for output in sorted(listing.list_outputs(record), key=lambda o: o.output_id)
    ]
    assert contents == [
        {"file_path": "lib/a.py", "lines_added": None, "lines_modified": None, "validation": {}},
        "[x] is no JSON",
        "42",
    ]


def test_the_latest_version_of_each_deliverable_against_the_disk(
    record: Record, tmp_path: Path
) -> None:
    execution = _run(record, _session(record))
    for name in ("same", "changed", "removed", "twice"):
        (tmp_path / name).write_text("one\n")
    paths = ["same", "changed", "removed", "twice", "never"]
    collect_outputs(record, execution, root=tmp_path, deliverable_paths=paths)
    (tmp_path / "twice").write_text("two\n")
    collect_outputs(record, execution, root=tmp_path, deliverable_paths=["twice"])
    (tmp_path / "changed").write_text("other\n")
    (tmp_path / "removed").unlink()
    (tmp_path / "bare").write_text("who knows\n")
    record.execute(
        "INSERT INTO outputs (execution_id, output_type, content) VALUES (?, 'deliverable', ?)",
        [execution, "bare"],
    )
    states = listing.deliverable_states(listing.list_outputs(record), tmp_path)
    assert {state.path: (state.state, state.versions) for state in states} == {
        "bare": ("not known", 1),
        "changed": ("changed since", 1),
        "never": ("missing", 1),
        "removed": ("missing", 1),
        "same": ("unchanged", 1),
        "twice": ("unchanged", 2),
    }


def test_the_latest_result_of_a_check_and_who_said_it() -> None:
    early, late = "2026-11-22T10:00:00.000Z", "2026-11-22T11:00:00.000Z"
    said: list[listing.Said] = [
        ("e", "deliverable", '{"validation": {"tests": "fail", "types": "pass"}}', False, early),
        ("e", "validation_result", '{"tests": "pass", "coverage": 85}', False, early),
        ("e", "validation_result", '{"tests": "fail", "lint": "fail"}', True, late),
        ("e", "deliverable", '{"validation": {"tests": "fail"}}', False, late),
        ("f", "validation_result", "format:passed, lint:FAIL", False, early),
        ("f", "validation_result", "all is well", False, early),
        ("g", "error", '{"tests": "fail"}', False, early),
    ]
    results = listing.latest_results(said)
    assert {check: result.value for check, result in results["e"].items()} == {
        "tests": "pass",
        "types": "pass",
        "coverage": 85,
        "lint": "fail",
    }
    assert results["e"]["lint"].found and not results["e"]["tests"].found
    assert {check: result.value for check, result in results["f"].items()} == {
        "format": "pass",
        "lint": "fail",
    }
    assert "g" not in results


def test_what_raw_sql_inserted_is_listed(record: Record) -> None:
    session = _session(record)
    record.execute(
        "INSERT INTO agent_executions (execution_id, session_id, agent_type, status) "
        "VALUES ('mine', ?, 'debugger', 'completed')",
        [session],
    )
    with record.write():
        ingest_noted_changes(record)
    assert _labels(listing.list_executions(record, status="completed")) == ["mine"]


def test_the_runs_of_sessions_are_counted_without_what_was_retracted(record: Record) -> None:
    one, other = _session(record), _session(record)
    retract_execution(record, [_run(record, one), _run(record, one), _run(record, other)][0], "no")
    assert listing.count_runs(record, [one, other]) == 2
    assert listing.count_runs(record, []) == 0
