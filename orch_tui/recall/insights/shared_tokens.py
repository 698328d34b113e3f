"""Tokens that sharing moved out of bundles, and those of the shared documents."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from orch_tui.frozen import frozen
from orch_tui.models.database import Row
from orch_tui.prepare.count import Count, stored_count
from orch_tui.recall.insights.group_outcomes import INCLUDED, ChosenRuns


@frozen
class SharedTokens:
    """Tokens moved into shared documents, and those of the documents: never added up, never money.

    None: nothing is recorded.
    """

    n: int
    """Executions whose context is recorded."""
    n_shared: int
    """Of them, those that were pointed to a shared document."""
    moved_to_shared: Count | None
    """Text moved into shared documents; an agent that reads one spends it again."""
    shared_document: Count | None
    """The shared documents themselves, each text once."""

    def row(self) -> Row:
        figures = {
            "moved_to_shared": self.moved_to_shared,
            "shared_document": self.shared_document,
        }
        named = {f"{name}_tokens": count and count.tokens for name, count in figures.items()}
        estimators = {count.estimator for count in figures.values() if count} - {""}
        return {
            "n": self.n,
            "n_shared": self.n_shared,
            **named,
            "estimator": estimators.pop()
            if len(estimators) == 1
            else "mixed"
            if estimators
            else None,
        }


_SHARED = f"""
  SELECT a.execution_id, coalesce(content_id, context_source) AS text, token_count,
    coalesce(token_low, token_count) AS low, coalesce(token_high, token_count) AS high,
    a.estimator AS name
  FROM chosen AS e CROSS JOIN context_allocations AS a USING (execution_id)
  WHERE {INCLUDED} AND context_type = 'shared_context' AND token_count IS NOT NULL"""


def sum_shared_tokens(of: ChosenRuns, n: int) -> SharedTokens:
    figures = (
        "sum(token_count), coalesce(iif(count(DISTINCT name) > 1, 'mixed', max(name)), ''), "
        "sum(low), sum(high)"
    )
    ((n_shared, *moved),) = of.rows(
        f"SELECT count(DISTINCT execution_id), {figures} FROM ({_SHARED})"
    )
    (document,) = of.rows(f"SELECT {figures} FROM (SELECT * FROM ({_SHARED}) GROUP BY text)")
    return SharedTokens(
        n=n,
        n_shared=n_shared,
        moved_to_shared=_count(moved, n),
        shared_document=_count(document, n),
    )


def _count(figures: Sequence[Any], n: int) -> Count | None:
    if not n:
        return None
    return stored_count(*figures)
