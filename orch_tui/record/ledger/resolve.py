"""Which execution a statement is about: its keys, looked up, learned, and united.

A run is known by several keys: ``uid:<uid>`` and ``id:<label>`` to people, ``tool:<tool_use_id>``,
``call:<claude_session>/<tool_use_id>`` and ``agent:<claude_session>/<agent_id>`` to Claude Code.
Two keys in one statement can show that two executions are one run: they are united, and all keys
go on working.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from orch_tui.ids import new_label
from orch_tui.models.database import Record, Row, in_list
from orch_tui.record.ledger import journal
from orch_tui.record.ledger.keys import owner_of
from orch_tui.times import between


def resolve_execution(record: Record, keys: Iterable[str]) -> str | None:
    """Resolve keys to an execution id; None where no key is known. Call it within a write.

    All of the keys name it from now on; where they named several executions, those are united,
    but for runs that surely are different: the first key is believed then.
    """
    keys = list(keys)
    owners = list(dict.fromkeys(owner for key in keys if (owner := owner_of(record, key))))
    if not owners:
        return None
    same = [o for o in owners[1:] if not _are_different(record, owners[0], o)]
    owner = _unite_executions(record, [owners[0], *same]) if same else owners[0]
    learn_keys(record, keys, owner)
    return owner


def _are_different(record: Record, one: str, other: str) -> bool:
    """Tell whether two executions have launches and agents of their own, none of them shared.

    A third key that both are known by says nothing then: whoever redacted a transcript wrote the
    same over different ids.
    """
    mine, its = (_ids_of(record, execution_id) for execution_id in (one, other))
    runs = [set(filter(_RUN_ID.fullmatch, ids["agent"])) for ids in (mine, its)]
    if all(runs) and runs[0].isdisjoint(runs[1]):
        return True
    return all(mine[kind] and its[kind] and mine[kind].isdisjoint(its[kind]) for kind in mine)


_RUN_ID = re.compile(r"a[0-9a-f]{16}")
"""What Claude Code calls a run, once and for good; an agent with a name has another one beside."""


def _ids_of(record: Record, execution_id: str) -> dict[str, set[str]]:
    """Collect the ids of the calls and of the agents by which an execution is known."""
    found: dict[str, set[str]] = {"tool": set(), "agent": set()}
    for (key,) in record.sql(
        "SELECT key FROM execution_keys WHERE execution_id = ?", [execution_id]
    ):
        kind, _, name = key.partition(":")
        if kind in found:
            found[kind].add(name.rpartition("/")[2])
    return found


def learn_keys(record: Record, keys: Iterable[str], execution_id: str) -> None:
    """Make keys name an execution; one that names another already stays with that."""
    for key in keys:
        learned = record.execute(
            "INSERT INTO execution_keys (key, execution_id) VALUES (?, ?) "
            "ON CONFLICT (key) DO NOTHING",
            [key, execution_id],
        )
        if learned.rowcount and not key.startswith(("id:", "uid:")):
            mark_children(record, key)


def mark_children(record: Record, parent_key: str) -> None:
    """Have the executions rebuilt that wait for the run with this key to become known."""
    record.execute(
        "INSERT INTO changed_rows (subject) SELECT 'run:' || execution_id FROM agent_executions "
        "WHERE parent_key = ? AND parent_execution_id IS NULL",
        [parent_key],
    )


GATHERED_TO = "gathered_to"
"""The fact that says up to which statement all have their numbers and all runs are identified."""


def note_new_keys(record: Record, execution_id: str) -> None:
    """Have a run identified again that got keys or a label without a statement of its own."""
    record.execute(
        "UPDATE record_facts SET value = (SELECT min(CAST(value AS INTEGER), "
        "coalesce(max(observation_id) - 1, value)) FROM observations WHERE execution_id = ?) "
        "WHERE name = ?",
        [execution_id, GATHERED_TO],
    )


def portable_keys(record: Record, execution_id: str) -> list[str]:
    """List the keys that name a run in every record, in order."""
    return [
        key
        for (key,) in record.sql(
            "SELECT key FROM execution_keys WHERE execution_id = ? AND key NOT LIKE 'id:%' "
            "ORDER BY key",
            [execution_id],
        )
    ]


def create_execution(
    record: Record,
    keys: Sequence[str],
    *,
    session_id: str,
    agent_type: str,
    source: str,
    origin_id: int | None = None,
) -> str:
    """Make a row for a run nobody had told of; its columns come with the rebuild.

    Its label is the one among the keys, else the next free one; ``origin_id`` is who told of it
    (None: this record itself).
    """
    labels = [key.removeprefix("id:") for key in keys if key.startswith("id:")]
    execution_id = labels[0] if labels else new_label(record, "execution")
    uids = sorted(key.removeprefix("uid:") for key in keys if key.startswith("uid:"))
    named = {"uid": uids[0]} if uids else {}
    columns = ["execution_id", "session_id", "agent_type", "source", "origin_id", *named]
    uid = record.value(
        f"INSERT INTO agent_executions (deployed_at, status, revision, {', '.join(columns)}) "
        f"VALUES (NULL, 'deployed', 1{', ?' * len(columns)}) RETURNING uid",
        [execution_id, session_id, agent_type, source, origin_id, *named.values()],
    )
    # of another's run it is made up until its origin says which it has
    named_by = [f"uid:{uid}"] if origin_id is None else []
    learn_keys(record, [f"id:{execution_id}", *named_by, *keys], execution_id)
    return execution_id


def uid_key(record: Record, execution_id: str) -> str:
    """Give the key that an execution has by its uid, which names it from now on."""
    uid = record.value("SELECT uid FROM agent_executions WHERE execution_id = ?", [execution_id])
    learn_keys(record, [f"uid:{uid}"], execution_id)
    return f"uid:{uid}"


def _unite_executions(record: Record, execution_ids: Sequence[str]) -> str:
    """Make one of several executions: this record's own label stays, then the one a person knows,
    then the oldest."""
    listed, labels = in_list(execution_ids)
    keeper, *absorbed = [
        str(label)
        for (label,) in record.sql(
            f"SELECT execution_id FROM agent_executions WHERE execution_id IN {listed} "
            "ORDER BY origin_id IS NOT NULL, source NOT IN ('manual', 'api'), rowid",
            labels,
        )
    ]
    for label in absorbed:
        record.execute(
            "UPDATE agent_executions SET parent_execution_id = ?, revision = revision + 1 "
            "WHERE parent_execution_id = ?",
            [keeper, label],
        )
        for table in ("observations", "execution_keys"):
            record.execute(
                f"UPDATE {table} SET execution_id = ? WHERE execution_id = ?", [keeper, label]
            )
        forget_rows(record, label)
        record.execute(
            "INSERT INTO changed_rows (subject) SELECT 'run:' || execution_id "
            "FROM agent_executions WHERE parent_execution_id = ?",
            [keeper],
        )
    note_new_keys(record, keeper)
    return keeper


def join_teammates(record: Record, execution_ids: Iterable[str]) -> set[str]:
    """Unite the launch of an agent that has a name with the run of that name; gives what changed.

    Its launch never names the agent's id and its run never the call, so the name must do, within
    one session of Claude Code. Where several have one name, what they were handed tells them apart;
    where that is the same too, nobody is united.
    """
    listed, labels = in_list(execution_ids)
    joined = set()
    for name, session in record.sql(
        "SELECT DISTINCT agent_name, ran_in FROM agent_executions "
        f"WHERE execution_id IN {listed} AND agent_name NOTNULL AND ran_in NOTNULL",
        labels,
    ):
        rows = record.sql(
            "SELECT execution_id, tool_use_id, agent_id, coalesce(handed_over_id, briefing_id) "
            "FROM agent_executions "
            "WHERE agent_name = ? AND ran_in = ? AND retracted_at IS NULL ORDER BY rowid",
            [name, session],
        )
        launches = {label: text for label, tool, agent, text in rows if tool and not agent}
        runs = {label: text for label, tool, agent, text in rows if agent and not tool}
        if len(launches) == len(runs) == 1:
            joined.add(_unite_executions(record, [*launches, *runs]))
            continue
        texts = [*launches.values()], [*runs.values()]
        for launch, text in launches.items():
            if text is not None and texts[0].count(text) == texts[1].count(text) == 1:
                run = next(label for label, its in runs.items() if its == text)
                joined.add(_unite_executions(record, [launch, run]))
    return joined


def join_halves(record: Record, execution_ids: Iterable[str]) -> set[str]:
    """Unite runs that an earlier orch recorded as two, the call and what came of it; gives what
    changed."""
    labels = sorted(execution_ids)
    joined: set[str] = set()
    for start in range(0, len(labels), _A_LIST):
        some = labels[start : start + _A_LIST]
        joined |= join_teammates(record, some) | _join_nameless_calls(record, some)
        for session in _list_sessions(record, some):
            while halves := join_calls_and_runs(record, session):
                joined |= halves
    return {label for label in joined if owner_of(record, f"id:{label}") == label}


_A_LIST = 500
"""Labels to a query."""


def _join_nameless_calls(record: Record, execution_ids: Sequence[str]) -> set[str]:
    """Unite a launch with the call of which hooks told no id: both are in one session, of one
    prompt, and the first of those."""
    listed, labels = in_list(execution_ids)
    joined = set()
    for label, session, sha256 in record.sql(
        "SELECT execution_id, ran_in, lower(hex(sha256)) FROM agent_executions AS e "
        "JOIN briefings AS b ON b.briefing_id = coalesce(e.handed_over_id, e.briefing_id) "
        f"WHERE execution_id IN {listed} AND tool_use_id NOTNULL AND ran_in NOTNULL "
        "AND retracted_at IS NULL ORDER BY deployed_at, e.rowid",
        labels,
    ):
        call = record.value(
            "SELECT execution_id FROM execution_keys JOIN agent_executions USING (execution_id) "
            "WHERE key = ? AND tool_use_id IS NULL AND execution_id <> ?",
            [f"call:{session}/{sha256[:16]}", label],
        )
        if call is not None and call not in joined:
            joined.add(_unite_executions(record, [call, label]))
    return joined


def _list_sessions(record: Record, execution_ids: Sequence[str]) -> list[str]:
    """List the sessions of Claude Code that some executions ran in."""
    listed, labels = in_list(execution_ids)
    return [
        session
        for (session,) in record.sql(
            f"SELECT DISTINCT ran_in FROM agent_executions WHERE execution_id IN {listed} "
            "AND ran_in NOTNULL ORDER BY 1",
            labels,
        )
    ]


def join_calls_and_runs(record: Record, session: str) -> set[str]:
    """Unite a call of a session with the run it began, where only one can be meant; gives it.

    A call that fails never names its agent, nor does any without its sidecar where the result does
    not: it has the text that one run was handed while it went on. Where no text is known, one run
    of its type must have ended while a call that failed went on, and no other call of that type.
    """
    calls = _list_halves(record, session, "call", _HALF_CALL)
    if not calls:
        return set()
    runs = _list_halves(record, session, "agent", _HALF_RUN)
    failed = [call for call in calls if call["status"] == "failed"]
    for can_be, ended in ((_has_text_of, calls), (_covers, failed), (_nearly_covers, failed)):
        for call in ended:
            fits = [run for run in runs if can_be(call, run)]
            others = can_be is not _has_text_of and any(_ended_just_before(call, r) for r in runs)
            if (
                len(fits) == 1
                and not others
                and sum(can_be(other, fits[0]) for other in calls) == 1
            ):
                joined = [f"id:{each['execution_id']}" for each in (call, *fits)]
                owner = resolve_execution(record, joined)
                if owner and can_be is not _has_text_of:
                    after = {"call": call["tool_use_id"], "run": fits[0]["agent_id"]}
                    journal.log_action(record, JOINED_BY_TIME, execution_id=owner, after=after)
                return {owner} if owner else set()
    return set()


JOINED_BY_TIME = "joined-by-time"
"""The action in the journal of a failed call and the run that only it can have begun: nothing
names the one to the other."""


def list_other_halves(record: Record, execution_id: str) -> tuple[str, ...]:
    """List the executions that may be one with another one: runs of which nobody saw the call, for
    a call that failed and named no agent, and such calls for such a run."""
    found: list[str] = []
    for (key,) in record.sql(
        "SELECT key FROM execution_keys JOIN agent_executions USING (execution_id) "
        "WHERE execution_id = ? AND (key LIKE 'call:%' OR key LIKE 'agent:%') "
        "AND (agent_id IS NULL) <> (tool_use_id IS NULL)",
        [execution_id],
    ):
        session = key.partition(":")[2].partition("/")[0]
        calls = _list_halves(record, session, "call", f"{_HALF_CALL} AND status = 'failed'")
        runs = _list_halves(record, session, "agent", _HALF_RUN)
        for each, others in ((calls, runs), (runs, calls)):
            own = [half for half in each if half["execution_id"] == execution_id]
            found += [
                other["execution_id"]
                for half in own
                for other in others
                if half["agent_type"] == other["agent_type"]
                and (half["text"] == other["text"] or None in (half["text"], other["text"]))
            ]
    return tuple(dict.fromkeys(found))


_HALF_CALL = "tool_use_id NOTNULL AND agent_id IS NULL"
_HALF_RUN = "tool_use_id IS NULL AND agent_id NOTNULL"


def _list_halves(record: Record, session: str, keys: str, condition: str) -> list[Row]:
    """List the executions of a Claude session of which only the call or the run is known."""
    return record.rows(
        "SELECT execution_id, tool_use_id, agent_id, agent_type, status, ending, "
        "deployed_at, completed_at, coalesce(handed_over_id, briefing_id) AS text "
        "FROM agent_executions "
        "WHERE (session_id IN (SELECT session_id FROM sessions WHERE claude_session = ?) "
        "OR execution_id IN (SELECT execution_id FROM execution_keys WHERE key >= ? AND key < ?)) "
        f"AND {condition} AND retracted_at IS NULL AND coalesce(agent_kind, 'agent') = 'agent'",
        [session, f"{keys}:{session}/", f"{keys}:{session}0"],
    )


def _has_text_of(call: Row, run: Row) -> bool:
    """Tell whether a run began with the text of a call before that came back.

    While a call is open, another with its text may still be to come.
    """
    return (
        call["text"] is not None
        and call["text"] == run["text"]
        and None not in (call["deployed_at"], call["completed_at"], run["deployed_at"])
        and bool(call["deployed_at"] <= run["deployed_at"] <= call["completed_at"])
    )


_OVERTAKEN = 2.0
"""Seconds by which the processes of two hooks overtake one another."""


def _covers(call: Row, run: Row) -> bool:
    """Tell whether a run ended while a call of its type went on.

    A call that is only presumed to be gone may still be told to have returned, with its agent.
    """
    return (
        call["agent_type"] == run["agent_type"]
        and (call["ending"] != "gone" or run["ending"] == "gone")
        and (call["text"] == run["text"] or None in (call["text"], run["text"]))
        and run["completed_at"] is not None
        and (call["deployed_at"] or "~") <= run["completed_at"]
        and run["completed_at"] <= (call["completed_at"] or "~")
    )


def _ended_just_before(call: Row, run: Row) -> bool:
    """Tell whether a run ended so soon before a call began that it may be that of the call, whose
    hook was late."""
    began, ended = call["deployed_at"], run["completed_at"]
    if not began or not ended or ended >= began or _seconds(ended, began) > _OVERTAKEN:
        return False
    return _covers({**call, "deployed_at": ended}, run)


def _nearly_covers(call: Row, run: Row) -> bool:
    """Tell whether a run ended while a call went on, or so soon after that its hook was late."""
    ended = call["completed_at"]
    late = ended and run["completed_at"] and _seconds(ended, run["completed_at"])
    return _covers({**call, "completed_at": run["completed_at"]}, run) and (
        not late or late <= _OVERTAKEN
    )


def _seconds(one: str, other: str) -> float:
    passed = between(one, other)
    return passed.total_seconds() if passed else float("inf")


DERIVED = (
    "completions",
    "context_allocations",
    "outputs",
    "usage_messages",
    "execution_files",
    "told",
)
"""The tables whose rows are made from the statements about an execution."""


def forget_rows(record: Record, execution_id: str) -> None:
    """Delete what was derived for an execution that is no more; its statements are elsewhere."""
    for table in ("context_allocations", "outputs"):  # their triggers take it for the engine's
        record.execute(f"UPDATE {table} SET revision = -1 WHERE execution_id = ?", [execution_id])
    for table in DERIVED:
        record.execute(f"DELETE FROM {table} WHERE execution_id = ?", [execution_id])
    record.execute("DELETE FROM agent_executions WHERE execution_id = ?", [execution_id])
