"""What runs that succeeded were given or read themselves."""

from __future__ import annotations

from dataclasses import replace

from orch_tui.models.database import Record
from orch_tui.recall.insights import list_earlier_sources
from orch_tui.recall.insights.earlier_sources import MOST_SOURCES, EarlierSource
from tests.recall.runs import make_bundle, make_item, open_session, run_agent
from tests.recall.test_file_worth import touch


def listed(record: Record, agent_type: str = "implementor") -> list[tuple[str, int, int, int]]:
    """Each source with how many runs were given it, read it, and had it at all."""
    found = list_earlier_sources(record, agent_type)
    return [("#".join((s.source, *s.sections)), s.given, s.read, s.used) for s in found]


def test_each_source_is_counted_by_the_runs_that_had_it(record: Record) -> None:
    session = open_session(record)
    part = replace(make_item("spec.md", tokens=30), sections=("Search",))
    for number in range(3):
        bundle = make_bundle(f"b{number}", make_item("given.py"), part)
        run = run_agent(record, session, bundle=bundle)
        if number:
            touch(record, run, "read.py", "given.py", written=("new.py",))
    assert listed(record) == [
        ("given.py", 3, 2, 3),
        ("spec.md#Search", 3, 0, 3),
        ("read.py", 0, 2, 2),
    ]
    first, _, last = list_earlier_sources(record, "implementor")
    assert first == EarlierSource("implementor", "given.py", (), 3, 3, 2, 2, 3, 100)
    assert (last.n_known, last.token_count) == (2, None)


def test_runs_that_failed_or_wait_and_those_of_others_do_not_count(record: Record) -> None:
    session = open_session(record)
    for number, ending in enumerate(("failed", None)):
        bundle = make_bundle(f"b{number}", make_item("bad.py"))
        touch(record, run_agent(record, session, ending, bundle=bundle), "worse.py")
    touch(record, run_agent(record, session, agent_type="debugger"), "trace.py")
    assert listed(record) == []
    assert listed(record, "debugger") == [("trace.py", 0, 1, 1)]


def test_what_lies_outside_and_what_is_no_file_is_left_out(record: Record) -> None:
    items = (make_item("/etc/hosts"), make_item("text:Be brief."), make_item("exec-1:message"))
    run = run_agent(record, open_session(record), bundle=make_bundle("b", *items))
    touch(record, run, "/tmp/x.py", "in.py")
    assert listed(record) == [("in.py", 0, 1, 1)]


def test_a_file_that_was_written_first_was_not_needed(record: Record) -> None:
    run = run_agent(record, open_session(record))
    rows = [("own.py", "2026-11-22T11:00:00.000Z", "2026-11-22T10:00:00.000Z")]
    rows += [("old.py", "2026-11-22T10:00:00.000Z", "2026-11-22T11:00:00.000Z")]
    record.executemany(
        "INSERT INTO execution_files VALUES (?, ?, ?, ?)", [(run, *row) for row in rows]
    )
    assert listed(record) == [("old.py", 0, 1, 1)]


def test_of_sources_without_end_the_first_are_told(record: Record) -> None:
    run = run_agent(record, open_session(record))
    touch(record, run, *(f"{number:04}.py" for number in range(MOST_SOURCES + 3)))
    assert len(listed(record)) == MOST_SOURCES
