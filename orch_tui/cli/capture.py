"""Commands for what Claude Code tells by itself: its hooks, and following what they see."""

from __future__ import annotations

import argparse
import time
from argparse import Namespace
from collections.abc import Iterator
from contextlib import suppress
from itertools import count
from typing import TYPE_CHECKING

from orch_tui.cli.parser import Parser
from orch_tui.cli.printing import as_row, say
from orch_tui.cli.terminal_text import printable
from orch_tui.errors import RecordError, SourceError
from orch_tui.project import Project
from orch_tui.times import local_time

if TYPE_CHECKING:
    from orch_tui.live.doing_changes import Doing
    from orch_tui.recall.changes import News

LOOK_EVERY = 0.25
"""Seconds between two looks of ``orch watch``."""

TRANSCRIPTS_EVERY = 8
"""Looks between two at the transcripts: a file that did not change costs one stat."""


def hook() -> argparse.ArgumentParser:
    """For its help alone: `orch hook` never comes here, whatever else stands on its line."""
    parser = Parser(
        "hook", example="""echo '{"hook_event_name": "Stop"}' | orch hook""", has_record=False
    )
    parser.add_argument(
        "--hand-over",
        action="store_true",
        help="answer instead: put the briefing that a prompt names in its place",
    )
    parser.set_defaults(run=_hook)
    return parser


def _hook(arguments: Namespace) -> None:
    if arguments.hand_over:
        from orch_tui import hand_over_hook

        hand_over_hook.main()
    from orch_tui.hook import take

    take()


def watch() -> argparse.ArgumentParser:
    parser = Parser("watch", example="orch watch --format jsonl")
    parser.add_argument(
        "--format", choices=("table", "jsonl"), default="table", help="default: %(default)s"
    )
    parser.add_argument(
        "--doing",
        action="store_true",
        help="also a line for each change of what a running agent does, at most one a second each",
    )
    parser.set_defaults(run=_watch)
    return parser


def _watch(arguments: Namespace) -> None:
    arguments.project_opened = project = Project(
        database=arguments.db, face="command", drain_inbox_on_open=False, remark=say
    )
    if arguments.db:
        _ = project.existing_record  # a file that was named and is not there is a slip
    say(f"watching {project.root}; Ctrl-C ends it")
    try:
        for news in _followed(project, doing=arguments.doing):
            if arguments.format == "jsonl":
                import json

                print(json.dumps(as_row(news), ensure_ascii=False), flush=True)
            else:
                print(_line(news), flush=True)
    except KeyboardInterrupt:
        return


def _followed(project: Project, *, doing: bool) -> Iterator[News | Doing]:
    """What hooks, transcripts and other processes add, from now on and without an end.

    An end that is seen in the files of an agent is recorded whether anybody wants ``doing`` or not.
    """
    from orch_tui.live.doing_changes import DoingChanges, make_doing
    from orch_tui.recall.changes import Follower

    project.import_files(again=False)
    follower, view, changes = Follower(project.record), project.live_view(), DoingChanges()
    for number in count(1):
        now = time.time()
        snapshot = view.look(now)
        if doing:
            yield from (make_doing(agent, snapshot.at) for agent in changes.find(snapshot, now))
        project.drain_inbox()
        with suppress(RecordError):
            project.read_again()
            project.merge_index()
        with suppress(RecordError, SourceError):  # locked, or a transcript went: the next time
            project.record_ends(view.take_ends())
            if number % TRANSCRIPTS_EVERY == 0:
                project.import_files(again=False)
            yield from follower.news()
        time.sleep(LOOK_EVERY)


def _line(news: News | Doing) -> str:
    when = local_time(news.at, seconds=True)[11:] if news.at else ""
    what = _what(news)
    label = news.execution_id or "-"
    return printable(
        f"{when:<8}  {label:<9} {news.event:<10} {news.agent_type:<20} {what}"
    ).rstrip()


def _what(news: News | Doing) -> str:
    from orch_tui.live.doing_changes import Doing

    if not isinstance(news, Doing):
        return (news.said if news.said is not None else news.scope) or ""
    figures = [f"{news.calls} calls" if news.calls != 1 else "1 call"]
    if news.window and news.context:
        figures.append(f"{news.context / news.window:.0%} of its context")
    if news.cost is not None:
        figures.append(f"${news.cost:.2f} so far")
    return " · ".join([news.doing, *news.marks, *figures])
