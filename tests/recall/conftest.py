"""What the tests of recall stand on: a session, and a project with two files."""

from __future__ import annotations

from pathlib import Path

import pytest

from orch_tui.api import OrchestrationSession
from orch_tui.models.database import Record
from orch_tui.project import Project
from orch_tui.record.sessions import init_session


@pytest.fixture
def session_id(record: Record, tmp_path: Path) -> str:
    return init_session(record, "Implement search", project=str(tmp_path)).session_id


@pytest.fixture
def project(tmp_path: Path) -> Project:
    (tmp_path / ".claude").mkdir()
    (tmp_path / "a.md").write_text("# Alpha\n" + "words of the first file\n" * 40)
    (tmp_path / "b.md").write_text("# Beta\n" + "words of the second file\n" * 40)
    return Project(tmp_path)


@pytest.fixture
def session(project: Project) -> OrchestrationSession:
    return OrchestrationSession("find the bug", project=project)
