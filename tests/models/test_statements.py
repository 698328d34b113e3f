"""Every SQL statement in the code fits the tables, also one that no test runs."""

from __future__ import annotations

import ast
import re
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from itertools import islice, product
from pathlib import Path
from typing import Any

import pytest

import orch_tui
from orch_tui.models.database import Record
from orch_tui.models.schema import TABLES

ROOT = Path(orch_tui.__file__).parent
BEGINNING = re.compile(r"\s*(SELECT|INSERT INTO|INSERT OR|UPDATE(?! OF)|DELETE FROM|WITH)\s")
NAMED_HOLE = re.compile(r"\{\w+\}")
"""Where ``str.format`` puts something."""
PARAMETER = re.compile(r"\?\d*")
INDEX_ASKED = re.compile(r"(?:SEARCH .* USING (?:COVERING )?|SCAN .* USING )INDEX (\w+)")
ABOUT_OTHERS = (
    "assets/",  # scripts that run elsewhere
    "hub/",  # mostly for PostgreSQL, which compiles them in the tests of the hub
    "models/migrations/",  # older tables
    "models/execution.py",  # bodies of triggers, which have a test of their own
    "search/schema.py",
)
FRAGMENTS = (
    *("1", "", "execution_id", "execution_id = ?", "(?)", ", ?", "session_id", "WHERE 1"),
    *("sessions", "agent_executions", "outputs", "contents", "search_docs AS d"),
    *("SELECT 1", "SELECT 1 AS name, 1 AS went_well", "FROM agent_executions", "AND 1"),
    "SELECT *, rowid AS number FROM sessions",
)
"""What is tried where a statement takes in what only a run knows; nearly any of them may do."""
WITHIN = ("{}", "SELECT EXISTS ({}) FROM search_docs AS d")
"""Where a statement stands: alone, or in one about the documents of the search."""


ASKS_ONLY = (
    *(ast.Name, ast.Attribute, ast.Subscript, ast.Slice, ast.BinOp, ast.UnaryOp, ast.Constant),
    *(ast.JoinedStr, ast.FormattedValue, ast.Tuple, ast.List, ast.Dict, ast.Starred),
    *(ast.GeneratorExp, ast.ListComp, ast.comprehension),
    *(ast.expr_context, ast.operator, ast.unaryop),
)
"""Expressions that may be evaluated here, besides calls of a few functions."""


@dataclass(frozen=True, slots=True)
class Statement:
    place: str
    parts: tuple[str | None, ...]
    """Its text; None where only a run knows it."""


def find_statements() -> Iterator[Statement]:
    """The string literals of the code that begin like a statement, joined to what follows."""
    for path in sorted(ROOT.rglob("*.py")):
        name = path.relative_to(ROOT).as_posix()
        text = path.read_text("utf-8")
        if name.startswith(ABOUT_OTHERS) or not BEGINNING.search(text):
            continue
        module = import_module("orch_tui." + name.removesuffix(".py").replace("/", "."))
        yield from statements_in(ast.parse(text), name, dict(vars(module)))


def statements_in(node: ast.AST, name: str, known: dict[str, Any]) -> Iterator[Statement]:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        known = known | values_of_names(node, known)
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return  # a docstring
    parts = tuple(parts_of(node, known))
    if parts and BEGINNING.match(parts[0] or ""):
        yield Statement(f"{name}:{getattr(node, 'lineno', 0)}", parts)
        return
    for child in ast.iter_child_nodes(node):
        yield from statements_in(child, name, known)


def values_of_names(function: ast.AST, known: Mapping[str, Any]) -> dict[str, Any]:
    """What the names of a function are that are set once, to what needs no run."""
    found: dict[str, Any] = {}
    sets = [node for node in ast.walk(function) if isinstance(node, ast.Assign)]
    names = [set_.targets[0].id for set_ in sets if isinstance(set_.targets[0], ast.Name)]
    for set_ in sorted(sets, key=lambda node: node.lineno):
        target = set_.targets[0]
        if isinstance(target, ast.Name) and names.count(target.id) == 1:
            value = value_of(set_.value, {**known, **found})
            if value is not None:
                found[target.id] = value
    return found


def value_of(node: ast.expr, known: dict[str, Any]) -> Any:
    """The value of an expression; None where only a run knows it."""
    for inner in ast.walk(node):
        if isinstance(inner, ast.Call):
            called = inner.func
            name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
            if name not in ("join", "split", "format", "len", "columns", "fields", "replace"):
                return None
        elif not isinstance(inner, ASKS_ONLY):
            return None
    try:
        return eval(compile(ast.Expression(node), "part of a statement", "eval"), known)
    except (NameError, TypeError, AttributeError, KeyError, ValueError):
        return None


def parts_of(node: ast.AST, known: dict[str, Any]) -> Iterator[str | None]:
    """The text of a literal, or of literals that are added; empty for what is neither."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        first, *others = NAMED_HOLE.split(node.value)
        yield first
        for other in others:
            yield from (None, other)
    elif isinstance(node, ast.JoinedStr):
        for piece in node.values:
            if isinstance(piece, ast.FormattedValue):
                value = value_of(piece.value, known)
                yield None if value is None else str(value)
            elif isinstance(piece, ast.Constant):
                yield str(piece.value)
    elif (
        isinstance(node, ast.BinOp)
        and isinstance(node.op, ast.Add)
        and (left := tuple(parts_of(node.left, known)))
    ):
        yield from left
        yield from tuple(parts_of(node.right, known)) or (None,)


def problem_of(connection: sqlite3.Connection, text: str) -> str | None:
    """Why SQLite cannot compile a statement; parameters are missed only after that."""
    try:
        connection.execute(f"EXPLAIN {text}")
    except sqlite3.ProgrammingError as error:
        return None if "binding" in str(error) else str(error)
    except sqlite3.Error as error:
        return str(error)
    return None


def filled(statement: Statement) -> Iterator[str]:
    """The statement with each of the fragments where something is missing."""
    for fragments in product(FRAGMENTS, repeat=statement.parts.count(None)):
        fragment = iter(fragments)
        yield "".join(next(fragment) if part is None else part for part in statement.parts)


def compiled(connection: sqlite3.Connection, statement: Statement) -> str:
    """The statement as SQLite can compile it."""
    problems = []
    for text in filled(statement):
        for within in WITHIN:
            problem = problem_of(connection, within.format(text))
            if problem is None:
                return text
            problems.append(problem)
    raise AssertionError(f"{statement.place}: {problems[0]}: {statement.parts}")


@pytest.mark.slow
def test_every_statement_fits_the_tables(record: Record) -> None:
    found = list(find_statements())
    assert len(found) > 300, "the search for statements has gone blind"
    (chosen,) = (each for each in found if (each.parts[0] or "").startswith("WITH chosen AS"))
    whole = Statement(
        chosen.place, (*chosen.parts[:-1], "SELECT *, 1 AS attempt, 1 AS run FROM chosen")
    )
    # the relation that the queries of `recall.insights` are put behind
    record.execute(f"CREATE TEMP TABLE chosen AS {compiled(record.connection, whole)}")
    for statement in found:
        compiled(record.connection, statement)


OF_TRIGGERS = {"search_docs_message", "search_docs_briefing"}
"""Indexes that the bodies of triggers ask."""


@pytest.mark.slow
def test_every_index_serves_a_statement(record: Record) -> None:
    """One that nothing asks costs each write, and room."""
    asked: set[str] = set()
    for statement in find_statements():
        for text in islice(filled(statement), 400):
            with suppress(sqlite3.Error):
                plan = record.connection.execute(f"EXPLAIN QUERY PLAN {PARAMETER.sub('1', text)}")
                asked |= {name for *_, step in plan for name in INDEX_ASKED.findall(step)}
    held = record.sql(
        "SELECT name FROM sqlite_schema WHERE type = 'index' AND sql NOT LIKE 'CREATE UNIQUE%'"
    )
    assert {name for (name,) in held} - asked == OF_TRIGGERS


@pytest.mark.parametrize("wrong", ["SELECT scope FROM session", "SELECT scoop FROM sessions"])
def test_a_statement_that_does_not_fit_is_found(record: Record, wrong: str) -> None:
    """Or the test above would prove nothing."""
    (statement,) = statements_in(
        ast.parse(f"record.sql({wrong + ' WHERE '!r} + condition)"), "", {}
    )
    with pytest.raises(AssertionError):
        compiled(record.connection, statement)


def test_what_triggers_do_fits_the_tables(record: Record) -> None:
    """SQLite compiles their bodies with the statement that fires them, no earlier."""
    for table in TABLES:
        name = table._meta.table_name
        columns = [field.column_name for field in table._meta.sorted_fields]
        assigned = ", ".join(f"{column} = ?" for column in columns)
        for statement in (
            f"INSERT INTO {name} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})",
            f"UPDATE {name} SET {assigned}",
            f"DELETE FROM {name}",
        ):
            assert problem_of(record.connection, statement) is None
