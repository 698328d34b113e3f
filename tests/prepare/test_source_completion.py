"""What a source that is being typed may become."""

from __future__ import annotations

from pathlib import Path

import pytest

from orch_tui.prepare.source_completion import MOST_COMPLETIONS, complete_source
from orch_tui.prepare.sources import SourceReader
from orch_tui.prepare.tree import walk_project


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "parser.py").write_text(
        "class Parser:\n    def parse(self):\n        return 1\n\ndef reparse():\n    return 2\n"
    )
    (tmp_path / "lib" / "empty.md").write_text("")
    (tmp_path / "notes#1.md").write_text("# One\n\nWords.\n")
    (tmp_path / "logo.png").write_bytes(b"\x89PNG\0")
    return tmp_path


def completed(folder: Path, typed: str) -> list[str]:
    reader = SourceReader(folder, folder)
    found = complete_source(typed, walk_project(folder), reader, family="v4.8")
    return [each.source for each in found]


def test_letters_are_completed_to_files_and_then_to_their_parts(folder: Path) -> None:
    assert completed(folder, "pars") == ["lib/parser.py"]
    assert completed(folder, "lib/parser.py#") == [
        f"lib/parser.py#{name}" for name in ("Parser", "Parser.parse", "reparse", "(skeleton)")
    ]
    assert completed(folder, "lib/parser.py#PARSE") == [
        f"lib/parser.py#{name}" for name in ("Parser", "Parser.parse", "reparse")
    ]
    assert completed(folder, "notes#1.md#one") == ["notes#1.md#One"]
    assert completed(folder, "lib/parser.py:") == ["lib/parser.py:1-6"]


def test_parts_come_with_their_tokens(folder: Path) -> None:
    reader = SourceReader(folder, folder)
    (part,) = complete_source("lib/parser.py#rep", walk_project(folder), reader, family="v4.8")
    assert part.count and part.count.tokens > 0


@pytest.mark.parametrize(
    "typed",
    [
        *("", "  ", "text:parser", "nothing-like-it", "lib/empty.md#", "lib/empty.md:"),
        *("logo.png#x", "lib/parser.py#nothing", "gone.py#x", "lib/parser.py:2"),
    ],
)
def test_what_cannot_be_completed_is_not(folder: Path, typed: str) -> None:
    assert completed(folder, typed) == []


def test_of_many_files_the_best_are_offered(folder: Path) -> None:
    for number in range(MOST_COMPLETIONS + 5):
        (folder / f"many{number}.txt").write_text("x")
    assert len(completed(folder, "many")) == MOST_COMPLETIONS
