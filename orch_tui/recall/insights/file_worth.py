"""Files beside the bundles of an agent type: given, read, or needed and not given."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from functools import cache
from typing import Literal

from orch_tui.frozen import frozen
from orch_tui.recall.insights.group_outcomes import INCLUDED, NUMBERED_RUNS, ChosenRuns
from orch_tui.record.ledger.file_use import GIVEN_FILES, NEEDED, FileUse, split_given

Part = Literal["whole", "part", ""]
"""How much of a file was given."""
_Key = tuple[str, str]
"""Agent type and path."""


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
    known = {
        agent_type: set(runs.split(","))
        for agent_type, runs in of.rows(
            "SELECT agent_type, group_concat(run) FROM chosen WHERE EXISTS (SELECT 1 FROM "
            "execution_files AS f WHERE f.execution_id = chosen.execution_id) GROUP BY 1",
            NUMBERED_RUNS,
        )
    }
    if not known:
        return ()
    given = _read_given(of, known)
    touched: defaultdict[_Key, set[str]] = defaultdict(set)
    counts: defaultdict[_Key, list[int]] = defaultdict(lambda: [0, 0, 0])
    for agent_type, path, is_read, is_needed, text in of.rows(
        f"SELECT agent_type, path, read_at IS NOT NULL AS is_read, {NEEDED} AS is_needed, "
        "group_concat(run) FROM chosen CROSS JOIN execution_files USING (execution_id) "
        "GROUP BY 1, 2, 3, 4",
        NUMBERED_RUNS,
    ):
        key, runs = (agent_type, path), set(text.split(","))
        touched[key] |= runs
        for part, had in given[key].split(runs).items():
            _add(counts[key], len(had), _judge(part, is_read, is_needed))
    for key, had_it in given.items():
        for part, had in had_it.split(had_it.any - touched[key]).items():
            _add(counts[key], len(had), _judge(part, False, False))
    found = (
        FileWorth(
            agent_type,
            path,
            n=len(known[agent_type]),
            not_given=not_given,
            read_again=read_again,
            unread=unread,
        )
        for (agent_type, path), (not_given, read_again, unread) in counts.items()
    )
    telling = [file for file in found if file.not_given or file.read_again or file.unread]
    telling.sort(key=lambda f: (-f.not_given, -f.read_again, -f.unread, f.agent_type, f.path))
    return tuple(telling[:_MOST_FILES])


class _Given:
    """The runs that were given a file, as a whole or not."""

    __slots__ = ("any", "whole")

    def __init__(self) -> None:
        self.any: set[str] = set()
        self.whole: set[str] = set()

    def split(self, runs: set[str]) -> dict[Part, set[str]]:
        """Split runs by how much of the file they were given."""
        rest = runs - self.whole
        return {"whole": runs & self.whole, "part": rest & self.any, "": rest - self.any}


def _read_given(of: ChosenRuns, known: Mapping[str, set[str]]) -> defaultdict[_Key, _Given]:
    """Read which files were given to the runs whose files are known."""
    given: defaultdict[_Key, _Given] = defaultdict(_Given)
    for agent_type, source, sections, text in of.rows(
        "SELECT agent_type, context_source, sections, group_concat(run) "
        "FROM chosen CROSS JOIN context_allocations USING (execution_id) "
        f"WHERE {INCLUDED} AND {GIVEN_FILES} GROUP BY 1, 2, 3",
        NUMBERED_RUNS,
    ):
        path, part = split_given(source, sections)
        runs = known.get(agent_type, set()).intersection(text.split(","))
        if path and runs:
            of_path = given[agent_type, path]
            of_path.any |= runs
            if part == "whole":
                of_path.whole |= runs
    return given


@cache
def _judge(part: Part, is_read: bool, is_needed: bool) -> tuple[bool, bool, bool]:
    """Tell whether a file was missing, read again, and given for nothing."""
    written_at = None if is_needed or not is_read else ""  # before all reading
    use = FileUse("", part, "read" if is_read else None, written_at)
    return use.is_missed, use.is_read_again, use.given == "whole" and use.read_at is None


def _add(counts: list[int], n: int, told: tuple[bool, bool, bool]) -> None:
    for place, is_so in enumerate(told):
        counts[place] += n * is_so
