"""Files that are torn, cut, replaced, endless, or were never meant for anybody to read."""

from __future__ import annotations

import json
import os
import random
from pathlib import Path
from typing import Any

import pytest

from orch_tui.live.transcript_tail import LARGE, MOST_OF_FILE, LongLine, TranscriptTail
from tests.live.claude_files import NOON, SESSION, AgentWriter, ClaudeFiles, Follower

BASH = ("t1", "Bash", {"command": "make"})


@pytest.fixture
def agent(files: ClaudeFiles) -> AgentWriter:
    return files.agent().prompt(0)


def test_a_torn_line_waits_for_its_rest(agent: AgentWriter, follower: Follower) -> None:
    line = agent.message(1, {"type": "text", "text": "ü" * 400}, stop="end_turn")
    agent.append(line[:803])
    assert follower.agent(2).state == "starting"
    agent.append(line[803:-1])
    assert follower.agent(2).state == "starting"
    agent.append(b"\n")
    assert follower.agent(2).state == "returned"


def test_a_result_too_long_to_read_closes_its_call(agent: AgentWriter, follower: Follower) -> None:
    agent.calls(1, BASH)
    assert follower.agent(2).state == "tool"
    agent.answers(3, "t1", "x" * 20_000_000)
    seen = follower.agent(4)
    assert (seen.doing, seen.calls, seen.is_partial) == ("thinking", 1, True)
    agent.calls(5, ("t2", "Read", {"file_path": "b"}))
    assert follower.doing(6) == "Read b"


def test_a_call_too_long_to_read_is_open(agent: AgentWriter, follower: Follower) -> None:
    agent.calls(1, ("t1", "Write", {"content": "x" * 1_000_000}))
    assert follower.agent(2).doing == "Write"
    agent.answers(3, "t1")
    assert follower.agent(4).doing == "thinking"


@pytest.mark.parametrize(
    "junk",
    [
        b"\0" * 3_000_000,
        b'\xff\xfe\x00 "type":"assistant"',
        b"[" * 100_000 + b'"type":"user"',
        b'{"type":"assistant","message":' + b'{"a":' * 50_000,
        b'{"type":"assistant","message":7}',
        b'{"type":"assistant","message":{"content":[7,{"type":"tool_use","id":3}],"usage":[]}}',
        b'{"type":"user","message":{"content":{"a":1}},"timestamp":[]}',
        b'{"type":"user","timestamp":"9999-99-99"}',
        b'{"type":"api-request","timestamp":"+275760-09-13T00:00:00.000Z","message":NaN}',
        b'{"type":"assistant","message":{"id":"' + b"\xed\xa0\x80" * 9 + b'","content":[]}}',
    ],
)
def test_junk_between_the_lines(agent: AgentWriter, follower: Follower, junk: bytes) -> None:
    follower.look(1)
    agent.append(junk + b"\n").calls(2, BASH)
    assert follower.agent(3).doing == "Bash make"


def test_a_file_that_was_cut_is_begun_anew(agent: AgentWriter, follower: Follower) -> None:
    agent.calls(1, BASH).answers(2, "t1").calls(3, ("t2", "Bash", {"command": "ls"}))
    assert follower.agent(4).calls == 2
    os.truncate(agent.path, 0)
    agent.prompt(5).calls(6, BASH)
    seen = follower.agent(7)
    assert (seen.calls, seen.is_partial) == (1, True)


def test_another_file_of_the_same_inode_number(agent: AgentWriter, follower: Follower) -> None:
    """A file system may give the number again: the beginning of the file tells."""
    agent.calls(1, BASH)
    assert follower.agent(2).calls == 1
    other = agent.line("user", 3, message={"content": "x" * 5000}, aside="a" * 90)
    agent.path.write_bytes(b'{"other":1,' + other[1:])
    agent.calls(4, BASH).answers(5, "t1").calls(6, ("t2", "Read", {}))
    seen = follower.agent(7)
    assert (seen.calls, seen.doing, seen.is_partial) == (2, "Read", True)


def test_a_file_that_went_and_came_again(agent: AgentWriter, follower: Follower) -> None:
    agent.calls(1, BASH)
    assert follower.agent(2).calls == 1
    agent.path.unlink()
    assert follower.agent(3).calls == 1
    agent.prompt(4).calls(5, BASH).answers(5, "t1").calls(6, ("t2", "Bash", {}))
    assert follower.agent(7).calls == 2


def test_a_large_file_is_read_from_near_its_end(agent: AgentWriter, files: ClaudeFiles) -> None:
    for turn in range(LARGE // 100_000 + 2):
        agent.calls(turn, BASH, name=f"m{turn}").answers(turn, "t1", "x" * 100_000)
    agent.calls(99, ("t2", "Read", {"file_path": "b"}))
    seen = Follower(files).agent(100)
    assert (seen.doing, seen.is_partial) == ("Read b", True)


@pytest.mark.parametrize("kind", ["fifo", "link", "folder", "device"])
def test_what_is_no_plain_file_is_not_read(
    agent: AgentWriter, files: ClaudeFiles, tmp_path: Path, kind: str
) -> None:
    agent.path.rename(tmp_path / "real.jsonl")
    if kind == "fifo":
        os.mkfifo(agent.path)
    elif kind == "link":
        agent.path.symlink_to(tmp_path / "real.jsonl")
    elif kind == "folder":
        agent.path.mkdir()
    else:
        agent.path.symlink_to("/dev/zero")
    assert Follower(files).look(1).agents == ()


def test_sidecars_and_clients_that_are_no_plain_files(files: ClaudeFiles) -> None:
    agent = files.agent().prompt(0)
    sidecar = agent.path.with_name(f"agent-{agent.agent_id}.meta.json")
    sidecar.unlink()
    os.mkfifo(sidecar)
    os.mkfifo(files.folder / "sessions" / "77.json")
    (files.folder / "sessions" / "78.json").symlink_to("/dev/zero")
    seen = Follower(files).agent(1)
    assert (seen.state, seen.agent_type) == ("starting", "")


@pytest.mark.parametrize("torn", [b"", b'{"pid": 1', b"[]", b'{"pid": "x", "sessionId": 4}'])
def test_a_torn_file_of_a_client_counts_as_it_was(
    agent: AgentWriter, files: ClaudeFiles, follower: Follower, torn: bytes
) -> None:
    assert follower.agent(1).state == "starting"
    (files.folder / "sessions" / f"{os.getpid()}.json").write_bytes(torn)
    assert follower.agent(2).state == "starting"


@pytest.mark.parametrize("session", ["../../elsewhere", "/etc", "", "a/b", "..", "x" * 300])
def test_a_session_that_names_another_folder(
    files: ClaudeFiles, session: str, tmp_path: Path
) -> None:
    elsewhere = AgentWriter(tmp_path / "claude" / "elsewhere" / "subagents", "a1", "s")
    elsewhere.prompt(0)
    files.client(session=session)
    assert Follower(files).look(1).agents == ()


def test_control_and_direction_characters_never_come_through(
    agent: AgentWriter, follower: Follower
) -> None:
    evil = "\x1b]0;evil\x07\x1b[2J\u202ereversed\u2066\u200b\ud800 a\r\nb"
    agent.sidecar(agentType=evil, description=evil, parentAgentId=evil)
    agent.says(1, evil, stop="tool_use", name="m", model=evil)
    agent.calls(2, ("t1", evil, {"command": evil}), name="m", model=evil)
    seen = follower.agent(3)
    assert seen.parent
    texts = (seen.agent_type, seen.scope, seen.words, seen.tool, seen.target, seen.doing)
    for text in (*texts, seen.model, seen.parent):
        assert text.isprintable()
        assert "reversed" in text and text.endswith("a b")
    for step in follower.view.steps(SESSION, agent.agent_id):
        assert step.text.isprintable()


def test_wrong_types_in_a_sidecar(files: ClaudeFiles, follower: Follower) -> None:
    noted: dict[str, Any] = {"agentType": 7, "finished": "yes", "parentAgentId": ["a"]}
    files.agent(**noted).prompt(0)
    seen = follower.agent(1)
    assert (seen.agent_type, seen.parent, seen.state) == ("", None, "starting")


def test_times_of_a_client_that_no_clock_has(files: ClaudeFiles, follower: Follower) -> None:
    files.agent().prompt(0)
    for number in (10**400, -(10**400), 10**18):
        files.client(startedAt=number, statusUpdatedAt=number)
        assert follower.agent(2).state in ("starting", "gone")


def test_agents_that_are_their_own_parents(files: ClaudeFiles, follower: Follower) -> None:
    files.agent("a1", parentAgentId="a1").prompt(0)
    files.agent("a2", parentAgentId="a3").prompt(0)
    files.agent("a3", parentAgentId="a2").prompt(0)
    assert {agent.agent_id for agent in follower.look(1).agents} == {"a1", "a2", "a3"}


def test_a_look_reads_no_more_than_its_share(files: ClaudeFiles) -> None:
    names = [f"a{number}" for number in range(8)]
    for name in names:
        agent = files.agent(name).prompt(0)
        for turn in range(8):
            agent.calls(turn, BASH, name=f"m{turn}").answers(turn, "t1", "x" * 100_000)
    view = Follower(files).view
    first = view.look(NOON + 100)
    assert first.has_more
    assert len(first.agents) < len(names)  # what was not read to its end is not shown yet
    last = [view.look(NOON + 100) for _ in range(9)][-1]
    assert not last.has_more
    assert {agent.agent_id for agent in last.agents} == set(names)


def test_whatever_bytes_stand_there_a_look_succeeds(files: ClaudeFiles) -> None:
    chance = random.Random(7)
    agent = files.agent().prompt(0).request(1).calls(2, BASH).answers(3, "t1").says(4, "Done")
    sidecar = agent.path.with_name(f"agent-{agent.agent_id}.meta.json")
    client = files.folder / "sessions" / f"{os.getpid()}.json"
    whole = {path: path.read_bytes() for path in (agent.path, sidecar, client)}
    follower = Follower(files)
    for turn in range(300):
        for path, data in whole.items():
            changed = bytearray(data)
            for _ in range(chance.choice((0, 1, 3, 30))):
                at = chance.randrange(len(changed) + 1)
                changed[at : at + chance.choice((0, 1, 9))] = chance.choice(
                    (b"", b"\0", b"[", b"{", b'"', b"\n", b"null", b"-1e999", b"\xff", b"true")
                )
            path.write_bytes(bytes(changed))
        for seen in follower.look(turn).agents:
            assert seen.doing.isprintable() and seen.evidence


# The tail alone


def read_all(tail: TranscriptTail) -> list[bytes | LongLine]:
    found = [*tail.read().lines]
    while tail.has_more:
        found += tail.read().lines
    return found


@pytest.mark.parametrize("torn", [0, 1, 7, MOST_OF_FILE - 1, MOST_OF_FILE, MOST_OF_FILE + 1])
def test_every_whole_line_comes_once(tmp_path: Path, torn: int) -> None:
    path = tmp_path / "a.jsonl"
    lines = [json.dumps({"n": n, "pad": "x" * (n * 997 % 5000)}).encode() for n in range(600)]
    path.write_bytes(b"\n".join(lines) + b"\n" + b"y" * torn)
    tail = TranscriptTail(str(path))
    found = read_all(tail)
    if torn >= MOST_OF_FILE:
        assert isinstance(found.pop(), LongLine)
    assert found == lines
    assert tail.read().lines == ()
    with path.open("ab") as file:
        file.write(b"\nlast\n")
    assert read_all(tail)[-1] == b"last"
