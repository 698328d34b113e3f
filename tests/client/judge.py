"""Judge a run: what the hooks told, what an import adds, and what an import alone knows."""

from __future__ import annotations

import json
from pathlib import Path

from tests.client.comparison import list_differences, read_recorded
from tests.client.handed_figures import list_mistaken_figures
from tests.client.run import Run
from tests.client.scenario import Fields
from tests.client.truth import read_truth
from tests.client.watching import list_mistaken_states


def _judge_watching(run: Run) -> list[str]:
    parts = {served.agent: served.part for served in run.served if served.agent}
    mistakes = list_mistaken_states(run.watched, parts, run.scenario.doings)
    return [f"while it ran: {mistake}" for mistake in mistakes]


def judge_run(run: Run) -> list[str]:
    """Tell what is recorded otherwise than it is true: by hooks, by both, by an import alone."""
    scenario = run.scenario
    alone = run.folder / "alone.db"
    home = run.folder / "other"
    home.mkdir()  # one in which no hook left anything
    apart = {"HOME": str(home), "ORCH_DB": str(alone)}
    own = run.project / ".claude" / "orchestration" / "execution.db"
    truths = read_truth(run.served)

    def read(**environment: str) -> list[Fields]:
        database = Path(environment.get("ORCH_DB", own))
        return read_recorded(lambda *words: run.orch(*words, **environment).stdout, database)

    def look(by: str, **environment: str) -> list[str]:
        agents = scenario.agents_by_hooks if by == "hooks" else scenario.agents
        lasted = (run.began, run.ended)
        found = list_differences(read(**environment), truths, agents, scenario.never_ran, lasted)
        return [f"by {by}: {line}" for line in found]

    found = _judge_watching(run) if scenario.doings else []
    requests = json.loads(run.first_requests.read_text())
    found += list_mistaken_figures(run.config / "projects", requests)
    found += look("hooks")
    run.orch("import")
    found += look("hooks and import")
    before = read()
    run.orch("import")
    if read() != before:
        found.append("a second import changed something")
    run.orch("import", **apart)
    return found + look("import", **apart)
