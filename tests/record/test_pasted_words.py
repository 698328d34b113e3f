"""What people paste off a terminal is the return it is a copy of, and is kept as it was pasted."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orch_tui.errors import ConflictError
from orch_tui.models.database import Record
from orch_tui.record.completion import find_recorded_return, record_completion
from orch_tui.record.executions import get_execution, list_completions
from orch_tui.record.ledger import contents
from orch_tui.record.pasted_words import (
    fingerprints_of_paste,
    read_pasted_return,
    read_pasted_words,
)
from orch_tui.record.run_return import record_return
from orch_tui.record.sessions import init_session
from tests.counts import COUNTS
from tests.record.noted_home import LIMIT, TOOLS, frame
from tests.record.reporting import report

LONG = "docs/a-very-long-folder-name/another-very-long-folder-name/and-the-file-itself.md"
SAID = f"""All done, and here is what I did with the files that you named in your task to me.

- Wrote `lib/calculator/operations.py` with the four operations that the requirements name
- tests: 12 passed, none failed, and the one that was skipped before runs on every machine now

Created {LONG} too."""


def show_in_terminal(text: str, width: int = 80, bullet: str = "⏺") -> str:
    """A message as Claude Code shows it: a bullet, an indent, broken lines, blanks at the end."""
    lines: list[str] = []
    for line in text.split("\n"):
        lines += textwrap.wrap(line, width - 2, break_on_hyphens=False) or [""]
    shown = [f"{bullet} {lines[0]}", *(f"  {line}" for line in lines[1:])]
    return "\n".join(line.ljust(width) for line in shown)


MARKED = """## What changed

I wrote `lib/calculator/operations.py`; **all** four _operations_ are there.

1. First `add`, then `sub`
* and a list

```python
print(add(1, 2))
```

| check | result |
|-------|--------|
| tests | pass   |

> Nothing is left."""
RENDERED = """⏺ What changed

  I wrote lib/calculator/operations.py; all four operations are there.

  1. First add, then sub
  - and a list

  print(add(1, 2))

  ┌───────┬────────┐
  │ check │ result │
  ├───────┼────────┤
  │ tests │ pass   │
  └───────┴────────┘

  ▎ Nothing is left."""


def is_same(one: str, other: str) -> bool:
    return bool(set(fingerprints_of_paste(one)) & set(fingerprints_of_paste(other)))


PASTES: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "bullets": lambda text: f"⏺ {text}",
    "80 columns": show_in_terminal,
    "40 columns": lambda text: show_in_terminal(text, 40, "●"),
    "blanks": lambda text: "\n".join(f"{line}   " for line in text.split("\n")) + "\n\n",
    "a note": lambda text: f"{TOOLS}\n{text}",
    "notes": lambda text: f"{TOOLS}\n{LIMIT}\n{text}",
    "notes in 60 columns": lambda text: show_in_terminal(f"{TOOLS}\n{LIMIT}\n{text}", 60),
    "a frame": lambda text: frame(text, TOOLS),
}
pastes = pytest.mark.parametrize("shown", PASTES.values(), ids=PASTES)

words = st.text(st.sampled_from("ab.:/`"), min_size=1, max_size=30)
messages = st.lists(st.lists(words, max_size=9).map(" ".join), min_size=1, max_size=6).map(
    lambda lines: "\n".join(lines).strip()
)


@settings(max_examples=COUNTS.examples)
@given(messages, st.sampled_from(sorted(PASTES)))
def test_a_paste_has_the_letters_of_what_it_is_a_copy_of(said: str, how: str) -> None:
    assert not said or is_same(said, PASTES[how](said))


@settings(max_examples=COUNTS.examples)
@given(messages, messages, st.sampled_from(sorted(PASTES)))
def test_what_says_something_else_is_no_copy(said: str, other: str, how: str) -> None:
    one, two = ("".join(text.replace("`", "").split()) for text in (said, other))
    if one != two and "```" not in said + other:  # what stands beside a fence is a language
        assert not is_same(said, PASTES[how](other))


def test_a_terminal_shows_no_signs_of_markdown() -> None:
    assert is_same(MARKED, RENDERED)
    assert is_same(MARKED, RENDERED.removeprefix("⏺ "))
    assert not is_same(MARKED, RENDERED.replace("add(1, 2)", "add(1, 3)"))
    assert not is_same("", "**")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Done.", "Done"),
        ("It went up by -5.", "It went up by 5."),
        ("Done. 12 tests passed.", "Done. 11 tests passed."),
        ("- a\n- b", "- b\n- a"),
        ("It is done.", "⏺ It is not done."),
        (f"{TOOLS}\nDone.", f"{TOOLS}\nNot done."),
        ("Done.", frame("Not done.")),
        ("Done.", "Done.\n\nNOTE: this agent stopped at its 2-turn limit"),
    ],
)
def test_two_answers_stay_two(one: str, other: str) -> None:
    assert not is_same(one, other)


def test_lines_that_a_terminal_broke_are_whole_again() -> None:
    assert read_pasted_words(show_in_terminal(SAID)) == SAID
    assert read_pasted_words(SAID) == SAID
    assert read_pasted_words(f"{TOOLS}\n{LIMIT}\n{SAID}") == SAID
    assert read_pasted_words("") == ""


@pytest.fixture
def label(record: Record) -> str:
    init_session(record, "x", project="/p", session_id="s")
    with record.write():
        return report(
            record,
            "deployed",
            {"session_id": "s", "agent_type": "debugger", "deployed_at": record.now()},
            source="manual",
            keys=["tool:toolu_1"],
        )


def hear(record: Record, text: str, at: str, **payload: Any) -> None:
    with record.write():
        keys = ["tool:toolu_1"]
        report(record, "returned", payload, source="hook", keys=keys, at=at, message=text)


AT = "2026-11-22T10:00:00.000Z"
LATER = "2026-11-22T11:00:00.000Z"


@pastes
@pytest.mark.parametrize("is_first", [True, False])
def test_a_pasted_copy_is_the_return_that_hooks_told_of(
    record: Record, label: str, shown: Callable[[str], str], is_first: bool
) -> None:
    if is_first:
        record_completion(record, label, final_message=shown(SAID))
    hear(record, SAID, AT)
    if not is_first:
        found = find_recorded_return(record, label, shown(SAID))
        assert found and (found.position, found.source) == (1, "hook")
        assert not record_completion(record, label, final_message=shown(SAID)).is_new
    assert [c.position for c in list_completions(record, label)] == [1]
    assert get_execution(record, label).final_message == SAID
    given = shown(SAID).encode()
    held = record.sql("SELECT content_id FROM contents")
    assert given in [contents.get_content(record, number) for (number,) in held]


@pastes
def test_two_pastes_of_a_message_are_one_return(
    record: Record, label: str, shown: Callable[[str], str]
) -> None:
    record_completion(record, label, final_message=SAID)
    record_completion(record, label, final_message=shown(SAID))
    assert len(list_completions(record, label)) == 1
    assert record_completion(record, label, final_message=shown("Something else.")).is_new
    assert len(list_completions(record, label)) == 2


def test_an_answer_of_two_rounds_is_told_of_one_after_the_other(record: Record, label: str) -> None:
    hear(record, "Done.", AT)
    with record.write():
        resumed = {"resumed": "toolu_m"}
        report(record, "noted", resumed, source="hook", keys=["tool:toolu_1"], at=AT[:-2] + "1Z")
    hear(record, "Done.", LATER)
    assert len(list_completions(record, label)) == 2
    record_completion(record, label, final_message="⏺ Done.")
    assert len(list_completions(record, label)) == 2
    record_completion(record, label, final_message="⏺ Done!")
    assert len(list_completions(record, label)) == 3


def test_a_paste_that_is_said_to_have_failed_after_all_is_refused(
    record: Record, label: str
) -> None:
    record_completion(record, label, final_message=SAID)
    with pytest.raises(ConflictError):
        record_completion(record, label, final_message=show_in_terminal(SAID), status="failed")


def test_files_and_checks_are_read_without_what_the_terminal_adds(
    record: Record, label: str, tmp_path: Path
) -> None:
    for text in (SAID, show_in_terminal(SAID), f"{TOOLS}\n{SAID}"):
        _, findings = record_return(record, label, root=tmp_path, final_message=text)
        assert findings is not None
        assert (
            "docs/a-very-long-folder-name/another-very-long-folder-name/and-the-file-itself.md"
            in [found.path for found in findings.paths]
        )


AGENT = "ab9e2513fa064288a"
NOTIFICATION = (
    f"<task-notification>\n<task-id>{AGENT}</task-id>\n<status>completed</status>\n"
    '<summary>Agent "Look" completed</summary>\n<result>{}</result>\n'
    "<usage><subagent_tokens>3</subagent_tokens></usage>\n</task-notification>"
)


@pytest.mark.parametrize(
    "around",
    [
        NOTIFICATION,
        "[SYSTEM NOTIFICATION - NOT USER INPUT]\nIt is told.\n\n" + NOTIFICATION,
        f"{{}}\nagentId: {AGENT} (use SendMessage to resume)\n"
        "<usage>total_tokens: 3\ntool_uses: 1</usage>",
        f"{{}}\nagentId: {AGENT}",
        "{}\n<usage>subagent_tokens: 3\ntool_uses: 1\nduration_ms: 5</usage>\n",
        '<teammate-message teammate_id="look" color="blue">\n{}\n</teammate-message>',
    ],
)
def test_a_message_to_the_session_is_the_words_it_holds(
    record: Record, label: str, around: str
) -> None:
    pasted = around.format(SAID)
    assert read_pasted_words(pasted) == SAID
    hear(record, SAID, AT)
    assert not record_completion(record, label, final_message=pasted).is_new
    assert len(list_completions(record, label)) == 1


def test_a_notification_that_it_failed_says_so() -> None:
    failed = NOTIFICATION.replace(">completed<", ">failed<").replace(
        " completed", " failed: no disk"
    )
    assert read_pasted_return(failed.format("Half of it.")).error == 'Agent "Look" failed: no disk'
    assert read_pasted_return(NOTIFICATION.format("All.")).error is None


@pytest.mark.parametrize(
    "text",
    [
        NOTIFICATION.format("One.") + NOTIFICATION.format("Two."),
        "I told it: <task-notification> is what comes.",
        "The line\nagentId: x stands in the log.\nThat is all.",
    ],
)
def test_what_is_no_one_message_stays_as_it_is(text: str) -> None:
    assert read_pasted_words(text) == text
