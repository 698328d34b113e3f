"""Bundles: the context prepared for one agent, in versions of ordered items."""

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
    one_of,
    uid,
)
from orch_tui.models.content import Briefing, Content
from orch_tui.models.origin import Origin
from orch_tui.models.values import ITEM_TYPES, PRIORITIES

if TYPE_CHECKING:
    from peewee import ModelSelect

    from orch_tui.models.execution import AgentExecution
    from orch_tui.models.session import PlannedAgent


class Bundle(Table):
    """``session_id`` is no foreign key: a bundle may be prepared before its session exists."""

    bundle_id = TextField(primary_key=True)
    session_id = TextField(null=True, index=True)
    name = TextField(null=True)
    created_at = created_at()
    removed_at = TimeField(null=True)
    uid = uid()
    origin = ForeignKeyField(
        Origin, column_name="origin_id", null=True, index=False, backref="bundles"
    )

    origin_id: int | None
    versions: ModelSelect[BundleVersion]
    planned_agents: ModelSelect[PlannedAgent]

    class Meta:
        table_name = "bundles"


class BundleVersion(Table):
    """One state of a bundle. Frozen once an execution points at it.

    ``briefing_id`` is the briefing last generated from it; a deployment hands over that one.
    ``frame_tokens`` and ``template_tokens`` are what it holds besides its items, ``shared_tokens``
    what is added if its agent reads the shared document. ``version`` is a label: another machine
    may have made another of that number.
    """

    version_id = AutoField()
    bundle = ForeignKeyField(Bundle, column_name="bundle_id", index=False, backref="versions")
    version = IntegerField()
    agent_type = TextField()
    scope = TextField()
    model = TextField(null=True)
    briefing = ForeignKeyField(
        Briefing, column_name="briefing_id", null=True, index=False, backref="bundle_versions"
    )
    created_at = created_at()
    uid = uid()
    frame_tokens = IntegerField(null=True)
    template_tokens = IntegerField(null=True)
    shared_tokens = IntegerField(null=True)

    bundle_id: str
    briefing_id: int | None
    items: ModelSelect[BundleItem]
    executions: ModelSelect[AgentExecution]

    class Meta:
        table_name = "bundle_versions"
        indexes = ((("bundle_id", "version"), True),)


class BundleItem(Table):
    """One context item.

    ``content_id`` is NULL where only the figures of an item are known (a foreign bundle file);
    ``token_count`` is the best figure when the version was made, with its estimator and band;
    ``text_encoding`` that of the file, where it is not UTF-8.
    """

    version = ForeignKeyField(BundleVersion, column_name="version_id", index=False, backref="items")
    position = IntegerField()
    type = TextField(constraints=[one_of("type", *ITEM_TYPES)])
    source = TextField()
    sections = JsonField(null=True)
    priority = TextField(constraints=[one_of("priority", *PRIORITIES)])
    content = ForeignKeyField(
        Content, column_name="content_id", null=True, index=False, backref="bundle_items"
    )
    token_count = IntegerField()
    token_low = IntegerField()
    token_high = IntegerField()
    estimator = TextField()
    shared_with = JsonField(null=True)
    text_encoding = TextField(null=True)

    version_id: int
    content_id: int | None

    class Meta:
        table_name = "bundle_items"
        primary_key = CompositeKey("version", "position")
        without_rowid = True
        constraints = [SQL("CHECK (token_low <= token_high)")]
