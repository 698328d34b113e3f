"""A project to read sources from, and what reading gives."""

from __future__ import annotations

from pathlib import Path

import pytest

from orch_tui.errors import SourceError
from orch_tui.prepare.sources import SourceReader


def make_project(tmp_path: Path) -> Path:
    """Make a project of a file of code and one of text."""
    root = tmp_path / "project"
    (root / "lib").mkdir(parents=True)
    (root / "docs").mkdir()
    (root / "lib" / "a.py").write_bytes(b"one\r\ntwo\nthree")
    (root / "docs" / "a.md").write_text("# Intro\nhello\n# Use, and more\nbye\n")
    return root


def read_only_source(reader: SourceReader, source: str, *sections: str) -> tuple[str, bytes]:
    (found,) = reader.read_source(source, sections)
    return found.name, found.data


def read_refusal(reader: SourceReader, source: str) -> SourceError:
    with pytest.raises(SourceError) as refused:
        reader.read_source(source)
    return refused.value


def write_files(root: Path, *paths: str, text: str = "x\n") -> None:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
