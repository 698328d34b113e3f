"""Commands that find what was recorded: query, outputs, history."""

from __future__ import annotations

import argparse
import sys
from argparse import Namespace
from collections.abc import Iterable, Sequence
from itertools import islice
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
    add_fields,
    add_format,
    as_row,
    in_words,
    may_style,
    none_or_more,
    positive,
    print_rows,
    say,
)
from orch_tui.cli.terminal_text import own_codes, printable
from orch_tui.errors import UsageError
from orch_tui.times import local_time

if TYPE_CHECKING:
    from orch_tui.models.database import Record
    from orch_tui.rows import ExecutionFacts
    from orch_tui.search.language import Query
    from orch_tui.search.passages import FoundPassage
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

PATIENCE = 1.0
"""Seconds that a command looks into texts before it says how far back it came."""

SYNTAX = """\
All words must match, the last one from its beginning. Parts of names are words
(search finds vectorSearch). A word with a sign that tells it from others is
looked for as it is written: C++, .NET, a::b, foo->bar, @name, $5. part:ecto
finds any three letters or more wherever they stand, in the newest 30,000 runs
at least; --before looks further. A value of a filter matches from its
beginning, in quotes as a whole; a comma gives alternatives. A mistake ends the
command with 2 and lists nothing, unless --lenient is given."""

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
    add_fields(parser)
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
        rows, columns, kind = map(as_row, sessions), SESSIONS, "session"
    else:
        from orch_tui.rows import name_columns

        executions = listing.iterate_executions(
            project.existing_record, **filters, model=arguments.model
        )
        in_words = arguments.format in ("table", "markdown") and not arguments.fields
        as_shown = _in_words if in_words else name_columns
        rows, columns, kind = map(as_shown, executions), EXECUTIONS, "execution"
    print_rows(
        rows,
        arguments.format,
        columns=columns,
        empty=f"no such {kind} is recorded",
        fields=arguments.fields,
    )


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
    add_fields(parser)
    parser.forbid("--state", "--failed", "--output-type")
    parser.forbid("--failed", "--output-type")
    parser.set_defaults(run=_outputs)
    return parser


def _outputs(arguments: Namespace) -> None:
    from orch_tui.recall import listing

    project = project_of(arguments)
    filters = read_filters(arguments, project)
    filters["execution_id"] = arguments.execution_id
    if arguments.failed or arguments.state:
        del filters["limit"]  # of the rows that come of all outputs
    rows: Iterable[dict[str, Any]]
    if arguments.failed:
        failed = listing.iterate_failed_checks(project.existing_record, **filters)
        rows = islice(failed, arguments.limit)
        print_rows(rows, arguments.format, empty="no check failed", fields=arguments.fields)
        return
    found = listing.iterate_outputs(
        project.existing_record,
        **filters,
        output_type="deliverable" if arguments.state else arguments.output_type,
    )
    if arguments.state:
        states = listing.deliverable_states(found, project.root)[: arguments.limit]
        rows = [state.row() for state in states]
        nothing = "no such deliverable is recorded"
        print_rows(rows, arguments.format, empty=nothing, fields=arguments.fields)
        return
    rows = map(listing.output_to_dict, found)
    if arguments.format in ("table", "markdown"):
        rows = ({**row, "content": in_words(row["content"])} for row in rows)
    print_rows(
        rows,
        arguments.format,
        columns=OUTPUTS,
        empty="no such output is recorded",
        fields=arguments.fields,
    )


def history() -> argparse.ArgumentParser:
    from orch_tui.search.language import filters_in_words

    parser = Parser(
        "history",
        example="""orch history 'vector index agent:task-implementor status:completed since:7d'
orch history 'given:"HNSW" -draft' --format json
orch history walrus -draft --context 2   # not draft; with two lines around
orch history -- --no-cache   # what begins with -- goes after --""",
        remarks=SYNTAX,
    )
    parser.add_argument(
        "words",
        nargs="*",
        metavar="QUERY",
        help='in quotes: words, "a phrase", -word, and filters: ' + filters_in_words(),
    )
    parser.add_argument("--limit", type=positive, default=20, help="default: %(default)s")
    parser.add_argument("--before", metavar="CURSOR", help="the next page: as the last one says")
    parser.allow_empty("--before")  # the first page
    parser.add_argument(
        "--order",
        choices=("best", "newest", "cost", "duration", "agent"),
        metavar="ORDER",
        help="best (matches, where few enough are found), newest, cost, duration or agent; "
        "default: the setting search_order",
    )
    parser.add_argument(
        "--context",
        type=none_or_more,
        metavar="LINES",
        help="show the places in each run where what is sought stands, with so many lines around",
    )
    parser.add_argument(
        "--team",
        action="store_true",
        help="runs of everybody who shares the hub of this record, asked there",
    )
    parser.add_argument(
        "--lenient",
        action="store_true",
        help="where a part of the query is a mistake, search for the rest",
    )
    add_scope(parser)
    add_format(parser)
    add_fields(parser)
    parser.forbid("--team", "--context")
    parser.set_defaults(run=_history)
    return parser


def _history(arguments: Namespace) -> None:
    from orch_tui.search.language import parse_query
    from orch_tui.search.query import search

    project = project_of(arguments)
    record = project.existing_record
    query = parse_query(" ".join(arguments.words), record.clock())
    mistakes = (*query.mistakes, *query.unfinished)
    if not arguments.lenient and mistakes:
        import shlex

        raise UsageError(
            "; ".join(mistakes),
            hint=(f"orch history {shlex.quote(query.meant)}; " if query.meant else "")
            + "--lenient searches for the rest; orch history --help tells more",
        )
    order = arguments.order or project.config.search_order
    if arguments.team:
        page = project.team.search(
            query,
            limit=arguments.limit,
            before=arguments.before,
            all_projects=arguments.all_projects,
            include_archived=arguments.archived,
            order=order,
        )
    else:
        page = search(
            record,
            query,
            limit=arguments.limit,
            before=arguments.before,
            project=None if arguments.all_projects else read_own_projects(project),
            include_archived=arguments.archived,
            order=order,
            patience=PATIENCE,
        )
    say(*mistakes)
    places = _find_places(record, query, page.hits, arguments.context)
    if arguments.format != "table" or arguments.fields:
        rows = [
            hit.row() | ({"context": [p.row() for p in found]} if found is not None else {})
            for hit, found in zip(page.hits, places, strict=True)
        ]
        print_rows(rows, arguments.format, fields=arguments.fields)
    elif page.hits:
        _print_hits(page.hits, places)
    if not (page.hits or page.looked_back_to):
        known = " (words that are known here)" if arguments.team else ""
        near = f"; did you mean: {' or '.join(page.nearest)}{known}" if page.nearest else ""
        if near or (arguments.format == "table" and not arguments.fields):
            say(f"nothing recorded meets that{near or '; fewer words find more'}")
    if page.looked_back_to:
        by_figure = "" if order in ("best", "newest") else f", by {order} so far, older ones behind"
        say(
            f"{page.count_text}: looked back to {local_time(page.looked_back_to)}{by_figure}; "
            f"--before {page.next_before} looks further"
        )
    elif page.next_before:
        say(
            f"{page.count_text} found; --before {page.next_before} shows the next {arguments.limit}"
        )


def _find_places(
    record: Record, query: Query, hits: Sequence[Hit], around: int | None
) -> list[tuple[FoundPassage, ...] | None]:
    """The passages of each hit; None where none were asked for."""
    if around is None:
        return [None for _ in hits]
    from orch_tui.search.matching import query_matchers
    from orch_tui.search.passages import list_passages

    matchers = query_matchers(query)
    return [list_passages(record, hit.execution_id, matchers, around) for hit in hits]


def _print_hits(hits: Sequence[Hit], places: Sequence[tuple[FoundPassage, ...] | None]) -> None:
    styled = own_codes(sys.stdout)
    for hit, passages in zip(hits, places, strict=True):
        doubt = f"unverified: {hit.unverified}" if hit.unverified else ""
        when = local_time(hit.at) if hit.at else "time unknown"
        print(f"{hit.execution_id}  {printable(hit.agent_type)}  {hit.status}  {when}")
        whose = "" if hit.is_own else f"by {hit.person or 'unknown'} on {hit.machine}"
        facts = (printable(hit.scope or ""), _usage(hit), printable(whose), printable(doubt))
        snippet = "" if passages else _marked(hit.snippet, hit.spans)
        for text in (*facts, snippet):
            if text:
                print(f"    {text}", file=styled)
        for passage in passages or ():
            print(f"    {passage.where}:")
            for line in passage.lines:
                sign = ":" if line.spans else "-"
                marked = _marked(line.text, line.spans)
                print(f"    {line.number:>6}{sign} {marked}", file=styled)


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
