"""The scripts of the installed skill, under a Python that has orch and under plain ones."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import venv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from orch_tui.install.skill import install, skill_folder
from orch_tui.prepare.catalogue import load_catalogue
from orch_tui.prepare.tokens import count_tokens
from tests.counts import HANGS_AFTER

pytestmark = pytest.mark.slow  # every test starts processes

ROOT = Path(__file__).parent.parent
FIXTURES = Path(__file__).parent / "fixtures"
PROPOSAL = FIXTURES / "proposal"
API_EXAMPLE = (PROPOSAL / "api_example.txt").read_text()

WIDE = pytest.mark.wide

Done = subprocess.CompletedProcess[str]
Run = Callable[..., Done]


@pytest.fixture(scope="session")
def orchs_python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python that has orch, whether or not it is installed in the one of the tests."""
    python = tmp_path_factory.mktemp("orch") / "python"
    path = f"{ROOT}${{PYTHONPATH:+:$PYTHONPATH}}"
    python.write_text(f'#!/bin/sh\nPYTHONPATH="{path}" exec "{sys.executable}" "$@"\n')
    python.chmod(0o755)
    return python


@pytest.fixture(scope="session")
def plain_python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python of the same version that has nothing."""
    folder = tmp_path_factory.mktemp("plain")
    venv.create(folder, with_pip=False, symlinks=True)
    return folder / "bin" / "python"


@pytest.fixture(scope="session")
def foreign_python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python that cannot load compiled packages of the others: it says so of itself."""
    folder = tmp_path_factory.mktemp("foreign")
    venv.create(folder, with_pip=False, symlinks=True)
    (packages,) = folder.glob("lib/*/site-packages")
    (packages / "sitecustomize.py").write_text(
        "from importlib import machinery\nmachinery.EXTENSION_SUFFIXES[:] = ['.foreign.so']\n"
    )
    return folder / "bin" / "python"


@pytest.fixture
def project(tmp_path: Path, orchs_python: Path) -> Path:
    """The project of the proposal's examples, with the skill and a link ``scripts`` to it."""
    folder = tmp_path / "project"
    shutil.copytree(FIXTURES / "vector_search_project", folder)
    install(skill_folder(folder), str(orchs_python))
    (folder / "scripts").symlink_to(skill_folder(folder) / "scripts")
    return folder


@pytest.fixture(params=["orchs", "plain"])
def run(request: pytest.FixtureRequest, project: Path) -> Run:
    """Runs a command in the project, with a Python that has orch or has not on the path."""
    return runner(project, request.getfixturevalue(f"{request.param}_python"))


@pytest.fixture(params=["orchs", "plain", "foreign"])
def program_run(request: pytest.FixtureRequest, project: Path) -> Run:
    """The same for programs, which a Python of another kind cannot run at all."""
    return runner(project, request.getfixturevalue(f"{request.param}_python"))


@pytest.fixture
def plain_run(project: Path, plain_python: Path) -> Run:
    return runner(project, plain_python)


@pytest.fixture
def foreign_run(project: Path, foreign_python: Path) -> Run:
    return runner(project, foreign_python)


def runner(project: Path, python: Path) -> Run:
    def run(*command: str | Path, **options: Any) -> Done:
        environment = {**os.environ, "PATH": f"{python.parent}:{os.environ['PATH']}"}
        environment.pop("PYTHONPATH", None)
        environment |= options.pop("env", {})
        return subprocess.run(
            command, cwd=project, env=environment, capture_output=True, text=True, **options
        )

    return run


def answer(done: Done) -> Any:
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def made_no_record(project: Path) -> bool:
    return not (project / ".claude/orchestration").exists()


QUERY = ("python", "scripts/execution_tracker.py", "query", "--format", "json")
OUTPUTS = ("python", "scripts/output_collector.py", "query", "--format", "json")


# The proposal's command lines, unchanged


@pytest.mark.parametrize("run", ["plain", pytest.param("orchs", marks=WIDE)], indirect=True)
def test_the_workflow_runs_as_one_script_and_again_changes_nothing(run: Run, project: Path) -> None:
    done = run("bash", "-e", PROPOSAL / "workflow.sh")
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr

    bundle = json.loads((project / "bundle-001.json").read_text())
    assert [item["source"] for item in bundle["context_items"]] == [
        "spec/requirements.md",
        "lib/types.ts",
    ]
    report = (project / "report.md").read_text()
    assert "lib/vector-search.ts" in report and "task-implementor" in report
    assert not re.search(r"\{\w+\}", report)

    executions, outputs = answer(run(*QUERY)), answer(run(*OUTPUTS))
    (execution,) = executions
    assert execution["execution_id"] == "exec-001"
    assert execution["status"] == "completed"
    assert execution["scope"] == "Implement HNSW"
    assert execution["final_message"] == (project / "agent-final-output.txt").read_text().rstrip()
    assert execution["context_token_count"] == bundle["total_tokens"]
    kinds = [output["output_type"] for output in outputs]
    assert kinds.count("deliverable") == 2 and "validation_result" in kinds

    again = run("bash", "-e", PROPOSAL / "workflow.sh")
    assert again.returncode == 0, again.stderr
    assert (answer(run(*QUERY)), answer(run(*OUTPUTS))) == (executions, outputs)


def test_the_examples_of_the_three_tools_run(plain_run: Run, project: Path) -> None:
    shutil.copy(PROPOSAL / "bundle-001.json", project)
    for tool in ("execution_tracker.sh", "context_manager.sh", "output_collector.sh"):
        done = plain_run("bash", "-e", PROPOSAL / tool)
        assert done.returncode == 0, f"{tool}: {done.stderr}"
        assert "Traceback" not in done.stderr
    bundle = json.loads((project / "bundle.json").read_text())
    assert list(bundle)[:7] == list(json.loads((PROPOSAL / "bundle-001.json").read_text()))
    shared = (project / "shared-context.json").read_text()
    assert "constitution.md" in shared and "hnsw" not in shared
    briefing = (project / "agent-briefing.md").read_text()
    assert "Implement vector search" in briefing and "recall of a query" in briefing
    assert not re.search(r"\{\w+\}", briefing)
    assert "not recorded" in (project / "report.md").read_text()  # the coverage, for one


def test_the_example_of_the_api_runs(program_run: Run, project: Path) -> None:
    after = "print([session.session_id for session in past_sessions])"
    program = f"agent_output = 'done'\n{API_EXAMPLE}\n{after}\n"
    (project / "scripts/program.py").write_text(program)
    done = program_run("python", "scripts/program.py")
    assert done.returncode == 0, done.stderr
    assert done.stdout == "['orch-2025-01-17-001']\n"


def test_the_guide_to_the_api_is_one_program_that_runs(program_run: Run, project: Path) -> None:
    guide = (skill_folder(project) / "references/api_guide.md").read_text()
    blocks = re.findall(r"```python\n(.*?)```", guide, re.S)
    assert len(blocks) > 6
    (project / "program.py").write_text("\n".join(blocks))
    done = program_run("python", "program.py", env={"PYTHONPATH": str(project / "scripts")})
    assert done.returncode == 0, done.stderr
    assert "orch-2025-01-17-001 completed Implement vector search feature" in done.stdout
    assert "nearest: orch-2025-01-17-001" in done.stdout


# The examples of the skill: what they start begins again where Python has no orch

AGENT = """\
import pathlib, sys
assert "Implement vector search" in sys.stdin.read()
pathlib.Path("lib/made.ts").write_text("export {}\\n")
print("Done.\\n\\n## Deliverables\\n\\n- lib/made.ts: what was asked for")
"""


@pytest.mark.parametrize(
    "example", ["bash orchestration.sh", pytest.param("python orchestration.py", marks=WIDE)]
)
def test_the_examples_orchestrate(
    plain_run: Run, project: Path, tmp_path: Path, example: str
) -> None:
    agent = tmp_path / "agent.py"
    agent.write_text(AGENT)
    tool, name = example.split()
    path = skill_folder(project) / "examples" / name
    environment = {"AGENT": f"{sys.executable} {agent}", "PYTHON": "python"}
    arguments = ("Implement vector search", "spec/requirements.md", "lib/types.ts")
    done = plain_run(tool, path, *arguments, env=environment)
    assert done.returncode == 0, done.stderr
    report = done.stdout if tool == "python" else (project / done.stdout.strip()).read_text()
    assert "lib/made.ts" in report
    runs = answer(plain_run(*QUERY))
    assert [found["status"] for found in runs] == ["completed", "completed"]
    (session,) = answer(plain_run(*QUERY, "--sessions"))
    assert session["status"] == "completed"


@pytest.mark.parametrize(
    "example", [pytest.param("bash orchestration.sh", marks=WIDE), "python orchestration.py"]
)
def test_the_examples_record_a_failure(plain_run: Run, project: Path, example: str) -> None:
    tool, name = example.split()
    path = skill_folder(project) / "examples" / name
    environment = {"AGENT": "false", "CHECK": "false", "PYTHON": "python"}
    plain_run(tool, path, "Implement vector search", "lib/types.ts", env=environment)
    runs = answer(plain_run(*QUERY))
    assert {(found["status"], found["error_code"]) for found in runs} == {("failed", "ORG-003")}
    (session,) = answer(plain_run(*QUERY, "--sessions"))
    assert session["status"] == "failed"


@pytest.mark.parametrize(
    ("agent", "check", "recorded", "status"),
    [
        pytest.param("cat", "", [], "completed", marks=WIDE),
        pytest.param("cat", "true", ["pass"], "completed", marks=WIDE),
        ("cat", "false", ["fail"], "failed"),
        pytest.param("false", "true", ["pass"], "failed", marks=WIDE),
    ],
)
def test_the_example_records_only_checks_that_ran(
    plain_run: Run, project: Path, agent: str, check: str, recorded: list[str], status: str
) -> None:
    path = skill_folder(project) / "examples" / "orchestration.sh"
    environment = {"AGENT": agent, "CHECK": check, "PYTHON": "python"}
    plain_run("bash", path, "Implement vector search", "lib/types.ts", env=environment)
    (session,) = answer(plain_run(*QUERY, "--sessions"))
    assert session["status"] == status
    checks = [each for each in answer(plain_run("python", "scripts/output_collector.py", "query",
        "--format", "json")) if each["output_type"] == "validation_result"]  # fmt: skip
    assert [each["content"] for each in checks] == [{"check": word} for word in recorded]


# Finding orch


def test_a_script_lists_its_commands(run: Run) -> None:
    help_ = run("python", "scripts/output_collector.py", "--help")
    assert help_.returncode == 0
    assert all(command in help_.stdout for command in ("collect", "query", "synthesize"))
    nothing = run("python", "scripts/output_collector.py")
    assert (nothing.returncode, nothing.stdout, nothing.stderr) == (2, "", help_.stdout)


def test_a_script_works_where_modules_of_the_project_bear_the_names_of_others(
    run: Run, project: Path
) -> None:
    for name in ("json", "argparse", "peewee", "models", "orch_tui"):
        (project / f"{name}.py").write_text("raise SystemExit('the wrong module')")
    done = run("python", "scripts/validate_orchestration.py", "--scope", "A scope of some length")
    assert answer(done)["valid"]


@pytest.mark.parametrize("call", ["scripts/execution_tracker.py", "scripts/program.py"])
def test_when_orchs_python_has_gone_that_is_said(plain_run: Run, project: Path, call: str) -> None:
    install(skill_folder(project), "/gone/bin/python")
    (project / "scripts/program.py").write_text("import orchestration_api")
    done = plain_run("python", call)
    assert done.returncode == (2 if "tracker" in call else 1)
    assert "/gone/bin/python" in done.stderr and "orch install" in done.stderr
    assert ("Traceback" in done.stderr) == ("program" in call)  # it may catch the ImportError


@pytest.mark.parametrize("call", ["scripts/execution_tracker.py", "scripts/program.py"])
def test_when_orchs_python_has_lost_it_nothing_starts_for_ever(
    plain_run: Run, project: Path, plain_python: Path, call: str
) -> None:
    install(skill_folder(project), str(plain_python))
    (project / "scripts/program.py").write_text("import orchestration_api")
    done = plain_run("python", call, timeout=HANGS_AFTER)
    assert done.returncode == (2 if "tracker" in call else 1)
    assert "has no orch any more" in done.stderr


def test_a_copy_that_was_not_installed_says_so(plain_run: Run) -> None:
    done = plain_run("python", ROOT / "assets/skill/scripts/execution_tracker.py", env=NO_BYTECODE)
    assert done.returncode == 2
    assert "was not installed" in done.stderr


NO_BYTECODE = {"PYTHONDONTWRITEBYTECODE": "1"}


def test_a_program_keeps_the_packages_of_its_own_python(plain_run: Run, project: Path) -> None:
    program = "import sys; before = sys.executable; import orchestration_api; print(before)"
    done = plain_run("python", "-c", program, env={"PYTHONPATH": str(project / "scripts")})
    assert "plain" in done.stdout, done.stderr


def test_a_program_of_another_python_starts_again(foreign_run: Run, project: Path) -> None:
    program = "import sys; import orchestration_api; print(sys.prefix, sys.argv)"
    done = foreign_run("python", "-c", program, "a b", env={"PYTHONPATH": str(project / "scripts")})
    assert done.stdout == f"{sys.prefix} ['-c', 'a b']\n", done.stderr


@pytest.mark.parametrize(
    "before", ["", "from threading import *; Thread(target=Event().wait, daemon=True).start()"]
)
def test_a_program_that_cannot_start_again_says_what_to_do(
    foreign_run: Run, project: Path, orchs_python: Path, before: str
) -> None:
    program = f"{before}\nimport orchestration_api\n"
    path = {"PYTHONPATH": str(project / "scripts")}
    if before:
        (project / "program.py").write_text(program)
        done = foreign_run("python", "program.py", env=path)
    else:
        done = foreign_run("python", "-", env=path, input=program)
    assert done.returncode == 1
    assert f"ImportError: this Python ({sys.version.split()[0]}) cannot load orch" in done.stderr
    assert f"run the program with {orchs_python}" in done.stderr


# The three older scripts

VALIDATION_KEYS = [
    *("valid", "scope_defined", "context_files_exist", "dependencies_acyclic"),
    *("complexity_estimate", "warnings", "recommendations"),
]
BOUNDS_KEYS = [
    *("phase", "estimated_tokens", "token_limit", "percentage_used", "status", "recommendations")
]
REPORT_KEYS = ["timestamp", "agents_deployed", "deliverables", "status", "validation"]


def older(run: Run, name: str, *arguments: str) -> tuple[int, Any]:
    done = run("python", f"scripts/{name}.py", *arguments)
    assert done.returncode in (0, 1, 2) and done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)


def test_validation_keeps_its_keys_and_codes(run: Run, project: Path) -> None:
    code, good = older(
        run,
        "validate_orchestration",
        *("--scope", "Implement vector search, test it"),
        *("--context-files", "spec/requirements.md,lib/types.ts"),
        *("--dependencies", "A->B,B->C,nonsense"),
    )
    assert list(good)[: len(VALIDATION_KEYS)] == VALIDATION_KEYS
    assert (code, good["valid"], good["complexity_estimate"]) == (0, True, 2)
    assert good["context_files_exist"] == [True, True]
    assert made_no_record(project)


@pytest.mark.parametrize(
    "arguments",
    [
        ("--scope", ""),
        ("--scope", "Implement vector search", "--context-files", "lib/types.ts, ,lib/none.ts"),
        ("--scope", "Implement vector search", "--dependencies", "A->B,B->C,C->A"),
    ],
)
def test_what_is_not_valid_exits_with_1(plain_run: Run, arguments: tuple[str, ...]) -> None:
    code, bad = older(plain_run, "validate_orchestration", *arguments)
    assert (code, bad["valid"]) == (1, False)
    if "--context-files" in arguments:
        (recommendation,) = bad["recommendations"]
        assert recommendation == "Locate missing files: lib/none.ts"


def test_bounds_keep_their_keys(run: Run, project: Path) -> None:
    code, bounds = older(run, "check_context_bounds", "--phase", "3", "--files", "lib/types.ts")
    assert list(bounds)[: len(BOUNDS_KEYS)] == BOUNDS_KEYS
    assert (code, bounds["status"], bounds["token_limit"]) == (0, "ok", 200_000)
    assert "file_errors" not in bounds and bounds["estimator"]
    assert made_no_record(project)


@pytest.mark.parametrize(("share", "code", "status"), [(0.8, 1, "warning"), (1.2, 2, "critical")])
def test_bounds_exit_with_the_status(
    plain_run: Run, project: Path, share: float, code: int, status: str
) -> None:
    line = "The index answers in under ten milliseconds, measured on the fixture.\n"
    family = load_catalogue().model().family
    each = count_tokens(line * 100, family=family, kind="markdown").tokens / 100
    (project / "big.md").write_text(line * int(share * 200_000 / each))
    found = older(plain_run, "check_context_bounds", "--phase", "2", "--files", "big.md")
    assert (found[0], found[1]["status"]) == (code, status)
    assert found[1]["percentage_used"] == pytest.approx(100 * share, rel=0.06)


def test_a_missing_file_is_not_ok(plain_run: Run) -> None:
    code, bounds = older(
        plain_run, "check_context_bounds", "--phase", "1", "--files", "lib/types.ts,lib/none.ts"
    )
    assert (code, bounds["status"]) == (1, "warning")
    assert "lib/none.ts" in bounds["file_errors"][0]


REPORT = ("--agents", "task-implementor,Explore", "--deliverables", "lib/a.ts,lib/{b}.ts")


def test_a_report_as_json_keeps_its_keys(run: Run, project: Path) -> None:
    code, report = older(run, "synthesize_reports", *REPORT, "--format", "json")
    assert list(report)[: len(REPORT_KEYS)] == REPORT_KEYS
    assert code == 0 and report["validation"] == {"agents_count": 2, "deliverables_count": 2}
    assert report["agents_deployed"] == ["task-implementor", "Explore"]
    assert made_no_record(project)


def test_a_report_claims_nothing_and_leaves_no_placeholder(run: Run, project: Path) -> None:
    done = run("python", "scripts/synthesize_reports.py", *REPORT)
    assert done.returncode == 0, done.stderr
    assert "- task-implementor: not recorded" in done.stdout
    assert "ompleted" not in done.stdout and "<!--" not in done.stdout
    assert re.findall(r"\{\w+\}", done.stdout) == ["{b}"]  # a name given, not a placeholder
    assert made_no_record(project)


def test_a_report_is_written_with_its_folder(plain_run: Run, project: Path) -> None:
    (project / "own.tmpl").write_text("{timestamp}|{agent_summaries}|{never_heard_of}")
    done = plain_run(
        *("python", "scripts/synthesize_reports.py", *REPORT),
        *("--template", "own.tmpl", "--output", "deep/er/report.md"),
    )
    assert (done.returncode, done.stdout) == (0, "")
    assert "Report written to: deep/er/report.md" in done.stderr
    written = (project / "deep/er/report.md").read_text()
    assert re.fullmatch(
        r"\d{4}-\S+Z\|- task-implementor: not recorded\n- Explore: not recorded\|not recorded\n",
        written,
    )


def test_the_template_of_the_skill_is_the_default(plain_run: Run, project: Path) -> None:
    template = skill_folder(project) / "assets/synthesis-report.tmpl"
    template.write_text("ours: {deliverable_list_with_locations}")
    assert plain_run("python", "scripts/synthesize_reports.py", *REPORT).stdout.startswith("ours: ")
    template.unlink()
    done = plain_run("python", "scripts/synthesize_reports.py", *REPORT, "--template", "none.tmpl")
    assert (done.returncode, "none.tmpl: there is no such template" in done.stderr) == (0, True)
    assert "# Synthesis report" in done.stdout


@pytest.mark.parametrize(
    "call",
    [
        ("validate_orchestration.py",),
        ("check_context_bounds.py", "--phase", "6"),
        ("synthesize_reports.py", "--agents", "a"),
    ],
)
def test_wrong_usage_exits_with_2(plain_run: Run, call: tuple[str, ...]) -> None:
    script, *arguments = call
    done = plain_run("python", f"scripts/{script}", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"usage: {script}")


@pytest.mark.parametrize(
    ("code", "call"),
    [
        (1, ("validate_orchestration.py", "--scope", "")),
        (1, ("check_context_bounds.py", "--phase", "1", "--files", "none")),
        (0, ("synthesize_reports.py", *REPORT)),
    ],
)
def test_a_reader_that_has_enough_changes_nothing(
    project: Path, plain_python: Path, code: int, call: tuple[str, ...]
) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    script, *arguments = call
    process = subprocess.Popen(
        [plain_python, f"scripts/{script}", *arguments],
        cwd=project,
        stdout=writing,
        stderr=subprocess.PIPE,
    )
    os.close(writing)
    _, errors = process.communicate()
    assert (process.returncode, errors) == (code, b"")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device of Linux")
def test_a_full_disk_is_named(project: Path, plain_python: Path) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [plain_python, "scripts/synthesize_reports.py", *REPORT],
            cwd=project,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
        )
    assert done.returncode == 2
    assert done.stderr == "orch: [Errno 28] No space left on device\n"


def test_a_name_that_is_no_text_is_printed(plain_run: Run) -> None:
    names = ("--agents", os.fsdecode(b"caf\xe9"), "--deliverables", "lib/a.ts")
    done = plain_run("python", "scripts/synthesize_reports.py", *names)
    assert (done.returncode, r"- caf\udce9: not recorded" in done.stdout) == (0, True), done.stderr
