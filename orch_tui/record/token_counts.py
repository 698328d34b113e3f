"""The record as the place where token counts are kept for ever."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from orch_tui.frozen import frozen
from orch_tui.models.database import Record
from orch_tui.models.values import whole_number

_AT_ONCE = 500
"""SHA-256s asked for in one statement; SQLite takes 32,766 parameters, older ones 999."""


@frozen
class RecordedCounts:
    """A ``CountCache`` over ``token_counts``; where the record cannot be written just now, it
    only reads."""

    record: Record

    def get_counts(self, sha256s: Sequence[str], estimator: str) -> dict[str, int]:
        found: dict[str, int] = {}
        for start in range(0, len(sha256s), _AT_ONCE):
            some = sha256s[start : start + _AT_ONCE]
            rows = self.record.sql(
                "SELECT sha256, tokens FROM token_counts WHERE estimator = ? "
                f"AND sha256 IN ({', '.join('?' * len(some))})",
                [estimator, *map(bytes.fromhex, some)],
            )
            found |= {
                sha256.hex(): count
                for sha256, tokens in rows
                if (count := whole_number(tokens)) is not None and count >= 0
            }
        return found

    def put_counts(self, estimator: str, counts: Mapping[str, int]) -> None:
        if not self.record.writable:
            return
        with self.record.in_passing(), self.record.write():
            self.record.executemany(
                "INSERT INTO token_counts (sha256, estimator, tokens) VALUES (?, ?, ?) "
                "ON CONFLICT DO NOTHING",
                [(bytes.fromhex(s), estimator, tokens) for s, tokens in counts.items()],
            )
