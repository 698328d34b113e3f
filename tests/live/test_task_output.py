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
