"""Commands ever after: list, search, show, compare, replay, learn, report."""

from __future__ import annotations

import argparse
from argparse import Namespace
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orch_tui.cli.parser import Parser, project_of
from orch_tui.cli.printing import (
    FORMATS,
    add_format,
    as_row,
    cell,
    heading,
    in_words,
    json_text,
    may_style,
    positive,
    print_json,
    print_rows,
    printable,
    say,
    write_text,
    writing,
)
from orch_tui.errors import UsageError
from orch_tui.project import Project
from orch_tui.times import local_time

if TYPE_CHECKING:
    from orch_tui.recall.drift import Drift
    from orch_tui.recall.show import Shown
    from orch_tui.recall.timeline import TimelineStep
    from orch_tui.rows import ExecutionFacts
    from orch_tui.search.query import Hit

SHORT = 30
"""Lines of a message, or of a difference, that are shown where not the whole is asked for."""

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
)
SESSIONS: tuple[str, ...] = ("session_id", "created_at", "phase", "status", "scope")
OUTPUTS = ("output_id", "execution_id", "output_type", "created_at", "content")


def query() -> argparse.ArgumentParser:
    parser = Parser(
        "query", example="orch query --agent-type systematic-debugger --limit 1 --format json"
    )
    parser.add_argument("--sessions", action="store_true", help="list sessions, not executions")
    _add_filters(parser)
    parser.add_argument(
        "--status", help="deployed, completed, failed (sessions: also planning ...)"
    )
    parser.add_argument("--model", metavar="NAME", help="asked for, or the one that ran")
    _add_scope(parser)
    add_format(parser)
    parser.forbid("--sessions", "--session-id", "--model")
    parser.set_defaults(run=_query)
    return parser


def _query(arguments: Namespace) -> None:
    from orch_tui.recall import listing

    project = project_of(arguments)
    filters = _filters(arguments, project) | {
        "status": arguments.status,
        "include_archived": arguments.archived,
    }
    if arguments.sessions:
        del filters["session_id"]
        sessions = listing.list_sessions(project.existing_record, **filters)
        rows, columns, kind = [as_row(session) for session in sessions], SESSIONS, "session"
    else:
        executions = listing.list_executions(
            project.existing_record, **filters, model=arguments.model
        )
        as_shown = _in_words if arguments.format in ("table", "markdown") else as_row
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
    _add_filters(parser)
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
    filters = _filters(arguments, project)
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
orch history 'given:"HNSW" -draft' --format json""",
    )
    parser.add_argument(
        "words",
        nargs="*",
        metavar="QUERY",
        help='in quotes: words, "a phrase", -word, and filters: ' + filters_in_words(),
    )
    parser.add_argument("--limit", type=positive, default=20, help="default: %(default)s")
    parser.add_argument("--before", metavar="CURSOR", help="the next page: as the last one says")
    _add_scope(parser)
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
        project=None if arguments.all_projects else project.project_filter,
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


def show() -> argparse.ArgumentParser:
    parser = Parser(
        "show",
        example="""orch show exec-001                # all of it, in short
orch show task-implementor --part given   # what did the last one get?""",
    )
    parser.add_argument(
        "execution_id", metavar="EXECUTION", help="its id, or an agent type: the last one of it"
    )
    parser.add_argument(
        "--part",
        choices=("given", "briefing", "said", "delivered", "files", "facts", "trail"),
        help="one part whole; to a file or pipe, briefing and said go byte for byte",
    )
    parser.add_argument(
        "--format", choices=("table", "json"), default="table", help="default: %(default)s"
    )
    parser.set_defaults(run=_show)
    return parser


def _show(arguments: Namespace) -> None:
    from orch_tui.recall.show import show_execution as read
    from orch_tui.recall.show import shown_to_dict
    from orch_tui.recall.timeline import list_steps

    project = project_of(arguments)
    record = project.existing_record
    shown = read(record, arguments.execution_id, project.root)
    steps = list_steps(record, shown.execution.execution_id)
    if arguments.format == "json":
        whole = shown_to_dict(shown, steps)
        print_json(whole if arguments.part is None else whole[arguments.part])
    elif arguments.part is None:
        _print_shown(shown, project.root)
    else:
        _print_part(shown, arguments.part, steps)


def _print_part(shown: Shown, part: str, steps: list[TimelineStep]) -> None:
    if part == "given":
        for given in shown.given:
            allocation = given.allocation
            tokens = "?" if allocation.token_count is None else f"{allocation.token_count:,}"
            print(f"=== {printable(allocation.context_source or '')} ({tokens} tokens) ===")
            print(printable(given.text or "(its text was not recorded)", lines=True))
        if not shown.given:
            write_text("-", shown.briefing or "")
    elif part == "briefing":
        write_text("-", shown.briefing or "")
    elif part == "said":
        _print_said(shown)
    elif part == "facts":
        _print_facts(shown)
    elif part == "files":
        _print_files(shown)
    elif part == "trail":
        print_rows(map(as_row, steps), "table", columns=("at", "action", "what"))
    else:
        _print_delivered(shown)


def _print_said(shown: Shown) -> None:
    """The latest message: its text on a terminal, its very bytes to a file or pipe."""
    *earlier, latest = shown.returned or (None,)
    if latest is None:
        say("it has not returned yet")
        return
    if earlier:
        say(f"the latest of {len(shown.returned)} messages; --format json has all of them")
    write_text("-", latest.exact or b"")


def _print_shown(shown: Shown, root: Path) -> None:
    from orch_tui.recall.show import find_troubles

    execution = shown.execution
    _print_facts(shown)
    if shown.briefing and not shown.given:
        print("\ngiven: a briefing")
        print(_in_short(shown.briefing, "briefing"))
    else:
        more = " (--part given: their text)" * bool(shown.given)
        print(f"\ngiven: {len(shown.given)} items{more}")
    if shown.given:
        columns = ("context_type", "priority", "token_count", "context_source", "sections")
        print_rows([as_row(given.allocation) for given in shown.given], "table", columns=columns)
    for returned in shown.returned:
        completion = returned.completion
        print(f"\nsaid: completion {completion.position}, {completion.status}")
        print(_in_short(returned.final_message or "(no message)", "said"))
    for trouble in find_troubles(execution, root):
        print(f"\nsign of trouble: {trouble.kind}: {printable(trouble.excerpt)}")
    print(f"\ndelivered: {len(shown.delivered)} outputs")
    if shown.delivered:
        _print_delivered(shown)
    if any(file.read_at or file.written_at for file in shown.files):
        print("\nfiles its tools read and wrote:")
        _print_files(shown)


def _in_short(text: str, part: str) -> str:
    """The first lines of a text, and how to see the rest."""
    lines = printable(text.strip(), lines=True).split("\n")
    rest = len(lines) - SHORT
    return "\n".join(
        [*lines[:SHORT], f"... {rest:,} more lines: --part {part}"] if rest > 0 else lines
    )


def _print_facts(shown: Shown) -> None:
    from orch_tui.recall.run_figures import describe_run

    facts = describe_run(shown)
    width = max(len(name) for name, _ in facts)
    for name, value in facts:
        print(f"{name:<{width}}  {printable(value)}")


def _print_files(shown: Shown) -> None:
    rows = [
        {
            "given": file.given or "no",
            "read": bool(file.read_at),
            "written": bool(file.written_at),
            "remark": file.remark,
            "path": file.path,
        }
        for file in shown.files
    ]
    print_rows(rows, "table", empty="no files are known of: hooks and transcripts tell them")


def _print_delivered(shown: Shown) -> None:
    rows = [
        {
            "output_type": delivered.output.output_type,
            "state": delivered.state,
            "recorded": "found" if delivered.output.found else "claimed",
            "content": in_words(delivered.output.content),
        }
        for delivered in shown.delivered
    ]
    print_rows(rows, "table", empty="nothing was collected: orch collect")


def compare() -> argparse.ArgumentParser:
    parser = Parser("compare", example="orch compare exec-001 exec-004")
    parser.add_argument("left", metavar="EXECUTION", help="the id of one")
    parser.add_argument("right", metavar="EXECUTION", help="the id of the other")
    parser.add_argument(
        "--format", choices=("table", "json"), default="table", help="default: %(default)s"
    )
    parser.set_defaults(run=_compare)
    return parser


def _compare(arguments: Namespace) -> None:
    from orch_tui.recall.compare import compare_executions as put_side_by_side

    project = project_of(arguments)
    comparison = put_side_by_side(
        project.existing_record, arguments.left, arguments.right, project.root
    )
    parts = {
        "facts": comparison.facts,
        "given": comparison.given,
        "delivered": comparison.delivered,
    }
    if arguments.format == "json":
        print_json(comparison.to_dict())
        return
    left = comparison.left.execution.execution_id
    right = comparison.right.execution.execution_id
    for name, part in parts.items():
        print(f"{name}:")
        listed = [
            {
                "what": heading(d.what) if name == "facts" else d.what,
                "": "=" if d.same else "*",
                left: cell(d.left, d.what),
                right: cell(d.right, d.what),
            }
            for d in part
        ]
        print_rows(listed, "table", empty=f"  nothing was {name}")
        print()
    print("said:")
    print(printable(comparison.said, lines=True) or "  the same")


def replay() -> argparse.ArgumentParser:
    parser = Parser(
        "replay",
        example="""orch replay exec-001 > briefing.md
orch replay exec-001 --drift
orch replay exec-001 --refresh
orch replay exec-001 --deploy --output briefing.md""",
    )
    parser.add_argument("execution_id", metavar="EXECUTION", help="its id")
    parser.add_argument("--output", metavar="FILE", default="-", help="default: standard output")
    parser.add_argument(
        "--drift", action="store_true", help="show what changed in its files since it was given"
    )
    parser.add_argument(
        "--refresh", action="store_true", help="make the next version of its bundle from the files"
    )
    parser.add_argument("--deploy", action="store_true", help="record it as a new execution")
    parser.add_argument("--session-id", metavar="ID", help="with --deploy: in another session")
    parser.add_argument(
        "--allow-overflow", metavar="REASON", help="with --deploy: also over budget"
    )
    parser.add_argument(
        "--format", choices=FORMATS, help="of --drift (default: table); else only json"
    )
    for flag in ("--session-id", "--allow-overflow"):
        parser.require(flag, "--deploy")
    parser.forbid("--drift", "--refresh", "--deploy", "--output")
    for form in FORMATS:
        if form != "json":
            parser.require(f"--format {form}", "--drift")
    parser.set_defaults(run=_replay)
    return parser


def _replay(arguments: Namespace) -> None:
    from orch_tui.recall import drift as drifting
    from orch_tui.recall import replay as again

    project = project_of(arguments)
    record, label = project.existing_record, arguments.execution_id
    as_json = arguments.format == "json"
    bundle, facts = None, {}
    if arguments.drift or arguments.refresh:
        past = drifting.given_bundle(record, label)
        asked_for = past.model or project.agents.model(past.agent_type)
        family = project.catalogue.model(asked_for).family
        reader, counts = project.reader(), project.counts
        if not arguments.refresh:
            found = drifting.find_drift(past.items, reader=reader, family=family, cache=counts)
            _print_drift(found, arguments.format or "table")
            return
        bundle, found = drifting.refresh_bundle(
            record, label, reader=reader, family=family, cache=counts
        )
        say(*_on_drift(found))
        facts = {
            "bundle_id": bundle.bundle_id,
            "version": bundle.version,
            "drift": [drift.row() for drift in found],
        }
        if not arguments.deploy:
            with writing(arguments.output) as write:
                name = f"{bundle.bundle_id}@{bundle.version}\n"
                write(json_text(facts) if as_json else name)
            return
    with writing(arguments.output) as write:
        if arguments.deploy:
            deployed = again.deploy_again(
                record,
                label,
                session_id=arguments.session_id,
                bundle=bundle,
                catalogue=project.catalogue,
                limits=project.limits,
                allow_overflow=arguments.allow_overflow,
            )
            label, briefing = deployed.execution.execution_id, deployed.briefing
            say(*deployed.remarks)
        else:
            past_one = again.replay_briefing(record, label)
            label, briefing = past_one.execution.execution_id, past_one.briefing
        text = briefing.decode("utf-8", "replace")
        whole = {"execution_id": label, **facts, "briefing": text}
        write(json_text(whole) if as_json else briefing)
    if arguments.deploy and arguments.output != "-":
        print(label)
    elif arguments.deploy and not as_json:
        say(f"deployed as {label}")


def _print_drift(found: Sequence[Drift], form: str) -> None:
    """What changed, and in a table how, line by line."""
    rows = [drift.row() for drift in found]
    if form != "table":
        print_rows(rows, form)
        return
    changed = [row for row in rows if row["state"] != "unchanged"]
    columns = ("source", "sections", "state", "tokens_given", "tokens_now", "reason")
    same = f"all {len(rows)} files are as they were given"
    nothing = "no file that it was given is in the record, so there is nothing to compare"
    print_rows(changed, form, columns=columns, empty=same if rows else nothing)
    for drift in found:
        if text := drift.diff():
            print(f"\n{printable(text, lines=True)}", end="")
    say(*_on_drift(found))


def _on_drift(found: Sequence[Drift]) -> Iterator[str]:
    for drift in found:
        if drift.state == "gone":
            yield f"{drift.then.source}: {drift.reason}; it stays as it was given"
        elif drift.state == "changed":
            yield f"{drift.then.source}: {drift.tokens:+,} tokens"


def stats() -> argparse.ArgumentParser:
    parts = _parts_of_stats()
    parser = Parser("stats", example="orch stats --by bundle --since 30d")
    parser.add_argument(
        "--by",
        choices=parts,
        action="append",
        metavar="PART",
        help=f"repeat for several: {', '.join(parts)} (default: the main ones)",
    )
    _add_filters(parser, limit=False)
    _add_scope(parser)
    parser.add_argument("--every", choices=("day", "week"), help="for over_time (default: day)")
    add_format(parser)
    parser.set_defaults(run=_stats)
    return parser


def _parts_of_stats() -> tuple[str, ...]:
    """The parts as ``--by`` names them."""
    from orch_tui.recall.insights import PARTS

    return tuple(part.removeprefix("by_") for part in PARTS)


_MAIN_PARTS = ("overall", "agent_type", "bundle", "context", "validations", "worth", "costs")


def _stats(arguments: Namespace) -> None:
    from orch_tui.recall.insights import gather_insights

    project = project_of(arguments)
    all_parts = _parts_of_stats()
    shown = arguments.by or (all_parts if arguments.format.startswith("json") else _MAIN_PARTS)
    if arguments.every and "over_time" not in shown:
        raise UsageError("--every is only for --by over_time", hint="leave --every out")
    insights = gather_insights(
        project.existing_record,
        **_filters(arguments, project),
        include_archived=arguments.archived,
        every=arguments.every or "day",
    )
    parts = insights.parts()

    def named(names: Iterable[str]) -> dict[str, list[dict[str, Any]]]:
        return {name: parts[name if name in parts else f"by_{name}"] for name in names}

    chosen = named(arguments.by or ())
    if len(chosen) == 1:
        _print_part_of_stats(*chosen.popitem(), arguments.format)
    elif arguments.format == "json":
        print_json(chosen or parts)
    elif arguments.format == "jsonl":
        rows = ({"part": name, **row} for name, part in (chosen or parts).items() for row in part)
        print_rows(rows, "jsonl")
    elif arguments.format == "csv":
        raise UsageError(
            "--format csv has one kind of row: one --by",
            hint=f"one of {', '.join(all_parts)}",
        )
    else:
        for name, part in (chosen or named(_MAIN_PARTS)).items():
            title = name.replace("_", " ")
            print(f"## {title}\n" if arguments.format == "markdown" else f"{title}:")
            _print_part_of_stats(name, part, arguments.format)
            print()


def _print_part_of_stats(name: str, rows: list[dict[str, Any]], form: str) -> None:
    if form in ("table", "markdown"):
        rows = [_with_intervals(row) for row in rows]
    columns = _STATS_COLUMNS.get(name, ())
    print_rows(
        rows, form, columns=columns, empty=f"  {_EMPTY.get(name, 'nothing is recorded yet')}"
    )


_EMPTY = {
    "context": "no recorded run was given anything from a bundle yet",
    "estimates": "no run has both: a bundle that was estimated, and its usage from a transcript",
    "corrections": "too few runs of a model have both a bundle and their usage",
    "files": "no transcript has told yet which files a run read",
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


def _with_intervals(row: dict[str, Any]) -> dict[str, Any]:
    """A row for people: a share and the interval it surely lies in are one figure."""
    shown = dict(row)
    for name, ends in _INTERVALS.items():
        low, high = (shown.pop(end, None) for end in ends)
        if shown.get(name) is not None and low is not None and high is not None:
            shown[name] = f"{shown[name]:.0%} ({low:.0%} to {high:.0%})"
    return shown


def synthesize() -> argparse.ArgumentParser:
    parser = Parser(
        "synthesize", example="orch synthesize --session-id orch-2026-11-22-001 --output report.md"
    )
    parser.add_argument("--session-id", metavar="ID", help="default: the newest open session")
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
        template=project.template(arguments.template),
        format=arguments.format,
        limits=project.limits,
    )
    write_text(arguments.output, text)
    if arguments.output != "-":
        say(f"Report written to: {arguments.output}")


def _add_filters(parser: argparse.ArgumentParser, *, limit: bool = True) -> None:
    parser.add_argument("--session-id", metavar="ID", help="of one session")
    parser.add_argument("--agent-type", metavar="NAME", help="of one type of agent")
    parser.add_argument(
        "--since", metavar="WHEN", help="2026-11-22, 2026-11-22T10:00, yesterday, 7d"
    )
    parser.add_argument("--until", metavar="WHEN", help="a day counts to its end")
    if limit:
        parser.add_argument("--limit", type=positive, help="default: all")


def _filters(arguments: Namespace, project: Project) -> dict[str, Any]:
    """The filters given, within this project unless others are asked for."""
    everywhere = getattr(arguments, "all_projects", False) or arguments.session_id
    filters = {
        "session_id": arguments.session_id,
        "agent_type": arguments.agent_type,
        "since": arguments.since,
        "until": arguments.until,
        "project": None if everywhere else project.project_filter,
    }
    return filters | ({"limit": arguments.limit} if "limit" in arguments else {})


def _add_scope(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--archived", action="store_true", help="archived sessions too")
    parser.add_argument(
        "--all-projects", action="store_true", help="where one database serves several projects"
    )
