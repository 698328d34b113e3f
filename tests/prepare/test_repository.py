"""The repository that a folder lies in."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from orch_tui.prepare.repository import find_repository, read_repository
from tests.prepare.random_trees import run_git

pytestmark = pytest.mark.skipif(not shutil.which("git"), reason="needs git to make one")


def test_the_nearest_repository_is_found_and_a_broken_one_is_none(tmp_path: Path) -> None:
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    run_git(tmp_path, "init", "-q")
    (inner / ".git").mkdir()
    found = find_repository(str(inner))
    assert found and found.top == str(tmp_path)
    run_git(inner, "init", "-q")
    assert find_repository(str(inner)) == (str(inner), f"{inner}/.git", f"{inner}/.git")
    for head in ("nonsense", "ref: elsewhere", ""):
        (inner / ".git/HEAD").write_text(head)
        assert read_repository(str(inner)) is None
    shutil.rmtree(inner / ".git")
    for told in ("gitdir: gone\n", "gitdir: \n", "nothing", "gitdir: a\0b"):
        (inner / ".git").write_text(told)
        assert read_repository(str(inner)) is None
    (inner / ".git").write_text(f"gitdir: {tmp_path}/.git\n")
    found = read_repository(str(inner))
    assert found and found.folder == f"{tmp_path}/.git"
