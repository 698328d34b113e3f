"""Opening, refusing, sharing and saving the real file."""

from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from orch_tui import __version__
from orch_tui.errors import RecordError
from orch_tui.models import database
from orch_tui.models.database import Record
from orch_tui.models.values import SCHEMA_VERSION
from orch_tui.record.sessions import get_session, init_session

ROOT = Path(__file__).parents[2]
needs_root = pytest.mark.skipif(os.getuid() != 0, reason="only root can become somebody else")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
def path(record: Record) -> Path:
    """A record with one session, closed."""
    init_session(record, "held", project="/p", session_id="s")
    record.close()
    return record.path


# The file and its folder


def test_the_file_is_the_users_alone(tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        with Record(tmp_path / ".claude" / "orchestration" / "execution.db") as record:
            assert mode(record.path) == 0o600
            assert mode(record.path.parent) == 0o700
            assert (record.path.parent / ".gitignore").read_text() == "*\n"
            init_session(record, "x", project="/p")
            assert mode(record.path.with_name("execution.db-wal")) == 0o600
    finally:
        os.umask(old)


def test_a_record_folder_made_by_somebody_else_becomes_private(tmp_path: Path) -> None:
    """The project's settings may be there first."""
    folder = tmp_path / ".claude" / "orchestration"
    folder.mkdir(parents=True, mode=0o755)
    (folder / "config.toml").write_text("budget = 1\n")
    Record(folder / "execution.db").close()
    assert mode(folder) == 0o700
    assert (folder / ".gitignore").read_text() == "*\n"


def test_a_folder_of_the_users_is_left_as_it_is(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    Record(tmp_path / "my.db").close()
    assert mode(tmp_path) == 0o755
    assert not (tmp_path / ".gitignore").exists()


def test_it_keeps_what_it_is_told(path: Path) -> None:
    with Record(path, create=False) as record:
        assert get_session(record, "s").scope == "held"
        assert record.value("PRAGMA journal_mode") == "wal"
        assert record.value("PRAGMA synchronous") == 2
        assert record.value("PRAGMA foreign_keys") == 1
        assert record.value("PRAGMA user_version") == SCHEMA_VERSION


def test_another_journal_mode_is_put_right(path: Path) -> None:
    with closing(sqlite3.connect(path)) as raw:
        assert raw.execute("PRAGMA journal_mode = delete").fetchone() == ("delete",)
    with Record(path) as record:
        assert record.value("PRAGMA journal_mode") == "wal"


def test_an_empty_file_becomes_a_record(tmp_path: Path) -> None:
    (tmp_path / "empty.db").touch()
    with Record(tmp_path / "empty.db") as record:
        init_session(record, "x", project="/p")


# Refusals: a clear message, and the file as it was


@contextmanager
def refused(path: Path, words: str) -> Iterator[None]:
    before = path.read_bytes()
    with pytest.raises(RecordError, match=words) as caught:
        yield
    assert str(path) in caught.value.message
    assert caught.value.hint
    assert path.read_bytes() == before


def test_a_missing_record_is_not_made_unasked(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match="there is no record"):
        Record(tmp_path / "no.db", create=False)
    with pytest.raises(RecordError, match="there is no record"):
        Record(tmp_path / "no.db", writable=False)
    assert list(tmp_path.iterdir()) == []


def test_a_version_that_was_never(path: Path) -> None:
    with closing(sqlite3.connect(path)) as raw:
        raw.execute("PRAGMA user_version = -1610612735")
    with refused(path, "is corrupt: no orch writes schema -1610612735"):
        Record(path)


def test_a_newer_record(path: Path) -> None:
    with closing(sqlite3.connect(path)) as raw:
        raw.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    with refused(path, "newer orch"):
        Record(path)
    with pytest.raises(RecordError) as caught:
        Record(path)
    for told in (str(SCHEMA_VERSION + 1), str(SCHEMA_VERSION), __version__, sys.executable):
        assert told in caught.value.message
    assert caught.value.hint.startswith("upgrade it: ")


@pytest.mark.parametrize("version", [0, SCHEMA_VERSION, 75])
def test_a_database_of_something_else(tmp_path: Path, version: int) -> None:
    path = tmp_path / "places.sqlite"
    with closing(sqlite3.connect(path)) as raw:
        raw.execute("CREATE TABLE sessions (url TEXT)")
        raw.execute(f"PRAGMA user_version = {version}")
    with refused(path, "something else"):
        Record(path)
    assert [p.name for p in tmp_path.iterdir()] == ["places.sqlite"]


@pytest.mark.parametrize("content", [b"# notes\n", b"SQLite format 2\0" * 100, b"\0" * 4096])
def test_a_file_that_is_no_database(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "notes.md"
    path.write_bytes(content)
    with refused(path, "not an SQLite database"):
        Record(path)


def test_a_truncated_header(tmp_path: Path) -> None:
    path = tmp_path / "cut.db"
    path.write_bytes(b"SQLite format 3\0" + b"\xff" * 50)
    with refused(path, "not an SQLite database|is corrupt"):
        Record(path)


def test_a_folder_in_place_of_the_file(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match="is no file"):
        Record(tmp_path)


@pytest.mark.parametrize("linked", ["execution.db", "orchestration", ".claude"])
@pytest.mark.parametrize("there", [False, True])
def test_a_record_behind_a_link_is_refused(tmp_path: Path, linked: str, there: bool) -> None:
    """A repository can bring a link to anywhere; by its real name the record can be used."""
    real = tmp_path / "elsewhere" / ".claude" / "orchestration" / "execution.db"
    real.parent.mkdir(parents=True)
    if there:
        Record(real).close()
    target = next(part for part in (real, *real.parents) if part.name == linked)
    path = tmp_path / "project" / real.relative_to(tmp_path / "elsewhere")
    link = next(part for part in (path, *path.parents) if part.name == linked)
    link.parent.mkdir(parents=True)
    link.symlink_to(target)
    before = sorted(real.parent.iterdir()), real.parent.stat()
    with pytest.raises(RecordError, match=f"{link} is a symbolic link"):
        Record(path)
    assert (sorted(real.parent.iterdir()), real.parent.stat()) == before
    Record(real).close()


def test_an_ignore_file_that_is_a_link_is_left_alone(tmp_path: Path) -> None:
    folder = tmp_path / ".claude" / "orchestration"
    folder.mkdir(parents=True)
    (folder / ".gitignore").symlink_to(tmp_path / "outside")
    Record(folder / "execution.db").close()
    assert not (tmp_path / "outside").exists()


@pytest.mark.parametrize("name", ["", "-journal", "-wal", "-shm"])
def test_a_pipe_in_place_of_a_file_is_refused_at_once(tmp_path: Path, name: str) -> None:
    os.mkfifo(tmp_path / f"x.db{name}")
    with pytest.raises(RecordError, match="is no (plain )?file"):
        Record(tmp_path / "x.db")


def test_a_planted_journal_deletes_nothing(tmp_path: Path) -> None:
    """SQLite deletes the file that a hot journal names as its super-journal."""
    path, victim = tmp_path / "x.db", tmp_path / "victim"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE t (a)")
    victim.write_text("precious")
    page, magic, size = path.read_bytes()[:4096], bytes.fromhex("d9d505f920a163d7"), 4096
    sums = sum(page[number] for number in range(size - 200, 0, -200))
    name = os.fsencode(victim)
    words = (1, 0, path.stat().st_size // size, 512, size)
    head = (magic + b"".join(word.to_bytes(4) for word in words)).ljust(512, b"\0")
    body = (1).to_bytes(4) + page + sums.to_bytes(4) + (0x40000000 // size + 1).to_bytes(4)
    tail = name + len(name).to_bytes(4) + sum(name).to_bytes(4) + magic
    path.with_name("x.db-journal").write_bytes(head + body + tail)
    with pytest.raises(RecordError, match="names another file, which SQLite would delete"):
        Record(path)
    assert victim.read_text() == "precious"


def test_pages_overwritten_in_the_middle(path: Path) -> None:
    with Record(path) as record, record.write():
        record.executemany(
            "INSERT INTO counters VALUES (?, ?)", [(f"{n:0100}", n) for n in range(2000)]
        )
    data = bytearray(path.read_bytes())
    for page in range(len(data) // 4096 // 2, len(data) // 4096):
        data[page * 4096 : page * 4096 + 2048] = os.urandom(2048)
    path.write_bytes(data)
    with (
        pytest.raises(RecordError, match="is corrupt") as caught,
        Record(path) as record,
    ):
        record.sql("SELECT * FROM counters")
    assert "doctor" in caught.value.hint


def test_a_missing_table_is_no_traceback(path: Path) -> None:
    with closing(sqlite3.connect(path)) as raw:
        raw.execute("DROP TABLE counters")
    with Record(path) as record, pytest.raises(RecordError, match="no such table"):
        init_session(record, "x", project="/p")


def test_a_refused_file_is_closed(path: Path, tmp_path: Path) -> None:
    with closing(sqlite3.connect(path)) as raw:
        raw.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    with pytest.raises(RecordError):
        Record(path)
    mapped = [str(link.readlink()) for link in Path("/proc/self/fd").iterdir() if link.is_symlink()]
    assert not [name for name in mapped if name.startswith(str(tmp_path))]


# Others at the same file


LOCK = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN EXCLUSIVE")
print("locked", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def locked(path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Another process holds the write lock and will not let go."""
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.05)
    with subprocess.Popen(
        [sys.executable, "-c", LOCK, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        yield path
        holder.communicate()


def test_a_locked_record_can_be_read_but_not_written(locked: Path) -> None:
    with Record(locked) as record:
        assert get_session(record, "s").scope == "held"
        with pytest.raises(RecordError, match="locked by another process") as caught:
            init_session(record, "x", project="/p")
        assert caught.value.is_locked


def test_what_is_wrong_is_told_by_its_code_not_by_its_words(path: Path) -> None:
    with Record(path) as record:
        for words in ("database is locked", "disk is full", "malformed", "readonly"):
            with pytest.raises(RecordError, match=f"no such table: {words}") as caught:
                record.sql(f'SELECT * FROM "{words}"')
            assert not caught.value.is_locked
        with pytest.raises(RecordError) as caught:
            record.sql("SELECT json('{')")
        assert "is corrupt" not in caught.value.message
        record.sql("PRAGMA query_only = ON")
        with pytest.raises(RecordError, match="cannot be written"):
            record.sql("CREATE TABLE t (a)")


def test_what_is_done_in_passing_is_left_where_another_writes(locked: Path) -> None:
    with Record(locked) as record:
        waits = record.value("PRAGMA busy_timeout")
        done = []
        with record.in_passing(), record.write():
            done.append("written")
        with record.not_waiting(), record.in_passing():
            done.append("read")
        assert done == ["read"]
        assert record.value("PRAGMA busy_timeout") == waits


def test_a_lock_that_is_let_go_is_waited_for(path: Path) -> None:
    with Record(path) as one, Record(path) as other:
        begun, written = threading.Event(), threading.Event()

        def late() -> None:
            begun.set()
            init_session(other, "late", project="/p", session_id="late")
            written.set()

        with one.write():
            thread = threading.Thread(target=late)
            thread.start()
            begun.wait()
            assert not written.wait(0.05)
        thread.join()
        assert get_session(one, "late").scope == "late"


def test_each_thread_has_its_own_connection(path: Path) -> None:
    with Record(path) as record:
        seen: list[object] = []
        threads = [
            threading.Thread(target=lambda: seen.append(record.connection)) for _ in range(2)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len({id(c) for c in [*seen, record.connection]}) == 3


CREATE = """
import sys
from pathlib import Path
from orch_tui.models.database import Record
from orch_tui.record.sessions import init_session
sys.stdin.read()
with Record(Path(sys.argv[1])) as record:
    print(init_session(record, "x", project="/p").session_id)
"""


def together(script: str, path: Path, count: int) -> list[tuple[str, str]]:
    """Run ``script`` in several processes that start at the same moment."""
    running = [
        subprocess.Popen(
            [sys.executable, "-c", script, str(path)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(count)
    ]
    for process in running:
        assert process.stdin is not None
        process.stdin.close()
        process.stdin = None
    return [process.communicate() for process in running]


@pytest.mark.slow
def test_several_processes_make_the_record_at_once(tmp_path: Path) -> None:
    results = together(CREATE, tmp_path / ".claude" / "orchestration" / "execution.db", 6)
    assert [err for _, err in results] == [""] * 6
    assert len({out for out, _ in results}) == 6


# Transactions


def test_a_failed_write_leaves_nothing(record: Record) -> None:
    with pytest.raises(ZeroDivisionError), record.write():
        init_session(record, "x", project="/p", session_id="s")
        _ = 1 / 0
    assert record.value("SELECT count(*) FROM sessions") == 0
    assert record.value("SELECT count(*) FROM journal") == 0


def test_a_nested_write_is_part_of_the_outer_one(record: Record) -> None:
    with pytest.raises(ZeroDivisionError), record.write():
        with record.write():
            init_session(record, "x", project="/p", session_id="s")
        _ = 1 / 0
    assert record.value("SELECT count(*) FROM sessions") == 0


def test_reads_in_one_view_agree(record: Record) -> None:
    with Record(record.path) as other, record.read():
        before = record.value("SELECT count(*) FROM sessions")
        init_session(other, "x", project="/p")
        assert record.value("SELECT count(*) FROM sessions") == before
    assert record.value("SELECT count(*) FROM sessions") == before + 1


# Files that cannot be written


READ = """
import os, sys
import urllib.parse  # the interpreter's own folder may be closed to others
from pathlib import Path
from orch_tui.errors import RecordError
from orch_tui.models.database import Record
from orch_tui.record.sessions import get_session, init_session
os.setgid(65534)
os.setuid(65534)
try:
    record = Record(Path(sys.argv[1]))
except RecordError as error:
    sys.exit(print(error.message))
with record:
    print(get_session(record, "s").scope)
    try:
        init_session(record, "x", project="/p")
    except RecordError as error:
        print(error.message)
"""


@needs_root
@pytest.mark.parametrize("open_elsewhere", [False, True], ids=["alone", "beside a writer"])
def test_a_read_only_record_is_read(tmp_path: Path, open_elsewhere: bool) -> None:
    folder = Path("/tmp") / f"orch-read-only-{os.getpid()}"  # tmp_path's parents are private
    folder.mkdir()
    try:
        path = folder / "execution.db"
        with Record(path) as record:
            init_session(record, "held", project="/p", session_id="s")
            if not open_elsewhere:
                record.close()
            for file in folder.iterdir():
                file.chmod(0o644)
            folder.chmod(0o555)
            result = _run(READ, path)
        assert result.stderr == ""
        assert result.stdout.splitlines() == ["held", f"{path} cannot be written"]
    finally:
        for file in folder.iterdir():
            file.unlink()
        folder.rmdir()


@needs_root
def test_a_private_record_of_somebody_else_is_named(path: Path) -> None:
    result = _run(READ, path)
    assert "Permission denied" in result.stdout
    assert str(path) in result.stdout


def _run(script: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", script, *map(str, arguments)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


# A full disk

FILL = """
import resource, sys
from pathlib import Path
from orch_tui.errors import RecordError
from orch_tui.models.database import Record
from orch_tui.record.sessions import init_session
with Record(Path(sys.argv[1])) as record:
    limit = int(sys.argv[2])
    if limit:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    for number in range(10_000):
        try:
            init_session(record, "x" * 5000, project="/p", session_id=f"s{number}")
        except RecordError as error:
            print(number)
            print(error.message)
            print(error.hint)
            break
    print(record.value("SELECT count(*) FROM sessions"))
"""


def _check_full(path: Path, limit: int, words: str) -> None:
    result = _run(FILL, path, limit)
    assert result.stderr == ""
    number, message, hint, held = result.stdout.splitlines()
    assert words in message
    assert hint
    assert int(number) == int(held)  # all before the refused one, and no part of it
    with Record(path) as record:
        assert record.value("PRAGMA integrity_check") == "ok"
        assert record.value("SELECT count(*) FROM sessions") == int(held)


def test_a_file_that_may_not_grow(tmp_path: Path) -> None:
    _check_full(tmp_path / "full.db", 1_000_000, "could not be")


@needs_root
def test_a_full_disk(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", disk]).returncode:
        pytest.skip("no file system can be mounted here")
    try:
        _check_full(disk / "full.db", 0, "the disk is full")
        with Record(disk / "full.db") as record, pytest.raises(RecordError, match="disk is full"):
            record.backup(disk / "copy.db")
        assert not (disk / "copy.db").exists()
    finally:
        subprocess.run(["umount", disk], check=True)


# Copies


def test_a_backup_is_complete_while_others_write(record: Record, tmp_path: Path) -> None:
    init_session(record, "held", project="/p", session_id="s")
    with Record(record.path) as other, other.write():
        init_session(other, "not yet", project="/p", session_id="t")
        record.backup(tmp_path / "copy.db")
    assert mode(tmp_path / "copy.db") == 0o600
    with Record(tmp_path / "copy.db", create=False) as copy:
        assert copy.sql("SELECT session_id FROM sessions") == [("s",)]


def test_a_backup_overwrites_nothing(record: Record, tmp_path: Path) -> None:
    (tmp_path / "mine.db").write_text("mine")
    with pytest.raises(RecordError, match="exists already"):
        record.backup(tmp_path / "mine.db")
    assert (tmp_path / "mine.db").read_text() == "mine"
