"""What folders and patterns hold is what git lists, less what the project leaves out."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from orch_tui.prepare.ignore_rules import FileRules
from orch_tui.prepare.tree import walk_project
from tests.counts import COUNTS, DEEP, SEED
from tests.prepare.random_trees import list_git_files, make_files, make_tree, run_git

pytestmark = pytest.mark.skipif(not shutil.which("git"), reason="needs git to compare with")


@pytest.fixture(autouse=True)
def _no_settings_of_git(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", os.devnull)


def _walked(root: Path, under: str = "") -> set[bytes]:
    tree = walk_project(root, under=under)
    return {os.fsencode(path) for path in (*(n.path for n in tree.files), *tree.folder_links)}


def _judged(root: Path) -> set[bytes]:
    """What patterns would take of all that is there."""
    rules = FileRules(root)
    found = set()
    for folder, folders, names in os.walk(os.fsencode(root)):
        folders[:] = [name for name in folders if name != b".git"]
        links = [name for name in folders if os.path.islink(os.path.join(folder, name))]
        for name in (*names, *links):
            path = os.path.relpath(os.path.join(folder, name), os.fsencode(root))
            if name != b".git" and not rules.leaves_out(os.fsdecode(path)):
                found.add(path)
    return found


@pytest.mark.slow
@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("block", range(10 if DEEP else 2))
def test_random_trees_hold_what_git_lists(tmp_path: Path, block: int) -> None:
    count = COUNTS.trees // (10 if DEEP else 2)
    for seed in range(SEED * 10_000 + block * count, SEED * 10_000 + (block + 1) * count):
        root = tmp_path / f"tree {seed}"
        root.mkdir()
        make_tree(root, seed)
        listed = list_git_files(root)
        assert _walked(root) == listed, f"tree {seed}"
        assert _judged(root) == listed, f"tree {seed}, by patterns"
        for folder in _folders_of(root, listed):
            inside = {path for path in listed if path.startswith(folder + b"/")}
            if not FileRules(root, os.fsdecode(folder)).named_though_ignored:
                assert _walked(root, os.fsdecode(folder)) == inside, f"tree {seed}, {folder!r}"
        shutil.rmtree(root)


def _folders_of(root: Path, paths: set[bytes]) -> Iterator[bytes]:
    """Some of the folders, outside of repositories within."""
    folders = sorted({folder for path in paths if (folder := os.path.dirname(path))})
    inside = [path for path in map(os.fsdecode, folders) if _is_plain(root, path)]
    yield from map(os.fsencode, inside[:3])


def _is_plain(root: Path, folder: str) -> bool:
    above = [root / folder, *(root / folder).parents]
    return not any((each / ".git").exists() for each in above[: above.index(root)])


def _init(root: Path) -> None:
    root.mkdir(parents=True, exist_ok=True)
    run_git(root, "init", "-q")


def test_the_users_own_list_counts_wherever_git_finds_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root, home = tmp_path / "project", tmp_path / "home"
    _init(root)
    make_files(root, "a.one", "a.two", "a.three", "a.four", "work/x")
    make_files(home, ".config/git/ignore", "lists/two", "lists/three", "lists/four")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.delenv("GIT_CONFIG_GLOBAL")
    for name in ("one", "two", "three", "four"):
        file = home / (".config/git/ignore" if name == "one" else f"lists/{name}")
        file.write_text(f"*.{name}\n")
    everything = _walked(root) | {b"a.one"}
    assert _walked(root) == everything - {b"a.one"}
    (home / ".gitconfig").write_text('[core]\n\texcludesFile = "~/lists/two" ; mine\n')
    assert _walked(root) == everything - {b"a.two"}
    (home / "more").write_text("[Core] excludesfile=~/lists/\\\nthree\n")
    (home / ".gitconfig").write_text("[core]\nexcludesFile = ~/lists/two\n[include]\npath=more\n")
    assert _walked(root) == everything - {b"a.three"}
    condition = f'[includeIf "gitdir:{tmp_path}/"]\n path = ~/work\n'
    (home / "work").write_text("[core]\nexcludesFile=~/lists/four\n")
    with (home / ".gitconfig").open("a") as settings:
        settings.write(condition)
    assert _walked(root) == everything - {b"a.four"}
    (root / ".git" / "info").mkdir(exist_ok=True)
    (root / ".git" / "info" / "exclude").write_text("!a.four\nwork\n")
    assert _walked(root) == everything - {b"work/x"}
    run_git(root, "config", "core.excludesFile", "")
    assert _walked(root) == everything - {b"work/x"}


def test_a_tracked_file_that_is_ignored_stays_in_unless_the_project_leaves_it_out(
    tmp_path: Path,
) -> None:
    _init(tmp_path)
    make_files(tmp_path, "gen/kept.js", "gen/other.js", "gen/deep/kept.js", "a.log", "b.log", "c")
    (tmp_path / ".gitignore").write_text("gen/\n*.log\n")
    run_git(tmp_path, "add", "-f", "gen/kept.js", "gen/deep/kept.js", "a.log", "c")
    (tmp_path / "c").unlink()
    kept = {b".gitignore", b"gen/kept.js", b"gen/deep/kept.js", b"a.log"}
    assert _walked(tmp_path) == kept == _judged(tmp_path)
    (tmp_path / ".orchignore").write_text("deep\na.*\n")
    assert _walked(tmp_path) == {b".gitignore", b".orchignore", b"gen/kept.js"}
    (tmp_path / "gen/.gitignore").write_text("!other.js\n")
    assert b"gen/other.js" not in _walked(tmp_path)


def test_what_the_project_leaves_out_stays_out_whatever_git_says_deeper(tmp_path: Path) -> None:
    _init(tmp_path)
    make_files(tmp_path, "sub/a.csv", "sub/b.csv")
    (tmp_path / ".orchignore").write_text("*.csv\n.*ignore\n")
    (tmp_path / "sub/.gitignore").write_text("!a.csv\n")
    assert _walked(tmp_path) == set()
    (tmp_path / "sub/.orchignore").write_text("!b.csv\n")
    assert _walked(tmp_path) == {b"sub/b.csv"}


def test_ignore_files_of_other_tools_count_where_a_setting_names_them(tmp_path: Path) -> None:
    _init(tmp_path)
    make_files(tmp_path, "a.one", "b.one", "c.one", "sub/d.one")
    (tmp_path / ".ignore").write_text("*.one\n")
    (tmp_path / ".rgignore").write_text("!b.one\n.*\n")
    (tmp_path / "sub/.ignore").write_text("!d.one\n")
    assert b"a.one" in _walked(tmp_path)
    both = (".ignore", ".rgignore")
    tree = walk_project(tmp_path, ignore_files=both)
    assert {node.path for node in tree.files} == {"b.one", "sub/d.one"}
    (tmp_path / ".orchignore").write_text("d.one\n!c.one\n")
    tree = walk_project(tmp_path, ignore_files=both)
    assert {node.path for node in tree.files} == {"b.one", "c.one"}


def test_a_repository_within_is_a_folder_of_its_own(tmp_path: Path) -> None:
    _init(tmp_path)
    _init(tmp_path / "lib")
    make_files(tmp_path, "a", "lib/b.py", "lib/b.log", "lib/deep/c.py", "plain/.git/x", "plain/d")
    (tmp_path / ".gitignore").write_text("*.py\n")
    (tmp_path / "lib/.gitignore").write_text("*.log\n")
    tree = walk_project(tmp_path)
    assert {node.path for node in tree.files} == {".gitignore", "a", "plain/d"}
    assert tree.repositories == ("lib",)
    assert FileRules(tmp_path).leaves_out("lib/b.py")
    assert _walked(tmp_path, "lib") == {b"lib/.gitignore", b"lib/b.py", b"lib/deep/c.py"}


def test_a_project_within_a_repository_follows_the_rules_above_it(tmp_path: Path) -> None:
    _init(tmp_path)
    make_files(tmp_path, "part/a.log", "part/b.md", "part/deep/c.log", "part/gen/x")
    (tmp_path / ".gitignore").write_text("*.log\n/part/gen\n!/part/deep/*.log\n")
    assert _walked(tmp_path / "part") == {b"b.md", b"deep/c.log"}
    assert _walked(tmp_path / "part", "gen") == {b"gen/x"}


def test_a_worktree_shares_the_list_of_its_repository(tmp_path: Path) -> None:
    main, linked = tmp_path / "main", tmp_path / "linked"
    _init(main)
    who = ("-c", "user.name=n", "-c", "user.email=e")
    run_git(main, *who, "commit", "-q", "--allow-empty", "-m", "m")
    run_git(main, "worktree", "add", "-q", str(linked))
    make_files(linked, "a.tmp", "b.md", "kept.tmp")
    run_git(linked, "add", "-f", "kept.tmp")
    (main / ".git/info").mkdir(exist_ok=True)
    (main / ".git/info/exclude").write_text("*.tmp\n")
    assert _walked(linked) == {b"b.md", b"kept.tmp"}


def test_without_a_repository_the_ignore_files_count(tmp_path: Path) -> None:
    make_files(tmp_path, "sub/a.log", "sub/b.md")
    (tmp_path / ".gitignore").write_text("*.log\n")
    assert _walked(tmp_path) == {b".gitignore", b"sub/b.md"}
    assert _walked(tmp_path, "sub") == {b"sub/b.md"}


def test_choosing_files_runs_no_git(tmp_path: Path) -> None:
    _init(tmp_path)
    make_files(tmp_path, "a.md", "b.log")
    (tmp_path / ".gitignore").write_text("*.log\n")
    tools = tmp_path / ".tools"
    make_files(tools, "git")
    (tools / "git").write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
    (tools / "git").chmod(0o755)
    run_git(tmp_path, "config", "core.fsmonitor", str(tools / "git"))
    told = subprocess.run(
        [sys.executable, "-m", "orch_tui", "count", ".", "--no-record", "--format", "csv"],
        cwd=tmp_path,
        env={**os.environ, "PATH": str(tools)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "a.md" in told.stdout and "b.log" not in told.stdout
    assert not (tmp_path / "ran").exists()
