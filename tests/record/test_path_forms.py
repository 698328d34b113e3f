"""What is a path by its form or by the disk, and what only looks like one."""

from __future__ import annotations

from pathlib import Path

import pytest

from orch_tui.record.messages.path_forms import ProjectDisk, find_places
from orch_tui.record.run_place import RunPlace
from tests.record.message_claims import claims, project


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


def test_a_place_is_where_its_path_stands() -> None:
    content = "See `lib/a.py:3` and lib/b.ts, or [c](docs/c.md)."
    places = list(find_places(content, ProjectDisk(RunPlace(Path("/nowhere")))))
    assert [place.path for place in places] == ["lib/a.py", "lib/b.ts", "docs/c.md"]
    assert [content[place.start : place.end] for place in places] == [
        "`lib/a.py:3`",
        "lib/b.ts",
        "[c](docs/c.md)",
    ]


def test_the_disk_decides_what_the_form_leaves_open(tmp_path: Path) -> None:
    root = project(tmp_path, "bin/deploy", "lib/a.py")
    disk = ProjectDisk(RunPlace(root))

    def found(text: str) -> list[tuple[str, bool]]:
        return [(place.path, place.certain) for place in find_places(text, disk)]

    assert found("`bin/deploy` bin/deploy `bin/other` bin/other `lib` `etc/other`") == [
        ("bin/deploy", True),
        ("bin/deploy", False),
        ("bin/other", False),
    ]
    assert found("`Makefile` README `LICENSE`") == [("Makefile", True), ("LICENSE", True)]


def test_odd_names_are_no_files(tmp_path: Path) -> None:
    disk = ProjectDisk(RunPlace(project(tmp_path, "a.py")))
    for odd in ("\0", "a\0.py", "\ud800", "x" * 5000, "a.py/b"):
        assert not disk.is_file(odd)
        assert not disk.is_folder(odd)
    assert disk.is_file("a.py") and disk.is_folder(".")
    assert disk.is_inside("a.py") and not disk.is_inside("../a.py")
    assert not disk.is_inside(str(tmp_path / "a.py")), "a full path is the name of none inside"
    assert disk.name(str(tmp_path / "a.py")) == "a.py"


def test_a_name_alone_is_of_the_folder_that_its_line_names(tmp_path: Path) -> None:
    place = RunPlace(project(tmp_path, "crates/syntax/lexer.rs", "crates/syntax/token.rs"))
    text = "`lexer.rs` and `token.rs` under `crates/syntax/` are done; `parser.rs` is not."
    found = [place.path for place in find_places(text, ProjectDisk(place))]
    assert found == ["crates/syntax/lexer.rs", "crates/syntax/token.rs", "parser.rs"]
