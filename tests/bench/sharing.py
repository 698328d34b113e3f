"""Sharing, measured: how fast it is found, that all of it is found, and what it comes to.

    python -m tests.bench.sharing

The session is made of this repository's own documents and code, put together as orchestrating
agents do it: a constitution that CLAUDE.md imports too, specifications that overlap, findings
pasted from one agent to the next, a copy that was edited. What it comes to depends on how bundles
are put together; it is an example, and printed as it comes out.
"""

from __future__ import annotations

import random
import time
from pathlib import Path

from orch_tui.prepare.ambient import Ambient, AmbientPart
from orch_tui.prepare.blocks import LEAST, Earlier, Numbering
from orch_tui.prepare.briefing_size import measure_briefing
from orch_tui.prepare.bundle import Bundle, ContextItem, count_context
from orch_tui.prepare.count import ZERO, Count
from orch_tui.prepare.dedup import find_duplicates, remove_duplicates

ROOT = Path(__file__).parents[2]
FAMILY = "v4.8"
BUNDLES, ITEMS = 50, 40


def item(source: str, text: str) -> ContextItem:
    return ContextItem("file", source, "required", (), text.encode(), ZERO)


def bundle(number: int, agent_type: str, items: list[ContextItem]) -> Bundle:
    made = tuple(count_context(items, family=FAMILY))
    return Bundle(f"bundle-{number:03d}", agent_type, "", made, "", "")


def many() -> list[Bundle]:
    """50 bundles of 40 items, some 11 MB: shared areas, edited copies, pasted findings."""
    chance = random.Random(1)
    words = [f"word{n}" for n in range(4000)]

    def lines(n: int) -> list[str]:
        return [" ".join(chance.choices(words, k=chance.randint(4, 12))) for _ in range(n)]

    texts = [lines(chance.randint(20, 160)) for _ in range(600)]
    found = []
    for number in range(BUNDLES):
        area = number % 6
        items = []
        for place in range(ITEMS):
            kind = chance.random()
            pool = texts[area * 80 : area * 80 + 120] if kind < 0.7 else texts
            text = list(chance.choice(pool))
            if kind < 0.12:  # an edited copy
                for _ in range(3):
                    text[chance.randrange(len(text))] = lines(1)[0]
            elif kind < 0.2:  # findings with an excerpt
                text = [*lines(20), *text[5:40], *lines(20)]
            data = "\n".join(text)
            items.append(
                ContextItem(
                    *("file", f"{place}.md", "required", (), data.encode()),
                    Count(len(data) // 4, "x", 0, len(data)),
                )
            )
        found.append(Bundle(f"b{number}", "a", "", tuple(items), "", ""))
    return found


def session() -> tuple[list[Bundle], Ambient]:
    """Seven agents on one task, from the documents of this repository."""

    def read(name: str) -> str:
        return (ROOT / name).read_text("utf-8")

    constitution = read("assets/skill/references/context_strategies.md")
    law = item(".claude/constitution.md", constitution)
    claude_md = "# Project\n\n@.claude/constitution.md\n"
    parts = [("CLAUDE.md", claude_md), (".claude/constitution.md", constitution)]
    ambient = Ambient(
        "a", tuple(AmbientPart("instructions", name, "", said, name) for name, said in parts)
    )
    readme = read("README.md")
    spec = item("spec/orch.md", readme)
    schema = item("spec/schema.md", read("assets/skill/references/execution_schema.md"))
    # A specification that takes over a part of another, and one that was copied and edited.
    prepare = readme[readme.index("### Prepare") : readme.index("### Record")]
    overlapping = item("spec/prepare.md", f"# Preparing\n\nIn more detail.\n\n{prepare}\n## Open\n")
    edited = item("spec/orch-v2.md", readme.replace("session", "run", 4).replace("SQLite", "a", 1))
    code = {
        name: item(name, read(name))
        for name in (
            *("orch_tui/prepare/sources.py", "orch_tui/prepare/bundle.py"),
            *("orch_tui/prepare/budget.py", "orch_tui/record/deployment.py"),
            *("models/execution.py", "tests/prepare/test_bundle.py"),
        )
    }
    sources, made, budget, deployment, tables, tests = code.values()
    excerpt = "".join(sources.text.splitlines(keepends=True)[60:130])
    findings = item(
        "findings/analysis.md",
        f"# Findings\n\nThe reader refuses what it cannot take:\n\n```python\n{excerpt}```\n\n"
        f"The specification says:\n\n{prepare}\nWhat is missing: symbols.\n",
    )
    report = item(
        "findings/implementation.md",
        f"# Report\n\nBuilt on the analysis.\n\n{findings.text}\nDone: symbols.\n",
    )
    given = [
        ("spec-analyzer", [law, spec, edited, overlapping]),
        ("code-analyzer", [law, overlapping, sources, made]),
        ("task-implementor", [law, spec, overlapping, sources, findings]),
        ("task-implementor", [law, overlapping, made, budget, findings]),
        ("test-writer", [law, spec, made, tests, findings, report]),
        ("reviewer", [law, spec, sources, deployment, tables, findings, report]),
        ("doc-writer", [law, spec, edited, schema, report]),
    ]
    return [bundle(n, name, items) for n, (name, items) in enumerate(given, 1)], ambient


def recall(bundles: list[Bundle]) -> tuple[int, int]:
    """Lines of repeated blocks that were found, and that there are, among all distinct contents:
    a suffix array over the lines would find as many."""
    numbering, earlier, found, texts = Numbering(), Earlier(), 0, []
    for content in {i.sha256: i for b in bundles for i in b.items}.values():
        lines = numbering.read(content.text)
        at = {number: place for place, number in enumerate(lines.numbers)}
        found += sum(at[m.last] - at[m.first] + 1 for m in earlier.matches(lines))
        earlier.add(lines)
        texts.append(lines.ids)
    return found, _repeated(texts)


def _repeated(texts: list[list[int]]) -> int:
    """Lines that stand in six or more lines in a row of an earlier text."""
    seen: set[tuple[int, ...]] = set()
    total = 0
    for ids in texts:
        windows = [tuple(ids[p : p + LEAST]) for p in range(len(ids) - LEAST + 1)]
        covered = bytearray(len(ids))
        for place, window in enumerate(windows):
            if window in seen:
                covered[place : place + LEAST] = b"\1" * LEAST
        total += sum(covered)
        seen.update(windows)
    return total


def main() -> None:
    bundles = many()
    size = sum(len(item.data or b"") for b in bundles for item in b.items) / 1e6
    start = time.process_time()
    sharing = find_duplicates(bundles)
    spent = time.process_time() - start
    print(f"{BUNDLES} bundles of {ITEMS} items, {size:.1f} MB: {spent:.2f} s CPU (budget 2 s)")
    found, there = recall(bundles)
    print(f"lines of repeated blocks found: {found:,} of {there:,} ({found / there:.1%})")
    print(f"  {len(sharing.items)} shared items, {len(sharing.blocks)} blocks across bundles")

    bundles, ambient = session()
    bundles = [measure_briefing(bundle, FAMILY) for bundle in bundles]
    sharing = find_duplicates(bundles, lambda bundle: ambient)
    after = remove_duplicates(
        sharing, bundles, document="shared.md", family_of=lambda model: FAMILY
    )
    handed, left, read = (
        sum(figures, ZERO).tokens
        for figures in (
            [b.total for b in bundles],
            [b.total for b in after],
            [b.total + b.shared for b in after],
        )
    )
    print(f"\na session of {len(bundles)} agents, tokens handed to each on average:")
    print(f"  {handed / len(bundles):,.0f} before, {left / len(bundles):,.0f} after sharing")
    for what, count in (
        ("no longer sent twice to one agent", sharing.duplicate_tokens_saved),
        ("the agent has it anyway", sharing.ambient),
        ("moved to the shared document", sharing.moved),
    ):
        print(f"  {what:<35}{count.tokens / handed:6.1%} of all tokens ({count.tokens:,})")
    print(f"  an agent is handed less by {1 - left / handed:.1%} (the goal was 15-25 %)")
    print(f"  one that reads all that is shared saves {1 - read / handed:.1%}")


if __name__ == "__main__":
    main()
