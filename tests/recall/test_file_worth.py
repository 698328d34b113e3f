"""Files beside the bundles of an agent type: needed and not given, read again, left unread."""

from __future__ import annotations

from orch_tui.models.database import Record
from orch_tui.recall.insights.file_worth import FileWorth, weigh_files
from orch_tui.recall.insights.group_outcomes import ChosenRuns
from tests.recall.runs import make_bundle, make_item, open_session, run_agent

AT = "2026-11-22T11:00:00.000Z"


def touch(record: Record, run: str, *read: str, written: tuple[str, ...] = ()) -> None:
    """Note which files a run read and wrote, as a transcript tells."""
    rows = [(path, AT, None) for path in read] + [(path, None, AT) for path in written]
    record.executemany(
        "INSERT INTO execution_files VALUES (?, ?, ?, ?)", [(run, *row) for row in rows]
    )


def weigh(record: Record, condition: str = "1") -> tuple[FileWorth, ...]:
    return weigh_files(ChosenRuns(record, condition, []))


def test_each_file_is_counted_by_what_became_of_it(record: Record) -> None:
    session = open_session(record)
    given = (make_item("again.py"), make_item("saved.py"), make_item("part.py:1-9"))
    for number in range(2):
        run = run_agent(record, session, bundle=make_bundle(f"b{number}", *given))
        touch(record, run, "again.py", "missed.py", "part.py", written=("new.py",))
    other = run_agent(record, session, agent_type="debugger")
    touch(record, other, "missed.py")
    assert weigh(record) == (
        FileWorth("implementor", "missed.py", 2, not_given=2, read_again=0, unread=0),
        FileWorth("debugger", "missed.py", 1, not_given=1, read_again=0, unread=0),
        FileWorth("implementor", "again.py", 2, not_given=0, read_again=2, unread=0),
        FileWorth("implementor", "saved.py", 2, not_given=0, read_again=0, unread=2),
    )


def test_runs_whose_files_are_not_known_count_for_nothing(record: Record) -> None:
    session = open_session(record)
    run_agent(record, session, bundle=make_bundle("b", make_item("a.py")))
    assert weigh(record) == ()


def test_what_did_not_arrive_was_not_given(record: Record) -> None:
    session = open_session(record)
    run = run_agent(record, session, bundle=make_bundle("b", make_item("a.py"), make_item("b.py")))
    touch(record, run, "a.py", "b.py")
    record.execute("UPDATE context_allocations SET arrived = 0 WHERE context_source = 'a.py'")
    found = {file.path: (file.not_given, file.read_again) for file in weigh(record)}
    assert found == {"a.py": (1, 0), "b.py": (0, 1)}
    assert weigh(record, "agent_type = 'nobody'") == ()


def test_of_files_without_end_the_first_are_told(record: Record) -> None:
    run = run_agent(record, open_session(record))
    touch(record, run, *(f"{number:03}.py" for number in range(203)))
    found = weigh(record)
    assert [file.path for file in found] == [f"{number:03}.py" for number in range(200)]
