"""Commands before an agent starts: what is deployed, and what it is given."""

from __future__ import annotations

import argparse
import os
from argparse import Namespace
from typing import TYPE_CHECKING

from orch_tui.cli.answers import add_answer_format, gauge_to_dict, print_answer
from orch_tui.cli.filters import add_other_project
from orch_tui.cli.flags import add_allow_secret, add_session, tokens_or_none
from orch_tui.cli.parser import Parser, project_of
from orch_tui.cli.printing import (
    add_allow_model,
    as_row,
    check_model,
    copy_text,
    named_bundle,
    named_template,
    read_bytes,
    say,
    writing,
)
from orch_tui.wording import plural

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orch_tui.project import Project
    from orch_tui.record.deployment import Deployment


def init_deployment() -> argparse.ArgumentParser:
    parser = Parser(
        "init-deployment",
        example="""orch init-deployment --agent-type task-implementor \\
  --scope "Implement HNSW" --context-bundle bundle-001 --output briefing.md""",
    )
    add_session(parser)
    parser.add_argument("--execution-id", metavar="ID", help="default: exec-<number>")
    parser.add_argument("--agent-type", metavar="NAME", help="default: the bundle's")
    parser.add_argument("--scope", metavar="TEXT", help="what it is to do (default: the bundle's)")
    parser.add_argument(
        "--model", metavar="NAME", help="the model asked for (default: the bundle's)"
    )
    add_allow_model(parser)
    parser.require("--allow-model", "--model")
    parser.add_argument("--context-bundle", metavar="BUNDLE", help="a bundle file, or an id")
    parser.add_argument(
        "--context-token-count",
        type=tokens_or_none,
        metavar="TOKENS",
        help="what it was given, where no bundle says so",
    )
    parser.add_argument("--planned", type=int, metavar="N", help="the planned agent it is a run of")
    parser.add_argument("--briefing", metavar="FILE", help="the exact text handed over; - is stdin")
    parser.add_argument("--template", metavar="FILE", help="render the briefing with this template")
    parser.add_argument("--output", metavar="FILE", help="write the briefing to hand over")
    parser.add_argument("--copy", action="store_true", help="put the briefing on the clipboard")
    parser.add_argument("--deployed-at", metavar="TIME", help="default: now")
    parser.add_argument(
        "--allow-overflow", metavar="REASON", help="deploy over budget; the reason is recorded"
    )
    parser.add_argument(
        "--supersede", metavar="REASON", help="replace what was said of this execution before"
    )
    add_allow_secret(parser)
    parser.forbid("--template", "--briefing")
    parser.require("--template", "--context-bundle", "--planned")
    parser.require("--allow-secret", "--context-bundle", "--scope", "--briefing")
    parser.require("--supersede", "--execution-id")
    for flag in ("--output", "--copy"):
        parser.require(flag, "--context-bundle", "--planned", "--briefing")
    add_answer_format(parser)
    parser.forbid("--output -", "--format json")
    parser.set_defaults(run=_init_deployment)
    return parser


def _init_deployment(arguments: Namespace) -> None:
    from orch_tui.record import deployment

    project = project_of(arguments)
    check_model(project, arguments)
    session_id = project.session_id(arguments.session_id)
    bundle = (
        named_bundle(project, arguments.context_bundle, allow_secret=arguments.allow_secret)
        if arguments.context_bundle
        else None
    )
    with writing(arguments.output) as write:
        deployed = deployment.record_deployment(
            project.record,
            session_id,
            catalogue=project.catalogue,
            limits=project.limits,
            agent_type=arguments.agent_type,
            scope=arguments.scope,
            model=arguments.model,
            execution_id=arguments.execution_id,
            bundle=bundle,
            context_token_count=arguments.context_token_count,
            planned=arguments.planned,
            briefing=read_bytes(arguments.briefing) if arguments.briefing else None,
            template=named_template(project, arguments.template),
            deployed_at=project.moment(arguments.deployed_at),
            allow_overflow=arguments.allow_overflow,
            supersede=arguments.supersede,
            allow_secret=arguments.allow_secret,
            worktree=project.worktree,
            root=project.root,
        )
        write(deployed.briefing)
    _log_file(project, deployed, arguments.output)
    remarks = [*deployed.remarks, *_on_deployed(deployed, arguments)]
    say(*remarks)
    if arguments.copy and deployed.briefing:
        copy_text(deployed.briefing, "the briefing")
    if arguments.output != "-":
        left = deployed.hand_over
        print_answer(
            arguments,
            deployed.execution.execution_id,
            execution=as_row(deployed.execution),
            agent_limit=gauge_to_dict(deployed.judgement.agent),
            session_budget=gauge_to_dict(deployed.judgement.session),
            model={"name": deployed.model_choice.name, "origin": deployed.model_choice.origin},
            hand_over=left.line if left else None,
            remarks=[*remarks, *(left.remarks if left else ())],
        )
    say_hand_over(deployed)


def _log_file(project: Project, deployed: Deployment, output: str | None) -> None:
    """Have a prompt recognised that names the file with the briefing."""
    if output and output != "-" and deployed.briefing:
        from orch_tui.paths import resolve_path
        from orch_tui.record.ledger.briefing_files import log_briefing_file

        label = deployed.execution.execution_id
        log_briefing_file(project.record, label, os.path.realpath(resolve_path(output)))


def say_hand_over(deployed: Deployment) -> None:
    """Say the line to pass for a briefing that a hook hands over.

    Standard output is the id alone, with the hook or without: scripts assign it.
    """
    if left := deployed.hand_over:
        said = ("pass this line as the prompt:", left.line) if left.line else ()
        say(*left.remarks, *said)


def _on_deployed(deployed: Deployment, arguments: Namespace) -> Iterator[str]:
    """Say what was asked for and could not be done."""
    claimed, count = arguments.context_token_count, deployed.execution.context_token_count
    if claimed is not None and claimed != count:
        yield f"--context-token-count {claimed:,}: the bundle says {count:,}, which is recorded"
    if deployed.model_choice.origin != "asked":
        yield f"model {deployed.model_choice}"
    if not deployed.briefing:
        for flag in ("output", "copy", "template"):
            if getattr(arguments, flag):
                yield f"--{flag}: the planned agent has no bundle, so there is no briefing"


def record_allocation() -> argparse.ArgumentParser:
    parser = Parser(
        "record-allocation",
        example="orch record-allocation --execution-id exec-001 --bundle bundle-001.json",
    )
    parser.add_argument("--execution-id", required=True, metavar="ID", help="of the deployment")
    parser.add_argument("--bundle", required=True, metavar="BUNDLE", help="a bundle file, or an id")
    parser.add_argument("--allow-overflow", metavar="REASON", help="record it over budget")
    add_other_project(parser)
    add_allow_secret(parser)
    add_answer_format(parser)
    parser.set_defaults(run=_record_allocation)
    return parser


def _record_allocation(arguments: Namespace) -> None:
    from orch_tui.record import bundles, deployment, executions

    project = project_of(arguments)
    record = project.existing_record
    bundle = named_bundle(project, arguments.bundle, allow_secret=arguments.allow_secret)
    project.check_own_run(arguments.execution_id, other_project=arguments.other_project)
    session_id = executions.get_execution(record, arguments.execution_id).session_id
    if told := bundles.tell_other_session(bundle.bundle_id, bundle.session_id, session_id):
        say(told)
    allocations = deployment.record_allocation(
        record,
        arguments.execution_id,
        bundle,
        catalogue=project.catalogue,
        limits=project.limits,
        allow_overflow=arguments.allow_overflow,
    )
    given = executions.get_execution(project.existing_record, arguments.execution_id)
    tokens = given.context_token_count
    said = "without a count" if tokens is None else f"{tokens:,} tokens"
    print_answer(
        arguments,
        f"{arguments.execution_id} {plural(len(allocations), 'item')}, {said}",
        execution=as_row(given),
        items=[as_row(allocation) for allocation in allocations],
    )
