"""Commands about one execution or two: show, compare, replay."""

from __future__ import annotations

import argparse
from argparse import Namespace
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orch_tui.cli.filters import add_other_project
from orch_tui.cli.parser import Parser, project_of
from orch_tui.cli.printing import (
    FORMATS,
    as_row,
    cell,
    heading,
    in_words,
    json_text,
    print_json,
    print_object,
    print_rows,
    say,
    write_text,
    writing,
)
from orch_tui.cli.terminal_text import printable
from orch_tui.wording import plural

if TYPE_CHECKING:
    from orch_tui.live.live_agent import LiveAgent
    from orch_tui.models.database import Record
    from orch_tui.project import Project
    from orch_tui.recall.drift import Drift
    from orch_tui.recall.show import Shown
    from orch_tui.recall.timeline import TimelineStep


SHORT = 30
"""Lines of a message, or of a difference, that are shown where not the whole is asked for."""

PARTS_OF_RUN = (
    *("given", "briefing", "handed_over", "difference", "told", "said", "delivered"),
    *("files", "facts", "trail"),
)


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
        choices=PARTS_OF_RUN,
        metavar="PART",
        help=f"one whole: {', '.join(PARTS_OF_RUN)} (told: messages to it while it ran; said: its "
        "final message); to a file or pipe, briefing and said go byte for byte",
    )
    parser.add_argument(
        "--format", choices=("table", "json"), default="table", help="default: %(default)s"
    )
    parser.set_defaults(run=_show)
    return parser


def _show(arguments: Namespace) -> None:
    from orch_tui.recall.show import shown_to_dict
    from orch_tui.recall.timeline import list_steps

    project = project_of(arguments)
    record = project.existing_record
    shown = project.show_run(arguments.execution_id)
    steps = list_steps(record, shown.execution.execution_id)
    agent = _live_agent(project, shown)
    if arguments.format == "json":
        doing = _doing_row(agent, project.now()) if agent else None
        whole = {**shown_to_dict(shown, steps), "doing": doing}
        print_json(whole if arguments.part is None else whole.get(arguments.part))
    elif arguments.part is None:
        _print_shown(record, shown, project.root, agent)
    else:
        _print_part(shown, arguments.part, steps)


def _print_part(shown: Shown, part: str, steps: list[TimelineStep]) -> None:
    if part == "given":
        for given in shown.given:
            allocation = given.allocation
            tokens = "?" if allocation.token_count is None else f"{allocation.token_count:,}"
            lost = ", did not arrive" if allocation.arrived is False else ""
            lost = ", only named for it to read" if given.named_only else lost
            print(f"=== {printable(allocation.context_source or '')} ({tokens} tokens{lost}) ===")
            print(printable(given.text or "(its text was not recorded)", lines=True))
        if not shown.given:
            write_text("-", shown.briefing or "")
    elif part == "briefing":
        write_text("-", shown.briefing or "")
    elif part == "handed_over":
        write_text("-", shown.briefing or "" if shown.handed_over is None else shown.handed_over)
    elif part == "difference":
        for line in shown.difference.lines if shown.difference else ():
            print(printable(line))
    elif part == "told":
        for told in shown.told:
            print(f"=== {told.message.at or 'at an unknown time'} ===")
            print(printable(told.text or "(its text was not recorded)", lines=True))
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


def _print_shown(record: Record, shown: Shown, root: Path, agent: LiveAgent | None) -> None:
    from orch_tui.recall.show import find_troubles

    execution = shown.execution
    _print_facts(shown)
    if agent is not None:
        _print_doing(agent)
    if shown.briefing and not shown.given:
        print("\ngiven: a briefing")
        print(_in_short(shown.briefing, "briefing"))
    else:
        more = " (--part given: their text)" * bool(shown.given)
        print(f"\ngiven: {plural(len(shown.given), 'item')}{more}")
    if shown.given:
        lost = any(given.allocation.arrived is False for given in shown.given)
        columns = (
            *("context_type", "priority", "token_count", "context_source", "sections"),
            *(("arrived",) if lost else ()),
            *(("named_only",) if any(given.named_only for given in shown.given) else ()),
        )
        rows = [{**as_row(each.allocation), "named_only": each.named_only} for each in shown.given]
        print_rows(rows, "table", columns=columns)
    if shown.handed_over is not None:
        print("\nhanded over: another text than the briefing")
        print(_in_short(shown.handed_over, "handed_over"))
    if shown.difference and shown.difference.lines:
        print("\nits difference from the briefing:")
        print(_in_short("\n".join(shown.difference.lines), "difference"))
    for told in shown.told:
        print(f"\ntold at {told.message.at or 'an unknown time'}:")
        print(_in_short(told.text or "(its text was not recorded)", "told"))
    for returned in shown.returned:
        completion = returned.completion
        print(f"\nsaid: completion {completion.position}, {completion.status}")
        print(_in_short(returned.words, "said"))
    for trouble in find_troubles(record, execution, root):
        subject = f": {printable(trouble.subject)}" if trouble.subject else ""
        print(f"\nsign of trouble: {trouble.kind}{subject}")
    print(f"\ndelivered: {plural(len(shown.delivered), 'output')}")
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


def _live_agent(project: Project, shown: Shown) -> LiveAgent | None:
    """What the agent of a run that waits does now; None where no agent of it is seen here."""
    execution = shown.execution
    if execution.status != "deployed":
        return None
    return project.live_agent(execution.execution_id)


def _doing_row(agent: LiveAgent, at: str) -> dict[str, Any]:
    from orch_tui.live.doing_changes import make_doing

    return as_row(make_doing(agent, at))


def _print_doing(agent: LiveAgent) -> None:
    from orch_tui.live.live_words import describe_agent

    print()
    _print_pairs(describe_agent(agent))


def _print_facts(shown: Shown) -> None:
    from orch_tui.recall.run_figures import describe_run

    _print_pairs(describe_run(shown))


def _print_pairs(facts: Sequence[tuple[str, str]]) -> None:
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
        print_object(comparison.to_dict())
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
    add_other_project(parser)
    parser.require("--other-project", "--deploy", "--refresh")
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
    from orch_tui.record import executions

    project = project_of(arguments)
    record, label = project.existing_record, arguments.execution_id
    if arguments.refresh or (arguments.deploy and not arguments.session_id):
        project.check_own_run(label, other_project=arguments.other_project)
    as_json = arguments.format == "json"
    bundle, facts = None, {}
    if arguments.drift or arguments.refresh:
        past = drifting.given_bundle(record, label)
        asked_for = past.model or project.agents.model(past.agent_type)
        family = project.catalogue.model(asked_for).family
        worktree = executions.get_execution(record, label).worktree
        reader, counts = project.reader(worktree=worktree), project.counts
        if not arguments.refresh:
            found = drifting.find_drift(past.items, reader=reader, family=family, cache=counts)
            _print_drift(found, arguments.format or "table")
            return
        bundle, found = drifting.refresh_bundle(
            record, label, reader=reader, family=family, cache=counts
        )
        say(*_on_drift(found))
        if bundle == past:
            same = f"{bundle.bundle_id} version {bundle.version}" if bundle.bundle_id else "it"
            say(f"nothing changed: {same} stays what {label} was given")
        facts = {
            "bundle_id": bundle.bundle_id,
            "version": bundle.version,
            "is_new": bundle != past,
            "drift": [drift.row() for drift in found],
        }
        if not arguments.deploy:
            with writing(arguments.output) as write:
                name = f"{bundle.bundle_id}@{bundle.version}\n"
                write(json_text(facts) if as_json else name)
            return
    with writing(arguments.output) as write:
        deployed = None
        if arguments.deploy:
            deployed = again.deploy_again(
                record,
                label,
                session_id=arguments.session_id,
                bundle=bundle,
                catalogue=project.catalogue,
                limits=project.limits,
                allow_overflow=arguments.allow_overflow,
                worktree=project.worktree,
                root=project.root,
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
    if deployed is not None:
        from orch_tui.cli.deployment_commands import say_hand_over

        say_hand_over(deployed)


def _print_drift(found: Sequence[Drift], form: str) -> None:
    """What changed, and in a table how, line by line."""
    rows = [drift.row() for drift in found]
    if form != "table":
        print_rows(rows, form)
        return
    changed = [row for row in rows if row["state"] != "unchanged"]
    columns = ("source", "sections", "state", "tokens_given", "tokens_now", "reason")
    same = f"{plural(len(rows), 'file')}, as given"
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
