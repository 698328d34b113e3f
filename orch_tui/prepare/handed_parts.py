"""What Claude Code hands an agent besides files: its system prompt, tools, lists and notes.

The figures are learned from the transcripts of agents that ran here; one run of a type and release
teaches them exactly. Before that they are those of a table that ships with orch, measured with one
release of the client (``assets/ambient.tsv``). Figures are kept, never the texts.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from typing import NamedTuple

from orch_tui.assets import asset
from orch_tui.claude_client import parse_release
from orch_tui.frozen import frozen
from orch_tui.prepare.agent_types import BUILT_IN_AGENTS
from orch_tui.prepare.count import FAMILIES, ZERO, Count, estimate_name
from orch_tui.prepare.frontmatter import Frontmatter

SYSTEM_PROMPT, TOOLS, SKILLS, DEFERRED = "system prompt", "tools", "skills list", "deferred tools"
MEMORY = "memory instructions"
HEADINGS = "headings of instructions"
GIT_STATUS = "git status"
_ATTRIBUTION = "attribution"

_FIXED = frozenset({SYSTEM_PROMPT, "notes", TOOLS, MEMORY, _ATTRIBUTION})
"""Parts that are the same in every run of a release; the others follow the project and the day."""

_CUSTOM = "custom"
"""Stands in the table for agents that a file defines."""

_SEARCH = "ToolSearch"
_DEFERRABLE = frozenset(
    {
        *("CronCreate", "CronDelete", "CronList", "EnterWorktree", "ExitWorktree", "Monitor"),
        *("NotebookEdit", "SendMessage", "TaskStop", "WebFetch", "WebSearch"),
    }
)
"""Tools that are only named to an agent that can search for tools (2.1.332)."""

_ONCE_CALLED = {"Task": "Agent", "KillShell": "TaskStop", "KillBash": "TaskStop"}
"""Tools by the names that older definitions have for them (2.1.332 knows these)."""

_TOKENS_LEFT = {"v3": 18, "v4.7": 24, "v4.8": 23}
"""Tokens of the line "... tokens left", which only agents on Haiku are told (2.1.332)."""

_FRAMES = {"v3": (53, 15), "v4.7": (82, 20), "v4.8": (82, 20)}
"""Tokens that stand before all instructions, and with the path of each (2.1.332)."""


TERMINAL, HEADLESS = "cli", "sdk-cli"
"""How Claude Code is started, as it names that in transcripts and tells the commands it runs."""

_WHERE = {TERMINAL: "in a terminal", HEADLESS: "headless"}


class HandedFigure(NamedTuple):
    """Tokens of one part, as a release hands it to agents of a type."""

    agent_type: str
    entrypoint: str
    """`TERMINAL`, `HEADLESS`: the tools differ."""
    client_version: str
    part: str
    tokens: int


@frozen
class HandedPart:
    """One part of what Claude Code hands an agent besides files."""

    name: str
    count: Count
    why: str
    client_version: str


@frozen
class Handed:
    """All parts, with what is not known of them."""

    parts: tuple[HandedPart, ...] = ()
    unknown: tuple[str, ...] = ()

    @property
    def total(self) -> Count:
        return sum((part.count for part in self.parts), ZERO)


def find_handed_parts(
    agent_type: str,
    family: str,
    *,
    definition: Frontmatter | None = None,
    learned: Iterable[HandedFigure] = (),
    in_git: bool = False,
    entrypoint: str | None = None,
) -> Handed:
    """Find what agents of a type are handed besides files, in tokens of a tokenizer family.

    ``definition`` is the head of the file that defines the type, whose body is counted elsewhere.
    ``entrypoint`` is how the client that will run it is started (None, or one that is not known
    here: nobody can tell). Where no figure is of that, the band holds both ways. Nothing is known
    for an encoding of tiktoken, a fork, and a type nobody defines or ever ran.
    """
    if not agent_type or agent_type == "fork" or family not in FAMILIES:
        return Handed()
    wanted = entrypoint if entrypoint in _WHERE else None
    own = [figure for figure in learned if figure.agent_type == agent_type]
    if own:
        figures = _latest(own, wanted or TERMINAL)
        shown = figures[0].entrypoint
        other = wanted if wanted != shown else None
        why = "learned from a run here"
        if other:
            why += f" {_WHERE[shown]}" if shown in _WHERE else ""
            why += f", which may differ {_WHERE[other]}"
        if definition is not None:
            figures = [f for f in figures if f.part != SYSTEM_PROMPT]
    else:
        shown, other = (wanted, None) if wanted else (TERMINAL, HEADLESS)
        where = f" {_WHERE[shown]}" if wanted else " in a terminal"
        doubt = "" if wanted else "; headless may differ"
        why = f"as this release hands it{where}, not seen here yet{doubt}"
        figures = _shipped_for(agent_type, family, definition, shown)
        if not in_git:
            figures = [figure for figure in figures if figure.part != GIT_STATUS]
    if definition is not None and definition.text("memory"):
        figures += [f for f in _shipped(family) if f.part == MEMORY and f.entrypoint == shown]
    beside = _Beside(agent_type, family, definition, shown, other)
    parts = tuple(
        HandedPart(f.part, _banded(f, family, bool(own), beside.tokens(f)), why, f.client_version)
        for f in figures
    )
    servers = [tool for tool in _named_tools(definition) if tool.startswith("mcp__")]
    unknown = tuple(f"the definition of {tool}" for tool in servers) if not own else ()
    return Handed(parts, unknown)


def find_lacking_tools(definition: Frontmatter) -> list[str]:
    """List the tools that a definition names and the client gives no agent."""
    named = _named_tools(definition)
    lacking = set(named).difference(_given_tools(named), (_SEARCH,))
    lacking.update(set(named) - _tool_names())
    return [tool for tool in named if tool in lacking and not tool.startswith("mcp__")]


def count_headings(paths: Sequence[Count], family: str) -> Count:
    """Count what stands above instruction files, from the counts of their paths."""
    if not paths or family not in _FRAMES:
        return ZERO
    frame, each = _FRAMES[family]
    besides = frame + each * len(paths)
    return sum(paths, Count(besides, estimate_name(family), besides, besides))


def _latest(learned: Sequence[HandedFigure], wanted: str) -> list[HandedFigure]:
    """Choose the figures of the newest release that ran, started as wanted where it was."""

    def rank(figure: HandedFigure) -> tuple[bool, bool, tuple[int, ...], str]:
        where = figure.entrypoint
        release = parse_release(figure.client_version) or ()
        return where == wanted, where == TERMINAL, release, where

    best = max(map(rank, learned))
    return [figure for figure in learned if rank(figure) == best]


class _Beside:
    """What the parts are where the client is started another way than the figures are of."""

    def __init__(
        self,
        agent_type: str,
        family: str,
        definition: Frontmatter | None,
        shown: str,
        other: str | None,
    ) -> None:
        self._mine, self._its = (
            {f.part: f.tokens for f in _shipped_for(agent_type, family, definition, where)}
            if other and where in _WHERE
            else {}
            for where in (shown, other)
        )

    def tokens(self, figure: HandedFigure) -> int | None:
        """Scale a figure as the shipped table does; None where that does not tell."""
        mine, its = self._mine.get(figure.part), self._its.get(figure.part)
        return round(figure.tokens * its / mine) if mine and its else None


def _shipped_for(
    agent_type: str, family: str, definition: Frontmatter | None, entrypoint: str
) -> list[HandedFigure]:
    """Choose the shipped figures of a built-in type, or make those of one that a file defines."""
    shipped = [figure for figure in _shipped(family) if figure.entrypoint == entrypoint]
    if definition is None:
        is_built_in = agent_type in BUILT_IN_AGENTS
        return [f for f in shipped if is_built_in and f.agent_type == agent_type]
    named = _named_tools(definition)
    of_all = {f.part: f for f in shipped if f.agent_type == "general-purpose"}
    told = [f for f in shipped if f.agent_type == _CUSTOM and f.part != MEMORY]
    if definition.text("model") == "haiku":
        told = [_with_tokens_left(figure, family) for figure in told]
    tools = _tools(family, entrypoint)
    comes_with = {"Skill": SKILLS, "Bash": _ATTRIBUTION, _SEARCH: DEFERRED}
    if not named:
        denied = _denied_tools(definition)
        left = of_all[TOOLS].tokens - sum(tools.get(tool, 0) for tool in denied - _DEFERRABLE)
        told.append(HandedFigure(_CUSTOM, entrypoint, release(), TOOLS, left))
        return [*told, *(of_all[part] for tool, part in comes_with.items() if tool not in denied)]
    named = _given_tools(named)
    if _SEARCH in named:
        named = [tool for tool in named if tool not in _DEFERRABLE] + ["DeferredToolPlaceholder"]
    direct = sum(tools.get(tool, 0) for tool in named)
    told.append(HandedFigure(_CUSTOM, entrypoint, release(), TOOLS, direct))
    return [*told, *(of_all[part] for tool, part in comes_with.items() if tool in named)]


def _with_tokens_left(figure: HandedFigure, family: str) -> HandedFigure:
    """Add the line that tells agents of the smallest model how many tokens they have left."""
    more = _TOKENS_LEFT[family] if figure.part == "notes" else 0
    return figure._replace(tokens=figure.tokens + more)


def _given_tools(named: Iterable[str]) -> list[str]:
    """Choose of the tools that a definition names those that the client gives beside each other."""
    named = list(named)
    search = {"Grep", "Glob"} if "Bash" in named else set()
    if _DEFERRABLE.isdisjoint(named):
        search.add(_SEARCH)
    return [tool for tool in named if tool not in search]


def _named_tools(definition: Frontmatter | None) -> list[str]:
    """List the tools that a definition names, without what it narrows them to."""
    if definition is None:
        return []
    denied = _denied_tools(definition)
    tools = dict.fromkeys(_plain_tool(tool) for tool in definition.listed("tools"))
    return [tool for tool in tools if tool and tool != "*" and tool not in denied]


def _denied_tools(definition: Frontmatter) -> frozenset[str]:
    return frozenset(_plain_tool(tool) for tool in definition.listed("disallowedTools"))


def _plain_tool(name: str) -> str:
    name = name.partition("(")[0].strip()
    return _ONCE_CALLED.get(name, name)


def _banded(figure: HandedFigure, family: str, is_learned: bool, beside: int | None) -> Count:
    """Give a figure the band that measuring it again and again showed, around ``beside``, too."""
    share = 0.02 if figure.part in _FIXED else 0.1 if is_learned else 0.25
    both = (figure.tokens, figure.tokens if beside is None else beside)
    low, high = min(both), max(both)
    return Count(
        figure.tokens, estimate_name(family), low - round(low * share), high + round(high * share)
    )


def release() -> str:
    """Tell the release of the client that the shipped table was measured with."""
    return _rows()[0]


@cache
def _shipped(family: str) -> tuple[HandedFigure, ...]:
    release, rows = _rows()
    column = FAMILIES.index(family)
    return tuple(
        HandedFigure(agent_type, entrypoint, release, part, tokens[column])
        for entrypoint, agent_type, part, tokens in rows
        if agent_type != "tool"
    )


@cache
def _tools(family: str, entrypoint: str) -> dict[str, int]:
    """The tokens of the definition of each tool that agents have there, by its name."""
    column = FAMILIES.index(family)
    wanted = (entrypoint, "tool")
    return {p: tokens[column] for where, kind, p, tokens in _rows()[1] if (where, kind) == wanted}


@cache
def _tool_names() -> frozenset[str]:
    """The tools that agents have anywhere."""
    return frozenset(part for _, agent_type, part, _ in _rows()[1] if agent_type == "tool")


@cache
def _rows() -> tuple[str, list[tuple[str, str, str, tuple[int, ...]]]]:
    """Read the shipped table: the release it was measured with, and its rows."""
    release, rows = "", []
    for line in asset("ambient.tsv").read_text("utf-8").splitlines():
        if line.startswith("# release "):
            release = line.removeprefix("# release ")
        elif line and not line.startswith("#"):
            entrypoint, agent_type, part, *tokens = line.split("\t")
            rows.append((entrypoint, agent_type, part, tuple(map(int, tokens))))
    return release, rows
