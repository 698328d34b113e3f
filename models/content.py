"""Immutable bytes, stored once by SHA-256, and what was counted in them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from peewee import BlobField, CompositeKey

from orch_tui.models.base import AutoField, IntegerField, PartsField, Table, TextField, one_of

if TYPE_CHECKING:
    from peewee import ModelSelect

    from orch_tui.models.bundle import BundleItem, BundleVersion
    from orch_tui.models.execution import (
        AgentExecution,
        Completion,
        ContextAllocation,
        ToldMessage,
    )
    from orch_tui.models.output import Output


class Content(Table):
    """``data`` by its ``encoding`` (see `models.stored_bytes`): as it is, compressed, the id of the
    run whose ``final_message`` it is, or ``gone``, the tombstone that redaction leaves."""

    content_id = AutoField()
    sha256 = BlobField(unique=True)
    size = IntegerField()
    encoding = TextField(constraints=[one_of("encoding", "raw", "zlib", "run", "gone")])
    data = BlobField()

    bundle_items: ModelSelect[BundleItem]
    executions: ModelSelect[AgentExecution]
    completions: ModelSelect[Completion]
    allocations: ModelSelect[ContextAllocation]
    outputs: ModelSelect[Output]
    told_to: ModelSelect[ToldMessage]

    class Meta:
        table_name = "contents"


class TokenCount(Table):
    """What one estimator counted in one content, kept also for contents that are not stored."""

    sha256 = BlobField()
    estimator = TextField()
    tokens = IntegerField()

    class Meta:
        table_name = "token_counts"
        primary_key = CompositeKey("sha256", "estimator")
        without_rowid = True


class Briefing(Table):
    """A rendered briefing as its parts: ``["text", literal]`` and ``["content", content_id]``.

    ``sha256`` and ``size`` are of the whole, so that a replay can prove itself. A single part
    ``["gone", briefing_id]`` is the tombstone that redaction leaves; it names what took its place.
    """

    briefing_id = AutoField()
    sha256 = BlobField(unique=True)
    size = IntegerField()
    parts = PartsField()

    bundle_versions: ModelSelect[BundleVersion]
    executions: ModelSelect[AgentExecution]
    received_by: ModelSelect[AgentExecution]

    class Meta:
        table_name = "briefings"
