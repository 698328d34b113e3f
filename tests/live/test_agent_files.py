"""Where the sessions are whose agents are followed."""

from __future__ import annotations

import os
from pathlib import Path

from orch_tui.live.agent_files import ProjectFolders, SessionFolder

NOW = 1_790_000_000.0


def test_a_session_is_looked_for_where_something_changed(tmp_path: Path) -> None:
    """A folder whose time is what it was when the session was not there is left alone."""
    here, there = tmp_path / "-here", tmp_path / "-there"
    for folder in (here, there):
        folder.mkdir()
        os.utime(folder, (NOW - 100, NOW - 100))
    (tmp_path / "notes.txt").write_text("no folder")
    folders, wanted = ProjectFolders(str(tmp_path)), SessionFolder("s1")
    folders.look(NOW)
    wanted.find(folders)
    assert not wanted.is_found
    (there / "s1.jsonl").write_text("")
    os.utime(there, (NOW - 100, NOW - 100))
    folders.look(NOW)
    wanted.find(folders)
    assert not wanted.is_found, "nothing seems to have changed"
    os.utime(there, (NOW - 50, NOW - 50))
    wanted.find(folders)
    assert not wanted.is_found, "nobody looked"
    folders.look(NOW)
    wanted.find(folders)
    assert wanted.is_found
    other = SessionFolder("s1")
    other.find(folders)
    assert other.is_found, "what one did not find is looked for by another"


def test_a_folder_that_changed_just_now_is_looked_into_again(tmp_path: Path) -> None:
    """Within a tick of the clock it can change again and have the same time."""
    folder = tmp_path / "-here"
    folder.mkdir()
    folders, wanted = ProjectFolders(str(tmp_path)), SessionFolder("s1")
    os.utime(folder, (NOW, NOW))
    folders.look(NOW + 0.5)
    wanted.find(folders)
    (folder / "s1").mkdir()
    os.utime(folder, (NOW, NOW))
    folders.look(NOW + 0.9)
    wanted.find(folders)
    assert wanted.is_found


def test_what_is_no_session_and_no_folder_is_not_found(tmp_path: Path) -> None:
    folders = ProjectFolders(str(tmp_path / "gone"))
    folders.look(NOW)
    for name in ("../s1", "", "s" * 101):
        wanted = SessionFolder(name)
        wanted.find(folders)
        wanted.look(NOW)
        assert (wanted.is_found, wanted.files) == (False, {})
