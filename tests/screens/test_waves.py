"""The waves of a plan, drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest
from rich.cells import cell_len

from orch_tui.record.plan import sort_into_waves
from orch_tui.screens.plan.waves import draw_waves


def drawn(waits: Mapping[int, Sequence[int]], width: int = 60, most: int = 6) -> list[str]:
    names = {number: ("planned", f"agent-{number}") for number in waits}
    waves, _ = sort_into_waves(waits)
    lines = draw_waves(waves, waits, names, width, most)
    return ["".join(text for _, text in spans).rstrip() for spans in lines]


def test_arrows_lead_from_each_to_those_that_wait_for_it() -> None:
    assert drawn({1: [], 2: [], 3: [1, 2], 4: [1, 2], 5: [3]}) == [
        "wave 1              wave 2              wave 3",
        "○ agent-1 ──┬─────→ ○ agent-3 ────────→ ○ agent-5",
        "○ agent-2 ──┴─────→ ○ agent-4",
    ]


def test_what_has_no_room_is_counted() -> None:
    many: dict[int, list[int]] = {n: [] for n in range(1, 30)} | {30: [1]}
    lines = drawn(many, most=5)
    assert len(lines) == 5 and "+ 26 more" in lines[-1]
    chain = {n: [n - 1] if n > 1 else [] for n in range(1, 12)}
    assert any("of 11" in line for line in drawn(chain))


def test_agents_that_wait_for_each_other_are_told() -> None:
    assert drawn({1: [], 2: [3], 3: [2]})[-1] == "! 2, 3 wait for each other and never start"


@pytest.mark.parametrize("width", [40, 56, 76, 116])
@pytest.mark.parametrize("most", [3, 5, 6])
def test_no_line_is_wider_than_its_room(width: int, most: int) -> None:
    waits: dict[int, list[int]] = {
        n: [m for m in range(1, n) if (n * 7 + m * 3) % 4 == 0] for n in range(1, 14)
    }
    lines = drawn(waits, width, most)
    assert len(lines) <= most and all(cell_len(line) <= width for line in lines)


def test_arrows_are_drawn_shorter_before_names_are_cut() -> None:
    waits = {1: [], 2: [], 3: [1, 2], 4: [3]}
    assert drawn(waits, width=39) == [
        "wave 1         wave 2         wave 3",
        "○ agent-1 ──┬→ ○ agent-3 ───→ ○ agent-4",
        "○ agent-2 ──┘",
    ]
