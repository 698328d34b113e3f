"""The report of the older script: it knows nothing but names, and claims nothing else."""

from __future__ import annotations

import pytest

from orch_tui.errors import FormatError
from orch_tui.prepare.templates import Template
from orch_tui.recall.older_report import older_report_to_dict, render_older_report

NOW = "2026-11-22T10:00:00.000Z"


def render(text: str, agents: list[str], deliverables: list[str]) -> str:
    return render_older_report(Template("own", text), agents, deliverables, NOW)


def test_the_older_keys_come_first_and_no_agent_is_said_to_have_ended() -> None:
    report = older_report_to_dict(["a", "b", "a"], ["x.py"], NOW)
    assert list(report)[:5] == [
        "timestamp",
        "agents_deployed",
        "deliverables",
        "status",
        "validation",
    ]
    assert report["agents_deployed"] == ["a", "b", "a"]
    assert report["validation"] == {"agents_count": 3, "deliverables_count": 1}
    assert report["agent_status"] == {"a": "not recorded", "b": "not recorded"}
    assert (report["timestamp"], report["status"]) == (NOW, "completed")


def test_every_placeholder_is_filled_the_unknown_ones_too() -> None:
    text = "{agent_summaries}|{deliverable_list_with_locations}|{timestamp}|{who_knows}"
    assert render(text, ["a", "b"], ["x.py"]) == (
        f"- a: not recorded\n- b: not recorded|- x.py|{NOW}|not recorded"
    )


def test_without_names_there_are_none_listed() -> None:
    text = "{agent_summaries}|{deliverable_list_with_locations}"
    assert render(text, [], []) == "- none|- none"


def test_what_is_filled_in_is_not_looked_at_again() -> None:
    assert render("{agent_summaries}", ["{timestamp}"], []) == "- {timestamp}: not recorded"


def test_a_template_that_is_wrong_is_named() -> None:
    with pytest.raises(FormatError, match="own"):
        render("{% for %}", ["a"], [])
