"""The real client: a release of it from npm, kept outside of the tree."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

VERSION = "2.1.332"
"""The release that the scenarios were written with."""

PACKAGE = "@anthropic-ai/claude-code"
INSTALLING_TAKES = 300


class CannotRunError(Exception):
    """What is missing on this machine."""


def install_client(version: str = VERSION) -> Path:
    """Give the client's program, after fetching it where it is not there yet.

    Raises:
        CannotRunError: it is not there and cannot be fetched.
    """
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = cache / "orch-tests" / f"client-{version}"
    if found := _find_program(folder):
        return found
    npm = shutil.which("npm")
    if npm is None:
        raise CannotRunError("npm is not installed, which fetches Claude Code")
    # --ignore-scripts: the native program comes as a package of its own, no script is needed
    words = [npm, "install", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", str(folder)]
    try:
        done = subprocess.run(
            [*words, f"{PACKAGE}@{version}"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=INSTALLING_TAKES,
        )
    except subprocess.TimeoutExpired:
        raise CannotRunError(f"npm was not done after {INSTALLING_TAKES} s") from None
    found = _find_program(folder)
    if done.returncode or found is None:
        said = (done.stderr.strip().splitlines() or ["it left no program"])[0]
        raise CannotRunError(f"npm did not install {PACKAGE}@{version}: {said}")
    return found


def require_tmux() -> str:
    """Give the path of tmux.

    Raises:
        CannotRunError: it is not installed.
    """
    if found := shutil.which("tmux"):
        return found
    raise CannotRunError("tmux is not installed, in which the client is interactive")


def _find_program(folder: Path) -> Path | None:
    packages = folder.glob(f"node_modules/{PACKAGE}-*/claude")
    return next((file for file in packages if os.access(file, os.X_OK)), None)
