"""A script that knows `orch help --all` and the JSON Schemas alone: it parses no prose."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from tests.cli.conftest import Run


class Script:
    """Calls commands that the help lists, and takes from answers what their schemas promise."""

    def __init__(self, orch: Run) -> None:
        self._orch = orch
        listed = orch("help", "--all").out
        self._commands = set(re.findall(r"(?m)^  ([a-z]+(?:-[a-z]+)*)  ", listed))

    def ask(self, command: str, *words: str, stdin: str = "", code: int = 0) -> Any:
        """Give the answer of a command, which its schema describes."""
        assert command in self._commands
        schema = self._orch("help", "json", command).json
        done = self._orch(command, *words, "--format", "json", stdin=stdin.encode())
        assert done.code == code, done
        Draft202012Validator(schema).validate(done.json)
        return _Promised(done.json, schema)


class _Promised:
    """A part of an answer: only keys that the schema requires can be taken."""

    def __init__(self, value: Any, schema: dict[str, Any]) -> None:
        self.value = value
        self._schema = schema

    def __getitem__(self, key: str | int) -> _Promised:
        if isinstance(key, int):
            return _Promised(self.value[key], self._schema["items"])
        assert key in self._schema["required"], key
        return _Promised(self.value[key], self._schema["properties"][key])

    def __iter__(self) -> Any:
        return (_Promised(each, self._schema["items"]) for each in self.value)


def prepare_and_deploy(script: Script, session: str, number: int, name: str) -> str:
    """Prepare a bundle, plan an agent with it, deploy it; gives the run."""
    bundle = script.ask(
        *("prepare-bundle", "--session-id", session, "--agent-type", "task-implementor"),
        *("--scope", f"Improve {name}", "--files", name),
    )
    assert bundle["total_tokens"].value < 20_000
    label = bundle["bundle_id"].value
    planned = script.ask(
        *("plan", "--session-id", session, "--agent-type", "task-implementor"),
        *("--scope", f"Improve {name}", "--bundle", label),
    )
    assert [each["state"].value for each in planned][number - 1] == "ready"
    deployed = script.ask("init-deployment", "--session-id", session, "--planned", str(number))
    assert deployed["session_budget"]["status"].value == "ok"
    return str(deployed["execution"]["execution_id"].value)


@pytest.mark.slow
def test_a_session_is_prepared_recorded_and_reported(orch: Run, project: Path) -> None:
    script = Script(orch)
    opened = script.ask("init-session", "--scope", "Search by prefix")
    session = opened["session"]["session_id"].value
    first = prepare_and_deploy(script, session, 1, "lib/types.ts")
    second = prepare_and_deploy(script, session, 2, "spec/requirements.md")
    assert script.ask("validate", "--session-id", session)["valid"].value
    assert script.ask("track-budget", "--session-id", session)["status"].value == "ok"

    message = "Changed lib/types.ts. Created lib/none.ts.\n\n## Validation\n\n- tests: pass\n"
    back = script.ask(
        *("record-completion", "--execution-id", first, "--final-message", "-"),
        *("--collect", "auto"),
        stdin=message,
    )
    assert [each["output_type"].value for each in back["found"]].count("deliverable") == 1
    assert len(back["troubles"].value) == 1, "a file is claimed that is not there"
    script.ask(
        *("record-completion", "--execution-id", second, "--status", "failed"),
        *("--error-message", "the tests failed"),
    )
    states = [each["state"].value for each in script.ask("plan", "--session-id", session)]
    assert states == ["completed", "failed"]
    found = script.ask("history", f"status:failed session:{session}")
    assert [each["execution_id"].value for each in found] == [second]
    assert script.ask("show", second)["facts"]["error_message"].value == "the tests failed"

    report = script.ask("synthesize", "--session-id", session)
    assert [json.dumps(each.value) for each in report["errors"]], "the failure is reported"
    closed = script.ask("complete-session", "--session-id", session, "--status", "failed")
    assert closed["session"]["status"].value == "failed"
