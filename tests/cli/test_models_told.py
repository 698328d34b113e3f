"""Which model ran, and which was asked for: two things with two names wherever runs are told of."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.record import hook_events as hooks

RAN = "claude-sonnet-5-5"


@pytest.fixture
def runs(project: Path, did: Run) -> dict[str, str]:
    """A run that got another model than was asked for, one of which nobody knows which it got."""
    did("init-session", "--scope", "what was asked for")
    launch = hooks.call("toolu_1", "look around", model="opus")
    returned = hooks.answer(launch, hooks.completed("a1", "Looked around."))
    hooks.deliver(project, [each | {"cwd": str(project)} for each in (launch, returned)])
    waiting = did("init-deployment", "--agent-type", "t", "--scope", "x", "--model", "haiku")
    (ran,) = (r for r in did("query", "--format", "json").json if r["status"] == "completed")
    return {"ran": ran["execution_id"], "waiting": waiting.out.strip()}


def test_model_is_the_one_that_ran(did: Run, runs: dict[str, str]) -> None:
    names = ("model", "requested_model", "resolved_model")
    listed = {r["execution_id"]: r for r in did("query", "--format", "json").json}
    table = csv.DictReader(io.StringIO(did("query", "--format", "csv").out))
    rows = {r["execution_id"]: r for r in table}
    session = {name: did("show", label, "--format", "json").json for name, label in runs.items()}
    columns = {"ran": ("opus", "opus", RAN), "waiting": ("haiku", "haiku", None)}
    for name, label in runs.items():  # by the columns of the table
        assert tuple(listed[label][n] for n in names) == columns[name]
        assert tuple(rows[label][n] for n in names) == tuple(v or "" for v in columns[name])
        assert tuple(session[name]["facts"][n] for n in names) == columns[name]
    found = did("history", "model:claude", "--format", "json").json
    assert [(hit["execution_id"], hit["model"]) for hit in found] == [(runs["ran"], RAN)]
    assert {row["model"] for row in did("stats", "--by", "model", "--format", "json").json} == {
        *(RAN, "haiku")
    }
    assert {r["model"] for r in did("stats", "--by", "costs", "--format", "json").json} == {
        *(RAN, "haiku")
    }
    differs = did("compare", *runs.values(), "--format", "json").json["facts"]
    assert {f["what"]: (f["left"], f["right"]) for f in differs if "model" in f["what"]} == {
        "model": (RAN, "haiku"),
        "requested_model": ("opus", "haiku"),
    }


def test_runs_are_found_by_the_model_that_ran(did: Run, runs: dict[str, str]) -> None:
    def listed(name: str) -> list[str]:
        found = did("query", "--model", name, "--format", "json").json
        searched = did("history", f"model:{name}", "--format", "json").json
        labels = [row["execution_id"] for row in found]
        assert labels == [hit["execution_id"] for hit in searched], name
        return labels

    for name in (RAN, "sonnet"):
        assert listed(name) == [runs["ran"]], name
    assert listed("haiku") == [runs["waiting"]]
    assert listed("opus") == []


def test_people_are_told_both(did: Run, runs: dict[str, str]) -> None:
    assert f"{RAN} (asked for: opus)" in did("show", runs["ran"]).out
    assert "unknown (asked for: haiku)" in did("show", runs["waiting"]).out
    session = did("show", runs["ran"], "--format", "json").json["facts"]["session_id"]
    report = did("synthesize", "--session-id", session, "--format", "json").json
    (agent,) = report["agents"]
    assert (agent["model"], agent["requested_model"]) == (RAN, "opus")
    for form in ("markdown", "html"):
        told = did("synthesize", "--session-id", session, "--format", form).out
        assert f"{RAN} (asked for: opus)" in told, form


def test_what_is_deployed_again_asks_for_what_was_asked(did: Run, runs: dict[str, str]) -> None:
    again = did("replay", runs["ran"], "--deploy", "--format", "json")
    label = json.loads(again.out)["execution_id"]
    assert did("show", label, "--format", "json").json["facts"]["requested_model"] == "opus"


@pytest.mark.parametrize(
    "words",
    [
        "prepare-bundle --agent-type a --files lib/types.ts --output b.json",
        "init-deployment --agent-type a",
        "plan --agent-type a",
    ],
)
def test_a_misspelt_model_records_nothing_until_somebody_insists(
    words: str, orch: Run, did: Run, project: Path
) -> None:
    did("init-session", "--scope", "Implement vector search")
    refused = orch(*words.split(), "--model", "sonet")
    assert refused.code == 2
    assert "did you mean sonnet?" in refused.err
    assert "--allow-model" in refused.err
    assert not (project / "b.json").exists()
    assert (did("query").out, did("plan").out, did("bundles").out) == ("", "", "")
    did(*words.split(), "--model", "sonet", "--allow-model")
    assert orch(*words.split(), "--allow-model").code == 2
    assert did(*words.split(), "--model", "claude-opus-9").code == 0
