"""What the reading of a transcript gives, and what must be remembered to go on with it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

import msgspec

from orch_tui.record.ledger.file_use import Touched
from orch_tui.record.ledger.statement import Addressed, Deployed, Noted, Returned
from orch_tui.record.ledger.usage import MessageUse


@dataclass(slots=True)
class TranscriptReport:
    """What a transcript says of one run."""

    keys: tuple[str, ...]
    at: str
    claude_session: str
    statement: Deployed | Noted | Returned | Addressed
    message: str | None = None
    prompt: str | None = None
    folder: str = ""
    """Where the agent works, as the transcript says; nothing to be relied on."""


@dataclass(slots=True)
class ParsedChunk:
    """What a stretch of a transcript tells. Keys name the run, as in statements."""

    reports: list[TranscriptReport] = field(default_factory=list)
    uses: dict[tuple[str, ...], list[MessageUse]] = field(default_factory=dict)
    touched: dict[tuple[str, ...], list[Touched]] = field(default_factory=dict)


class CurrentMessage(msgspec.Struct):
    """The message an agent is saying: its lines come one for each piece."""

    id: str
    at: str
    model: str = ""
    input: int = 0
    write: int = 0
    write_1h: int = 0
    read: int = 0
    output: int = 0
    texts: list[str] = []
    tools: list[str] = []
    uuids: list[str] = []
    stop: str = ""
    said_at: str = ""
    is_error: bool = False
    reports: dict[str, str] = {}
    """What it gave back by tools, by their calls: a report, or JSON where a workflow wants that."""
    structured: list[str] = []
    """The calls among them with JSON."""


class AgentRun(msgspec.Struct):
    """One agent as far as it has been read."""

    session: str
    agent_id: str = ""
    keys: list[str] = []
    first_at: str = ""
    prompt: str = ""
    prompt_at: str = ""
    agent_type: str = ""
    noted: int = 0
    """Keys it had when it was last told of."""
    current: CurrentMessage | None = None
    tools: dict[str, tuple[str, str]] = {}
    """Calls whose result is awaited: what they do, and the file."""
    cwd: str = ""
    handed_back: str = ""
    """The message by which it gave its report back since it was last told anything."""
    is_hearsay: bool = False
    """Known from progress lines of its parent only: they leave out what it said at the end."""


class ReaderState(msgspec.Struct):
    """All that a reader must remember to go on where it stopped."""

    session: str = ""
    cwd: str = ""
    first_at: str = ""
    version: str = ""
    """Of the client that began the file."""
    is_nameless: bool = False
    """Hooks of that client told no id of a call."""
    title: str = ""
    """The name that the user gave the session."""
    client_title: str = ""
    """The name that Claude Code gave it."""
    opening: str = ""
    """What the user asked for first, in a line."""
    entries: int = 0
    runs: dict[str, AgentRun] = {}
    launched: dict[str, str] = {}
    """Launches whose result is awaited, with the agent that launched them (empty: none)."""
    stops: list[str] = []
    """Calls of ``TaskStop`` whose result is awaited."""
    teammates: dict[str, str] = {}
    """The launch of each agent that has a name."""
    mailed: dict[str, str] = {}
    """What those wrote last since they were idle."""
    prompts: dict[str, list[str]] = {}
    """Launches no agent inside this file has been matched to, by their prompt's hash."""
    agents: list[str] = []
    """Agents that were launched here."""
    is_fork: bool = False
    """The file is a fork's, and its own part has not begun: what stands there is its parent's."""
    is_inline: bool = False
    """Agents stand inside the session's file: it can only be read as a whole."""

    @property
    def session_name(self) -> str:
        """What the session of the file goes by; empty where nothing tells."""
        return self.title or self.client_title or self.opening


def hash_text(text: str) -> str:
    """What stands for a long text in the state of a reader and in keys of returns."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]
