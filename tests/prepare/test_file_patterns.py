"""A pattern finds what a shell finds, and looks into each folder once."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from orch_tui.prepare.file_patterns import match_pattern
from orch_tui.prepare.sources import SourceReader
from tests.prepare.reading import make_project, read_refusal


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return make_project(tmp_path)


@pytest.fixture
def reader(project: Path) -> SourceReader:
    return SourceReader(project, project)


def test_a_pattern_stands_for_its_files_in_order(reader: SourceReader) -> None:
    for name in ("lib/z.py", "lib/sub/b.py", "lib/.hidden.py", ".git/c.py"):
        path = reader.root / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(name)
    found = [source.name for source in reader.read_source("**/*.py")]
    assert found == ["lib/a.py", "lib/sub/b.py", "lib/z.py"]
    assert [source.name for source in reader.read_source("lib/**")] == found
    assert [s.name for s in reader.read_source(f"{reader.root}/lib/?.py")] == [
        "lib/a.py",
        "lib/z.py",
    ]
    assert "matches no file" in read_refusal(reader, "lib/*.go").message


def test_a_pattern_takes_what_is_hidden_only_by_a_name_that_asks_for_it(project: Path) -> None:
    for name in ("b.md", ".c.md", ".x.md", "lib/d.md", ".github/e.md", ".github/.f.md"):
        path = project / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(name)
    (project / ".gitignore").write_text("b.md\n")
    reader = SourceReader(project / "lib", project)

    def found(pattern: str) -> list[str]:
        return [source.name for source in reader.read_source(pattern)]

    assert "matches no file" in read_refusal(reader, "../*.md").message
    (project / ".gitignore").unlink()
    assert found("../*.md") == ["b.md"]
    assert found("../lib/../*.md") == ["b.md"]
    assert found("./*.md") == ["lib/d.md"]
    assert found("../.*.md") == [".c.md", ".x.md"]
    assert found("../.github/*.md") == [".github/e.md"]
    assert found(f"{project}/.github/.*.md") == [".github/.f.md"]


def test_a_pattern_lists_each_folder_once(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for folder in ("one/a/b", "one/c", "two"):
        (project / "deep" / folder).mkdir(parents=True)
        (project / "deep" / folder / "x.py").write_text("x = 1\n")
    listed: list[str] = []
    scandir = os.scandir

    def counted(path: Any = ".") -> Any:
        listed.append(str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", counted)
    found = match_pattern(project, "deep/**/*.py")
    assert sorted(path.relative_to(project).as_posix() for path in found.paths) == [
        *("deep/one/a/b/x.py", "deep/one/c/x.py", "deep/two/x.py"),
    ]
    monkeypatch.undo()
    assert len(listed) == len(set(listed)) == 6


@pytest.mark.parametrize(
    "pattern",
    [
        *("**/*", "**/x.py", "*/**/*.py", "lib/**/../*", "**/**/*.md", "[l]ib/*", "lib/./*.py"),
        *("*/.hidden/*", "?ib/a.py", "**/l/*", "l/*", "lib/*/", "l/**/*"),
    ],
)
def test_a_pattern_finds_what_pathlib_finds(project: Path, pattern: str) -> None:
    for name in ("lib/x.py", "lib/deep/x.py", "lib/.hidden/y.py", "docs/deep/z.md"):
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_text("text\n")
    (project / "l").symlink_to("lib")
    (project / "lib" / "round").symlink_to(".")
    ours, theirs = (
        {os.path.normpath(path) for path in paths if path.is_file()}
        for paths in (match_pattern(project, pattern).paths, project.glob(pattern))
    )
    assert ours == theirs
