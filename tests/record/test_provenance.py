"""A record that somebody else may have made is named once, and never refused."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from orch_tui.app import OrchApp
from orch_tui.paths import state_folder
from orch_tui.project import Project
from orch_tui.record import provenance
from orch_tui.record.opening import open_record
from orch_tui.record.upkeep.doctor import examine_record


@pytest.fixture(autouse=True)
def records_of_ours() -> None:
    """Here they may be anybody's."""


def test_a_record_made_here_is_known(tmp_path: Path) -> None:
    path = tmp_path / "execution.db"
    open_record(path).close()
    assert provenance.is_known(path)
    assert list(provenance.list_remarks(path)) == []
    (mark,) = (Path(state_folder()) / "known-records").iterdir()
    assert mark.stat().st_mode & 0o777 == 0o600
    assert mark.parent.stat().st_mode & 0o777 == 0o700


def test_one_that_was_brought_is_named_until_it_is_known(tmp_path: Path) -> None:
    path, brought = tmp_path / "execution.db", tmp_path / "brought.db"
    open_record(path).close()
    shutil.copy(path, brought)
    open_record(brought).close()
    ((remark, remedy),) = provenance.list_remarks(brought)
    assert remark.startswith(f"{brought} is new to this user")
    assert "once" in remedy
    provenance.remember_record(brought)
    assert list(provenance.list_remarks(brought)) == []
    shutil.copy(path, tmp_path / "other.db")
    (tmp_path / "other.db").replace(brought)  # as a pull does it
    assert not provenance.is_known(brought)


def test_one_that_git_tracks_is_named_as_long_as_it_does(tmp_path: Path) -> None:
    def git(*words: str) -> None:
        subprocess.run(["git", "-C", str(tmp_path), *words], check=True, capture_output=True)

    path = tmp_path / ".claude" / "execution.db"
    path.parent.mkdir()
    open_record(path).close()
    assert not provenance.is_tracked(path)
    git("init", "-q")
    assert not provenance.is_tracked(path)
    git("add", "-f", str(path))
    ((remark, _),) = provenance.list_remarks(path)
    assert "is tracked by git" in remark
    git("rm", "--cached", "-q", "-f", str(path))
    assert not provenance.is_tracked(path)


def test_doctor_names_one_once(tmp_path: Path) -> None:
    path, brought = tmp_path / "execution.db", tmp_path / "brought.db"
    open_record(path).close()
    shutil.copy(path, brought)

    def told() -> list[str]:
        return [each.detail for each in examine_record(brought) if each.what == "provenance"]

    assert len(told()) == 1
    assert told() == []


async def test_the_app_names_one_once(tmp_path: Path) -> None:
    (tmp_path / "theirs").mkdir()
    (tmp_path / ".claude").mkdir()
    path = Project(tmp_path).database
    open_record(tmp_path / "theirs" / "execution.db").close()
    path.parent.mkdir(parents=True)
    shutil.copy(tmp_path / "theirs" / "execution.db", path)
    for expected in (1, 0):
        app = OrchApp(Project(tmp_path))
        async with app.run_test() as pilot:
            await app.workers.wait_for_complete()
            await pilot.pause()
            said = [each.message for each in app._notifications]
            assert len([text for text in said if "is new to this user" in text]) == expected


def test_where_nothing_can_be_kept_nothing_fails(tmp_path: Path) -> None:
    path = tmp_path / "execution.db"
    open_record(path).close()
    folder = Path(state_folder()) / "known-records"
    shutil.rmtree(folder)
    folder.write_text("in the way")
    provenance.remember_record(path)
    assert not provenance.is_known(path)
    assert provenance.is_known(tmp_path / "gone.db")


def test_who_has_no_home_is_told_of_no_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "execution.db"
    open_record(path).close()
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    monkeypatch.setenv("HOME", "")
    monkeypatch.setattr("os.getuid", lambda: 2**31 - 7)
    provenance.remember_record(path)
    assert provenance.is_known(path)
