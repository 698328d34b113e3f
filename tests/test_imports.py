"""What each face loads: whoever does not use a library does not wait for it."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from orch_tui.cli import main
from orch_tui.cli.parser import COMMANDS, name_command
from tests.counts import HANGS_AFTER
from tests.variants import vary

ROOT = Path(__file__).parent.parent
OF_THE_SCREENS = {"textual"}
OF_A_TERMINAL = {"rich", *OF_THE_SCREENS}
OF_PREPARING = {"tiktoken", "regex", "jinja2", "markdown_it"}
OF_A_SHELL = {"argcomplete"}
OF_A_HUB = {"psycopg", "playhouse", "orch_tui.hub"}
OF_THE_LIBRARY = {"asyncio", "email", "html", "http", "tomllib"}
HEAVY = {*OF_A_TERMINAL, *OF_PREPARING, *OF_A_SHELL, *OF_THE_LIBRARY, "peewee", "numpy"}

REPORTING = """
import atexit, json, os, sys

def report():
    with open(os.environ["LOADED"], "w") as file:
        json.dump(sorted(sys.modules), file)

atexit.register(report)
"""


def loaded_by(program: str, *words: str, cwd: Path) -> set[str]:
    """The top-level modules and packages of orch that a Python program has loaded at its end."""
    report = cwd / "loaded.json"
    done = subprocess.run(
        [sys.executable, "-c", REPORTING + program, *words],
        cwd=cwd,
        env=os.environ | {"PYTHONPATH": str(ROOT), "LOADED": str(report)},
        capture_output=True,
        timeout=HANGS_AFTER,
    )
    assert done.returncode == 0, done
    names = json.loads(report.read_text())
    return {name if name.startswith("orch_tui") else name.split(".")[0] for name in names}


def command(*words: str, cwd: Path) -> set[str]:
    return loaded_by(
        "from orch_tui.cli import main; sys.argv[0] = 'orch'; sys.exit(main())", *words, cwd=cwd
    )


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A record with one execution that was given a file and came back."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".claude").mkdir()
    (tmp_path / "a.py").write_text("a = 1\n")
    for words in (
        ("init-session", "--scope", "s"),
        ("prepare-bundle", "--agent-type", "a", "--files", "a.py", "--output", "b.json"),
        ("init-deployment", "--context-bundle", "b.json"),
        ("record-completion", "--execution-id", "exec-001", "--final-message", "done"),
    ):
        assert main(words) == 0
    return tmp_path


def test_importing_orch_loads_nothing(tmp_path: Path) -> None:
    bare = loaded_by("", cwd=tmp_path)
    assert loaded_by("import orch_tui", cwd=tmp_path) - bare <= {"orch_tui", "__future__"}


def test_the_api_loads_no_terminal_library(tmp_path: Path) -> None:
    loaded = loaded_by("from orch_tui import OrchestrationSession", cwd=tmp_path)
    assert loaded & {*OF_A_TERMINAL, *OF_PREPARING, *OF_A_SHELL, "orch_tui.cli"} == set()


@pytest.mark.slow
def test_the_engine_never_loads_a_face(tmp_path: Path) -> None:
    modules = [
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        for folder in ("prepare", "record", "recall")
        for path in (ROOT / "orch_tui" / folder).rglob("*.py")
    ]
    loaded = loaded_by(f"import {', '.join(modules)}", cwd=tmp_path)
    assert loaded & {*OF_A_TERMINAL, *OF_A_SHELL, "orch_tui.cli", "orch_tui.screens"} == set()


@pytest.mark.slow
@pytest.mark.parametrize(
    "words",
    vary(
        [
            "--help",
            "query --help",
            "config",
            "path",
            "query",
            "query --format json",
            "outputs",
            "show exec-001",
            "history done",
            "init-session --scope t",
            "set-phase 2",
            "use",
            "init-deployment --agent-type a",
            "record-completion --execution-id exec-001 --final-message again",
            "collect --execution-id exec-001 --insights i",
            "complete-session",
            "check-bounds --phase 1 --files a.py",  # it was counted before
            "prepare-bundle --agent-type a --files a.py",
            "count a.py",
            "prepare-bundle --agent-type a --files a.py --no-record",
            "check-bounds --phase 1 --no-record",
            "validate --scope something",
        ],
        always=12,
    ),
)
def test_a_command_loads_what_it_uses(project: Path, words: str) -> None:
    loaded = command(*words.split(), cwd=project)
    assert loaded & HEAVY == set()


@pytest.mark.slow
@pytest.mark.parametrize(
    "words", ["query", "outputs", "show exec-001", "compare exec-001 exec-001"]
)
def test_who_only_reads_loads_nothing_that_records(project: Path, words: str) -> None:
    loaded = command(*words.split(), cwd=project)
    assert {
        *("orch_tui.record.ledger.ingest", "orch_tui.record.transcripts", "orch_tui.record.hooks"),
        *("orch_tui.prepare.sources", "orch_tui.prepare.vocabulary", "configparser"),
    } & loaded == set()


@pytest.mark.slow
def test_who_asks_for_figures_of_bundles_reads_no_statement(project: Path) -> None:
    loaded = command("synthesize", cwd=project)
    assert {"orch_tui.record.bundles", "orch_tui.record.ledger.statement"} & loaded == set()


@pytest.mark.slow
def test_deploying_what_was_counted_counts_nothing(project: Path) -> None:
    loaded = command("init-deployment", "--context-bundle", "b.json", cwd=project)
    assert loaded & {*HEAVY, "orch_tui.prepare.pieces"} == set()


def test_making_a_record_runs_its_sql(tmp_path: Path) -> None:
    assert command("init-session", "--scope", "s", cwd=tmp_path) & HEAVY == set()


@pytest.mark.slow
def test_counting_something_new_loads_the_tokenizer(project: Path) -> None:
    """Or the test above would prove nothing."""
    (project / "new.py").write_text("b = 2\n")
    pieces = "orch_tui.prepare.pieces"
    assert pieces in command("count", "new.py", cwd=project)
    assert pieces not in command("count", "new.py", cwd=project)
    assert "tiktoken" in command("count", "new.py", "--compare", cwd=project)
    briefing = ("generate-briefing", "--bundle", "b.json")
    assert "jinja2" not in command(*briefing, cwd=project)
    (project / "own.j2").write_text("{{ scope }}")
    assert "jinja2" not in command(*briefing, "--template", "own.j2", cwd=project)  # elsewhere


MAY_LOAD_PEEWEE = {"export", "redact"}
"""Commands that nobody waits for and that read whole tables."""

NEED_NO_PEEWEE = [
    *(
        "init-session --scope again",
        "use",
        "set-phase 2",
        "set-scope another",
        "set-budget 9000",
        "plan --agent-type a --scope s",
        "plan --undo",
    ),
    *(
        "init-deployment --agent-type a",
        "record-completion --execution-id exec-002 --final-message no",
    ),
    "prepare-bundle --agent-type a --files a.py --output c.json",
    "record-allocation --execution-id exec-002 --bundle c.json",
    *("collect --execution-id exec-001 --insights i", "retract exec-002 --reason wrong"),
    "forget --before 30d --yes",
    *(
        "bundles",
        "validate --scope something",
        "track-budget",
        "check-bounds --phase 1 --files a.py",
    ),
    *("deduplicate --bundles b.json,c.json", "generate-briefing --bundle b.json", "count a.py"),
    *("query", "query --sessions", "outputs", "history done", "show exec-001", "stats"),
    *("compare exec-001 exec-002", "replay exec-001 --drift", "synthesize", "complete-session"),
    *(
        "import",
        "import all.jsonl",
        "doctor",
        "hook",
        "config",
        "path",
        "backup copy.db",
        "restore copy.db",
        "install --yes",
        "uninstall --yes",
    ),
    *("completion bash", "demo --no-tui demo", "migrate", "hub status"),
]

RUNNING = """
import os, sys
from orch_tui.cli import main

sys.stdin = open(os.devnull)
for words in sys.argv[1:]:
    assert main(words.split()) == 0, words
    assert "peewee" not in sys.modules, words
    assert "psycopg" not in sys.modules, words
"""


@pytest.mark.slow
def test_peewee_is_loaded_by_few_commands(project: Path) -> None:
    assert main(["export", "--output", "all.jsonl"]) == 0
    asked = {name_command(words.split()) for words in NEED_NO_PEEWEE}
    of_a_hub = {name for name in COMMANDS if name.startswith("hub ")}
    assert asked == (
        # watching never ends
        COMMANDS.keys() - MAY_LOAD_PEEWEE - {"watch"} - (of_a_hub - {"hub status"})
    )
    assert "peewee" not in loaded_by(RUNNING, *NEED_NO_PEEWEE, cwd=project)


PRIVATE = {
    ("orch_tui/hand_over_hook.py", "_json"),  # `json` brings re, and a hook has no time
    ("orch_tui/hand_over_hook.py", "_signal"),
    ("orch_tui/hook.py", "_signal"),  # `signal` brings enum, and a hook has no time
    ("orch_tui/paths.py", "_blake2"),  # `hashlib` brings OpenSSL, likewise
    ("screens/notices.py", "textual.widgets._toast"),  # no public class of a notice on the screen
    ("screens/terminal.py", "textual._xterm_parser"),  # no public parser of what a terminal sends
}


def private_imports(path: Path) -> set[str]:
    """The modules of others that a file imports, or imports from, though they are private."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module != "__future__":
            within = {f"{node.module}.{alias.name}" for alias in node.names if alias.name[0] == "_"}
            found |= within or {f"{node.module}"}
    return {
        name
        for name in found
        if not name.startswith("orch_tui") and any(part[0] == "_" for part in name.split("."))
    }


@pytest.mark.slow
def test_private_modules_of_others_are_left_alone() -> None:
    files = [*(ROOT / "orch_tui").rglob("*.py"), *(ROOT / "models").rglob("*.py")]
    files += (ROOT / "screens").rglob("*.py")
    assert {
        (path.relative_to(ROOT).as_posix(), name)
        for path in files
        for name in private_imports(path)
    } == PRIVATE
