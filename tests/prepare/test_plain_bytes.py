"""Reading small files that somebody else may have put there."""

from __future__ import annotations

import os
from pathlib import Path

from orch_tui.prepare.plain_bytes import read_bytes


def test_only_plain_files_of_a_size_are_read(tmp_path: Path) -> None:
    file, link, pipe = tmp_path / "file", tmp_path / "link", tmp_path / "pipe"
    file.write_bytes(b"12345")
    link.symlink_to(file)
    os.mkfifo(pipe)
    assert read_bytes(str(file), 5) == b"12345" == read_bytes(str(link), 5)
    assert read_bytes(str(file), 4) is None
    assert read_bytes(str(link), 5, through_link=False) is None
    for other in (pipe, tmp_path, tmp_path / "none", "nul\0", "/dev/zero"):
        assert read_bytes(str(other), 5) is None
