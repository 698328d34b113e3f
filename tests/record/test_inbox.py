"""The inbox: nothing is lost or applied twice, and who only reads is not held up."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from orch_tui import hook
from orch_tui.models.database import Record
from orch_tui.paths import inboxes
from orch_tui.project import Project
from orch_tui.record.hooks import inbox
from orch_tui.record.hooks.inbox import PAYLOADS_IN_PASSING
from orch_tui.record.ledger.rebuild import find_stale_executions
from orch_tui.record.ledger.statement import unpack_fields
from orch_tui.search import maintenance
from tests.counts import HANGS_AFTER, SEED
from tests.record import hook_events as hooks
from tests.record.hook_events import deliver
from tests.record.test_payload_ingest import runs

ROOT = Path(__file__).parents[2]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / ".git").mkdir()
    return tmp_path


def drainer(root: Path, *words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.record.drainers", str(root), *words],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


LOG = [event for number in range(60) for event in hooks.background(number, f"Answer {number}.")]
WHOLE = 60


def whole(record: Record) -> None:
    """Everything of LOG is there once."""
    assert record.sql(
        "SELECT count(*), count(DISTINCT tool_use_id), count(DISTINCT agent_id), "
        "sum(status = 'completed'), sum(final_message = 'Answer ' || substr(scope, 10) || '.') "
        "FROM agent_executions"
    ) == [(WHOLE, WHOLE, WHOLE, WHOLE, WHOLE)]
    assert record.value("SELECT count(*) FROM completions") == WHOLE
    assert count_stated(record) == len(LOG) - WHOLE
    assert record.value("SELECT count(*) FROM sessions") == 1
    assert record.sql("PRAGMA foreign_key_check") == []
    assert record.value("PRAGMA integrity_check") == "ok"
    assert maintenance.check(record) == []
    assert list(find_stale_executions(record)) == []


@pytest.mark.slow
@pytest.mark.deep
def test_killed_at_any_moment_nothing_is_lost_or_there_twice(record: Record, root: Path) -> None:
    deliver(root, LOG)
    killing = drainer(root, "kill", "25", str(SEED))
    printed, errors = killing.communicate(timeout=HANGS_AFTER)
    assert errors == ""
    rounds = [[int(word) for word in line.split()] for line in printed.splitlines()]
    assert sum(ended[0] == -9 for ended in rounds) > 3
    inbox.drain_inbox(record, root)
    assert inbox.list_waiting(root) == []
    whole(record)


@pytest.mark.slow
def test_several_processes_share_the_work(record: Record, root: Path) -> None:
    deliver(root, LOG)
    drainers = [drainer(root, "drain") for _ in range(3)]
    assert [process.communicate(timeout=HANGS_AFTER) for process in drainers] == [("", "")] * 3
    whole(record)


def count_stated(record: Record) -> int:
    """Count the statements; that an agent began may be left unsaid until its call is known."""
    stored = record.sql("SELECT payload FROM observations WHERE kind <> 'set'")
    return sum("begun" not in (unpack_fields(payload) or {}) for (payload,) in stored)


def test_applied_again_after_a_crash_it_changes_nothing(record: Record, root: Path) -> None:
    """As if the process had been killed between commit and removal, after any of the payloads."""
    for log in (hooks.foreground(), hooks.nested(), hooks.resumed()):
        deliver(root, log)
        files = {Path(w.path): Path(w.path).read_bytes() for w in inbox.list_waiting(root)}
        inbox.drain_inbox(record, root)
        before = (runs(record), count_stated(record))
        for path, data in files.items():
            path.write_bytes(data)
            inbox.drain_inbox(record, root)
            assert (runs(record), count_stated(record)) == before


def test_a_locked_record_is_left_alone(record: Record, root: Path) -> None:
    deliver(root, hooks.foreground())
    with Record(record.path) as other, other.write():
        assert inbox.drain_inbox(record, root) == 0
    assert len(inbox.list_waiting(root)) == 4
    assert record.value("PRAGMA busy_timeout") > 0
    assert inbox.drain_inbox(record, root) == 4


def test_a_record_that_cannot_be_written_is_left_alone(record: Record, root: Path) -> None:
    deliver(root, hooks.foreground())
    with Record(record.path, writable=False) as reading:
        assert inbox.drain_inbox(reading, root) == 0
    assert len(inbox.list_waiting(root)) == 4


def test_who_only_reads_takes_a_share(record: Record, root: Path) -> None:
    other = hooks.event("PreToolUse", tool_name="Bash", tool_use_id="b", tool_input={})
    deliver(root, [other] * (PAYLOADS_IN_PASSING + 3), step_ms=1)
    project = Project(root)
    assert project.existing_record.writable
    assert len(inbox.list_waiting(root)) == 3
    assert project.drain_inbox() == 3
    assert project.drain_inbox() == 0
    project.close()


def test_payloads_make_a_record_where_there_is_none(root: Path) -> None:
    project = Project(root)
    assert not project.has_record
    deliver(root, hooks.foreground())
    assert project.has_record
    assert len(runs(project.existing_record)) == 1
    project.close()


def test_one_bad_payload_keeps_nobody_else_waiting(record: Record, root: Path) -> None:
    good = [json.dumps(payload).encode() for payload in hooks.foreground()]
    bad = [b"{", b"[1]", b"{}", b'{"hook_event_name": "SubagentStop", "agent_id": "a"}', b"\xff"]
    wrong_types = json.loads(good[0]) | {"tool_input": 3, "tool_response": {"content": 5}}
    strange = json.loads(good[0]) | {"tool_input": {"prompt": "\ud800\0", "description": "\ud800"}}
    strange["tool_use_id"], wrong_types["tool_use_id"] = "toolu_2", "toolu_3"
    payloads = [good[0], bad[0], *good[1:], *bad[1:], b"9" * 5000, b"[" * 100_000]
    payloads += [json.dumps(wrong_types).encode(), json.dumps(strange).encode()]
    for number, data in enumerate(payloads):
        hook.put([data], str(root), hooks.START_NS + number)
    inbox.drain_inbox(record, root)
    assert [row[:4] for row in runs(record)] == [
        ("toolu_1", f"a{1:016x}", "Explore", "completed"),
        ("toolu_2", None, "general-purpose", "deployed"),
        ("toolu_3", None, "general-purpose", "deployed"),
    ]
    aside = inbox.list_set_aside(next(inboxes(root)))
    assert len(aside) == len(bad) + 2
    assert all(reason for _, reason in aside)
    assert inbox.list_waiting(root) == []


def test_a_reason_goes_through_no_link_and_over_nothing(
    record: Record, root: Path, tmp_path: Path
) -> None:
    """What is planted where a payload is set aside stays; so does what it leads to."""
    victim = tmp_path / "victim"
    victim.write_text("precious")
    aside = Path(next(inboxes(root))) / "unreadable"
    aside.mkdir(parents=True)
    (aside.parent / "a.json").write_bytes(b"broken a")
    (aside.parent / "b.json").write_bytes(b"broken b")
    (aside / "a.json.reason").symlink_to(victim)
    (aside / "b.json").mkdir()
    inbox.drain_inbox(record, root)
    assert victim.read_text() == "precious"
    kept = [path.read_bytes() for path in aside.iterdir() if path.is_file()]
    assert {b"broken a", b"broken b"} <= {*kept}
    assert inbox.list_waiting(root) == []


def test_what_a_killed_hook_left_behind_is_set_aside(record: Record, root: Path) -> None:
    import os

    folder = Path(next(inboxes(root)))
    folder.mkdir()
    unfinished = folder / f".{hooks.START_NS:020}-1-ab.tmp"
    unfinished.write_bytes(b'{"hook_event_')
    inbox.drain_inbox(record, root)
    assert unfinished.exists(), "its hook may still be writing"
    os.utime(unfinished, (0, 0))
    inbox.drain_inbox(record, root)
    assert not unfinished.exists()
    assert len(inbox.list_set_aside(str(folder))) == 1


def a_run_with_its_transcript(root: Path) -> tuple[list[hooks.Event], Path, list[str]]:
    """The events of a run in the background, its transcript and what that will hold."""
    folder = root / "claude" / hooks.SESSION / "subagents"
    folder.mkdir(parents=True)
    events = hooks.background(1, "Done.")
    transcript = folder / f"agent-a{1:016x}.jsonl"
    events[3]["agent_transcript_path"] = str(transcript)
    common = {"sessionId": hooks.SESSION, "agentId": f"a{1:016x}", "isSidechain": True}
    usage = {"input_tokens": 100, "output_tokens": 50, "cache_read_input_tokens": 1000}
    said: dict[str, Any] = {
        "id": "msg_1",
        "role": "assistant",
        "model": "claude-sonnet-5-5",
        "usage": usage,
    }
    said |= {"model": "claude-sonnet-5-5"}
    said |= {"content": [{"type": "text", "text": "Done."}], "stop_reason": "end_turn"}
    lines: list[dict[str, Any]] = [
        {"type": "user", "message": {"role": "user", "content": "look at 1"}},
        {"type": "assistant", "message": said},
    ]
    stamped = ({**common, "timestamp": "2026-11-22T10:00:09.500Z", **line} for line in lines)
    return events, transcript, [json.dumps(line) + "\n" for line in stamped]


def the_run(record: Record) -> tuple[object, ...]:
    (row,) = record.sql(
        "SELECT status, final_message, input_tokens, output_tokens, cost_usd > 0, (SELECT "
        "count(*) FROM completions) FROM agent_executions"
    )
    return tuple(row)


def test_the_transcript_of_who_returned_is_taken_in_with_it(record: Record, root: Path) -> None:
    """So that what a run used and cost is known without a command."""
    events, transcript, lines = a_run_with_its_transcript(root)
    transcript.write_text("".join(lines))
    deliver(root, events)
    project = Project(root)
    assert the_run(project.existing_record) == ("completed", "Done.", 100, 50, 1, 1)
    project.close()


@pytest.mark.parametrize("written", [None, "", "half"])
def test_a_transcript_that_is_written_late_is_looked_at_again(
    record: Record, root: Path, written: str | None
) -> None:
    """Whoever looks next reads it, be it days later; and after that it is looked at no more."""
    events, transcript, lines = a_run_with_its_transcript(root)
    if written is not None:
        transcript.write_text(lines[0] + (lines[1][:-20] if written else ""))
    deliver(root, events)
    project = Project(root, clock=record.clock)
    assert the_run(project.record)[:4] == ("completed", "Done.", None, None)
    assert project.drain_inbox() == 0
    transcript.write_text("".join(lines))
    assert project.drain_inbox() == 1
    assert the_run(project.record) == ("completed", "Done.", 100, 50, 1, 1)
    assert project.drain_inbox() == 0
    project.close()
    later = Project(root, clock=lambda: record.clock() + timedelta(days=3))
    assert later.record.value("SELECT count(*) FROM import_checkpoints WHERE awaited_since") == 0
    later.close()


def test_the_end_of_a_session_brings_what_its_transcripts_tell(record: Record, root: Path) -> None:
    """Of agents whose stop nobody heard of."""
    events, transcript, lines = a_run_with_its_transcript(root)
    transcript.write_text("".join(lines))
    end = hooks.event("SessionEnd", reason="other")
    end["transcript_path"] = str(transcript.parent.parent) + ".jsonl"
    deliver(root, [*events[:3], end])
    project = Project(root)
    assert the_run(project.existing_record) == ("completed", "Done.", 100, 50, 1, 1)
    project.close()
