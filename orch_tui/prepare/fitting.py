"""Making a bundle fit: what to leave out or cut, in which order, and a receipt of it.

Optional items go first, then recommended ones, required ones never. Within a priority long items
are cut to the parts that were chosen for this or to their skeleton, the largest saving first; where
that is not enough, they are left out, the largest first. What fits again in the room that remains
comes back. It is the rendered briefing that has to fit, template included, by the upper end of
every band. What an agent is only told to read takes nothing.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from orch_tui.errors import OverBudgetError, SourceError, UsageError
from orch_tui.frozen import frozen
from orch_tui.prepare.briefing_size import measure_briefing
from orch_tui.prepare.budget import sum_by_priority
from orch_tui.prepare.bundle import Bundle, ContextItem, count_context, rank_priority
from orch_tui.prepare.count import ZERO, Count, CountCache
from orch_tui.prepare.outline import SKELETON, is_markdown, may_have_parts
from orch_tui.prepare.source_parts import cut_parts

_WORTH_CUTTING = 0.7
"""Of its tokens: a cut that keeps more than this is none."""


_TRIES = 3
"""Times that items are chosen for what the briefing around them may take; then only the required
ones stay, and of the others what fits."""


@frozen
class ItemChange:
    """What was done to one item so that the rest fits."""

    before: ContextItem
    after: ContextItem | None
    """Cut; None: left out."""

    @property
    def saved(self) -> int:
        """Tokens that it takes less."""
        return self.before.count.tokens - (self.after.count.tokens if self.after else 0)

    def __str__(self) -> str:
        """As advice: ``cut lib/a.py to its skeleton (optional, ~12,300 ±9 % -> ~900 ±12 %)``."""
        item = self.before
        name = "#".join((item.source, *item.sections))
        if self.after is None:
            return f"leave out {name} ({item.priority}, {item.count})"
        kept = [part for part in self.after.sections if part not in item.sections]
        to = "its skeleton" if kept == [SKELETON] else "; ".join(kept)
        return f"cut {name} to {to} ({item.priority}, {item.count} -> {self.after.count})"

    def to_dict(self) -> dict[str, Any]:
        """Give the change as JSON."""
        return {
            "source": self.before.source,
            "sections": list(self.before.sections),
            "priority": self.before.priority,
            "action": "cut" if self.after else "left out",
            "kept_sections": list(self.after.sections) if self.after else [],
            "token_count": self.before.count.tokens,
            "kept_tokens": self.after.count.tokens if self.after else 0,
        }


@frozen
class Fitted:
    """A bundle that fits, and the receipt of what that took."""

    bundle: Bundle
    limit: int
    before: Count
    """Tokens of the rendered briefing with everything in it."""
    after: Count
    changes: tuple[ItemChange, ...]
    """Optional items first, then recommended ones, the largest saving first."""
    of: str = ""
    """Whose limit it is; empty: it was asked for."""

    def __str__(self) -> str:
        limit = _render_limit(self.limit, self.of)
        if not self.changes:
            return f"the briefing fits: {self.after} of {limit}"
        return (
            f"the briefing took {self.before} of {limit}, "
            f"{self.before.high - self.limit:,} too many at most; now it takes {self.after}"
        )

    def to_dict(self) -> dict[str, Any]:
        """Give the receipt as JSON."""
        return {
            "limit": self.limit,
            "limit_of": self.of,
            "before": {"tokens": self.before.tokens, "band": [self.before.low, self.before.high]},
            "after": {"tokens": self.after.tokens, "band": [self.after.low, self.after.high]},
            "changes": [change.to_dict() for change in self.changes],
        }


def fit_briefing(
    bundle: Bundle,
    limit: int,
    *,
    family: str,
    keep: Mapping[str, Sequence[str]] | None = None,
    cache: CountCache | None = None,
    of: str = "",
) -> Fitted:
    """Leave out or cut items of a bundle until its briefing fits into ``limit`` tokens.

    ``keep`` chooses, by source, the sections or symbols that a file is cut to instead of its
    skeleton; ``of`` says in the receipt whose limit it is. The order is that of the module. A
    bundle that fits keeps all it holds.

    Raises:
        OverBudgetError: the required items alone are over, with the figures and the largest.
        UsageError: a source to keep is no item.
        SourceError: a part to keep is not in its file.
    """
    sources = [item.source for item in bundle.items]
    for source in keep or ():
        if source not in sources:
            raise UsageError(
                f"{source} is not in the bundle: no part of it can be kept",
                hint=f"one of {', '.join(sources)}" if sources else "",
            )
    needed = sum_by_priority(bundle.items)["required"]
    if needed.high > limit:  # without what is around them, and nothing has to be rendered
        raise _make_over_limit_error(bundle, needed, limit, of)
    scale = BriefingScale(bundle, family)
    whole = scale.measure(bundle.items)
    before = whole.total
    if before.high <= limit:
        return Fitted(whole, limit, before, before, (), of)

    @functools.cache  # it parses the file and counts what is left, some 6 ms; most are not needed
    def shorten(place: int) -> ContextItem | None:
        item = bundle.items[place]
        names = (keep or {}).get(item.source, ())
        return _shorten_item(item, names, family=family, cache=cache)

    chosen = [item if item.priority == "required" else None for item in bundle.items]
    required = scale.weigh(chosen)
    if required.high > limit:
        raise _make_over_limit_error(bundle, required, limit, of)
    weight, fewer = before, list[ContextItem | None](bundle.items)
    for _ in range(_TRIES):
        # What stands around the items is known when they are chosen: the name of a part is longer
        # than that of the file, and a template may say more of less.
        room = limit - _count_overhead(weight, fewer)
        fewer = _reduce_items(bundle.items, shorten, room)
        weight = scale.weigh(fewer)
        if weight.high <= limit:
            chosen = fewer
            break
    chosen = _restore_items(bundle.items, shorten, chosen, scale, limit)
    changes = [
        ItemChange(item, kept)
        for item, kept in zip(bundle.items, chosen, strict=True)
        if kept is not item
    ]
    fitted = scale.measure(chosen)
    return Fitted(
        fitted,
        limit,
        before,
        fitted.total,
        tuple(sorted(changes, key=lambda c: (-rank_priority(c.before.priority), -c.saved))),
        of,
    )


KeptItems = list[ContextItem | None]
"""By the place of an item: what of it is in; None: nothing."""


@frozen
class BriefingScale:
    """Weigh the briefing of a bundle, with its items or others in it, as bundles are weighed."""

    bundle: Bundle
    family: str

    def weigh(self, chosen: Sequence[ContextItem | None]) -> Count:
        """Count the tokens of the briefing with these items in it."""
        return self.measure(chosen).total

    def measure(self, chosen: Sequence[ContextItem | None]) -> Bundle:
        """Make the bundle with these items in it."""
        items = tuple(item for item in chosen if item)
        return measure_briefing(replace(self.bundle, items=items), self.family)


Shortener = Callable[[int], ContextItem | None]
"""Gives the shorter form of the item at a place; None: there is none worth it."""


def _shorten_item(
    item: ContextItem, names: Sequence[str], *, family: str, cache: CountCache | None
) -> ContextItem | None:
    """Cut an item to the parts of these names, else to its skeleton; None: not worth it.

    Raises:
        SourceError: a name is not in the file.
    """
    if item.data is None or item.is_inline or SKELETON in item.sections:
        return None
    # A part of code cannot be read by itself as it is within the whole.
    if not (is_markdown if item.sections else may_have_parts)(item.source):
        return None
    wanted = names or (SKELETON,)
    try:
        data = cut_parts(item.data, item.source, wanted, source=item.source)
    except SourceError:
        if names and not item.sections:
            raise
        return None
    shorter = replace(item, sections=(*item.sections, *wanted), data=data, sha256="", count=ZERO)
    (shorter,) = count_context([shorter], family=family, cache=cache)
    return shorter if shorter.count.high < _WORTH_CUTTING * item.count.high else None


def _reduce_items(items: Sequence[ContextItem], shorten: Shortener, room: int) -> KeptItems:
    """Cut and leave out items until they take at most ``room`` tokens by themselves.

    Required ones stay in any case.
    """
    # Greedy, the largest first: what goes needlessly comes back in _restore_items. The best choice
    # would be a knapsack with three forms an item. Tried on 24 bundles of 24 files each, it had
    # only 0.7 % of the limit to win (median; 4 % at most), and nobody can foresee what it takes.
    chosen: KeptItems = list(items)
    excess = sum(map(_upper_end, items)) - room
    for priority in ("optional", "recommended"):
        places = [n for n, item in enumerate(items) if item.priority == priority]
        cuts = [(n, shorter) for n in places if excess > 0 and (shorter := shorten(n))]
        cuts.sort(key=lambda each: each[1].count.high - items[each[0]].count.high)
        for place, shorter in cuts:
            if excess > 0:
                excess -= items[place].count.high - shorter.count.high
                chosen[place] = shorter
        for place in sorted(places, key=lambda n: -_upper_end(chosen[n])):
            if excess > 0:
                excess -= _upper_end(chosen[place])
                chosen[place] = None
    return chosen


def _restore_items(
    items: Sequence[ContextItem],
    shorten: Shortener,
    chosen: KeptItems,
    scale: BriefingScale,
    limit: int,
) -> KeptItems:
    """Put back what fits again, recommended items first, each as whole as it does."""
    # The counts are added up first: to render a briefing and weigh it takes some 15 ms, and most
    # items are far too large for the room that is left.
    taken = scale.weigh(chosen).high
    for priority in ("recommended", "optional"):
        for place, (item, now) in enumerate(zip(items, chosen, strict=True)):
            if item.priority != priority or now is item:
                continue
            for form in (item, None if now else shorten(place)):
                if form is None or taken - _upper_end(now) + form.count.high > limit:
                    continue
                more = [*chosen[:place], form, *chosen[place + 1 :]]
                weight = scale.weigh(more).high
                if weight <= limit:
                    chosen, taken = more, weight
                    break
    return chosen


def _count_overhead(briefing: Count, chosen: KeptItems) -> int:
    """Count the tokens of a briefing around its items."""
    return briefing.high - sum(map(_upper_end, chosen))


def _upper_end(item: ContextItem | None) -> int:
    return item.count.high if item and not item.is_pointed_to else 0


def _render_limit(limit: int, of: str) -> str:
    return f"{limit:,} tokens ({of})" if of else f"{limit:,} tokens"


def _make_over_limit_error(bundle: Bundle, required: Count, limit: int, of: str) -> OverBudgetError:
    items = [item for item in bundle.items if item.priority == "required"]
    largest = sorted(items, key=lambda item: -item.count.high)[:3]
    names = ", ".join(f"{item.source} ({item.count})" for item in largest)
    return OverBudgetError(
        f"the required items alone take {required} of {_render_limit(limit, of)}, "
        f"up to {required.high - limit:,} too many",
        hint=f"the largest: {names}; give parts of them, or make them recommended"
        if names
        else "the template takes all of it: choose a shorter one, or a larger limit",
    )
