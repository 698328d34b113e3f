"""A record with a session, whose rows are written into the tables as they are."""

from __future__ import annotations

import pytest

from orch_tui.models.database import Record
from orch_tui.record.opening import state_noted_changes
from tests.search.rows import put_session


@pytest.fixture
def record(record: Record) -> Record:
    """A record whose rows are what a test writes, not what statements add up to."""
    record.before_commit.remove(state_noted_changes)
    put_session(record)
    return record
