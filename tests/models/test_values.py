"""The words and rules that the tables and the code share."""

from __future__ import annotations

import sqlite3
from itertools import product

from orch_tui.models.values import STATES, WENT_WELL, has_succeeded


def test_what_went_well_is_one_rule_in_sql_and_in_python() -> None:
    connection = sqlite3.connect(":memory:")
    outcomes = {}
    for status, success in product((None, *STATES), (None, False, True)):
        query = f"SELECT {WENT_WELL} FROM (SELECT ? AS status, ? AS success)"
        ((in_sql,),) = connection.execute(query, [status, success])
        outcomes[status, success] = has_succeeded(status, success)
        assert in_sql == outcomes[status, success], (status, success)
    connection.close()
    assert {key for key, went_well in outcomes.items() if went_well} == {
        ("completed", None),
        ("completed", True),
        ("failed", True),
    }
    assert {status for (status, _), went_well in outcomes.items() if went_well is None} == {
        None,
        "deployed",
    }
