"""Whoever follows a record is told each deployment and each return once."""

from __future__ import annotations

from orch_tui.models.database import Record
from orch_tui.recall.changes import Follower, News
from orch_tui.record.completion import record_completion
from orch_tui.record.sessions import init_session
from tests.recall.runs import open_session, run_agent
from tests.record.reporting import report


def told(follower: Follower) -> list[tuple[str, str, str | None]]:
    return [(news.execution_id, news.event, news.said) for news in follower.news()]


def test_a_deployment_and_a_return_are_told_once(record: Record) -> None:
    follower = Follower(record)
    assert told(follower) == []
    run = run_agent(record, open_session(record), None, scope="look", model="opus")
    (news,) = follower.news()
    assert (news.event, news.execution_id, news.agent_type) == ("deployed", run, "implementor")
    assert (news.scope, news.model, news.said) == ("look", "opus", None)
    assert told(follower) == []
    record_completion(record, run, final_message="\n  All green.  \nMore.")
    assert told(follower) == [(run, "completed", "All green.")]
    assert told(follower) == []


def test_what_was_there_before_is_not_told(record: Record) -> None:
    session = open_session(record)
    waiting, returned = run_agent(record, session, None), run_agent(record, session)
    follower = Follower(record)
    record_completion(
        record, returned, final_message="Sorry.", status="failed", error_message="cut off"
    )
    record_completion(record, waiting, final_message="Done.")
    assert told(follower) == [(returned, "failed", "cut off"), (waiting, "completed", "Done.")]


def test_a_return_without_words_says_nothing(record: Record) -> None:
    follower = Follower(record)
    run = run_agent(record, open_session(record), None)
    record_completion(record, run, final_message=" \n ")
    assert told(follower) == [(run, "deployed", None), (run, "completed", None)]


def test_the_model_that_ran_goes_before_the_one_that_was_asked_for(record: Record) -> None:
    follower = Follower(record)
    run = run_agent(record, open_session(record), None, model="opus")
    with record.write():
        columns = {"resolved_model": "claude-haiku-4-5"}
        report(record, "noted", columns, source="import", keys=[f"id:{run}"])
    assert [news.model for news in follower.news()] == ["claude-haiku-4-5"]


def test_news_is_told_in_the_order_of_its_times(record: Record) -> None:
    follower = Follower(record)
    session = open_session(record)
    later = run_agent(record, session, None, deployed_at="2026-11-22T12:00:00.000Z")
    early = run_agent(record, session, None, deployed_at="2026-11-22T11:00:00.000Z")
    record_completion(record, early, final_message="Done.", completed_at="2026-11-22T12:00:00.000Z")
    assert [(n.execution_id, n.event) for n in follower.news()] == [
        (early, "deployed"),
        (later, "deployed"),
        (early, "completed"),
    ]


def heard(record: Record, key: str, agent_type: str = "Explore", **columns: str) -> str:
    """What a hook tells of a run."""
    with record.write():
        return report(
            record,
            "noted",
            {"session_id": "s", "agent_type": agent_type, **columns},
            source="hook",
            keys=[key],
            at=record.now(),
        )


def test_an_agent_that_may_be_an_open_call_is_told_when_it_is_known(record: Record) -> None:
    init_session(record, "look", project="/p", session_id="s")
    follower = Follower(record)
    call = heard(record, "tool:T1", tool_use_id="T1")
    assert told(follower) == [(call, "deployed", None)]
    heard(record, "agent:c/a1", agent_id="a1")
    other = heard(record, "agent:c/a2", "Plan", agent_id="a2")
    assert told(follower) == [(other, "deployed", None)], "it may be the call that is open"
    with record.write():
        columns = {"agent_type": "Explore", "agent_id": "a1"}
        keys = ["tool:T1", "agent:c/a1"]
        report(record, "noted", columns, source="hook", keys=keys, at=record.now())
    assert told(follower) == [], "it was the call"


def test_news_of_a_run_has_all_that_a_reader_is_shown(record: Record) -> None:
    follower = Follower(record)
    session = open_session(record)
    at = "2026-11-22T12:00:00.000Z"
    run = run_agent(record, session, None, deployed_at=at, scope="look", model="opus")
    assert list(follower.news()) == [
        News(at, "deployed", run, session, "implementor", "look", "opus", None, None)
    ]


def test_an_agent_is_told_when_the_call_turns_out_to_be_of_another(record: Record) -> None:
    init_session(record, "look", project="/p", session_id="s")
    follower = Follower(record)
    call = heard(record, "tool:T1", tool_use_id="T1")
    own = heard(record, "agent:c/a1", agent_id="a1")
    assert told(follower) == [(call, "deployed", None)]
    heard(record, "tool:T1", agent_id="a9")
    assert told(follower) == [(own, "deployed", None)]
