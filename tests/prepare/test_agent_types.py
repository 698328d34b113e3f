from __future__ import annotations

from pathlib import Path

import pytest

from orch_tui.prepare.agent_types import (
    BUILT_IN_AGENTS,
    MAX_BYTES,
    find_markdown_files,
    index_definitions,
    is_known_agent,
    list_agent_types,
    read_agent_files,
    read_client_file,
)


def define(folder: Path, name: str, description: str = "reviews") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name or 'nameless'}.md"
    path.write_text(f"---\nname: {name}\ndescription: {description}\n---\nYou review.\n")
    return path


def test_types_of_the_project_the_user_and_claude_code_are_on_offer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLAUDE_CONFIG_DIR", str(tmp_path / "user"))
    define(tmp_path / "root/.claude/agents/deep", "reviewer")
    define(tmp_path / "user/agents", "writer")
    assert list_agent_types(tmp_path / "root") == {"reviewer", "writer", *BUILT_IN_AGENTS}
    assert list_agent_types(tmp_path / "none") == {"writer", *BUILT_IN_AGENTS}


def test_the_project_s_definition_goes_before_the_user_s_and_half_ones_are_skipped(
    tmp_path: Path,
) -> None:
    own = define(tmp_path / "root/.claude/agents", "reviewer")
    define(tmp_path / "root/.claude/agents", "")
    define(tmp_path / "root/.claude/agents", "silent", description="")
    define(tmp_path / "user/agents", "reviewer")
    files = read_agent_files(tmp_path / "root", tmp_path / "user")
    assert len(files) == 4
    ((name, (path, front)),) = index_definitions(files).items()
    assert (name, path, front.body.strip()) == ("reviewer", own, "You review.")


def test_an_agent_of_a_plugin_is_known_by_its_form() -> None:
    assert is_known_agent("Plan", BUILT_IN_AGENTS)
    assert is_known_agent("plugin:agent", ())
    assert not is_known_agent("plna", BUILT_IN_AGENTS)


def test_what_is_no_text_or_too_large_is_not_read(tmp_path: Path) -> None:
    for name, data in {"a": b"x\0", "b": b"x" * (MAX_BYTES + 1), "c": b"\xff"}.items():
        (tmp_path / name).write_bytes(data)
    read = [read_client_file(tmp_path / name) for name in ("a", "b", "c", "none")]
    assert read == [None, None, "ÿ", None]


def test_links_in_a_circle_are_followed_once(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep/again").symlink_to(tmp_path)
    for name in ("b.md", "a.md", "c.txt", "deep/d.md"):
        (tmp_path / name).write_text("x")
    found = [path.relative_to(tmp_path).as_posix() for path in find_markdown_files(tmp_path)]
    assert found == ["a.md", "b.md", "deep/d.md"]
