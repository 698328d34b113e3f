from __future__ import annotations

import os
import pwd
import subprocess
import sys
from pathlib import Path

import platformdirs
import pytest

from orch_tui import paths
from orch_tui.errors import PathError


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    home = tmp_path / "home"
    (home / ".claude").mkdir(parents=True)
    monkeypatch.setenv("HOME", str(home))
    for name in ("CLAUDE_CONFIG_DIR", "ORCH_DB", "ORCH_CONFIG_DIR", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_STATE_HOME", str(home / "state"))
    monkeypatch.setenv("XDG_DATA_HOME", str(home / "data"))
    return home


def folder(*parts: str | Path) -> Path:
    made = Path(*parts)
    made.mkdir(parents=True, exist_ok=True)
    return made


@pytest.mark.parametrize("mark", [".git", ".claude"])
def test_the_root_is_the_nearest_marked_parent(home: Path, mark: str) -> None:
    folder(home, "outer", ".git")
    project = folder(home, "outer", "project")
    folder(project, mark)
    assert paths.project_root(folder(project, "lib", "deep")) == str(project)


def test_an_unmarked_folder_under_home_is_its_own_root(home: Path) -> None:
    plain = folder(home, "notes", "today")
    assert paths.project_root(plain) == str(plain)


def test_a_configured_claude_folder_is_no_mark_either(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder(home, "work", ".claude")
    plain = folder(home, "work", "a")
    assert paths.project_root(plain) == str(home / "work")
    monkeypatch.setenv("CLAUDE_CONFIG_DIR", str(home / "work" / ".claude"))
    assert paths.claude_folder() == str(home / "work" / ".claude")
    assert paths.project_root(plain) == str(plain)
    assert paths.project_root(folder(home, "b")) == str(home / "b"), "~/.claude still is none"


def test_a_linked_configuration_folder_is_recognised(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / ".claude").rmdir()
    (home / ".claude").symlink_to(folder(home, "dotfiles", "claude"))
    assert paths.project_root(folder(home, "x")) == str(home / "x")


def test_the_working_folder_is_where_it_starts(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = folder(home, "project", ".git").parent
    monkeypatch.chdir(folder(project, "lib"))
    assert paths.project_root() == str(project)


def git(where: Path, *args: str) -> None:
    identity = ("-c", "user.name=t", "-c", "user.email=t@example.com")
    subprocess.run(["git", *identity, *args], cwd=where, check=True, capture_output=True)


def test_a_linked_worktree_belongs_to_its_main_working_tree(home: Path) -> None:
    main = folder(home, "main")
    git(main, "init", "-q")
    git(main, "commit", "-q", "--allow-empty", "-m", "start")
    git(main, "worktree", "add", "-q", str(home / "linked"))
    assert paths.project_root(folder(home, "linked", "lib")) == str(main)
    git(main, "worktree", "add", "-q", ".claude/worktrees/inner")
    assert paths.project_root(main / ".claude/worktrees/inner") == str(main)


def test_a_worktree_of_a_bare_repository_is_its_own_root(home: Path) -> None:
    seed = folder(home, "seed")
    git(seed, "init", "-q")
    git(seed, "commit", "-q", "--allow-empty", "-m", "start")
    git(home, "clone", "-q", "--bare", "seed", "bare.git")
    git(home / "bare.git", "worktree", "add", "-q", str(home / "linked"), "-b", "other")
    assert paths.project_root(home / "linked") == str(home / "linked")


@pytest.mark.parametrize("content", [b"", b"\xff\xfe nonsense", b"gitdir: /nowhere/at/all"])
def test_a_submodule_or_broken_git_file_marks_its_own_folder(home: Path, content: bytes) -> None:
    project = folder(home, "project")
    (project / ".git").write_bytes(content)
    assert paths.project_root(folder(project, "lib")) == str(project)


def test_the_database_is_the_given_one_before_the_environments_before_the_configured(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = folder(home, "p")
    assert paths.database_path(root) == f"{root}/.claude/orchestration/execution.db"
    user = paths.database_path(root, configured="user")
    assert user == str(home / "data" / "orch" / "execution.db")
    monkeypatch.setenv("ORCH_DB", "~/elsewhere.db")
    assert paths.database_path(root, configured="user") == str(home / "elsewhere.db")
    monkeypatch.chdir(root)
    assert paths.database_path(root, given="mine.db") == str(root / "mine.db")
    assert paths.drafts_folder("mine.db") == str(root / "drafts")


def test_inboxes_are_separate_for_every_project(home: Path) -> None:
    one, other = folder(home, "a", "app"), folder(home, "b", "app")
    mine, theirs = list(paths.inboxes(one)), list(paths.inboxes(other))
    assert mine[0] == f"{one}/.claude/orchestration/inbox"
    assert mine[1].startswith(str(home / "state" / "orch" / "inbox" / "app-"))
    assert f"orch-{os.getuid()}" in mine[2]
    assert not set(mine) & set(theirs)
    assert not any(os.path.exists(path) for path in mine), "asking creates nothing"


def test_paths_are_named_relative_to_the_project(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = folder(home, "project")
    monkeypatch.chdir(folder(root, "lib"))
    assert paths.relative("a.py", root) == "lib/a.py"
    assert paths.relative(root / "lib" / ".." / "b.py", root) == "b.py"
    assert paths.relative("../../other/c.py", root) == str(home / "other" / "c.py")
    assert paths.relative(home / "project-two" / "d.py", root) == str(home / "project-two/d.py")
    assert paths.relative("/etc/hosts", "/") == "etc/hosts"
    (home / "link").symlink_to(root)
    assert paths.relative(home / "link" / "e.py", root) == "e.py"


def test_the_module_brings_nothing_a_hook_would_wait_for() -> None:
    root = str(Path(paths.__file__).parents[1])
    code = (
        f"import sys; sys.path.insert(0, {root!r}); import orch_tui;"
        "before = set(sys.modules); import orch_tui.paths; print(*set(sys.modules) - before)"
    )
    shown = subprocess.run([sys.executable, "-Ic", code], capture_output=True, text=True)
    brought = set(shown.stdout.split())
    assert brought == {"orch_tui.paths"}


@pytest.mark.parametrize("kind", ["config", "data", "state"])
@pytest.mark.parametrize("given", [None, "", "  ", "relative", "/given"])
def test_the_users_folders_are_where_platformdirs_has_them(
    kind: str, given: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    variable = f"XDG_{kind.upper()}_HOME"
    monkeypatch.delenv(variable, raising=False)
    if given is not None:
        monkeypatch.setenv(variable, given)
    theirs = getattr(platformdirs, f"user_{kind}_dir")("orch", appauthor=False)
    assert paths._user_folder(kind) == theirs


def test_without_a_home_the_user_still_has_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HOME")
    for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME"):
        monkeypatch.delenv(name, raising=False)
    theirs = platformdirs.user_state_dir("orch", appauthor=False)
    assert paths._user_folder("state") == theirs


def test_what_a_person_typed_becomes_the_path_to_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", "/home/me")
    assert paths.resolve_path("a/../b.md") == str(tmp_path / "a" / ".." / "b.md")
    assert paths.resolve_path("b.md", "/elsewhere") == "/elsewhere/b.md"
    assert paths.resolve_path("/b.md", "/elsewhere") == "/b.md"
    assert paths.resolve_path("~/b.md") == "/home/me/b.md"
    assert paths.resolve_path("~") == "/home/me"
    own = pwd.getpwuid(os.getuid())
    assert paths.resolve_path(f"~{own.pw_name}/b.md") == os.path.join(own.pw_dir, "b.md")
    for home in ("", "relative"):
        monkeypatch.setenv("HOME", home)
        assert paths.resolve_path("~/b.md") == os.path.join(own.pw_dir, "b.md")
    monkeypatch.delenv("HOME")
    assert paths.resolve_path("~/b.md") == os.path.join(own.pw_dir, "b.md")
    with pytest.raises(PathError, match="names no file"):
        paths.resolve_path("  ")


@pytest.mark.parametrize("name", ["/a\0b", "a\0b", "/\ud800", "~a\0b/c"])
def test_a_name_that_a_transcript_tells_stops_nothing(name: str, tmp_path: Path) -> None:
    assert paths.project_root(name) == name
    assert paths.relative(name, tmp_path) == name


def test_the_working_tree_is_the_nearest_folder_with_git(tmp_path: Path) -> None:
    inner = tmp_path / "outer" / "inner" / "deep"
    inner.mkdir(parents=True)
    assert paths.working_tree(inner) is None
    (tmp_path / "outer" / ".git").mkdir()
    assert paths.working_tree(inner) == str(tmp_path / "outer")
    (inner.parent / ".git").write_text("gitdir: elsewhere")
    assert paths.working_tree(inner) == paths.working_tree(inner.parent) == str(inner.parent)
    assert paths.working_tree(tmp_path / "outer") == str(tmp_path / "outer")
