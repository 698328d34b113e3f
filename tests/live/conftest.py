from __future__ import annotations

from pathlib import Path

import pytest

from tests.live.claude_files import ClaudeFiles, Follower


@pytest.fixture
def files(tmp_path: Path) -> ClaudeFiles:
    """Claude Code's folder, with a client that works in the project: this process."""
    made = ClaudeFiles(tmp_path)
    made.client()
    return made


@pytest.fixture
def follower(files: ClaudeFiles) -> Follower:
    return Follower(files)
