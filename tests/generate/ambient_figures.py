"""What a release of Claude Code hands agents besides files, measured on transcripts it left.

    python -m tests.generate.ambient_figures FOLDER ... --write

Each FOLDER is a configuration folder of Claude Code in which agents of every built-in type and of
these three ran, headless and in a terminal: ``direct``, whose definition names every tool but
ToolSearch, ``searcher``, which names Grep and Glob, given only where Bash is not, and ``looker``,
which has a memory. Prints the table; ``--write`` replaces
``assets/ambient.tsv``. Figures only: no text of the client is kept.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

from orch_tui.assets import asset
from orch_tui.prepare.agent_types import BUILT_IN_AGENTS
from orch_tui.prepare.count import FAMILIES
from orch_tui.prepare.handed_parts import HEADINGS, MEMORY, SYSTEM_PROMPT, TOOLS
from orch_tui.prepare.tokens import count_tokens
from orch_tui.record.transcripts.handed_texts import HandedTexts, read_handed_texts

HEAD = """\
# What Claude Code hands agents besides files, in tokens of each tokenizer family. Made by
# `python -m tests.generate.ambient_figures` from runs of the client: figures, no texts.
# release {release}
# entrypoint\tagent type\tpart\t{families}
"""

Row = tuple[str, str, str, tuple[int, ...]]


def read_runs(folders: list[Path]) -> Iterator[tuple[str, HandedTexts]]:
    """Read what each agent below the folders was handed, with its type."""
    for folder in folders:
        for sidecar in sorted(folder.glob("projects/*/*/subagents/agent-*.meta.json")):
            agent_type = json.loads(sidecar.read_bytes()).get("agentType") or ""
            transcript = sidecar.with_name(sidecar.name.replace(".meta.json", ".jsonl"))
            handed = read_handed_texts(transcript)
            if handed is not None:
                yield agent_type, handed


def measure_parts(agent_type: str, handed: HandedTexts) -> Iterator[Row]:
    """Count the parts of a built-in agent, or what all agents of files have in common."""
    by_family = [handed.count_parts(family) for family in FAMILIES]
    if agent_type in BUILT_IN_AGENTS:
        for part in sorted(by_family[0]):
            if part not in (HEADINGS, "other notes"):
                figures = tuple(counts[part] for counts in by_family)
                yield handed.entrypoint, agent_type, part, figures
    elif agent_type == "looker":
        figures = tuple(counts[SYSTEM_PROMPT] for counts in by_family)
        yield handed.entrypoint, "custom", MEMORY, figures
        for part in ("notes", "environment", "git status"):
            figures = tuple(counts[part] for counts in by_family)
            yield handed.entrypoint, "custom", part, figures
    for text in handed.texts[TOOLS].splitlines():
        name = json.loads(text)["name"]
        figures = tuple(
            count_tokens(text + "\n", family=family, kind="json").tokens for family in FAMILIES
        )
        yield handed.entrypoint, "tool", name, figures


def main() -> None:
    arguments = [argument for argument in sys.argv[1:] if argument != "--write"]
    runs = list(read_runs([Path(argument) for argument in arguments]))
    rows = sorted({row[:3]: row for run in runs for row in measure_parts(*run)}.values())
    release = max(handed.client_version for _, handed in runs)
    table = HEAD.format(release=release, families="\t".join(FAMILIES)) + "".join(
        "\t".join((*names, *map(str, figures))) + "\n" for *names, figures in rows
    )
    print(table)
    if "--write" in sys.argv:
        asset("ambient.tsv").write_text(table, "utf-8")


if __name__ == "__main__":
    main()
