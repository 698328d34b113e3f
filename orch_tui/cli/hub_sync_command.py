"""``orch hub sync``: what is new here goes to the hub, what is followed there comes here."""

from __future__ import annotations

import argparse
import os
import signal
from argparse import Namespace
from contextlib import nullcontext, suppress
from threading import Thread
from typing import TYPE_CHECKING

from orch_tui.cli.answers import add_answer_format
from orch_tui.cli.parser import Parser, project_of
from orch_tui.cli.printing import NO, as_row, print_object, progress_bar, say
from orch_tui.wording import plural

if TYPE_CHECKING:
    from orch_tui.hub.sync import SyncPlan
    from orch_tui.hub.sync_process import SyncReport
    from orch_tui.models.database import Record


def hub_sync() -> argparse.ArgumentParser:
    parser = Parser(
        "hub sync",
        remarks="Your own other machines are followed; --all, --person and --since fetch more.\n"
        "A run of somebody else that is opened is fetched by itself.",
        example="""
orch hub sync
orch hub sync --pull --all
orch hub sync --watch""",
    )
    parser.add_argument("--push", action="store_true", help="only send")
    parser.add_argument("--pull", action="store_true", help="only fetch")
    parser.add_argument("--all", action="store_true", help="fetch what everybody stated")
    parser.add_argument(
        "--person",
        metavar="NAME",
        action="append",
        help="fetch what this person stated, too; repeatable",
    )
    parser.add_argument(
        "--since",
        metavar="TIME",
        help="fetch the runs that were deployed since then (2026-11-01, 7d), and nothing else",
    )
    parser.add_argument(
        "--watch", action="store_true", help="go on: at every change here and there, until Ctrl-C"
    )
    parser.add_argument("--quiet", action="store_true", help="say nothing that is no error")
    parser.add_argument(
        "--until-closed", action="store_true", help="with --watch: end when standard input does"
    )
    parser.forbid("--push", "--pull", "--all", "--person", "--since")
    parser.forbid("--all", "--person")
    parser.forbid("--watch", "--since")
    add_answer_format(parser)
    parser.set_defaults(run=_sync)
    return parser


def _sync(arguments: Namespace) -> int:
    record = project_of(arguments).existing_record
    plan = _plan(arguments, record)
    if arguments.watch:
        return _watch(arguments, record, plan)
    from orch_tui.hub.sync_process import IN_TURN, sync_with_hub

    with nullcontext(_show_nothing) if arguments.quiet else progress_bar() as show:
        report = sync_with_hub(
            record,
            plan,
            progress=lambda what, done, total: show(done, total),
            in_turn=0 if arguments.quiet else IN_TURN,
        )
    _print_report(arguments, report)
    return 0


def _show_nothing(done: int, total: int) -> None:
    pass


def _end_with_input() -> None:
    """End the process once nobody holds the other end of standard input: the app that began it."""
    with suppress(OSError):
        while os.read(0, 1 << 12):
            pass
    os.kill(os.getpid(), signal.SIGINT)


def _plan(arguments: Namespace, record: Record) -> SyncPlan:
    from orch_tui.hub.pull import Followed
    from orch_tui.hub.sync import SyncPlan

    since = None
    if arguments.since is not None:
        from orch_tui.search.dates import parse_time

        since = parse_time(arguments.since, record.clock())
    return SyncPlan(
        pushes=not arguments.pull,
        pulls=not arguments.push,
        followed=Followed(everybody=arguments.all, persons=tuple(arguments.person or ())),
        since=since,
    )


def _print_report(arguments: Namespace, report: SyncReport) -> None:
    if arguments.format == "json":
        print_object(as_row(report))
    elif not arguments.quiet:
        print(describe_report(report), flush=True)
        if report.remarks:
            say(*report.remarks)


def describe_report(report: SyncReport) -> str:
    """Word what a sync did: ``team: sent 12 statements and 3 texts; fetched nothing``."""
    sent = [plural(report.pushed, "statement")] if report.pushed else []
    sent += [plural(report.pushed_texts, "text")] if report.pushed_texts else []
    came = [plural(report.pulled, "statement")] if report.pulled else []
    came += [plural(report.pulled_texts, "text")] if report.pulled_texts else []
    about = f", about {plural(report.pulled_runs, 'run')}" if report.pulled_runs and came else ""
    return (
        f"{report.hub}: sent {' and '.join(sent) or 'nothing'}; "
        f"fetched {' and '.join(came) or 'nothing'}{about}"
    )


def _watch(arguments: Namespace, record: Record, plan: SyncPlan) -> int:
    from orch_tui.errors import HubError
    from orch_tui.hub.sync_process import watch_hub

    if arguments.until_closed:
        Thread(target=_end_with_input, daemon=True).start()
    failed = False
    try:
        for told in watch_hub(record, plan):
            failed = isinstance(told, HubError)
            if isinstance(told, HubError):
                say(f"orch: {told.message}", *([f"      {told.hint}"] if told.hint else []))
            elif told.moved:
                _print_report(arguments, told)
    except KeyboardInterrupt:
        pass
    return NO if failed else 0
