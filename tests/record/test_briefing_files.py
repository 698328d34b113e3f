"""The files that briefings were written to, and the prompts that name one."""

from __future__ import annotations

import pytest

from orch_tui.models.database import Record
from orch_tui.record.ledger.briefing_files import (
    list_briefing_files,
    log_briefing_file,
    names_briefing_file,
    names_file,
)
from orch_tui.record.sessions import init_session
from tests.record.reporting import report

PATH = "/p/notes/one.md"


@pytest.mark.parametrize(
    ("prompt", "is_named"),
    [
        ("Read notes/one.md.", True),
        ("Read /p/notes/one.md", True),
        ("`notes/one.md`", True),
        ("(notes/one.md)", True),
        ("notes/one.md: do it", True),
        ("Read one.md", False),
        ("Read other/notes/one.md", False),
        ("Read ./notes/one.md", False),
        ("Read notes/one.mdx", False),
        ("Read notes/one.md.bak", False),
        ("Read notes/one.md/two", False),
        ("Read notes/one.md-old", False),
        ("Read notes/onexmd", False),
        ("", False),
    ],
)
def test_a_prompt_names_a_file_whole_or_from_the_project(prompt: str, is_named: bool) -> None:
    assert names_file(prompt, PATH, "/p") == is_named


def test_without_a_project_the_whole_path_alone_names_a_file() -> None:
    assert names_file(f"Read {PATH}", PATH, "")
    assert not names_file("Read notes/one.md", PATH, "")


@pytest.fixture
def labels(record: Record) -> list[str]:
    init_session(record, "x", project="/p", session_id="s")
    columns = {"session_id": "s", "agent_type": "x"}
    with record.write():
        return [
            report(record, "deployed", columns, source="manual", keys=[f"tool:{n}"])
            for n in range(2)
        ]


def test_a_file_is_of_the_deployment_that_wrote_it_last(record: Record, labels: list[str]) -> None:
    one, two = labels
    for label, path in ((one, PATH), (one, "/p/b.md"), (two, PATH)):
        log_briefing_file(record, label, path)
    assert list_briefing_files(record, one) == ["/p/b.md"]
    assert list_briefing_files(record, two) == [PATH]
    log_briefing_file(record, one, PATH)
    assert sorted(list_briefing_files(record, one)) == ["/p/b.md", PATH]
    assert list_briefing_files(record, two) == list_briefing_files(record, "nobody") == []


def test_a_text_names_the_file_of_its_own_deployment(record: Record, labels: list[str]) -> None:
    one, two = labels
    assert not names_briefing_file(record, one, f"Read {PATH}")
    log_briefing_file(record, one, PATH)
    assert names_briefing_file(record, one, "Read notes/one.md now")
    assert not names_briefing_file(record, one, "Read notes/two.md now")
    assert not names_briefing_file(record, two, "Read notes/one.md now")
