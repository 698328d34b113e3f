"""Every table, index, trigger and view of the models, in the order they are created.

Together with those of `orch_tui.search.schema` they are ``assets/execution_db.schema.sql``, which
records are made from.
"""

from __future__ import annotations

from peewee import Model

from orch_tui.models.bundle import Bundle, BundleItem, BundleVersion
from orch_tui.models.content import Briefing, Content, TokenCount
from orch_tui.models.execution import (
    CHANGE_TRIGGERS,
    RAW_TRIGGERS,
    AgentExecution,
    Completion,
    ContextAllocation,
    ExecutionFile,
    ExecutionKey,
    ImportCheckpoint,
    Observation,
    ToldMessage,
    UsageMessage,
)
from orch_tui.models.origin import (
    AmbientFigure,
    ChangedRow,
    HubCursor,
    InputSetAside,
    LogEntry,
    Origin,
    RecordFact,
    Register,
)
from orch_tui.models.output import Output
from orch_tui.models.router import database as database
from orch_tui.models.session import (
    JOURNAL_TRIGGERS,
    Counter,
    JournalEntry,
    PlannedAgent,
    PlannedWait,
    Session,
)
from orch_tui.models.stored_bytes import MESSAGE_TRIGGERS
from orch_tui.models.values import READING_VERSION, READING_VERSION_FACT, WHEN
from orch_tui.models.views import VIEWS as VIEWS

TABLES: tuple[type[Model], ...] = (
    RecordFact,
    Origin,
    Content,
    TokenCount,
    Briefing,
    Bundle,
    BundleVersion,
    BundleItem,
    Session,
    PlannedAgent,
    PlannedWait,
    JournalEntry,
    Counter,
    AgentExecution,
    ExecutionKey,
    Observation,
    Completion,
    ContextAllocation,
    Output,
    ImportCheckpoint,
    UsageMessage,
    ExecutionFile,
    ToldMessage,
    LogEntry,
    Register,
    ChangedRow,
    HubCursor,
    InputSetAside,
    AmbientFigure,
)

INDEXES = (
    "CREATE INDEX executions_orphaned ON agent_executions (parent_key) "
    "WHERE parent_key IS NOT NULL AND parent_execution_id IS NULL",
    "CREATE INDEX observations_pending ON observations (execution_id) WHERE pending",
    "CREATE INDEX contents_of_runs ON contents (data) WHERE encoding = 'run'",
    "CREATE INDEX transcripts_awaited ON import_checkpoints (awaited_since) "
    "WHERE awaited_since IS NOT NULL",
    # Lists are newest first, and so are most questions; it covers what they filter by.
    f"CREATE INDEX executions_by_time ON agent_executions ({WHEN}, "
    "retracted_at, session_id, agent_type, status, success, model, resolved_model, planned_id, "
    "bundle_version_id, unverified, run_project)",
)

FACTS = (
    "INSERT OR IGNORE INTO record_facts (name, value) "
    f"VALUES ('{READING_VERSION_FACT}', '{READING_VERSION}')",
)
"""What a new record knows of itself; that of a record that was made before stays."""

TRIGGERS = {**MESSAGE_TRIGGERS, **RAW_TRIGGERS, **CHANGE_TRIGGERS, **JOURNAL_TRIGGERS}
