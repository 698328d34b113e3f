"""Reading lists of any length: their keys at once, their rows block by block."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

from orch_tui.models.database import Record, Row

BLOCK = 200
"""Rows that are in memory at once."""


def select_keys(
    record: Record, statement: str, parameters: Sequence[Any], limit: int = -1
) -> Iterator[int]:
    """Select keys by a statement that ends with ``LIMIT ?``: those of the first block at once, the
    others when they are asked for."""
    few = BLOCK if limit < 0 else min(limit, BLOCK)
    first = [key for (key,) in record.sql(statement, [*parameters, few])]
    yield from first
    if len(first) == BLOCK and limit != BLOCK:
        shown = {*first}
        keys = record.sql(statement, [*parameters, limit])
        rest = (key for (key,) in keys if key not in shown)
        yield from rest if limit < 0 else islice(rest, limit - BLOCK)  # rows may have come


def read_in_blocks(record: Record, keys: Iterable[int], statement: str) -> Iterator[Row]:
    """Read the rows of keys, in that order.

    ``statement`` selects those whose ``key``, a column of the result, is among the values of the
    JSON array that is its parameter. No transaction lasts while somebody reads page by page what
    is printed; what was deleted meanwhile is left out.
    """
    rest = iter(keys)
    while block := list(islice(rest, BLOCK)):
        rows = {row.pop("key"): row for row in record.rows(statement, [json.dumps(block)])}
        yield from (rows[key] for key in block if key in rows)
