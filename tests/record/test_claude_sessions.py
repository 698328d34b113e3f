"""What sessions of Claude Code are called."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from orch_tui.models.database import Record
from tests.record.test_importer import take_in

SESSION = "70000000-0000-4000-8000-000000000000"
ID = "claude-70000000"


def line(kind: str, content: Any = None, **more: Any) -> str:
    message = {} if content is None else {"message": {"role": kind, "content": content}}
    said = {"type": kind, "sessionId": SESSION, "timestamp": "2026-11-28T10:00:00.000Z", **message}
    return json.dumps({**said, "cwd": "/home/dev/app", **more}) + "\n"


CALL = {"type": "tool_use", "id": "T1", "name": "Agent", "input": {"prompt": "Look."}}
LAUNCH = line("assistant", [CALL], uuid="a")
ASKED = line("user", "  Build the index.\nWith tests.")
NAMED = line("custom-title", customTitle="Index work")


@pytest.fixture
def transcript(tmp_path: Path) -> Path:
    folder = tmp_path / "projects" / "-home-dev-app"
    folder.mkdir(parents=True)
    return folder / f"{SESSION}.jsonl"


def names(record: Record) -> list[tuple[Any, ...]]:
    return record.sql("SELECT scope, title FROM sessions WHERE session_id = ?", [ID])


def test_a_session_goes_by_its_first_prompt_until_it_has_a_title(
    record: Record, transcript: Path
) -> None:
    transcript.write_text(LAUNCH)
    take_in(record, transcript)
    assert names(record) == [(f"Claude Code session {SESSION}", None)]
    for more, name in ((ASKED, "Build the index."), (line("user", "Go on."), "Build the index.")):
        with transcript.open("a") as file:
            file.write(more)
        take_in(record, transcript)
        assert names(record) == [(name, name)]
    with transcript.open("a") as file:
        file.write(NAMED)
    take_in(record, transcript)
    assert names(record) == [("Index work", "Index work")]


@pytest.mark.parametrize(
    "words",
    [
        line("user", "<command-name>/clear</command-name>"),
        line("user", "Caveat: generated.", isMeta=True),
        line("user", "What went before.", isCompactSummary=True),
        line("user", "Of another session.", sessionId="7" * 36),
        line("user", [{"type": "tool_result", "tool_use_id": "T0", "content": "Result."}]),
        line("user", "Of an agent.", isSidechain=True, agentId="a1"),
    ],
)
def test_what_the_user_did_not_ask_is_no_name(record: Record, transcript: Path, words: str) -> None:
    transcript.write_text(line("mode") + words + ASKED + LAUNCH)
    take_in(record, transcript)
    assert names(record) == [("Build the index.", "Build the index.")]


def test_a_scope_that_somebody_gave_it_stays(record: Record, transcript: Path) -> None:
    transcript.write_text(ASKED + LAUNCH)
    take_in(record, transcript)
    with record.write():
        record.execute("UPDATE sessions SET scope = 'mine' WHERE session_id = ?", [ID])
    with transcript.open("a") as file:
        file.write(NAMED)
    take_in(record, transcript)
    assert names(record) == [("mine", "Build the index.")]
