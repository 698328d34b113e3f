"""Examining a record, whatever state it is in, and mending what can be derived again."""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
import stat
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import suppress
from datetime import timedelta
from itertools import chain
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from orch_tui import __version__, config
from orch_tui.claude_client import oldest_client
from orch_tui.errors import FormatError, OrchError, RecordError
from orch_tui.frozen import frozen
from orch_tui.models.database import (
    HOW_TO_BEGIN,
    Record,
    check_place,
    ignore_in_git,
    is_interrupt,
    is_record_folder,
    timestamp,
)
from orch_tui.models.long_statements import list_foreign_parts
from orch_tui.models.migrations.shapes import Part, columns_of, parts_of, version_shape
from orch_tui.models.migrations.step import Progress
from orch_tui.models.stored_bytes import STORED_BYTES, unpack_bytes, unpack_parts
from orch_tui.models.values import SCHEMA_VERSION, readable
from orch_tui.paths import SET_ASIDE, hand_over_folder, inboxes, is_plain_inbox, is_private
from orch_tui.record import hand_over
from orch_tui.record.defects import LEFT_ASIDE
from orch_tui.record.hooks import inbox
from orch_tui.record.hooks.payload_ingest import NOT_HANDED_OVER
from orch_tui.record.ledger import briefings
from orch_tui.record.ledger.contents import is_tombstone
from orch_tui.record.ledger.rebuild import find_stale_executions, rebuild_from_statements
from orch_tui.record.ledger.statement import KINDS, decode_stored
from orch_tui.record.provenance import list_remarks, remember_record
from orch_tui.search import maintenance
from orch_tui.search.schema import GIVEN, INDEX_VERSION, TEXTS
from orch_tui.wording import plural

if TYPE_CHECKING:
    from orch_tui.install.hook_settings import HookState

LONG_WAIT = timedelta(days=1)
"""An execution that has not returned after this time probably never will."""

T = TypeVar("T")

Level = Literal["ok", "warning", "problem"]
_REPAIR = "orch doctor --repair"
_RESTORE = (
    "orch restore FILE puts a backup back; or save what can be read with `sqlite3 FILE .recover`"
)
_TAKE_OVER = (
    "orch export with the orch that wrote it, and orch import into a new record, lose nothing; "
    "where tables were changed by hand, orch restore FILE puts a backup back"
)
"""Between two releases records may have tables that neither of them makes."""


@frozen
class Finding:
    """One thing that was looked at."""

    level: Level
    what: str
    detail: str
    remedy: str = ""
    """What to do about it; empty where nothing needs doing."""


PUBLIC_TABLES = ("sessions", "agent_executions", "context_allocations", "outputs")

NEWEST = 1_000
"""Runs of a large record that are looked at where not all are asked for."""
_SMALL = 64 << 20
"""Bytes of a record of that many runs that is always looked at whole."""


def examine_record(
    path: Path,
    root: Path | None = None,
    *,
    is_full: bool = False,
    progress: Progress = lambda done, total: None,
) -> list[Finding]:
    """Everything that can be told of the record at ``path``; it is only read.

    Of a large record, the public tables and the newest runs are looked at, and a finding says so;
    ``is_full`` looks at everything, and ``progress`` is told how much of that is done. ``root`` is
    the project whose settings, installations, hooks and inboxes are looked at. A file that cannot
    be opened, or breaks under a check, is a finding, never an error.
    """
    capture = (
        [
            *(*_settings(root), *_installations(root), *_skills(root), *_hooks(root)),
            *(*_inbox(root), *_elsewhere(root)),
        ]
        if root
        else []
    )
    findings: list[Finding] = []
    try:
        check_place(path)
        if not path.exists():
            missing = f"there is no record at {path}"
            return [Finding("problem", "file", missing, HOW_TO_BEGIN), *capture]
        findings += [*_permissions(path), *_provenance(path), *_backups(path)]
        with Record(path, create=False, writable=False) as record:
            runs = None if is_full else _choose_runs(record)
            checks = _CHECKS if runs is None else _CHECKS.keys() - _FULL_ONLY
            for number, (what, check) in enumerate(_CHECKS.items()):
                if what in checks:
                    findings += _checked(record, what, check, _Look(runs, number, progress))
            if runs is not None:
                findings.append(_left_out(record, runs))
    except RecordError as error:
        findings.append(Finding("problem", "file", error.message, error.hint))
    except OSError as error:
        findings = [
            Finding("problem", "file", f"{path}: {error.strerror}", "check its permissions")
        ]
    return findings + capture


def repair_record(record: Record, progress: Progress = lambda done, total: None) -> list[str]:
    """Mend what is safe and derivable, and say what was mended.

    ``progress`` is told how many runs were looked at, then how many of a search index of another
    version are indexed anew.

    Raises:
        RecordError: the file cannot be written, or is too broken to be read.
    """
    done = []
    for path in _open_to_others(record.path):
        path.chmod(0o700 if path.is_dir() else 0o600)
        done.append(f"{path.name}: closed to others")
    if _unignored(record.path):
        ignore_in_git(record.path.parent)
        done.append(f"{record.path.parent.name}: ignored by git")
    with record.write():
        if missing := _missing_parts(record):
            for part in missing:
                record.execute(part.sql)
            done.append(f"{_some([part.name for part in missing], 'part')}: made again")
        wrong = list(find_stale_executions(record, progress=progress))
        rebuild_from_statements(record, wrong)
        if wrong:
            done.append(f"{plural(len(wrong), 'execution')}: added up again")
        maintenance.refresh_pending(record)
        if maintenance.check(record):
            maintenance.rebuild(record)
            done.append("search index: made anew")
    if maintenance.is_of_another_version(record):
        older = maintenance.count_other_versions(record)
        while remaining := maintenance.index_older(record):
            progress(older - remaining, older)
        indexed = plural(older, "execution")
        done.append(f"search index: {indexed} indexed anew, in version {INDEX_VERSION}")
    return done


# Around the file


def _open_to_others(path: Path) -> list[Path]:
    """The files (and the folder, where it is the record's) that others may open."""
    ours = [path, *(path.with_name(path.name + end) for end in ("-wal", "-shm"))]
    ours += [*_copies(path)]
    if is_record_folder(path.parent):
        ours.append(path.parent)
    modes = ((p, p.lstat().st_mode) for p in ours if os.path.lexists(p))
    return [p for p, mode in modes if not stat.S_ISLNK(mode) and stat.S_IMODE(mode) & 0o077]


def _unignored(path: Path) -> bool:
    return is_record_folder(path.parent) and not os.path.lexists(path.parent / ".gitignore")


def _permissions(path: Path) -> Iterator[Finding]:
    opened = _open_to_others(path)
    if opened:
        modes = ", ".join(f"{p.name} {stat.S_IMODE(p.stat().st_mode):o}" for p in opened)
        yield Finding("warning", "permissions", f"others may open {modes}", _REPAIR)
    else:
        yield Finding("ok", "permissions", "only you may open it")
    if _unignored(path):
        yield Finding("warning", "git", f"{path.parent} has no .gitignore", _REPAIR)


def _provenance(path: Path) -> Iterator[Finding]:
    for remark, remedy in list_remarks(path):
        yield Finding("warning", "provenance", remark, remedy)
    remember_record(path)


def _copies(path: Path) -> list[Path]:
    return sorted(path.parent.glob(f"{path.name}.*bak"))


def _backups(path: Path) -> Iterator[Finding]:
    from orch_tui.record.upkeep.restoring import BEFORE_RESTORE

    kinds: dict[str, list[Path]] = {}
    for copy in _copies(path):
        is_replaced = copy.name.startswith(f"{path.name}.{BEFORE_RESTORE}.")
        kinds.setdefault("a restore" if is_replaced else "a change of schema", []).append(copy)
    for change, copies in kinds.items():
        size = sum(copy.stat().st_size for copy in copies)
        names = ", ".join(copy.name for copy in copies)
        yield Finding(
            "ok",
            "backups",
            f"{names} from before {change}, {size / 1e6:,.1f} MB",
            "delete them when all is well",
        )


def _settings(root: Path) -> list[Finding]:
    broken: list[FormatError] = []
    config.load(root, broken.append)
    remedy = "mend or remove the file: every other command refuses to run"
    return [Finding("problem", "settings", error.message, error.hint or remedy) for error in broken]


def _installations(root: Path) -> Iterator[Finding]:
    """Every orch that something leads to: one of another version may not read the record."""
    from orch_tui.install.installations import named_orchs

    for named in named_orchs(root):
        where = f"{named.by}: " if named.by == "PATH" else f"{named.by} in {named.place}: "
        if not named.is_there:
            yield Finding("warning", "orch", f"{where}{named.path} is gone", named.remedy)
        elif named.is_same:
            known = f"orch {named.version}" if named.version else "an orch of unknown version"
            yield Finding("ok", "orch", f"{where}{named.path} is {known}")
        else:
            what = f"{where}{named.path} is orch {named.version}, this one is {__version__}"
            yield Finding("warning", "orch", what, named.remedy)


_HOOKS = "orch install --hooks"
_HAND_OVER = f"{_HOOKS} --hand-over"


def _hooks(root: Path) -> Iterator[Finding]:
    """Tell whether Claude Code tells orch of agent runs."""
    from orch_tui.install import hook_settings

    state = hook_settings.state(root)
    for path in state.unreadable:
        yield Finding(
            "warning", "hooks", f"{path} is no JSON; Claude Code does not read it", "mend it"
        )
    if state.disabled_by:
        what = f"{state.disabled_by} turns hooks off: nothing is recorded by itself"
        yield Finding(
            "warning", "hooks", what, "drop disableAllHooks or allowManagedHooksOnly there"
        )
    client = oldest_client()
    release = f"Claude Code {'.'.join(map(str, client[0]))} ({client[1]})" if client else ""
    for registered in state.registered:
        again = hook_settings.remedy(root, registered)
        if not registered.works:
            what = f"{registered.path} names what is gone: {registered.command}"
            yield Finding("problem", "hooks", what, again)
        elif registered.unknown:
            what = f"{release} drops {registered.path} whole: {', '.join(registered.unknown)}"
            yield Finding("problem", "hooks", f"{what} is new to it", f"{again}, or update it")
        elif not registered.is_complete:
            what = f"{registered.path} has other events than this version and your client know"
            yield Finding("warning", "hooks", what, again)
        else:
            yield Finding("ok", "hooks", f"registered in {registered.path}")
    missing = hook_settings.EVENTS.keys() - hook_settings.heard_events().keys()
    if missing and state.registered:
        what = f"{release} is too old for {', '.join(sorted(missing))}: less is heard"
        yield Finding("warning", "hooks", what, "update Claude Code, then orch install --hooks")
    if twice := state.told_twice:
        places = " and ".join(str(registered.path) for registered in twice)
        what = f"{places} tell of each event: it is recorded once, a tool call waits for each hook"
        own = [hook_settings.remedy(root, r) for r in state.registered if not r.by_plugin]
        either = [each.replace("orch install", "orch uninstall") for each in own]
        if len(own) < len(state.registered):
            either = [" and ".join(either), "disable the plugin"]
        yield Finding("warning", "hooks", what, " or ".join(filter(None, either)))
    if not state.registered:
        yield Finding("ok", "hooks", "none: only what somebody says is recorded", _HOOKS)
    yield from _hand_over(state)


def _skills(root: Path) -> Iterator[Finding]:
    """Tell whether what was installed of the skill is still there."""
    from orch_tui.install import skill

    for project, command in ((root, "orch install"), (None, "orch install --user")):
        with suppress(OrchError):
            folder = skill.skill_folder(project)
            if gone := skill.missing_files(folder):
                what = f"{folder}: gone are {_some(gone, 'file')} of it"
                yield Finding("problem", "skill", what, command)


def _hand_over(state: HookState) -> Iterator[Finding]:
    """Tell whether a line can stand for a briefing."""
    if not any(registered.hands_over for registered in state.registered):
        yield Finding("ok", "hand-over", "no hook puts briefings into prompts", _HAND_OVER)
    elif not state.hands_over:
        what = "the hook that puts briefings into prompts is registered and cannot run"
        yield Finding("problem", "hand-over", what, _HAND_OVER)
    elif os.path.lexists(folder := hand_over_folder()) and not is_private(folder):
        what = f"{folder} is a link or not yours alone: nothing there is handed over"
        yield Finding("warning", "hand-over", what, "make it yours, with mode 700")
    else:
        yield Finding("ok", "hand-over", "a hook puts briefings into prompts")


def _inbox(root: Path) -> Iterator[Finding]:
    """What waits, what could not be read, and what had to go elsewhere."""
    first = True
    for folder in inboxes(root):
        if first and os.path.lexists(folder) and not is_plain_inbox(folder):
            yield Finding(
                "warning",
                "inbox",
                f"{folder} is or holds a link, is no folder, or is somebody else's: hooks leave "
                "nothing there, and nothing there is taken in",
                "remove it (hooks make a new one), unless you know whose it is",
            )
            first = False
            continue
        aside = inbox.list_set_aside(folder)
        if aside:
            what = f"{plural(len(aside), 'payload')} could not be read in {folder}: {aside[-1][1]}"
            yield Finding("warning", "inbox", what, f"see the folder {SET_ASIDE} there")
        waiting = len(inbox.list_inbox(folder))
        meant = os.path.dirname(next(inboxes(root)))
        if waiting and not first and os.path.isdir(meant) and not os.access(meant, os.W_OK):
            what = f"{plural(waiting, 'payload')} went to {folder}: {meant} cannot be written"
            yield Finding("warning", "inbox", what, f"check the permissions of {meant}")
        elif waiting:
            what = f"{plural(waiting, 'payload')} in {folder}, to be taken in by the next command"
            yield Finding("ok", "inbox", what)
        if not first and os.path.lexists(_owned(folder)) and not is_private(_owned(folder)):
            what = f"{_owned(folder)} is not yours alone: hooks leave nothing there"
            yield Finding("warning", "inbox", what, "make it yours, with mode 700")
        first = False


_MANY_BYTES = 100_000_000
"""Payloads of projects that nobody opens are worth a warning from here on."""


def _elsewhere(root: Path) -> Iterator[Finding]:
    """What hooks left for projects of the user's that nobody has opened orch in since."""
    for own in list(inboxes(root))[1:]:
        top = os.path.dirname(own)
        if not is_private(os.path.dirname(top)):
            continue
        with suppress(OSError):
            others = [entry.path for entry in os.scandir(top) if entry.path != own]
            waiting = [each for each in map(inbox.list_inbox, others) if each]
            if not waiting:
                continue
            size = sum(payload.size for each in waiting for payload in each)
            yield Finding(
                "warning" if size > _MANY_BYTES else "ok",
                "inbox",
                f"{plural(sum(map(len, waiting)), 'payload')} ({size / 1e6:,.1f} MB) of "
                f"{plural(len(waiting), 'other project')} in {top}",
                "open orch in those projects, or delete the folders of those that are done",
            )


def _owned(folder: str) -> str:
    return os.path.dirname(os.path.dirname(folder))


def _not_handed_over(record: Record, look: _Look) -> Iterator[tuple[Level, str, str]]:
    """Calls of the last days that named a briefing and went through as they were."""
    since = timestamp(record.clock() - timedelta(days=hand_over.KEPT_DAYS))
    rows = record.sql(
        "SELECT execution_id, subject, json_extract(after, '$.reason') FROM journal "
        "WHERE action = ? AND at >= ? ORDER BY seq",
        [NOT_HANDED_OVER, since],
    )
    if rows:
        label, call, reason = rows[-1]
        what = f"{plural(len(rows), 'call')} by a line that no briefing took the place of"
        yield "warning", f"{what}; last {label or call}: {reason}", "deploy it again for another"


# In the file


@frozen
class _Look:
    """What a check is to look at, and whom it tells how far it is."""

    runs: list[str] | None
    """The runs that are looked at; None: all, and all that belongs to none."""
    number: int
    progress: Progress

    def tell(self, done: int, total: int) -> None:
        """Tell how much of this check is done; each takes the same part of the whole."""
        self.progress(1_000 * self.number + 1_000 * done // max(total, 1), 1_000 * len(_CHECKS))

    def counted(self, items: Iterable[T], total: int) -> Iterator[T]:
        """The items, told of as they pass by."""
        for done, item in enumerate(items):
            if done % 256 == 0:
                self.tell(done, total)
            yield item

    def among(self, condition: str) -> tuple[str, list[str]]:
        """A condition in SQL, with ``{runs}`` for the runs that are looked at, and its parameters;
        one that everything meets where all are."""
        if self.runs is None:
            return "1", []
        return f"({condition.format(runs='SELECT value FROM json_each(?1)')})", [
            json.dumps(self.runs, default=readable)
        ]


Check = Callable[[Record, _Look], Iterator[tuple[Level, str, str]]]


def _choose_runs(record: Record) -> list[str] | None:
    """The newest runs of a large record; None where it is small enough to be looked at whole, or
    too broken to tell."""
    with suppress(RecordError):
        size = record.value("PRAGMA page_count") * record.value("PRAGMA page_size")
        newest = record.sql(
            "SELECT execution_id FROM agent_executions ORDER BY rowid DESC LIMIT ?", [NEWEST + 1]
        )
        if size > _SMALL or len(newest) > NEWEST:
            return [execution_id for (execution_id,) in reversed(newest[:NEWEST])]
    return None


def _left_out(record: Record, runs: list[str]) -> Finding:
    """Say what was not looked at."""
    count = record.value("SELECT count(*) FROM agent_executions")
    older = f"{count - len(runs):,} older runs with what they were given and said, "
    return Finding(
        "ok",
        "not looked at",
        f"{older if count > len(runs) else ''}the pages and references of tables that are not "
        "public, the search index but for the runs looked at, unused contents",
        "orch doctor --full",
    )


def _checked(record: Record, what: str, check: Check, look: _Look) -> list[Finding]:
    look.tell(0, 1)
    try:
        return [
            Finding(level, what, detail, remedy) for level, detail, remedy in check(record, look)
        ]
    except RecordError as error:
        return [Finding("problem", what, error.message, error.hint)]
    except (sqlite3.Error, ValueError, TypeError, LookupError) as error:
        if isinstance(error, sqlite3.Error) and is_interrupt(error):
            raise KeyboardInterrupt from error
        return [Finding("problem", what, f"{type(error).__name__}: {error}", _RESTORE)]


def _schema(record: Record, look: _Look) -> Iterator[tuple[Level, str, str]]:
    wrong = list(_differing_columns(record))
    missing = _missing_parts(record)
    parts = [part.name for part in missing if part.kind != "view"]
    views = [part.name for part in missing if part.kind == "view"]
    if wrong:
        yield "problem", f"not the tables of this version: {', '.join(wrong)}", _TAKE_OVER
    if parts:
        named = _some(parts, "index or trigger", "indexes and triggers")
        yield "problem", f"missing: {named}", _REPAIR
    if views:  # for people alone
        yield "ok", f"without {_some(views, 'view')}, which datasette and others show", _REPAIR
    if not wrong and not parts:
        yield "ok", f"version {SCHEMA_VERSION}, SQLite {sqlite3.sqlite_version}", ""


def _differing_columns(record: Record) -> Iterator[str]:
    """The columns that are not there or are of another kind than orch makes them. Those that the
    user added are the user's."""
    has_texts = maintenance.has_table(record)
    for table, columns in version_shape(SCHEMA_VERSION).columns.items():
        if table.startswith((TEXTS, GIVEN)) and not has_texts:
            continue  # the index is of another version
        held = columns_of(record.connection, table)
        for name, column in columns.items():
            if name not in held:
                yield f"{table}.{name} is not there"
            elif held[name][:4] != column[:4]:
                yield f"{table}.{name} is {held[name].definition()}"
            elif held[name].key_position != column.key_position:
                yield f"{table}.{name} has another place in the key"


def _missing_parts(record: Record) -> list[Part]:
    """The indexes, triggers and views that orch makes and that are not there."""
    held = {part.name for part in parts_of(record.connection)}
    return [
        part
        for part in version_shape(SCHEMA_VERSION).parts
        if part.kind != "table" and part.name not in held
    ]


def _integrity(record: Record, look: _Look) -> Iterator[tuple[Level, str, str]]:
    if look.runs is None:
        checks = ["PRAGMA integrity_check"]
    else:
        checks = [f"PRAGMA quick_check({table})" for table in PUBLIC_TABLES]
    complaints = [str(complaint) for check in checks for (complaint,) in _run_beside(record, check)]
    if all(complaint == "ok" for complaint in complaints):
        of = "pages" if look.runs is None else "pages; those of the public tables are sound"
        yield "ok", f"{record.value('PRAGMA page_count')} {of}", ""
    else:
        yield "problem", _some(complaints, "complaint"), _RESTORE


def _run_beside(record: Record, statement: str) -> list[tuple[Any, ...]]:
    """Run a statement that asks nobody on its way whether it is to end, in a thread, so that
    Ctrl-C is answered."""
    connections: list[sqlite3.Connection] = []
    must_end = Event()

    def run() -> list[tuple[Any, ...]]:
        connections.append(record.connection)
        try:
            return [] if must_end.is_set() else record.sql(statement)
        finally:
            record.close()

    with ThreadPoolExecutor(1) as pool:
        result = pool.submit(run)
        try:
            return result.result()
        except KeyboardInterrupt:
            must_end.set()
            while connections and wait([result], 0.01).not_done:  # it may be about to begin
                with suppress(sqlite3.ProgrammingError):  # it may have ended just now
                    connections[0].interrupt()
            raise


def _foreign_parts(record: Record, look: _Look) -> Iterator[tuple[Level, str, str]]:
    foreign = list_foreign_parts(record.connection)
    if foreign and maintenance.is_of_another_version(record):
        foreign = tuple(name for name in foreign if not name.startswith("trigger search_"))
    if foreign:
        parts = _some(list(foreign), "trigger or view", "triggers and views")
        yield (
            "warning",
            f"not made by orch: {parts}; what orch writes sets them going",
            "where you did not make them, drop them with sqlite3 (DROP TRIGGER, DROP VIEW)",
        )


def _foreign_keys(record: Record, look: _Look) -> Iterator[tuple[Level, str, str]]:
    broken: dict[str, int] = {}
    tables = [""] if look.runs is None else [f"({table})" for table in PUBLIC_TABLES]
    rows = chain.from_iterable(record.sql(f"PRAGMA foreign_key_check{each}") for each in tables)
    for table, _, parent, _ in rows:
        name = f"{table} without their {parent}"
        broken[name] = broken.get(name, 0) + 1
    for name, count in broken.items():
        yield (
            "problem",
            f"{count} {name}",
            "raw SQL deleted those; orch restore FILE puts a backup back",
        )
    if not broken:
        of = "" if look.runs is None else " of the public tables"
        yield "ok", f"every row{of} has what it points to", ""


def _search_index(record: Record, look: _Look) -> Iterator[tuple[Level, str, str]]:
    wrong = maintenance.check(record, look.runs, look.tell)
    for complaint in wrong:
        yield "problem", complaint, _REPAIR
    if maintenance.is_of_another_version(record):
        older = maintenance.count_other_versions(record)
        version = maintenance.index_version(record)
        detail = (
            f"of version {version}, this orch makes {INDEX_VERSION}: {plural(older, 'execution')} "
            "to be indexed anew; all are found all the same"
        )
        yield "warning", detail, f"open orch, or {_REPAIR}"
    elif not wrong:
        with_tables = "the tables" if look.runs is None else f"{len(look.runs)} runs"
        yield "ok", f"version {INDEX_VERSION}, agrees with {with_tables}", ""


def _executions(record: Record, look: _Look) -> Iterator[tuple[Level, str, str]]:
    wrong = list(find_stale_executions(record, look.runs, look.tell))
    if wrong:
        yield "warning", f"not what was observed: {_some(wrong, 'execution')}", _REPAIR
    else:
        count = record.value("SELECT count(*) FROM agent_executions")
        which = count if look.runs is None else f"the newest {len(look.runs)} of {count}"
        yield "ok", f"{which} are what was observed", ""


def _statements(record: Record, look: _Look) -> Iterator[tuple[Level, str, str]]:
    count, wrong = 0, []
    condition, parameters = look.among("execution_id IN ({runs})")
    rows = record.execute(
        f"SELECT execution_id, kind, payload FROM observations WHERE NOT pending AND {condition}",
        parameters,
    )
    total = record.value("SELECT count(*) FROM observations") if look.runs is None else 0
    for execution_id, kind, payload in look.counted(rows, total):
        count += 1
        if kind in KINDS and decode_stored(kind, payload) is None:
            wrong.append(readable(execution_id) or "of no execution")
    if wrong:
        those = _some(wrong, "of an execution", "of executions")
        yield (
            "problem",
            f"no statements any more, and passed over: {those}",
            "orch restore FILE puts a backup back from before they were changed",
        )
    else:
        yield "ok", f"{count} can be read", ""


def _contents(record: Record, look: _Look) -> Iterator[tuple[Level, str, str]]:
    count, wrong = 0, []
    condition, parameters = look.among(
        "content_id IN ("
        "SELECT content_id FROM context_allocations WHERE execution_id IN ({runs}) UNION ALL "
        "SELECT content_id FROM outputs WHERE execution_id IN ({runs}) UNION ALL "
        "SELECT message_id FROM completions WHERE execution_id IN ({runs}) UNION ALL "
        "SELECT message_id FROM agent_executions WHERE execution_id IN ({runs}))"
    )
    rows = record.execute(
        f"SELECT content_id, sha256, size, encoding, {STORED_BYTES} FROM contents "
        f"WHERE {condition}",
        parameters,
    )
    total = record.value("SELECT count(*) FROM contents") if look.runs is None else 0
    for content_id, sha256, size, encoding, stored in look.counted(rows, total):
        count += 1
        data = unpack_bytes(encoding, stored)
        if data is None:
            if not is_tombstone(encoding, stored):
                wrong.append(str(content_id))
        elif len(data) != size or hashlib.sha256(data).digest() != sha256:
            wrong.append(str(content_id))
    if wrong:
        yield "problem", f"other bytes than were stored: {_some(wrong, 'content')}", _RESTORE
    else:
        yield "ok", f"{count} have the bytes they were stored with", ""


def _briefings(record: Record, look: _Look) -> Iterator[tuple[Level, str, str]]:
    count, wrong = 0, []
    condition, parameters = look.among(
        "briefing_id IN ("
        "SELECT briefing_id FROM agent_executions WHERE execution_id IN ({runs}) UNION ALL "
        "SELECT handed_over_id FROM agent_executions WHERE execution_id IN ({runs}))"
    )
    chosen = briefings.iterate_briefings(record, f"WHERE {condition}", parameters)
    total = record.value("SELECT count(*) FROM briefings") if look.runs is None else 0
    for each in look.counted(chosen, total):
        if each.is_gone:
            continue
        count += 1
        if hashlib.sha256(each.rendered).digest() != each.sha256:
            wrong.append(str(each.briefing_id))
    if wrong:
        yield "problem", f"not as they were rendered: {_some(wrong, 'briefing')}", _RESTORE
    else:
        condition, parameters = look.among("execution_id IN ({runs})")
        runs = record.value(
            "SELECT count(*) FROM agent_executions "
            f"WHERE (briefing_id IS NOT NULL OR handed_over_id IS NOT NULL) AND {condition}",
            parameters,
        )
        texts, deployments = plural(count, "text"), plural(runs, "deployment")
        yield "ok", f"{texts} for {deployments}, as rendered", ""


def _orphans(record: Record, look: _Look) -> Iterator[tuple[Level, str, str]]:
    used = {
        content_id
        for (parts,) in record.execute("SELECT parts FROM briefings")
        for kind, content_id in unpack_parts(parts)
        if kind == "content"
    }
    unused, size = 0, 0
    for content_id, length in record.execute(
        "SELECT content_id, length(data) FROM contents WHERE encoding <> 'gone' "
        "EXCEPT SELECT content_id, length(data) FROM contents WHERE content_id IN ("
        "SELECT content_id FROM bundle_items UNION ALL SELECT content_id FROM context_allocations "
        "UNION ALL SELECT content_id FROM outputs UNION ALL SELECT message_id FROM completions "
        "UNION ALL SELECT message_id FROM agent_executions)"
    ):
        if content_id not in used:
            unused, size = unused + 1, size + length
    if unused:
        yield (
            "ok",
            f"{plural(unused, 'content')} of replaced bundles, kept: {size / 1e6:,.1f} MB",
            "",
        )


def _waiting(record: Record, look: _Look) -> Iterator[tuple[Level, str, str]]:
    long_ago = timestamp(record.clock() - LONG_WAIT)
    count = record.value(
        "SELECT count(*) FROM agent_executions WHERE status = 'deployed' "
        "AND retracted_at IS NULL AND deployed_at < ?",
        [long_ago],
    )
    if count:
        yield (
            "warning",
            f"{plural(count, 'execution')} deployed more than a day ago, and not returned",
            "orch record-completion, with --status failed where nothing will come",
        )


def _halves(record: Record, look: _Look) -> Iterator[tuple[Level, str, str]]:
    """Calls that do not say which agent they started, and agents of which no call is known."""
    count = record.value(
        "SELECT count(*) FROM agent_executions AS c JOIN sessions AS s USING (session_id) "
        "WHERE s.status = 'completed' AND tool_use_id IS NOT NULL AND agent_id IS NULL "
        "AND source = 'hook' AND retracted_at IS NULL AND EXISTS ("
        "SELECT 1 FROM agent_executions AS a WHERE a.session_id = c.session_id "
        "AND a.agent_type = c.agent_type AND a.tool_use_id IS NULL AND a.agent_id IS NOT NULL "
        "AND a.source = 'hook' AND a.retracted_at IS NULL)"
    )
    if count:
        yield (
            "warning",
            f"{plural(count, 'execution')} may stand twice: a hook that tells which agent a "
            "call started was not heard",
            "orch import, which joins them where the transcripts are still there",
        )


def _transcripts(record: Record, look: _Look) -> Iterator[tuple[Level, str, str]]:
    for path, reason in record.sql("SELECT path, reason FROM inputs_set_aside ORDER BY path"):
        what = f"{readable(path)} is {LEFT_ASIDE}: {readable(reason)}"
        yield "warning", what, "orch import PATH tries it again"


def _free_pages(record: Record, look: _Look) -> Iterator[tuple[Level, str, str]]:
    free, pages = record.value("PRAGMA freelist_count"), record.value("PRAGMA page_count")
    yield "ok", f"{free} of {pages} pages are free and will be used again", ""


_CHECKS: dict[str, Check] = {
    "schema": _schema,
    "foreign parts": _foreign_parts,
    "integrity": _integrity,
    "references": _foreign_keys,
    "statements": _statements,
    "contents": _contents,
    "briefings": _briefings,
    "executions": _executions,
    "search index": _search_index,
    "unused contents": _orphans,
    "waiting": _waiting,
    "hand-over": _not_handed_over,
    "halves": _halves,
    "transcripts": _transcripts,
    "free pages": _free_pages,
}


_FULL_ONLY = {"unused contents"}
"""Checks that ask for every row there is."""


def _some(names: list[str], kind: str, kinds: str = "") -> str:
    """Word how many there are of a kind, and name the first; ``kinds``: what several are called."""
    count = f"{len(names):,} {kinds}" if kinds and len(names) > 1 else plural(len(names), kind)
    return f"{count} ({', '.join(names[:3])}{', ...' if len(names) > 3 else ''})"
