"""The words and rules that the tables and the code share."""

from __future__ import annotations

import sqlite3
from itertools import product

from orch_tui.models.values import STATES, WENT_WELL, has_succeeded


def test_what_went_well_is_one_rule_in_sql_and_in_python() -> None:
    connection = sqlite3.connect(":memory:")
    outcomes = {}
    for told in product((None, *STATES), (None, False, True), (None, "cut off")):
        query = f"SELECT {WENT_WELL} FROM (SELECT ? AS status, ? AS success, ? AS unverified)"
        ((in_sql,),) = connection.execute(query, told)
        outcomes[told] = has_succeeded(*told)
        assert in_sql == outcomes[told], told
    connection.close()
    assert {key for key, went_well in outcomes.items() if went_well} == {
        ("completed", None, None),
        ("completed", True, None),
        ("failed", True, None),
        ("failed", True, "cut off"),
    }
    assert {
        told
        for told, went_well in outcomes.items()
        if went_well is None and told[0] not in (None, "deployed")
    } == {
        ("completed", None, "cut off"),
        ("completed", True, "cut off"),
        ("failed", None, "cut off"),
        ("failed", False, "cut off"),
    }
