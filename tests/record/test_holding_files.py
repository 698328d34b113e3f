"""Files that hold a secret: whose they are."""

from __future__ import annotations

import shutil
import sqlite3
import zlib
from contextlib import closing
from pathlib import Path

import pytest

from orch_tui.models.database import Record
from orch_tui.paths import claude_folder, state_folder
from orch_tui.record import sessions
from orch_tui.record.upkeep.hidden_secret import HiddenSecret
from orch_tui.record.upkeep.holding_files import (
    choose_own_files,
    find_holding_files,
    find_transcripts,
    holds_secret,
)
from orch_tui.written_files import note_written
from tests.record.test_redaction import KEY, write


def test_what_orch_was_told_to_write_is_looked_into_and_its_own(
    record: Record, tmp_path: Path
) -> None:
    sessions.init_session(record, "x", project=str(tmp_path), session_id="s")
    report = write(tmp_path / "report.md", f"a {KEY}")
    write(tmp_path / "clean.md", "a")
    write(tmp_path / "unknown.md", KEY)
    for name in ("report.md", "clean.md"):
        note_written(tmp_path / name)
    copied = write(Path(state_folder(), "clipboard.txt"), KEY)
    draft = write(record.path.parent / "drafts" / "a.draft", KEY)
    settings = write(record.path.parent / "config.toml", KEY)
    found = tuple(find_holding_files(record, HiddenSecret.of(KEY)))
    assert set(found) == {report, copied, draft, settings}
    assert set(choose_own_files(record, found)) == {report, copied, draft}


def test_transcripts_of_the_project_are_named(record: Record, tmp_path: Path) -> None:
    root = record.path.parent.parents[1]
    folder = "".join(c if c.isalnum() else "-" for c in str(root))
    line = f'{{"cwd": "{root}", "sessionId": "s", "text": "{KEY}"}}\n'
    named = write(Path(claude_folder(), "projects", folder, "s.jsonl"), line)
    write(Path(claude_folder(), "projects", folder, "t.jsonl"), line.replace(KEY, "none"))
    assert find_transcripts(record, KEY) == (named,)


@pytest.mark.parametrize("data", [KEY.encode(), b"x" * 1_048_570 + KEY.encode("utf-16-le")])
def test_a_file_holds_it_in_whichever_form(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "f").write_bytes(data)
    assert holds_secret(tmp_path / "f", HiddenSecret.of(KEY))
    assert not holds_secret(tmp_path / "none", HiddenSecret.of(KEY))


def test_a_copy_holds_it_in_a_table_of_any_name(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "copy.db")) as copy, copy:
        copy.execute('CREATE TABLE "a ""b" (data)')
        copy.execute('INSERT INTO "a ""b" VALUES (?)', [zlib.compress(KEY.encode())])
    assert holds_secret(tmp_path / "copy.db", HiddenSecret.of(KEY))


def test_a_copy_holds_what_its_log_adds(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "live.db", isolation_level=None)) as live:
        live.execute("PRAGMA journal_mode = wal")
        live.execute("CREATE TABLE a (data)")
        live.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        live.execute("INSERT INTO a VALUES (?)", [zlib.compress(KEY.encode())])
        for end in ("", "-wal"):
            shutil.copy(tmp_path / f"live.db{end}", tmp_path / f"copy.db{end}")
    assert holds_secret(tmp_path / "copy.db", HiddenSecret.of(KEY))
    assert {path.name for path in tmp_path.glob("copy*")} == {"copy.db", "copy.db-wal"}
    (tmp_path / "copy.db-wal").unlink()
    assert not holds_secret(tmp_path / "copy.db", HiddenSecret.of(KEY))
