"""Import of transcripts, measured: speed, memory, and what a second run costs.

    python -m tests.bench.transcripts [--megabytes 700] [--orch PATH]

The corpus is synthetic, with the density of real sessions: about one agent to a megabyte, most
lines progress and tool results of the session itself, some of them large. The cumulative copies
are snapshots of growing sessions, each a file of its own, as tools that keep checkpoints make
them. Everything runs in processes of its own; figures are CPU time.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import sys
import tempfile
from pathlib import Path

from tests.bench.measure import Usage, run
from tests.record.claude_home import Transcript, done, launch, tool

CWD = "/home/dev/app"
_WORDS = [f"word{n}" for n in range(5000)]


def words(chance: random.Random, size: int) -> str:
    return " ".join(chance.choices(_WORDS, k=size // 8))


def session(chance: random.Random, name: str, megabytes: float) -> list[Transcript]:
    """One session and its agents, some 4 kB a line as in real ones."""
    parent = Transcript(f"{name}.jsonl", name)
    found, size, number = [parent], 0.0, 0
    while size < megabytes * 1e6:
        number += 1
        call = f"toolu_{name}_{number}"
        text = words(chance, int(chance.lognormvariate(8.2, 1.0)))
        parent.says(f"msg_{name}_{number}", tool(call, "Bash", command=text[:200]))
        hook = {"type": "hook_progress", "hookEvent": "PreToolUse", "command": "guard.sh"}
        for _ in range(4):
            parent.add("progress", data=hook, parentToolUseID=call)
        parent.gets(call, text, {"stdout": text, "stderr": "", "interrupted": False})
        size += 2 * len(text) + 3000
        if number % 60 == 0:
            found.append(agent(chance, parent, name, number))
            size += sum(len(str(line)) for line in found[-1].lines)
    return found


def agent(chance: random.Random, parent: Transcript, name: str, number: int) -> Transcript:
    """One agent in the foreground: some 20 calls and a report of some 5 kB."""
    call, agent_id = f"toolu_{name}_a{number}", f"a{number:06x}"
    prompt, report = words(chance, 1200), words(chance, 5000)
    parent.says(f"msg_{name}_a{number}", launch(call, "Explore", prompt, description="look"))
    own = Transcript(f"{name}/subagents/agent-{agent_id}.jsonl", name, agent_id)
    own.start = len(parent.lines)
    own.hears(prompt)
    for turn in range(20):
        read = f"{call}_{turn}"
        own.says(f"{call}_m{turn}", tool(read, "Read", file_path=f"{CWD}/lib/{turn}.py"))
        own.gets(read, words(chance, 4000))
    own.says(f"{call}_end", report, output=900)
    parent.gets(call, report, done(agent_id, report, 900))
    return own


def write_sessions(folder: Path, megabytes: float, each: float = 6.0) -> float:
    """Sessions of some size; gives the megabytes that were written."""
    chance = random.Random(5)
    written, number = 0.0, 0
    while written < megabytes:
        number += 1
        for transcript in session(chance, f"s{number:05}", min(each, megabytes)):
            path = folder / "projects" / "-home-dev-app" / transcript.path
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(transcript.data)
            written += path.stat().st_size / 1e6
    return written


def write_copies(folder: Path, megabytes: float) -> tuple[float, int]:
    """Snapshots of growing sessions; gives megabytes and lines."""
    chance = random.Random(6)
    written, lines, number = 0.0, 0, 0
    while written < megabytes:
        number += 1
        first, *others = session(chance, f"c{number:05}", 6.0)
        data = first.data.splitlines(keepends=True)
        for part in range(1, 11):
            kept = data[: len(data) * part // 10]
            path = folder / f"{number:04}" / str(part) / "full.jsonl"
            path.parent.mkdir(parents=True)
            path.write_bytes(b"".join(kept))
            written += path.stat().st_size / 1e6
            lines += len(kept)
        for other in others:
            path = folder / f"{number:04}" / Path(other.path).name
            path.write_bytes(other.data)
    return written, lines


def write_huge(folder: Path) -> float:
    """A file with lines of 50 MB among others."""
    folder.mkdir(parents=True)
    transcript = Transcript("huge.jsonl", "huge")
    with (folder / "huge.jsonl").open("wb") as file:
        for number in range(6):
            transcript.hears("before")
            transcript.gets(f"T{number}", "x" * 50_000_000, {"stdout": "y"})
            file.write(transcript.data)
            transcript.lines.clear()
    return (folder / "huge.jsonl").stat().st_size / 1e6


def write_many(folder: Path, files: int) -> None:
    for number in range(files):
        small = Transcript(f"{number:05}.jsonl", f"m{number:05}")
        small.hears("hello")
        path = folder / f"{number % 50:02}" / small.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(small.data)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=float, default=700)
    parser.add_argument("--orch", help="an installed orch (default: this checkout's)")
    arguments = parser.parse_args()
    orch = [arguments.orch] if arguments.orch else [sys.executable, "-m", "orch_tui"]
    folder = Path(tempfile.mkdtemp(prefix="orch-bench-"))
    env = {**os.environ, "HOME": str(folder), "CLAUDE_CONFIG_DIR": str(folder / "nobody")}
    env |= {"PYTHONPATH": str(Path(__file__).parents[2])}

    def imported(path: Path, database: str) -> Usage:
        return run([*orch, "import", str(path), "--db", database], cwd=folder, env=env)

    try:
        nothing = imported(write_nothing(folder / "none"), "none.db")
        print(f"start-up, a record of its own: {nothing.cpu:.2f} s CPU\n")
        print(f"{'':34}{'MB':>8}{'CPU s':>8}{'MB/s':>8}{'peak MiB':>10}")

        def line(what: str, megabytes: float, used: Usage) -> None:
            speed = megabytes / max(used.cpu - nothing.cpu, 1e-3)
            print(f"{what:<34}{megabytes:>8.0f}{used.cpu:>8.2f}{speed:>8.0f}{used.peak:>10.0f}")

        megabytes = write_sessions(folder / "real", arguments.megabytes)
        line("sessions with agents", megabytes, imported(folder / "real", "real.db"))
        again = imported(folder / "real", "real.db")
        print(f"{'  the same again':<34}{'':>8}{again.cpu:>8.2f}{'':>8}{again.peak:>10.0f}")
        shutil.rmtree(folder / "real")
        megabytes, lines = write_copies(folder / "copies", arguments.megabytes)
        used = imported(folder / "copies", "copies.db")
        line(f"cumulative copies, {lines:,} lines", megabytes, used)
        shutil.rmtree(folder / "copies")
        line("lines of 50 MB", write_huge(folder / "huge"), imported(folder / "huge", "huge.db"))
        write_many(folder / "many", 1000)
        imported(folder / "many", "many.db")
        again = imported(folder / "many", "many.db")
        print(f"\n1,000 unchanged files: {again.cpu - nothing.cpu:.3f} s CPU beyond start-up")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def write_nothing(folder: Path) -> Path:
    folder.mkdir()
    (folder / "empty.jsonl").write_text(json.dumps({"type": "user", "sessionId": "s"}) + "\n")
    return folder


if __name__ == "__main__":
    main()
