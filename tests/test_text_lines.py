"""Lines are counted as ``grep`` counts them, wherever one is numbered."""

from __future__ import annotations

import subprocess

import pytest

from orch_tui.live.agent_work import count_edited_lines
from orch_tui.models.database import Record
from orch_tui.prepare.frontmatter import parse_frontmatter
from orch_tui.search.matching import make_markers
from orch_tui.search.passages import list_passages
from orch_tui.text_lines import split_lines
from tests.search.rows import put, put_session

NO_ENDS = "\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029\r"


@pytest.mark.parametrize("text", ["", "\n", "a", "a\n", "a\n\nb", "a\r\nb\n\n", f"a{NO_ENDS}b\nc"])
def test_as_many_lines_as_grep_numbers(text: str) -> None:
    found = subprocess.run(["grep", "-c", ""], input=text.encode(), stdout=subprocess.PIPE).stdout
    assert len(split_lines(text)) == int(found)


@pytest.mark.parametrize("sign", NO_ENDS)
def test_a_sign_that_ends_no_line_shifts_no_number(sign: str, record: Record) -> None:
    put_session(record)
    put(record, {"final_message": f"a{sign}b\r\nc{sign}needle d\ne"})
    (passage,) = list_passages(record, "exec-000", make_markers("needle"), 0)
    (line,) = passage.lines
    assert (line.number, line.text, line.spans) == (2, f"c{sign}needle d", ((2, 8),))
    head = parse_frontmatter(f"---\na: b{sign}c\nno key\n---\n")
    assert "line 3" in head.problem
    edit = f'{{"old_string": "", "new_string": "a{sign}b\\n"}}'
    if sign >= " ":  # JSON has no others as they are
        assert count_edited_lines(edit.encode()) == (1, 0)
