"""Who only reads never waits for who writes, whatever there is to be taken in on the way."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from orch_tui import hook
from orch_tui.cli.parser import COMMANDS
from orch_tui.models import database
from orch_tui.models.database import Record
from orch_tui.record.hooks import pending_transcripts
from tests.cli.conftest import NEEDS_A_HUB, Run
from tests.counts import HANGS_AFTER
from tests.record.claude_home import foreground
from tests.record.hook_events import call
from tests.variants import vary

DATABASE = Path(".claude") / "orchestration" / "execution.db"

READS = {
    "backup": ["copy.db"],
    "bundles": [],
    "check-bounds": ["--phase", "2", "--files", "lib/types.ts"],
    "compare": ["exec-001", "exec-001"],
    "completion": ["bash"],
    "config": [],
    "count": ["lib/types.ts", "constitution.md"],
    "deduplicate": [],
    "doctor": [],
    "export": [],
    "history": ["hnsw"],
    "hub status": [],
    "import": ["--dry-run"],
    "outputs": ["--state"],
    "path": [],
    "query": [],
    "replay": ["exec-001"],
    "show": ["exec-001"],
    "stats": [],
    "synthesize": [],
    "track-budget": [],
}
WRITES = {
    *(
        "init-session",
        "use",
        "set-phase",
        "set-budget",
        "set-scope",
        "plan",
        "init-deployment",
        "record-allocation",
    ),
    *("record-completion", "collect", "complete-session", "retract", "prepare-bundle", "redact"),
    "forget",
    "migrate",
    "restore",
    "generate-briefing",  # what is deployed next is handed over as it was rendered
    "validate",  # its answer opens a gate
}
OTHERS = {"demo", "hook", "install", "uninstall", "watch", *NEEDS_A_HUB}

HOLD = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN IMMEDIATE")
print("held", flush=True)
sys.stdin.read()
"""


def test_every_command_reads_or_writes() -> None:
    assert READS.keys() | WRITES | OTHERS == COMMANDS.keys()


@pytest.fixture
def held(did: Run, deployed: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """A record in which another process is writing and will not end, with all that can wait to be
    taken in: a payload of a hook, a transcript, what raw SQL did, texts nobody has counted."""
    did("record-completion", "--execution-id", deployed, "--final-message", "HNSW is made")
    did("collect", "--execution-id", deployed, "--deliverables", "lib/types.ts")
    transcript = foreground()[0].write(tmp_path / "home")
    with Record(DATABASE) as record, record.write():
        pending_transcripts.watch_transcript(record, str(transcript), record.now())
    with closing(sqlite3.connect(DATABASE)) as connection, connection:
        session_id = connection.execute("SELECT session_id FROM sessions").fetchone()[0]
        connection.execute(
            "INSERT INTO agent_executions (execution_id, session_id, agent_type, scope, status) "
            "VALUES ('exec-009', ?, 'debugger', 'HNSW by hand', 'deployed')",
            [session_id],
        )
        waits = "SELECT (SELECT count(*) FROM observations WHERE pending), count(*) FROM "
        assert min(connection.execute(f"{waits} search_pending").fetchone()) > 0
    root = Path.cwd()
    hook.put([json.dumps(call("t1", "Look") | {"cwd": str(root)}).encode()], str(root), 1)
    monkeypatch.setattr(database, "BUSY_SECONDS", 3600)  # who waits is seen to
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(DATABASE)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        let_go = threading.Timer(HANGS_AFTER, holder.kill)
        let_go.start()
        yield did
        waited = holder.poll() is not None
        let_go.cancel()
        holder.communicate()
    assert not waited


@pytest.mark.slow
@pytest.mark.parametrize("command", vary(READS, always=6))
def test_a_reader_does_not_wait(held: Run, command: str) -> None:
    assert "locked" not in held(*command.split(), *READS[command]).err


def test_what_a_reader_left_is_taken_in_by_the_next(held: Run) -> None:
    assert len(held("query", "--format", "json").json) == 2


def test_what_was_deleted_by_hand_is_not_found(did: Run, deployed: str) -> None:
    did("init-deployment", "--agent-type", "debugger", "--scope", "HNSW by hand")
    with closing(sqlite3.connect(DATABASE, isolation_level=None)) as connection:
        connection.execute("DELETE FROM agent_executions WHERE execution_id <> ?", [deployed])
        connection.execute("BEGIN IMMEDIATE")
        found = did("history", "hnsw", "--format", "json").json
        connection.execute("ROLLBACK")
    assert [hit["execution_id"] for hit in found] == [deployed]
