"""What agents were handed, learned from the heads of their transcripts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from orch_tui.models.database import Record
from orch_tui.prepare.catalogue import load_catalogue
from orch_tui.prepare.count import FAMILIES
from orch_tui.record.learned_figures import read_learned_figures
from orch_tui.record.transcripts.handed_texts import read_handed_texts
from orch_tui.record.transcripts.importer import import_files
from orch_tui.record.transcripts.transcript_files import find_in_paths

SESSION, AGENT = "60000000-0000-4000-8000-000000000000", "a1"
AT = "2026-11-28T10:00:00.000Z"
TOOL = {"name": "Read", "description": "Reads a file.", "input_schema": {"type": "object"}}
SECRET_WORDS = "Nobody keeps what the vendor wrote here."


def line(kind: str, **more: Any) -> str:
    said = {"type": kind, "sessionId": SESSION, "agentId": AGENT, "isSidechain": True}
    return json.dumps({**said, "timestamp": AT, "version": "2.1.332", "cwd": "/p", **more}) + "\n"


def attached(kind: str, text: str = "", role: str = "system", **more: Any) -> str:
    rendered = [{"content": text}] if text else []
    attachment = {"type": kind, **more}
    return line("attachment", attachment=attachment, rendered=rendered, renderedRole=role)


HEAD = [
    line("user", entrypoint="cli", message={"role": "user", "content": "Look."}),
    attached("skill_listing", f"<system-reminder>\n{SECRET_WORDS}\n</system-reminder>"),
    attached("instructions", "Above.\n\nMine.", "user", files=[{"content": "Mine."}, {"x": 1}]),
    attached("environment", "On Linux."),
    attached("date", "Today."),
    attached("prompt_snapshot", systemPrompt=["You explore.", "Notes."]),
    line(
        "api-request-shape", shape={"system": [{"text": "You explore.\nNotes."}], "tools": [TOOL]}
    ),
    line("assistant", message={"id": "m1", "role": "assistant", "content": "Done."}),
    attached("skill_listing", "Said later."),
]


@pytest.fixture
def transcript(tmp_path: Path) -> Path:
    folder = tmp_path / "projects" / "-p" / SESSION / "subagents"
    folder.mkdir(parents=True)
    (folder / f"agent-{AGENT}.meta.json").write_text(json.dumps({"agentType": "Explore"}))
    path = folder / f"agent-{AGENT}.jsonl"
    path.write_text("".join(HEAD))
    return path


def learn(record: Record, path: Path) -> None:
    import_files(record, find_in_paths([path.parent]), catalogue=load_catalogue(), root=Path("/p"))


def test_the_parts_of_a_first_request_are_told_apart(transcript: Path) -> None:
    handed = read_handed_texts(transcript)
    assert handed is not None
    assert (handed.agent_id, handed.entrypoint, handed.client_version) == (AGENT, "cli", "2.1.332")
    texts = {part: text.strip() for part, text in handed.texts.items()}
    assert texts.pop("tools") == json.dumps(TOOL)
    assert texts == {
        "skills list": SECRET_WORDS,
        "headings of instructions": "Above.\n\nMine.",
        "environment": "On Linux.\nToday.",
        "system prompt": "You explore.",
        "notes": "Notes.",
    }
    counted = handed.count_parts("v4.8")
    assert counted.keys() == handed.texts.keys() and min(counted.values()) > 0
    assert counted["headings of instructions"] < counted["system prompt"] + 3


def test_one_run_teaches_its_type_and_release(record: Record, transcript: Path) -> None:
    learn(record, transcript)
    figures = read_learned_figures(record, "v4.8")
    assert {figure.agent_type for figure in figures} == {"Explore"}
    assert len(figures) == 6 and record.value("SELECT count(*) FROM ambient_learned") == 6 * len(
        FAMILIES
    )
    assert record.value("SELECT count(*) FROM ambient_learned WHERE length(sha256) <> 32") == 0
    transcript.write_text("".join(HEAD).replace("Nobody keeps", "Nobody at all keeps"))
    learn(record, transcript)
    assert read_learned_figures(record, "v4.8") == figures
    record.close()
    assert SECRET_WORDS.encode() not in record.path.read_bytes()


@pytest.mark.parametrize(
    "head",
    [
        [],
        HEAD[:6],
        [HEAD[0], HEAD[7], *HEAD[1:7]],
        ["no json\n", "[]\n", '{"type": 7}\n'],
        [line("api-request-shape", shape=[1])],
        [line("api-request-shape", shape={"system": 1, "tools": {}}, agentId=None)],
        [line("attachment", attachment="x", rendered={"content": 1})],
    ],
)
def test_a_head_that_tells_nothing_teaches_nothing(
    record: Record, transcript: Path, head: list[str]
) -> None:
    transcript.write_text("".join(head))
    assert read_handed_texts(transcript) is None
    learn(record, transcript)
    assert read_learned_figures(record, "v4.8") == []
