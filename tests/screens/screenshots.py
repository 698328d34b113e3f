"""Make the README's pictures from a record seeded here: ``python -m tests.screens.screenshots``."""

from __future__ import annotations

import asyncio
import os
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from textual.widgets import Input

from orch_tui.api import OrchestrationSession
from orch_tui.app import OrchApp
from orch_tui.project import Project
from tests.screens.quiet import settled

PICTURES = Path(__file__).parents[2] / "assets" / "screenshots"
SIZE = (120, 34)
TASKS = (
    ("Explore", "Map how search reaches the index", "Search enters through `lib/search.py`."),
    ("systematic-debugger", "Find why the index loses words", "The tokenizer drops apostrophes."),
    ("task-implementor", "Mend the tokenizer", "Words keep their apostrophes now."),
    ("principle-evaluator", "Review the tokenizer", "Sound; one name is misleading."),
    ("documentation-manager", "Describe the query language", "Described with nine examples."),
)
MESSAGE = """{said}

## Deliverables

- Created `lib/{name}.py`

## Validation

- format: pass
- tests: {tests}
- coverage: {coverage}

## Insights

- The index is read far more often than it is written
"""


class _Clock:
    """Half an hour passes at every look."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.now += timedelta(minutes=3)
        return self.now


class _Later:
    """Two days after the runs."""

    def __call__(self) -> datetime:
        return datetime(2026, 11, 22, 9, 0, tzinfo=UTC)


def seeded(root: Path) -> Project:
    """A project with a week of runs."""
    (root / ".claude" / "agents").mkdir(parents=True)
    for folder, text in (("lib", "def search(word):\n    return index[word]\n" * 30), ("spec", "")):
        (root / folder).mkdir()
        for name in ("search", "tokenizer", "index"):
            suffix, body = (".py", text) if text else (".md", f"# {name.title()}\n\nWords.\n" * 40)
            (root / folder / f"{name}{suffix}").write_text(body)
    project = Project(root, clock=_Clock())
    for round_, scope in enumerate(("Make search exact", "Make search fast", "Document search")):
        session = OrchestrationSession(scope, project=project)
        session.set_phase(2)
        for number, (agent_type, task, said) in enumerate(TASKS):
            files = ["spec/search.md", f"lib/{('search', 'tokenizer', 'index')[number % 3]}.py"]
            bundle = session.prepare_context(agent_type, task, files=files)
            session.plan_agent(
                agent_type,
                task,
                bundle_id=bundle.bundle_id,
                waits_for=[number] if number in (2, 3) else [],
            )
            if round_ == 2 and number > 2:
                continue
            run = session.init_deployment(context_bundle=bundle, model="sonnet", planned=number + 1)
            if round_ == 2 and number == 2:
                continue
            bad = round_ == 0 and number == 2
            name = agent_type.split("-")[-1].lower()
            (root / "lib" / f"{name}.py").write_text("x = 1\n")
            run.record_completion(
                MESSAGE.format(
                    said=said, name=name, tests="fail" if bad else "pass", coverage=80 + number
                ),
                status="failed" if bad else "completed",
                collect=True,
            )
        session.set_phase(3 if round_ == 2 else 5)
        if round_ < 2:
            session.complete()
    return project


async def picture(project: Project, name: str, keys: Sequence[str]) -> None:
    app = OrchApp(project)
    async with app.run_test(size=SIZE) as pilot:
        await settled(pilot)
        for box in app.screen.query(Input):
            box.cursor_blink = False
        for key in keys:
            await pilot.press(key)
            await settled(pilot)
        PICTURES.mkdir(exist_ok=True)
        (PICTURES / f"{name}.svg").write_text(app.export_screenshot(simplify=True, title="orch"))


async def main() -> None:
    os.environ["TZ"] = "UTC"
    time.tzset()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["CLAUDE_CONFIG_DIR"] = os.path.join(folder, "nobody's")
        root = Path(folder) / "wordfinder"
        root.mkdir()
        seeded(root).close()
        for name, keys in {
            "history": ["f4", *"tokenizer", "escape", "down"],
            "plan": ["f1"],
            "compose": ["f1", "tab", "down", "b"],
            "deploy": ["f3"],
            "insights": ["f5"],
        }.items():
            await picture(Project(root, clock=_Later()), name, keys)


if __name__ == "__main__":
    asyncio.run(main())
