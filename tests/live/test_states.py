"""Every state, from what the files of a client say when they say it."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from orch_tui.live.live_agent import LiveSnapshot
from orch_tui.live.live_words import describe_subtree_cost
from tests.live.claude_files import NOON, SESSION, ClaudeFiles, Follower, stamp

BASH = ("t1", "Bash", {"command": "make test", "description": "test it"})
WRITE = ("t1", "Write", {"file_path": "/home/dev/project/new.txt", "content": "x"})


def test_from_the_prompt_to_the_return(files: ClaudeFiles, follower: Follower) -> None:
    agent = files.agent()
    assert follower.look(0) == LiveSnapshot(stamp(0))
    agent.prompt(1)
    assert follower.doing(1.1) == "starting"
    agent.request(2)
    assert follower.doing(2.1) == "thinking"
    agent.calls(3, BASH)
    seen = follower.agent(8)
    assert (seen.doing, seen.since, seen.seconds) == ("Bash make test", stamp(3), 5)
    assert (seen.calls, seen.context, seen.window) == (1, 10_000, 1_000_000)
    agent.answers(9, "t1")
    assert follower.doing(9.1) == "thinking"
    agent.request(9.2).says(12, "All is\nwell.")
    seen = follower.agent(12.1)
    assert (seen.state, seen.words) == ("returned", "All is well.")
    assert seen.evidence == "its last message ended its turn"
    agent.sidecar(12.2, finished=True)
    assert follower.agent(12.3).evidence == "its sidecar says that it finished"


def test_words_before_a_call_end_nothing(files: ClaudeFiles, follower: Follower) -> None:
    files.agent().prompt(0).says(1, "I begin.", stop="tool_use")
    assert follower.doing(2) == "thinking"


def test_calls_beside_each_other(files: ClaudeFiles, follower: Follower) -> None:
    agent = files.agent().prompt(0)
    agent.calls(1, BASH, ("t2", "Read", {"file_path": "/home/dev/project/lib/a.py"}))
    assert follower.doing(2) == "Bash make test +1"
    agent.answers(3, "t1")
    assert follower.doing(3.1) == "Read lib/a.py"


def test_a_new_message_closes_the_calls_before_it(files: ClaudeFiles, follower: Follower) -> None:
    files.agent().prompt(0).calls(1, BASH).says(9, "And now", stop="tool_use")
    assert follower.doing(10) == "thinking"


def test_requests_without_an_answer(files: ClaudeFiles, follower: Follower) -> None:
    agent = files.agent().prompt(0).request(1)
    assert follower.doing(2) == "thinking"
    agent.request(3).request(7)
    seen = follower.agent(8)
    assert (seen.doing, seen.evidence) == ("tries again (2)", "3 requests without an answer")
    agent.says(9, "Done", stop="tool_use")
    assert follower.doing(9.1) == "thinking"


def test_an_error_of_the_api(files: ClaudeFiles, follower: Follower) -> None:
    agent = files.agent().prompt(0).request(1)
    follower.look(1.5)
    agent.request(2).api_error(3).sidecar(3, finished=True)
    seen = follower.agent(4)
    assert (seen.state, seen.words) == ("failed", "API Error: 529 Overloaded")
    assert seen.evidence == "newest record: an API error"


@pytest.mark.parametrize("by", ["transcript", "sidecar"])
def test_stopped_by_somebody(files: ClaudeFiles, follower: Follower, by: str) -> None:
    agent = files.agent().prompt(0).calls(1, BASH)
    follower.look(1.5)
    if by == "transcript":
        agent.interrupted(2)
    else:
        agent.sidecar(2, stoppedByUser=True)
    assert follower.agent(3).state == "stopped"


def test_what_was_handed_over_by_tool_is_the_end(files: ClaudeFiles, follower: Follower) -> None:
    agent = files.agent(run="wf_1").prompt(0)
    agent.calls(1, ("t1", "StructuredOutput", {"ok": True}))
    assert follower.doing(1.1) == "StructuredOutput"
    agent.answers(2, "t1", toolEndsTurn=True)
    assert follower.agent(2.1).state == "returned"


def test_an_agent_that_is_woken_works_again(files: ClaudeFiles, follower: Follower) -> None:
    agent = files.agent().prompt(0).says(1, "Waiting for the build.", stop="tool_use")
    follower.look(1.1)
    agent.says(2, "Done").sidecar(2, finished=True)
    assert follower.agent(2.1).state == "returned"
    agent.told(5, "The build is there.")
    states = [follower.agent(5.1 + turn / 2).state for turn in range(8)]
    assert states[-1] == "thinking"  # before its sidecar is written anew
    agent.sidecar(5.2).calls(6, BASH)
    assert follower.doing(7) == "Bash make test"
    agent.answers(8, "t1").says(9, "Built").sidecar(9, finished=True)
    assert follower.agent(9.1).state == "returned"


def test_children(files: ClaudeFiles, follower: Follower) -> None:
    outer = files.agent("aouter").prompt(0)
    outer.calls(1, ("t1", "Agent", {"description": "Inner", "prompt": "go"}))
    assert follower.doing(1.5) == "Agent Inner"
    inner = files.agent("ainner", parentAgentId="aouter", agentType="Plan", spawnDepth=2).prompt(2)
    inner.calls(3, BASH, context=20_000)
    first, second = follower.look(4).agents
    assert [(a.agent_id, a.depth, a.doing) for a in (first, second)] == [
        ("aouter", 0, "waits for 1"),
        ("ainner", 1, "Bash make test"),
    ]
    assert (first.calls, first.subtree_calls, second.subtree_calls) == (1, 2, 1)
    assert first.cost and second.cost
    assert first.subtree_cost == first.cost + second.cost
    inner.answers(5, "t1").says(6, "Inner done").sidecar(6, finished=True, parentAgentId="aouter")
    outer.answers(7, "t1", "Inner done").says(8, "Outer done")
    assert [a.state for a in follower.look(9).agents] == ["returned", "returned"]


def test_a_sum_of_which_a_part_is_not_known_is_a_lower_bound(
    files: ClaudeFiles, follower: Follower
) -> None:
    files.agent("aouter").prompt(0).calls(1, ("t1", "Agent", {"prompt": "go"}))
    inner = files.agent("ainner", parentAgentId="aouter").prompt(2).calls(3, BASH)
    first, second = follower.look(4).agents
    assert first.cost and second.cost
    whole = f"${first.cost + second.cost:.2f}"
    assert describe_subtree_cost(first) == whole
    inner.answers(5, "t1", "x" * 20_000_000)
    first, second = follower.look(6).agents
    assert (first.is_partial, second.is_partial) == (False, True)
    assert describe_subtree_cost(first) == f"≥ {whole}"
    nobody = files.agent("anobody", parentAgentId="aouter").prompt(6)
    nobody.calls(7, ("t2", "Bash", {"command": "x"}), model="nobodys-model")
    first, *_ = follower.look(8).agents
    assert first.cost and first.subtree_cost is None
    assert describe_subtree_cost(first) == f"≥ {whole}"


def test_an_agent_that_ended_waits_for_children_in_the_background(
    files: ClaudeFiles, follower: Follower
) -> None:
    outer = files.agent("aouter").prompt(0).says(2, "They run.")
    inner = files.agent("ainner", parentAgentId="aouter").prompt(1)
    first, _ = follower.look(3).agents
    assert (first.doing, first.evidence) == ("waits for 1", "1 child runs")
    assert outer.agent_id == first.agent_id
    inner.says(5, "Done")
    first, second = follower.look(5.2).agents
    assert (first.state, second.state) == ("waiting", "returned")
    assert first.evidence == "its child came back just now", "its client wakes it"
    outer.told(5.4, "It is done.")
    assert follower.look(5.6).agents[0].state == "thinking"


def test_who_is_not_woken_has_returned(files: ClaudeFiles, follower: Follower) -> None:
    files.agent("aouter").prompt(0).says(2, "They run.")
    files.agent("ainner", parentAgentId="aouter").prompt(1).says(5, "Done")
    assert [follower.look(at).agents[0].state for at in (6, 9)] == ["waiting", "returned"]


def test_children_that_ended_before_anybody_looked_count_in_the_sum(files: ClaudeFiles) -> None:
    files.agent("aouter").prompt(0).calls(1, BASH)
    inner = files.agent("ainner", parentAgentId="aouter", finished=True).prompt(0)
    inner.calls(1, BASH).answers(2, "t1").says(3, "Done")
    (seen,) = Follower(files).look(5).agents
    assert (seen.agent_id, seen.calls, seen.subtree_calls) == ("aouter", 1, 2)


# Whether the client lives


@pytest.fixture
def ended_process() -> int:
    """The number of a process that is no more."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_a_client_that_was_killed(files: ClaudeFiles, ended_process: int) -> None:
    (files.folder / "sessions" / f"{os.getpid()}.json").unlink()
    files.client(ended_process, procStart="1")
    files.agent().prompt(0).calls(1, BASH)
    follower = Follower(files)
    assert follower.look(2).agents == ()  # nobody waits for what had ended before
    files.client()
    assert follower.doing(3) == "Bash make test"


def test_a_client_that_is_killed_meanwhile(files: ClaudeFiles, follower: Follower) -> None:
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    (files.folder / "sessions" / f"{os.getpid()}.json").unlink()
    files.client(process.pid)
    files.agent().prompt(0).calls(1, BASH)
    assert follower.doing(2) == "Bash make test"
    process.kill()
    process.communicate()
    seen = follower.agent(3)
    assert (seen.state, seen.tool) == ("gone", "Bash")
    assert seen.evidence == f"process {process.pid} of its client is no more; newest record: a call"


def test_a_process_of_the_same_number_is_another(files: ClaudeFiles, follower: Follower) -> None:
    files.agent().prompt(0)
    assert follower.agent(1).state == "starting"
    files.client(procStart="1")
    assert follower.agent(2).state == "gone"


def test_a_client_that_went_and_took_its_file_along(files: ClaudeFiles, follower: Follower) -> None:
    files.agent().prompt(0)
    assert follower.agent(1).state == "starting"
    (files.folder / "sessions" / f"{os.getpid()}.json").unlink()
    seen = follower.agent(2)
    assert (seen.state, seen.evidence) == ("gone", "its client ended; newest record: its prompt")


def test_a_session_that_another_client_took_up(files: ClaudeFiles, follower: Follower) -> None:
    agent = files.agent().prompt(0).says(0.5, "I begin.", stop="tool_use")
    follower.look(1)
    files.client(at=60)
    assert follower.agent(61).state == "gone"
    agent.told(62, "Go on")
    assert follower.agent(63).state == "gone"  # at its turn
    states = [follower.agent(second).state for second in range(64, 72)]
    assert states[-1] == "thinking"


@pytest.mark.parametrize("why", ["no folder", "another machine", "an old client"])
def test_what_nobody_can_tell_is_never_gone(
    files: ClaudeFiles, follower: Follower, why: str
) -> None:
    agent = files.agent().prompt(0)
    follower.look(1)
    own = files.folder / "sessions" / f"{os.getpid()}.json"
    if why == "another machine":
        files.client(pidDomain="linux:elsewhere:pid:[1]")
    elif why == "no folder":
        own.unlink()
        own.parent.rmdir()
        follower = Follower(files, Waited(agent.agent_id))
    else:
        own.unlink()
        agent.append(agent.line("user", 1, message={"content": "x"}, version="2.1.138"))
        follower = Follower(files, Waited(agent.agent_id))
    assert follower.agent(5).state == "unknown"


class Waited:
    """A record that waits for one agent."""

    def __init__(self, agent_id: str) -> None:
        self.waiting = {f"agent:{SESSION}/{agent_id}": "exec-001"}

    def find(self, keys: object) -> None:
        return None


def test_a_run_that_the_record_waits_for_without_a_client(files: ClaudeFiles) -> None:
    (files.folder / "sessions" / f"{os.getpid()}.json").unlink()
    agent = files.agent().prompt(0).calls(1, BASH)
    follower = Follower(files, Waited(agent.agent_id))
    follower.look(5)
    (end,) = follower.view.take_ends()
    assert (end.agent_id, end.state, end.is_gone) == (agent.agent_id, "gone", True)
    assert end.transcript == str(agent.path)
    assert follower.view.take_ends() == []


def test_a_client_with_another_session_since_still_has_the_one_before(
    files: ClaudeFiles, follower: Follower
) -> None:
    files.agent().prompt(0)
    follower.look(1)
    files.client(session="another-session")
    assert follower.agent(2).state == "starting"


def test_other_projects_are_not_looked_at(files: ClaudeFiles, follower: Follower) -> None:
    files.agent().prompt(0)
    files.client(cwd="/somewhere/else")
    assert follower.look(1).agents == ()


# Permissions


def waits(files: ClaudeFiles, at: float, status: str = "waiting") -> None:
    files.client(
        status=status,
        statusUpdatedAt=round((NOON + at) * 1000),
        waitingFor="permission prompt" if status == "waiting" else "",
    )


def test_a_permission_its_client_waits_for(files: ClaudeFiles, follower: Follower) -> None:
    agent = files.agent().prompt(0).calls(1, WRITE)
    waits(files, 1.2)
    assert follower.doing(1.5) == "Write new.txt"  # a call may look so for a moment
    seen = follower.agent(22)
    assert (seen.doing, seen.since, seen.needs_somebody) == (
        "asks? Write new.txt",
        stamp(1.2),
        True,
    )
    waits(files, 23, "busy")
    assert follower.doing(24) == "Write new.txt"
    agent.answers(25, "t1")
    assert follower.doing(26) == "thinking"


def test_one_of_several_calls_asks(files: ClaudeFiles, follower: Follower) -> None:
    files.agent("a1").prompt(0).calls(1, WRITE)
    files.agent("a2").prompt(0).calls(1, BASH)
    files.agent("a3").prompt(0).calls(9, BASH)
    waits(files, 2)
    seen = {agent.agent_id: agent for agent in follower.look(20).agents}
    assert [seen[a].state for a in ("a1", "a2", "a3")] == ["asks?", "asks?", "tool"]
    assert seen["a1"].evidence.endswith("this call is open, one of 2")


def test_another_dialog_is_no_permission(files: ClaudeFiles, follower: Follower) -> None:
    files.agent().prompt(0).calls(1, BASH)
    files.client(status="waiting", waitingFor="dialog open", statusUpdatedAt=(NOON + 2) * 1000)
    assert follower.agent(20).state == "tool"


# Marks and figures


def test_silence(files: ClaudeFiles, follower: Follower) -> None:
    agent = files.agent().prompt(0).request(1)
    assert follower.agent(121).marks == ()
    seen = follower.look(122)
    assert seen.agents[0].marks == ("silent",)
    assert seen.summary == "1 running · 1 silent"
    agent.calls(200, BASH)
    assert follower.agent(800).marks == ()
    assert follower.agent(801).marks == ("silent",)


def test_the_same_call_again_and_again(files: ClaudeFiles, follower: Follower) -> None:
    agent = files.agent().prompt(0)
    for turn in range(6):
        agent.calls(turn, (f"t{turn}", "Bash", {"command": "make"})).answers(turn, f"t{turn}", "no")
        marks = follower.agent(10).marks
        assert marks == (("loops",) if turn >= 3 else ())
    assert follower.agent(11).signs == "loops x6"
    agent.calls(12, ("t12", "Bash", {"command": "make"})).answers(12, "t12", "yes")
    assert follower.agent(13).signs == "polls x7"
    agent.calls(14, ("t14", "Bash", {"command": "ls"})).answers(14, "t14", "yes")
    assert follower.agent(15).marks == ()


@pytest.mark.parametrize("cycle", [2, 3])
def test_calls_in_turns(files: ClaudeFiles, follower: Follower, cycle: int) -> None:
    agent = files.agent().prompt(0)
    for turn in range(4 * cycle):
        assert follower.agent(100).marks == ()
        given = {"command": f"do {turn % cycle}"}
        agent.calls(turn, (f"t{turn}", "Bash", given)).answers(turn, f"t{turn}", "no")
    assert follower.agent(101).signs == "loops x4"


def test_a_window_that_is_nearly_full(files: ClaudeFiles, follower: Follower) -> None:
    agent = files.agent().prompt(0).calls(1, BASH, context=800_000)
    assert follower.agent(2).marks == ("full",)
    agent.answers(3, "t1").calls(4, BASH, context=30_000)  # it compacted
    seen = follower.agent(5)
    assert (seen.marks, seen.filled) == ((), 0.03)


@pytest.mark.parametrize(
    ("model", "asked", "context", "window"),
    [
        ("claude-opus-4-6", "", 150_000, 200_000),
        ("claude-opus-4-6", "claude-opus-4-6[1m]", 150_000, 1_000_000),
        ("claude-opus-4-6", "", 300_000, None),
        ("claude-nobody-1", "", 150_000, None),
    ],
)
def test_windows(
    files: ClaudeFiles,
    follower: Follower,
    model: str,
    asked: str,
    context: int,
    window: int | None,
) -> None:
    files.agent(model=asked).prompt(0).calls(1, BASH, model=model, context=context)
    assert follower.agent(2).window == window


def test_usage_counts_once_a_message(files: ClaudeFiles, follower: Follower) -> None:
    agent = files.agent().prompt(0)
    agent.calls(1, BASH, name="m1", output=7)
    once = follower.agent(2).cost
    agent.says(1, "the same", stop="tool_use", name="m1", output=7)
    assert follower.agent(3).cost == once
    agent.says(1, "its rest", stop="tool_use", name="m1", output=500)
    assert (follower.agent(4).cost or 0) > (once or 0)


def test_no_known_price_is_no_cost(files: ClaudeFiles, follower: Follower) -> None:
    files.agent().prompt(0).calls(1, BASH, model="claude-nobody-1")
    assert follower.agent(2).cost is None


def test_a_fork_begins_with_a_copy_of_its_parents_call(
    files: ClaudeFiles, follower: Follower
) -> None:
    fork = files.agent(isFork=True)
    fork.append(fork.line("fork-context-ref", 0))
    fork.calls(1, ("t1", "Agent", {"prompt": "fork"}), context=500_000).answers(2, "t1")
    seen = follower.agent(3)
    assert (seen.doing, seen.calls, seen.context, seen.cost) == ("starting", 0, 0, 0)
    fork.calls(4, BASH)
    assert follower.doing(5) == "Bash make test"


def test_a_stamp_in_the_future_is_now(files: ClaudeFiles, follower: Follower) -> None:
    files.agent().prompt(0).calls(3600, BASH)
    seen = follower.agent(5)
    assert (seen.since, seen.seconds) == (stamp(5), 0)


def test_internal_agents_are_nobodys(files: ClaudeFiles, follower: Follower) -> None:
    for name in ("acompact-fffbd0", "aprompt_suggestion-1", "aside_question-2"):
        files.agent(name).prompt(0)
    assert follower.look(1).agents == ()


def test_what_an_agent_did_last(files: ClaudeFiles, follower: Follower) -> None:
    agent = files.agent().prompt(0).says(1, "I begin.", stop="tool_use", name="m")
    agent.calls(1, BASH, name="m").answers(4, "t1", "12345", is_error=True)
    follower.look(5)
    words, call = follower.view.steps(SESSION, agent.agent_id)
    assert (words.tool, words.text) == ("", "I begin.")
    assert (call.tool, call.text, call.seconds, call.size) == ("Bash", "make test", 3, 5)
    assert follower.view.steps(SESSION, "nobody") == ()


def test_an_agent_that_ended_is_shown_for_a_minute(files: ClaudeFiles, follower: Follower) -> None:
    agent = files.agent().prompt(0)
    follower.look(1)
    agent.says(2, "Done")
    assert follower.agent(3).state == "returned"
    assert follower.agent(63).state == "returned"
    assert follower.look(64).agents == ()


def test_sessions_that_are_over_are_forgotten(files: ClaudeFiles, follower: Follower) -> None:
    agent = files.agent().prompt(0)
    follower.look(1)
    agent.says(2, "Done")
    (files.folder / "sessions" / f"{os.getpid()}.json").unlink()
    follower.look(3)
    assert follower.view.steps(SESSION, agent.agent_id)
    follower.look(64)
    assert follower.view.steps(SESSION, agent.agent_id) == ()
    files.client(at=60)  # it is resumed
    agent.told(70, "Go on")
    assert follower.agent(71).state == "thinking"
