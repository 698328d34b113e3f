"""The files of the agents of one session: which there are, and what their sidecars say.

A look costs a stat a folder: new files and sidecars, which are renamed into place, change its
time; what is appended to a transcript does not.
"""

from __future__ import annotations

import os
import re
from contextlib import suppress
from dataclasses import dataclass, field
from stat import S_ISDIR, S_ISREG

from orch_tui.live.agent_state import SidecarFacts
from orch_tui.live.words import clean_line
from orch_tui.record.claude_code import SIDECAR, is_internal
from orch_tui.record.transcripts.transcript_lines import Sidecar, decode_struct

_LARGEST_SIDECAR = 64 * 1024
_AGENT = re.compile(r"agent-([A-Za-z0-9@._-]{1,200})\.jsonl")
_SESSION = re.compile(r"[A-Za-z0-9_-]{1,100}")

_SETTLES_AFTER = 2.0
"""Seconds after which a change of a folder surely has another time than the one before."""


@dataclass(slots=True)
class AgentFile:
    """The transcript of an agent and what stands in its sidecar."""

    agent_id: str
    path: str
    agent_type: str = ""
    scope: str = ""
    model: str = ""
    parent: str | None = None
    tool_use_id: str = ""
    facts: SidecarFacts = field(default_factory=SidecarFacts)
    _seen: tuple[int, int] | None = None

    def read_sidecar(self) -> None:
        """Read the sidecar where it changed; one that is torn or missing counts as it was."""
        path = self.path.removesuffix(".jsonl") + SIDECAR
        try:
            status = os.lstat(path)
            seen = (status.st_mtime_ns, status.st_size)
            if seen == self._seen or not S_ISREG(status.st_mode):
                return
            with open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as file:
                noted = decode_struct(file.read(_LARGEST_SIDECAR), Sidecar)
        except OSError:
            return
        if noted is None:
            return
        self._seen = seen
        self.agent_type = clean_line(noted.agentType or "", 60)
        self.scope = clean_line(noted.description or "")
        self.model = noted.model or ""
        self.parent = clean_line(noted.parentAgentId or "") or None
        self.tool_use_id = noted.toolUseId or ""
        self.facts = SidecarFacts(
            bool(noted.finished), bool(noted.stoppedByUser), status.st_mtime_ns / 1e9
        )


class ProjectFolders:
    """The folders in which Claude Code keeps the sessions of each project.

    A session that is new to one changes the time of that folder: the others need not be looked into
    again for sessions that were not there.
    """

    def __init__(self, projects: str) -> None:
        self._projects = projects
        self.changed: dict[str, int] = {}
        """When each was changed last, in nanoseconds; -1: so lately that it may change again."""

    def look(self, now: float) -> None:
        """Ask for the time of each folder."""
        found: dict[str, int] = {}
        for entry in _list(self._projects):
            with suppress(OSError):
                status = entry.stat()
                if S_ISDIR(status.st_mode):
                    found[entry.path] = _settled(status.st_mtime_ns, now)
        self.changed = found


class SessionFolder:
    """``projects/KEY/SESSION/subagents`` of one session, and the workflows' folders in it."""

    def __init__(self, claude_session: str) -> None:
        self._session = claude_session
        self._folder: str | None = None
        self._looked_into: dict[str, int] = {}
        """The folders of projects in which it was not, each as it was changed last then."""
        self._seen: dict[str, int] = {}
        """When each folder was changed last, in nanoseconds."""
        self.files: dict[str, AgentFile] = {}
        """By agent id."""

    @property
    def is_found(self) -> bool:
        """Whether it is known where the session keeps its transcripts."""
        return self._folder is not None

    def find(self, folders: ProjectFolders) -> None:
        """Look for the session in the folders of projects that changed since it was not there."""
        if not _SESSION.fullmatch(self._session):
            return
        for folder, changed in folders.changed.items():
            if changed == self._looked_into.get(folder) and changed >= 0:
                continue
            self._looked_into[folder] = changed
            own = os.path.join(folder, self._session)
            if os.path.isdir(own) or os.path.isfile(f"{own}.jsonl"):
                self._folder = os.path.join(own, "subagents")
                return

    def look(self, now: float) -> None:
        """List the folders that changed, and read the sidecars in them that did."""
        if self._folder is None:
            return
        self._look_into(self._folder, now)
        workflows = os.path.join(self._folder, "workflows")
        if self._has_changed(workflows, now):
            for run in _list(workflows):
                if run.is_dir(follow_symlinks=False):
                    self._seen.setdefault(run.path, -1)
        for folder in list(self._seen):
            if folder not in (self._folder, workflows):
                self._look_into(folder, now)

    def _look_into(self, folder: str, now: float) -> None:
        if not self._has_changed(folder, now):
            return
        for entry in _list(folder):
            named = _AGENT.fullmatch(entry.name)
            if named and named[1] not in self.files and not is_internal(named[1]):
                self.files[named[1]] = AgentFile(named[1], entry.path)
        for file in self.files.values():
            if os.path.dirname(file.path) == folder:
                file.read_sidecar()

    def _has_changed(self, folder: str, now: float) -> bool:
        try:
            changed = os.stat(folder).st_mtime_ns
        except OSError:
            return False
        if changed == self._seen.get(folder):
            return False
        self._seen[folder] = _settled(changed, now)
        return True


def _settled(changed: int, now: float) -> int:
    """The time of a folder's change; -1 where it may change again and have the same time, which
    is within one tick of its clock."""
    return changed if now - changed / 1e9 > _SETTLES_AFTER else -1


def _list(folder: str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except OSError:
        return []
