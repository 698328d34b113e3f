"""What is left for the hand-over hook is private, and goes when nobody needs it any more."""

from __future__ import annotations

import hashlib
import os
import sqlite3
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from orch_tui.install import hook_settings
from orch_tui.models.database import Record
from orch_tui.paths import hand_over_folder
from orch_tui.record.executions import get_execution
from orch_tui.record.hand_over import FOLDER, KEPT_DAYS, HandOver, leave_briefing, remove_returned
from orch_tui.record.ledger.briefing_files import list_briefing_files
from orch_tui.record.sessions import init_session
from tests.record.reporting import report


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project whose hook hands briefings over."""
    settings = tmp_path / ".claude" / "settings.json"
    run = hook_settings.command(sys.executable)
    change = hook_settings.installation(settings, run, hand_over=True)
    settings.parent.mkdir(exist_ok=True)
    settings.write_bytes(change.after or b"")
    return tmp_path


def deploy(record: Record) -> str:
    init_session(record, "x", project="/p", session_id="s")
    with record.write():
        columns = {"session_id": "s", "agent_type": "Explore"}
        return report(record, "deployed", columns, source="manual")


def leave(record: Record, root: Path, label: str, text: bytes = b"Do it.\n") -> HandOver | None:
    return leave_briefing(record, root, get_execution(record, label), text)


def left() -> set[str]:
    return set(os.listdir(hand_over_folder()))


def test_a_briefing_is_left_for_its_hook_with_a_copy_for_the_agent(
    record: Record, root: Path
) -> None:
    label = deploy(record)
    handed = leave(record, root, label)
    uid = get_execution(record, label).uid
    copy = record.path.parent / FOLDER / f"{uid}.md"
    assert handed and handed.line and handed.remarks == ()
    assert hashlib.sha256(b"Do it.\n").hexdigest() in handed.line and str(copy) in handed.line
    assert (left(), copy.read_bytes()) == ({uid}, b"Do it.\n")
    file = Path(hand_over_folder(), uid)
    assert (file.read_bytes(), file.stat().st_mode & 0o777) == (b"Do it.\n", 0o600)
    assert list_briefing_files(record, label) == [str(copy)]


def test_without_a_briefing_or_a_hook_nothing_is_left(
    record: Record, root: Path, tmp_path: Path
) -> None:
    label = deploy(record)
    assert leave(record, root, label, b"") is None
    (root / ".claude" / "settings.json").unlink()
    assert leave(record, root, label) is None
    assert not Path(hand_over_folder()).exists()
    assert not (record.path.parent / FOLDER).exists()


def test_what_a_hook_cannot_hand_over_is_left_for_the_agent_alone(
    record: Record, root: Path
) -> None:
    label = deploy(record)
    handed = leave(record, root, label, b"\xff")
    assert handed and handed.line and "it is not UTF-8" in handed.remarks[0]
    folder = Path(hand_over_folder())
    folder.mkdir(parents=True)
    folder.chmod(0o777)
    handed = leave(record, root, label)
    assert handed and handed.line and "open to others" in handed.remarks[0]
    assert left() == set()
    remove_returned(record)


def test_where_no_copy_can_be_written_there_is_no_line(record: Record, root: Path) -> None:
    (record.path.parent / FOLDER).write_text("in the way")
    handed = leave(record, root, deploy(record))
    assert handed and handed.line is None
    assert handed.remarks[0].startswith("there is no line to hand over: ")


def test_what_is_left_goes_when_its_run_has_completed_or_with_age(
    record: Record, root: Path
) -> None:
    labels = [deploy(record) for _ in range(4)]
    for label in labels:
        leave(record, root, label)
    waiting, completed, failed, old = (get_execution(record, label).uid for label in labels)
    folder, copies = Path(hand_over_folder()), record.path.parent / FOLDER
    (folder / "of-another-record").write_text("x")
    with record.write():
        for label, status in ((labels[1], "completed"), (labels[2], "failed")):
            report(record, "returned", {"status": status}, source="manual", keys=[f"id:{label}"])
    for days, path in (
        *((KEPT_DAYS + 1, place) for place in (folder / old, copies / f"{old}.md")),
        (KEPT_DAYS - 1, folder / waiting),
    ):
        at = time.time() - days * 86_400
        os.utime(path, (at, at))
    remove_returned(record)
    assert left() == {waiting, failed, "of-another-record"}, "what failed is called again"
    there = {copy.stem for copy in copies.iterdir()}
    assert there == {waiting, completed, failed}, "a line that is used again leads to its text"


def test_what_is_not_left_by_orch_stays_whatever_its_age(
    record: Record, root: Path, tmp_path: Path
) -> None:
    label = deploy(record)
    leave(record, root, label)
    beside = record.path.parent / FOLDER
    copy = beside / f"{get_execution(record, label).uid}.md"
    unfinished = beside / f".{'a' * 32}.md.0123abcd.tmp"
    notes = beside / "notes.md"
    at = time.time() - (KEPT_DAYS + 1) * 86_400
    for file in (copy, unfinished, notes):
        file.touch()
        os.utime(file, (at, at))
    leave(record, root, deploy(record))
    assert (copy.exists(), unfinished.exists(), notes.exists()) == (False, False, True)


def test_nothing_is_removed_behind_a_link_beside_the_record(
    record: Record, root: Path, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    old = elsewhere / f"{'a' * 32}.md"
    old.touch()
    at = time.time() - (KEPT_DAYS + 1) * 86_400
    os.utime(old, (at, at))
    (record.path.parent / FOLDER).symlink_to(elsewhere)
    handed = leave(record, root, deploy(record))
    assert old.exists() and handed


def test_a_record_that_tells_nothing_leaves_what_there_is(record: Record, root: Path) -> None:
    leave(record, root, deploy(record))
    with closing(sqlite3.connect(record.path)) as other:
        other.execute("ALTER TABLE execution_keys RENAME TO elsewhere")
    before = left()
    remove_returned(record)
    assert left() == before != set()
