"""Commands that record answer with one object: a script parses no prose."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Run


@pytest.fixture
def answer(did: Run) -> Any:
    """What a command answers with ``--format json``."""

    def ask(*words: str) -> Any:
        return json.loads(did(*words, "--format", "json").out)

    return ask


def test_a_session_is_recorded_without_parsing_prose(answer: Any, did: Run) -> None:
    opened = answer("init-session", "--scope", "Implement vector search", "--budget", "300000")
    session_id = opened["session"]["session_id"]
    assert (opened["schema_version"], opened["session"]["phase"]) == (1, 1)
    assert answer("use")["session"]["session_id"] == session_id
    assert answer("set-scope", "Another")["session"]["scope"] == "Another"
    limits = answer("set-budget", "250000", "--agent-limit", "Explore=9000")
    assert (limits["budget"], limits["agent_limits"]) == (250_000, {"Explore": 9000})
    moved = answer("set-phase", "3")
    assert moved["session"]["phase"] == 3
    assert {gate["phase"] for gate in moved["skipped_gates"]} <= {1, 2}

    bundle = ("--agent-type", "impl", "--scope", "Do it", "--files", "lib/types.ts")
    did("prepare-bundle", *bundle, "--output", "b.json")
    deployed = answer(
        "init-deployment", "--context-bundle", "b.json", "--model", "sonett", "--allow-model"
    )
    label = deployed["execution"]["execution_id"]
    assert deployed["agent_limit"]["status"] == deployed["session_budget"]["status"] == "ok"
    tokens = deployed["execution"]["context_token_count"]
    used = deployed["agent_limit"]["used"]
    assert 0 < used["low"] <= tokens <= used["high"]
    assert deployed["model"] == {"name": "sonett", "origin": "asked"}
    assert any("nearest: sonnet" in remark for remark in deployed["remarks"])
    given = answer("record-allocation", "--execution-id", label, "--bundle", "b.json")
    assert [item["context_source"] for item in given["items"]] == ["lib/types.ts"]

    message = "Created lib/new.ts. All tests pass.\n\nI could not finish lib/old.ts."
    done = answer(
        *("record-completion", "--execution-id", label, "--final-message", message),
        *("--deliverables", "lib/typs.ts"),
    )
    assert (done["execution"]["status"], done["is_new"]) == ("completed", True)
    assert (done["missing"][0]["path"], done["missing"][0]["nearest"]) == (
        "lib/typs.ts",
        ["lib/types.ts"],
    )
    assert {trouble["kind"] for trouble in done["troubles"]} >= {"missing file"}
    assert {"output_type", "content"} == {*done["found"][0]}
    assert answer("retract", label, "--reason", "a test")["id"] == label
    closed = answer("complete-session")
    assert closed["session"]["status"] == "completed"


def test_a_briefing_and_an_answer_are_not_printed_into_each_other(did: Run, orch: Run) -> None:
    did("init-session", "--scope", "s")
    did("prepare-bundle", "--agent-type", "a", "--text", "Be brief.", "--output", "b.json")
    words = ("init-deployment", "--context-bundle", "b.json", "--output", "-", "--format", "json")
    assert "--output - does not go with --format json" in orch(*words).err


def test_copies_and_places_answer_too(answer: Any, did: Run) -> None:
    did("init-session", "--scope", "s")
    assert answer("backup", "copy.db")["backup"] == "copy.db"
    assert Path("copy.db").exists()
    place = answer("path")
    assert (place["place"], place["path"]) == ("record", did("path").out.strip())
    assert answer("migrate")["record"] == place["path"]


def test_fields_are_chosen_in_every_format(did: Run, orch: Run) -> None:
    did("init-session", "--scope", "s", "--session-id", "first")
    did("init-deployment", "--agent-type", "a", "--scope", "count it")
    query = ("query", "--fields", "execution_id,scope")
    assert did(*query, "--format", "csv").out == "execution_id,scope\nexec-001,count it\n"
    assert did(*query, "--format", "json").json == [
        {"execution_id": "exec-001", "scope": "count it"}
    ]
    assert did(*query).out.split("\n")[1].split(None, 1) == ["exec-001", "count it"]
    assert did("history", "count", "--fields", "execution_id").out.split() == [
        "execution",
        "exec-001",
    ]
    assert did("query", "--sessions", "--fields", "session_id", "--format", "csv").out.split() == [
        "session_id",
        "first",
    ]
    wrong = orch("query", "--fields", "nosuch")
    assert (wrong.code, "there is no field 'nosuch'" in wrong.err) == (2, True)
    assert "known: " in wrong.err and "execution_id" in wrong.err


def test_the_options_that_are_typed_most_have_short_forms(did: Run, orch: Run) -> None:
    did("init-session", "--scope", "s", "--session-id", "first")
    did("init-deployment", "-a", "a", "--scope", "count -n of it", "-s", "first")
    did("collect", "-e", "exec-001", "--insights", "odd", "-f", "json")
    assert did("query", "-a", "a", "-n1", "-fcsv", "--fields", "execution_id").out.split() == [
        "execution_id",
        "exec-001",
    ]
    did("export", "-o", "record.jsonl")
    assert Path("record.jsonl").exists()
    assert "exec-001" not in did("history", "count", "-of").out  # there it leaves a word out
    # a rule that speaks of an option holds for its short form
    assert "--format does not go with" in orch("bundles", "bundle-001", "--copy", "-fjson").err


def test_every_object_names_the_version_of_its_shape(did: Run) -> None:
    did("init-session", "--scope", "Implement it")
    for _ in range(2):
        did("init-deployment", "-a", "a", "--scope", "count")
    for words in (
        ("show", "exec-001"),
        ("compare", "exec-001", "exec-002"),
        ("track-budget",),
        ("stats",),
        ("synthesize",),
    ):
        assert did(*words, "--format", "json").json["schema_version"] == 1, words
    assert did("validate", "--scope", "Implement it").json["schema_version"] == 1


@pytest.mark.parametrize("words", ["validate --scope x", "check-bounds --phase 1"])
def test_what_answers_in_json_takes_the_option_for_it(orch: Run, words: str) -> None:
    plain, asked = (orch(*words.split(), *form) for form in ((), ("--format", "json")))
    assert asked == plain
    assert asked.json["schema_version"] == 1
