from __future__ import annotations

import os
import stat
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from orch_tui.errors import ConflictError, NotFoundError, UsageError
from orch_tui.models.database import Record
from orch_tui.paths import state_folder
from orch_tui.record.claude_sessions import ensure_claude_session
from orch_tui.record.session_choice import (
    CLAUDE_VARIABLE,
    VARIABLE,
    choose_session,
    forget_session,
    has_open_plan,
    keep_session,
)
from orch_tui.record.sessions import archive_session, complete_session, init_session
from tests.record.reporting import report


def opened(record: Record, project: str = "/p") -> str:
    return init_session(record, "x", project=project).session_id


def chosen(record: Record) -> tuple[str, str]:
    found = choose_session(record, "/p", ("/p",))
    return found.session.session_id, found.reason


@pytest.fixture
def pane(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMUX", "/tmp/tmux-0/default,1,0")
    monkeypatch.setenv("TMUX_PANE", "%1")


def test_without_a_choice_the_newest_is_meant_that_somebody_opened(record: Record) -> None:
    with pytest.raises(NotFoundError, match="no open session"):
        choose_session(record, "/p", ("/p",))
    first, second, closed, hidden = (opened(record) for _ in range(4))
    opened(record, "/q")
    complete_session(record, closed)
    archive_session(record, hidden)
    assert chosen(record) == (second, "the newest")
    complete_session(record, second, "failed")
    assert chosen(record) == (first, "the newest")
    complete_session(record, first)
    with pytest.raises(NotFoundError) as caught:
        choose_session(record, "/p", ("/p",))
    assert f"({closed} is the newest)" in caught.value.hint


def test_it_is_told_which_one_was_taken_where_others_are_open(record: Record) -> None:
    first = opened(record)
    assert choose_session(record, "/p", ("/p",)).remark == ""
    second = opened(record)
    found = choose_session(record, "/p", ("/p",))
    assert found.others == (first,)
    assert found.remark.startswith(f"session {second}, the newest (also open: {first};")
    for _ in range(2):
        opened(record)
    shown = choose_session(record, "/p", ("/p",))
    assert f"(also open: {', '.join(shown.others)}; --session-id names another" in shown.remark
    assert len(shown.others) == 3
    opened(record)
    found = choose_session(record, "/p", ("/p",))
    assert found.others[1:] == shown.others
    assert f"(also open: {', '.join(found.others[:3])}, ...; " in found.remark


def test_the_variable_goes_before_all(
    record: Record, pane: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = opened(record), opened(record)
    keep_session(record, "/p", second)
    monkeypatch.setenv(VARIABLE, first)
    assert chosen(record) == (first, f"as {VARIABLE} says")
    assert (
        f"session {first}, as {VARIABLE} says (also open: {second};"
        in choose_session(record, "/p", ("/p",)).remark
    )
    monkeypatch.setenv(VARIABLE, second)
    assert choose_session(record, "/p", ("/p",)).remark == "", "no other could have been meant"
    monkeypatch.setenv(VARIABLE, "orch-2026-11-22-0001")
    with pytest.raises(NotFoundError) as caught:
        choose_session(record, "/p", ("/p",))
    assert VARIABLE in caught.value.hint and first in caught.value.hint
    monkeypatch.setenv(VARIABLE, "")
    assert chosen(record)[0] == second


@pytest.mark.parametrize("close", [complete_session, archive_session])
def test_a_closed_one_is_meant_where_the_variable_names_it_and_that_is_said(
    record: Record, monkeypatch: pytest.MonkeyPatch, close: Callable[[Record, str], object]
) -> None:
    first = opened(record)
    opened(record)
    close(record, first)
    monkeypatch.setenv(VARIABLE, first)
    found = choose_session(record, "/p", ("/p",))
    assert found.session.session_id == first
    assert found.remark == f"session {first}, as {VARIABLE} says, is closed"


def test_without_a_project_every_session_of_the_record_may_be_meant(record: Record) -> None:
    opened(record)
    other = opened(record, "/q")
    assert choose_session(record, "/p").session.session_id == other
    complete_session(record, other)
    complete_session(record, choose_session(record, "/p").session.session_id)
    with pytest.raises(NotFoundError) as caught:
        choose_session(record, "/p")
    assert f"({other} is the newest)" in caught.value.hint


def test_a_session_is_planned_in_by_its_phase_while_it_is_open(record: Record) -> None:
    assert has_open_plan(record, None) is False
    with record.write():
        ensure_claude_session(record, "c1", project="/p", started_at=record.now())
    assert not has_open_plan(record, ("/p",)), "what runs by itself has no phase"
    session = opened(record)
    assert has_open_plan(record, ("/p",)) is True
    assert has_open_plan(record, None) is True
    assert not has_open_plan(record, ("/q",))
    complete_session(record, session)
    assert not has_open_plan(record, ("/p",))


def test_what_was_chosen_is_meant_there_until_it_is_closed(
    record: Record, pane: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = opened(record), opened(record)
    keep_session(record, "/p", first)
    assert chosen(record) == (first, "chosen here")
    monkeypatch.setenv("TMUX_PANE", "%2")
    assert chosen(record) == (second, "the newest"), "elsewhere it was not chosen"
    monkeypatch.setenv("TMUX_PANE", "%1")
    complete_session(record, first)
    assert chosen(record) == (second, "the newest")
    assert not any((Path(state_folder()) / "current-sessions").iterdir())
    keep_session(record, "/p", second)
    forget_session(record, "/p")
    assert chosen(record)[1] == "the newest"


def test_only_an_open_session_is_kept_and_only_where_there_is_somewhere(
    record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = opened(record)
    with pytest.raises(UsageError) as caught:
        keep_session(record, "/p", first)
    assert f"{VARIABLE}={first}" in caught.value.hint
    monkeypatch.setenv(CLAUDE_VARIABLE, "c1")
    complete_session(record, first)
    with pytest.raises(ConflictError) as closed:
        keep_session(record, "/p", first)
    assert closed.value.hint == "--session-id names a closed one"
    archive_session(record, hidden := opened(record))
    with pytest.raises(ConflictError):
        keep_session(record, "/p", hidden)
    with pytest.raises(NotFoundError):
        keep_session(record, "/p", "nobody")


def test_each_claude_session_means_what_was_opened_in_its_shell(
    record: Record, pane: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for claude in ("c1", "c2"):
        monkeypatch.setenv(CLAUDE_VARIABLE, claude)
        keep_session(record, "/p", opened(record))
    monkeypatch.setenv(CLAUDE_VARIABLE, "c1")
    assert chosen(record) == ("orch-2026-11-22-001", "chosen here")


def test_a_claude_session_means_the_one_its_runs_are_in_then_itself(
    record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(CLAUDE_VARIABLE, "c1")
    first = opened(record)
    with record.write():
        own = ensure_claude_session(record, "c1", project="/p", started_at=record.now())
        ensure_claude_session(record, "c2", project="/p", started_at=record.now())
    assert chosen(record) == (own, "of this Claude Code session")
    assert choose_session(record, "/p", ("/p",)).others == (first,)
    with record.write():
        columns = {"session_id": first, "agent_type": "Explore"}
        report(record, "deployed", columns, source="manual", keys=["agent:c1/a1"])
    opened(record)
    assert chosen(record) == (first, "with runs of this Claude Code session")


def test_a_choice_that_cannot_be_trusted_is_none(
    record: Record, pane: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = opened(record), opened(record)
    keep_session(record, "/p", first)
    folder = Path(state_folder()) / "current-sessions"
    (file,) = folder.iterdir()
    folder.chmod(0o777)
    assert chosen(record)[0] == second
    folder.chmod(0o700)
    for damage in (b"\xff\n", b"nobody\n", b""):
        file.write_bytes(damage)
        assert chosen(record)[0] == second


def test_a_choice_is_for_its_owner_alone_and_for_a_project_of_any_name(
    record: Record, pane: None
) -> None:
    first = opened(record)
    opened(record)
    root = b"/p/\xff"
    keep_session(record, os.fsdecode(root), first)
    assert choose_session(record, os.fsdecode(root), ("/p",)).session.session_id == first
    folder = Path(state_folder()) / "current-sessions"
    (file,) = folder.iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_choices_that_nobody_uses_are_forgotten(record: Record, pane: None) -> None:
    session = opened(record)
    keep_session(record, "/p", session)
    folder = Path(state_folder()) / "current-sessions"
    (used,) = folder.iterdir()
    for file, days in ((used, 59), (folder / "lately", 59), (folder / "old", 60.5)):
        file.touch()
        then = time.time() - days * 86_400
        os.utime(file, (then, then))
    assert chosen(record) == (session, "chosen here")
    assert time.time() - used.stat().st_mtime < 86_400, "it was used just now"
    (folder / "link").symlink_to("nowhere")
    os.utime(folder / "link", (0, 0), follow_symlinks=False)
    keep_session(record, "/p", session)
    assert {file.name for file in folder.iterdir()} == {used.name, "lately"}


@contextmanager
def terminal() -> Iterator[str]:
    """A terminal that commands are typed in, until it is closed."""
    kept = os.dup(0)
    ours, theirs = os.openpty()
    try:
        os.dup2(theirs, 0)
        yield os.ttyname(0)
    finally:
        os.dup2(kept, 0)
        for each in (kept, ours, theirs):
            os.close(each)


def test_a_choice_ends_with_its_terminal(record: Record) -> None:
    first = opened(record)
    opened(record)
    names = []
    for reason in ("the newest", "the newest"):  # Linux gives the name of the first again
        with terminal() as name:
            names.append(name)
            assert chosen(record)[1] == reason
            keep_session(record, "/p", first)
            assert chosen(record) == (first, "chosen here")
    assert sys.platform != "linux" or names[0] == names[1]
