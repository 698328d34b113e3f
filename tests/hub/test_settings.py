"""Which hub a record is joined to is the user's word, and of that record alone."""

from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path

from orch_tui.hub.settings import (
    HubSettings,
    forget_settings,
    keep_settings,
    read_settings,
)
from orch_tui.models.database import Record
from orch_tui.paths import config_folder
from orch_tui.record.opening import open_record

JOINED = HubSettings(
    service="team",
    schema="orch",
    send="messages",
    insecure=False,
    hub_uid="h-1",
    joined_at="2026-11-22T10:00:00.000Z",
)


def files() -> list[Path]:
    return sorted(Path(config_folder()).rglob("*.json"))


def test_what_is_kept_is_read_until_it_is_forgotten(record: Record) -> None:
    assert read_settings(record) is None
    forget_settings(record)
    keep_settings(record, JOINED)
    assert read_settings(record) == JOINED
    assert JOINED.level == 2
    (file,) = files()
    assert not file.is_relative_to(record.path.parent)
    assert stat.S_IMODE(os.stat(file.parent).st_mode) == 0o700
    forget_settings(record)
    assert read_settings(record) is None


def test_a_record_that_was_brought_is_joined_to_nothing(record: Record, tmp_path: Path) -> None:
    """It has the uid of the one it was copied from, and lies elsewhere."""
    keep_settings(record, JOINED)
    record.close()
    cloned = tmp_path / "clone" / "execution.db"
    cloned.parent.mkdir()
    shutil.copyfile(record.path, cloned)
    with open_record(cloned) as other:
        assert read_settings(other) is None
    with open_record(record.path) as again:
        assert read_settings(again) == JOINED


def test_what_cannot_be_read_joins_nothing(record: Record) -> None:
    keep_settings(record, JOINED)
    (file,) = files()
    for broken in ("", "[]", "{}", file.read_text().replace("messages", "all of it")):
        file.write_text(broken)
        assert read_settings(record) is None
