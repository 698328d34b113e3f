"""Two executions side by side: given, said, delivered."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from difflib import unified_diff
from pathlib import Path
from typing import Any

from orch_tui.errors import OrchError
from orch_tui.frozen import frozen
from orch_tui.models.database import Record
from orch_tui.recall.line_changes import LONGEST_ALIGNED, count_changes
from orch_tui.recall.show import Given, Shown, show_execution
from orch_tui.record import executions
from orch_tui.text_lines import split_lines


@frozen
class Difference:
    """One thing that one or both executions have."""

    what: str
    left: Any
    """As it is recorded; None: it has none."""
    right: Any

    @property
    def same(self) -> bool:
        return bool(self.left == self.right)


@frozen
class GivenPair:
    """A context source that one or both executions were given, and its text on either side."""

    name: str
    left: Given | None
    right: Given | None
    removed: int
    """Lines that only the left text has; ``added`` those that only the right one has."""
    added: int

    @property
    def same(self) -> bool:
        """Tell whether both were given the same bytes."""
        if self.left is None or self.right is None:
            return False
        one, other = self.left.allocation, self.right.allocation
        return (one.content_id, one.token_count) == (other.content_id, other.token_count)


@frozen
class Comparison:
    """``left`` and ``right`` and where they differ."""

    left: Shown
    right: Shown
    facts: tuple[Difference, ...]
    given: tuple[Difference, ...]
    """A row per context source: its tokens and content on either side."""
    delivered: tuple[Difference, ...]
    pairs: tuple[GivenPair, ...]
    """As ``given``, with the texts."""
    said: str
    """A unified diff of the final messages; empty when they are the same."""

    def to_dict(self) -> dict[str, Any]:
        """Give the differences as the JSON of ``orch compare``."""
        parts = {"facts": self.facts, "delivered": self.delivered}
        rows = {name: [{**asdict(d), "same": d.same} for d in part] for name, part in parts.items()}
        given = [
            {
                "what": pair.name,
                "left": _measure(pair.left),
                "right": _measure(pair.right),
                "removed_lines": pair.removed,
                "added_lines": pair.added,
                "same": pair.same,
            }
            for pair in self.pairs
        ]
        return {**rows, "given": given, "said": self.said}


_FACTS = (
    "session_id",
    "agent_type",
    "scope",
    "model",
    "requested_model",
    "status",
    "success",
    "error_code",
    "error_message",
    "deployed_at",
    "completed_at",
    "context_token_count",
    "context_end_tokens",
    "input_tokens",
    "output_tokens",
    "duration_ms",
    "cost_usd",
)


def compare_executions(record: Record, left: str, right: str, root: Path) -> Comparison:
    """Compare two executions.

    Raises:
        NotFoundError: one of them is not known.
    """
    one, other = show_execution(record, left, root), show_execution(record, right, root)
    facts = (
        Difference(name, getattr(one.execution, name), getattr(other.execution, name))
        for name in _FACTS
    )
    return Comparison(
        one,
        other,
        tuple(fact for fact in facts if any(v not in (None, "") for v in (fact.left, fact.right))),
        _paired(_given(one), _given(other)),
        _paired(_delivered(one), _delivered(other)),
        tuple(_pair_given(one, other)),
        _said(one, other),
    )


def compare_with_success(record: Record, label: str, root: Path) -> Comparison:
    """Compare the last success of the same agent type before an execution, left, with it.

    Raises:
        NotFoundError: it is not known.
        OrchError: none of its type succeeded before it.
    """
    here = executions.get_execution(record, label)
    found = executions.select_executions(
        record,
        "agent_type = ? AND execution_id <> ? AND status = 'completed' AND success "
        "AND deployed_at <= ?",
        [here.agent_type, here.execution_id, here.deployed_at],
        limit=1,
    )
    if not found:
        raise OrchError(
            f"no {here.agent_type} succeeded before {here.execution_id}",
            hint="mark two runs with F7 to compare them",
        )
    return compare_executions(record, found[0].execution_id, here.execution_id, root)


def _measure(given: Given | None) -> dict[str, Any] | None:
    if given is None:
        return None
    return {
        "tokens": given.allocation.token_count,
        "content_id": given.allocation.content_id,
    }


def _given(shown: Shown) -> dict[str, str]:
    """Source and sections -> tokens and, so that other bytes of that name differ, the content."""
    found = {}
    for name, given in _by_name(shown).items():
        allocation = given.allocation
        content = "" if allocation.content_id is None else f", content {allocation.content_id}"
        found[name] = f"{allocation.token_count} tokens{content}"
    return found


def _by_name(shown: Shown) -> dict[str, Given]:
    """Map source and sections to what was given."""
    found = {}
    for given in shown.given:
        allocation = given.allocation
        sections = f" ({'; '.join(allocation.sections)})" if allocation.sections else ""
        found[f"{allocation.context_source}{sections}"] = given
    return found


def _pair_given(one: Shown, other: Shown) -> Iterator[GivenPair]:
    left, right = _by_name(one), _by_name(other)
    for name in {**left, **right}:
        here, there = left.get(name), right.get(name)
        removed, added = 0, 0
        if here and there and here.text is not None and there.text is not None:
            removed, added = count_changes(here.text, there.text)
        yield GivenPair(name, here, there, removed, added)


def _delivered(shown: Shown) -> dict[str, str]:
    found: dict[str, str] = {}
    for delivered in shown.delivered:
        output = delivered.output
        if output.output_type == "deliverable":
            version = (output.sha256 or "missing")[:12]
            found[output.file_path] = f"{version} ({delivered.state or 'unknown'})"
        elif output.output_type == "validation_result":
            found["validation"] = output.text
    return found


def _paired(left: dict[str, str], right: dict[str, str]) -> tuple[Difference, ...]:
    return tuple(Difference(name, left.get(name), right.get(name)) for name in {**left, **right})


def _said(left: Shown, right: Shown) -> str:
    one = split_lines(left.execution.final_message or "")
    other = split_lines(right.execution.final_message or "")
    if max(len(one), len(other)) > LONGEST_ALIGNED:
        return "" if one == other else "(too long to compare line by line)"
    names = (left.execution.execution_id, right.execution.execution_id)
    return "\n".join(unified_diff(one, other, *names, lineterm=""))
