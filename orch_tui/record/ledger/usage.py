"""What runs used: each model message counted once in the whole record, with what it cost.

The rows of ``usage_messages`` are facts that only grow: a message heard of again adds nothing, or
the rest of its output. Every column derived from them is worked out anew by ``totals``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from typing import TYPE_CHECKING, Any

from orch_tui.models.database import Record, in_list

if TYPE_CHECKING:
    from orch_tui.prepare.catalogue import Catalogue, Model

RESULT = "result:"
"""Begins the id of a last message that only the figures of a result tell of."""

GROWS = (
    "ON CONFLICT (message_id, execution_id) DO UPDATE SET "
    "at = min(coalesce(at, excluded.at), coalesce(excluded.at, at)), "
    "tool_calls = max(tool_calls, excluded.tool_calls), "
    # grows with the output alone: a price list of another day does not change what was paid
    "cost_usd = iif(excluded.output_tokens > output_tokens OR cost_usd IS NULL, "
    "excluded.cost_usd, cost_usd), "
    "output_tokens = max(output_tokens, excluded.output_tokens)"
)
"""What becomes of a message that is told of again, the end of an INSERT."""


@dataclass(frozen=True, slots=True)
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


def put(
    record: Record, execution_id: str, uses: Iterable[MessageUse], catalogue: Catalogue
) -> None:
    """Store what is told of an execution's messages, inside the caller's transaction."""
    models = cache(catalogue.model)  # finding an unlisted name's relatives takes a while
    record.executemany(
        f"INSERT INTO usage_messages VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) {GROWS}",
        [
            (*_row(use, execution_id), *_priced(use, models(use.model) if use.model else None))
            for use in uses
        ],
    )
    correct(record, execution_id)


def _row(use: MessageUse, execution_id: str) -> tuple[Any, ...]:
    return (
        use.message_id,
        execution_id,
        use.at,
        use.model or None,
        use.input,
        use.cache_write,
        use.cache_read,
        use.output,
        use.tool_calls,
    )


def _priced(use: MessageUse, model: Model | None) -> tuple[Any, ...]:
    """cost_usd, output_price, price_date, price_tier; nothing where no price is published."""
    price = model and not model.assumed and model.price(use.prompt)
    if not model or not price:
        return None, None, None, None
    cost = (
        use.input * price.input
        + (use.cache_write - use.cache_write_1h) * price.cache_write_5m
        + use.cache_write_1h * price.cache_write_1h
        + use.cache_read * price.cache_read
        + use.output * price.output
    ) / 1_000_000
    return cost, price.output, model.date or None, _tier(model, use.prompt)


def _tier(model: Model, prompt: int) -> str | None:
    """Which of a model's several prices is meant."""
    bounds = [price.up_to for price in model.prices if price.up_to is not None]
    if not bounds:
        return None
    fitting = [bound for bound in bounds if prompt <= bound]
    return f"up to {fitting[0]:,}" if fitting else f"over {bounds[-1]:,}"


def correct(record: Record, execution_id: str) -> None:
    """Give a last message the output its result tells of, where both are known.

    Up to Claude Code 2.1.96 a subagent's transcript has a placeholder for the output of its
    messages; the result of the run has the last one's real figure.
    """
    for told, output in record.sql(
        "SELECT message_id, output_tokens FROM usage_messages "
        "WHERE execution_id = ? AND message_id >= ? AND message_id < ?",
        [execution_id, RESULT, RESULT + "~"],
    ):
        message_id = record.value(
            "SELECT m.message_id FROM usage_messages AS m JOIN usage_messages AS r "
            "ON r.message_id = ? AND r.execution_id = m.execution_id "
            "WHERE m.execution_id = ? AND m.message_id NOT LIKE ? AND m.tool_calls = 0 "
            "AND (m.input_tokens, m.cache_write_tokens, m.cache_read_tokens) = "
            "(r.input_tokens, r.cache_write_tokens, r.cache_read_tokens) "
            "ORDER BY m.at DESC LIMIT 1",
            [told, execution_id, RESULT + "%"],
        )
        if message_id is None:
            continue
        record.execute(
            "UPDATE usage_messages SET output_tokens = ?1, "
            "cost_usd = cost_usd + (?1 - output_tokens) * output_price / 1e6 "
            "WHERE message_id = ?2 AND execution_id = ?3 AND output_tokens < ?1",
            [output, message_id, execution_id],
        )
        record.execute(
            "DELETE FROM usage_messages WHERE message_id = ? AND execution_id = ?",
            [told, execution_id],
        )


def rivals(record: Record, message_ids: Sequence[str], execution_id: str) -> set[str]:
    """Other executions that claim any of these messages: their totals may have changed."""
    found: set[str] = set()
    for start in range(0, len(message_ids), 500):
        listed, parameters = in_list(message_ids[start : start + 500])
        found |= {
            other
            for (other,) in record.sql(
                f"SELECT DISTINCT execution_id FROM usage_messages WHERE message_id IN {listed} "
                "AND execution_id <> ?",
                [*parameters, execution_id],
            )
        }
    return found


_COUNTED = """SELECT message_id, model, input_tokens, cache_write_tokens, cache_read_tokens,
  output_tokens, tool_calls, cost_usd, price_date, price_tier
FROM usage_messages AS m WHERE execution_id = ?1 AND NOT EXISTS (
  SELECT 1 FROM usage_messages AS other
  JOIN agent_executions AS its ON its.execution_id = other.execution_id
  JOIN agent_executions AS mine ON mine.execution_id = ?1
  WHERE other.message_id = m.message_id AND other.execution_id <> ?1
  AND (coalesce(its.deployed_at, '~'), coalesce(its.agent_id, ''), its.execution_id)
    < (coalesce(mine.deployed_at, '~'), coalesce(mine.agent_id, ''), ?1))
ORDER BY at, message_id"""
"""A message that several executions claim is counted for the one deployed first."""


def totals(record: Record, execution_id: str) -> dict[str, Any]:
    """The columns of an execution that its messages add up to; empty where none is known.

    Figures of a result alone are those of the last request, not of the run: they count only
    beside messages of the same run.
    """
    rows = record.rows(_COUNTED, [execution_id])
    if all(row["message_id"].startswith(RESULT) for row in rows):
        return {}
    costs = [row["cost_usd"] for row in rows]
    dates = [row["price_date"] for row in rows if row["price_date"]]
    last = rows[-1]
    columns = ("input_tokens", "cache_write_tokens", "cache_read_tokens", "output_tokens")
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


def unfinished(record: Record, execution_id: str) -> frozenset[str]:
    """Messages that went on to call tools: whatever they said was not what the run returned."""
    return frozenset(
        message_id
        for (message_id,) in record.sql(
            "SELECT message_id FROM usage_messages WHERE execution_id = ? AND tool_calls > 0",
            [execution_id],
        )
    )


def unite(record: Record, keeper: str, absorbed: str) -> None:
    """Give the messages of one execution to another that turned out to be the same run."""
    record.execute(
        "INSERT INTO usage_messages SELECT message_id, ?, at, model, input_tokens, "
        "cache_write_tokens, cache_read_tokens, output_tokens, tool_calls, cost_usd, "
        "output_price, price_date, price_tier FROM usage_messages WHERE execution_id = ? "
        f"{GROWS}",
        [keeper, absorbed],
    )
    record.execute("DELETE FROM usage_messages WHERE execution_id = ?", [absorbed])
    correct(record, keeper)
