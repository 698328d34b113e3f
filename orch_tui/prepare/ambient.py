"""What Claude Code gives an agent by itself, found on disk and counted.

An agent starts with its own definition, the skills this preloads, its memory, and every CLAUDE.md
that the project and the user have, with their imports and rules: so much of its window is taken
before a bundle is, and what stands there need not be handed over again. The rules are those of
Claude Code's documentation (code.claude.com: sub-agents, memory, skills; October 2026). What it
adds besides is not published; it is named, never guessed.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from orch_tui import paths
from orch_tui.frozen import frozen
from orch_tui.prepare import frontmatter
from orch_tui.prepare.agent_types import (
    BUILT_IN_AGENTS,
    WITHOUT_INSTRUCTIONS,
    find_markdown_files,
    index_definitions,
    read_agent_files,
    read_client_file,
)
from orch_tui.prepare.count import ZERO, Count, CountCache
from orch_tui.prepare.frontmatter import Frontmatter
from orch_tui.prepare.text_kinds import kind_of
from orch_tui.prepare.tokens import count_items

if TYPE_CHECKING:
    from orch_tui.prepare.catalogue import Model

MAX_HOPS = 4
"""Imports of imports; what is further away is not loaded."""
MEMORY_LINES, MEMORY_BYTES = 200, 25_000
"""Of an agent's own MEMORY.md, what is loaded."""

MANAGED = Path(
    "/Library/Application Support/ClaudeCode" if sys.platform == "darwin" else "/etc/claude-code"
)
"""Where an organisation keeps the CLAUDE.md of all users of a machine."""


@frozen
class AmbientPart:
    """One text that an agent has before it is handed anything."""

    role: str
    """definition, skill, memory, instructions (CLAUDE.md and the like), import, rule."""
    source: str
    """As items of bundles are named: relative to the project, absolute outside it."""
    why: str
    text: str
    """As the agent gets it: without frontmatter and comments."""
    path: str
    count: Count = ZERO

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.text.encode("utf-8", "surrogatepass")).hexdigest()

    @property
    def kind(self) -> str:
        return kind_of(self.source, self.text)


@frozen
class Ambient:
    """All that an agent of one type has before it is handed anything, as far as it can be known."""

    agent_type: str
    parts: tuple[AmbientPart, ...] = ()
    model: str = ""
    """The model that its definition asks for; empty: that of whoever deploys it."""
    unknown: tuple[str, ...] = ()
    """What it has besides that no file tells; not in the figures."""
    problems: tuple[str, ...] = ()
    """What is wrong with a file, and is therefore not loaded or not as meant."""

    @property
    def total(self) -> Count:
        return sum((part.count for part in self.parts), ZERO)

    def counted(self, family: str, cache: CountCache | None = None) -> Ambient:
        """With the tokens of each part for a tokenizer family."""
        if not self.parts:
            return self
        counts = count_items(self.parts, family=family, cache=cache)
        parts = [replace(p, count=c) for p, c in zip(self.parts, counts, strict=True)]
        return replace(self, parts=tuple(parts))


class Surroundings:
    """A project and a user, as Claude Code finds their files. Each file is read once."""

    def __init__(self, root: Path, user: Path) -> None:
        self.root = root
        """Where Claude Code is started: the project's root."""
        self.user = user
        """The configuration folder of Claude Code."""

    @classmethod
    def of(cls, root: Path) -> Surroundings:
        return cls(root, Path(paths.claude_folder()))

    def ambient(self, agent_type: str) -> Ambient:
        """What an agent of this type has anyway, uncounted. Never raises: what cannot be read is
        named as a problem."""
        definition = self.definitions.get(agent_type)
        if definition is None:
            bare = agent_type in WITHOUT_INSTRUCTIONS
            parts, problems = ((), ()) if bare else self.instructions
            skipped = tuple(
                f"{self._named(path)}: has no description, so Claude Code skips it"
                for path, front in self._agent_files
                if agent_type and front.text("name") == agent_type
            )
            return Ambient(
                agent_type,
                parts,
                model=BUILT_IN_AGENTS.get(agent_type, ""),
                unknown=_unknown(agent_type),
                problems=(*skipped, *problems),
            )
        path, front = definition
        where = self._named(path)
        own = [self._part("definition", path, f"defines {agent_type}", front.body)]
        wrong = [f"{where}: {front.problem}"] if front.problem else []
        for skill in front.listed("skills"):
            part, problem = self._skill(skill, agent_type)
            own += [part] if part else []
            wrong += [f"{where}: {problem}"] if problem else []
        own += self._memory(front.text("memory"), agent_type)
        parts, problems = ((), ()) if front.true("omitClaudeMd") else self.instructions
        model = front.text("model")
        return Ambient(
            agent_type,
            (*own, *parts),
            model="" if model == "inherit" else model,
            unknown=("tools and environment notes of Claude Code",),
            problems=(*wrong, *problems),
        )

    @cached_property
    def definitions(self) -> dict[str, tuple[Path, Frontmatter]]:
        """The agents that files define, by name: the project's before the user's."""
        return index_definitions(self._agent_files)

    @cached_property
    def _agent_files(self) -> list[tuple[Path, Frontmatter]]:
        return read_agent_files(self.root, self.user)

    @cached_property
    def instructions(self) -> tuple[tuple[AmbientPart, ...], tuple[str, ...]]:
        """Every CLAUDE.md and the like in the order they are loaded, and what is wrong with them.

        From broad to near: the organisation's, the user's, then from the root of the file system
        down to the project.
        """
        found = _Instructions(self)
        found.add(MANAGED / "CLAUDE.md", "for all users of this machine")
        found.add(self.user / "CLAUDE.md", "of the user")
        found.add_rules(self.user / "rules", "rule of the user")
        folders = [*reversed(self.root.parents), self.root]
        of_project = 0
        for folder in folders:
            near = "of the project" if folder == self.root else f"above the project, in {folder}"
            of_project += found.add(folder / "CLAUDE.md", near)
            of_project += found.add(folder / ".claude" / "CLAUDE.md", near)
            found.add_rules(folder / ".claude" / "rules", f"rule {near}")
            of_project += found.add(folder / "CLAUDE.local.md", f"{near}, of the user alone")
        if not of_project:
            for folder in folders:
                found.add(folder / "AGENTS.md", "there is no CLAUDE.md")
        return tuple(found.parts), tuple(found.problems)

    def _skill(self, name: str, agent_type: str) -> tuple[AmbientPart | None, str]:
        """A preloaded skill, or why it is none."""
        for skills in (self.root / ".claude" / "skills", self.user / "skills"):
            path = skills / name / "SKILL.md"
            text = read_client_file(path)
            if text is not None:
                front = frontmatter.parse_frontmatter(text)
                if front.true("disable-model-invocation"):
                    return None, f"skill {name} may not be invoked by models: it is not preloaded"
                return self._part("skill", path, f"preloaded by {agent_type}", front.body), ""
        if ":" in name:
            return None, f"skill {name} is a plugin's: it is not in the figures"
        return None, f"skill {name} is not found: it is not preloaded"

    def _memory(self, scope: str, agent_type: str) -> list[AmbientPart]:
        folder = {
            "user": self.user / "agent-memory",
            "project": self.root / ".claude" / "agent-memory",
            "local": self.root / ".claude" / "agent-memory-local",
        }.get(scope)
        text = read_client_file(folder / agent_type / "MEMORY.md") if folder else None
        if not folder or not text:
            return []
        lines = "".join(text.splitlines(keepends=True)[:MEMORY_LINES])
        start = lines.encode("utf-8", "replace")[:MEMORY_BYTES].decode("utf-8", "ignore")
        path = folder / agent_type / "MEMORY.md"
        return [self._part("memory", path, f"what {agent_type} remembers, its beginning", start)]

    def _named(self, path: Path) -> str:
        return paths.relative(path, self.root)

    def _part(self, role: str, path: Path, why: str, text: str) -> AmbientPart:
        return AmbientPart(role, self._named(path), why, text, os.path.realpath(path))

    @cached_property
    def excluded(self) -> re.Pattern[str] | None:
        """The paths that the setting ``claudeMdExcludes`` keeps from being loaded."""
        from fnmatch import translate

        patterns: list[str] = []
        for folder in (self.user, self.root / ".claude"):
            for name in ("settings.json", "settings.local.json"):
                patterns += _excludes(folder / name)
        return re.compile("|".join(map(translate, patterns))) if patterns else None


class AmbientAgents:
    """What the agents of a project have anyway, each found and counted once: ``budget.Agents``."""

    def __init__(self, root: Path, cache: Callable[[], CountCache | None] = lambda: None) -> None:
        self._around = Surroundings.of(root)
        self._cache = cache
        self._found: dict[str, Ambient] = {}
        self._counted: dict[tuple[str, str], Ambient] = {}

    def ambient(self, agent_type: str, model: Model) -> Ambient:
        """All of it, counted for the model."""
        key = (agent_type, model.family)
        if key not in self._counted:
            self._counted[key] = self.found(agent_type).counted(model.family, self._cache())
        return self._counted[key]

    def tokens(self, agent_type: str, model: Model) -> Count:
        return self.ambient(agent_type, model).total

    def model(self, agent_type: str) -> str:
        return self.found(agent_type).model

    def found(self, agent_type: str) -> Ambient:
        """All of it, not counted."""
        if agent_type not in self._found:
            self._found[agent_type] = self._around.ambient(agent_type)
        return self._found[agent_type]


class _Instructions:
    """Collects instruction files with their imports, each once."""

    def __init__(self, around: Surroundings) -> None:
        self.parts: list[AmbientPart] = []
        self.problems: list[str] = []
        self._around = around
        self._seen: set[str] = set()

    def add(self, path: Path, why: str, role: str = "instructions", hops: int = 0) -> bool:
        """Take a file and what it imports, if it is there and was not taken yet."""
        around = self._around
        real = os.path.realpath(path)
        if real in self._seen or not path.is_file():
            return False
        managed = path.is_relative_to(MANAGED)
        if not managed and around.excluded and around.excluded.match(str(path)):
            return False
        self._seen.add(real)
        name = around._named(path)
        text = read_client_file(path)
        if text is None:
            self.problems.append(f"{name}: cannot be read, is no text or is over 4 MiB")
            return False
        front = frontmatter.parse_frontmatter(text) if role == "rule" else Frontmatter({}, text)
        if front.values.get("paths"):  # loaded only when a file that it is about is
            return False
        prose = _outside_code(front.body)
        self.parts.append(around._part(role, path, why, _without_comments(front.body)))
        for given in _imports(prose):
            target = _imported(given, path.parent)
            if target is None:
                if Path(given).suffix and "/" in given:
                    self.problems.append(f"{name}: imports {given}, which does not exist")
            elif hops == MAX_HOPS:
                self.problems.append(f"{name}: imports {given}, the fifth in a row: not loaded")
            else:
                leaves = path.is_relative_to(around.root) and not target.is_relative_to(around.root)
                asked = " from outside the project, if the user agreed" if leaves else ""
                self.add(target, f"imported by {name}{asked}", "import", hops + 1)
        return True

    def add_rules(self, folder: Path, why: str) -> None:
        for path in find_markdown_files(folder):
            self.add(path, why, "rule")


def _unknown(agent_type: str) -> tuple[str, ...]:
    if agent_type == "fork":
        return ("the whole conversation it is forked from",)
    if agent_type in BUILT_IN_AGENTS:
        return (f"the system prompt of {agent_type}, which is not published",)
    if ":" in agent_type:
        return (f"the definition of {agent_type}, which a plugin holds",)
    return (f"the definition of {agent_type}, which is not found",) if agent_type else ()


def _excludes(settings: Path) -> Iterable[str]:
    try:
        patterns = json.loads(settings.read_text("utf-8")).get("claudeMdExcludes")
    except (OSError, ValueError, AttributeError):
        return ()
    return [p for p in patterns if isinstance(p, str)] if isinstance(patterns, list) else ()


_FENCED = r"^ {0,3}(?P<fence>`{3,}|~{3,})[^\n]*\n.*?(?:^ {0,3}(?P=fence)[`~]*[ \t]*$|\Z)"
_SPAN = r"(?<!`)(?P<ticks>`+)(?!`)[^\n]*?(?<!`)(?P=ticks)(?!`)"
_COMMENT = r"^ {0,3}<!--.*?-->[ \t]*\n?"
_IMPORT = r"(?:^|(?<=\s))@((?:[^\s\\]|\\ )+)"


def _outside_code(text: str) -> str:
    if "@" not in text:
        return ""
    text = _without_comments(text)
    return re.sub(_SPAN, "", re.sub(_FENCED, "", text, flags=re.S | re.M))


def _without_comments(text: str) -> str:
    """Without HTML comments that begin a line, which are notes for people; in code they stay."""
    if "<!--" not in text:
        return text
    kept, end = [], 0
    for code in re.finditer(_FENCED, text, re.S | re.M):
        kept += [re.sub(_COMMENT, "", text[end : code.start()], flags=re.S | re.M), code[0]]
        end = code.end()
    return "".join(kept) + re.sub(_COMMENT, "", text[end:], flags=re.S | re.M)


def _imports(prose: str) -> Iterator[str]:
    for found in re.finditer(_IMPORT, prose):
        yield found[1].replace("\\ ", " ")


def _imported(given: str, folder: Path) -> Path | None:
    """The file that ``@given`` means; punctuation behind it is not part of it."""
    for name in (given, given.rstrip(".,;:!?)'\"*_")):
        path = Path(os.path.expanduser(name)) if name.startswith("~/") else folder / name
        try:
            if name and path.is_file():
                return Path(os.path.normpath(path))
        except (OSError, ValueError):
            return None
    return None
