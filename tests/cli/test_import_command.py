"""``orch import`` and what it adds to the other commands."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path

import pytest

from tests.cli.conftest import Run, Shell
from tests.record import claude_home
from tests.record.claude_home import S1, Transcript, done, launch


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    home = claude_home.write_home(tmp_path / "claude")
    monkeypatch.setenv("CLAUDE_CONFIG_DIR", str(home))
    return home


def test_what_is_on_disk_is_in_the_history_after_one_import(did: Run, home: Path) -> None:
    assert "no transcripts of this project in" in did("import").err
    rehearsed = did("import", "--all", "--dry-run")
    assert rehearsed.out.startswith("executions: 9 would be new")
    assert did("query", "--format", "json").json == []
    (summary,) = did("import", "--all", "--format", "json").json
    assert (summary["new"], summary["skipped"]) == (9, {"internal to Claude Code": 1})
    again = did("import", str(home)).out
    assert again.startswith("executions: 0 new, 0 merged with what was known, 0 known")
    (hit,) = did("history", "lib fine agent:Explore", "--format", "json").json
    facts = did("show", hit["execution_id"], "--format", "json").json["facts"]
    assert (facts["context_end_tokens"], facts["output_tokens"]) == (1503, 402)
    assert (hit["used_tokens"], hit["cost_usd"]) == (3711, facts["cost_usd"])
    shown = did("show", hit["execution_id"]).out
    assert "given: a briefing\nLook at lib\n" in shown and "3,711 tokens: input" in shown
    assert did("show", hit["execution_id"], "--part", "given").out == "Look at lib"
    assert "used 3,711 tokens, $0.00" in did("history", "agent:Explore").out
    (cost,) = [
        r
        for r in did("stats", "--by", "costs", "--format", "json").json
        if r["n"] == 1 and r["agent_type"] == "Explore"
    ]
    assert (cost["model"], cost["n_used"], cost["n_priced"], cost["cost_usd"]) == (
        *("claude-haiku-4-5-20251001", 1, 1),
        round(facts["cost_usd"], 6),
    )
    assert did("history", "has:doubt", "--format", "json").json[0]["unverified"]
    assert "unverified: it ended with a rate limit" in did("history", "has:doubt").out


def test_no_price_is_no_cost_of_nothing(did: Run, project: Path) -> None:
    """A run on a model whose price nobody published did cost something."""
    agent = Transcript("agent-a9.jsonl", S1, "a9")
    agent.hears("go")
    agent.says("m1", "gone", model="claude-unheard-9")
    (project / "agent-a9.jsonl").write_bytes(agent.data)
    did("import", "agent-a9.jsonl")
    assert did("query", "--format", "json").json[0]["cost_usd"] is None
    assert "unknown" in did("query").out and "cost unknown" in did("history").out
    (cost,) = did("stats", "--by", "costs", "--format", "json").json
    assert (cost["n_used"], cost["n_priced"], cost["cost_usd"]) == (1, 0, None)


def test_what_the_agent_read_stands_beside_what_it_was_given(
    did: Run, project: Path, home: Path
) -> None:
    """A person prepared and recorded the deployment; the transcript tells what came of it."""
    did("init-session", "--scope", "s")
    did(
        *("prepare-bundle", "--agent-type", "Explore", "--scope", "look"),
        *("--files", "lib/types.ts,spec/requirements.md", "--output", "b.json"),
    )
    briefing = did("init-deployment", "--context-bundle", "b.json", "--output", "-").out
    parent, agent = Transcript(f"{S1}.jsonl", S1), Transcript("agent-a9.jsonl", S1, "a9", start=3)
    parent.says("p", launch("T", "Explore", briefing))
    agent.hears(briefing)
    for number, name in enumerate(("lib/types.ts", "lib/hnsw.ts")):
        read = claude_home.tool(f"R{number}", "Read", file_path=f"{project}/{name}")
        agent.says(f"m{number}", read)
        agent.gets(f"R{number}")
    agent.says("m9", "All is well.")
    parent.gets("T", "All is well.", done("a9", "All is well.", 7))
    for transcript in (parent, agent):
        for line in transcript.lines:
            line["cwd"] = str(project)
        path = project / "old" / transcript.path
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(transcript.data)
    assert did("import", "old").out.startswith("executions: 0 new, 1 merged")
    (run,) = did("query", "--format", "json").json
    assert (run["status"], run["tool_calls"], run["source"]) == ("completed", 2, "manual")
    files = did("show", run["execution_id"], "--format", "json").json["files"]
    assert {file["path"]: (file["given"], file["remark"]) for file in files} == {
        "lib/types.ts": ("whole", "read though given"),
        "lib/hnsw.ts": ("", "not given"),
        "spec/requirements.md": ("whole", ""),
    }
    assert "read though given" in did("show", run["execution_id"]).out
    assert "not given" in did("show", run["execution_id"], "--part", "files").out
    sources = did("stats", "--by", "sources", "--agent-type", "Explore", "--format", "json").json
    assert [(s["source"], s["given"], s["read"], s["n"], s["n_known"]) for s in sources] == [
        ("lib/hnsw.ts", 0, 1, 1, 1),
        ("lib/types.ts", 1, 1, 1, 1),
        ("spec/requirements.md", 1, 0, 1, 1),
    ]
    assert "lib/hnsw.ts" in did("stats", "--by", "sources").out
    figures = {row["path"]: row for row in did("stats", "--by", "files", "--format", "json").json}
    assert {
        path: (row["n"], row["not_given"], row["read_again"], row["unread"])
        for path, row in figures.items()
    } == {
        "lib/hnsw.ts": (1, 1, 0, 0),
        "lib/types.ts": (1, 0, 1, 0),
        "spec/requirements.md": (1, 0, 0, 1),
    }


def test_a_bundle_is_made_of_what_an_imported_run_was_told_and_read(
    did: Run, project: Path, home: Path
) -> None:
    agent = Transcript("agent-a7.jsonl", S1, "a7", start=3)
    agent.hears("Look how the types are used.")
    for number, name in enumerate(("lib/types.ts", "lib/gone.ts", "/etc/hostname")):
        path = name if name.startswith("/") else f"{project}/{name}"
        agent.says(f"m{number}", claude_home.tool(f"R{number}", "Read", file_path=path))
        agent.gets(f"R{number}")
    agent.says("m9", "Seen.")
    for line in agent.lines:
        line["cwd"] = str(project)
    (project / "agent-a7.jsonl").write_bytes(agent.data)
    did("import", "agent-a7.jsonl")
    (run,) = did("query", "--format", "json").json
    done = did("prepare-bundle", "--from", run["execution_id"], "--agent-type", "Explore")
    assert [(i["priority"], i["source"]) for i in done.json["context_items"]] == [
        ("required", "text:Look how the types are used."),
        ("recommended", "lib/types.ts"),
    ]
    assert "left out: lib/gone.ts" in done.err


def test_a_deliverable_that_was_not_there_makes_a_completion_doubtful(did: Run) -> None:
    did("init-session", "--scope", "s")
    did("init-deployment", "--agent-type", "debugger", "--execution-id", "exec-1")
    did("record-completion", "--execution-id", "exec-1", "--final-message", "Wrote it.")
    (run,) = did("query", "--format", "json").json
    assert run["unverified"] is None
    did("collect", "--execution-id", "exec-1", "--deliverables", "lib/never.ts")
    (run,) = did("query", "--format", "json").json
    assert run["unverified"] == "missing when it was collected: lib/never.ts"


def test_bad_paths_are_named(orch: Run, project: Path) -> None:
    assert orch("import", "nowhere").code == 1
    assert orch("import", "--all", "lib").code == 2
    (project / "odd.jsonl").write_text("no JSON\n")
    (project / "empty.jsonl").write_text("")
    assert "2 files no transcript of Claude Code" in orch("import", str(project)).out


@pytest.mark.slow
def test_as_a_process_it_prints_data_and_nothing_else(shell: Shell, home: Path) -> None:
    done = shell(f"CLAUDE_CONFIG_DIR={home} orch import --all --format json")
    assert done.returncode == 0, done
    assert json.loads(done.stdout)[0]["new"] == 9
    assert done.stderr == b""


def test_a_folder_of_transcripts_that_cannot_be_read_is_named(
    did: Run, orch: Run, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    every = sorted(path for path in (home / "projects").iterdir() if path.is_dir())
    scandir, locked = os.scandir, {str(home / "projects")}

    def looking(path: str | Path = ".") -> object:
        if str(path) in locked:  # whoever runs the tests may read any
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", looking)
    for words in (["import"], ["import", "--all"], ["import", str(home / "projects")]):
        refused = orch(*words)
        assert refused.code == 1
        assert f"{home}/projects: cannot be read (permission denied)" in refused.err
    locked.clear()
    locked.update(map(str, every))
    said = did("import", "--all").err
    assert "no transcripts" not in said
    assert all(f"{path}: cannot be read (permission denied)" in said for path in every)
    locked.clear()
    assert did("import", "--all").out.startswith("executions: 9 new")


def test_runs_are_found_by_the_words_of_their_session(did: Run, project: Path) -> None:
    """By what the user calls it, the client calls it, or was asked first: what there is so far."""
    parent, agent = Transcript(f"{S1}.jsonl", S1), Transcript("agent-a9.jsonl", S1, "a9", start=3)
    parent.hears("Why is the linker slow?")
    parent.says("p", launch("T", "Explore", "Look"))
    agent.hears("Look")
    agent.says("m1", "Nothing there.")
    parent.gets("T", "Nothing there.", done("a9", "Nothing there.", 7))
    folder = project / "old"
    folder.mkdir()
    (folder / agent.path).write_bytes(agent.data)
    for line, words in (
        ({}, "slow linker"),
        ({"aiTitle": "Diagnose it"}, "diagnose"),
        ({"customTitle": "Größerer Umbau"}, "umbau"),
    ):
        if line:
            parent.add("ai-title", **line)
        (folder / parent.path).write_bytes(parent.data)
        did("import", "old")
        (hit,) = did("history", words, "--format", "json").json
        assert words.split()[-1] in hit["snippet"].lower()
        assert did("history", 'session:"Größerer Umbau"', "--format", "json").json == (
            [hit | {"snippet": "Nothing there."}] if words == "umbau" else []
        )


def test_where_nothing_is_found_no_way_is_advised_that_was_gone(
    did: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLAUDE_CONFIG_DIR", str(tmp_path / "nowhere"))
    for form in ("table", "json"):
        assert "--all takes those of every project" in did("import", "--format", form).err
        everywhere = did("import", "--all", "--format", form).err
        assert f"no transcripts of any project in {tmp_path / 'nowhere'}: PATH" in everywhere
        assert "--all" not in everywhere
    (tmp_path / "empty").mkdir()
    assert (
        did("import", str(tmp_path / "empty")).err == "no transcripts and no export found there\n"
    )


def test_an_export_that_comes_back_leaves_the_labels_as_they_are(did: Run, two_runs: None) -> None:
    before = did("query", "--format", "json").out
    did("export", "--output", "own.jsonl")
    assert did("import", "own.jsonl", "--format", "json").json[0]["new"] == 0
    assert did("query", "--format", "json").out == before


def test_a_broken_export_among_others_stops_none_of_them(
    did: Run, orch: Run, two_runs: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "exports"
    folder.mkdir()
    did("export", "--output", str(folder / "2.jsonl"))
    whole = (folder / "2.jsonl").read_bytes()
    (folder / "1.jsonl").write_bytes(whole[: len(whole) // 2])
    (folder / "3.jsonl").write_bytes(whole[: len(whole) // 3])
    other = tmp_path / "elsewhere"
    (other / ".git").mkdir(parents=True)
    monkeypatch.chdir(other)
    done = did("import", str(folder))
    assert done.out.splitlines()[0].startswith("executions: 2 new")
    assert "skipped: 2 files broken" in done.out
    said = [line for line in done.err.splitlines() if str(folder) in line]
    assert [line.split(",")[0] for line in said] == [
        str(folder / "1.jsonl"),
        str(folder / "3.jsonl"),
    ]
    assert all(line.endswith(": it is left out; export it again: it is not whole") for line in said)
    alone = orch("import", str(folder / "1.jsonl"))
    assert (alone.code, alone.out) == (1, ""), "there is nothing else to take in"
    assert "export it again" in alone.err
