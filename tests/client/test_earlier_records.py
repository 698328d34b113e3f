"""Runs of the real client as the first edition of orch recorded them, by hooks or by an import.

``tests/fixtures/earlier_reading/client_runs`` holds such records, made in ``/home/dev/project``
from the stored runs of the same names.
"""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from orch_tui.cli import main
from orch_tui.prepare.catalogue import load_catalogue
from orch_tui.record.ledger.rebuild import find_stale_executions
from orch_tui.record.opening import open_record
from orch_tui.record.rereading import is_of_earlier_version, reread_share
from orch_tui.record.transcripts.importer import import_files
from orch_tui.record.transcripts.transcript_files import find_in_paths
from tests.client.comparison import list_differences, read_recorded
from tests.client.sanitize import HOME
from tests.client.scenario import ANY, Either, Fields
from tests.client.scenarios import SCENARIOS
from tests.client.truth import FIGURES, AgentTruth

FIXTURES = Path(__file__).parents[1] / "fixtures"
STORED = sorted((FIXTURES / "earlier_reading" / "client_runs").iterdir())
ROOT = Path(HOME) / "project"

NOT_TOLD: Fields = {
    **dict.fromkeys((*FIGURES, "usage", "context_end_tokens", "tool_calls", "resolved_model"), ANY),
    **dict.fromkeys(
        ("requested_model", "ending", "depth", "scope", "prompt", "told", "doubted"), ANY
    ),
}
"""What the first edition did not record of every agent: a record without transcripts lacks it."""


class EarlierRecord:
    """One record of the first edition, opened by this one."""

    def __init__(self, stored: Path, folder: Path, capture: pytest.CaptureFixture[str]) -> None:
        self.run, self.way = stored.name.split(".")[:2]
        self.path = folder / "execution.db"
        self.path.write_bytes(gzip.decompress(stored.read_bytes()))
        self.path.chmod(0o600)
        self._capture = capture

    def mend(self, transcripts: list[Path]) -> None:
        """Make its rows anew, and read these transcripts again."""
        catalogue = load_catalogue({})
        with open_record(self.path) as record:
            while is_of_earlier_version(record):
                reread_share(record, catalogue=catalogue, root=ROOT)
            import_files(record, list(find_in_paths(transcripts)), catalogue=catalogue, root=ROOT)
            assert list(find_stale_executions(record)) == []

    def recorded(self) -> list[Fields]:
        return read_recorded(self._ask, self.path)

    def list_differences(self, left_out: Fields) -> list[str]:
        source = FIXTURES / "client_runs" / self.run / "truth.json"
        truth: dict[str, Any] = json.loads(source.read_text())
        known = next(scenario for scenario in SCENARIOS if scenario.name == self.run)
        agents = [AgentTruth(**agent) for agent in truth["agents"]]
        wanted = {part: {**fields, **left_out} for part, fields in known.agents.items()}
        lasted = (truth["lasted"][0], truth["lasted"][1])
        return list_differences(self.recorded(), agents, wanted, known.never_ran, lasted)

    def _ask(self, *words: str) -> str:
        self._capture.readouterr()
        everywhere = ["--all-projects"] if words[0] == "query" else []
        code = main([*words, *everywhere, "--db", str(self.path)])
        said = self._capture.readouterr()
        assert code == 0, said
        return said.out


@pytest.fixture(params=STORED, ids=lambda stored: stored.name.removesuffix(".db.gz"))
def older(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    own_home: Path,
    capsys: pytest.CaptureFixture[str],
) -> EarlierRecord:
    return EarlierRecord(request.param, tmp_path, capsys)


def test_without_transcripts_it_says_what_was_told(older: EarlierRecord) -> None:
    older.mend([])
    silent: Fields = {"final": ANY, "status": ANY, "completions": Either((0, 1))}
    is_silent = older.run == "workflow"  # of what an agent gave back as JSON
    assert older.list_differences({**NOT_TOLD, **(silent if is_silent else {})}) == []
    for row in older.recorded():
        told = f"{row['final']} {row['scope']} {row['prompt']}"
        assert "[Workflow harness" not in told and "<tools-used" not in told
        if row["completions"] == 0:
            assert (row["status"], row["final"]) == ("deployed", "")


def test_read_again_it_says_what_is_true(older: EarlierRecord) -> None:
    older.mend([FIXTURES / "client_runs" / older.run / "projects"])
    assert older.list_differences({}) == []
