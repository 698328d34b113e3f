"""The planned agents and saved bundles that can be opened, as rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from orch_tui.screens.widgets.row_list import Column, Row
from orch_tui.screens.widgets.words import format_tokens
from orch_tui.times import ago

if TYPE_CHECKING:
    from orch_tui.compose_context import OpenableBundle

OPENABLE_COLUMNS = (
    Column("agent", 21, bold=True),
    Column("for what"),
    Column("tokens", 7, right=True, gives_way=5),
    Column("items", 5, right=True, gives_way=3),
    Column("used", 4, right=True, gives_way=2),
    Column("made", 6, right=True, gives_way=4),
    Column("bundle", 11, gives_way=1),
)
OPENABLE_WORDS = (0, 1, 6)
"""The columns that words are found in."""
NEW = "new"
"""The key of the row for an empty bundle."""

PLANNED, HERE, ELSEWHERE = (
    "Planned, without a bundle",
    "Of this session",
    "Of other sessions: taken as a new one",
)


def openable_rows(openable: Sequence[OpenableBundle], *, now: str) -> list[Row]:
    """Make the rows in their sections, an empty bundle first; keys are the places in
    ``openable``."""
    rows = [Row(NEW, ("a new bundle", "empty, for any agent", *[""] * 5))]
    by_section: dict[str, list[Row]] = {PLANNED: [], HERE: [], ELSEWHERE: []}
    for number, each in enumerate(openable):
        section = PLANNED if each.saved is None else ELSEWHERE if each.as_new else HERE
        by_section[section].append(Row(str(number), _cells(each, now)))
    for section, found in by_section.items():
        if found:
            rows += [Row("", (section, str(len(found))), section=True), *found]
    return rows


def _cells(each: OpenableBundle, now: str) -> tuple[str, ...]:
    if each.planned is not None:
        return (each.planned.agent_type, each.planned.scope, *[""] * 5)
    line = each.saved
    if line is None:
        return ("",) * len(OPENABLE_COLUMNS)
    named = f"“{line.name}” {line.scope}" if line.name else line.scope
    return (
        line.agent_type,
        named,
        f"~{format_tokens(line.token_count)}",
        str(line.items),
        f"{line.uses}x" if line.uses else "",
        ago(line.created_at, now),
        line.bundle_id,
    )
