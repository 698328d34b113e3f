"""What an earlier orch took for what it is not in transcripts."""

from __future__ import annotations

import hashlib
from typing import Any

from orch_tui.record.ledger.earlier_reading import (
    drop_mistaken_waits,
    read_framed_tasks,
    read_named_agents,
)
from orch_tui.record.ledger.merge import Observation, text_fingerprint
from orch_tui.record.ledger.statement import Noted, Returned

FRAME = "[Workflow harness — computed task] Not the user's words."
AT = "2026-11-22T10:00:00.000Z"


TASKS = {"aa": f"{FRAME}\n  Check it.\n  Twice."}
NONE: dict[str, str] = {}


def told(statement: Any, source: str = "import") -> Observation:
    return Observation(f"{source} {statement}", source, AT, statement)


def test_a_task_is_read_without_the_frame_of_its_workflow() -> None:
    framed = told(Noted(scope=FRAME, briefing="aa"))
    plain = told(Noted(scope="Look", briefing="bb"))
    (mended, same), tasks = read_framed_tasks([framed, plain], TASKS.get)
    assert tasks == ("Check it.\nTwice.",)
    statement = mended.statement
    assert (statement.scope, statement.briefing) == ("Check it.", None)
    assert statement.handed_over == hashlib.sha256(tasks[0].encode()).hexdigest()
    assert (mended.digest, same) == (framed.digest, plain)
    assert read_framed_tasks([plain], NONE.get) == ([plain], ())


def test_a_frame_without_its_task_is_no_scope() -> None:
    for each in (Noted(scope=FRAME), Noted(scope=FRAME, briefing="cc")):
        (mended,), tasks = read_framed_tasks([told(each)], NONE.get)
        assert (mended.statement.scope, mended.statement.briefing, tasks) == (None, None, ())
    typed = told(Noted(scope=FRAME), "manual")
    assert read_framed_tasks([typed], NONE.get) == ([typed], ())


def test_a_message_by_which_an_agent_returned_is_no_wait_of_it() -> None:
    def returned(words: str | None) -> Observation:
        return told(Returned(status="completed", witness="agent", model_message="m1", words=words))

    wait = told(Noted(went_on_after="m1"))
    today = told(Noted(client_version="2.1.332"))
    spoken = told(Noted(went_on_after="m1", interim_words="w"))
    said = returned("w")
    assert drop_mistaken_waits([wait, said, today]) == [said, today]
    for heard in (
        [wait, said],  # the transcript was not read again
        [wait, said, today, spoken],  # today's reader says so, too
        [wait, returned(None), today],
        [wait, returned(text_fingerprint(" ")), today],
        [wait, today],
        [spoken, said, today],
    ):
        assert drop_mistaken_waits(heard) == heard


def test_the_name_of_an_agent_is_read_from_its_id() -> None:
    named = "ascout-73424949d826a87e"
    heard = [
        told(Noted(agent_id=named, depth=0)),
        told(Noted(agent_id=named, depth=2, agent_name="scout"), "hook"),
        told(Noted(agent_id="a1", depth=1)),
        told(Noted(agent_id=named), "manual"),
    ]
    read = [o.statement for o in read_named_agents(heard)]
    assert [(s.agent_name, s.depth) for s in read] == [
        ("scout", None),
        ("scout", 2),
        (None, 1),
        (None, None),
    ]
    assert read_named_agents(heard[2:3]) == heard[2:3]
