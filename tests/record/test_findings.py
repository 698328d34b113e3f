from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from orch_tui.assets import asset
from orch_tui.record.messages.findings import Findings, read_findings
from orch_tui.record.run_place import RunPlace
from tests.counts import COUNTS
from tests.record.message_claims import project
from tests.variants import vary

MESSAGES = Path(__file__).parent / "messages"
LABELS: dict[str, dict[str, Any]] = json.loads((MESSAGES / "labels.json").read_text())
"""What a person found in each message: ``claimed`` with what was done, merely ``mentioned``.

``missed`` is what is known not to be seen, such as "I changed it" of a file named a sentence
before; nothing is seen that is not there.
"""


def everything(findings: Findings) -> list[Any]:
    return [*findings.paths, *findings.checks, *findings.insights, *findings.troubles]


def troubles(text: str) -> list[str]:
    return [trouble.kind for trouble in read_findings(text, RunPlace(Path("/nowhere"))).troubles]


def insights(text: str) -> list[str]:
    return [insight.text for insight in read_findings(text, RunPlace(Path("/nowhere"))).insights]


# --- whole messages --------------------------------------------------------------------------


@pytest.mark.parametrize("name", LABELS)
def test_a_labelled_message_is_read_as_a_person_reads_it(name: str, tmp_path: Path) -> None:
    label = LABELS[name]
    findings = read_findings(
        (MESSAGES / name).read_text(), RunPlace(project(tmp_path, *label["files"]))
    )
    missed = label.get("missed", [])
    claimed = {path.path: path.claim for path in findings.paths if path.claim}
    assert claimed == {path: how for path, how in label["claimed"].items() if path not in missed}
    assert {path.path for path in findings.paths} == {*label["claimed"], *label["mentioned"]}
    assert {path.path for path in findings.paths if path.exists} == (
        set(label["files"]) & {path.path for path in findings.paths}
    )
    assert findings.validation == {n: r for n, r in label["checks"].items() if n not in missed}
    assert len(findings.insights) == label["insights"]
    assert sorted({trouble.kind for trouble in findings.troubles}) == label["troubles"]


@pytest.mark.parametrize("name", LABELS)
def test_every_finding_carries_the_line_it_came_from(name: str, tmp_path: Path) -> None:
    text = (MESSAGES / name).read_text()
    lines = text.split("\n")
    findings = read_findings(text, RunPlace(tmp_path))
    found = everything(findings)
    assert found
    for each in found:
        assert each.excerpt.rstrip("…") in lines[each.line - 1]
        assert not each.excerpt.startswith(("- ", "* "))


# --- the form that agents are asked for -------------------------------------------------------


def report_back(deliverables: str, validation: str, insights: str) -> str:
    """The lists of the default briefing, each filled in as an agent would."""
    form = asset("templates/report-back.md").read_text("utf-8")
    lists = form.split("```")[1].partition("\n")[2]
    entries = iter((deliverables, validation, insights))
    return "Added the parser.\n\n" + re.sub(r"(?m)^- .*$", lambda _: next(entries), lists)


def test_the_report_that_agents_are_asked_for_is_read_back(tmp_path: Path) -> None:
    text = report_back(
        "- src/units.py: parses, not prints\n- `tests/test_units.py` (new)\n- src/gone.py: lost",
        "- format: skip\n- lint: 0\n- types: pass\n- tests: fail\n- coverage: 85\n- audit: 2.5",
        "- Units are case sensitive\n- None of the parsers takes NaN",
    )
    findings = read_findings(
        text, RunPlace(project(tmp_path, "src/units.py", "tests/test_units.py"))
    )
    validation = {"format": "skip", "lint": 0, "types": "pass", "tests": "fail", "coverage": 85}
    assert findings.validation == validation | {"audit": 2.5}
    assert findings.outputs == (
        ("deliverable", "src/units.py"),
        ("deliverable", "tests/test_units.py"),
        *(
            ("validation_result", f"{name}:{result}")
            for name, result in findings.validation.items()
        ),
        ("insight", "Units are case sensitive"),
        ("insight", "None of the parsers takes NaN"),
    )
    assert [(t.kind, t.excerpt) for t in findings.troubles] == [
        ("missing file", "src/gone.py: lost")
    ]


@pytest.mark.parametrize(
    "none",
    ["- none", "- None.", "- n/a", "- N/A", "- nothing", "none", "- no insights", "- *none*"]
    + ["- Nothing to report.", "- none (read-only task)", "- no new findings", "- None - no"],
)
def test_an_empty_list_is_read_as_nothing(none: str, tmp_path: Path) -> None:
    findings = read_findings(report_back(none, none, none), RunPlace(tmp_path))
    assert everything(findings) == []
    assert findings.outputs == ()


# --- paths -----------------------------------------------------------------------------------


def test_deliverables_are_files_made_in_the_project_that_hold_no_secret(tmp_path: Path) -> None:
    root = project(tmp_path / "p", "a.py", "b.py", "c.py", ".env")
    project(tmp_path, "outside.py")
    text = "Created `a.py`, `gone.py`, `../outside.py` and `.env`, updated `b.py`, see `c.py`."
    assert [path.path for path in read_findings(text, RunPlace(root)).deliverables] == [
        "a.py",
        "b.py",
    ]


def test_a_secret_is_told_by_kind_and_line_and_never_shown() -> None:
    key = "ghp_" + "x8Kq2LmN5vB9zR3tY7wE1uI4oP6aS0dF8gHj"
    findings = read_findings(f"All done.\n\nThe token is {key}.", RunPlace(Path("/nowhere")))
    assert [(t.kind, t.line, t.subject) for t in findings.troubles] == [
        ("secret", 3, "GitHub token, line 3")
    ]


# --- checks ----------------------------------------------------------------------------------


def test_the_last_word_counts_and_a_contradiction_is_told() -> None:
    text = "The tests fail on main.\n\nWith the fix: tests pass."
    assert read_findings(text, RunPlace(Path("/nowhere"))).validation == {"tests": "pass"}
    assert troubles(text) == ["contradiction"]


# --- insights --------------------------------------------------------------------------------


def test_insights_stand_under_their_heading_or_behind_their_name() -> None:
    text = """\
Done.

### Key findings
- **Locks** are not fair
  under contention
- The cache is cold
  - after each deploy

All good otherwise.

**Note:** the API is rate limited
## Files
- not an insight
"""
    assert insights(text) == [
        "Locks are not fair under contention",
        "The cache is cold\nafter each deploy",
        "the API is rate limited",
    ]
    assert insights("Learnings:\n1. one\n2. two") == ["one", "two"]
    assert insights("Done. Key insight: it is the lock.") == ["it is the lock."]
    assert insights("**Insights**\n\nA plain paragraph.") == ["A plain paragraph."]
    assert insights("I noted: nothing. Notes are kept in the drawer.") == []


SENTENCE = "The old one is left as it was, since nobody knows which of the tools call it"
PROSE = "I rewrote the tokenizer, which was slow. The parser needed no change for that."

# --- trouble ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("", ["empty"]),
        (" \n\t\n", ["empty"]),
        ("API Error: Rate limit reached", ["error"]),
        ("Prompt is too long", ["error"]),
        ("[Request interrupted by user]", ["error"]),
        ("I wrote the first half and then the", ["cut off"]),
        ("Here it is:\n```python\ndef f():", ["cut off"]),
        ("Good. Now let me update the tests.", ["cut off"]),
        ("Summary of the changes:", ["cut off"]),
        ("Created `gone.py`.", ["missing file"]),
        (f"{PROSE} The rest is in tokens.py where the func", ["cut off"]),
        (
            f"{PROSE}\n\n{SENTENCE} and I found tha",
            ["cut off"],
        ),
        ("The bug is in tokens.py where the func", ["cut off"]),
        ("I rewrote the tokenizer and made\nsure that every caller in the pack", ["cut off"]),
        ("I renamed `parse to `scan` everywhere.", ["cut off"]),
        (
            "The tokenizer reads all of the text in one go, " + "which many callers in the packag",
            [],
        ),
        (
            "The tokenizer reads all of the text in one go, "
            + "which many callers in the packages",
            ["cut off"],
        ),
        ("It is done.\nand we four took\nit", ["cut off"]),  # five words
        ("It is done.\nWe four took\nit", []),
        (
            "First I read it all\nand then more.\n\nI changed the tokenizer and made sure\n"
            "that callers in the package do it",
            ["cut off"],  # a line is no paragraph: its writer does end them
        ),
        # all is well
        ("It printed\n```\nAPI Error: Rate limit reached\n```\nwhich is handled.", []),
        ("All is there.\n\n| file | sign |\n|---|---|\n| a.py | one ` more |", []),
        ("All done.", []),
        ("Added handling of API errors and rate limits.", []),
        ("Deleted `gone.py`.", []),
        ("```\nls\n```", []),
        ("- 6 new tests, 4 controllers", []),
        ("Let me know if you need more.", []),
        (PROSE, []),
        (f"{PROSE}\n\n{SENTENCE}.", []),
        (f"{PROSE}\n\nReady for review", []),
        (f"{PROSE} Let me know if you have any questions", []),
        (f"{PROSE} Everything is formatted and all of the tests pass", []),
        (f"{PROSE} The new module for all of this is src/units.py", []),
        (f"{PROSE} The new module for all of this is `units`", []),
        (f"{PROSE}\n\n- and one item that is in the middle of the", ["cut off"]),
        (f"{PROSE}\n\n- and one item that stops without any dot at all here", []),
        (f"{PROSE}\n\n- and one item\n  that stops without any dot at all here", []),
        (f"{PROSE}\n\n| and | one row that stops without any dot at all", []),
        (f"{PROSE}\n\nBranch: the one with all of the changes for units", []),
        (f"{PROSE}\n\n**What**: {SENTENCE}", []),
        ("no dots are used\n\nby this writer, who ends every paragraph\nwith a plain word", []),
        ("````md\n```sh\nls\n```\n````", []),
    ],
)
def test_signs_of_trouble(text: str, kinds: list[str]) -> None:
    assert troubles(text) == kinds


# --- any text --------------------------------------------------------------------------------

WORDS = st.sampled_from(
    ["created", "not", "updated", "`a.py`", "lib/b.ts:3", "tests", "pass", "fail", "✅", "❌"]
    + ["coverage", "85%", ":", "|", "```", "#", "-", "**", "(", ")", ".\n", ",", "42", "passed"]
    + ["API Error", "Note:", "└── c.py", "[x](y.md)", "\0", "\x1b[0m", "\ud800", "next steps"]
    + ["if", "and", "\n", "\n\n", "type", "1/0", "0/1", "²", "٣ passed"]
)


@pytest.mark.slow
@settings(
    max_examples=COUNTS.fuzz_inputs, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@example("** **")
@example("78\x1e/123 tests passed")
@example("78\x1e/123 tests passed")
@given(st.one_of(st.text(), st.lists(WORDS).map(" ".join)))
def test_any_text_is_read(tmp_path: Path, text: str) -> None:
    findings = read_findings(text, RunPlace(tmp_path))
    assert isinstance(findings, Findings)
    assert len({path.path for path in findings.paths}) == len(findings.paths)
    last = text.count("\n") + 1
    for each in everything(findings):
        assert 1 <= each.line <= last


@pytest.mark.slow
@pytest.mark.parametrize(
    "piece",
    vary(
        [
            "# x\n",
            "tests-",
            "`",
            "created ",
            "(",
            "lib/a/",
            "no tests ",
            "- a:\n  ",
            "1",
            '"*',
            "...",
        ],
        always=3,
    ),
)
def test_a_large_message_is_read(piece: str, tmp_path: Path) -> None:
    """In the square of its length it would take longer than any test may; one long line is the
    worst case."""
    assert isinstance(read_findings(piece * (400_000 // len(piece)), RunPlace(tmp_path)), Findings)
