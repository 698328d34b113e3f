"""Small values that a record knows of itself."""

from __future__ import annotations

import pytest

from orch_tui.models import facts
from orch_tui.models.database import Record


def test_a_value_is_what_was_set_last(record: Record) -> None:
    assert facts.get_fact(record, "colour") is None
    with record.write():
        for value in ("red", "", "blue"):
            facts.set_fact(record, "colour", value)
            assert facts.get_fact(record, "colour") == value
        facts.set_fact(record, "other", "x")
    assert facts.get_fact(record, "colour") == "blue"


def test_the_secret_is_made_once(record: Record) -> None:
    with record.write():
        secret = facts.ensure_secret(record)
        assert facts.ensure_secret(record) == secret
    assert len(secret) == 32
    assert facts.get_fact(record, "secret") == secret.hex()


@pytest.mark.parametrize("broken", ["", "no key", "abc", " "])
def test_a_secret_that_plain_sql_broke_is_made_anew(record: Record, broken: str) -> None:
    with record.write():
        facts.set_fact(record, "secret", broken)
        secret = facts.ensure_secret(record)
        assert len(secret) == 32 and facts.ensure_secret(record) == secret
