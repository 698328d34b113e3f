"""What runs that succeeded were given or read themselves: what the next of their kind may need."""

from __future__ import annotations

from collections import defaultdict

from orch_tui.frozen import frozen
from orch_tui.models.values import listed_names
from orch_tui.prepare.sources import is_outside
from orch_tui.recall.insights.group_outcomes import INCLUDED, NUMBERED_RUNS, ChosenRuns
from orch_tui.record.ledger.file_use import NEEDED
from orch_tui.source_name import path_of


@frozen
class EarlierSource:
    """One source beside the runs of an agent type that succeeded."""

    agent_type: str
    source: str
    """A file of the project, or lines of one."""
    sections: tuple[str, ...]
    n: int
    """Runs of the agent type that succeeded."""
    given: int
    """Those of them that were given it."""
    n_known: int
    """Those of them whose files are known (from transcripts)."""
    read: int
    """Those of these that read it, before they wrote it themselves if they did."""
    used: int
    """Those that were given it or read it."""
    token_count: int | None
    """What it took when it was given last; None: it was only read."""


MOST_SOURCES = 200
"""Of an agent type: of files that were read once there is no end."""

_Key = tuple[str, str, tuple[str, ...]]
"""Agent type, source and sections."""


class _Tally:
    """The runs that had one source."""

    __slots__ = ("at", "given", "read", "tokens")

    def __init__(self) -> None:
        self.given: set[str] = set()
        self.read: set[str] = set()
        self.at = ""
        """When it was given last."""
        self.tokens: int | None = None
        """What it took then."""


def weigh_earlier_sources(of: ChosenRuns) -> tuple[EarlierSource, ...]:
    """Weigh every source by how many of the runs that succeeded had it, the most used first.

    A file that was given in parts is another source than the whole, which is what a run reads.
    What lies outside the project, texts and the results of past runs are left out.
    """
    n = dict(of.rows("SELECT agent_type, count(*) FROM chosen WHERE went_well GROUP BY 1"))
    known = dict(
        of.rows(
            "SELECT agent_type, count(*) FROM chosen WHERE went_well AND EXISTS (SELECT 1 FROM "
            "execution_files AS f WHERE f.execution_id = chosen.execution_id) GROUP BY 1"
        )
    )
    tallies = _tally(of)
    found = [
        EarlierSource(
            *key,
            n=n[key[0]],
            given=len(tally.given),
            n_known=known.get(key[0], 0),
            read=len(tally.read),
            used=len(tally.given | tally.read),
            token_count=tally.tokens,
        )
        for key, tally in tallies.items()
    ]
    found.sort(key=lambda s: (s.agent_type, -s.used, s.source, s.sections))
    kept: dict[str, list[EarlierSource]] = {}
    for each in found:
        of_type = kept.setdefault(each.agent_type, [])
        if len(of_type) < MOST_SOURCES:
            of_type.append(each)
    return tuple(each for of_type in kept.values() for each in of_type)


def _tally(of: ChosenRuns) -> dict[_Key, _Tally]:
    """Tally the runs that had each source."""
    tallies: defaultdict[_Key, _Tally] = defaultdict(_Tally)
    for agent_type, source, sections, runs, tokens, at in of.rows(
        "SELECT agent_type, context_source, sections, group_concat(run), token_count, max(at) "
        "FROM chosen CROSS JOIN context_allocations USING (execution_id) "
        f"WHERE went_well AND {INCLUDED} AND context_type IS NOT 'briefing' "
        "AND context_source IS NOT NULL GROUP BY 1, 2, 3",  # tokens are those of the last, too
        NUMBERED_RUNS,
    ):
        path = path_of(source)
        if path and not is_outside(path):
            tally = tallies[agent_type, source, tuple(listed_names(sections) or ())]
            tally.given.update(runs.split(","))
            if at >= tally.at:
                tally.at, tally.tokens = at, tokens
    for agent_type, path, runs in of.rows(
        "SELECT agent_type, path, group_concat(run) FROM chosen CROSS JOIN execution_files "
        f"USING (execution_id) WHERE went_well AND {NEEDED} GROUP BY 1, 2",
        NUMBERED_RUNS,
    ):
        if not is_outside(path):
            tallies[agent_type, path, ()].read.update(runs.split(","))
    return tallies
