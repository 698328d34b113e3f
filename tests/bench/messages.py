"""How well final messages are read: precision and recall against what a person found in them.

    python -m tests.bench.messages [SOURCE ...] [--each]

Sources are the files of ``tests/fixtures/final_messages``, default all, one table each and one for
all. ``--each`` also names what was missed and what was found and is not there.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from tests.final_messages import (
    CORPUS,
    LabelledMessage,
    compare_corpus,
    describe_agreements,
    load_messages,
)


def measure(name: str, messages: Sequence[LabelledMessage], *, each: bool) -> None:
    """Print the figures of some messages."""
    with tempfile.TemporaryDirectory() as folder:
        began = time.process_time()
        agreements = compare_corpus(messages, Path(folder).resolve())
        seconds = time.process_time() - began
    size = sum(len(message.text) for message in messages)
    print(f"{name}: {len(messages)} messages, {size / 1000:.0f} kB, {seconds:.2f} s")
    for line in describe_agreements(agreements):
        print(f"  {line}")
    if each:
        for agreement in agreements.values():
            for text in agreement.missed:
                print(f"  missed  {text}")
            for text in agreement.wrong:
                print(f"  wrong   {text}")


def main() -> None:
    """Measure what the command line names."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("sources", nargs="*", metavar="SOURCE")
    parser.add_argument("--each", action="store_true")
    given = parser.parse_args()
    sources = given.sources or sorted(path.stem for path in CORPUS.glob("*.toml"))
    for source in sources:
        measure(source, load_messages(source), each=given.each)
    if len(sources) > 1:
        measure("all", load_messages(*sources), each=False)


if __name__ == "__main__":
    main()
