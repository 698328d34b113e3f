"""What agents are handed besides files: shipped figures, learned ones, and what neither tells."""

from __future__ import annotations

from typing import Any

import pytest

from orch_tui.prepare.agent_types import BUILT_IN_AGENTS
from orch_tui.prepare.count import FAMILIES, Count
from orch_tui.prepare.frontmatter import parse_frontmatter
from orch_tui.prepare.handed_parts import (
    HEADLESS,
    TERMINAL,
    HandedFigure,
    count_headings,
    find_handed_parts,
    find_lacking_tools,
)


def names(agent_type: str, definition: str | None = None, **given: object) -> dict[str, int]:
    front = None if definition is None else parse_frontmatter(f"---\n{definition}\n---\nBody")
    found = find_handed_parts(agent_type, "v4.8", definition=front, **given)  # type: ignore[arg-type]
    return {part.name: part.count.tokens for part in found.parts}


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("agent_type", sorted(BUILT_IN_AGENTS.keys() - {"fork"}))
def test_every_built_in_type_has_figures_in_every_family(agent_type: str, family: str) -> None:
    found = find_handed_parts(agent_type, family, in_git=True)
    assert {"system prompt", "notes", "tools", "environment"} <= {part.name for part in found.parts}
    assert found.total.low < found.total.tokens < found.total.high
    assert all(part.count.estimator.startswith(f"claude-{family}") for part in found.parts)
    assert "not seen here yet" in found.parts[0].why and found.unknown == ()


@pytest.mark.parametrize("agent_type", ["", "fork", "nobody", "plugin:agent"])
def test_nothing_is_made_up(agent_type: str) -> None:
    assert names(agent_type, in_git=True) == {}


def test_an_encoding_of_others_has_no_figures() -> None:
    assert find_handed_parts("Plan", "o200k_base").parts == ()


def test_where_there_is_no_git_nobody_is_told_its_status() -> None:
    assert "git status" in names("claude", in_git=True)
    assert "git status" not in names("claude")
    assert "git status" not in names("Explore", in_git=True)


def test_an_agent_of_a_file_has_the_tools_it_names() -> None:
    read = names("a", "tools: Read")
    both = names("a", "tools: Read, Write")
    assert set(read) == {"notes", "environment", "tools"}
    assert read["tools"] < both["tools"] < names("a", "")["tools"]
    assert both == names("a", "tools: [Read, Write, Bash(git:*)]\ndisallowedTools: Bash")
    assert {"skills list"} == names("a", "tools: Read, Skill").keys() - read.keys()
    assert {"skills list", "deferred tools"} <= names("a", "model: opus").keys()


def test_tools_that_can_be_searched_for_are_only_named() -> None:
    direct = names("a", "tools: Read, WebFetch, Monitor")["tools"]
    searched = names("a", "tools: Read, WebFetch, Monitor, ToolSearch")
    assert searched["tools"] < direct and "deferred tools" in searched


def test_a_memory_comes_with_instructions() -> None:
    assert names("a", "tools: Read\nmemory: project")["memory instructions"] > 2000


def test_tools_the_client_lacks_are_named_and_servers_are_unknown() -> None:
    front = parse_frontmatter("---\ntools: Read, TodoWrite, Task(x), mcp__db__query\n---\n")
    found = find_handed_parts("a", "v4.8", definition=front)
    assert find_lacking_tools(front) == ["TodoWrite"]
    assert found.unknown == ("the definition of mcp__db__query",)


def test_tools_to_search_files_are_given_where_a_shell_is_not() -> None:
    read = names("a", "tools: Read")["tools"]
    assert names("a", "tools: Read, Grep, Glob")["tools"] == read + 1269 + 270
    with_shell = "tools: Read, Grep, Glob, Bash"
    assert names("a", with_shell) == names("a", "tools: Read, Bash")
    front = parse_frontmatter(f"---\n{with_shell}\n---\n")
    assert find_lacking_tools(front) == ["Grep", "Glob"]
    assert names("a", f"{with_shell}\ndisallowedTools: Bash") == names(
        "a", "tools: Read, Grep, Glob"
    )


def test_a_search_for_tools_is_given_where_there_are_some_to_find() -> None:
    assert names("a", "tools: Read, ToolSearch") == names("a", "tools: Read")
    assert find_lacking_tools(parse_frontmatter("---\ntools: Read, ToolSearch\n---\n")) == []


def test_tools_have_the_names_of_before() -> None:
    assert names("a", "tools: Read, KillShell") == names("a", "tools: Read, TaskStop")


def test_of_all_tools_those_that_are_denied_are_none() -> None:
    every = names("a", "model: opus")
    fewer = names("a", "disallowedTools: Write, Bash, Monitor")
    assert every["tools"] - fewer["tools"] == 229 + 1198
    assert every.keys() - fewer.keys() == {"attribution"}


def test_agents_on_haiku_are_told_what_they_have_left() -> None:
    assert names("a", "model: haiku")["notes"] == names("a", "model: opus")["notes"] + 23


def test_what_a_run_taught_goes_before_the_table() -> None:
    def figure(version: str, entrypoint: str, part: str, tokens: int) -> HandedFigure:
        return HandedFigure("a", entrypoint, version, part, tokens)

    learned = [
        figure("2.1.99", "cli", "tools", 1),
        figure("2.1.100", "cli", "tools", 2),
        figure("2.1.100", "cli", "system prompt", 3),
        figure("2.1.101", "sdk-cli", "tools", 4),
        HandedFigure("b", "cli", "2.1.200", "tools", 5),
    ]
    assert names("a", learned=learned) == {"tools": 2, "system prompt": 3}
    assert names("a", "tools: Read", learned=learned) == {"tools": 2}, "its body is in the file"
    assert names("a", learned=learned[3:]) == {"tools": 4}, "better than nothing"
    (part, _) = find_handed_parts("a", "v4.8", learned=learned).parts
    assert (part.why, part.client_version) == ("learned from a run here", "2.1.100")


def count(agent_type: str, part: str, entrypoint: str | None, **given: Any) -> Count:
    found = find_handed_parts(agent_type, "v4.8", entrypoint=entrypoint, **given)
    return {each.name: each.count for each in found.parts}[part]


@pytest.mark.parametrize("agent_type", ["Explore", "general-purpose"])
def test_figures_are_of_how_the_client_is_started(agent_type: str) -> None:
    terminal, headless, unknown = (
        count(agent_type, "tools", entrypoint) for entrypoint in (TERMINAL, HEADLESS, None)
    )
    assert 1.3 * terminal.tokens < headless.tokens
    assert terminal.high < headless.low
    assert (unknown.tokens, unknown.low) == (terminal.tokens, terminal.low)
    assert unknown.high == headless.high, "where nobody can tell, the band holds both"
    assert count(agent_type, "tools", "claude-vscode") == unknown
    total = find_handed_parts(agent_type, "v4.8", entrypoint=HEADLESS).total
    assert total.tokens > find_handed_parts(agent_type, "v4.8", entrypoint=TERMINAL).total.tokens
    whys = {
        entrypoint: find_handed_parts(agent_type, "v4.8", entrypoint=entrypoint).parts[0].why
        for entrypoint in (TERMINAL, HEADLESS, None)
    }
    assert "in a terminal, not seen" in whys[TERMINAL] and "headless, not" in whys[HEADLESS]
    assert "headless may differ" in whys[None]


def test_a_run_of_the_other_way_is_doubted_by_what_the_table_tells() -> None:
    learned = [HandedFigure("Explore", TERMINAL, "2.1.400", "tools", 3000)]
    same = count("Explore", "tools", TERMINAL, learned=learned)
    assert (same.low, same.high) == (2940, 3060)
    assert count("Explore", "tools", None, learned=learned) == same
    other = count("Explore", "tools", HEADLESS, learned=learned)
    assert (other.tokens, other.low) == (3000, 2940) and other.high > 4500
    learned.append(HandedFigure("Explore", HEADLESS, "2.1.399", "tools", 4600))
    assert count("Explore", "tools", HEADLESS, learned=learned).tokens == 4600
    assert count("Explore", "tools", TERMINAL, learned=learned).tokens == 3000


def test_headings_grow_with_files_and_their_paths() -> None:
    path = Count(10, "claude-v4.8~1", 10, 10)
    assert count_headings([], "v4.8").tokens == 0
    assert count_headings([path], "v4.8").tokens == 82 + 20 + 10
    assert count_headings([path, path], "v4.8").tokens == 82 + 2 * (20 + 10)
