"""What statements point to before it comes is pointed to when it has come."""

from __future__ import annotations

from orch_tui.models.database import Record
from orch_tui.record.exchange.awaited_references import AwaitedReferences
from orch_tui.record.plan import add_planned_agent
from orch_tui.record.sessions import init_session


def test_a_subject_waits_until_what_it_names_is_here(record: Record) -> None:
    session = init_session(record, "scope", project="").session_id
    with record.write():
        awaited = AwaitedReferences(record)
        awaited.note_naming("uid:aa", "planned:5e55")
        awaited.note_naming("uid:bb", "planned:5e55")
        awaited.note_naming("uid:cc", None)
        assert awaited.take_arrived() == set()
    add_planned_agent(record, session, "tester")
    with record.write():
        record.execute("UPDATE planned_agents SET uid = '5e55'")
        awaited = AwaitedReferences(record)
        awaited.note_naming("uid:dd", "planned:5e55")
        assert awaited.take_arrived() == {"uid:aa", "uid:bb"}
        assert AwaitedReferences(record).take_arrived() == set()
