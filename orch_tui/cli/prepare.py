"""Commands before an agent is deployed: a bundle, budgets, the briefing, checks, counts."""

from __future__ import annotations

import argparse
import os
from argparse import Namespace
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from orch_tui.cli.answers import add_object_format
from orch_tui.cli.parser import Parser, project_of
from orch_tui.cli.printing import (
    NO,
    add_allow_model,
    add_format,
    add_no_record,
    check_model,
    copy_text,
    named_bundle,
    named_template,
    positive,
    print_object,
    print_rows,
    say,
    share_of_limit,
    split_list,
    writing,
)
from orch_tui.cli.terminal_text import printable
from orch_tui.errors import OverBudgetError, PathError, SourceError, UsageError
from orch_tui.paths import resolve_path
from orch_tui.project import Project

if TYPE_CHECKING:
    from orch_tui.prepare.ambient import Ambient
    from orch_tui.prepare.bundle import Bundle, ContextItem
    from orch_tui.prepare.count import Count
    from orch_tui.prepare.overlaps import Overlap
    from orch_tui.project_bundles import Prepared

_MODEL = "decides how tokens are counted: as Claude's, or with tiktoken (gpt-4o, o200k_base)"


def prepare_bundle() -> argparse.ArgumentParser:
    parser = Parser(
        "prepare-bundle",
        example="""orch prepare-bundle --agent-type task-implementor --scope "Implement HNSW" \\
  --files "spec/requirements.md#Vector Search,lib/types.ts:1-80" \\
  --references references/hnsw.md --output bundle.json""",
    )
    parser.add_argument(
        "--agent-type", default="", metavar="NAME", help="of the agent that gets it"
    )
    parser.add_argument("--scope", default="", metavar="TEXT", help="what the agent is to do")
    parser.add_argument(
        "--from",
        dest="from_run",
        default="",
        metavar="RUN",
        help="what a past run was given, as the files are now; of one that nobody prepared its "
        "prompt and the files it read; agent type, scope and model are its own by default",
    )
    sources = (
        "repeat, or separate with commas; FILE, FOLDER, 'docs/*.md', FILE:10-80, FILE#Heading, "
        "FILE#Class.method, FILE#(skeleton), NOTEBOOK#(outputs), exec-003:message, "
        "exec-003:outputs, -"
    )
    parser.add_argument("--files", action="append", metavar="SOURCE", help=f"required: {sources}")
    parser.add_argument("--references", action="append", metavar="SOURCE", help="recommended")
    parser.add_argument("--optional", action="append", metavar="SOURCE", help="optional")
    parser.add_argument(
        "--shared", action="append", metavar="SOURCE", help="required, as shared context"
    )
    parser.add_argument("--text", action="append", metavar="TEXT", help="instructions of your own")
    parser.add_argument("--model", default="", metavar="NAME", help=_MODEL)
    add_allow_model(parser)
    parser.require("--allow-model", "--model")
    parser.add_argument(
        "--session-id", metavar="ID", help="default: as orch use tells, if one is open"
    )
    parser.add_argument("--bundle-id", default="", metavar="ID", help="default: bundle-<number>")
    parser.add_argument("--name", default="", metavar="TEXT", help="a name to find it by")
    parser.add_argument("--output", metavar="FILE", default="-", help="default: standard output")
    parser.add_argument(
        "--allow-secret",
        action="store_true",
        help="take what looks like a secret, or holds one; recorded",
    )
    _add_exact(parser)
    parser.add_argument(
        "--fit",
        nargs="?",
        const=True,
        default=False,
        type=positive,
        metavar="TOKENS",
        help="leave out or cut what is not required until the briefing fits; default: its agent "
        "and the session",
    )
    parser.add_argument(
        "--keep",
        action="append",
        metavar="FILE#NAME,...",
        help="with --fit: where the file has to be cut, keep this part of it",
    )
    parser.add_argument(
        "--template", metavar="FILE", help="what its briefing is rendered from; kept with it"
    )
    parser.require("--keep", "--fit")
    add_object_format(parser)
    add_no_record(parser)
    parser.forbid("--session-id", "--no-record")
    parser.forbid("--from", "--no-record")
    parser.set_defaults(run=_prepare_bundle)
    return parser


def _prepare_bundle(arguments: Namespace) -> int:
    from orch_tui import project_bundles
    from orch_tui.prepare.bundle import dump_json, to_dict
    from orch_tui.prepare.model_choice import choose_model
    from orch_tui.prepare.overlaps import ambient_to_dict

    if not (arguments.agent_type or arguments.from_run):
        raise UsageError(
            "--agent-type NAME is required: the agent that gets the bundle",
            hint="or --from RUN, for the agent type of a past run",
        )
    project = project_of(arguments)
    check_model(project, arguments)
    _check_sources(project, arguments)
    split = project.reader().split_values
    with writing(arguments.output) as write:
        prepared = project_bundles.prepare_bundle(
            project,
            arguments.agent_type,
            arguments.scope,
            files=split(arguments.files or ()),
            references=split(arguments.references or ()),
            optional=split(arguments.optional or ()),
            shared=split(arguments.shared or ()),
            texts=arguments.text or (),
            model=arguments.model,
            bundle_id=arguments.bundle_id or ("" if project.recording else "bundle-001"),
            name=arguments.name,
            session_id=project.open_session_id(arguments.session_id),
            allow_secret=arguments.allow_secret,
            left_out=_say_left_out,
            exact=arguments.exact or None,
            fit=arguments.fit,
            keep=_kept_parts(project, arguments.keep),
            template=named_template(project, arguments.template),
            from_run=arguments.from_run,
        )
        bundle, judgement = prepared.bundle, prepared.judgement
        figures = to_dict(bundle, budget=judgement.session.limit)
        figures["ambient"] = ambient_to_dict(prepared.ambient, prepared.held)
        if prepared.fitted:
            figures["fit"] = prepared.fitted.to_dict()
        write(dump_json(figures))
    for item in bundle.dropped:
        say(f"{item.source} is in the bundle already; it was left out the second time")
    say(*_doubts(project, bundle), *_on_ambient(prepared.ambient, prepared.held))
    say(*_on_parts(bundle), str(judgement.agent), str(judgement.session))
    say(*_on_fit(project, prepared))
    definition = project.agents.model(bundle.agent_type)
    model = bundle.model or definition
    choice = choose_model(
        asked=arguments.model, definition=definition, session=project.catalogue.default
    )
    if choice.origin != "asked":
        say(f"model {choice}")
    say(*_learned(project, model, bundle.total + prepared.ambient.total))
    if arguments.output != "-":
        print(bundle.bundle_id)
    return NO if judgement.status == "over" else 0


def _on_parts(bundle: Bundle) -> Iterator[str]:
    """What the figure of a bundle is made of, where its template was counted."""
    if bundle.template_count:
        by = f" {bundle.template.name}" if bundle.template else ""
        yield (
            f"the briefing takes {bundle.total} tokens: items {bundle.given}, "
            f"template{by} {bundle.template_count}, the message itself {bundle.frame_tokens}"
        )
    if bundle.shared.tokens:
        yield f"if it reads what is shared: {bundle.total + bundle.shared} tokens"


def _kept_parts(project: Project, given: list[str] | None) -> dict[str, list[str]]:
    """By file, the parts that it is to be cut to."""
    reader = project.reader(allow_secret=True)
    parts: dict[str, list[str]] = {}
    for value in reader.split_values(given or ()):
        for source in reader.read_source(value):
            if not source.sections:
                raise UsageError(f"--keep {value} names no part", hint="FILE#NAME")
            parts.setdefault(source.name, []).extend(source.sections)
    return parts


def _on_fit(project: Project, prepared: Prepared) -> Iterator[str]:
    """What was done so that it fits, or what would have to be."""
    from orch_tui import project_bundles

    fitted = prepared.fitted
    if fitted is None and prepared.judgement.status == "over":
        try:
            fitted = project_bundles.what_would_fit(prepared, project)
        except OverBudgetError as error:
            yield f"--fit would not help: {error.message} ({error.hint})"
            return
        yield "it would fit with --fit, which would"
    elif fitted is not None:
        yield str(fitted)
    yield from (f"  {change}" for change in (fitted.changes if fitted else ()))


def _check_sources(project: Project, arguments: Namespace) -> None:
    """Refuse a flag that names nothing, and to write the bundle over one of its sources."""
    for flag in ("files", "references", "optional", "shared"):
        given = getattr(arguments, flag)
        named = split_list(given)
        if given and not named:
            raise UsageError(f"--{flag} names no source", hint="is a variable empty?")
        if arguments.output != "-" and _place(project, arguments.output) in {
            _place(project, name) for name in named
        }:
            raise UsageError(
                f"--output {arguments.output} is a source of the bundle", hint="name another file"
            )


def _place(project: Project, name: str) -> str:
    """Where a name leads, through links; a source that is no file stays as it is."""
    try:
        return os.path.realpath(resolve_path(name, project.cwd))
    except PathError:
        return name


def _on_ambient(ambient: Ambient, held: Sequence[Overlap]) -> Iterator[str]:
    """What is wrong with what the agent has anyway, and what of the bundle it holds already."""
    yield from ambient.problems
    for each in held:
        lines = "" if each.whole else f", lines {each.first}-{each.last}"
        its = "" if each.whole else f", lines {each.by_first}-{each.by_last}"
        yield (
            f"{each.source}{lines} ({each.count} tokens): {ambient.agent_type} has it anyway, "
            f"from {each.by}{its}"
        )


def _doubts(project: Project, bundle: Bundle) -> Iterator[str]:
    """What a person may not have meant: an agent type nearly right, a model nobody knows, a file
    outside the project."""
    from difflib import get_close_matches

    from orch_tui.prepare.sources import is_outside

    known = project.known_agents
    near = get_close_matches(bundle.agent_type, known, n=1)
    if bundle.agent_type not in known and near:
        yield f"agent type {bundle.agent_type!r} is not defined; did you mean {near[0]}?"
    yield from _on_model(project, bundle.model)
    if bundle.version > 1:
        yield f"{bundle.bundle_id} is now at version {bundle.version}"
    for name in dict.fromkeys(item.source for item in bundle.items):
        if is_outside(name):
            yield f"{name} is outside the project"
    yield from _on_items(bundle)


def _on_items(bundle: Bundle) -> Iterator[str]:
    """What is no UTF-8, whose letters may be others than were meant, and what a machine made, which
    could be left out."""
    from orch_tui.prepare.count import ZERO

    made = [item for item in bundle.items if item.machine_made]
    for item in bundle.items:
        if item.encoding:
            yield f"{'#'.join((item.source, *item.sections))} is read as {item.encoding}"
    for item in made[:_MOST_NAMED]:
        yield f"{item.source} is {item.machine_made}: {item.count} tokens"
    if made:
        more = f"{len(made) - _MOST_NAMED} more are; " if len(made) > _MOST_NAMED else ""
        tokens = sum((item.count for item in made), ZERO)
        yield f"{more}.orchignore can leave out what machines made ({tokens} tokens)"


_MOST_NAMED = 5


def _on_model(project: Project, model: str) -> Iterator[str]:
    if doubt := project.catalogue.doubt(model):
        yield doubt


def track_budget() -> argparse.ArgumentParser:
    parser = Parser(
        "track-budget",
        example="orch track-budget --session-id orch-2026-11-22-001 --bundles bundle-001.json",
    )
    parser.add_argument(
        "--session-id", metavar="ID", help="default: as orch use tells, if one is open"
    )
    parser.add_argument("--bundles", action="append", metavar="BUNDLE,...", help="files or ids")
    parser.add_argument("--phase", type=int, choices=range(1, 6), help="show its share apart")
    parser.add_argument("--budget", type=positive, metavar="TOKENS", help="default: the session's")
    parser.add_argument(
        "--warn-threshold",
        type=share_of_limit,
        metavar="SHARE",
        help="default: as the settings say",
    )
    add_format(parser)
    add_no_record(parser)
    parser.forbid("--no-record", "--session-id", "--phase")
    parser.set_defaults(run=_track_budget)
    return parser


def _track_budget(arguments: Namespace) -> int:

    from orch_tui.record.session_budget import track_budget

    project = project_of(arguments)
    session_id = project.open_session_id(arguments.session_id)
    report = track_budget(
        project.record if session_id else None,
        session_id,
        [named_bundle(project, given) for given in split_list(arguments.bundles)],
        catalogue=project.catalogue,
        limits=project.limits,
        budget=arguments.budget,
        phase=arguments.phase,
        warn_threshold=arguments.warn_threshold,
    )
    if arguments.format == "json":
        print_object(report.to_dict())
    else:
        columns = (
            *("bundle_id", "agent_type", "tokens", "band"),
            *(("if_shared_is_read_tokens",) if report.shares else ()),
            *("ambient_tokens", "agent_limit", "status"),
        )
        print_rows(
            report.rows(), arguments.format, columns=columns, empty="no bundle is prepared yet"
        )
        say(str(report.session))
        known = project.catalogue.model
        for model in sorted({known(taken.model).model_id for taken, _ in report.agents}):
            say(*_learned(project, model))
    return NO if report.status == "over" else 0


def generate_briefing() -> argparse.ArgumentParser:
    parser = Parser(
        "generate-briefing",
        example="""orch generate-briefing --bundle bundle.json --output agent-briefing.md
orch generate-briefing --bundle bundle-001 --form xml --copy""",
    )
    parser.add_argument("--bundle", required=True, metavar="BUNDLE", help="a bundle file, or an id")
    parser.add_argument(
        "--template", metavar="FILE", help="a file, or a name in the template folders"
    )
    parser.add_argument(
        "--form",
        choices=("markdown", "xml"),
        help="of orch's own templates (default: by which it was generated last, else markdown)",
    )
    parser.add_argument("--output", metavar="FILE", help="default: standard output")
    parser.add_argument("--copy", action="store_true", help="put it on the clipboard")
    parser.forbid("--form", "--template")
    add_no_record(parser)
    parser.set_defaults(run=_generate_briefing)
    return parser


def _generate_briefing(arguments: Namespace) -> None:
    from dataclasses import replace

    from orch_tui.prepare.briefing import FORMS, render_briefing

    project = project_of(arguments)
    bundle = named_bundle(project, arguments.bundle)
    named = FORMS[arguments.form] if arguments.form else arguments.template
    template = named_template(project, named) or bundle.template
    measured = project.measure(replace(bundle, template=template))
    rendered = render_briefing(measured)
    say(*_difference(bundle, measured), *_besides(project, bundle))
    with writing(arguments.output or (None if arguments.copy else "-")) as write:
        if project.has_record:
            from orch_tui.record import bundles

            if saved := bundles.find_same_version(project.record, bundle):
                bundles.keep_briefing(project.record, saved, rendered, measured)
        if arguments.copy:
            copy_text(rendered, "the briefing")
        write(rendered)


def _difference(before: Bundle, now: Bundle) -> Iterator[str]:
    """What the briefing takes, and what the bundle took by another template."""
    by = f" by the template {now.template.name}" if now.template else ""
    was = "" if before.total == now.total else f", not {before.total} as before"
    yield f"the briefing takes {now.total} tokens{by}{was}"
    if now.shared.tokens:
        yield f"if it reads what is shared: {now.total + now.shared} tokens"


def _besides(project: Project, bundle: Bundle) -> Iterator[str]:
    """What the agent has besides its briefing, part by part."""
    from orch_tui.prepare.overlaps import in_ambient

    agents = project.agents
    model = bundle.model or agents.model(bundle.agent_type)
    ambient = agents.ambient(bundle.agent_type, project.catalogue.model(model))
    yield from _on_ambient(ambient, in_ambient(bundle.items, ambient))
    if ambient.total.tokens:
        parts = [f"{ambient.in_files} in files"] if ambient.parts else []
        parts += [f"{part.count} {part.name}" for part in ambient.handed_and_headings]
        yield (
            f"besides, {bundle.agent_type} has {ambient.total} tokens from Claude Code: "
            f"{', '.join(parts)}"
        )
    yield from (f"? {unknown}, in no figure" for unknown in ambient.unknown)


def validate() -> argparse.ArgumentParser:
    parser = Parser(
        "validate",
        example="""orch validate --scope "Implement vector search" \\
  --context-files "spec/requirements.md,lib/types.ts" \\
  --dependencies "spec->code,code->tests\"""",
    )
    parser.add_argument("--scope", metavar="TEXT", help="default: the session's")
    parser.add_argument(
        "--context-files", action="append", metavar="FILE,...", help="must be there"
    )
    parser.add_argument(
        "--dependencies", action="append", metavar="A->B,...", help="B waits for A; no cycles"
    )
    parser.add_argument(
        "--session-id",
        metavar="ID",
        help="also check its plan and bundles, and record it; without --scope the open one",
    )
    parser.add_argument(
        "--agent-types", action="append", metavar="NAME,...", help="warn of unknown ones"
    )
    parser.add_argument("--bundles", action="append", metavar="BUNDLE,...", help="files or ids")
    add_no_record(parser)
    add_object_format(parser)
    parser.forbid("--session-id", "--agent-types", "--bundles", "--no-record")
    parser.set_defaults(run=_validate)
    return parser


def _validate(arguments: Namespace) -> int:
    from orch_tui.prepare import validation
    from orch_tui.prepare.budget import compute_agent_limit

    project = project_of(arguments)
    # Only whether the files are there is asked.
    reader = project.reader(allow_secret=True, left_out=_say_left_out)
    files = reader.split_values(arguments.context_files or ())
    dependencies = split_list(arguments.dependencies)
    session_id = None
    alone = arguments.agent_types or arguments.bundles or arguments.no_record
    if arguments.session_id or (arguments.scope is None and not alone):
        session_id = project.open_session_id(arguments.session_id)
    if session_id is not None:
        from orch_tui.record.session_validation import validate_session

        answer = validate_session(
            project.existing_record,
            session_id,
            reader=reader,
            catalogue=project.catalogue,
            limits=project.limits,
            known_agents=project.known_agents,
            scope=arguments.scope,
            context_files=files,
            dependencies=dependencies,
        )
    elif arguments.scope is None:
        raise UsageError(
            "what is to be validated?", hint="no session is open: --scope TEXT, or --session-id ID"
        )
    else:
        answer = validation.validate_plan(
            arguments.scope,
            files,
            dependencies,
            reader=reader,
            agent_types=split_list(arguments.agent_types),
            known_agents=project.known_agents,
            bundles=[named_bundle(project, given) for given in split_list(arguments.bundles)],
            limit_of=lambda b: compute_agent_limit(
                project.catalogue.model(b.model), project.limits, b.agent_type
            ),
            problems_of=project.agents.problems,
        )
    print_object(answer.to_dict())
    return 0 if answer.valid else NO


def check_bounds() -> argparse.ArgumentParser:
    parser = Parser(
        "check-bounds",
        example='orch check-bounds --phase 2 --files "spec/requirements.md,lib/a.ts"',
    )
    parser.add_argument(
        "--phase", type=int, required=True, choices=range(1, 6), help="what they are read in"
    )
    parser.add_argument("--files", action="append", metavar="FILE,...", help="what is read")
    parser.add_argument("--model", default="", metavar="NAME", help=_MODEL)
    add_no_record(parser)
    add_object_format(parser)
    parser.set_defaults(run=_check_bounds)
    return parser


def _check_bounds(arguments: Namespace) -> int:
    from orch_tui.prepare.validation import check_bounds as check

    project = project_of(arguments)
    reader = project.reader(left_out=_say_left_out)
    bounds = check(
        arguments.phase,
        reader.split_values(arguments.files or ()),
        reader=reader,
        family=project.catalogue.model(arguments.model).family,
        limits=project.limits,
        cache=project.counts,
    )
    print_object(bounds.to_dict())
    return NO if bounds.status == "critical" else 0


def count() -> argparse.ArgumentParser:
    parser = Parser(
        "count",
        example="orch count 'src/**/*.py' README.md --model opus",
        remarks="""Estimates are counted from the pieces that Claude's tokenizers are known to
join. Against ctok, which reconstructed the tokenizers, files of code, data and
English prose (1 to 40 kB) are off by 0 % (median) and 0 % (95th percentile),
Chinese and Japanese by 0 % and 0.04 %, other scripts by 0 % and 0.35 %. --exact
has ctok itself count: Python 3.12 and newer, three seconds for a megabyte, kept
from then on.""",
    )
    parser.add_argument("sources", nargs="+", metavar="SOURCE", help="as for prepare-bundle")
    parser.add_argument("--model", default="", metavar="NAME", help=_MODEL)
    ways = parser.add_mutually_exclusive_group()
    _add_exact(ways)
    ways.add_argument(
        "--estimate", action="store_true", help="estimate, even where the exact count is known"
    )
    ways.add_argument(
        "--compare", action="store_true", help="all together, by every estimator there is"
    )
    parser.add_argument(
        "--allow-secret", action="store_true", help="count files that look like secrets"
    )
    add_format(parser)
    add_no_record(parser)
    parser.set_defaults(run=_count)
    return parser


def _count(arguments: Namespace) -> None:
    from orch_tui.prepare.bundle import compose_bundle
    from orch_tui.prepare.tree_tally import outline_counts

    project = project_of(arguments)
    reader = project.reader(allow_secret=arguments.allow_secret, left_out=_say_left_out)
    sources = reader.split_values(arguments.sources)
    if not sources:
        raise UsageError("no source is named", hint="is a variable empty?")
    family = project.catalogue.model(arguments.model).family
    bundle = compose_bundle(
        "",
        "",
        reader=reader,
        bundle_id="",
        created_at="",
        model=arguments.model,
        family=family,
        files=sources,
        cache=project.counts,
        exact=True if arguments.exact else False if arguments.estimate else None,
    )
    if arguments.compare:
        _compare(bundle, family, arguments.format)
        return
    say(*_on_items(bundle))
    items = sorted(bundle.items, key=lambda item: -item.count.tokens)
    if arguments.format == "table":
        lines = outline_counts(("#".join((i.source, *i.sections)), i.count) for i in items)
        width = max((len(str(line.count)) for line in lines), default=0)
        for line in lines:
            print(f"{line.count!s:>{width}}  {'  ' * line.depth}{printable(line.name)}")
    else:
        print_rows(map(_counted, items), arguments.format)
    many = "" if len(items) == 1 else "s"
    frame = f", {bundle.frame_tokens} of them for the message" if bundle.frame_tokens else ""
    say(f"{len(items)} source{many}, {bundle.total} tokens{frame} ({bundle.total.estimator})")
    say(*_on_model(project, arguments.model), *_learned(project, arguments.model, bundle.total))


def _counted(item: ContextItem) -> dict[str, Any]:
    return {
        "tokens": item.count.tokens,
        "low": item.count.low,
        "high": item.count.high,
        "estimator": item.count.estimator,
        "source": item.source,
        "sections": list(item.sections),
    }


def _compare(bundle: Bundle, family: str, form: str) -> None:
    """All items by every estimator, the one to go by first."""
    from orch_tui.prepare.estimator_comparison import compare_estimators

    counts = compare_estimators(bundle.items, family)
    best = counts[0].tokens
    rows = [
        {
            "estimator": count.estimator,
            "tokens": count.tokens,
            "low": count.low,
            "high": count.high,
            "difference": round(count.tokens / best - 1, 3) if best else None,
        }
        for count in counts
    ]
    print_rows(rows, form)


def _learned(project: Project, model: str, estimated: Count | None = None) -> Iterator[str]:
    """What runs of a model taught about estimates, where there are enough."""
    if project.has_record:
        from orch_tui.recall.estimate_corrections import describe_correction, find_correction

        if found := find_correction(project.record, project.catalogue, model):
            yield describe_correction(found, estimated)


def _say_left_out(error: SourceError) -> None:
    say(f"left out: {error.message}")


def _add_exact(parser: argparse._ActionsContainer) -> None:
    parser.add_argument(
        "--exact", action="store_true", help="count exactly, by ctok (Python 3.12 and newer)"
    )
