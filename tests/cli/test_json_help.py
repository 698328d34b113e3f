"""The JSON Schemas of answers: each is the one that answers have, of other records too."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from tests.cli.conftest import Run
from tests.generate import json_schemas
from tests.generate.json_schemas import SCHEMAS

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
    schema = json.loads((SCHEMAS / f"{name.replace(' --', '.')}.json").read_text("utf-8"))
    Draft202012Validator.check_schema(schema)
    Draft202012Validator(schema).validate(said)


@pytest.mark.slow
def test_answers_about_other_runs_have_it_too(answer: Any, did: Run) -> None:
    """Runs that the schemas were not made from."""
    runs = sorted(RUNS.glob("[!bf]*/projects"))
    held_to_schema("import", answer("import", *map(str, runs)))
    for name in ("query", "query --sessions", "outputs", "outputs --state", "stats", "doctor"):
        held_to_schema(name, answer(*name.split()))
    labels = [row["execution_id"] for row in answer("query")]
    assert len(labels) > 10
    for label in labels:
        held_to_schema("show", answer("show", label))
        held_to_schema("compare", answer("compare", label, labels[0]))


def test_a_schema_is_found_by_the_name_of_its_command(did: Run, orch: Run) -> None:
    listed = did("help", "json").out
    for path in SCHEMAS.glob("*.json"):
        name = path.stem.replace(".", " --")
        assert f"  orch {name}\n" in listed
        assert did("help", "json", *name.split()).json["title"] == f"orch {name} --format json"
    wrong = orch("help", "json", "outputz")
    assert (wrong.code, "nearest: outputs" in wrong.err) == (2, True)
