"""What the scripts of the installed skill do.

Three of them are groups of commands of orch. The three older ones keep the flags, keys and exit
codes they always had, and touch no record. When no answer can be given they exit with 2, which
for them has always been the worst.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from orch_tui.prepare.templates import Template

GROUPS = {
    "execution_tracker": {
        "init-session": "init-session",
        "set-phase": "set-phase",
        "init-deployment": "init-deployment",
        "record-completion": "record-completion",
        "complete-session": "complete-session",
        "query": "query",
    },
    "context_manager": {
        "prepare-bundle": "prepare-bundle",
        "track-budget": "track-budget",
        "deduplicate": "deduplicate",
        "generate-briefing": "generate-briefing",
        "record-allocation": "record-allocation",
    },
    "output_collector": {"collect": "collect", "query": "outputs", "synthesize": "synthesize"},
}
"""By script: its commands, and what orch calls them."""

_UNUSABLE = 2


def main(argv: Sequence[str]) -> int:
    """Run a script, given its path and its arguments, and give its exit code."""
    path, *arguments = argv
    name = Path(path).stem
    if name in GROUPS:
        return _command(name, arguments)
    return _older(_OLDER[name], Path(path), arguments)


def _command(script: str, arguments: list[str]) -> int:
    """A command of orch; one that another script names works as well."""
    from orch_tui.cli import main as orch

    command, *rest = arguments or [""]
    if command in ("", "-h", "--help"):
        print(_usage(script), file=sys.stdout if command else sys.stderr)
        return 0 if command else 2
    return orch([GROUPS[script].get(command, command), *rest])


def _usage(script: str) -> str:
    from orch_tui.cli.parser import COMMANDS

    lines = [f"usage: {script}.py COMMAND ...", ""]
    lines += [f"  {name:<19}{COMMANDS[orch].summary}" for name, orch in GROUPS[script].items()]
    return "\n".join([*lines, "", f"{script}.py COMMAND --help tells more, with an example."])


Older = Callable[[argparse.ArgumentParser, Path, list[str]], int]


def _older(run: Older, path: Path, arguments: list[str]) -> int:
    from orch_tui.cli import INTERRUPTED, complain
    from orch_tui.errors import OrchError

    try:
        return run(argparse.ArgumentParser(prog=path.name), path, arguments)
    except (OrchError, OSError) as error:
        complain(error)
        return _UNUSABLE
    except KeyboardInterrupt:
        return INTERRUPTED


def _validate(parser: argparse.ArgumentParser, path: Path, arguments: list[str]) -> int:
    from orch_tui.prepare.validation import validate_plan
    from orch_tui.project import Project

    parser.description = "Check the scope, files and dependencies of a plan."
    parser.add_argument("--scope", required=True)
    parser.add_argument("--context-files", default="", metavar="A,B")
    parser.add_argument("--dependencies", default="", metavar="'A->B,B->C'")
    given = parser.parse_args(arguments)
    reader = Project(recording=False).reader()
    answer = validate_plan(
        given.scope,
        reader.split_values([given.context_files]),
        given.dependencies.split(","),
        reader=reader,
    )
    _print_json(answer.to_dict())
    return 0 if answer.valid else 1


def _check(parser: argparse.ArgumentParser, path: Path, arguments: list[str]) -> int:
    from orch_tui.prepare.budget import STATUSES, Limits
    from orch_tui.prepare.validation import check_bounds
    from orch_tui.project import Project

    parser.description = "Check that files fit the context of a phase."
    parser.add_argument("--phase", required=True, type=int, choices=range(1, 6))
    parser.add_argument("--files", default="", metavar="A,B")
    given = parser.parse_args(arguments)
    project = Project(recording=False)
    reader = project.reader()
    answer = check_bounds(
        given.phase,
        reader.split_values([given.files]),
        reader=reader,
        family=project.catalogue.model().family,
        limits=Limits(),  # as the older script: no setting of the user's
    )
    _print_json(answer.to_dict())
    return STATUSES.index(answer.status)


def _synthesize(parser: argparse.ArgumentParser, path: Path, arguments: list[str]) -> int:
    from orch_tui.cli.printing import say, split_list, write_text
    from orch_tui.recall import older_report

    parser.description = "Write a report from the names of agents and deliverables."
    parser.add_argument("--agents", required=True, metavar="A,B")
    parser.add_argument("--deliverables", required=True, metavar="X,Y")
    parser.add_argument("--template", metavar="FILE")
    parser.add_argument("--format", choices=("markdown", "json"), default="markdown")
    parser.add_argument("--output", metavar="FILE")
    given = parser.parse_args(arguments)
    known = (split_list([given.agents]), split_list([given.deliverables]), _now())
    if given.format == "json":
        report = _json(older_report.older_report_to_dict(*known))
    else:
        report = older_report.render_older_report(_report_template(path, given.template), *known)
    if given.output:
        write_text(given.output, report.rstrip("\n") + "\n")
        say(f"Report written to: {given.output}")
    else:
        _print(report)
    return 0


_OLDER: dict[str, Older] = {
    "validate_orchestration": _validate,
    "check_context_bounds": _check,
    "synthesize_reports": _synthesize,
}


def _report_template(script: Path, given: str | None) -> Template:
    """The template given, else the skill's own, which people may have adapted, else orch's."""
    from orch_tui.assets import asset
    from orch_tui.cli.printing import say
    from orch_tui.prepare.templates import load_template

    own = script.resolve().parent.parent / "assets" / "synthesis-report.tmpl"
    if given and Path(given).is_file():
        return load_template(given)
    if given:
        say(f"{given}: there is no such template, using the default")
    return load_template(str(own if own.is_file() else asset("templates/synthesis-report.tmpl")))


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _print_json(value: dict[str, Any]) -> None:
    _print(_json(value))


def _json(value: dict[str, Any]) -> str:
    return json.dumps(value, indent=2)


def _print(text: str) -> None:
    """Print, whatever the names given hold. A reader that had enough changes no exit code."""
    try:
        if sys.stdout.isatty():
            print(text)
        else:
            sys.stdout.buffer.write(text.encode("utf-8", "backslashreplace") + b"\n")
        sys.stdout.flush()
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # nor complains at exit
        if not isinstance(error, BrokenPipeError):
            raise
