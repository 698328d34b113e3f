"""Scopes and briefings that hold what looks like a secret need a yes, which is recorded."""

from __future__ import annotations

import json

import pytest

from orch_tui.errors import SourceError
from orch_tui.models.database import Record
from orch_tui.record import plan, sessions
from orch_tui.record.given_words import check_given_words

KEY = "AKIA" + "Q3EGR7J2XKLM4P5T"


def consents(record: Record) -> list[object]:
    told = record.sql("SELECT after FROM journal WHERE action = 'allow-secret' ORDER BY seq")
    return [json.loads(after) for (after,) in told]


@pytest.mark.parametrize("words", [f"use {KEY}", f"use {KEY}".encode(), b"\xff" + KEY.encode()])
def test_a_secret_is_refused_or_the_yes_is_recorded(record: Record, words: str | bytes) -> None:
    with record.write():
        with pytest.raises(SourceError) as refused:
            check_given_words(record, "the scope", words, allow_secret=False)
        check_given_words(record, "the scope", words, allow_secret=True)
    assert KEY not in str(refused.value)
    assert "(AWS access key, line 1)" in str(refused.value)
    assert consents(record) == [{"sources": ["the scope"]}]


@pytest.mark.parametrize("words", [None, "", b"", "fix exec-012 in 2026-11-22 of sha256_hash2"])
def test_other_words_are_recorded_as_they_are(record: Record, words: str | bytes | None) -> None:
    with record.write():
        check_given_words(record, "the scope", words, allow_secret=True)
    assert consents(record) == []


def test_a_refused_scope_changes_nothing(record: Record) -> None:
    sessions.init_session(record, "s", project="/p", session_id="s")
    plan.add_planned_agent(record, "s", "a", scope="s")
    with pytest.raises(SourceError):
        sessions.init_session(record, KEY, project="/p")
    with pytest.raises(SourceError):
        sessions.change_session(record, "s", scope=KEY, budget=1)
    with pytest.raises(SourceError):
        plan.add_planned_agent(record, "s", "a", scope=KEY)
    with pytest.raises(SourceError):
        plan.change_planned_agent(record, "s", 1, scope=KEY)
    assert sessions.get_session(record, "s").budget is None
    assert record.sql("SELECT scope FROM sessions") == [("s",)]
    assert record.sql("SELECT scope FROM planned_agents") == [("s",)]


def test_what_was_allowed_is_not_asked_of_again(record: Record) -> None:
    for _ in range(2):
        sessions.init_session(record, KEY, project="/p", session_id="s", allow_secret=True)
    sessions.init_session(record, KEY, project="/p", session_id="s")
    sessions.change_session(record, "s", budget=9)
    plan.add_planned_agent(record, "s", "a", scope=KEY, allow_secret=True)
    plan.change_planned_agent(record, "s", 1, scope=KEY, model="opus")
    plan.duplicate_planned_agent(record, "s", 1)
    assert consents(record)[:2] == [{"sources": ["the scope"]}] * 2
