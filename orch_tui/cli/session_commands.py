"""Commands about a session itself: open, keep, move on, limit and close it."""

from __future__ import annotations

import argparse
from argparse import Namespace
from typing import TYPE_CHECKING, Any

from orch_tui.cli.answers import add_answer_format, print_answer
from orch_tui.cli.flags import add_allow_secret, add_session, tokens_or_none
from orch_tui.cli.parser import Parser, project_of
from orch_tui.cli.printing import as_row, json_object, positive, say, share_of_limit
from orch_tui.errors import UsageError
from orch_tui.phases import PHASES

if TYPE_CHECKING:
    from collections.abc import Callable


def init_session() -> argparse.ArgumentParser:
    parser = Parser(
        "init-session", example='orch init-session --scope "Implement vector search feature"'
    )
    parser.add_argument("--scope", required=True, metavar="TEXT", help="what the session is about")
    parser.add_argument("--session-id", metavar="ID", help="default: orch-<today>-<number>")
    parser.add_argument("--metadata", metavar="JSON", help="an object of your own to keep with it")
    parser.add_argument("--budget", type=positive, metavar="TOKENS", help="for all its bundles")
    add_allow_secret(parser, "a scope that holds what looks like a secret")
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
    add_session(parser)
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
    add_session(parser)
    add_allow_secret(parser, "a scope that holds what looks like a secret")
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
        type=_or_default(tokens_or_none),
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
    add_session(parser)
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
    add_session(parser)
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
