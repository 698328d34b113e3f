"""Patterns of ignore files, met as git meets them."""

from __future__ import annotations

from pathlib import Path

import pytest

from orch_tui.prepare.ignore_patterns import PatternList, parse_ignore_file, parse_pattern
from orch_tui.prepare.tree import walk_project
from tests.prepare.random_trees import make_files


@pytest.mark.parametrize(
    ("line", "met", "not_met"),
    [
        ("*.log", "a.log x/.log", "a.logs"),
        ("/a", "a", "x/a"),
        ("a/b", "a/b", "x/a/b"),
        ("a/**/b", "a/b a/x/b a/x/y/b", "ab a/bb"),
        ("**/b", "b x/b x/y/b", "xb"),
        ("a/**", "a/b a/b/c", "a"),
        ("a/*", "a/b", "a/b/c"),
        ("foo**/b", "foob/b foo/x/b foob", "fob"),  # git compares what is before the star alone
        ("?", "a", "é"),
        ("??", "é", "a"),
        ("[a-c]x", "ax cx", "dx"),
        ("[!a-c]x", "dx", "ax"),
        ("[]x]", "] x", "a"),
        ("[[:upper:]]", "A", "a 1"),
        ("[a", "", "[a a"),
        ("a\\", "", "a a\\"),
        ("\\#a", "#a", "a"),
        ("a  ", "a", "a~~"),
        ("a\\ ", "a~", "a"),
        ("a\t", "", "a"),
        ("a\r", "a", ""),
        ("\ufeffa", "a", ""),
    ],
)
def test_a_pattern_is_met_by_what_git_says(line: str, met: str, not_met: str) -> None:
    patterns = PatternList(parse_ignore_file(line.encode()))

    def meets(path: str) -> bool:
        name = path.replace("~", " ").encode()
        return patterns.find_verdict(name, is_folder=False) is True

    assert [path for path in met.split() if not meets(path)] == []
    assert [path for path in not_met.split() if meets(path)] == []


def test_case_counts_unless_git_is_told_otherwise() -> None:
    lines = parse_ignore_file(b"Ab\n*.LOG\n/D/[e-g]\n")
    exact, folded = PatternList(lines), PatternList(lines, ignore_case=True)
    for path in (b"aB", b"x.log", b"d/F"):
        assert exact.find_verdict(path, is_folder=False) is None
        assert folded.find_verdict(path, is_folder=False) is True


@pytest.mark.timeout(60)
def test_a_pattern_made_to_take_for_ever_does_not(tmp_path: Path) -> None:
    make_files(tmp_path, "a" * 250, "/".join(["a" * 20] * 30) + "/end")
    lines = ["*a" * 100 + "b", "a/" + "**/a*/" * 50 + "b", "**/" + "*a*/" * 40 + "x", "[a" * 2000]
    lines += [f"?x{n}" for n in range(6_000)]
    lines += ["?" * 100_000, "**/*" * 300 + "b", "a**" * 500 + "/b"]
    (tmp_path / ".gitignore").write_text("\n".join(lines))
    assert len(walk_project(tmp_path).files) == 3


@pytest.mark.timeout(60)
def test_many_patterns_made_to_be_large_or_slow_are_asked_in_little_steps() -> None:
    large = [b"[!a]" * 240 + b"%d" % number for number in range(2_000)]
    slow = [b"**/*a*b%d*/x" % number for number in range(4_000)]
    path = b"ab/" * 1_300 + b"x"
    for lines in (large, slow):
        listed = PatternList(map(parse_pattern, [*lines, b"kept?", b"!kept1"]))
        assert listed.find_verdict(path, is_folder=False) is None
        assert listed.find_verdict(b"kept2", is_folder=False) is True
        assert listed.find_verdict(b"kept1", is_folder=False) is False


def test_the_last_of_many_patterns_with_wildcards_decides() -> None:
    lines = [b"%sx%d?" % (b"!" * (number % 2), number) for number in range(300)]
    listed = PatternList(map(parse_pattern, [*lines, b"x7*", b"!?7_"]))
    for number in range(300):
        name = b"x%d_" % number
        expected = name != b"x7_" and (number % 2 == 0 or name.startswith(b"x7"))
        assert listed.find_verdict(name, is_folder=False) is expected
