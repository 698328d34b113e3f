"""The grammar of a source's name, where no file can be looked at."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orch_tui.source_name import possible_paths, read_number, source_path, split_lines


@pytest.mark.parametrize(
    ("source", "path"),
    [
        ("./lib/a.py", "lib/a.py"),
        ("lib/a.py:10-80", "lib/a.py"),
        ("lib/a.py:10-", "lib/a.py"),
        ("docs/a.md#Input/Output 1.2", "docs/a.md"),
        ("docs/a.md#C# and F#", "docs/a.md"),
        ("c#/main.cs", "c#/main.cs"),
        ("c#/main.cs:3-9", "c#/main.cs"),
        ("c#/main.cs#Parser.parse", "c#/main.cs"),
        ("src/f#/x#y/.hidden/a.fs", "src/f#/x#y/.hidden/a.fs"),
        ("notes#1.md", "notes#1.md"),
        ("exec-003:message", "exec-003:message"),
    ],
)
def test_the_path_of_a_name(source: str, path: str) -> None:
    assert source_path(source) == path
    assert source_path(path) == path


@given(st.text("a#/.:-1", max_size=30))
def test_every_name_has_a_path_that_it_begins_with(source: str) -> None:
    paths = [path for path, _ in possible_paths(source)]
    assert paths == sorted(set(paths), key=len, reverse=True)
    assert source.removeprefix("./").startswith(source_path(source).removeprefix("./"))
    assert all(path == source or source.startswith(f"{path}#") for path in paths)


@given(st.integers(0, 10**18 - 1), st.integers(0, 5000))
def test_a_number_is_read_whatever_its_length(number: int, zeros: int) -> None:
    assert read_number("0" * zeros + str(number)) == number
    assert read_number(f"9{'1' * zeros}{number:018}") >= 10**18
    assert split_lines(f"a:b.py:{number}") == ("a:b.py", number, number)
