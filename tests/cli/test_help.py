"""Help and completion: every command explains itself, by an example that is true."""

from __future__ import annotations

import argparse
import os
import re
import shlex
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from orch_tui.cli.parser import COMMANDS, builder, name_command, parse
from orch_tui.cli.shell_completion import read_recorded_ids, with_completers
from tests.cli.conftest import NEEDS_A_HUB, ROOT, Run, Shell
from tests.counts import HANGS_AFTER

IN_THE_DESIGN = {
    *("init-session", "set-phase", "init-deployment", "record-completion", "complete-session"),
    *("query", "prepare-bundle", "track-budget", "deduplicate", "generate-briefing"),
    *("record-allocation", "collect", "outputs", "synthesize", "validate", "check-bounds"),
    *("history", "show", "compare", "replay", "count", "install", "uninstall", "config", "stats"),
    *("redact", "forget", "doctor", "backup", "export", "demo", "import", "hook", "watch"),
}


def test_every_command_of_the_design_is_there() -> None:
    assert set(COMMANDS) >= IN_THE_DESIGN


def examples(name: str) -> list[list[str]]:
    """The command lines of the example in a command's help, as words."""
    epilog = builder(name)().epilog or ""
    text = epilog.removeprefix("example:\n").replace("\\\n", " ")
    words = [shlex.split(line, comments=True) for line in text.splitlines()]
    return [line[line.index("orch") :] for line in words if "orch" in line]


@pytest.mark.parametrize("name", COMMANDS)
def test_help_says_what_it_does_with_an_example_that_parses(name: str, orch: Run) -> None:
    done = orch(*name.split(), "--help")
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith(f"usage: orch {name} ")
    assert "\nexample:\n  " in done.out
    lines = [line for line in examples(name) if name_command(line[1:]) == name]
    assert lines or name == "completion"
    for line in lines:
        assert parse([word for word in line[1:] if word != ">"][: _end(line) - 1]).run


def _end(line: list[str]) -> int:
    return line.index(">") if ">" in line else len(line)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_argument_is_explained_and_fits_a_terminal(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    parser = builder(name)()
    assert [action.dest for action in parser._actions if not action.help] == []
    assert max(map(len, parser.format_help().splitlines())) <= 80


NOT_RUN = {"completion", "demo", "redact", "install", "watch"}


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where projects stand that are made once for many examples."""
    return tmp_path_factory.mktemp("examples")


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted({*COMMANDS} - NOT_RUN - NEEDS_A_HUB))
def test_the_example_runs(
    name: str, did: Run, orch: Run, project: Path, stage: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a record that has what the examples speak of, and somewhere to keep a session for."""
    monkeypatch.setenv("TMUX_PANE", "%1")
    here, made = stage / "project", stage / "made"
    shutil.rmtree(here, ignore_errors=True)
    shutil.copytree(made if made.exists() else project, here)
    monkeypatch.chdir(here)
    if not made.exists():
        make_what_examples_speak_of(did)
        shutil.copytree(here, made)
    if name == "uninstall":
        did("install", "--user", "--yes")
    for line in examples(name):
        words = line[1 : _end(line)]
        session = did("query", "--sessions", "--limit", "1", "--format", "json").json
        today = session[0]["session_id"][:-4]
        words = [re.sub(r"orch-\d{4}-\d\d-\d\d", today, word) for word in words]
        done = orch(*words, stdin=b"from a pipe")
        assert done.code == 0, (words, done)


def make_what_examples_speak_of(did: Run) -> None:
    Path("lib/a.ts").write_text("export const a = 1\n")
    Path("tests/a.test.ts").write_text("test\n")
    Path("src").mkdir()
    Path("src/a.py").write_text("a = 1\n")
    Path("README.md").write_text("# Read me\n")
    Path("spec/requirements.md").write_text("# Vector Search\n" + "text\n" * 9)
    Path("lib/types.ts").write_text("export type A = 1\n" * 100)
    Path("references/hnsw.md").write_text("# HNSW\n")
    Path("answer.md").write_text("Done.\n")
    Path("old-projects").mkdir()
    Path("agent-briefing.md").unlink(missing_ok=True)
    did("init-session", "--scope", "Implement vector search")
    for path in ("bundle-001.json", "bundle-002.json"):
        did(
            *("prepare-bundle", "--agent-type", "task-implementor", "--scope", path),
            *("--files", "lib/a.ts", "--output", path),
        )
    Path("bundle.json").write_text(Path("bundle-001.json").read_text())
    for number in range(2):
        did("plan", "--agent-type", "task-implementor", "--scope", f"part {number}")
    for number in range(7):
        did("init-deployment", "--context-bundle", "bundle.json", "--scope", f"part {number}")


def test_a_shell_script_is_printed_for_each_shell(did: Run) -> None:
    for shell, sign in (("bash", "complete "), ("zsh", "#compdef orch"), ("fish", "complete ")):
        printed = did("completion", shell).out
        assert sign in printed
        assert "orch" in printed


def test_bash_takes_the_script(shell: Shell) -> None:
    done = shell('eval "$(orch completion bash)" && complete -p orch')
    assert done.returncode == 0, done
    assert b"orch" in done.stdout


def completions(line: str, cwd: Path) -> list[str]:
    """What argcomplete answers to a shell, in the protocol of its scripts."""
    answer = cwd / "completions"
    subprocess.run(
        [sys.executable, "-m", "orch_tui"],
        env=os.environ
        | {
            "PYTHONPATH": str(ROOT),
            "_ARGCOMPLETE": "1",
            "_ARGCOMPLETE_IFS": "\n",
            "_ARGCOMPLETE_SUPPRESS_SPACE": "1",
            "_ARGCOMPLETE_STDOUT_FILENAME": str(answer),
            "COMP_LINE": line,
            "COMP_POINT": str(len(line)),
            "COMP_TYPE": "9",
        },
        cwd=cwd,
        check=True,
        capture_output=True,
        timeout=HANGS_AFTER,
    )
    return answer.read_text().split("\n")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("orch rec", ["record-allocation", "record-completion"]),
        ("orch record-completion --final-m", ["--final-message", "--final-message-file"]),
        ("orch record-completion --status ", ["completed", "failed"]),
        ("orch query --format j", ["json", "jsonl"]),
        ("orch completion ", ["bash", "fish", "zsh"]),
        ("orch hub adm", ["admin"]),
        ("orch hub admin m", ["migrate"]),
        ("orch hub connect --send f", ["figures"]),
        ("orch prepare-bundle --output bun", ["bundle-002.json"]),
    ],
)
def test_the_shell_is_offered_what_fits(project: Path, line: str, offered: list[str]) -> None:
    found = completions(line, project)
    found = [word for word in found if line.split()[-1].startswith("--") or word[0] != "-"]
    assert sorted(word.strip() for word in found) == offered


@pytest.mark.slow
@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("orch show ", ["exec-001", "exec-002"]),
        ("orch show exec-002", ["exec-002"]),
        ("orch record-completion --execution-id ex", ["exec-001", "exec-002"]),
        ("orch use ", ["first", "second"]),
        ("orch query --session-id s", ["second"]),
        ("orch generate-briefing --bundle bundle-0", ["bundle-001"]),
        ("orch track-budget --bundles bundle-001,b", ["bundle-001,bundle-001"]),
        ("orch retract b", ["bundle-001"]),
        ("orch plan --agent-type Exp", ["Explore"]),
        ("orch query --agent-type rec", ["recorded-type"]),
        ("orch query -a rec", ["recorded-type"]),
        ("orch query --status ", ["deployed", "completed", "failed"]),
        ("orch query --sessions --status pl", ["planning"]),
        ("orch query --fields execution_id,sta", ["execution_id,status"]),
        ("orch query --sessions --fields s", ["session_id", "scope", "status"]),
        ("orch outputs --fields fo", ["found"]),
        ("orch outputs --output-type v", ["validation_result"]),
        ("orch history x --fields sn", ["snippet"]),
        ("orch bundles --fields us", ["uses"]),
        ("orch record-completion --error-code ORG-00", [f"ORG-00{n}" for n in range(1, 9)]),
        ("orch record-completion --success ", ["true", "false"]),
        ("orch config set bud", ["budget"]),
        ("orch query --since ", []),
        ("orch query --limit ", []),
        ("orch retract exec-001 --reason ", []),
        ("orch count a.md --model son", ["sonnet"]),
        ("orch show --db nope.db ", []),
    ],
)
def test_the_shell_is_offered_what_is_recorded(
    did: Run, stage: Path, monkeypatch: pytest.MonkeyPatch, line: str, offered: list[str]
) -> None:
    here = stage / "offered"
    begun = here.exists()
    (here / ".claude").mkdir(parents=True, exist_ok=True)
    monkeypatch.chdir(here)
    if not begun:
        for session_id in ("first", "second"):
            did("init-session", "--scope", "s", "--session-id", session_id)
            did("init-deployment", "--agent-type", "recorded-type")
        did("prepare-bundle", "--agent-type", "a", "--text", "x", "--output", "elsewhere.json")
    found = {word.strip() for word in completions(line, here)}
    assert {word for word in found if word[:1] not in ("", "-")} == {*offered}
    assert not Path("nope.db").exists()


def test_what_is_offered_as_fields_is_what_there_is(did: Run, two_runs: None) -> None:
    for words in ("query", "query --sessions", "outputs", "history HNSW", "bundles"):
        (row, *_) = did(*words.split(), "--format", "json").json
        parser = with_completers(builder(words.split()[0])(), words.split()[0])
        action = next(a for a in parser._actions if "--fields" in a.option_strings)
        arguments = argparse.Namespace(sessions="--sessions" in words)
        offered = action.completer("", arguments)  # type: ignore[attr-defined]
        assert offered == [*row], words


def test_looking_into_a_record_leaves_nothing_beside_it(project: Path, did: Run) -> None:
    did("init-session", "--scope", "s", "--session-id", "first")
    path = Path(did("path").out.strip())
    with closing(sqlite3.connect(path)) as record:  # as who closes it last leaves it
        assert record.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        record.execute("SELECT * FROM sessions").fetchall()
    before = sorted(path.parent.iterdir())
    assert read_recorded_ids("session", str(path)) == ["first"]
    assert sorted(path.parent.iterdir()) == before
    with closing(sqlite3.connect(path)) as record, record:
        record.execute("UPDATE sessions SET session_id = 'second'")
        record.commit()  # stands in the -wal file alone
        assert read_recorded_ids("session", str(path)) == ["second"]
    assert sorted(path.parent.iterdir()) == before


@pytest.mark.slow
def test_a_record_that_computes_for_ever_does_not_hold_the_shell(project: Path, did: Run) -> None:
    did("init-session", "--scope", "s", "--session-id", "first")
    endless = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n)"
    with closing(sqlite3.connect(did("path").out.strip())) as record:
        record.execute("PRAGMA journal_mode = DELETE")
        record.execute("DROP TABLE agent_executions")
        record.execute(
            f"CREATE VIEW agent_executions AS {endless} SELECT x AS execution_id, "
            "NULL AS retracted_at, NULL AS deployed_at, NULL AS completed_at FROM n"
        )
        record.commit()
    assert "exec-" not in "".join(completions("orch show ", project))


def test_no_flag_may_be_shortened() -> None:
    with pytest.raises(SystemExit):
        parse(["query", "--form", "json"])


def test_flags_of_the_proposal_keep_their_names() -> None:
    flags = {
        "init-session": "--scope --session-id",
        "init-deployment": "--session-id --execution-id --agent-type --scope --model "
        "--context-token-count --context-bundle",
        "record-completion": "--execution-id --status --final-message --deliverables",
        "query": "--session-id --format --limit",
        "prepare-bundle": "--agent-type --scope --files --references --output",
        "track-budget": "--session-id --phase --budget --warn-threshold --bundles",
        "deduplicate": "--bundles --output",
        "generate-briefing": "--bundle --template --output",
        "record-allocation": "--execution-id --bundle",
        "collect": "--execution-id --deliverables --validation-results --insights",
        "outputs": "--agent-type --limit --format --session-id --output-type --since",
        "synthesize": "--session-id --template --output",
        "complete-session": "--session-id",
        "validate": "--scope --context-files",
    }
    for name, names in flags.items():
        parser: argparse.ArgumentParser = builder(name)()
        known = {flag for action in parser._actions for flag in action.option_strings}
        assert set(names.split()) <= known


@pytest.mark.parametrize(
    ("typed", "command", "shape"),
    [
        ("--format json query", "query", "json"),
        ("--sessions query", "query", "table"),
        ("--session-id demo query", "query", "table"),  # a session may be called as a command is
        ("--db=x.db --format csv query --sessions", "query", "csv"),
    ],
)
def test_options_may_stand_before_the_command(typed: str, command: str, shape: str) -> None:
    arguments = parse(typed.split())
    assert arguments.run is parse([command]).run
    assert arguments.format == shape
