"""The merge: the same statements in any order, any number of times, give the same execution."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from orch_tui.record.ledger.keys import find
from orch_tui.record.ledger.merge import (
    Observation,
    merge,
    not_superseded,
    text_fingerprint,
)
from orch_tui.record.ledger.statement import KINDS
from orch_tui.record.opening import open_record
from orch_tui.record.sessions import init_session
from tests.counts import COUNTS
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


@settings(max_examples=COUNTS.fuzz_inputs)
@given(statements(), st.randoms())
def test_order_and_repetition_change_nothing(
    observations: list[Observation], shuffler: random.Random
) -> None:
    shuffled = observations + shuffler.choices(observations, k=3)
    shuffler.shuffle(shuffled)
    assert merge(shuffled) == merge(observations)


def test_a_paste_a_hook_and_a_transcript_of_one_return_are_one_completion() -> None:
    words = text_fingerprint("All done.\n")
    merged = merge(
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


def test_a_resumed_agent_that_says_the_same_again_returned_twice() -> None:
    twice = [
        said("returned", "import", TIMES[n], words="w", status="completed", return_key=key)
        for n, key in enumerate(["first", "second"])
    ]
    paste = said("returned", "manual", TIMES[5], words="w", status="completed")
    assert len(merge([*twice, paste]).returns) == 2


def test_a_person_decides_success_and_the_machine_the_time() -> None:
    merged = merge(
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
    assert merge([first, second]).values["scope"] == "two"
    assert merge([third, second, first]).values["scope"] == "one"
    assert not_superseded([first, second, third]) == [first, third]


def test_intent_is_the_persons_and_usage_the_transcripts() -> None:
    merged = merge(
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


@given(st.permutations(range(len(EVENTS))), st.lists(st.integers(0, len(EVENTS) - 1), max_size=4))
@settings(max_examples=COUNTS.histories)
def test_the_rows_do_not_depend_on_the_order_things_were_heard_in(
    order: list[int], repeats: list[int]
) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder, open_record(Path(folder) / "x.db") as record:
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
        assert find(record, "exec-mine") == label
        returns = record.sql("SELECT position, status, completed_at FROM completions")
        assert returns == [(1, "completed", TIMES[4]), (2, "failed", TIMES[7])]
        assert record.sql("PRAGMA foreign_key_check") == []
