"""No record is trusted: whatever its rows name, nothing outside of the project is opened or changed
for it, and nothing is run."""

from __future__ import annotations

import json
import os
import re
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Run
from tests.variants import vary

COMMANDS = [
    *("query", "history vector", "show exec-001", "show exec-001 --part given", "outputs --state"),
    *("outputs", "stats", "stats --by files", "bundles", "plan", "track-budget", "validate"),
    *("compare exec-001 exec-002", "synthesize", "doctor", "replay exec-001", "deduplicate"),
    *("replay exec-001 --drift", "generate-briefing --bundle bundle-001", "doctor --repair"),
    *("collect --execution-id exec-001 --insights i", "complete-session --force", "import"),
    *("deduplicate --apply", "replay exec-001 --deploy", "redact --reason r - --yes", "export"),
    *("prepare-bundle --agent-type a --from exec-001", "collect --found", "backup b.db"),
]

_watched: dict[str, Any] = {"folder": "", "seen": None}


def _watch(event: str, arguments: tuple[Any, ...]) -> None:
    seen = _watched["seen"]
    if seen is None:
        return
    if event in ("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn"):
        seen.append((event, str(arguments[:2])))
    elif event == "open" or event.startswith(("os.", "shutil.", "sqlite3.connect")):
        for each in arguments:
            name = os.fsdecode(each) if isinstance(each, bytes) else each
            if isinstance(name, str | os.PathLike) and _is_outside(os.fspath(name)):
                seen.append((event, os.fspath(name)))


def _is_outside(name: str) -> bool:
    folder = _watched["folder"]
    with suppress(ValueError):
        return os.path.abspath(name).startswith(folder) or os.path.realpath(name).startswith(folder)
    return False


sys.addaudithook(_watch)


@contextmanager
def watched(folder: Path) -> Iterator[list[tuple[str, str]]]:
    """What is done to anything in a folder, and which programs are run."""
    _watched.update(folder=str(folder), seen=[])
    try:
        yield _watched["seen"]
    finally:
        _watched["seen"] = None


def plant(path: Path, named: str) -> int:
    """Name a file in each column that takes a text, and in each text of what is JSON."""

    def put(value: Any) -> Any:
        if isinstance(value, str):
            with suppress(ValueError):
                held = json.loads(value)
                if isinstance(held, dict | list):
                    return json.dumps(put(held))
            is_word = re.fullmatch(r"[a-z_]{2,14}|[0-9T:.Z-]{20,}|[0-9a-f]{32,}", value)
            return value if is_word else named
        if isinstance(value, list):
            return [put(each) for each in value]
        if isinstance(value, dict):
            return {key: put(each) for key, each in value.items()}
        return value

    with closing(sqlite3.connect(path)) as database:
        database.executescript("PRAGMA ignore_check_constraints = ON; PRAGMA foreign_keys = OFF")
        for (name,) in database.execute(
            "SELECT name FROM sqlite_schema WHERE type = 'trigger'"
        ).fetchall():
            database.execute(f'DROP TRIGGER "{name}"')
        database.create_function("put", 1, put)
        taken = 0
        for (table,) in database.execute(
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND sql NOT LIKE '%VIRTUAL%' "
            "AND name NOT LIKE 'sqlite%' AND name NOT GLOB 'search*' AND name NOT GLOB 'given*'"
        ).fetchall():
            for column in database.execute(f'PRAGMA table_info("{table}")').fetchall():
                name = column[1]
                if re.search(r"(^|_)(id|uid|label)$", name) and name != "session_id":
                    continue
                with suppress(sqlite3.Error):
                    taken += database.execute(
                        f'UPDATE OR IGNORE "{table}" SET "{name}" = put("{name}") '
                        f"WHERE typeof(\"{name}\") = 'text'"
                    ).rowcount
        database.commit()
        return taken


@pytest.mark.slow
@pytest.mark.parametrize("form", vary(["absolute", "relative", "linked", "home"], always=2))
def test_what_a_record_names_is_neither_opened_nor_changed_nor_run(
    two_runs: None, did: Run, orch: Run, project: Path, form: str
) -> None:
    outside = project.parent / "outside"
    outside.mkdir()
    (outside / "private.md").write_text("PRIVATE WORDS\n" * 20)
    (project / "way").symlink_to(outside)
    named = {
        "absolute": str(outside / "private.md"),
        "relative": "../outside/private.md",
        "linked": "way/private.md",
        "home": "~/../outside/private.md",
    }[form]
    did("plan", "--agent-type", "reviewer", "--scope", "Look")
    assert plant(project / ".claude/orchestration/execution.db", named) > 20
    before = sorted(path.name for path in outside.iterdir())
    for command in COMMANDS:
        with watched(outside) as seen:
            done = orch(*command.split(), stdin=b"nothing-that-stands-there")
        assert done.code in (0, 1, 2), (command, done.err)
        assert "PRIVATE WORDS" not in done.out, command
        assert not seen, (command, seen)
    assert sorted(path.name for path in outside.iterdir()) == before
