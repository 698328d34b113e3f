"""What people do every day costs the same in a large record: SQLite's steps are counted."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from orch_tui.models.database import Record
from orch_tui.models.long_statements import StatementWatch
from orch_tui.record.opening import open_record
from tests.cli.conftest import Run

DATABASE = Path(".claude") / "orchestration" / "execution.db"
FEW, MANY = 3_000, 12_000
"""Executions of other sessions. All that is read of so many is read of the few as well."""

EVERYDAY = [
    "init-session --scope Another",
    "set-phase 3 --session-id {session}",
    "plan --session-id {session} --agent-type reviewer --scope Review",
    "prepare-bundle --session-id {session} --agent-type reviewer --files lib/types.ts",
    "init-deployment --session-id {session} --context-bundle bundle-001",
    "record-allocation --execution-id {deployed} --bundle bundle-001",
    "record-completion --execution-id {deployed} --final-message Done --collect auto",
    "collect --execution-id {deployed} --deliverables lib/types.ts",
    "track-budget --session-id {session}",
    "track-budget",
    "count lib/types.ts",
    "check-bounds --phase 2 --files lib/types.ts",
    "deduplicate --bundles bundle-001",
    "generate-briefing --bundle bundle-001",
    "validate --session-id {session}",
    "bundles",
    "query --limit 20",
    "query --sessions --limit 20",
    "outputs --session-id {session}",
    "history Review",
    "show {deployed}",
    "compare {deployed} {deployed}",
    "replay {deployed}",
    "synthesize --session-id {session}",
]


class Steps:
    """Counts what SQLite's virtual machine does in all connections, in hundreds of steps."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.count = 0
        connect = sqlite3.connect

        def counting(*words: object, **options: object) -> sqlite3.Connection:
            connection: sqlite3.Connection = connect(*words, **options)  # type: ignore[call-overload]
            connection.set_progress_handler(self._tick, 100)
            return connection

        monkeypatch.setattr(sqlite3, "connect", counting)
        monkeypatch.setattr(StatementWatch, "resume", lambda watch: None)  # there is one handler

    def _tick(self) -> int:
        self.count += 1
        return 0

    def of(self, work: Callable[[], object]) -> int:
        before = self.count
        work()
        return self.count - before


def add(record: Record, first: int, last: int) -> None:
    """Executions with usage, eight to a session."""
    numbers = range(first, last)
    with record.write():
        record.executemany(
            "INSERT OR IGNORE INTO sessions (session_id, scope, project) VALUES (?, 's', '/p')",
            [(f"other-{n // 8}",) for n in numbers],
        )
        record.executemany(
            "INSERT INTO agent_executions (execution_id, session_id, agent_type, deployed_at, "
            "status, scope, model, source, revision, estimator, context_token_count, "
            "ambient_tokens) VALUES (?, ?, 'reviewer', ?, 'completed', 'Look', 'sonnet', 'hook', "
            "1, 'claude-v4.8', 5000, 100)",
            [(f"other-{n}", f"other-{n // 8}", f"2026-01-01T{n:08d}.000Z") for n in numbers],
        )
        record.executemany(
            "INSERT INTO usage_messages (message_id, execution_id, at, model, input_tokens, "
            "cache_write_tokens, cache_read_tokens, output_tokens) "
            "VALUES (?1, ?1, '2026', 'claude-sonnet-5-5', 9, 12000, 0, 9)",
            [(f"other-{n}",) for n in numbers],
        )
        record.executemany(
            "INSERT INTO execution_keys (key, execution_id) VALUES ('id:' || ?1, ?1)",
            [(f"other-{n}",) for n in numbers],
        )


@pytest.mark.slow
def test_an_everyday_command_does_the_same_work_in_a_large_record(
    did: Run, deployed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = did("query", "--sessions", "--format", "json").json[0]["session_id"]
    steps = Steps(monkeypatch)
    found: dict[str, list[int]] = {}
    for first, last in ((0, FEW), (FEW, MANY)):
        with open_record(DATABASE) as record:
            add(record, first, last)
        for line in EVERYDAY:
            words = line.format(session=session, deployed=deployed).split()
            found.setdefault(line, []).append(steps.of(partial(did, *words)))
    # Which sessions are archived is looked for in all of them: 0.2 ms in 10,000 runs.
    grown = {line: (few, many) for line, (few, many) in found.items() if many > 1.2 * few + 50}
    assert grown == {}
