"""Flags that choose what was recorded: a session, an agent type, a time, a project."""

from __future__ import annotations

import argparse
from argparse import Namespace
from typing import TYPE_CHECKING, Any

from orch_tui.cli.printing import positive, say
from orch_tui.project import Project

if TYPE_CHECKING:
    from orch_tui.record.own_projects import OwnProjects


def add_filters(parser: argparse.ArgumentParser, *, limit: bool = True) -> None:
    """Add the flags that most lists share."""
    parser.add_argument("--session-id", metavar="ID", help="of one session")
    parser.add_argument("--agent-type", metavar="NAME", help="of one type of agent")
    parser.add_argument(
        "--since",
        metavar="WHEN",
        help="2026-11-22, 2026-11-22T10:00, yesterday, monday, 30m, 7d, '2 days ago'",
    )
    parser.add_argument("--until", metavar="WHEN", help="a day counts to its end")
    if limit:
        parser.add_argument("--limit", type=positive, help="default: all")


def read_filters(arguments: Namespace, project: Project) -> dict[str, Any]:
    """Read the filters given, within this project unless others are asked for."""
    named = arguments.session_id or getattr(arguments, "execution_id", None)
    everywhere = arguments.all_projects or named
    filters = {
        "session_id": arguments.session_id,
        "agent_type": arguments.agent_type,
        "since": arguments.since,
        "until": arguments.until,
        "project": None if everywhere else read_own_projects(project),
    }
    return filters | ({"limit": arguments.limit} if "limit" in arguments else {})


def read_own_projects(project: Project) -> OwnProjects | None:
    """Read what lists keep to; that something is left out is said where nobody would expect it."""
    own = project.project_filter
    if own is not None and not project.is_shared:
        say("this record holds runs of other projects, too: --all-projects takes them in")
    return own


def add_scope(parser: argparse.ArgumentParser) -> None:
    """Add the flags that reach beyond the open sessions of one project."""
    parser.add_argument("--archived", action="store_true", help="archived sessions too")
    add_all_projects(parser)


def add_all_projects(parser: argparse.ArgumentParser) -> None:
    """Add the flag that takes in what is of other projects."""
    parser.add_argument(
        "--all-projects", action="store_true", help="runs of other projects in the record, too"
    )


def add_other_project(parser: argparse.ArgumentParser) -> None:
    """Add the flag that lets a command write into a run of another project."""
    parser.add_argument(
        "--other-project",
        action="store_true",
        help='write into a run of another project, too (where database = "user")',
    )
