"""Patterns that are compiled when they are first used."""

from __future__ import annotations

import re

import pytest

from orch_tui.record.ledger import doubt
from orch_tui.record.messages import (
    findings,
    message_checks,
    message_paths,
    path_claims,
    path_forms,
)
from orch_tui.record.messages.patterns import _Uncompiled, compile_lazily


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


def test_every_pattern_compiles() -> None:
    """They are compiled when they are first used, which may be never in a test."""
    found = [
        value
        for module in (findings, message_checks, message_paths, path_claims, path_forms, doubt)
        for value in vars(module).values()
        if isinstance(value, _Uncompiled)
    ]
    assert len(found) > 30
    assert {type(re.compile(each._text, each._flags)) for each in found} == {re.Pattern}
