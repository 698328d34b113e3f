"""Files that a report of work tells of by what they do now."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.record.message_claims import claims_there

WORK = "I added `a.py`. "


@pytest.mark.parametrize(
    "said",
    [
        "`b.py` returns an error instead.",
        "All is in place. `b.py` no longer reads all of it, which was slow.",
        "`a.py` parses it, and `b.py` prints it.",
        "Done:\n- `b.py`: builds the docs",
        "Done:\n- `b.py`: uses a fake clock",
        "Done:\n- T-12: `b.py` rotates the logs",
        "Done:\n- the cache - b.py",
        "Phase 1 (done): schema in `a.sql`, models in `b.py`",
        "`b.py` has a new option.",
        "Cleaned up, across:\n`a.py`, `b.py`",
        "A script, `b.py`, fails the build when a key is missing.",
        "The fault was in `b.py`: it never closed. I added a guard.",
        "It is made by `b.py`, which I had to teach about that.",
        "Three commits:\n- Take the lock first (`b.py`)",
        "Three commits:\n- Take the lock first (`a.py`, `b.py`)",
    ],
)
def test_in_a_report_of_work_what_a_file_does_is_news(said: str, tmp_path: Path) -> None:
    assert claims_there(WORK + said, tmp_path)["b.py"] == "modified"


@pytest.mark.parametrize(
    "said",
    [
        "`b.py` calls it.",
        "It is made by `b.py`, which I have not touched.",
        "Phase 3 (open): models in `b.py`",
        "The fault is in `b.py`: it never closes.",
        "`b.py` is the only caller.",
        "`b.py` still needs a test.",
        "`b.py` should return an error instead.",
        "`b.py` has the same fault.",
        "Does `b.py` return an error?",
        "It is called by `b.py`, which returns an error.",
        "## Next steps\n- `b.py`: return an error",
        "## Notes\n- `b.py` returns an error",
        "## Sources\n- `b.py`: builds the docs",
        "> `b.py` returns an error.",
        "Done:\n- as it is in b (see `b.py`)",
        'FR-7 says "write to `b.py` by default".',
        "I implemented the spec in `b.py`.",
        "It is new, but `b.py` rounds on its own.",
        "Causes:\n1. Listeners in `b.py` – ruled out, their count stays.",
        "I did not:\n- bump the version in `b.py`",
        "- Left for later\n  - `b.py`",
        "`b.py` is no longer read but still there.",
        " ✓ b.py (4)",
    ],
)
def test_what_describes_a_file_is_none(said: str, tmp_path: Path) -> None:
    assert claims_there(f"{WORK}\n{said}", tmp_path).get("b.py", "") == ""


@pytest.mark.parametrize(
    "said",
    [
        "I only reviewed it: `a.py` was added.",
        "`a.py` was added. I changed nothing.",
        "Here is where errors are handled:",
        "The limit is set in `a.py`.",
        "No edits were made.",
    ],
)
def test_without_work_it_describes_what_is_there(said: str, tmp_path: Path) -> None:
    text = f"{said}\n\n`b.py` returns an error instead."
    assert claims_there(text, tmp_path)["b.py"] == ""
