"""What an execution produced: deliverables, validation results, insights, errors."""

from __future__ import annotations

from peewee import BooleanField, ForeignKeyField

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
)
from orch_tui.models.content import Content
from orch_tui.models.execution import AgentExecution
from orch_tui.models.values import OUTPUT_TYPES


class Output(Table):
    """``content`` is text or JSON; a deliverable's version is told by ``path`` and ``sha256``.

    ``uid`` tells the outputs of one run apart, in every record. ``revision`` counts the engine's
    writes, as that of a run does. ``found`` marks what was read out of a final message, not
    claimed by whoever recorded it.
    """

    output_id = AutoField()
    execution = ForeignKeyField(
        AgentExecution, column_name="execution_id", index=False, backref="outputs"
    )
    output_type = TextField(null=True, constraints=[one_of("output_type", *OUTPUT_TYPES)])
    content = TextField(null=True)
    created_at = created_at()
    metadata = JsonField(null=True)
    uid = TextField(constraints=default("lower(hex(randomblob(16)))"))
    found = BooleanField(constraints=default("0"))
    path = TextField(null=True, index=True)
    sha256 = TextField(null=True)
    size = IntegerField(null=True)
    stored = ForeignKeyField(
        Content, column_name="content_id", null=True, index=False, backref="outputs"
    )
    retracted_at = TimeField(null=True)
    revision = IntegerField(constraints=default("0"))

    execution_id: str
    content_id: int | None

    class Meta:
        table_name = "outputs"
        indexes = ((("created_at",), False), (("execution_id", "uid"), True))
