from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from orch_tui.assets import asset
from orch_tui.record.ledger import doubt
from orch_tui.record.messages import (
    findings,
    message_checks,
    message_paths,
    path_claims,
    path_forms,
)
from orch_tui.record.messages.findings import Findings, read_findings
from orch_tui.record.messages.patterns import _Uncompiled
from tests.counts import COUNTS

MESSAGES = Path(__file__).parent / "messages"
LABELS: dict[str, dict[str, Any]] = json.loads((MESSAGES / "labels.json").read_text())
"""What a person found in each message: ``claimed`` with what was done, merely ``mentioned``.

``missed`` is what is known not to be seen, such as "I changed it" of a file named a sentence
before; nothing is seen that is not there.
"""


def project(root: Path, *files: str) -> Path:
    for name in files:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("x\n")
    return root


def claims(text: str, root: Path = Path("/nowhere")) -> dict[str, str]:
    return {path.path: path.claim for path in read_findings(text, root).paths}


def checks(text: str) -> dict[str, str | int | float]:
    return read_findings(text, Path("/nowhere")).validation


def everything(findings: Findings) -> list[Any]:
    return [*findings.paths, *findings.checks, *findings.insights, *findings.troubles]


def troubles(text: str) -> list[str]:
    return [trouble.kind for trouble in read_findings(text, Path("/nowhere")).troubles]


def insights(text: str) -> list[str]:
    return [insight.text for insight in read_findings(text, Path("/nowhere")).insights]


# --- whole messages --------------------------------------------------------------------------


@pytest.mark.parametrize("name", LABELS)
def test_a_labelled_message_is_read_as_a_person_reads_it(name: str, tmp_path: Path) -> None:
    label = LABELS[name]
    findings = read_findings((MESSAGES / name).read_text(), project(tmp_path, *label["files"]))
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
    findings = read_findings(text, tmp_path)
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
    findings = read_findings(text, project(tmp_path, "src/units.py", "tests/test_units.py"))
    validation = {"format": "skip", "lint": 0, "types": "pass", "tests": "fail", "coverage": 85}
    assert findings.validation == validation | {"audit": 2.5}
    assert findings.outputs == (
        ("deliverable", "src/units.py"),
        ("deliverable", "tests/test_units.py"),
        *(("validation", f"{name}:{result}") for name, result in findings.validation.items()),
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
    findings = read_findings(report_back(none, none, none), tmp_path)
    assert everything(findings) == []
    assert findings.outputs == ()


# --- paths -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "See https://example.com/docs/index.html and http://localhost:3000/app.js.",
        "Upgraded to 1.2.3, v0.15 and 2.0.0-rc1.",
        "i.e. the default, e.g. JSON, etc.",
        "Installed `@xterm/xterm` and `lodash/fp`, ran `import x from './foo'`.",
        "Use `--config=foo.toml`, `-x` or `--out-dir`.",
        "Built with Node.js and Next.js; calls console.log and res.json.",
        "Either read/write or and/or; GET /api/hooks/:id; `list_panes/0`; 10/12.",
        "All `*.ts` files, `lib/**/*.py`, `.ts` and `.d.ts` files, the lib/ folder.",
        "mail me@example.com about github.com/owner/repo.py",
        "`npm test src/app.test.ts` and `AUTH=x.py`",
        "Spotter.Repo, os.path, foo.bar() and self.db",
        "```python\nopen('lib/x.py')\n```",
    ],
)
def test_what_only_looks_like_a_path_is_none(text: str) -> None:
    assert claims(text) == {}


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("Created `lib/x.ts:10-20`.", "lib/x.ts"),
        ("Created lib/x.ts:7.", "lib/x.ts"),
        ("Created **lib/x.ts**, done", "lib/x.ts"),
        ("Created [x.ts](lib/x.ts#L10-L20)", "lib/x.ts"),
        ("Created `./lib/../lib/x.ts`", "lib/x.ts"),
        ("Created `tests/test_x.py::TestX::test_a[1]`", "tests/test_x.py"),
        ("Created `app/[id]/(group)/page.tsx`", "app/[id]/(group)/page.tsx"),
        ('Created "lib/x.ts"', "lib/x.ts"),
        ("Created (lib/x.ts)", "lib/x.ts"),
        ("Created .gitignore", ".gitignore"),
        ("Created `Makefile`", "Makefile"),
        ("Created config/.mcp.json", "config/.mcp.json"),
        ("Created lib/größe.py", "lib/größe.py"),
    ],
)
def test_paths_are_found_in_every_dress(text: str, path: str) -> None:
    assert claims(text) == {path: "created"}


def test_paths_are_checked_against_the_disk(tmp_path: Path) -> None:
    root = project(tmp_path / "p", "lib/a.py", "bin/deploy", "docs/my notes.md", ".env")
    project(tmp_path, "outside.py")
    (root / "link.py").symlink_to(tmp_path / "outside.py")
    text = (
        f"Created `{root}/lib/a.py`, `../outside.py`, `lib/b.py`, `link.py`, `bin/deploy`, `.env`."
    )
    found = {path.path: (path.exists, path.inside) for path in read_findings(text, root).paths}
    outside = str(tmp_path / "outside.py")
    assert found == {
        "lib/a.py": (True, True),
        outside: (True, False),
        "lib/b.py": (False, True),
        "link.py": (True, False),
        "bin/deploy": (True, True),
        ".env": (True, True),
    }
    names = [path.path for path in read_findings(text, root).deliverables]
    assert names == ["lib/a.py", "bin/deploy"], "what is there, in the project, and no secret"
    assert claims("Wrote `docs/my notes.md`", root) == {"docs/my notes.md": "created"}
    assert claims("Created `bin/rollback`", root) == {"bin/rollback": "created"}
    assert claims("`bin/rollback` and bin/or", root) == {}


def test_a_drawn_tree_ends_with_its_block() -> None:
    text = "Created:\n```\nlib/\n├── a/\n│   └── x.ts\n└── y.ts\n```\nand\n```\n├── z.ts\n```"
    assert list(claims(text)) == ["lib/a/x.ts", "lib/y.ts", "z.ts"]


def test_a_short_name_is_the_one_file_that_has_it() -> None:
    text = "Created `lib/deep/store.ts`.\n\nstore.ts now persists; store.ts is fast."
    assert claims(text) == {"lib/deep/store.ts": "created"}
    text = "See `a/store.ts` and `b/store.ts`. store.ts was updated."
    assert claims(text) == {"a/store.ts": "", "b/store.ts": "", "store.ts": "modified"}


@pytest.mark.parametrize(
    ("text", "claim"),
    [
        ("Created `a.py`", "created"),
        ("I've added a new test to `a.py`", "modified"),
        ("`a.py` has been updated", "modified"),
        ("`a.py` (new, 120 lines)", "created"),
        ("- `a.py`: added parse()", "modified"),
        ("- Removed unused imports from `a.py`", "modified"),
        ("- Deleted `a.py`", "deleted"),
        ("Created `a.py`, then removed `a.py` again", "deleted"),
        ("| `a.py` | Modified | +3 |", "modified"),
        ("## Files modified\n- `a.py` – parser", "modified"),
        ("## Changes\n**Backend:**\n- a.py", "modified"),
        ("Created:\n\n```\nA  a.py\n```", "created"),
        ("### `a.py`\n- Fixed the bounds check", "modified"),
        ("Implemented retries (`a.py`)", "created"),
        # not claimed
        ("I did not create `a.py`", ""),
        ("I didn't modify `a.py`", ""),
        ("`a.py` was not changed", ""),
        ("`a.py` remains unchanged", ""),
        ("No changes were made to `a.py`", ""),
        ("You should create `a.py`", ""),
        ("It would have to be added to `a.py`", ""),
        ("Could not be written to `a.py`", ""),
        ("## Next steps\n- Modified `a.py` needs a review", ""),
        ("## Files to create\n- `a.py`", ""),
        ("## Files reviewed\n- `a.py`", ""),
        ("## Files modified\n- `a.py` (unchanged)", ""),
        ("## Deliverables\n- `a.py`", "created"),
        ("## Deliverables\n- `a.py` (new)", "created"),
        ("## Deliverables\n- a.py: parses units", "created"),
        ("## Deliverables\n- a.py: parses units, not dates", "created"),
        ("## Deliverables\n- a.py: reference for callers, doesn't import the rest", "created"),
        ("## Deliverables\n- **Parser**: `a.py`", "created"),
        ("## Deliverables\n- `a.py` - not really made", ""),
        ("## Deliverables\n- `a.py`: could not be written", ""),
        ("## Deliverables\n- `a.py` (I didn't get to it)", ""),
        ("## Deliverables\n- `a.py` (planned)", ""),
        ("## Deliverables\n- `a.py`: unchanged", ""),
        ("## Deliverables\n- `a.py` (existing)", ""),
        ("## Deliverables\n- See also: `a.py`", ""),
        ("## Deliverables\n- none, `a.py` was there", ""),
        ("## Deliverables\n- [ ] `a.py`", ""),
        ("Added tests for `a.py`", ""),
        ("Rewrote the parser based on `a.py`", ""),
        ("The class is defined in `a.py`.", ""),
        ("`a.py` holds the files created by users", ""),
        ("Once updated, `a.py` will work", ""),
    ],
)
def test_a_claim_is_what_the_words_around_it_say(text: str, claim: str) -> None:
    assert claims(text) == {"a.py": claim}


def test_one_sentence_says_different_things_of_different_files() -> None:
    assert claims("Edited `a.py`, not `b.py`.") == {"a.py": "modified", "b.py": ""}
    text = (
        "Updated `a.py` to use `b.py`, added tests for `c.py` in `tests/c_test.py` and"
        " renamed `d.py` to `e.py`. `f.py` and `g.py` were edited; `h.py` didn't need it."
    )
    assert claims(text) == {
        "a.py": "modified",
        "b.py": "",
        "c.py": "",
        "tests/c_test.py": "modified",
        "d.py": "deleted",
        "e.py": "created",
        "f.py": "modified",
        "g.py": "modified",
        "h.py": "",
    }


# --- checks ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("tests: pass", {"tests": "pass"}),
        ("lint: fail", {"lint": "fail"}),
        ("format:pass,lint:fail,coverage:85%", {"format": "pass", "lint": "fail", "coverage": 85}),
        ("42 passed, 1 failed in 3.21s", {"tests": "fail"}),
        ("===== 42 passed, 3 skipped in 3.21s =====", {"tests": "pass"}),
        ("All tests pass", {"tests": "pass"}),
        ("coverage: 85 %", {"coverage": 85}),
        ("Test coverage increased from 80% to 85.5%", {"coverage": 85.5}),
        ("93% code coverage", {"coverage": 93}),
        ("- ✅ Lint\n- ❌ Types", {"lint": "pass", "types": "fail"}),
        ("| mypy | ✅ |\n| pytest | ❌ 2 failing |", {"types": "pass", "tests": "fail"}),
        ("65 tests, 0 failures", {"tests": "pass"}),
        ("389 tests passing, credo clean", {"tests": "pass", "lint": "pass"}),
        ("Format, lint and types all pass.", {"format": "pass", "lint": "pass", "types": "pass"}),
        ("`ruff check .` reports no issues", {"lint": "pass"}),
        ("`ruff format --check` passes", {"format": "pass"}),
        ("`npm run build` ✅", {"build": "pass"}),
        ("10/12 tests pass", {"tests": "fail"}),
        ("12/12 tests pass", {"tests": "pass"}),
        ("Integration tests: fail", {"integration tests": "fail"}),
        ("## Validation\n- Security audit: pass", {"security audit": "pass"}),
        ("No lint errors.", {"lint": "pass"}),
        ("3 type errors remain", {"types": "fail"}),
        ("eslint: 0 errors, 4 warnings", {"lint": "pass"}),
        ("coverage: 85", {"coverage": 85}),
        ("format:pass,lint:fail,coverage:85", {"format": "pass", "lint": "fail", "coverage": 85}),
        ("## Validation\nformat:skip,lint:0,tests:pass", dict(format="skip", lint=0, tests="pass")),
        ("## Validation\n- `coverage`: **85**", {"coverage": 85}),
        ("## Validation\n- format: skipped, there is no formatter", {"format": "skip"}),
        ("## Validation\n- types: skip (not set up)", {"types": "skip"}),
        ("## Validation\n| coverage | 85.5 |", {"coverage": 85.5}),
        ("## Validation\n- mypy: 3", {"types": 3}),
        ("## Validation\n- lint and types: pass", {"lint": "pass", "types": "pass"}),
        ("## Validation\n- p95 latency: 120", {"p95 latency": 120}),
        # denial
        ("The tests do not pass", {"tests": "fail"}),
        ("Tests don't pass", {"tests": "fail"}),
        ("Not all tests pass", {"tests": "fail"}),
        ("The tests no longer fail", {"tests": "pass"}),
        ("No tests failed", {"tests": "pass"}),
        ("None of the tests fail", {"tests": "pass"}),
        ("Tests pass, except two", {"tests": "fail"}),
        # no result
        ("The tests should pass", {}),
        ("Make sure all tests pass", {}),
        ("Tests pass once the server is up", {}),
        ("If lint fails, run it again", {}),
        ("I fixed 3 failing tests", {}),
        ("Tests were not run", {}),
        ("Added tests for failed logins", {}),
        ("handles 3 failed attempts", {}),
        ("coverage should reach 80%, the target is 80% coverage", {}),
        ("## Next steps\n- tests: pass", {}),
        ("lint: 0, format: skip", {}),
        ("coverage: 85 files are left", {}),
        ("## Results\n- users: 42", {}),
        ("## Validation\n- coverage: n/a\n- tests: none\n- build: unknown", {}),
        ("## Validation\n- Node version: 20\n- ran: 12 of the suites", {}),
        ("## Validation\n- [ ] tests: pass", {}),
        ("```python\nassert 'tests: pass'\n```", {}),
    ],
)
def test_the_results_of_checks(text: str, expected: dict[str, str | int | float]) -> None:
    assert checks(text) == expected


def test_the_last_word_counts_and_a_contradiction_is_told() -> None:
    text = "The tests fail on main.\n\nWith the fix: tests pass."
    assert checks(text) == {"tests": "pass"}
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
        "Locks are not fair\nunder contention",
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
        # all is well
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
    findings = read_findings(text, tmp_path)
    assert isinstance(findings, Findings)
    assert len({path.path for path in findings.paths}) == len(findings.paths)
    last = text.count("\n") + 1
    for each in everything(findings):
        assert 1 <= each.line <= last


@pytest.mark.slow
@pytest.mark.parametrize(
    "piece",
    ["tests-", "created ", "`", "(", "lib/a/", "no tests ", "- a:\n  ", "# x\n", "1", '"*', "..."],
)
def test_a_large_message_is_read(piece: str, tmp_path: Path) -> None:
    """In the square of its length it would take longer than any test may; one long line is the
    worst case."""
    assert isinstance(read_findings(piece * (400_000 // len(piece)), tmp_path), Findings)


def test_every_pattern_compiles() -> None:
    """They are compiled when they are first used, which may be never in a test."""
    found = [
        value
        for module in (findings, message_checks, message_paths, path_claims, path_forms, doubt)
        for value in vars(module).values()
        if isinstance(value, _Uncompiled)
    ]
    assert len(found) > 30
    assert {type(re.compile(each._text, each._flags)) for each in found} == {re.Pattern}
