"""Values, texts and outputs as commands write them for people."""

from __future__ import annotations

import pytest

from orch_tui.cli.printing import cell, in_words
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
