"""A template of either form takes no more than its values and a limit."""

from __future__ import annotations

import pytest

from orch_tui.errors import FormatError
from orch_tui.prepare.templates import Template, fill_template


def test_the_older_form_cannot_grow_without_end() -> None:
    template, values = Template("t.md", "{context}" * 90_000), {"context": "x" * 50_000}
    with pytest.raises(FormatError, match=r"^template t\.md: .*grows without end") as refused:
        fill_template(template, values)
    assert refused.value.hint == "it may take 1 s and 64 MiB beside what is filled in"


def test_a_large_value_may_be_filled_in_several_times() -> None:
    template, values = Template("t.md", "{context}" * 10), {"context": "x" * 1_000_000}
    assert len(fill_template(template, values)) == 10_000_000
