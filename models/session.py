"""Sessions, the agents planned in them, and the journal of what changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from peewee import SQL, CompositeKey, ForeignKeyField

from orch_tui.models.base import (
    AutoField,
    IntegerField,
    JsonField,
    Table,
    TextField,
    TimeField,
    created_at,
    default,
    one_of,
    uid,
)
from orch_tui.models.bundle import Bundle
from orch_tui.models.origin import Origin
from orch_tui.models.values import NOW, STATUSES

if TYPE_CHECKING:
    from peewee import ModelSelect

    from orch_tui.models.execution import AgentExecution


class Session(Table):
    """One orchestration.

    ``project`` is a folder of this machine, ``project_key`` means the same everywhere.
    ``ended_at`` is when Claude Code said that its session ended. ``origin_id`` is whose it is,
    NULL where it was opened here.
    """

    session_id = TextField(primary_key=True)
    created_at = created_at()
    scope = TextField()
    phase = IntegerField(null=True, constraints=[SQL("CHECK (phase BETWEEN 1 AND 5)")])
    status = TextField(null=True, constraints=[one_of("status", *STATUSES)])
    metadata = JsonField(null=True)
    uid = uid()
    project = TextField(null=True)
    budget = IntegerField(null=True)
    completed_at = TimeField(null=True)
    archived_at = TimeField(null=True)
    claude_session = TextField(null=True, index=True)
    title = TextField(null=True)
    project_key = TextField(null=True)
    thresholds = JsonField(null=True)
    reserve = IntegerField(null=True)
    ended_at = TimeField(null=True)
    origin = ForeignKeyField(
        Origin, column_name="origin_id", null=True, index=False, backref="sessions"
    )

    origin_id: int | None
    planned_agents: ModelSelect[PlannedAgent]
    executions: ModelSelect[AgentExecution]

    class Meta:
        table_name = "sessions"
        indexes = ((("created_at",), False),)


class PlannedAgent(Table):
    """An intended deployment; its executions are its attempts."""

    planned_id = AutoField()
    session = ForeignKeyField(Session, column_name="session_id", backref="planned_agents")
    position = IntegerField()
    agent_type = TextField()
    scope = TextField(constraints=default("''"))
    model = TextField(null=True)
    bundle = ForeignKeyField(
        Bundle, column_name="bundle_id", null=True, index=False, backref="planned_agents"
    )
    created_at = created_at()
    removed_at = TimeField(null=True)
    uid = uid()

    session_id: str
    bundle_id: str | None
    waits: ModelSelect[PlannedWait]
    awaited_by: ModelSelect[PlannedWait]
    executions: ModelSelect[AgentExecution]

    class Meta:
        table_name = "planned_agents"


class PlannedWait(Table):
    """``planned_id`` starts only after ``waits_for`` has returned."""

    planned_agent = ForeignKeyField(
        PlannedAgent, column_name="planned_id", index=False, backref="waits"
    )
    awaited = ForeignKeyField(PlannedAgent, column_name="waits_for", backref="awaited_by")

    planned_id: int
    waits_for: int

    class Meta:
        table_name = "planned_waits"
        primary_key = CompositeKey("planned_agent", "awaited")
        without_rowid = True


class JournalEntry(Table):
    """What changed, by whom: append-only, held by triggers."""

    seq = AutoField()
    at = TimeField(constraints=default(NOW))
    actor = TextField()
    action = TextField()
    session_id = TextField(null=True, index=True)
    execution_id = TextField(null=True, index=True)
    subject = TextField(null=True)
    before = JsonField(null=True)
    after = JsonField(null=True)
    origin = ForeignKeyField(
        Origin, column_name="origin_id", null=True, index=False, backref="journal_entries"
    )

    origin_id: int | None

    class Meta:
        table_name = "journal"


class Counter(Table):
    """The last number handed out for a kind of label (``exec``, ``bundle``, ``orch-<day>``)."""

    name = TextField(primary_key=True)
    value = IntegerField()

    class Meta:
        table_name = "counters"
        without_rowid = True


JOURNAL_TRIGGERS = {
    "journal_keeps_rows": """CREATE TRIGGER journal_keeps_rows BEFORE DELETE ON journal
BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END""",
    "journal_keeps_words": """CREATE TRIGGER journal_keeps_words BEFORE UPDATE ON journal
BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END""",
}
