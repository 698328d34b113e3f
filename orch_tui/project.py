"""One project as every face sees it: its root, settings, model catalogue and record."""

from __future__ import annotations

import getpass
import os
import sys
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from functools import cache, cached_property
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Unpack

from orch_tui import claude_client, config, paths
from orch_tui.errors import ConflictError, FormatError, NotFoundError, OrchError, SourceError
from orch_tui.files import find_nearest_files
from orch_tui.worktrees import find_named_tree, find_tree, name_tree

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from orch_tui.hub.team import Team
    from orch_tui.live.live_agent import LiveAgent, LiveSnapshot
    from orch_tui.live.live_view import LiveView, SeenEnd
    from orch_tui.models.database import Clock, Record
    from orch_tui.prepare.ambient import AmbientAgents
    from orch_tui.prepare.budget import Limits
    from orch_tui.prepare.bundle import Bundle, ReadBundle
    from orch_tui.prepare.catalogue import Catalogue
    from orch_tui.prepare.count import CountCache, UnsavedCounts
    from orch_tui.prepare.handed_parts import HandedFigure
    from orch_tui.prepare.sources import SourceReader
    from orch_tui.prepare.templates import Template
    from orch_tui.recall.show import Shown
    from orch_tui.record.own_projects import OwnProjects
    from orch_tui.record.session_choice import ChosenSession
    from orch_tui.record.sessions import SessionDetails
    from orch_tui.record.transcripts.importer import ImportSummary
    from orch_tui.rows import Session
    from orch_tui.source_name import Result


class Project:
    """The project that a folder (default: the working folder) belongs to.

    Nothing is opened or created before it is asked for: ``record`` creates the database,
    ``existing_record`` does not, ``counts`` uses it only where there is one.
    """

    def __init__(
        self,
        folder: str | Path | None = None,
        *,
        database: str | None = None,
        face: str = "api",
        recording: bool = True,
        drain_inbox_on_open: bool = True,
        broken_settings: Callable[[FormatError], object] | None = None,
        clock: Clock | None = None,
        remark: Callable[[str], object] = lambda text: None,
    ) -> None:
        try:
            self.cwd = Path(paths.resolve_path(folder or "."))
        except FileNotFoundError:
            raise OrchError("the working folder is gone", hint="cd to one that exists") from None
        self.root = Path(paths.project_root(self.cwd))
        self.config = config.load(self.root, broken_settings)
        self.recording = recording
        """False: work without a database (``--no-record``)."""
        self.drain_inbox_on_open = drain_inbox_on_open
        """False: opening the record leaves what hooks left in the inbox to ``drain_inbox``."""
        self.remark = remark
        """Told, in any thread, of what had to be set aside in passing."""
        self._database = database
        self._face = face
        self._clock = clock
        self._record: Record | None = None
        self._unsaved_counts: UnsavedCounts | None = None
        self._file: tuple[int, int] | None = None
        self._lock = Lock()
        self._team: Team | None = None

    @property
    def database(self) -> Path:
        """Where the record is, or would be."""
        return Path(
            paths.database_path(self.root, given=self._database, configured=self.config.database)
        )

    @property
    def worktree(self) -> str | None:
        """The linked worktree that the working folder lies in, as the record names it."""
        return name_tree(self.tree, self.root)

    @property
    def tree(self) -> Path:
        """The working tree of the project that the working folder lies in, or else the root."""
        return Path(find_tree(self.cwd, self.root) or self.root)

    @property
    def has_project_marker(self) -> bool:
        """Whether something says that the root is a project; else it is just the folder given."""
        return any((self.root / mark).exists() for mark in (".git", ".claude"))

    @property
    def project_filter(self) -> OwnProjects | None:
        """The project to keep to in a record that holds runs of others, too; None: no need."""
        from orch_tui.record import own_projects

        return own_projects.list_own_projects(
            self.existing_record,
            self.root,
            is_shared=self.is_shared,
        )

    @property
    def is_shared(self) -> bool:
        """Whether the record serves all projects of the user."""
        is_named = self._database or os.environ.get("ORCH_DB")
        return self.config.database == "user" and not is_named

    @property
    def has_record(self) -> bool:
        """Whether there is a record, and it may be used."""
        return self.recording and (self.database.exists() or self._anything_waits())

    @property
    def record(self) -> Record:
        """The record, made where there is none; what was counted before it was there is kept."""
        record = self._opened(create=True)
        unsaved, self._unsaved_counts = self._unsaved_counts, None
        if unsaved:
            from orch_tui.record.token_counts import RecordedCounts

            unsaved.save_to(RecordedCounts(record))
        return record

    @property
    def existing_record(self) -> Record:
        """The record of a project that has one, or of which hooks have told something.

        Raises:
            RecordError: there is none yet.
        """
        return self._opened(create=False)

    def _opened(self, *, create: bool) -> Record:
        """The one record of all threads, opened by whoever asks first."""
        if self._record is not None:
            self._record.check_process()  # after a fork the lock may be held by nobody
        with self._lock:
            if self._record is not None and _identity(self.database) != self._file:
                self._record.close()  # the file was replaced or removed: that one is gone
                self._record = None
            if self._record is None:
                self._record = self._open(create=create or self._anything_waits())
                self._file = _identity(self.database)
                if self.drain_inbox_on_open:
                    self._drain(self._record, in_passing=True)
            return self._record

    def drain_inbox(self) -> int:
        """Record all that hooks left in the inbox, and what they made us wait for.

        Gives how many payloads and transcripts that were.
        """
        if not self.recording:
            return 0
        waits = self._anything_waits()
        if not waits and (self._record is None or not self.database.exists()):
            return 0
        return self._drain(self._opened(create=waits))

    def _drain(self, record: Record, *, in_passing: bool = False) -> int:
        """Take in payloads, and what transcripts have more since; all, or some in passing."""
        from orch_tui.record.opening import awaits_transcripts

        taken = 0
        waits = self._anything_waits()
        awaits = record.writable and awaits_transcripts(record)
        if not (waits or awaits):
            return 0
        with self._finding_outputs(record, in_passing=in_passing):
            if waits:
                from orch_tui.record.hooks import inbox

                most = inbox.PAYLOADS_IN_PASSING if in_passing else None
                taken = inbox.drain_inbox(record, self.root, most=most, remark=self.remark)
            if record.writable and awaits_transcripts(record):
                taken += self._read_awaited(record, in_passing=in_passing)
        return taken

    @contextmanager
    def _finding_outputs(self, record: Record, *, in_passing: bool = False) -> Iterator[None]:
        """Keep what the messages tell of that are recorded meanwhile; a locked record waits."""
        from orch_tui.record import found_outputs

        if not record.writable:
            yield
            return
        with record.in_passing():
            found_outputs.begin_finding(record)
        yield
        with record.in_passing():
            most = found_outputs.RUNS_IN_PASSING if in_passing else None
            found_outputs.find_new_outputs(record, self.root, most, remark=self.remark)

    def _read_awaited(self, record: Record, *, in_passing: bool) -> int:
        from orch_tui.record.hooks import pending_transcripts

        most = pending_transcripts.BYTES_IN_PASSING if in_passing else None
        look = pending_transcripts.find_grown_transcripts(record, most)
        taken = 0
        if look.grown:
            from orch_tui.record.transcripts import importer

            summary = importer.import_in_passing(
                record, look.grown, catalogue=self.catalogue, root=self.root
            )
            taken = summary.files_read
            for text in summary.remarks:
                self.remark(text)
        pending_transcripts.unwatch_transcripts(record, look.last)
        return taken

    def live_view(self, *, only: str | None = None) -> LiveView:
        """Follow the agents of this project: each look tells what they do now. Stores nothing.

        ``only`` is an execution: of the others those are followed whose client runs, no more.
        """
        from orch_tui.live.live_view import LiveView
        from orch_tui.live.recorded_runs import RecordedRuns

        runs = RecordedRuns(lambda: self.existing_record if self.has_record else None, only)
        return LiveView(
            str(self.root), paths.claude_folder(), catalogue=self.catalogue, runs=runs.refresh
        )

    def live(self) -> LiveSnapshot:
        """Tell what each running agent of this project does now, and how one knows."""
        return self.live_view().look_until_done(self.seconds_now())

    def live_agent(self, execution_id: str) -> LiveAgent | None:
        """Tell what the agent of a run that waits does now; None where it is not seen here."""
        view = self.live_view(only=execution_id)
        return view.look_until_done(self.seconds_now()).of_execution(execution_id)

    def record_ends(self, ends: Iterable[SeenEnd]) -> int:
        """Have the record read the transcripts of agents that were seen to end.

        Gives how many transcripts and payloads were taken in. A record that is locked or cannot be
        written is left alone: a hook or an import tells it another time.
        """
        from orch_tui.record import seen_ends

        ends = list(ends)
        if not ends or not self.has_record or not self.existing_record.writable:
            return 0
        record, taken = self.existing_record, 0
        with record.in_passing():
            for end in ends:
                seen_ends.expect_transcript(record, end.transcript, end.at)
        taken += self._drain(record)
        with record.in_passing():
            for end in ends:
                if end.is_gone:
                    seen_ends.presume_client_gone(record, end.claude_session, end.agent_id, end.at)
                    taken += 1
        return taken

    def index_older(self, limit: int) -> int:
        """Index anew some runs that another version of orch indexed; gives how many remain.

        Does nothing where no record was opened yet.

        Raises:
            RecordError: the record is locked or cannot be written just now.
        """
        record = self._record
        if record is None or not record.writable:
            return 0
        from orch_tui.search.maintenance import index_older, is_of_another_version

        if not is_of_another_version(record):
            return 0
        with record.not_waiting():
            return index_older(record, limit)

    def merge_index(self) -> bool:
        """Merge a share of the search index where that is worth it; tell whether more remains.

        Does nothing where no record was opened yet.

        Raises:
            RecordError: the record is locked or cannot be written just now.
        """
        record = self._record
        if record is None or not record.writable:
            return False
        from orch_tui.search import index_merge

        if not index_merge.is_merge_due(record):
            return False
        with record.not_waiting():
            return index_merge.merge_share(record)

    def read_again(self) -> int:
        """Add up and read again a share of what an earlier orch recorded; gives how much remains.

        Does nothing where no record was opened yet.

        Raises:
            RecordError: the record is locked or cannot be written just now.
        """
        record = self._record
        if record is None or not record.writable:
            return 0
        from orch_tui.record import rereading

        if not rereading.is_of_earlier_version(record):
            return 0
        with record.not_waiting():
            return rereading.reread_share(record, catalogue=self.catalogue, root=self.root)

    def _read_all_again(self) -> None:
        from orch_tui.record import rereading

        record = self.record
        while rereading.is_of_earlier_version(record):
            rereading.reread_share(record, catalogue=self.catalogue, root=self.root)

    def _anything_waits(self) -> bool:
        """Whether hooks left something for this record; one of another name is not theirs."""
        return self._database is None and paths.anything_waits(self.root)

    def migrate(self, progress: Callable[[int, int], None] | None = None) -> Path | None:
        """Bring a record of an older schema up to date, however long that takes.

        Gives the copy of the file as it was; None where it was up to date. ``progress`` is told
        how much is done, of how much; what it raises leaves the record as it was.

        Raises:
            RecordError: there is no record, or it cannot be brought up to date.
        """
        from orch_tui.record.upkeep.migrate import migrate_record

        copies: list[Path] = []

        def run(record: Record) -> None:
            copies.extend(filter(None, [migrate_record(record, progress)]))

        self._open(create=False, migrate=run).close()
        return copies[0] if copies else None

    def _open(self, *, create: bool, migrate: Callable[[Record], object] | None = None) -> Record:
        from orch_tui.models.database import utc_now
        from orch_tui.record.opening import open_record

        return open_record(
            self.database,
            create=create,
            actor=f"{_user()} ({self._face})",
            clock=self._clock or utc_now,
            migrate=migrate,
        )

    def close(self) -> None:
        """Close the record, where it was opened; in the child of a fork it is the parent's."""
        if self._record is not None and self._record.is_inherited:
            return
        with self._lock:
            record, self._record = self._record, None
            team, self._team = self._team, None
        if team is not None:
            team.close()
        if record is not None:
            if record.has_written and os.path.isdir(paths.hubs_folder()):
                self._begin_due_sync(record)
            record.close()

    def _begin_due_sync(self, record: Record) -> None:
        """Begin to bring the hub what was written, where the record is joined to one."""
        from orch_tui.hub.background_sync import begin_due_sync  # hardly anybody has a hub

        with suppress(OrchError, OSError):
            begin_due_sync(record, self.root, self.config.sync_every)

    @property
    def is_joined(self) -> bool:
        """Whether the record is joined to a hub."""
        if not os.path.isdir(paths.hubs_folder()) or not self.has_record:
            return False
        from orch_tui.hub.team import is_joined

        return is_joined(self.existing_record)

    @property
    def team(self) -> Team:
        """Whoever shares the hub of the record; asking them says where it is joined to none."""
        from orch_tui.hub.team import Team

        record = self.existing_record
        with self._lock:
            if self._team is None or self._team.record is not record:
                self._team = Team(record, self.root)
            return self._team

    def show_run(self, label: str) -> Shown:
        """Read one run whole; one of another that the record does not know is fetched from its hub
        where it is called so (``exec-014@ann-laptop``).

        Raises:
            NotFoundError: with the nearest known ids.
        """
        from orch_tui.recall.show import show_execution

        record = self.existing_record
        try:
            return show_execution(record, label, self.root)
        except NotFoundError:
            if "@" not in label or not self.is_joined:
                raise
            called = self.team.fetch_named(label)
            if called is None:
                raise
        return show_execution(record, called, self.root)

    def load_settings(self) -> None:
        """Read the settings again, after one of them was changed."""
        self.config = config.load(self.root)
        self.__dict__.pop("catalogue", None)

    @cached_property
    def catalogue(self) -> Catalogue:
        """The Claude models, with the additions of the settings."""
        from orch_tui.prepare.catalogue import load_catalogue

        return load_catalogue(self.config.models, default=self.config.model)

    @property
    def limits(self) -> Limits:
        """Budget, thresholds and reserve of the settings."""
        return replace(self.limits_of_sessions, agents=self.agents)

    @property
    def limits_of_sessions(self) -> Limits:
        """The same for what asks nothing of agents: nobody looks for what these have anyway."""
        from orch_tui.prepare.budget import Limits

        return Limits(
            budget=self.config.budget,
            warn_threshold=self.config.warn_threshold,
            critical_threshold=self.config.critical_threshold,
            output_reserve=self.config.output_reserve,
        )

    def session_limits(self, session_id: str | None) -> Limits:
        """The limits that hold in a session; those of the settings where there is none."""
        if not session_id or not self.has_record:
            return self.limits
        from orch_tui.record.session_budget import resolve_limits

        return resolve_limits(self.record, session_id, self.limits)

    @property
    def agents(self) -> AmbientAgents:
        """What agents have before they are handed anything; each look finds the files anew."""
        from orch_tui.prepare.ambient import AmbientAgents

        return AmbientAgents(
            self.root,
            lambda: self.counts,
            self._learned_figures,
            claude_client.running_entrypoint(),
        )

    def _learned_figures(self, family: str) -> Iterable[HandedFigure]:
        """What transcripts taught of what agents are handed besides files."""
        if not self.has_record:
            return ()
        from orch_tui.record.learned_figures import read_learned_figures

        return read_learned_figures(self.record, family)

    @property
    def counts(self) -> CountCache | None:
        """Where token counts are kept: the record, or memory until there is one; None: nowhere."""
        if not self.recording:
            return None
        if not self.has_record:
            from orch_tui.prepare.count import UnsavedCounts

            self._unsaved_counts = self._unsaved_counts or UnsavedCounts()
            return self._unsaved_counts
        from orch_tui.record.token_counts import RecordedCounts

        return RecordedCounts(self.record)

    @property
    def known_agents(self) -> set[str]:
        """The agent types of the project, the user and Claude Code itself."""
        from orch_tui.prepare.agent_types import list_agent_types

        return list_agent_types(self.root)

    def now(self) -> str:
        """The time, as the record writes it."""
        from orch_tui.models.database import timestamp, utc_now

        return timestamp((self._clock or utc_now)())

    def seconds_now(self) -> float:
        """The time in seconds since 1970."""
        from orch_tui.models.database import utc_now

        return (self._clock or utc_now)().timestamp()

    def reader(
        self,
        *,
        allow_secret: bool = False,
        look_inside: bool = False,
        left_out: Callable[[SourceError], object] | None = None,
        worktree: str | None = None,
    ) -> SourceReader:
        """Reads context sources, from the working folder first, then from its working tree (or that
        of a run, ``worktree``) and from the root; the rest as ``SourceReader`` has it."""
        from orch_tui.prepare.secret_verdicts import SecretVerdicts
        from orch_tui.prepare.sources import SourceReader

        return SourceReader(
            self.cwd,
            self.root,
            tree=Path(find_named_tree(worktree, self.root) or self.tree),
            allow_secret=allow_secret,
            max_bytes=self.config.max_file_size,
            ignore_files=self.config.ignore_files,
            stdin=cache(sys.stdin.buffer.read),  # named twice, it is the same
            look_inside=look_inside,
            verdicts=SecretVerdicts(self.counts) if look_inside else None,
            past=self._past,
            left_out=left_out,
        )

    def _past(self, execution_id: str, what: Result) -> bytes:
        if not self.has_record:
            raise NotFoundError("execution", execution_id)
        from orch_tui.record.past_results import read_past_result

        return read_past_result(self.record, execution_id, what)

    def template(self, name: str | None) -> Template | None:
        """The template at a path, or of that name in the template folders."""
        if name is None:
            return None
        from orch_tui.prepare.templates import load_template

        return load_template(
            name, [Path(folder) for folder in self.config.template_folders], self.cwd
        )

    def check_own_run(self, label: str, *, other_project: bool = False) -> None:
        """Refuse to write into a run of another project, unless that is what was asked for.

        Raises:
            NotFoundError: no such execution; with the nearest known ids.
            ConflictError: the record serves several projects, and it is of another one.
        """
        from orch_tui.record import executions, own_projects

        if other_project or not self.is_shared:
            return
        record, own = self.existing_record, self.project_filter
        label = executions.get_execution(record, label).execution_id
        if own is not None and not own_projects.is_own_run(record, label, own):
            project = own_projects.name_run_project(record, label)
            raise ConflictError(
                f"{label} is a run of another project, {project}",
                hint="--other-project writes into it all the same",
            )

    def choose_session(self) -> ChosenSession:
        """The session that is meant where nobody names one (``session_choice``).

        Raises:
            NotFoundError: there is none.
        """
        from orch_tui.record import session_choice

        return session_choice.choose_session(self.existing_record, self.root, self.project_filter)

    def init_session(self, scope: str, **details: Unpack[SessionDetails]) -> Session:
        """Open a session, which is meant from then on where one stands; as ``init_session``."""
        from orch_tui.record import session_choice, sessions

        session = sessions.init_session(self.record, scope, project=str(self.root), **details)
        with suppress(
            OrchError, OSError
        ):  # none to keep it for, or closed: it is open all the same
            session_choice.keep_session(self.record, self.root, session.session_id)
        return session

    def session_id(self, given: str | None) -> str:
        """The session that was named, or else the one that is meant; says so where others could be.

        Raises:
            NotFoundError: there is none.
        """
        from orch_tui.record import sessions

        if given is not None:
            session = sessions.get_session(self.existing_record, given)
        else:
            chosen = self.choose_session()
            session = chosen.session
            if chosen.remark:
                self.remark(chosen.remark)
        own = self.project_filter if self.is_shared else None
        if own is not None and session.project not in own:
            self.remark(f"session {session.session_id} is of another project, {session.project}")
        return session.session_id

    def open_session_id(self, given: str | None) -> str | None:
        """As ``session_id``, but None where nothing is recorded or no session is open."""
        if given is None and not self.has_record:
            return None
        from orch_tui.record.session_choice import VARIABLE

        try:
            return self.session_id(given)
        except NotFoundError:
            if given is not None or os.environ.get(VARIABLE):
                raise
            return None

    def read_bundle(self, given: str, *, allow_secret: bool = False) -> ReadBundle:
        """The bundle in a file, or a recorded one by its id or name, ``@2`` for a version.

        Raises:
            NotFoundError, FormatError, SourceError: it is neither, or cannot be read.
        """
        from orch_tui.prepare.bundle import ReadBundle
        from orch_tui.record import bundles

        path = Path(paths.resolve_path(given, self.cwd))
        if not path.is_file():
            if not self.has_record:
                raise self._no_bundle_file(given)
            try:
                bundle_id, version = bundles.resolve_bundle(self.record, given)
            except NotFoundError:
                if path.suffix or os.sep in given:  # a file was meant
                    raise self._no_bundle_file(given) from None
                raise
            return ReadBundle(bundles.load_bundle(self.record, bundle_id, version).bundle, ())
        return self.parse_bundle(path.read_bytes(), name=given, allow_secret=allow_secret)

    def parse_bundle(self, data: bytes, *, name: str, allow_secret: bool = False) -> ReadBundle:
        """The bundle that the bytes of a file hold, which errors call by ``name``.

        Raises:
            FormatError, SourceError: it is none, or what it names cannot be read.
        """
        from orch_tui.prepare.bundle import read_bundle_json
        from orch_tui.record.ledger import contents

        return read_bundle_json(
            data,
            name=name,
            reader=self.reader(allow_secret=allow_secret),
            family_of=lambda model: self.catalogue.model(model).family,
            cache=self.counts,
            contents=(lambda sha256: contents.get_content_by_sha256(self.record, sha256))
            if self.has_record
            else (lambda sha256: None),
            measure=self.measure,
        )

    def measure(self, bundle: Bundle, exact: bool | None = None) -> Bundle:
        """Count what the template of a bundle takes, for its model or that of its agent; as
        ``measure_briefing``."""
        from orch_tui.prepare.briefing_size import measure_briefing

        model = bundle.model or self.agents.model(bundle.agent_type)
        family = self.catalogue.model(model).family
        return measure_briefing(bundle, family, cache=self.counts, exact=exact)

    def _no_bundle_file(self, given: str) -> SourceError:
        near = find_nearest_files(given, [self.cwd])
        hint = f"nearest: {', '.join(near)}" if near else "orch prepare-bundle writes one"
        return SourceError(given, "there is no such bundle file", hint=hint)

    def import_files(
        self,
        given: Iterable[Path] = (),
        *,
        every_project: bool = False,
        dry_run: bool = False,
        again: bool = True,
        progress: Callable[[int, int], None] = lambda done, total: None,
    ) -> ImportSummary:
        """Take in transcripts of Claude Code and exports of records.

        ``given`` are files and folders; none: what Claude Code keeps of this project, or of every
        project. Before that, what an earlier orch recorded is read again as this one does, unless
        ``again`` is False (it is then left to `read_again`). ``progress`` is called with
        the bytes read and the bytes to read.

        Raises:
            SourceError: a path that cannot be read.
            RecordError: the record cannot be written.
        """
        from orch_tui.record.transcripts import importer, transcript_files
        from orch_tui.record.upkeep.redacted_again import left_out_if_redacted

        if again and not dry_run:
            self._read_all_again()
        unread: list[SourceError] = []
        left_out: list[str] = []
        files = transcript_files.choose_files(
            given,
            claude_folder=Path(paths.claude_folder()),
            root=self.root,
            every_project=every_project,
            unread=unread.append,
        )
        with ExitStack() as stack:
            if dry_run:
                existing = self.existing_record if self.has_record else None
                record = stack.enter_context(importer.open_rehearsal(existing))
            else:
                record = self.record
                stack.enter_context(left_out_if_redacted(record, left_out))
                stack.enter_context(self._finding_outputs(record))
            summary = importer.import_files(
                record,
                files,
                catalogue=self.catalogue,
                root=self.root,
                only_project=not (given or every_project),
                exports=bool(given),
                progress=progress,
            )
            summary.remarks += [f"{error.message}: it is left out" for error in unread]
        summary.remarks += left_out
        return summary

    def unread_transcripts(self) -> int:
        """How many transcripts Claude Code keeps of this project that were never taken in."""
        from orch_tui.record.transcripts import importer, transcript_files

        folder = Path(paths.claude_folder())
        try:
            files = transcript_files.choose_files(
                (), claude_folder=folder, root=self.root, every_project=False
            )
        except SourceError:  # an import says so
            return 0
        known = importer.list_known_files(self.existing_record) if self.has_record else set()
        return sum(found.path not in known for found in files)

    def moment(self, text: str | None) -> str | None:
        """A time as people type it (local, ``2026-11-22 10:00``), as the record writes it."""
        if text is None:
            return None
        from datetime import datetime

        from orch_tui.search.dates import parse_time

        return parse_time(text, datetime.fromisoformat(self.now()))


def _user() -> str:
    """Who runs this; a container may run a user that nobody has named."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"user {os.getuid()}"


def _identity(file: Path) -> tuple[int, int] | None:
    """Which file lies at a path; None: none."""
    try:
        status = os.stat(file)
    except OSError:
        return None
    return status.st_dev, status.st_ino
