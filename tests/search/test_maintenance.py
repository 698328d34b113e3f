"""The index stays true to the tables, whatever is done to them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orch_tui.errors import RecordError
from orch_tui.models.database import Record
from orch_tui.record.opening import open_record
from orch_tui.search import maintenance
from orch_tui.search.documents import first_docid
from orch_tui.search.query import search
from orch_tui.search.schema import GIVEN, TEXTS
from tests.counts import COUNTS
from tests.search.rows import (
    AT,
    give,
    put,
    put_content,
    put_output,
    put_session,
    rewrite,
)


def found(record: Record, query: str) -> list[str]:
    """What the index has under some tokens, newest first."""
    return [
        e.removeprefix("exec-")
        for (e,) in record.sql(
            f"SELECT execution_id FROM {TEXTS} AS s JOIN search_docs AS d ON d.docid = s.rowid "
            f"WHERE {TEXTS} MATCH ? ORDER BY s.rowid DESC",
            [query],
        )
    ]


def given_to(record: Record, query: str) -> list[str]:
    return [
        e.removeprefix("exec-")
        for (e,) in record.sql(
            "SELECT execution_id FROM search_given JOIN search_docs USING (docid) "
            f"WHERE content_id IN (SELECT rowid FROM {GIVEN} WHERE {GIVEN} MATCH ?)",
            [query],
        )
    ]


def terms(record: Record) -> set[str]:
    return {term for (term,) in record.sql("SELECT term FROM search_terms")}


def docids(record: Record) -> dict[str, int]:
    return dict(record.sql("SELECT substr(execution_id, 6), docid FROM search_docs"))


# Changes


def test_a_change_replaces_what_was_indexed(record: Record) -> None:
    put(record, {"scope": "before", "final_message": "first words"})
    rewrite(record, "UPDATE agent_executions SET scope = 'after', final_message = 'last words'")
    assert found(record, "before") == found(record, "first") == []
    assert found(record, "after AND last") == ["000"]
    assert "before" not in terms(record)
    assert maintenance.check(record) == []


def test_a_retracted_run_and_a_deleted_one_are_forgotten(record: Record) -> None:
    put(record, {"scope": "alpha"}, {"scope": "alpha"})
    rewrite(
        record, "UPDATE agent_executions SET retracted_at = ? WHERE execution_id = 'exec-000'", AT
    )
    assert found(record, "alpha") == ["001"]
    record.execute("PRAGMA foreign_keys = OFF")
    rewrite(record, "DELETE FROM agent_executions WHERE execution_id = 'exec-001'")
    assert found(record, "alpha") == []
    assert maintenance.check(record) == []
    assert terms(record) == set()


def test_archiving_hides_and_moving_a_project_changes_the_filter(record: Record) -> None:
    put(record, {"scope": "alpha"})
    rewrite(record, "UPDATE sessions SET archived_at = ?, project = '/q'", AT)
    assert record.value("SELECT archived FROM search_docs") == 1
    assert search(record, "project:/q", include_archived=True).total == 1
    assert search(record, "project:/p", include_archived=True).total == 0
    assert maintenance.check(record) == []


def test_given_contents_are_indexed_once(record: Record) -> None:
    put(record, {}, {})
    for execution_id in ("exec-000", "exec-001"):
        give(record, execution_id, "constitution.md", "the constitution")
    assert given_to(record, '"the constitution"') == ["000", "001"]
    assert record.value(f"SELECT count(*) FROM {GIVEN} WHERE {GIVEN} MATCH 'the'") == 1


# Docids


def test_docids_follow_the_time_of_the_run_however_late_it_is_recorded(record: Record) -> None:
    days = (20, 5, 12, 1, 28)
    put(record, *({"scope": "x", "deployed_at": f"2026-11-{d:02d}T00:00:00.000Z"} for d in days))
    assert found(record, "x") == ["004", "000", "002", "001", "003"]


def test_runs_of_one_moment_take_the_next_free_docids(record: Record) -> None:
    put(record, *({"deployed_at": AT} for _ in range(5)))
    first = first_docid(AT)
    assert docids(record) == {f"00{number}": first + number for number in range(5)}
    assert record.value("SELECT max(displaced) FROM search_docs") == 4
    rewrite(
        record, "UPDATE agent_executions SET deployed_at = NULL WHERE execution_id = 'exec-001'"
    )
    assert docids(record)["001"] == 1
    rewrite(
        record, "UPDATE agent_executions SET deployed_at = ? WHERE execution_id = 'exec-001'", AT
    )
    assert docids(record)["001"] == first + 1
    assert maintenance.check(record) == []


def test_a_change_in_the_middle_of_a_crowd_takes_no_place_of_another(record: Record) -> None:
    """All at once: some stay, some go, some come to where others stay."""
    put(record, *({"deployed_at": AT, "scope": f"s{n}"} for n in range(6)))
    with record.write():
        record.execute(
            "UPDATE agent_executions SET scope = 'moved', deployed_at = '2026-11-02T10:00:00.000Z' "
            "WHERE execution_id IN ('exec-000', 'exec-003')"
        )
        record.execute(
            "UPDATE agent_executions SET scope = 'stayed' WHERE execution_id = 'exec-001'"
        )
    later = first_docid("2026-11-02T10:00:00.000Z")
    first = first_docid(AT)
    assert docids(record) == {
        **{f"00{n}": first + n for n in (1, 2, 4, 5)},
        **{"000": later, "003": later + 1},
    }
    rewrite(record, "UPDATE agent_executions SET deployed_at = ?", AT)
    assert sorted(docids(record).values()) == [first + n for n in range(6)]
    assert maintenance.check(record) == []


# Checking and rebuilding


def test_check_finds_what_is_wrong_and_rebuild_mends_it(record: Record) -> None:
    put(record, *({"scope": "alpha", "final_message": f"message {n}"} for n in range(3)))
    for number in range(3):
        give(record, f"exec-00{number}", "a.md", "given words")
    rewrite(record, f"INSERT INTO {TEXTS} ({TEXTS}) VALUES ('delete-all')")
    rewrite(record, "UPDATE search_docs SET archived = 1 WHERE execution_id = 'exec-001'")
    rewrite(record, "DELETE FROM search_docs WHERE execution_id = 'exec-002'")
    assert maintenance.check(record) == [
        "the search index is not up to date for 2 executions: exec-001, exec-002",
        "rows of the search index are missing",
    ]
    with record.write():
        maintenance.rebuild(record)
    assert maintenance.check(record) == []
    assert found(record, "alpha AND message") == ["002", "001", "000"]
    assert given_to(record, '"given words"') == ["000", "001", "002"]


def test_check_tells_each_kind_of_damage(record: Record) -> None:
    put(record, *({"scope": "alpha"} for _ in range(5)))
    give(record, "exec-000", "a.md", "given words")
    rewrite(record, "UPDATE search_docs SET archived = 1")
    (problem,) = maintenance.check(record)
    assert problem.endswith("for 5 executions: exec-000, exec-001, exec-002, ...")
    rewrite(record, "UPDATE search_docs SET archived = 0")
    rewrite(record, f"INSERT INTO {GIVEN} ({GIVEN}) VALUES ('delete-all')")
    assert maintenance.check(record) == ["rows of the search index are missing"]
    rewrite(record, f"INSERT INTO {GIVEN} (rowid, text) VALUES (1, 'given'), (99, 'x')")
    assert maintenance.check(record) == [f"{GIVEN} holds rows that nothing refers to"]
    rewrite(record, f"INSERT INTO {TEXTS} (rowid, texts) VALUES (99, 'x')")
    assert maintenance.check(record)[0] == f"{TEXTS} holds rows that nothing refers to"
    with record.write():
        maintenance.rebuild(record)
    record.execute("DELETE FROM search_pending")
    record.execute(
        "INSERT INTO agent_executions (execution_id, session_id, agent_type) "
        "SELECT 'raw', session_id, 'a' FROM sessions"
    )
    assert maintenance.check(record) == []  # it is known to be pending


def test_check_reports_a_damaged_index(record: Record) -> None:
    put(record, {"scope": "alpha"})
    rewrite(record, f"UPDATE {TEXTS}_data SET block = x'00' WHERE id > 10")
    with pytest.raises(RecordError):
        search(record, "alpha")
    assert any(f"{TEXTS} is corrupt" in problem for problem in maintenance.check(record))


STEP = st.tuples(
    st.sampled_from(["scope", "message", "time", "output", "give", "retract", "archive"]),
    st.integers(0, 3),
    st.integers(0, 5),
)


@pytest.mark.slow
@settings(max_examples=COUNTS.histories)
@given(steps=st.lists(STEP, max_size=12))
def test_any_history_of_changes_leaves_what_a_rebuild_makes(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, int, int]]
) -> None:
    with open_record(tmp_path_factory.mktemp("r") / "execution.db") as record:
        put_session(record)
        for number in range(6):
            put_content(record, f"content {number}")
        put(record, *({"scope": "start", "deployed_at": AT} for _ in range(4)))
        for what, run, value in steps:
            _change(record, what, f"exec-00{run}", value)
        kept = _index(record)
        with record.write():
            maintenance.rebuild(record)
        assert kept == _index(record)
        assert maintenance.check(record) == []


def _change(record: Record, what: str, run: str, value: int) -> None:
    changes: dict[str, tuple[str, Any]] = {
        "scope": ("scope = ?", f"scope {value}"),
        "message": ("final_message = ?", f"content {value}" if value < 5 else f"said {run}"),
        "time": ("deployed_at = ?", f"2026-11-0{value + 1}T10:00:00.000Z"),
        "retract": ("retracted_at = ?", AT if value % 2 else None),
    }
    if what in changes:
        assignment, new = changes[what]
        rewrite(
            record, f"UPDATE agent_executions SET {assignment} WHERE execution_id = ?", new, run
        )
    elif what == "give":
        give(record, run, f"dir/file{value}.md", f"content {value}")
    elif what == "archive":
        rewrite(record, "UPDATE sessions SET archived_at = ?", AT if value % 2 else None)
    else:
        put_output(record, run, "insight", f"insight {value}")


def _index(record: Record) -> set[tuple[Any, ...]]:
    """Every token by what it is of and where; docids may differ where runs share a moment."""
    return set(
        record.sql(
            "SELECT execution_id, term, offset FROM search_terms JOIN search_docs ON docid = doc"
        )
    )


def test_texts_that_change_are_indexed_again_where_they_stand(record: Record) -> None:
    put(record, {"final_message": "said"}, {"final_message": "said too"})
    give(record, "exec-001", "a.md", "walrus given")
    held = put_content(record, "walrus given")
    assert given_to(record, "walrus") == ["001"]
    docids_before = docids(record)
    with record.write(), maintenance.changing_texts(record, [held], []):
        record.execute(
            "UPDATE contents SET encoding = 'gone', data = x'' WHERE content_id = ?", [held]
        )
    assert given_to(record, "walrus") == []
    assert found(record, "said") == ["001", "000"]
    assert maintenance.check(record) == []
    assert docids(record) == docids_before
