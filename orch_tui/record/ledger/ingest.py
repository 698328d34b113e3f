"""The one door into the record: whatever is said of runs is taken in here.

Commands, the API, hooks, transcripts, plain SQL and exports of other records all come this way:
a statement is recognised, its run is found or made, it is stored once, and the rows of the run
are made again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from orch_tui.frozen import mutable
from orch_tui.models.database import Record
from orch_tui.record.ledger import contents, portable, usage
from orch_tui.record.ledger.keys import owner_of
from orch_tui.record.ledger.merge import UNKNOWN, text_fingerprint
from orch_tui.record.ledger.project_keys import key_of_other_project
from orch_tui.record.ledger.rebuild import rebuild_from_statements
from orch_tui.record.ledger.resolve import (
    create_execution,
    join_teammates,
    resolve_execution,
    uid_key,
)
from orch_tui.record.ledger.statement import (
    Addressed,
    Changes,
    Edited,
    Returned,
    Used,
)
from orch_tui.record.ledger.store import MACHINES, store_statement


@mutable
class Report:
    """A statement as somebody makes it, before it is stored."""

    about: Sequence[str]
    """Keys of the run; none for one that is new."""
    statement: Any
    source: str
    at: str | None = None
    """When it happened; None: now."""
    message: str | bytes | None = None
    """The final message of a ``Returned``, or what an ``Addressed`` told the run."""
    prompt: str | None = None
    """The text the agent was handed, as a machine saw it."""
    claude_session: str = ""
    """The session of Claude Code in which a machine saw it."""
    project: str = ""
    """The root of the project that session is of, where it is new."""
    folder: str = ""
    """Where the run works; empty: not known."""
    started_at: str = ""
    """When that session began, as far as the reporter knows; empty: ``at``."""
    only_known: bool = False
    """It says nothing where nobody has heard of the run."""


def ingest_statements(record: Record, reports: Iterable[Report]) -> set[str]:
    """Take in statements about runs; gives the executions they are about.

    A statement that is stored already changes nothing; a run that nobody told of is made new.
    All is written in one transaction, that of the caller where there is one.
    """
    with record.write():
        owners = {owner for report in reports if (owner := _store_report(record, report))}
        living = {owner for owner in owners if owner_of(record, f"id:{owner}") == owner}
        rebuild_from_statements(record, sorted(living))
        if joined := join_teammates(record, living):
            rebuild_from_statements(record, sorted(joined))
        return {owner for owner in living | joined if owner_of(record, f"id:{owner}") == owner}


def ingest_statement(record: Record, report: Report) -> str:
    """Take in one statement; gives the execution it is about.

    Raises:
        LookupError: nobody has heard of the run of a report that is ``only_known``.
    """
    with record.write():
        owner = _store_report(record, report)
        if owner is None:
            raise LookupError(f"no execution is known by {report.about}")
        rebuild_from_statements(record, [owner])
        if joined := join_teammates(record, [owner]):
            rebuild_from_statements(record, joined)
            return joined.pop()
        return owner


def _store_report(record: Record, report: Report) -> str | None:
    """Store a statement and give its execution, whose rows are not made again yet."""
    keys = list(report.about)
    undecided: tuple[str, ...] = ()
    if report.prompt:
        # who hands nothing over does without
        from orch_tui.record.ledger.recognition import recognise_deployment

        undecided = recognise_deployment(record, report)
    execution_id = resolve_execution(record, keys)
    if execution_id is None:
        if report.only_known:
            return None
        execution_id = create_execution(
            record,
            keys,
            session_id=_session_of(record, report),
            agent_type=UNKNOWN,
            source=report.source,
        )
        if undecided:
            from orch_tui.record.ledger.recognition import log_undecided

            log_undecided(record, execution_id, undecided)
    elif report.claude_session and not report.only_known:
        _know_other_session(record, report, execution_id)
    about = [key for key in keys if not key.startswith("id:")]
    if report.source not in MACHINES or not about:
        about = [uid_key(record, execution_id)]
    statement = _settled(record, report, execution_id)
    if isinstance(statement, Used):
        statement = usage.drop_known_usage(record, execution_id, statement)
        if statement is None:
            return execution_id
    store_statement(
        record,
        statement,
        about,
        source=report.source,
        at=report.at,
        execution_id=execution_id,
    )
    return execution_id


def _know_other_session(record: Record, report: Report, execution_id: str) -> None:
    """Make the session known that tells of a run besides its own: the merge chooses of the two."""
    if record.value(
        "SELECT claude_session <> ? FROM sessions JOIN agent_executions USING (session_id) "
        "WHERE execution_id = ?",
        [report.claude_session, execution_id],
    ):
        _session_of(record, report)


def _session_of(record: Record, report: Report) -> str:
    """Find or make the session that a new run belongs to; gives its label."""
    named = portable.session_id_of(record, getattr(report.statement, "session", None))
    if named is not None and not report.claude_session:
        return named
    from orch_tui.record.claude_sessions import ensure_claude_session

    at = report.started_at or report.at or record.now()
    return ensure_claude_session(
        record, report.claude_session, project=report.project, started_at=at
    )


def _settled(record: Record, report: Report, execution_id: str) -> Any:
    """Store the message and prompt of a report; gives its statement, naming them by hash, and the
    project of the run where that is not its session's."""
    statement = report.statement
    changes: Changes = {}
    if report.message is not None and isinstance(statement, Returned | Edited):
        data = contents.encode_given(report.message)
        changes["message"] = portable.sha256_of_content(
            record, contents.store_content(record, data)
        )
        changes["words"] = text_fingerprint(data.decode("utf-8", "replace"))
    elif report.message is not None and isinstance(statement, Addressed):
        data = contents.encode_given(report.message)
        content_id = contents.store_content(record, data)
        changes["text"] = portable.sha256_of_content(record, content_id)
    if report.prompt:
        from orch_tui.record.ledger import recognition

        changes["handed_over"] = recognition.store_handed_over(record, execution_id, report)
    if report.folder and not isinstance(statement, Addressed):
        changes["run_project"] = key_of_other_project(record, execution_id, report.folder)
    return statement.replaced(**changes) if changes else statement
