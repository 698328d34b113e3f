"""Some runs, each whole, to be written to a file."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from orch_tui.models.database import Record
from orch_tui.recall.show import show_execution, shown_to_dict
from orch_tui.recall.timeline import list_steps


def export_runs(record: Record, labels: Iterable[str], root: Path) -> bytes:
    """Give runs as JSONL: a line for each, as ``orch show --format json`` gives it.

    Raises:
        NotFoundError: one of them is not known.
    """
    lines = []
    with record.read():
        for label in labels:
            shown = show_execution(record, label, root)
            steps = list_steps(record, shown.execution.execution_id)
            lines.append(json.dumps(shown_to_dict(shown, steps)))
    return "".join(f"{line}\n" for line in lines).encode()
