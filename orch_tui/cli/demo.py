"""``orch demo``: one orchestration from plan to report, on a sample project or on yours.

Everything is real: the two "agents" are functions here that look at the files and write what they
found, their final messages say what they did, and every step is an ordinary API call, shown with
the command that does the same. On a project of the user's, files appear only under
``.claude/orchestration``.
"""

from __future__ import annotations

import argparse
import ast
import json
import os
import shutil
import subprocess
import sys
from argparse import Namespace
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from shlex import quote

from orch_tui.assets import asset
from orch_tui.cli import open_app
from orch_tui.cli.parser import Parser
from orch_tui.cli.terminal_text import printable
from orch_tui.errors import OrchError, SourceError
from orch_tui.files import write
from orch_tui.frozen import frozen
from orch_tui.git import run_git
from orch_tui.paths import resolve_path
from orch_tui.project import Project

MOST_FILES = 12
"""Files of a project that the demo looks at; the smallest ones."""


def demo() -> argparse.ArgumentParser:
    parser = Parser(
        "demo",
        example="""orch demo                    # on a sample project, in ./orch-demo
orch demo --project .        # on this project""",
    )
    where = parser.add_mutually_exclusive_group()
    where.add_argument(
        "folder", nargs="?", metavar="DIR", help="for the sample; default: orch-demo"
    )
    where.add_argument("--project", metavar="DIR", help="run on a project of yours instead")
    parser.add_argument("--no-tui", action="store_true", help="do not open the screens afterwards")
    parser.set_defaults(run=_demo)
    return parser


def _demo(arguments: Namespace) -> int:
    if arguments.project:
        folder = Path(resolve_path(arguments.project))
        if not folder.is_dir():
            raise SourceError(arguments.project, "there is no such folder")
    else:
        folder = _make_sample(arguments.folder or _free_name("orch-demo"))
    project = Project(folder, database=arguments.db, face="demo")
    project.cwd = project.root  # the steps are shown as typed there
    print(f"project: {project.root}")
    try:
        _run(project, is_sample=not arguments.project)
    finally:
        project.close()
    if open_app.are_possible() and not arguments.no_tui:
        return open_app.open_on(project.root, database=arguments.db)
    return 0


def _free_name(name: str) -> str:
    number, free = 1, name
    while os.path.lexists(free):
        number += 1
        free = f"{name}-{number}"
    return free


def _make_sample(name: str) -> Path:
    """A small real project: a specification, a module and its tests, in git where there is git."""
    folder = Path(resolve_path(name))
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise SourceError(
            name, "exists already", hint="name another folder, or --project to use it"
        )
    shutil.copytree(
        asset("sample"), folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__")
    )
    (folder / ".claude").mkdir()
    run_git(folder, "init", "--quiet")
    return folder


@frozen
class _Report:
    """What an "agent" of the demo gives back."""

    final_message: str
    deliverable: str


_Agent = Callable[[Project, list[str], str], _Report]


def _run(project: Project, *, is_sample: bool) -> None:
    from orch_tui.api import OrchestrationSession
    from orch_tui.project_bundles import foresee_sharing

    files = _some_files(project)
    if not files:
        raise OrchError(
            f"{project.root} has no text file to work on", hint="orch demo makes a sample project"
        )
    shared, *rest = files
    check = partial(_check, runs_tests=is_sample)
    scope = f"Take stock of {project.root.name} and check its files"
    session = OrchestrationSession(scope, project=project)
    session_id = session.session_id

    _phase("1 Analyze")
    _did(f"orch init-session --scope {quote(scope)}", session_id)
    checked = session.validate(files)
    _did(
        f"orch validate --session-id {session_id} --context-files {quote(','.join(files))}",
        f"valid: {checked.valid}; {len(checked.warnings)} warnings",
    )

    _phase("2 Plan")
    _did("orch set-phase 2", _skipped(session.set_phase(2)))
    half = max(1, len(rest) // 2)
    work: list[tuple[str, str, _Agent, list[str]]] = [
        ("Explore", "List the files with their sizes", _take_stock, [shared, *rest[:half]]),
        ("principle-evaluator", "Check that the files are sound", check, [shared, *rest[half:]]),
    ]
    bundles = []
    for position, (agent_type, task, _, given) in enumerate(work, start=1):
        bundle = session.prepare_context(agent_type, scope=task, files=given)
        bundles.append(bundle)
        _did(
            f"orch prepare-bundle --agent-type {agent_type} --scope {quote(task)} "
            f"--files {quote(','.join(given))} --output {bundle.bundle_id}.json",
            f"{bundle.bundle_id}: {len(bundle.items)} items, {bundle.total} tokens",
        )
        after = [position - 1] if position > 1 else []
        session.plan_agent(agent_type, task, bundle_id=bundle.bundle_id, waits_for=after)
        _did(
            f"orch plan --agent-type {agent_type} --scope {quote(task)} "
            f"--bundle {bundle.bundle_id}" + (f" --after {after[0]}" if after else "")
        )
    foreseen = foresee_sharing(project, bundles)
    _did(
        f"orch deduplicate --bundles {','.join(b.bundle_id for b in bundles)}",
        *(f"{i.source} stands in {' and '.join(i.shared_with)}" for i in foreseen.sharing.items),
        *foreseen.remarks,
    )
    _did("orch track-budget", str(session.track_budget().session))

    _phase("3 Execute")
    _did("orch set-phase 3", _skipped(session.set_phase(3)))
    latest = ""
    for (agent_type, _, agent, given), bundle in zip(work, bundles, strict=True):
        execution = session.init_deployment(agent_type, context_bundle=bundle, model="sonnet")
        label = latest = execution.execution_id
        _did(
            f"orch init-deployment --context-bundle {bundle.bundle_id} --model sonnet",
            f"{label}; its briefing has {len(execution.briefing):,} characters",
        )
        report = agent(project, given, session_id)
        facts = execution.record_completion(
            report.final_message, deliverables=[report.deliverable], collect=True
        )
        _did(
            f"orch record-completion --execution-id {label} --final-message - --collect auto "
            f"--deliverables {quote(report.deliverable)}",
            f"{facts.status}; its message begins: {report.final_message.splitlines()[0]}",
            *(f"found {o.output_type}: {o.text}" for o in execution.outputs() if o.found),
        )

    _phase("4 Validate")
    _did("orch set-phase 4", _skipped(session.set_phase(4)))
    answer = session.validate_outputs()
    _did("orch outputs --state", f"nothing failed and nothing is missing: {answer.ok}")

    _phase("5 Confirm")
    _did("orch set-phase 5", _skipped(session.set_phase(5)))
    report_file = _write(project, f"{session_id}-report.md", session.generate_synthesis_report())
    _did(f"orch synthesize --session-id {session_id} --output {report_file}")
    session.complete()
    _did(f"orch complete-session --session-id {session_id}", "completed")

    _phase("Now look at it")
    print(f"  cd {quote(str(project.root))}")
    if not shutil.which("orch"):
        print(f"  PATH={quote(str(Path(sys.executable).parent))}:$PATH")
    for command in (
        "orch query --agent-type principle-evaluator --limit 1",
        "orch history sound",
        f"orch show {latest} --part given",
        f"orch show {latest} --part trail",
        "orch outputs --state",
        "orch stats",
    ):
        print(f"  {command}")


def _some_files(project: Project) -> list[str]:
    """The smallest readable text files of the project, never hidden or secret-looking ones."""
    reader = project.reader()
    found: list[tuple[int, str]] = []
    for path in _walk(project.root):
        try:
            found.append((path.stat().st_size, path.relative_to(project.root).as_posix()))
        except OSError:
            continue
    files = []
    for _, name in sorted(found):
        try:
            if reader.read_source(name)[0].data.strip():
                files.append(name)
        except SourceError:
            continue
        if len(files) == MOST_FILES:
            break
    return files


_NOT_LOOKED_INTO = {"node_modules", "__pycache__", "venv", "build", "dist", "target"}


def _walk(root: Path) -> Iterator[Path]:
    for folder, folders, names in os.walk(root):
        folders[:] = [f for f in folders if not f.startswith(".") and f not in _NOT_LOOKED_INTO]
        yield from (Path(folder, name) for name in names if not name.startswith("."))


def _take_stock(project: Project, files: list[str], session_id: str) -> _Report:
    """An "agent" that really lists the files it was given."""
    lines = {name: (project.root / name).read_bytes().count(b"\n") for name in files}
    table = "".join(f"| {name} | {count} |\n" for name, count in lines.items())
    path = _write(
        project,
        f"{session_id}-inventory.md",
        f"# Inventory\n\n| file | lines |\n|---|---|\n{table}",
    )
    longest = max(lines, key=lambda name: lines[name])
    return _Report(
        f"Listed {len(lines)} files, {sum(lines.values())} lines.\n\n"
        f"## Deliverables\n- Created `{path}`\n\n"
        f"## Insights\n- The longest file is {longest} with {lines[longest]} lines\n",
        path,
    )


def _check(project: Project, files: list[str], session_id: str, *, runs_tests: bool) -> _Report:
    """An "agent" that really parses the files it was given, and runs the tests of the sample.

    Code of a project that the demo did not make itself is never run.
    """
    broken = [name for name in files if not _is_sound(project.root / name)]
    results = {"format": "fail" if broken else "pass"}
    if runs_tests:
        run = subprocess.run(
            [sys.executable, "-B", "-m", "unittest", "discover", "tests"],
            cwd=project.root,
            capture_output=True,
            check=False,
        )
        results["tests"] = "fail" if run.returncode else "pass"
    listed = "".join(f"- {name}: {result}\n" for name, result in results.items())
    problems = "".join(f"- {name} cannot be parsed\n" for name in broken) or "- none\n"
    path = _write(
        project,
        f"{session_id}-check.md",
        f"# Check\n\n{len(files)} files were parsed.\n\n{listed}\n## Problems\n{problems}",
    )
    sound = len(files) - len(broken)
    return _Report(
        f"{sound} of {len(files)} files are sound.\n\n"
        f"## Deliverables\n- Created `{path}`\n\n## Validation\n{listed}",
        path,
    )


def _is_sound(path: Path) -> bool:
    parsers: dict[str, Callable[[bytes], object]] = {".py": ast.parse, ".json": json.loads}
    try:
        parsers.get(path.suffix, bytes.decode)(path.read_bytes())
    except (ValueError, SyntaxError, RecursionError):
        return False
    return True


def _write(project: Project, name: str, text: str) -> str:
    """A file under ``.claude/orchestration/demo``, by its path from the root."""
    path = project.root / ".claude" / "orchestration" / "demo" / name
    write(path, text.encode())
    return path.relative_to(project.root).as_posix()


def _phase(title: str) -> None:
    print(f"\n{title}")


def _did(command: str, *results: str) -> None:
    print(f"  $ {printable(command)}")
    for result in results:
        if result:
            print(f"    {printable(result)}")


def _skipped(gates: tuple[object, ...]) -> str:
    return "; ".join(f"gate skipped: {getattr(gate, 'missing', gate)}" for gate in gates)
