"""What was learned of what Claude Code hands agents besides files."""

from __future__ import annotations

from orch_tui.models.database import Record
from orch_tui.prepare.count import estimate_name
from orch_tui.prepare.handed_parts import HandedFigure


def read_learned_figures(record: Record, family: str) -> list[HandedFigure]:
    """Read what transcripts of this record taught, in tokens of a tokenizer family."""
    rows = record.sql(
        "SELECT agent_type, entrypoint, client_version, part, tokens FROM ambient_learned "
        "WHERE estimator = ?",
        [estimate_name(family)],
    )
    return [HandedFigure(*row) for row in rows]
