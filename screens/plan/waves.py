"""The waves of a plan as a small graph: who runs beside whom, and who waits for whom."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise, permutations

from rich.cells import cell_len

from orch_tui.screens.theme import SIGNS
from orch_tui.screens.widgets.line_list import fit_text
from orch_tui.screens.widgets.told_lines import Spans

UP, DOWN, LEFT, RIGHT = 1, 2, 4, 8
_GLYPHS = {
    **{0: " ", UP: "│", DOWN: "│", LEFT: "─", RIGHT: "─", UP | DOWN: "│", LEFT | RIGHT: "─"},
    **{UP | LEFT: "┘", UP | RIGHT: "└", DOWN | LEFT: "┐", DOWN | RIGHT: "┌"},
    **{UP | DOWN | LEFT: "┤", UP | DOWN | RIGHT: "├"},
    **{UP | LEFT | RIGHT: "┴", DOWN | LEFT | RIGHT: "┬", UP | DOWN | LEFT | RIGHT: "┼"},
}
LEAST_NAME = 8
MOST_LANES = 4
"""Groups of agents that wait for the same ones, between two waves; with more the lines would cross
too often to be read."""

Edges = Sequence[tuple[int, int]]
"""From a line of one wave to a line of the next."""


def draw_waves(
    waves: Sequence[Sequence[int]],
    waits: Mapping[int, Sequence[int]],
    names: Mapping[int, tuple[str, str]],
    width: int,
    most: int,
) -> list[Spans]:
    """Draw waves of numbers side by side, with arrows from each to those that wait for it.

    ``names`` are states and names by number; ``most`` is how many lines there are: those of a wave
    that do not fit are counted, and so are waves. What waits for somebody two waves before is
    among those that wait for the wave between.
    """
    stuck = sorted(set(waits) - {number for wave in waves for number in wave})
    tail: list[Spans] = []
    if stuck:
        told = ", ".join(map(str, stuck))
        tail = [[("doubt", f"{SIGNS['doubt']} {told} wait for each other and never start")]]
    room = most - 1 - len(tail)
    if not waves or room < 1:
        return tail
    if len(waves) == 1:
        return [[("dim", "all side by side")], *_flow(waves[0], names, width, room), *tail]
    columns = [_make_column(wave, names, room) for wave in waves]
    joined = [_edges(*pair, waits, room) for pair in pairwise(waves)]
    lanes = max(len(_group_targets(edges)) for edges in joined)
    shown, widths, gutter_width = _fit(columns, width, LEAST_GUTTER + min(lanes, MOST_LANES))
    height = max(len(column) for column in columns[:shown])
    lines: list[list[tuple[str, str]]] = [[] for _ in range(height + 1)]
    for at in range(shown):
        column, cells = columns[at], widths[at]
        heading = f"wave {at + 1}"
        if at == shown - 1 and shown < len(columns):
            heading += f" of {len(columns)}"
        lines[0].append(("dim", fit_text(heading, cells)))
        for y in range(height):
            state, name = column[y] if y < len(column) else ("", "")
            if name and state:
                lines[y + 1] += [
                    (state, f"{SIGNS.get(state, ' ')} "),
                    ("", fit_text(name, cells - 2)),
                ]
            else:
                lines[y + 1].append(("dim", fit_text(name, cells)))
        if at + 1 < shown:
            gutter = _draw_gutter(joined[at], height, gutter_width)
            lines[0].append(("", " " * (gutter_width + 2)))
            for y in range(height):
                lines[y + 1].append(("dim", f" {gutter[y]} "))
    return [*lines, *tail]


GUTTER, LEAST_GUTTER = 9, 3
"""Cells between two waves, without the blanks beside them; and the fewest, but for a cell for each
upright."""


def _make_column(
    wave: Sequence[int], names: Mapping[int, tuple[str, str]], room: int
) -> list[tuple[str, str]]:
    """Return states and names of a wave in so many lines; those that do not fit are counted."""
    if len(wave) <= room:
        return [names[number] for number in wave]
    kept = wave[: room - 1]
    return [*(names[number] for number in kept), ("", f"+ {len(wave) - len(kept)} more")]


def _flow(
    wave: Sequence[int], names: Mapping[int, tuple[str, str]], width: int, room: int
) -> list[Spans]:
    lines: list[list[tuple[str, str]]] = [[]]
    at = 0
    for count, number in enumerate(wave):
        state, name = names[number]
        cells = cell_len(name) + 5
        left = len(wave) - count
        if at and at + cells > width - (14 if len(lines) == room else 0):
            if len(lines) == room:
                lines[-1].append(("dim", f"+ {left} more"))
                break
            lines.append([])
            at = 0
        lines[-1] += [(state, f"{SIGNS.get(state, ' ')} "), ("", f"{name}   ")]
        at += cells
    return list(lines)


def _fit(
    columns: Sequence[Sequence[tuple[str, str]]], width: int, least: int
) -> tuple[int, list[int], int]:
    """Return how many waves fit, their widths, and the cells between two: arrows are drawn shorter
    down to the ``least`` before names are cut, and names are cut before a wave is left out."""
    wished = [max(7, *(cell_len(name) + 2 for _, name in column)) for column in columns]
    for shown in range(len(columns), 0, -1):
        widths = wished[:shown]
        if shown < len(columns):
            widths[-1] = max(widths[-1], len(f"wave {shown} of {len(columns)}"))
        gutter = GUTTER
        while gutter > least and sum(widths) + (shown - 1) * (gutter + 2) > width:
            gutter -= 1
        room = width - (shown - 1) * (gutter + 2)
        while sum(widths) > room and max(widths) > LEAST_NAME + 2:
            widths[widths.index(max(widths))] -= 1
        if sum(widths) <= room:
            return shown, widths, gutter
    return 1, [width], GUTTER


def _edges(
    wave: Sequence[int], following: Sequence[int], waits: Mapping[int, Sequence[int]], room: int
) -> list[tuple[int, int]]:
    """Return the lines that are joined; what is counted has the last line of its wave."""
    place = {
        number: min(at, room - 1) if len(numbers) > room else at
        for numbers in (wave, following)
        for at, number in enumerate(numbers)
    }
    return sorted(
        {
            (place[other], place[number])
            for number in following
            for other in waits.get(number, ())
            if other in wave
        }
    )


def _draw_gutter(edges: Edges, height: int, width: int) -> list[str]:
    """Draw arrows between two waves: one upright for each group that waits for the same ones.

    Where they cannot be drawn without one seeming to be another, a mark stands in their place.
    """
    groups = _group_targets(edges)
    if len(groups) <= MOST_LANES:
        for order in permutations(groups.items()):
            drawn = _draw_lanes(order, height, width)
            if drawn:
                return drawn
    targets = {target for _, target in edges}
    return [("·" if y in targets else " ").rjust(width) for y in range(height)]


def _group_targets(edges: Edges) -> dict[frozenset[int], list[int]]:
    """Group lines that are led to by the same ones, by these."""
    sources: dict[int, set[int]] = {}
    for source, target in edges:
        sources.setdefault(target, set()).add(source)
    groups: dict[frozenset[int], list[int]] = {}
    for target, of in sources.items():
        groups.setdefault(frozenset(of), []).append(target)
    return groups


def _draw_lanes(
    lanes: Sequence[tuple[frozenset[int], list[int]]], height: int, width: int
) -> list[str]:
    """Draw uprights from left to right; nothing where two of them would run into each other."""
    cells: dict[tuple[int, int], int] = {}
    owners: dict[tuple[int, int], set[int]] = {}
    """The sources whose lines go through a cell lengthwise."""
    step = max(1, (width - 3) // max(1, len(lanes)))
    bridged: set[tuple[int, int]] = set()

    def run(y: int, start: int, end: int, of: frozenset[int]) -> bool:
        """Draw a line lengthwise, from the middle of one cell to the middle of another."""
        for x in range(start, end + 1):
            held = owners.setdefault((x, y), set())
            if held and held != of:
                return False
            held |= of
            mask = (LEFT if x > start or start == 0 else 0) | (RIGHT if x < end else 0)
            cells[x, y] = cells.get((x, y), 0) | mask
        return True

    uprights: list[tuple[int, int, int, frozenset[int]]] = []
    for number, (of, targets) in enumerate(lanes):
        x = 2 + number * step
        top, bottom = min(*of, *targets), max(*of, *targets)
        uprights.append((x, top, bottom, of))
        for source in of:
            if not run(source, 0, x, frozenset({source})):
                return []
        for target in targets:
            for at in range(x, width):
                held = owners.setdefault((at, target), set())
                if at > x and held:
                    return []
                held |= of
                mask = (LEFT if at > x else 0) | (RIGHT if at < width - 1 else 0)
                cells[at, target] = cells.get((at, target), 0) | mask
    for x, top, bottom, of in uprights:
        for y in range(top, bottom + 1):
            mask = (UP if y > top else 0) | (DOWN if y < bottom else 0)
            through = cells.get((x, y), 0)
            if through and not owners.get((x, y), set()) & of:
                bridged.add((x, y))
            cells[x, y] = through | mask
    lines = []
    for y in range(height):
        glyphs = ["│" if (x, y) in bridged else _GLYPHS[cells.get((x, y), 0)] for x in range(width)]
        if any(y in targets for _, targets in lanes):
            glyphs[-1] = "→"
        lines.append("".join(glyphs))
    return lines
