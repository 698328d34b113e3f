"""A small project and two ways to run a command in it: in process, and as a user's shell does."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from orch_tui.cli import main
from orch_tui.cli.parser import COMMANDS
from tests.counts import HANGS_AFTER

ROOT = Path(__file__).parent.parent.parent
FIXTURE = ROOT / "tests" / "fixtures" / "vector_search_project"
ORCH = (sys.executable, "-m", "orch_tui")
NEEDS_A_HUB = {name for name in COMMANDS if name.startswith("hub ") and name != "hub status"}
"""Commands that `tests/hub` runs: it has one."""
MESSAGE = "The HNSW index answers in 4 ms.\n\nNext to do: nothing.\n"


@dataclass(frozen=True)
class Done:
    """What a command did."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Run = Callable[..., Done]
Shell = Callable[..., "subprocess.CompletedProcess[bytes]"]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder: a project with sources and no record yet."""
    folder = tmp_path / "project"
    shutil.copytree(FIXTURE, folder)
    (folder / ".claude").mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def orch(project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs one command in process."""

    def run(*words: str | Path, stdin: bytes = b"") -> Done:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        capsys.readouterr()
        code = main([str(word) for word in words])
        out, err = capsys.readouterr()
        return Done(code, out, err)

    return run


@pytest.fixture
def did(orch: Run) -> Run:
    """Runs one command in process that must succeed."""

    def run(*words: str | Path, stdin: bytes = b"") -> Done:
        done = orch(*words, stdin=stdin)
        assert done.code == 0, done
        return done

    return run


@pytest.fixture
def shell(project: Path, tmp_path: Path) -> Shell:
    """Runs a shell line in the project, where ``orch`` is the installed command."""
    command = tmp_path / "bin" / "orch"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec "{ORCH[0]}" -m orch_tui "$@"\n')
    command.chmod(0o755)
    path = f"{command.parent}{os.pathsep}{os.environ['PATH']}"

    def run(line: str, **options: Any) -> subprocess.CompletedProcess[bytes]:
        surroundings = os.environ | {"PATH": path, "PYTHONPATH": str(ROOT)}
        return subprocess.run(
            ["bash", "-c", line],
            cwd=project,
            env=surroundings | options.pop("env", {}),
            capture_output=True,
            timeout=HANGS_AFTER,
            **options,
        )

    return run


@pytest.fixture
def deployed(did: Run, project: Path, empty_record: Path) -> str:
    """An execution of an open session: exec-001, given two files."""
    shutil.copytree(empty_record, project / ".claude", dirs_exist_ok=True)
    return deploy(did)


def deploy(did: Run) -> str:
    """Open a session and deploy exec-001 with two files, as commands do it; give its id."""
    did("init-session", "--scope", "Implement vector search")
    did(
        *("prepare-bundle", "--agent-type", "task-implementor", "--scope", "Implement HNSW"),
        *("--files", "spec/requirements.md,lib/types.ts", "--output", "bundle.json"),
    )
    done = did("init-deployment", "--context-bundle", "bundle.json", "--model", "sonnet")
    return done.out.strip()


@pytest.fixture
def two_runs(did: Run, deployed: str) -> None:
    """exec-001 came back with a deliverable, exec-002 failed; both were given the same."""
    did("record-completion", "--execution-id", "exec-001", "--final-message", MESSAGE)
    did(
        *("collect", "--execution-id", "exec-001", "--deliverables", "lib/vector-search.ts"),
        *("--validation-results", "tests:pass"),
    )
    did("init-deployment", "--context-bundle", "bundle.json", "--scope", "Implement it again")
    did(
        *("record-completion", "--execution-id", "exec-002", "--status", "failed"),
        *("--final-message", "It did not compile.", "--error-message", "type error"),
    )


def rows(project: Path, statement: str) -> list[tuple[Any, ...]]:
    """What the database of the project holds, asked of SQLite itself."""
    import sqlite3

    connection = sqlite3.connect(project / ".claude" / "orchestration" / "execution.db")
    try:
        return connection.execute(statement).fetchall()
    finally:
        connection.close()
