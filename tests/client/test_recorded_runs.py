"""Stored runs of the real client, through hooks, an import or both: the record is what is true."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from orch_tui.claude_client import transcripts_folder
from orch_tui.cli import main
from orch_tui.hook import put
from tests.client.comparison import list_differences, read_recorded
from tests.client.sanitize import HOME
from tests.client.scenario import Fields
from tests.client.scenarios import SCENARIOS
from tests.client.truth import AgentTruth

pytestmark = pytest.mark.slow  # each replays a whole run

RUNS = Path(__file__).parents[1] / "fixtures" / "client_runs"
NAMES = sorted(folder.name for folder in RUNS.iterdir())
KNOWN = {scenario.name: scenario for scenario in SCENARIOS}


@dataclass(frozen=True)
class StoredRun:
    """A stored run in a project and a home of a test."""

    name: str
    project: Path
    home: Path
    capture: pytest.CaptureFixture[str]

    def ask(self, *words: str) -> str:
        """Run a command of orch that must succeed, and give what it prints."""
        self.capture.readouterr()
        code = main(list(words))
        said = self.capture.readouterr()
        assert code == 0, said
        return said.out

    def tell_hooks(self) -> None:
        """Hand every payload to the hook, at the time when it came."""
        for line in self._read("payloads.jsonl").splitlines():
            told = json.loads(line)
            put([json.dumps(told["payload"]).encode()], str(self.project), told["at"])

    def write_transcripts(self) -> None:
        source = RUNS / self.name / "projects"
        for file in source.rglob("*.json*"):
            name = self._rename(str(file.relative_to(source)))
            target = self.home / ".claude" / "projects" / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(self._rename(file.read_text()))

    def recorded(self) -> list[Fields]:
        return read_recorded(self.ask, self.project / ".claude/orchestration/execution.db")

    def list_differences(self, by_hooks_alone: bool = False) -> list[str]:
        truth: dict[str, Any] = json.loads(self._read("truth.json"))
        agents = [AgentTruth(**agent) for agent in truth["agents"]]
        known = KNOWN[self.name]
        began, ended = truth["lasted"]
        wanted = known.agents_by_hooks if by_hooks_alone else known.agents
        return list_differences(self.recorded(), agents, wanted, known.never_ran, (began, ended))

    def _read(self, name: str) -> str:
        return self._rename((RUNS / self.name / name).read_text())

    def _rename(self, text: str) -> str:
        stored = f"{HOME}/project"
        for name, other in (
            (stored, str(self.project)),
            (transcripts_folder(stored), transcripts_folder(str(self.project))),
            (HOME, str(self.home)),
        ):
            text = text.replace(name, other)
        return text


@pytest.fixture(params=NAMES)
def run(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    own_home: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> StoredRun:
    project = tmp_path / "project"
    (project / ".claude" / "orchestration").mkdir(parents=True)
    (project / ".git").mkdir()
    monkeypatch.chdir(project)
    stored = StoredRun(request.param, project, own_home, capsys)
    stored.write_transcripts()
    return stored


def test_hooks_tell_the_truth_and_an_import_adds_nothing_wrong(run: StoredRun) -> None:
    run.tell_hooks()
    assert run.list_differences(by_hooks_alone=True) == []
    run.ask("import")
    assert run.list_differences() == []


def test_an_import_tells_the_truth_and_hooks_add_nothing_wrong(run: StoredRun) -> None:
    run.ask("import")
    assert run.list_differences() == []
    imported = run.recorded()
    run.ask("import")
    assert run.recorded() == imported
    run.tell_hooks()
    assert run.list_differences() == []
