from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from orch_tui.worktrees import (
    find_file_tree,
    find_named_tree,
    find_tree,
    is_within,
    list_linked_trees,
    name_folder_tree,
    name_tree,
)


def git(where: Path, *words: str) -> None:
    identity = ("-c", "user.name=t", "-c", "user.email=t@example.com")
    subprocess.run(["git", *identity, *words], cwd=where, check=True, capture_output=True)


@pytest.fixture
def main(tmp_path: Path) -> Path:
    """A repository with a worktree within and one beside it."""
    main = tmp_path / "main"
    main.mkdir()
    git(main, "init", "-q")
    git(main, "commit", "-q", "--allow-empty", "-m", "start")
    git(main, "worktree", "add", "-q", "inner")
    git(main, "worktree", "add", "-q", "../beside")
    (main / "lib").mkdir()
    (tmp_path / "beside" / "lib").mkdir()
    return main


def test_a_folder_lies_in_the_root_or_in_a_linked_worktree(main: Path, tmp_path: Path) -> None:
    beside = tmp_path / "beside"
    assert find_tree(main / "lib", main) == find_tree(main, main) == str(main)
    assert find_tree(main / "inner", main) == str(main / "inner")
    assert find_tree(beside / "lib", main) == str(beside)
    assert find_tree(tmp_path, main) is None
    assert find_tree(main / "gone", main) is None
    assert find_tree(beside / "lib", beside) == str(beside), "also of a worktree as root"


def test_a_file_that_is_not_there_lies_where_its_folder_would(main: Path, tmp_path: Path) -> None:
    assert find_file_tree(main / "inner" / "a" / "b" / "c.py", main) == str(main / "inner")
    assert find_file_tree(main / "a" / "c.py", main) == str(main)
    assert find_file_tree(tmp_path / "c.py", main) is None


def test_a_tree_is_found_again_by_its_name(main: Path, tmp_path: Path) -> None:
    for tree, name in ((main / "inner", "inner"), (tmp_path / "beside", "../beside")):
        assert name_tree(tree, main) == name
        assert find_named_tree(name, main) == str(tree)
    assert name_tree(main, main) is None
    for none in (None, "", ".", "lib", "..", "../main", "gone", "\0", "/etc"):
        assert find_named_tree(none, main) is None
    assert {os.path.realpath(tree) for tree in list_linked_trees(main)} == {
        str(main / "inner"),
        str(tmp_path / "beside"),
    }


def test_a_repository_with_relative_pointers_has_its_trees(main: Path, tmp_path: Path) -> None:
    """As git writes them with ``worktree.useRelativePaths``."""
    administered = main / ".git" / "worktrees" / "beside"
    (administered / "gitdir").write_text("../../../../beside/.git\n")
    (tmp_path / "beside" / ".git").write_text("gitdir: ../main/.git/worktrees/beside\n")
    assert find_tree(tmp_path / "beside", main) == str(tmp_path / "beside")


def test_who_is_not_named_by_the_repository_is_no_tree_of_it(main: Path, tmp_path: Path) -> None:
    stranger = tmp_path / "stranger"
    stranger.mkdir()
    for told in (f"{main}/.git/worktrees/inner", f"{main}/.git", "", "\0", "x" * 5000):
        (stranger / ".git").write_text(f"gitdir: {told}\n")
        assert find_tree(stranger, main) is None
    forged = stranger / "forged"
    forged.mkdir()
    (forged / "commondir").write_text(f"{main}/.git\n")
    (forged / "gitdir").write_text(f"{stranger}/.git\n")
    (stranger / ".git").write_text(f"gitdir: {forged}\n")
    assert find_tree(stranger, main) is None
    assert find_named_tree("../stranger", main) is None


def test_a_repository_that_names_a_folder_does_not_make_it_its_own(
    main: Path, tmp_path: Path
) -> None:
    """An unpacked archive may bring a ``.git`` that names any folder."""
    private = tmp_path / "private"
    private.mkdir()
    administered = main / ".git" / "worktrees" / "private"
    administered.mkdir()
    (administered / "gitdir").write_text(f"{private}/.git\n")
    assert find_tree(private, main) is None


def test_another_repository_within_is_of_the_root(main: Path) -> None:
    nested = main / "vendored"
    nested.mkdir()
    git(nested, "init", "-q")
    assert find_tree(nested, main) == str(main)


def test_a_pipe_for_a_pointer_is_not_waited_for(main: Path, tmp_path: Path) -> None:
    stranger = tmp_path / "stranger"
    (stranger / "forged").mkdir(parents=True)
    os.mkfifo(stranger / "forged" / "commondir")
    (stranger / ".git").write_text(f"gitdir: {stranger}/forged\n")
    assert find_tree(stranger, main) is None


def test_within_is_told_by_whole_names() -> None:
    assert is_within("/a/b", "/a") and is_within("/a", "/a") and is_within("/a", "/")
    assert not is_within("/ab", "/a")


def test_a_path_that_nobody_can_open_takes_no_time(main: Path) -> None:
    assert find_file_tree("/a" * 500_000, main) is None
    assert name_folder_tree("/a" * 500_000, main) is None
    assert name_folder_tree("lib", main) is None
    assert name_folder_tree(str(main / "inner" / "gone"), main) == "inner"


def test_a_worktree_of_claude_code_that_is_gone_keeps_its_name(main: Path) -> None:
    gone = main / ".claude" / "worktrees" / "agent-1"
    assert find_file_tree(gone / "lib" / "new.py", main) == str(gone)
    assert name_folder_tree(str(gone / "lib"), main) == ".claude/worktrees/agent-1"
    (main / ".claude" / "worktrees" / "plain").mkdir(parents=True)
    assert name_folder_tree(str(main / ".claude" / "worktrees" / "plain"), main) is None
