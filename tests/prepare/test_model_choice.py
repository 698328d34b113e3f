"""Which model an agent is to run on, and in which words that is told."""

from __future__ import annotations

from orch_tui.prepare.model_choice import choose_model, describe_model


def test_the_first_that_names_a_model_is_told_with_its_name() -> None:
    given = {"asked": "a", "plan": "p", "bundle": "b", "definition": "d"}
    told = []
    for name in given:
        told.append(str(choose_model(**given, session="s")))
        given = {**given, name: ""}
    told.append(str(choose_model(**given, session="s")))
    assert told == [
        *("a, as asked for", "p, from its plan", "b, from its bundle"),
        *("d, from its definition", "s, assumed"),
    ]
    inherited = choose_model(definition="inherit", session="s")
    assert str(inherited) == "s, assumed"


def test_the_model_is_the_one_that_ran() -> None:
    assert describe_model("claude-x", "sonnet", "?") == "claude-x (asked for: sonnet)"
    assert describe_model("claude-x", "claude-x", "?") == "claude-x"
    assert describe_model(None, "sonnet", "?") == "? (asked for: sonnet)"
    assert describe_model("claude-x", None, "?") == "claude-x"
    assert describe_model(None, None, "not known") == "not known"
