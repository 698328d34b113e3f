from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.memory_folder import MemoryFolder

_KILLED = """
import os, sys
from pathlib import Path
from tests.memory_folder import MemoryFolder
(MemoryFolder(Path(sys.argv[1])).path / "record.db").write_text("full")
os.kill(os.getpid(), 9)
"""


def test_what_a_killed_run_left_in_memory_goes_and_what_a_living_one_uses_stays(
    tmp_path: Path,
) -> None:
    subprocess.run([sys.executable, "-c", _KILLED, tmp_path], check=False)
    (left,) = tmp_path.iterdir()
    assert (left / "record.db").exists()
    living = MemoryFolder(tmp_path)
    second = MemoryFolder(tmp_path)
    assert set(tmp_path.iterdir()) == {living.path, second.path}
    living.remove()
    second.remove()
    assert not list(tmp_path.iterdir())
