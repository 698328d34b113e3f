"""Where the client cannot be had, it is said why, and nothing is green."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.client.installed_client import CannotRunError, install_client, require_tmux
from tests.counts import HANGS_AFTER

ROOT = Path(__file__).parents[2]
NPM = "#!/bin/sh\necho 'npm error network is unreachable' >&2\nexit 1\n"


@pytest.fixture(autouse=True)
def nothing_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", str(tmp_path))


def test_without_npm_the_lane_could_not_run() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.client", "--short"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=HANGS_AFTER,
    )
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr == "npm is not installed, which fetches Claude Code\n"


def test_what_npm_says_is_told(tmp_path: Path) -> None:
    (tmp_path / "npm").write_text(NPM)
    (tmp_path / "npm").chmod(0o755)
    with pytest.raises(CannotRunError, match=r"@1\.2\.3: npm error network is unreachable$"):
        install_client("1.2.3")


def test_without_tmux_it_is_said() -> None:
    with pytest.raises(CannotRunError, match="tmux is not installed"):
        require_tmux()


def test_a_program_that_is_there_is_taken(tmp_path: Path) -> None:
    there = tmp_path / "cache/orch-tests/client-1.2.3/node_modules/@anthropic-ai/claude-code-x"
    there.mkdir(parents=True)
    (there / "claude").write_text("")
    (there / "claude").chmod(0o755)
    assert install_client("1.2.3") == there / "claude"
