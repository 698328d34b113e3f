"""Commands once an agent has returned: its completion, its outputs, and taking back."""

from __future__ import annotations

import argparse
import shlex
import sys
from argparse import Namespace
from collections.abc import Container
from typing import TYPE_CHECKING

from orch_tui.cli.answers import add_answer_format, print_answer
from orch_tui.cli.filters import add_other_project
from orch_tui.cli.parser import Parser, project_of
from orch_tui.cli.printing import (
    NO,
    as_row,
    boolean,
    in_words,
    print_json,
    print_rows,
    read_bytes,
    say,
    split_list,
)
from orch_tui.errors import UsageError

if TYPE_CHECKING:
    from orch_tui.models.database import Record
    from orch_tui.record.messages.findings import Findings
    from orch_tui.record.run_place import MissingFile


def record_completion() -> argparse.ArgumentParser:
    parser = Parser(
        "record-completion",
        example="""orch record-completion --execution-id exec-001 \\
  --final-message-file answer.md --collect auto
pbpaste | orch record-completion --execution-id exec-001 --final-message -
orch record-completion --execution-id exec-001 --status failed \\
  --error-message "the tests fail" --supersede "ran them again\"""",
    )
    parser.add_argument("--execution-id", required=True, metavar="ID", help="of the deployment")
    parser.add_argument(
        "--status",
        choices=("completed", "failed"),
        help="default: as --success, else completed; without a message that of the latest return",
    )
    message = parser.add_mutually_exclusive_group()
    message.add_argument("--final-message", metavar="TEXT", help="the text; - reads standard input")
    message.add_argument("--final-message-file", metavar="FILE", help="- reads standard input")
    parser.allow_empty("--final-message")
    parser.add_argument("--success", type=boolean, metavar="BOOL", help="default: as the status")
    parser.add_argument("--error-message", metavar="TEXT", help="what went wrong")
    parser.add_argument("--error-code", metavar="CODE", help="its kind, ORG-001 to ORG-008")
    parser.add_argument("--completed-at", metavar="TIME", help="default: now")
    parser.add_argument(
        "--deliverables", action="append", metavar="PATH,...", help="files it made or changed"
    )
    parser.add_argument(
        "--strict", action="store_true", help="exit 1 where a deliverable is missing"
    )
    parser.require("--strict", "--deliverables")
    parser.add_argument(
        "--collect",
        choices=("auto", "ask", "none"),
        default="none",
        help="record what the message itself tells of: deliverables, validation, insights "
        "(default: none)",
    )
    parser.add_argument(
        "--supersede", metavar="REASON", help="take back what was said of its return before"
    )
    for flag in ("--collect auto", "--collect ask"):
        parser.require(flag, "--final-message", "--final-message-file")
    add_other_project(parser)
    add_answer_format(parser)
    parser.set_defaults(run=_record_completion)
    return parser


def _record_completion(arguments: Namespace) -> int:
    from orch_tui.record import outputs
    from orch_tui.record.run_return import record_return

    if arguments.collect == "ask" and not sys.stdin.isatty():
        raise UsageError("--collect ask needs a terminal to ask on", hint="--collect auto or none")
    project = project_of(arguments)
    message: str | bytes | None = arguments.final_message
    if arguments.final_message_file or message == "-":
        message = read_bytes(arguments.final_message_file or "-")
    record = project.existing_record
    project.check_own_run(arguments.execution_id, other_project=arguments.other_project)
    missing: list[MissingFile] = []
    recorded, findings = record_return(
        record,
        arguments.execution_id,
        root=project.root,
        cwd=project.cwd,
        final_message=message,
        deliverable_paths=split_list(arguments.deliverables),
        missing=missing.append,
        collect=arguments.collect == "auto",
        status=arguments.status,
        success=arguments.success,
        error_message=arguments.error_message,
        error_code=arguments.error_code,
        completed_at=project.moment(arguments.completed_at),
        supersede=arguments.supersede,
    )
    say(*(f"deliverable {file}" for file in missing))
    execution = recorded.execution
    if findings:
        held = outputs.list_execution_outputs(record, execution.execution_id)
        told = _tell(findings, arguments.collect, {output.path for output in held})
        if told and arguments.collect == "ask" and _agreed():
            outputs.collect_found_outputs(record, execution.execution_id, findings)
    if isinstance(message, bytes) and not _is_utf8(message):
        say("the message is not UTF-8: every byte is kept, what is no text is shown as \ufffd")
    if execution.retracted_at:
        say(f"{execution.execution_id} was retracted: lists and reports leave it out")
    remarks = [_tell_doubt(execution.execution_id, recorded.doubt)] if recorded.doubt else []
    say(*remarks)
    if execution.unverified and not remarks and not (findings and findings.troubles):
        say(f"{execution.execution_id} is unverified: {execution.unverified}")
    repeated = "" if recorded.is_new else " (recorded before)"
    print_answer(
        arguments,
        f"{execution.execution_id} {recorded.completion.status}, "
        f"completion {recorded.completion.position}{repeated}",
        execution=as_row(execution),
        completion=as_row(recorded.completion),
        is_new=recorded.is_new,
        remarks=remarks,
        missing=[as_row(file) for file in missing],
        troubles=[as_row(trouble) for trouble in findings.troubles] if findings else [],
        found=[{"output_type": kind, "content": told} for kind, told in findings.outputs]
        if findings
        else [],
    )
    return NO if arguments.strict and missing else 0


def _tell_doubt(execution_id: str, doubt: str) -> str:
    command = (
        *("orch", "record-completion", "--execution-id", execution_id, "--status", "failed"),
        *("--error-message", doubt, "--supersede", "its message says so"),
    )
    return (
        f"{execution_id} is recorded as completed and in doubt, since its message tells of a "
        f"failure ({doubt}); to record it as failed: {shlex.join(command)}"
    )


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def _tell(findings: Findings, how: str, recorded: Container[str | None]) -> list[str]:
    """Say and give the outputs that a final message tells of; say also signs of trouble in it.

    Deliverables that are ``recorded``, since somebody named them, are not offered once more.
    """
    for trouble in findings.troubles:
        subject = f": {trouble.subject}" if trouble.subject else ""
        say(f"sign of trouble, {trouble.kind}{subject}")
    paths = (path.path for path in findings.deliverables)
    told = [
        *(f"deliverable {path}" for path in paths if how != "none" or path not in recorded),
        *(f"validation {name}:{result}" for name, result in findings.validation.items()),
        *(f"insight {insight.text}" for insight in findings.insights),
    ]
    if told and how == "none":
        outputs, them = ("1 output", "it") if len(told) == 1 else (f"{len(told)} outputs", "them")
        say(f"its message tells of {outputs}; --collect auto records {them}")
    else:
        say(*(f"found {line}" for line in told))
    return told


def _agreed() -> bool:
    print("record these, marked as found? [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower().startswith("y")


def collect() -> argparse.ArgumentParser:
    parser = Parser(
        "collect",
        example="""orch collect --execution-id exec-001 \\
  --deliverables "lib/a.ts,tests/a.test.ts" \\
  --validation-results "format:pass,lint:fail,coverage:85" \\
  --insights "HNSW is O(log n)\"
orch collect --session-id orch-2026-11-22-001 --found""",
    )
    of = parser.add_mutually_exclusive_group(required=True)
    of.add_argument("--execution-id", metavar="ID", help="of the deployment")
    of.add_argument("--session-id", metavar="ID", help="all of its executions (with --found)")
    parser.add_argument(
        "--found",
        action="store_true",
        help="keep what the recorded messages tell of, marked as found: nobody verified it",
    )
    parser.add_argument(
        "--deliverables", action="append", metavar="PATH,...", help="files it made or changed"
    )
    parser.add_argument(
        "--strict", action="store_true", help="exit 1 where a deliverable is missing"
    )
    parser.require("--strict", "--deliverables")
    parser.add_argument(
        "--validation-results", metavar="NAME:RESULT,...", help="pass, fail, skip or a number"
    )
    parser.add_argument("--insights", action="append", metavar="TEXT", help="repeat for several")
    parser.add_argument("--errors", action="append", metavar="TEXT", help="repeat for several")
    parser.add_argument(
        "--format", choices=("table", "json"), default="table", help="default: %(default)s"
    )
    parser.require("--session-id", "--found")
    parser.forbid("--found", "--deliverables", "--validation-results", "--insights", "--errors")
    add_other_project(parser)
    parser.set_defaults(run=_collect)
    return parser


def _collect(arguments: Namespace) -> int:
    from orch_tui.recall.listing import output_to_dict
    from orch_tui.record import outputs
    from orch_tui.record.deliverables import parse_validation

    project = project_of(arguments)
    record = project.existing_record
    if arguments.execution_id:
        project.check_own_run(arguments.execution_id, other_project=arguments.other_project)
    missing: list[MissingFile] = []
    if arguments.found:
        from orch_tui.record.found_outputs import collect_found

        collected = collect_found(
            record, arguments.execution_id, session_id=arguments.session_id, root=project.root
        )
        if not collected:
            say("no message tells of an output")
    else:
        collected = outputs.collect_outputs(
            record,
            arguments.execution_id,
            root=project.root,
            cwd=project.cwd,
            deliverable_paths=split_list(arguments.deliverables),
            missing=missing.append,
            validation=parse_validation(arguments.validation_results or ""),
            insights=arguments.insights or [],
            errors=arguments.errors or [],
        )
    say(*(f"deliverable {file}" for file in missing))
    listed = [output_to_dict(output) for output in collected]
    if arguments.format == "json":
        print_json(listed)
    else:
        rows = [{**row, "content": in_words(row["content"])} for row in listed]
        print_rows(rows, "table", columns=("output_id", "output_type", "content"))
    return NO if arguments.strict and missing else 0


def retract() -> argparse.ArgumentParser:
    parser = Parser(
        "retract", example='orch retract exec-007 --reason "deployed in the wrong session"'
    )
    parser.add_argument("label", metavar="ID", help="an execution, or a bundle to count no more")
    parser.add_argument("--reason", required=True, metavar="TEXT", help="kept with it")
    add_other_project(parser)
    add_answer_format(parser)
    parser.set_defaults(run=_retract)
    return parser


def _retract(arguments: Namespace) -> None:
    from orch_tui.record import bundles, executions

    project = project_of(arguments)
    record = project.existing_record
    if bundles.bundle_exists(record, arguments.label):
        session_id = bundles.load_bundle(record, arguments.label).bundle.session_id
        bundles.drop_bundle(record, arguments.label, arguments.reason)
    else:
        project.check_own_run(arguments.label, other_project=arguments.other_project)
        run = executions.retract_execution(record, arguments.label, arguments.reason)
        session_id = run.session_id
    remarks = _on_closed_session(record, session_id)
    say(*remarks)
    print_answer(
        arguments,
        f"{arguments.label} retracted",
        id=arguments.label,
        reason=arguments.reason,
        remarks=remarks,
    )


def _on_closed_session(record: Record, session_id: str | None) -> list[str]:
    """Say that a session was closed before something of it is taken back."""
    from orch_tui.record.sessions import get_session

    if not session_id:
        return []
    session = get_session(record, session_id)
    if session.completed_at is None:
        return []
    return [
        f"session {session_id} was closed as {session.status}: its figures and reports change, "
        "a report that was written before does not"
    ]
