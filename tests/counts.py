"""How much the tests try: a little, the same at every run; or much, from a seed.

    pytest                              # the default: fixed examples, small counts
    ORCH_TESTS=wide pytest              # also what is marked so: the same thing in more variants
    ORCH_TESTS=deep SEED=7 pytest ...   # what `make deep SEED=7` runs

Tests that make up what they try take their counts from here and from nowhere else. A plain
``@given`` tries ``COUNTS.examples``.
"""

from __future__ import annotations

import os
from typing import NamedTuple

from hypothesis import HealthCheck, settings

DEEP = os.environ.get("ORCH_TESTS") == "deep"
WIDE = os.environ.get("ORCH_TESTS") in ("wide", "deep")
SEED = int(os.environ.get("SEED", "0")) if DEEP else 0
"""Where what is made up at random begins."""


class Counts(NamedTuple):
    """How many examples a test tries, by what one example costs."""

    examples: int
    """Of a property that a function has."""

    fuzz_inputs: int
    """Anything at all, given to what reads what others wrote: a millisecond each."""

    sql_values: int
    """Values written by plain SQL and read back by the commands: a few milliseconds each."""

    trees: int
    """Folders with ignore files, and what git lists of them: thirty milliseconds each."""

    histories: int
    """Whole records, written statement by statement: up to half a second each."""

    exchanges: int
    """Several records that take each other in, now and then and at the end: a second each."""


COUNTS = (
    Counts(2_000, 5_000, 20_000, 2_000, 1_000, 1_000)
    if DEEP
    else Counts(100, 300, 500, 100, 50, 50)
    if WIDE
    else Counts(50, 100, 100, 30, 12, 5)
)

HANGS_AFTER = 240
"""Seconds after which a process of a test counts as hung. No test comes near, however loaded the
machine: what a test says is never how long something took."""


def load_profile() -> None:
    """Have hypothesis try the counts above; nothing it does depends on how fast that is."""
    settings.register_profile(
        "orch",
        max_examples=COUNTS.examples,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
        derandomize=not DEEP,
        print_blob=DEEP,
    )
    settings.load_profile("orch")
