"""A project with runs to look through."""

from __future__ import annotations

from pathlib import Path

import pytest

from orch_tui.api import OrchestrationSession
from orch_tui.project import Project
from tests.conftest import FakeClock
from tests.screens.history.driven import HOSTILE


@pytest.fixture
def folder(tmp_path: Path, clock: FakeClock) -> Path:
    """A project with three runs, the last one still waiting."""
    root = tmp_path / "spotter"
    (root / ".claude").mkdir(parents=True)
    (root / "spec.md").write_text("# Walrus\nThe walrus indexes words.\n" * 20)
    project = Project(root, clock=clock)
    session = OrchestrationSession("Index the words", project=project)
    bundle = session.prepare_context("debugger", scope="Find the slow query", files=["spec.md"])
    first = session.init_deployment(context_bundle=bundle, model="sonnet")
    first.record_completion("# Found it\n\nThe **walrus** was slow.", collect=True)
    second = session.init_deployment("implementor", "Mend the index", model="opus")
    second.record_completion(HOSTILE, status="failed", error_code="ORG-003")
    session.init_deployment("Explore", "Look for more")
    project.close()
    return root
