"""What final messages tell of is kept as found, in whichever way a return is recorded."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from orch_tui.api import OrchestrationSession
from orch_tui.models import facts
from orch_tui.models.database import Record
from orch_tui.project import Project
from orch_tui.record import outputs
from orch_tui.record.executions import select_executions
from orch_tui.record.found_outputs import WRITTEN_SINCE, collect_found
from tests.record import hook_events as hooks
from tests.record.claude_home import S1, Transcript, done, launch, notification

SAID = """Created `lib/made.py`.

## Validation
- tests: pass

## Key findings
- The index is sorted.
"""
FOUND = [
    ("deliverable", "lib/made.py"),
    ("validation_result", '{"tests": "pass"}'),
    ("insight", "The index is sorted."),
]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    (tmp_path / ".git").mkdir()
    make(tmp_path, "lib/made.py", "made = 1\n")
    monkeypatch.chdir(tmp_path)
    return Project(tmp_path)


def make(root: Path, name: str, text: str, written: int = 1_700_000_000) -> None:
    path = root / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    os.utime(path, (written, written))


def kept(record: Record) -> list[tuple[Any, ...]]:
    rows = record.sql("SELECT output_type, coalesce(path, content), found FROM outputs ORDER BY 1")
    assert all(found for *_, found in rows)
    return sorted(row[:2] for row in rows)


def tell(project: Project, *events: hooks.Event) -> Record:
    hooks.deliver(project.root, list(events), hooks.START_NS)
    project.drain_inbox()
    return project.existing_record


CALLED = hooks.call("toolu_1", "make it")
NOTIFIED = hooks.event("UserPromptSubmit", prompt=notification("a1", "toolu_1", SAID))


@pytest.mark.parametrize(
    "events",
    [
        [CALLED, hooks.answer(CALLED, hooks.launched("a1")), hooks.stop("a1", SAID)],
        [CALLED, hooks.answer(CALLED, hooks.completed("a1", SAID))],
        [CALLED, hooks.answer(CALLED, hooks.launched("a1")), NOTIFIED],
        hooks.foreground(1, SAID),
    ],
    ids=["SubagentStop", "PostToolUse", "notification", "both"],
)
def test_what_hooks_tell_of_a_return_is_looked_over(
    project: Project, events: list[hooks.Event]
) -> None:
    record = tell(project, *events)
    assert kept(record) == sorted(FOUND)
    tell(project, *events)
    assert kept(record) == sorted(FOUND), "heard again, it is found once"
    (made,) = outputs.select_outputs(record, "path = 'lib/made.py'", [])
    assert made.sha256 and made.content_id


def test_a_secret_in_what_was_said_is_remarked_on(project: Project) -> None:
    key = "ghp_" + "x8Kq2LmN5vB9zR3tY7wE1uI4oP6aS0dF8gHj"
    remarks: list[str] = []
    project.remark = remarks.append
    record = tell(project, *hooks.foreground(1, f"{SAID}\nIt used {key}."))
    (remark,) = [told for told in remarks if "secret" in told]
    assert "final message holds what looks like a secret (GitHub token, line " in remark
    assert key not in remark
    (run,) = select_executions(record, "1", [])
    assert key in (run.final_message or "")


def transcripts(project: Project) -> Path:
    parent, agent = Transcript(f"{S1}.jsonl", S1), Transcript("agent-a1.jsonl", S1, "a1", start=3)
    parent.says("p", launch("T", "Explore", "make it"))
    agent.hears("make it")
    agent.says("m1", SAID)
    parent.gets("T", SAID, done("a1", SAID, 7))
    folder = project.root / "old"
    folder.mkdir(exist_ok=True)
    for each in (parent, agent):
        for line in each.lines:
            line["cwd"] = str(project.root)
        (folder / each.path).write_bytes(each.data)
    return folder


def test_what_transcripts_tell_of_a_return_is_looked_over(project: Project) -> None:
    folder = transcripts(project)
    project.import_files([folder], dry_run=True)
    assert not project.has_record
    project.import_files([folder])
    assert kept(project.record) == sorted(FOUND)
    project.import_files([folder])
    assert kept(project.record) == sorted(FOUND)


def test_a_process_that_was_killed_in_between_leaves_it_to_the_next_one(project: Project) -> None:
    """What was recorded without being looked over is looked over by whoever comes next."""
    record = tell(project, *hooks.foreground(1, "Nothing."))
    behind = facts.get_fact(record, "outputs_found_until") or ""
    tell(project, *hooks.foreground(2, SAID))
    record.before_commit.clear()
    with record.write():
        facts.set_fact(record, "outputs_found_until", behind)
        record.execute("DELETE FROM outputs")
        record.execute("DELETE FROM observations WHERE kind = 'delivered'")
        record.execute("DELETE FROM changed_rows")
    tell(project, *hooks.background(3, "Nothing."))
    assert kept(record) == sorted(FOUND)


def test_commands_on_their_way_look_over_a_share(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("orch_tui.record.found_outputs.RUNS_IN_PASSING", 2)
    events = [
        event
        for number in range(1, 5)
        for event in hooks.background(number, f"## Key findings\n- Number {number} is odd.\n")
    ]
    hooks.deliver(project.root, events, hooks.START_NS)
    record = project.existing_record
    assert [content for _, content in kept(record)] == ["Number 1 is odd.", "Number 2 is odd."]
    tell(project, *hooks.background(9, "Nothing."))
    assert len(kept(record)) == 4


def test_a_record_of_before_is_looked_over_when_that_is_asked_for(project: Project) -> None:
    record = tell(project, *hooks.background(1, SAID), *hooks.background(2, SAID))
    record.before_commit.clear()
    with record.write():
        for table in ("outputs", "changed_rows"):
            record.execute(f"DELETE FROM {table}")
        record.execute("DELETE FROM observations WHERE kind = 'delivered'")
        record.execute("DELETE FROM record_facts WHERE name = 'outputs_found_until'")
    tell(project, *hooks.background(3, "Nothing."))
    assert kept(record) == []
    one, *_ = (run.execution_id for run in select_executions(record, "final_message LIKE 'C%'"))
    for _ in range(2):
        found = collect_found(record, one, session_id=None, root=project.root)
        assert [(o.output_type, o.path or o.content, o.found) for o in found] == [
            (kind, json.loads(text) if text.startswith("{") else text, True) for kind, text in FOUND
        ]
    (session,) = [session for (session,) in record.sql("SELECT session_id FROM sessions")]
    held = OrchestrationSession.open(session, project=project.root)
    assert len(held.collect_found()) == 6 == len(kept(record))
    held.close()


def test_a_file_that_was_written_after_the_return_is_kept_by_its_name(project: Project) -> None:
    make(project.root, "lib/made.py", "another = 2\n", written=hooks.START_NS // 10**9 + 9_000)
    record = tell(project, *hooks.background(1, SAID))
    (made,) = outputs.select_outputs(record, "path = 'lib/made.py'", [])
    assert (made.sha256, made.size, made.content_id) == (None, None, None)
    assert made.content["problem"] == WRITTEN_SINCE


def test_a_file_that_holds_a_secret_is_kept_by_its_hash(project: Project) -> None:
    make(project.root, "lib/made.py", f"key = 'ghp_{'aB3' * 12}'\n")
    record = tell(project, *hooks.background(1, SAID))
    (made,) = outputs.select_outputs(record, "path = 'lib/made.py'", [])
    assert made.sha256 and made.content_id is None


def test_what_was_taken_back_is_not_found_again(project: Project) -> None:
    record = tell(project, *hooks.background(1, SAID))
    with record.write():
        record.execute(
            "UPDATE outputs SET retracted_at = '2026-11-23T10:00:00.000Z' "
            "WHERE output_type = 'insight'"
        )
    found = collect_found(record, "exec-001", session_id=None, root=project.root)
    assert [output.output_type for output in found] == ["deliverable", "validation_result"]


def test_each_return_of_a_run_is_looked_over_in_turn(project: Project) -> None:
    agent = "a1"
    record = tell(
        project,
        *(CALLED, hooks.answer(CALLED, hooks.launched(agent))),
        hooks.stop(agent, "## Validation\n- tests: fail\n"),
        *(hooks.message(agent, "toolu_m"), hooks.start(agent)),
        hooks.stop(agent, "## Validation\n- tests: pass\n"),
    )
    for _ in range(2):
        assert [content for _, content in kept(record)] == [
            '{"tests": "fail"}',
            '{"tests": "pass"}',
        ]
        collect_found(record, "exec-001", session_id=None, root=project.root)


def test_runs_of_another_project_are_left_alone(project: Project, tmp_path: Path) -> None:
    folder = transcripts(project)
    for path in folder.iterdir():
        path.write_text(path.read_text().replace(str(project.root), "/somewhere/else"))
    project.import_files([folder])
    assert project.record.value("SELECT count(*) FROM agent_executions") == 1
    assert kept(project.record) == []
