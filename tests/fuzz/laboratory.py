"""A project with a record, in which commands are run on bad input, and what must hold of them."""

from __future__ import annotations

import io
import os
import shutil
import sys
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from orch_tui import cli

FIXTURES = Path(__file__).parents[1] / "fixtures"
RECORD = Path(".claude/orchestration/execution.db")
MESSAGE = (
    "## Summary\n\nCreated `lib/new.py` and changed lib/types.ts.\n\n- Tests: 12 passed, 1 failed\n"
    "- coverage: 85%\n\n| file | state |\n|---|---|\n| lib/a.py | added |\n\n## Insights\n\n"
    "- HNSW is O(log n)\n\nBash: `make test`\n\n```python\nx = 1\n```\n"
)


class WrongError(Exception):
    """What must hold did not."""


class Laboratory:
    """A project that is made anew for each input, with a home and a folder that is none of its."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.project = folder / "project"
        self.home = folder / "home"
        self.outside = folder / "outside"
        self._kept = folder / "kept"
        self.said = ""
        self._make()

    def _make(self) -> None:
        self.outside.mkdir()
        (self.outside / "private.md").write_text("not for orch")
        (self.folder / "home").mkdir()
        shutil.copytree(FIXTURES / "vector_search_project", self.project)
        (self.project / ".claude").mkdir()
        os.chdir(self.project)
        self.run("init-session", "--scope", "Implement vector search")
        self.run(
            *("prepare-bundle", "--agent-type", "task-implementor", "--scope", "Implement HNSW"),
            *("--files", "spec/requirements.md,lib/types.ts", "--output", "bundle.json"),
        )
        self.run("init-deployment", "--context-bundle", "bundle.json", "--model", "sonnet")
        self.run("record-completion", "--execution-id", "exec-001", "--final-message", MESSAGE)
        self.run("init-deployment", "--agent-type", "reviewer", "--scope", "Review it")
        self.run("plan", "--agent-type", "reviewer", "--scope", "Look again")
        self.run("export", "--output", str(self.folder / "export.jsonl"))
        shutil.copytree(self.project, self._kept)
        shutil.copytree(self.home, self.folder / "home-kept")
        self._outside = _contents(self.outside)

    def reset(self) -> None:
        """Make the project and the home what they were."""
        os.chdir(self.folder)
        for place, kept in ((self.project, self._kept), (self.home, self.folder / "home-kept")):
            shutil.rmtree(place)
            shutil.copytree(kept, place)
        os.chdir(self.project)

    def write(self, name: str, data: bytes | str) -> Path:
        """Put a file into the project."""
        path = self.project / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data if isinstance(data, bytes) else data.encode("utf-8", "replace"))
        return path

    def run(self, *words: str, stdin: bytes = b"") -> int:
        """Run a command in this process; gives its exit code, which is one of its answers.

        Raises:
            WrongError: it broke, or refused without a word.
        """
        with _streams(stdin) as (out, err), _traces() as broken:
            code = cli.main(words)
        self.said = err.getvalue().decode("utf-8", "replace")
        if broken:
            raise WrongError(f"{list(words)!r:.300}\n{broken[0]}")
        if code not in (0, 1, 2):
            raise WrongError(f"{list(words)!r:.300}: exit code {code}\n{self.said[:500]}")
        if code and not (self.said.strip() or out.getvalue().strip()):
            raise WrongError(f"{list(words)!r:.300}: exit code {code} without a word")
        return code

    def check_outside(self) -> None:
        """Find out that nothing happened where nothing was to happen."""
        if _contents(self.outside) != self._outside:
            raise WrongError("something outside of the project was changed")


def _contents(folder: Path) -> dict[str, tuple[bytes, int]]:
    return {
        path.name: (path.read_bytes(), path.stat().st_mode) for path in sorted(folder.iterdir())
    }


@contextmanager
def _streams(stdin: bytes) -> Iterator[tuple[io.BytesIO, io.BytesIO]]:
    before = sys.stdin, sys.stdout, sys.stderr
    out, err = io.BytesIO(), io.BytesIO()
    sys.stdin = io.TextIOWrapper(io.BytesIO(stdin))
    sys.stdout = io.TextIOWrapper(out, write_through=True)
    sys.stderr = io.TextIOWrapper(err, write_through=True)
    ours = sys.stdout, sys.stderr
    try:
        yield out, err
    finally:
        sys.stdin, sys.stdout, sys.stderr = before
        for stream in ours:
            stream.detach()


@contextmanager
def _traces() -> Iterator[list[str]]:
    """Keep the trace of what a command says is a bug of orch."""
    broken: list[str] = []
    before: Any = cli._broken

    def keep(error: Exception, given: Sequence[str]) -> int:
        broken.append("".join(traceback.format_exception(error)[-6:]))
        return int(before(error, given))

    cli._broken = keep
    try:
        yield broken
    finally:
        cli._broken = before
