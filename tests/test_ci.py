"""What must hold is checked, or it is said why it could not be: nothing passes unlooked at."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.counts import HANGS_AFTER

ROOT = Path(__file__).parents[1]
TOOLS = ("bash", "cat", "date", "dirname", "git", "ln", "mkdir", "mktemp", "rm", "sed", "tee")


@pytest.fixture
def bare(tmp_path: Path) -> dict[str, str]:
    """The surroundings of a machine without Python."""
    for tool in TOOLS:
        found = shutil.which(tool)
        assert found
        (tmp_path / tool).symlink_to(found)
    return {"PATH": str(tmp_path), "HOME": str(tmp_path)}


def run(*words: str, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", ".ci/run", *words],
        cwd=ROOT,
        env=env,
        capture_output=True,
        text=True,
        timeout=HANGS_AFTER,
    )


def test_a_lane_that_cannot_run_is_red_and_says_why(bare: dict[str, str]) -> None:
    done = run("newer", "suite", env=bare)
    assert done.returncode == 1
    assert done.stdout.splitlines()[-2:] == [
        "COULD NOT RUN newer: no Python 3.12 or newer was found: "
        "exact counts would be tested nowhere",
        "COULD NOT RUN suite: no Python 3.11 was found, the oldest that orch supports",
    ]


def test_a_lane_that_does_not_exist_is_named(bare: dict[str, str]) -> None:
    done = run("newer", "bogus", env=bare)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("no lane bogus: suite lint ")


@pytest.mark.skipif(not shutil.which("make"), reason="make is not installed")
def test_no_test_at_all_is_red(tmp_path: Path) -> None:
    (tmp_path / "python").write_text("#!/bin/sh\nexit 5\n")  # as pytest ends, with nothing to run
    (tmp_path / "python").chmod(0o755)
    words = ["make", "test", "TESTS=tests/nowhere", f"BIN={tmp_path}"]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=HANGS_AFTER)
    assert done.returncode == 2
    assert "no test was collected: tests/nowhere" in done.stderr
