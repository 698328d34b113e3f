"""Counts of this repository's own files: how long they take, and estimates against exact ones.

    python -m tests.bench.counting

Where ctok is (Python 3.12 and newer) every file is counted both ways, and bundles drawn from them
are checked against their bands; elsewhere only the estimates are timed.
"""

from __future__ import annotations

import hashlib
import random
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from orch_tui.prepare.count import FAMILIES, ZERO
from orch_tui.prepare.exact import count_exactly, is_available
from orch_tui.prepare.pieces import load_pieces
from orch_tui.prepare.text_kinds import kind_of
from orch_tui.prepare.tokens import count_items

ROOT = Path(__file__).parents[2]
BUNDLES = 2000


@dataclass(frozen=True)
class File:
    name: str
    text: str

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.text.encode()).hexdigest()

    @property
    def kind(self) -> str:
        return kind_of(self.name, self.text)


def main() -> None:
    files = list({file.sha256: file for file in repository()}.values())
    size = sum(len(file.text.encode()) for file in files) / 1e6
    print(f"{len(files)} text files, {size:.2f} MB")
    for family in FAMILIES:
        started = time.process_time()
        load_pieces(family)
        loaded = time.process_time()
        counts = count_items(files, family=family)
        took = time.process_time() - loaded
        print(
            f"{family}: {sum(counts, ZERO)} tokens; {1000 * (loaded - started):.0f} ms to load, "
            f"{took:.2f} s CPU, {size / took:.1f} MB/s"
        )
        if not is_available():
            continue
        started = time.perf_counter()
        exact = dict(count_exactly(files, family=family))
        took = time.perf_counter() - started
        pairs = [(count, exact[file.sha256]) for file, count in zip(files, counts, strict=True)]
        equal = sum(count.tokens == tokens for count, tokens in pairs)
        inside = sum(count.low <= tokens <= count.high for count, tokens in pairs)
        print(f"  exactly in {took:.1f} s by the wall, {size / took:.2f} MB/s")
        print(f"  files: {equal} equal, {inside} inside the band, of {len(pairs)}")
        chance, held = random.Random(1), 0
        for _ in range(BUNDLES):
            bundle = chance.sample(pairs, chance.randint(8, 40))
            total = sum((count for count, _ in bundle), ZERO)
            held += total.low <= sum(tokens for _, tokens in bundle) <= total.high
        print(f"  bundles of 8 to 40 files: {held} inside the band, of {BUNDLES}")


def repository() -> list[File]:
    """The text files that git knows."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True)
    found = []
    for name in filter(None, listed.stdout.decode().split("\0")):
        data = (ROOT / name).read_bytes() if (ROOT / name).is_file() else b"\0"
        if b"\0" not in data and len(data) < 200_000:
            found.append(File(name, data.decode("utf-8", "replace")))
    return found


if __name__ == "__main__":
    main()
