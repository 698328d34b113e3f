"""Running git, in the one way that is safe in a folder somebody else may have made."""

from __future__ import annotations

import os

from orch_tui.paths import AnyPath

GIT_SECONDS = 2.0
"""How long git may take over one question; then nothing is known."""

_CALM = (
    *("-c", "core.fsmonitor=false"),
    *("-c", f"core.hooksPath={os.devnull}"),
    *("-c", "safe.bareRepository=explicit"),
)

_ENVIRONMENT = {
    "GIT_OPTIONAL_LOCKS": "0",  # reading leaves the index alone
    "GIT_LITERAL_PATHSPECS": "1",
    "GIT_ALLOW_PROTOCOL": "none",  # a partial clone would fetch what it lacks
}


def run_git(folder: AnyPath, *arguments: str) -> str | None:
    """Run git in a folder: its output, "" when it says no (exit 1), None when it cannot tell.

    Nothing the repository configures is run as a monitor or hook, and nothing a surrounding git put
    into the environment counts (a git hook may be calling). A filter or a difference tool is for
    who asks to keep from being run.
    """
    import shutil
    import subprocess  # only few commands need them

    # A relative folder in the path would be one of the repository's.
    path = os.pathsep.join(filter(os.path.isabs, os.get_exec_path()))
    git = shutil.which("git", path=path)
    if git is None:
        return None
    surroundings = {key: value for key, value in os.environ.items() if key[:4] != "GIT_"}
    try:
        done = subprocess.run(
            [git, *_CALM, *arguments],
            cwd=folder,
            env=surroundings | {"PATH": path} | _ENVIRONMENT,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=GIT_SECONDS,
        )
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return None
    if done.returncode not in (0, 1):
        return None
    return os.fsdecode(done.stdout)
