"""One execution whole, two beside each other, and a briefing once more."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import MESSAGE, Run


def test_one_execution_is_shown_whole(did: Run, two_runs: None) -> None:
    whole = did("show", "exec-001", "--format", "json").json
    assert [each["context_source"] for each in whole["given"]] == [
        *("spec/requirements.md", "lib/types.ts")
    ]
    assert whole["given"][1]["text"] == Path("lib/types.ts").read_text()
    assert "Implement HNSW" in whole["briefing"]
    assert [each["final_message"] for each in whole["said"]] == [MESSAGE]
    assert {each["state"] for each in whole["delivered"]} == {"unchanged", None}
    assert (whole["before"], whole["after"]) == (None, "exec-002")
    assert whole["same_context"] == ["exec-002"]
    actions = [step["action"] for step in whole["trail"]]
    assert actions.index("deployment") < actions.index("completion") < actions.index("output")


def test_one_execution_is_shown_to_people(did: Run, two_runs: None) -> None:
    shown = did("show", "exec-001").out
    assert shown.startswith("state               completed\n")
    for part in (
        "The HNSW index answers",
        "lib/types.ts",
        "unchanged",
        "cost                unknown",
    ):
        assert part in shown


@pytest.mark.parametrize(
    ("part", "beginning"),
    [
        ("given", "=== spec/requirements.md ("),
        ("briefing", "#"),
        ("said", "The HNSW index"),
        ("delivered", "type"),
        ("facts", "state               completed"),
        ("trail", "at"),
    ],
)
def test_each_part_is_shown_by_itself(did: Run, two_runs: None, part: str, beginning: str) -> None:
    assert did("show", "exec-001", "--part", part).out.startswith(beginning)
    assert did("show", "exec-001", "--part", part, "--format", "json").json


def test_two_executions_are_put_side_by_side(did: Run, two_runs: None) -> None:
    compared = did("compare", "exec-001", "exec-002", "--format", "json").json
    differing = {each["what"] for each in compared["facts"] if not each["same"]}
    assert {"status", "scope"} <= differing
    assert all(each["same"] for each in compared["given"])
    assert "+It did not compile." in compared["said"]
    shown = did("compare", "exec-001", "exec-002").out
    assert "-The HNSW index answers in 4 ms." in shown


def test_what_changed_since_is_shown_and_taken_into_the_next_version(
    did: Run, orch: Run, project: Path, deployed: str
) -> None:
    assert "2 files, as given" in did("replay", deployed, "--drift").err
    given = did("replay", deployed).out
    types = project / "lib" / "types.ts"
    types.write_text(types.read_text().replace("Vector", "Point") + "export type More = string;\n")
    (project / "spec" / "requirements.md").unlink()
    drifted = did("replay", deployed, "--drift")
    assert "+export type More = string;" in drifted.out
    assert "spec/requirements.md: does not exist; it stays as it was given" in drifted.err
    first, second = did("replay", deployed, "--drift", "--format", "json").json
    assert (first["state"], first["tokens_now"]) == ("gone", None)
    assert second["state"] == "changed" and second["tokens_now"] > second["tokens_given"]
    refreshed = did("replay", deployed, "--refresh")
    assert refreshed.out == "bundle-001@2\n"
    assert "lib/types.ts: +" in refreshed.err
    assert did("replay", deployed, "--refresh").out == refreshed.out
    assert did("replay", deployed).out == given
    again = did("replay", deployed, "--refresh", "--deploy").out
    assert "export type More" in again and "# Requirements" in again
    assert orch("replay", "exec-009", "--drift").code == 1


def test_a_briefing_is_replayed_and_deployed_again(did: Run, two_runs: None) -> None:
    again = did("replay", "exec-001")
    assert "Implement HNSW" in again.out
    assert "<!-- orch" not in again.out
    Path("lib/types.ts").write_text("changed since")
    assert did("replay", "exec-001").out == again.out
    deployed = did("replay", "exec-001", "--deploy", "--output", "briefing.md")
    assert deployed.out == "exec-003\n"
    assert Path("briefing.md").read_text().startswith(again.out.rstrip("\n"))
    printed = did("replay", "exec-001", "--deploy")
    assert printed.out.startswith(again.out.rstrip("\n"))
    assert "deployed as exec-004" in printed.err


def test_an_agent_type_nearly_right_is_named(orch: Run, deployed: str) -> None:
    assert "nearest: task-implementor" in orch("show", "task-implementer").err
