"""Which files are looked at, and whose they are."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from orch_tui.claude_client import transcripts_folder
from orch_tui.errors import SourceError
from orch_tui.record.transcripts.transcript_files import (
    choose_files,
    find_in_paths,
    find_of_project,
    is_named_after,
    is_workflow_run,
    read_beginning,
    read_last_time,
    session_of_folder,
    workflow_run_of,
)


def write(path: Path, text: str = "{}\n") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def names(root: Path, *paths: Path) -> list[str]:
    return [os.path.relpath(file.path, root) for file in find_in_paths(paths or (root,))]


def test_a_folder_holds_transcripts_and_what_is_noted_beside_them(tmp_path: Path) -> None:
    kept = (
        "s.jsonl",
        "s/subagents/agent-a.jsonl",
        "s/subagents/agent-a.meta.json",
        "s/workflows/wf_1.json",
        "t.jsonl",
    )
    for name in (*kept, "notes.md", "s/wf_2.json", "s/workflows/other.json", "x.json"):
        write(tmp_path / name)
    assert names(tmp_path) == sorted(kept)


def test_a_file_that_is_named_is_looked_at_whatever_its_name(tmp_path: Path) -> None:
    named = write(tmp_path / "notes.md", "12345")
    (found,) = find_in_paths([named])
    status = named.stat()
    assert (found.path, found.size) == (str(named), 5)
    assert found.mtime_ns == status.st_mtime_ns


def test_links_lead_nowhere_and_round_no_circle(tmp_path: Path) -> None:
    write(tmp_path / "a" / "s.jsonl")
    (tmp_path / "a" / "gone.jsonl").symlink_to(tmp_path / "nowhere")
    (tmp_path / "a" / "round").symlink_to(tmp_path)
    (tmp_path / "linked.jsonl").symlink_to(tmp_path / "a" / "s.jsonl")
    assert names(tmp_path) == ["a/s.jsonl", "linked.jsonl"]


def test_what_was_named_and_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="cannot be read"):
        list(find_in_paths([tmp_path / "nowhere"]))


def choose(home: Path, root: Path, *paths: Path, every: bool = False) -> list[str]:
    files = choose_files(paths, claude_folder=home, root=root, every_project=every)
    return [os.path.relpath(file.path, home / "projects") for file in files]


def test_without_paths_it_is_what_is_kept_of_the_project(tmp_path: Path) -> None:
    root = tmp_path / "p"
    root.mkdir()
    own = str(root).replace("/", "-").replace("_", "-").replace(".", "-")
    home = tmp_path / "home"
    assert choose(home, root) == choose(home, root, every=True) == []
    for name in (own, f"{own}-lib", f"{own}x", "-else"):
        write(home / "projects" / name / "s.jsonl")
    write(home / "projects" / "loose.jsonl")
    assert choose(home, root) == [f"{own}/s.jsonl", f"{own}-lib/s.jsonl"]
    assert len(choose(home, root, every=True)) == 5
    assert choose(home, root, home / "projects" / "-else") == ["-else/s.jsonl"]


def test_linked_worktrees_and_a_name_of_its_own_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "p"
    write(root / ".git" / "worktrees" / "w" / "gitdir", "/else/w/.git\n")
    write(root / ".git" / "worktrees" / "v" / "gitdir").write_bytes(b"\xff")
    for name in ("-else-w", "-else-v", "mine"):
        write(tmp_path / "projects" / name / "s.jsonl")

    def found() -> list[str]:
        folders = ("-else-v", "-else-w", "mine")
        files = find_of_project(tmp_path / "projects", folders, root)
        return [Path(file.path).parent.name for file in files]

    assert found() == ["-else-w"]
    monkeypatch.setenv("CLAUDE_CODE_PROJECT_DIR_NAME", "mine")
    assert found() == ["-else-w", "mine"]


@pytest.mark.parametrize(
    ("path", "session", "run"),
    [
        ("/c/projects/-p/S/subagents/agent-a.jsonl", "S", ""),
        ("/c/projects/-p/S/subagents/workflows/wf_1/agent-a.jsonl", "S", "wf_1"),
        ("/c/projects/-p/agent-a.jsonl", "", ""),
        ("subagents/agent-a.jsonl", "", ""),
        ("S/subagents/agent-a.jsonl", "S", ""),
        ("/S/subagents", "", ""),
        ("/S/workflows/wf_1/agent-a.jsonl", "", ""),
    ],
)
def test_a_folder_tells_the_session_and_the_workflow(path: str, session: str, run: str) -> None:
    assert session_of_folder(Path(path)) == session
    assert workflow_run_of(Path(path)) == run


def test_the_note_of_a_workflow_is_known_by_its_place() -> None:
    assert is_workflow_run(Path("S/workflows/wf_1.json"))
    for other in ("S/workflows/wf_1.jsonl", "S/workflows/x.json", "S/wf_1.json", "wf_1.json"):
        assert not is_workflow_run(Path(other))


def test_a_transcript_lies_in_the_folder_of_its_project() -> None:
    assert is_named_after(Path("/c/-home-me-app/s.jsonl"), "/home/me/app")
    assert not is_named_after(Path("/c/-home-me-app-lib/s.jsonl"), "/home/me/app")
    long = "/home/" + "x" * 400
    assert is_named_after(Path("/c") / transcripts_folder(long) / "s.jsonl", long)


def test_a_transcript_begins_with_its_session_folder_and_time(tmp_path: Path) -> None:
    path = write(
        tmp_path / "s.jsonl",
        '{"type": "summary"}\nno json\n{"cwd": "/p", "timestamp": "2026-11-22T10:00:00Z"}\n'
        '{"sessionId": "S", "cwd": "/q", "timestamp": "2026-11-22T09:00:00Z"}\n'
        '{"sessionId": "T"}\n',
    )
    assert read_beginning(path) == ("S", "/p", "2026-11-22T10:00:00.000Z")
    assert read_beginning(write(tmp_path / "empty.jsonl", "")) == ("", "", "")
    assert read_beginning(tmp_path / "nowhere.jsonl") == ("", "", "")
    late = write(tmp_path / "late.jsonl", "{}\n" * 50 + '{"sessionId": "S"}\n')
    assert read_beginning(late) == ("", "", "")
    last = write(tmp_path / "last.jsonl", "{}\n" * 49 + '{"sessionId": "S"}\n')
    assert read_beginning(last) == ("S", "", "")


def test_a_transcript_ends_with_the_last_time_it_tells(tmp_path: Path) -> None:
    times = [f'{{"timestamp": "2026-11-22T10:00:0{n}Z"}}\n' for n in range(3)]
    path = write(tmp_path / "s.jsonl", "".join(times) + '{"type": "summary"}\n{"timest')
    assert read_last_time(path) == "2026-11-22T10:00:02.000Z"
    far = write(tmp_path / "far.jsonl", times[0] + "{}\n" * 90_000)
    assert read_last_time(far) == "", "only its last lines are looked at"
    assert read_last_time(tmp_path / "nowhere") == read_last_time(write(tmp_path / "e", "")) == ""
