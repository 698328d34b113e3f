"""Patterns that are compiled when they are first used."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orch_tui.record.ledger import doubt
from orch_tui.record.messages import (
    findings,
    message_checks,
    message_insights,
    message_paths,
    path_claims,
    path_forms,
    work_reports,
)
from orch_tui.record.messages.patterns import _Uncompiled, compile_lazily, holds_any


def test_a_lazy_pattern_does_what_a_compiled_one_does() -> None:
    lazy = compile_lazily(r"(?P<word>b+)", re.I)
    found = lazy.search("aBBc")
    assert found and (found["word"], lazy.pattern) == ("BB", r"(?P<word>b+)")
    assert lazy.sub("-", "abBa") == "a-a"
    with pytest.raises(AttributeError):
        getattr(lazy, "nothing")  # noqa: B009


def test_a_mistake_in_a_lazy_pattern_shows_when_it_is_used() -> None:
    wrong = compile_lazily("(")
    with pytest.raises(re.error):
        wrong.search("")


MODULES = (
    *(findings, message_checks, message_insights, message_paths, path_claims, path_forms),
    *(work_reports, doubt),
)
PATTERNS = {
    f"{module.__name__}.{name}": value
    for module in MODULES
    for name, value in vars(module).items()
    if isinstance(value, _Uncompiled)
}


def test_every_pattern_compiles() -> None:
    """They are compiled when they are first used, which may be never in a test."""
    assert len(PATTERNS) > 60
    compiled = {re.compile(each._text, each._flags) for each in PATTERNS.values()}
    assert {type(each) for each in compiled} == {re.Pattern}


def test_a_text_that_cannot_match_compiles_nothing() -> None:
    lazy = compile_lazily("(broken", where=holds_any("now", "then"))
    assert lazy.search("not yet") is None and lazy.sub("-", "later") == "later"
    with pytest.raises(re.error):
        lazy.search("NOW")


@pytest.mark.parametrize("name", [n for n, each in PATTERNS.items() if callable(each._where)])
@given(st.data())
def test_a_pattern_is_looked_for_wherever_it_is(name: str, data: st.DataObject) -> None:
    lazy = PATTERNS[name]
    assert callable(lazy._where)
    text = data.draw(st.from_regex(re.compile(lazy._text, lazy._flags)))
    assert lazy._where(text), text
