"""The hub from Python does what the commands do."""

from __future__ import annotations

from pathlib import Path

import pytest

from orch_tui import api
from orch_tui.errors import HubError, UsageError
from tests.cli.conftest import Run


@pytest.mark.usefixtures("service_file", "no_sync_beside")
def test_a_record_joins_and_leaves(project: Path, did: Run) -> None:
    did("init-session", "--scope", "s")
    assert not api.hub_status().joined
    joined = api.hub_connect("ann", send="figures")
    assert (joined.person, joined.send, joined.problem) == ("ann", "figures", None)
    assert api.hub_status(project=project) == joined
    assert did("hub", "status", "--format", "json").json["send"] == "figures"
    api.hub_disconnect()
    with pytest.raises(HubError, match="joined to no hub"):
        api.hub_disconnect()
    with pytest.raises(UsageError, match="'all' is no level"):
        api.hub_connect("ann", send="all")  # type: ignore[arg-type]
    with pytest.raises(HubError, match="may use"):
        api.hub_connect("mallory", send="figures")
    assert not api.hub_status().joined
