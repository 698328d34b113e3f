"""The merge: the same statements in any order, any number of times, give the same execution."""

from __future__ import annotations

import hashlib
import json
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orch_tui.record.ledger.keys import resolve_label
from orch_tui.record.ledger.merge import (
    Merged,
    Observation,
    Return,
    is_text_seen,
    merge_statements,
    not_superseded,
    reporter_id,
    text_fingerprint,
)
from orch_tui.record.ledger.statement import KINDS
from orch_tui.record.opening import open_record
from orch_tui.record.sessions import init_session
from tests.counts import COUNTS
from tests.record.empty import write_empty_record
from tests.record.reporting import report

TIMES = [f"2026-11-22T10:00:{second:02}.000Z" for second in range(0, 60, 7)]
FACTS: dict[str, st.SearchStrategy[Any]] = {
    "agent_type": st.sampled_from(["debugger", "implementor"]),
    "scope": st.sampled_from(["find it", "mend it"]),
    "model": st.sampled_from(["sonnet", "opus"]),
    "tool_calls": st.integers(0, 3),
    "output_tokens": st.integers(0, 3),
    "deployed_at": st.sampled_from(TIMES),
}
RETURNED: dict[str, st.SearchStrategy[Any]] = {
    "status": st.sampled_from(["completed", "failed"]),
    "completed_at": st.sampled_from(TIMES),
    "error_message": st.sampled_from(["rate limit", "cut off"]),
    "words": st.sampled_from(["a", "b"]),
    "message": st.sampled_from(["1", "2", "3", "4"]),
    "return_key": st.sampled_from(["first", "second"]),
}


@st.composite
def statements(draw: st.DrawFn) -> list[Observation]:
    made: list[Observation] = []
    for number in range(draw(st.integers(1, 8))):
        kind = draw(st.sampled_from(["deployed", "returned", "returned", "noted", "retracted"]))
        source = draw(st.sampled_from(["manual", "api", "hook", "import", "sql"]))
        optional = RETURNED if kind == "returned" else FACTS
        payload = draw(st.fixed_dictionaries({}, optional=optional))
        if made and kind in ("deployed", "returned") and draw(st.integers(0, 4)) == 0:
            payload["supersedes"] = (draw(st.sampled_from(made)).digest,)
        made.append(
            Observation(f"d{number}", source, draw(st.sampled_from(TIMES)), KINDS[kind](**payload))
        )
    return made


@pytest.mark.slow
@settings(max_examples=COUNTS.fuzz_inputs)
@given(statements(), st.randoms())
def test_order_and_repetition_change_nothing(
    observations: list[Observation], shuffler: random.Random
) -> None:
    shuffled = observations + shuffler.choices(observations, k=3)
    shuffler.shuffle(shuffled)
    assert merge_statements(shuffled) == merge_statements(observations)


def test_a_paste_a_hook_and_a_transcript_of_one_return_are_one_completion() -> None:
    words = text_fingerprint("All done.\n")
    merged = merge_statements(
        [
            said("returned", "manual", TIMES[2], status="completed", words=words, message="1"),
            said("returned", "hook", TIMES[0], status="completed", words=words, message="2"),
            said("returned", "import", TIMES[1], status="completed", words=words, message="2"),
        ]
    )
    (only,) = merged.returns
    assert (only.message, only.completed_at, only.source) == ("2", TIMES[1], "import")


def test_white_space_does_not_make_another_completion() -> None:
    assert text_fingerprint("a\r\n b ") == text_fingerprint("a b\n") != text_fingerprint("ab")


def test_the_fingerprint_of_a_text_is_the_same_in_every_release() -> None:
    assert text_fingerprint(" a\n b") == hashlib.sha256(b"a b").hexdigest()
    assert text_fingerprint("\ud800") == hashlib.sha256(b"\xed\xa0\x80").hexdigest()


def test_a_resumed_agent_that_says_the_same_again_returned_twice() -> None:
    twice = [
        said("returned", "import", TIMES[n], words="w", status="completed", return_key=key)
        for n, key in enumerate(["first", "second"])
    ]
    paste = said("returned", "manual", TIMES[5], words="w", status="completed")
    assert len(merge_statements([*twice, paste]).returns) == 2


def test_a_person_decides_success_and_the_machine_the_time() -> None:
    merged = merge_statements(
        [
            said("returned", "hook", TIMES[0], status="completed", words="w"),
            said("returned", "manual", TIMES[3], status="failed", words="w"),
        ]
    )
    assert merged.values["status"] == "failed"
    assert merged.values["completed_at"] == TIMES[0]


def test_taking_back_what_took_something_back_restores_it() -> None:
    first = said("deployed", "manual", TIMES[0], scope="one")
    second = said("deployed", "manual", TIMES[1], scope="two", supersedes=(first.digest,))
    third = said("deployed", "manual", TIMES[2], supersedes=(second.digest,))
    assert merge_statements([first, second]).values["scope"] == "two"
    assert merge_statements([third, second, first]).values["scope"] == "one"
    assert not_superseded([first, second, third]) == [first, third]


def test_intent_is_the_persons_and_usage_the_transcripts() -> None:
    merged = merge_statements(
        [
            said("deployed", "manual", TIMES[0], agent_type="debugger", output_tokens=1),
            said("noted", "import", TIMES[1], agent_type="general-purpose", output_tokens=997),
        ]
    )
    assert merged.values["agent_type"] == "debugger"
    assert merged.values["output_tokens"] == 997


def said(kind: str, source: str, at: str, **payload: Any) -> Observation:
    digest = json.dumps([kind, source, at, payload], sort_keys=True)
    return Observation(digest, source, at, KINDS[kind](**payload))


# Exact examples: what statements add up to, every field of it.

NOT_BACK: dict[str, Any] = {
    "status": "deployed",
    "completed_at": None,
    "success": None,
    "message": None,
    "error_message": None,
    "error_code": None,
    "unverified": None,
    "duration_ms": None,
    "context_end_tokens": None,
    "ending": None,
    "retracted_at": None,
}
"""What the merge says of a run that nobody saw return."""

INTENDED = {
    **dict.fromkeys(["session", "agent_type", "scope", "model", "estimator", "planned"], str),
    **dict.fromkeys(["bundle_version", "briefing", "agent_name", "agent_kind", "workflow"], str),
    **dict.fromkeys(["workflow_run", "workflow_phase"], str),
    **dict.fromkeys(["context_token_count", "ambient_tokens", "phase"], int),
}
HAPPENED = {
    **dict.fromkeys(["tool_use_id", "agent_id", "parent", "resolved_model", "price_date"], str),
    **dict.fromkeys(["handed_over", "worktree", "run_project", "client_version"], str),
    **dict.fromkeys(["depth", "input_tokens", "cache_write_tokens", "cache_read_tokens"], int),
    **dict.fromkeys(["output_tokens", "tool_calls", "cost_usd"], int),
}


def back(number: int, **said: Any) -> Return:
    """A return at a time by its number that completed, by the only import, unless said so."""
    usual: dict[str, Any] = {
        "completed_at": TIMES[number],
        "status": "completed",
        "success": True,
        "message": None,
        "error_message": None,
        "error_code": None,
        "source": "import",
        "doubt": None,
        "ending": None,
    }
    return Return(**{**usual, **said})


def returned(source: str, number: int, **payload: Any) -> Observation:
    return said("returned", source, TIMES[number], **payload)


def test_of_nothing_said_a_run_is_out() -> None:
    assert merge_statements([]) == Merged(NOT_BACK, ())


@pytest.mark.parametrize(
    ("fields", "order"),
    [
        (INTENDED, ["import", "hook", "manual", "sql"]),
        (INTENDED, ["import", "hook", "api", "sql"]),
        (INTENDED, ["manual", "api"]),
        (HAPPENED, ["manual", "hook", "import", "sql"]),
        (HAPPENED, ["api", "hook", "import", "sql"]),
        (HAPPENED, ["manual", "api"]),
    ],
)
@pytest.mark.parametrize("is_late", [False, True])
def test_every_field_is_believed_of_the_source_that_knows_it(
    fields: dict[str, type], order: list[str], is_late: bool
) -> None:
    rank = ("manual", "api", "sql", "hook", "import")
    told: list[Observation] = []
    for number, source in enumerate(order):
        values = {name: kind(number) for name, kind in fields.items()}
        at = TIMES[number] if is_late or order == ["manual", "api"] else TIMES[-1 - number]
        told.append(said("sql" if source == "sql" else "noted", source, at, **values))
        if "handed_over" in values:
            values["briefing"] = values["handed_over"]  # nobody planned another
        whose = min((o.source for o in told), key=rank.index)
        assert merge_statements(told) == Merged({**NOT_BACK, **values, "source": whose})


def test_who_saw_the_agent_knows_what_it_was_handed_better_than_who_saw_the_call() -> None:
    planned = said("deployed", "manual", TIMES[0], briefing="planned")
    calls = [
        said("deployed", "hook", TIMES[1], handed_over="line"),
        said("deployed", "import", TIMES[5], handed_over="line"),
    ]
    agent = said("noted", "hook", TIMES[2], handed_over="text")
    for told in ([planned, *calls, agent], [agent, *calls, planned]):
        values = merge_statements(told).values
        assert (values["briefing"], values["handed_over"]) == ("planned", "text")
    assert merge_statements([planned, *calls]).values["handed_over"] == "line"
    older = said("noted", "import", TIMES[3], briefing="seen")
    assert merge_statements([planned, older]).values["handed_over"] == "seen"
    latest = said("noted", "hook", TIMES[5], briefing="seen")
    assert merge_statements([agent, latest]).values["handed_over"] == "text", "not as of before"
    repeat = said("noted", "hook", TIMES[3], briefing="planned", bundle_version="v")
    assert "handed_over" not in merge_statements([repeat]).values


def test_a_deployment_knows_the_intent_better_than_what_its_source_noted_later() -> None:
    told = [
        said("deployed", "manual", TIMES[0], scope="one", tool_calls=1),
        said("noted", "manual", TIMES[1], scope="two", tool_calls=2),
    ]
    values = merge_statements(told).values
    assert (values["scope"], values["tool_calls"]) == ("one", 2)


def test_of_one_moment_the_greater_digest_counts() -> None:
    notes = [
        Observation(digest, "hook", TIMES[0], KINDS["noted"](scope=digest, depth=number))
        for number, digest in enumerate(["c", "b", "d", "a"])
    ]
    values = merge_statements(notes).values
    assert (values["scope"], values["depth"]) == ("d", 2)


def test_whoever_knows_the_agent_type_is_believed_before_who_does_not() -> None:
    ignorant = said("deployed", "manual", TIMES[0], agent_type="unknown")
    knowing = said("noted", "import", TIMES[1], agent_type="debugger")
    assert merge_statements([ignorant]).values["agent_type"] == "unknown"
    assert merge_statements([ignorant, knowing]).values["agent_type"] == "debugger"
    scopes = [
        said("deployed", s, TIMES[0], scope=c) for s, c in [("import", "x"), ("api", "unknown")]
    ]
    assert merge_statements(scopes).values["scope"] == "unknown"


def test_a_field_may_be_said_to_be_nothing_like_any_other_value() -> None:
    told = [said("noted", "hook", TIMES[0], tool_calls=3), said("noted", "import", TIMES[1])]
    assert merge_statements(told).values["tool_calls"] == 3
    assert (
        merge_statements([*told, said("noted", "import", TIMES[2], tool_calls=0)]).values[
            "tool_calls"
        ]
        == 0
    )


@pytest.mark.parametrize(
    ("sessions", "expected"),
    [
        ([("ran_in", "b")], "b"),
        ([("ran_in", "b"), ("told_in", "a")], "b"),
        ([("ran_in", "c"), ("ran_in", "b"), ("told_in", "a")], "b"),
        ([("told_in", "c"), ("told_in", "b")], "b"),
    ],
)
def test_where_it_ran_is_better_known_to_the_agent_than_to_who_tells_of_it(
    sessions: list[tuple[str, str]], expected: str
) -> None:
    told = [
        said("noted", "import", TIMES[n], **{name: value})
        for n, (name, value) in enumerate(sessions)
    ]
    assert merge_statements(told) == Merged({**NOT_BACK, "ran_in": expected, "source": "import"})


def test_it_was_sent_when_the_earliest_says_unless_plain_sql_says_otherwise() -> None:
    told = [
        said("deployed", "manual", TIMES[5], deployed_at=TIMES[5]),
        said("noted", "hook", TIMES[1], deployed_at=TIMES[4]),
    ]
    assert merge_statements(told).values["deployed_at"] == TIMES[4]
    edits = [
        Observation(digest, "sql", at, KINDS["sql"](deployed_at=deployed_at))
        for digest, at, deployed_at in [
            ("b", TIMES[6], TIMES[7]),
            ("a", TIMES[6], TIMES[3]),
            ("c", TIMES[2], TIMES[0]),
        ]
    ]
    silent = said("sql", "sql", TIMES[7], scope="x")
    assert merge_statements([*told, *edits, silent]).values["deployed_at"] == TIMES[7]
    assert merge_statements([*told, silent]).values["deployed_at"] == TIMES[4]


def test_a_run_was_taken_back_when_it_first_was() -> None:
    told = [said("retracted", "manual", TIMES[n], reason=str(n)) for n in (4, 2, 3)]
    values = {**NOT_BACK, "retracted_at": TIMES[2], "source": "manual"}
    assert merge_statements(told) == Merged(values)


def test_one_return_has_every_field_that_was_said_of_it() -> None:
    whole = returned(
        "import",
        1,
        status="failed",
        success=True,
        completed_at=TIMES[0],
        message="1",
        words="w",
        error_message="rate limit",
        error_code="429",
        doubt="it ended oddly",
        ending="limit",
        duration_ms=12,
        context_end_tokens=34,
    )
    only = Return(
        completed_at=TIMES[0],
        status="failed",
        success=True,
        message="1",
        error_message="rate limit",
        error_code="429",
        source="import",
        doubt="it ended oddly",
        ending="limit",
    )
    values = {
        "status": "failed",
        "completed_at": TIMES[0],
        "success": True,
        "message": "1",
        "error_message": "rate limit",
        "error_code": "429",
        "unverified": None,
        "duration_ms": 12,
        "context_end_tokens": 34,
        "ending": "limit",
        "retracted_at": None,
        "source": "import",
    }
    assert merge_statements([whole]) == Merged(values, (only,))


def test_a_completed_return_in_doubt_is_unverified_and_the_last_return_is_the_runs() -> None:
    told = [
        returned("import", 3, words="b", message="2", status="completed", doubt="odd"),
        returned("import", 1, words="a", message="1", status="failed"),
    ]
    merged = merge_statements(told)
    assert merged.returns == (
        back(1, message="1", status="failed", success=False),
        back(3, message="2", doubt="odd"),
    )
    last = {"status": "completed", "completed_at": TIMES[3], "success": True, "message": "2"}
    got = {name: merged.values[name] for name in (*last, "unverified")}
    assert got == {**last, "unverified": "odd"}


def test_a_run_whose_client_is_gone_is_in_doubt_for_that_reason() -> None:
    told = [
        returned("hook", 1, status="failed", ending="gone", error_message="its client ended"),
        returned("import", 2, status="failed", error_message="cut off", doubt="odd"),
    ]
    gone = merge_statements(told[:1])
    assert [(r.status, r.doubt, r.ending) for r in gone.returns] == [
        ("failed", "its client ended", "gone")
    ]
    assert gone.values["unverified"] == "its client ended"
    failed = merge_statements(told[1:])
    assert failed.returns[0].doubt == "odd" and failed.values["unverified"] is None


def test_a_text_is_seen_where_a_machine_saw_one() -> None:
    planned = said("deployed", "manual", TIMES[0], briefing="planned")
    nothing = said("noted", "hook", TIMES[1], scope="x")
    call = said("deployed", "hook", TIMES[2], handed_over="line")
    assert not is_text_seen([planned, nothing])
    assert is_text_seen([planned, nothing, call])
    assert merge_statements([call, nothing]).values["handed_over"] == "line"
    assert "handed_over" not in merge_statements([planned, nothing]).values


def test_of_returns_at_one_time_the_order_is_always_the_same() -> None:
    told = [
        returned("import", 1, words=words, **more)
        for words, more in [
            ("a", {"message": "2"}),
            ("b", {"message": "1"}),
            ("c", {"status": "failed"}),
            ("d", {"status": "completed"}),
        ]
    ]
    assert merge_statements(told).returns == (
        back(1),
        back(1, status="failed", success=False),
        back(1, message="1"),
        back(1, message="2"),
    )


@pytest.mark.parametrize(
    ("statuses", "success", "expected"),
    [
        ([None], None, ("completed", True)),
        ([None], True, ("completed", True)),
        ([None], False, ("failed", False)),
        (["completed"], False, ("completed", False)),
        (["failed"], None, ("failed", False)),
        (["failed"], True, ("failed", True)),
    ],
)
def test_a_status_nobody_gave_follows_from_the_success(
    statuses: list[str | None], success: bool | None, expected: tuple[str, bool]
) -> None:
    (only,) = merge_statements([returned("import", 0, status=statuses[0], success=success)]).returns
    assert (only.status, only.success) == expected


@pytest.mark.parametrize(
    ("edit", "is_return"),
    [
        ({"status": "completed"}, True),
        ({"status": "failed"}, True),
        ({"status": "deployed"}, False),
        ({"status": "deployed", "message": "1", "words": "w"}, True),
        ({"completed_at": TIMES[0]}, True),
        ({"error_message": "broke"}, True),
        ({"success": False}, True),
        ({"scope": "other"}, False),
    ],
)
def test_plain_sql_speaks_of_a_return_by_any_column_of_one(
    edit: dict[str, Any], is_return: bool
) -> None:
    merged = merge_statements([said("sql", "sql", TIMES[0], **edit)])
    failed = edit.get("status") == "failed" or edit.get("success") is False
    only = back(
        0,
        source="sql",
        status="failed" if failed else "completed",
        success=not failed,
        message=edit.get("message"),
        error_message=edit.get("error_message"),
    )
    assert merged.returns == ((only,) if is_return else ())


def test_plain_sql_speaks_of_one_return_a_column_at_a_time_and_has_the_last_word() -> None:
    told = [
        returned("import", 1, words="w", message="1", status="completed", completed_at=TIMES[1]),
        said("sql", "sql", TIMES[3], status="failed"),
        said("sql", "sql", TIMES[4], completed_at=TIMES[6]),
        said("sql", "sql", TIMES[5], completed_at=TIMES[7], error_message="broke"),
    ]
    only = back(7, status="failed", success=False, message="1", error_message="broke", source="sql")
    assert merge_statements(told).returns == (only,)


def test_a_source_that_gives_several_times_is_believed_for_the_first() -> None:
    told = [
        returned("import", 4, words="w", completed_at=TIMES[2]),
        returned("import", 5, words="w", completed_at=TIMES[3]),
        returned("import", 1, words="w"),
        returned("hook", 0, words="w"),
    ]
    assert merge_statements(told).returns == (back(2),)
    assert merge_statements(told[2:]).returns == (back(1),)
    assert merge_statements([returned("hook", n, words="w") for n in (4, 3)]).returns == (
        back(3, source="hook"),
    )


def test_how_it_ended_is_decided_by_people_then_by_who_saw_it_break_off_then_by_hooks() -> None:
    def outcome(*told: Observation) -> tuple[str, str | None, str | None]:
        (only,) = merge_statements(told).returns
        return only.status, only.error_message, only.error_code

    imported = returned(
        "import", 5, words="w", status="failed", error_message="seen", error_code="1"
    )
    hooked = returned(
        "hook", 4, words="w", status="completed", error_message="heard", error_code="2"
    )
    broken = returned(
        "import", 3, words="w", status="failed", error_message="cut off", broke_off=True
    )
    person = returned("api", 2, words="w", status="completed", error_message="fine")
    edited = said("sql", "sql", TIMES[1], words="w", status="failed", error_message="edited")
    assert outcome(imported) == ("failed", "seen", "1")
    assert outcome(imported, hooked) == ("completed", "heard", "2")
    assert outcome(imported, hooked, broken) == ("failed", "cut off", "2")
    assert outcome(imported, hooked, broken, person) == ("completed", "fine", "2")
    assert outcome(imported, hooked, broken, person, edited) == ("failed", "edited", "2")
    later = returned("api", 6, words="w", status="failed", error_message="not so fine")
    assert outcome(later, person) == ("failed", "not so fine", None)


def test_what_exactly_it_said_is_known_best_to_who_did_not_frame_it() -> None:
    def message(*told: Observation) -> str | None:
        (only,) = merge_statements(told).returns
        return only.message

    person = returned("manual", 6, words="w", message="1")
    hooked = returned("hook", 5, words="w", message="2")
    imported = returned("import", 4, words="w", message="3")
    framed = returned("import", 7, words="w", message="4", rendered=True)
    assert message(person, hooked) == "2"
    assert message(person, hooked, imported) == "3"
    assert message(person, framed) == "1"
    assert message(framed) == "4"


def test_words_that_were_framed_count_only_where_none_else_are_heard() -> None:
    framed = returned("import", 1, words="framed", message="1", rendered=True, witness="parent")
    heard = returned("hook", 2, words="w", message="2")
    assert merge_statements([framed]).returns == (back(1, message="1"),)
    other = returned("import", 2, words="also", message="3", rendered=True)
    silent = returned("hook", 2)
    two = (back(1, message="1"), back(2, message="3"))
    assert merge_statements([framed, other]).returns == two
    assert merge_statements([framed, other, silent]).returns == two
    also = returned("import", 5, words="v", message="4", witness="own")
    assert merge_statements([framed, heard, also]).returns == (
        back(1, message="2"),
        back(5, message="4"),
    )
    assert merge_statements([framed, heard]).returns == (back(1, message="2"),)


def test_a_doubt_about_missing_words_falls_with_the_words_and_no_other_does() -> None:
    silent = returned("import", 1, status="completed", doubt="empty")
    assert merge_statements([silent]).returns == (back(1, doubt="empty"),)
    speaking = returned("hook", 0, words="w")
    assert merge_statements([silent, speaking]).returns == (back(1),)
    model = returned("import", 1, doubt="cut off", model_message="m")
    assert merge_statements([model, speaking]).returns == (back(1, doubt="cut off"),)
    wordy = returned("import", 1, doubt="rate limit", words="w")
    assert merge_statements([wordy, speaking]).returns == (back(1, doubt="rate limit"),)


def test_how_a_run_ended_is_told_by_the_best_witness_of_facts() -> None:
    told = [
        returned("import", 0, words="w", ending="stopped"),
        returned("hook", 1, words="w", ending="returned"),
        returned("import", 2, words="w"),
    ]
    assert merge_statements(told).returns == (back(0, ending="stopped"),)


def test_a_message_of_the_model_that_went_on_is_no_return() -> None:
    told = [
        returned("import", 1, words="a", message="1", model_message="m1"),
        returned("import", 2, words="b", message="2", model_message="m2", scope="x"),
        returned("hook", 3, words="c", message="3"),
    ]
    merged = merge_statements(told, frozenset({"m2"}))
    assert merged.returns == (back(1, message="1"), back(3, message="3", source="hook"))
    assert "scope" not in merged.values
    went_on = said("noted", "hook", TIMES[4], went_on_after="m1")
    assert merge_statements([*told, went_on], frozenset({"m2"})).returns == (
        back(3, message="3", source="hook"),
    )


def test_words_after_which_the_agent_went_on_are_no_return_of_whoever_heard_them() -> None:
    """The first of the same words of each machine; its own transcript and people are believed."""
    went_on = said("noted", "import", TIMES[6], went_on_after="m1", interim_words="w")
    heard = [
        returned("hook", 1, words="w", message="1", return_key="first"),
        returned("import", 2, words="w", message="2", witness="parent", return_key="first"),
        returned("hook", 3, words="v", message="3", return_key="second"),
    ]
    assert [r.message for r in merge_statements([*heard, went_on]).returns] == ["3"]
    again = returned("import", 4, words="w", message="4", witness="parent", return_key="third")
    told = merge_statements([*heard, went_on, again]).returns
    assert [r.message for r in told] == ["3", "4"]
    own = returned("import", 5, words="w", message="5", witness="agent", return_key="last")
    told = merge_statements([*heard, went_on, own]).returns
    assert [r.message for r in told] == ["3", "5"]
    person = returned("manual", 5, words="w", message="6")
    assert [r.message for r in merge_statements([*heard, went_on, person]).returns] == ["3", "6"]


def test_the_call_is_the_one_it_was_deployed_with_whoever_noted_another() -> None:
    sent = said("deployed", "hook", TIMES[1], tool_use_id="T", scope="look", model="opus")
    noted = said("noted", "import", TIMES[2], tool_use_id="U", scope="else", tool_calls=3)
    values = merge_statements([sent, noted]).values
    assert (values["tool_use_id"], values["model"], values["tool_calls"]) == ("T", "opus", 3)
    assert values["scope"] in ("look", "else")
    assert merge_statements([noted]).values["tool_use_id"] == "U"
    blank = said("deployed", "hook", TIMES[1], tool_use_id="")
    assert merge_statements([blank, noted]).values["tool_use_id"] == "U"


def test_the_error_an_agent_saw_goes_before_what_others_were_told_of_it() -> None:
    own = returned("import", 1, words="w", status="failed", error_message="own", witness="agent")
    for summary in (
        returned("import", 2, words="w", status="failed", error_message="s", witness="parent"),
        returned("import", 2, words="w", status="failed", error_message="s", echo=True),
    ):
        assert [r.error_message for r in merge_statements([own, summary]).returns] == ["own"]
        assert [r.error_message for r in merge_statements([summary]).returns] == ["s"]
    broke = returned(
        *("import", 2),
        words="w",
        status="failed",
        error_message="b",
        witness="parent",
        broke_off=True,
    )
    assert [r.error_message for r in merge_statements([own, broke]).returns] == ["b"]


def test_a_run_is_whose_the_first_of_its_sources_is_also_where_it_was_no_return() -> None:
    told = [returned("import", 1, model_message="m")]
    assert merge_statements(told, frozenset({"m"})) == Merged({**NOT_BACK, "source": "import"})


def test_a_message_read_in_part_yields_to_all_of_it() -> None:
    def left(*told: Observation) -> list[str | None]:
        return [each.message for each in merge_statements(told).returns]

    def part(digest: str, number: int, **payload: Any) -> Observation:
        statement = KINDS["returned"](**{"model_message": "m", "message": digest, **payload})
        return Observation(digest, "import", TIMES[number], statement)

    assert left(part("1", 3, words="a", blocks=2), part("2", 1, words="b", blocks=1)) == ["1"]
    assert left(part("1", 1, words="a", blocks=2), part("2", 3, words="b", blocks=1)) == ["1"]
    assert left(part("1", 1, words="a", blocks=1), part("2", 3, words="b", blocks=2)) == ["2"]
    assert left(part("1", 1, words="a"), part("2", 1, words="b", blocks=1)) == ["2"]
    assert left(part("2", 1, words="a"), part("1", 1, words="b", blocks=1)) == ["1"]
    assert left(part("1", 2, words="a"), part("2", 1, words="b")) == ["1"]
    assert left(part("2", 1, words="a"), part("1", 1, words="b")) == ["2"]
    other = part("3", 1, words="b", witness="parent")
    assert left(part("1", 1, words="a"), other) == ["1", "3"]
    apart = part("3", 1, words="b", model_message="n")
    assert left(part("1", 1, words="a"), apart) == ["1", "3"]
    nameless = part("3", 1, words="b", model_message=None)
    assert left(part("1", 1, words="a"), nameless) == ["1", "3"]


def test_reporters_are_people_or_a_witness_of_a_machine() -> None:
    assert reporter_id(returned("manual", 0, witness="w")) == "said"
    assert reporter_id(returned("api", 0)) == "said"
    assert reporter_id(returned("hook", 0)) == "hook "
    assert reporter_id(returned("import", 0, witness="parent")) == "import parent"
    assert reporter_id(said("noted", "import", TIMES[0])) == "import "
    assert reporter_id(said("sql", "sql", TIMES[0])) == "sql "


def test_a_return_without_words_joins_the_nearest_its_source_has_not_spoken_of() -> None:
    early = returned("import", 1, words="a", message="1", return_key="1")
    late = returned("import", 5, words="b", message="2", return_key="2")
    assert merge_statements([early, late, returned("hook", 4, error_code="x")]).returns == (
        back(1, message="1"),
        back(5, message="2", error_code="x"),
    )
    assert merge_statements([early, late, returned("hook", 2, error_code="x")]).returns == (
        back(1, message="1", error_code="x"),
        back(5, message="2"),
    )
    known = returned("hook", 1, words="a", message="1")
    assert merge_statements([early, late, known, returned("hook", 2, error_code="x")]).returns == (
        back(1, message="1"),
        back(5, message="2", error_code="x"),
    )
    told = returned("import", 2, completed_at=TIMES[7], words="b", message="2", return_key="2")
    assert merge_statements([early, told, returned("hook", 3, error_code="x")]).returns == (
        back(1, message="1", error_code="x"),
        back(7, message="2"),
    )


def test_a_return_without_words_that_fits_none_is_one_of_its_own() -> None:
    early = returned("import", 1, words="a", message="1", return_key="1")
    again = returned("import", 2, return_key="2", error_code="x")
    assert merge_statements([early, again]).returns == (
        back(1, message="1"),
        back(2, error_code="x"),
    )
    same = returned("import", 6, return_key="1", error_code="x")
    assert merge_statements([early, same]).returns == (back(1, message="1", error_code="x"),)
    keyless = [
        returned("import", n, words=words, ending="gone") for n, words in [(1, "a"), (2, None)]
    ]
    assert merge_statements(keyless).returns == (back(1, ending="gone"), back(2, ending="gone"))
    hooked = returned("hook", 5, words="b", message="2")
    also = returned("hook", 1, words="a")
    assert merge_statements([early, hooked, also, same]).returns == (
        back(1, message="1", error_code="x"),
        back(5, message="2", source="hook"),
    )


def test_returns_without_any_words_are_told_apart_by_their_times() -> None:
    told = [returned("import", n, return_key=str(n), ending="returned") for n in (1, 5)]
    assert merge_statements([*told, returned("hook", 6, error_code="x")]).returns == (
        back(1, ending="returned"),
        back(5, ending="returned", error_code="x"),
    )


def test_what_happened_at_no_time_joins_the_first_return() -> None:
    told = [returned("import", n, words=str(n), return_key=str(n)) for n in (5, 1)]
    timeless = said("returned", "hook", "soon", error_code="x")
    assert merge_statements([*told, timeless]).returns == (back(1, error_code="x"), back(5))


def test_plain_sql_joins_the_nearest_return_however_often_it_spoke() -> None:
    told = [
        returned("import", 1, words="a", message="1", return_key="1"),
        returned("import", 6, words="b", message="2", return_key="2"),
        said("sql", "sql", TIMES[2], error_message="one"),
        said("sql", "sql", TIMES[3], success=False),
    ]
    assert merge_statements(told).returns == (
        back(2, message="1", source="sql", status="failed", success=False, error_message="one"),
        back(6, message="2"),
    )


def test_what_broke_off_is_the_return_that_failed() -> None:
    failed = returned("import", 1, words="a", message="1", status="failed", return_key="1")
    fine = returned("import", 5, words="b", message="2", status="completed", return_key="2")
    broken = returned("hook", 5, broke_off=True, error_code="x")
    assert merge_statements([failed, fine, broken]).returns == (
        back(1, message="1", status="failed", success=False, error_code="x"),
        back(5, message="2"),
    )
    assert merge_statements([fine, broken]).returns == (back(5, message="2", error_code="x"),)
    mixed = returned("manual", 1, words="a", status="completed")
    assert merge_statements([failed, fine, mixed, broken]).returns == (
        back(1, message="1", error_code="x"),
        back(5, message="2"),
    )
    silent = returned("hook", 4, error_code="x")
    assert merge_statements([failed, fine, silent]).returns == (
        back(1, message="1", status="failed", success=False),
        back(5, message="2", error_code="x"),
    )


def test_the_same_words_twice_are_two_returns_to_whoever_can_tell_them_apart() -> None:
    told = [
        returned("import", 1, words="w", message="1", return_key="1", witness="own"),
        returned("import", 5, words="w", message="2", return_key="2", witness="own"),
        returned("import", 6, words="w", return_key="2", witness="own", ending="limit"),
        returned("import", 1, words="w", return_key="1", witness="own", duration_ms=1),
        returned("import", 2, words="w", error_code="x", return_key="7", witness="parent"),
        returned("import", 6, words="w", error_code="y", return_key="8", witness="parent"),
        returned("hook", 7, words="w", doubt="odd"),
    ]
    assert merge_statements(told).returns == (
        back(1, message="1", error_code="x", doubt="odd"),
        back(5, message="2", ending="limit", error_code="y"),
    )


def test_a_circle_of_statements_that_take_each_other_back_ends() -> None:
    def deployed(digest: str, *supersedes: str) -> Observation:
        statement = KINDS["deployed"](supersedes=supersedes)
        return Observation(digest, "manual", TIMES[0], statement)

    first, second = deployed("a", "b"), deployed("b", "a")
    assert not_superseded([first, second, first]) == [first]
    apart = [deployed("b"), deployed("a"), deployed("c", "nobody")]
    assert not_superseded(apart) == [apart[1], apart[0], apart[2]]
    back_then = Observation("z", "manual", TIMES[0], KINDS["returned"](supersedes=("a", "b")))
    assert not_superseded([*apart, back_then]) == [apart[2], back_then]
    late = Observation("0", "manual", TIMES[1], KINDS["noted"]())
    assert not_superseded([late, *apart[2:]]) == [apart[2], late]


# In the database: statements that share keys unite, whatever order they come in.

EVENTS: list[tuple[str, dict[str, Any], str, list[str], str, str | None]] = [
    ("deployed", {"scope": "find it"}, "manual", ["id:exec-mine"], TIMES[0], None),
    ("deployed", {"model": "opus"}, "hook", ["tool:T"], TIMES[1], None),
    ("noted", {}, "hook", ["agent:S/A"], TIMES[2], None),
    (
        "noted",
        {"tool_use_id": "T", "agent_id": "A"},
        "hook",
        ["tool:T", "agent:S/A"],
        TIMES[3],
        None,
    ),
    ("returned", {"status": "completed"}, "hook", ["agent:S/A"], TIMES[4], "All done.\n"),
    ("returned", {"status": "completed"}, "import", ["agent:S/A"], TIMES[4], "All done."),
    ("returned", {"status": "completed"}, "manual", ["id:exec-mine"], TIMES[6], "All done."),
    ("noted", {"output_tokens": 12}, "import", ["tool:T", "id:exec-mine"], TIMES[5], None),
    ("returned", {"status": "failed"}, "import", ["agent:S/A"], TIMES[7], "Then it broke."),
]


@pytest.mark.slow
@given(st.permutations(range(len(EVENTS))), st.lists(st.integers(0, len(EVENTS) - 1), max_size=4))
@settings(max_examples=COUNTS.histories)
def test_the_rows_do_not_depend_on_the_order_things_were_heard_in(
    order: list[int], repeats: list[int]
) -> None:
    import tempfile

    with (
        tempfile.TemporaryDirectory() as folder,
        open_record(write_empty_record(Path(folder) / "x.db")) as record,
    ):
        session = init_session(record, "scope", project=folder).session_id
        for number in [*order, *repeats]:
            kind, payload, source, keys, at, message = EVENTS[number]
            with record.write():
                report(
                    record,
                    kind,
                    {"session_id": session, "agent_type": "debugger", **payload},
                    source=source,
                    keys=keys,
                    at=at,
                    message=message,
                )
        ((label, agent_type, scope, status, tokens, said_last, model),) = record.sql(
            "SELECT execution_id, agent_type, scope, status, output_tokens, final_message, model "
            "FROM agent_executions"
        )
        assert (agent_type, scope, status, tokens) == ("debugger", "find it", "failed", 12)
        assert (said_last, model) == ("Then it broke.", "opus")
        assert resolve_label(record, "exec-mine") == label
        returns = record.sql("SELECT position, status, completed_at FROM completions")
        assert returns == [(1, "completed", TIMES[4]), (2, "failed", TIMES[7])]
        assert record.sql("PRAGMA foreign_key_check") == []
