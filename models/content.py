"""Immutable bytes, stored once by SHA-256, and what was counted in them."""

from __future__ import annotations

from peewee import AutoField, BlobField, CompositeKey, IntegerField, TextField

from orch_tui.models.base import JsonField, Table, one_of


class Content(Table):
    """``encoding`` ``gone`` is the tombstone that redaction leaves."""

    content_id = AutoField()
    sha256 = BlobField(unique=True)
    size = IntegerField()
    encoding = TextField(constraints=[one_of("encoding", "raw", "zlib", "gone")])
    data = BlobField()

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

    ``sha256`` and ``size`` are of the whole, so that a replay can prove itself.
    """

    briefing_id = AutoField()
    sha256 = BlobField(unique=True)
    size = IntegerField()
    parts = JsonField()

    class Meta:
        table_name = "briefings"
