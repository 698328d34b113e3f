"""Which execution a statement is about: keys in, rows of every table out."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from orch_tui.models.database import Record
from orch_tui.record.ledger.briefings import store_briefing
from orch_tui.record.ledger.journal import list_journal, log_action
from orch_tui.record.ledger.resolve import (
    JOINED_BY_TIME,
    create_execution,
    forget_rows,
    join_calls_and_runs,
    join_halves,
    join_teammates,
    learn_keys,
    list_other_halves,
    mark_children,
    portable_keys,
    resolve_execution,
)
from orch_tui.record.sessions import init_session

Rows = list[tuple[Any, ...]]
DERIVED = ("completions", "context_allocations", "outputs", "usage_messages", "execution_files")


@pytest.fixture
def session(record: Record) -> str:
    with record.write():
        session_id = init_session(record, "scope", project="/p").session_id
        record.execute(
            "INSERT INTO origins (origin_id, uid, machine, name) VALUES (7, 'o', 'm', 'n')"
        )
    return session_id


def make(record: Record, session: str, label: str, *keys: str, **more: Any) -> str:
    given = {"agent_type": "x", "source": "import", **more}
    with record.write():
        return create_execution(
            record, [f"id:{label}", f"uid:{label}", *keys], session_id=session, **given
        )


def put_under(record: Record, child: str, parent_key: str | None, parent: str | None) -> None:
    with record.write():
        record.execute(
            "UPDATE agent_executions SET parent_key = ?, parent_execution_id = ? "
            "WHERE execution_id = ?",
            [parent_key, parent, child],
        )


def derive(record: Record, label: str) -> None:
    """A row in every table that is made from statements."""
    with record.write():
        for statement in (
            "INSERT INTO completions (execution_id, position, status, success, source) "
            "VALUES (?, 1, 'completed', 1, 'hook')",
            "INSERT INTO context_allocations (execution_id, revision) VALUES (?, 1)",
            "INSERT INTO outputs (execution_id, revision) VALUES (?, 1)",
            "INSERT INTO usage_messages (message_id, execution_id, input_tokens, "
            "cache_write_tokens, cache_read_tokens, output_tokens) VALUES ('m', ?, 0, 0, 0, 0)",
            "INSERT INTO execution_files VALUES (?, 'a', NULL, NULL)",
        ):
            record.execute(statement, [label])
        record.execute("DELETE FROM changed_rows")


def derived(record: Record, label: str) -> list[int]:
    return [
        record.value(f"SELECT count(*) FROM {table} WHERE execution_id = ?", [label])
        for table in DERIVED
    ]


def keys(record: Record) -> Rows:
    return record.sql("SELECT key, execution_id FROM execution_keys ORDER BY key")


def changed(record: Record) -> list[str]:
    return [subject for (subject,) in record.sql("SELECT subject FROM changed_rows ORDER BY 1")]


def resolve(record: Record, *wanted: str) -> str | None:
    with record.write():
        return resolve_execution(record, wanted)


# Making and finding


def test_a_new_execution_has_the_label_and_uid_among_its_keys(record: Record, session: str) -> None:
    with record.write():
        label = create_execution(
            record,
            ["tool:T", "uid:b", "id:mine", "id:other", "uid:a"],
            session_id=session,
            agent_type="debugger",
            source="hook",
            origin_id=7,
        )
    assert label == "mine"
    assert record.sql(
        "SELECT execution_id, session_id, agent_type, source, origin_id, uid, deployed_at, status, "
        "revision FROM agent_executions"
    ) == [("mine", session, "debugger", "hook", 7, "a", None, "deployed", 1)]
    assert keys(record) == [
        (key, "mine") for key in ("id:mine", "id:other", "tool:T", "uid:a", "uid:b")
    ]


def test_a_new_execution_without_keys_is_named_by_the_record(record: Record, session: str) -> None:
    with record.write():
        label = create_execution(record, [], session_id=session, agent_type="x", source="api")
    ((uid, origin_id),) = record.sql("SELECT uid, origin_id FROM agent_executions")
    assert (label, len(uid), origin_id) == ("exec-001", 32, None)
    assert keys(record) == [("id:exec-001", label), (f"uid:{uid}", label)]


def test_keys_nobody_knows_name_nothing_and_are_not_learned(record: Record, session: str) -> None:
    assert resolve(record, "tool:T", "agent:S/a") is None
    assert resolve(record) is None
    assert keys(record) == []


def test_all_keys_name_the_execution_that_one_of_them_names(record: Record, session: str) -> None:
    make(record, session, "mine", "tool:T")
    assert resolve(record, "agent:S/a", "tool:T", "call:S/T") == "mine"
    assert portable_keys(record, "mine") == ["agent:S/a", "call:S/T", "tool:T", "uid:mine"]
    assert resolve(record, "agent:S/a", "uid:mine") == "mine"


def test_a_key_stays_with_the_execution_it_names(record: Record, session: str) -> None:
    make(record, session, "one", "tool:T")
    make(record, session, "two")
    with record.write():
        learn_keys(record, ["tool:T", "tool:U"], "two")
    assert portable_keys(record, "one") == ["tool:T", "uid:one"]
    assert portable_keys(record, "two") == ["tool:U", "uid:two"]


def test_executions_that_wait_for_a_run_are_noted_when_it_becomes_known(
    record: Record, session: str
) -> None:
    for label, key, parent in [
        ("a", "agent:S/a", None),
        ("b", "agent:S/a", None),
        ("c", "agent:S/a", "b"),
        ("d", "agent:S/d", None),
        ("e", "id:mine", None),
        ("f", "uid:mine", None),
    ]:
        make(record, session, label)
        put_under(record, label, key, parent)
    with record.write():  # what was noted is taken in when the write ends
        create_execution(
            record,
            ["id:mine", "uid:mine", "agent:S/a"],
            session_id=session,
            agent_type="x",
            source="import",
        )
        assert changed(record) == ["run:a", "run:b"]
        assert resolve_execution(record, ["agent:S/a", "agent:S/d"]) == "mine"
        assert changed(record) == ["run:a", "run:b", "run:d"]
        mark_children(record, "agent:S/d")
        assert changed(record) == ["run:a", "run:b", "run:d", "run:d"]


# Uniting


@pytest.mark.parametrize(
    ("runs", "keeper"),
    [
        ([("a", {"origin_id": 7, "source": "manual"}), ("b", {}), ("c", {})], "b"),
        ([("a", {}), ("b", {"source": "hook"}), ("c", {"source": "manual"})], "c"),
        ([("a", {}), ("b", {"source": "sql"}), ("c", {"source": "api"})], "c"),
        ([("c", {}), ("b", {"source": "hook"}), ("a", {})], "c"),
        ([("b", {"source": "api"}), ("a", {"source": "manual"}), ("c", {})], "b"),
    ],
)
def test_of_several_the_own_stays_then_the_one_people_know_then_the_oldest(
    record: Record, session: str, runs: list[tuple[str, dict[str, Any]]], keeper: str
) -> None:
    for label, more in runs:
        make(record, session, label, **more)
    assert resolve(record, "uid:a", "uid:c", "uid:b", "tool:T") == keeper
    assert record.sql("SELECT execution_id FROM agent_executions") == [(keeper,)]
    names = ("id:a", "id:b", "id:c", "tool:T", "uid:a", "uid:b", "uid:c")
    assert keys(record) == [(key, keeper) for key in names]


def test_what_belongs_to_one_that_is_united_goes_to_the_other(record: Record, session: str) -> None:
    for label in ("kept", "gone", "other", "child", "mine"):
        make(record, session, label)
    put_under(record, "child", None, "gone")
    put_under(record, "mine", None, "kept")
    put_under(record, "other", None, "mine")
    for label in ("kept", "gone", "other"):
        derive(record, label)
        with record.write():
            record.execute(
                "INSERT INTO observations (digest, kind, source, payload, execution_id) "
                "VALUES (?, 'noted', 'hook', '{}', ?)",
                [label.encode(), label],
            )
    with record.write():
        assert resolve_execution(record, ["uid:kept", "uid:gone"]) == "kept"
        noted = changed(record)
        record.execute("DELETE FROM changed_rows")
    assert noted == ["run:child", "run:mine"]
    assert record.sql(
        "SELECT execution_id, parent_execution_id, revision FROM agent_executions ORDER BY rowid"
    ) == [
        ("kept", None, 1),
        ("other", "mine", 1),
        ("child", "kept", 2),
        ("mine", "kept", 1),
    ]
    assert record.sql(
        "SELECT digest, execution_id FROM observations WHERE kind = 'noted' ORDER BY rowid"
    ) == [
        (b"kept", "kept"),
        (b"gone", "kept"),
        (b"other", "other"),
    ]
    assert [derived(record, label) for label in ("kept", "gone", "other")] == [
        [1] * 5,
        [0] * 5,
        [1] * 5,
    ]
    assert resolve(record, "id:gone") == "kept"
    assert record.sql("PRAGMA foreign_key_check") == []


def test_entries_of_the_journal_are_found_by_every_label_their_run_had(
    record: Record, session: str
) -> None:
    for label in ("kept", "gone", "other"):
        make(record, session, label)
        with record.write():
            log_action(record, "note", execution_id=label)
    with record.write():
        resolve_execution(record, ["uid:kept", "uid:gone"])
    assert [e.execution_id for e in list_journal(record, execution_id="kept")] == ["kept", "gone"]
    assert [e.execution_id for e in list_journal(record, execution_id="other")] == ["other"]


def test_what_was_derived_is_forgotten_without_a_word_of_plain_sql(
    record: Record, session: str
) -> None:
    for label in ("gone", "other"):
        make(record, session, label)
        derive(record, label)
    with record.write():
        record.execute("DELETE FROM execution_keys WHERE execution_id = 'gone'")
        forget_rows(record, "gone")
        assert changed(record) == []
    assert [derived(record, label) for label in ("gone", "other")] == [[0] * 5, [1] * 5]
    assert record.sql("SELECT execution_id FROM agent_executions") == [("other",)]
    assert record.sql("SELECT * FROM observations WHERE kind <> 'set'") == []


# Calls and the runs they began


def at(second: float) -> str:
    return f"2026-11-22T10:00:{second:06.3f}Z"


def half(record: Record, session: str, label: str, text: str | None = None, **columns: Any) -> None:
    """Record a ``call-`` without its agent or a ``run-`` without its call, of the session ``c``;
    times are seconds."""
    is_call = label.startswith("call")
    make(record, session, label, f"{'call' if is_call else 'agent'}:c/{label}", agent_type="x")
    columns = {"tool_use_id" if is_call else "agent_id": label, "ran_in": "c", **columns}
    for name in ("deployed_at", "completed_at"):
        if columns.get(name) is not None:
            columns[name] = at(columns[name])
    with record.write():
        if text is not None:
            sha256 = sha256_of(text)
            record.execute(
                "INSERT INTO briefings (sha256, size, parts) SELECT ?1, 1, '' "
                "WHERE NOT EXISTS (SELECT 1 FROM briefings WHERE sha256 = ?1)",
                [sha256],
            )
            columns["briefing_id"] = record.value(
                "SELECT briefing_id FROM briefings WHERE sha256 = ?", [sha256]
            )
        change(record, label, **columns)


def change(record: Record, label: str, **columns: Any) -> None:
    """Set columns as a rebuild does. Call it within a write."""
    named = "".join(f", {name} = ?" for name in columns)
    record.execute(
        f"UPDATE agent_executions SET revision = revision + 1{named} WHERE execution_id = ?",
        [*columns.values(), label],
    )


def sha256_of(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


def left(record: Record) -> list[str]:
    rows = record.sql("SELECT execution_id FROM agent_executions ORDER BY rowid")
    return [label for (label,) in rows]


@pytest.mark.parametrize(
    ("call", "run", "are_one"),
    [
        # the same text, while the call went on
        ({"text": "t", "completed_at": 9}, {"text": "t", "deployed_at": 5}, True),
        ({"text": "t", "completed_at": 9}, {"text": "t", "deployed_at": 1}, True),
        ({"text": "t", "completed_at": 9}, {"text": "t", "deployed_at": 9}, True),
        ({"text": "t", "completed_at": 9}, {"text": "t", "deployed_at": 9.1}, False),
        ({"text": "t", "completed_at": 9}, {"text": "t", "deployed_at": 0.9}, False),
        ({"text": "t", "completed_at": 9}, {"text": "u", "deployed_at": 5}, False),
        ({"text": "t", "completed_at": None}, {"text": "t", "deployed_at": 5}, False),
        ({"completed_at": 9}, {"deployed_at": 5}, False),
        # it failed, and a run of its type ended meanwhile
        ({"status": "failed", "completed_at": 9}, {"completed_at": 9}, True),
        ({"status": "failed", "completed_at": 9}, {"completed_at": 1}, True),
        ({"status": "failed", "completed_at": 9}, {"completed_at": 0.9}, False),
        ({"status": "failed", "completed_at": 9}, {"completed_at": None}, False),
        ({"status": "failed", "completed_at": None}, {"completed_at": 30}, True),
        ({"status": "failed", "completed_at": 9, "text": "t"}, {"completed_at": 5}, True),
        ({"status": "failed", "completed_at": 9}, {"completed_at": 5, "text": "t"}, True),
        (
            {"status": "failed", "completed_at": 9, "text": "t"},
            dict(completed_at=5, text="u"),
            False,
        ),
        ({"status": "failed", "completed_at": 9}, dict(completed_at=5, agent_type="y"), False),
        ({"status": "completed", "completed_at": 9}, {"completed_at": 5}, False),
        # the hooks of both overtook one another
        ({"status": "failed", "completed_at": 9}, {"completed_at": 11}, True),
        ({"status": "failed", "completed_at": 9}, {"completed_at": 11.1}, False),
        # it is only presumed to have failed
        ({"status": "failed", "ending": "gone", "completed_at": 9}, {"completed_at": 5}, False),
        (
            {"status": "failed", "ending": "gone", "completed_at": 9},
            {"ending": "gone", "completed_at": 9},
            True,
        ),
        # nobody asks for these
        ({"status": "failed", "completed_at": 9}, dict(completed_at=5, tool_use_id="T"), False),
        (
            {"status": "failed", "completed_at": 9},
            dict(completed_at=5, agent_kind="teammate"),
            False,
        ),
        ({"status": "failed", "completed_at": 9}, dict(completed_at=5, retracted_at=at(6)), False),
    ],
)
def test_a_call_and_a_run_are_one_where_one_was_within_the_other(
    record: Record, session: str, call: dict[str, Any], run: dict[str, Any], are_one: bool
) -> None:
    half(record, session, "call-1", **{"deployed_at": 1, **call})
    half(record, session, "run-1", **run)
    with record.write():
        assert join_calls_and_runs(record, "another") == set()
        assert join_calls_and_runs(record, "c") == ({"call-1"} if are_one else set())
    guessed = [e.execution_id for e in list_journal(record) if e.action == JOINED_BY_TIME]
    is_named = call.get("text") == run.get("text") == "t"
    assert guessed == ["call-1"] * (are_one and not is_named), "it is said where time alone tells"
    assert left(record) == (["call-1"] if are_one else ["call-1", "run-1"])
    assert resolve(record, "agent:c/run-1") == left(record)[-1]


A, B = "agent:c/a0000000000000001", "agent:c/a0000000000000002"


@pytest.mark.parametrize(
    ("mine", "its", "are_one"),
    [
        ((A, "tool:T"), (B,), False),
        ((A,), (B, "tool:T"), False),
        ((A, "tool:T"), (A.replace("c/", "copy/"), "uid:u"), True),
        ((A,), ("agent:c/look@session-1",), True),  # called by its name, too
        ((A,), ("tool:T",), True),
    ],
)
def test_runs_with_ids_of_their_own_stay_apart_whatever_names_both(
    record: Record, session: str, mine: tuple[str, ...], its: tuple[str, ...], are_one: bool
) -> None:
    make(record, session, "mine", *mine)
    make(record, session, "its", *its)
    with record.write():
        assert resolve_execution(record, [mine[0], its[0]]) == "mine"
    assert left(record) == (["mine"] if are_one else ["mine", "its"])


@pytest.mark.parametrize(("ended", "are_one"), [(3, False), (1.9, True)])
def test_a_run_is_left_apart_where_one_that_just_ended_may_be_meant(
    record: Record, session: str, ended: float, are_one: bool
) -> None:
    half(record, session, "call-1", status="failed", deployed_at=4, completed_at=9)
    half(record, session, "run-1", completed_at=9)
    half(record, session, "run-2", completed_at=ended)
    with record.write():
        assert join_calls_and_runs(record, "c") == ({"call-1"} if are_one else set())


def test_where_several_calls_or_runs_could_be_meant_none_is(record: Record, session: str) -> None:
    failed: dict[str, Any] = {"status": "failed", "deployed_at": 1, "completed_at": 9}
    half(record, session, "call-1", **failed)
    half(record, session, "run-1", completed_at=5)
    half(record, session, "run-2", completed_at=6)
    with record.write():
        assert join_halves(record, ["call-1", "run-1", "run-2"]) == set()
    with record.write():
        assert list_other_halves(record, "call-1") == ("run-1", "run-2"), "but it is said"
        assert list_other_halves(record, "run-2") == ("call-1",)
        change(record, "run-2", agent_type="y")
        assert list_other_halves(record, "call-1") == ("run-1",)
        assert list_other_halves(record, "run-2") == ()
        change(record, "run-2", agent_type="x")
        texts = [store_briefing(record, words, ()) for words in (b"One.", b"Two.")]
        change(record, "call-1", briefing_id=texts[0])
        change(record, "run-1", briefing_id=texts[1])
        assert list_other_halves(record, "call-1") == ("run-2",), "another text is no half"
        change(record, "run-1", briefing_id=texts[0])
        assert list_other_halves(record, "call-1") == ("run-1", "run-2")
        change(record, "call-1", briefing_id=None)
        change(record, "run-1", briefing_id=None)
        change(record, "run-2", agent_type="y")
    half(record, session, "call-2", **failed)
    with record.write():
        assert join_halves(record, ["call-1", "run-1"]) == set()
        change(record, "call-2", agent_type="y")
        assert join_halves(record, ["run-1"]) == {"call-1", "run-2"}, "each has its own now"
    assert left(record) == ["call-1", "run-2"]


def test_a_teammate_is_its_launch_by_name_then_by_what_it_was_handed(
    record: Record, session: str
) -> None:
    for name, launched, ran in (
        ("alone", ["t"], ["u"]),
        ("twins", ["t", "u"], ["u", "t"]),
        ("like", ["t", "t"], ["t"]),
        ("mute", [None, None], [None]),
    ):
        for label, texts in (("call", launched), ("run", ran)):
            for n, text in enumerate(texts):
                half(record, session, f"{label}-{name}-{n}", text, agent_name=name)
    before = set(left(record))
    with record.write():
        joined = join_teammates(record, before)
    assert joined == {"call-alone-0", "call-twins-0", "call-twins-1"}
    assert before - set(left(record)) == {"run-alone-0", "run-twins-0", "run-twins-1"}
    assert resolve(record, "agent:c/run-twins-1") == "call-twins-0"


def test_a_launch_is_the_call_of_its_text_that_no_hook_gave_an_id(
    record: Record, session: str
) -> None:
    for label in ("call-1", "call-2"):
        half(record, session, label, "t", deployed_at=int(label[-1]))
    make(record, session, "nameless", f"call:c/{sha256_of('t').hex()[:16]}")
    with record.write():
        assert join_halves(record, ["call-1", "call-2"]) == {"call-1"}
    assert left(record) == ["call-1", "call-2"], "the first of them"
    assert resolve(record, "id:nameless") == "call-1"
