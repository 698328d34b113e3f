"""The files of a run: what was given beside what was read and written."""

from __future__ import annotations

from orch_tui.record.ledger.file_use import FileUse, compare_file_use


def test_what_was_given_in_part_or_as_a_whole_is_told_by_how_it_is_named() -> None:
    given = [
        ("lib/a.py", None),
        ("./lib/b.py", None),
        ("lib/c.py:1-9", None),
        ("docs/d.md", '["Intro"]'),
        ("c#/e.cs", None),
        ("c#/f.cs:1-9", None),
        ("lib/g.py:1-9", None),
        ("lib/g.py", None),
    ]
    assert {use.path: use.given for use in compare_file_use(given, {})} == {
        "lib/a.py": "whole",
        "lib/b.py": "whole",
        "lib/c.py": "part",
        "docs/d.md": "part",
        "c#/e.cs": "whole",
        "c#/f.cs": "part",
        "lib/g.py": "whole",
    }


def test_what_is_no_file_was_not_read_from_disk_nor_left_unread() -> None:
    given = [("exec-003:message", None), ("text:Be brief.", None), ("-", None), ("a.py", None)]
    touched = {"a.py": ("2026-11-22T10:00:00.000Z", None)}
    assert compare_file_use(given, touched) == (
        FileUse("a.py", "whole", "2026-11-22T10:00:00.000Z", None),
    )
