"""Commands that find what was recorded: query, outputs, history."""

from __future__ import annotations

import argparse
from argparse import Namespace
from typing import TYPE_CHECKING, Any

from orch_tui.cli.filters import (
    add_all_projects,
    add_filters,
    add_scope,
    read_filters,
    read_own_projects,
)
from orch_tui.cli.parser import Parser, project_of
from orch_tui.cli.printing import (
    add_format,
    as_row,
    in_words,
    may_style,
    positive,
    print_rows,
    printable,
    say,
)
from orch_tui.times import local_time

if TYPE_CHECKING:
    from orch_tui.rows import ExecutionFacts
    from orch_tui.search.query import Hit


EXECUTIONS: tuple[str, ...] = (
    "execution_id",
    "agent_type",
    "status",
    "deployed_at",
    "context_token_count",
    "used_tokens",
    "cost_usd",
    "scope",
    "unverified",
    "error_message",
)

SESSIONS: tuple[str, ...] = ("session_id", "created_at", "phase", "status", "scope")

OUTPUTS = ("output_id", "execution_id", "output_type", "created_at", "content")


def query() -> argparse.ArgumentParser:
    parser = Parser(
        "query", example="orch query --agent-type systematic-debugger --limit 1 --format json"
    )
    parser.add_argument("--sessions", action="store_true", help="list sessions, not executions")
    add_filters(parser)
    parser.add_argument(
        "--status", help="deployed, completed, failed (sessions: also planning ...)"
    )
    parser.add_argument(
        "--model",
        metavar="NAME",
        help="that ran, or its family: sonnet (where unknown: that was asked for)",
    )
    add_scope(parser)
    add_format(parser)
    parser.forbid("--sessions", "--session-id", "--model")
    parser.set_defaults(run=_query)
    return parser


def _query(arguments: Namespace) -> None:
    from orch_tui.recall import listing

    project = project_of(arguments)
    filters = read_filters(arguments, project) | {
        "status": arguments.status,
        "include_archived": arguments.archived,
    }
    if arguments.sessions:
        del filters["session_id"]
        sessions = listing.list_sessions(project.existing_record, **filters)
        rows, columns, kind = [as_row(session) for session in sessions], SESSIONS, "session"
    else:
        from orch_tui.rows import name_columns

        executions = listing.list_executions(
            project.existing_record, **filters, model=arguments.model
        )
        as_shown = _in_words if arguments.format in ("table", "markdown") else name_columns
        rows, columns, kind = [as_shown(each) for each in executions], EXECUTIONS, "execution"
    print_rows(rows, arguments.format, columns=columns, empty=f"no such {kind} is recorded")


def _in_words(execution: ExecutionFacts) -> dict[str, Any]:
    """The row of an execution for people: its usage in one figure, and no cost without a word."""
    row = {**as_row(execution), "used_tokens": execution.used_tokens}
    if execution.used_tokens is not None and execution.cost_usd is None:
        row["cost_usd"] = "unknown"
    return row


def outputs() -> argparse.ArgumentParser:
    parser = Parser(
        "outputs", example="orch outputs --session-id orch-2026-11-22-001 --output-type deliverable"
    )
    add_filters(parser)
    add_all_projects(parser)
    parser.add_argument("--execution-id", metavar="ID", help="of one execution")
    parser.add_argument(
        "--output-type", metavar="TYPE", help="deliverable, validation_result, insight or error"
    )
    parser.add_argument(
        "--failed", action="store_true", help="the checks that failed, by the latest result of each"
    )
    parser.add_argument(
        "--state",
        action="store_true",
        help="deliverables, each once, and whether they are unchanged, changed since or missing",
    )
    add_format(parser)
    parser.forbid("--state", "--failed", "--output-type")
    parser.forbid("--failed", "--output-type")
    parser.set_defaults(run=_outputs)
    return parser


def _outputs(arguments: Namespace) -> None:
    from orch_tui.recall import listing

    project = project_of(arguments)
    filters = read_filters(arguments, project)
    if arguments.failed or arguments.state:
        del filters["limit"]  # of the rows that come of all outputs
    found = listing.list_outputs(
        project.existing_record,
        **filters,
        execution_id=arguments.execution_id,
        output_type="deliverable" if arguments.state else arguments.output_type,
    )
    rows: list[dict[str, Any]]
    if arguments.failed:
        rows = listing.failed_checks(found)[: arguments.limit]
        print_rows(rows, arguments.format, empty="no check failed")
        return
    if arguments.state:
        states = listing.deliverable_states(found, project.root)[: arguments.limit]
        rows = [state.row() for state in states]
        print_rows(rows, arguments.format, empty="no such deliverable is recorded")
        return
    rows = [listing.output_to_dict(output) for output in found]
    if arguments.format in ("table", "markdown"):
        rows = [{**row, "content": in_words(row["content"])} for row in rows]
    print_rows(rows, arguments.format, columns=OUTPUTS, empty="no such output is recorded")


def history() -> argparse.ArgumentParser:
    from orch_tui.search.language import filters_in_words

    parser = Parser(
        "history",
        example="""orch history 'vector index agent:task-implementor status:completed since:7d'
orch history 'given:"HNSW" -draft' --format json
orch history -- -draft   # a query that begins with - goes after --""",
    )
    parser.add_argument(
        "words",
        nargs="*",
        metavar="QUERY",
        help='in quotes: words, "a phrase", -word, and filters: ' + filters_in_words(),
    )
    parser.add_argument("--limit", type=positive, default=20, help="default: %(default)s")
    parser.add_argument("--before", metavar="CURSOR", help="the next page: as the last one says")
    add_scope(parser)
    add_format(parser)
    parser.set_defaults(run=_history)
    return parser


def _history(arguments: Namespace) -> None:
    from orch_tui.search.query import search

    project = project_of(arguments)
    page = search(
        project.existing_record,
        " ".join(arguments.words),
        limit=arguments.limit,
        before=arguments.before,
        project=None if arguments.all_projects else read_own_projects(project),
        include_archived=arguments.archived,
    )
    say(*page.mistakes)
    if arguments.format != "table":
        print_rows([hit.row() for hit in page.hits], arguments.format)
    elif page.hits:
        _print_hits(page.hits)
    else:
        say("nothing recorded meets that; fewer words find more")
    if page.next_before:
        say(
            f"{page.count_text} found; --before {page.next_before} shows the next {arguments.limit}"
        )


def _print_hits(hits: tuple[Hit, ...]) -> None:
    for hit in hits:
        doubt = f"unverified: {hit.unverified}" if hit.unverified else ""
        when = local_time(hit.at) if hit.at else "time unknown"
        print(f"{hit.execution_id}  {printable(hit.agent_type)}  {hit.status}  {when}")
        facts = (printable(hit.scope or ""), _usage(hit), printable(doubt))
        for text in (*facts, _marked(hit.snippet, hit.spans)):
            if text:
                print(f"    {text}")


def _usage(hit: Hit) -> str:
    if hit.used_tokens is None:
        return ""
    cost = "cost unknown" if hit.cost_usd is None else f"${hit.cost_usd:.4f}"
    return f"used {hit.used_tokens:,} tokens, {cost}"


def _marked(text: str, spans: tuple[tuple[int, int], ...]) -> str:
    """A snippet with what was sought in bold, where a terminal may be told so."""
    bold, plain = ("\x1b[1m", "\x1b[22m") if may_style() else ("", "")
    shown, at = "", 0
    for start, end in spans:
        shown += f"{printable(text[at:start])}{bold}{printable(text[start:end])}{plain}"
        at = end
    return shown + printable(text[at:])
