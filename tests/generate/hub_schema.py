"""The tables of a hub as one SQL script, made from the models.

python -m tests.generate.hub_schema            # print it
python -m tests.generate.hub_schema --write    # write what ships (`make schema` does it)
"""

from __future__ import annotations

import sys
from typing import Any

from peewee import SchemaManager
from playhouse.postgres_ext import Psycopg3Database

from orch_tui.assets import asset
from orch_tui.models.hub_tables import HUB_TABLES, STATEMENTS
from tests.generate.schema import folded

SCRIPT = asset("hub.schema.sql")

HEAD = "-- The tables of a hub. Written by `make schema`; do not edit.\n"


def main() -> None:
    """Print the script, or write it with ``--write``."""
    if "--write" in sys.argv[1:]:
        SCRIPT.write_text(render_hub_schema(), "utf-8")
    else:
        print(render_hub_schema(), end="")


class _Listening(Psycopg3Database):  # type: ignore[misc]  # the stubs have no playhouse
    """Keeps what it is told to run."""

    def init(self, *args: Any, **kwargs: Any) -> None:
        super().init(*args, **kwargs)
        self.told: list[str] = []

    def execute(self, query: Any, *args: Any, **options: Any) -> None:
        sql, parameters = query.query()
        assert not parameters, sql
        self.told.append(sql)


def render_hub_schema() -> str:
    """Render the statements that make everything in an empty schema, in order."""
    listening = _Listening(None)
    for table in HUB_TABLES:
        SchemaManager(table, listening).create_all(safe=False)
    made = (statement.replace('"', "") for statement in listening.told)
    return HEAD + "\n".join(f"{folded(statement)};\n" for statement in (*made, *STATEMENTS))


if __name__ == "__main__":
    main()
