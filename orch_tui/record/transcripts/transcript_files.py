"""Which files of Claude Code an import looks at, and whose they are.

https://code.claude.com/docs/en/sessions: ``projects/<working folder>/<session>.jsonl``, the
agents' own beneath ``<session>/subagents/`` or, of older releases, beside it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from orch_tui.claude_client import LONGEST_FOLDER_NAME, transcripts_folder
from orch_tui.errors import SourceError
from orch_tui.frozen import frozen
from orch_tui.record.claude_code import SIDECAR
from orch_tui.record.transcripts.transcript_lines import (
    Entry,
    decode_struct,
    iterate_lines,
    parse_timestamp,
)
from orch_tui.worktrees import list_linked_trees


@frozen
class TranscriptFile:
    """One file to look at."""

    path: str
    size: int
    mtime_ns: int


def choose_files(
    paths: Iterable[Path],
    *,
    claude_folder: Path,
    root: Path,
    every_project: bool,
    unread: Callable[[SourceError], object] = lambda error: None,
) -> Iterator[TranscriptFile]:
    """The files an import looks at: those in ``paths`` or, where none are given, what Claude Code
    keeps of the project at ``root``, or of every project.

    ``unread`` is told of each folder on the way that cannot be read and is passed over.

    Raises:
        SourceError: a path that cannot be read.
    """
    if given := list(paths):
        return find_in_paths(given, unread)
    projects = claude_folder / "projects"
    try:
        folders = sorted(entry.name for entry in os.scandir(projects) if entry.is_dir())
    except (FileNotFoundError, NotADirectoryError):
        return iter(())
    except OSError as error:
        raise _unreadable(str(projects), error) from None
    if every_project:
        return find_in_paths([projects], unread)
    return find_of_project(projects, folders, root, unread)


def find_in_paths(
    paths: Iterable[Path], unread: Callable[[SourceError], object] = lambda error: None
) -> Iterator[TranscriptFile]:
    """The files that were named, and the transcripts in the folders that were.

    Raises:
        SourceError: one that was named cannot be read.
    """
    for path in paths:
        try:
            status = path.stat()
            if path.is_dir():
                os.scandir(path).close()
        except OSError as error:
            raise _unreadable(str(path), error) from None
        if path.is_dir():
            yield from _in_folder(str(path), unread)
        else:
            yield TranscriptFile(os.path.abspath(path), status.st_size, status.st_mtime_ns)


def _unreadable(path: str, error: OSError) -> SourceError:
    return SourceError(path, f"cannot be read ({(error.strerror or str(error)).lower()})")


def _in_folder(folder: str, unread: Callable[[SourceError], object]) -> Iterator[TranscriptFile]:
    """Sorted, so that a session's file comes beside the folder of its agents."""
    folders = [os.path.abspath(folder)]
    found: list[TranscriptFile] = []
    while folders:
        here = folders.pop()
        try:
            entries = list(os.scandir(here))
        except FileNotFoundError:  # gone since
            continue
        except OSError as error:
            unread(_unreadable(here, error))
            continue
        for entry in entries:
            try:
                if entry.is_dir(follow_symlinks=False):
                    folders.append(entry.path)
                elif _is_kept(entry) and entry.is_file():
                    status = entry.stat()
                    found.append(TranscriptFile(entry.path, status.st_size, status.st_mtime_ns))
            except OSError:  # gone since, or a link to nowhere
                continue
    yield from sorted(found, key=lambda each: each.path)


def _is_kept(entry: os.DirEntry[str]) -> bool:
    """Whether a name is that of a transcript or of what is noted beside one."""
    if entry.name.endswith((".jsonl", SIDECAR)):
        return True
    return entry.name.startswith("wf_") and is_workflow_run(Path(entry.path))


def find_of_project(
    projects: Path,
    folders: Iterable[str],
    root: Path,
    unread: Callable[[SourceError], object] = lambda error: None,
) -> Iterator[TranscriptFile]:
    """The transcripts Claude Code keeps for one project, and for its linked worktrees.

    Its ``folders`` in ``projects`` are named after working folders, every character but letters
    and digits a ``-``: folders of the project's name, and those that begin with it
    (``-home-me-app-lib`` may be ``/home/me/app/lib`` or ``/home/me/app-lib``: the working folder
    told inside decides).
    """
    named = {transcripts_folder(str(folder)) for folder in (root, *list_linked_trees(root))}
    given = os.environ.get("CLAUDE_CODE_PROJECT_DIR_NAME")
    if given:
        named.add(given)
    own = transcripts_folder(str(root))
    for name in folders:
        if name in named or name.startswith(f"{own}-") or _is_long(name, own):
            yield from _in_folder(str(projects / name), unread)


def is_named_after(transcript: Path, root: str) -> bool:
    """Whether a transcript lies in a folder that is named after a project."""
    own = transcripts_folder(root)[:LONGEST_FOLDER_NAME]
    return any(name[:LONGEST_FOLDER_NAME] == own for name in transcript.parts)


def _is_long(name: str, own: str) -> bool:
    return len(own) > LONGEST_FOLDER_NAME and name.startswith(own[:LONGEST_FOLDER_NAME])


def session_of_folder(path: Path) -> str:
    """The Claude session whose folder an agent's file lies in; empty where it lies elsewhere."""
    folders = path.parts[:-1]
    return folders[folders.index("subagents") - 1] if "subagents" in folders[1:] else ""


def workflow_run_of(path: Path) -> str:
    """The run of a workflow whose folder an agent's file lies in; empty where it lies elsewhere."""
    folders = path.parts[:-1]
    return folders[-1] if "subagents" in folders and folders[-2:-1] == ("workflows",) else ""


def is_workflow_run(path: Path) -> bool:
    """Whether a file is what Claude Code notes of the run of a workflow."""
    is_json = path.suffix == ".json" and path.name.startswith("wf_")
    return is_json and path.parent.name == "workflows"


_LINES_TO_LOOK_AT = 50


_LAST_BYTES = 256 * 1024


def read_last_time(path: Path) -> str:
    """The time of the last line of a transcript that tells one; empty where none does."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - _LAST_BYTES))
            told = file.read().splitlines()
    except OSError:
        return ""
    entries = (decode_struct(line, Entry) for line in reversed(told))
    return next((at for entry in entries if entry and (at := parse_timestamp(entry.timestamp))), "")


def read_beginning(path: Path) -> tuple[str, str, str]:
    """The Claude session, working folder and first time that a transcript begins with."""
    session = cwd = at = ""
    try:
        with path.open("rb") as file:
            for (line, _), _ in zip(iterate_lines(file), range(_LINES_TO_LOOK_AT), strict=False):
                entry = decode_struct(line, Entry)
                if entry:
                    session = session or entry.sessionId or ""
                    cwd = cwd or entry.cwd or ""
                    at = at or parse_timestamp(entry.timestamp)
                if session and cwd and at:
                    break
    except OSError:
        pass
    return session, cwd, at
