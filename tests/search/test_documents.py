"""The index stays true to the tables, whatever is done to them."""

from __future__ import annotations

import hashlib
import json
import zlib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orch_tui.errors import RecordError
from orch_tui.models.database import Record
from orch_tui.record.opening import open_record
from orch_tui.search import maintenance
from orch_tui.search.documents import first_docid
from orch_tui.search.tokens import filter_token, token_value
from tests.counts import COUNTS

AT = "2026-11-01T10:00:00.000Z"


@pytest.fixture(autouse=True)
def session(record: Record) -> None:
    with record.write():
        record.execute("INSERT INTO sessions (session_id, scope, project) VALUES ('s', '', '/p')")


def put(record: Record, execution_id: str, **columns: Any) -> None:
    """One execution as the engine writes it (a revision of its own)."""
    row = {
        "execution_id": execution_id,
        "session_id": "s",
        "agent_type": "explore",
        "deployed_at": AT,
        "status": "completed",
        "revision": 1,
    } | columns
    with record.write():
        record.execute(
            f"INSERT INTO agent_executions ({', '.join(row)}) VALUES ({', '.join('?' * len(row))})",
            list(row.values()),
        )


def content(record: Record, text: str) -> int:
    data = text.encode()
    with record.write():
        return int(
            record.value(
                "INSERT INTO contents (sha256, size, encoding, data) VALUES (?, ?, 'zlib', ?) "
                "RETURNING content_id",
                [hashlib.sha256(data).digest(), len(data), zlib.compress(data)],
            )
        )


def briefing(record: Record, *parts: list[Any]) -> int:
    with record.write():
        return int(
            record.value(
                "INSERT INTO briefings (sha256, size, parts) VALUES (?, 0, ?) "
                "RETURNING briefing_id",
                [hashlib.sha256(repr(parts).encode()).digest(), json.dumps(parts)],
            )
        )


def give(record: Record, execution_id: str, source: str, content_id: int | None = None) -> None:
    with record.write():
        record.execute(
            "INSERT INTO context_allocations (execution_id, context_type, context_source, "
            "content_id) VALUES (?, 'file', ?, ?)",
            [execution_id, source, content_id],
        )


def found(record: Record, match: str) -> list[str]:
    return [
        e
        for (e,) in record.sql(
            "SELECT execution_id FROM search_index AS s JOIN search_docs AS d "
            "ON d.docid = s.rowid WHERE search_index MATCH ? ORDER BY s.rowid DESC",
            [match],
        )
    ]


def given_to(record: Record, match: str) -> list[str]:
    return [
        e
        for (e,) in record.sql(
            "SELECT execution_id FROM search_given JOIN search_docs USING (docid) "
            "WHERE content_id IN (SELECT rowid FROM given_index WHERE given_index MATCH ?)",
            [match],
        )
    ]


def terms(record: Record) -> set[str]:
    return {term for (term,) in record.sql("SELECT term FROM search_terms")}


def rewrite(record: Record, statement: str, *parameters: Any) -> None:
    with record.write():
        record.execute(statement, parameters)


# What is indexed


def test_every_text_of_an_execution_is_found(record: Record) -> None:
    told = briefing(record, ["text", "constraints first"], ["content", 1], ["text", "report"])
    put(
        record,
        "e1",
        scope="alphascope",
        final_message="betamessage",
        error_message="gammaerror",
        briefing_id=told,
    )
    give(record, "e1", "lib/deltasource.py")
    rewrite(
        record,
        "INSERT INTO outputs (execution_id, output_type, content) VALUES "
        "('e1', 'insight', 'epsiloninsight'), "
        """('e1', 'validation_result', '{"lint": "fail", "steps": [{"zeta": 85}]}'), """
        """('e1', 'deliverable', '{"file_path": "src/etapath.ts", "lines_added": 7}')""",
    )
    for word in (
        *("alphascope", "betamessage", "gammaerror", "deltasource", "epsiloninsight"),
        *('"lint fail"', '"zeta 85"', "etapath", "constraints", "report"),
    ):
        assert found(record, word) == ["e1"], word
    assert found(record, "lines") == []  # the names in a deliverable's JSON are not its words
    assert maintenance.check(record) == []


def test_filters_are_tokens_of_the_index(record: Record) -> None:
    put(record, "e1", model="sonnet", resolved_model="claude-sonnet-5", phase=3, source="hook")
    give(record, "e1", "./a/B/c.ts:10-20")
    for kind, value in (
        *(("agent", "explore"), ("status", "completed"), ("model", "sonnet"), ("phase", "3")),
        *(("model", "claude-sonnet-5"), ("session", "s"), ("source", "hook"), ("project", "/p")),
        *(("file", "a/b/c.ts"), ("file", "b/c.ts"), ("file", "c.ts")),
    ):
        assert found(record, f'tags : "{filter_token(kind, value)}"') == ["e1"], (kind, value)
    assert found(record, f'tags : "{filter_token("file", "a/b")}"*') == ["e1"]
    assert found(record, f'tags : "{filter_token("file", "/c.ts")}"') == []
    assert token_value(filter_token("file", "a/B/c.ts")) == "a/b/c.ts"


def test_an_item_that_was_not_handed_over_was_not_given(record: Record) -> None:
    put(record, "e1")
    rewrite(
        record,
        "INSERT INTO context_allocations (execution_id, context_source, included_in_deployment) "
        "VALUES ('e1', 'left/out.py', 0)",
    )
    assert found(record, "out") == []


def test_given_contents_are_indexed_once(record: Record) -> None:
    shared = content(record, "the constitution")
    for execution_id in ("e1", "e2"):
        put(record, execution_id)
        give(record, execution_id, "constitution.md", shared)
    assert given_to(record, "constitution") == ["e1", "e2"]
    assert record.value("SELECT count(*) FROM given_index WHERE given_index MATCH 'the'") == 1


# Changes


def test_a_change_replaces_what_was_indexed(record: Record) -> None:
    put(record, "e1", scope="before", final_message="first words")
    rewrite(record, "UPDATE agent_executions SET scope = 'after', final_message = 'last words'")
    assert found(record, "before") == found(record, "first") == []
    assert found(record, "after AND last") == ["e1"]
    assert "before" not in terms(record)


def test_a_retracted_run_and_a_deleted_one_are_forgotten(record: Record) -> None:
    put(record, "e1", scope="alpha")
    put(record, "e2", scope="alpha")
    rewrite(record, "UPDATE agent_executions SET retracted_at = ? WHERE execution_id = 'e1'", AT)
    assert found(record, "alpha") == ["e2"]
    record.execute("PRAGMA foreign_keys = OFF")
    rewrite(record, "DELETE FROM agent_executions WHERE execution_id = 'e2'")
    assert found(record, "alpha") == []
    assert maintenance.check(record) == []
    assert terms(record) == set()


def test_archiving_hides_and_moving_a_project_retags(record: Record) -> None:
    put(record, "e1", scope="alpha")
    rewrite(record, "UPDATE sessions SET archived_at = ?, project = '/q'", AT)
    assert record.value("SELECT archived FROM search_docs") == 1
    assert found(record, f'tags : "{filter_token("project", "/q")}"') == ["e1"]
    assert maintenance.check(record) == []


def test_a_content_that_was_said_is_not_stored_again(record: Record) -> None:
    said = content(record, "spoken words")
    put(record, "e1", final_message="spoken words")
    assert record.value("SELECT said_id FROM search_docs") == said
    rewrite(record, "UPDATE agent_executions SET final_message = 'other words'")
    assert record.value("SELECT said_id FROM search_docs") is None
    assert found(record, "spoken") == []
    assert found(record, "other") == ["e1"]


def test_raw_sql_marks_what_is_stale_whatever_its_conflict_clause(record: Record) -> None:
    for clause in ("OR FAIL", "OR ABORT", "OR ROLLBACK", "OR REPLACE", "OR IGNORE"):
        record.execute(
            f"INSERT {clause} INTO agent_executions (execution_id, session_id, agent_type, scope) "
            "VALUES (?, 's', 'explore', 'raw')",
            [clause],
        )
        record.execute(f"INSERT {clause} INTO outputs (execution_id) VALUES (?)", [clause])
    record.execute("PRAGMA foreign_keys = OFF")
    record.execute(
        "UPDATE agent_executions SET execution_id = 'new' WHERE execution_id = 'OR FAIL'"
    )
    with record.write():
        pass
    assert sorted(found(record, "raw")) == [
        "OR ABORT",
        "OR IGNORE",
        "OR REPLACE",
        "OR ROLLBACK",
        "new",
    ]
    assert record.value("SELECT count(*) FROM search_pending") == 0


@pytest.mark.parametrize(
    "value", [b"\xff\x00bytes", 12, 1.5, "nul\0inside", "\U0001f600", "[1, {", '{"a": ' * 5000]
)
def test_odd_values_are_indexed_and_forgotten_without_a_trace(record: Record, value: Any) -> None:
    put(record, "e1", scope=value, final_message=value, deployed_at=value, model=value)
    rewrite(
        record,
        "INSERT INTO outputs (execution_id, output_type, content) VALUES ('e1', 'insight', ?)",
        value,
    )
    assert maintenance.check(record) == []
    rewrite(record, "UPDATE agent_executions SET retracted_at = ?", AT)
    assert terms(record) == set()


# Docids


def test_docids_follow_the_time_of_the_run_however_late_it_is_recorded(record: Record) -> None:
    for number, day in enumerate((20, 5, 12, 1, 28)):
        put(record, f"e{number}", scope="x", deployed_at=f"2026-11-{day:02d}T00:00:00.000Z")
    assert found(record, "x") == ["e4", "e0", "e2", "e1", "e3"]


def test_runs_of_one_moment_take_the_next_free_docids(record: Record) -> None:
    for number in range(5):
        put(record, f"e{number}")
    first = first_docid(AT)
    docids = [d for (d,) in record.sql("SELECT docid FROM search_docs ORDER BY execution_id")]
    assert docids == [first + number for number in range(5)]
    assert record.value("SELECT max(displaced) FROM search_docs") == 4
    rewrite(record, "UPDATE agent_executions SET deployed_at = NULL WHERE execution_id = 'e1'")
    assert record.value("SELECT docid FROM search_docs WHERE execution_id = 'e1'") == 1
    put(record, "e5")
    assert record.value("SELECT docid FROM search_docs WHERE execution_id = 'e5'") == first + 1
    assert maintenance.check(record) == []


def test_what_is_indexed_cannot_be_erased_behind_the_index(record: Record) -> None:
    said, read = content(record, "said"), content(record, "read")
    told = briefing(record, ["text", "told"])
    put(record, "e1", final_message="said", briefing_id=told)
    give(record, "e1", "a.md", read)
    for statement in (
        f"UPDATE contents SET encoding = 'gone', data = x'' WHERE content_id = {said}",
        f"UPDATE contents SET encoding = 'gone', data = x'' WHERE content_id = {read}",
        f"DELETE FROM contents WHERE content_id = {read}",
        f"UPDATE briefings SET parts = '[]' WHERE briefing_id = {told}",
    ):
        with pytest.raises(Exception, match="what is indexed for search stays as it is"):
            rewrite(record, statement)
    assert maintenance.check(record) == []


# Checking and rebuilding


def test_check_finds_what_is_wrong_and_rebuild_mends_it(record: Record) -> None:
    text = content(record, "given words")
    for number in range(3):
        put(record, f"e{number}", scope="alpha", final_message=f"message {number}")
        give(record, f"e{number}", "a.md", text)
    rewrite(record, "INSERT INTO search_index (search_index) VALUES ('delete-all')")
    rewrite(record, "UPDATE search_docs SET archived = 1 WHERE execution_id = 'e1'")
    rewrite(record, "DELETE FROM search_docs WHERE execution_id = 'e2'")
    problems = maintenance.check(record)
    assert problems[0] == "the search index is not up to date for 2 executions: e1, e2"
    assert len(problems) == 2
    with record.write():
        maintenance.rebuild(record)
    assert maintenance.check(record) == []
    assert found(record, "alpha AND message") == ["e2", "e1", "e0"]
    assert given_to(record, '"given words"') == ["e0", "e1", "e2"]


def test_check_reports_a_damaged_index(record: Record) -> None:
    put(record, "e1", scope="alpha")
    rewrite(record, "UPDATE search_index_data SET block = x'00' WHERE id > 10")
    with pytest.raises(RecordError):
        found(record, "alpha")
    assert any("search_index is corrupt" in problem for problem in maintenance.check(record))


STEP = st.tuples(
    st.sampled_from(["scope", "message", "time", "output", "give", "retract", "archive"]),
    st.integers(0, 3),
    st.integers(0, 5),
)


@settings(max_examples=COUNTS.histories)
@given(steps=st.lists(STEP, max_size=12))
def test_any_history_of_changes_leaves_what_a_rebuild_makes(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, int, int]]
) -> None:
    with open_record(tmp_path_factory.mktemp("r") / "execution.db") as record:
        rewrite(record, "INSERT INTO sessions (session_id, scope) VALUES ('s', '')")
        contents = [content(record, f"content {number}") for number in range(6)]
        for number in range(4):
            put(record, f"e{number}", scope="start")
        for what, run, value in steps:
            _change(record, what, f"e{run}", value, contents)
        kept = _index(record)
        with record.write():
            maintenance.rebuild(record)
        assert kept == _index(record)
        assert maintenance.check(record) == []


def _change(record: Record, what: str, run: str, value: int, contents: list[int]) -> None:
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
        give(record, run, f"dir/file{value}.md", contents[value])
    elif what == "archive":
        rewrite(record, "UPDATE sessions SET archived_at = ?", AT if value % 2 else None)
    else:
        rewrite(
            record,
            "INSERT INTO outputs (execution_id, output_type, content) VALUES (?, 'insight', ?)",
            run,
            f"insight {value}",
        )


def _index(record: Record) -> set[tuple[Any, ...]]:
    """Every posting by what it is of; docids may differ where runs share a moment."""
    return set(
        record.sql(
            "SELECT execution_id, term, col, offset FROM search_terms "
            "JOIN search_docs ON docid = doc"
        )
    )
