"""The journal: who changed what, from what to what, in order."""

from __future__ import annotations

from orch_tui.models.database import Record
from orch_tui.record.ledger.journal import list_journal, log_action
from orch_tui.record.sessions import init_session
from tests.record.reporting import report


def test_an_entry_says_who_when_and_what(record: Record) -> None:
    with record.write():
        log_action(
            record,
            "note",
            session_id="s",
            execution_id="e",
            subject="ü",
            before={"a": "ü"},
            after=[None, b"x"],
        )
        log_action(record, "bare")
    entry, bare = list_journal(record)
    assert (entry.actor, entry.action, entry.subject) == ("api", "note", "ü")
    assert (entry.session_id, entry.execution_id) == ("s", "e")
    assert (entry.before, entry.after) == ({"a": "ü"}, [None, "x"])
    assert entry.at < bare.at
    assert (bare.session_id, bare.execution_id, bare.before, bare.after) == (None,) * 4
    assert record.value("SELECT before FROM journal WHERE action = 'note'") == '{"a": "ü"}'


def test_nothing_is_not_the_same_as_null(record: Record) -> None:
    with record.write():
        log_action(record, "note", before=0, after="")
    assert record.sql("SELECT before, after FROM journal") == [("0", '""')]


def test_entries_are_listed_by_session_and_by_every_label(record: Record) -> None:
    init_session(record, "x", project="/p", session_id="s")
    columns = {"session_id": "s", "agent_type": "x"}
    with record.write():
        label = report(record, "deployed", columns, source="manual", keys=["tool:T"])
        record.execute("INSERT INTO execution_keys VALUES ('id:elder', ?)", [label])
        record.execute("INSERT INTO execution_keys VALUES ('tool:younger', ?)", [label])
        for session_id, execution_id, subject in (
            ("s", label, "1"),
            ("s", "elder", "2"),
            ("t", "elder", "3"),
            ("s", "younger", "4"),
            (None, None, "5"),
        ):
            log_action(
                record, "n", session_id=session_id, execution_id=execution_id, subject=subject
            )

    def subjects(**of: str) -> str:
        return "".join(e.subject or "" for e in list_journal(record, **of) if e.action == "n")

    assert subjects() == "12345"
    assert subjects(session_id="s") == "124"
    assert subjects(execution_id=label) == "123"
    assert subjects(session_id="s", execution_id=label) == "12"
    assert subjects(session_id="nobody") == subjects(execution_id="elder") == ""
