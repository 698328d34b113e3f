"""Rows for the index, written into the tables as they are."""

from __future__ import annotations

import pytest

from orch_tui.models.database import Record
from orch_tui.record.opening import settle_noted_changes


@pytest.fixture
def record(record: Record) -> Record:
    """A record whose rows are what a test writes, not what statements add up to."""
    record.before_commit.remove(settle_noted_changes)
    return record
