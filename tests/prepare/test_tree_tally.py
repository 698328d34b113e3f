"""What files weigh, folder by folder."""

from __future__ import annotations

from orch_tui.prepare.count import Count
from orch_tui.prepare.tree_tally import outline_counts


def tokens(number: int) -> Count:
    return Count(number, "o200k_base", number, number)


def test_folders_hold_the_sum_of_their_files_and_the_heaviest_comes_first() -> None:
    lines = outline_counts(
        [
            ("README.md", tokens(5)),
            ("src/a.py", tokens(1)),
            ("src/b.py", tokens(3)),
            ("src/deep/only/c.py", tokens(2)),
            ("text:and/or", tokens(4)),
        ]
    )
    assert [(line.depth, line.name, line.count.tokens) for line in lines] == [
        (0, "src/", 6),
        (1, "b.py", 3),
        (1, "deep/only/", 2),
        (2, "c.py", 2),
        (1, "a.py", 1),
        (0, "README.md", 5),
        (0, "text:and/or", 4),
    ]


def test_sources_outside_the_project_and_nothing_at_all() -> None:
    assert [line.name for line in outline_counts([("/etc/motd", tokens(1))])] == ["/etc/", "motd"]
    assert outline_counts([]) == []


def test_a_part_is_no_folder() -> None:
    named = ["docs/a.md#A/B testing", "docs/b.md:1-2", "c#/x.py", "./-", "exec-003:message"]
    assert [line.name for line in outline_counts([(name, tokens(1)) for name in named])] == [
        *("docs/", "a.md#A/B testing", "b.md:1-2"),
        *("-", "c#/", "x.py", "exec-003:message"),
    ]
