"""Commands for bundles that are there: the library of saved ones, and what they share."""

from __future__ import annotations

import argparse
import os
from argparse import Namespace
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from orch_tui.cli.filters import add_all_projects, read_own_projects
from orch_tui.cli.flags import add_session
from orch_tui.cli.parser import Parser, project_of
from orch_tui.cli.printing import (
    add_fields,
    add_format,
    add_no_record,
    as_row,
    named_bundle,
    positive,
    print_json,
    print_rows,
    say,
    split_list,
    write_text,
)
from orch_tui.errors import UsageError
from orch_tui.paths import resolve_path
from orch_tui.project import Project

if TYPE_CHECKING:
    from orch_tui.prepare.bundle import Bundle
    from orch_tui.prepare.dedup import Sharing
    from orch_tui.record.library import BundleLine, VersionLine


def bundles() -> argparse.ArgumentParser:
    parser = Parser(
        "bundles",
        example="""orch bundles bundle-001
orch bundles bundle-001 --name api-context
orch bundles api-context --copy --session-id orch-2026-11-22-001
orch bundles api-context@1 --export api-context.json
orch bundles --import api-context.json
orch bundles --named""",
    )
    parser.add_argument(
        "bundle", nargs="?", metavar="BUNDLE", help="an id or a name, @2 for its version 2"
    )
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--copy", action="store_true", help="make a new bundle of it")
    what.add_argument("--restore", type=positive, metavar="VERSION", help="make that the next one")
    what.add_argument(
        "--export", metavar="FILE", help="write it as JSON, with the text of every item"
    )
    what.add_argument("--import", dest="source", metavar="FILE", help="save a bundle from JSON")
    parser.add_argument(
        "--bare", action="store_true", help="with --export: the plain schema and nothing else"
    )
    parser.add_argument("--name", metavar="TEXT", help="name it, or the copy of it")
    parser.allow_empty("--name")  # it has none any more
    parser.add_argument(
        "--session-id",
        metavar="ID",
        help="of a session; with --copy: for it (default: as orch use tells)",
    )
    parser.add_argument("--named", action="store_true", help="those with a name")
    parser.add_argument("--all", action="store_true", help="also those that were taken out")
    add_all_projects(parser)
    add_format(parser)
    add_fields(parser)
    changes = ("--copy", "--restore", "--export", "--name")
    for flag in changes[:3]:
        parser.require(flag, "BUNDLE")
    parser.require("--name", "BUNDLE", "--import")
    parser.require("--bare", "--export")
    parser.forbid("--name", "--restore", "--export")
    parser.forbid("--session-id", "--restore", "--export")
    for flag in ("--format", "--fields"):
        parser.forbid(flag, *changes, "--import")
    for flag in ("--named", "--all", "--all-projects"):
        parser.forbid(flag, "BUNDLE", "--import")
    parser.forbid("BUNDLE", "--import")
    parser.set_defaults(run=_bundles)
    return parser


def _bundles(arguments: Namespace) -> None:
    from orch_tui.record import library

    if arguments.bundle and arguments.session_id and not arguments.copy:
        raise UsageError("--session-id beside BUNDLE is only for --copy", hint="leave one out")
    project = project_of(arguments)
    session_id = arguments.session_id and project.session_id(arguments.session_id)
    if arguments.source:
        bundle = named_bundle(project, arguments.source)
        kept = library.adopt_bundle(
            project.record, bundle, session_id=session_id, name=arguments.name or ""
        )
        if kept.bundle_id != bundle.bundle_id:
            say(f"{bundle.bundle_id} is another bundle here: this one is {kept.bundle_id}")
        print(kept.bundle_id)
    elif arguments.bundle is None:
        record = project.existing_record
        lines = library.iterate_bundles(
            record,
            session_id=session_id,
            named=arguments.named,
            removed=arguments.all,
            project=None if arguments.all_projects or session_id else read_own_projects(project),
        )
        shared: tuple[str, ...] = ()
        if library.shares_texts(record):
            lines = iter(listed := list(lines))
            shared = _if_shared(listed)
        columns = (
            *("bundle_id", "name", "agent_type", "version", "items", "token_count"),
            *shared,
            *("uses", "session_id", "created_at"),
        )
        print_rows(
            map(as_row, lines),
            arguments.format,
            columns=columns,
            empty=f"no bundle {'has a name' if arguments.named else 'is saved'}",
            fields=arguments.fields,
        )
    else:
        _one_bundle(project, arguments, session_id)


def _if_shared(lines: Sequence[BundleLine] | Sequence[VersionLine]) -> tuple[str, ...]:
    """The column of what bundles take if shared texts are read, where any shares some."""
    shares = any(line.if_shared_is_read_tokens != line.token_count for line in lines)
    return ("if_shared_is_read_tokens",) if shares else ()


def _one_bundle(project: Project, arguments: Namespace, session_id: str | None) -> None:
    """What is done with the bundle that was named; nothing: its versions are listed."""
    from orch_tui.prepare.bundle import bare_to_dict, dump_json, whole_to_dict
    from orch_tui.record import bundles as store
    from orch_tui.record import library

    record = project.existing_record
    bundle_id, version = store.resolve_bundle(record, arguments.bundle)
    if arguments.export:
        bundle = store.load_bundle(record, bundle_id, version).bundle
        as_json = bare_to_dict if arguments.bare else whole_to_dict
        budget = project.session_limits(bundle.session_id).budget
        write_text(arguments.export, dump_json(as_json(bundle, budget=budget)))
        if arguments.export != "-":
            say(f"{bundle_id} version {bundle.version} is in {arguments.export}")
    elif arguments.copy:
        held = store.load_bundle(record, bundle_id, version).bundle
        session_id = project.open_session_id(session_id)
        made = library.copy_bundle(record, held, session_id=session_id, name=arguments.name or "")
        print(made.bundle_id)
    elif arguments.restore:
        removed = store.tell_removed(record, bundle_id)
        restored = library.restore_bundle_version(record, bundle_id, arguments.restore)
        if removed:
            say(f"{bundle_id} was retracted and counts again")
        say(f"{bundle_id} version {restored.version} is version {arguments.restore} again")
    elif arguments.name is not None:
        library.rename_bundle(record, bundle_id, arguments.name)
        say(
            f"{bundle_id} is called {arguments.name!r}"
            if arguments.name
            else f"{bundle_id} has no name"
        )
    else:
        lines = library.list_bundle_versions(record, bundle_id, version)
        print_rows(
            ({**as_row(line), "frozen": line.frozen} for line in lines),
            arguments.format,
            columns=(
                *("version", "created_at", "agent_type", "items", "token_count"),
                *_if_shared(lines),
                *("frozen", "executions"),
            ),
            fields=arguments.fields,
        )


def deduplicate() -> argparse.ArgumentParser:
    parser = Parser(
        "deduplicate",
        example="""orch deduplicate --bundles bundle-001,bundle-002 --output shared.json
orch deduplicate --apply
orch deduplicate --undo""",
    )
    parser.add_argument(
        "--bundles",
        action="append",
        metavar="BUNDLE,...",
        help="files or ids (default: all of the session)",
    )
    add_session(parser)
    parser.forbid("--session-id", "--bundles")
    parser.add_argument(
        "--output", metavar="FILE", help="write the shared document; FILE.md for agents to read"
    )
    parser.add_argument(
        "--leave",
        action="append",
        metavar="SOURCE,...",
        help="what stays in each bundle all the same, as it is named there",
    )
    what = parser.add_mutually_exclusive_group()
    what.add_argument(
        "--apply",
        action="store_true",
        help="make new versions of the bundles without what their agents need not be sent, and "
        "write what they share to .claude/orchestration/shared, or to --output FILE.md",
    )
    what.add_argument(
        "--undo", action="store_true", help="make the bundles again what they were before --apply"
    )
    add_format(parser)
    add_no_record(parser)
    parser.forbid("--undo", "--output", "--format", "--no-record", "--leave")
    parser.set_defaults(run=_deduplicate)
    return parser


def _deduplicate(arguments: Namespace) -> None:
    from orch_tui import project_bundles
    from orch_tui.prepare import dedup
    from orch_tui.prepare.bundle import dump_json, label_item

    project = project_of(arguments)
    given = split_list(arguments.bundles) or _of_session(
        project, arguments.session_id, arguments.undo
    )
    bundles = [named_bundle(project, name) for name in given]
    of_sessions = {b.bundle_id: b.session_id for b in bundles if b.session_id}
    if len(set(of_sessions.values())) > 1:
        told = ", ".join(f"{label} of {session}" for label, session in of_sessions.items())
        say(f"these are bundles of several sessions: {told}")
    if arguments.undo:
        restored = project_bundles.take_sharing_back(project, [b.bundle_id for b in bundles])
        _rewrite(project, given, bundles, restored, "as before it was deduplicated")
        return
    left = split_list(arguments.leave)
    held = {label_item(item) for bundle in bundles for item in bundle.items}
    if unknown := [source for source in left if source not in held]:
        raise UsageError(
            f"--leave {unknown[0]} is in none of the bundles",
            hint="name it as they do: FILE or FILE#Heading",
        )
    found = project_bundles.find_sharing(project, bundles, left=left)
    for_agents = None
    if arguments.output and arguments.output.lower().endswith((".md", ".markdown")):
        for_agents = Path(resolve_path(arguments.output, project.cwd))
    foreseen = project_bundles.foresee_sharing(project, bundles, found=found, document=for_agents)
    document = foreseen.to_dict()
    if for_agents:
        write_text(arguments.output, dedup.render_shared_document(found))
    elif arguments.output:
        write_text(arguments.output, dump_json(document))
    if arguments.format == "json":
        print_json(document)
    else:
        columns = (
            *("bundle_id", "total_tokens", "dropped_repeats_tokens"),
            *("already_ambient_tokens", "moved_to_shared_tokens"),
            *("after_tokens", "if_shared_is_read_tokens"),
        )
        print_rows(document["bundles"], arguments.format, columns=columns)
        say(*_on_sharing(found))
    say(*foreseen.remarks)
    if arguments.apply:
        applied = project_bundles.apply_sharing(project, bundles, foreseen=foreseen)
        what = "shared items are named, not repeated"
        if not _rewrite(project, given, bundles, applied.bundles, what):
            say("nothing is left to share: the bundles stay as they are")
        if applied.document:
            say(f"what they share is in {os.path.relpath(applied.document, project.cwd)}")


def _of_session(project: Project, named: str | None, deduplicated: bool) -> list[str]:
    """The bundles of a session: all, or those that are deduplicated."""
    from orch_tui.record import bundles, sharing

    session_id = project.session_id(named)
    if deduplicated:
        given = sharing.list_deduplicated(project.existing_record, session_id)
    else:
        held = bundles.load_session_figures(project.existing_record, session_id)
        given = [saved.bundle.bundle_id for saved in held]
    if not given:
        what = "deduplicated bundles" if deduplicated else "bundles"
        raise UsageError(f"{session_id} has no {what}", hint="--bundles names files or ids")
    return given


MOST_BLOCKS = 10
"""Blocks that are shown where not all are asked for."""


def _on_sharing(found: Sharing) -> Iterator[str]:
    """What was found, in words: each saving for itself, as they are worth different things."""
    stand = "1 item stands" if len(found.items) == 1 else f"{len(found.items)} items stand"
    yield (
        f"{stand} in several bundles: {found.moved} tokens in the bundles, "
        f"{found.document} in the shared document, which an agent spends again when it reads it"
    )
    twice = found.duplicate_tokens_saved
    yield f"{twice} tokens stand twice in one bundle, {found.ambient} agents have anyway"
    lines = [f"{b.bundle_id}: {o} ({o.count} tokens)" for b in found.bundles for o in b.overlaps]
    lines += [
        " = ".join(f"{p.source}:{p.first}-{p.last} in {', '.join(p.bundles)}" for p in block.places)
        + f" ({block.count} tokens)"
        for block in found.blocks
    ]
    yield from lines[:MOST_BLOCKS]
    if len(lines) > MOST_BLOCKS:
        yield f"... and {len(lines) - MOST_BLOCKS} more; --format json gives them all"


def _rewrite(
    project: Project,
    given: Sequence[str],
    before: Sequence[Bundle],
    after: Sequence[Bundle],
    what: str,
) -> bool:
    """Write the bundles that were given as files and changed; say which those are, and give
    whether there are any."""
    from orch_tui.prepare.bundle import dump_json, to_dict

    any_changed = False
    for name, old, new in zip(given, before, after, strict=True):
        if (new.version, new.items) != (old.version, old.items):
            if (project.cwd / name).is_file():
                budget = project.session_limits(new.session_id).budget
                write_text(name, dump_json(to_dict(new, budget=budget)))
            say(f"{new.bundle_id} version {new.version}: {what}")
            any_changed = True
    return any_changed
