"""Listing a project and finding files in it."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orch_tui.prepare import tree
from orch_tui.prepare.tree import Node, ProjectTree, find_files, walk_project


def _make(root: Path, *paths: str, **texts: str) -> None:
    for path in paths:
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(texts.get(path, "x\n"))


def _paths(project: ProjectTree) -> list[str]:
    return [node.path for node in project.files]


def test_folders_come_before_files_and_case_does_not_sort(tmp_path: Path) -> None:
    _make(tmp_path, "b.md", "A.md", "z/one.py", "lib/Two.py", "lib/deep/three.py")
    listed = walk_project(tmp_path)
    assert [node.path for node in listed.children[""]] == ["lib", "z", "A.md", "b.md"]
    assert _paths(listed) == ["lib/deep/three.py", "lib/Two.py", "z/one.py", "A.md", "b.md"]
    assert [node.path for node in listed.under("lib")] == ["lib/deep/three.py", "lib/Two.py"]


def test_a_file_tells_its_size_and_when_it_changed(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("12345")
    os.utime(tmp_path / "a", ns=(7, 7))
    assert walk_project(tmp_path).files == (Node("a", False, 5, 7),)


def test_the_same_files_are_left_out_as_by_git(tmp_path: Path) -> None:
    if not shutil.which("git"):
        pytest.skip("needs git to compare with")
    _make(
        tmp_path,
        *("keep.py", "drop.pyc", "build/x", "src/build/y", "src/only.log", "src/keep.log"),
        *("src/deep/a.tmp", "src/deep/b.txt", "docs/private/secret.md", "docs/private/open.md"),
        *("a b.md", "trailing ", "#hash", "!bang", "notes/x.md", "local.cfg", "vendor/lib/z.py"),
    )
    (tmp_path / ".gitignore").write_text(
        "*.pyc\n/build/\n*.log\n!keep.log\ndocs/private/*\n!docs/private/open.md\n\\#hash\n"
        "vendor/\n!vendor/lib/z.py\n!\n\r\n# a comment\n"
    )
    (tmp_path / "src" / ".gitignore").write_text("*.tmp\n!build\n/deep/b.txt\n")
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    (tmp_path / ".git" / "info").mkdir(exist_ok=True)
    (tmp_path / ".git" / "info" / "exclude").write_text("local.cfg\n")
    seen = subprocess.run(
        ["git", "-C", tmp_path, "ls-files", "-coz", "--exclude-standard"],
        check=True,
        capture_output=True,
        env={**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull},
    )
    assert sorted(_paths(walk_project(tmp_path))) == sorted(seen.stdout.decode().split("\0")[:-1])


@pytest.mark.parametrize(
    ("root", "nested"),
    [
        ("*\n!*/\n!*.md\n", ""),
        ("*.log\n", "!deep/\n"),
        ("*.log\n", "!*/\n"),
        ("/*\n!/sub\n", "**/*.log\n"),
        ("sub/**\n!sub/deep/\n", ""),
        ("sub/*\n!sub/deep\n", "*.log\n!a.log\n"),
        ("\ufeffsub/deep/\n", ""),
        ("brack[[]1].txt\n", ""),
        ("*\n!sub\n!sub/deep\n!a.*\n", ""),
        ("deep\n!sub/deep/\n", "deep/c.log\n"),
    ],
)
@pytest.mark.filterwarnings("error")
def test_what_comes_back_is_what_git_takes_back(tmp_path: Path, root: str, nested: str) -> None:
    names = ["a.md", "a.log", "brack[1].txt", "sub/a.log", "sub/b.md"]
    names += ["sub/deep/c.md", "sub/deep/c.log", "other/deep/c.md", "other/a.md"]
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x")
    (tmp_path / ".gitignore").write_text(root)
    (tmp_path / "sub/.gitignore").write_text(nested)
    git = ["git", "-C", str(tmp_path)]
    subprocess.run([*git, "init", "-q"], check=True)
    told = subprocess.run(
        [*git, "ls-files", "-coz", "--exclude-standard"], check=True, capture_output=True, text=True
    )
    files = {node.path for node in walk_project(tmp_path).files}
    assert files == set(filter(None, told.stdout.split("\0")))


def test_orchignore_has_the_last_word(tmp_path: Path) -> None:
    _make(tmp_path, "gen/api.md", "gen/raw.json", "data.csv", "a.py")
    (tmp_path / ".gitignore").write_text("gen/*\n")
    (tmp_path / ".orchignore").write_text("*.csv\n!gen/api.md\n.gitignore\n.orchignore\n")
    assert _paths(walk_project(tmp_path)) == ["gen/api.md", "a.py"]


def test_a_folder_with_nothing_to_show_is_not_shown(tmp_path: Path) -> None:
    _make(tmp_path, "a/b/c/x.pyc", "a.py")
    (tmp_path / "empty").mkdir()
    (tmp_path / ".orchignore").write_text("*.pyc\n.orchignore\n")
    assert walk_project(tmp_path).children == {"": walk_project(tmp_path).files}


def test_links_are_listed_as_files_but_not_followed_into_folders(tmp_path: Path) -> None:
    _make(tmp_path, "real/a.py")
    (tmp_path / "loop").symlink_to(tmp_path)
    (tmp_path / "gone").symlink_to("nowhere")
    (tmp_path / "link.py").symlink_to("real/a.py")
    os.mkfifo(tmp_path / "pipe")
    assert _paths(walk_project(tmp_path)) == ["real/a.py", "gone", "link.py"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may list every folder")
def test_a_folder_that_may_not_be_listed_is_named(tmp_path: Path) -> None:
    _make(tmp_path, "closed/x", "a")
    (tmp_path / "closed").chmod(0)
    try:
        listed = walk_project(tmp_path)
    finally:
        (tmp_path / "closed").chmod(0o700)
    assert listed.unreadable == {"closed"}
    assert [node.path for node in listed.children[""]] == ["closed", "a"]


def test_a_root_that_is_gone_is_an_empty_tree(tmp_path: Path) -> None:
    assert walk_project(tmp_path / "gone").files == ()


def test_a_very_deep_tree_is_listed(tmp_path: Path) -> None:
    folder = tmp_path
    for _ in range(300):
        folder = folder / "d"
    folder.mkdir(parents=True)
    (folder / "end.py").write_text("")
    assert [node.name for node in walk_project(tmp_path).under("d")] == ["end.py"]


def test_too_many_files_are_cut_and_it_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _make(tmp_path, *(f"{folder}/{n}" for folder in "abc" for n in range(3)))
    monkeypatch.setattr(tree, "MOST_FILES", 4)
    listed = walk_project(tmp_path)
    assert listed.cut and 0 < len(listed.files) < 9


def test_listing_stops_when_told_to(tmp_path: Path) -> None:
    _make(tmp_path, "a/b/c.py", "d.py")
    assert walk_project(tmp_path, cancelled=lambda: True).files == ()


# Finding


def _found(tmp_path: Path, query: str) -> list[str]:
    return [match.node.path for match in find_files(walk_project(tmp_path), query).matches]


def test_better_matches_come_first(tmp_path: Path) -> None:
    _make(
        tmp_path,
        *("lib/auth.py", "lib/old_auth.py", "auth/views.py", "lib/reauth/x.py", "a_u_t_h.txt"),
        "lib/a/under/two/hops.md",
        "other.py",
    )
    assert _found(tmp_path, "auth") == [
        "lib/auth.py",
        "lib/old_auth.py",
        "auth/views.py",
        "lib/reauth/x.py",
        "a_u_t_h.txt",
        "lib/a/under/two/hops.md",
    ]


def test_every_word_must_match_and_case_does_not_matter(tmp_path: Path) -> None:
    _make(tmp_path, "Docs/API.md", "docs/other.md", "lib/api.py")
    assert _found(tmp_path, "docs api") == ["Docs/API.md"]
    assert _found(tmp_path, "API") == ["lib/api.py", "Docs/API.md"]


def test_letters_of_two_code_points_are_found_by_one(tmp_path: Path) -> None:
    _make(tmp_path, "cafe\u0301.md")
    assert _found(tmp_path, "caf\u00e9") == _found(tmp_path, "CAFE\u0301") == ["cafe\u0301.md"]


def test_no_words_find_everything(tmp_path: Path) -> None:
    _make(tmp_path, "a", "b/c")
    found = find_files(walk_project(tmp_path), "  ", limit=1)
    assert (len(found.matches), found.total) == (1, 2)


def test_the_matching_characters_are_named(tmp_path: Path) -> None:
    _make(tmp_path, "lib/user_handler.py")
    (match,) = find_files(walk_project(tmp_path), "lib uhand").matches
    marked = ["lib/user_handler.py"[start:end] for start, end in match.spans]
    assert marked == ["lib", "u", "hand"]


@given(
    st.lists(st.text("aAbB/_.İß", min_size=1, max_size=8), max_size=5),
    st.text("aAbB/_.*[İß ", max_size=6),
)
def test_any_query_over_any_names(names: list[str], query: str) -> None:
    files = tuple(Node(name, False) for name in names)
    lowered = tuple((low := name.lower(), low.rfind("/") + 1) for name in names)
    found = find_files(ProjectTree({}, files, lowered=lowered), query)
    for match in found.matches:
        assert all(0 <= start < end <= len(match.node.path) for start, end in match.spans)
    holding = [
        name for name in names if all(word in name.lower() for word in query.lower().split())
    ]
    assert set(holding) <= {match.node.path for match in found.matches}
