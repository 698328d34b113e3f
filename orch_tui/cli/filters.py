"""Flags that choose what was recorded: a session, an agent type, a time, a project."""

from __future__ import annotations

import argparse
from argparse import Namespace
from typing import Any

from orch_tui.cli.printing import positive
from orch_tui.project import Project


def add_filters(parser: argparse.ArgumentParser, *, limit: bool = True) -> None:
    """Add the flags that most lists share."""
    parser.add_argument("--session-id", metavar="ID", help="of one session")
    parser.add_argument("--agent-type", metavar="NAME", help="of one type of agent")
    parser.add_argument(
        "--since", metavar="WHEN", help="2026-11-22, 2026-11-22T10:00, yesterday, 7d"
    )
    parser.add_argument("--until", metavar="WHEN", help="a day counts to its end")
    if limit:
        parser.add_argument("--limit", type=positive, help="default: all")


def read_filters(arguments: Namespace, project: Project) -> dict[str, Any]:
    """Read the filters given, within this project unless others are asked for."""
    everywhere = getattr(arguments, "all_projects", False) or arguments.session_id
    filters = {
        "session_id": arguments.session_id,
        "agent_type": arguments.agent_type,
        "since": arguments.since,
        "until": arguments.until,
        "project": None if everywhere else project.project_filter,
    }
    return filters | ({"limit": arguments.limit} if "limit" in arguments else {})


def add_scope(parser: argparse.ArgumentParser) -> None:
    """Add the flags that reach beyond the open sessions of one project."""
    parser.add_argument("--archived", action="store_true", help="archived sessions too")
    parser.add_argument(
        "--all-projects", action="store_true", help="where one database serves several projects"
    )
