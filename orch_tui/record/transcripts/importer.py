"""Taking transcripts into the record: which files, from where on, and what became of them.

A file that is as it was costs one stat. One that has grown is read on from where its reader
stopped. What is read is written in short transactions, each with the checkpoints that belong to
it, so an import that is interrupted goes on where it was, and one that is repeated adds nothing.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache, lru_cache, partial
from pathlib import Path

import msgspec

from orch_tui.errors import FormatError, SourceError
from orch_tui.models.database import Record, in_list, utc_now
from orch_tui.models.stored_bytes import pack_text, unpack_text
from orch_tui.models.values import timestamp
from orch_tui.paths import project_root, relative
from orch_tui.prepare.catalogue import Catalogue
from orch_tui.record import claude_sessions
from orch_tui.record.claude_code import SIDECAR, STOPPED, agent_key, is_internal, tool_key
from orch_tui.record.defects import LEFT_ASIDE, confine_defects
from orch_tui.record.ledger import file_use, usage
from orch_tui.record.ledger.ingest import Report, ingest_statements
from orch_tui.record.ledger.keys import owner_of
from orch_tui.record.ledger.merge import UNKNOWN
from orch_tui.record.ledger.rebuild import rebuild_from_statements
from orch_tui.record.ledger.resolve import join_calls_and_runs, portable_keys
from orch_tui.record.ledger.statement import Addressed, AgentKind, Noted, Returned, Used
from orch_tui.record.transcripts.reader import TranscriptReader
from orch_tui.record.transcripts.reader_state import ParsedChunk, ReaderState, TranscriptReport
from orch_tui.record.transcripts.transcript_files import (
    TranscriptFile,
    find_in_paths,
    is_named_after,
    is_workflow_run,
    read_beginning,
    read_last_time,
    session_of_folder,
    workflow_run_of,
)
from orch_tui.record.transcripts.transcript_lines import (
    Entry,
    Sidecar,
    WorkflowAgent,
    WorkflowResult,
    WorkflowRun,
    decode_list,
    decode_string,
    decode_struct,
    iterate_lines,
    parse_timestamp,
)
from orch_tui.worktrees import (
    CLIENT_TREES,
    find_file_tree,
    is_within,
    list_linked_trees,
    name_folder_tree,
)

OTHER_PROJECT = "of another project"
INTERNAL = "internal to Claude Code"
NO_TRANSCRIPT = "no transcript of Claude Code"
UNREADABLE = "cannot be read"
BROKEN = "broken"
"""Why a file is skipped."""

_JOURNAL = "journal.jsonl"
_HEAD = 1024
_A_BATCH = 500
"""Statements to a transaction, about: others wait to write meanwhile."""
_A_STRETCH = 64 * 1024 * 1024
"""Bytes of one file between checkpoints."""


@dataclass(slots=True)
class ImportSummary:
    """What an import did."""

    new: int = 0
    """Executions nobody had recorded."""
    merged: int = 0
    """Executions that were known and of which something new was told."""
    known: int = 0
    """Executions of which nothing new was told."""
    files_read: int = 0
    files_unchanged: int = 0
    bytes_read: int = 0
    lines_skipped: int = 0
    """Lines that are no JSON, or only a part of it."""
    skipped: dict[str, int] = field(default_factory=dict)
    """Files that were left out, by reason."""
    remarks: list[str] = field(default_factory=list)
    """What a person should know of it: labels that had to be changed, what was set aside."""

    def skip(self, reason: str) -> None:
        self.skipped[reason] = self.skipped.get(reason, 0) + 1


@contextmanager
def open_rehearsal(record: Record | None) -> Iterator[Record]:
    """A copy of a record (an empty one for None) to import into, thrown away afterwards.

    Nobody searches it, so its search index is left as it is.
    """
    from tempfile import TemporaryDirectory

    with TemporaryDirectory(prefix="orch-") as folder:
        copy = Path(folder) / "execution.db"
        if record is not None:
            record.backup(copy)
        with Record(copy, clock=record.clock if record else utc_now) as opened:
            yield opened


def list_known_files(record: Record) -> set[str]:
    """The files that were looked at before, as they were then or not."""
    return {path for (path,) in record.sql("SELECT path FROM import_checkpoints WHERE size >= 0")}


def import_files(
    record: Record,
    files: Iterable[TranscriptFile],
    *,
    catalogue: Catalogue,
    root: Path,
    only_project: bool = False,
    exports: bool = True,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> ImportSummary:
    """Take transcripts into the record; never fails for what stands in one.

    What cannot be taken in of one is set aside, which a remark of the summary tells, and all else
    goes on. ``root`` is the project of whatever does not tell its own; ``only_project`` leaves out
    what another project's agents did, ``exports=False`` the exports of records. ``progress`` is
    called with bytes read and bytes to read.

    Raises:
        RecordError: the record cannot be written.
        FormatError: an export is broken, and there is no other file.
    """
    work = _Import(record, catalogue, root, only_project, exports)
    waiting = work.changed(files)
    total, done = sum(found.size for found in waiting), 0
    for found in waiting:
        work.file(found, lambda read, before=done: progress(before + read, total))  # type: ignore[misc]
        done += found.size
        progress(done, total)
    work.commit()
    if work.begun:
        from orch_tui.record.transcripts.handed_texts import learn_handed_parts

        learn_handed_parts(record, work.begun)
    claude_sessions.end_silent_sessions(record)
    claude_sessions.presume_silent_gone(record)
    if work.broken and len(waiting) == 1:
        raise work.broken[0]
    return work.summed_up()


def import_in_passing(
    record: Record, paths: list[Path], *, catalogue: Catalogue, root: Path
) -> ImportSummary:
    """Read a few transcripts in passing.

    None where another process is writing just now: they are read the next time.
    """
    found: list[TranscriptFile] = []
    for path in paths:
        with suppress(SourceError):
            found += find_in_paths([path])
    with record.in_passing():
        return import_files(record, found, catalogue=catalogue, root=root, exports=False)
    return ImportSummary()


@dataclass(slots=True)
class _Pending:
    """What one stretch of a file tells, and the checkpoint it reaches."""

    found: TranscriptFile
    told: ParsedChunk
    session: str
    project: str
    started_at: str
    name: str
    """What the session is called by, where this file tells it."""
    checkpoint: tuple[str, int, int, int, str | None, str | None, str | bytes | None] | None


class _Import:
    def __init__(
        self, record: Record, catalogue: Catalogue, root: Path, only: bool, exports: bool
    ) -> None:
        self._record = record
        self._catalogue = catalogue
        self._root = str(root)
        self._own_trees = tuple(list_linked_trees(root))
        self._only = only
        self._exports = exports
        self.begun: list[Path] = []
        """Transcripts of agents that were read from their beginning."""
        self.broken: list[FormatError] = []
        """What is wrong with exports, one each."""
        self._pending: list[_Pending] = []
        self._weight = 0
        """Of what is pending: its statements and its files."""
        self._revisions: dict[str, int] = {}
        """Of the executions that were told of, before anything new was."""
        self._aside: dict[str, str | None] = {}
        """Why a file or a line of it is set aside, by path; None where nothing of it is."""
        self._summary = ImportSummary()
        self._newest = record.value("SELECT coalesce(max(rowid), 0) FROM agent_executions")

    def changed(self, files: Iterable[TranscriptFile]) -> list[TranscriptFile]:
        """The files that are not as they were when they were read last."""
        held = {
            path: (size, mtime_ns, note)
            for path, size, mtime_ns, note in self._record.sql(
                "SELECT path, size, mtime_ns, note FROM import_checkpoints"
            )
        }
        waiting = []
        for found in files:
            size, mtime_ns, note = held.get(found.path, (-1, -1, None))
            is_same = (size, mtime_ns) == (found.size, found.mtime_ns)
            if is_same and note != LEFT_ASIDE and (self._only or note != OTHER_PROJECT):
                if note:
                    self._summary.skip(note)
                else:
                    self._summary.files_unchanged += 1
            else:
                waiting.append(found)
        return waiting

    def file(self, found: TranscriptFile, progress: Callable[[int], None]) -> None:
        """Read one file, from where it was left."""
        path = Path(found.path)
        self._aside[found.path] = None
        if is_internal(path.name.removeprefix("agent-")):
            self._leave(found, INTERNAL)
            return
        if not _is_utf8(found.path):
            self._summary.skip(UNREADABLE)
        elif self._exports and _begins_an_export(path):
            self._export(path, found)
        else:
            confine_defects([found], lambda _: self._read(path, found, progress), self._set_aside)

    def _read(self, path: Path, found: TranscriptFile, progress: Callable[[int], None]) -> None:
        try:
            if path.name.endswith(SIDECAR):
                self._sidecar(path, found)
            elif is_workflow_run(path):
                self._workflow(path, found)
            elif path.name == _JOURNAL and workflow_run_of(path):
                self._journal(path, found)
            else:
                self._transcript(path, found, progress)
        except OSError:  # for now, perhaps: look again next time
            self._summary.skip(UNREADABLE)

    def _set_aside(self, found: TranscriptFile, reason: str) -> None:
        """Skip a file for what stands in it; the next import tries it again."""
        self._aside[found.path] = reason
        self._leave(found, LEFT_ASIDE)
        self._summary.remarks.append(f"{found.path} is {LEFT_ASIDE}: {reason}")

    def _export(self, path: Path, found: TranscriptFile) -> None:
        from orch_tui.record.upkeep.restore import restore_export  # few files are one

        self.commit()
        before = dict(self._record.sql("SELECT execution_id, revision FROM agent_executions"))
        try:
            restored = restore_export(self._record, path)
        except FormatError as error:  # nothing of it was taken in
            self.broken.append(error)
            self._summary.skip(BROKEN)
            hint = f"; {error.hint}" if error.hint else ""
            self._summary.remarks.append(f"{error.message}: it is left out{hint}")
            return
        for label in restored.executions - self._revisions.keys():
            self._revisions[label] = before.get(label, 0)
        self._summary.remarks += restored.remarks
        self._summary.files_read += 1
        self._summary.bytes_read += found.size

    def _leave(self, found: TranscriptFile, reason: str) -> None:
        """Skip a file, and the next time without looking inside."""
        self._summary.skip(reason)
        checkpoint = (found.path, found.size, found.mtime_ns, 0, None, reason, None)
        self._put_off(_Pending(found, ParsedChunk(), "", "", "", "", checkpoint))

    def _transcript(
        self, path: Path, found: TranscriptFile, progress: Callable[[int], None]
    ) -> None:
        with path.open("rb") as file:
            head = file.read(_HEAD)
            position, state = self._resumed(found, head)
            if position == 0 and self._only and not self._is_ours(path):
                self._leave(found, OTHER_PROJECT)
                return
            if position:  # what stands before it was looked at
                del self._aside[found.path]
            file.seek(position)
            reader = TranscriptReader(path, state)
            start = last = position
            snapshot = b""
            for line, size in iterate_lines(file):
                if line.endswith(b"\n"):
                    position += size
                else:  # perhaps not whole yet: read again from here when the file has grown
                    snapshot = msgspec.json.encode(reader.state)
                if not line.isspace():
                    confine_defects(
                        [line], partial(self._line, reader), partial(self._skip_line, found)
                    )
                if position - last >= _A_STRETCH:
                    last = position
                    self._keep(reader, path, head, found, position, is_whole=False)
                    progress(position - start)
            reader.finish()
        self._summary.bytes_read += found.size - start
        if not reader.state.session and not reader.state.runs:
            self._leave(found, NO_TRANSCRIPT)
            return
        self._summary.files_read += 1
        if start == 0 and path.name.startswith("agent-"):
            self.begun.append(path)
        self._keep(reader, path, head, found, position, is_whole=True, snapshot=snapshot)

    def _line(self, reader: TranscriptReader, line: Sequence[bytes]) -> None:
        entry = decode_struct(line[0], Entry)
        if entry is None:
            self._summary.lines_skipped += 1
        else:
            reader.read(entry)

    def _skip_line(self, found: TranscriptFile, line: bytes, reason: str) -> None:
        self._summary.lines_skipped += 1
        self._aside[found.path] = f"a line of it: {reason}"
        self._summary.remarks.append(f"{found.path}: a line is {LEFT_ASIDE}: {reason}")

    def _resumed(self, found: TranscriptFile, head: bytes) -> tuple[int, ReaderState | None]:
        """Where a file was left and what its reader knew; from the start where it is another."""
        rows = self._record.sql(
            "SELECT position, head, state FROM import_checkpoints WHERE path = ? AND state NOTNULL",
            [found.path],
        )
        if not rows:
            return 0, None
        position, held, state = rows[0]
        try:
            if position > found.size or _head(head, position) != held:
                return 0, None
            return position, msgspec.json.decode(unpack_text(state), type=ReaderState)
        except (msgspec.DecodeError, ValueError, TypeError, RecursionError):
            return 0, None  # redacted, or of another release, or changed by hand

    def _keep(
        self,
        reader: TranscriptReader,
        path: Path,
        head: bytes,
        found: TranscriptFile,
        position: int,
        *,
        is_whole: bool,
        snapshot: bytes = b"",
    ) -> None:
        """Set aside what was told, with the checkpoint it reaches; write when it is enough."""
        state = reader.state
        told = reader.take()
        checkpoint = None
        if is_whole or not state.is_inline:
            if len(head) < min(_HEAD, position):  # it has grown since it was opened
                with path.open("rb") as file:
                    head = file.read(_HEAD)
            kept = None if state.is_inline else snapshot or msgspec.json.encode(state)
            size = found.size if is_whole else position
            checkpoint = (
                found.path,
                size,
                found.mtime_ns if is_whole else -1,
                0 if state.is_inline else position,
                _head(head, position),
                None,
                pack_text(kept.decode()) if kept else None,
            )
        project = self._project(state.cwd)
        self._put_off(
            _Pending(
                *(found, told, reader.session, project, state.first_at),
                *(state.session_name, checkpoint),
            )
        )
        if self._weight >= _A_BATCH or not is_whole:
            self.commit()

    def _put_off(self, pending: _Pending) -> None:
        self._pending.append(pending)
        self._weight += len(pending.told.reports) + 1

    def _is_ours(self, path: Path) -> bool:
        """Whether a transcript is of this project, as the working folder in it tells.

        Where that folder is gone (a worktree that was removed) the name of the transcript's folder
        must do, or a session that hooks told of while it was there.
        """
        session, cwd, _ = read_beginning(path)
        if cwd and (_project(cwd) == self._root or self._is_in_own_tree(cwd)):
            return True
        if cwd and os.path.isdir(cwd):
            return False
        return is_named_after(path, self._root) or bool(
            self._record.value(
                "SELECT 1 FROM sessions WHERE claude_session = ? AND project = ?",
                [session, self._root],
            )
        )

    def _sidecar(self, path: Path, found: TranscriptFile) -> None:
        """``agent-<id>.meta.json``: what Claude Code notes of an agent beside its transcript."""
        try:
            noted = decode_struct(path.read_bytes(), Sidecar)
        except OSError:
            noted = None
        if noted is None:
            self._summary.skip(UNREADABLE)  # perhaps half written: look again next time
            return
        agent = path.name.removeprefix("agent-").removesuffix(SIDECAR)
        transcript = path.with_name(f"agent-{agent}.jsonl")
        if self._only and not self._is_ours(transcript):
            self._leave(found, OTHER_PROJECT)
            return
        session, cwd, at = read_beginning(transcript)
        session = session_of_folder(path) or session
        if not session:
            self._leave(found, NO_TRANSCRIPT)
            return
        written = _written(found)
        ended = (noted.stoppedByUser and read_last_time(transcript)) or written
        told = ParsedChunk(_of_sidecar(noted, agent, session, at or written, ended))
        self._summary.files_read += 1
        checkpoint = (found.path, found.size, found.mtime_ns, found.size, None, None, None)
        project = self._project(cwd)
        pending = _Pending(found, told, session, project, at or written, "", checkpoint)
        self._put_off(pending)

    def _workflow(self, path: Path, found: TranscriptFile) -> None:
        """``workflows/<run>.json``: which agents the run of a workflow had, in which phase."""
        noted = decode_struct(path.read_bytes(), WorkflowRun)
        session = path.parent.parent.name
        beginning = read_beginning(path.parent.parent.with_suffix(".jsonl"))
        if noted is None:
            self._summary.skip(UNREADABLE)
            return
        at = parse_timestamp(noted.timestamp) or _written(found)
        reports = [
            _of_workflow(agent, noted, path.stem, session, at)
            for agent in decode_list(noted.workflowProgress, WorkflowAgent)
            if agent.agentId and not is_internal(agent.agentId)
        ]
        self._keep_beside(path.parent.parent, found, ParsedChunk(reports), session, beginning)

    def _journal(self, path: Path, found: TranscriptFile) -> None:
        """``journal.jsonl`` of a workflow's run: what each of its agents gave back."""
        session, at = session_of_folder(path), _written(found)
        reports = []
        with path.open("rb") as file:
            for line, _ in iterate_lines(file):
                told = decode_struct(line, WorkflowResult)
                if told and told.type == "result" and told.agentId and told.result:
                    reports.append(_of_journal(told.agentId, told.result, session, at))
        folder = path.parents[2]
        beginning = read_beginning(folder.with_suffix(".jsonl"))
        self._keep_beside(folder, found, ParsedChunk(reports), session, beginning)

    def _keep_beside(
        self,
        folder: Path,
        found: TranscriptFile,
        told: ParsedChunk,
        session: str,
        beginning: tuple[str, str, str],
    ) -> None:
        """Set aside what is told beside the transcripts of a session, in whose folder it lies."""
        if self._only and not self._is_ours(folder.with_suffix(".jsonl")):
            self._leave(found, OTHER_PROJECT)
            return
        _, cwd, at = beginning
        self._summary.files_read += 1
        checkpoint = (found.path, found.size, found.mtime_ns, found.size, None, None, None)
        started_at = at or _written(found)
        self._put_off(
            _Pending(found, told, session, self._project(cwd), started_at, "", checkpoint)
        )

    def _project(self, cwd: str) -> str:
        own = self._only or not cwd or self._is_in_own_tree(cwd)
        return self._root if own else _project(cwd)

    def _is_in_own_tree(self, cwd: str) -> bool:
        """Whether a folder lies in a linked worktree of this project, be it there or gone."""
        return any(is_within(cwd, tree) for tree in self._own_trees)

    # Writing

    def commit(self) -> None:
        """Write what is pending, with its checkpoints."""
        pending, self._pending, self._weight = self._pending, [], 0
        if pending:
            confine_defects(
                pending, self._write, lambda each, reason: self._set_aside(each.found, reason)
            )
            aside, self._pending, self._weight = self._pending, [], 0
            if aside:
                self._write(aside)

    def _write(self, pending: Sequence[_Pending]) -> None:
        record = self._record
        with record.write():
            reports = [report for each in pending for report in self._reports(each)]
            reports += [report for each in pending for report in self._uses(each)]
            keys = {key for report in reports for key in report.about}
            known = {owner for key in keys if (owner := owner_of(record, key))}
            heard_of = {o: self._revision(o) for o in known - self._revisions.keys()}
            owners = ingest_statements(record, reports)
            ingest_statements(record, self._late_prices(owners))
            heard_of |= dict.fromkeys(owners - known - self._revisions.keys(), 0)
            for each in pending:
                if each.started_at:
                    record.execute(
                        "UPDATE sessions SET created_at = ?1 "
                        "WHERE claude_session = ?2 AND created_at > ?1",
                        [each.started_at, each.session],
                    )
                if each.name:
                    claude_sessions.name_session(record, each.session, each.name)
            for session in sorted({report.claude_session for report in reports}):
                while joined := join_calls_and_runs(record, session):
                    rebuild_from_statements(record, joined)
                claude_sessions.refresh_session(record, session)
            record.executemany(
                "INSERT INTO import_checkpoints (path, size, mtime_ns, position, head, note, state)"
                " VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (path) DO UPDATE SET "
                "size = excluded.size, mtime_ns = excluded.mtime_ns, position = excluded.position, "
                "head = excluded.head, note = excluded.note, state = excluded.state",
                [each.checkpoint for each in pending if each.checkpoint],
            )
            self._note_aside([each.found for each in pending])
        self._revisions |= heard_of

    def _note_aside(self, files: Sequence[TranscriptFile]) -> None:
        read = [found for found in files if found.path in self._aside]
        self._record.executemany(
            "DELETE FROM inputs_set_aside WHERE path = ?", [(found.path,) for found in read]
        )
        self._record.executemany(
            "INSERT OR REPLACE INTO inputs_set_aside (path, reason, size, mtime_ns, at) "
            "VALUES (?, ?, ?, ?, ?)",
            [
                (found.path, reason, found.size, found.mtime_ns, self._record.now())
                for found in read
                if (reason := self._aside[found.path]) is not None
            ],
        )

    def _reports(self, file: _Pending) -> Iterator[Report]:
        """What a stretch of a file says of runs."""
        for told in file.told.reports:
            is_its = told.claude_session == file.session
            statement = told.statement
            is_message = isinstance(statement, Addressed)
            worktree = _worktree(told.folder, file.project) if told.folder else None
            yield Report(
                about=told.keys,
                statement=statement
                if isinstance(statement, Addressed)
                else statement.replaced(told_in=told.claude_session, worktree=worktree),
                source="import",
                at=told.at,
                message=told.message,
                prompt=told.prompt,
                claude_session=told.claude_session,
                project=file.project,
                folder=told.folder,
                started_at=(file.started_at if is_its else "") or told.at,
                only_known=is_message,
            )

    def _uses(self, file: _Pending) -> Iterator[Report]:
        """What a stretch of a file says of model messages and of files, one statement a run."""
        told = file.told
        for keys in dict.fromkeys([*told.uses, *told.touched]):
            used = Used(
                messages=usage.price_messages(told.uses.get(keys, ()), self._catalogue),
                files=file_use.file_facts(
                    told.touched.get(keys, ()), lambda each: _name_file(each, file.project)
                ),
            )
            times = [m.at for m in used.messages if m.at]
            yield Report(
                about=keys,
                statement=used,
                source="import",
                at=min(times, default=file.started_at),
                claude_session=file.session,
                project=file.project,
                only_known=True,
            )

    def _late_prices(self, owners: Iterable[str]) -> Iterator[Report]:
        """Price last messages whose result named no model, by the model of their run: another file
        may have told of that."""
        listed, labels = in_list(owners)
        rows = self._record.rows(
            "SELECT m.*, resolved_model FROM usage_messages AS m JOIN agent_executions "
            f"USING (execution_id) WHERE execution_id IN {listed} AND m.model IS NULL "
            "AND resolved_model NOTNULL AND m.message_id >= ? AND m.message_id < ?",
            [*labels, usage.RESULT, usage.RESULT[:-1] + ";"],
        )
        for row in rows:
            use = usage.MessageUse(
                row["message_id"],
                row["at"] or "",
                row["resolved_model"],
                row["input_tokens"],
                row["cache_write_tokens"],
                0,
                row["cache_read_tokens"],
                row["output_tokens"],
            )
            priced = Used(messages=usage.price_messages([use], self._catalogue))
            keys = portable_keys(self._record, row["execution_id"])
            yield Report(about=keys[:1], statement=priced, source="import", at=use.at or None)

    def _revision(self, execution_id: str) -> int:
        """How often its row was written; -1 where it was united with another since."""
        revision = self._record.value(
            "SELECT revision FROM agent_executions WHERE execution_id = ?", [execution_id]
        )
        return -1 if revision is None else int(revision)

    def summed_up(self) -> ImportSummary:
        """The summary, with what became of the executions that were told of."""
        record, summary = self._record, self._summary
        fresh = {
            label
            for (label,) in record.sql(
                "SELECT execution_id FROM agent_executions WHERE rowid > ?", [self._newest]
            )
        }
        labels = self._revisions.keys() - fresh
        changed = {label for label in labels if self._revision(label) != self._revisions[label]}
        summary.new = len(self._revisions.keys() & fresh)
        summary.merged = len(changed)
        summary.known = len(labels) - len(changed)
        return summary


def _written(found: TranscriptFile) -> str:
    """When a file was written."""
    return timestamp(datetime.fromtimestamp(found.mtime_ns / 1e9, UTC))


def _of_workflow(
    agent: WorkflowAgent, run: WorkflowRun, name: str, session: str, at: str
) -> TranscriptReport:
    noted = Noted(
        agent_type=UNKNOWN,
        agent_id=agent.agentId,
        scope=agent.label,
        agent_kind="workflow",
        workflow=run.workflowName,
        workflow_run=run.runId or name,
        workflow_phase=agent.phaseTitle,
    )
    return TranscriptReport((agent_key(session, agent.agentId or ""),), at, session, noted)


def _of_journal(agent: str, result: msgspec.Raw, session: str, at: str) -> TranscriptReport:
    """What a journal tells of a return: its JSON is not spelt as the agent spelt it."""
    words = decode_string(result)
    message = bytes(result).decode("utf-8", "replace") if words is None else words
    returned = Returned(
        status="completed",
        agent_type=UNKNOWN,
        agent_id=agent,
        witness="journal",
        return_key=agent,
        rendered=True,
    )
    return TranscriptReport((agent_key(session, agent),), at, session, returned, message or None)


def _of_sidecar(
    noted: Sidecar, agent: str, session: str, at: str, ended: str
) -> list[TranscriptReport]:
    keys = [agent_key(session, agent)]
    if noted.toolUseId:
        keys.append(tool_key(noted.toolUseId))
    is_teammate = noted.taskKind == _TEAMMATE
    its_type = noted.customAgentType or noted.spawnedAgentType if is_teammate else noted.agentType
    was_asked = not (is_teammate or noted.modelNotNamed or noted.model == "inherit")
    facts = Noted(
        agent_type=its_type or UNKNOWN,
        agent_name=noted.name,
        agent_kind=_kind_of(noted),
        workflow_phase=noted.workflowPhase,
        agent_id=agent,
        tool_use_id=noted.toolUseId,
        scope=noted.description,
        model=noted.model if was_asked else None,
        depth=noted.spawnDepth or None,
        parent=agent_key(session, noted.parentAgentId) if noted.parentAgentId else None,
    )
    folder = noted.worktreePath or ""
    reports = [TranscriptReport(tuple(keys), at, session, facts, folder=folder)]
    if noted.parentAgentId:  # it ran, whether its transcript is there or not
        parent = (agent_key(session, noted.parentAgentId),)
        ran = Noted(agent_id=noted.parentAgentId)
        reports.insert(0, TranscriptReport(parent, at, session, ran))
    if noted.stoppedByUser:
        stopped = Returned(**STOPPED, witness="sidecar", return_key=SIDECAR)
        reports.append(TranscriptReport(tuple(keys), ended, session, stopped))
    return reports


_TEAMMATE = "in_process_teammate"


def _kind_of(noted: Sidecar) -> AgentKind | None:
    if noted.taskKind == _TEAMMATE:
        return "teammate"
    if noted.isFork:
        return "fork"
    return "workflow" if noted.inWorkflowRun else None


def _head(data: bytes, position: int) -> str:
    """Tells a file that has grown from another one under its name."""
    return hashlib.sha256(data[: min(_HEAD, position)]).hexdigest()


def _is_utf8(path: str) -> bool:
    """Whether the record can hold the name of a file."""
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True


def _begins_an_export(path: Path) -> bool:
    from orch_tui.record.upkeep.restore import is_export

    try:
        with open(path, "rb", buffering=0) as file:
            return is_export(file.read(_HEAD).partition(b"\n")[0])
    except OSError:
        return False


def _name_file(touched: file_use.Touched, project: str) -> str:
    """Name a file relative to its working tree of the project; else to where its agent works.

    What is no absolute path of this system is only text: it came from another machine.
    """
    folder = touched.folder
    full = os.path.normpath(os.path.join(folder or "/", touched.path))
    tree = _file_tree(os.path.dirname(full), project)
    return relative(full, tree) if tree else full.removeprefix(folder.rstrip("/") + "/")


@lru_cache(4096)
def _file_tree(folder: str, project: str) -> str | None:
    if not os.path.isabs(folder) or not os.path.isabs(project):
        return None
    return find_file_tree(os.path.join(folder, "file"), project)


@lru_cache(1024)
def _worktree(folder: str, project: str) -> str | None:
    return name_folder_tree(folder, project) if os.path.isabs(project) else None


@cache
def _project(cwd: str) -> str:
    """The project of a working folder; of a worktree of Claude Code that is gone, the one it was
    made in."""
    if not os.path.isabs(cwd):
        return cwd
    made_in, mark, _ = cwd.partition(f"/{CLIENT_TREES}/")
    return project_root(made_in if mark and not os.path.isdir(cwd) else cwd)
