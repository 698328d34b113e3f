"""The files that briefings were written to, by which a prompt may name one."""

from __future__ import annotations

import re

from orch_tui.models.database import Record
from orch_tui.paths import relative
from orch_tui.record.ledger import journal

BRIEFING_FILE = "briefing-file"
"""The action in the journal of a briefing that was written to a file."""


def log_briefing_file(record: Record, label: str, path: str) -> None:
    """Journal that the briefing of a deployment was written to a file (an absolute path)."""
    with record.write():
        journal.log_action(record, BRIEFING_FILE, execution_id=label, subject=path)


def list_briefing_files(record: Record, label: str) -> list[str]:
    """The files that the briefing of a deployment was last written to, as far as they still are
    of it: another deployment's may have taken the place."""
    return [
        path
        for (path,) in record.sql(
            "SELECT subject FROM journal AS j WHERE execution_id = ?1 AND action = ?2 "
            "AND NOT EXISTS (SELECT 1 FROM journal AS later WHERE later.action = ?2 "
            "AND later.subject = j.subject AND later.execution_id <> ?1 AND later.seq > j.seq)",
            [label, BRIEFING_FILE],
        )
    ]


def names_file(prompt: str, path: str, project: str) -> bool:
    """Tell whether a text names a file, whole or relative to its project."""
    names = {path, relative(path, project)} if project else {path}
    return any(
        re.search(rf"(?<![\w/.-]){re.escape(name)}(?![\w/-])(?!\.\w)", prompt) for name in names
    )


def names_briefing_file(record: Record, label: str, text: str) -> bool:
    """Tell whether a text names the file with the briefing of a deployment."""
    paths = list_briefing_files(record, label)
    if not paths:
        return False
    project = record.value(
        "SELECT project FROM sessions JOIN agent_executions USING (session_id) "
        "WHERE execution_id = ?",
        [label],
    )
    return any(names_file(text, path, project or "") for path in paths)
