"""What a person sees: on a real pseudo-terminal, narrow and wide, plain and with colour."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.cli.conftest import ROOT, Run
from tests.cli.on_terminal import run_on_terminal
from tests.variants import vary

pytestmark = pytest.mark.slow  # every test starts processes

EMPTY: Mapping[str, str] = {}
ESCAPE = re.compile(r"\x1b\[[0-9;]*m")


def on_terminal(
    *words: str, width: int = 80, typed: bytes = b"", surroundings: Mapping[str, str] = EMPTY
) -> str:
    """What a terminal of so many columns shows of a command, streams and all."""
    plain = {name: value for name, value in os.environ.items() if name != "COLUMNS"}
    env = {**plain, "PYTHONPATH": str(ROOT), "TERM": "xterm-256color", **surroundings}
    code, shown = run_on_terminal(*words, typed=typed, env=env, width=width)
    assert code == 0, shown
    return shown.replace("\r\n", "\n")


@pytest.fixture
def runs(did: Run, deployed: str) -> None:
    did("init-deployment", "--agent-type", "principle-evaluator", "--scope", "Look at it " * 20)
    did("record-completion", "--execution-id", deployed, "--final-message", "vector \x1b[31mred")


@pytest.mark.parametrize(
    "width", [44, *(pytest.param(w, marks=pytest.mark.wide) for w in (60, 80)), 120]
)
@pytest.mark.parametrize(
    "command", vary(["query", "stats", "query --sessions", "outputs", "config"], always=2)
)
def test_a_table_fits_and_breaks_no_id(did: Run, runs: None, command: str, width: int) -> None:
    did("collect", "--execution-id", "exec-001", "--deliverables", "lib/vector-search.ts")
    shown = ESCAPE.sub("", on_terminal(*command.split(), width=width))
    lines = [line for line in shown.splitlines() if not line.startswith(("project", "record"))]
    assert max(map(len, lines)) <= width
    if command == "query":
        assert "exec-001" in shown
        assert "principle-evaluator" in shown
        assert re.search(r"\d{4}-\d\d-\d\d \d\d:\d\d", shown)
        assert shown.count("Look at it") <= 20


def test_a_narrow_terminal_gets_one_value_a_line(runs: None) -> None:
    lines = on_terminal("query", width=40).splitlines()
    assert "execution  exec-001" in lines
    assert "agent      task-implementor" in lines


@pytest.mark.parametrize(
    ("surroundings", "styled"), [({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)]
)
def test_what_was_sought_is_marked_where_that_is_wanted(
    runs: None, surroundings: dict[str, str], styled: bool
) -> None:
    shown = on_terminal("history", "vector", surroundings=surroundings)
    assert ("\x1b[1mvector\x1b[22m" in shown) is styled
    assert ("\x1b" in shown) is styled


@pytest.mark.parametrize("command", vary(["query", "query --sessions", "stats"]))
def test_no_colour_is_used_where_none_is_wanted(runs: None, command: str) -> None:
    for surroundings in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
        shown = on_terminal(*command.split(), surroundings=surroundings)
        assert set(ESCAPE.findall(shown)) <= {"\x1b[1m", "\x1b[0m"}  # bold is no colour


def test_a_terminal_that_cannot_place_text_is_told_what_can_be_done(project: Path) -> None:
    env = {**os.environ, "PYTHONPATH": str(ROOT), "TERM": "dumb"}
    code, shown = run_on_terminal(typed=b"", env=env, width=80)
    assert code == 1 and "TERM is dumb" in shown and "orch help" in shown
    assert "\x1b" not in shown


def test_untrusted_text_cannot_speak_to_the_terminal(did: Run, runs: None) -> None:
    hostile = "a\x1b]0;title\x07b\x9b31mc\u202ed"
    did("init-deployment", "--agent-type", "evil\x1b[2J", "--scope", hostile)
    did("record-completion", "--execution-id", "exec-003", "--final-message", hostile)
    did("collect", "--execution-id", "exec-003", "--insights", hostile)
    commands = [
        *("query", "history evil", "outputs", "show exec-003", "show exec-003 --part said"),
        *("query --format json", "query --format jsonl", "show exec-003 --format json", "stats"),
        *("query --format markdown", "compare exec-001 exec-003", "synthesize", "outputs --state"),
    ]
    for command in commands:
        shown = ESCAPE.sub("", on_terminal(*command.split()).replace("\x1b[22m", ""))
        assert re.findall("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]", shown) == [], command


def test_a_briefing_on_a_terminal_is_harmless(did: Run) -> None:
    Path("evil.md").write_text("red \x1b[31m\n")
    did("prepare-bundle", "--agent-type", "a", "--files", "evil.md", "--output", "bundle.json")
    shown = on_terminal("generate-briefing", "--bundle", "bundle.json")
    assert "red \\x1b[31m\n" in shown


def test_one_is_asked_before_what_a_message_tells_of_is_recorded(did: Run, deployed: str) -> None:
    Path("answer.md").write_text("## Deliverables\n- Created `lib/vector-search.ts`\n")
    complete = ("record-completion", "--execution-id", deployed, "--final-message-file")
    for typed, recorded in ((b"n\n", 0), (b"y\n", 1)):
        shown = on_terminal(*complete, "answer.md", "--collect", "ask", typed=typed)
        assert "found deliverable lib/vector-search.ts" in shown
        assert "[y/N]" in shown
        assert len(did("outputs", "--format", "json").json) == recorded


def test_reading_from_a_terminal_says_so(did: Run, deployed: str) -> None:
    complete = ("record-completion", "--execution-id", deployed, "--final-message", "-")
    shown = on_terminal(*complete, typed=b"All done.\n\x04")
    assert "reading from the terminal; Ctrl-D ends it" in shown
    said = did("show", deployed, "--part", "said", "--format", "json").json
    assert [each["final_message"] for each in said] == ["All done.\n"]


def test_long_work_shows_its_progress_on_a_terminal_only(did: Run, deployed: str) -> None:
    assert " rows" in on_terminal("export", "--output", "record.jsonl")
    err = did("export", "--output", "record.jsonl").err
    assert err.startswith("written to record.jsonl: ") and "\r" not in err
