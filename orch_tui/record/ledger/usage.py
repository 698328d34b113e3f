"""What runs used: each model message counted once in the whole record, with what it cost.

The rows of ``usage_messages`` are what the statements of kind ``used`` add up to; every column
derived from them is worked out anew by ``sum_usage``.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from itertools import groupby
from typing import TYPE_CHECKING, Any

from orch_tui.frozen import frozen
from orch_tui.models.database import Record
from orch_tui.record.ledger.statement import MessageFact

if TYPE_CHECKING:
    from orch_tui.prepare.catalogue import Catalogue, Model
    from orch_tui.record.ledger.statement import Used

RESULT = "result:"
"""Begins the id of a last message that only the figures of a result tell of."""


@frozen
class MessageUse:
    """One model message and its usage, in tokens."""

    message_id: str
    at: str
    model: str
    input: int
    cache_write: int
    cache_write_1h: int
    """Of ``cache_write``, what was written for an hour and costs more."""
    cache_read: int
    output: int
    tool_calls: int = 0

    @property
    def prompt(self) -> int:
        """Tokens of the request, cached or not: what prices depend on."""
        return self.input + self.cache_write + self.cache_read


def price_messages(uses: Iterable[MessageUse], catalogue: Catalogue) -> tuple[MessageFact, ...]:
    """Price the messages that a transcript tells of, at today's prices."""
    models = cache(catalogue.model_that_ran)  # finding an unlisted name's relatives takes a while
    return tuple(_message_fact(use, models(use.model) if use.model else None) for use in uses)


def _message_fact(use: MessageUse, model: Model | None) -> MessageFact:
    cost, output_price, price_date, price_tier = _priced(use, model)
    return MessageFact(
        message_id=use.message_id,
        at=use.at,
        model=use.model or None,
        input_tokens=use.input,
        cache_write_tokens=use.cache_write,
        cache_read_tokens=use.cache_read,
        output_tokens=use.output,
        tool_calls=use.tool_calls,
        cost_usd=cost,
        output_price=output_price,
        price_date=price_date,
        price_tier=price_tier,
    )


def _priced(use: MessageUse, model: Model | None) -> tuple[Any, ...]:
    """cost_usd, output_price, price_date, price_tier; nothing where no price is published."""
    if model is None or model.assumed:
        return _UNPRICED
    price = model.price(use.prompt)
    if price is None:
        return _UNPRICED
    cost = (
        use.input * price.input
        + (use.cache_write - use.cache_write_1h) * price.cache_write_5m
        + use.cache_write_1h * price.cache_write_1h
        + use.cache_read * price.cache_read
        + use.output * price.output
    ) / 1_000_000
    return cost, price.output, model.date or None, _tier(model, use.prompt)


_UNPRICED = (None, None, None, None)


def _tier(model: Model, prompt: int) -> str | None:
    """Find which of a model's prices a request of that size has."""
    bounds = [price.up_to for price in model.prices if price.up_to is not None]
    if not bounds:
        return None
    fitting = [bound for bound in bounds if prompt <= bound]
    return f"up to {fitting[0]:,}" if fitting else f"over {bounds[-1]:,}"


def derive_messages(uses: Iterable[Used]) -> list[MessageFact]:
    """Add up statements about one run to its messages, each once, by id.

    A message heard of again adds nothing, or the rest of its output; a price list of another day
    does not change what was paid. Up to Claude Code 2.1.96 a subagent's transcript has a
    placeholder for the output of its messages; the result of the run has the last one's real
    figure, and stands for it until that message is known.
    """
    held: dict[str, MessageFact] = {}
    for message in (message for used in uses for message in used.messages):
        known = held.get(message.message_id)
        held[message.message_id] = _joined(known, message) if known else message
    for name in sorted(name for name in held if name.startswith(RESULT)):
        told = held[name]
        same = [m for m in held.values() if _is_same_request(m, told)]
        if same:
            # a run that was cut off (turn limit, error) ends with one that called tools
            last = max(same, key=lambda m: (m.tool_calls == 0, m.at or "", m.message_id))
            held[last.message_id] = _with_output(last, told.output_tokens)
            del held[name]
    return [held[name] for name in sorted(held)]


def _joined(one: MessageFact, other: MessageFact) -> MessageFact:
    """Join two reports of one message, whichever came first."""
    fuller, lesser = sorted((one, other), key=_fullness, reverse=True)
    return MessageFact(
        message_id=fuller.message_id,
        at=min((at for at in (one.at, other.at) if at), default=None),
        model=fuller.model or lesser.model,
        input_tokens=max(one.input_tokens, other.input_tokens),
        cache_write_tokens=max(one.cache_write_tokens, other.cache_write_tokens),
        cache_read_tokens=max(one.cache_read_tokens, other.cache_read_tokens),
        output_tokens=fuller.output_tokens,
        tool_calls=max(one.tool_calls, other.tool_calls),
        cost_usd=fuller.cost_usd,
        output_price=fuller.output_price,
        price_date=fuller.price_date,
        price_tier=fuller.price_tier,
    )


def _fullness(message: MessageFact) -> tuple[Any, ...]:
    cost = message.cost_usd
    return (
        *(message.output_tokens, cost is not None, -(cost or 0.0), message.price_date or ""),
        *(message.price_tier or "", message.output_price or 0.0, message.model or ""),
    )


def _is_same_request(message: MessageFact, told: MessageFact) -> bool:
    columns = ("input_tokens", "cache_write_tokens", "cache_read_tokens")
    return not message.message_id.startswith(RESULT) and all(
        getattr(message, column) == getattr(told, column) for column in columns
    )


def _with_output(message: MessageFact, output: int) -> MessageFact:
    more = output - message.output_tokens
    if more <= 0:
        return message
    cost, price = message.cost_usd, message.output_price
    if cost is not None and price is not None:
        cost += more * price / 1e6
    return message.replaced(output_tokens=output, cost_usd=cost)


def rebuild_usage(record: Record, execution_id: str, uses: Iterable[Used]) -> set[str]:
    """Bring the messages of an execution in line with its statements; gives the other executions
    whose totals change with them."""
    columns = ", ".join(MessageFact.shape)
    wanted = [message.row() for message in derive_messages(uses)]
    held = record.sql(
        f"SELECT {columns} FROM usage_messages WHERE execution_id = ? ORDER BY message_id",
        [execution_id],
    )
    if held == wanted:
        return set()
    record.execute("DELETE FROM usage_messages WHERE execution_id = ?", [execution_id])
    record.executemany(
        f"INSERT INTO usage_messages (execution_id, {columns}) "
        f"VALUES (?{', ?' * len(MessageFact.shape)})",
        [(execution_id, *row) for row in wanted],
    )
    return find_rivals(record, execution_id)


def drop_known_usage(record: Record, execution_id: str, used: Used) -> Used | None:
    """Drop what an execution has already from a statement; None where nothing is left.

    A transcript that is read on from where it was left tells its last message again.
    """
    columns = ", ".join(MessageFact.shape)
    held = {
        row[0]: MessageFact.of(row)
        for row in record.sql(
            f"SELECT {columns} FROM usage_messages WHERE execution_id = ?", [execution_id]
        )
    }
    messages = tuple(
        message
        for message in used.messages
        if message.message_id not in held
        or _joined(held[message.message_id], message) != held[message.message_id]
    )
    times = {
        path: (read_at or "~", written_at or "~")
        for path, read_at, written_at in record.sql(
            "SELECT path, read_at, written_at FROM execution_files WHERE execution_id = ?",
            [execution_id],
        )
    }
    files = tuple(
        file
        for file in used.files
        if (file.read_at or "~") < times.get(file.path, ("~~", "~~"))[0]
        or (file.written_at or "~") < times.get(file.path, ("~~", "~~"))[1]
    )
    if not messages and not files:
        return None
    return used.replaced(messages=messages, files=files)


def find_rivals(record: Record, execution_id: str) -> set[str]:
    """Other executions that claim messages of this one: their totals may have changed."""
    return {
        other
        for (other,) in record.sql(
            "SELECT DISTINCT other.execution_id FROM usage_messages AS mine "
            "JOIN usage_messages AS other USING (message_id) "
            "WHERE mine.execution_id = ?1 AND other.execution_id <> ?1",
            [execution_id],
        )
    }


_COUNTED = """SELECT message_id, model, input_tokens, cache_write_tokens, cache_read_tokens,
  output_tokens, tool_calls, cost_usd, price_date, price_tier
FROM usage_messages AS m WHERE execution_id = ?1 AND NOT EXISTS (
  SELECT 1 FROM usage_messages AS other
  JOIN agent_executions AS its ON its.execution_id = other.execution_id
  JOIN agent_executions AS mine ON mine.execution_id = ?1
  WHERE other.message_id = m.message_id AND other.execution_id <> ?1
  AND (coalesce(its.deployed_at, '~'), coalesce(its.agent_id, ''), its.uid)
    < (coalesce(mine.deployed_at, '~'), coalesce(mine.agent_id, ''), mine.uid))
ORDER BY at, message_id"""
"""A message that several executions claim is counted for the one deployed first."""


_OTHERS = (
    *("tool_calls", "resolved_model", "context_end_tokens"),
    *("cost_usd", "price_date", "price_tier"),
)


def sum_usage(record: Record, execution_id: str) -> dict[str, Any]:
    """The columns of an execution that its messages add up to; empty where none is known, and None
    where all of them count for other executions.

    Figures of a result alone are those of the last request, not of the run: they count only
    beside messages of the same run.
    """
    rows = record.rows(_COUNTED, [execution_id])
    columns = ("input_tokens", "cache_write_tokens", "cache_read_tokens", "output_tokens")
    if not rows and record.value(
        "SELECT 1 FROM usage_messages WHERE execution_id = ?", [execution_id]
    ):
        return dict.fromkeys((*columns, *_OTHERS))
    if all(row["message_id"].startswith(RESULT) for row in rows):
        return {}
    costs = [row["cost_usd"] for row in rows]
    dates = [row["price_date"] for row in rows if row["price_date"]]
    last = rows[-1]
    return {
        **{column: sum(row[column] for row in rows) for column in columns},
        "tool_calls": sum(row["tool_calls"] for row in rows),
        "resolved_model": next((row["model"] for row in reversed(rows) if row["model"]), None),
        "context_end_tokens": sum(last[column] for column in columns),
        "cost_usd": None if None in costs else round(sum(costs), 8),
        "price_date": None if None in costs else max(dates, default=None),
        "price_tier": _tiers([row["price_tier"] for row in rows]),
    }


def _tiers(tiers: list[str | None]) -> str | None:
    named = sorted(tier for tier in tiers if tier)
    counted = [f"{tier} tokens of prompt: {len(list(same))}" for tier, same in groupby(named)]
    return "; ".join(counted) or None


def find_unfinished_messages(record: Record, execution_id: str) -> frozenset[str]:
    """Messages that went on to call tools: whatever they said was not what the run returned."""
    return frozenset(
        message_id
        for (message_id,) in record.sql(
            "SELECT message_id FROM usage_messages WHERE execution_id = ? AND tool_calls > 0",
            [execution_id],
        )
    )
