"""One open record: the SQLite file, its connections and its transactions.

A ``Record`` belongs to nobody's module: it is made, passed on and closed. Each thread gets its
own connection. Every write is one ``BEGIN IMMEDIATE`` transaction: a deferred one that reads
before it writes fails with "database is locked" under concurrency, whatever the busy timeout.
"""

from __future__ import annotations

import os
import sqlite3
import stat
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from errno import EEXIST
from pathlib import Path
from threading import current_thread, local, main_thread
from typing import Any, NoReturn, Self

from orch_tui.errors import RecordError, UsageError
from orch_tui.models.long_statements import ASKED_AFTER, PATIENCE, StatementWatch, take_ended
from orch_tui.models.values import APPLICATION_ID, SCHEMA_VERSION
from orch_tui.models.values import timestamp as timestamp  # also the engine's
from orch_tui.paths import RECORD_FOLDER, linked_part

_PAGES_AT_ONCE = 2_000
"""Of a backup: between two steps signals are answered."""

_FIRST_PAUSE, _LONGEST_PAUSE = 0.002, 0.05
"""Seconds between two attempts to write, at most."""

BUSY_SECONDS = 15
"""How long a write waits for another; ten writers were seen to wait 2.1 s at most."""

Row = dict[str, Any]
Clock = Callable[[], datetime]
Parameters = Sequence[Any] | Mapping[str, Any]


def utc_now() -> datetime:
    return datetime.now(UTC)


def in_list(values: Iterable[Any]) -> tuple[str, list[Any]]:
    """``(?, ?, ?)`` and its parameters, for an IN."""
    parameters = list(values)
    return f"({', '.join('?' * len(parameters))})", parameters


HOW_TO_BEGIN = (
    "`orch import` takes in what Claude Code ran here, `orch install --hooks` has it recorded from "
    'now on, `orch init-session --scope "..."` begins by hand'
)


class _Mine(local):
    """What each thread has of a record."""

    connection: sqlite3.Connection | None = None
    watch: StatementWatch | None = None


class RecordCursor(sqlite3.Cursor):
    """A cursor whose complaints are those of the record: also while rows are fetched."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        super().__init__(connection)
        self._path = path
        self._held: Iterator[Any] | None = None

    def execute(self, statement: str, parameters: Any = (), /) -> Self:
        with TranslatedErrors(self._path, refusals=False):
            return super().execute(statement, parameters)

    def fetchone(self) -> Any:
        if self._held is not None:
            return next(self._held, None)
        try:
            return super().fetchone()
        except sqlite3.Error:
            with TranslatedErrors(self._path):
                raise

    def hold_rows(self) -> None:
        """Fetch all rows now, so that the transaction can end before they are asked for."""
        with TranslatedErrors(self._path):
            self._held = iter(self.fetchall())


_forks = 0
"""How often this process was forked from one that had imported this module."""


def _count_fork() -> None:
    global _forks
    _forks += 1


os.register_at_fork(after_in_child=_count_fork)


class Record:
    """The record of one project (or of one user).

    ``actor`` is who the journal names for changes made through this object. ``before_commit`` are
    called at the end of each write, inside its transaction: who opens the record says what must
    be true of it afterwards (see `orch_tui.record.opening`).
    """

    def __init__(
        self,
        path: Path,
        *,
        create: bool = True,
        writable: bool = True,
        clock: Clock = utc_now,
        actor: str = "api",
        migrate: Callable[[Record], object] | None = None,
    ) -> None:
        """Open ``path``, creating it or bringing it up to date where needed.

        ``migrate`` does the latter, for who wants to be asked or told (default:
        ``models.migrations.migrate``).

        Raises:
            RecordError: missing (with ``create=False``), not ours, newer, corrupt or locked.
        """
        self.path = path
        self._forks = _forks
        self._errors = TranslatedErrors(path)
        self.clock = clock
        self.actor = actor
        self.before_commit: list[Callable[[Record], object]] = []
        """What must be done before a write transaction ends; whoever opens the record says it."""
        self.has_written = False
        """Whether a write of this object came to its end."""
        with TranslatedErrors(path):
            check_place(path)
            exists = path.exists() and path.stat().st_size > 0
            if not exists and not (create and writable):
                raise RecordError(f"there is no record at {path}", hint=HOW_TO_BEGIN)
            self.writable = writable and (not exists or _may_write(path))
            if not exists:
                _make_file(path)
            _check_header(path)
            self._mine = _Mine()
            try:
                self._bring_up_to_date(migrate)
            except BaseException:
                self.close()
                raise

    @property
    def connection(self) -> sqlite3.Connection:
        """This thread's own, opened when it first asks.

        Raises:
            RecordError: the process that opened the record forked, and this is the child.
        """
        if self._forks != _forks:
            self.check_process()
        if self._mine.connection is None:
            with self._errors:
                self._mine.connection = self._connect()
                self._mine.watch = StatementWatch(self.path, self._mine.connection)
        return self._mine.connection

    @contextmanager
    def ending(self, must_end: Callable[[], bool], after: int = ASKED_AFTER) -> Iterator[None]:
        """Break off the statements of this thread, with a RecordError, once ``must_end`` says so.

        It is asked ``after`` so many instructions of SQLite.
        """
        assert self.connection
        watch = self._mine.watch
        assert watch
        watch.ask(must_end, after)
        try:
            yield
        finally:
            watch.resume()

    @property
    def is_inherited(self) -> bool:
        """Whether a parent process opened it and this one was forked from it: neither connections
        nor SQLite's knowledge of who holds which lock outlive that
        (https://sqlite.org/howtocorrupt.html, 2.6)."""
        return self._forks != _forks

    def check_process(self) -> None:
        """Refuse to go on in the child of a fork.

        Raises:
            RecordError: this is not the process that opened the record.
        """
        if self.is_inherited:
            raise RecordError(
                f"{self.path} was opened before this process was forked",
                hint="open the session or record anew in the child, or begin with the "
                "'spawn' method of multiprocessing",
            )

    def _connect(self) -> sqlite3.Connection:
        if self.writable:
            pragmas = ["foreign_keys = ON", "synchronous = FULL"]
            target = str(self.path)
        else:
            pragmas = ["query_only = ON"]
            target = self.path.absolute().as_uri() + (
                "?mode=ro" if _shared_memory_usable(self.path) else "?immutable=1"
            )
        connection = sqlite3.connect(
            target,
            uri=not self.writable,
            timeout=BUSY_SECONDS,
            isolation_level=None,  # transactions begin where `write` and `read` say so
            check_same_thread=False,  # what a thread leaves behind may be let go of by another
        )
        connection.text_factory = _readable_text
        try:
            for pragma in pragmas:
                connection.execute(f"PRAGMA {pragma}")
        except BaseException:
            connection.close()
            raise
        return connection

    def _bring_up_to_date(self, migrate: Callable[[Record], object] | None) -> None:
        version = self._version()
        if not self._is_ours():
            raise RecordError(
                f"{self.path} is an SQLite database of something else",
                hint="name another with --db",
            )
        if version < 0:
            raise RecordError(
                f"{self.path} is corrupt: no orch writes schema {version}",
                hint="a copy may be whole: orch restore FILE",
            )
        if version > SCHEMA_VERSION:
            from orch_tui import __version__, processes

            raise RecordError(
                f"{self.path} was written by a newer orch: its schema is {version}, and "
                f"{processes.own_program()} (orch {__version__}) knows {SCHEMA_VERSION}",
                hint=f"upgrade it: {processes.upgrade_command()}",
            )
        if not self.writable:
            if version < SCHEMA_VERSION:
                raise RecordError(
                    f"{self.path} has an older schema and cannot be written",
                    hint="open it once where it is writable; it is then brought up to date",
                )
            return
        if version < SCHEMA_VERSION:
            if self._tables():
                from orch_tui.models import migrations  # hardly any opening meets an older record

                (migrate or migrations.migrate)(self)
            else:
                self._create()
        if self.value("PRAGMA journal_mode") != "wal":
            self._use_wal()

    def _is_ours(self) -> bool:
        if self.value("PRAGMA application_id") == APPLICATION_ID:
            return True
        with self.read():  # another process may be bringing it up to date
            if self.value("PRAGMA application_id") == APPLICATION_ID or not self._tables():
                return True
            from orch_tui.models.migrations import is_original

            return is_original(self)

    def _create(self) -> None:
        from orch_tui.models.creation import create_schema

        with self._transaction("IMMEDIATE"):
            if not self._tables():  # another process may have been faster
                create_schema(self.connection)

    def _use_wal(self) -> None:
        """Switch to WAL; the switch itself ignores the busy timeout, so wait here."""
        deadline = time.monotonic() + BUSY_SECONDS
        while True:
            try:
                self.connection.execute("PRAGMA journal_mode = wal")
                return
            except sqlite3.OperationalError as error:
                if _reason(error) is not _LOCKED or time.monotonic() > deadline:
                    raise
                time.sleep(0.01)

    def _version(self) -> int:
        return int(self.value("PRAGMA user_version"))

    def _tables(self) -> set[str]:
        names = self.sql("SELECT name FROM sqlite_schema WHERE type = 'table'")
        return {name for (name,) in names if not name.startswith("sqlite_")}

    # Statements

    def sql(self, statement: str, parameters: Parameters = ()) -> list[tuple[Any, ...]]:
        """Run raw SQL and give all its rows."""
        with self._errors:
            return self.connection.execute(statement, parameters).fetchall()

    def value(self, statement: str, parameters: Parameters = ()) -> Any:
        """The first column of the first row, or None."""
        with self._errors:
            row = self.connection.execute(statement, parameters).fetchone()
            return row[0] if row else None

    def rows(self, statement: str, parameters: Parameters = ()) -> list[Row]:
        """Run raw SQL and give its rows by column name."""
        with self._errors:
            cursor = self.connection.execute(statement, parameters)
            names = [column[0] for column in cursor.description]
            return [dict(zip(names, row, strict=True)) for row in cursor]

    def execute(self, statement: str, parameters: Parameters = ()) -> sqlite3.Cursor:
        with self._errors:
            return self.connection.execute(statement, parameters)

    def executemany(self, statement: str, rows: Iterable[Sequence[Any]]) -> None:
        with self._errors:
            self.connection.executemany(statement, rows)

    def cursor(self) -> RecordCursor:
        """A cursor on this thread's connection that complains as the record does."""
        return RecordCursor(self.connection, self.path)

    @contextmanager
    def models(self) -> Iterator[None]:
        """Have Peewee queries on the models go to this record: in this thread or asyncio task,
        until the end of the ``with``. Those that write are transactions of the record."""
        # all tables, so that no backref is missing; Peewee takes longer than most commands
        from orch_tui.models.schema import database

        with database.use_record(self):
            yield

    # Transactions

    @contextmanager
    def read(self) -> Iterator[None]:
        """A consistent view for several statements."""
        if self.connection.in_transaction:
            yield
            return
        with self._transaction("DEFERRED"):
            yield

    @contextmanager
    def write(self) -> Iterator[None]:
        """One transaction; nested calls join the outermost, which ends with ``before_commit``."""
        if self.connection.in_transaction:
            yield
            return
        if not self.writable:
            raise RecordError(
                f"{self.path} cannot be written",
                hint="check its permissions, or name another with --db",
            )
        with self._transaction("IMMEDIATE"):
            yield
            for callback in self.before_commit:
                callback(self)
            for callback in self.before_commit:
                callback(self)
        self.has_written = True

    @contextmanager
    def not_waiting(self) -> Iterator[None]:
        """Make a locked record an error at once: who only reads must not wait for a writer."""
        before = self.value("PRAGMA busy_timeout")
        self.execute("PRAGMA busy_timeout = 0")
        try:
            yield
        finally:
            self.execute(f"PRAGMA busy_timeout = {before}")

    @contextmanager
    def in_passing(self) -> Iterator[None]:
        """Do what may as well be done another time: where the record is locked or cannot be
        written just now, it is left undone, without waiting."""
        with suppress(RecordError), self.not_waiting():
            yield

    @contextmanager
    def _transaction(self, kind: str) -> Iterator[None]:
        """What fails inside for another reason than the record keeps its own name."""
        if kind == "IMMEDIATE":
            self._begin_in_turn()
        else:
            self.execute(f"BEGIN {kind}")
        try:
            yield
            self.execute("COMMIT")
        except BaseException:
            if self.connection.in_transaction:  # a full disk makes SQLite roll back itself
                self.execute("ROLLBACK")
            raise

    def _begin_in_turn(self) -> None:
        """Begin a write once nobody else writes: who has waited long asks more often than others.

        SQLite's own waiting asks ever less often, so that newcomers go before who waits longest:
        20 processes that record at once waited up to 4.5 s so, 1 s now.
        """
        patience = self.value("PRAGMA busy_timeout") / 1000
        began, pause = time.monotonic(), _FIRST_PAUSE
        with TranslatedErrors(self.path):
            while True:
                self.connection.execute("PRAGMA busy_timeout = 0")
                try:
                    self.connection.execute("BEGIN IMMEDIATE")
                    return
                except sqlite3.OperationalError as error:
                    waited = time.monotonic() - began
                    if _reason(error) is not _LOCKED or waited >= patience:
                        raise
                    by_chance = os.urandom(1)[0] / 255
                    time.sleep(pause * by_chance / (1 + waited * 4))
                    pause = min(pause * 2, _LONGEST_PAUSE)
                finally:
                    self.connection.execute(f"PRAGMA busy_timeout = {int(patience * 1000)}")

    def now(self) -> str:
        return timestamp(self.clock())

    # The file

    def backup(
        self, target: Path, progress: Callable[[int, int], object] = lambda done, total: None
    ) -> None:
        """A consistent copy, also while others write. ``target`` must not exist.

        ``progress`` is told how many pages are copied, of how many.

        What this object has written and not yet committed is not in it.
        """
        with TranslatedErrors(target):
            if os.path.lexists(target):
                raise FileExistsError(EEXIST, os.strerror(EEXIST), str(target))
            # whoever is killed meanwhile leaves nothing half under the name that was asked for
            unfinished = target.with_name(f".orch-{os.urandom(6).hex()}.tmp")
            os.close(os.open(unfinished, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
            try:
                # another connection: SQLite copies from none that is in a write transaction
                with (
                    closing(self._connect()) as source,
                    closing(sqlite3.connect(unfinished)) as copy,
                ):
                    source.backup(
                        copy,
                        pages=_PAGES_AT_ONCE,
                        progress=lambda _, left, total: progress(total - left, total),
                    )
                give_name(unfinished, target)
            finally:
                for end in ("", "-journal"):
                    unfinished.with_name(f"{unfinished.name}{end}").unlink(missing_ok=True)

    def squeeze(self) -> bool:
        """Write the file anew without its free pages, and empty the write-ahead log.

        False where somebody who reads kept that from being done in the file itself.
        """
        self.execute("VACUUM")
        return not self.sql("PRAGMA wal_checkpoint(TRUNCATE)")[0][0]

    def close(self) -> None:
        """Close this thread's connection; those of other threads end with their threads.

        Closing one while its thread is inside a statement would crash the interpreter.
        """
        if self._mine.connection is not None and not self.is_inherited:
            self._mine.connection.close()
            self._mine.connection = None

    def __enter__(self) -> Record:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _readable_text(data: bytes) -> str:
    """TEXT as it is read: whoever writes with other programs may have stored what is no UTF-8."""
    return data.decode("utf-8", "replace")


def _make_file(path: Path) -> None:
    """The folder (0700, ignored by git) and the file (0600), before SQLite sees either.

    A folder that is there already is left as it is, unless it can only be the record's.
    """
    folder = path.parent
    if is_record_folder(folder) or not folder.exists():
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with suppress(PermissionError):  # somebody else's; `orch doctor` tells
            folder.chmod(0o700)
        ignore_in_git(folder)
    path.touch(mode=0o600)


def ignore_in_git(folder: Path) -> None:
    """Write the ``.gitignore`` of a record folder, where nothing else has that name."""
    with suppress(FileExistsError), (folder / ".gitignore").open("x") as file:
        file.write("*\n")


def is_record_folder(folder: Path) -> bool:
    """Whether ``folder`` is by its name a project's record folder, so ours to keep private."""
    return folder.parts[-2:] == Path(RECORD_FOLDER).parts


def give_name(unfinished: Path, target: Path) -> None:
    """Give a file that is complete its name, which nothing else may have.

    Raises:
        FileExistsError: something has it.
    """
    try:
        os.link(unfinished, target)
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links
        if os.path.lexists(target):
            raise FileExistsError(EEXIST, os.strerror(EEXIST), str(target)) from None
        os.rename(unfinished, target)
    else:
        unfinished.unlink()


def uri_to_look_at(path: Path) -> str:
    """Name a database so that SQLite makes no file beside it.

    Whoever reads one in WAL mode makes its -wal and -shm files, and who may not write cannot take
    them away. Where nobody has it open there are none, and the file alone is all of it.
    """
    is_open = any(path.with_name(f"{path.name}-{end}").exists() for end in ("wal", "journal"))
    return f"{path.absolute().as_uri()}?mode=ro{'' if is_open else '&immutable=1'}"


def check_place(path: Path) -> None:
    """Refuse what a repository could have planted where its record belongs.

    Raises:
        RecordError: a link, a pipe or device, or a journal that is not of orch's transactions.
    """
    if link := linked_part(path.absolute()):
        raise RecordError(
            f"{link} is a symbolic link: a record behind one is not used",
            hint="a repository can bring such a link; remove it, or name the record it leads to "
            "with --db or ORCH_DB",
        )
    if path.exists() and not path.is_file():
        raise RecordError(f"{path} is no file", hint="name another with --db, or move it away")
    real = Path(os.path.realpath(path))  # SQLite looks beside what a link leads to
    for each in (real.with_name(f"{real.name}-{end}") for end in ("journal", "wal", "shm")):
        if os.path.lexists(each) and not stat.S_ISREG(each.lstat().st_mode):
            raise RecordError(f"{each} is no plain file", hint="remove it, or name another record")
    journal = real.with_name(f"{real.name}-journal")
    if journal.exists() and _names_another_file(journal):
        raise RecordError(
            f"{journal} names another file, which SQLite would delete",
            hint="it did not come from orch: remove it unless you know whose it is",
        )


_JOURNAL_MAGIC = bytes.fromhex("d9d505f920a163d7")


def _names_another_file(journal: Path) -> bool:
    """Whether a rollback journal ends with the name of a super-journal: rolling it back deletes
    that file, whichever it is (https://sqlite.org/fileformat2.html, "The Rollback Journal"). A
    transaction on one database, so any of orch's, leaves none."""
    with journal.open("rb") as file:
        file.seek(max(0, journal.stat().st_size - len(_JOURNAL_MAGIC)))
        return file.read() == _JOURNAL_MAGIC


def _check_header(path: Path) -> None:
    with path.open("rb") as file:
        head = file.read(16)
    if head and head != b"SQLite format 3\0":
        raise RecordError(
            f"{path} is not an SQLite database", hint="name another with --db, or move it away"
        )


def is_older(path: Path) -> bool:
    """Whether a file is a record of an older schema, as far as its first bytes tell.

    A record that was just brought up to date may still look older: what was written last is in
    its -wal file. https://sqlite.org/fileformat2.html, "The Database Header"
    """
    try:
        with path.open("rb") as file:
            head = file.read(100)
    except OSError:
        return False
    version = int.from_bytes(head[60:64], "big")
    return head[:16] == b"SQLite format 3\0" and version < SCHEMA_VERSION


def _may_write(path: Path) -> bool:
    return os.access(path, os.W_OK) and os.access(path.parent, os.W_OK)


def _shared_memory_usable(path: Path) -> bool:
    """A read-only WAL database needs its -shm file, there already or creatable."""
    return os.access(path.parent, os.W_OK) or path.with_name(path.name + "-shm").exists()


_LOCKED = (
    "is locked by another process",
    "try again; `orch doctor` tells more",
)
_REASONS = {
    sqlite3.SQLITE_BUSY: _LOCKED,
    sqlite3.SQLITE_LOCKED: _LOCKED,
    sqlite3.SQLITE_PROTOCOL: _LOCKED,
    sqlite3.SQLITE_FULL: (
        "could not be written: the disk is full",
        "free some space and repeat the command; nothing was half written",
    ),
    sqlite3.SQLITE_IOERR: (
        "could not be read or written: disk error",
        "check the disk; `orch backup` makes a copy",
    ),
    sqlite3.SQLITE_CORRUPT: (
        "is corrupt",
        "`orch doctor` tells what can be read; restore a backup",
    ),
    sqlite3.SQLITE_NOTADB: (
        "is not an SQLite database",
        "name another with --db, or move it away",
    ),
    sqlite3.SQLITE_READONLY: (
        "cannot be written",
        "check its permissions, or name another with --db",
    ),
    sqlite3.SQLITE_CANTOPEN: (
        "cannot be opened",
        "check that the folder exists and its permissions",
    ),
}
"""What is wrong and what to do, by the primary result code (https://sqlite.org/rescode.html)."""


def is_interrupt(error: sqlite3.Error) -> bool:
    """Tell whether SQLite was told to end a statement."""
    code: int = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_OK)
    return code & 0xFF == sqlite3.SQLITE_INTERRUPT


def _reason(error: sqlite3.Error) -> tuple[str, str] | None:
    """Look up what SQLite complains of; None: something else, or the module itself complains."""
    code: int = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_OK)
    return _REASONS.get(code & 0xFF)  # the bits above tell kinds of the same


class TranslatedErrors:
    """SQLite's and the system's complaints as ``RecordError`` with what to do.

    ``refusals=False`` leaves what a constraint refuses as it is, for Peewee. It stands around
    every statement, where a generator would take as long as a short statement.
    """

    __slots__ = ("_path", "_refusals")

    def __init__(self, path: Path, *, refusals: bool = True) -> None:
        self._path = path
        self._refusals = refusals

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        if error is not None:
            self._translate(error)

    def _say_why_it_ended(self, error: sqlite3.DatabaseError) -> NoReturn:
        foreign = take_ended(self._path)
        if foreign:
            raise RecordError(
                f"{self._path}: a statement took over {PATIENCE:g} s and was ended, for the record "
                f"holds what orch did not make: {', '.join(foreign)}",
                hint="whoever made the record may have meant harm: drop them with sqlite3, or "
                "move the record away",
            ) from error
        if foreign is None and current_thread() is main_thread():
            raise KeyboardInterrupt from error  # by a signal, and Python lost what that raised
        raise RecordError(f"{self._path}: a statement was broken off") from error

    def _translate(self, error: BaseException) -> None:
        path = self._path
        if isinstance(error, sqlite3.DatabaseError):
            if is_interrupt(error):
                self._say_why_it_ended(error)
            if reason := _reason(error):
                wrong, hint = reason
                locked = reason is _LOCKED
                raise RecordError(f"{path} {wrong}", hint=hint, is_locked=locked) from error
            if isinstance(error, sqlite3.OperationalError) or (
                self._refusals and isinstance(error, sqlite3.IntegrityError)
            ):
                raise RecordError(f"{path}: {error}", hint="`orch doctor` tells more") from error
        elif isinstance(error, UnicodeDecodeError):  # SQLite quotes what it found in the file
            wrong, hint = _REASONS[sqlite3.SQLITE_CORRUPT]
            raise RecordError(f"{path} {wrong}", hint=hint) from error
        elif isinstance(error, UnicodeEncodeError):
            raise UsageError(
                f"{error.object!r:.80} is not valid UTF-8",
                hint="a final message may be any bytes, everything else is text",
            ) from error
        elif isinstance(error, OverflowError):
            raise UsageError(
                "a number is too large for the record",
                hint="it holds whole numbers up to 2^63 - 1",
            ) from error
        elif isinstance(error, FileExistsError):
            raise RecordError(f"{path} exists already", hint="name another file") from error
        elif isinstance(error, OSError):
            raise RecordError(f"{path}: {error.strerror or error}") from error
