"""The schema of the record as one SQL script, made from the models and the tables of the search.

python -m tests.generate.schema            # print it
python -m tests.generate.schema --write    # write what ships (`make schema` does it)
"""

from __future__ import annotations

import sys
from pathlib import Path

from peewee import SchemaManager, SqliteDatabase

from orch_tui.assets import asset
from orch_tui.models import migrations
from orch_tui.models.schema import FACTS, INDEXES, TABLES, TRIGGERS, VIEWS
from orch_tui.models.values import APPLICATION_ID, SCHEMA_VERSION
from orch_tui.search.schema import SEARCH_TABLES, SEARCH_TRIGGERS

SCRIPT = asset("execution_db.schema.sql")

STEP = Path(migrations.__file__).with_name(f"version_{SCHEMA_VERSION}.sql")
"""What the step to this version makes; those of older versions stay as they are."""

HEAD = "-- The record of orch. Written by `make schema`; do not edit.\n"


def main() -> None:
    """Print the script, or write it with ``--write``."""
    if "--write" in sys.argv[1:]:
        for script in (SCRIPT, STEP):
            script.write_text(render_schema(), "utf-8")
    else:
        print(render_schema(), end="")


def render_schema() -> str:
    """Render the statements that make everything in an empty database, in order."""
    with SqliteDatabase(":memory:") as database:
        for table in TABLES:
            SchemaManager(table, database).create_all(safe=False)
        made = database.execute_sql(
            "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY rowid"
        ).fetchall()
    statements = (
        f"PRAGMA application_id = {APPLICATION_ID}",
        f"PRAGMA user_version = {SCHEMA_VERSION}",
        *(sql for (sql,) in made),
        *INDEXES,
        *FACTS,
        *SEARCH_TABLES,
        *TRIGGERS.values(),
        *SEARCH_TRIGGERS.values(),
        *VIEWS,
    )
    return HEAD + "\n".join(f"{folded(statement)};\n" for statement in statements)


def folded(statement: str) -> str:
    """A CREATE TABLE with one column a line, for people who read the file."""
    if not statement.startswith("CREATE TABLE") or "(" not in statement:
        return statement
    opening = statement.index("(")
    depth, lines, start = 0, [], opening + 1
    for position in range(opening, len(statement)):
        depth += {"(": 1, ")": -1}.get(statement[position], 0)
        if (statement[position] == "," and depth == 1) or depth == 0:
            lines.append(statement[start:position].strip())
            start = position + 1
            if depth == 0:
                break
    return statement[: opening + 1] + "\n  " + ",\n  ".join(lines) + "\n)" + statement[start:]


if __name__ == "__main__":
    main()
