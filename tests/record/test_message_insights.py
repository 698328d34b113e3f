"""What a message sets apart as worth keeping."""

from __future__ import annotations

import pytest

from orch_tui.record.messages.message_insights import find_insights
from orch_tui.record.messages.message_lines import read_lines


def insights(text: str) -> list[str]:
    return [insight.text for insight in find_insights(read_lines(text).lines)]


@pytest.mark.parametrize(
    "heading",
    [
        "## Insights",
        "### Key findings",
        "**What I learned**",
        "Gotchas:",
        "💡 **Lessons learned**",
        "## Design decisions and trade-offs",
        "Notes for the next agent:",
        "# 5. Key principles observed",
        "Insights\n--------",
        "Things worth knowing",
        "## Erkenntnisse",
        "## 注意事项",
    ],
)
def test_items_under_such_a_heading_are_insights(heading: str) -> None:
    assert insights(f"{heading}\n\n- the lock is not fair\n- so is\n  the queue\n") == [
        "the lock is not fair",
        "so is the queue",
    ]


@pytest.mark.parametrize(
    "heading",
    [
        "## Next steps",
        "## Release notes",
        "Resolved the findings:",
        "**Open questions**",
        "# Files",
    ],
)
def test_items_under_others_are_none(heading: str) -> None:
    assert insights(f"{heading}\n\n- the lock is not fair\n") == []


def test_rules_rows_and_code_are_none() -> None:
    text = """## Insights

---

- the lock is not fair

| # | Insight |
|---|---------|
| 1 | the queue is slow |

```
- not one
```

***
"""
    assert insights(text) == ["the lock is not fair"]


def test_what_is_about_something_else_below_is_none() -> None:
    text = "## Notes\n- one thing\n### Next steps\n- do it\n### Deliverables\n- a.py\n"
    assert insights(text) == ["one thing"]


def test_a_heading_of_its_own_belongs_to_what_stands_below() -> None:
    text = "## Findings\n### 1. The lock\nIt is not fair.\n### 2. The queue is slow\n"
    assert insights(text) == ["1. The lock: It is not fair.", "2. The queue is slow"]
    assert insights("### Finding 1: the lock is not fair\nIt starves.\n\n- at noon\n") == [
        "the lock is not fair\nIt starves.\nat noon"
    ]


def test_what_stands_behind_a_label_is_one() -> None:
    assert insights("All done. Gotcha: the lock is not fair. It starves.") == [
        "the lock is not fair. It starves."
    ]
    assert insights("⚠️ **Important:** the lock is not fair\nWarning: nor is\nthe queue") == [
        "the lock is not fair",
        "nor is the queue",
    ]
    assert insights("Hinweis: Die Sperre ist nicht fair.") == ["Die Sperre ist nicht fair."]
    assert insights("Release notes: see the other file. Fixed the findings: all of them.") == []


def test_a_sentence_that_tells_of_learning_or_deciding_is_one() -> None:
    told = [
        "It turned out that the lock is not fair.",
        "In the end I decided against a queue, since nobody waits.",
        "Note that the cache is cold after a deploy.",
    ]
    assert insights(f"I changed a.py. {told[0]} Tests pass.\n\n{told[1]}\n\n{told[2]}") == told
    assert insights("Should I decide? I found out nothing. I learned no news.") == []


def test_of_a_quotation_only_what_is_set_in_a_box_is_one() -> None:
    assert insights("> Please do it. Note: keep it short.\n\nDone.") == []
    assert insights("> [!WARNING]\n> The lock is not fair.\n> It starves.\n") == [
        "The lock is not fair. It starves."
    ]
    assert insights("> [!NOTE]\n> Of the lock:\n> - it starves") == ["Of the lock: - it starves"]


def test_a_drawn_box_ends_with_its_lower_edge() -> None:
    text = "`★ Insight ─────`\n- the lock is not fair\n`─────────`\n\n- and a list\n"
    assert insights(text) == ["the lock is not fair"]


def test_having_none_is_none() -> None:
    assert insights("## Insights\n\nNone.\n\n**Gotchas**\n- n/a\n") == []


def test_a_label_is_about_its_paragraph_until_the_report_goes_on() -> None:
    assert insights("Note: the lock is unfair\nand starves.\n\nSo it is.") == [
        "the lock is unfair and starves."
    ]
    assert insights("Note: the lock is unfair. I fixed the queue.") == ["the lock is unfair."]
    assert insights("## Lesson: locks starve. Tip: use the queue") == [
        "locks starve. use the queue"
    ]
    assert insights("> Note: the lock\n> is unfair") == ["the lock is unfair"]
    assert insights("> The lock:\n> Note: it is unfair") == ["it is unfair"]
    assert insights("## Insights\nThe lock is unfair.") == ["The lock is unfair."]
    assert insights("## Insights\n- locks:\n    - starve") == ["locks:\nstarve"]


@pytest.mark.parametrize("colon", [":", "："])
def test_what_a_colon_introduces_begins_anew(colon: str) -> None:
    what = "What came of the week that I sat before it, " + "and then looked again, " * 6
    text = f"{what}was this{colon}\nI learned that the lock is unfair."
    assert insights(text) == ["I learned that the lock is unfair."]


@pytest.mark.parametrize(
    "text",
    [
        "I learned why the lock is unfair?",
        "I learned that the lock is unfair:",
        "- [ ] I learned that the lock is unfair",
        "## Next steps\nI learned that the lock is unfair",
    ],
)
def test_what_is_asked_announced_or_yet_to_do_is_none(text: str) -> None:
    assert insights(text) == []


def test_nothing_is_nothing_however_it_is_set_off() -> None:
    for said in ("_None_", "__none__", "_n/a_", "**None.**", "None"):
        lines = read_lines(f"## Insights\n\n{said}\n").lines
        assert find_insights(lines) == [], said
