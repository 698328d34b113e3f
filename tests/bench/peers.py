"""Packing and counting against repomix, which npm installs: cold and warm, run in turn.

    python -m tests.bench.peers                  # 15 pairs over 264 files of this repository
    python -m tests.bench.peers --pairs 5 --orch PATH

Cold: the first run over a project, nothing of it known. Warm: the same again. ``prepare-bundle``
counts and keeps every file, repomix counts and writes the text of all. Both use all cores.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median

from orch_tui.prepare.secrets import find_secrets
from tests.bench.measure import FailedError, Usage, run

ROOT = Path(__file__).parents[2]
PACKAGE = "repomix@1.18.1"
FILES = 264
LEAST, MOST = 2_000, 60_000
"""Bytes of a file that is packed: neither next to nothing nor generated."""
TOGETHER = 2_800_000
"""Bytes that they come to, about, however much this repository grows."""
INSTALLING_TAKES = 300
KINDS = (".py", ".md", ".toml")


class CannotRunError(Exception):
    """Why there is nothing to compare with."""


def install_repomix() -> Path:
    """Have npm install repomix, once for a user, outside of the tree; its program is given.

    Raises:
        CannotRunError: there is no npm, or it cannot install it.
    """
    npm = shutil.which("npm")
    if npm is None:
        raise CannotRunError("npm is not installed, which fetches repomix")
    folder = Path(tempfile.gettempdir(), f"orch-bench-{os.getuid()}", PACKAGE)
    program = folder / "node_modules" / ".bin" / "repomix"
    if not program.exists():
        folder.mkdir(parents=True, exist_ok=True)
        words = [npm, "install", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix"]
        try:
            done = subprocess.run(
                [*words, str(folder), PACKAGE],
                capture_output=True,
                text=True,
                timeout=INSTALLING_TAKES,
            )
        except subprocess.TimeoutExpired:
            raise CannotRunError(f"npm was not done after {INSTALLING_TAKES} s") from None
        if not program.exists():
            said = (done.stderr.strip().splitlines() or ["nothing was said"])[0]
            raise CannotRunError(f"npm did not install {PACKAGE}: {said}")
    return program


def make_project(folder: Path) -> int:
    """Copy files of this repository, the same for the same revision; give their bytes."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    names = (name for name in listed.stdout.split("\0") if name.endswith(KINDS))
    fit = [name for name in names if LEAST < (ROOT / name).stat().st_size < MOST and _is_open(name)]
    by_size = sorted(fit, key=lambda name: (ROOT / name).stat().st_size)
    runs = (by_size[first : first + FILES] for first in range(len(by_size) - FILES + 1))
    chosen = min(runs, key=lambda names: abs(_bytes_of(names) - TOGETHER))
    for name in chosen:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, folder / name)
    subprocess.run(["git", "init", "--quiet"], cwd=folder, check=True)
    return _bytes_of(chosen)


def _bytes_of(names: Sequence[str]) -> int:
    return sum((ROOT / name).stat().st_size for name in names)


def _is_open(name: str) -> bool:
    """Whether nothing in a file looks like a secret: both look into every file."""
    return not find_secrets((ROOT / name).read_text(encoding="utf-8"))


def main() -> int:
    parser = argparse.ArgumentParser(description="Packing and counting against repomix.")
    parser.add_argument("--pairs", type=int, default=15)
    parser.add_argument("--orch", default="", help="an installed orch instead of this checkout")
    arguments = parser.parse_args()
    try:
        repomix = install_repomix()
        with tempfile.TemporaryDirectory() as made:
            _compare(Path(made), arguments.orch, repomix, arguments.pairs)
    except (CannotRunError, FailedError) as error:
        print(f"nothing is compared: {error}", file=sys.stderr)
        return 1
    return 0


def _compare(folder: Path, given: str, repomix: Path, pairs: int) -> None:
    project = folder / "project"
    project.mkdir()
    size = make_project(project)
    orch = [given] if given else [sys.executable, "-P", "-m", "orch_tui"]
    env = {**os.environ, "HOME": str(folder), "PYTHONPATH": "" if given else str(ROOT)}
    packed = str(folder / "packed.xml")
    ours = [*orch, "prepare-bundle", "--agent-type", "any", "--scope", "all", "--files", "."]
    ours += ["--output", str(folder / "bundle.json")]
    theirs = [str(repomix), "--quiet", "--output", packed]
    print(f"{FILES} files, {size / 1e6:.1f} MB, {os.cpu_count()} cores, {pairs} pairs\n")
    print(f"{'':6}{'orch':>22}{'repomix':>24}   orch / repomix")
    for kind in ("cold", "warm"):
        both = [
            (_measure(ours, project, env, kind), _measure(theirs, project, env, kind))
            for _ in range(pairs + 1)
        ][1:]
        _report(kind, both)


def _measure(command: Sequence[str], project: Path, env: Mapping[str, str], kind: str) -> Usage:
    """One run: cold, without what runs before it left; warm, behind one that did."""
    if kind == "cold":
        shutil.rmtree(project / ".claude", ignore_errors=True)
    return run(command, cwd=project, env=env, exit_codes=(0, 1))


def _report(kind: str, both: Sequence[tuple[Usage, Usage]]) -> None:
    figures = [
        f"{median(u.wall for u in side):6.2f} s {max(u.peak for u in side):5.0f} MiB"
        for side in zip(*both, strict=True)
    ]
    wall = median(ours.wall / theirs.wall for ours, theirs in both)
    cpu = median(ours.cpu / theirs.cpu for ours, theirs in both)
    print(f"{kind:6}{figures[0]:>22}{figures[1]:>24}   {wall:.2f} (CPU {cpu:.2f})")


if __name__ == "__main__":
    sys.exit(main())
