"""An agent's own words are told from what Claude Code notes of them, whoever hands them over."""

from __future__ import annotations

import random
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from orch_tui.models.database import Record
from orch_tui.record.agent_words import cut_trace, read_framed_words, separate_notes
from orch_tui.record.hooks import payload_ingest, payloads
from tests.counts import COUNTS
from tests.record import claude_home
from tests.record import hook_events as hooks
from tests.record.claude_home import CWD, S1, Transcript
from tests.record.test_importer import executions, take_in

TOOLS = "<tools-used-before-summary>Bash, Read</tools-used-before-summary>\n"
LIMIT = "NOTE: this agent stopped at its 12-turn limit before its end. PARTIAL output\n"
EARLY = "Agent terminated early due to an API error: API Error: 500 no\n\nPARTIAL output"
FRAME = "[Subagent hand-back] Below is the report. The report follows:\n"
WORDS = "Found it.\n\n  - in lib/a.py\n"


@pytest.mark.parametrize("counted", [True, False])
@pytest.mark.parametrize("notes", [[], [TOOLS], [TOOLS, LIMIT], [EARLY, TOOLS]])
def test_notes_are_not_the_agents_words(notes: list[str], counted: bool) -> None:
    found = separate_notes([*notes, WORDS, "More."], len(notes) if counted else None)
    assert found.text == f"{WORDS}\nMore."
    assert ("12 turns" in (found.doubt or "")) == (LIMIT in notes)
    assert found.error == ("API Error: 500 no" if EARLY in notes else None)


def test_notes_behind_the_words_are_counted() -> None:
    assert separate_notes([TOOLS, WORDS, "A note."], 1, 1).text == WORDS
    assert separate_notes([WORDS, "It is PARTIAL."], 0, 1).doubt


def test_words_that_look_like_notes_are_words_where_they_are_counted() -> None:
    assert separate_notes([TOOLS, WORDS], 0, 0).text == f"{TOOLS}\n{WORDS}"
    assert separate_notes([LIMIT]).text == LIMIT


@pytest.mark.parametrize(("front", "tail"), [(9, 0), (1, 2), (-1, 0), (0, -1), (10**12, 10**12)])
def test_impossible_counts_are_none(front: int, tail: int) -> None:
    assert separate_notes([TOOLS, WORDS], front, tail).text == WORDS


@given(
    st.lists(st.sampled_from([TOOLS, LIMIT, EARLY, WORDS, "", " \n", FRAME])),
    st.none() | st.integers(-2, 6),
    st.none() | st.integers(-2, 6),
)
def test_no_word_of_the_agents_is_lost(
    texts: list[str], front: int | None, tail: int | None
) -> None:
    found = separate_notes(texts, front, tail)
    if front is None and tail is None:
        assert found.text.count(WORDS) == texts.count(WORDS)


def framed(words: str, *notes: str) -> str:
    inside = "\n".join(f"  {line}" for line in words.split("\n"))
    before = "".join(f"  {line}\n" for note in notes for line in note.split("\n"))
    figures = "<usage>subagent_tokens: 1200\ntool_uses: 2\nduration_ms: 4200</usage>"
    return f"{before}{FRAME}{inside}\nagentId: a2 (for messages)\n{figures}"


@pytest.mark.parametrize("words", [WORDS, "agentId: x\n<usage>1</usage>", FRAME + "x", "", "\n  y"])
def test_a_frame_gives_back_what_it_framed(words: str) -> None:
    found = read_framed_words(framed(words, TOOLS, LIMIT))
    assert found and (found.text, found.error) == (words, None)
    assert "12 turns" in str(found.doubt)


def test_words_about_a_frame_are_words() -> None:
    assert read_framed_words("I saw this:\n" + FRAME + "  x") is None
    assert read_framed_words(WORDS) is None


def test_a_trace_ends_where_the_words_begin() -> None:
    assert cut_trace('[Tool: Bash] {"a":1}\n\n--- RESULT ---\nFine.') == "Fine."
    assert cut_trace("About\n--- RESULT ---\nFine.") == "About\n--- RESULT ---\nFine."
    assert cut_trace("[Tool: Bash] only") == "[Tool: Bash] only"


# Both roads


def noted(agent: str, words: str, *notes: str) -> dict[str, Any]:
    content = [{"type": "text", "text": text} for text in (*notes, words)]
    counts = {"harnessNoteCount": len(notes), "harnessTailCount": 0}
    return claude_home.done(agent, words, 10) | counts | {"content": content}


def launching(*results: tuple[str, dict[str, Any]]) -> Transcript:
    main = Transcript(f"{S1}.jsonl", S1)
    for number, (_, result) in enumerate(results, start=1):
        main.says(f"m{number}", claude_home.launch(f"T{number}", "Explore", f"Part {number}"))
        main.gets(f"T{number}", "shown", result)
    return main


def own(agent: str, *said: Any, number: int = 1, start: int = 2) -> Transcript:
    """The file of an agent; a text that is the last is what it returns."""
    file = Transcript(f"{S1}/subagents/agent-{agent}.jsonl", S1, agent, start=start)
    file.hears(f"Part {number}")
    for turn, blocks in enumerate(said):
        file.says(f"{agent}-{turn}", *blocks)
        for block in blocks:
            if isinstance(block, dict):
                file.gets(block["id"])
    return file


USED = ["I look.", claude_home.tool("R1", "Bash", command="ls")]


def told(files: list[Transcript], events: list[dict[str, Any]], chance: random.Random) -> Any:
    """What comes of a run, told by files and hooks in any order."""
    with tempfile.TemporaryDirectory() as folder, Record(Path(folder) / "x.db") as record:
        todo: list[Any] = [each.write(Path(folder) / "home") for each in files]
        todo += [(f"2026-02-11T00:00:{n:02}.500Z", each) for n, each in enumerate(events, start=2)]
        chance.shuffle(todo)
        for each in todo:
            if isinstance(each, Path):
                take_in(record, each)
                continue
            at, payload = each
            heard = payloads.read_payload(payload, at)
            if heard:
                with record.write():
                    payload_ingest.ingest_hook_payload(record, CWD, heard, at, {})
        return [
            (row["status"], row["final_message"], row["error_message"], row["unverified"])
            + (len(row["returns"]),)
            for row in executions(record).values()
        ]


def heard(*events: dict[str, Any]) -> list[dict[str, Any]]:
    return [{**event, "session_id": S1} for event in events]


def called(prompt: str = "Part 1") -> dict[str, Any]:
    return hooks.call("T1", prompt)


ERROR = "API Error: 500 no"
BROKEN = own("a1", USED)
BROKEN.says("a1-9", ERROR, isApiErrorMessage=True, model="<synthetic>")
STOPPED = launching(("a1", {"status": "async_launched", "agentId": "a1"}))
STOPPED.says("m8", claude_home.tool("TS", "TaskStop", task_id="a1"))
STOPPED.gets("TS", "{}", {"message": "stopped", "task_id": "a1", "task_type": "local_agent"})
NOTIFIED = Transcript(STOPPED.path, S1, lines=[*STOPPED.lines])
NOTIFIED.hears(claude_home.notification("a1", "T1", "I look."))
FAILED = launching(("a1", {"status": "async_launched", "agentId": "a1"}))
FAILED.hears(claude_home.notification("a1", "T1", "I look.", "failed"))

RUNS: dict[str, tuple[list[Transcript], list[dict[str, Any]], tuple[Any, ...]]] = {
    "a tool was used": (
        [launching(("a1", noted("a1", WORDS, TOOLS))), own("a1", USED, [WORDS])],
        heard(
            called(),
            hooks.start("a1"),
            hooks.stop("a1", WORDS.rstrip()),
            hooks.answer(called(), noted("a1", WORDS, TOOLS)),
        ),
        ("completed", WORDS, None, None, 1),
    ),
    "an error after some work": (
        [launching(("a1", noted("a1", "I look.", EARLY, TOOLS))), BROKEN],
        heard(
            called(),
            hooks.start("a1"),
            hooks.answer(called(), noted("a1", "I look.", EARLY, TOOLS)),
            hooks.broken("a1", ERROR),
        ),
        ("failed", "I look.", ERROR, None, 1),
    ),
    "an error in the background": (
        [FAILED, BROKEN],
        heard(
            called(),
            hooks.answer(called(), hooks.launched("a1")),
            hooks.start("a1"),
            hooks.broken("a1", ERROR),
        ),
        ("failed", "I look.", ERROR, None, 1),
    ),
    "stopped": (
        [STOPPED, own("a1", USED)],
        heard(
            called(),
            hooks.answer(called(), hooks.launched("a1")),
            hooks.start("a1"),
            hooks.stopped("a1"),
        ),
        ("failed", None, "stopped", None, 1),
    ),
    "stopped and notified as completed": (
        [NOTIFIED, own("a1", USED)],
        heard(
            called(),
            hooks.answer(called(), hooks.launched("a1")),
            hooks.start("a1"),
            hooks.stopped("a1"),
        ),
        ("failed", "I look.", "stopped", None, 1),
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", RUNS)
@given(st.randoms(use_true_random=False))
@settings(max_examples=COUNTS.histories // len(RUNS), phases=[Phase.generate])
def test_hooks_and_transcripts_tell_of_one_return(name: str, chance: random.Random) -> None:
    files, events, expected = RUNS[name]
    assert told(files, events, chance) == [expected]
    assert told([], events, chance)[0][0] == expected[0]
    if name != "an error in the background":  # whose notification gives no more than a summary
        assert told(files, [], chance) == [expected]


def test_a_turn_limit_is_a_doubt(record: Record, tmp_path: Path) -> None:
    main = launching(("a1", noted("a1", "turn 1", TOOLS, LIMIT)))
    for each in (main, own("a1", USED)):
        take_in(record, each.write(tmp_path))
    (run,) = executions(record).values()
    assert (run["status"], run["final_message"]) == ("completed", "turn 1")
    assert "12 turns" in run["unverified"]


def test_a_frame_never_outranks_the_agents_own_file(record: Record, tmp_path: Path) -> None:
    """In a nested agent's file only the text that the model was shown is left."""
    launcher = own("a1", [claude_home.launch("T2", "Explore", "Part 2")], ["Outer."])
    launcher.lines[2]["message"]["content"][0]["content"] = framed("Found it.", TOOLS)
    inner = own("a2", ["Found it.\n"], number=2, start=3)
    take_in(record, launcher.write(tmp_path))
    nested = executions(record)["T2"]
    assert (nested["final_message"], nested["context_end_tokens"]) == ("Found it.", 1200)
    take_in(record, inner.write(tmp_path))
    nested = executions(record)["T2"]
    assert (nested["final_message"], len(nested["returns"])) == ("Found it.\n", 1)


@pytest.mark.parametrize(("name", "status"), [("Bash", "deployed"), ("TaskStop", "failed")])
def test_a_nested_agent_stops_its_own(
    name: str, status: str, record: Record, tmp_path: Path
) -> None:
    """There the answer of the tool is text, and only a call of that tool makes it one."""
    launcher = own(
        "a1",
        [claude_home.launch("T2", "Explore", "Part 2")],
        [claude_home.tool("TS", name, task_id="a2")],
    )
    launcher.lines[2]["message"]["content"][0]["content"] = "Async agent launched\nagentId: a2"
    answer = '{"message": "stopped", "task_id": "a2", "task_type": "local_agent"}'
    launcher.lines[4]["message"]["content"][0]["content"] = answer
    take_in(record, launcher.write(tmp_path))
    assert executions(record)["T2"]["status"] == status


def test_a_stopped_agent_ends_when_its_last_line_was_written(
    record: Record, tmp_path: Path
) -> None:
    """Its sidecar says that it was stopped, and may be read, or written again, much later."""
    path = own("a1", USED).write(tmp_path)
    sidecar = path.with_name("agent-a1.meta.json")
    for text in ('{"stoppedByUser": true}', '{"stoppedByUser": true, "name": "x"}'):
        sidecar.write_text(text)
        take_in(record, path, sidecar)
        (run,) = executions(record).values()
        assert (run["status"], run["error_message"], len(run["returns"])) == (
            "failed",
            "stopped",
            1,
        )
        assert run["completed_at"] == "2026-02-11T00:00:05.000Z"
