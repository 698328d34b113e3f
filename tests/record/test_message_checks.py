"""Results of checks: each is read once, and what is demanded, past or denied is none."""

from __future__ import annotations

import pytest

from orch_tui.record.messages.message_checks import find_checks
from orch_tui.record.messages.message_lines import read_lines


def checks(text: str) -> dict[str, str | int | float]:
    return {check.name: check.result for check in find_checks(read_lines(text).lines)}


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
        ("Lint and tests skipped", {"lint": "skip", "tests": "skip"}),
        ("12 tests skipped", {}),
        ("lint/types/tests pass", {"lint": "pass", "types": "pass", "tests": "pass"}),
        ("lint (see the log) passed", {"lint": "pass"}),
        ("Tests: 23/24 (1 skipped)", {"tests": "pass"}),
        ("Tests: 22/24 (1 skipped)", {"tests": "fail"}),
        ("- `tests/test_a.py` (7 tests)\n  - all green", {"tests": "pass"}),
        ("- `src/a.py`\n  - all green", {}),
        ("The tests in `tests/test_a.py` and `tests/test_b.py` pass.", {"tests": "pass"}),
        ("`make test` exits 0; `ruff` exited with code 1", {"tests": "pass", "lint": "fail"}),
        ("It doesn't build yet.", {"build": "fail"}),
        ("Everything passes: lint, types, tests.", dict(lint="pass", types="pass", tests="pass")),
        ("`./gradlew :cart:test`, which passes", {"tests": "pass"}),
        ("| Suite | Passed | Failed |\n|---|---|---|\n| unit | 9 | 1 |", {"tests": "fail"}),
        ("| Suite | Passed | Failed |\n|---|---|---|\n| unit | 9 | 0 |", {"tests": "pass"}),
        ("I test in `tests/x.py` passano tutti (22).", {"tests": "pass"}),
        ("Tests pass; so does lint", {"tests": "pass", "lint": "pass"}),
        ("Tests pass, types likewise", {"tests": "pass", "types": "pass"}),
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
        ("Lint passes if ruff is there", {}),
        ("If lint fails, run it again", {}),
        ("The tests should run nightly. Lint passes.", {"lint": "pass"}),
        ("> tests: fail\n\nlint: pass", {"lint": "pass"}),
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


def test_each_result_stands_once_where_it_was_stated_last() -> None:
    text = "tests: pass\nlint: fail\n\ntests: fail\ntests: pass\n"
    found = find_checks(read_lines(text).lines)
    assert [(check.name, check.result, check.line) for check in found] == [
        ("lint", "fail", 2),
        ("tests", "fail", 4),
        ("tests", "pass", 5),
    ]
    assert found[0].excerpt == "lint: fail"


def test_output_of_a_terminal_is_read_and_code_is_not() -> None:
    for language in ("", "console", "text"):
        assert checks(f"```{language}\n3 passed in 0.1s\n```") == {"tests": "pass"}
    for language in ("python", "diff", "md"):
        assert checks(f"It prints:\n```{language}\n3 passed in 0.1s\n```") == {}


def test_a_command_in_backticks_is_the_check_that_it_runs() -> None:
    assert checks("`CI=1 uv run pytest -x` passes, `npm run lint` fails") == {
        "tests": "pass",
        "lint": "fail",
    }


def test_the_worst_of_several_results_counts() -> None:
    assert checks("Tests: 12 passed, 2 failed") == {"tests": "fail"}
    assert checks("coverage: 100%") == {"coverage": 100}
    assert checks("coverage: 101") == {}
