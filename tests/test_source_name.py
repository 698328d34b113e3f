"""The grammar of a context source, with files to look at and without."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as s

from orch_tui.source_name import (
    FreeText,
    NamedFile,
    PastResult,
    SourceName,
    StandardInput,
    format_source,
    parse_source,
    path_of,
    split_part_number,
)


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("-", StandardInput()),
        ("text:", FreeText("")),
        ("text:see a.md#B:3", FreeText("see a.md#B:3")),
        ("exec-003:message", PastResult("exec-003", "message")),
        ("exec-014@ann-laptop:outputs", PastResult("exec-014@ann-laptop", "outputs")),
        ("exec-003:messages", NamedFile("exec-003:messages")),
        ("./exec-003:message", NamedFile("./exec-003:message")),
        ("/x/a:message", NamedFile("/x/a:message")),
        ("~/a:message", NamedFile("~/a:message")),
        (":message", NamedFile(":message")),
        ("lib/a.py", NamedFile("lib/a.py")),
        ("lib/a.py:7", NamedFile("lib/a.py", lines=(7, 7))),
        ("lib/a.py:10-80", NamedFile("lib/a.py", lines=(10, 80))),
        ("lib/a.py:10-", NamedFile("lib/a.py:10-")),
        (":10", NamedFile(":10")),
        ("lib/a.py#Parser.parse", NamedFile("lib/a.py", part="Parser.parse")),
        ("docs/a.md#A/B testing: 3", NamedFile("docs/a.md", part="A/B testing: 3")),
        ("docs/a.md# C# basics ", NamedFile("docs/a.md", part="C# basics")),
        ("docs/a.md#/users", NamedFile("docs/a.md", part="/users")),
        ("docs/a.md#Name[2]", NamedFile("docs/a.md", part="Name[2]")),
        ("README#Install", NamedFile("README", part="Install")),
        ("a.md#", NamedFile("a.md#")),
        ("#a.md", NamedFile("#a.md")),
        ("docs/#a.md", NamedFile("docs/#a.md")),
        ("c#", NamedFile("c#")),
        ("c#/a.py", NamedFile("c#/a.py")),
        ("c#/Makefile", NamedFile("c#/Makefile")),
        ("c#/a.py:3", NamedFile("c#/a.py", lines=(3, 3))),
        ("c#/a.py#run", NamedFile("c#/a.py", part="run")),
        ("v1.0#/a.py", NamedFile("v1.0#/a.py")),
        ("asp.net#/a.cs", NamedFile("asp.net#/a.cs")),
        (".net#/a.cs", NamedFile(".net#/a.cs")),
        ("notes#1.md", NamedFile("notes#1.md")),
        ("", NamedFile("")),
    ],
)
def test_a_source_is_read_by_how_it_is_written(written: str, name: SourceName) -> None:
    assert parse_source(written) == name


@pytest.mark.parametrize(
    ("written", "there", "name"),
    [
        ("a.md#B", "a.md#B", NamedFile("a.md#B")),
        ("a.md#B#C", "a.md#B", NamedFile("a.md#B", part="C")),
        ("a.md#B#C", "a.md", NamedFile("a.md", part="B#C")),
        ("a.md:1", "a.md:1", NamedFile("a.md:1")),
        ("a.md:1:2", "a.md:1", NamedFile("a.md:1", lines=(2, 2))),
        ("a#1.md#B", "a#1.md", NamedFile("a#1.md", part="B")),
        ("notes#1.md", "notes", NamedFile("notes", part="1.md")),
        ("text:a", "text:a", NamedFile("text:a")),
        ("exec-003:message", "exec-003:message", NamedFile("exec-003:message")),
        ("exec-003:message", "exec-003", PastResult("exec-003", "message")),
        ("-", "-", StandardInput()),
        ("a.md#B", "b.md", NamedFile("a.md", part="B")),
    ],
)
def test_what_exists_under_the_longest_name_wins(
    written: str, there: str, name: SourceName
) -> None:
    assert parse_source(written, exists=there.__eq__) == name


def test_a_number_of_thousands_of_digits_is_one() -> None:
    most = 999_999_999
    assert parse_source(f"a.md:{'1' * 5_000}") == NamedFile("a.md", lines=(most, most))
    assert parse_source(f"a.md:{'0' * 5_000}7") == NamedFile("a.md", lines=(7, 7))
    assert split_part_number(f"Name[{'1' * 5_000}]") == ("Name", most)
    assert split_part_number("Name[2]") == ("Name", 2)
    assert split_part_number("Name") == ("Name", None)
    assert split_part_number("[2]") == ("[2]", None)
    assert parse_source("a.md:٣") == NamedFile("a.md:٣")


@pytest.mark.parametrize(
    ("source", "path"),
    [
        ("./lib/a.py:3", "lib/a.py"),
        ("./-", "-"),
        ("-a.md", "-a.md"),
        ("-", ""),
        ("text:lib/a.py", ""),
        ("exec-003:outputs", ""),
    ],
)
def test_the_path_of_a_recorded_source(source: str, path: str) -> None:
    assert path_of(source) == path


@pytest.mark.parametrize("path", ["-", "text:h", "exec-003:message"])
def test_a_file_is_never_formatted_as_something_else(path: str) -> None:
    assert format_source(NamedFile(path)) == f"./{path}"
    assert parse_source(format_source(NamedFile(path))) == NamedFile(f"./{path}")


PIECES = s.sampled_from(
    ["a", ".py", ".md", "/", "#", ":", "-", "12", "text:", "exec-1", "@ann", ":message", "./", " "]
)
WRITTEN = s.one_of(s.text(), s.lists(PIECES, max_size=8).map("".join))


@given(WRITTEN)
def test_what_is_formatted_is_read_back_as_the_same(written: str) -> None:
    name = parse_source(written)
    again = parse_source(format_source(name))
    assert path_of(format_source(name)) == path_of(written)
    if path_of(written) == written:
        assert again == name
    elif isinstance(name, NamedFile) and isinstance(again, NamedFile):
        assert (again.lines, again.part) == (name.lines, name.part)
    else:
        assert again == name


@given(WRITTEN, s.frozensets(WRITTEN, max_size=4))
def test_with_files_there_a_path_that_exists_is_taken(written: str, there: frozenset[str]) -> None:
    name = parse_source(written, exists=there.__contains__)
    if written in there and written != "-":
        assert name == NamedFile(written)
    elif isinstance(name, NamedFile) and name != parse_source(written):
        assert name.path in there


def test_a_source_of_a_million_marks_is_read(hostile: str = "#:1" * 400_000) -> None:
    assert isinstance(parse_source(hostile), NamedFile)
    assert isinstance(parse_source(hostile, exists=lambda path: False), NamedFile)
