"""What Claude Code gives an agent by itself, found on disk and counted.

An agent starts with its own definition, the skills this preloads, its memory, and every CLAUDE.md
that the project and the user have, with their imports and rules: so much of its window is taken
before a bundle is, and what stands there need not be handed over again. The rules are those of
Claude Code's documentation (code.claude.com: sub-agents, memory, skills; October 2026), where it
does otherwise those of release 2.1.332. What it adds besides is in ``handed_parts``; what neither
tells is named, never guessed.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import cache as cache_results
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from orch_tui import paths
from orch_tui.claude_client import LONGEST_FOLDER_NAME, transcripts_folder
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
from orch_tui.prepare.handed_parts import (
    HEADINGS,
    HandedFigure,
    HandedPart,
    count_headings,
    find_handed_parts,
    find_lacking_tools,
    release,
)
from orch_tui.prepare.text_kinds import kind_of
from orch_tui.prepare.tokens import count_items, count_tokens

if TYPE_CHECKING:
    from orch_tui.prepare.catalogue import Model

MAX_HOPS = 4
"""Imports of imports; what is further away is not loaded."""
MAX_IMPORTS = 1_000
"""Of one file: what a person or a program would write is far below it."""
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


_UNDER_HEADINGS = frozenset({"instructions", "import", "rule", "auto memory"})
"""Roles of texts that are handed over in one message, each below its path."""


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

    headings: Count = ZERO
    """What stands above the instructions."""

    handed: tuple[HandedPart, ...] = ()
    """What it is handed besides files."""

    @property
    def total(self) -> Count:
        return sum((part.count for part in self.handed_and_headings), self.in_files)

    @property
    def in_files(self) -> Count:
        """The tokens of what files tell."""
        return sum((part.count for part in self.parts), ZERO)

    @property
    def handed_and_headings(self) -> tuple[HandedPart, ...]:
        """What stands in no file; the headings were learned with the rest, or are reckoned."""
        if not self.headings.tokens or any(part.name == HEADINGS for part in self.handed):
            return self.handed
        reckoned = HandedPart(HEADINGS, self.headings, "stands above each file", release())
        return (*self.handed, reckoned)

    def counted(self, family: str, cache: CountCache | None = None) -> Ambient:
        """With the tokens of each part for a tokenizer family."""
        if not self.parts:
            return self
        counts = count_items(self.parts, family=family, cache=cache)
        parts = [replace(p, count=c) for p, c in zip(self.parts, counts, strict=True)]
        named = [part.path for part in parts if part.role in _UNDER_HEADINGS]
        paths = [count_tokens(path, family=family, kind="prose") for path in named]
        return replace(self, parts=tuple(parts), headings=count_headings(paths, family))


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
        wrong += [
            f"{where}: names the tool {tool}, which Claude Code {release()} gives no agent"
            for tool in find_lacking_tools(front)
        ]
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
        return (*found.parts, *self._auto_memory()), tuple(found.problems)

    def _auto_memory(self) -> list[AmbientPart]:
        """What Claude Code remembers of the project by itself."""
        name = transcripts_folder(str(self.root))
        path = self.user / "projects" / name / "memory" / "MEMORY.md"
        start = _beginning_of_memory(path) if len(name) <= LONGEST_FOLDER_NAME else ""
        if not start:
            return []
        return [self._part("auto memory", path, "what is remembered of the project", start)]

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
        path = folder / agent_type / "MEMORY.md" if folder else None
        start = _beginning_of_memory(path) if path else ""
        if not path or not start:
            return []
        return [self._part("memory", path, f"what {agent_type} remembers, its beginning", start)]

    def _named(self, path: Path) -> str:
        return paths.relative(path, self.root)

    def _part(self, role: str, path: Path, why: str, text: str) -> AmbientPart:
        return AmbientPart(role, self._named(path), why, text, os.path.realpath(path))

    @cached_property
    def may_import_from_outside(self) -> bool:
        """Whether the user agreed that instructions of this project import from outside it."""
        for path in (self.user / ".claude.json", Path(f"{self.user}.json")):
            try:
                project = json.loads(path.read_bytes())["projects"][str(self.root)]
                return project["hasClaudeMdExternalIncludesApproved"] is True
            except (OSError, ValueError, LookupError, TypeError, RecursionError):
                continue
        return False

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

    def __init__(
        self,
        root: Path,
        cache: Callable[[], CountCache | None] = lambda: None,
        learned: Callable[[str], Iterable[HandedFigure]] = lambda family: (),
        entrypoint: str | None = None,
    ) -> None:
        """``learned`` gives what runs taught of what agents are handed, for a tokenizer family;
        ``entrypoint`` is how the client is started that will run them, where that is known."""
        self._entrypoint = entrypoint
        self._around = Surroundings.of(root)
        self._cache = cache
        self._learned = cache_results(learned)
        self._found: dict[str, Ambient] = {}
        self._counted: dict[tuple[str, str], Ambient] = {}

    def ambient(self, agent_type: str, model: Model) -> Ambient:
        """All of it, counted for the model."""
        key = (agent_type, model.family)
        if key not in self._counted:
            found = self.found(agent_type).counted(model.family, self._cache())
            self._counted[key] = self._with_handed(found, model.family)
        return self._counted[key]

    def _with_handed(self, found: Ambient, family: str) -> Ambient:
        """Add what such an agent is handed besides files; what that tells is not unknown."""
        around, agent_type = self._around, found.agent_type
        _, definition = around.definitions.get(agent_type, (None, None))
        handed = find_handed_parts(
            agent_type,
            family,
            definition=definition,
            learned=self._learned(family),
            in_git=paths.working_tree(around.root) is not None,
            entrypoint=self._entrypoint,
        )
        return replace(
            found,
            handed=handed.parts,
            unknown=handed.unknown if handed.parts else found.unknown,
        )

    def tokens(self, agent_type: str, model: Model) -> Count:
        return self.ambient(agent_type, model).total

    def model(self, agent_type: str) -> str:
        return self.found(agent_type).model

    def problems(self, agent_type: str) -> tuple[str, ...]:
        """What is wrong with its definition and the files it is given."""
        return self.found(agent_type).problems

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
        given_names = list(islice(_imports(prose), MAX_IMPORTS + 1))
        if len(given_names) > MAX_IMPORTS:
            self.problems.append(f"{name}: imports over {MAX_IMPORTS:,} files, the rest left out")
        for given in given_names[:MAX_IMPORTS]:
            target = _imported(given, path.parent)
            if target is None:
                if "/" in given and Path(given.rstrip(".,;:!?)'\"")).suffix:
                    self.problems.append(f"{name}: imports {given}, which does not exist")
            elif hops == MAX_HOPS:
                self.problems.append(f"{name}: imports {given}, the fifth in a row: not loaded")
            elif _leaves(path, target, around.root) and not around.may_import_from_outside:
                self.problems.append(
                    f"{name}: imports {given} from outside the project, which the user has not "
                    "agreed to in Claude Code: not loaded"
                )
            else:
                self.add(target, f"imported by {name}", "import", hops + 1)
        return True

    def add_rules(self, folder: Path, why: str) -> None:
        for path in find_markdown_files(folder):
            self.add(path, why, "rule")


def _leaves(path: Path, target: Path, root: Path) -> bool:
    """Tell whether an import leads out of the project."""
    return path.is_relative_to(root) and not target.is_relative_to(root)


def _beginning_of_memory(path: Path) -> str:
    """Read as much of a MEMORY.md as is loaded; empty where there is none."""
    text = read_client_file(path) or ""
    parts = text.split("\n", MEMORY_LINES)
    lines = text.removesuffix(parts[-1]) if len(parts) > MEMORY_LINES else text
    return lines.encode("utf-8", "replace")[:MEMORY_BYTES].decode("utf-8", "ignore")


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


# What is taken is never given back (``++``): instructions may be of any length and from anybody.
_FENCED = r"^ {0,3}(?P<fence>`{3,}+|~{3,}+)[^\n]*+\n.*?(?:^ {0,3}(?P=fence)[`~]*[ \t]*$|\Z)"
_COMMENT_BEGINS = r"^ {0,3}<!--"
_IMPORT = r"(?:^|(?<=\s))@((?:[^\s\\]|\\ )+)"


def _outside_code(text: str) -> str:
    if "@" not in text:
        return ""
    text = re.sub(_FENCED, "", _without_comments(text), flags=re.S | re.M)
    return "\n".join(map(_without_code_spans, text.split("\n")))


def _without_code_spans(line: str) -> str:
    """Drop what stands between two runs of as many back-ticks."""
    if line.count("`") < 2:
        return line
    runs = [run.span() for run in re.finditer("`+", line)]
    closed_by: list[int | None] = [None] * len(runs)
    latest: dict[int, int] = {}
    for index in range(len(runs) - 1, -1, -1):
        length = runs[index][1] - runs[index][0]
        closed_by[index] = latest.get(length)
        latest[length] = index
    kept, end, index = [], 0, 0
    while index < len(runs):
        closing = closed_by[index]
        if closing is not None:
            kept.append(line[end : runs[index][0]])
            end, index = runs[closing][1], closing
        index += 1
    return "".join((*kept, line[end:]))


def _without_comments(text: str) -> str:
    """Without HTML comments that begin a line, which are notes for people; in code they stay."""
    if "<!--" not in text:
        return text
    kept, end = [], 0
    for code in re.finditer(_FENCED, text, re.S | re.M):
        kept += [_drop_comments(text[end : code.start()]), code[0]]
        end = code.end()
    return "".join((*kept, _drop_comments(text[end:])))


def _drop_comments(prose: str) -> str:
    """Drop comments that begin a line, each with the blanks and the end of the line behind it."""
    kept, end = [], 0
    for begins in re.finditer(_COMMENT_BEGINS, prose, re.M):
        if begins.start() < end:
            continue
        ends = prose.find("-->", begins.end())
        if ends < 0:
            break
        kept.append(prose[end : begins.start()])
        end = ends + 3
        while prose[end : end + 1] in (" ", "\t"):
            end += 1
        end += prose.startswith("\n", end)
    return "".join((*kept, prose[end:]))


def _imports(prose: str) -> Iterator[str]:
    """The files that a text names for import, each once."""
    seen = set()
    for found in re.finditer(_IMPORT, prose):
        if found[1] not in seen:
            seen.add(found[1])
            yield found[1].replace("\\ ", " ")


def _imported(given: str, folder: Path) -> Path | None:
    """Find the file that ``@given`` means; a dot or comma behind it belongs to the name."""
    path = Path(os.path.expanduser(given)) if given.startswith("~/") else folder / given
    try:
        return Path(os.path.normpath(path)) if path.is_file() else None
    except (OSError, ValueError):
        return None
