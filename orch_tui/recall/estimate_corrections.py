"""What runs really took at their start, against what was estimated for them.

The first request of a run holds what orch counted (the bundle, and the ambient context of the
agent) and what it cannot see: the system prompt of Claude Code, its tools, the words around the
items. So what is learned is two figures for each model: tokens besides, which do not depend on the
bundle, and tokens for each estimated one, where the bundles differ enough to tell. They are shown
beside estimates with the number of runs and their spread, and never put into one.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from itertools import combinations
from typing import TYPE_CHECKING, NamedTuple

from orch_tui.frozen import frozen
from orch_tui.models.database import Record
from orch_tui.models.values import MODEL, WHEN

if TYPE_CHECKING:
    from orch_tui.prepare.catalogue import Catalogue
    from orch_tui.prepare.count import Count

ENOUGH = 3
"""Runs from which on something is said."""

APART = 1_000
"""Estimated tokens by which two runs must differ to tell what each token is worth."""

LATEST = 100
"""Runs of a model that tell: habits and versions change, and all their pairs are compared."""

WALKED = 2_000
"""Runs of any model, the latest, among which those of one are looked for: a command must not
cost more in a large record. The index alone is read."""

LOOKED_AT = 10 * LATEST
"""Of those of the model, how many are read until ``LATEST`` are found that tell."""


class Start(NamedTuple):
    """The first request of a run, in tokens."""

    model: str
    estimated: int
    """The bundle and the ambient context."""
    real: int
    """Input, cache write and cache read."""
    execution_id: str = ""
    agent_type: str = ""
    scope: str = ""


@frozen
class Correction:
    """What first requests of a model held, as ``factor * estimated + besides``."""

    model: str
    n: int
    factor: float
    """The median over all pairs of runs that differ enough; 1 where too few do."""
    factor_low: float
    factor_high: float
    """The quartiles of the pairs."""
    besides: int
    """The median of what the factor leaves."""
    besides_low: int
    besides_high: int
    """Its quartiles."""

    def of(self, estimated: int) -> int:
        """What a first request with so many estimated tokens would hold."""
        return round(self.factor * estimated) + self.besides

    def __str__(self) -> str:
        text = f"{self.besides:,} tokens ({self.besides_low:,} to {self.besides_high:,})"
        if (self.factor_low, self.factor_high) != (1, 1):
            text += f" and {self.factor:.2f} ({self.factor_low:.2f} to {self.factor_high:.2f})"
            return f"{text} for each estimated one"
        return f"{text} besides the estimated ones"


STARTS = """
  SELECT coalesce(m.model, resolved_model, e.model) AS model,
    context_token_count + ambient_tokens AS estimated,
    m.input_tokens + m.cache_write_tokens + m.cache_read_tokens AS real,
    e.execution_id, agent_type, scope
  FROM {runs} AS e JOIN usage_messages AS m USING (execution_id)
  WHERE e.retracted_at IS NULL AND estimator LIKE 'claude-%' AND context_token_count > 0
    AND ambient_tokens IS NOT NULL
    AND (e.handed_over_id IS NULL OR e.handed_over_id IS e.briefing_id)
    AND (e.bundle_version_id IS NULL OR (SELECT template_tokens FROM bundle_versions
      WHERE version_id = e.bundle_version_id) IS NOT NULL)
    AND m.input_tokens + m.cache_write_tokens + m.cache_read_tokens
      >= context_token_count + ambient_tokens
    AND m.message_id = (
      SELECT message_id FROM usage_messages AS first
      WHERE first.execution_id = e.execution_id AND message_id NOT LIKE 'result:%'
      ORDER BY first.at IS NULL, first.at, message_id LIMIT 1)
    AND NOT EXISTS (
      SELECT 1 FROM usage_messages AS other
      WHERE other.message_id = m.message_id AND other.execution_id <> m.execution_id)
  ORDER BY e.deployed_at DESC, e.execution_id DESC LIMIT 2000"""
"""The first requests of runs whose bundle was counted in Claude's tokens, the latest first.
``runs`` are the rows of `agent_executions` to look at. A message that several executions claim (a
copied transcript) began one of them, and which is not known.

Like is compared with like. A run is left out that got another text than was counted (a line that
names its briefing, words of one's own), whose items alone were counted, as an earlier orch did, or
whose first request is smaller than what was handed over."""


_CHOSEN = "(SELECT * FROM agent_executions WHERE rowid IN (SELECT value FROM json_each(?)))"


def learn_corrections(
    starts: Iterable[Start], canonical: Callable[[str], str] = lambda name: name
) -> tuple[Correction, ...]:
    """What is learned for each model that has enough runs; ``starts`` come the latest first.
    ``canonical`` gives the one name of a model that goes by several."""
    by_model: dict[str, list[Start]] = {}
    for start in starts:
        by_model.setdefault(canonical(start.model), []).append(start)
    return tuple(
        _fitted(model, some[:LATEST])
        for model, some in sorted(by_model.items())
        if len(some) >= ENOUGH
    )


def find_correction(record: Record, catalogue: Catalogue, model: str) -> Correction | None:
    """What is known of one model, under whatever name; None: too little."""
    wanted = catalogue.model(model).model_id
    canonical = cache(lambda name: catalogue.model_that_ran(str(name)).model_id)
    latest = record.sql(
        f"SELECT rowid, {MODEL} FROM agent_executions "
        f"WHERE retracted_at IS NULL ORDER BY {WHEN} DESC LIMIT ?",
        [WALKED],
    )
    of_model = [rowid for rowid, name in latest if name is None or canonical(name) == wanted]
    starts: list[Start] = []
    for first in range(0, min(len(of_model), LOOKED_AT), LATEST):
        some = json.dumps(of_model[first : first + LATEST])
        rows = record.sql(STARTS.format(runs=_CHOSEN), [some])
        starts += [Start(*row) for row in rows if row[0] and canonical(row[0]) == wanted]
        if len(starts) >= LATEST:
            break
    return next(iter(learn_corrections(starts, canonical)), None)


def describe_correction(correction: Correction, estimated: Count | None = None) -> str:
    """In words, for people who are looking at an estimate: never put into it."""
    text = f"learned, not counted in: {correction.n} runs of {correction.model} began with"
    if estimated is None:
        return f"{text} {correction}"
    return f"{text} {correction}; this one would with {correction.of(estimated.tokens):,}"


def _fitted(model: str, starts: Sequence[Start]) -> Correction:
    """Medians throughout: one run that went another way changes little."""
    slopes = [
        (one.real - other.real) / (one.estimated - other.estimated)
        for one, other in combinations(starts, 2)
        if abs(one.estimated - other.estimated) >= APART
    ]
    low, factor, high = _quartiles(slopes) if len(slopes) >= ENOUGH else (1.0, 1.0, 1.0)
    rest = _quartiles([start.real - factor * start.estimated for start in starts])
    fewest, besides, most = map(round, rest)
    return Correction(model, len(starts), factor, low, high, besides, fewest, most)


def _quartiles(values: Sequence[float]) -> tuple[float, float, float]:
    """As `statistics.quantiles` has it with ``method="inclusive"`` (a test compares them), which
    costs a command half a bare start-up: it brings fractions, decimal and random."""
    ordered = sorted(values)

    def quartile(number: int) -> float:
        place, beyond = divmod(number * (len(ordered) - 1), 4)
        above = ordered[min(place + 1, len(ordered) - 1)]
        return (ordered[place] * (4 - beyond) + above * beyond) / 4

    return quartile(1), quartile(2), quartile(3)
