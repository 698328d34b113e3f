"""The files that a message names: each once, by its full name, checked against the disk."""

from __future__ import annotations

from pathlib import Path

from tests.record.message_claims import claims, claims_there, found_paths, project


def test_paths_are_checked_against_the_disk(tmp_path: Path) -> None:
    root = project(tmp_path / "p", "lib/a.py", "bin/deploy", "docs/my notes.md", ".env")
    project(tmp_path, "outside.py")
    (root / "link.py").symlink_to(tmp_path / "outside.py")
    text = (
        f"Created `{root}/lib/a.py`, `../outside.py`, `lib/b.py`, `link.py`, `bin/deploy`, `.env`."
    )
    found = {path.path: (path.exists, path.inside) for path in found_paths(text, root)}
    outside = str(tmp_path / "outside.py")
    assert found == {
        "lib/a.py": (True, True),
        outside: (True, False),
        "lib/b.py": (False, True),
        "link.py": (True, False),
        "bin/deploy": (True, True),
        ".env": (True, True),
    }
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


def test_the_last_word_on_a_file_counts_but_what_was_made_stays_new() -> None:
    assert claims("Updated `a.py`. Created `a.py`. Fixed `a.py`.") == {"a.py": "created"}
    assert claims("Created `a.py`. Later deleted `a.py`.") == {"a.py": "deleted"}
    assert claims("See `a.py`. Updated `a.py`.") == {"a.py": "modified"}


def test_a_finding_has_the_line_of_the_claim_and_files_keep_their_order() -> None:
    text = "See `b.py` first.\n\nThen `a.py`.\n- Created `b.py` at last\n"
    found = found_paths(text)
    assert [(f.path, f.line, f.excerpt) for f in found] == [
        ("b.py", 4, "Created `b.py` at last"),
        ("a.py", 3, "Then `a.py`."),
    ]


def test_lines_below_a_file_tell_what_was_done_to_it() -> None:
    text = "- `a.py`\n  - Fixed the bounds\n- `b.py`\n- Fixed nothing of it"
    assert claims(text) == {"a.py": "modified", "b.py": ""}


def test_a_listing_as_git_prints_it() -> None:
    text = "```\nA  new.py\n M old.py\nD  lib/gone.py\n?? other.py\nrun lib/x.py now\n```"
    assert claims(text) == {
        "new.py": "created",
        "old.py": "modified",
        "lib/gone.py": "deleted",
        "other.py": "created",
    }


def test_a_tree_drawn_without_boxes_is_one() -> None:
    text = "Created:\n```\ncli/\n|-- main.py\n`-- commands/\n    `-- build.py\n```"
    assert list(claims(text)) == ["cli/main.py", "cli/commands/build.py"]


def test_what_stands_in_a_list_of_changes_was_changed_unless_it_is_said_to_stay(
    tmp_path: Path,
) -> None:
    files = "\n- `a.py` (rewritten)\n- `b.py` (minor)\n- `c.py` (unchanged)\n- `d.py`: still slow"
    assert claims_there("Done." + files, tmp_path) == {
        "a.py": "modified",
        "b.py": "modified",
        "c.py": "",
        "d.py": "",
    }
    headed = (
        "Done.\n\n**a.py**\nAdded `x`.\n\n**b.py**\nPrints it.\n\n**c.py**\nChecked, it is fine."
    )
    assert claims_there(headed, tmp_path) == {
        "a.py": "modified",
        "b.py": "modified",
        "c.py": "",
    }


def test_a_path_shown_with_its_content_is_new_in_a_report_of_work(tmp_path: Path) -> None:
    shown = "## `a.js`\n\n```js\nx()\n```\n\n"
    assert claims_there(shown + "Both files are written.", tmp_path) == {"a.js": "modified"}
    assert claims_there(shown + "This is how it works.", tmp_path) == {"a.js": ""}
