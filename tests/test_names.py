"""A class or function is found by its name alone, a module says in a sentence what it is, and its
tests stand in a file of its name."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ENGINE = (
    "models/",
    "orch_tui/prepare/",
    "orch_tui/record/",
    "orch_tui/recall/",
    "orch_tui/live/",
    "orch_tui/search/",
    "orch_tui/hub/",
)

MIGRATIONS = "models/migrations/"
"""What a migration is made of is frozen, and has the same shape in each of them."""


TESTED = (
    "models/",
    "orch_tui/prepare/",
    "orch_tui/record/",
    "orch_tui/recall/",
    "orch_tui/search/",
    "orch_tui/hub/",
)

UNTESTED = {
    **dict.fromkeys(
        (
            "models/bundle.py",
            "models/content.py",
            "models/execution.py",
            "models/origin.py",
            "models/output.py",
            "models/session.py",
        ),
        "tables alone, which tests/models/test_schema.py holds against the shipped schema",
    ),
    "models/hub_tables.py": "tests/hub/test_hub_tables.py holds it against a database",
    "orch_tui/record/upkeep/export_format.py": "two constants, for who writes and who reads them",
}
"""Modules without a test file of their own name, with the reason."""


@cache
def modules() -> dict[str, ast.Module]:
    """Read the modules of the product, by path."""
    folders = ("orch_tui", "models", "screens")
    paths = (path for folder in folders for path in sorted((ROOT / folder).rglob("*.py")))
    return {path.relative_to(ROOT).as_posix(): ast.parse(path.read_text()) for path in paths}


def defined(kind: type[ast.ClassDef] | type[ast.FunctionDef]) -> Iterator[tuple[str, str]]:
    """Yield the public names of one kind at the top of each module, with its path."""
    for path, module in modules().items():
        if not path.startswith(MIGRATIONS):
            yield from (
                (node.name, path)
                for node in module.body
                if isinstance(node, kind) and not node.name.startswith("_")
            )


def repeated(names: Iterator[tuple[str, str]]) -> dict[str, list[str]]:
    places = defaultdict(list)
    for name, path in names:
        places[name].append(path)
    return {name: paths for name, paths in places.items() if len(paths) > 1}


@pytest.mark.slow
def test_a_class_has_its_name_for_itself() -> None:
    """But for a table's model, which is called as the value that the engine makes of its rows."""
    found = repeated(defined(ast.ClassDef))
    pairs = {
        name
        for name, paths in found.items()
        if len(paths) == 2 and sum(path.startswith("models/") for path in paths) == 1
    }
    assert not {name: paths for name, paths in found.items() if name not in pairs}


def test_a_function_of_the_engine_has_its_name_for_itself() -> None:
    in_engine = ((n, path) for n, path in defined(ast.FunctionDef) if path.startswith(ENGINE))
    assert not repeated(in_engine)


def test_a_function_of_the_record_is_called_by_what_it_does_and_to_what() -> None:
    """A verb alone does not say of what, where many modules store and load."""
    alone = [
        (name, path)
        for name, path in defined(ast.FunctionDef)
        if path.startswith("orch_tui/record/") and "_" not in name
    ]
    assert not alone


def test_a_module_begins_with_a_sentence() -> None:
    for path, module in modules().items():
        doc = ast.get_docstring(module) or ""
        first = doc.split("\n\n")[0]
        assert first.endswith((".", "``")), path


def test_a_module_of_the_engine_has_a_home_of_tests_its_name() -> None:
    """In the folder of its room: who changes a module knows which tests to run first."""
    without = {
        path
        for path in modules()
        if path.startswith(TESTED)
        and not path.startswith(MIGRATIONS)
        and not path.endswith("__init__.py")
        and not (ROOT / home_of_tests(path)).is_file()
    }
    assert without == set(UNTESTED)


def home_of_tests(path: str) -> str:
    room, *_, name = path.removeprefix("orch_tui/").split("/")
    return f"tests/{room}/test_{name}"
