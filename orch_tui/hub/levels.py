"""What of a statement leaves the machine at each level.

At ``figures`` a statement keeps what counts and times: agents, models, states, tokens, cost. No
text goes, no path, and no hash by which anybody could try texts: where two statements tell of one
text, a pseudonym stands for its hash, made with a key of the hub. Fields are named that may go:
what a newer orch adds stays here. At ``messages`` all is said, and the contents of files that were
given stay here. At ``everything`` they go, too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from orch_tui.hub.settings import LEVELS, Level
from orch_tui.record.ledger.registers import items_given
from orch_tui.record.ledger.statement import decode_statement, describe_problem

WITHHELD = "withheld"
"""The kind of a statement of which nothing but its place in the log is sent."""

DOUBTED = "kept back by its machine"
"""Stands for why a return is in doubt: it is not taken for a success."""

_OF_RUN = frozenset(
    {
        *("session", "agent_type", "model", "context_token_count", "estimator"),
        *("ambient_tokens", "planned", "phase", "deployed_at", "tool_use_id", "agent_id"),
        *("parent", "depth", "resolved_model", "context_end_tokens", "input_tokens"),
        *("cache_write_tokens", "cache_read_tokens", "output_tokens", "tool_calls"),
        *("duration_ms", "cost_usd", "price_date", "ran_in", "told_in", "run_project"),
        *("agent_kind", "workflow_run", "client_version", "begun", "resumed"),
        *("went_on_after", "status", "success", "error_code", "completed_at", "witness"),
        *("return_key", "model_message", "blocks", "echo", "presumed", "went_on"),
        *("broke_off", "by_tool", "is_waiting", "rendered", "ending"),
    }
)
_OF_KIND: Mapping[str, frozenset[str]] = {
    **dict.fromkeys(("deployed", "noted", "returned", "retracted", "sql"), _OF_RUN),
    "used": frozenset({"messages"}),
    "addressed": frozenset({"at", "call"}),
    "identified": frozenset({"label", "session"}),
}
"""The fields that are sent as they are, by kind. A kind that is not named is withheld."""

_OF_SUBJECT: Mapping[str, frozenset[str]] = {
    **dict.fromkeys(
        ("session", "claude"),
        frozenset(
            {
                *(
                    "created_at",
                    "project",
                    "archived_at",
                    "phase",
                    "budget",
                    "thresholds",
                    "reserve",
                ),
                *("label", "state", "ended_at"),
            }
        ),
    ),
    "planned": frozenset(
        {*("session", "position", "agent_type", "model", "created_at", "removed_at", "waits")}
    ),
    "run": frozenset({"forgotten_at"}),
}
"""Registers that are sent, by what they are of."""

_HASHES = ("message", "words", "interim_words", "text")
"""Fields that tell one text from another: a pseudonym goes in their place."""


def reduce_to_figures(
    kind: str, said: Mapping[str, Any], pseudonym: Callable[[str], str]
) -> tuple[str, dict[str, Any]]:
    """Keep of a statement what is sent at ``figures``: its kind there, and the fields.

    ``pseudonym`` turns what tells a text, or names another statement (both hexadecimal), into what
    stands for it on the hub.
    """
    if kind == "set":
        return _reduce_registers(said)
    names = _OF_KIND.get(kind)
    if names is None or describe_problem(kind, dict(said)):
        return WITHHELD, {}
    kept = {name: value for name, value in said.items() if name in names}
    for name in _HASHES:
        if said.get(name) is not None:
            kept[name] = pseudonym(str(said[name]))
    if said.get("doubt") is not None:
        kept["doubt"] = DOUBTED
    if said.get("supersedes"):
        kept["supersedes"] = [pseudonym(digest) for digest in said["supersedes"]]
    return kind, kept


def _reduce_registers(said: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    subject, values = said.get("subject"), said.get("values")
    names = _OF_SUBJECT.get(str(subject).partition(":")[0])
    if names is None or not isinstance(values, dict):
        return WITHHELD, {}
    kept = {name: value for name, value in values.items() if name in names}
    return ("set", {"subject": subject, "values": kept}) if kept else (WITHHELD, {})


def find_sent_texts(kind: str, said: Mapping[str, Any], level: Level) -> Iterator[str]:
    """Find the contents and briefings (by SHA-256, hexadecimal) that go with a statement.

    At ``messages`` those of the files that were given, or kept of what was delivered, do not.
    """
    if LEVELS.index(level) < LEVELS.index("messages"):
        return
    yield from _texts(said, "briefing", "handed_over", *_SAID)
    yield from _texts(_values(kind, said), "briefing")
    if level == "everything":
        yield from _find_files(kind, said)


def find_contents(kind: str, said: Mapping[str, Any]) -> Iterator[str]:
    """Find the contents that a statement names: what was said, and files."""
    yield from _texts(said, *_SAID)
    if not describe_problem(kind, dict(said)):
        yield from _find_files(kind, said)


_SAID = ("message", "text")
"""Fields that name a content that was said."""


def _texts(said: Mapping[str, Any], *names: str) -> Iterator[str]:
    yield from (said[name] for name in names if isinstance(said.get(name), str))


def _values(kind: str, said: Mapping[str, Any]) -> Mapping[str, Any]:
    values = said.get("values") if kind == "set" else None
    return values if isinstance(values, dict) else {}


def _find_files(kind: str, said: Mapping[str, Any]) -> Iterator[str]:
    """Find the contents of files that a statement names."""
    if kind == "set":
        items = items_given(_values(kind, said).get("items"))
        yield from (item.content for item in items if item.content)
    elif kind == "allocated":
        yield from (item.content for item in decode_statement(kind, said).items if item.content)
    elif kind == "delivered":
        yield from (each.kept for each in decode_statement(kind, said).outputs if each.kept)
