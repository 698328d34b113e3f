"""Import: whatever the generation, order, repetition or cut, one run is one execution."""

from __future__ import annotations

import json
import os
import random
import shutil
import tempfile
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from orch_tui.models.database import Record
from orch_tui.prepare.catalogue import load_catalogue
from orch_tui.record.claude_sessions import ensure_claude_session
from orch_tui.record.ledger import file_use
from orch_tui.record.ledger.rebuild import find_stale_executions
from orch_tui.record.opening import open_record
from orch_tui.record.transcripts.importer import (
    INTERNAL,
    OTHER_PROJECT,
    ImportSummary,
    import_files,
)
from orch_tui.record.transcripts.transcript_files import choose_files, find_in_paths
from tests.counts import COUNTS
from tests.record import claude_home
from tests.record.claude_home import S1, S2, Transcript, launch, tool
from tests.record.empty import write_empty_record
from tests.record.reporting import report

MODELS = load_catalogue()


def take_in(record: Record, *paths: Path, **options: Any) -> ImportSummary:
    return import_files(
        record, find_in_paths(paths), catalogue=MODELS, root=Path("/home/dev/app"), **options
    )


def executions(record: Record) -> dict[str, dict[str, Any]]:
    """Every execution by what names it in Claude Code, without what depends on the order."""
    rows = record.rows("SELECT * FROM agent_executions")
    named = {row["execution_id"]: row["tool_use_id"] or row["agent_id"] for row in rows}
    found = {}
    for row in rows:
        label = row.pop("execution_id")
        row["parent_execution_id"] = named.get(row["parent_execution_id"])
        for text in ("briefing", "handed_over"):
            row[text] = record.value(
                "SELECT sha256 FROM briefings WHERE briefing_id = ?", [row.pop(f"{text}_id")]
            )
        row["returns"] = record.sql(
            "SELECT position, completed_at, status, success, error_message, (SELECT sha256 FROM "
            "contents WHERE content_id = message_id) FROM completions WHERE execution_id = ?",
            [label],
        )
        row["files"] = file_use.list_file_use(record, label)
        for column in ("uid", "revision", "source", "message_id"):
            del row[column]
        found[named[label]] = row
    assert len(found) == len(rows), "two executions of one run"
    assert list(find_stale_executions(record)) == []
    return found


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return claude_home.write_home(tmp_path / "home")


def test_every_generation_becomes_executions(record: Record, home: Path) -> None:
    summary = take_in(record, home)
    assert (summary.new, summary.merged, summary.known) == (9, 0, 0)
    assert summary.skipped == {INTERNAL: 1}
    runs = executions(record)
    assert set(runs) == {"T1", "T2", "T3", "T4", "abcdef0", "T5", "T6", "T7", "T8"}

    explored = runs["T1"]
    assert (explored["agent_type"], explored["status"], explored["scope"]) == (
        "Explore",
        "completed",
        "look",
    )
    assert explored["final_message"] == "All of lib is fine.\n"
    assert (explored["context_end_tokens"], explored["tool_calls"]) == (1503, 3)
    # three messages; the placeholder of the last one's output was replaced by the real figure
    assert [explored[c] for c in ("input_tokens", "cache_write_tokens")] == [9, 300]
    assert [explored[c] for c in ("cache_read_tokens", "output_tokens")] == [3000, 402]
    price = MODELS.model("claude-haiku-4-5").prices[0]
    assert explored["cost_usd"] == pytest.approx(
        (
            9 * price.input
            + 180 * price.cache_write_5m
            + 120 * price.cache_write_1h
            + 3000 * price.cache_read
            + 402 * price.output
        )
        / 1e6
    )
    assert explored["price_date"] == MODELS.model("claude-haiku-4-5").date
    assert (explored["depth"], explored["session_id"]) == (1, f"claude-{S1[:8]}")
    touched = {(f.path, bool(f.read_at), bool(f.written_at)) for f in explored["files"]}
    assert touched == {("lib/a.py", True, False), ("/elsewhere/b.py", False, True)}

    planned = runs["T4"]
    assert (planned["agent_type"], planned["final_message"]) == ("Plan", "The plan.")
    assert (planned["output_tokens"], planned["tool_calls"]) == (87, 1)
    assert [f.path for f in planned["files"]] == ["plan.md"]

    orphan = runs["abcdef0"]
    assert (orphan["agent_type"], orphan["status"], orphan["depth"]) == (
        "unknown",
        "completed",
        None,
    )
    assert (orphan["final_message"], orphan["scope"]) == ("Found it.", "Find the bug")


def test_a_resumed_agent_returns_twice_and_what_it_launched_is_below_it(
    record: Record, home: Path
) -> None:
    take_in(record, home)
    runs = executions(record)
    watched = runs["T2"]
    assert [status for _, _, status, *_ in watched["returns"]] == ["completed", "completed"]
    assert (watched["agent_type"], watched["model"]) == ("general-purpose", "opus")
    assert watched["duration_ms"] == 901
    helper = runs["T3"]
    assert (helper["parent_execution_id"], helper["depth"]) == ("T2", 2)


def test_what_failed_says_why_and_what_only_seemed_to_succeed_is_doubted(
    record: Record, home: Path
) -> None:
    take_in(record, home)
    runs = executions(record)
    assert {t: (runs[t]["status"], runs[t]["error_message"]) for t in ("T5", "T6", "T8")} == {
        "T5": ("failed", "Agent type 'x' not found"),
        "T6": ("failed", "User rejected tool use"),
        "T8": ("failed", "killed"),
    }
    assert runs["T7"]["status"] == "completed"
    assert "a rate limit" in runs["T7"]["unverified"]
    assert runs["T1"]["unverified"] is None


@pytest.mark.parametrize(
    ("blocks", "stop", "why"),
    [
        (["So far"], "max_tokens", "limit of its output"),
        ([{"type": "thinking", "thinking": "?"}], "end_turn", "empty"),
        (["API Error: 500 overloaded"], None, "API error"),
        (["Nothing was wrong."], "end_turn", None),
    ],
)
def test_a_completed_run_is_not_simply_believed(
    blocks: list[Any], stop: str | None, why: str | None, record: Record, tmp_path: Path
) -> None:
    agent = Transcript("agent-a9.jsonl", S1, "a9")
    agent.hears("go")
    agent.says("m1", *blocks, stop=stop)
    take_in(record, agent.write(tmp_path))
    (run,) = executions(record).values()
    assert run["status"] == "completed"
    assert (why is None and run["unverified"] is None) or why in run["unverified"]


def test_what_is_still_running_is_waiting(record: Record, tmp_path: Path) -> None:
    agent = Transcript("agent-a9.jsonl", S1, "a9")
    agent.hears("go")
    agent.says("m1", "I'll read.", tool := claude_home.tool("R", "Read", file_path="a"))
    path = agent.write(tmp_path)
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:2]))  # what it says looks like an end until it goes on
    take_in(record, path)
    assert executions(record)["a9"]["status"] == "completed"
    path.write_bytes(b"".join(lines))
    assert tool and take_in(record, path).merged == 1
    run = executions(record)["a9"]
    assert (run["status"], run["final_message"], run["tool_calls"]) == ("deployed", None, 1)


def test_a_session_of_which_nothing_was_heard_for_a_day_has_ended(
    record: Record, home: Path
) -> None:
    take_in(record, home)
    rows = record.sql("SELECT status, completed_at > created_at FROM sessions")
    assert rows and all(row == ("completed", 1) for row in rows)
    grown = claude_home.background()[0]
    grown.start += 300
    grown.says("m-new", claude_home.launch("T-new", "Explore", "One more"))
    grown.lines[-1]["timestamp"] = "2026-11-22T09:59:00.000Z"
    take_in(record, grown.write(home))
    assert record.sql(
        "SELECT status, completed_at FROM sessions WHERE claude_session = ?", [S2]
    ) == [("executing", None)]


def test_twice_is_once(record: Record, home: Path) -> None:
    take_in(record, home)
    before = (executions(record), record.value("SELECT count(*) FROM observations"))
    again = take_in(record, home)
    assert (again.files_read, again.new, again.merged) == (0, 0, 0)
    for path in home.rglob("*.json*"):
        os.utime(path, ns=(1, 1))  # looks changed: read again from where it was left
    again = take_in(record, home)
    assert (again.new, again.merged, again.files_unchanged) == (0, 0, 0)
    assert (executions(record), record.value("SELECT count(*) FROM observations")) == before


@pytest.mark.parametrize(
    ("noted", "asked"),
    [
        ({"model": "haiku"}, "haiku"),
        ({"model": "claude-opus-5-5", "modelNotNamed": True}, None),
        ({"model": "inherit", "isFork": True}, None),
        ({}, None),
    ],
)
def test_the_model_asked_for_is_not_the_one_it_merely_ran_on(
    noted: dict[str, Any], asked: str | None, record: Record, tmp_path: Path
) -> None:
    agent = Transcript("agent-a9.jsonl", S1, "a9")
    agent.hears("go")
    agent.says("m1", "Done.", stop="end_turn")
    path = agent.write(tmp_path)
    path.with_name("agent-a9.meta.json").write_text(json.dumps({"agentType": "Explore"} | noted))
    take_in(record, tmp_path)
    assert executions(record)["a9"]["model"] == asked


def test_a_fork_begins_with_a_copy_of_its_parents_call(record: Record, tmp_path: Path) -> None:
    agent = Transcript("agent-a9.jsonl", S1, "a9")
    agent.says("m1", claude_home.launch("T1", "fork", "look"), stop="tool_use")
    started = {"type": "tool_result", "tool_use_id": "T1", "content": "Fork started"}
    agent.add("user", message={"role": "user", "content": [started]})
    agent.says("m2", "It is fine.", stop="end_turn")
    agent.lines.insert(0, {"type": "fork-context-ref", "agentId": "a9"})
    take_in(record, agent.write(tmp_path))
    (run,) = executions(record).values()
    assert (run["tool_calls"], len(run["returns"]), run["final_message"]) == (0, 1, "It is fine.")
    assert record.sql("SELECT message_id FROM usage_messages") == [("m2",)]


@pytest.mark.parametrize(("ends", "said"), [(True, '{"ok":true}'), (False, None)])
def test_what_is_given_back_by_tool_is_the_last_word(
    ends: bool, said: str | None, record: Record, tmp_path: Path
) -> None:
    """A workflow that wants its result in a form gets it so, and no message follows."""
    agent = Transcript("agent-a9.jsonl", S1, "a9")
    agent.hears("go")
    agent.says("m1", claude_home.tool("F", "StructuredOutput", ok=True), stop="tool_use")
    answer = {"type": "tool_result", "tool_use_id": "F", "content": "provided"}
    agent.add("user", message={"role": "user", "content": [answer]}, toolEndsTurn=ends)
    take_in(record, agent.write(tmp_path))
    run = executions(record)["a9"]
    assert (run["final_message"], len(run["returns"])) == (said, 1 if ends else 0)
    assert (run["status"], run["tool_calls"]) == ("completed" if ends else "deployed", 1)


def test_a_skill_that_runs_in_a_fork_is_what_it_was_given(record: Record, tmp_path: Path) -> None:
    agent = Transcript("agent-a9.jsonl", S1, "a9")
    for words in ("Base directory: x\n\ndo it", "<system-reminder>\nOthers\n</system-reminder>"):
        agent.hears(words)
        agent.lines[-1]["isMeta"] = True
    agent.says("m1", "Done.", stop="end_turn")
    take_in(record, agent.write(tmp_path))
    assert record.sql("SELECT scope FROM agent_executions") == [("Base directory: x",)]


@cache
def _home_at_once() -> tuple[dict[Path, bytes], dict[str, dict[str, Any]]]:
    """The files of a home, by their paths in it, and the executions that they tell of."""
    with tempfile.TemporaryDirectory() as folder, open_record(Path(folder) / "once.db") as record:
        home = claude_home.write_home(Path(folder) / "home")
        take_in(record, home)
        files = {p.relative_to(home): p.read_bytes() for p in home.rglob("*") if p.is_file()}
        return files, executions(record)


@pytest.mark.slow
@given(st.randoms(use_true_random=False), st.lists(st.floats(0, 1), min_size=1, max_size=3))
@settings(max_examples=COUNTS.histories, phases=[Phase.generate])
def test_neither_order_nor_cuts_nor_copies_change_anything(
    chance: random.Random, cuts: list[float]
) -> None:
    """Files come in any order, each in pieces cut anywhere, and again as torn copies."""
    written, expected = _home_at_once()
    with tempfile.TemporaryDirectory() as folder:
        data = {Path(folder) / "home" / path: text for path, text in written.items()}
        files = list(data)
        for path in files:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data[path])
        pieces = [(path, cut) for path in files for cut in cuts]
        chance.shuffle(pieces)
        with open_record(write_empty_record(Path(folder) / "pieces.db")) as record:
            for path, cut in pieces:
                place = path
                if chance.random() < 0.3:  # a copy that was made while it was written
                    place = path.parent / ("copy" if path.suffix == ".jsonl" else "") / path.name
                place.parent.mkdir(exist_ok=True)
                place.write_bytes(data[path][: int(cut * len(data[path]))])
                take_in(record, place)
            chance.shuffle(files)
            for path in files:
                path.write_bytes(data[path])
                take_in(record, path)
            assert executions(record) == expected


@pytest.mark.parametrize("step", [37])
def test_a_file_cut_at_any_byte_is_read_and_later_completed(
    step: int, record: Record, tmp_path: Path
) -> None:
    parent, agent, _ = claude_home.foreground()
    parent.write(tmp_path)
    path = agent.write(tmp_path)
    take_in(record, tmp_path)
    expected = executions(record)
    data = path.read_bytes()
    with open_record(tmp_path / "grown.db") as grown:
        for end in range(0, len(data), step):
            path.write_bytes(data[:end])
            take_in(grown, path)
        path.write_bytes(data)
        take_in(grown, tmp_path)
        assert executions(grown) == expected


def test_a_message_after_which_the_agent_went_on_is_no_return(
    record: Record, tmp_path: Path
) -> None:
    """A hook refused its stop, or a request failed and was repeated; wherever the file was cut."""
    agent = Transcript("agent-a1.jsonl", S1, "a1")
    agent.hears("go")
    agent.says("m1", "Half of it.", stop="end_turn")
    agent.hears("Stop hook feedback: not yet", isMeta=True)
    agent.says("m2", "API Error: overloaded", isApiErrorMessage=True)
    agent.says("m3", "All of it.", stop="end_turn")
    for end in range(1, len(agent.lines) + 1):
        path = agent.write(tmp_path)
        path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:end]))
        take_in(record, path)
    (run,) = executions(record).values()
    assert (run["final_message"], len(run["returns"])) == ("All of it.", 1)
    assert (run["unverified"], run["status"]) == (None, "completed")


GARBAGE = [
    b"",
    b"\n\n\n",
    b"\x00\xff\xfe not json\n",
    b"[1, 2]\n3\nnull\n",
    b'{"type": 7, "message": [], "sessionId": {"a": 1}}\n',
    b'{"type": "assistant", "sessionId": "s", "agentId": "a", "isSidechain": true}\n',
    b'{"type": "user", "sessionId": "s", "message": {"content": [7, null, {"type": 1}]}}\n',
    b'{"type": "assistant", "message": {"content": {"a": 1}, "usage": 3, "id": null}}\n',
    b'{"type": "user", "toolUseResult": {"agentId": 7, "status": []}, "message": null}\n',
    b'{"type": "assistant", "timestamp": 12, "message": {"usage": {"input_tokens": 1e400}}}\n',
    b'{"type":"user","isSidechain":true,"message":{"content":"\\ud800 half"},"sessionId":"s"}\n',
    b'{"type":"user","isSidechain":true,"message":{"content":"\xff"},"sessionId":"s"}\n',
    b'{"a":' * 5000 + b"\n",
    b'{"type":"assistant","message":{"id":5,"content":{"x":1}}}\n',
]


@pytest.mark.parametrize("garbage", GARBAGE)
def test_no_line_makes_a_file_fail(garbage: bytes, record: Record, tmp_path: Path) -> None:
    parent, agent, _ = claude_home.foreground()
    parent.write(tmp_path)
    path = agent.write(tmp_path)
    path.write_bytes(garbage + path.read_bytes() + garbage)
    take_in(record, tmp_path)
    run = executions(record)["T1"]
    assert (run["output_tokens"], run["status"]) == (402, "completed")


@pytest.mark.parametrize(
    ("before", "after", "column", "value"),
    [
        (b'"input_tokens":3,', b'"input_tokens":99999999999999999999,', "input_tokens", 0),
        (b'"input_tokens":3,', b'"input_tokens":9223372036854775807,', "input_tokens", 0),
        (b'"input_tokens":3,', b'"input_tokens":-3,', "input_tokens", 0),
        (b"T00:00:02.000Z", b"T99:99:99.999Z", "deployed_at", "2026-02-11T00:00:03.000Z"),
        (b"fine.", b"\xff NaN", "final_message", "All of lib is \ufffd NaN\n"),
        (b"2026-02-11T00:00:02.000Z", b"0001-01-01T00:00:00+14:00", "status", "completed"),
    ],
)
def test_impossible_values_are_none(
    before: bytes, after: bytes, column: str, value: object, record: Record, tmp_path: Path
) -> None:
    path = claude_home.foreground()[1].write(tmp_path)
    assert before in path.read_bytes()
    path.write_bytes(path.read_bytes().replace(before, after))
    take_in(record, tmp_path)
    (run,) = executions(record).values()
    assert run[column] == value


@pytest.mark.slow
@given(st.data())
@settings(max_examples=COUNTS.histories)
def test_broken_lines_never_raise(data: st.DataObject) -> None:
    """Every value of a real line may be replaced by anything."""
    anything = st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner),
        max_leaves=3,
    )

    def disturb(value: Any) -> Any:
        if data.draw(st.integers(0, 9)) == 0:
            return data.draw(anything)
        if isinstance(value, dict):
            return {name: disturb(each) for name, each in value.items()}
        return [disturb(each) for each in value] if isinstance(value, list) else value

    transcript = data.draw(st.sampled_from(claude_home.everything()))
    transcript.lines = [disturb(line) for line in transcript.lines]
    with (
        tempfile.TemporaryDirectory() as folder,
        open_record(write_empty_record(Path(folder) / "x.db")) as record,
    ):
        take_in(record, transcript.write(Path(folder)))
        assert list(find_stale_executions(record)) == []


def test_copies_of_a_session_add_nothing(record: Record, home: Path) -> None:
    """A session that is resumed or forked is copied whole to a file of another name."""
    take_in(record, home)
    before = executions(record)
    for path in sorted(home.rglob("*.jsonl")):
        copy = home / "copies" / f"{len(list(home.rglob('*')))}-{path.name}"
        copy.parent.mkdir(exist_ok=True)
        shutil.copy(path, copy if not path.name.startswith("agent-") else copy.parent / path.name)
    assert take_in(record, home).new == 0
    assert executions(record) == before


@pytest.mark.parametrize("is_fork_first", [True, False])
@pytest.mark.parametrize("parts", [1, 2])
def test_a_run_stays_in_the_session_it_ran_in(
    record: Record, tmp_path: Path, is_fork_first: bool, parts: int
) -> None:
    """A session that was forked or resumed begins with a copy of another, under its own name."""
    original = claude_home.foreground()[:parts]
    fork = Transcript("00000000.jsonl", "00000000")
    fork.lines = [{**line, "sessionId": "00000000"} for line in original[0].lines]
    fork.lines[0]["timestamp"] = "2026-02-11T00:00:00.000Z"
    for transcript in [fork, *original] if is_fork_first else [*original, fork]:
        take_in(record, transcript.write(tmp_path))
    (run,) = executions(record).values()
    assert run["session_id"] == ("claude-10000000" if parts == 2 else "claude-00000000")
    assert len(record.sql("SELECT * FROM sessions")) == 2


def test_a_message_two_agents_claim_is_counted_once(record: Record, tmp_path: Path) -> None:
    """A fork begins with a copy of what the other had said."""
    for number, name in enumerate(("a1", "a2")):
        agent = Transcript(f"agent-{name}.jsonl", S1, name, start=number)
        agent.hears("go")
        agent.says("shared", "Looking.", claude_home.tool("R", "Grep"), output=50)
        agent.gets("R")
        agent.says(f"own-{name}", "Done.", output=7)
        agent.write(tmp_path)
    take_in(record, tmp_path)
    runs = executions(record)
    assert [runs[name]["output_tokens"] for name in ("a1", "a2")] == [57, 7]


# With what people say of the same runs


def test_a_person_keeps_the_word_on_what_was_meant(record: Record, home: Path) -> None:
    take_in(record, home)
    (label,) = record.sql("SELECT execution_id FROM agent_executions WHERE tool_use_id = 'T7'")[0]
    with record.write():
        report(
            record,
            "returned",
            {"status": "failed", "error_message": "rate limit"},
            source="manual",
            keys=[f"id:{label}"],
            message="API Error: Rate limit reached",
        )
    run = executions(record)["T7"]
    assert (run["status"], run["unverified"], len(run["returns"])) == ("failed", None, 1)


# Which files


def names(files: Iterable[Any]) -> set[str]:
    return {Path(found.path).name for found in files}


def test_the_default_is_this_project_and_its_worktrees(record: Record, tmp_path: Path) -> None:
    root, other, tree = tmp_path / "app", tmp_path / "app-two", tmp_path / "trees" / "x"
    for folder in (root, other):
        (folder / ".git").mkdir(parents=True)
    pointer = root / ".git" / "worktrees" / "x"
    pointer.mkdir(parents=True)
    (pointer / "gitdir").write_text(f"{tree}/.git\n")
    (pointer / "commondir").write_text("../..\n")
    tree.mkdir(parents=True)
    (tree / ".git").write_text(f"gitdir: {pointer}\n")
    claude = tmp_path / "claude"
    for number, folder in enumerate((root, other, tree, root / "lib", tmp_path / "far")):
        agent = Transcript(f"agent-a{number}.jsonl", f"s{number}", f"a{number}")
        agent.hears("go")
        agent.says("m" + str(number), "Done.")
        for line in agent.lines:
            line["cwd"] = str(folder)
        name = "".join(c if c.isalnum() else "-" for c in str(folder))
        target = claude / "projects" / name / agent.path
        target.parent.mkdir(parents=True)
        target.write_bytes(agent.data)
    options: dict[str, Any] = {"claude_folder": claude, "root": root}
    files = list(choose_files([], every_project=False, **options))
    assert names(files) == {"agent-a0.jsonl", "agent-a1.jsonl", "agent-a2.jsonl", "agent-a3.jsonl"}
    summary = import_files(record, files, catalogue=MODELS, root=root, only_project=True)
    assert (summary.new, summary.skipped) == (3, {OTHER_PROJECT: 1})
    assert record.sql("SELECT DISTINCT project FROM sessions") == [(str(root),)]
    every = list(choose_files([], every_project=True, **options))
    summary = import_files(record, every, catalogue=MODELS, root=root)
    assert (summary.new, summary.files_unchanged) == (2, 3)
    assert record.value("SELECT project FROM sessions WHERE claude_session = 's2'") == str(root)


def run_without_sidecars(
    folder: Path, prompts: list[str], *, gap: int = 1, is_failed: bool = True
) -> list[Path]:
    """A session whose calls name no agent, and the agents it began, without their sidecars."""
    session = Transcript(f"{S1}.jsonl", S1)
    agents = []
    for number, prompt in enumerate(prompts):
        session.says("m-main", launch(f"T{number}", "Explore", prompt, description="look"))
        agent = Transcript(f"{S1}/subagents/agent-a{number}.jsonl", S1, f"a{number}", start=gap)
        agent.hears(prompt)
        agent.says(f"m{number}", f"I begin {number}.", stop="end_turn")
        agents.append(agent)
    session.start = 20
    for number, _ in enumerate(prompts):
        text = "Error: API Error: 500" if is_failed else f"I begin {number}."
        session.gets(f"T{number}", text, text if is_failed else None, error=is_failed)
    return [each.write(folder) for each in (session, *agents)]


@pytest.mark.parametrize("is_failed", [True, False])
@pytest.mark.parametrize("order", [1, -1])
def test_a_call_and_the_run_it_began_are_one_by_their_text(
    record: Record, tmp_path: Path, order: int, is_failed: bool
) -> None:
    paths = run_without_sidecars(tmp_path, ["Look here", "Look there"], is_failed=is_failed)
    for path in paths[::order]:
        import_files(record, find_in_paths([path]), catalogue=MODELS, root=tmp_path)
    told = "SELECT agent_id, tool_use_id, status FROM agent_executions ORDER BY 1"
    status = "failed" if is_failed else "completed"
    assert record.sql(told) == [("a0", "T0", status), ("a1", "T1", status)]
    assert list(find_stale_executions(record)) == []


def named_alike(folder: Path, prompts: tuple[str, str]) -> list[Path]:
    """A session that launches two agents of one name, and what each of them wrote."""
    session = Transcript(f"{S1}.jsonl", S1)
    agents = []
    for number, prompt in enumerate(prompts):
        given = {"prompt": prompt, "description": prompt, "name": "scout"}
        call = {"type": "tool_use", "id": f"T{number}", "name": "Agent", "input": given}
        session.says(f"m-main-{number}", call)
        session.gets(f"T{number}", "spawned", {"status": "teammate_spawned"})
        agent_id = f"ascout-{number:016}"
        agent = Transcript(f"{S1}/subagents/agent-{agent_id}.jsonl", S1, agent_id, start=9)
        agent.hears(f'<teammate-message teammate_id="lead">\n{prompt}\n</teammate-message>')
        agent.says(f"m{number}", f"It is {number}.", stop="end_turn")
        agents.append(agent)
    return [each.write(folder) for each in (session, *agents)]


@pytest.mark.parametrize("order", [1, -1])
def test_agents_of_one_name_are_told_apart_by_what_they_were_handed(
    record: Record, tmp_path: Path, order: int
) -> None:
    for path in named_alike(tmp_path, ("Look here", "Look there"))[::order]:
        import_files(record, find_in_paths([path]), catalogue=MODELS, root=tmp_path)
    told = "SELECT tool_use_id, final_message FROM agent_executions ORDER BY 1"
    assert record.sql(told) == [("T0", "It is 0."), ("T1", "It is 1.")]
    assert list(find_stale_executions(record)) == []


def test_agents_of_one_name_and_text_are_united_with_no_call(
    record: Record, tmp_path: Path
) -> None:
    paths = named_alike(tmp_path, ("Look", "Look"))
    import_files(record, find_in_paths(paths), catalogue=MODELS, root=tmp_path)
    assert record.value("SELECT count(*) FROM agent_executions") == 4


def test_what_may_be_another_call_is_united_with_none(record: Record, tmp_path: Path) -> None:
    paths = [
        *run_without_sidecars(tmp_path / "alike", ["Look here", "Look here"]),
        *run_without_sidecars(tmp_path / "late", ["Look here"], gap=90),
    ]
    for folder, halves in (("alike", 4), ("late", 2)):
        with open_record(tmp_path / f"{folder}.db") as other:
            files = find_in_paths([path for path in paths if folder in path.parts])
            import_files(other, files, catalogue=MODELS, root=tmp_path)
            assert other.value("SELECT count(*) FROM agent_executions") == halves


@pytest.mark.parametrize(
    ("cwd", "path", "name"),
    [
        ("{root}", "{root}/lib/../a.py", "a.py"),
        ("{root}/lib", "a.py", "lib/a.py"),
        ("{root}/lib", "/else/a.py", "/else/a.py"),
        ("{root}/.claude/worktrees/gone", "{root}/.claude/worktrees/gone/lib/a.py", "lib/a.py"),
        ("/another/machine/app", "/another/machine/app/a.py", "a.py"),
        ("C:\\app", "C:\\app\\a.py", "C:\\app\\a.py"),
        ("app", "a.py", "a.py"),
    ],
)
def test_a_file_is_named_after_its_working_tree_as_far_as_that_is_here(
    record: Record,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    cwd: str,
    path: str,
    name: str,
) -> None:
    root = tmp_path / "work"
    for folder in (root / ".git", root / "lib", root / "app", root / "C:\\app"):
        folder.mkdir(parents=True)
    monkeypatch.chdir(root)  # where what is relative would be found
    agent = Transcript("agent-a1.jsonl", S1, "a1", cwd=cwd.format(root=root))
    agent.hears("go")
    agent.says("m1", tool("R", "Read", file_path=path.format(root=root)))
    agent.gets("R")
    files = list(find_in_paths([agent.write(tmp_path)]))
    import_files(record, files, catalogue=MODELS, root=root, only_project=False)
    assert record.sql("SELECT path FROM execution_files") == [(name,)]


def test_a_worktree_that_was_removed_is_known_by_what_hooks_told(
    record: Record, tmp_path: Path
) -> None:
    agent = Transcript("agent-a1.jsonl", "s1", "a1")
    agent.hears("go")
    agent.says("m1", "Done.")
    for line in agent.lines:
        line["cwd"] = "/trees/gone"
    files = [agent.write(tmp_path)]
    options: dict[str, Any] = {"catalogue": MODELS, "root": tmp_path, "only_project": True}
    assert import_files(record, find_in_paths(files), **options).skipped == {OTHER_PROJECT: 1}
    with record.write():
        ensure_claude_session(
            record, "s1", project=str(tmp_path), started_at="2026-02-11T00:00:00.000Z"
        )
    record.execute("DELETE FROM import_checkpoints")
    assert import_files(record, find_in_paths(files), **options).new == 1


def test_a_file_that_was_replaced_is_read_from_its_start(record: Record, tmp_path: Path) -> None:
    one, two = Transcript("agent-a1.jsonl", S1, "a1"), Transcript("agent-a1.jsonl", S2, "a1")
    for transcript, times in ((one, 1), (two, 5)):
        transcript.hears("go")
        for number in range(times):
            transcript.says(f"{transcript.session}-{number}", "Done.", output=1)
    take_in(record, one.write(tmp_path))
    take_in(record, two.write(tmp_path))
    assert sorted(record.sql("SELECT session_id, output_tokens FROM agent_executions")) == [
        (f"claude-{S1[:8]}", 1),
        (f"claude-{S2[:8]}", 5),
    ]
