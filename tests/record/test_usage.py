"""What runs used: messages in, facts and rows out, every figure of them."""

from __future__ import annotations

from typing import Any

import pytest

from orch_tui.models.database import Record
from orch_tui.prepare.catalogue import Catalogue, Model, Price
from orch_tui.record.ledger import usage
from orch_tui.record.ledger.resolve import create_execution
from orch_tui.record.ledger.statement import FileFact, MessageFact, Used
from orch_tui.record.ledger.usage import MessageUse, derive_messages, price_messages
from orch_tui.record.sessions import init_session

DAY = "2026-11-22"
T1, T2, T3 = (f"{DAY}T10:00:0{second}.000Z" for second in (1, 2, 3))


def price(factor: int = 1, up_to: int | None = None) -> Price:
    each = [factor * rate for rate in (2, 3, 5, 7, 11)]
    return Price(
        input=each[0],
        output=each[1],
        cache_write_5m=each[2],
        cache_write_1h=each[3],
        cache_read=each[4],
        up_to=up_to,
    )


def model(name: str, *prices: Price, date: str = DAY) -> Model:
    return Model(name, window=200_000, family="claude", prices=prices, date=date)


MODELS = Catalogue(
    {
        each.model_id: each
        for each in (
            model("claude-plain-1", price()),
            model("claude-tiers-1", price(1, 1_000), price(10, 2_000), price(100)),
            model("claude-small-1", price(1, 1_000)),
            model("claude-free-1"),
            model("claude-dateless-1", price(), date=""),
        )
    },
    default="claude-plain-1",
)


def use(name: str, **figures: int) -> MessageUse:
    given = {"input": 1, "cache_write": 0, "cache_write_1h": 0, "cache_read": 0, "output": 0}
    return MessageUse("m", T1, name, **{**given, **figures})


def fact(message_id: str = "m", **said: Any) -> MessageFact:
    return MessageFact(message_id=message_id, **said)


def test_a_message_costs_what_each_of_its_columns_does() -> None:
    told = MessageUse("m", T1, "claude-plain-1", 10_000, 40_000, 30_000, 1_000, 100, 3)
    assert told.prompt == 51_000
    assert price_messages([told, use("")], MODELS) == (
        fact(
            at=T1,
            model="claude-plain-1",
            input_tokens=10_000,
            cache_write_tokens=40_000,
            cache_read_tokens=1_000,
            output_tokens=100,
            tool_calls=3,
            cost_usd=(20_000 + 10_000 * 5 + 30_000 * 7 + 11_000 + 300) / 1_000_000,
            output_price=3,
            price_date=DAY,
        ),
        fact(at=T1, input_tokens=1),
    )


@pytest.mark.parametrize(
    ("name", "figures", "expected"),
    [
        ("claude-tiers-1", {"input": 1_000}, (0.002, 3, DAY, "up to 1,000")),
        ("claude-tiers-1", {"input": 1, "cache_read": 1_000}, (0.11002, 30, DAY, "up to 2,000")),
        ("claude-tiers-1", {"input": 1, "cache_write": 2_000}, (1.0002, 300, DAY, "over 2,000")),
        ("claude-small-1", {"input": 1_000}, (0.002, 3, DAY, "up to 1,000")),
        ("claude-small-1", {"input": 1_001}, (None, None, None, None)),
        ("claude-free-1", {}, (None, None, None, None)),
        ("claude-dateless-1", {"input": 1_000}, (0.002, 3, None, None)),
        ("claude-plain-9", {}, (None, None, None, None)),
    ],
)
def test_a_price_depends_on_the_prompt_and_is_nothing_where_none_is_published(
    name: str, figures: dict[str, int], expected: tuple[Any, ...]
) -> None:
    (told,) = price_messages([use(name, **figures)], MODELS)
    assert (told.cost_usd, told.output_price, told.price_date, told.price_tier) == expected
    assert told.model == name


# What statements add up to


def derived(*messages: MessageFact) -> list[MessageFact]:
    """What they add up to in one statement, or each in one, in either order."""
    found = derive_messages([Used(messages=messages)])
    for order in (messages, messages[::-1]):
        assert derive_messages([Used(messages=(message,)) for message in order]) == found
    return found


def test_messages_are_counted_once_and_come_by_id() -> None:
    one, other = fact("b", output_tokens=1), fact("a", output_tokens=2)
    assert derived() == []
    assert derived(one, other, one) == [other, one]


WHOLE: dict[str, Any] = {
    "at": T2,
    "model": "m1",
    "input_tokens": 5,
    "cache_write_tokens": 6,
    "cache_read_tokens": 7,
    "output_tokens": 8,
    "tool_calls": 2,
    "cost_usd": 0.5,
    "output_price": 3.0,
    "price_date": "2026-11-20",
    "price_tier": "up to 1",
}


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        ({}, {}),
        ({"at": T1}, {"at": T1}),
        ({"at": T3}, {}),
        ({"tool_calls": 3}, {"tool_calls": 3}),
        ({"input_tokens": 9}, {"input_tokens": 9}),
        ({"cache_write_tokens": 9}, {"cache_write_tokens": 9}),
        ({"cache_read_tokens": 9}, {"cache_read_tokens": 9}),
        (
            {"output_tokens": 9, "cost_usd": 0.6, "price_date": "2026-11-19", "model": "m0"},
            {
                "output_tokens": 9,
                "cost_usd": 0.6,
                "output_price": None,
                "price_date": "2026-11-19",
                "price_tier": None,
                "model": "m0",
            },
        ),
        (
            {"output_tokens": 9},
            {
                "output_tokens": 9,
                "cost_usd": None,
                "output_price": None,
                "price_date": None,
                "price_tier": None,
            },
        ),
        ({"output_tokens": 8, "cost_usd": 0.6, "model": "m2"}, {}),
        (
            {"output_tokens": 8, "cost_usd": 0.4},
            {"cost_usd": 0.4, "output_price": None, "price_date": None, "price_tier": None},
        ),
        ({"output_tokens": 8, "price_date": "2026-11-21"}, {}),
        (
            {**WHOLE, "price_date": "2026-11-21", "price_tier": None},
            {"price_date": "2026-11-21", "price_tier": None},
        ),
        ({**WHOLE, "price_date": None}, {}),
        ({**WHOLE, "price_tier": "up to 2"}, {"price_tier": "up to 2"}),
        ({**WHOLE, "price_tier": None}, {}),
        ({**WHOLE, "output_price": 4.0}, {"output_price": 4.0}),
        ({**WHOLE, "model": "m2"}, {"model": "m2"}),
        ({**WHOLE, "model": None}, {}),
    ],
)
def test_a_message_that_was_told_of_twice_is_the_fuller_one(
    other: dict[str, Any], expected: dict[str, Any]
) -> None:
    assert derived(fact(**WHOLE), fact(**other)) == [fact(**{**WHOLE, **expected})]


def test_a_message_without_a_price_stays_so() -> None:
    known = fact(output_tokens=8, model="m1")
    assert derived(known, fact(output_tokens=8)) == [known]


LAST = {"input_tokens": 5, "cache_write_tokens": 6, "cache_read_tokens": 7}


def test_the_figures_of_a_result_correct_the_output_of_the_last_message() -> None:
    told = fact("result:T", **LAST, output_tokens=108, cost_usd=9.0)
    early = fact("z", at=T1, **LAST, output_tokens=8)
    late = fact("a", at=T2, **LAST, output_tokens=8, cost_usd=0.5, output_price=2e6)
    assert derived(told, early, late) == [
        late.replaced(output_tokens=108, cost_usd=0.5 + 100 * 2),
        early,
    ]
    timeless = fact("zz", **LAST)
    assert derived(told, early, timeless) == [early.replaced(output_tokens=108), timeless]
    same = fact("zz", at=T1, **LAST)
    assert derived(told, early, same) == [early, same.replaced(output_tokens=108)]


@pytest.mark.parametrize(
    ("message", "output", "cost"),
    [
        ({"cost_usd": 0.5, "output_price": 1e6}, 9, 1.5),
        ({"cost_usd": 0.0, "output_price": 1e6}, 10, 2.0),
        ({"cost_usd": 0.5}, 9, 0.5),
        ({"output_price": 1e6}, 9, None),
        ({"cost_usd": 0.5, "output_price": 1e6}, 8, 0.5),
        ({"cost_usd": 0.5, "output_price": 1e6}, 7, 0.5),
    ],
)
def test_output_that_a_result_adds_costs_what_output_does(
    message: dict[str, Any], output: int, cost: float | None
) -> None:
    known = fact("a", **LAST, output_tokens=8, **message)
    expected = known.replaced(output_tokens=max(8, output), cost_usd=cost)
    assert derived(fact("result:T", **LAST, output_tokens=output), known) == [expected]


@pytest.mark.parametrize(
    "other",
    [
        fact("a", **{**LAST, "input_tokens": 4}),
        fact("a", **{**LAST, "cache_write_tokens": 4}),
        fact("a", **{**LAST, "cache_read_tokens": 4}),
        fact("result:S", **LAST),
    ],
)
def test_the_figures_of_a_result_stand_for_a_last_message_that_is_not_known(
    other: MessageFact,
) -> None:
    told = fact("result:T", **LAST, output_tokens=108)
    assert derived(told, other) == sorted([told, other], key=lambda each: each.message_id)


def test_a_run_that_was_cut_off_ends_with_a_message_that_called_a_tool() -> None:
    """The turn limit, an error or the user came between a call and its answer."""
    called = fact("a", at="2", **LAST, tool_calls=1)
    told = fact("result:T", **LAST, output_tokens=108)
    assert derived(told, called) == [called.replaced(output_tokens=108)]
    answered = fact("b", at="1", **LAST)  # where one ends without a call, that was the last
    assert derived(told, called, answered) == [called, answered.replaced(output_tokens=108)]


def test_figures_of_several_results_correct_each_its_message() -> None:
    one, two = fact("result:1", input_tokens=1, output_tokens=5), fact("result:2", output_tokens=6)
    assert derived(one, two, fact("a", input_tokens=1), fact("b")) == [
        fact("a", input_tokens=1, output_tokens=5),
        fact("b", output_tokens=6),
    ]


# In the database

COLUMNS = (
    "message_id, at, model, input_tokens, cache_write_tokens, cache_read_tokens, output_tokens, "
    "tool_calls, cost_usd, output_price, price_date, price_tier"
)


def make_run(record: Record, label: str, **columns: Any) -> str:
    """An execution by its label; other columns as the engine writes them."""
    with record.write():
        session = record.value("SELECT session_id FROM sessions")
        session = session or init_session(record, "scope", project="/p").session_id
        keys = [f"id:{label}", f"uid:{label}"]
        create_execution(record, keys, session_id=session, agent_type="x", source="import")
        for name, value in columns.items():
            record.execute(
                f"UPDATE agent_executions SET {name} = ?, revision = revision + 1 "
                "WHERE execution_id = ?",
                [value, label],
            )
    return label


def rebuild(record: Record, label: str, *messages: MessageFact) -> set[str]:
    with record.write():
        return usage.rebuild_usage(record, label, [Used(messages=messages)])


def test_the_rows_are_what_the_statements_add_up_to(record: Record) -> None:
    for label in ("one", "two", "other"):
        make_run(record, label)
    a, b, c = fact("a", **WHOLE), fact("b"), fact("c", output_tokens=1)
    assert rebuild(record, "one", b, a) == set()
    assert rebuild(record, "other", c) == set()
    assert rebuild(record, "two", a, c) == {"one", "other"}
    assert rebuild(record, "two", c, a) == set()

    def rows(label: str) -> list[tuple[Any, ...]]:
        return record.sql(
            f"SELECT {COLUMNS} FROM usage_messages WHERE execution_id = ? ORDER BY message_id",
            [label],
        )

    whole = ("a", T2, "m1", 5, 6, 7, 8, 2, 0.5, 3.0, "2026-11-20", "up to 1")
    assert rows("one") == [whole, ("b", None, None, 0, 0, 0, 0, 0, None, None, None, None)]
    assert rows("two") == [whole, ("c", None, None, 0, 0, 0, 1, 0, None, None, None, None)]
    assert usage.find_rivals(record, "two") == {"one", "other"}
    assert usage.find_rivals(record, "one") == {"two"}
    assert rebuild(record, "two", c) == {"other"}
    assert rows("two") == [("c", None, None, 0, 0, 0, 1, 0, None, None, None, None)]
    assert rebuild(record, "two") == set()
    assert rows("two") == []
    assert rows("one") == [whole, ("b", None, None, 0, 0, 0, 0, 0, None, None, None, None)]


def test_only_what_is_news_is_taken_from_a_statement(record: Record) -> None:
    make_run(record, "one")
    make_run(record, "two")
    known = fact("a", at=T2, output_tokens=5)
    rebuild(record, "one", known)

    def news(label: str, *messages: MessageFact) -> Used | None:
        return usage.drop_known_usage(record, label, Used(messages=messages))

    more, new = fact("a", at=T2, output_tokens=6), fact("b")
    assert news("one", known) is None
    assert news("one") is None
    assert news("one", fact("a", at=T3, output_tokens=4)) is None
    assert news("one", known, new, more) == Used(messages=(new, more))
    assert news("one", fact("a", at=T1)) == Used(messages=(fact("a", at=T1),))
    assert news("two", known) == Used(messages=(known,))


def test_a_file_is_news_where_it_was_used_earlier_than_known(record: Record) -> None:
    make_run(record, "one")
    make_run(record, "two")
    with record.write():
        record.executemany(
            "INSERT INTO execution_files VALUES (?, ?, ?, ?)",
            [
                ("one", "both", T2, T2),
                ("one", "read", T2, None),
                ("one", "written", None, T2),
                ("one", "neither", None, None),
                ("two", "new", T1, T1),
            ],
        )
    for path, read_at, written_at, is_news in [
        ("both", T2, T2, False),
        ("both", T3, T3, False),
        ("both", None, None, False),
        ("both", T1, None, True),
        ("both", None, T1, True),
        ("read", T2, None, False),
        ("read", None, T3, True),
        ("written", None, T2, False),
        ("written", T3, None, True),
        ("neither", None, None, False),
        ("neither", T3, None, True),
        ("new", T3, None, True),
        ("new", None, T3, True),
        ("new", None, None, True),
    ]:
        file = FileFact(path=path, read_at=read_at, written_at=written_at)
        told = Used(files=(file, FileFact(path="both", read_at=T2)))
        expected = Used(files=(file,)) if is_news else None
        assert usage.drop_known_usage(record, "one", told) == expected, file


def test_totals_are_those_of_all_messages_and_the_context_of_the_last(record: Record) -> None:
    make_run(record, "one")
    assert usage.sum_usage(record, "one") == {}
    priced = {"cost_usd": 0.1, "price_date": "2026-11-20", "price_tier": "up to 1"}
    first = fact("z", **{**WHOLE, **priced, "at": T1})
    last = fact(
        "a",
        at=T2,
        input_tokens=10,
        cache_write_tokens=20,
        cache_read_tokens=40,
        output_tokens=80,
        tool_calls=1,
        cost_usd=0.2,
        price_date="2026-11-21",
        price_tier="over 1",
    )
    rebuild(record, "one", first, last, fact("result:T", input_tokens=100, cost_usd=0.0, at=T1))
    assert usage.sum_usage(record, "one") == {
        "input_tokens": 115,
        "cache_write_tokens": 26,
        "cache_read_tokens": 47,
        "output_tokens": 88,
        "tool_calls": 3,
        "resolved_model": "m1",
        "context_end_tokens": 150,
        "cost_usd": 0.3,
        "price_date": "2026-11-21",
        "price_tier": "over 1 tokens of prompt: 1; up to 1 tokens of prompt: 1",
    }


def test_where_one_message_has_no_price_the_run_has_none(record: Record) -> None:
    make_run(record, "one")
    priced = {"cost_usd": 0.1234567891, "price_date": DAY, "price_tier": "up to 1"}
    rebuild(record, "one", fact("a", **priced), fact("b", at=T1, model="m2"), fact("c", at=T1))
    assert usage.sum_usage(record, "one") == {
        **dict.fromkeys(["input_tokens", "cache_write_tokens", "cache_read_tokens"], 0),
        "output_tokens": 0,
        "tool_calls": 0,
        "resolved_model": "m2",
        "context_end_tokens": 0,
        "cost_usd": None,
        "price_date": None,
        "price_tier": "up to 1 tokens of prompt: 1",
    }
    rebuild(record, "one", fact("a", **priced), fact("b", **priced), fact("c", cost_usd=0.0))
    found = usage.sum_usage(record, "one")
    assert (found["cost_usd"], found["price_date"]) == (0.24691358, DAY)
    assert found["price_tier"] == "up to 1 tokens of prompt: 2"
    assert found["resolved_model"] is None
    rebuild(record, "one", fact("a", cost_usd=0.5))
    found = usage.sum_usage(record, "one")
    assert (found["cost_usd"], found["price_date"], found["price_tier"]) == (0.5, None, None)


def test_the_figures_of_a_result_alone_are_no_totals(record: Record) -> None:
    make_run(record, "one")
    rebuild(record, "one", fact("result:T", input_tokens=100), fact("result:U"))
    assert usage.sum_usage(record, "one") == {}


def test_a_message_of_several_runs_is_counted_for_the_one_deployed_first(record: Record) -> None:
    cases: list[tuple[dict[str, Any], dict[str, Any]]] = [
        ({"deployed_at": T1, "agent_id": "b"}, {"deployed_at": T2, "agent_id": "a"}),
        ({"deployed_at": T1, "agent_id": "b"}, {"agent_id": "a"}),
        ({"deployed_at": T1}, {"deployed_at": T1, "agent_id": "a"}),
        ({"deployed_at": T1, "agent_id": "a"}, {"deployed_at": T1, "agent_id": "b"}),
        ({"agent_id": "a"}, {"agent_id": "b"}),
        ({}, {}),
    ]
    for number, (first, second) in enumerate(cases):
        later = make_run(record, f"{number}b", **second)
        sooner = make_run(record, f"{number}a", **first)
        shared = fact(f"{number}m", output_tokens=1)
        rebuild(record, sooner, shared, fact(f"{number}x", output_tokens=10))
        rebuild(record, later, shared, fact(f"{number}y", output_tokens=100))
        counted = [usage.sum_usage(record, label)["output_tokens"] for label in (sooner, later)]
        assert counted == [11, 100], (first, second)


def test_a_run_whose_messages_all_count_for_others_has_no_totals(record: Record) -> None:
    make_run(record, "one", deployed_at=T1)
    make_run(record, "copy", deployed_at=T2)
    shared = fact("m", **WHOLE)
    rebuild(record, "one", shared)
    rebuild(record, "copy", shared)
    assert usage.sum_usage(record, "copy") == {
        "input_tokens": None,
        "cache_write_tokens": None,
        "cache_read_tokens": None,
        "output_tokens": None,
        "tool_calls": None,
        "resolved_model": None,
        "context_end_tokens": None,
        "cost_usd": None,
        "price_date": None,
        "price_tier": None,
    }


def test_messages_that_called_tools_were_no_returns(record: Record) -> None:
    make_run(record, "one")
    make_run(record, "two")
    rebuild(record, "one", fact("a"), fact("b", tool_calls=1), fact("c", tool_calls=2))
    rebuild(record, "two", fact("d", tool_calls=1))
    assert usage.find_unfinished_messages(record, "one") == frozenset({"b", "c"})
