"""What tests of preparing stand on."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from orch_tui.prepare.count import FRAMES
from orch_tui.prepare.exact import is_available
from tests.generate.token_counts import ANSWERS, VERSIONS

ROOT = Path(__file__).parents[2]
HAS_CTOK = is_available()


@pytest.fixture
def ctok_tokens(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str, str], int]]:
    """Counts a text for a family as ctok does, without the frame of a message.

    Where ctok is not installed, ``ctok`` is what it answered once, here and in processes that are
    started.
    """
    if not HAS_CTOK:
        monkeypatch.syspath_prepend(str(ANSWERS.parent))
        monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), str(ANSWERS.parent)]))
    import ctok  # type: ignore[import-not-found, unused-ignore]

    yield lambda text, family: int(ctok.token_count(text, VERSIONS[family])) - FRAMES[family]
    if not HAS_CTOK:
        del sys.modules["ctok"]
