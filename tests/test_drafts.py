"""Drafts: what was typed is there again, byte for byte."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from orch_tui.drafts import Drafts
from orch_tui.errors import OrchError

HOSTILE = "a\r\nb\rc\u2028d\x00\x1b[31m\udc80\ud800é\n\n"


def test_a_draft_comes_back_exactly_and_is_gone_when_dropped(tmp_path: Path) -> None:
    drafts = Drafts(tmp_path / "drafts")
    assert (drafts.load("final-message exec/001"), drafts.names()) == ("", set())
    drafts.save("final-message exec/001", HOSTILE)
    assert drafts.load("final-message exec/001") == HOSTILE
    assert drafts.names() == {"final-message exec/001"}
    drafts.drop("final-message exec/001")
    assert (drafts.load("final-message exec/001"), drafts.names()) == ("", set())


def test_drafts_that_come_before_the_record_are_kept_out_of_git_too(tmp_path: Path) -> None:
    database = tmp_path / ".claude" / "orchestration" / "execution.db"
    Drafts.beside(database).save("state", "{}")
    assert (database.parent / ".gitignore").read_text() == "*\n"
    (tmp_path / "own").mkdir()
    Drafts.beside(tmp_path / "own" / "execution.db").save("state", "{}")
    assert not (tmp_path / "own" / ".gitignore").exists()  # it was there before


def test_saves_from_many_threads_leave_one_whole_draft(tmp_path: Path) -> None:
    drafts = Drafts(tmp_path)
    texts = [str(n) * 200_000 for n in range(8)]
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda text: drafts.save("x", text), texts))
    assert drafts.load("x") in texts
    assert [path.name for path in tmp_path.iterdir()] == ["x.draft"]


def test_a_draft_that_cannot_be_kept_says_so(tmp_path: Path) -> None:
    (tmp_path / "drafts").write_text("a file where the folder should be")
    with pytest.raises(OrchError, match="cannot be kept"):
        Drafts(tmp_path / "drafts").save("x", "text")
