"""Reading lists of any length: their keys at once, their rows block by block."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from orch_tui.models.database import Record, Row

BLOCK = 500
"""Rows that are in memory at once."""


def read_in_blocks(record: Record, keys: Sequence[int], statement: str) -> Iterator[Row]:
    """Read the rows of keys, in that order.

    ``statement`` selects those whose ``key``, a column of the result, is among the values of the
    JSON array that is its parameter. No transaction lasts while somebody reads page by page what
    is printed; what was deleted meanwhile is left out.
    """
    for start in range(0, len(keys), BLOCK):
        block = keys[start : start + BLOCK]
        rows = {row.pop("key"): row for row in record.rows(statement, [json.dumps(block)])}
        yield from (rows[key] for key in block if key in rows)
