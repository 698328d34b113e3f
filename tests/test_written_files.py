"""The list of files that orch was told to write."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from orch_tui import written_files
from orch_tui.paths import state_folder
from orch_tui.written_files import list_written, note_written


def test_files_are_listed_once_while_they_are_there(tmp_path: Path) -> None:
    names = [str(tmp_path / name) for name in ("a\nb.md", "c.md", "gone.md")]
    for name in names:
        Path(name).touch()
        note_written(name)
    note_written(names[0])
    Path(names[2]).unlink()
    assert list_written() == [names[1], names[0]]
    held = Path(state_folder(), "written-files").stat()
    assert stat.S_IMODE(held.st_mode) == 0o600


def test_a_long_list_is_made_shorter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(written_files, "_LARGEST", 2_000)
    monkeypatch.setattr(written_files, "MOST", 6)
    for number in range(60):
        path = tmp_path / f"{number}.md"
        path.touch()
        note_written(path)
    listed = list_written()
    assert listed[-1] == str(tmp_path / "59.md") and len(listed) < 60


def test_a_list_that_cannot_be_kept_stops_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outside = tmp_path / "outside"
    outside.write_text("mine")
    folder = Path(state_folder())
    folder.mkdir(parents=True)
    os.symlink(outside, folder / "written-files")
    note_written(outside)
    assert outside.read_text() == "mine" and list_written() == []
