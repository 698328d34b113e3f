"""What agents were handed, and would have been without sharing; tokens moved into shared documents.

The figures are worth different things: never added up, never money.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from orch_tui.frozen import frozen
from orch_tui.models.database import Record, Row
from orch_tui.models.values import whole_number
from orch_tui.prepare.count import Count, stored_count
from orch_tui.recall.insights.group_outcomes import INCLUDED, ChosenRuns, day_of
from orch_tui.record.bundle_outlines import load_outlines
from orch_tui.record.sharing import list_shared_versions


@frozen
class HandedOver:
    """What the agents of one group were handed, with sharing and as it would have been without."""

    of: str
    """``all``, ``session``, or the width of a time: ``day`` or ``week``."""
    name: str | None
    """The id of the session, or the day."""
    n: int
    """Runs whose tokens are known."""
    n_unknown: int
    """Runs without a count."""
    n_shared: int
    """Of the known ones, those that were pointed to what is shared."""
    before: int
    """Tokens of all of them, had nothing been shared."""
    after: int
    """Tokens of all of them, as they were handed over."""

    def row(self) -> Row:
        """Give the tokens of an agent on average, before and after, and the share it is less by."""
        return {
            "of": self.of,
            "name": self.name,
            "n": self.n,
            "n_unknown": self.n_unknown,
            "n_shared": self.n_shared,
            "tokens_before": round(self.before / self.n) if self.n else None,
            "tokens_after": round(self.after / self.n) if self.n else None,
            "saved_share": round(1 - self.after / self.before, 3) if self.before else None,
        }


@frozen
class SharedTokens:
    """What sharing came to: for all runs, by session and over time; and what was moved."""

    groups: tuple[HandedOver, ...]
    """All runs first, then the sessions in the order they began, then the days or weeks."""
    moved_to_shared: Count | None
    """Text moved into shared documents, which an agent that reads them takes again; None: no
    context is recorded."""
    shared_document: Count | None
    """The shared documents themselves, each text once."""

    def rows(self) -> list[Row]:
        """Give a row for each group; the first tells of what was moved, too."""
        figures = {
            "moved_to_shared": self.moved_to_shared,
            "shared_document": self.shared_document,
        }
        named = {f"{name}_tokens": count and count.tokens for name, count in figures.items()}
        estimators = {count.estimator for count in figures.values() if count} - {""}
        estimator = estimators.pop() if len(estimators) == 1 else "mixed" if estimators else None
        rows = [group.row() for group in self.groups]
        nothing = dict.fromkeys((*named, "estimator"))
        return [{**rows[0], **named, "estimator": estimator}, *({**r, **nothing} for r in rows[1:])]


_SHARED = f"""
  SELECT a.execution_id, coalesce(content_id, context_source) AS text, token_count,
    coalesce(token_low, token_count) AS low, coalesce(token_high, token_count) AS high,
    a.estimator AS name
  FROM chosen AS e CROSS JOIN context_allocations AS a USING (execution_id)
  WHERE {INCLUDED} AND context_type = 'shared_context' AND token_count IS NOT NULL"""


def sum_shared_tokens(of: ChosenRuns, n: int, record: Record, every: str = "day") -> SharedTokens:
    """Sum up what runs were handed; of ``n`` of them the context is recorded."""
    figures = (
        "sum(token_count), coalesce(iif(count(DISTINCT name) > 1, 'mixed', max(name)), ''), "
        "sum(low), sum(high)"
    )
    (moved,) = of.rows(f"SELECT {figures} FROM ({_SHARED})")
    (document,) = of.rows(f"SELECT {figures} FROM (SELECT * FROM ({_SHARED}) GROUP BY text)")
    runs = of.rows(
        f"SELECT session_id, {day_of(every)}, context_token_count, bundle_version_id FROM chosen "
        "ORDER BY at"
    )
    saved = _saved_by_version(record, {version for *_, version in runs if version is not None})
    groups: dict[tuple[str, str | None], list[tuple[Any, int | None]]] = {("all", None): []}
    for session_id, day, tokens, version in runs:
        run = whole_number(tokens), saved.get(version)
        for key in (("all", None), ("session", session_id), (every, day)):
            groups.setdefault(key, []).append(run)
    order = ("all", "session", every)
    return SharedTokens(
        groups=tuple(
            _sum_group(*key, groups[key]) for key in sorted(groups, key=lambda k: order.index(k[0]))
        ),
        moved_to_shared=_count(moved, n),
        shared_document=_count(document, n),
    )


def _sum_group(of: str, name: str | None, runs: Iterable[tuple[Any, int | None]]) -> HandedOver:
    known = [(tokens, saved) for tokens, saved in runs if tokens is not None]
    after = sum(tokens for tokens, _ in known)
    return HandedOver(
        of=of,
        name=name,
        n=len(known),
        n_unknown=sum(tokens is None for tokens, _ in runs),
        n_shared=sum(saved is not None for _, saved in known),
        before=after + sum(saved or 0 for _, saved in known),
        after=after,
    )


def _saved_by_version(record: Record, version_ids: set[int]) -> Mapping[int, int]:
    """By version of a bundle that shares with others, by how many tokens that lowers it.

    One that sharing made is compared with what it was made of. Of one that somebody changed since
    there is no other: it lacks what its agent is told to read.
    """
    made_of = list_shared_versions(record)
    numbers = (
        {
            (bundle_id, number): version_id
            for bundle_id, number, version_id in record.sql(
                "SELECT bundle_id, version, version_id FROM bundle_versions"
            )
        }
        if made_of
        else {}
    )
    sharing = {
        version_id
        for (version_id,) in record.sql(
            "SELECT DISTINCT version_id FROM bundle_items WHERE type = 'shared_context'"
        )
    }
    sharing |= {numbers[key] for key in made_of if key in numbers}
    outlines = load_outlines(record, sorted(version_ids & sharing))
    firsts: dict[int, int] = {}
    for version_id, bundle in outlines.items():
        number = bundle.version
        while (bundle.bundle_id, number) in made_of:
            number = made_of[bundle.bundle_id, number]
        first = numbers.get((bundle.bundle_id, number))
        if first is not None and first != version_id:
            firsts[version_id] = first
    before = load_outlines(record, sorted(set(firsts.values())))
    saved = {}
    for version_id, bundle in outlines.items():
        former = before.get(firsts.get(version_id, 0))
        if former is not None:
            saved[version_id] = former.total.tokens - bundle.total.tokens
        elif bundle.shared.tokens:
            saved[version_id] = bundle.shared.tokens
    return saved


def _count(figures: Sequence[Any], n: int) -> Count | None:
    if not n:
        return None
    return stored_count(*figures)
