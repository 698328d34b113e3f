"""The one door into the record: reports in, stored statements and rows out."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest

from orch_tui.models.database import Record
from orch_tui.recall.timeline import list_steps
from orch_tui.record.ledger import contents
from orch_tui.record.ledger.ingest import Report, ingest_statement, ingest_statements
from orch_tui.record.ledger.merge import text_fingerprint
from orch_tui.record.ledger.statement import (
    Addressed,
    Deployed,
    Edited,
    FileFact,
    MessageFact,
    Noted,
    Returned,
    Used,
    decode_statement,
    unpack_fields,
)
from orch_tui.record.sessions import init_session

T1, T2, T3, T4 = (f"2026-11-22T09:00:0{second}.000Z" for second in (1, 2, 3, 4))
Rows = list[tuple[Any, ...]]


def stored(record: Record) -> Rows:
    """Every statement about runs: who said it when, by which keys, what, and of which run."""
    return [
        (source, at, json.loads(about), decode_statement(kind, unpack_fields(payload) or {}), label)
        for source, at, about, kind, payload, label in record.sql(
            "SELECT source, at, about, kind, payload, execution_id FROM observations "
            "WHERE execution_id IS NOT NULL ORDER BY observation_id"
        )
    ]


def sessions(record: Record) -> Rows:
    return record.sql(
        "SELECT session_id, claude_session, created_at, project FROM sessions ORDER BY rowid"
    )


def runs(record: Record) -> Rows:
    return record.sql(
        "SELECT execution_id, session_id, agent_type, source, status FROM agent_executions "
        "ORDER BY rowid"
    )


def keys(record: Record) -> dict[str, str]:
    return dict(record.sql("SELECT key, execution_id FROM execution_keys WHERE key GLOB '*:*'"))


def heard(*about: str, **more: Any) -> Report:
    """Something a hook says of a run in session S of Claude Code."""
    given: dict[str, Any] = {
        "statement": Noted(agent_type="Explore"),
        "source": "hook",
        "at": T2,
        "claude_session": "S",
        "project": "/p",
    }
    return Report(about, **{**given, **more})


def open_session(record: Record) -> tuple[str, str]:
    """A session of orch, and its reference."""
    session = init_session(record, "scope", project="/p")
    return session.session_id, f"session:{session.uid}"


# New runs


def test_a_run_nobody_told_of_is_made_in_the_session_it_was_seen_in(record: Record) -> None:
    label = ingest_statement(record, heard("tool:T", "call:S/T"))
    assert label == "exec-001"
    assert runs(record) == [("exec-001", "claude-S", "Explore", "hook", "deployed")]
    assert sessions(record) == [("claude-S", "S", T2, "/p")]
    assert stored(record) == [
        ("hook", T2, ["tool:T", "call:S/T"], Noted(agent_type="Explore"), "exec-001")
    ]
    uid = record.value("SELECT uid FROM agent_executions")
    names = ("id:exec-001", f"uid:{uid}", "tool:T", "call:S/T")
    assert keys(record) == dict.fromkeys(names, "exec-001")


def test_a_session_of_claude_code_began_when_its_reporter_says_else_with_the_report(
    record: Record,
) -> None:
    ingest_statement(record, heard("tool:T", started_at=T1))
    ingest_statement(record, heard("tool:U", claude_session="R", at=T3))
    ingest_statement(record, heard("tool:V", claude_session="Q", at=None))
    first, second, third = sessions(record)
    assert first == ("claude-S", "S", T1, "/p")
    assert second == ("claude-R", "R", T3, "/p")
    assert third[2].startswith("2026-11-22T10:00:")


def test_a_run_is_of_the_session_a_person_names_unless_a_machine_saw_another(
    record: Record,
) -> None:
    session, ref = open_session(record)
    told = Deployed(session=ref, scope="find")
    assert ingest_statement(record, Report([], told, "manual", at=T1)) == "exec-001"
    seen = heard("tool:T", statement=Deployed(session=ref), at=T2)
    assert ingest_statement(record, seen) == "exec-002"
    lost = Deployed(session="session:nobody")
    ingest_statement(record, Report([], lost, "manual", at=T3, project="/p"))
    assert runs(record) == [
        ("exec-001", session, "unknown", "manual", "deployed"),
        ("exec-002", session, "unknown", "hook", "deployed"),
        ("exec-003", "claude-", "unknown", "manual", "deployed"),
    ]
    assert [row[:2] for row in sessions(record)] == [
        (session, None),
        ("claude-S", "S"),
        ("claude-", ""),
    ]


@pytest.mark.parametrize("text", [None, "Find it."])
def test_who_speaks_only_of_known_runs_makes_none(record: Record, text: str | None) -> None:
    unknown = heard("agent:S/a", only_known=True, prompt=text)
    assert ingest_statements(record, [unknown]) == set()
    with pytest.raises(LookupError, match=r"^no execution is known by \('agent:S/a',\)$"):
        ingest_statement(record, unknown)
    assert (runs(record), sessions(record), stored(record)) == ([], [], [])


def test_who_speaks_only_of_known_runs_knows_no_other_session(record: Record) -> None:
    ingest_statement(record, heard("agent:S/a"))
    label = ingest_statement(record, heard("agent:S/a", only_known=True, claude_session="R"))
    assert label == "exec-001"
    assert len(stored(record)) == 1  # what it says is known
    assert [row[0] for row in sessions(record)] == ["claude-S"]


# Known runs


def test_two_sessions_of_claude_code_that_tell_of_a_run_are_both_known(record: Record) -> None:
    ingest_statement(record, heard("tool:T"))
    ingest_statement(record, heard("tool:T", at=T3))
    assert len(sessions(record)) == 1
    ingest_statement(record, heard("tool:T", at=T4, claude_session="", project="/q"))
    assert len(sessions(record)) == 1
    ingest_statement(record, heard("tool:T", claude_session="R", at=T1, project="/q"))
    assert sessions(record) == [("claude-S", "S", T2, "/p"), ("claude-R", "R", T1, "/q")]
    assert [row[:2] for row in runs(record)] == [("exec-001", "claude-S")]


def test_a_run_of_a_session_of_orch_makes_none_of_claude_code(record: Record) -> None:
    session, ref = open_session(record)
    label = ingest_statement(record, Report([], Deployed(session=ref), "manual", at=T1))
    ingest_statement(record, heard(f"id:{label}", "tool:T"))
    assert [row[0] for row in sessions(record)] == [session]


def test_a_statement_names_its_run_by_keys_that_are_the_same_everywhere(record: Record) -> None:
    _, ref = open_session(record)
    told = Report(["id:mine", "tool:T"], Deployed(session=ref), "manual", at=T1)
    assert ingest_statement(record, told) == "mine"
    for source, about in [
        ("api", ["tool:T"]),
        ("hook", ["id:mine", "tool:T"]),
        ("import", ["id:mine"]),
    ]:
        ingest_statement(record, Report(about, Noted(scope=source), source, at=T2))
    uid = record.value("SELECT uid FROM agent_executions")
    assert [(row[0], row[2], row[4]) for row in stored(record)] == [
        ("manual", [f"uid:{uid}"], "mine"),
        ("api", [f"uid:{uid}"], "mine"),
        ("hook", ["tool:T"], "mine"),
        ("import", [f"uid:{uid}"], "mine"),
    ]


def test_a_statement_that_is_stored_already_changes_nothing(record: Record) -> None:
    first = ingest_statement(record, heard("tool:T"))
    assert ingest_statement(record, heard("tool:T")) == first
    assert len(stored(record)) == 1
    ingest_statement(record, heard("tool:T", at=None))
    assert stored(record)[1][1].startswith("2026-11-22T10:00:")


def test_reports_are_taken_in_together_and_the_runs_that_live_are_given(record: Record) -> None:
    found = ingest_statements(
        record,
        [
            heard("tool:T"),
            heard("agent:S/a", statement=Noted(agent_id="a")),
            heard("tool:U"),
            heard("tool:T", "agent:S/a", statement=Noted(scope="one"), at=T3),
        ],
    )
    assert found == {"exec-001", "exec-003"}
    assert [row[0] for row in runs(record)] == ["exec-001", "exec-003"]
    assert record.sql("SELECT execution_id, scope, agent_id FROM agent_executions") == [
        ("exec-001", "one", "a"),
        ("exec-003", None, None),
    ]
    assert ingest_statements(record, []) == set()


# Their texts


@pytest.mark.parametrize(
    ("message", "data"),
    [("All done.", b"All done."), (b"\xffno text", b"\xffno text"), ("", b""), ("\udcff", b"\xff")],
)
def test_a_message_is_stored_and_named_by_its_hash(
    record: Record, message: str | bytes, data: bytes
) -> None:
    digest = hashlib.sha256(data).hexdigest()
    words = text_fingerprint(data.decode("utf-8", "replace"))
    told = Returned(status="completed")
    ingest_statement(record, heard("tool:T", statement=told, message=message))
    assert [row[3] for row in stored(record)] == [
        Returned(status="completed", message=digest, words=words)
    ]
    assert contents.get_content_by_sha256(record, digest) == data
    assert runs(record)[0][4] == "completed"


def test_a_return_without_a_message_brings_none(record: Record) -> None:
    ingest_statement(record, heard("tool:T", statement=Returned(status="failed")))
    assert [row[3] for row in stored(record)] == [Returned(status="failed")]
    assert record.sql("SELECT * FROM contents") == []


def test_an_edit_may_bring_a_message_and_a_note_may_not(record: Record) -> None:
    ingest_statement(record, heard("tool:T", message="not stored"))
    assert record.sql("SELECT * FROM contents") == []
    edit = Report(["tool:T"], Edited(status="failed"), "sql", at=T3, message="Broke.")
    ingest_statement(record, edit)
    digest = hashlib.sha256(b"Broke.").hexdigest()
    assert [row[3] for row in stored(record)] == [
        Noted(agent_type="Explore"),
        Edited(status="failed", message=digest, words=text_fingerprint("Broke.")),
    ]


def test_what_an_agent_was_handed_is_stored_and_named_by_its_hash(record: Record) -> None:
    told = heard("tool:T", statement=Deployed(scope="find"), prompt="Find it.")
    ingest_statement(record, told)
    digest = hashlib.sha256(b"Find it.").hexdigest()
    assert [row[3] for row in stored(record)] == [Deployed(scope="find", handed_over=digest)]
    ((sha256,),) = record.sql(
        "SELECT sha256 FROM briefings JOIN agent_executions USING (briefing_id)"
    )
    assert sha256.hex() == digest
    ingest_statement(record, heard("tool:U", prompt=""))
    assert stored(record)[1][3] == Noted(agent_type="Explore")


def test_a_launch_is_recognised_by_the_text_of_the_deployment_that_was_recorded(
    record: Record,
) -> None:
    _, ref = open_session(record)
    planned = Report([], Deployed(session=ref), "manual", at=T1, prompt="Find it.", project="/p")
    planned.about = ["uid:u"]
    label = ingest_statement(record, planned)
    assert ingest_statement(record, heard("tool:T", prompt="Find it.")) == label
    assert len(runs(record)) == 1


# What they used


def test_only_what_is_news_of_messages_and_files_is_stored(record: Record) -> None:
    one, two = MessageFact(message_id="1"), MessageFact(message_id="2")
    file = FileFact(path="a", read_at=T1)
    label = ingest_statement(record, heard("tool:T", statement=Used(messages=(one,))))
    more = heard("tool:T", statement=Used(messages=(one, two), files=(file,)), at=T3)
    assert ingest_statement(record, more) == label
    again = heard("tool:T", statement=Used(messages=(two,), files=(file,)), at=T4)
    assert ingest_statement(record, again) == label
    assert ingest_statements(record, [again]) == {label}
    assert [(row[1], row[3]) for row in stored(record)] == [
        (T2, Used(messages=(one,))),
        (T3, Used(messages=(two,), files=(file,))),
    ]
    assert record.sql("SELECT message_id FROM usage_messages") == [("1",), ("2",)]


def test_what_a_run_is_told_later_stands_in_order_and_once(record: Record) -> None:
    said = [
        heard("agent:S/A", statement=Addressed(at=T3, call="C2"), message="and then the docs"),
        heard("agent:S/A", at=T1, statement=Addressed(at=T1, call="C1"), message="first the tests"),
    ]
    (label,) = {ingest_statement(record, report) for report in [*said, *said]}
    assert [
        (position, at, call, contents.get_content_text(record, content_id))
        for position, at, call, content_id in record.sql(
            "SELECT position, at, call, content_id FROM told WHERE execution_id = ?", [label]
        )
    ] == [(1, T1, "C1", "first the tests"), (2, T3, "C2", "and then the docs")]
    assert [
        (step.at, step.action, step.what)
        for step in list_steps(record, label)
        if step.action == "message to it"
    ] == [
        (T1, "message to it", "first the tests (hook, api)"),
        (T3, "message to it", "and then the docs (hook, api)"),
    ]
