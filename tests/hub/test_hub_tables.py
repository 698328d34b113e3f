"""The tables of a hub: on paper, in the models and in a database they are the same."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from orch_tui.assets import asset
from orch_tui.models.values import HUB_VERSION
from tests.hub.postgres import require_programs

if TYPE_CHECKING:
    from psycopg import Connection

    Connect = Callable[..., Connection[Any]]


def columns_of(hub: Connection[Any], table: str) -> list[str]:
    return [
        name
        for (name,) in hub.execute(
            "SELECT column_name FROM information_schema.columns "
            "WHERE table_schema = 'orch' AND table_name = %s ORDER BY ordinal_position",
            [table],
        )
    ]


def test_the_schema_file_is_what_the_models_say() -> None:
    require_programs()  # Peewee asks for psycopg
    from tests.generate.hub_schema import render_hub_schema

    assert asset("hub.schema.sql").read_text("utf-8") == render_hub_schema(), "run: make schema"


def test_a_hub_has_the_tables_of_the_models(connect: Connect) -> None:
    from orch_tui.models.hub_tables import HUB_TABLES, HubTable

    hub = connect()
    assert set(HubTable.__subclasses__()) == set(HUB_TABLES)
    for table in HUB_TABLES:
        fields = [field.column_name for field in table._meta.sorted_fields]
        assert columns_of(hub, table._meta.table_name) == fields
    facts = hub.execute("SELECT version, min_reader, min_writer, length(uid) FROM hub").fetchall()
    assert facts == [(HUB_VERSION, 1, 1, 36)]
    assert hub.execute("SELECT length(key) FROM hub_secret").fetchall() == [(32,)]


def test_the_models_read_and_write_a_hub(hub_address: Callable[[str], str]) -> None:
    from orch_tui.models.hub_tables import HubFacts, HubOrigin, database

    database.init(hub_address("ann"), options="-c search_path=orch")
    with database.connection_context():
        HubOrigin.insert(uid="o-1", machine="laptop", name="laptop", client="1").execute()
        assert [(o.person, o.last_seq) for o in HubOrigin.select()] == [("ann", 0)]
        assert HubFacts.get().version == 1


def test_a_body_is_what_its_digest_says(connect: Connect) -> None:
    from psycopg.errors import CheckViolation

    hub = connect()
    add = (
        "INSERT INTO statements (recognition, level, digest, kind, at, body, redacted) "
        "VALUES (%s, %s, %s, 'returned', now(), %s, %s)"
    )
    body = '{"message":"d\u00e9j\u00e0 vu \\u0000 \\ud800"}'
    digest = hashlib.sha256(body.encode()).digest()
    hub.execute(add, [b"a", 2, digest, body, False])
    with pytest.raises(CheckViolation):
        hub.execute(add, [b"b", 2, digest, body + " ", False])
    hub.execute(add, [b"b", 2, digest, "{}", True])
    hub.execute(add, [b"a", 3, digest, body, False])  # the same, sent more fully
