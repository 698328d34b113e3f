"""A template from anywhere ends, whatever it was made to compute."""

from __future__ import annotations

from typing import Any

import pytest

from orch_tui.errors import FormatError, OrchError
from orch_tui.frozen import frozen
from orch_tui.prepare import filling
from orch_tui.prepare.filling import fill_under_limits
from orch_tui.processes import own_module
from tests.variants import vary

GROWING = {
    "a list that is added to itself": "{% set n = namespace(a=[1]) %}"
    "{% for i in range(40) %}{% set n.a = n.a + n.a %}{% endfor %}{{ n.a | length }}",
    "a text that is put into itself": "{% set n = namespace(a='ab') %}"
    "{% for i in range(60) %}{% set n.a = n.a.replace('a', n.a) %}{% endfor %}",
    "a text that is joined": "{% set s = 'x' * 9999 %}{{ range(99999) | list | join(s) | length }}",
    "indentation": "{{ ('a\n' * 99999) | indent(99999) | length }}",
    "indentation of JSON": "{{ range(9999) | list | tojson(9999999) | length }}",
    "letters that stand for many": "{{ ('a' * 99999).translate({97: 'b' * 99999}) | length }}",
    "one text of any length": "{{ 'x' * 10000000000 }}",
    "a width": "{{ 'x' | center(10000000000) }}",
    "another width": "{{ '%10000000000d' | format(1) }}",
    "a macro that calls itself": "{% macro f(n) %}{{ f(n) }}{% endmacro %}{{ f(1) }}",
}
ENDLESS = {
    "loops": "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
    "a power": "{{ 9 ** (9 ** 9) }}",
    "numbers that grow": "{% set n = namespace(a=3) %}"
    "{% for i in range(99) %}{% set n.a = n.a * n.a %}{% endfor %}",
    "sums": "{% for i in range(9999) %}{{ range(99999) | sum }}{% endfor %}",
}


@pytest.mark.parametrize("kind", vary([*GROWING], always=3))
def test_what_grows_is_stopped(kind: str) -> None:
    refuse(GROWING[kind])


@pytest.mark.slow
@pytest.mark.parametrize("kind", vary([*ENDLESS], always=1))
def test_what_does_not_end_is_stopped(kind: str) -> None:
    refuse(ENDLESS[kind])


def refuse(text: str) -> None:
    with pytest.raises(FormatError, match=r"^template t\.md.*does not end") as refused:
        fill_under_limits("t.md", text, {})
    assert refused.value.hint == "it may take 1 s and 64 MiB beside what is filled in"


@frozen
class Item:
    label: str
    parts: tuple[str, ...]


def test_it_is_filled_as_it_would_be_here() -> None:
    values: dict[str, Any] = {"items": [Item("é\ud800", ("a", "b"))], "n": {"x": (1, None)}}
    text = "{% for i in items %}{{ i.label }}:{{ i.parts | join('+') }}{% endfor %}{{ n.x }}\n"
    assert fill_under_limits("t", text, values) == "é\ud800:a+b(1, None)\n"
    assert fill_under_limits("t", "{{ a }}", {"a": "<&"}, for_html=True) == "&lt;&amp;"
    long = "0123456789" * 300_000
    assert fill_under_limits("t", "{{ a }}{{ a }}", {"a": long}) == 2 * long


def test_what_is_wrong_is_told_as_it_would_be_here() -> None:
    with pytest.raises(FormatError, match=r"t\.md, line 2: unknown placeholder \{b\}$") as refused:
        fill_under_limits("t.md", "{{ a }}\n{{ b }}", {"a": 1})
    assert refused.value.hint == "known: a"


def test_whoever_allows_orch_less_memory_has_templates_filled_in_that(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    less = ["sh", "-c", 'ulimit -d 60000; exec "$@"', "sh"]
    monkeypatch.setattr(filling, "own_module", lambda name: [*less, *own_module(name)])
    assert fill_under_limits("t", "{{ a }}", {"a": 1}) == "1"


def test_a_system_that_starts_no_process_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(filling, "own_module", lambda name: ["/nowhere/python"])
    with pytest.raises(OrchError, match="template t cannot be filled: "):
        fill_under_limits("t", "{{ a }}", {"a": 1})
