"""References that mean the same in every record."""

from __future__ import annotations

import hashlib

import pytest

from orch_tui.models.database import Record
from orch_tui.record.claude_sessions import ensure_claude_session
from orch_tui.record.ledger import briefings, contents, portable
from orch_tui.record.plan import add_planned_agent
from orch_tui.record.sessions import init_session


def test_a_session_is_named_by_its_id_at_claude_code_or_its_uid(record: Record) -> None:
    init_session(record, "x", project="/p", session_id="s")
    with record.write():
        of_claude = ensure_claude_session(record, "c" * 8, project="/p", started_at="2026")
    uid = record.value("SELECT uid FROM sessions WHERE session_id = 's'")
    assert portable.session_ref(record, "s") == f"session:{uid}"
    assert portable.session_ref(record, of_claude) == "claude:cccccccc"
    for label in ("s", of_claude):
        assert portable.session_id_of(record, portable.session_ref(record, label)) == label
    assert portable.session_ref(record, None) is portable.session_ref(record, "t") is None


@pytest.mark.parametrize("ref", [None, "", "claude:", "session:s", "bundle:x", "s", "claude"])
def test_a_reference_to_no_session_here_finds_none(record: Record, ref: str | None) -> None:
    init_session(record, "x", project="/p", session_id="s")
    assert portable.session_id_of(record, ref) is None


def test_a_planned_agent_is_found_by_its_reference(record: Record) -> None:
    init_session(record, "x", project="/p", session_id="s")
    add_planned_agent(record, "s", "Explore")
    ((row, uid),) = record.sql("SELECT planned_id, uid FROM planned_agents")
    assert portable.ref_of(record, "planned", row) == f"planned:{uid}"
    assert portable.row_of(record, f"planned:{uid}") == row
    assert portable.row_of(record, f"bundle:{uid}") is None
    assert portable.ref_of(record, "planned", None) is None
    assert portable.ref_of(record, "planned", row + 1) is None
    for none in (None, "", "planned:", f"session:{uid}", uid):
        assert portable.row_of(record, none) is None


def test_contents_and_briefings_are_named_by_their_hash(record: Record) -> None:
    with record.write():
        content_id = contents.store_content(record, b"content")
        briefing_id = briefings.store_briefing(record, b"briefing", [])
    content, briefing = (hashlib.sha256(each).hexdigest() for each in (b"content", b"briefing"))
    assert portable.sha256_of_content(record, content_id) == content
    assert portable.sha256_of_briefing(record, briefing_id) == briefing
    assert portable.content_id_of(record, content) == content_id
    assert portable.briefing_id_of(record, briefing) == briefing_id
    assert portable.content_id_of(record, briefing) is None
    assert portable.briefing_id_of(record, content) is None
    assert portable.sha256_of_content(record, None) is None
    assert portable.sha256_of_briefing(record, 99) is None


def test_what_is_no_hash_is_none(record: Record) -> None:
    assert portable.digest_of("00ff") == b"\x00\xff"
    for none in (None, "xyz", "0"):
        assert portable.digest_of(none) is None
        assert portable.content_id_of(record, none) is None
        assert portable.briefing_id_of(record, none) is None
