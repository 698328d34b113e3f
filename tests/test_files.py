"""Files are written whole, and nothing is written or read through what a repository planted."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from orch_tui.drafts import Drafts
from orch_tui.errors import OrchError, SourceError
from orch_tui.files import write
from orch_tui.paths import linked_part


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The record folder of a project."""
    folder = tmp_path / "project" / ".claude" / "orchestration"
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def victim(tmp_path: Path) -> Path:
    """A folder outside of the project, with a file that must stay as it is."""
    folder = tmp_path / "victim"
    folder.mkdir()
    (folder / "x.draft").write_text("precious")
    return folder


def held(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in folder.iterdir()}


def test_a_link_is_found_wherever_it_stands(folder: Path, victim: Path) -> None:
    (folder / "shared").symlink_to(victim)
    (folder / "gone").symlink_to("nowhere")
    (folder.parents[1] / "alias").symlink_to(victim)
    (folder / "plain").mkdir()
    assert linked_part(folder / "shared") == str(folder / "shared")
    assert linked_part(folder / "shared" / "a" / "b.md") == str(folder / "shared")
    assert linked_part(folder / "gone") == str(folder / "gone")
    assert linked_part(folder / "plain" / "new.md") is None
    assert linked_part(folder.parents[1] / "alias" / "a") is None, "no record folder"


def test_nothing_is_written_through_a_link_in_a_record_folder(folder: Path, victim: Path) -> None:
    (folder / "shared").symlink_to(victim)
    (folder / "x.md").symlink_to(victim / "x.draft")
    for target in (folder / "shared" / "new.md", folder / "shared" / "x.draft", folder / "x.md"):
        with pytest.raises(SourceError, match="is a symbolic link"):
            write(target, b"new")
    assert held(victim) == {"x.draft": "precious"}


def test_the_unfinished_file_goes_through_no_link(
    tmp_path: Path, victim: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "urandom", bytes)  # a name that can be foreseen, at last
    planted = tmp_path / ".x.md.00000000.tmp"
    planted.symlink_to(victim / "x.draft")
    with pytest.raises(SourceError):
        write(tmp_path / "x.md", b"new")
    assert planted.is_symlink()
    assert held(victim) == {"x.draft": "precious"}


@pytest.mark.parametrize("linked", ["folder", "file"])
def test_drafts_are_neither_read_nor_kept_nor_dropped_through_a_link(
    folder: Path, victim: Path, linked: str
) -> None:
    drafts = Drafts.beside(folder / "execution.db")
    if linked == "folder":
        drafts.folder.symlink_to(victim)
    else:
        drafts.folder.mkdir()
        (drafts.folder / "x.draft").symlink_to(victim / "x.draft")
    assert (drafts.load("x"), drafts.names()) == ("", set())
    for text in ("new", ""):
        with pytest.raises(OrchError, match="is a symbolic link"):
            drafts.save("x", text)
    assert held(victim) == {"x.draft": "precious"}


def test_a_draft_that_is_a_pipe_is_none(folder: Path) -> None:
    drafts = Drafts.beside(folder / "execution.db")
    drafts.folder.mkdir()
    os.mkfifo(drafts.folder / "x.draft")
    assert (drafts.load("x"), drafts.names()) == ("", set())
