"""Fields that change in place: the latest word holds, whoever hears it in whichever order."""

from __future__ import annotations

import hashlib
from itertools import permutations
from typing import Any

import pytest

from orch_tui.models.database import Record
from orch_tui.prepare.bundle import Bundle, ContextItem
from orch_tui.prepare.count import Count
from orch_tui.record.bundles import save_bundle
from orch_tui.record.claude_sessions import ensure_claude_session
from orch_tui.record.ledger.registers import (
    ITEM,
    apply_registered,
    find_stated_items,
    items_given,
    note_redaction,
    number_versions,
    read_registers,
    state_changes,
    subject_order,
)
from orch_tui.record.ledger.statement import (
    KIND_OF,
    ItemFact,
    Registered,
    pack_statement,
    unpack_fields,
)
from orch_tui.record.ledger.store import store_statement
from orch_tui.record.plan import add_planned_agent
from orch_tui.record.sessions import init_session

T1, T2, T3 = (f"2026-11-22T09:00:0{second}.000Z0000" for second in (1, 2, 3))
OTHER = "session:elsewhere"


def say(record: Record, at: str, subject: str = OTHER, **values: Any) -> dict[str, Any]:
    """What another record states of fields; gives those that it decides."""
    statement = Registered(subject=subject, values=values)
    with record.write():
        stored = store_statement(record, statement, (), source=None, at=at, execution_id=None)
        return apply_registered(record, statement, at, stored)


def held(record: Record, subject: str = OTHER) -> dict[str, Any]:
    return {name: each.value for name, each in read_registers(record, subject).items()}


@pytest.fixture
def uid(record: Record) -> str:
    """Of a session of orch."""
    init_session(record, "scope", project="/p", session_id="s")
    return str(record.value("SELECT uid FROM sessions"))


def stated(record: Record) -> list[dict[str, Any]]:
    """The fields of every statement about a session, oldest first."""
    return [
        (unpack_fields(body) or {})["values"]
        for (body,) in record.sql(
            "SELECT payload FROM observations WHERE kind = ? ORDER BY observation_id",
            [KIND_OF[Registered]],
        )
    ]


# What is stated of a row here


def test_only_the_fields_that_changed_are_stated_anew(record: Record, uid: str) -> None:
    (first,) = stated(record)
    assert (first["scope"], first["label"], first["state"]) == ("scope", "s", ["planning", None])
    assert "title" not in first and "budget" not in first, "nothing is no news"
    with record.write():
        record.execute("UPDATE sessions SET title = 'T', budget = 5")
    with record.write():
        record.execute("UPDATE sessions SET title = NULL, budget = 5")
    with record.write():
        record.execute("UPDATE sessions SET project = '/p'")
    assert stated(record)[1:] == [{"title": "T", "budget": 5}, {"title": None}]
    registers = read_registers(record, f"session:{uid}")
    assert registers["title"].at > registers["budget"].at > registers["scope"].at
    assert len({each.observation_id for each in registers.values()}) == 3


def test_a_label_is_stated_once_and_a_beginning_only_earlier(record: Record, uid: str) -> None:
    subject = f"session:{uid}"
    began = held(record, subject)["created_at"]
    for change in (
        "session_id = 't'",
        "created_at = '2027-01-01T00:00:00.000Z'",
        "created_at = '2026-01-01T00:00:00.000Z'",
    ):
        with record.write():
            record.execute(f"UPDATE sessions SET {change}")
    assert began == "2026-11-22T10:00:01.000Z"
    assert stated(record)[1:] == [{"created_at": "2026-01-01T00:00:00.000Z"}]
    assert held(record, subject)["label"] == "s"


def test_a_session_of_claude_code_has_no_label_and_no_state_of_its_own(record: Record) -> None:
    with record.write():
        ensure_claude_session(record, "C", project="/p", started_at="2026-11-22T09:00:00.000Z")
    (values,) = stated(record)
    assert not {"label", "state"} & set(values)
    for at in ("2026-11-22T11:00:00.000Z", "2026-11-22T10:30:00.000Z"):
        with record.write():
            record.execute("UPDATE sessions SET ended_at = ?", [at])
    assert stated(record)[1:] == [{"ended_at": "2026-11-22T11:00:00.000Z"}]


def test_any_value_of_plain_sql_can_be_stated(record: Record, uid: str) -> None:
    with record.write():
        record.execute("UPDATE sessions SET title = x'c3bc', budget = 9e999")
    (values,) = stated(record)[1:]
    assert values["title"] == "ü" and isinstance(values["budget"], str)


def test_a_row_that_is_gone_says_nothing(record: Record) -> None:
    with record.write():
        state_changes(record, "session:nobody")
    assert stated(record) == []


def test_sessions_and_bundles_are_stated_before_what_names_them() -> None:
    subjects = ["run:a", "planned:a", "version:a", "session:b", "bundle:a", "session:a"]
    assert sorted(subjects, key=subject_order) == [
        *("session:a", "session:b", "bundle:a", "version:a", "planned:a", "run:a")
    ]


# What is heard of others


@pytest.mark.parametrize("order", permutations(range(3)))
def test_the_order_in_which_statements_are_heard_changes_nothing(
    record: Record, order: tuple[int, ...]
) -> None:
    heard: list[tuple[str, dict[str, Any]]] = [
        (T1, {"scope": "a", "label": "first", "created_at": "2026-03", "ended_at": "2026-05"}),
        (T2, {"scope": "b", "label": "second", "created_at": "2026-01", "ended_at": "2026-07"}),
        (T3, {"scope": "c", "created_at": "2026-02", "ended_at": "2026-06"}),
    ]
    for number in order:
        at, values = heard[number]
        say(record, at, **values)
    assert held(record) == {
        "scope": "c",
        "label": "first",
        "created_at": "2026-01",
        "ended_at": "2026-07",
    }


def test_what_a_statement_decides_is_given(record: Record) -> None:
    assert say(record, T2, scope="b", created_at="2026-02") == {
        "scope": "b",
        "created_at": "2026-02",
    }
    assert say(record, T1, scope="a", created_at="2026-01", title="t") == {
        "created_at": "2026-01",
        "title": "t",
    }
    assert say(record, T3, scope=None, created_at=None, ended_at=None) == {
        "scope": None,
        "ended_at": None,
    }


def test_of_one_moment_the_greater_digest_counts(record: Record) -> None:
    digests = {}
    for scope in "abcd":
        won = say(record, T1, scope=scope)
        last = "SELECT digest FROM observations ORDER BY observation_id DESC LIMIT 1"
        digests[scope] = bytes(record.value(last))
        assert bool(won) == (digests[scope] == max(digests.values()))
    assert held(record)["scope"] == max(digests, key=lambda scope: digests[scope])


def test_a_statement_of_which_nothing_holds_is_let_go(record: Record) -> None:
    say(record, T1, scope="a", title="t")
    say(record, T2, scope="b")
    rows = "SELECT names FROM registers WHERE subject = ? ORDER BY observation_id"
    assert record.sql(rows, [OTHER]) == [('["title"]',), (None,)]
    say(record, T3, title="u")
    assert record.sql(rows, [OTHER]) == [(None,), (None,)]
    assert held(record) == {"scope": "b", "title": "u"}


def test_a_change_is_later_than_what_it_replaces_though_the_clock_is_not(
    record: Record, uid: str
) -> None:
    subject = f"session:{uid}"
    for ahead, following in (
        ("2030-01-01T00:00:00.000Z0000", "2030-01-01T00:00:00.000Z0001"),
        ("2031-01-01T00:00:00.000Z9998", "2031-01-01T00:00:00.000Z9999"),
        ("2032-01-01T00:00:00.000Z9999", "2032-01-01T00:00:00.000~0000"),
        ("~~~~~", "~~~~~0000"),
    ):
        say(record, ahead, subject, scope="theirs")
        with record.write():
            record.execute("UPDATE sessions SET scope = ? WHERE session_id = 's'", [following])
        register = read_registers(record, subject)["scope"]
        assert (register.at, register.value) == (following, following)
        assert register.at > ahead


def test_what_was_redacted_is_news_again(record: Record, uid: str) -> None:
    subject = f"session:{uid}"
    register = read_registers(record, subject)["scope"]
    was = record.value(
        "SELECT payload FROM observations WHERE observation_id = ?", [register.observation_id]
    )
    fields = (unpack_fields(was) or {})["values"]
    now = pack_statement(Registered(subject=subject, values={**fields, "scope": "[redacted]"}))
    with record.write():
        note_redaction(record, register.observation_id, was, now)
        note_redaction(record, register.observation_id, "{}", now)
    marked = {name for name, each in read_registers(record, subject).items() if each.is_redacted}
    assert marked == {"scope"}
    with record.write():
        state_changes(record, subject)
    assert stated(record)[1:] == [{"scope": "scope"}]
    assert not read_registers(record, subject)["scope"].is_redacted


# Lists of items


def test_items_of_a_version_are_those_a_run_is_given() -> None:
    row = [0, "file", "a.py", None, "required", 10, 9, 11, "o200k", None, None, "00ff"]
    (item,) = items_given([row])
    assert dict(zip(ITEM, row, strict=True))["source"] == item.context_source == "a.py"
    assert item == ItemFact(
        context_type="file",
        context_source="a.py",
        included_in_deployment=1,
        position=0,
        priority="required",
        token_count=10,
        token_low=9,
        token_high=11,
        estimator="o200k",
        content="00ff",
    )
    assert items_given([]) == ()


@pytest.mark.parametrize(
    "listed",
    [None, "x", {}, [["file"]], [[None] * 13], [[{}] * 12], [[1.5] * 12], [[None] * 12, "x"]],
)
def test_what_is_no_list_of_items_gives_none(record: Record, listed: Any) -> None:
    assert items_given(listed) == ()
    statement = Registered(subject="version:x", values={"items": listed})
    with record.write():
        stored = store_statement(record, statement, (), source=None, at=T1, execution_id=None)
    assert find_stated_items(record, stored.digest.hex()) == ()
    assert find_stated_items(record, "00") == find_stated_items(record, "no hash") == ()


# Numbers of versions


def test_versions_made_apart_with_one_number_get_the_next_that_is_free(record: Record) -> None:
    with record.write():
        record.execute("INSERT INTO bundles (bundle_id, created_at) VALUES ('b', '2026')")
        for version, (uid, created_at) in enumerate(
            [("d", "2026-04"), ("c", "2026-03"), ("b", "2026-02"), ("a", "2026-01")], start=1
        ):
            record.execute(
                "INSERT INTO bundle_versions (bundle_id, version, agent_type, scope, created_at, "
                "uid) VALUES ('b', ?, 'x', 's', ?, ?)",
                [version, created_at, uid],
            )
    for uid, number in (("a", 1), ("b", 1), ("c", 1), ("d", 3)):
        with record.write():
            statement = Registered(subject=f"version:{uid}", values={"version": number})
            stored = store_statement(record, statement, (), source=None, at=T1, execution_id=None)
            record.execute("DELETE FROM registers WHERE subject = ?", [statement.subject])
            apply_registered(record, statement, T1, stored)
    with record.write():
        number_versions(record, "b")
        number_versions(record, "nobody")
    found = record.sql("SELECT uid, version FROM bundle_versions ORDER BY uid")
    assert found == [("a", 1), ("b", 2), ("c", 3), ("d", 4)]


# Bundles, their versions and planned agents


def fields(record: Record, kind: str) -> dict[str, Any]:
    """What is held of the only subject of a kind."""
    ((subject,),) = record.sql(
        "SELECT DISTINCT subject FROM registers WHERE subject GLOB ?", [f"{kind}:*"]
    )
    return held(record, subject)


def test_a_bundle_and_its_version_are_stated_with_their_references(
    record: Record, uid: str
) -> None:
    item = ContextItem("file", "a.md", "required", ("Intro",), b"# A\n", Count(10, "x", 9, 11))
    made = Bundle("b", "Explore", "look", (item,), "opus", "2026-11-22T09:00:00.000Z", name="mine")
    save_bundle(record, made, "s")
    bundle_uid = record.value("SELECT uid FROM bundles")
    assert fields(record, "bundle") == {
        "label": "b",
        "session": f"session:{uid}",
        "name": "mine",
        "created_at": "2026-11-22T09:00:00.000Z",
    }
    version = fields(record, "version")
    assert version.pop("created_at") > "2026-11-22"
    row = [1, "file", "a.md", '["Intro"]', "required", 10, 9, 11, "x", None, None]
    sha256 = hashlib.sha256(b"# A\n").hexdigest()
    assert version == {
        "bundle": f"bundle:{bundle_uid}",
        "version": 1,
        "agent_type": "Explore",
        "scope": "look",
        "model": "opus",
        "tokens": version["tokens"],
        "items": [[*row, sha256]],
    }


def test_a_planned_agent_is_stated_with_whom_it_waits_for(record: Record, uid: str) -> None:
    add_planned_agent(record, "s", "Explore", scope="look", model="opus")
    first = record.value("SELECT uid FROM planned_agents")
    planned = fields(record, "planned")
    assert planned.pop("created_at") > "2026-11-22"
    assert planned == {
        "session": f"session:{uid}",
        "position": 1,
        "agent_type": "Explore",
        "scope": "look",
        "model": "opus",
    }
    add_planned_agent(record, "s", "Plan", waits_for=[1])
    second = record.value("SELECT uid FROM planned_agents WHERE position = 2")
    assert held(record, f"planned:{second}")["waits"] == [first]


def test_a_value_yields_to_none_only_where_the_latest_word_counts(record: Record) -> None:
    say(record, T1, created_at=None, scope="a")
    assert say(record, T2, created_at="2026-01") == {"created_at": "2026-01"}
    assert say(record, T3, created_at=None, scope=None) == {"scope": None}
