"""Transcripts that are awaited are looked at until they have surely been written."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from orch_tui.models.database import Record
from orch_tui.record.hooks.pending_transcripts import (
    find_grown_transcripts,
    unwatch_transcripts,
    watch_transcript,
)
from tests.conftest import FakeClock

T1, T2 = "2026-11-22T10:00:00.000Z", "2026-11-22T10:00:01.000Z"


def write(path: Path, text: str = "{}\n") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def watch(record: Record, path: Path | str, at: str = T1, agents: tuple[str, ...] = ()) -> None:
    with record.write():
        watch_transcript(record, str(path), at, agents)


def awaited(record: Record, root: Path) -> dict[str, str]:
    rows = record.sql("SELECT path, awaited_since FROM import_checkpoints ORDER BY path")
    return {str(Path(path).relative_to(root)): since for path, since in rows if since}


def test_a_transcript_is_awaited_with_what_is_kept_beside_it(
    record: Record, tmp_path: Path
) -> None:
    for name in (
        "S.jsonl",
        "S/subagents/agent-a1.jsonl",
        "S/subagents/agent-a1.meta.json",
        "S/subagents/workflows/wf_1/journal.jsonl",
        "S/subagents/notes.md",
        "S/workflows/wf_1.json",
        "S/workflows/other.json",
        "agent-old.jsonl",
        "agent-else.jsonl",
    ):
        write(tmp_path / name)
    watch(record, tmp_path / "x" / ".." / "S.jsonl", agents=("old", "gone", "../old"))
    assert awaited(record, tmp_path) == dict.fromkeys(
        (
            "S.jsonl",
            "S/subagents/agent-a1.jsonl",
            "S/subagents/agent-a1.meta.json",
            "S/subagents/workflows/wf_1/journal.jsonl",
            "S/workflows/wf_1.json",
            "agent-old.jsonl",
        ),
        T1,
    )


def test_an_agents_transcript_comes_with_its_sidecar(record: Record, tmp_path: Path) -> None:
    write(tmp_path / "agent-a1" / "subagents" / "agent-a2.jsonl")
    watch(record, tmp_path / "agent-a1.jsonl")
    assert list(awaited(record, tmp_path)) == ["agent-a1.jsonl", "agent-a1.meta.json"]


def test_the_latest_end_counts(record: Record, tmp_path: Path) -> None:
    for at in (T1, T2, T1):
        watch(record, tmp_path / "agent-a1.jsonl", at)
    assert set(awaited(record, tmp_path).values()) == {T2}


@pytest.mark.parametrize("path", ["", "relative.jsonl", "/a/notes.md", "/a\0b.jsonl"])
def test_what_is_no_transcript_is_not_awaited(record: Record, path: str) -> None:
    watch(record, path)
    assert record.value("SELECT count(*) FROM import_checkpoints") == 0


def grown(record: Record, most: int | None = None) -> list[str]:
    return [path.name for path in find_grown_transcripts(record, most).grown]


def test_a_file_has_grown_until_it_is_as_it_was_read(record: Record, tmp_path: Path) -> None:
    path = write(tmp_path / "agent-a1.jsonl")
    watch(record, path)
    assert grown(record) == ["agent-a1.jsonl"], "its sidecar is not there yet"
    status = path.stat()
    for size, mtime, expected in (
        (status.st_size, status.st_mtime_ns, []),
        (status.st_size - 1, status.st_mtime_ns, ["agent-a1.jsonl"]),
        (status.st_size, status.st_mtime_ns - 1, ["agent-a1.jsonl"]),
        (status.st_size + 1, status.st_mtime_ns, ["agent-a1.jsonl"]),
    ):
        with record.write():
            record.execute("UPDATE import_checkpoints SET size = ?, mtime_ns = ?", [size, mtime])
        assert grown(record) == expected
    path.unlink()
    path.mkdir()
    assert grown(record) == []


def test_no_more_bytes_are_read_in_passing_than_wanted(record: Record, tmp_path: Path) -> None:
    for number, size in ((1, 10), (2, 100), (3, 20)):
        path = write(tmp_path / f"agent-a{number}.jsonl", "x" * size)
        watch(record, path, f"2026-11-22T10:00:0{number}.000Z")
    assert grown(record) == ["agent-a1.jsonl", "agent-a2.jsonl", "agent-a3.jsonl"]
    assert grown(record, 30) == ["agent-a1.jsonl", "agent-a3.jsonl"]
    assert grown(record, 29) == ["agent-a1.jsonl"]
    assert grown(record, 9) == []


@pytest.mark.parametrize(("minute", "is_last"), [(14, False), (15, True)])
def test_nobody_adds_to_a_file_after_a_quarter_of_an_hour(
    record: Record, clock: FakeClock, tmp_path: Path, minute: int, is_last: bool
) -> None:
    path = write(tmp_path / "agent-a1.jsonl")
    watch(record, path)
    clock.now = datetime(2026, 11, 22, 10, minute, tzinfo=UTC)
    last = find_grown_transcripts(record, 0).last
    assert last == ([str(path.with_suffix(".meta.json"))] if is_last else []), "one is unread"
    last = find_grown_transcripts(record, None).last
    unwatch_transcripts(record, last)
    assert bool(awaited(record, tmp_path)) is not is_last
    unwatch_transcripts(record, [])
    assert bool(grown(record)) is not is_last


def test_a_path_that_plain_sql_broke_stops_no_other(record: Record, tmp_path: Path) -> None:
    watch(record, write(tmp_path / "agent-a1.jsonl"))
    with record.write():
        for path in ("a\0b", b"\xff"):
            record.execute(
                "INSERT INTO import_checkpoints (path, size, mtime_ns, position, awaited_since) "
                "VALUES (?, -1, -1, 0, ?)",
                [path, T1],
            )
    assert grown(record) == ["agent-a1.jsonl"]
