"""Commands before and after an agent runs: sessions, plans, deployments, completions, outputs."""

from __future__ import annotations

import argparse
import os
import shlex
import sys
from argparse import Namespace
from typing import TYPE_CHECKING, Any

from orch_tui.cli.answers import add_answer_format, gauge_to_dict, print_answer
from orch_tui.cli.filters import add_other_project
from orch_tui.cli.parser import Parser, project_of
from orch_tui.cli.printing import (
    NO,
    add_allow_model,
    add_format,
    as_row,
    boolean,
    check_model,
    copy_text,
    in_words,
    json_object,
    named_bundle,
    named_template,
    positive,
    print_json,
    print_rows,
    read_bytes,
    say,
    share_of_limit,
    split_list,
    writing,
)
from orch_tui.errors import UsageError
from orch_tui.phases import PHASES
from orch_tui.wording import plural

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from orch_tui.models.database import Record
    from orch_tui.project import Project
    from orch_tui.record.deployment import Deployment
    from orch_tui.record.messages.findings import Findings
    from orch_tui.record.run_place import MissingFile


def init_session() -> argparse.ArgumentParser:
    parser = Parser(
        "init-session", example='orch init-session --scope "Implement vector search feature"'
    )
    parser.add_argument("--scope", required=True, metavar="TEXT", help="what the session is about")
    parser.add_argument("--session-id", metavar="ID", help="default: orch-<today>-<number>")
    parser.add_argument("--metadata", metavar="JSON", help="an object of your own to keep with it")
    parser.add_argument("--budget", type=positive, metavar="TOKENS", help="for all its bundles")
    _add_allow_secret(parser, "a scope that holds what looks like a secret")
    add_answer_format(parser)
    parser.set_defaults(run=_init_session)
    return parser


def _init_session(arguments: Namespace) -> None:
    session = project_of(arguments).init_session(
        arguments.scope,
        session_id=arguments.session_id,
        metadata=json_object(arguments.metadata) if arguments.metadata else None,
        budget=arguments.budget,
        allow_secret=arguments.allow_secret,
    )
    print_answer(arguments, session.session_id, session=as_row(session))


def use() -> argparse.ArgumentParser:
    parser = Parser(
        "use",
        example="""orch use orch-2026-11-22-001
orch use                        # which session is meant here, and why
orch use --forget""",
        remarks="""It is kept for this terminal, tmux pane or session of Claude Code until the
session is closed. Opening a session keeps it, too; ORCH_SESSION in the
environment goes before.""",
    )
    which = parser.add_mutually_exclusive_group()
    which.add_argument("session_id", nargs="?", metavar="ID", help="an open session")
    which.add_argument("--forget", action="store_true", help="keep none any more")
    add_answer_format(parser)
    parser.set_defaults(run=_use)
    return parser


def _use(arguments: Namespace) -> None:
    from orch_tui.record import session_choice

    project = project_of(arguments)
    record = project.existing_record
    if arguments.forget:
        session_choice.forget_session(record, project.root)
        print_answer(arguments, "", session=None)
        return
    if arguments.session_id:
        session_choice.keep_session(record, project.root, project.session_id(arguments.session_id))
    chosen = project.choose_session()
    say(chosen.remark or f"session {chosen.session.session_id}, {chosen.reason}")
    print_answer(
        arguments,
        chosen.session.session_id,
        session=as_row(chosen.session),
        reason=chosen.reason,
        also_open=chosen.others,
    )


def set_phase() -> argparse.ArgumentParser:
    parser = Parser("set-phase", example="orch set-phase 3 --session-id orch-2026-11-22-001")
    parser.add_argument(
        "phase",
        type=int,
        choices=range(1, 6),
        metavar="PHASE",
        help="1 analyze, 2 plan, 3 execute, 4 validate, 5 confirm",
    )
    _add_session(parser)
    add_answer_format(parser)
    parser.set_defaults(run=_set_phase)
    return parser


def _set_phase(arguments: Namespace) -> None:
    from orch_tui.record import sessions

    project = project_of(arguments)
    session_id = project.session_id(arguments.session_id)
    session, skipped = sessions.set_phase(project.existing_record, session_id, arguments.phase)
    for gate in skipped:
        say(f"gate {gate.phase} ({gate.name}) was skipped: {gate.missing}")
    print_answer(
        arguments,
        f"{session.session_id} {session.phase} {PHASES[session.phase or 1]}",
        session=as_row(session),
        skipped_gates=[
            {"phase": gate.phase, "name": gate.name, "missing": gate.missing} for gate in skipped
        ],
    )


def set_scope() -> argparse.ArgumentParser:
    parser = Parser("set-scope", example='orch set-scope "Implement vector search, with filters"')
    parser.add_argument("scope", metavar="TEXT", help="what the session is about from now on")
    _add_session(parser)
    _add_allow_secret(parser, "a scope that holds what looks like a secret")
    add_answer_format(parser)
    parser.set_defaults(run=_set_scope)
    return parser


def _set_scope(arguments: Namespace) -> None:
    from orch_tui.record import sessions

    project = project_of(arguments)
    session_id = project.session_id(arguments.session_id)
    session = sessions.change_session(
        project.existing_record,
        session_id,
        allow_secret=arguments.allow_secret,
        scope=arguments.scope,
    )
    line = f"{session.session_id} {session.scope}"
    print_answer(arguments, line, session=as_row(session))


def set_budget() -> argparse.ArgumentParser:
    parser = Parser(
        "set-budget",
        example="""orch set-budget 300000
orch set-budget --warn-threshold 0.6 --critical-threshold 0.8 --reserve 16000
orch set-budget --agent-limit 20000 --agent-limit Explore=50000
orch set-budget default --session-id orch-2026-11-22-001""",
        remarks="`default` is what the settings say.",
    )
    parser.add_argument(
        "budget",
        nargs="?",
        type=_or_default(positive),
        metavar="TOKENS",
        help="for all its bundles",
    )
    share = _or_default(share_of_limit)
    for name in ("warn", "critical"):
        parser.add_argument(f"--{name}-threshold", type=share, metavar="SHARE", help="of a limit")
    parser.add_argument(
        "--reserve",
        type=_or_default(_tokens),
        metavar="TOKENS",
        help="kept free for the answer of each agent",
    )
    parser.add_argument(
        "--agent-limit",
        action="append",
        type=_agent_limit,
        metavar="[TYPE=]TOKENS",
        help="what each agent, or those of a type, may be handed at most",
    )
    _add_session(parser)
    add_answer_format(parser)
    parser.set_defaults(run=_set_budget)
    return parser


_DEFAULT = "default"
"""Typed for a limit of a session: it is to be that of the settings."""


def _or_default(convert: Callable[[str], Any]) -> Callable[[str], Any]:
    """Make an argparse type that also takes the word for what the settings say."""
    return lambda text: _DEFAULT if text == _DEFAULT else convert(text)


def _agent_limit(text: str) -> tuple[str, int | str]:
    """``20000``, ``Explore=20000`` or ``Explore=default``."""
    from orch_tui.prepare.budget import EACH

    agent_type, _, tokens = text.rpartition("=")
    limit: int | str = _or_default(positive)(tokens)
    return agent_type or EACH, limit


def _set_budget(arguments: Namespace) -> None:
    from orch_tui.record import sessions

    names = ("budget", "warn_threshold", "critical_threshold", "reserve")
    given = {name: value for name in names if (value := getattr(arguments, name)) is not None}
    if arguments.agent_limit:
        given["agent_limits"] = {
            name: None if limit == _DEFAULT else limit for name, limit in arguments.agent_limit
        }
    if not given:
        raise UsageError("what is to be changed?", hint="TOKENS, or --warn-threshold SHARE")
    project = project_of(arguments)
    session_id = project.session_id(arguments.session_id)
    changes: Any = {name: None if value == _DEFAULT else value for name, value in given.items()}
    sessions.change_session(project.existing_record, session_id, **changes)
    limits = project.session_limits(session_id)
    own = (f", {_name_agents(name)} {limit:,}" for name, limit in limits.agent_limits)
    print_answer(
        arguments,
        f"{session_id} {limits.budget:,} tokens, warning at {limits.warn_threshold:.0%}, "
        f"critical at {limits.critical_threshold:.0%}, {limits.output_reserve:,} kept free"
        f"{''.join(own)}",
        session_id=session_id,
        budget=limits.budget,
        warn_threshold=limits.warn_threshold,
        critical_threshold=limits.critical_threshold,
        output_reserve=limits.output_reserve,
        agent_limits=dict(limits.agent_limits),
    )


def _name_agents(agent_type: str) -> str:
    from orch_tui.prepare.budget import EACH

    return "each agent" if agent_type == EACH else agent_type


def complete_session() -> argparse.ArgumentParser:
    parser = Parser(
        "complete-session", example="orch complete-session --session-id orch-2026-11-22-001"
    )
    _add_session(parser)
    parser.add_argument(
        "--status",
        choices=("completed", "failed"),
        default="completed",
        help="default: %(default)s",
    )
    hide = parser.add_mutually_exclusive_group()
    hide.add_argument("--archive", action="store_true", help="also hide it from lists and search")
    hide.add_argument("--unarchive", action="store_true", help="only show an archived one again")
    parser.forbid("--unarchive", "--status")
    add_answer_format(parser)
    parser.set_defaults(run=_complete_session)
    return parser


def _complete_session(arguments: Namespace) -> None:
    from orch_tui.record import sessions
    from orch_tui.record.phase_gates import evaluate_gates

    project = project_of(arguments)
    session_id = project.session_id(arguments.session_id)
    record = project.existing_record
    if arguments.unarchive:
        session = sessions.archive_session(record, session_id, archived=False)
    else:
        session = sessions.complete_session(record, session_id, arguments.status)
        if arguments.archive:
            session = sessions.archive_session(record, session_id)
    gates = evaluate_gates(record, session_id)
    waiting = [g.missing for g in gates if g.name == "returned" and g.missing]
    say(*waiting)
    line = f"{session.session_id} {session.status}"
    print_answer(arguments, line, session=as_row(session), remarks=waiting)


def plan() -> argparse.ArgumentParser:
    parser = Parser(
        "plan",
        example="""orch plan --agent-type task-implementor --scope "Implement HNSW" \\
  --bundle bundle-001
orch plan --agent-type principle-evaluator --scope "Review it" --after 1
orch plan                       # the plan, in waves
orch plan --edit 2 --model opus""",
    )
    _add_session(parser)
    parser.add_argument("--agent-type", metavar="NAME", help="plan one more agent of this type")
    parser.add_argument("--scope", metavar="TEXT", help="what it is to do")
    parser.add_argument("--model", metavar="NAME", help="the model to ask for")
    add_allow_model(parser)
    parser.add_argument("--bundle", metavar="ID", help="the bundle it is given")
    parser.add_argument(
        "--after", action="append", metavar="N,N", help="the agents it waits for, by number"
    )
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--edit", type=int, metavar="N", help="change agent N")
    which.add_argument("--move", type=int, nargs=2, metavar=("N", "TO"), help="reorder")
    which.add_argument("--remove", type=int, metavar="N", help="take agent N out of the plan")
    which.add_argument("--duplicate", type=int, metavar="N", help="plan agent N once more")
    which.add_argument("--undo", action="store_true", help="take back the last change of the plan")
    _add_allow_secret(parser, "a scope that holds what looks like a secret")
    parser.require("--allow-secret", "--scope")
    for flag in ("--agent-type", "--scope", "--model", "--bundle", "--after"):
        parser.forbid(flag, "--move", "--remove", "--duplicate", "--undo")
    for flag in ("--scope", "--model", "--bundle", "--after"):
        parser.require(flag, "--agent-type", "--edit")
    parser.require("--allow-model", "--model")
    parser.allow_empty("--model", "--bundle", "--after")  # with --edit: none any more
    add_format(parser)
    parser.set_defaults(run=_plan)
    return parser


def _plan(arguments: Namespace) -> None:
    from orch_tui.record import plan as planning
    from orch_tui.record.plan_state import read_plan_states
    from orch_tui.record.planned_bundles import list_removed_bundles, tell_of_planned_bundle

    project = project_of(arguments)
    check_model(project, arguments)
    session_id = project.session_id(arguments.session_id)
    record = project.existing_record
    after = _numbers(arguments.after)
    touched = None
    if arguments.undo:
        undone = planning.undo_plan_change(record, session_id)
        say(f"undone: {planning.describe_plan_change(undone)}")
    elif arguments.duplicate is not None:
        planning.duplicate_planned_agent(record, session_id, arguments.duplicate)
    elif arguments.remove is not None:
        planning.remove_planned_agent(record, session_id, arguments.remove)
    elif arguments.move:
        planning.move_planned_agent(record, session_id, *arguments.move)
    elif arguments.edit is not None:
        given = {
            "agent_type": arguments.agent_type,
            "scope": arguments.scope,
            "model": arguments.model,
            "bundle_id": arguments.bundle,
        }
        values = {name: value for name, value in given.items() if value is not None}
        touched = planning.change_planned_agent(
            record,
            session_id,
            arguments.edit,
            waits_for=after,
            allow_secret=arguments.allow_secret,
            **values,
        )
    elif arguments.agent_type is not None:
        touched = planning.add_planned_agent(
            record,
            session_id,
            arguments.agent_type,
            scope=arguments.scope or "",
            model=arguments.model,
            bundle_id=arguments.bundle,
            waits_for=after or (),
            allow_secret=arguments.allow_secret,
        )
    if touched is not None and touched.bundle_id:
        limits, catalogue = project.limits, project.catalogue
        say(*tell_of_planned_bundle(record, touched, catalogue=catalogue, limits=limits))
    removed = list_removed_bundles(record, session_id)
    waits = planning.list_waits(record, session_id)
    states = read_plan_states(record, session_id)
    waves = planning.list_waves(record, session_id)
    rows = [
        {
            **as_row(agent),
            "waits_for": waits[agent.position],
            "wave": next(n for n, wave in enumerate(waves, 1) if agent.position in wave),
            "state": states[agent.position].progress,
            "execution_id": states[agent.position].execution_id,
            "bundle_removed": agent.bundle_id in removed,
        }
        for agent in planning.list_planned_agents(record, session_id)
    ]
    if arguments.format == "table":
        for row in rows:
            if row["bundle_removed"]:
                row["bundle_id"] += " (retracted)"
    print_rows(
        rows,
        arguments.format,
        columns=(
            *("position", "wave", "state", "execution_id", "agent_type", "scope", "model"),
            *("bundle_id", "waits_for"),
        ),
        empty=f"{session_id} has no planned agents; --agent-type plans one",
    )


def _numbers(values: list[str] | None) -> list[int] | None:
    if values is None:
        return None
    try:
        return [int(value) for value in split_list(values)]
    except ValueError as error:
        raise UsageError(f"--after takes numbers of the plan: {error}") from error


def init_deployment() -> argparse.ArgumentParser:
    parser = Parser(
        "init-deployment",
        example="""orch init-deployment --agent-type task-implementor \\
  --scope "Implement HNSW" --context-bundle bundle-001 --output briefing.md""",
    )
    _add_session(parser)
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
        type=_tokens,
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
    _add_allow_secret(parser)
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
    _add_allow_secret(parser)
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
        told = _tell(findings, arguments.collect)
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


def _tell(findings: Findings, how: str) -> list[str]:
    """Say and give the outputs that a final message tells of; say also signs of trouble in it."""
    for trouble in findings.troubles:
        subject = f": {trouble.subject}" if trouble.subject else ""
        say(f"sign of trouble, {trouble.kind}{subject}")
    told = [
        *(f"deliverable {path.path}" for path in findings.deliverables),
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


def _add_session(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--session-id", metavar="ID", help="default: as orch use tells")


def _add_allow_secret(
    parser: argparse.ArgumentParser, what: str = "what looks like a secret, or holds one"
) -> None:
    parser.add_argument("--allow-secret", action="store_true", help=f"take {what}; recorded")


def _tokens(text: str) -> int:
    return 0 if text == "0" else positive(text)
