"""What a message claims of files, as tests ask for it."""

from __future__ import annotations

import re
from pathlib import Path

from orch_tui.record.messages.message_lines import read_lines
from orch_tui.record.messages.message_paths import FoundPath, find_paths
from orch_tui.record.run_place import RunPlace


def found_paths(text: str, root: Path = Path("/nowhere")) -> list[FoundPath]:
    return find_paths(read_lines(text).lines, RunPlace(root))


def claims(text: str, root: Path = Path("/nowhere")) -> dict[str, str]:
    """Each file that is named, with what is said to have been done to it."""
    return {found.path: found.claim for found in found_paths(text, root)}


def claims_there(text: str, folder: Path) -> dict[str, str]:
    """The same where all that it names is there."""
    return claims(text, project(folder, *re.findall(r"[\w/]+\.(?:py|js|sql|rs)\b", text)))


def project(root: Path, *files: str) -> Path:
    """Write some files, and give the folder they lie in."""
    for name in files:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("x\n")
    return root
