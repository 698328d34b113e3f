"""What orch keeps for its hooks in the user's state folder, once no hook is registered."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from orch_tui.files import remove_empty
from orch_tui.install.settings_file import anything_noted
from orch_tui.paths import hand_over_folder, is_private, state_folder


def clear_state() -> Iterator[Path]:
    """Remove what no hook needs any more, and yield the inboxes that hold what nobody took in.

    Nothing goes while some settings file still holds hooks that orch put there.
    """
    if anything_noted():
        return
    top = Path(state_folder())
    copies = Path(hand_over_folder())
    if is_private(copies):
        for copy in list(copies.iterdir()):
            with suppress(OSError):
                copy.unlink()
    with suppress(OSError):
        (top / "clipboard.txt").unlink()
    for folder, _, files in os.walk(top / "inbox", topdown=False):
        if files:
            yield Path(folder)
        remove_empty(Path(folder), top)
    remove_empty(copies, top)
