"""Templates in Jinja2 that came with orch are filled in this process."""

from __future__ import annotations

import pytest

from orch_tui.errors import FormatError
from orch_tui.prepare import filling
from orch_tui.prepare.jinja_templates import fill_jinja
from orch_tui.prepare.templates import fill_template, load_template


def test_what_a_template_asks_after_may_be_missing() -> None:
    assert fill_jinja("t", "{{ x | default('none') }}{{ y is defined }}", {}) == "noneFalse"


@pytest.mark.parametrize(
    "text",
    ["{{ a\n.nope }}", "{{ a }}\n{% for %}", "\n{{ b }}", "\n{{ a.__class__ }}", "\n{{ a % 'x' }}"],
)
def test_what_is_wrong_is_named_with_its_line(text: str) -> None:
    with pytest.raises(FormatError, match=r"^template t, line [12]: "):
        fill_jinja("t", text, {"a": "A"})


def test_only_what_came_with_orch_is_filled_here(monkeypatch: pytest.MonkeyPatch) -> None:
    own = load_template("synthesis.md.j2")
    assert own.is_own
    asked: list[str] = []

    def fill_elsewhere(name: str, text: str, values: object, *, for_html: bool) -> str:
        asked.append(text)
        return ""

    monkeypatch.setattr(filling, "fill_under_limits", fill_elsewhere)
    with pytest.raises(FormatError, match="unknown placeholder"):
        fill_template(own, {})
    assert not asked
    changed = type(own)(own.name, f"{own.text} ")
    assert fill_template(changed, {}) == ""
    assert asked == [changed.text]
