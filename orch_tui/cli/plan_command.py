"""The command that plans the agents of a session."""

from __future__ import annotations

import argparse
from argparse import Namespace

from orch_tui.cli.flags import add_allow_secret, add_session
from orch_tui.cli.parser import Parser, project_of
from orch_tui.cli.printing import (
    add_allow_model,
    add_format,
    as_row,
    check_model,
    print_rows,
    say,
    split_list,
)
from orch_tui.errors import UsageError


def plan() -> argparse.ArgumentParser:
    parser = Parser(
        "plan",
        example="""orch plan --agent-type task-implementor --scope "Implement HNSW" \\
  --bundle bundle-001
orch plan --agent-type principle-evaluator --scope "Review it" --after 1
orch plan                       # the plan, in waves
orch plan --edit 2 --model opus""",
    )
    add_session(parser)
    parser.add_argument("--agent-type", metavar="NAME", help="plan one more agent of this type")
    parser.add_argument("--scope", metavar="TEXT", help="what it is to do")
    parser.add_argument("--model", metavar="NAME", help="the model to ask for")
    add_allow_model(parser)
    parser.add_argument("--bundle", metavar="ID", help="the bundle it is given")
    parser.add_argument(
        "--after", action="append", metavar="N,N", help="the agents it waits for, by number"
    )
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--edit", type=int, metavar="N", help="change agent N")
    which.add_argument("--move", type=int, nargs=2, metavar=("N", "TO"), help="reorder")
    which.add_argument("--remove", type=int, metavar="N", help="take agent N out of the plan")
    which.add_argument("--duplicate", type=int, metavar="N", help="plan agent N once more")
    which.add_argument("--undo", action="store_true", help="take back the last change of the plan")
    add_allow_secret(parser, "a scope that holds what looks like a secret")
    parser.require("--allow-secret", "--scope")
    for flag in ("--agent-type", "--scope", "--model", "--bundle", "--after"):
        parser.forbid(flag, "--move", "--remove", "--duplicate", "--undo")
    for flag in ("--scope", "--model", "--bundle", "--after"):
        parser.require(flag, "--agent-type", "--edit")
    parser.require("--allow-model", "--model")
    parser.allow_empty("--model", "--bundle", "--after")  # with --edit: none any more
    add_format(parser)
    parser.set_defaults(run=_plan)
    return parser


def _plan(arguments: Namespace) -> None:
    from orch_tui.record import plan as planning
    from orch_tui.record.plan_state import read_plan_states
    from orch_tui.record.planned_bundles import list_removed_bundles, tell_of_planned_bundle

    project = project_of(arguments)
    check_model(project, arguments)
    session_id = project.session_id(arguments.session_id)
    record = project.existing_record
    after = _numbers(arguments.after)
    touched = None
    if arguments.undo:
        undone = planning.undo_plan_change(record, session_id)
        say(f"undone: {planning.describe_plan_change(undone)}")
    elif arguments.duplicate is not None:
        planning.duplicate_planned_agent(record, session_id, arguments.duplicate)
    elif arguments.remove is not None:
        planning.remove_planned_agent(record, session_id, arguments.remove)
    elif arguments.move:
        planning.move_planned_agent(record, session_id, *arguments.move)
    elif arguments.edit is not None:
        given = {
            "agent_type": arguments.agent_type,
            "scope": arguments.scope,
            "model": arguments.model,
            "bundle_id": arguments.bundle,
        }
        values = {name: value for name, value in given.items() if value is not None}
        touched = planning.change_planned_agent(
            record,
            session_id,
            arguments.edit,
            waits_for=after,
            allow_secret=arguments.allow_secret,
            **values,
        )
    elif arguments.agent_type is not None:
        touched = planning.add_planned_agent(
            record,
            session_id,
            arguments.agent_type,
            scope=arguments.scope or "",
            model=arguments.model,
            bundle_id=arguments.bundle,
            waits_for=after or (),
            allow_secret=arguments.allow_secret,
        )
    if touched is not None and touched.bundle_id:
        limits, catalogue = project.limits, project.catalogue
        say(*tell_of_planned_bundle(record, touched, catalogue=catalogue, limits=limits))
    removed = list_removed_bundles(record, session_id)
    waits = planning.list_waits(record, session_id)
    states = read_plan_states(record, session_id)
    waves = planning.list_waves(record, session_id)
    rows = [
        {
            **as_row(agent),
            "waits_for": waits[agent.position],
            "wave": next(n for n, wave in enumerate(waves, 1) if agent.position in wave),
            "state": states[agent.position].progress,
            "execution_id": states[agent.position].execution_id,
            "bundle_removed": agent.bundle_id in removed,
        }
        for agent in planning.list_planned_agents(record, session_id)
    ]
    if arguments.format == "table":
        for row in rows:
            if row["bundle_removed"]:
                row["bundle_id"] += " (retracted)"
    print_rows(
        rows,
        arguments.format,
        columns=(
            *("position", "wave", "state", "execution_id", "agent_type", "scope", "model"),
            *("bundle_id", "waits_for"),
        ),
        empty=f"{session_id} has no planned agents; --agent-type plans one",
    )


def _numbers(values: list[str] | None) -> list[int] | None:
    if values is None:
        return None
    try:
        return [int(value) for value in split_list(values)]
    except ValueError as error:
        raise UsageError(f"--after takes numbers of the plan: {error}") from error
