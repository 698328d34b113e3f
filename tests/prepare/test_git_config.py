"""Git's configuration, read as git reads it."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from orch_tui.prepare import git_config
from orch_tui.prepare.git_config import ConfigFiles, is_true, read_config
from orch_tui.prepare.plain_bytes import read_bytes
from orch_tui.prepare.tree import walk_project
from tests.prepare.random_trees import run_git

WRITTEN = rb"""
; a note
[core] ignoreCase
	name-one = a  b ; note
	two = "quoted ; # " tail
	three = esc \" \\ \t\n x
	four = joined \
 to the next
	five=
[Section "Sub \"x\" Y"]
	key = 1
[old.Style]
	key = yes	
"""


@pytest.mark.skipif(not shutil.which("git"), reason="needs git to compare with")
def test_values_are_those_that_git_reads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", os.devnull)
    (tmp_path / "config").write_bytes(WRITTEN)
    told = run_git(tmp_path, "config", "-z", "--list", "--file", "config").decode()
    expected = {}
    for line in filter(None, told.split("\0")):
        name, _, value = line.partition("\n")
        expected[name] = value if "\n" in line else "true"
    assert read_config(ConfigFiles(str(tmp_path), str(tmp_path))) == expected
    assert len(expected) == 8


@pytest.mark.parametrize(
    "broken", [b"[core\na=1", b"[core]\n1=x", b'[core]\na="', b"[core]\na=\\x", b"\0\xff", b"[]"]
)
def test_what_follows_a_broken_line_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: bytes
) -> None:
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", os.devnull)
    (tmp_path / "config").write_bytes(b"[a]\nb=1\n" + broken + b"\n[c]\nd=2\n")
    assert read_config(ConfigFiles(str(tmp_path), str(tmp_path))) == {"a.b": "1"}


def test_files_that_include_themselves_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = tmp_path / "mine"
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(mine))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    mine.write_text("[a]\nb = 1\n" + "[include]\npath = mine\n" * 20)
    assert read_config(ConfigFiles())["a.b"] == "1"


def test_conditions_choose_what_is_included(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine, git = tmp_path / "mine", tmp_path / "Work" / "one" / ".git"
    git.mkdir(parents=True)
    (git / "HEAD").write_text("ref: refs/heads/topic/x\n")
    (tmp_path / "more").write_text("[a]\nb = 1\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(mine))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    for condition, holds in (
        (f"gitdir:{tmp_path}/Work/", True),
        (f"gitdir:{tmp_path}/work/", False),
        (f"gitdir/i:{tmp_path}/work/", True),
        ("gitdir:./Work/**", True),
        ("gitdir:one/.git", True),
        ("gitdir:two/", False),
        ("onbranch:topic/", True),
        ("onbranch:topic", False),
        ("nonsense", False),
    ):
        mine.write_text(f'[includeIf "{condition}"]\npath = more\n')
        assert ("a.b" in read_config(ConfigFiles(str(git), str(git)))) == holds, condition


@pytest.mark.parametrize(
    ("value", "expected"), [("Yes", True), ("on", True), ("2", True), ("0", False), ("", False)]
)
def test_yes_and_no(value: str, expected: bool) -> None:
    assert is_true(value) == expected


@pytest.mark.slow
@pytest.mark.timeout(60)
def test_a_large_file_that_includes_itself_is_read_in_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = tmp_path / "mine"
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(mine))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    mine.write_text("[include]\npath = mine\n" * 20 + "[a]\n" + "b = 1\n" * 150_000)
    read: list[int] = []

    def count(path: str, most: int) -> bytes | None:
        data = read_bytes(path, most)
        read.append(len(data or b""))
        return data

    monkeypatch.setattr(git_config, "read_bytes", count)
    assert read_config(ConfigFiles("")) == {"include.path": "mine", "a.b": "1"}
    assert sum(read) <= 2_000_000


@pytest.mark.skipif(not shutil.which("git"), reason="needs git to compare with")
@pytest.mark.parametrize(
    "value",
    [
        "1",
        "0",
        "-2",
        "+0",
        "00",
        "1k",
        "0x1f",
        "0x0",
        "0x",
        "f",
        "²",
        "٣",
        "yes",
        "Off",
        "",
        "8" * 9,
    ],
)
def test_what_is_true_is_what_git_takes_for_true(tmp_path: Path, value: str) -> None:
    (tmp_path / "config").write_bytes(b'[a]\nb = "%s"\n' % value.encode())
    told = run_git(tmp_path, "config", "--file", "config", "--type=bool", "--default", "no", "a.b")
    assert is_true(value) == (told.strip() == b"true")


@pytest.mark.parametrize(
    ("file", "data"),
    [
        ("config", b"[core]\nignorecase = \xc2\xb2\n"),
        ("config", b"[core]\nignorecase = " + b"9" * 5000),
        ("config", b'[core]\nexcludesFile = "~a\0b/x"\n'),
        ("config", b'[include]\npath = "a\0b"\n[includeIf "gitdir:~\0/x"]\npath = y\n'),
        ("config", b'[core]\nworktree = "\0"\n'),
        ("commondir", b"a\0b\n"),
        ("HEAD", b"ref: refs/heads/a\0b\n"),
    ],
)
def test_what_no_path_and_no_number_can_be_stops_nothing(
    tmp_path: Path, file: str, data: bytes
) -> None:
    git = tmp_path / ".git"
    for name in ("objects", "refs"):
        (git / name).mkdir(parents=True)
    (git / "HEAD").write_text("ref: refs/heads/main\n")
    (git / file).write_bytes(data)
    (tmp_path / "a.py").write_text("x = 1\n")
    assert [path.name for path in walk_project(tmp_path).files] == ["a.py"]
