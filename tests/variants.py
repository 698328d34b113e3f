"""The same in several variants: some always, the others when wide."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from _pytest.mark import ParameterSet


def vary(values: Iterable[object], *, always: int = 1) -> list[ParameterSet]:
    """Take the first of the values always, and the others when wide.

    ``values``: for one name each, or a ``pytest.param`` for several. ``always``: so many.
    """
    varied = []
    for number, value in enumerate(values):
        given = value if isinstance(value, ParameterSet) else pytest.param(value)
        marks = given.marks if number < always else (*given.marks, pytest.mark.wide)
        varied.append(pytest.param(*given.values, id=given.id, marks=marks))
    return varied
