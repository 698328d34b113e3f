"""Bundles: the context prepared for one agent, in versions of ordered items."""

from __future__ import annotations

from peewee import SQL, AutoField, ForeignKeyField, IntegerField, TextField

from orch_tui.models.base import JsonField, Table, TimeField, created_at, one_of, uid
from orch_tui.models.content import Briefing, Content
from orch_tui.models.origin import Origin
from orch_tui.models.values import ITEM_TYPES, PRIORITIES


class Bundle(Table):
    """``session_id`` is no foreign key: a bundle may be prepared before its session exists."""

    bundle_id = TextField(primary_key=True)
    session_id = TextField(null=True, index=True)
    name = TextField(null=True)
    created_at = created_at()
    removed_at = TimeField(null=True)
    uid = uid()
    origin_id = ForeignKeyField(Origin, column_name="origin_id", null=True, index=False)

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
    bundle_id = ForeignKeyField(Bundle, column_name="bundle_id", index=False)
    version = IntegerField()
    agent_type = TextField()
    scope = TextField()
    model = TextField(null=True)
    briefing_id = ForeignKeyField(Briefing, column_name="briefing_id", null=True, index=False)
    created_at = created_at()
    uid = uid()
    frame_tokens = IntegerField(null=True)
    template_tokens = IntegerField(null=True)
    shared_tokens = IntegerField(null=True)

    class Meta:
        table_name = "bundle_versions"
        indexes = ((("bundle_id", "version"), True),)


class BundleItem(Table):
    """One context item.

    ``content_id`` is NULL where only the figures of an item are known (a foreign bundle file);
    ``token_count`` is the best figure when the version was made, with its estimator and band;
    ``text_encoding`` that of the file, where it is not UTF-8.
    """

    item_id = AutoField()
    version_id = ForeignKeyField(BundleVersion, column_name="version_id", index=False)
    position = IntegerField()
    type = TextField(constraints=[one_of("type", *ITEM_TYPES)])
    source = TextField()
    sections = JsonField(null=True)
    priority = TextField(constraints=[one_of("priority", *PRIORITIES)])
    content_id = ForeignKeyField(Content, column_name="content_id", null=True)
    token_count = IntegerField()
    token_low = IntegerField()
    token_high = IntegerField()
    estimator = TextField()
    shared_with = JsonField(null=True)
    text_encoding = TextField(null=True)

    class Meta:
        table_name = "bundle_items"
        indexes = ((("version_id", "position"), True),)
        constraints = [SQL("CHECK (token_low <= token_high)")]
