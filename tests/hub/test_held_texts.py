"""What looks like it holds a secret stays at home until somebody says that it may go."""

from __future__ import annotations

from pathlib import Path

import pytest

from orch_tui.errors import NotFoundError
from orch_tui.hub.held_texts import allow_held, list_held
from orch_tui.models.database import Record
from orch_tui.record.completion import record_completion
from orch_tui.record.ledger.briefings import store_briefing
from orch_tui.record.ledger.contents import store_content
from orch_tui.record.sessions import init_session
from tests.record.reporting import report
from tests.record.test_redaction import fill

KEY = "AKIA" + "Z7QH3MX4RT5WK2LP"  # made up, and in no list of examples


def hold(record: Record) -> None:
    """Put the key where agents, and not people, put words: orch refuses it elsewhere."""
    init_session(record, "one", project="/p", session_id="s")
    given = f"KEY={KEY}\n".encode() * 40
    with record.write():
        label = report(
            record,
            "deployed",
            {
                "session_id": "s",
                "agent_type": "debugger",
                "scope": "look",
                "briefing_id": store_briefing(record, f"# Use {KEY}\n".encode() + given, [given]),
            },
            source="manual",
            keys=["id:exec-1"],
        )
        for path in ("lib/a.py", f"lib/{KEY}.py"):
            record.execute(
                "INSERT INTO context_allocations (execution_id, context_type, context_source, "
                "included_in_deployment, content_id) VALUES (?, 'file', ?, 1, ?)",
                [label, path, store_content(record, given + path.encode())],
            )
    record_completion(record, label, final_message=f"I used {KEY} here. " + "All green. " * 50)
    with record.write():
        record.execute(
            "UPDATE agent_executions SET error_message = ? WHERE execution_id = ?",
            [f"401 for {KEY}", label],
        )


def whats(record: Record, level: str = "everything") -> dict[str, str]:
    return {each.what: each.name for each in list_held(record, level)}  # type: ignore[arg-type]


def test_everything_that_holds_a_key_is_named_with_its_kind_and_never_shown(
    record: Record,
) -> None:
    hold(record)
    held = list_held(record, "everything")
    assert KEY not in repr(held)
    assert all("AWS" in str(secret) for each in held for secret in each.secrets[:1])
    told = [each.what for each in held]
    for beginning in ("the final message of", "the briefing of", "what was said of"):
        assert any(what.startswith(beginning) for what in told)
    assert "a content" in told  # given as a path that shows the key


def test_what_is_not_sent_is_not_held_back(record: Record) -> None:
    hold(record)
    assert not list_held(record, "nothing")
    assert not list_held(record, "figures")
    assert whats(record, "messages").keys() < whats(record).keys()


def test_what_was_allowed_is_held_back_no_more(record: Record) -> None:
    hold(record)
    before = whats(record)
    what = next(what for what in before if what.startswith("the final message"))
    assert allow_held(record, "everything", before[what]).what == what
    left = whats(record)
    assert before.keys() - left.keys() == {what}
    with pytest.raises(NotFoundError):
        allow_held(record, "everything", before[what])
    with pytest.raises(NotFoundError):
        allow_held(record, "everything", "a")


def test_a_record_without_secrets_holds_nothing_back(record: Record, tmp_path: Path) -> None:
    fill(record, "nothing secret", tmp_path)
    assert not list_held(record, "everything")
