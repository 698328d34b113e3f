"""What an earlier orch took in the transcript of an agent for what it is not.

Such statements stay as they were stored; here they are read as the reader of today would have told
them, each time the rows are made.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import replace

from orch_tui.record.ledger.merge import Observation, text_fingerprint
from orch_tui.record.ledger.statement import Changes, Noted, Returned


def read_framed_tasks(
    told: Sequence[Observation], read_briefing: Callable[[str], str | None]
) -> tuple[Sequence[Observation], tuple[str, ...]]:
    """Take the frame of a workflow off the tasks that were stored with it; gives the tasks, too.

    ``read_briefing`` gets a prompt by its SHA-256; it is asked only where the scope shows a frame.
    """
    if not any(_has_framed_scope(o) for o in told):
        return told, ()
    from orch_tui.record.agent_words import cut_first_line, read_framed_task

    mended: list[Observation] = []
    tasks: list[str] = []
    for o in told:
        if _has_framed_scope(o):
            text = read_briefing(o.statement.briefing) if o.statement.briefing else None
            task = None if text is None else read_framed_task(text)
            changes: Changes = {"scope": task and cut_first_line(task), "briefing": None}
            if task is not None:
                tasks.append(task)
                encoded = task.encode("utf-8", "surrogateescape")
                changes["handed_over"] = hashlib.sha256(encoded).hexdigest()
            o = replace(o, statement=o.statement.replaced(**changes))
        mended.append(o)
    return mended, tuple(tasks)


def _has_framed_scope(observation: Observation) -> bool:
    statement = observation.statement
    return (
        observation.source == "import"
        and isinstance(statement, Noted)
        and (statement.scope or "").startswith("[Workflow harness")
    )


_BLANK = text_fingerprint("")


def drop_mistaken_waits(told: Sequence[Observation]) -> Sequence[Observation]:
    """Leave out that an agent went on after a message by which it returned.

    An earlier orch took every message to an agent for that. Today's reader has read the transcript
    too where a release of the client is noted, and states the words of what was no return.
    """
    waits = [o.statement for o in told if isinstance(o.statement, Noted)]
    unsure = {s.went_on_after for s in waits if s.went_on_after and not s.interim_words}
    unsure -= {s.went_on_after for s in waits if s.interim_words}
    if not unsure or not any(s.client_version for s in waits):
        return told
    returned = {
        o.statement.model_message
        for o in told
        if isinstance(o.statement, Returned)
        and o.statement.witness == "agent"
        and o.words not in (None, _BLANK)
    }
    return [
        o
        for o in told
        if not (isinstance(o.statement, Noted) and o.statement.went_on_after in unsure & returned)
    ]


def read_named_agents(told: Sequence[Observation]) -> Sequence[Observation]:
    """Read the name of an agent from its id, where it was launched with one.

    Its sidecar states the depth 0, as if it stood beside the session that launched it.
    """
    if not any("-" in (o.statement.agent_id or "") for o in told):
        return told
    from orch_tui.record.claude_code import name_of_agent

    mended: list[Observation] = []
    for o in told:
        name = name_of_agent(o.statement.agent_id or "")
        if name and o.source in ("hook", "import"):
            changes: Changes = {"agent_name": o.statement.agent_name or name}
            if o.statement.depth == 0:
                changes["depth"] = None
            o = replace(o, statement=o.statement.replaced(**changes))
        mended.append(o)
    return mended
