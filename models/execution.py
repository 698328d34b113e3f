"""Executions, what was observed of them, their returns and what they were given."""

from __future__ import annotations

from typing import TYPE_CHECKING

from peewee import SQL, BlobField, BooleanField, CompositeKey, ForeignKeyField

from orch_tui.models.base import (
    AutoField,
    FloatField,
    IntegerField,
    JsonField,
    PackedJsonField,
    Table,
    TextField,
    TimeField,
    created_at,
    default,
    one_of,
    uid,
)
from orch_tui.models.bundle import BundleVersion
from orch_tui.models.content import Briefing, Content
from orch_tui.models.origin import Origin
from orch_tui.models.session import PlannedAgent, Session
from orch_tui.models.values import ITEM_TYPES, NOW, PRIORITIES, SOURCES, STATES

if TYPE_CHECKING:
    from peewee import ModelSelect

    from orch_tui.models.output import Output


class AgentExecution(Table):
    """One deployment and what came of it: the sum of its observations.

    ``revision`` counts the engine's writes; a change that leaves it alone came from raw SQL and
    is turned into an observation by a trigger. ``briefing_id`` is what was planned to be handed
    over, ``handed_over_id`` what was. ``run_project`` is the key of the project it ran in,
    ``ran_in`` the session of Claude Code, ``worktree`` the linked worktree. ``ending`` says how it
    ended; ``transcript_path`` is a file of this machine; ``parent_key`` names the run that
    launched it, known here or not. ``origin_id`` is whose run it is, NULL where it was told of
    here.
    """

    execution_id = TextField(primary_key=True)
    session = ForeignKeyField(Session, column_name="session_id", backref="executions")
    agent_type = TextField()
    deployed_at = TimeField(null=True, constraints=default(NOW))
    completed_at = TimeField(null=True)
    status = TextField(null=True, constraints=[one_of("status", *STATES)])
    scope = TextField(null=True)
    context_token_count = IntegerField(null=True)
    model = TextField(null=True)
    final_message = TextField(null=True)
    success = BooleanField(null=True)
    error_message = TextField(null=True)
    error_code = TextField(null=True)
    uid = uid()
    source = TextField(constraints=[*default("'sql'"), one_of("source", *SOURCES)])
    phase = IntegerField(null=True, constraints=[SQL("CHECK (phase BETWEEN 1 AND 5)")])
    estimator = TextField(null=True)
    ambient_tokens = IntegerField(null=True)
    planned_agent = ForeignKeyField(
        PlannedAgent, column_name="planned_id", null=True, index=False, backref="executions"
    )
    bundle_version = ForeignKeyField(
        BundleVersion, column_name="bundle_version_id", null=True, backref="executions"
    )
    briefing = ForeignKeyField(
        Briefing, column_name="briefing_id", null=True, index=False, backref="executions"
    )
    tool_use_id = TextField(null=True)
    agent_id = TextField(null=True)
    parent = ForeignKeyField(
        "self", column_name="parent_execution_id", null=True, backref="children"
    )
    depth = IntegerField(null=True)
    resolved_model = TextField(null=True)
    context_end_tokens = IntegerField(null=True)
    input_tokens = IntegerField(null=True)
    cache_write_tokens = IntegerField(null=True)
    cache_read_tokens = IntegerField(null=True)
    output_tokens = IntegerField(null=True)
    tool_calls = IntegerField(null=True)
    duration_ms = IntegerField(null=True)
    cost_usd = FloatField(null=True)
    price_date = TextField(null=True)
    price_tier = TextField(null=True)
    unverified = TextField(null=True)
    retracted_at = TimeField(null=True)
    revision = IntegerField(constraints=default("0"))
    message = ForeignKeyField(
        Content, column_name="message_id", null=True, index=False, backref="executions"
    )
    handed_over = ForeignKeyField(
        Briefing, column_name="handed_over_id", null=True, index=False, backref="received_by"
    )
    worktree = TextField(null=True)
    run_project = TextField(null=True)
    ran_in = TextField(null=True)
    agent_name = TextField(null=True)
    agent_kind = TextField(null=True)
    workflow = TextField(null=True)
    workflow_run = TextField(null=True)
    workflow_phase = TextField(null=True)
    client_version = TextField(null=True)
    ending = TextField(null=True)
    transcript_path = TextField(null=True)
    parent_key = TextField(null=True)
    origin = ForeignKeyField(
        Origin, column_name="origin_id", null=True, index=False, backref="executions"
    )

    session_id: str
    planned_id: int | None
    bundle_version_id: int | None
    briefing_id: int | None
    parent_execution_id: str | None
    message_id: int | None
    handed_over_id: int | None
    origin_id: int | None
    children: ModelSelect[AgentExecution]
    keys: ModelSelect[ExecutionKey]
    observations: ModelSelect[Observation]
    completions: ModelSelect[Completion]
    allocations: ModelSelect[ContextAllocation]
    outputs: ModelSelect[Output]
    usage_messages: ModelSelect[UsageMessage]
    files: ModelSelect[ExecutionFile]
    told: ModelSelect[ToldMessage]

    class Meta:
        table_name = "agent_executions"


class ExecutionKey(Table):
    """Every name one execution is known by.

    ``id:exec-001`` (also the labels of executions that turned out to be the same one),
    ``uid:<uid>``, ``tool:<tool_use_id>``, ``call:<claude_session>/<tool_use_id>``,
    ``agent:<claude_session>/<agent_id>``. All but the labels mean the same in every record.
    """

    key = TextField(primary_key=True)
    execution = ForeignKeyField(AgentExecution, column_name="execution_id", backref="keys")

    execution_id: str

    class Meta:
        table_name = "execution_keys"
        without_rowid = True


class Observation(Table):
    """One immutable statement, recognised by ``digest``; ``record.ledger.statement`` has the kinds.

    ``about`` are the portable keys of the run that it names, ``payload`` is what it says, as JSON
    or that compressed. ``recorded_at`` is NULL where it is the time of ``at``. ``pending`` marks
    what raw SQL did and the merge has not seen yet.
    """

    observation_id = AutoField()
    digest = BlobField(unique=True)
    execution = ForeignKeyField(
        AgentExecution, column_name="execution_id", null=True, backref="observations"
    )
    kind = TextField()
    source = TextField(null=True, constraints=[one_of("source", *SOURCES)])
    at = TimeField(null=True)
    recorded_at = TimeField(null=True, constraints=default(NOW))
    actor = TextField(null=True)
    about = JsonField(null=True)
    payload = PackedJsonField()
    pending = BooleanField(constraints=default("0"))

    execution_id: str | None

    class Meta:
        table_name = "observations"


class Completion(Table):
    """One return of an execution, in order; derived by the merge."""

    completion_id = AutoField()
    execution = ForeignKeyField(
        AgentExecution, column_name="execution_id", index=False, backref="completions"
    )
    position = IntegerField()
    completed_at = TimeField(null=True)
    status = TextField(constraints=[one_of("status", "completed", "failed")])
    success = BooleanField()
    message = ForeignKeyField(
        Content, column_name="message_id", null=True, index=False, backref="completions"
    )
    error_message = TextField(null=True)
    error_code = TextField(null=True)
    source = TextField(constraints=[one_of("source", *SOURCES)])
    ending = TextField(null=True)

    execution_id: str
    message_id: int | None

    class Meta:
        table_name = "completions"
        indexes = ((("execution_id", "position"), True),)


class ContextAllocation(Table):
    """One context item as recorded for one execution; ``arrived`` says whether the agent got it."""

    allocation_id = AutoField()
    execution = ForeignKeyField(AgentExecution, column_name="execution_id", backref="allocations")
    context_type = TextField(null=True, constraints=[one_of("context_type", *ITEM_TYPES)])
    context_source = TextField(null=True)
    token_count = IntegerField(null=True)
    included_in_deployment = BooleanField(null=True)
    position = IntegerField(null=True)
    priority = TextField(null=True, constraints=[one_of("priority", *PRIORITIES)])
    sections = JsonField(null=True)
    estimator = TextField(null=True)
    token_low = IntegerField(null=True)
    token_high = IntegerField(null=True)
    content = ForeignKeyField(Content, column_name="content_id", null=True, backref="allocations")
    arrived = BooleanField(null=True)
    revision = IntegerField(constraints=default("0"))

    execution_id: str
    content_id: int | None

    class Meta:
        table_name = "context_allocations"


class ImportCheckpoint(Table):
    """How far a transcript has been read; ``state`` is what its reader had not yet told of.

    ``size`` and ``mtime_ns`` tell a file that is as it was by one stat; ``head`` (the SHA-256 of
    its first bytes) one that was replaced. ``note`` says why it was skipped, where it was.
    ``awaited_since`` is when a hook told that what writes the file is at its end: it is looked at
    again for a while. ``size`` is -1 of a file that was not read yet.
    """

    path = TextField(primary_key=True)
    size = IntegerField()
    mtime_ns = IntegerField()
    position = IntegerField()
    head = TextField(null=True)
    note = TextField(null=True)
    state = PackedJsonField(null=True)
    awaited_since = TimeField(null=True)
    read_at = created_at()

    class Meta:
        table_name = "import_checkpoints"


class UsageMessage(Table):
    """The usage of one model message as told of one execution.

    Copies of a transcript repeat a message: of all executions that claim it one is counted (see
    `record.usage`). ``at`` is when it was last written to, ``tool_calls`` how many tools it
    called, ``output_price`` USD per million tokens. A ``message_id`` that begins with ``result:``
    is a last message known only by the figures that came with the result.
    """

    message_id = TextField()
    execution = ForeignKeyField(
        AgentExecution, column_name="execution_id", backref="usage_messages"
    )
    at = TimeField(null=True)
    model = TextField(null=True)
    input_tokens = IntegerField()
    cache_write_tokens = IntegerField()
    cache_read_tokens = IntegerField()
    output_tokens = IntegerField()
    tool_calls = IntegerField(constraints=default("0"))
    cost_usd = FloatField(null=True)
    output_price = FloatField(null=True)
    price_date = TextField(null=True)
    price_tier = TextField(null=True)

    execution_id: str

    class Meta:
        table_name = "usage_messages"
        primary_key = CompositeKey("message_id", "execution")
        without_rowid = True


class ExecutionFile(Table):
    """A file that an execution read or wrote, and when it first did either.

    ``path`` as the record names it: relative to the project (or the worktree) where inside.
    """

    execution = ForeignKeyField(
        AgentExecution, column_name="execution_id", index=False, backref="files"
    )
    path = TextField()
    read_at = TimeField(null=True)
    written_at = TimeField(null=True)

    execution_id: str

    class Meta:
        table_name = "execution_files"
        primary_key = CompositeKey("execution", "path")
        without_rowid = True


class ToldMessage(Table):
    """Something that was said to an execution after its launch, in the order it was said."""

    execution = ForeignKeyField(
        AgentExecution, column_name="execution_id", index=False, backref="told"
    )
    position = IntegerField()
    at = TimeField(null=True)
    call = TextField(null=True)
    """The tool call that sent it."""
    content = ForeignKeyField(
        Content, column_name="content_id", null=True, index=False, backref="told_to"
    )

    execution_id: str
    content_id: int | None

    class Meta:
        table_name = "told"
        primary_key = CompositeKey("execution", "position")
        without_rowid = True


RAW_COLUMNS = (
    "session_id",
    "agent_type",
    "deployed_at",
    "completed_at",
    "status",
    "scope",
    "context_token_count",
    "model",
    "final_message",
    "success",
    "error_message",
)
"""What raw SQL may say of an execution: the columns of the original four-table schema."""


def _observe(event: str, when: str, changes: str, also: str = "") -> str:
    name = f"raw_execution_{event.split()[0].lower()}"
    return f"""CREATE TRIGGER {name} AFTER {event} ON agent_executions
WHEN {when}
BEGIN
  INSERT INTO observations (digest, execution_id, kind, source, at, payload, pending)
  VALUES (randomblob(32), NEW.execution_id, 'sql', 'sql', {NOW},
    {changes}, 1);{also}
END"""


def _changed_columns() -> str:
    """JSON of the columns an UPDATE really changed, and only those: as they are, as they were."""
    pairs = " UNION ALL ".join(
        f"SELECT '{column}' AS name, NEW.{column} AS new, OLD.{column} AS old"
        for column in RAW_COLUMNS
    )
    now, before = (
        f"(SELECT json_group_object(name, {which}) FROM ({pairs}) WHERE new IS NOT old)"
        for which in ("new", "old")
    )
    return f"json_object('now', json({now}), 'before', json({before}))"


RAW_TRIGGERS = {
    "raw_execution_insert": _observe(
        "INSERT",
        "NEW.revision = 0",
        "json_object('now', json_object("
        + ", ".join(f"'{c}', NEW.{c}" for c in RAW_COLUMNS)
        + "))",
        # no conflict clause: that of the statement that fires a trigger would overrule it
        "\n  INSERT INTO execution_keys (key, execution_id)\n"
        "  SELECT 'id:' || NEW.execution_id, NEW.execution_id WHERE NOT EXISTS "
        "(SELECT 1 FROM execution_keys WHERE key = 'id:' || NEW.execution_id);",
    ),
    "raw_execution_update": _observe(
        f"UPDATE OF {', '.join(RAW_COLUMNS)}", "NEW.revision = OLD.revision", _changed_columns()
    ),
}
"""Raw INSERT and UPDATE statements become observations, so that the merge keeps their word."""


def _note(table: str, event: str, subject: str, when: str = "", name: str = "") -> tuple[str, str]:
    """A trigger that notes a row which was changed."""
    name = name or f"note_{table}_{event.split()[0].lower()}"
    condition = f"\nWHEN {when}" if when else ""
    return (
        name,
        f"""CREATE TRIGGER {name} AFTER {event} ON {table}{condition}
BEGIN
  INSERT INTO changed_rows (subject) SELECT {subject};
END""",
    )


def _by_sql(table: str, kind: str) -> list[tuple[str, str]]:
    """Triggers that note what raw SQL did to rows the engine derives."""
    return [
        _note(table, "INSERT", f"'{kind}:' || NEW.execution_id", "NEW.revision = 0"),
        _note(table, "UPDATE", f"'{kind}:' || NEW.execution_id", "NEW.revision = OLD.revision"),
        _note(table, "DELETE", f"'{kind}:' || OLD.execution_id", "OLD.revision >= 0"),
    ]


def _edited(table: str, subject: str) -> list[tuple[str, str]]:
    """Triggers that note what is edited in place."""
    return [
        _note(table, event, subject.format(row="OLD" if event == "DELETE" else "NEW"))
        for event in ("INSERT", "UPDATE", "DELETE")
    ]


def _renamed(table: str, label: str) -> tuple[str, str]:
    """A trigger that notes a label which was changed, with the one before."""
    return _note(
        table,
        f"UPDATE OF {label}",
        f"'renamed:' || json_array('{table}', CAST(OLD.{label} AS TEXT), "
        f"CAST(NEW.{label} AS TEXT))",
        f"NEW.{label} IS NOT OLD.{label}",
        name=f"note_{table}_renamed",
    )


CHANGE_TRIGGERS = dict(
    _by_sql("outputs", "outputs")
    + _by_sql("context_allocations", "allocations")
    + _edited("sessions", "'session:' || {row}.uid")
    + _edited("planned_agents", "'planned:' || {row}.uid")
    + _edited(
        "planned_waits",
        "'planned:' || uid FROM planned_agents WHERE planned_id = {row}.planned_id",
    )
    + _edited("bundles", "'bundle:' || {row}.uid")
    + [
        _renamed("agent_executions", "execution_id"),
        _renamed("sessions", "session_id"),
        _renamed("bundles", "bundle_id"),
    ]
    + _edited("bundle_versions", "'version:' || {row}.uid")
    + _edited(
        "bundle_items", "'version:' || uid FROM bundle_versions WHERE version_id = {row}.version_id"
    )
)
"""Notes of what was changed, for ``record.ledger.raw_sql``."""
