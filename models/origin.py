"""Who stated what: origins, their logs, and what a record knows of itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from peewee import BlobField, BooleanField, CompositeKey

from orch_tui.models.base import (
    AutoField,
    IntegerField,
    JsonField,
    Table,
    TextField,
    TimeField,
    created_at,
    default,
)

if TYPE_CHECKING:
    from peewee import ModelSelect

    from orch_tui.models.bundle import Bundle
    from orch_tui.models.execution import AgentExecution
    from orch_tui.models.session import JournalEntry, Session


class RecordFact(Table):
    """A small value by name: uid, project key, secret, version of the search index."""

    name = TextField(primary_key=True)
    value = TextField()

    class Meta:
        table_name = "record_facts"
        without_rowid = True


class Origin(Table):
    """One life of one record on one machine.

    ``mine`` are those of this record; the one without ``closed_at`` goes on. ``name`` is unique
    and stands in labels (``exec-014@ann-laptop``); ``place`` (machine, device, inode) tells a copy.
    """

    origin_id = AutoField()
    uid = TextField(unique=True)
    person = TextField(null=True)
    machine = TextField()
    name = TextField(unique=True)
    place = TextField(null=True)
    mine = BooleanField(constraints=default("0"))
    began_at = TimeField(null=True)
    closed_at = TimeField(null=True)

    bundles: ModelSelect[Bundle]
    sessions: ModelSelect[Session]
    journal_entries: ModelSelect[JournalEntry]
    executions: ModelSelect[AgentExecution]

    class Meta:
        table_name = "origins"


class LogEntry(Table):
    """That an origin stated something, and as its how-manieth statement: without a gap."""

    origin_id = IntegerField()
    seq = IntegerField()
    observation_id = IntegerField(index=True)

    class Meta:
        table_name = "log"
        primary_key = CompositeKey("origin_id", "seq")
        without_rowid = True


class Register(Table):
    """Of which fields of a session, a planned agent, a bundle or a version a statement is the last.

    ``names`` is NULL where it is of all that it names. ``redacted`` are those of them whose values
    redaction has changed in the statement since: what others heard is not what stands there.
    """

    subject = TextField()
    observation_id = IntegerField()
    names = JsonField(null=True)
    redacted = JsonField(null=True)

    class Meta:
        table_name = "registers"
        primary_key = CompositeKey("subject", "observation_id")
        without_rowid = True


class ChangedRow(Table):
    """What must be looked at before the transaction ends, noted by triggers."""

    subject = TextField()

    class Meta:
        table_name = "changed_rows"
        primary_key = False


class HubCursor(Table):
    """How far each origin was fetched from a hub, by the uid of the hub."""

    hub_uid = TextField()
    origin_uid = TextField()
    seq = IntegerField()

    class Meta:
        table_name = "hub_cursors"
        primary_key = CompositeKey("hub_uid", "origin_uid")
        without_rowid = True


class InputSetAside(Table):
    """A transcript of which something could not be taken in, and why."""

    path = TextField(primary_key=True)
    reason = TextField()
    size = IntegerField()
    mtime_ns = IntegerField()
    at = created_at()

    class Meta:
        table_name = "inputs_set_aside"
        without_rowid = True


class AmbientFigure(Table):
    """What an agent of a type is handed by a release of Claude Code before its prompt, by part."""

    agent_type = TextField()
    client_version = TextField()
    entrypoint = TextField()
    part = TextField()
    estimator = TextField()
    tokens = IntegerField()
    sha256 = BlobField()

    class Meta:
        table_name = "ambient_learned"
        primary_key = CompositeKey(
            "agent_type", "client_version", "entrypoint", "part", "estimator"
        )
        without_rowid = True
