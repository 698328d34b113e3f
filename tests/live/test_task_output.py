"""What a command in the background printed, from the file that the answer to its call names."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from orch_tui.live.live_agent import LiveTask
from orch_tui.live.live_words import describe_agent
from orch_tui.live.task_output import read_task
from tests.live.claude_files import SESSION, AgentWriter, ClaudeFiles, Follower

BASH = ("t1", "Bash", {"command": "make watch", "run_in_background": True})


@pytest.fixture
def output(tmp_path: Path) -> Path:
    file = tmp_path / "claude-0" / "-home-dev-project" / SESSION / "tasks" / "b12.output"
    file.parent.mkdir(parents=True)
    file.write_text("one\n")
    return file


def answer(output: Path) -> str:
    return (
        f"Command running in background with ID: {output.stem}. Output is being written to: "
        f"{output}. You will be told."
    )


@pytest.fixture
def agent(files: ClaudeFiles, output: Path) -> AgentWriter:
    return files.agent().prompt(0).calls(1, BASH).answers(2, "t1", answer(output))


def tasks(follower: Follower, at: float) -> tuple[LiveTask, ...]:
    return follower.agent(at).tasks


def test_the_last_lines_are_shown_as_long_as_it_runs(
    agent: AgentWriter, output: Path, follower: Follower
) -> None:
    assert tasks(follower, 3) == (LiveTask("b12", "make watch", 4, ("one",)),)
    with output.open("a") as file:
        file.write("\n10 %\r20 %\r\n\x1b[31mthree\u202e\nfour\n")
    seen = follower.agent(4)
    (task,) = seen.tasks
    assert task.lines == ("20 %", "[31mthree", "four")
    told = describe_agent(seen)
    start = told.index(("background", "make watch"))
    assert [words.strip() for _, words in told[start + 1 : start + 4]] == list(task.lines)
    output.unlink()
    assert tasks(follower, 5) == ()
    output.write_text("another\n")
    assert tasks(follower, 6) == (), "it has ended, whatever is there now"


def test_only_the_end_of_a_long_output_is_read(
    agent: AgentWriter, output: Path, follower: Follower
) -> None:
    output.write_bytes(b"x" * 5_000_000 + b"\nlast")
    (task,) = tasks(follower, 3)
    assert (task.size, task.lines) == (5_000_005, ("last",))


def test_a_command_that_was_moved_to_the_background_is_one_too(output: Path) -> None:
    moved = f"was moved to the background (ID: b12). Output is being written to: {output}."
    found = read_task(moved, "make", SESSION)
    assert found is not None and found.path == str(output)


@pytest.mark.parametrize(
    "path",
    [
        "/etc/passwd",
        "/tmp/claude-0/-p/other-session/tasks/b12.output",
        f"/tmp/claude-0/-p/{SESSION}/tasks/b13.output",
        f"/tmp/claude-0/-p/{SESSION}/tasks/../b12.output",
        f"tmp/claude-0/-p/{SESSION}/tasks/b12.output",
        f"/tmp/{SESSION}/tasks/b12.output",
    ],
)
def test_no_other_file_is_read(path: str) -> None:
    said = f"Command running in background with ID: b12. Output is being written to: {path}. "
    assert read_task(said, "make", SESSION) is None


def test_a_link_and_what_is_no_file_are_not_read(
    files: ClaudeFiles, output: Path, follower: Follower, tmp_path: Path
) -> None:
    secret = tmp_path / "secret"
    secret.write_text("secret\n")
    output.unlink()
    output.symlink_to(secret)
    pipe = output.with_name("b13.output")
    os.mkfifo(pipe)
    agent = files.agent().prompt(0)
    for number, file in enumerate((output, pipe)):
        agent.calls(1, (f"t{number}", *BASH[1:])).answers(2, f"t{number}", answer(file))
    assert tasks(follower, 3) == ()


# In the foreground

MAKE = ("t1", "Bash", {"command": "make"})


@pytest.fixture
def printed(files: ClaudeFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What the only command of a session prints, where its client writes it."""
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    files.client()
    key = files.agent().path.parents[2].name
    file = tmp_path / "tmp" / f"claude-{os.getuid()}" / key / SESSION / "tasks" / "b77.output"
    file.parent.mkdir(parents=True)
    file.write_text("compiling\n")
    return file


def test_the_only_command_of_a_session_shows_what_it_prints(
    files: ClaudeFiles, printed: Path, follower: Follower
) -> None:
    agent = files.agent().prompt(0).calls(1, MAKE)
    assert follower.agent(2).prints == ("compiling",)
    with printed.open("a") as file:
        file.write("linking\n")
    seen = follower.agent(3)
    assert seen.prints == ("compiling", "linking")
    assert ("prints", "linking") in describe_agent(seen)
    agent.answers(4, "t1", "done")
    assert follower.agent(5).prints == ()


def test_what_may_be_another_command_prints_is_not_shown(
    files: ClaudeFiles, printed: Path, follower: Follower
) -> None:
    agent = files.agent().prompt(0).calls(1, MAKE, ("t2", "Bash", {"command": "make test"}))
    assert follower.agent(2).prints == ()
    agent.answers(3, "t2", "done")
    assert follower.agent(4).prints == ("compiling",)
    printed.with_name("b78.output").write_text("of the main session\n")
    assert follower.agent(5).prints == ()


def test_a_command_in_the_background_is_not_taken_for_the_other(
    files: ClaudeFiles, output: Path, printed: Path, follower: Follower
) -> None:
    agent = files.agent().prompt(0).calls(1, BASH).answers(2, "t1", answer(output))
    printed.with_name(output.name).write_text("one\n")
    agent.calls(3, ("t2", "Bash", {"command": "make"}))
    seen = follower.agent(4)
    assert (seen.prints, [task.lines for task in seen.tasks]) == (("compiling",), [("one",)])


def test_a_link_is_no_output_of_a_command(
    files: ClaudeFiles, printed: Path, follower: Follower, tmp_path: Path
) -> None:
    (tmp_path / "secret").write_text("secret\n")
    printed.unlink()
    printed.symlink_to(tmp_path / "secret")
    files.agent().prompt(0).calls(1, MAKE)
    assert follower.agent(2).prints == ()
