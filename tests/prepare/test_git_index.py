"""What git tracks, read from indexes that git wrote and from bytes that nobody should."""

from __future__ import annotations

import os
import random
import shutil
from pathlib import Path

import pytest

from orch_tui.prepare.git_index import read_index
from orch_tui.prepare.tree import walk_project
from tests.counts import COUNTS, SEED
from tests.prepare.random_trees import make_files, run_git

pytestmark = pytest.mark.skipif(not shutil.which("git"), reason="needs git to write an index")


@pytest.mark.parametrize("version", ["2", "3", "4"])
@pytest.mark.parametrize("kind", ["sha1", "sha256"])
def test_an_index_of_every_version_is_read(tmp_path: Path, version: str, kind: str) -> None:
    run_git(tmp_path, "init", "-q", f"--object-format={kind}")
    names = ["a", "b" * 200, "dir/" + "x/" * 50 + "y", "é", *(f"n/{n}" for n in range(300))]
    make_files(tmp_path, *names)
    run_git(tmp_path, "add", ".")
    run_git(tmp_path, "add", "-N", "a")
    run_git(tmp_path, "update-index", "--index-version", version)
    if version == "3":
        run_git(tmp_path, "update-index", "--skip-worktree", "a")
    size = 32 if kind == "sha256" else 20
    told = read_index(str(tmp_path / ".git"), hash_size=size)
    assert set(map(os.fsdecode, told.names)) == set(names)
    (tmp_path / ".gitignore").write_text("*\n")
    assert {node.path for node in walk_project(tmp_path).files} == set(names)


def test_a_split_index_is_read_with_the_one_it_shares(tmp_path: Path) -> None:
    run_git(tmp_path, "init", "-q")
    make_files(tmp_path, *(f"f{n}" for n in range(200)))
    run_git(tmp_path, "add", ".")
    run_git(tmp_path, "update-index", "--split-index")
    run_git(tmp_path, "rm", "-q", "--cached", "f7", "f150")
    (tmp_path / "f9").write_text("changed")
    make_files(tmp_path, "new")
    run_git(tmp_path, "add", "f9", "new")
    told = set(map(os.fsdecode, read_index(str(tmp_path / ".git")).names))
    assert told == {*(f"f{n}" for n in range(200)), "new"} - {"f7", "f150"}


def test_a_small_index_that_stands_for_much_takes_no_more_than_its_size(tmp_path: Path) -> None:
    entry = bytes(24) + (0o100644).to_bytes(4, "big") + bytes(32) + b"\0\0"
    many = b"DIRC" + (4).to_bytes(4, "big") + (90_000).to_bytes(4, "big")
    (tmp_path / "index").write_bytes(many + b"".join(entry + b"\0a\0" for _ in range(90_000)))
    names = read_index(str(tmp_path)).names
    assert 0 < sum(map(len, names)) < 5 * (tmp_path / "index").stat().st_size
    run = (0xFFFFFFFF << 1 | 1).to_bytes(8, "big")
    bits = (0xFFFFFFFF).to_bytes(4, "big") + (1).to_bytes(4, "big") + run
    link = b"link" + (20 + len(bits)).to_bytes(4, "big") + bytes(20) + bits
    (tmp_path / "index").write_bytes(many[:8] + bytes(4) + link)
    (tmp_path / f"sharedindex.{'00' * 20}").write_bytes(many[:8] + b"\0\0\0\1" + entry + b"\0a\0")
    assert read_index(str(tmp_path)).names == frozenset()


def test_a_hostile_index_or_ignore_file_harms_nothing(tmp_path: Path) -> None:
    run_git(tmp_path, "init", "-q")
    make_files(tmp_path, "a", "b/c")
    run_git(tmp_path, "add", ".")
    index = tmp_path / ".git" / "index"
    good = index.read_bytes()
    chance = random.Random(SEED)
    for _ in range(COUNTS.fuzz_inputs):
        data = bytearray(good[: chance.randint(0, len(good))])
        for _ in range(chance.randint(0, 8)):
            if data:
                data[chance.randrange(len(data))] = chance.randrange(256)
        data[4:8] = bytes((0, 0, 0, chance.choice((2, 3, 4, 9))))
        index.write_bytes(data)
        read_index(str(tmp_path / ".git"))
        rules = bytes(chance.choice(b"*?[]!\\/a-:^\r\n \0\xff") for _ in range(40))
        (tmp_path / ".gitignore").write_bytes(rules)
        walk_project(tmp_path)
    index.unlink()
    os.mkfifo(index)
    (tmp_path / ".gitignore").unlink()
    os.mkfifo(tmp_path / ".gitignore")
    assert {node.path for node in walk_project(tmp_path).files} == {"a", "b/c"}
