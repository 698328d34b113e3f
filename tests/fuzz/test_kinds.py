"""A little of what `make fuzz` tries, the same at every run."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

import pytest

from tests.counts import COUNTS, SEED
from tests.fuzz.kinds import KINDS
from tests.fuzz.laboratory import Laboratory


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Laboratory]:
    folder = tmp_path_factory.mktemp("fuzz")
    with pytest.MonkeyPatch.context() as patched:
        patched.chdir(folder)
        patched.setenv("HOME", str(folder / "home"))
        yield Laboratory(folder)


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_bad_input_is_taken_or_refused(
    lab: Laboratory, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(lab.home))
    for number in range(COUNTS.fuzz_inputs // 60):
        lab.reset()
        KINDS[kind](lab, Random(f"{SEED} {kind} {number}"))
        lab.check_outside()
