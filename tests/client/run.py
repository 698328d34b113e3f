"""One run of a scenario with the real client, in a folder of its own."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import cached_property
from pathlib import Path

from tests.client.messages_api import PATIENCE, MessagesApi, Play, Served, read_served, write_served
from tests.client.scenario import Act, Held, Press, Said, Scenario, See, Type
from tests.client.terminal import Terminal
from tests.client.watching import watch_agents

EVENTS = (
    *("PreToolUse", "PostToolUse", "PostToolUseFailure", "PostToolBatch", "Notification"),
    *("UserPromptSubmit", "SessionStart", "SessionEnd", "Stop", "StopFailure", "SubagentStart"),
    *("SubagentStop", "PreCompact", "PostCompact", "PermissionRequest", "PermissionDenied"),
    *("TeammateIdle", "TaskCreated", "TaskCompleted"),
)
"""What is kept of a run: the events around agents (https://code.claude.com/docs/en/hooks)."""

KEEP = 'file="$1/$(date +%s%N)-$$.json"; cat >"$file.part" && mv "$file.part" "$file"\n'
"""A hook that keeps each payload in a file; their names sort by time."""

ORCH = Path(sys.executable).with_name("orch")
PROJECT = {
    "CLAUDE.md": "# Larch\nTests run with pytest.\n",
    "README.md": "# Larch\nA calculator.\n",
    "lib/calc.py": "def add(a, b):\n    return a + b\n",
    ".claude/agents/implementor.md": "---\nname: implementor\ndescription: Does one task.\n"
    "tools: Read, Write, Bash\nmodel: sonnet\n---\nDo what is asked.\n",
}


TRIES = 5


class RunError(Exception):
    """What a run could not begin with."""


def run_scenario(scenario: Scenario, client: Path, folder: Path) -> Run:
    """Run a scenario below ``folder``, again where the machine was too busy for it.

    Raises:
        CannotRunError: the terminal that it needs is not there.
        RunError: orch could not do what was to be done before.
        TerminalError: the interactive client did not do what was waited for.
    """
    for number in range(1, TRIES + 1):
        run = Run(scenario, client, folder / f"{scenario.name}-{number}")
        run.perform()
        if not run.was_too_busy:
            return run
    raise RunError(f"the machine was too busy, {TRIES} times")


def _do(act: Act, terminal: Terminal, play: Play) -> None:
    match act:
        case Press(key):
            terminal.press(key)
        case Type(words):
            terminal.type_line(words)
        case See(words):
            terminal.wait_for(words)
        case Said(part, step):
            play.wait_until_said(part, step)
        case Held():
            play.wait_until_held("held")


class Run:
    """A run and what it left in its folder: project, home, payloads, what was served."""

    def __init__(self, scenario: Scenario, client: Path, folder: Path) -> None:
        self.scenario = scenario
        self.client = client
        self.folder = folder
        self.project = folder / "project"
        self.config = folder / "home" / ".claude"
        self.began = self.ended = 0.0
        # surroundings of its own, in which the client asks nobody but us
        self.environment = {
            "PATH": f"{folder / 'bin'}:{client.parent}:/usr/local/bin:/usr/bin:/bin",
            "HOME": str(folder / "home"),
            "CLAUDE_CONFIG_DIR": str(self.config),
            "ANTHROPIC_API_KEY": "none",
            "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
            "DISABLE_AUTOUPDATER": "1",
            "DISABLE_ERROR_REPORTING": "1",
            "DISABLE_TELEMETRY": "1",
            "IS_SANDBOX": "1",  # else root may not leave the permissions out
            "LANG": "C.UTF-8",
            "SHELL": "/bin/sh",
            "TERM": "xterm-256color",
            "TZ": "UTC",
            **scenario.environment,
        }

    @property
    def payloads(self) -> list[Path]:
        """The payloads of all events, in their order."""
        return sorted((self.folder / "payloads").glob("*.json"))

    @cached_property
    def served(self) -> list[Served]:
        return read_served(self.folder / "served.jsonl")

    @property
    def was_too_busy(self) -> bool:
        sign = self.scenario.too_busy
        notes = self.project.glob(".claude/orchestration/inbox/*.json")
        return sign is not None and any(sign in note.read_bytes() for note in notes)

    def perform(self) -> None:
        """Run the client from its start to its end."""
        for name in ("bin", "payloads", "project", "home/.claude"):
            (self.folder / name).mkdir(parents=True)
        (self.folder / "bin" / "orch").symlink_to(ORCH)
        self._write_project()
        self._write_settings()
        self.orch("install", "--hooks", "--yes")
        self.began = time.time()  # a deployment may be of what is prepared
        if self.scenario.prepare:
            self.scenario.prepare(self.project, self.orch)
        api = MessagesApi(self.scenario.parts, str(self.project))
        with api as play:
            self.environment["ANTHROPIC_BASE_URL"] = api.url
            with self._watch() if self.scenario.doings else nullcontext():
                if self.scenario.interactive:
                    self._talk(play)
                else:
                    self._print(play)
                self.ended = time.time()
        write_served(play.served, self.folder / "served.jsonl")
        self.first_requests.write_text(json.dumps(play.first_requests))

    @property
    def first_requests(self) -> Path:
        """The first body that each agent sent, as JSON by its id."""
        return self.folder / "first_requests.json"

    @property
    def watched(self) -> Path:
        """What ``orch watch`` told, where the scenario is watched."""
        return self.folder / "watched.jsonl"

    def _watch(self) -> AbstractContextManager[None]:
        return watch_agents([str(ORCH)], self.project, self.environment, self.watched)

    def orch(self, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run a command of orch in the project.

        Raises:
            RunError: it did not end with 0.
        """
        done = subprocess.run(
            [ORCH, *words],
            cwd=self.project,
            env={**self.environment, **environment},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )
        if done.returncode:
            raise RunError(f"orch {shlex.join(words)} ended with {done.returncode}: {done.stderr}")
        return done

    def _print(self, play: Play) -> None:
        """Run the client with one prompt, to its last word."""
        with open(self.folder / "output", "wb") as output:
            process = subprocess.Popen(
                self._words("-p", self._prompt),
                cwd=self.project / self.scenario.starts_in,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
            try:
                if self.scenario.ends_by and play.wait_until_held("held"):
                    process.send_signal(self.scenario.ends_by)
                process.wait(PATIENCE)
            finally:
                process.kill()
                process.wait()

    def _talk(self, play: Play) -> None:
        """Run the interactive client."""
        words = self._words()
        with Terminal(self.folder, words, self.project, self.environment) as terminal:
            terminal.wait_for("❯")
            terminal.type_line(self._prompt)
            for part, step in self.scenario.until:
                play.wait_until_said(part, step)
            for act in self.scenario.acts:
                _do(act, terminal, play)
            if self.scenario.leaves_it_running:
                play.wait_until_held("held")
            terminal.type_line("/exit")
            if self.scenario.leaves_it_running:  # it asks; the first answer stops what runs
                terminal.wait_for("❯ 1.")
                terminal.press("Enter")
            terminal.wait_for_end()

    @property
    def _prompt(self) -> str:
        return f"(play main) {self.scenario.name}"

    def _words(self, *words: str) -> Sequence[str]:
        return [str(self.client), *self.scenario.options, *words]

    def _write_project(self) -> None:
        for name, words in PROJECT.items():
            target = self.project / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(words)
        who = ["-c", "user.name=Larch", "-c", "user.email=larch@example.org"]
        for command in (["init", "-qb", "main"], ["add", "."], [*who, "commit", "-qm", "Begin"]):
            subprocess.run(["git", *command], cwd=self.project, check=True)

    def _write_settings(self) -> None:
        """Trust the project, accept the key, and keep every payload."""
        hook = self.folder / "keep.sh"
        hook.write_text(KEEP)
        command = shlex.join(["sh", str(hook), str(self.folder / "payloads")])
        entry = {"hooks": [{"type": "command", "command": command, "timeout": 10}]}
        known = {
            "hasCompletedOnboarding": True,
            "bypassPermissionsModeAccepted": True,
            "customApiKeyResponses": {"approved": ["none"], "rejected": []},
            "projects": {str(self.project): {"hasTrustDialogAccepted": True}},
        }
        (self.config / ".claude.json").write_text(json.dumps(known))
        settings = {"hooks": {event: [entry] for event in EVENTS}}
        (self.config / "settings.json").write_text(json.dumps(settings))
