"""Text that goes to a terminal passes one door."""

from __future__ import annotations

import json
import os
import pty
import re
import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from orch_tui.cli import main
from orch_tui.cli.terminal_text import GuardedTerminal, guarded_terminals, own_codes, printable
from tests.cli.conftest import Run
from tests.variants import vary

HOSTILE = "a\x1b]52;c;QQ==\x07\x9b31m\x08\r\x7f\u202e\u2066\U000e0041\ud800\x1b[1mz"
OURS = re.compile(r"\x1b\[(?:[01]|22)m|\r\n|\n|\t|\r(?=[0-9,]+ rows)")
SCREEN_CODES = re.compile("[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\U000e0000-\U000e007f]")


def test_what_is_not_printable_is_shown_as_its_escape() -> None:
    assert printable("a\x1bb\nc\u202ed e\u3000") == "a\\x1bb\\nc\\u202ed e\u3000"
    assert printable("a\n\tb\r", lines=True) == "a\n\tb\\r"


def test_only_terminals_are_guarded(capsys: pytest.CaptureFixture[str]) -> None:
    with guarded_terminals():
        print(HOSTILE[:5])
    assert capsys.readouterr().out == f"{HOSTILE[:5]}\n"


OnTerminal = Callable[..., tuple[int, str]]


@pytest.fixture
def on_terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[OnTerminal]:
    """Runs a command in this process, standard output and standard error on a terminal."""
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "200")

    def run(*words: str) -> tuple[int, str]:
        ours, its = pty.openpty()
        shown: list[bytes] = []

        def read() -> None:
            with suppress(OSError):
                while block := os.read(ours, 65536):
                    shown.append(block)

        reader = Thread(target=read)
        reader.start()
        with open(its, "w", encoding="utf-8") as terminal, monkeypatch.context() as patched:
            patched.setattr(sys, "stdout", terminal)
            patched.setattr(sys, "stderr", terminal)
            code = main(words)
        reader.join()
        os.close(ours)
        return code, b"".join(shown).decode()

    yield run


def test_our_own_codes_go_past_the_door(on_terminal: OnTerminal) -> None:
    with open(os.devnull, "w") as nowhere:
        assert own_codes(nowhere) is nowhere
        assert own_codes(GuardedTerminal(nowhere)) is nowhere  # type: ignore[arg-type]


def spoil(value: Any) -> Any:
    """The value with hostile text behind each text in it, also inside of JSON."""
    if isinstance(value, str):
        with suppress(ValueError):
            held = json.loads(value)
            if isinstance(held, dict | list):
                return json.dumps(spoil(held))
        return value + HOSTILE.replace("\ud800", "")
    if isinstance(value, list):
        return [spoil(each) for each in value]
    if isinstance(value, dict):
        return {spoil(key): spoil(each) for key, each in value.items()}
    return value


def spoil_record(path: Path, *, ids: bool) -> int:
    """Put hostile text into each column of each table that takes one; gives how many took it."""
    with closing(sqlite3.connect(path)) as database:
        database.executescript("PRAGMA ignore_check_constraints = ON; PRAGMA foreign_keys = OFF")
        names = database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall()
        for (name,) in names:
            database.execute(f'DROP TRIGGER "{name}"')
        tables = database.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND sql NOT LIKE '%VIRTUAL%' "
            "AND name NOT LIKE 'sqlite%' AND name NOT GLOB 'search*'"
        ).fetchall()
        taken = 0
        database.create_function("spoil", 1, spoil)
        for (table,) in tables:
            for column in database.execute(f'PRAGMA table_info("{table}")').fetchall():
                name = column[1]
                if re.search(r"(^|_)(id|uid|label)$|^(key|name|kind)$|_at$", name) and not ids:
                    continue
                with suppress(sqlite3.Error):
                    taken += database.execute(
                        f'UPDATE OR IGNORE "{table}" SET "{name}" = spoil("{name}") '
                        f"WHERE typeof(\"{name}\") = 'text'"
                    ).rowcount
        database.commit()
        return taken


COMMANDS = [
    *("query", "query --sessions", "history", "history vector", "history vector -w --context 3"),
    *("show exec-001", "show exec-002", "show exec-001 --part said", "show exec-001 --part given"),
    *("outputs", "outputs --state", "stats", "stats --by files", "stats --by agents", "bundles"),
    *("plan", "track-budget", "validate", "compare exec-001 exec-002", "synthesize", "doctor"),
    *("replay exec-001", "export", "config", "use", "path", "count lib", "deduplicate"),
    *("generate-briefing --bundle bundle-001", "replay exec-001 --drift", "query --status nosuch"),
]


@pytest.mark.slow
@pytest.mark.parametrize("ids", [False, True])
@pytest.mark.parametrize("form", vary(["table", "csv", "json", "jsonl", "markdown"], always=2))
def test_nothing_recorded_can_speak_to_the_terminal(
    two_runs: None, did: Run, project: Path, on_terminal: OnTerminal, form: str, ids: bool
) -> None:
    did("plan", "--agent-type", "reviewer", "--scope", "Look")
    (project / "lib" / "e\x1b[2Jvil\u202e.py").write_text("x = 1\n")
    assert spoil_record(project / ".claude/orchestration/execution.db", ids=ids) > 20
    shown_codes = 0
    for command in COMMANDS:
        words = command.split()
        if form != "table":
            words += ["--format", form]
        code, shown = on_terminal(*words)
        assert code in (0, 1, 2), (command, shown)
        found = SCREEN_CODES.findall(OURS.sub("", shown))
        assert not found, (command, found, shown)
        shown_codes += shown.count("52;c;QQ==")
    assert shown_codes > 5
