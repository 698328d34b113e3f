"""One session with results as clients since 2.1.3xx give them: notes, frames, a fork, an error.

``tests/fixtures/earlier_reading/record.db.gz`` is what the first edition of orch recorded of it, by
hooks and by an import, in ``/home/dev/app``: it took all that stands in a result for the agent's
words, and what a sidecar names for the model that was asked for.
"""

from __future__ import annotations

import json
from pathlib import Path

from tests.record import hook_events
from tests.record.claude_home import CWD, Transcript, done, launch, tool

SESSION = "60000000-0000-4000-8000-000000000000"
TOOLS = "<tools-used-before-summary>Bash, Read</tools-used-before-summary>\n"
LIMIT = "NOTE: this agent stopped at its 2-turn limit before it was done. This is PARTIAL.\n"
ERROR = "API Error: 500 overloaded"
EARLY = (
    f"Agent terminated early due to an API error: {ERROR}\n\nEverything below is PARTIAL output."
)
FORKED = "Fork started — that fork is you."

WORDS = {
    "a0000000000000001": "Wrote notes.md.\n\n## Checks\n- tests: pass",
    "a0000000000000002": "Turn one.",
    "a0000000000000003": "The outer one is done.",
    "a0000000000000004": "The inner one is done.",
    "a0000000000000005": "Looked around.",
}
"""The last words of each agent but the one that ended in an error."""
FAILED = "a0000000000000006"


def frame(words: str, *notes: str) -> str:
    """What the model that launched a nested agent is shown of its result."""
    above = "\n".join(f"  {line}" for note in notes for line in note.split("\n"))
    below = "\n".join(f"  {line}" for line in words.split("\n"))
    return f"{above}\n[Subagent hand-back] Its report:\n{below}"


def _result(agent: str, words: str, *notes: str) -> dict[str, object]:
    content = [{"type": "text", "text": text} for text in (*notes, words)]
    counts = {"harnessNoteCount": len(notes), "harnessTailCount": 0}
    return done(agent, words, 10, content=content, **counts)


def _agent(number: int, *, start: int) -> Transcript:
    agent = f"a{number:016}"
    return Transcript(f"{SESSION}/subagents/agent-{agent}.jsonl", SESSION, agent, start=start)


def noted_transcripts() -> list[Transcript]:
    """The session and the files of its agents."""
    main = Transcript(f"{SESSION}.jsonl", SESSION)
    main.hears("do it")
    first, limited, outer, inner, fork = WORDS.values()
    for number, words, notes in (
        (1, first, [TOOLS]),
        (2, limited, [TOOLS, LIMIT]),
        (3, outer, [TOOLS]),
        (6, "I begin.", [EARLY, TOOLS]),
    ):
        main.says(f"msg_0{number}", launch(f"toolu_{number}", "Explore", f"task {number}"))
        text = frame(words, *notes)
        main.gets(f"toolu_{number}", text, _result(f"a{number:016}", words, *notes))
    main.says("msg_05", launch("toolu_5", "fork", "task 5"), output=400)
    main.gets("toolu_5", "launched", {"status": "async_launched", "agentId": "a0000000000000005"})
    files = [main]
    for number, words in ((1, first), (2, limited), (3, outer), (4, inner)):
        file = _agent(number, start=10 * number)
        file.hears(f"task {number}")
        if number == 3:
            file.says("msg_34", launch("toolu_4", "Explore", "task 4"))
            file.gets("toolu_4", frame(inner, TOOLS))
        else:
            file.says(f"msg_{number}0", tool(f"toolu_{number}r", "Bash", command="ls"))
            file.gets(f"toolu_{number}r")
        file.says(f"msg_{number}1", words, stop="end_turn")
        files.append(file)
    forked = _agent(5, start=len(main.lines) - 2)
    forked.add("fork-context-ref")
    forked.lines.append({**main.lines[-2], "isSidechain": True, "agentId": forked.agent})
    forked.gets("toolu_5", FORKED)
    forked.hears("task 5")
    forked.says("msg_51", fork, stop="end_turn")
    broken = _agent(6, start=60)
    broken.hears("task 6")
    broken.says("msg_61", "I begin.", tool("toolu_6r", "Bash", command="ls"))
    broken.gets("toolu_6r")
    broken.says("c1d2", ERROR, model="<synthetic>", isApiErrorMessage=True)
    return [*files, forked, broken]


def write_noted_home(home: Path) -> list[Path]:
    """Write the transcripts and sidecars into a folder of Claude Code; gives the files."""
    written = [transcript.write(home) for transcript in noted_transcripts()]
    for path in written[1:]:
        number = int(path.stem[-1])
        sidecar = {
            "agentType": "fork" if number == 5 else "Explore",
            "description": f"do toolu_{number}",
            "toolUseId": f"toolu_{number}",
            "spawnDepth": 2 if number == 4 else 1,
            "model": "claude-haiku-4-5-20251001",
            "modelNotNamed": True,
        }
        if number == 4:
            sidecar["parentAgentId"] = "a0000000000000003"
        beside = path.with_name(f"{path.stem}.meta.json")
        beside.write_text(json.dumps(sidecar))
        written.append(beside)
    return written


def noted_events() -> list[hook_events.Event]:
    """What hooks are told of all but the fork."""
    first, limited, outer, inner, _ = WORDS.values()
    events: list[hook_events.Event] = []
    calls = {n: hook_events.call(f"toolu_{n}", f"task {n}") for n in (1, 2, 3, 6)}
    nested = hook_events.call("toolu_4", "task 4", by="a0000000000000003")
    for number, words, notes in (
        (1, first, [TOOLS]),
        (2, limited, [TOOLS, LIMIT]),
        (3, outer, [TOOLS]),
        (6, "I begin.", [EARLY, TOOLS]),
    ):
        agent = f"a{number:016}"
        events += [calls[number], hook_events.start(agent)]
        if number == 3:
            its = "a0000000000000004"
            events += [nested, hook_events.start(its), hook_events.stop(its, inner)]
            events.append(hook_events.answer(nested, hook_events.noted(its, inner, TOOLS)))
        if number == 6:
            events.append(hook_events.broken(agent, ERROR))
        else:
            events.append(hook_events.stop(agent, words))
        events.append(hook_events.answer(calls[number], hook_events.noted(agent, words, *notes)))
    return [event | {"session_id": SESSION, "cwd": CWD} for event in events]
