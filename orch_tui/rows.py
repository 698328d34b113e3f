"""What the engine hands out: frozen rows of the record, never live model instances.

Field names are the column names of the tables, so a list of them printed as JSON is a list of
rows. Times are UTC text, ``YYYY-MM-DDTHH:MM:SS.sssZ``; token figures are tokens.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Hashable
from dataclasses import fields
from functools import cache
from typing import Any, Literal, Self, TypeVar, cast

from orch_tui.frozen import frozen
from orch_tui.models.values import (
    MODEL,
    decoded_json,
    listed_names,
    readable,
    real_number,
    whole_number,
)


class Fact:
    """A frozen dataclass made from a row."""

    __slots__ = ()

    @classmethod
    def of(cls, row: dict[str, Any]) -> Self:
        """Build one from a row by column name; JSON columns are decoded, flags become bool."""
        return _made(cls, row)


ErrorCode = Literal[
    "ORG-001", "ORG-002", "ORG-003", "ORG-004", "ORG-005", "ORG-006", "ORG-007", "ORG-008"
]
ERROR_CODES: dict[str, str] = {
    "ORG-001": "Missing Project Context",
    "ORG-002": "Ambiguous Requirements",
    "ORG-003": "Sub-Agent Failure",
    "ORG-004": "Context Overflow",
    "ORG-005": "Validation Failure",
    "ORG-006": "Synthesis Conflicts",
    "ORG-007": "Integration Issues",
    "ORG-008": "Performance Issues",
}
"""What can go wrong with a delegated task, by the names the skill explains."""

_Fact = TypeVar("_Fact", bound=Fact)


def _made(fact: type[_Fact], row: dict[str, Any]) -> _Fact:
    return fact(**{name: convert(row[name]) for name, convert in _conversions(cast(Any, fact))})


@cache
def _conversions(fact: Hashable) -> tuple[tuple[str, Callable[[Any], Any]], ...]:
    """What makes each field of a column's value: plain SQL may have put anything there."""
    return tuple((f.name, _conversion(f.name, str(f.type))) for f in fields(cast(Any, fact)))


_JSON = {"metadata", "before", "after", "sections"}


def _conversion(name: str, annotation: str) -> Callable[[Any], Any]:
    if name in _JSON:
        return listed_names if name == "sections" else decoded_json
    kind, _, optional = annotation.partition(" | ")
    convert = _KINDS[kind]
    if optional:
        return convert
    empty = {"str": "", "int": 0, "bool": False, "float": 0.0}.get(kind)
    return lambda value: empty if (made := convert(value)) is None else made


def _flag(value: Any) -> bool | None:
    return None if value is None else bool(value)


_KINDS: dict[str, Callable[[Any], Any]] = {
    "str": readable,
    "int": whole_number,
    "float": real_number,
    "bool": _flag,
    "Any": lambda value: value,
}


def name_columns(execution: ExecutionFacts) -> dict[str, Any]:
    """Give an execution by the columns of its table, as JSON and CSV do: there ``model`` is what
    was asked for, and ``resolved_model`` what ran."""
    held = {field.name: getattr(execution, field.name) for field in fields(execution)}
    return {**held, "model": execution.requested_model}


@cache
def columns(fact: type[Any]) -> str:
    """The SELECT list of a fact."""
    return ", ".join(
        f"{_COMPUTED[f.name]} AS {f.name}"
        if fact is ExecutionFacts and f.name in _COMPUTED
        else f.name
        for f in fields(fact)
    )


_COMPUTED = {"model": MODEL, "requested_model": "model"}
"""Fields of an execution that are no column of its table, in SQL."""


@frozen
class Session(Fact):
    """One orchestration."""

    session_id: str
    created_at: str
    scope: str
    phase: int | None
    """1 analyze, 2 plan, 3 execute, 4 validate, 5 confirm."""
    status: str | None
    """planning, executing, completed or failed."""
    metadata: Any
    uid: str
    project: str | None
    """The root folder of the project it belongs to."""
    budget: int | None
    """Tokens for all bundles of the session; None: the configured budget."""
    completed_at: str | None
    archived_at: str | None
    claude_session: str | None


@frozen
class PlannedAgent(Fact):
    """An intended deployment."""

    planned_id: int
    session_id: str
    position: int
    agent_type: str
    scope: str
    model: str | None
    bundle_id: str | None
    created_at: str
    removed_at: str | None
    uid: str


@frozen
class ExecutionFacts(Fact):
    """One deployment of one agent and what came of it."""

    execution_id: str
    session_id: str
    agent_type: str
    deployed_at: str | None
    completed_at: str | None
    status: str | None
    """deployed (nothing has come back yet), completed or failed."""
    scope: str | None
    context_token_count: int | None
    """Tokens estimated for what it was given, by ``estimator``."""
    model: str | None
    """The model that ran; while that is not known (``resolved_model`` is None), the one that was
    asked for."""
    final_message: str | None
    """The latest one, as readable text; ``Completion.message_id`` holds the exact bytes."""
    success: bool | None
    error_message: str | None
    error_code: str | None
    uid: str
    source: str
    """Who first spoke of it: manual, api, hook, import or sql."""
    phase: int | None
    """The phase its session was in when it was deployed."""
    estimator: str | None
    ambient_tokens: int | None
    """Tokens estimated for what its agent has before it is handed anything."""
    planned_id: int | None
    bundle_version_id: int | None
    briefing_id: int | None
    """The briefing that was planned, where one was; else what it was handed."""
    tool_use_id: str | None
    agent_id: str | None
    parent_execution_id: str | None
    depth: int | None
    requested_model: str | None
    """The model that was asked for; None: nobody named one."""
    resolved_model: str | None
    """The model that is known to have run; None: nobody knows which did."""
    context_end_tokens: int | None
    """Context size of its last request (Claude Code's totalTokens)."""
    input_tokens: int | None
    """Usage of the whole run, each message counted once; likewise the next three."""
    cache_write_tokens: int | None
    cache_read_tokens: int | None
    output_tokens: int | None
    tool_calls: int | None
    duration_ms: int | None
    cost_usd: float | None
    """At the prices of ``price_date``."""
    price_date: str | None
    price_tier: str | None
    """Which price applied, for models whose price depends on the size of the prompt."""
    unverified: str | None
    """Why a completed run is not to be taken at its word; None: nothing speaks against it."""
    retracted_at: str | None
    revision: int
    handed_over_id: int | None
    """Another text than the briefing, where its agent was handed one."""
    worktree: str | None
    """The linked worktree it worked in, relative to the project's root; None: none is known."""
    agent_name: str | None
    """What others can call it by."""
    agent_kind: str | None
    """fork, teammate or workflow; None: a plain agent."""
    workflow: str | None
    workflow_run: str | None
    workflow_phase: str | None
    ending: str | None
    """stopped, interrupted, limit (of its turns), gone (its session ended); None: neither."""

    @property
    def used_tokens(self) -> int | None:
        """The usage of the whole run in one figure; None where it is not known."""
        if self.input_tokens is None:
            return None
        others = (self.cache_write_tokens, self.cache_read_tokens, self.output_tokens)
        return self.input_tokens + sum(tokens or 0 for tokens in others)


USED = (
    "input_tokens + coalesce(cache_write_tokens, 0) + coalesce(cache_read_tokens, 0) "
    "+ coalesce(output_tokens, 0)"
)
"""``ExecutionFacts.used_tokens`` in SQL."""


@frozen
class Completion(Fact):
    """One return of an execution."""

    completion_id: int
    execution_id: str
    position: int
    completed_at: str | None
    status: str
    success: bool
    message_id: int | None
    error_message: str | None
    error_code: str | None
    source: str


@frozen
class Allocation(Fact):
    """One context item as recorded for one execution."""

    allocation_id: int
    execution_id: str
    context_type: str | None
    context_source: str | None
    token_count: int | None
    included_in_deployment: bool | None
    position: int | None
    priority: str | None
    sections: Any
    estimator: str | None
    token_low: int | None
    token_high: int | None
    content_id: int | None
    arrived: bool | None
    """Whether it stands in the text its agent was handed; None where that is not known."""


@frozen
class Output(Fact):
    """A deliverable, validation result, insight or error of one execution."""

    output_id: int
    execution_id: str
    output_type: str | None
    content: Any
    """An object or list where it is stored as JSON, else text; of a deliverable always an object
    with ``file_path``, ``lines_added``, ``lines_modified`` and ``validation``."""
    created_at: str
    metadata: Any
    uid: str
    found: bool
    """Read out of a final message by orch, not claimed by whoever recorded it."""
    path: str | None
    sha256: str | None
    size: int | None
    content_id: int | None
    retracted_at: str | None

    @classmethod
    def of(cls, row: dict[str, Any]) -> Self:
        """Build one from a row by column name; content that is JSON is decoded."""
        content, path = decoded_content(row["content"]), readable(row["path"])
        if row["output_type"] == "deliverable":
            if not isinstance(content, dict):  # raw SQL may give the path alone
                content = {"file_path": path or content}
            shape = {"file_path": path, "lines_added": None, "lines_modified": None}
            content = {**shape, "validation": {}, **content}
        return _made(cls, row | {"content": content})

    @property
    def text(self) -> str:
        """The content as text, in one line where it is JSON."""
        if isinstance(self.content, str):
            return self.content
        return "" if self.content is None else json.dumps(self.content, ensure_ascii=False)

    @property
    def file_path(self) -> str:
        """Where a deliverable lies; empty where that is not known, and of what is none."""
        path = self.path
        if path is None and self.output_type == "deliverable":
            path = self.content["file_path"]
        return path if isinstance(path, str) else ""


def decoded_content(content: Any) -> Any:
    """The stored content of an output: a JSON object or list where it is one, else its text."""
    content = readable(content)
    if isinstance(content, str) and content.lstrip()[:1] in ("{", "["):
        try:
            return json.loads(content)
        except (ValueError, RecursionError):
            return content
    return content


@frozen
class JournalEntry(Fact):
    """One change: who did what, and what it was before and after."""

    seq: int
    at: str
    actor: str
    action: str
    session_id: str | None
    execution_id: str | None
    subject: str | None
    before: Any
    after: Any


@frozen
class ToldMessage(Fact):
    """A message that an agent got after its launch."""

    execution_id: str
    position: int
    at: str | None
    call: str | None
    """The tool call that sent it; None: only the agent's own transcript tells of it."""
    content_id: int | None
