"""What of the items of a bundle its agent has elsewhere: in another item, or anyway."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from math import ceil, floor
from typing import Any

from orch_tui.frozen import frozen
from orch_tui.prepare.ambient import Ambient, AmbientPart
from orch_tui.prepare.blocks import Earlier, LineMatch, Numbering, TextLines
from orch_tui.prepare.bundle import Bundle, ContextItem, label_item, without_repeats
from orch_tui.prepare.count import Count
from orch_tui.prepare.trimming import can_be_trimmed, trim_item
from orch_tui.source_name import NamedFile, format_source, parse_source, path_of

WORTH_LEAVING_OUT = 100
"""Tokens of a block from which it is left out: saying where it stands takes some sixty."""


@frozen
class Overlap:
    """Lines of an item that the agent has elsewhere: in another item, or anyway."""

    position: int
    """Of the item among those of the bundle, each once."""
    source: str
    """Its name; of a part of its lines, what `name_lines` calls it."""
    first: int
    """Lines of what ``source`` names, from 1; 0 where only its name is known."""
    last: int
    share: float
    """Of its characters; 1 when it is all of it."""
    count: Count
    by: str
    """The source that says the same."""
    by_first: int
    by_last: int
    ambient: bool
    """The agent has it anyway; otherwise it stands in another item of the bundle."""
    removable: bool
    """It can be left out, and what is left be named."""
    offset: int = 0
    """Lines of the file before those of the item, where ``first`` counts them, too."""

    @property
    def whole(self) -> bool:
        return self.share == 1

    def __str__(self) -> str:
        if self.whole:
            return f"{self.source}: the same as {self.by}"
        return (
            f"{self.source}, lines {self.first}-{self.last}: "
            f"the same as {self.by}, lines {self.by_first}-{self.by_last}"
        )


def name_lines(item: ContextItem, first: int, last: int) -> tuple[str, int, int]:
    """Name lines of an item as they are found again: those of a range by the file and its own
    numbers; those of a heading or a symbol, which move with it, are counted within it."""
    offset = _lines_before(item)
    source = path_of(item.source) if offset is not None else label_item(item)
    return source, first + (offset or 0), last + (offset or 0)


def _lines_before(item: ContextItem) -> int | None:
    """Count the lines of its file before those of an item; None where it is no range of lines."""
    name = parse_source(item.source)
    if isinstance(name, NamedFile) and name.lines and format_source(name) == item.source:
        return name.lines[0] - 1
    return None


def in_ambient(items: Sequence[ContextItem], ambient: Ambient) -> tuple[Overlap, ...]:
    """Lines of the items, each there once, that stand in what the agent has anyway."""
    if not ambient.parts:
        return ()
    bundle = Bundle("", ambient.agent_type, "", tuple(items), "", "")
    view = View(bundle, ambient, Texts())
    return tuple(overlap for overlap in view.overlaps({}) if overlap.ambient)


def ambient_to_dict(ambient: Ambient, held: Iterable[Overlap] = ()) -> dict[str, Any]:
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
        ]
        + [
            {
                "role": part.name,
                "source": f"Claude Code {part.client_version}",
                "why": part.why,
                "token_count": part.count.tokens,
                "band": [part.count.low, part.count.high],
            }
            for part in ambient.handed_and_headings
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


class Texts:
    """The lines of each content, read once."""

    def __init__(self) -> None:
        self._numbering = Numbering()
        self._read: dict[str, TextLines] = {}

    def of(self, content: ContextItem | AmbientPart) -> TextLines:
        sha256 = content.sha256
        if sha256 not in self._read:
            self._read[sha256] = self._numbering.read(content.text)
        return self._read[sha256]


class View:
    """One bundle, its items each once, and what its agent has anyway."""

    def __init__(self, bundle: Bundle, ambient: Ambient, texts: Texts) -> None:
        self.bundle, self.ambient = bundle, ambient
        self.items, self.repeats = without_repeats(bundle.items)
        self._texts = texts
        self.held = dict(self._held()) if ambient.parts else {}
        """The items, by position, that the agent has as a whole, and where."""

    def overlaps(self, holders: Mapping[str, int]) -> list[Overlap]:
        """What stands in the ambient context or in another item: of two, in the one that more
        bundles hold, so that all of them keep the same."""
        return sorted(self._overlaps(holders), key=lambda overlap: overlap.position)

    def _overlaps(self, holders: Mapping[str, int]) -> Iterator[Overlap]:
        earlier = Earlier()
        others: list[ContextItem | AmbientPart] = [*self.ambient.parts]
        for part in self.ambient.parts:
            earlier.add(self._texts.of(part))
        order = sorted(enumerate(self.items), key=lambda pair: -holders.get(pair[1].sha256, 0))
        for position, item in order:
            if position in self.held:
                yield self._whole(position, item, self.held[position])
            elif item.data is not None:
                lines, can = self._texts.of(item), can_be_trimmed(item)
                for match in earlier.matches(lines):
                    yield self._part(position, item, match, others[match.text], can)
                earlier.add(lines)
                others.append(item)

    def without(self, overlaps: Iterable[Overlap]) -> list[ContextItem]:
        """The items without what can be left out, what is left of one counted by its share."""
        cut: dict[int, list[Overlap]] = {}
        for overlap in overlaps:
            if overlap.removable:
                cut.setdefault(overlap.position, []).append(overlap)
        left: list[ContextItem] = []
        for position, item in enumerate(self.items):
            ranges = [(o.first - o.offset, o.last - o.offset) for o in cut.get(position, ())]
            if not ranges:
                left.append(item)
            elif not any(overlap.whole for overlap in cut[position]):
                size = len(item.data or b"") or 1
                left += [
                    replace(part, count=part_of(item.count, len(part.data or b"") / size))
                    for part in trim_item(item, ranges)
                ]
        return left

    def _held(self) -> Iterator[tuple[int, str]]:
        earlier, parts = Earlier(), self.ambient.parts
        for part in parts:
            earlier.add(self._texts.of(part))
        for position, item in enumerate(self.items):
            if item.data is None:
                same = [p.source for p in parts if p.source == item.source and not item.sections]
                if same:
                    yield position, same[0]
                continue
            lines = self._texts.of(item)
            number = earlier.same(lines)
            if number is None:
                matches = list(earlier.matches(lines))
                if sum(match.share for match in matches) > _ALL:
                    number = matches[0].text
            if number is not None:
                yield position, parts[number].source

    def _part(
        self,
        position: int,
        item: ContextItem,
        match: LineMatch,
        other: ContextItem | AmbientPart,
        can: bool,
    ) -> Overlap:
        count = part_of(item.count, match.share)
        whole = match.share == 1
        ours, theirs = (match.first, match.last), (match.its_first, match.its_last)
        source, first, last = (label_item(item), *ours) if whole else name_lines(item, *ours)
        if is_ambient := isinstance(other, AmbientPart):
            by, by_first, by_last = other.source, *theirs
        elif whole:
            by, by_first, by_last = label_item(other), *theirs
        else:
            by, by_first, by_last = name_lines(other, *theirs)
        return Overlap(
            position=position,
            source=source,
            first=first,
            last=last,
            share=match.share,
            count=count,
            by=by,
            by_first=by_first,
            by_last=by_last,
            ambient=is_ambient,
            removable=can and count.tokens >= WORTH_LEAVING_OUT,
            offset=first - match.first,
        )

    def _whole(self, position: int, item: ContextItem, by: str) -> Overlap:
        known = item.data is not None
        last = self._texts.of(item).numbers[-1] if known else 0
        return Overlap(
            position, item.source, int(known), last, 1, item.count, by, 1, 0, True, known
        )


_ALL = 1 - 1e-9
