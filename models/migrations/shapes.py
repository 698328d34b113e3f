"""What a database is made of, beside what a script would make: for steps from shape to shape."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import closing
from functools import cache
from pathlib import Path
from typing import NamedTuple

from orch_tui.models.creation import split_statements


class Column(NamedTuple):
    """A column as ``PRAGMA table_info`` tells of it, and what it points to."""

    name: str
    type: str
    is_required: bool
    default: str | None
    """An SQL expression."""
    key_position: int
    """Its place in the primary key, from 1; 0: it is no part of it."""
    target: str | None
    """The table and column it references, in SQL."""

    def definition(self) -> str:
        """The column as ``ALTER TABLE ... ADD COLUMN`` takes it."""
        parts = [f'"{self.name}"', self.type]
        parts += ["NOT NULL"] if self.is_required else []
        parts += [f"DEFAULT ({self.default})"] if self.default is not None else []
        parts += [f"REFERENCES {self.target}"] if self.target else []
        return " ".join(parts)

    def can_be_added(self) -> bool:
        """Whether SQLite can add it to a table with rows (https://sqlite.org/lang_altertable.html)."""
        is_constant = self.default is None or re.fullmatch(r"-?[\d.]+|'[^']*'", self.default)
        return (
            not self.key_position
            and bool(is_constant)
            and not (self.is_required and self.default is None)
        )


class Part(NamedTuple):
    """An object of a schema: a table, index, trigger or view."""

    kind: str
    name: str
    table: str
    sql: str


class Shape(NamedTuple):
    """A schema: its parts in the order they are made, its tables with their columns."""

    parts: tuple[Part, ...]
    columns: Mapping[str, Mapping[str, Column]]


def parts_of(database: sqlite3.Connection) -> tuple[Part, ...]:
    """Read what an open database is made of; what SQLite makes for itself is left out."""
    found = database.execute(
        "SELECT type, name, tbl_name, sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY rowid"
    )
    return tuple(Part(*row) for row in found if not row[1].startswith("sqlite_"))


def named(parts: Iterable[Part], kind: str) -> dict[str, Part]:
    """The parts of one kind by name."""
    return {part.name: part for part in parts if part.kind == kind}


def columns_of(database: sqlite3.Connection, table: str) -> dict[str, Column]:
    """The columns of a table by name, in order."""
    targets = {
        name: f'"{other}" ("{column}")'
        for _, _, other, name, column, *_ in database.execute(
            f"PRAGMA foreign_key_list({quoted(table)})"
        )
    }
    return {
        name: Column(name, kind, bool(required), default, position, targets.get(name))
        for _, name, kind, required, default, position in database.execute(
            f"PRAGMA table_info({quoted(table)})"
        )
    }


@cache
def version_script(version: int) -> str:
    """The SQL that makes an empty record of a schema version."""
    return Path(__file__).with_name(f"version_{version}.sql").read_text("utf-8")


@cache
def version_shape(version: int) -> Shape:
    """The shape of a record of a schema version."""
    with closing(sqlite3.connect(":memory:")) as database:
        for statement in split_statements(version_script(version)):
            database.execute(statement)
        parts = parts_of(database)
        return Shape(parts, {name: columns_of(database, name) for name in named(parts, "table")})


def complete_tables(database: sqlite3.Connection, wanted: Shape) -> None:
    """Make the tables that are not there and add the columns that tables lack.

    A table is made anew where its key is another, or where SQLite cannot add a column. Expects
    that no trigger is left and foreign keys are not enforced.
    """
    held = named(parts_of(database), "table")
    for name, part in named(wanted.parts, "table").items():
        if name not in held:
            if not _is_made_by_another(name, wanted):
                database.execute(part.sql)
            continue
        have, want = columns_of(database, name), wanted.columns[name]
        missing = [column for column in want.values() if column.name not in have]
        keys = [[c.name for c in columns.values() if c.key_position] for columns in (have, want)]
        if keys[0] != keys[1] or not all(column.can_be_added() for column in missing):
            remake_table(
                database, part, {column: f'"{column}"' for column in have if column in want}
            )
        else:
            for column in missing:
                database.execute(f"ALTER TABLE {quoted(name)} ADD COLUMN {column.definition()}")


def _is_made_by_another(name: str, wanted: Shape) -> bool:
    """Whether a table is one that a virtual table keeps its rows in."""
    virtual = [p.name for p in wanted.parts if p.sql.upper().startswith("CREATE VIRTUAL")]
    return any(name.startswith(f"{each}_") for each in virtual)


def remake_table(database: sqlite3.Connection, part: Part, values: Mapping[str, str]) -> None:
    """Make a table anew with its rows: ``values`` are SQL expressions of the old columns, by the
    new column. Columns that are not named get their defaults."""
    older = set_aside(database, part)
    database.execute(
        f"INSERT INTO {quoted(part.name)} ({', '.join(map(quoted, values))}) "
        f"SELECT {', '.join(values.values())} FROM {older}"
    )
    database.execute(f"DROP TABLE {older}")


def set_aside(database: sqlite3.Connection, part: Part) -> str:
    """Make a table anew and empty; gives the name (quoted) of the one that has the rows."""
    older = quoted(f"older_{part.name}")
    database.execute(f"ALTER TABLE {quoted(part.name)} RENAME TO {older}")
    database.execute(part.sql)
    return older


def complete_indexes(
    database: sqlite3.Connection, wanted: Shape, former: Iterable[str] = ()
) -> None:
    """Make the indexes that are not there; drop ``former`` ones that are not wanted or are others
    now. Indexes of the user's stay."""
    indexes = named(wanted.parts, "index")
    ours = {*former, *indexes}
    for name, part in named(parts_of(database), "index").items():
        if name in ours and (name not in indexes or not same_sql(part.sql, indexes[name].sql)):
            database.execute(f"DROP INDEX {quoted(name)}")
    held = named(parts_of(database), "index")
    for name, part in indexes.items():
        if name not in held:
            database.execute(part.sql)


def same_sql(one: str, other: str) -> bool:
    """Whether two definitions differ in white space at most."""
    return " ".join(one.split()) == " ".join(other.split())


def quoted(name: str) -> str:
    """A name in SQL."""
    return '"' + name.replace('"', '""') + '"'
