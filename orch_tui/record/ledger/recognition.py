"""Which recorded deployment a launch is, by the text the agent was handed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import timedelta
from typing import TYPE_CHECKING

from orch_tui.models.database import Record, in_list
from orch_tui.models.values import timestamp
from orch_tui.prepare.marker import find_deployment, is_hand_over, remove_marker
from orch_tui.record.ledger import briefings, contents, journal, portable
from orch_tui.record.ledger.briefing_files import list_briefing_files, names_file
from orch_tui.record.ledger.keys import owner_of
from orch_tui.record.ledger.likeness import find_likeness
from orch_tui.record.ledger.rebuild import (
    derive_items,
    rebuild_from_statements,
    stored_statements,
)
from orch_tui.record.ledger.resolve import create_execution, resolve_execution
from orch_tui.record.ledger.statement import Allocated, Deployed, Noted
from orch_tui.record.ledger.store import store_statement
from orch_tui.times import moment_of

if TYPE_CHECKING:
    from orch_tui.record.ledger.ingest import Report


def recognise_deployment(record: Record, report: Report) -> tuple[str, ...]:
    """Tie a launch nobody had told of to the deployment that was recorded for it, if its text
    says which that is: by its marker or line, as the briefing itself, by the file it names, or by
    most of the lines.

    Gives the deployments between which it could not be told.
    """
    call, prompt = report.about[0], report.prompt or ""
    is_launch = report.source == "hook" or isinstance(report.statement, Deployed)
    if not is_launch or owner_of(record, call) is not None:
        return ()
    uid = find_deployment(prompt)
    if uid:
        label = owner_of(record, f"uid:{uid}")
        if label is not None and _is_free(record, label):
            resolve_execution(record, [call, f"id:{label}"])
        elif label is not None:
            _repeat_deployment(record, label, report)
        return ()
    known = _same_briefings(record, prompt)
    if not known:
        return _recognise_by_words(record, report, call)
    listed, ids = in_list(known)
    for (label,) in record.sql(
        "SELECT execution_id FROM agent_executions JOIN sessions USING (session_id) "
        f"WHERE briefing_id IN {listed} AND agent_executions.status = 'deployed' "
        "AND retracted_at IS NULL AND coalesce(project, ?) = ? ORDER BY deployed_at",
        [*ids, report.project, report.project],
    ):
        if _is_free(record, label):
            resolve_execution(record, [call, f"id:{label}"])
            return ()
    if _deploy_from_plan(record, known, report):
        return ()
    return _recognise_by_words(record, report, call)


_WITHIN = timedelta(days=7)
"""How long before its launch a deployment may have been recorded that is known by its words."""


def _recognise_by_words(record: Record, report: Report, call: str) -> tuple[str, ...]:
    """Tie a launch to the waiting deployment whose file its text names, or whose lines it has."""
    prompt, waiting = report.prompt or "", _waiting_deployments(record, report)
    if not waiting:
        return ()
    found = tuple(
        label
        for label, agent_type in waiting.items()
        if agent_type == report.statement.agent_type
        and any(
            names_file(prompt, path, report.project) for path in list_briefing_files(record, label)
        )
    )
    if len(found) != 1:
        likeness = find_likeness(prompt, _read_planned(record, waiting))
        if likeness.label is None:
            return found or likeness.undecided
        found = (likeness.label,)
    resolve_execution(record, [call, f"id:{found[0]}"])
    return ()


def _waiting_deployments(record: Record, report: Report) -> dict[str, str]:
    """The agent types of deployments that nobody was seen to launch, by label, latest first."""
    at = moment_of(report.at or record.now())
    since = None if at is None else timestamp(at - _WITHIN)
    rows = record.sql(
        "SELECT e.execution_id, e.agent_type FROM agent_executions AS e "
        "JOIN sessions AS s USING (session_id) "
        "WHERE coalesce(e.deployed_at, e.completed_at) BETWEEN ?1 AND ?2 "
        "AND e.retracted_at IS NULL AND e.status = 'deployed' AND e.briefing_id IS NOT NULL "
        "AND e.source IN ('manual', 'api') AND coalesce(s.project, ?3) = ?3 "
        "ORDER BY coalesce(e.deployed_at, e.completed_at) DESC",
        [since, report.at or record.now(), report.project],
    )
    return {label: agent_type for label, agent_type in rows if _is_free(record, label)}


def _read_planned(record: Record, labels: Iterable[str]) -> dict[str, tuple[str, str | None]]:
    """Read text and scope of the planned briefings; of those with the same, the first."""
    first: dict[tuple[str, str | None], str] = {}
    for label in labels:
        ((briefing_id, scope),) = record.sql(
            "SELECT briefing_id, scope FROM agent_executions WHERE execution_id = ?", [label]
        )
        text = briefings.get_briefing(record, briefing_id).decode("utf-8", "replace")
        first[text, scope] = label
    return {label: said for said, label in first.items()}


def log_undecided(record: Record, label: str, candidates: tuple[str, ...]) -> None:
    """Journal that a run may be of several deployments, and was left apart from them."""
    after = {"it may be": list(candidates)}
    journal.log_action(record, UNDECIDED, execution_id=label, after=after)


UNDECIDED = "similar-briefings"
"""The action in the journal of a launch that may be of several deployments."""


def _is_free(record: Record, label: str) -> bool:
    """Tell whether no call of the tool is known to be this execution."""
    return not record.value(
        "SELECT 1 FROM execution_keys WHERE execution_id = ? "
        "AND (key LIKE 'tool:%' OR key LIKE 'call:%')",
        [label],
    )


def _same_briefings(record: Record, prompt: str) -> list[int]:
    """Stored briefings with this text, whatever became of the white space at its end."""
    bare = prompt.rstrip()
    digests = [
        hashlib.sha256(t.encode("utf-8", "replace")).digest() for t in {prompt, bare, f"{bare}\n"}
    ]
    found = {briefings.find_briefing(record, digest) for digest in digests}
    return sorted(briefing_id for briefing_id in found if briefing_id is not None)


def _repeat_deployment(record: Record, label: str, report: Report) -> None:
    """Record another deployment of the same text, where the first is a run already.

    What was meant is what the first was meant for, whoever said that.
    """
    (held,) = record.rows(
        "SELECT session_id, planned_id, bundle_version_id, briefing_id, context_token_count, "
        "estimator, ambient_tokens, agent_type, scope, source "
        "FROM agent_executions WHERE execution_id = ?",
        [label],
    )
    noted = Noted(
        session=portable.session_ref(record, held["session_id"]),
        planned=portable.ref_of(record, "planned", held["planned_id"]),
        bundle_version=portable.ref_of(record, "version", held["bundle_version_id"]),
        briefing=portable.sha256_of_briefing(record, held["briefing_id"]),
        context_token_count=held["context_token_count"],
        estimator=held["estimator"],
        ambient_tokens=held["ambient_tokens"],
        agent_type=held["agent_type"],
        scope=held["scope"],
    )
    items = derive_items(record, stored_statements(record, label, "allocated"))
    given = Allocated(items=tuple(items))
    _state_launch(record, report, noted, held["session_id"], given, held["source"])


def _deploy_from_plan(record: Record, known: list[int], report: Report) -> bool:
    """Record the deployment of a generated briefing that was handed over without orch; False
    where it is not known of which plan."""
    agent_type = report.statement.agent_type
    listed, ids = in_list(known)
    rows = record.rows(
        "SELECT v.version_id, p.planned_id, p.session_id "
        "FROM bundle_versions AS v JOIN planned_agents AS p USING (bundle_id) "
        f"JOIN sessions AS s USING (session_id) WHERE v.briefing_id IN {listed} "
        "AND p.removed_at IS NULL AND coalesce(s.project, ?) = ? AND p.agent_type = ?",
        [*ids, report.project, report.project, agent_type],
    )
    if len(rows) != 1:
        return False
    from orch_tui.record import bundles, deployment, sessions

    row = rows[0]
    bundle = bundles.load_bundle_version(record, row["version_id"]).bundle
    noted = Noted(
        session=portable.session_ref(record, row["session_id"]),
        planned=portable.ref_of(record, "planned", row["planned_id"]),
        bundle_version=portable.ref_of(record, "version", row["version_id"]),
        context_token_count=bundle.total.tokens,
        estimator=bundle.total.estimator,
        agent_type=agent_type,
    )
    given = deployment.make_allocation(bundle.items)
    _state_launch(record, report, noted, row["session_id"], given)
    sessions.begin_session(record, sessions.get_session(record, row["session_id"]))
    return True


def _state_launch(
    record: Record,
    report: Report,
    noted: Noted,
    session_id: str,
    given: Allocated,
    meant_by: str | None = None,
) -> None:
    """Make the execution of a launch that turned out to be of something recorded.

    ``meant_by``: the source that said what was meant, where that is not the report's.
    """
    about = [report.about[0]]
    label = create_execution(
        record,
        about,
        session_id=session_id,
        agent_type=report.statement.agent_type or "unknown",
        source=report.source,
    )
    for statement, source in ((noted, meant_by), (given, None)):
        store_statement(
            record,
            statement,
            about,
            source=source or report.source,
            at=report.at,
            execution_id=label,
        )
    rebuild_from_statements(record, [label])


def store_handed_over(record: Record, execution_id: str, report: Report) -> str | None:
    """Store the prompt of a report; gives the SHA-256 of the text that was handed over.

    That is the planned briefing where the prompt is it, but for the marker line and the white
    space around it. None: the call named it by a line, and what the agent got is not known yet.
    """
    prompt = report.prompt or ""
    if isinstance(report.statement, Deployed) and is_hand_over(prompt):
        return None
    data = prompt.encode("utf-8", "replace")
    held = record.value(
        "SELECT briefing_id FROM agent_executions WHERE execution_id = ?", [execution_id]
    )
    if held is not None:
        planned = briefings.get_briefing(record, held)
        if planned.strip() in (
            data.strip(),
            remove_marker(prompt).strip().encode("utf-8", "replace"),
        ):
            return portable.sha256_of_briefing(record, held)
    given = [
        content
        for (content_id,) in record.sql(
            "SELECT DISTINCT content_id FROM context_allocations WHERE execution_id = ? "
            "AND content_id IS NOT NULL",
            [execution_id],
        )
        if (content := contents.get_content(record, content_id)) is not None
    ]
    briefings.store_briefing(record, data, given)
    # not of what took its place: the same statement is to be recognised after a redaction, too
    return hashlib.sha256(data).hexdigest()
