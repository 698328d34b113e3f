"""A command that wrote begins a sync beside it where one is due, and never waits for it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest

from orch_tui.hub.background_sync import (
    LastSync,
    begin_due_sync,
    count_unsent,
    examine_lag,
    note_end,
    note_try,
    only_sync,
    read_last_sync,
)
from orch_tui.hub.settings import keep_settings
from orch_tui.models.database import Record
from orch_tui.project import Project
from orch_tui.record.sessions import init_session
from tests.conftest import FakeClock
from tests.hub.test_settings import JOINED


@pytest.fixture
def begun(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The processes that would have been begun."""
    commands: list[list[str]] = []

    def note(command: list[str], **_: object) -> SimpleNamespace:
        commands.append(command)
        return SimpleNamespace(returncode=None)

    monkeypatch.setattr("subprocess.Popen", note)
    return commands


def test_a_sync_is_due_when_the_last_try_is_old(
    record: Record, clock: FakeClock, tmp_path: Path, begun: list[list[str]]
) -> None:
    assert not begin_due_sync(record, tmp_path, 300)  # joined to no hub
    keep_settings(record, JOINED)
    assert begin_due_sync(record, tmp_path, 300)
    assert not begin_due_sync(record, tmp_path, 300)
    clock.now += timedelta(seconds=300)
    assert begin_due_sync(record, tmp_path, 300)
    clock.now -= timedelta(days=2)  # a clock that was set back keeps nobody from syncing
    assert begin_due_sync(record, tmp_path, 300)
    assert not begin_due_sync(record, tmp_path, 0)
    assert begun == [begun[0]] * 3
    assert begun[0][-5:] == ["--db", str(record.path), "hub", "sync", "--quiet"]


def test_what_became_of_the_last_one_is_read_again(record: Record) -> None:
    keep_settings(record, JOINED)
    assert read_last_sync(record) == LastSync()
    note_try(record)
    init_session(record, "one", project="/p")
    last = read_last_sync(record)
    assert (last.done_at, last.error) == (None, None)
    newest = record.value("SELECT max(observation_id) FROM observations")
    assert count_unsent(record, last) == newest
    note_end(record, newest)
    assert count_unsent(record, read_last_sync(record)) == 0
    done_at = read_last_sync(record).done_at
    assert done_at
    note_end(record, 0, "the hub did not answer")
    last = read_last_sync(record)
    assert (last.done_at, last.error, last.through) == (done_at, "the hub did not answer", newest)


def test_how_far_behind_is_told_in_words(record: Record, clock: FakeClock) -> None:
    assert examine_lag(record) == []
    keep_settings(record, JOINED)
    init_session(record, "one", project="/p")
    newest = record.value("SELECT max(observation_id) FROM observations")
    clock.step = timedelta()
    (never,) = examine_lag(record)
    assert (never.level, never.remedy) == ("warning", "orch hub sync")
    assert never.detail == "team: no sync was done yet; 1 statement waits"
    note_end(record, newest)
    clock.now += timedelta(hours=3)
    (done,) = examine_lag(record)
    assert (done.level, done.detail) == ("ok", "team: the last sync was 3h00m ago; nothing waits")
    init_session(record, "two", project="/p")
    note_end(record, 0, "the hub did not answer")
    (failed,) = examine_lag(record)
    assert failed.level == "warning"
    assert failed.detail.endswith("3h00m ago; 1 statement waits; the hub did not answer")


def test_one_sync_of_a_record_at_a_time(record: Record) -> None:
    with only_sync(record) as first, only_sync(record) as second:
        assert (first, second) == (True, False)
    with only_sync(record) as again:
        assert again


def test_who_wrote_begins_one_and_who_only_read_none(
    tmp_path: Path, clock: FakeClock, begun: list[list[str]]
) -> None:
    for _ in range(2):
        project = Project(tmp_path, clock=clock)
        if not begun:
            init_session(project.record, "one", project=str(tmp_path))
            keep_settings(project.record, JOINED)
        assert project.existing_record
        project.close()
        assert len(begun) == 1
        clock.now += timedelta(seconds=300)
