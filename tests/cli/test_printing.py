"""Values, texts and outputs as commands write them for people."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

import pytest

from orch_tui.cli import printing
from orch_tui.cli.printing import Row, cell, in_words, print_rows
from orch_tui.cli.terminal_text import printable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("Größe 大きさ 🙂", "Größe 大きさ 🙂"),
        ("no\u00a0break\u3000wide", "no\u00a0break\u3000wide"),
        ("\x1b[31m", "\\x1b[31m"),
        ("a\nb\tc", "a\\nb\\tc"),
        ("\u202eright", "\\u202eright"),
        ("\udcff", "\\udcff"),
    ],
)
def test_what_is_not_printable_is_shown_as_its_escape(text: str, shown: str) -> None:
    assert printable(text) == shown


def test_lines_may_be_kept() -> None:
    assert printable("a\n\tb\r", lines=True) == "a\n\tb\\r"


@pytest.mark.parametrize(
    ("value", "name", "shown"),
    [
        (None, "", ""),
        (True, "", "yes"),
        (84_100, "", "84,100"),
        (1234, "output_id", "1234"),
        (0.5, "success_share", "50%"),
        (0.25, "", "0.25"),
        ([1, 2], "waits_for", "1, 2"),
        ([10, 20], "band", "10 to 20"),
        ([], "", ""),
        ({"tests": "pass", "coverage": 85}, "", "tests: pass, coverage: 85"),
        ("2026-11-22T10:00:59.000Z", "deployed_at", "2026-11-22 10:00"),
        ("2026-11-22T10:00:59.000Z", "at", "2026-11-22 10:00:59"),
        ("never", "deployed_at", "never"),
        ("two\nlines", "", "two lines"),
    ],
)
def test_values_are_written_for_people(value: object, name: str, shown: str) -> None:
    assert cell(value, name) == shown


@pytest.mark.parametrize(
    ("content", "shown"),
    [
        ("an insight", "an insight"),
        ({"tests": "pass"}, {"tests": "pass"}),
        ({"file_path": "a.py", "lines_added": 3, "lines_modified": 0}, "a.py (3 lines added)"),
        ({"file_path": "a.py", "lines_added": None, "missing": True}, "a.py (missing)"),
        ({"file_path": "lib", "problem": "is a folder"}, "lib (is a folder)"),
        ({"file_path": "a.py"}, "a.py"),
    ],
)
def test_an_output_is_told_in_words(content: object, shown: object) -> None:
    assert in_words(content) == shown


ROWS = [{"name": "one", "n": 1, "more": ""}, {"name": "twelve", "n": 12, "more": "x"}] * 2


def printed(capsys: pytest.CaptureFixture[str], form: str, rows: Iterable[Row] = ROWS) -> str:
    print_rows(rows, form)
    return capsys.readouterr().out


def test_an_array_is_printed_row_by_row_as_if_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    rows: list[Row] = [{"a": [1, {"b": "c\n"}], "d": {}}, {"a": []}]
    assert printed(capsys, "json", rows) == json.dumps(rows, indent=2) + "\n"
    assert printed(capsys, "json", []) == "[]\n"


@pytest.mark.parametrize("form", ["json", "jsonl", "csv", "table", "markdown"])
def test_rows_are_printed_before_the_last_is_there(
    form: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(printing, "_BLOCK", 1)

    def rows() -> Iterator[Row]:
        yield ROWS[0]
        yield ROWS[1]
        assert "one" in capsys.readouterr().out

    assert printed(capsys, form, rows()) != "nothing found"


def test_a_table_printed_in_blocks(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(printing, "_BLOCK", 1)
    assert printed(capsys, "table").splitlines() == [
        *("name  n", "one   1"),
        *("name     n  more", "twelve  12  x", "one      1", "twelve  12  x"),
    ]
    assert printed(capsys, "markdown").count("| name |") == 2
