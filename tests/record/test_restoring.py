"""A backup becomes the record again, whoever has it open, and nothing is lost of what it was."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from orch_tui.api import OrchestrationSession
from orch_tui.errors import RecordError
from orch_tui.project import Project
from orch_tui.record.ledger.origins import current_origin
from orch_tui.record.upkeep import restoring
from orch_tui.record.upkeep.restoring import restore_record


def labels(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as held:
        rows = held.execute("SELECT execution_id FROM agent_executions ORDER BY 1")
        return [label for (label,) in rows]


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    root = tmp_path / "project"
    root.mkdir()
    (root / ".claude").mkdir()
    opened = Project(root)
    yield opened
    opened.close()


@pytest.fixture
def session(project: Project) -> OrchestrationSession:
    return OrchestrationSession("Restore it", project=project)


@pytest.fixture
def backup(project: Project, session: OrchestrationSession, tmp_path: Path) -> Path:
    """A backup of one run; a second one was recorded since."""
    session.init_deployment("a", scope="before")
    target = tmp_path / "copy.db"
    project.record.backup(target)
    session.init_deployment("a", scope="since")
    return target


def test_a_backup_is_the_record_again_for_whoever_has_it_open(
    project: Project, backup: Path
) -> None:
    done = restore_record(project.database, backup)
    assert (done.runs, labels(project.database)) == (1, ["exec-001"])
    assert done.kept is not None and labels(done.kept) == ["exec-001", "exec-002"]
    # this one had it open all the time
    assert project.record.value("SELECT count(*) FROM agent_executions") == 1
    again = restore_record(project.database, done.kept)
    assert (again.runs, labels(backup)) == (2, ["exec-001"])
    assert labels(project.database) == ["exec-001", "exec-002"]
    assert again.kept is not None and again.kept != done.kept


def test_the_backup_stays_alone_and_as_it_is(project: Project, backup: Path) -> None:
    before, beside = backup.read_bytes(), sorted(backup.parent.iterdir())
    restore_record(project.database, backup)
    assert backup.read_bytes() == before
    assert sorted(backup.parent.iterdir()) == beside


def test_it_goes_on_as_another_life_than_the_one_that_was_backed_up(
    project: Project, session: OrchestrationSession, tmp_path: Path
) -> None:
    with project.record.write():
        life = current_origin(project.record)
    project.record.backup(tmp_path / "copy.db")
    restore_record(project.database, tmp_path / "copy.db")
    with project.record.write():
        assert current_origin(project.record) != life
    assert project.record.value("SELECT count(*) FROM origins WHERE mine") == 2


@pytest.mark.parametrize("damage", [b"", b"no database at all", b"SQLite format 3\0" + b"x" * 5000])
def test_a_damaged_record_is_replaced_and_its_bytes_are_kept(
    project: Project, backup: Path, damage: bytes
) -> None:
    path = project.database
    project.close()
    for end in ("", "-wal", "-shm"):
        Path(f"{path}{end}").unlink(missing_ok=True)
    path.write_bytes(damage)
    done = restore_record(path, backup)
    assert (done.runs, labels(path)) == (1, ["exec-001"])
    assert done.kept is not None
    if damage:
        assert done.kept.read_bytes() == damage


def test_where_there_is_no_record_a_backup_makes_one(backup: Path, tmp_path: Path) -> None:
    path = tmp_path / "new" / "execution.db"
    done = restore_record(path, backup)
    assert (done.kept, labels(path)) == (None, ["exec-001"])
    assert path.stat().st_mode & 0o777 == 0o600


def test_what_is_no_whole_record_is_refused_and_changes_nothing(
    project: Project, backup: Path, tmp_path: Path
) -> None:
    before = labels(project.database)
    other = tmp_path / "other.db"
    with closing(sqlite3.connect(other)) as held:
        held.execute("CREATE TABLE t (x)")
    empty = tmp_path / "empty.db"
    with closing(sqlite3.connect(empty)) as held:
        held.execute("CREATE TABLE agent_executions (x)")
    newer = tmp_path / "newer.db"
    newer.write_bytes(backup.read_bytes())
    with closing(sqlite3.connect(newer)) as held:
        held.execute("PRAGMA user_version = 99")
    torn = tmp_path / "torn.db"
    data = bytearray(backup.read_bytes())
    data[8192 : len(data) - 4096] = b"\xff" * (len(data) - 12288)
    torn.write_bytes(data)
    for source, reason in (
        (tmp_path / "none.db", "there is no record"),
        (project.database, "is the record"),
        (other, "is no record of orch"),
        (newer, "newer"),
        (torn, "damaged|malformed"),
        (empty, "schema|column|table|record"),
    ):
        with pytest.raises(RecordError, match=reason):
            restore_record(project.database, source)
            pytest.fail(f"{source} was taken")
    assert labels(project.database) == before
    left = [path.name for path in project.database.parent.iterdir() if "tmp" in path.suffix]
    assert not left


def test_while_another_process_writes_it_is_refused_in_time(
    project: Project, backup: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(restoring, "_PATIENCE", 0.3)
    with closing(sqlite3.connect(project.database, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(RecordError, match="another process is writing"):
            restore_record(project.database, backup)
        other.execute("ROLLBACK")
    assert labels(project.database) == ["exec-001", "exec-002"]
    assert not [*project.database.parent.glob("*before-restore*")]


def test_what_is_recorded_meanwhile_is_kept_too(
    project: Project,
    session: OrchestrationSession,
    backup: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    copy, late = restoring._copy, ["a run that is recorded just then"]

    def keep(source: Path, target: Path) -> None:
        copy(source, target)
        if target.suffix == ".kept" and late:
            session.init_deployment("a", scope=late.pop())

    monkeypatch.setattr(restoring, "_copy", keep)
    done = restore_record(project.database, backup)
    assert done.kept is not None and len(labels(done.kept)) == 3
    assert labels(project.database) == ["exec-001"]


def test_pages_of_another_size_fit_in(project: Project, backup: Path) -> None:
    with closing(sqlite3.connect(backup)) as held:
        held.execute("PRAGMA journal_mode = DELETE")
        held.execute("PRAGMA page_size = 8192")
        held.execute("VACUUM")
    inode = project.database.stat().st_ino
    restore_record(project.database, backup)
    assert labels(project.database) == ["exec-001"]
    assert project.database.stat().st_ino == inode
