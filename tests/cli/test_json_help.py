"""The JSON Schemas of answers: each is the one that answers have, of other records too."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from orch_tui.cli.json_help import name_schema_file
from tests.cli.conftest import Run
from tests.generate import json_schemas
from tests.generate.json_schemas import PARTS_OF_STATS, SCHEMAS

RUNS = Path(__file__).parents[1] / "fixtures" / "client_runs"


@pytest.fixture
def answer(orch: Run) -> Any:
    """What a command answers in JSON, held to its schema."""

    def run(*words: str, stdin: bytes = b"") -> Any:
        done = orch(*json_schemas.in_json(words), stdin=stdin)
        assert done.code in (0, 1), done  # 1: the answer is no
        return done.json

    return run


@pytest.mark.slow
def test_each_answer_has_the_schema_that_ships(
    answer: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "small"
    json_schemas.make_project(folder)
    monkeypatch.chdir(folder)
    made = json_schemas.render_schemas(json_schemas.collect_answers(answer, folder))
    shipped = {path.name: path.read_text("utf-8") for path in SCHEMAS.glob("*.json")}
    assert made == shipped, "`make docs` writes them again; CHANGELOG.md says what is promised"


def held_to_schema(name: str, said: Any) -> None:
    """Validate an answer; ``stats --by PART`` by what its schema says of that part."""
    validator_of(name).validate(said)


@cache
def validator_of(name: str) -> Draft202012Validator:
    name, _, part = name.partition(" --by ")
    name += " --by" * bool(part)
    schema = json.loads((SCHEMAS / name_schema_file(name)).read_text("utf-8"))
    if part:
        (schema,) = (each for each in schema["anyOf"] if each["title"] == f"--by {part}")
        assert "items" in schema
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


@pytest.mark.slow
def test_answers_about_other_runs_have_it_too(answer: Any, did: Run) -> None:
    """Runs that the schemas were not made from."""
    runs = sorted(RUNS.glob("[!bf]*/projects"))
    held_to_schema("import", answer("import", *map(str, runs)))
    for name in ("query", "query --sessions", "outputs", "outputs --state", "stats", "doctor"):
        held_to_schema(name, answer(*name.split()))
    for part in PARTS_OF_STATS:
        held_to_schema(f"stats --by {part}", answer("stats", "--by", part))
    held_to_schema("history", answer("history", "is"))
    labels = [row["execution_id"] for row in answer("query")]
    assert len(labels) > 10
    for label in labels:
        held_to_schema("show", answer("show", label))
        held_to_schema("compare", answer("compare", label, labels[0]))


@pytest.mark.slow
def test_answers_about_what_is_empty_waits_or_failed_have_it_too(answer: Any, did: Run) -> None:
    """Sessions and runs of which little is known, that the schemas were not made from."""

    def hold(name: str, *words: str, stdin: bytes = b"") -> Any:
        said = answer(*(words or name.split()), stdin=stdin)
        held_to_schema(name, said)
        return said

    def hold_all() -> None:
        for name in ("query", "query --sessions", "outputs", "outputs --state", "bundles", "plan"):
            hold(name)
        for name in ("stats", "synthesize", "track-budget", "use", "doctor"):
            hold(name)
        hold("outputs", "outputs", "--failed")
        hold("stats --every", "stats", "--every", "week")
        for part in PARTS_OF_STATS:
            hold(f"stats --by {part}")
        for query in ("status:deployed", "status:failed", "index"):
            hold("history", "history", query)

    session = hold("init-session", "init-session", "--scope", "s")["session"]["session_id"]
    hold("set-phase", "set-phase", "2")
    hold("init-deployment", "init-deployment", "--agent-type", "one")
    hold("plan", "plan", "--agent-type", "one")
    hold_all()
    hold("prepare-bundle", "prepare-bundle", "-a", "one", "--text", "Do it.")
    hold("deduplicate")
    for label in ("exec-001", "exec-002"):
        complete = ("record-completion", "-e", label, "--final-message")
        hold("init-deployment", "init-deployment", "--agent-type", "two", "--scope", "index it")
        hold("show", "show", label)
        hold("record-completion", *complete, "Created lib/types.ts. Tests: 2 failed. Lint: pass.")
    hold("record-completion", *complete[:3], "--status", "failed", "--supersede", "no")
    hold("compare", "compare", "exec-001", "exec-003")
    hold("collect", "collect", "-e", "exec-001", "--validation-results", "lint:fail,coverage:85")
    hold("collect --found", "collect", "--session-id", session, "--found")
    hold("retract", "retract", "bundle-001", "--reason", "none")
    hold_all()
    hold("complete-session", "complete-session", "--status", "failed")


def test_a_schema_is_found_by_the_name_of_its_command(did: Run, orch: Run) -> None:
    listed = did("help", "json").out
    for path in SCHEMAS.glob("*.json"):
        name = path.stem.replace(".", " --").replace("_", " ")
        assert f"  orch {name}\n" in listed
        assert did("help", "json", *name.split()).json["title"] == f"orch {name} --format json"
    wrong = orch("help", "json", "outputz")
    assert (wrong.code, "nearest: outputs" in wrong.err) == (2, True)
