"""What several bundles hold in common.

A subagent starts empty, so three savings are worth different things and never added up: text no
longer sent twice to one agent, text the agent has anyway, and text moved from bundles into one
shared document, which an agent spends again when it reads it. None of them is money.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from math import ceil, floor
from typing import Any

from orch_tui.errors import UsageError
from orch_tui.prepare import blocks
from orch_tui.prepare.ambient import Ambient
from orch_tui.prepare.bundle import Bundle, ContextItem, item_to_dict, rank, without_repeats
from orch_tui.prepare.tokens import ZERO, Count


@dataclass(frozen=True, slots=True)
class Held:
    """An item of a bundle, or a part of it, that the agent has anyway."""

    source: str
    first: int
    """Lines of the item, from 1."""
    last: int
    share: float
    """Of its characters; 1 when it is all of it."""
    count: Count
    by: str
    """The part of the ambient context that says the same."""
    by_first: int
    by_last: int

    @property
    def whole(self) -> bool:
        return self.share == 1


@dataclass(frozen=True, slots=True)
class BundleSharing:
    """What sharing means for one bundle."""

    bundle_id: str
    total: Count
    """Of the bundle as it was given."""
    dropped: Count
    """Items that one bundle held twice."""
    moved: Count
    """Items that stand in the shared document now."""
    ambient: Count | None = None
    """What the agent has anyway; None: not measured."""


@dataclass(frozen=True, slots=True)
class Sharing:
    """The items that several bundles hold, and what moving them out means."""

    items: tuple[ContextItem, ...]
    """The shared document: each ``shared_with`` all the bundles that hold it."""
    bundles: tuple[BundleSharing, ...]

    @property
    def dropped(self) -> Count:
        return sum((bundle.dropped for bundle in self.bundles), ZERO)

    @property
    def moved(self) -> Count:
        """Over all bundles: a text counts once for each bundle it was taken from."""
        return sum((bundle.moved for bundle in self.bundles), ZERO)

    @property
    def document(self) -> Count:
        """The size of the shared document: a text counts once."""
        return sum((item.count for item in self.items), ZERO)


def deduplicate(bundles: Sequence[Bundle]) -> Sharing:
    """The items whose exact bytes stand in several bundles.

    Items without bytes are the same when source and sections are. Free text is not shared, as
    there is no file to point an agent to, nor are empty files. Raises UsageError when two bundles
    have one id.
    """
    ids = [bundle.bundle_id for bundle in bundles]
    if twice := {bundle_id for bundle_id in ids if ids.count(bundle_id) > 1}:
        raise UsageError(
            f"bundle {', '.join(sorted(twice))} is given twice", hint="give each bundle once"
        )
    holders: dict[object, list[tuple[str, ContextItem]]] = {}
    for bundle in bundles:
        firsts: dict[object, ContextItem] = {}
        for item in bundle.items:
            if _can_be_shared(item):
                firsts.setdefault(_identity(item), item)
        for identity, item in firsts.items():
            holders.setdefault(identity, []).append((bundle.bundle_id, item))
    shared = {
        identity: replace(
            held[0][1],
            type="shared_context",
            priority=min((item.priority for _, item in held), key=rank),
            shared_with=tuple(bundle_id for bundle_id, _ in held),
        )
        for identity, held in holders.items()
        if len(held) > 1
    }
    return Sharing(tuple(shared.values()), tuple(_figures(bundle, shared) for bundle in bundles))


def held_anyway(items: Iterable[ContextItem], ambient: Ambient) -> tuple[Held, ...]:
    """What of the items the agent has anyway: all of them, or blocks of six lines or more.

    An item without data is known by its name alone, and then as a whole.
    """
    if not ambient.parts:
        return ()
    numbering, earlier = blocks.Numbering(), blocks.Earlier()
    for part in ambient.parts:
        earlier.add(numbering.read(part.text))
    found: list[Held] = []
    for item in items:
        if item.data is None:
            names = (p.source for p in ambient.parts if not item.sections)
            found += [
                Held(item.source, 1, 0, 1, item.count, name, 1, 0)
                for name in names
                if name == item.source
            ]
            continue
        lines = numbering.read(item.text)
        same = earlier.same(lines)
        if same is not None:
            last, name = lines.numbers[-1], ambient.parts[same].source
            found.append(Held(item.source, 1, last, 1, item.count, name, 1, last))
            continue
        for match in earlier.matches(lines):
            count = part_of(item.count, match.share)
            name = ambient.parts[match.text].source
            found.append(
                Held(
                    item.source,
                    *(match.first, match.last, match.share, count),
                    *(name, match.its_first, match.its_last),
                )
            )
    return tuple(found)


def ambient_to_dict(ambient: Ambient, held: Iterable[Held] = ()) -> dict[str, Any]:
    """The ambient context as JSON, and what of a bundle stands in it."""
    total = ambient.total
    return {
        "total_tokens": total.tokens,
        "band": [total.low, total.high],
        "estimator": total.estimator,
        "parts": [
            {
                "role": part.role,
                "source": part.source,
                "why": part.why,
                "token_count": part.count.tokens,
                "band": [part.count.low, part.count.high],
            }
            for part in ambient.parts
        ],
        "unknown": list(ambient.unknown),
        "problems": list(ambient.problems),
        "already_held": [
            {
                "source": each.source,
                "lines": None if each.whole else [each.first, each.last],
                "token_count": each.count.tokens,
                "by": each.by,
                "by_lines": None if each.whole else [each.by_first, each.by_last],
            }
            for each in held
        ],
    }


def part_of(count: Count, share: float) -> Count:
    """What a share of a text takes; its band is as wide, for its part."""
    return Count(
        round(count.tokens * share),
        count.estimator,
        floor(count.low * share),
        ceil(count.high * share),
    )


def apply(sharing: Sharing, bundles: Iterable[Bundle]) -> list[Bundle]:
    """The bundles with their shared items pointing at the others that hold them.

    A bundle that this changes gets the next version; the others come back as they are.
    """
    shared = {_identity(item): item for item in sharing.items}
    result = []
    for bundle in bundles:
        kept, dropped = without_repeats(bundle.items)
        items = tuple(_pointing(item, shared, bundle.bundle_id) for item in kept)
        if items != bundle.items:
            bundle = replace(
                bundle,
                items=items,
                dropped=(*bundle.dropped, *dropped),
                version=bundle.version + 1,
            )
        result.append(bundle)
    return result


def to_dict(sharing: Sharing) -> dict[str, Any]:
    """The shared document as JSON, with the figures. What was not measured is null."""
    return {
        "shared_items": [item_to_dict(item) for item in sharing.items],
        "bundles": [
            {
                "bundle_id": bundle.bundle_id,
                "total_tokens": bundle.total.tokens,
                "dropped_repeats_tokens": bundle.dropped.tokens,
                "already_ambient_tokens": bundle.ambient and bundle.ambient.tokens,
                "moved_to_shared_tokens": bundle.moved.tokens,
                "estimator": bundle.total.estimator,
            }
            for bundle in sharing.bundles
        ],
        "totals": {
            "dropped_repeats_tokens": sharing.dropped.tokens,
            "already_ambient_tokens": None,
            "moved_to_shared_tokens": sharing.moved.tokens,
            "shared_document_tokens": sharing.document.tokens,
            "estimator": sum((bundle.total for bundle in sharing.bundles), ZERO).estimator,
        },
    }


def _can_be_shared(item: ContextItem) -> bool:
    return item.data != b"" and not item.is_inline


def _identity(item: ContextItem) -> object:
    return item.sha256 or (item.source, item.sections)


def _figures(bundle: Bundle, shared: Iterable[object]) -> BundleSharing:
    kept, repeats = without_repeats(bundle.items)
    moved = [i.count for i in kept if _can_be_shared(i) and _identity(i) in shared]
    return BundleSharing(
        bundle_id=bundle.bundle_id,
        total=bundle.total,
        dropped=sum((item.count for item in (*bundle.dropped, *repeats)), ZERO),
        moved=sum(moved, ZERO),
    )


def _pointing(item: ContextItem, shared: dict[object, ContextItem], bundle_id: str) -> ContextItem:
    found = shared.get(_identity(item))
    if found is None or not _can_be_shared(item):
        return item
    others = tuple(other for other in found.shared_with if other != bundle_id)
    return replace(item, type="shared_context", shared_with=others)
