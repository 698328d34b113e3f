"""Lists of executions and outputs, and the search in everything recorded."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from tests.cli.conftest import MESSAGE, ROOT, Done, Run


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
    near = did("history", "hsnw")
    assert (near.out, near.err) == ("", "nothing recorded meets that; did you mean: hnsw\n")
    in_json = did("history", "hsnw", "--format", "json")
    assert (in_json.json, in_json.err) == ([], near.err)
    assert did("history", "nothinglikethat", "--format", "json").err == ""


@pytest.fixture
def refuse(orch: Run) -> Run:
    """Runs one command that is used wrongly."""

    def run(*words: str | Path, stdin: bytes = b"") -> Done:
        done = orch(*words, stdin=stdin)
        assert done.code == 2, done
        return done

    return run


@pytest.mark.parametrize(
    ("query", "mistake"),
    [
        ("answers:in", "no field answers"),
        ("status:broken", "status:broken is none of deployed, waiting, completed, failed"),
        ("agent: hnsw", "agent: has no value"),
        ('hnsw "the hnsw index', 'the quotation "the hnsw index has no end'),
        ('hnsw agent:"task', 'the quotation "task has no end'),
        ("hnsw (", "'(' holds no letter, digit or sign that is searched for"),
        ("part:ab", "part:ab is too short"),
        ("since:nevre", "'nevre' is no date or time"),
    ],
)
def test_a_mistake_is_named_and_nothing_listed_unless_lenient(
    did: Run, refuse: Run, two_runs: None, query: str, mistake: str
) -> None:
    refused = refuse("history", query)
    assert refused.out == ""
    assert mistake in refused.err and "--lenient" in refused.err
    lenient = did("history", query, "--lenient", "--format", "json")
    assert mistake in lenient.err
    assert "exec-001" in [each["execution_id"] for each in lenient.json]


def test_words_that_begin_with_a_dash_are_left_out_where_they_are_no_flag(
    did: Run, refuse: Run, two_runs: None
) -> None:
    for words in (["-hnsw"], ["-hnsw", "-x"], ["--limit", "5", "-hnsw"], ["agent", "-hnsw"]):
        found = did("history", *words, "--format", "json").json
        assert "exec-001" not in [each["execution_id"] for each in found], words
    refused = refuse("history", "--hnsw").err
    assert "to search for it, put -- before it: orch history -- --hnsw" in refused
    assert "nearest: --limit" in refuse("history", "--limt", "5").err


def test_the_order_is_chosen_by_an_option_or_the_settings(
    did: Run, refuse: Run, two_runs: None
) -> None:
    best = [each["execution_id"] for each in did("history", "hnsw", "--format", "json").json]
    orders = {
        order: did("history", "", "--order", order, "--format", "json").json
        for order in ("best", "newest", "cost", "duration", "agent")
    }
    assert [each["execution_id"] for each in orders["newest"]] == ["exec-002", "exec-001"]
    assert all(len(found) == 2 for found in orders.values())
    did("config", "set", "search_order", "newest")
    assert [e["execution_id"] for e in did("history", "hnsw", "--format", "json").json] == best
    assert "--order" in refuse("history", "--order", "worst").err


def test_lines_around_what_is_found_are_shown(did: Run, refuse: Run, two_runs: None) -> None:
    whole = did("show", "exec-001", "--part", "said").out.splitlines()
    number = next(n for n, line in enumerate(whole) if "HNSW index" in line)
    shown = did("history", "hnsw", "--context", "1").out
    assert "    message:\n" in shown
    assert f"{number + 1:>10}: {whole[number]}" in shown
    (hit,) = did("history", "hnsw", "--context", "0", "--format", "json").json
    assert hit["context"][0] == {
        "where": "message",
        "first_line": number + 1,
        "lines": [whole[number]],
    }
    assert "context" not in did("history", "hnsw", "--format", "json").json[0]
    assert "whole number" in refuse("history", "hnsw", "--context", "-1").err


def test_who_misspelt_a_field_is_told_the_command_that_is_meant(
    refuse: Run, two_runs: None
) -> None:
    told = refuse("history", "index", "staus:failed").err
    assert "there is no field staus; the nearest is status: status:failed" in told
    assert "orch history 'index status:failed'; --lenient" in told


def test_who_looks_into_texts_is_told_how_to_look_further(
    did: Run, two_runs: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("orch_tui.cli.find_commands.PATIENCE", 0)
    monkeypatch.setattr("orch_tui.search.checking.SURELY_LOOKED", 0)
    monkeypatch.setattr("orch_tui.search.checking._FIRST_WINDOW", 1)
    told = did("history", "part:swer", "--format", "json")
    assert told.json == [] and "0 so far: looked back to " in told.err
    cursor = told.err.split("--before ")[1].split()[0]
    by_cost = did("history", "part:swer", "--order", "cost", "--format", "json")
    assert "by cost so far, older ones behind; --before " in by_cost.err
    further = did("history", "part:swer", "--before", cursor, "--format", "json")
    assert [each["execution_id"] for each in further.json] == ["exec-001"]
    assert further.err == ""


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


def test_what_history_understands_stands_in_the_documentation() -> None:
    from orch_tui.search.language import filters_in_words

    assert filters_in_words() in " ".join((ROOT / "docs" / "finding.md").read_text().split())


def test_a_query_that_begins_with_a_left_out_word_stands_behind_two_dashes(
    did: Run, deployed: str
) -> None:
    assert deployed in did("history", "--", "-nowhere").out
    assert deployed not in did("history", "--", "-hnsw").out
