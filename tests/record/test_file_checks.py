"""What the doctor tells of the file of a record and what lies beside it."""

from __future__ import annotations

from pathlib import Path

import pytest

from orch_tui.models.database import Record
from orch_tui.record.opening import open_record
from orch_tui.record.upkeep.doctor import examine_record, repair_record
from tests.record.examining import fill_record, find_troubles


@pytest.fixture
def filled(record: Record) -> Record:
    return fill_record(record)


def test_permissions(filled: Record) -> None:
    filled.path.chmod(0o644)
    filled.path.parent.chmod(0o755)
    (filled.path.parent / ".gitignore").unlink()
    filled.path.with_name("execution.db.v0.bak").touch(0o644)
    wrong = find_troubles(filled)
    assert "execution.db 644" in wrong["permissions"].detail
    assert "orchestration 755" in wrong["permissions"].detail
    assert "git" in wrong
    repair_record(filled)
    assert find_troubles(filled) == {}
    assert repair_record(filled) == []


def test_a_folder_of_the_users_is_none_of_our_business(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    with open_record(tmp_path / "my.db") as record:
        assert find_troubles(record) == {}


def test_backups_of_migrations_are_named(filled: Record) -> None:
    filled.path.with_name("execution.db.v0.2.bak").touch(0o600)
    details = {f.what: f.detail for f in examine_record(filled.path)}
    assert "execution.db.v0.2.bak" in details["backups"]
    filled.path.with_name("execution.db.before-restore.2.bak").touch(0o600)
    told = [f.detail for f in examine_record(filled.path) if f.what == "backups"]
    assert any(
        t.startswith("execution.db.before-restore.2.bak from before a restore") for t in told
    )
    assert not any("restore" in t and "schema" in t for t in told)
