"""An export taken in again: whole, once, and without taking anybody's place."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import pytest

from orch_tui.errors import FormatError, SourceError
from orch_tui.models.database import Record
from orch_tui.prepare.budget import Limits
from orch_tui.prepare.bundle import Bundle, ContextItem
from orch_tui.prepare.catalogue import load_catalogue
from orch_tui.prepare.count import Count
from orch_tui.prepare.secret_verdicts import SecretVerdicts
from orch_tui.record import bundles
from orch_tui.record.completion import record_completion
from orch_tui.record.deployment import record_deployment
from orch_tui.record.executions import retract_execution
from orch_tui.record.ledger.journal import log_action
from orch_tui.record.ledger.rebuild import find_stale_executions
from orch_tui.record.opening import open_record
from orch_tui.record.sessions import init_session
from orch_tui.record.token_counts import RecordedCounts
from orch_tui.record.upkeep.doctor import examine_record
from orch_tui.record.upkeep.export import export_record
from orch_tui.record.upkeep.redaction import redact_secret
from orch_tui.record.upkeep.restore import is_export, restore_export
from orch_tui.search import maintenance
from tests.record import claude_home
from tests.record.test_exchange import view
from tests.record.test_importer import executions, take_in
from tests.record.test_redaction import AWKWARD, KEY, fill, traces


def exported(record: Record, path: Path) -> Path:
    path.write_text("".join(row + "\n" for row in export_record(record)))
    return path


@pytest.fixture
def full(record: Record, tmp_path: Path) -> Record:
    """What people recorded and what was imported."""
    (tmp_path / "work").mkdir()
    fill(record, "something to be found", tmp_path / "work")
    take_in(record, claude_home.write_home(tmp_path / "home"))
    return record


def test_an_empty_record_becomes_the_same(full: Record, tmp_path: Path) -> None:
    path = exported(full, tmp_path / "export.jsonl")
    with open_record(tmp_path / "again.db") as again:
        restored = restore_export(again, path)
        (remark,) = restored.remarks
        assert remark.startswith("labels of what came from ")
        assert view(again) == view(full)
        assert again.sql("PRAGMA foreign_key_check") == []
        assert maintenance.check(again) == [] and list(find_stale_executions(again)) == []
        restore_export(again, path)
        assert view(again) == view(full)


def test_into_itself_it_changes_nothing(full: Record, tmp_path: Path) -> None:
    path = exported(full, tmp_path / "export.jsonl")
    before = view(full)
    assert restore_export(full, path).statements == 0
    assert view(full) == before


def test_what_a_record_and_its_copy_were_told_alike_has_the_earlier_time(
    full: Record, tmp_path: Path
) -> None:
    full.backup(tmp_path / "copy.db")
    (label, *_) = full.sql("SELECT execution_id FROM agent_executions ORDER BY 1")[0]
    with open_record(tmp_path / "copy.db", clock=lambda: datetime(2027, 1, 1, tzinfo=UTC)) as copy:
        retract_execution(copy, label, "by mistake")
        retract_execution(full, label, "by mistake")
        theirs = exported(copy, tmp_path / "copy.jsonl")
        mine = exported(full, tmp_path / "mine.jsonl")
        restore_export(full, theirs)
        restore_export(copy, mine)
        times = [r.sql("SELECT max(retracted_at) FROM agent_executions") for r in (full, copy)]
        assert times[0] == times[1] < [("2027",)]
        assert view(full) == view(copy)


def test_runs_that_both_know_are_one_and_labels_that_are_taken_change(
    full: Record, tmp_path: Path
) -> None:
    path = exported(full, tmp_path / "export.jsonl")
    with open_record(tmp_path / "other.db") as other:
        session = init_session(other, "mine", project="/p", session_id="s").session_id
        record_deployment(
            other,
            session,
            catalogue=load_catalogue(),
            limits=Limits(),
            agent_type="mine",
            scope="mine",
            execution_id="exec-1",
        )
        parent, agent, _ = claude_home.foreground()
        take_in(other, parent.write(tmp_path / "part"))  # the agent's file is only in the export
        restored = restore_export(other, path)
        assert any(remark.startswith("labels of what") for remark in restored.remarks)
        assert other.value("SELECT scope FROM agent_executions WHERE execution_id = 'exec-1'") == (
            "mine"
        )
        imported = "tool_use_id IS NOT NULL OR agent_id IS NOT NULL"
        for record in (full, other):
            assert record.value(f"SELECT count(*) FROM agent_executions WHERE {imported}") == 9
        tokens = "SELECT output_tokens FROM agent_executions WHERE tool_use_id = 'T1'"
        assert other.value(tokens) == full.value(tokens) == 402
        assert (
            other.sql("PRAGMA foreign_key_check") == [] and list(find_stale_executions(other)) == []
        )
        exported(other, tmp_path / "other.jsonl")
        once = view(other)
        restore_export(other, path)
        assert view(other) == once


def test_a_broken_export_is_named_and_leaves_nothing(full: Record, tmp_path: Path) -> None:
    path = exported(full, tmp_path / "export.jsonl")
    whole = path.read_bytes()
    with open_record(tmp_path / "again.db") as again:
        empty = view(again)
        for broken in (
            whole[: len(whole) // 2].rstrip(b"}\n"),
            whole + b'{"statement": "00"}\n',
            whole.replace(b'"schema_version": 2', b'"schema_version": 99', 1),
        ):
            path.write_bytes(broken)
            with pytest.raises(FormatError):
                restore_export(again, path)
            assert view(again) == empty


def test_an_import_knows_an_export_by_its_first_line(full: Record, tmp_path: Path) -> None:
    path = exported(full, tmp_path / "record.jsonl")
    assert is_export(path.read_bytes().split(b"\n")[0])
    with open_record(tmp_path / "again.db") as again:
        summary = take_in(again, path)
        assert summary.new == full.value("SELECT count(*) FROM agent_executions")
        assert take_in(again, path).new == 0
        assert executions(again)["T1"]["output_tokens"] == 402


@pytest.mark.parametrize("secret", [KEY, AWKWARD], ids=["key", "awkward"])
def test_what_was_redacted_does_not_come_back(record: Record, tmp_path: Path, secret: str) -> None:
    (tmp_path / "work").mkdir()
    label = fill(record, secret, tmp_path / "work")
    bundle = Bundle("pasted", "debugger", "", (given_text(secret),), "", record.now())
    rendered = b"Read this:\n" + (bundle.items[0].data or b"")
    bundles.keep_briefing(record, bundles.save_bundle(record, bundle, "s"), rendered)
    older = exported(record, tmp_path / "older.jsonl")
    shown = json.dumps(secret)[1:-1]
    assert shown in older.read_text()
    redact_secret(record, secret, "pasted")
    newer = exported(record, tmp_path / "clean.jsonl")
    after = view(record)
    for _ in range(2):
        assert restore_export(record, older).executions == {label}
        assert view(record) == after
        record.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        assert traces(record, secret) == []
        assert redact_secret(record, secret, "", dry_run=True).places == {}
        newer = exported(record, tmp_path / "newer.jsonl")
        assert shown not in newer.read_text()
        assert [f for f in examine_record(record.path) if f.level != "ok"] == []
    saved = bundles.load_bundle(record, "pasted")
    left = bundles.get_generated_briefing(record, saved) or b""
    assert left.startswith(b"Read this:\nuse [redacted]")
    with open_record(tmp_path / "third.db") as third:  # one that redacted nothing
        restore_export(third, older)
        assert third.sql("PRAGMA foreign_key_check") == []
        assert shown in exported(third, tmp_path / "third.jsonl").read_text()
        restore_export(third, newer)
        assert list(find_stale_executions(third)) == []
    with open_record(tmp_path / "fourth.db") as fourth:  # one that heard of the redaction first
        restore_export(fourth, newer)
        restore_export(fourth, older)
        assert shown not in exported(fourth, tmp_path / "fourth.jsonl").read_text()
        assert list(find_stale_executions(fourth)) == []


def test_what_was_known_is_counted_as_known(full: Record, tmp_path: Path) -> None:
    path = exported(full, tmp_path / "export.jsonl")
    runs = full.value("SELECT count(*) FROM agent_executions")
    summary = take_in(full, path)
    assert (summary.new, summary.merged, summary.known) == (0, 0, runs)
    with open_record(tmp_path / "other.db") as other:
        take_in(other, path)
        record_completion(full, "exec-1", final_message="One thing more.")
        summary = take_in(other, exported(full, path))
        assert (summary.new, summary.merged, summary.known) == (0, 1, runs - 1)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ({"kind": "identified", "about": [], "said": {"label": 5}, "statement": "ab" * 32},
         "statement abababab: label is 5"),
        ({"kind": "returned", "about": []}, "it has no said"),
        ({"kind": "noted", "about": 5}, "a value in it is not of the kind that stands there"),
        ({"statement": "zz", "kind": "noted", "about": [], "said": {}},
         "a value in it is not of the kind that stands there"),
        ({"statement": "ab" * 32, "kind": "noted", "about": [], "said": {},
          "log": [["nobody", 1]]},
         "no line before it tells of its origin nobody"),
    ],
)  # fmt: skip
def test_a_broken_line_is_told_in_words(
    record: Record, tmp_path: Path, line: dict[str, object], said: str
) -> None:
    path = exported(record, tmp_path / "export.jsonl")
    lines = path.read_text().splitlines()
    whole = {"statement": "00", "source": None, "at": "", "recorded_at": None, "actor": None}
    path.write_text("\n".join([*lines, json.dumps({**whole, "log": [], **line})]))
    with pytest.raises(FormatError) as raised:
        restore_export(record, path)
    assert raised.value.message.startswith(f"{path}, line {len(lines) + 1}: {said}")
    assert "Error" not in raised.value.message and raised.value.hint


@pytest.mark.parametrize(
    ("name", "why"),
    [("folder", "Is a directory"), ("/proc/self/mem", "Input/output error")],
)
def test_a_file_that_cannot_be_read_is_said_to_be_that(
    record: Record, tmp_path: Path, name: str, why: str
) -> None:
    """Before its first line or after."""
    (tmp_path / "folder").mkdir()
    with pytest.raises(SourceError) as raised:
        restore_export(record, tmp_path / name)
    assert raised.value.reason == f"cannot be read: {why}"


def test_a_tombstone_names_what_took_its_place_and_nothing_else(
    record: Record, tmp_path: Path
) -> None:
    path = exported(record, tmp_path / "export.jsonl")
    whole = path.read_text()
    for parts in ([["gone", "00" * 32]], [["text", "x"], ["gone", "00" * 32]]):
        line = {"briefing": "ab" * 32, "size": 1, "parts": parts}
        path.write_text(whole + json.dumps(line) + "\n")
        with pytest.raises(FormatError, match="briefing abababab does not name what took its"):
            restore_export(record, path)


def given_text(secret: str) -> ContextItem:
    data = f"use {secret} to sign in\n".encode()
    return ContextItem("reference", "text", "required", (), data, Count(9, "o200k_base", 9, 9))


def test_no_verdict_on_secrets_travels(full: Record, tmp_path: Path) -> None:
    cache, clean, secret = RecordedCounts(full), "x = 1\n", "key = 'AKIA" + "Z7Q4" * 4 + "'\n"
    verdicts = SecretVerdicts(cache)
    verdicts.find_in(clean.encode(), clean)
    verdicts.keep()
    cache.put_counts("ctok~1", {sha256(clean.encode()).hexdigest(): 4})
    path = exported(full, tmp_path / "export.jsonl")
    assert "secrets~" not in path.read_text() and "ctok~1" in path.read_text()
    (rules,) = full.sql("SELECT estimator FROM token_counts WHERE estimator LIKE 'secrets~%'")
    harmless = {"counted": sha256(secret.encode()).hexdigest(), "estimator": rules[0], "tokens": 0}
    with path.open("a") as file:
        file.write(json.dumps(harmless) + "\n")
    with open_record(tmp_path / "again.db") as again:
        restore_export(again, path)
        found = SecretVerdicts(RecordedCounts(again)).find_in(secret.encode(), secret)
        assert [each.kind for each in found] == ["AWS access key"]


def test_an_import_does_work_in_proportion_to_the_journal(tmp_path: Path) -> None:
    steps: list[int] = []
    for count in (300, 1_200):
        with open_record(tmp_path / f"{count}.db") as record:
            with record.write():
                for number in range(count):
                    log_action(record, "noted", subject=f"number {number}")
            path = exported(record, tmp_path / f"{count}.jsonl")
        with open_record(tmp_path / f"{count}-again.db") as again:
            ticks: list[None] = []
            again.connection.set_progress_handler(lambda: ticks.append(None), 100)  # noqa: B023
            restore_export(again, path)
            assert again.value("SELECT count(*) FROM journal WHERE action = 'noted'") == count
        steps.append(len(ticks))
    assert steps[1] < 5 * steps[0]
