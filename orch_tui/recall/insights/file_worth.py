"""Files beside the bundles of an agent type: given, read, or needed and not given."""

from __future__ import annotations

from orch_tui.frozen import frozen
from orch_tui.recall.insights.group_outcomes import INCLUDED, ChosenRuns
from orch_tui.record.ledger.file_use import GIVEN_FILES, FileUse, compare_file_use


@frozen
class FileWorth:
    """One file beside the bundles of one agent type: was it given, was it read?

    Over the executions whose files are known (from transcripts).
    """

    agent_type: str
    path: str
    n: int
    """Executions of the agent type whose files are known."""
    not_given: int
    """Read, and not given: those that needed it."""
    read_again: int
    """Read although it was given as a whole."""
    unread: int
    """Given as a whole and not read from disk: what a bundle is for."""


_MOST_FILES = 200
"""Of files that were read once there is no end."""


def weigh_files(of: ChosenRuns) -> tuple[FileWorth, ...]:
    """Files that were read, given, or both, by agent type."""
    known: dict[str, set[str]] = {}
    uses: dict[tuple[str, str], list[FileUse]] = {}
    touched: dict[str, dict[str, tuple[str | None, str | None]]] = {}
    given: dict[str, list[tuple[str, str | None]]] = {}
    for agent_type, execution_id, path, read_at, written_at in of.rows(
        "SELECT agent_type, execution_id, path, read_at, written_at "
        "FROM chosen CROSS JOIN execution_files USING (execution_id)"
    ):
        known.setdefault(agent_type, set()).add(execution_id)
        touched.setdefault(execution_id, {})[path] = (read_at, written_at)
    for execution_id, source, sections in of.rows(
        "SELECT execution_id, context_source, sections "
        "FROM chosen CROSS JOIN context_allocations USING (execution_id) "
        f"WHERE {INCLUDED} AND {GIVEN_FILES} "
        "AND EXISTS (SELECT 1 FROM execution_files AS f WHERE f.execution_id = chosen.execution_id)"
    ):
        given.setdefault(execution_id, []).append((source, sections))
    for agent_type, ids in known.items():
        for execution_id in ids:
            for use in compare_file_use(given.get(execution_id, ()), touched[execution_id]):
                uses.setdefault((agent_type, use.path), []).append(use)
    found = (
        FileWorth(
            agent_type,
            path,
            n=len(known[agent_type]),
            not_given=sum(use.is_missed for use in each),
            read_again=sum(use.is_read_again for use in each),
            unread=sum(use.given == "whole" and use.read_at is None for use in each),
        )
        for (agent_type, path), each in uses.items()
    )
    telling = [file for file in found if file.not_given or file.read_again or file.unread]
    telling.sort(key=lambda f: (-f.not_given, -f.read_again, -f.unread, f.agent_type, f.path))
    return tuple(telling[:_MOST_FILES])
