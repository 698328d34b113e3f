"""What is indexed of an execution."""

from __future__ import annotations

from typing import Any

import pytest

from orch_tui.models.database import Record
from orch_tui.search import maintenance
from orch_tui.search.documents import (
    build_documents,
    first_docid,
    load_indexed,
    unpack_small_fields,
)
from orch_tui.search.tokens import COMMON_TOKEN, filter_token
from tests.search.rows import (
    AT,
    SESSION,
    give,
    put,
    put_briefing,
    put_content,
    put_output,
    rewrite,
)


def tokens(record: Record, execution_id: str = "exec-000") -> set[str]:
    """The tokens in the index of one run."""
    return {
        term
        for (term,) in record.sql(
            "SELECT term FROM search_terms JOIN search_docs ON docid = doc WHERE execution_id = ?",
            [execution_id],
        )
    }


def values(record: Record, name: str) -> list[str]:
    """The values of one filter that a run has."""
    document = build_documents(record, ["exec-000"])["exec-000"]
    found: list[str] = unpack_small_fields(document.small_fields)["filters"][name]
    return found


def test_every_text_of_an_execution_is_indexed(record: Record) -> None:
    told = put_briefing(record, ["text", "constraints first"], ["content", 1], ["text", "report"])
    put(
        record,
        {
            "scope": "alphascope",
            "final_message": "betamessage",
            "error_message": "gammaerror",
            "briefing_id": told,
        },
    )
    give(record, "exec-000", "lib/deltasource.py")
    put_output(record, "exec-000", "insight", "epsiloninsight")
    validation = '{"lint": "fail", "steps": [{"zeta": 85}, null, [true]]}'
    put_output(record, "exec-000", "validation_result", validation)
    made = '{"file_path": "src/etapath.ts", "lines_added": 7}'
    put_output(record, "exec-000", "deliverable", made)
    put_output(record, "exec-000", "deliverable", "{}", path="thetapath.md")
    put_output(record, "exec-000", "deliverable", "iotapath.md")
    put_output(record, "exec-000", "insight", "gone", retracted_at=AT)
    words = {token for token in tokens(record) if token.isalnum()}
    assert words == {
        *("alphascope", "betamessage", "gammaerror", "lib", "deltasource", "py"),
        *("epsiloninsight", "lint", "fail", "zeta", "85", "steps", "true"),
        *("src", "etapath", "ts", "thetapath", "md", "iotapath"),
        *("constraints", "first", "report"),
    }
    assert maintenance.check(record) == []


def test_what_the_session_of_a_run_is_called_is_indexed(record: Record) -> None:
    put(record, {"final_message": None}, {})
    rewrite(record, "UPDATE sessions SET scope = 'kappascope', title = 'lambdatitle'")
    assert {"kappascope", "lambdatitle"} <= tokens(record)
    assert values(record, "session") == [SESSION, "kappascope", "lambdatitle"]
    rewrite(record, "UPDATE sessions SET scope = 'muscope', title = 'muscope'")
    assert {t for t in tokens(record) if t.isalnum()} == {"muscope"}
    assert values(record, "session") == [SESSION, "muscope"]
    unnamed = (
        "UPDATE sessions SET claude_session = 'c1', scope = 'Claude Code session c1', title = ''"
    )
    rewrite(record, unnamed)
    assert not [t for t in tokens(record) if t.isalnum()]
    assert values(record, "session") == [SESSION]
    assert maintenance.check(record) == []


def test_the_values_of_every_filter_are_tokens(record: Record) -> None:
    put(
        record,
        {"model": "opus", "resolved_model": "claude-sonnet-5", "phase": 3, "source": "hook"},
    )
    give(record, "exec-000", "./a/B/c.ts:10-20")
    give(record, "exec-000", "text:note")
    give(record, "exec-000", "-")
    for name, value in (
        *(("agent", "explore"), ("status", "completed"), ("model", "sonnet-5"), ("phase", "3")),
        *(("model", "claude-sonnet-5"), ("session", SESSION), ("source", "hook")),
        *(("project", "/p"), ("file", "a/b/c.ts"), ("file", "b/c.ts"), ("file", "c.ts")),
    ):
        assert filter_token(name, value) in tokens(record), (name, value)
    assert filter_token("model", "opus") not in tokens(record), "another ran"
    assert values(record, "file") == ["a/B/c.ts"]  # pasted text and stdin are no files
    assert COMMON_TOKEN in tokens(record)


@pytest.mark.parametrize(
    ("what", "columns"),
    [
        ("message", {"final_message": ""}),
        ("error", {"error_message": "it broke"}),
        ("usage", {"input_tokens": 0}),
        ("usage", {"output_tokens": 0}),
        ("doubt", {"unverified": "no file"}),
    ],
)
def test_a_run_has_what_its_columns_tell(record: Record, what: str, columns: Any) -> None:
    put(record, {"final_message": None})
    assert values(record, "has") == []
    for column, value in columns.items():
        rewrite(record, f"UPDATE agent_executions SET {column} = ?", value)
    assert values(record, "has") == [what]
    assert filter_token("has", what) in tokens(record)


@pytest.mark.parametrize(
    ("kind", "what"),
    [
        ("deliverable", "deliverable"),
        ("validation_result", "validation"),
        ("insight", "insight"),
        ("error", "error"),
    ],
)
def test_a_run_has_what_was_kept_of_it(record: Record, kind: str, what: str) -> None:
    put(record, {"final_message": None})
    put_output(record, "exec-000", kind, "x.md")
    assert values(record, "has") == [what]
    assert values(record, "type") == [kind]
    assert values(record, "file") == (["x.md"] if kind == "deliverable" else [])
    rewrite(record, "UPDATE outputs SET retracted_at = ?", AT)
    assert values(record, "has") == values(record, "type") == values(record, "file") == []


def test_a_run_of_a_bundle_has_one(record: Record) -> None:
    put(record, {"final_message": None})
    record.execute("PRAGMA foreign_keys = OFF")
    rewrite(record, "UPDATE agent_executions SET bundle_version_id = 1")
    assert values(record, "has") == ["bundle"]


@pytest.mark.parametrize(
    "content", ["[1, {", '{"file_path": 7', '{"a": ' * 5000, "[]", '{"file_path": null}', None]
)
def test_a_deliverable_that_names_no_path_is_of_no_file(record: Record, content: Any) -> None:
    put(record, {})
    put_output(record, "exec-000", "deliverable", content)
    names_itself = content in ("[1, {", '{"file_path": 7', '{"a": ' * 5000)  # no JSON: a path
    assert values(record, "file") == ([content] if names_itself else [])
    assert maintenance.check(record) == []


def test_an_item_that_was_not_handed_over_was_not_given(record: Record) -> None:
    put(record, {})
    give(record, "exec-000", "left/out.py", "the content")
    rewrite(record, "UPDATE context_allocations SET included_in_deployment = 0")
    assert "out" not in tokens(record)
    assert load_indexed(record, ["exec-000"])["exec-000"].document.given_content_ids == frozenset()


def test_a_message_that_is_a_content_is_not_stored_again(record: Record) -> None:
    message = put_content(record, "spoken words")
    put(record, {"final_message": "spoken words"})
    document = load_indexed(record, ["exec-000"])["exec-000"].document
    assert document.message_content_id == message
    assert "message" not in unpack_small_fields(document.small_fields)
    rewrite(record, "UPDATE agent_executions SET final_message = 'other words'")
    document = load_indexed(record, ["exec-000"])["exec-000"].document
    assert document.message_content_id is None
    assert unpack_small_fields(document.small_fields)["message"] == "other words"
    assert {"other", "words"} < tokens(record) and "spoken" not in tokens(record)


def test_a_redacted_content_is_neither_message_nor_given(record: Record) -> None:
    put_content(record, "secret words")
    put(record, {})
    give(record, "exec-000", "a.md")
    rewrite(record, "UPDATE contents SET encoding = 'gone', data = x''")
    rewrite(record, "UPDATE context_allocations SET content_id = 1")
    rewrite(record, "UPDATE agent_executions SET final_message = 'secret words'")
    document = build_documents(record, ["exec-000"])["exec-000"]
    assert (document.message_content_id, document.given_content_ids) == (None, frozenset())


@pytest.mark.parametrize(
    "value", [b"\xff\x00bytes", 12, 1.5, "nul\0inside", "\U0001f600", "[1, {", '{"a": ' * 5000]
)
def test_odd_values_are_indexed_and_forgotten_without_a_trace(record: Record, value: Any) -> None:
    put(record, {"scope": value, "final_message": value, "deployed_at": value, "model": value})
    put_output(record, "exec-000", "insight", value)
    assert maintenance.check(record) == []
    rewrite(record, "UPDATE agent_executions SET retracted_at = ?", AT)
    assert tokens(record) == set()
    assert record.value("SELECT count(*) FROM search_terms") == 0


@pytest.mark.parametrize(
    ("at", "read"),
    [
        (AT, AT),
        ("2026-11-01T12:00:00+02:00", AT),
        ("yesterday", "0001-01-01T00:00:00.000Z"),
        (None, "0001-01-01T00:00:00.000Z"),
        ("2026-99-01T10:00:00.000Z", "2026-99-01T10:00:00.000Z"),
    ],
)
def test_a_run_of_no_known_time_is_the_oldest(record: Record, at: str | None, read: str) -> None:
    put(record, {"deployed_at": at})
    assert build_documents(record, ["exec-000"])["exec-000"].deployed_at == read
    assert first_docid(read) == (first_docid(AT) if read == AT else 1)


def test_docids_count_the_slots_of_ten_seconds() -> None:
    assert first_docid("2015-01-01T00:00:09.999Z") == 1  # there is no 0
    assert first_docid("2015-01-01T00:00:10.000Z") == 1
    assert first_docid("2015-01-01T00:00:29.999Z") == 2
    assert first_docid("2015-01-02T00:00:00.000Z") == 8640
    assert first_docid("1999-01-01T00:00:00.000Z") == 1
