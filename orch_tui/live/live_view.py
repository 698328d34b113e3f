"""The agents of one project, followed look by look: their files, states and figures, in memory.

A look reads what was appended since the last one, 2 MB at most, and asks the system for a stat a
folder and a running agent. It may run in any thread, but in one at a time.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol

from orch_tui.claude_client import parse_release
from orch_tui.frozen import frozen
from orch_tui.live.agent_files import AgentFile, ProjectFolders, SessionFolder
from orch_tui.live.agent_state import (
    ENDED,
    AgentState,
    AgentSurroundings,
    SidecarFacts,
    StateName,
    decide_state,
    find_marks,
    is_asked_for,
    is_unanswered,
)
from orch_tui.live.agent_work import AgentWork, WorkStep
from orch_tui.live.client_sessions import WRITTEN_SINCE, Client, ClientSessions, Life
from orch_tui.live.live_agent import LiveAgent, LiveSnapshot, LiveStep, LiveTask
from orch_tui.live.permission_requests import PermissionRequests
from orch_tui.live.task_output import RunningCommand, find_foreground_output
from orch_tui.live.transcript_tail import TranscriptTail
from orch_tui.models.values import timestamp
from orch_tui.paths import project_root
from orch_tui.record.claude_code import agent_key, tool_key
from orch_tui.record.ledger.usage import MessageUse, price_messages

if TYPE_CHECKING:
    from orch_tui.prepare.catalogue import Catalogue

MOST_OF_LOOK = 2 * 1024 * 1024
"""Bytes of all files a look."""

_ENDED_EVERY = 8
"""Looks between two at the transcript of an agent that ended: it may be woken."""

_TOLD_EVERY = 20
"""Looks between two times that an end is told of which the record does not know."""

_MOST_TOLD = 5

_SHOWN_AFTER_END = 60.0
"""Seconds for which an agent that ended is still in the snapshot."""

_MOST_LOOKS = 64
"""Looks in a row: 128 MB of transcripts."""

_COMMAND_TOOL = "Bash"

_TOLD_BEFORE = 2.0
"""Seconds within which a client says that it waits, after the hook of what it waits for."""

_FIND_EVERY = 8
"""Looks between two searches for the folder of a session."""


class KnownRuns(Protocol):
    """What the record knows of the runs that are looked at."""

    @property
    def waiting(self) -> Mapping[str, str]:
        """The executions that were deployed and did not return, by each of their keys."""
        ...

    def find(self, keys: Iterable[str]) -> str | None:
        """Find the execution that one of these keys names, waiting or not."""
        ...


class NoRecord:
    """A project without a record."""

    waiting: Mapping[str, str] = {}

    def find(self, keys: Iterable[str]) -> str | None:
        return None


@frozen
class SeenEnd:
    """An end that the record does not know of."""

    claude_session: str
    agent_id: str
    transcript: str
    state: str
    at: str
    is_gone: bool
    """Its client ended, and nothing in the transcript says so."""


@dataclass(slots=True, eq=False)
class _Followed:
    """One agent and where its transcript was read to."""

    session: str
    file: AgentFile
    work: AgentWork
    tail: TranscriptTail
    was_settled: bool
    """It had ended when it was first seen: it is read for the sum of its parents only."""
    state: AgentState | None = None
    facts_read: SidecarFacts | None = None
    """What the sidecar said when the transcript was read last."""
    is_caught_up: bool = False
    """Its transcript was read to its end once: what it says is of now."""
    ended_at: float | None = None
    """Of the look that saw its end."""
    seen_running: bool = False
    times_told: int = 0
    """How often its end was told."""
    tell_again_at: int = 0
    """The look from which its end is told again where the record still waits for it."""
    execution_id: str | None = None
    children: list[_Followed] = field(default_factory=list)

    @property
    def keys(self) -> list[str]:
        keys = [agent_key(self.session, self.file.agent_id)]
        return [*keys, tool_key(self.file.tool_use_id)] if self.file.tool_use_id else keys

    @property
    def has_ended(self) -> bool:
        return self.state is not None and self.state.name in ENDED


@frozen
class _SubtreeSum:
    """What an agent and those under it did and used so far."""

    calls: int
    known_cost: float
    is_unknown: bool
    """The cost of one of them is not known."""
    is_partial: bool

    @classmethod
    def of(cls, followed: _Followed, below: Sequence[_SubtreeSum]) -> _SubtreeSum:
        cost = followed.work.cost
        return cls(
            followed.work.tool_calls + sum(each.calls for each in below),
            (cost or 0.0) + sum(each.known_cost for each in below),
            cost is None or any(each.is_unknown for each in below),
            followed.tail.is_partial or any(each.is_partial for each in below),
        )


class LiveView:
    """Follows the agents of the project at ``root``.

    ``claude_folder`` is Claude Code's configuration folder; ``runs`` gives what the record knows,
    asked once a look.
    """

    def __init__(
        self,
        root: str,
        claude_folder: str,
        *,
        catalogue: Catalogue,
        runs: Callable[[], KnownRuns] = NoRecord,
    ) -> None:
        self._root = root
        self._projects = ProjectFolders(os.path.join(claude_folder, "projects"))
        self._clients = ClientSessions(os.path.join(claude_folder, "sessions"))
        self._catalogue = catalogue
        self._runs = runs
        self._folders: dict[str, SessionFolder] = {}
        """By session."""
        self._followed: dict[tuple[str, str], _Followed] = {}
        """By session and agent."""
        self._requests = PermissionRequests(root)
        self._roots: dict[str, str] = {}
        self._commands: dict[str, RunningCommand] = {}
        """What each session runs in the foreground, where that is one command."""
        self._windows: dict[tuple[str, str], int | None] = {}
        self._looks = 0
        self._first = 0
        """Which file is read first: another one at each look, so that all get their turn."""
        self._ends: list[SeenEnd] = []

    def take_ends(self) -> list[SeenEnd]:
        """Give the ends seen since the last call of which the record does not know."""
        ends, self._ends = self._ends, []
        return ends

    def look_until_done(self, now: float) -> LiveSnapshot:
        """Look until nothing is left to be read, for who looks once."""
        snapshot = self.look(now)
        for _ in range(_MOST_LOOKS):
            if not snapshot.has_more:
                break
            snapshot = self.look(now)
        return snapshot

    def look(self, now: float) -> LiveSnapshot:
        """Read what changed; ``now`` is in seconds since 1970."""
        runs = self._runs()
        self._clients.look()
        self._requests.look()
        self._find_agents(runs, now)
        has_more = self._read(now)
        self._decide(runs, now)
        self._find_commands()
        self._forget(runs, now)
        self._looks += 1
        return LiveSnapshot(_time(now), tuple(self._show(now)), has_more)

    def steps(self, claude_session: str, agent_id: str) -> tuple[LiveStep, ...]:
        """List what an agent did last, oldest first."""
        followed = self._followed.get((claude_session, agent_id))
        return tuple(map(_live_step, followed.work.steps)) if followed else ()

    # Finding

    def _find_agents(self, runs: KnownRuns, now: float) -> None:
        sessions = self._live_sessions(runs) | self._folders.keys()
        new = {session: SessionFolder(session) for session in sessions - self._folders.keys()}
        self._folders |= new
        sought = [
            folder
            for session, folder in self._folders.items()
            if not folder.is_found and (session in new or self._looks % _FIND_EVERY == 0)
        ]
        if sought:
            self._projects.look(now)
        for folder in sought:
            folder.find(self._projects)
        for session, folder in self._folders.items():
            folder.look(now)
            for agent_id, file in list(folder.files.items()):
                if (session, agent_id) not in self._followed:
                    self._follow(session, file)

    def _forget(self, runs: KnownRuns, now: float) -> None:
        """Drop the sessions that no client has and in which nothing runs or is shown any more."""
        kept = self._live_sessions(runs)
        kept |= {
            followed.session
            for followed in self._followed.values()
            if followed.ended_at is None or now - followed.ended_at <= _SHOWN_AFTER_END
        }
        for session in self._folders.keys() - kept:
            del self._folders[session]
        for key in [key for key in self._followed if key[0] not in self._folders]:
            del self._followed[key]
        running = {key for key, followed in self._followed.items() if not followed.has_ended}
        self._requests.forget(now, running | {(session, "") for session in self._folders})

    def _live_sessions(self, runs: KnownRuns) -> set[str]:
        """The sessions of this project's clients, and of runs that the record waits for."""
        sessions = {
            session for session, client in self._clients.clients.items() if self._is_ours(client)
        }
        for key in runs.waiting:
            if key.startswith("agent:"):
                sessions.add(key.removeprefix("agent:").partition("/")[0])
        return sessions

    def _is_ours(self, client: Client) -> bool:
        cwd = client.cwd
        if cwd not in self._roots:
            self._roots[cwd] = project_root(cwd) if os.path.isabs(cwd) else ""
        return self._roots[cwd] == self._root

    def _follow(self, session: str, file: AgentFile) -> None:
        self._followed[session, file.agent_id] = _Followed(
            session,
            file,
            AgentWork(self._price),
            TranscriptTail(file.path),
            was_settled=file.facts.finished or file.facts.stopped_by_user,
        )

    def _price(self, use: MessageUse) -> float | None:
        (priced,) = price_messages([use], self._catalogue)
        return priced.cost_usd

    # Reading

    def _read(self, now: float) -> bool:
        """Read on in every transcript that may have grown; tell whether bytes were left."""
        waiting = [each for each in self._followed.values() if self._is_read(each)]
        self._first = self._first % len(waiting) if waiting else 0
        order = waiting[self._first :] + waiting[: self._first]
        left = MOST_OF_LOOK
        has_more = False
        for number, followed in enumerate(order):
            if left <= 0:
                self._first += number
                return True
            appended = followed.tail.read()
            if appended.begun_anew:
                followed.work = AgentWork(self._price)
            for line in appended.lines:
                followed.work.take(line, now)
            left -= appended.bytes_read
            followed.facts_read = followed.file.facts
            followed.is_caught_up = followed.is_caught_up or not followed.tail.is_unread
            has_more = has_more or followed.tail.has_more
        return has_more

    def _is_read(self, followed: _Followed) -> bool:
        facts = followed.file.facts
        if followed.was_settled and (facts.finished or facts.stopped_by_user):
            parent = self._parent(followed)
            return parent is not None and not parent.has_ended and followed.tail.is_unread
        is_turn = self._looks % _ENDED_EVERY == 0
        return not followed.has_ended or is_turn or followed.facts_read is not facts

    def _parent(self, followed: _Followed) -> _Followed | None:
        parent = followed.file.parent
        return self._followed.get((followed.session, parent)) if parent else None

    # Deciding

    def _decide(self, runs: KnownRuns, now: float) -> None:
        for followed in self._followed.values():
            followed.children = []
        for followed in self._followed.values():
            if (parent := self._parent(followed)) is not None and parent is not followed:
                parent.children.append(followed)
        asked_for = self._count_asked_for(now)
        explained = self._find_explained()
        for followed in self._deepest_first():
            life, why = self._life_of(followed)
            around = AgentSurroundings(
                now,
                life,
                why,
                self._clients.clients.get(followed.session),
                sum(not child.has_ended for child in followed.children),
                _last_end(followed.children),
                self._requests.asked.get((followed.session, followed.file.agent_id)),
                asked_for.get(followed.session, 0),
                followed.session in explained,
            )
            followed.state = self._settled_state(followed) or decide_state(
                followed.work, followed.file.facts, around
            )
            self._note_end(followed, runs, now)

    def _find_commands(self) -> None:
        """Look at what the one command prints that a session's agents run in the foreground."""
        running: dict[str, list[_Followed]] = {}
        for followed in self._followed.values():
            if not followed.has_ended:
                calls = [call for call in followed.work.open_calls if call.tool == _COMMAND_TOOL]
                running.setdefault(followed.session, []).extend([followed] * len(calls))
        held, self._commands = self._commands, {}
        for session, agents in running.items():
            if len(agents) != 1 or (state := agents[0].state) is None or state.name != "tool":
                continue
            known = {
                task.task_id
                for other in self._followed.values()
                if other.session == session
                for task in other.work.tasks
            }
            found = find_foreground_output(agents[0].file.path, session, known, state.target)
            if found is not None:
                before = held.get(session)
                command = before if before and before.path == found.path else found
                if command.look():
                    self._commands[session] = command

    def _prints(self, followed: _Followed) -> tuple[str, ...]:
        command = self._commands.get(followed.session)
        is_its = any(call.tool == _COMMAND_TOOL for call in followed.work.open_calls)
        return command.lines if command and is_its else ()

    def _settled_state(self, followed: _Followed) -> AgentState | None:
        """The end of an agent whose transcript nobody needs to read."""
        facts = followed.file.facts
        if not followed.was_settled or not (facts.finished or facts.stopped_by_user):
            followed.was_settled = False  # woken
            return None
        name: StateName = "stopped" if facts.stopped_by_user else "returned"
        return AgentState(name, "its sidecar says so", facts.written_at)

    def _deepest_first(self) -> Iterator[_Followed]:
        """Every agent once, children before their parents; a circle of parents ends somewhere."""
        done: set[int] = set()

        def walk(followed: _Followed) -> Iterator[_Followed]:
            stack = [(followed, False)]
            while stack:
                each, is_ready = stack.pop()
                if is_ready:
                    yield each
                elif id(each) not in done:
                    done.add(id(each))
                    stack.append((each, True))
                    stack += [(child, False) for child in each.children]

        for followed in self._followed.values():
            yield from walk(followed)

    def _count_asked_for(self, now: float) -> dict[str, int]:
        counts: dict[str, int] = {}
        for followed in self._followed.values():
            client = self._clients.clients.get(followed.session)
            if client is not None and not followed.has_ended:
                wanted = [is_asked_for(c, client, now) for c in followed.work.open_calls]
                counts[followed.session] = counts.get(followed.session, 0) + sum(wanted)
        return counts

    def _find_explained(self) -> set[str]:
        """The sessions of which a hook told who asks: an agent that still waits, or whoever asked
        when the client began to wait, which may be the main conversation."""
        asked, clients = self._requests.asked, self._clients.clients
        found = {
            session
            for session, client in clients.items()
            if (at := self._requests.last_asked(session)) is not None
            and at >= client.status_at - _TOLD_BEFORE
        }
        for (session, agent_id), each in asked.items():
            followed = self._followed.get((session, agent_id))
            if followed is not None and is_unanswered(
                each, followed.work.open_calls, clients.get(session)
            ):
                found.add(session)
        return found

    def _life_of(self, followed: _Followed) -> tuple[Life, str]:
        """Whether the client of an agent runs, and how one knows."""
        session, last = followed.session, followed.work.last_at
        client = self._clients.clients.get(session)
        if client is not None:
            if client.life == "gone":
                return "gone", f"process {client.pid} of its client is no more"
            if client.life == "unknown":
                return "unknown", f"whether process {client.pid} runs cannot be told from here"
            if last and last < client.started_at:
                return "gone", "its client ended, and another one took the session up since"
            return "alive", f"process {client.pid} runs"
        if session in self._clients.left:
            return "gone", "its client ended"
        if not self._clients.is_kept:
            return "unknown", "there is no sessions folder that tells whether its client runs"
        if not _tells_of_itself(followed.work.version):
            return "unknown", "its client is of a release that does not tell whether it runs"
        if any(
            self._is_ours(other) and other.life != "gone" and other.started_at <= last
            for other in self._clients.clients.values()
        ):
            return "unknown", "no client names its session, but one that may have had it runs"
        return "gone", "no client names its session"

    def _note_end(self, followed: _Followed, runs: KnownRuns, now: float) -> None:
        if not followed.has_ended:
            followed.seen_running = followed.seen_running or followed.is_caught_up
            followed.ended_at = None
            followed.execution_id = self._label(followed, runs) or followed.execution_id
            return
        waited_for = self._label(followed, runs)
        followed.execution_id = waited_for or followed.execution_id
        if not (followed.is_caught_up or followed.was_settled) or followed.state is None:
            return
        if followed.ended_at is None:
            followed.ended_at, followed.times_told = now, 0
            is_due = bool(waited_for) or followed.seen_running
        else:  # the record may have been locked, or the last lines not be written yet
            is_due = bool(waited_for) and self._looks >= followed.tell_again_at
        if is_due and followed.times_told < _MOST_TOLD:
            followed.times_told += 1
            followed.tell_again_at = self._looks + _TOLD_EVERY
            state = followed.state
            # its last record may be older than the end of its client, which was seen only now
            is_seen_now = state.name == "gone" and followed.seen_running
            self._ends.append(
                SeenEnd(
                    followed.session,
                    followed.file.agent_id,
                    followed.file.path,
                    state.name,
                    _time(now if is_seen_now else state.since),
                    state.name == "gone",
                )
            )

    def _label(self, followed: _Followed, runs: KnownRuns) -> str | None:
        for key in followed.keys:
            if key in runs.waiting:
                return runs.waiting[key]
        if followed.execution_id is None and not followed.has_ended:
            return runs.find(followed.keys)
        return None

    # Showing

    def _show(self, now: float) -> Iterator[LiveAgent]:
        """The running ones and those that ended a moment ago, as trees, oldest first."""
        seen: set[int] = set()
        oldest_first = sorted(self._followed.values(), key=lambda each: each.work.first_at)
        for is_root in (True, False):  # parents in a circle have no root: then any of them
            for followed in oldest_first:
                parent = self._parent(followed)
                if id(followed) not in seen and (not is_root or parent in (None, followed)):
                    yield from self._show_tree(followed, seen, now)

    def _show_tree(self, root: _Followed, seen: set[int], now: float) -> list[LiveAgent]:
        """A tree, parents first; without what ended long ago under nobody that runs."""
        order: list[tuple[_Followed, int]] = []
        stack = [(root, 0)]
        while stack:
            followed, depth = stack.pop()
            if id(followed) in seen:
                continue
            seen.add(id(followed))
            order.append((followed, depth))
            children = sorted(followed.children, key=lambda each: -each.work.first_at)
            stack += [(child, depth + 1) for child in children]
        sums: dict[int, _SubtreeSum] = {}
        shown: set[int] = set()
        for followed, _ in reversed(order):
            below = [sums[id(child)] for child in followed.children if id(child) in sums]
            if any(id(child) in shown for child in followed.children):
                shown.add(id(followed))
            sums[id(followed)] = _SubtreeSum.of(followed, below)
            if self._is_shown(followed, now):
                shown.add(id(followed))
        return [
            self._live_agent(followed, depth, sums[id(followed)], now)
            for followed, depth in order
            if id(followed) in shown
        ]

    def _is_shown(self, followed: _Followed, now: float) -> bool:
        if not followed.has_ended:
            return followed.is_caught_up
        ended = followed.ended_at
        return followed.seen_running and ended is not None and now - ended <= _SHOWN_AFTER_END

    def _live_agent(
        self, followed: _Followed, depth: int, subtree: _SubtreeSum, now: float
    ) -> LiveAgent:
        work, file, state = followed.work, followed.file, followed.state
        assert state is not None
        window = self._window(work.model, file.model, work.context)
        repetition = work.repetition
        return LiveAgent(
            execution_id=followed.execution_id,
            claude_session=followed.session,
            agent_id=file.agent_id,
            parent=file.parent,
            depth=depth,
            agent_type=file.agent_type,
            scope=file.scope,
            model=work.model,
            state=state.name,
            evidence=state.evidence,
            since=_time(state.since),
            seconds=max(0.0, now - state.since),
            tool=state.tool,
            target=state.target,
            more_calls=state.more_calls,
            count=state.count,
            marks=find_marks(state, work, now=now, window=window),
            repeats=repetition.loops or repetition.polls,
            quiet=max(0.0, now - work.last_at) if work.last_at else 0.0,
            calls=work.tool_calls,
            subtree_calls=subtree.calls,
            context=work.context,
            window=window,
            cost=work.cost,
            subtree_cost=None if subtree.is_unknown else subtree.known_cost,
            subtree_known_cost=subtree.known_cost,
            subtree_is_partial=subtree.is_partial,
            is_partial=followed.tail.is_partial,
            words=work.words,
            tasks=tuple(_live_tasks(work)),
            prints=self._prints(followed),
        )

    def _window(self, model: str, asked: str, context: int) -> int | None:
        """The window of a model in tokens; None where it is not known, or holds more than that.

        Only what was asked for says ``[1m]``.
        """
        key = (model, asked)
        if key not in self._windows:
            long = asked.endswith("[1m]") and asked.startswith(model)
            found = self._catalogue.model(asked if long else model) if model else None
            self._windows[key] = None if found is None or found.assumed else found.window
        window = self._windows[key]
        return window if window is None or context <= window else None


def _last_end(children: Iterable[_Followed]) -> float | None:
    """When the last of the agents that have ended did; None: none has."""
    ends = [child.work.last_at for child in children if child.has_ended]
    return max((at for at in ends if at), default=None)


def _tells_of_itself(version: str) -> bool:
    """Whether a release of Claude Code, as its transcripts name it, keeps a file on itself."""
    release = parse_release(version)
    return release is not None and release >= WRITTEN_SINCE


def _live_tasks(work: AgentWork) -> Iterator[LiveTask]:
    """Look at what an agent runs in the background; what has ended is looked at no more."""
    for task in list(work.tasks):
        if task.look():
            yield LiveTask(task.task_id, task.target, task.size, task.lines)
        else:
            work.tasks.remove(task)


def _live_step(step: WorkStep) -> LiveStep:
    return LiveStep(
        _time(step.at),
        step.tool,
        step.text,
        step.took,
        step.size,
        step.is_error,
        step.added,
        step.removed,
    )


def _time(seconds: float) -> str:
    try:
        return timestamp(datetime.fromtimestamp(seconds, UTC))
    except (ValueError, OverflowError, OSError):
        return ""
