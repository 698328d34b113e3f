"""The agent types on offer: those that files of the project and the user define, and the built-in.

The rules are those of Claude Code's documentation (code.claude.com: sub-agents; October 2026).
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

from orch_tui import paths
from orch_tui.prepare import frontmatter
from orch_tui.prepare.encoding import decode_text
from orch_tui.prepare.frontmatter import Frontmatter

BUILT_IN_AGENTS = {
    "general-purpose": "",
    "Explore": "",
    "Plan": "",
    "fork": "",
    "claude": "",
    "statusline-setup": "sonnet",
    "claude-code-guide": "haiku",
}
"""The agent types that Claude Code brings along, and the model each asks for; empty: that of
whoever deploys it (client 2.1.332)."""
WITHOUT_INSTRUCTIONS = frozenset({"Explore", "Plan"})
"""Those of them that get no CLAUDE.md and no git status; no setting changes that."""

MAX_BYTES = 4 << 20
"""A larger definition, CLAUDE.md or import is not loaded."""


def list_agent_types(root: Path) -> set[str]:
    """List the agent types of a project, of the user and of Claude Code itself."""
    files = read_agent_files(root, Path(paths.claude_folder()))
    return {*index_definitions(files), *BUILT_IN_AGENTS}


def is_known_agent(agent_type: str, known_agents: Collection[str]) -> bool:
    """Whether an agent type is defined, as far as can be told: a plugin's agents are called
    ``plugin:agent`` and live where only Claude Code knows."""
    return agent_type in known_agents or ":" in agent_type


def read_agent_files(root: Path, user: Path) -> list[tuple[Path, Frontmatter]]:
    """Read the files that may define agents: the project's, then those in the user's folder."""
    return [
        (path, frontmatter.parse_frontmatter(read_client_file(path) or ""))
        for folder in (root / ".claude" / "agents", user / "agents")
        for path in find_markdown_files(folder)
    ]


def index_definitions(
    files: Iterable[tuple[Path, Frontmatter]],
) -> dict[str, tuple[Path, Frontmatter]]:
    """Index the agents that files define by name; of several the first one counts.

    Those without a name or a description are skipped, as Claude Code does silently.
    """
    found: dict[str, tuple[Path, Frontmatter]] = {}
    for path, front in files:
        if (name := front.text("name")) and front.text("description"):
            found.setdefault(name, (path, front))
    return found


def read_client_file(path: Path) -> str | None:
    """Read a text file as Claude Code does; None for what is none, or too large."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError:
        return None
    return None if len(data) > MAX_BYTES or b"\0" in data[:8192] else decode_text(data)


def find_markdown_files(folder: Path) -> Sequence[Path]:
    """Find the Markdown files in a folder and those within, also where a link leads to."""
    found: list[Path] = []
    seen: set[str] = set()
    for here, folders, names in os.walk(folder, followlinks=True):
        real = os.path.realpath(here)
        if real in seen:  # a circle of links
            folders.clear()
            continue
        seen.add(real)
        folders.sort()
        found += [Path(here, name) for name in sorted(names) if name.endswith(".md")]
    return [path for path in found if path.is_file()]
