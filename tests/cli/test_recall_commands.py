"""The commands ever after: lists, search, one execution whole, two beside each other, reports."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from tests.cli.conftest import ROOT, Run

MESSAGE = "The HNSW index answers in 4 ms.\n\nNext to do: nothing.\n"


@pytest.fixture
def two_runs(did: Run, deployed: str) -> None:
    """exec-001 came back with a deliverable, exec-002 failed; both were given the same."""
    did("record-completion", "--execution-id", "exec-001", "--final-message", MESSAGE)
    did(
        *("collect", "--execution-id", "exec-001", "--deliverables", "lib/vector-search.ts"),
        *("--validation-results", "tests:pass"),
    )
    did("init-deployment", "--context-bundle", "bundle.json", "--scope", "Implement it again")
    did(
        *("record-completion", "--execution-id", "exec-002", "--status", "failed"),
        *("--final-message", "It did not compile.", "--error-message", "type error"),
    )


def test_executions_are_listed_by_column_names_newest_first(did: Run, two_runs: None) -> None:
    listed = did("query", "--format", "json").json
    assert [each["execution_id"] for each in listed] == ["exec-002", "exec-001"]
    assert listed[1]["final_message"] == MESSAGE
    of_the_proposal = (
        *("execution_id", "session_id", "agent_type", "deployed_at", "completed_at", "status"),
        *("scope", "context_token_count", "model", "final_message", "success", "error_message"),
    )
    assert set(of_the_proposal) <= set(listed[0])


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        (["--status", "failed"], ["exec-002"]),
        (["--model", "sonnet"], ["exec-001"]),
        (["--agent-type", "task-implementor", "--limit", "1"], ["exec-002"]),
        (["--agent-type", "nobody"], []),
        (["--since", "1d", "--until", "today"], ["exec-002", "exec-001"]),
        (["--until", "yesterday"], []),
    ],
)
def test_lists_are_filtered(did: Run, two_runs: None, filters: list[str], found: list[str]) -> None:
    listed = did("query", *filters, "--format", "json").json
    assert [each["execution_id"] for each in listed] == found


def test_every_format_holds_the_same_rows(did: Run, two_runs: None) -> None:
    rows = did("query", "--format", "json").json
    lines = did("query", "--format", "jsonl").out.splitlines()
    assert [json.loads(line) for line in lines] == rows
    table = [*csv.DictReader(io.StringIO(did("query", "--format", "csv").out))]
    assert [row["final_message"] for row in table] == [row["final_message"] for row in rows]
    assert [*table[0]] == [*rows[0]]
    markdown = did("query", "--format", "markdown").out.splitlines()
    assert markdown[0].startswith("| execution_id | agent_type |")
    assert len(markdown) == 2 + len(rows)
    shown = did("query").out.splitlines()
    assert shown[0].split() == ["execution", "agent", "status", "deployed", "tokens", "scope"]
    assert len(shown) == 1 + len(rows)


def test_an_empty_list_is_empty_and_says_so_aside(did: Run, deployed: str) -> None:
    asked = ("query", "--agent-type", "nobody")
    assert did(*asked, "--format", "json").json == []
    for form in ("jsonl", "csv", "table", "markdown"):
        assert did(*asked, "--format", form).out == ""
    assert did(*asked).err == "no such execution is recorded\n"


def test_outputs_are_listed_with_their_state(did: Run, two_runs: None) -> None:
    kinds = did("outputs", "--output-type", "deliverable", "--format", "json").json
    assert [each["content"]["file_path"] for each in kinds] == ["lib/vector-search.ts"]
    Path("lib/vector-search.ts").write_text("changed")
    (state,) = did("outputs", "--state", "--format", "json").json
    assert (state["path"], state["state"]) == ("lib/vector-search.ts", "changed since")
    assert "tests: pass" in did("outputs").out


def test_history_is_searched(did: Run, two_runs: None) -> None:
    found = did("history", "hnsw status:completed", "--format", "json").json
    assert [each["execution_id"] for each in found] == ["exec-001"]
    shown = did("history", "hnsw").out
    assert "exec-001  task-implementor  completed" in shown
    assert "The HNSW index answers in 4 ms." in shown
    assert did("history", "given:Float32Array", "--format", "json").json != []
    nothing = did("history", "nothinglikethat")
    assert (nothing.out, nothing.err) == (
        "",
        "nothing recorded meets that; fewer words find more\n",
    )
    assert "no filter nope:" in did("history", "nope:x hnsw").err


def test_history_comes_in_pages(did: Run, two_runs: None) -> None:
    first = did("history", "--limit", "1", "--format", "json")
    cursor = first.err.split("--before ")[1].split()[0]
    second = did("history", "--limit", "1", "--format", "json", "--before", cursor)
    pages = [page.json[0]["execution_id"] for page in (first, second)]
    assert pages == ["exec-002", "exec-001"]
    assert second.err == ""


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
    assert "all 2 files are as they were given" in did("replay", deployed, "--drift").err
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


def test_statistics_answer_with_n(did: Run, orch: Run, two_runs: None) -> None:
    whole = did("stats", "--format", "json").json
    assert whole["overall"][0] | {"n": 2, "success": 1, "failure": 1} == whole["overall"][0]
    (bundle,) = did("stats", "--by", "bundle", "--format", "json").json
    assert (bundle["bundle_id"], bundle["n"], bundle["success_share"]) == ("bundle-001", 2, 0.5)
    parts = did("stats", "--by", "bundle", "--by", "model", "--format", "json").json
    assert [*parts] == ["bundle", "model"]
    lines = did("stats", "--format", "jsonl").out.splitlines()
    assert {json.loads(line)["part"] for line in lines} >= {"overall", "by_bundle", "context"}
    assert "bundle-001,2,1,1" in did("stats", "--by", "bundle", "--format", "csv").out
    assert orch("stats", "--format", "csv").code == 2
    assert "50% (" in did("stats").out
    assert "## worth" in did("stats", "--format", "markdown").out


@pytest.mark.parametrize(("form", "beginning"), [("markdown", "# "), ("json", "{"), ("html", "<")])
def test_a_report_is_written(did: Run, two_runs: None, form: str, beginning: str) -> None:
    printed = did("synthesize", "--format", form)
    assert printed.out.startswith(beginning)
    assert "exec-002" in printed.out
    done = did("synthesize", "--format", form, "--output", "out/report")
    assert (done.out, done.err) == ("", "Report written to: out/report\n")
    assert Path("out/report").read_text().startswith(beginning)


def test_a_report_may_have_a_template(did: Run, two_runs: None) -> None:
    assert "exec-001" in did("synthesize", "--template", "synthesis-report.tmpl").out


def test_a_folder_may_be_called_like_a_part(did: Run, project: Path) -> None:
    (project / "c#").mkdir()
    (project / "c#" / "main.cs").write_text("class Parser {}\n")
    did("init-session", "--scope", "Parse")
    did("prepare-bundle", "--agent-type", "coder", "--files", "c#/main.cs", "--output", "b.json")
    label = did("init-deployment", "--context-bundle", "b.json").out.strip()
    for query in ("file:c#/main.cs", "file:main.cs", 'file:"c#/main.cs:1-3"', "file:c#/"):
        assert [hit["execution_id"] for hit in did("history", query, "--format", "json").json] == [
            label
        ], query
    assert did("history", "file:c", "--format", "json").json != []  # c# begins so
    [used] = did("show", label, "--part", "files", "--format", "json").json
    assert (used["path"], used["given"]) == ("c#/main.cs", "whole")


def test_what_history_understands_stands_in_the_readme() -> None:
    from orch_tui.search.language import filters_in_words

    assert filters_in_words() in " ".join((ROOT / "README.md").read_text().split())


def test_a_query_that_begins_with_a_left_out_word_stands_behind_two_dashes(
    did: Run, deployed: str
) -> None:
    assert deployed in did("history", "--", "-nowhere").out
    assert deployed not in did("history", "--", "-hnsw").out
