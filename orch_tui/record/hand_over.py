"""Briefings left for the hand-over hook, and the line to pass in their place.

The bytes lie in the user's own state folder, where no repository and no other user can put
anything, named by the uid of their deployment; a copy lies beside the record, since an agent that
reads outside its project has to ask for it. The private file goes when a run completed by it: what
failed is often called again by the same line. The copy goes by age alone, so that a line which is
used once more is never one that leads to nothing.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from orch_tui.errors import OrchError, RecordError
from orch_tui.files import refused_writing, whole_file
from orch_tui.frozen import frozen
from orch_tui.hand_over_line import render_hand_over
from orch_tui.models.database import Record
from orch_tui.paths import hand_over_folder, is_private, linked_part
from orch_tui.record.ledger.briefing_files import log_briefing_file

if TYPE_CHECKING:
    from orch_tui.rows import ExecutionFacts

KEPT_DAYS = 30
"""Days after which what was left for a deployment goes, whatever became of it."""

FOLDER = "briefings"
"""The folder beside the record with the copies."""


@frozen
class HandOver:
    """How a briefing is handed over by a line."""

    line: str | None
    """To pass as the prompt; None: nothing could be left that it could name."""
    remarks: tuple[str, ...] = ()
    """What a person should know: that only a part of it works."""


def leave_briefing(
    record: Record, root: Path, execution: ExecutionFacts, briefing: bytes
) -> HandOver | None:
    """Leave the briefing of a deployment where the hand-over hook finds it.

    ``root`` is the project whose hooks are asked. None: there is no briefing, or no such hook.
    """
    if not briefing:
        return None
    from orch_tui.install import hook_settings

    if not hook_settings.state(root).hands_over:
        return None
    remove_returned(record)
    copy = record.path.parent / FOLDER / f"{execution.uid}.md"
    try:
        with whole_file(copy) as file:
            file.write(briefing)
        log_briefing_file(record, execution.execution_id, str(copy))
    except OrchError as error:
        return HandOver(None, (f"there is no line to hand over: {error}",))
    line = render_hand_over(execution.uid, hashlib.sha256(briefing).hexdigest(), str(copy))
    try:
        briefing.decode()
        _write_private(execution.uid, briefing)
    except (OSError, OrchError, UnicodeDecodeError) as error:
        why = "it is not UTF-8" if isinstance(error, UnicodeDecodeError) else str(error)
        only = "no hook can hand the briefing over, the agent has to read the file that the line"
        return HandOver(line, (f"{only} names: {why}",))
    return HandOver(line)


def _write_private(uid: str, briefing: bytes) -> None:
    """Write what the hook hands over: nobody else may read it, or have made its folder."""
    folder = Path(hand_over_folder())
    with refused_writing(str(folder)):
        folder.mkdir(0o700, parents=True, exist_ok=True)
    if not is_private(folder):
        raise OSError(f"{folder} is a link, another user's or open to others")
    folder.chmod(0o700)
    unfinished = folder / f".{uid}.{os.urandom(4).hex()}.tmp"
    file = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with open(file, "wb") as stream:
            stream.write(briefing)
        os.replace(unfinished, folder / uid)
    finally:
        with suppress(OSError):
            unfinished.unlink(missing_ok=True)


def remove_returned(record: Record) -> None:
    """Remove what was left for the hook where the run has completed, and all that is too old.

    What cannot be removed, or looked up in the record just now, stays until the next time: whoever
    records a return has done so.
    """
    _remove_old(record.path.parent / FOLDER)
    private = hand_over_folder()
    left = _remove_old(Path(private)) if is_private(private) else []
    if not left:
        return
    with suppress(RecordError):
        completed = {
            key
            for (key,) in record.sql(
                "SELECT key FROM execution_keys JOIN agent_executions USING (execution_id) "
                "WHERE key IN (SELECT value FROM json_each(?)) AND status = 'completed'",
                [json.dumps([f"uid:{uid}" for _, uid in left])],
            )
        }
        for path, uid in left:
            if f"uid:{uid}" in completed:
                with suppress(OSError):
                    path.unlink(missing_ok=True)


def _remove_old(folder: Path) -> list[tuple[Path, str]]:
    """Remove what was left in a folder too long ago; gives the files that stay, with the uids of
    their deployments.

    Anything else there is somebody else's, and so is what a link leads to: the folder beside a
    record may be a repository's, or one that the user has for other things.
    """
    if not os.path.lexists(folder) or folder.is_symlink() or linked_part(folder.absolute()):
        return []
    oldest = time.time() - KEPT_DAYS * 86_400
    left = []
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            named = _LEFT.fullmatch(entry.name)
            if named is None:
                continue
            with suppress(OSError):
                if entry.stat(follow_symlinks=False).st_mtime < oldest:
                    os.unlink(entry.path)
                else:
                    left.append((Path(entry.path), named[1]))
    return left


_LEFT = re.compile(r"\.?([0-9a-f]{32})(?:\.md)?(?:\.[0-9a-f]{8}\.tmp)?")
"""The names of what is left, finished or not: the uid of its deployment stands in them."""
