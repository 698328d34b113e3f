"""Two people and a CI job with a record each, on one repository and one hub, offline in between:
afterwards every run of all is found by any word, with who ran it where and what came of it."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from psycopg.conninfo import conninfo_to_dict

from orch_tui.processes import own_module

SECRET = "correct-horse-zanzibar"
AWAY = "[team]\nhost=/nowhere/at/all\ndbname=x\nuser=x\n"


class Person:
    """Somebody with a home, a clone of the repository and an entry for the hub."""

    def __init__(self, folder: Path, name: str, address: str, origin: Path) -> None:
        self.name, self.home, self.root = name, folder / name, folder / name / "work"
        self.home.mkdir()
        subprocess.run(["git", "clone", "-q", str(origin), str(self.root)], check=True)
        git = ["git", "-C", str(self.root), "config"]
        subprocess.run([*git, "remote.origin.url", "https://example.org/team/shop.git"], check=True)
        self._entry = "[team]\n" + "".join(
            f"{key}={value}\n" for key, value in conninfo_to_dict(address).items()
        )
        settings = self.home / ".config" / "orch"
        settings.mkdir(parents=True)
        (settings / "config.toml").write_text("sync_every = 0\n")
        self.go_online()

    def go_online(self) -> None:
        (self.home / ".pg_service.conf").write_text(self._entry)

    def go_offline(self) -> None:
        (self.home / ".pg_service.conf").write_text(AWAY)

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        keep = {name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ}
        return subprocess.run(
            own_module("orch_tui", *arguments),
            cwd=self.root,
            env={**keep, "HOME": str(self.home), "USER": self.name},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )

    def did(self, *arguments: str) -> str:
        done = self.run(*arguments)
        assert done.returncode == 0, (self.name, arguments, done.stderr)
        return done.stdout

    def told(self, *arguments: str) -> Any:
        return json.loads(self.did(*arguments, "--format", "json"))

    def work(self, scope: str, said: str, status: str = "completed") -> None:
        """Deploy an agent and record what it said."""
        made = self.told("init-deployment", "--agent-type", "debugger", "--scope", scope)
        failed = ("--error-message", "it broke") if status == "failed" else ()
        self.did(
            *(
                "record-completion",
                "-e",
                made["execution"]["execution_id"],
                "--final-message",
                said,
            ),
            *("--status", status, *failed),
        )


@pytest.fixture
def team(tmp_path: Path, hub_address: Callable[[str], str]) -> Iterator[list[Person]]:
    origin = tmp_path / "origin"
    subprocess.run(["git", "init", "-q", str(origin)], check=True)
    (origin / "README").write_text("shop\n")
    author = ("-c", "user.name=a", "-c", "user.email=a@example.org")
    subprocess.run(["git", "-C", str(origin), "add", "."], check=True)
    subprocess.run(["git", "-C", str(origin), *author, "commit", "-qm", "begun"], check=True)
    yield [Person(tmp_path, name, hub_address(name), origin) for name in ("ann", "bob", "ci")]


@pytest.mark.wide
def test_three_records_and_one_hub(team: list[Person]) -> None:
    ann, bob, ci = team
    for person in team:
        person.did("init-session", "--scope", f"the work of {person.name}")
        person.did("hub", "connect", "team", "--send", "everything")
    ann.work("mend the basket", f"Mended the basket; I saw {SECRET} in its log.")
    ci.work("test the shop", "Nothing of the checkout works.", "failed")
    for person in team:
        person.did("hub", "sync")
    for person in (ann, bob):
        person.go_offline()
    bob.work("paint the door", "The door is green now.")
    away = bob.run("hub", "sync")
    assert (away.returncode, "cannot be reached" in away.stderr) == (1, True)
    ann.work("mend the lamp", "The lamp shines.")
    for person in (ann, bob):
        person.go_online()
        person.did("hub", "sync")

    expected = {
        "basket": ("ann", "completed"),
        "checkout": ("ci", "failed"),
        "door": ("bob", "completed"),
        "lamp": ("ann", "completed"),
    }
    for person in (ann, bob):
        for word, (who, status) in expected.items():
            (found,) = person.told("history", word, "--team")
            assert (found["person"], found["status"]) == (who, status)
        runs = person.told("history", "--team")
        assert sorted(run["person"] for run in runs) == ["ann", "ann", "bob", "ci"]
        by = {row["person"]: row for row in person.told("stats", "--team", "--by", "person")}
        assert {name: by[name]["n"] for name in by} == {"ann": 2, "bob": 1, "ci": 1}
        assert person.told("query") != []  # what is theirs is here
    assert len(bob.told("query")) == 1  # and nobody else's, until it is opened
    (basket,) = bob.told("history", "basket", "--team")
    assert SECRET in bob.did("show", basket["execution_id"])
    assert len(bob.told("query")) == 2

    secret = ann.root / "secret.txt"
    secret.write_text(SECRET)
    ann.did("redact", str(secret), "--reason", "it leaked", "--yes")
    secret.unlink()
    for person in (ann, bob, ann):
        person.did("hub", "sync")
    for person in (ann, bob):
        assert SECRET not in person.did(
            "show", basket["execution_id"] if person is bob else "exec-001"
        )
        assert person.told("history", "zanzibar", "--team") == []
        assert person.told("history", "zanzibar") == []
    for person in (ann, bob):
        assert "sent nothing" in person.did("hub", "sync")
