"""Lines of a transcript in, what they tell of runs out: statements, usage, files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from orch_tui.record.agent_words import cut_first_line
from orch_tui.record.ledger.doubt import EMPTY
from orch_tui.record.ledger.file_use import Touched
from orch_tui.record.ledger.statement import Addressed, Deployed, Noted, Returned
from orch_tui.record.transcripts.reader import TranscriptReader
from orch_tui.record.transcripts.reader_state import ParsedChunk, ReaderState
from orch_tui.record.transcripts.transcript_lines import Entry
from tests.record.claude_home import CWD, S1, Transcript, done, launch, tool

AGENT = f"agent:{S1}/a1"


def agent_file(name: str = f"{S1}/subagents/agent-a1.jsonl") -> Transcript:
    return Transcript(name, S1, "a1")


def entries(transcript: Transcript) -> list[Entry]:
    return [msgspec.json.decode(json.dumps(line), type=Entry) for line in transcript.lines]


def read(transcript: Transcript, *, finish: bool = True) -> ParsedChunk:
    """What a whole file tells."""
    reader = TranscriptReader(Path("/c/projects/-p") / transcript.path)
    for entry in entries(transcript):
        reader.read(entry)
    if finish:
        reader.finish()
    return reader.take()


def said(chunk: ParsedChunk, kind: type[Any]) -> list[Any]:
    return [report.statement for report in chunk.reports if type(report.statement) is kind]


def messages(chunk: ParsedChunk, kind: type[Any]) -> list[str | None]:
    return [report.message for report in chunk.reports if type(report.statement) is kind]


# An agent in a file of its own


def test_an_agent_is_noted_once_and_its_last_message_is_its_return() -> None:
    agent = agent_file()
    agent.hears("Look at lib\nand more", attributionAgent="Explore")
    agent.says("m1", "Reading.", tool("R", "Read", file_path=f"{CWD}/a.py"))
    agent.gets("R")
    agent.says("m2", "All is", "well.", stop="end_turn")
    chunk = read(agent)
    assert {report.keys for report in chunk.reports} == {(AGENT,)}
    assert {report.claude_session for report in chunk.reports} == {S1}
    first = agent.lines[0]["timestamp"]
    assert said(chunk, Noted) == [
        Noted(
            agent_type="Explore",
            agent_id="a1",
            deployed_at=first,
            scope="Look at lib",
            ran_in=S1,
            client_version="2.1.39",
        )
    ]
    assert said(chunk, Returned) == [
        Returned(
            status="completed",
            witness="agent",
            return_key="m2",
            completed_at=agent.lines[-1]["timestamp"],
            model_message="m2",
            blocks=2,
            duration_ms=5000,
        )
    ]
    assert messages(chunk, Returned) == ["All is\nwell."]
    file = Touched(f"{CWD}/a.py", CWD, "read", agent.lines[3]["timestamp"])
    assert chunk.touched == {(AGENT,): [file]}


def test_the_usage_of_a_message_is_told_once_however_many_lines_it_has() -> None:
    agent = agent_file()
    agent.hears("go")
    agent.says("m1", "one", "two", tool("B", "Bash"), output=7)
    agent.gets("B")
    agent.says("m2", "three", output=9)
    (uses,) = read(agent).uses.values()
    assert [(u.message_id, u.input, u.output, u.tool_calls) for u in uses] == [
        ("m1", 3, 7, 1),
        ("m2", 3, 9, 0),
    ]
    assert (uses[0].cache_write, uses[0].cache_write_1h, uses[0].cache_read) == (100, 40, 1000)


def test_lines_that_stand_there_twice_tell_nothing_anew() -> None:
    agent = agent_file()
    agent.hears("go")
    agent.says("m1", "one", tool("B", "Bash"))
    agent.gets("B")
    agent.says("m2", "two", stop="end_turn")
    once = read(agent)
    agent.lines[2:2] = agent.lines[1:3]
    agent.lines[7:7] = agent.lines[6:7]
    assert read(agent) == once


@pytest.mark.parametrize(
    ("stop", "blocks", "doubt"),
    [
        ("end_turn", ["Done."], None),
        (None, ["Done."], None),
        ("end_turn", [""], EMPTY),
        ("max_tokens", ["Do"], "cut off: it reached the limit of its output"),
        ("tool_use", ["Let me"], False),
        ("pause_turn", ["Let me"], False),
        ("end_turn", ["Done.", tool("B", "Bash")], False),
    ],
)
def test_what_goes_on_is_no_return(stop: str | None, blocks: list[Any], doubt: Any) -> None:
    agent = agent_file()
    agent.hears("go")
    agent.says("m1", *blocks, stop=stop)
    found = said(read(agent), Returned)
    assert [each.doubt for each in found] == ([] if doubt is False else [doubt])


def test_an_unfinished_file_has_no_return_yet() -> None:
    agent = agent_file()
    agent.hears("go")
    agent.says("m1", "Done.", stop="end_turn")
    chunk = read(agent, finish=False)
    assert (chunk.reports, chunk.uses) == ([], {})


def test_an_error_in_place_of_words_is_a_failure() -> None:
    agent = agent_file()
    agent.hears("go")
    agent.says("m1", "API Error: 500", model="<synthetic>", isApiErrorMessage=True)
    chunk = read(agent)
    (failed,) = said(chunk, Returned)
    assert (failed.status, failed.error_message) == ("failed", "API Error: 500")
    assert messages(chunk, Returned) == [None]
    assert [use.model for (use,) in chunk.uses.values()] == [""]


def test_an_agent_that_is_told_more_has_returned_before() -> None:
    agent = agent_file()
    agent.hears("go")
    agent.says("m1", "First.", stop="end_turn")
    agent.hears("go on")
    agent.says("m2", "Second.", stop="end_turn")
    chunk = read(agent)
    assert messages(chunk, Returned) == ["First.", "Second."]
    assert messages(chunk, Addressed) == ["go on"]
    assert [each.duration_ms for each in said(chunk, Returned)] == [1000, 1000]


def test_a_message_after_which_the_agent_went_on_by_itself_is_no_return() -> None:
    agent = agent_file()
    agent.hears("go")
    agent.says("m1", "I wait.", stop="end_turn")
    agent.says("m2", "Done.", stop="end_turn")
    chunk = read(agent)
    assert messages(chunk, Returned) == ["Done."]
    assert [note.went_on_after for note in said(chunk, Noted)] == [None, "m1"]


def test_an_interruption_ends_a_run() -> None:
    agent = agent_file()
    agent.hears("go")
    agent.says("m1", "Let me", tool("B", "Bash"))
    agent.hears("[Request interrupted by user for tool use]")
    (broken,) = said(read(agent), Returned)
    assert (broken.status, broken.ending) == ("failed", "interrupted")
    assert broken.return_key == agent.lines[-1]["uuid"]


@pytest.mark.parametrize(
    ("result", "error", "report"),
    [
        ({"success": True}, False, ["The report."]),
        ({"success": False}, False, []),
        (None, True, []),
        (None, False, ["The report."]),
    ],
)
def test_a_report_that_was_handed_back_is_the_last_word(
    result: Any, error: bool, report: list[str]
) -> None:
    agent = agent_file()
    agent.hears("go")
    agent.says("m1", tool("H", "SubagentHandback", message="The report."))
    agent.gets("H", result=result, error=error)
    chunk = read(agent)
    assert messages(chunk, Returned) == report
    assert [each.by_tool for each in said(chunk, Returned)] == [True] * len(report)


def test_words_that_are_no_prompt_are_not_told() -> None:
    agent = agent_file()
    agent.hears("<local-command>", isMeta=True)
    agent.hears("The skill.", isMeta=True)
    agent.hears("summary", isCompactSummary=True)
    agent.says("m1", "Done.", stop="end_turn")
    (noted,) = said(read(agent), Noted)
    assert noted.scope == "The skill."


def test_a_file_counts_where_the_tool_did_its_work() -> None:
    agent = agent_file()
    agent.hears("go")
    agent.says(
        "m1",
        tool("1", "Write", file_path="b/../c.py"),
        tool("2", "NotebookEdit", notebook_path="/else/n.ipynb"),
        tool("3", "Edit", file_path="failed.py"),
        tool("4", "Read", file_path="unanswered.py"),
        tool("5", "Grep", file_path="grep.py"),
        tool("6", "Read"),
    )
    for number in "12":
        agent.gets(number)
    agent.gets("3", error=True)
    (touched,) = read(agent).touched.values()
    assert [(each.path, each.action) for each in touched] == [
        ("b/../c.py", "written"),
        ("/else/n.ipynb", "written"),
    ]


@pytest.mark.parametrize("name", ["agent-acompact-fff.jsonl", "agent-aaway_summary-1.jsonl"])
def test_agents_that_the_client_runs_for_itself_are_none(name: str) -> None:
    agent = Transcript(f"{S1}/subagents/{name}", S1, name[6:-6])
    agent.hears("compact")
    agent.says("m1", "a summary")
    assert read(agent) == ParsedChunk()


def test_an_agent_that_warmed_a_cache_up_is_none() -> None:
    agent = agent_file()
    agent.hears("Warmup")
    agent.says("m1", "I'm ready.", stop="end_turn")
    assert read(agent) == ParsedChunk()


def test_the_key_of_an_agent_is_of_every_session_that_tells_of_it() -> None:
    agent = agent_file("S9/subagents/agent-a1.jsonl")
    agent.hears("go")
    agent.says("m1", "Done.", stop="end_turn")
    assert {report.keys for report in read(agent).reports} == {("agent:S9/a1", AGENT)}


# Whoever launched it


def test_a_launch_is_a_deployment_and_its_result_a_return() -> None:
    parent = Transcript(f"{S1}.jsonl", S1)
    parent.says("p1", launch("T", "Explore", "Look\nat lib", model="opus"))
    parent.gets("T", "shown", done("a1", "Fine.", 5))
    chunk = read(parent)
    assert said(chunk, Deployed) == [
        Deployed(
            agent_type="Explore",
            scope="Look",
            model="opus",
            tool_use_id="T",
            deployed_at=parent.lines[0]["timestamp"],
            depth=1,
        )
    ]
    assert [report.prompt for report in chunk.reports if report.prompt] == ["Look\nat lib"]
    assert messages(chunk, Returned) == ["Fine."]


def test_a_launch_without_a_prompt_or_by_another_tool_is_none() -> None:
    parent = Transcript(f"{S1}.jsonl", S1)
    parent.says("p1", tool("T", "Task", description="x"), tool("U", "Bash", prompt="x"))
    assert read(parent) == ParsedChunk()


def test_what_an_agent_launches_is_below_it() -> None:
    agent = agent_file()
    agent.hears("go")
    agent.says("m1", tool("T", "Agent", prompt="Help"), stop="tool_use")
    chunk = read(agent)
    (deployed,) = said(chunk, Deployed)
    assert (deployed.agent_type, deployed.parent, deployed.depth) == (
        "general-purpose",
        AGENT,
        None,
    )
    kinds = [type(report.statement) for report in chunk.reports]
    assert kinds == [Noted, Deployed], "the launcher is known before what it launched"


def test_a_resumed_agent_is_the_one_it_was() -> None:
    parent = Transcript(f"{S1}.jsonl", S1)
    parent.says("p1", launch("T", "Explore", "Go on", resume="a1"))
    (report,) = read(parent).reports
    assert report.keys == ("tool:T", AGENT)
    assert report.statement == Noted(agent_type="unknown")


@pytest.mark.parametrize(("version", "keys"), [("2.0.42", 2), ("2.0.43", 1), ("2.1.0", 1)])
def test_older_hooks_know_a_launch_by_its_prompt(version: str, keys: int) -> None:
    parent = Transcript(f"{S1}.jsonl", S1)
    parent.says("p1", launch("T", "Explore", "Look"), version=version)
    (report,) = read(parent).reports
    assert len(report.keys) == keys


def test_an_agent_inside_the_file_belongs_to_the_launch_with_its_prompt() -> None:
    whole = Transcript(f"{S1}.jsonl", S1)
    whole.says("p1", launch("T", "Plan", "Plan it"), launch("U", "Plan", "Else"))
    prompt = {"role": "user", "content": "Else"}
    root = whole.add("user", isSidechain=True, parentUuid=None, message=prompt)
    whole.says("i1", "The plan.", isSidechain=True)
    chunk = read(whole)
    key = f"sidechain:{root['uuid']}"
    (returned,) = [r for r in chunk.reports if isinstance(r.statement, Returned)]
    assert (returned.keys, returned.message) == ((key, "tool:U"), "The plan.")


# In pieces


def test_a_file_read_in_pieces_tells_what_it_tells_as_a_whole() -> None:
    agent = agent_file()
    agent.hears("go", attributionAgent="Explore")
    agent.says("m1", "Reading.", tool("R", "Read", file_path="a.py"))
    agent.gets("R")
    agent.says("m2", "First.", stop="end_turn")
    agent.hears("go on")
    agent.says("m3", tool("H", "SubagentHandback", message="Second."))
    agent.gets("H")
    whole = read(agent)
    lines = entries(agent)
    for cut in range(len(lines) + 1):
        path = Path("/c/projects/-p") / agent.path
        first = TranscriptReader(path)
        for entry in lines[:cut]:
            first.read(entry)
        told = first.take()
        state = msgspec.json.decode(msgspec.json.encode(first.state), type=ReaderState)
        second = TranscriptReader(path, state)
        for entry in lines[cut:]:
            second.read(entry)
        second.finish()
        more = second.take()
        assert told.reports + more.reports == whole.reports, cut
        for part, parts in ((told.uses, more.uses), (told.touched, more.touched)):
            assert not set(part) - {(AGENT,)} and not set(parts) - {(AGENT,)}
        key = (AGENT,)
        assert told.uses.get(key, []) + more.uses.get(key, []) == whole.uses[key]
        assert told.touched.get(key, []) + more.touched.get(key, []) == whole.touched[key]


def test_what_was_taken_is_not_told_again() -> None:
    parent = Transcript(f"{S1}.jsonl", S1)
    parent.says("p1", launch("T", "Explore", "Look"))
    reader = TranscriptReader(Path(parent.path))
    for entry in entries(parent):
        reader.read(entry)
    assert len(reader.take().reports) == 1
    assert reader.take() == ParsedChunk()


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("\n\n  one\ntwo", "one"),
        ("one  \ntwo", "one"),
        ("x" * 200, "x" * 200),
        ("x" * 201, "x" * 199 + "…"),
        (" \n ", None),
        ("", None),
    ],
)
def test_a_prompt_is_about_its_first_line(text: str, line: str | None) -> None:
    assert cut_first_line(text) == line


# What came beside prompts and results


def queued(prompt: str, kind: str = "queued_command") -> dict[str, Any]:
    return {"attachment": {"type": kind, "prompt": prompt}}


def test_a_message_that_came_while_an_agent_worked_is_told_it() -> None:
    agent = agent_file()
    agent.hears("go")
    agent.says("m1", "Let me", tool("B", "Bash"))
    agent.add("attachment", **queued("hurry"))
    agent.add("attachment", **queued("queued_command", "else"))
    agent.add("attachment", attachment=["queued_command"])
    agent.gets("B")
    agent.says("m2", "Done.", stop="end_turn")
    chunk = read(agent)
    assert messages(chunk, Addressed) == ["hurry"]
    assert messages(chunk, Returned) == ["Done."]


def test_a_message_to_a_session_is_none_to_an_agent() -> None:
    parent = Transcript(f"{S1}.jsonl", S1)
    parent.add("attachment", **queued("hurry"))
    assert read(parent) == ParsedChunk()


def test_a_session_that_was_interrupted_breaks_off_what_it_waits_for() -> None:
    parent = Transcript(f"{S1}.jsonl", S1)
    parent.hears("[Request interrupted by user]")
    parent.says("p1", launch("T", "Explore", "Look"))
    parent.hears("[Request interrupted by user]")
    (broken,) = [r for r in read(parent).reports if isinstance(r.statement, Returned)]
    assert broken.keys == ("tool:T",)
    assert isinstance(broken.statement, Returned) and broken.statement.ending == "interrupted"


def test_progress_of_an_agent_tells_whose_it_is_and_what_it_touched() -> None:
    def progress(kind: str, *content: Any, agent: str = "a1", **more: Any) -> dict[str, Any]:
        message = {"id": "m1", "role": kind, "content": list(content)}
        said = {"type": kind, "timestamp": "2026-02-11T00:00:09.000Z", "message": message}
        return {"data": {"type": "agent_progress", "agentId": agent, "message": said}, **more}

    parent = Transcript(f"{S1}.jsonl", S1)
    reading = tool("R", "Read", file_path="a.py")
    parent.add("progress", **progress("assistant", reading, parentToolUseID="T"))
    answer = {"type": "tool_result", "tool_use_id": "R"}
    parent.add("progress", **progress("user", {**answer, "type": "text"}, answer))
    parent.add("progress", **progress("assistant", "x", agent="acompact-f"))
    parent.add("progress", **progress("system", "x", agent="a2"))
    parent.add("progress", data={"type": "hook_progress"})
    chunk = read(parent)
    (linked,) = chunk.reports
    assert linked.keys == (AGENT, "tool:T")
    assert linked.statement == Noted(agent_type="unknown", agent_id="a1", tool_use_id="T")
    assert [(each.path, each.action) for each in chunk.touched[linked.keys]] == [("a.py", "read")]


def test_a_message_of_no_tokens_was_no_request() -> None:
    agent = agent_file()
    agent.hears("go")
    agent.says("m1", "Done.", stop="end_turn")
    agent.lines[-1]["message"]["usage"] = {"input_tokens": "many", "output_tokens": -1}
    assert read(agent).uses == {}


def test_what_an_agent_launches_is_of_the_session_of_its_line() -> None:
    agent = agent_file()
    agent.hears("go")
    agent.says("m1", launch("T", "Plan", "Help", resume="a9"), sessionId="R")
    (report,) = [r for r in read(agent).reports if "tool:T" in r.keys]
    assert (report.claude_session, report.keys) == ("R", ("tool:T", "agent:R/a9"))


def test_a_session_is_called_as_its_user_asked_first() -> None:
    parent = Transcript(f"{S1}.jsonl", S1)
    parent.hears("<command-name>x</command-name>")
    parent.hears("a note", isMeta=True)
    parent.says("p1", "I begin.")
    parent.hears("Find it\nquickly")
    parent.hears("And then?")
    reader = TranscriptReader(Path(parent.path))
    for entry in entries(parent):
        reader.read(entry)
    assert (reader.state.opening, reader.state.title) == ("Find it", "")
    assert (reader.state.session, reader.state.cwd) == (S1, CWD)
    assert reader.state.session_name == "Find it"
    reader.read(Entry(aiTitle="Finding it", sessionId=S1))
    assert reader.state.session_name == "Finding it"
    reader.read(Entry(customTitle="The search\nand more", cwd="/else", sessionId="R"))
    assert (reader.state.title, reader.state.session, reader.state.cwd) == ("The search", S1, CWD)
    assert reader.state.session_name == "The search"
