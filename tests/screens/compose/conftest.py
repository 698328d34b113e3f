"""A project to compose bundles in, on a real record."""

from __future__ import annotations

from pathlib import Path

import pytest

from orch_tui import api
from orch_tui.prepare.composition import Choice, Composition
from orch_tui.project import Project
from orch_tui.record import plan, sessions
from tests.conftest import FakeClock
from tests.recall.runs import make_bundle, make_item, run_agent
from tests.recall.test_file_worth import touch
from tests.screens.compose.driven import (
    AGENT,
    SESSION,
    SPEC,
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A project without a record."""
    root = tmp_path / "spotter"
    texts = {
        ".claude/agents/task-implementor.md": AGENT,
        ".gitignore": "build/\n.claude/\n",
        ".env": "TOKEN=1\n",
        "build/out.js": "x\n",
        "lib/types.ts": "export interface Vector { id: string; values: number[] }\n" * 12,
        "lib/search.ts": "export function search(query: Vector): Vector[] { return [] }\n" * 30,
        "lib/deep/hnsw.ts": "const layers = new Map<number, number[]>()\n" * 40,
        "spec/requirements.md": SPEC,
        "tests/search.test.ts": "test('finds', () => expect(search(v)).toEqual([v]))\n" * 9,
        "README.md": "# Spotter\n\nFinds what looks alike.\n",
    }
    for name, text in texts.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    (root / "logo.png").write_bytes(b"\x89PNG\0\0")
    (root / ".git").mkdir()
    return root


@pytest.fixture
def project(folder: Path, clock: FakeClock) -> Project:
    """With a session, a plan and one bundle."""
    made = Project(folder, clock=clock)
    record = made.record
    sessions.init_session(record, "Implement vector search", project=str(folder))
    now = Composition("Explore", "Find the types").adding(
        [Choice("lib/types.ts"), Choice("README.md", priority="recommended")]
    )
    kept = api.keep_composition(made, now, session_id=SESSION).bundle.bundle_id
    plan.add_planned_agent(record, SESSION, "Explore", scope="Find the types", bundle_id=kept)
    plan.add_planned_agent(
        record, SESSION, "task-implementor", scope="Implement the index", model="claude-haiku-4-5"
    )
    made.close()
    return made


@pytest.fixture
def runs(project: Project) -> list[str]:
    """Two runs of the planned agent's type that succeeded, and one that nobody prepared."""
    record = project.record
    given = [make_item("lib/types.ts"), make_item("lib/gone.ts")]
    labels = [
        run_agent(record, SESSION, agent_type="task-implementor", bundle=make_bundle("b1", *given)),
        run_agent(record, SESSION, agent_type="task-implementor", briefing=b"Find the leak."),
    ]
    touch(record, labels[0], "spec/requirements.md")
    touch(record, labels[1], "spec/requirements.md", "lib/search.ts", written=("README.md",))
    project.close()
    return labels


@pytest.fixture
def much(folder: Path) -> Path:
    """A project with more than a session may take."""
    code = "export function f{0}(a: number): number {{\n  return a * {0}\n}}\n"
    (folder / "lib" / "big.ts").write_text("".join(code.format(n) for n in range(300)))
    settings = folder / ".claude" / "orchestration" / "config.toml"
    settings.parent.mkdir()
    settings.write_text("budget = 5000\n")
    return folder
