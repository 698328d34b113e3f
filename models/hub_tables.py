"""The tables of a hub: the PostgreSQL database in which the records of a team meet.

Peewee is for the definitions; ``make schema`` writes from them and from `STATEMENTS`, which say
what Peewee cannot express, the script that ``orch hub admin init`` runs
(``assets/hub.schema.sql``). Names are unqualified: the schema is that of the ``search_path``.
Rows are written and read with plain statements, not through the models. Nothing imports this
module where no hub is used.

What is in a hub is either truth (``origins``, ``statements``, ``log``, ``about``, ``contents``,
``briefings``, ``gone``), written once and never changed but by redaction, or derived from it by
whoever pushes (``runs``, ``run_texts``, ``search``, ``content_search``).
"""

from __future__ import annotations

import peewee
from peewee import (
    SQL,
    BigAutoField,
    BigIntegerField,
    BlobField,
    BooleanField,
    CompositeKey,
    DoubleField,
    ForeignKeyField,
    IntegerField,
    Model,
    SmallIntegerField,
    TextField,
)
from playhouse.postgres_ext import (
    DateTimeTZField,
    Psycopg3Database,
    TSVectorField,
)

from orch_tui.models.base import one_of
from orch_tui.models.values import HUB_VERSION

database = Psycopg3Database(None)
"""Of the models; whoever asks through them says where it is (``database.init``)."""


def _default(expression: str) -> list[peewee.Node]:
    return [SQL(f"DEFAULT {expression}")]


class NumberField(BigAutoField):
    """The number that PostgreSQL gives a row."""

    field_type = "BIGINT GENERATED ALWAYS AS IDENTITY"


class HubTable(Model):
    """A table of a hub."""

    class Meta:
        database = database
        legacy_table_names = False


class HubFacts(HubTable):
    """What the hub is: one row.

    A cursor belongs to ``uid``, not to an address. ``min_reader`` and ``min_writer`` are the
    least version of the schema that a client must know to read and to push.
    """

    one = BooleanField(primary_key=True, constraints=[*_default("true"), SQL("CHECK (one)")])
    uid = TextField(constraints=_default("gen_random_uuid()::text"))
    version = SmallIntegerField()
    min_reader = SmallIntegerField()
    min_writer = SmallIntegerField()
    made_at = DateTimeTZField(constraints=_default("now()"))

    class Meta:
        table_name = "hub"


class HubSecret(HubTable):
    """The key of recognition ids that are made of texts: one row, that only who pushes may read."""

    one = BooleanField(primary_key=True, constraints=[*_default("true"), SQL("CHECK (one)")])
    key = BlobField(
        constraints=_default("uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())")
    )

    class Meta:
        table_name = "hub_secret"


class HubOrigin(HubTable):
    """One life of one record on one machine; runs of CI share one.

    ``person`` is who PostgreSQL says pushed first: nobody may write it. ``declared`` is the
    ``user.name`` of git, ``name`` what stands in labels (``ann-laptop``) everywhere but on its own
    machine, ``sends`` the level, ``redactions`` how many of the hub this record has applied,
    ``retold`` how many times it told what it had stated more fully.
    """

    origin_id = NumberField()
    uid = TextField(unique=True)
    person = TextField(constraints=_default("session_user"))
    declared = TextField(null=True)
    machine = TextField()
    name = TextField(unique=True)
    client = TextField()
    began_at = DateTimeTZField(null=True)
    sends = SmallIntegerField(constraints=_default("0"))
    last_seq = BigIntegerField(constraints=_default("0"))
    redactions = BigIntegerField(constraints=_default("0"))
    retold = BigIntegerField(constraints=_default("0"))
    seen_at = DateTimeTZField(constraints=_default("now()"))

    class Meta:
        table_name = "origins"


class HubStatement(HubTable):
    """A statement as it was sent at a level, once, whoever said it.

    ``recognition`` is what it is known by wherever it is said, and at every level: of two levels
    the greater one counts. ``digest`` is the SHA-256 of the body, which is canonical JSON: as TEXT,
    since JSONB gives other bytes back and refuses what a payload may hold. A record and its copy
    may have been told the same at two times: of two bodies of one level the earlier time counts.
    Where it was ``redacted`` the body is another than was digested.
    """

    recognition = BlobField()
    level = SmallIntegerField(constraints=[SQL("CHECK (level BETWEEN 1 AND 3)")])
    digest = BlobField()
    kind = TextField()
    at = DateTimeTZField(null=True)
    body = TextField()
    redacted = BooleanField(constraints=_default("false"))

    class Meta:
        table_name = "statements"
        primary_key = CompositeKey("recognition", "level", "digest")
        constraints = (SQL("CHECK (redacted OR digest = sha256(convert_to(body, 'UTF8')))"),)


class HubLogEntry(HubTable):
    """That an origin stated something, and as its how-manieth statement: without a gap.

    No foreign key leads to the statement: what is forgotten leaves its place in the log, so that
    nobody pushes it again.
    """

    origin = ForeignKeyField(HubOrigin, column_name="origin_id", index=False)
    seq = BigIntegerField()
    recognition = BlobField()

    class Meta:
        table_name = "log"
        primary_key = CompositeKey("origin", "seq")
        indexes = ((("origin", "recognition"), True),)


class HubAbout(HubTable):
    """Which statements are about a key of a run: what is said of one run, whoever said it."""

    key = TextField()
    recognition = BlobField(index=True)

    class Meta:
        table_name = "about"
        primary_key = CompositeKey("key", "recognition")


class HubContent(HubTable):
    """The bytes of a text, packed by who pushed them. ``gone``: it was redacted or forgotten."""

    content_id = BigIntegerField(unique=True, constraints=[SQL("GENERATED ALWAYS AS IDENTITY")])
    sha256 = BlobField(primary_key=True)
    size = IntegerField()
    encoding = TextField(constraints=[one_of("encoding", "raw", "zlib", "gone")])
    data = BlobField(null=True)

    class Meta:
        table_name = "contents"
        constraints = (SQL("CHECK ((data IS NULL) = (encoding = 'gone'))"),)


class HubBriefing(HubTable):
    """What a run was handed: its parts as JSON, own text and names of contents by SHA-256."""

    sha256 = BlobField(primary_key=True)
    size = IntegerField()
    level = SmallIntegerField(constraints=[SQL("CHECK (level BETWEEN 1 AND 3)")])
    parts = TextField()

    class Meta:
        table_name = "briefings"


class HubGone(HubTable):
    """What was redacted: never taken again, whoever still has it.

    ``digest`` is the SHA-256 of a content or briefing, or the recognition id of a statement;
    ``replaced_by`` the content that stands in its place.
    """

    digest = BlobField(primary_key=True)
    kind = TextField(constraints=[one_of("kind", "content", "briefing", "statement")])
    replaced_by = BlobField(null=True)
    by = TextField(constraints=_default("session_user"))
    at = DateTimeTZField(constraints=_default("now()"))

    class Meta:
        table_name = "gone"


class HubRun(HubTable):
    """A run as the merge of one client derived it: narrow, so that insights read 200 bytes a run.

    ``uid`` is the least ``uid:`` key, ``label`` what its origin calls it, ``said`` the SHA-256 of
    its final message, ``made_of`` the hash of the statements it was made from, ``rules`` the
    version of the merge: a row of older rules never overwrites one of newer. ``went_well`` is
    NULL where that is open or in doubt; ``archived``: its session is.
    """

    run_id = NumberField()
    uid = TextField(unique=True)
    origin = ForeignKeyField(HubOrigin, column_name="origin_id", index=False)
    project = TextField(null=True)
    at = DateTimeTZField()
    completed_at = DateTimeTZField(null=True)
    person = TextField(constraints=_default("session_user"))
    machine = TextField()
    label = TextField()
    session = TextField(null=True)
    agent = TextField()
    status = TextField(null=True)
    ending = TextField(null=True)
    went_well = BooleanField(null=True)
    unverified = TextField(null=True)
    source = TextField(null=True)
    phase = SmallIntegerField(null=True)
    depth = SmallIntegerField(null=True)
    model = TextField(null=True)
    client_version = TextField(null=True)
    bundle_version = TextField(null=True)
    given_tokens = IntegerField(null=True)
    ambient_tokens = IntegerField(null=True)
    context_end_tokens = IntegerField(null=True)
    input_tokens = BigIntegerField(null=True)
    cache_write_tokens = BigIntegerField(null=True)
    cache_read_tokens = BigIntegerField(null=True)
    output_tokens = BigIntegerField(null=True)
    tool_calls = IntegerField(null=True)
    duration_ms = BigIntegerField(null=True)
    cost_usd = DoubleField(null=True)
    archived = BooleanField(constraints=_default("false"))
    retracted = BooleanField(constraints=_default("false"))
    said = BlobField(null=True)
    made_of = BlobField()
    rules = SmallIntegerField()

    class Meta:
        table_name = "runs"


class HubRunText(HubTable):
    """The texts of a run that lists show, apart from its figures.

    ``other`` are those that are searched beside them: outputs, sources, the name of its session,
    its briefing's own text.
    """

    run = ForeignKeyField(HubRun, column_name="run_id", primary_key=True, on_delete="CASCADE")
    scope = TextField(null=True)
    message = TextField(null=True)
    error = TextField(null=True)
    other = TextField(null=True)

    class Meta:
        table_name = "run_texts"


class HubSearch(HubTable):
    """What a run is found by; the client makes the vector from the words of orch's own index
    (`orch_tui.hub.search_rows`). ``archived``: its session is.

    Parted by month, so that the newest runs are looked through first. ``fastupdate`` would let
    the index grow without bound while nobody cleans it up.
    """

    run_id = BigIntegerField()
    at = DateTimeTZField()
    words = TSVectorField(index=False)
    archived = BooleanField(constraints=_default("false"))

    class Meta:
        table_name = "search"
        primary_key = CompositeKey("run_id", "at")
        table_settings = ("PARTITION BY RANGE (at)",)


class HubContentSearch(HubTable):
    """What a content is found by, for all runs that were given it: its hash is in their vectors."""

    sha256 = BlobField(primary_key=True)
    words = TSVectorField(index=False)

    class Meta:
        table_name = "content_search"


HUB_TABLES: tuple[type[HubTable], ...] = (
    HubFacts,
    HubSecret,
    HubOrigin,
    HubStatement,
    HubLogEntry,
    HubAbout,
    HubContent,
    HubBriefing,
    HubGone,
    HubRun,
    HubRunText,
    HubSearch,
    HubContentSearch,
)

STATEMENTS = (
    "ALTER TABLE contents ALTER data SET STORAGE EXTERNAL",  # it comes packed
    "CREATE INDEX runs_by_time ON runs (at DESC, run_id DESC)",
    "CREATE INDEX runs_of_project ON runs (project, at DESC, run_id DESC)",
    "CREATE INDEX search_by_words ON search USING gin (words) WITH (fastupdate = off)",
    "CREATE INDEX search_by_time ON search (at DESC, run_id DESC)",
    "CREATE INDEX content_search_by_words ON content_search USING gin (words) "
    "WITH (fastupdate = off)",
    "CREATE TABLE search_other PARTITION OF search DEFAULT",
    f"INSERT INTO hub (version, min_reader, min_writer) VALUES ({HUB_VERSION}, 1, 1)",
    "INSERT INTO hub_secret DEFAULT VALUES",
)
"""What the models cannot say, in order. Months are made by `orch_tui.hub.administration`; what is
of none of them is in ``search_other``."""
