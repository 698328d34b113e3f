"""The doctor looks at a record in any state, and mends what can be derived."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from orch_tui.errors import RecordError
from orch_tui.models.database import Record
from orch_tui.models.values import SCHEMA_VERSION
from orch_tui.record.upkeep import doctor
from orch_tui.record.upkeep.doctor import examine_record, repair_record
from orch_tui.search import index_merge
from orch_tui.search.schema import INDEX_VERSION, TEXTS
from tests.record.examining import fill_record, find_troubles, meddle
from tests.search.older_index import make_version_1


@pytest.fixture
def filled(record: Record) -> Record:
    return fill_record(record)


def test_a_sound_record_has_nothing_wrong(filled: Record) -> None:
    findings = examine_record(filled.path)
    assert [f for f in findings if f.level != "ok"] == []
    assert {"schema", "integrity", "references", "contents", "executions", "search index"} <= {
        f.what for f in findings
    }


def test_looking_changes_nothing(filled: Record) -> None:
    before = "\n".join(filled.connection.iterdump())
    examine_record(filled.path)
    assert "\n".join(filled.connection.iterdump()) == before


def test_a_missing_record(tmp_path: Path) -> None:
    (finding,) = examine_record(tmp_path / "no.db")
    assert (finding.level, finding.what) == ("problem", "file")
    assert not (tmp_path / "no.db").exists()


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    path = tmp_path / "notes.db"
    path.write_text("these are my notes, not a database")
    assert "not an SQLite database" in examine_record(path)[-1].detail


def test_a_newer_record(filled: Record) -> None:
    meddle(filled, f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    assert "newer orch" in find_troubles(filled)["file"].detail


def test_a_file_that_was_cut_short(filled: Record) -> None:
    filled.close()
    os.truncate(filled.path, filled.path.stat().st_size - 5 * 4096)
    assert any(f.level == "problem" for f in examine_record(filled.path))


@pytest.mark.parametrize("part", range(8))
def test_overwritten_pages_are_found_and_raise_nothing(filled: Record, part: int) -> None:
    filled.close()
    data = bytearray(filled.path.read_bytes())
    pages = len(data) // 4096
    for page in range(1 + part, pages, 8):
        data[page * 4096 : (page + 1) * 4096] = b"\xa5" * 4096
    filled.path.write_bytes(data)
    problems = [f for f in examine_record(filled.path) if f.level == "problem"]
    assert problems
    assert all(f.remedy for f in problems)


def test_an_index_that_lost_a_row_is_made_anew(filled: Record) -> None:
    with filled.write():
        filled.execute(f"INSERT INTO {TEXTS} ({TEXTS}) VALUES ('delete-all')")
    assert find_troubles(filled)["search index"].remedy == "orch doctor --repair"
    assert repair_record(filled) == ["search index: made anew"]
    assert find_troubles(filled) == {}


def test_an_older_index_is_told_and_repaired(filled: Record) -> None:
    runs = filled.value("SELECT count(*) FROM search_docs")
    make_version_1(filled)
    (wrong,) = find_troubles(filled).values()
    assert (wrong.what, wrong.level) == ("search index", "warning")
    assert wrong.detail.startswith(f"of version 1, this orch makes {INDEX_VERSION}: {runs} exec")
    assert wrong.remedy == "open orch, or orch doctor --repair"
    told: list[tuple[int, int]] = []
    assert repair_record(filled, lambda done, total: told.append((done, total))) == [
        f"search index: {runs} executions indexed anew, in version {INDEX_VERSION}"
    ]
    assert told == [(0, runs)]  # the index is one share
    assert find_troubles(filled) == {}


def test_an_index_of_many_pieces_is_merged(filled: Record, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index_merge, "LEAST_GROWTH", 2)
    assert repair_record(filled) == ["search index: merged into one piece"]
    assert repair_record(filled) == []
    assert find_troubles(filled) == {}


def test_repair_of_a_read_only_record_says_so(filled: Record) -> None:
    with Record(filled.path, writable=False) as record, pytest.raises(RecordError, match="written"):
        repair_record(record)


def test_a_link_in_place_of_the_record_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    folder = tmp_path / ".claude" / "orchestration"
    folder.parent.mkdir()
    folder.symlink_to(tmp_path / "elsewhere")
    (finding,) = examine_record(folder / "execution.db")
    assert finding.level == "problem"
    assert finding.detail.startswith(f"{folder} is a symbolic link")


def test_of_a_large_record_the_newest_runs_are_looked_at(
    filled: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "NEWEST", 1)
    meddle(
        filled,
        "UPDATE agent_executions SET scope = 'x', revision = revision + 1 "
        "WHERE execution_id = 'exec-1'",
    )
    partly = {f.what: f for f in examine_record(filled.path)}
    assert partly["not looked at"].detail.startswith("1 older runs ")
    assert partly["not looked at"].remedy == "orch doctor --full"
    assert partly["executions"].detail == "the newest 1 of 2 are what was observed"
    assert partly["statements"].detail == "1 can be read"
    assert "unused contents" not in partly
    told: list[tuple[int, int]] = []
    whole = {
        f.what: f
        for f in examine_record(
            filled.path, is_full=True, progress=lambda done, total: told.append((done, total))
        )
    }
    assert "exec-1" in whole["executions"].detail
    assert "not looked at" not in whole
    assert told == sorted(told) and told[-1][0] < told[-1][1]
