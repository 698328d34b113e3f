"""Lists of executions and outputs, and the search in everything recorded."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from tests.cli.conftest import MESSAGE, ROOT, Run


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
    assert shown[0].split()[:-2] == ["execution", "agent", "status", "deployed", "tokens", "scope"]
    assert shown[0].endswith("error message")
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
