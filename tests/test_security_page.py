"""Each promise of the page on security names tests that are there."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1]


@cache
def list_tests(path: str) -> set[str]:
    tree = ast.parse((ROOT / path).read_text("utf-8"))
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return {node.name for node in tree.body if isinstance(node, kinds)}


def test_every_test_it_names_is_there() -> None:
    page = (ROOT / "docs" / "security.md").read_text("utf-8")
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", page)
    assert len(named) > 40
    assert [f"{path}::{name}" for path, name in named if name not in list_tests(path)] == []


def test_every_promise_names_one() -> None:
    page = (ROOT / "docs" / "security.md").read_text("utf-8")
    promises = re.findall(r"^\| (\w.+?) \| (.+) \|$", page.partition("## A repository")[2], re.M)
    without = [what for what, held in promises if "tests/" not in held and what != "promise"]
    assert without == []
