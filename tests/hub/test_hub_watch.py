"""While the app is open its record syncs in a process of its own, which ends with the app."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from threading import Event, Thread
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from orch_tui.hub.background_sync import read_last_sync
from orch_tui.hub.settings import read_settings
from orch_tui.processes import own_module
from orch_tui.project import Project
from orch_tui.screens import hub_watch
from orch_tui.screens.hub_watch import HubWatch
from tests.cli.conftest import Run

if TYPE_CHECKING:
    from tests.hub.conftest import Connect

pytestmark = pytest.mark.usefixtures("service_file")


@pytest.fixture
def joined(did: Run, own_home: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project whose record is joined, and syncs while the app is open."""
    did("init-session", "--scope", "s")
    did("hub", "connect", "ann", "--send", "messages")
    monkeypatch.setattr(hub_watch, "LOOK_EVERY", 0.05)
    monkeypatch.setenv("ORCH_CONFIG_DIR", os.environ.get("ORCH_CONFIG_DIR", ""))
    project = Project()
    project.config = project.config.__class__(sync_every=30)
    return project


class WatchedApp:
    """As much of the app as the watch knows, with what it was told."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.told: list[str] = []
        self.heard = Event()

    def post_message(self, message: Any) -> None:
        self.told.append(message.words)
        self.heard.set()


def wait_for(what: Any) -> None:
    """Wait until something holds; the process that syncs takes a second or two to begin."""
    never = Event()
    for _ in range(1_200):
        if what():
            return
        never.wait(0.05)
    raise AssertionError("it never came")


def test_what_is_recorded_goes_to_the_hub_while_the_app_is_open(
    joined: Project, connect: Connect
) -> None:
    hub, end, app = connect(), Event(), WatchedApp(joined)
    assert read_settings(joined.existing_record) is not None
    watch = HubWatch(app, end)  # type: ignore[arg-type]
    thread = Thread(target=watch.watch)
    thread.start()
    try:
        wait_for(lambda: hub.execute("SELECT 1 FROM statements").fetchone())
        wait_for(lambda: read_last_sync(joined.existing_record).done_at)
        wait_for(lambda: app.told[-1:] == [""])
        process = watch._process
        assert process is not None
    finally:
        end.set()
        thread.join()
    assert process.poll() is not None
    joined.close()


def test_a_hub_that_is_away_is_told_in_a_word(joined: Project, own_home: Path) -> None:
    end, app = Event(), WatchedApp(joined)
    (own_home / ".pg_service.conf").write_text("[ann]\nhost=/nowhere/at/all\ndbname=x\nuser=ann\n")
    thread = Thread(target=HubWatch(app, end).watch)  # type: ignore[arg-type]
    thread.start()
    try:
        wait_for(lambda: read_last_sync(joined.existing_record).error)
        wait_for(lambda: app.told[-1:] == ["not synced yet"])
    finally:
        end.set()
        thread.join()
    joined.close()


def test_who_is_joined_to_none_begins_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("subprocess.Popen", lambda *_, **__: pytest.fail("a process was begun"))
    end, app = Event(), SimpleNamespace(project=Project(tmp_path), post_message=lambda _: end.set())
    HubWatch(app, end).watch()  # type: ignore[arg-type]


def test_the_process_ends_when_the_app_is_gone(joined: Project) -> None:
    database = str(joined.database)
    joined.close()
    process = subprocess.Popen(
        own_module("orch_tui", "--db", database, *hub_watch._WATCH, "--format", "json"),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stdout.readline() == b"{\n"
    process.stdin.close()
    process.stdout.close()
    assert process.wait(60) in (0, 1)
