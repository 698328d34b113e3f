"""Commands that sum up what was recorded: stats, synthesize."""

from __future__ import annotations

import argparse
from argparse import Namespace
from collections.abc import Mapping
from typing import Any

from orch_tui.cli.filters import add_filters, add_scope, read_filters
from orch_tui.cli.flags import add_session
from orch_tui.cli.parser import Parser, project_of
from orch_tui.cli.printing import (
    add_format,
    cell,
    named_template,
    positive,
    print_object,
    print_rows,
    say,
    write_text,
)
from orch_tui.errors import UsageError
from orch_tui.prepare.count import describe_known


def stats() -> argparse.ArgumentParser:
    from orch_tui.recall.insights import TEAM_PARTS

    parts = _parts_of_stats()
    team_parts = [*map(_part_name, TEAM_PARTS)]
    only_there = [part for part in team_parts if part not in parts]
    parser = Parser(
        "stats",
        example="orch stats --by bundle --since 30d",
    )
    parser.add_argument(
        "--by",
        choices=(*parts, *only_there),
        action="append",
        metavar="PART",
        help=f"repeat for several: {', '.join(parts)} (default: the main ones); "
        f"with --team {', '.join(team_parts)} (default: all)",
    )
    parser.add_argument(
        "--team",
        action="store_true",
        help="runs of everybody who shares the hub of this record, counted there",
    )
    add_filters(parser, limit=False)
    add_scope(parser)
    parser.add_argument(
        "--limit",
        dest="most",  # of a part: those of a list are chosen while it is read
        metavar="LIMIT",
        type=positive,
        help="rows of each part: half of them the best, half the worst; of what is over time the "
        "newest, of other parts the first (default: 20; of one part as json, jsonl or csv all)",
    )
    parser.add_argument(
        "--every", choices=("day", "week"), help="for over_time and sharing (default: day)"
    )
    add_format(parser)
    parser.forbid("--team", "--session-id")
    parser.set_defaults(run=_stats)
    return parser


def _part_name(part: str) -> str:
    """Name a part as ``--by`` does."""
    return part.removeprefix("by_")


def _parts_of_stats() -> tuple[str, ...]:
    """The parts as ``--by`` names them."""
    from orch_tui.recall.insights import PARTS

    return tuple(map(_part_name, PARTS))


_MAIN_PARTS = ("overall", "agent_type", "bundle", "context", "validations", "worth", "costs")


def _stats(arguments: Namespace) -> None:
    from orch_tui.recall.insights import PARTS, TEAM_PARTS, gather_parts
    from orch_tui.recall.insights.row_choice import MOST_ROWS, choose_rows

    project = project_of(arguments)
    part_names = TEAM_PARTS if arguments.team else PARTS
    all_parts = tuple(map(_part_name, part_names))
    of_all = arguments.team or arguments.format.startswith("json")
    shown = arguments.by or (all_parts if of_all else _MAIN_PARTS)
    if unknown := [part for part in shown if part not in all_parts]:
        raise UsageError(
            f"--by {unknown[0]} is only {'without' if arguments.team else 'with'} --team",
            hint=f"one of {', '.join(all_parts)}",
        )
    if arguments.every and not {"over_time", "sharing"} & {*shown}:
        raise UsageError("--every is only for --by over_time and sharing", hint="leave --every out")
    if arguments.format == "csv" and len({*shown}) != 1:
        raise UsageError(
            "--format csv has one kind of row: one --by",
            hint=f"one of {', '.join(all_parts)}",
        )
    names = {_part_name(part): part for part in part_names}
    wanted = [names[name] for name in shown]
    if arguments.team:
        gathered = project.team.stats_parts(
            wanted,
            all_projects=arguments.all_projects,
            agent_type=arguments.agent_type,
            since=arguments.since,
            until=arguments.until,
            include_archived=arguments.archived,
            every=arguments.every or "day",
        )
    else:
        gathered = gather_parts(
            project.existing_record,
            wanted,
            **read_filters(arguments, project),
            include_archived=arguments.archived,
            every=arguments.every or "day",
        )
    is_for_people = arguments.format in ("table", "markdown")
    most = arguments.most or (MOST_ROWS if is_for_people or len(gathered) > 1 else None)
    rows: dict[str, list[dict[str, Any]]] = {}
    left_out: dict[str, int] = {}
    for part, every_row in gathered.items():
        name = _part_name(part) if arguments.by or is_for_people else part
        rows[name], rest = choose_rows(part, every_row, most or len(every_row))
        if rest:
            left_out[name] = rest
    given = (arguments.session_id, arguments.agent_type, arguments.since, arguments.until)
    nothing = "no recorded run meets that" if any(given) else "nothing is recorded yet"
    if len(rows) == 1:
        ((name, part_rows),) = rows.items()
        _print_part_of_stats(name, part_rows, arguments.format, nothing)
        _say_what_is_left_out(left_out)
    elif arguments.format == "json":
        print_object({**rows, "left_out": left_out})
    elif arguments.format == "jsonl":
        print_rows(({"part": name, **row} for name, part in rows.items() for row in part), "jsonl")
        _say_what_is_left_out(left_out)
    else:
        for name, part_rows in rows.items():
            title = name.replace("_", " ")
            print(f"## {title}\n" if arguments.format == "markdown" else f"{title}:")
            _print_part_of_stats(name, part_rows, arguments.format, nothing)
            if name in left_out:
                print(f"\n{_REST.format(left_out[name])}")
            print()


_REST = "{:,} more, for which --limit asks"


def _say_what_is_left_out(left_out: Mapping[str, int]) -> None:
    say(*(f"{name.replace('_', ' ')}: {_REST.format(count)}" for name, count in left_out.items()))


def _print_part_of_stats(name: str, rows: list[dict[str, Any]], form: str, nothing: str) -> None:
    if form in ("table", "markdown"):
        rows = [_with_intervals(row) for row in rows]
    columns = _STATS_COLUMNS.get(name, ())
    print_rows(rows, form, columns=columns, empty=f"  {_EMPTY.get(name, nothing)}")
    if name == "sharing" and rows and not rows[0]["n_shared"]:
        say("no run was handed a bundle that points to what is shared: it counts once deployed")


_EMPTY = {
    "context": "no recorded run was given anything from a bundle yet",
    "estimates": "no run has both: a bundle that was estimated, and its usage from a transcript",
    "corrections": "too few runs of a model have both a bundle and their usage",
    "files": "no transcript has told yet which files a run read",
    "sources": "no run that succeeded was given or read a file of the project yet",
}
"""What a part waits for."""

_STATS_COLUMNS = {
    "validations": (
        *("agent_type", "check", "n", "passed", "failed", "other", "unknown", "latest"),
        *("minimum", "median", "maximum"),
    ),
    "worth": (
        *("agent_type", "n", "success", "tokens_given", "tokens_used", "deliverables"),
        *("deliverables_existing", "validations_passed", "validations_failed", "estimator"),
    ),
    "sharing": (
        *("of", "name", "n", "n_unknown", "n_shared", "tokens_before", "tokens_after"),
        *("saved_share", "moved_to_shared_tokens", "shared_document_tokens"),
    ),
    "costs": (
        *("agent_type", "model", "n", "input_tokens", "cache_write_tokens", "cache_read_tokens"),
        *("output_tokens", "n_priced", "cost_usd", "cost_usd_mean"),
    ),
}
"""What tables show of the widest parts."""

_INTERVALS = {
    "success_share": ("share_low", "share_high"),
    "difference": ("difference_low", "difference_high"),
}


_KNOWN_OF = {
    "tokens_given": "n_given",
    "tokens_used": "n_used",
    "input_tokens": "n_used",
    "cost_usd": "n_priced",
}
"""Sums, with the column that says of how many runs of the n they are."""


def _with_intervals(row: dict[str, Any]) -> dict[str, Any]:
    """A row for people: a share and the interval it surely lies in are one figure, and so are a sum
    and of how many it is, where some are without a count."""
    shown = dict(row)
    for name, of in _KNOWN_OF.items():
        if row.get(name) is not None and row.get(of) is not None:
            said = describe_known(row[of], row["n"] - row[of])
            shown[name] = f"{cell(row[name])} ({said})" if said else row[name]
    for name, ends in _INTERVALS.items():
        low, high = (shown.pop(end, None) for end in ends)
        if shown.get(name) is not None and low is not None and high is not None:
            shown[name] = f"{shown[name]:.0%} ({low:.0%} to {high:.0%})"
    return shown


def synthesize() -> argparse.ArgumentParser:
    parser = Parser(
        "synthesize", example="orch synthesize --session-id orch-2026-11-22-001 --output report.md"
    )
    add_session(parser)
    parser.add_argument(
        "--template", metavar="FILE", help="a file, or a name in the template folders"
    )
    parser.add_argument(
        "--format",
        choices=("markdown", "json", "html"),
        default="markdown",
        help="default: %(default)s",
    )
    parser.add_argument("--output", metavar="FILE", default="-", help="default: standard output")
    parser.forbid("--template", "--format json")
    parser.set_defaults(run=_synthesize)
    return parser


def _synthesize(arguments: Namespace) -> None:
    from orch_tui.recall.report import synthesize_report as write_report

    project = project_of(arguments)
    text = write_report(
        project.existing_record,
        project.session_id(arguments.session_id),
        root=project.root,
        template=named_template(project, arguments.template),
        format=arguments.format,
        limits=project.limits_of_sessions,
    )
    write_text(arguments.output, text)
    if arguments.output != "-":
        say(f"Report written to: {arguments.output}")
