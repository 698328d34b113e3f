"""What is no text, too large or changes under the reader is refused by name."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from orch_tui.prepare.sources import SourceReader
from tests.prepare.reading import make_project, read_only_source, read_refusal, write_files


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return make_project(tmp_path)


@pytest.fixture
def reader(project: Path) -> SourceReader:
    return SourceReader(project, project)


def test_what_is_no_text_file_is_refused(reader: SourceReader) -> None:
    root = reader.root
    (root / "nul.bin").write_bytes(b"text\0text")
    (root / "noise.bin").write_bytes(bytes(range(1, 256)) * 9)
    (root / "high.bin").write_bytes(b"\xfe" * 900)
    (root / "mark.bin").write_bytes(b"\xff\xfe\x00\xd8")
    os.mkfifo(root / "pipe")
    (root / "loop").symlink_to("loop")
    (root / "dangling").symlink_to("nowhere")
    listener = socket.socket(socket.AF_UNIX)
    here = os.getcwd()
    os.chdir(root)  # the path of a socket must be short
    listener.bind("socket")
    os.chdir(here)
    listener.close()
    for source, reason in {
        "lib:1-2": "is a folder",
        "lib#x": "is a folder",
        "nul.bin": "NUL",
        "noise.bin": "binary",
        "high.bin": "binary",
        "mark.bin": "binary",
        "pipe": "not a regular file",
        "socket": "not a regular file",
        "loop": "loop of links",
        "dangling": "nowhere, which does not exist",
    }.items():
        refused = read_refusal(reader, source)
        assert refused.source == source
        assert reason in refused.reason


def test_huge_files_are_refused_unless_the_limit_is_raised(project: Path) -> None:
    (project / "big.txt").write_bytes(b"x" * 1001)
    reason = read_refusal(SourceReader(project, project, max_bytes=1000), "big.txt").reason
    assert reason.startswith("is over the limit")
    assert (
        len(read_only_source(SourceReader(project, project, max_bytes=1001), "big.txt")[1]) == 1001
    )


def test_unreadable_files_are_refused(
    reader: SourceReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    def denied(*_: object) -> int:
        raise PermissionError(13, "Permission denied")  # root may read everything

    with monkeypatch.context() as patched:
        patched.setattr(os, "open", denied)
        assert read_refusal(reader, "lib/a.py").reason == "cannot be read (permission denied)"


def test_a_file_that_changes_while_it_is_read_is_refused(
    reader: SourceReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    target, opened = reader.root / "lib" / "a.py", os.open

    def growing(path: str, flags: int) -> int:
        with target.open("ab") as file:
            file.write(b"more")
        return opened(path, flags)

    with monkeypatch.context() as patched:
        patched.setattr(os, "open", growing)
        assert "changed while it was read" in read_refusal(reader, "lib/a.py").reason


def test_a_file_that_vanishes_is_named(
    reader: SourceReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    target, looked = reader.root / "lib" / "a.py", os.stat

    def vanishing(path: Path, **options: bool) -> os.stat_result:
        found = looked(path, **options)
        if path == target:
            target.unlink(missing_ok=True)
        return found

    monkeypatch.setattr("orch_tui.prepare.text_files.os.stat", vanishing)
    assert "no such file" in read_refusal(reader, "lib/a.py").reason


def test_two_gigabytes_are_refused_unread_and_left_out_of_a_folder_where_they_are_no_text(
    reader: SourceReader,
) -> None:
    write_files(reader.root, "data/a.md")
    with (reader.root / "data/huge.bin").open("wb") as file:
        file.truncate(2 << 30)
    assert "is binary" in read_refusal(reader, "data/huge.bin").reason
    assert [source.name for source in reader.read_source("data")] == ["data/a.md"]
    with (reader.root / "data/huge.log").open("wb") as file:
        file.write(b"a line\n" * 2_000)
        file.truncate(2 << 30)
    for given in ("data", "data/huge.log", "data/huge.log:1-2"):
        error = read_refusal(reader, given)
        assert "over the limit of 10 MB (2147.5 MB)" in error.reason
        assert error.hint == "max_file_size in the configuration raises it"
