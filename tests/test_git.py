"""Git is run so that nothing a folder brings is run with it."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from orch_tui.git import run_git

pytestmark = pytest.mark.skipif(not shutil.which("git"), reason="needs git")


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    root = tmp_path / "project"
    root.mkdir()
    subprocess.run(["git", "init", "-q", str(root)], check=True)
    (root / "a").write_text("x")
    return root


def test_nothing_that_a_repository_configures_is_run(repository: Path, tmp_path: Path) -> None:
    tool = tmp_path / "tool"
    tool.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
    tool.chmod(0o755)
    hooks = tmp_path / "hooks"
    hooks.mkdir()
    shutil.copy(tool, hooks / "post-index-change")
    for name, value in (("core.fsmonitor", tool), ("core.hooksPath", hooks)):
        subprocess.run(["git", "-C", repository, "config", name, str(value)], check=True)
    assert run_git(repository, "status", "--porcelain") == "?? a\n"
    assert run_git(repository, "update-index", "--add", "a") == ""
    assert not (tmp_path / "ran").exists()


def test_a_bare_repository_within_a_folder_is_none(repository: Path) -> None:
    bare = repository / "bare"
    subprocess.run(["git", "init", "-q", "--bare", str(bare)], check=True)
    assert run_git(bare, "rev-parse", "--git-dir") is None


def test_the_environment_of_another_git_does_not_count(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "none"))
    monkeypatch.setenv("GIT_EXTERNAL_DIFF", "false")
    assert run_git(repository, "rev-parse", "--show-toplevel") == f"{repository}\n"


def test_a_git_in_the_folder_itself_is_not_run(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (repository / "git").write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
    (repository / "git").chmod(0o755)
    monkeypatch.setenv("PATH", ".:")
    monkeypatch.chdir(repository)
    assert run_git(repository, "status") is None
    assert not (tmp_path / "ran").exists()
