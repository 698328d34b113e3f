"""What was learned of what agents are handed, by the family of the tokenizer."""

from __future__ import annotations

from orch_tui.models.database import Record
from orch_tui.prepare.count import FAMILIES, estimate_name
from orch_tui.prepare.handed_parts import HandedFigure
from orch_tui.record.learned_figures import read_learned_figures


def test_figures_are_those_of_the_family(record: Record) -> None:
    one, other = FAMILIES[:2]
    assert read_learned_figures(record, one) == []
    with record.write():
        record.executemany(
            "INSERT INTO ambient_learned (agent_type, entrypoint, client_version, part, estimator, "
            "tokens, sha256) VALUES ('Explore', 'cli', '2.1.332', ?, ?, ?, zeroblob(32))",
            [
                ("notes", estimate_name(one), 7),
                ("tools", estimate_name(one), 0),
                ("notes", estimate_name(other), 9),
            ],
        )
    assert read_learned_figures(record, one) == [
        HandedFigure("Explore", "cli", "2.1.332", "notes", 7),
        HandedFigure("Explore", "cli", "2.1.332", "tools", 0),
    ]
    assert [figure.tokens for figure in read_learned_figures(record, other)] == [9]
