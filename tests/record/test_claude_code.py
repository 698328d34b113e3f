"""What Claude Code calls its agents, and what the record makes of it."""

from __future__ import annotations

import pytest

from orch_tui.record.claude_code import (
    agent_key,
    describe_failure,
    is_internal,
    name_of_agent,
    nameless_call_key,
    tool_key,
)


def test_a_key_names_an_agent_in_its_session_and_a_call_alone() -> None:
    assert agent_key("S", "a1") == "agent:S/a1"
    assert tool_key("T") == "tool:T"


def test_a_call_without_an_id_is_known_by_session_and_prompt() -> None:
    keys = {nameless_call_key(*each) for each in (("S", "a"), ("S", "b"), ("R", "a"), ("S", "a "))}
    assert len(keys) == 4
    assert nameless_call_key("S", "a") == "call:S/ca978112ca1bbdca"
    assert nameless_call_key("S", "\ud800") == nameless_call_key("S", "?")


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("Error: no such agent\n", "no such agent"),
        ("no such agent", "no such agent"),
        ("Error: Error: twice", "Error: twice"),
        ("[Request interrupted by user for tool use]", "interrupted by the user"),
        ("\n[Request interrupted by user]", "interrupted by the user"),
        ("x" * 2001, "x" * 2000),
        ("", "the call of the agent failed"),
        (" \n", "the call of the agent failed"),
    ],
)
def test_a_failure_is_told_in_its_own_words(reason: str, words: str) -> None:
    assert describe_failure(reason) == words


@pytest.mark.parametrize(
    ("agent_id", "internal", "name"),
    [
        ("acompact-fffbd0", True, None),
        ("aprompt_suggestion-1", True, None),
        ("acompact-0123456789abcdef", True, None),
        ("acompact", False, None),
        ("xacompact-1", False, None),
        ("a0123456789abcdef", False, None),
        ("aann-0123456789abcdef", False, "ann"),
        ("amy-friend-0123456789abcdef", False, "my-friend"),
        ("aann-0123456789abcde", False, None),
        ("aann-0123456789abcdeg", False, None),
        ("ann-0123456789abcdef", False, "nn"),
        ("a-0123456789abcdef", False, None),
        ("a" + "x" * 200 + "-0123456789abcdef", False, "x" * 200),
        ("a" + "x" * 201 + "-0123456789abcdef", False, None),
        ("", False, None),
    ],
)
def test_an_id_tells_whose_agent_it_is(agent_id: str, internal: bool, name: str | None) -> None:
    assert is_internal(agent_id) == internal
    assert name_of_agent(agent_id) == name
