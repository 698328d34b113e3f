"""What a project is called in every record."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from orch_tui.models.database import Record
from orch_tui.record.ledger.project_keys import (
    configured_key,
    normalized_url,
    project_key,
    remote_key,
)

URL = "git@github.com:acme/search.git"


def git(*words: str, cwd: Path) -> None:
    subprocess.run(
        ["git", "-c", "user.name=a", "-c", "user.email=a@b", *words],
        cwd=cwd,
        check=True,
        capture_output=True,
    )


def repository(folder: Path) -> Path:
    folder.mkdir()
    git("init", "-q", cwd=folder)
    git("remote", "add", "origin", URL, cwd=folder)
    git("commit", "-q", "--allow-empty", "-m", "first", cwd=folder)
    return folder


@pytest.mark.parametrize(
    "url",
    [
        URL,
        "git@github.com:acme/search",
        "ssh://git@github.com/acme/search.git",
        "ssh://git@github.com:22/acme/search.git",
        "https://github.com/acme/search.git",
        "https://user:token@GitHub.com/acme/search/",
        "git://github.com/acme/search.git",
        " https://github.com/acme/search \n",
    ],
)
def test_every_way_to_reach_a_repository_is_the_same_project(url: str) -> None:
    assert normalized_url(url) == "github.com/acme/search"


@pytest.mark.parametrize(
    "url", ["", "/srv/git/search.git", "../search", "~/search", "file:///srv/search", "search"]
)
def test_a_folder_names_no_project_elsewhere(url: str) -> None:
    assert normalized_url(url) is None


def test_ports_and_addresses_are_told_apart() -> None:
    assert normalized_url("ssh://git@[::1]:22/acme/search") == "[::1]/acme/search"
    assert normalized_url("https://git.acme.dev/a/b") != normalized_url("https://git.acme.io/a/b")


def test_two_clones_a_shallow_one_and_a_worktree_are_one_project(
    record: Record, tmp_path: Path
) -> None:
    one, two = repository(tmp_path / "one"), repository(tmp_path / "two")
    git("clone", "-q", "--depth", "1", f"file://{one}", "shallow", cwd=tmp_path)
    git("remote", "set-url", "origin", URL, cwd=tmp_path / "shallow")
    git("worktree", "add", "-q", str(tmp_path / "linked"), cwd=one)
    folders = [one, two, tmp_path / "shallow", tmp_path / "linked"]
    assert {project_key(record, str(folder)) for folder in folders} == {"github.com/acme/search"}


def test_without_a_remote_the_record_keeps_a_key_for_each_folder(
    record: Record, tmp_path: Path
) -> None:
    (tmp_path / "bare").mkdir()
    with record.write():
        first = project_key(record, str(tmp_path / "bare"))
        other = project_key(record, str(tmp_path))
    assert first and first.startswith("project:") and first != other
    assert project_key(record, str(tmp_path / "bare")) == first
    assert project_key(record, "") is project_key(record, None) is None


def test_the_configuration_has_the_last_word(record: Record, tmp_path: Path) -> None:
    folder = repository(tmp_path / "one")
    settings = folder / ".claude" / "orchestration"
    settings.mkdir(parents=True)
    (settings / "config.toml").write_text('[project]\nkey = "acme/search"\n')
    assert project_key(record, str(folder)) == "acme/search"
    for broken in ("project = 7", "[project]\nkey = 7", '[project]\nkey = " "', "[project"):
        (settings / "config.toml").write_text(broken)
        assert configured_key(str(folder)) is None
        assert project_key(record, str(folder)) == "github.com/acme/search"


def test_a_broken_repository_names_nothing(tmp_path: Path) -> None:
    for name, text in (("none", None), ("bytes", b"\xff[remote"), ("empty", b"[core]\n")):
        folder = tmp_path / name
        (folder / ".git").mkdir(parents=True)
        if text is not None:
            (folder / ".git" / "config").write_bytes(text)
        assert remote_key(str(folder)) is None
    gone = tmp_path / "gone"
    gone.mkdir()
    (gone / ".git").write_text("gitdir: /nowhere\n")
    assert remote_key(str(gone)) is None
