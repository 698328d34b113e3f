"""What can be said of a run, of a session, of a plan: one class a kind, every field named once.

A statement is portable: it names contents and briefings by their SHA-256, sessions, planned agents
and bundle versions by reference (``portable``), runs by their keys, never by a number or label of
one database. What is ``None`` was not said. Fields that a newer orch added are kept in ``extra``
and passed on.

The classes are slotted and made by a small metaclass, which type checkers take for dataclasses:
the decorator of the standard library compiles methods for each of them, which costs a command
half of what Python takes to start, and msgspec more than all of it. The codec is made from the
annotations; a test holds it against msgspec's.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from typing import Any, Literal, Required, Self, TypedDict, Unpack, dataclass_transform

from orch_tui.models.stored_bytes import pack_text, unpack_text

Status = Literal["completed", "failed"]
Ending = Literal["returned", "failed", "stopped", "interrupted", "limit", "gone"]
"""How a run ended: it returned, failed, was stopped or interrupted, hit a limit of turns, or was
never heard of again."""

AgentKind = Literal["agent", "fork", "teammate", "workflow", "internal"]


class RunEnd(TypedDict, total=False):
    """The fields of a ``Returned`` that say how a run ended."""

    status: Required[Status]
    error_message: str | None
    broke_off: bool
    ending: Ending | None


class Changes(TypedDict, total=False):
    """The fields that become known, or are settled, after a statement is made."""

    ran_in: str
    told_in: str
    worktree: str | None
    run_project: str | None
    scope: str | None
    agent_name: str | None
    depth: int | None
    briefing: str | None
    handed_over: str | None
    message: str | None
    words: str | None
    text: str | None
    doubt: str | None
    status: Status | None
    error_message: str | None
    ending: Ending | None
    model: str | None
    return_key: str | int
    is_waiting: bool | None
    messages: tuple[MessageFact, ...]
    files: tuple[FileFact, ...]
    output_tokens: int
    extra: dict[str, Any] | None
    cost_usd: float | None
    created_at: str | None
    included_in_deployment: int
    replaces: bool
    arrived: int | None


@dataclass_transform(kw_only_default=True, frozen_default=True)
class _Slotted(type):
    """Makes a slotted class of its annotations: ``field: type = default``."""

    shape: dict[str, str]
    """The annotation of each field, in order."""
    defaults: dict[str, Any]

    def __new__(meta, name: str, bases: tuple[type, ...], body: dict[str, Any]) -> Any:  # noqa: N804
        own = {field: str(kind) for field, kind in body.get("__annotations__", {}).items()}
        defaults = {field: body.pop(field) for field in own if field in body}
        made = super().__new__(meta, name, bases, {**body, "__slots__": tuple(own)})
        made.shape = {}
        made.defaults = {}
        for base in bases:
            if isinstance(base, _Slotted):
                made.shape |= base.shape
                made.defaults |= base.defaults
        made.shape |= own
        made.defaults |= defaults
        return made


class Said(metaclass=_Slotted):
    """Fields by name, given by keyword; not to be changed once made."""

    def __init__(self, **said: Any) -> None:
        kind = type(self)
        values = {**kind.defaults, **said}
        if len(values) != len(kind.shape):
            wrong = sorted(values.keys() ^ kind.shape.keys())
            raise TypeError(f"{kind.__name__}: {', '.join(wrong)}")
        for name, value in values.items():
            setattr(self, name, value)

    def __repr__(self) -> str:
        said = ((name, getattr(self, name)) for name in type(self).shape)
        told = ", ".join(f"{n}={v!r}" for n, v in said if v != type(self).defaults.get(n))
        return f"{type(self).__name__}({told})"

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and all(
            getattr(self, name) == getattr(other, name) for name in type(self).shape
        )

    def __hash__(self) -> int:
        return hash(tuple(getattr(self, name) for name in type(self).shape))

    def replaced(self, **changes: Unpack[Changes]) -> Self:
        """Return a copy with other values for some fields."""
        return type(self)(**({n: getattr(self, n) for n in type(self).shape} | {**changes}))


class StatementPart(Said):
    """An element of a list in a statement; as JSON an array of its fields, in order."""

    @classmethod
    def of(cls, values: Any) -> Any:
        """Make the part that has these values; the last fields may be left out."""
        return cls(**dict(zip(cls.shape, values, strict=False)))

    def row(self) -> tuple[Any, ...]:
        """The value of every field, in order."""
        return tuple(getattr(self, name) for name in type(self).shape)


class RunFacts(Said):
    """What any statement about a run may say besides its own; intent first, then facts."""

    session: str | None = None
    """Reference of the orchestration it belongs to."""
    agent_type: str | None = None
    scope: str | None = None
    model: str | None = None
    """The model that was asked for, as it was written."""
    context_token_count: int | None = None
    """Tokens estimated for what it is given, by ``estimator``."""
    estimator: str | None = None
    ambient_tokens: int | None = None
    planned: str | None = None
    """Uid of the planned agent it is an attempt of."""
    bundle_version: str | None = None
    """Uid of the bundle version it is given."""
    briefing: str | None = None
    """SHA-256 of the text it is given."""
    phase: int | None = None
    deployed_at: str | None = None
    tool_use_id: str | None = None
    agent_id: str | None = None
    parent: str | None = None
    """A key of the run that launched it."""
    depth: int | None = None
    resolved_model: str | None = None
    """The model that really ran."""
    context_end_tokens: int | None = None
    input_tokens: int | None = None
    cache_write_tokens: int | None = None
    cache_read_tokens: int | None = None
    output_tokens: int | None = None
    tool_calls: int | None = None
    duration_ms: int | None = None
    cost_usd: float | None = None
    """US dollars, at the prices of ``price_date``."""
    price_date: str | None = None
    ran_in: str | None = None
    """The session of Claude Code it ran in, as the agent itself or a hook says."""
    told_in: str | None = None
    """The session of the transcript that tells of it, which may be the copy of another."""
    handed_over: str | None = None
    """SHA-256 of the text the agent really got, beside the briefing that was planned."""
    worktree: str | None = None
    """Name of the linked worktree it worked in, relative to the project."""
    run_project: str | None = None
    """Key of the project it ran in (``project_keys``)."""
    agent_name: str | None = None
    agent_kind: AgentKind | None = None
    workflow: str | None = None
    workflow_run: str | None = None
    workflow_phase: str | None = None
    client_version: str | None = None
    extra: dict[str, Any] | None = None
    """Fields that a newer orch knows."""


class Deployed(RunFacts):
    """An agent is sent, or was."""

    supersedes: tuple[str, ...] = ()
    """Digests of the statements this one takes back."""
    reason: str | None = None


class Noted(RunFacts):
    """Facts about a run, of no beginning and no end."""

    begun: bool | None = None
    """The agent began, or went to work again."""
    resumed: str | None = None
    """The call by which it was told to go on."""
    went_on_after: str | None = None
    """The message of the model that was no return, since the agent went on."""
    interim_words: str | None = None
    """``text_fingerprint`` of that message: who else heard it may take it for a return."""


class Returned(RunFacts):
    """An agent came back, or will not."""

    status: Status | None = None
    success: bool | None = None
    error_message: str | None = None
    error_code: str | None = None
    completed_at: str | None = None
    message: str | None = None
    """SHA-256 of the final message."""
    words: str | None = None
    """``text_fingerprint`` of the final message."""
    supersedes: tuple[str, ...] = ()
    reason: str | None = None
    witness: str | None = None
    """Who of one source speaks: the agent's own transcript, its parent's, the sidecar."""
    return_key: str | int | None = None
    """Tells the returns apart that one witness speaks of."""
    model_message: str | None = None
    """The message of the model that the return was read from."""
    blocks: int | None = None
    """How many pieces of that message had been written then."""
    doubt: str | None = None
    """Why it is not to be taken at its word."""
    echo: bool | None = None
    """It repeats what the stop of the agent said."""
    presumed: bool | None = None
    """Nobody saw it: its session ended and nothing was heard."""
    went_on: bool | None = None
    """A stop of an agent that had been refused the stop before."""
    broke_off: bool | None = None
    """The run was seen to be stopped, or to end in an error."""
    by_tool: bool | None = None
    """The report was handed back by a tool: a text that follows it is none."""
    is_waiting: bool | None = None
    """Other tasks ran in the background when it stopped: they may wake it."""
    running: tuple[str, ...] = ()
    """The ids of those tasks, for which an agent's is its own."""
    rendered: bool | None = None
    """The words are as a model was shown them, not as the agent wrote them."""
    ending: Ending | None = None


class Retracted(RunFacts):
    """A run was recorded by mistake; or that was said by mistake."""

    reason: str | None = None
    supersedes: tuple[str, ...] = ()
    """Digests of the retractions that it takes back, or of what took them back: it retracts nothing
    itself, what it does not supersede any more does."""


class Edited(RunFacts):
    """What plain SQL changed in the row of a run; it has the last word."""

    status: str | None = None
    success: bool | None = None
    error_message: str | None = None
    completed_at: str | None = None
    message: str | None = None
    words: str | None = None


class Delivered(Said):
    """What a run produced, or what of it is taken back."""

    outputs: tuple[OutputFact, ...] = ()
    withdrawn: tuple[str, ...] = ()
    """Uids of outputs that are no more."""
    extra: dict[str, Any] | None = None


class OutputFact(StatementPart):
    """One output; the fields are the columns of ``outputs``."""

    uid: str
    output_type: str | None = None
    content: str | None = None
    created_at: str | None = None
    metadata: str | None = None
    found: int = 0
    path: str | None = None
    sha256: str | None = None
    """Of the file, also where its bytes are not kept."""
    size: int | None = None
    kept: str | None = None
    """SHA-256 of the bytes that were kept."""
    retracted_at: str | None = None


class Allocated(Said):
    """Which context items a run was given."""

    items: tuple[ItemFact, ...] = ()
    replaces: bool | None = None
    """What was said before is not included."""
    whole: bool | None = None
    """It stands for all that was said before: plain SQL changed the rows."""
    stated_in: str | None = None
    """Digest of the statement that lists the items, as those of a bundle's version: ``items`` does
    not repeat them."""
    extra: dict[str, Any] | None = None


class ItemFact(StatementPart):
    """One context item; the fields are the columns of ``context_allocations``."""

    context_type: str | None = None
    context_source: str | None = None
    token_count: int | None = None
    included_in_deployment: int | None = None
    position: int | None = None
    priority: str | None = None
    sections: str | None = None
    estimator: str | None = None
    token_low: int | None = None
    token_high: int | None = None
    content: str | None = None
    """SHA-256 of the bytes that were given."""
    arrived: int | None = None


class Used(Said):
    """What a stretch of a transcript tells of model messages and of files."""

    messages: tuple[MessageFact, ...] = ()
    files: tuple[FileFact, ...] = ()
    extra: dict[str, Any] | None = None


class MessageFact(StatementPart):
    """The usage of one message of the model; the fields are the columns of ``usage_messages``."""

    message_id: str
    at: str | None = None
    model: str | None = None
    input_tokens: int = 0
    cache_write_tokens: int = 0
    cache_read_tokens: int = 0
    output_tokens: int = 0
    tool_calls: int = 0
    cost_usd: float | None = None
    output_price: float | None = None
    price_date: str | None = None
    price_tier: str | None = None


class FileFact(StatementPart):
    """When a run first read and wrote a file."""

    path: str
    read_at: str | None = None
    written_at: str | None = None


class Addressed(Said):
    """A message to a running agent, after its launch."""

    text: str | None = None
    """SHA-256 of what it was told."""
    at: str | None = None
    call: str | None = None
    """Of the tool that sent it, where it was one."""
    extra: dict[str, Any] | None = None


class Identified(Said):
    """All keys of one run, and the label and session it has where it was recorded."""

    label: str | None = None
    session: str | None = None
    extra: dict[str, Any] | None = None


class Registered(Said):
    """New values of fields of a session, a planned agent, a bundle or a version of one."""

    subject: str
    """Reference of what they are fields of."""
    values: dict[str, Any]
    extra: dict[str, Any] | None = None


class Journaled(Said):
    """One entry of the journal of an origin."""

    number: int
    """Its number in the record where it was written."""
    action: str
    session: str | None = None
    run: str | None = None
    """A key of the run it is about."""
    subject: str | None = None
    before: str | None = None
    """JSON, as it was written; likewise ``after``."""
    after: str | None = None
    extra: dict[str, Any] | None = None


OfRun = Deployed | Noted | Returned | Retracted | Edited
"""What the merge adds up to the row and the returns of a run."""

Statement = OfRun | Delivered | Allocated | Used | Addressed | Identified | Registered | Journaled

KINDS: dict[str, Any] = {
    "deployed": Deployed,
    "noted": Noted,
    "returned": Returned,
    "retracted": Retracted,
    "sql": Edited,
    "delivered": Delivered,
    "allocated": Allocated,
    "used": Used,
    "addressed": Addressed,
    "identified": Identified,
    "set": Registered,
    "journal": Journaled,
}
"""The kinds as they stand in the table ``observations``."""

KIND_OF: dict[type[Any], str] = {statement: kind for kind, statement in KINDS.items()}

_PARTS: dict[str, type[StatementPart]] = {
    part.__name__: part for part in (OutputFact, ItemFact, MessageFact, FileFact)
}


@cache
def _lists(statement: _Slotted) -> dict[str, type[StatementPart] | None]:
    """List the fields of a statement that are lists, with their parts; None where that is text."""
    return {
        name: _PARTS.get(annotation.removeprefix("tuple[").partition(",")[0])
        for name, annotation in statement.shape.items()
        if annotation.startswith("tuple[")
    }


def encode_statement(statement: Any) -> dict[str, Any]:
    """Encode the fields that are set, with those of a newer orch; parts of lists are arrays."""
    said = dict(statement.extra or {})
    for name in type(statement).shape:
        value = getattr(statement, name)
        if value is None or value == () or name == "extra":
            continue
        said[name] = [_array(part) for part in value] if type(value) is tuple else value
    return said


def _array(part: Any) -> Any:
    """Encode a part as an array that ends with its last value."""
    if not isinstance(part, StatementPart):
        return part
    said = list(part.row())
    while said and said[-1] is None:
        said.pop()
    return said


def decode_statement(kind: str, said: Mapping[str, Any]) -> Any:
    """Decode what ``encode_statement`` made; None for a kind of a newer orch."""
    statement = KINDS.get(kind)
    if statement is None:
        return None
    shape = statement.shape
    known = {name: value for name, value in said.items() if name in shape}
    for name, part in _lists(statement).items():
        if name in known:
            known[name] = tuple(map(part.of, known[name]) if part else known[name])
    if len(known) < len(said):
        known["extra"] = {name: value for name, value in said.items() if name not in shape}
    return statement(**known)


_SCALARS: dict[str, tuple[type, ...]] = {
    "str": (str,),
    "int": (int,),
    "float": (int, float),
    "bool": (bool,),
    "Status": (str,),
    "Ending": (str,),
    "AgentKind": (str,),
    "None": (type(None),),
}


def describe_problem(kind: str, said: Any) -> str | None:
    """Say why a body from elsewhere is no statement of its kind; None where it is one."""
    if not isinstance(said, dict):
        return "its body is no object"
    statement = KINDS.get(kind)
    if statement is None:
        return None
    for name, annotation in statement.shape.items():
        if name not in said:
            if name not in statement.defaults:
                return f"it has no {name}"
        elif annotation.startswith("tuple["):
            problem = _problem_of_list(name, _lists(statement)[name], said[name])
            if problem:
                return problem
        elif name == "extra" or not _fits(annotation, said[name]):
            return f"{name} is {said[name]!r:.60}"
    return None


def _fits(annotation: str, value: Any) -> bool:
    if annotation == "Any":
        return True
    if annotation.startswith("dict["):
        return isinstance(value, dict)
    allowed = [t for word in annotation.split(" | ") for t in _SCALARS[word]]
    return bool in allowed if isinstance(value, bool) else isinstance(value, tuple(allowed))


def _problem_of_list(name: str, part: type[StatementPart] | None, values: Any) -> str | None:
    if not isinstance(values, list):
        return f"{name} is {values!r:.60}"
    for value in values:
        if part is None:
            fits = isinstance(value, str)
        else:
            kinds = list(part.shape.values())
            fits = (
                isinstance(value, list)
                and len(part.shape) - len(part.defaults) <= len(value) <= len(kinds)
                and all(map(_fits, kinds, value))
            )
        if not fits:
            return f"{name} holds {value!r:.60}"
    return None


def canonical_json(value: Any) -> str:
    """JSON that is the same text for the same value: digests are made of it."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def decode_stored(kind: str, stored: Any) -> Any:
    """Decode what ``pack_statement`` stored; None for a kind of a newer orch, and where plain SQL
    put something else in its place."""
    said = unpack_fields(stored)
    with suppress(TypeError, ValueError):
        return None if said is None else decode_statement(kind, said)
    return None


def pack_statement(statement: Any) -> str | bytes:
    """Pack a statement as it is stored: JSON text, or that compressed."""
    return pack_fields(encode_statement(statement))


def pack_fields(said: Mapping[str, Any]) -> str | bytes:
    """Pack the fields of a statement, as ``encode_statement`` gives them."""
    return pack_text(canonical_json(said))


def unpack_fields(stored: Any) -> dict[str, Any] | None:
    """The fields that ``pack_statement`` stored; None where plain SQL put something else there."""
    try:
        said = json.loads(unpack_text(stored))
    except (ValueError, TypeError, RecursionError):
        return None
    return said if isinstance(said, dict) else None
