"""What orch records of the real client is what the scripted server knows to be true."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.client.installed_client import CannotRunError, install_client
from tests.client.judge import judge_run
from tests.client.run import run_scenario
from tests.client.scenario import Scenario
from tests.client.scenarios import SCENARIOS

pytestmark = [pytest.mark.client, pytest.mark.slow]


@pytest.fixture(scope="session")
def client() -> Path:
    try:
        return install_client()
    except CannotRunError as error:
        pytest.fail(f"could not run: {error}")


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_what_is_recorded_is_true(client: Path, scenario: Scenario, tmp_path: Path) -> None:
    assert judge_run(run_scenario(scenario, client, tmp_path)) == []
