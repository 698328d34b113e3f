"""Forgetting the texts of runs: what they were given, what they were told and what they said.

What a run cost, when it ran and how it ended stays, with the hash of each text, so that the same
text is not stored again by an import. That it was forgotten is a statement: another record that
takes in an export forgets it, too.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator

from orch_tui.errors import UsageError
from orch_tui.frozen import frozen
from orch_tui.models.database import Record
from orch_tui.models.stored_bytes import unpack_parts
from orch_tui.record import sessions
from orch_tui.record.ledger import briefings, contents, journal, registers
from orch_tui.record.ledger.keys import owner_of
from orch_tui.record.ledger.rebuild import rebuild_from_statements
from orch_tui.record.ledger.resolve import uid_key
from orch_tui.search import maintenance

FORGOTTEN_AT = "forgotten_at"
"""The field of a run that says since when."""


@frozen
class ForgottenTexts:
    """What is forgotten, or would be."""

    runs: int
    texts: int
    """Contents and briefings; one that a run which is kept has, too, stays."""
    size: int
    """Bytes in the record."""


@frozen
class DoomedTexts:
    """The texts that go, by their ids."""

    contents: frozenset[int]
    briefings: frozenset[int]
    size: int
    """Bytes in the record."""

    def of(self, runs: list[str]) -> ForgottenTexts:
        """Say in figures what these runs lose."""
        return ForgottenTexts(len(runs), len(self.contents) + len(self.briefings), self.size)


def find_forgettable(
    record: Record,
    *,
    before: str | None = None,
    session_id: str | None = None,
    labels: Collection[str] | None = None,
) -> list[str]:
    """List the runs that were deployed before a time, of a session or of these, and have ended.

    Those whose texts are forgotten already are left out.

    Raises:
        UsageError: none of them is given.
        NotFoundError: no such session.
    """
    if before is None and session_id is None and labels is None:
        raise UsageError("nothing says what to forget", hint="--before DATE, or --session-id ID")
    if session_id is not None:
        session_id = sessions.get_session(record, session_id).session_id
    rows = record.sql(
        "SELECT execution_id FROM agent_executions WHERE status <> 'deployed' "
        "AND (?1 IS NULL OR deployed_at < ?1) AND (?2 IS NULL OR session_id = ?2) "
        "ORDER BY execution_id",
        [before, session_id],
    )
    known = set(_forgotten_runs(record))
    return [
        label for (label,) in rows if label not in known and (labels is None or label in labels)
    ]


def measure_forgetting(record: Record, runs: list[str]) -> ForgottenTexts:
    """Say what forgetting these runs would take away."""
    with record.read():
        return _find_doomed(record, {*_forgotten_runs(record), *runs}).of(runs)


def forget_runs(record: Record, runs: list[str]) -> ForgottenTexts:
    """Forget the texts of these runs, and give their room in the file back."""
    with record.write():
        now = record.now()
        for label in runs:
            uid = uid_key(record, label).removeprefix("uid:")
            registers.state_value(record, f"run:{uid}", FORGOTTEN_AT, now)
        doomed = forget_texts(record)
        for session_id, count in record.sql(
            "SELECT session_id, count(*) FROM agent_executions "
            "WHERE execution_id IN (SELECT value FROM json_each(?)) GROUP BY session_id",
            [json.dumps(runs)],
        ):
            journal.log_action(record, "forget", session_id=session_id, after={"runs": count})
    if runs:
        record.squeeze()
    return doomed.of(runs)


def forget_texts(record: Record) -> DoomedTexts:
    """Take away the texts of all runs that are stated to be forgotten, and tell which; call it
    within a write."""
    doomed = _find_doomed(record, set(_forgotten_runs(record)))
    if not (doomed.contents or doomed.briefings):
        return doomed
    said = record.sql(
        "SELECT execution_id FROM agent_executions WHERE message_id IN "
        "(SELECT value FROM json_each(?)) ORDER BY execution_id",
        [json.dumps(sorted(doomed.contents))],
    )
    with maintenance.changing_texts(record, sorted(doomed.contents), sorted(doomed.briefings)):
        for briefing_id in doomed.briefings:
            briefings.forget_briefing(record, briefing_id)
        for content_id in doomed.contents:
            contents.forget_content(record, content_id)
        rebuild_from_statements(record, [label for (label,) in said])
    return doomed


def _forgotten_runs(record: Record) -> Iterator[str]:
    """List the runs of which a statement says so, by their labels here."""
    for (subject,) in record.sql(
        "SELECT DISTINCT subject FROM registers WHERE subject >= 'run:' AND subject < 'run;'"
    ):
        label = owner_of(record, f"uid:{subject.partition(':')[2]}")
        if label is not None:
            yield label


_CONTENTS = (
    "SELECT content_id, execution_id FROM context_allocations UNION ALL "
    "SELECT content_id, execution_id FROM outputs UNION ALL "
    "SELECT content_id, execution_id FROM told UNION ALL "
    "SELECT message_id, execution_id FROM completions UNION ALL "
    "SELECT message_id, execution_id FROM agent_executions"
)
_BRIEFINGS = (
    "SELECT briefing_id, execution_id FROM agent_executions UNION ALL "
    "SELECT handed_over_id, execution_id FROM agent_executions"
)
_VERSIONS = "SELECT bundle_version_id, execution_id FROM agent_executions"
"""Which run has which text, or was given which version of a bundle."""


def _find_doomed(record: Record, runs: set[str]) -> DoomedTexts:
    """Find the texts that these runs have, and no other run and no bundle that is for others."""
    given = _only_of(record, _VERSIONS, runs)
    own_briefings = _only_of(record, _BRIEFINGS, runs)
    own_contents = _only_of(record, _CONTENTS, runs) - {
        each for (each,) in record.sql("SELECT content_id FROM contents WHERE encoding = 'gone'")
    }
    for version_id, briefing_id in record.sql(
        "SELECT version_id, briefing_id FROM bundle_versions"
    ):
        if version_id not in given:
            own_briefings.discard(briefing_id)
    for version_id, content_id in record.execute("SELECT version_id, content_id FROM bundle_items"):
        if version_id not in given:
            own_contents.discard(content_id)
    for briefing_id, parts in record.execute("SELECT briefing_id, parts FROM briefings"):
        held = unpack_parts(parts)
        if any(kind == "gone" for kind, _ in held):
            own_briefings.discard(briefing_id)
        elif briefing_id not in own_briefings:
            own_contents.difference_update(value for kind, value in held if kind == "content")
    size = sum(
        int(
            record.value(
                f"SELECT coalesce(sum(length({text})), 0) FROM {table} "
                f"WHERE {key} IN (SELECT value FROM json_each(?))",
                [json.dumps(sorted(ids))],
            )
        )
        for table, key, text, ids in (
            ("contents", "content_id", "data", own_contents),
            ("agent_executions", "message_id", "final_message", own_contents),
            ("briefings", "briefing_id", "parts", own_briefings),
        )
    )
    return DoomedTexts(frozenset(own_contents), frozenset(own_briefings), size)


def _only_of(record: Record, pairs: str, runs: set[str]) -> set[int]:
    """Of what runs have, what these have and no other."""
    own: set[int] = set()
    others: set[int] = set()
    for what, label in record.execute(pairs):
        (own if label in runs else others).add(what)
    return own - others - {None}
