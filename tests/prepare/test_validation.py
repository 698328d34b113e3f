from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orch_tui.errors import UsageError
from orch_tui.prepare.budget import Limits
from orch_tui.prepare.bundle import Bundle, ContextItem
from orch_tui.prepare.count import Count
from orch_tui.prepare.sources import SourceReader
from orch_tui.prepare.validation import check_bounds, find_cycles, validate_plan

SCOPE = "Implement vector search"


@pytest.fixture
def reader(tmp_path: Path) -> SourceReader:
    root = tmp_path / "project"
    root.mkdir()
    (root / "a.md").write_text("# A\nhello\n")
    return SourceReader(root, root)


def bundle(tokens: Count, *sources: str) -> Bundle:
    items = tuple(ContextItem("file", source, "required", (), None, tokens) for source in sources)
    return Bundle("bundle-001", "task-implementor", SCOPE, items, "sonnet", "")


def test_the_keys_of_the_older_script_come_first(reader: SourceReader) -> None:
    document = validate_plan(SCOPE, ["a.md"], ["A->B", "B->C"], reader=reader).to_dict()
    assert list(document)[:7] == [
        *("valid", "scope_defined", "context_files_exist", "dependencies_acyclic"),
        *("complexity_estimate", "warnings", "recommendations"),
    ]
    assert json.loads(json.dumps(document))["context_files_exist"] == [True]
    assert document["valid"] and document["dependencies_acyclic"]
    assert document["complexity_estimate"] == 1
    assert not document["warnings"] and not document["recommendations"]


def test_missing_files_are_named_rightly_among_blank_ones(reader: SourceReader) -> None:
    found = validate_plan(SCOPE, ["", "a.md", " ", "b.md"], reader=reader)
    assert (found.valid, found.context_files_exist) == (False, (True, False))
    assert found.recommendations == ("Locate missing files: b.md",)


def test_a_file_that_cannot_be_handed_over_is_a_warning(reader: SourceReader) -> None:
    (reader.root / "x.bin").write_bytes(b"\0")
    (reader.root / "lib").mkdir()
    found = validate_plan(SCOPE, ["x.bin", "lib", "a.md#Nope"], reader=reader)
    assert (found.valid, found.context_files_exist) == (True, (True, True, True))
    assert ["binary" in found.warnings[0], "folder" in found.warnings[1]] == [True, True]
    assert "nearest: A" in found.warnings[2]


@pytest.mark.parametrize(
    ("scope", "valid", "said"),
    [
        (" ", False, "Define the scope"),
        ("Fix it", True, "short (6 characters)"),
        ("x" * 501, True, "long (501 characters)"),
        ("one, two, three, four, five, six", True, "Split the 6 tasks"),
    ],
)
def test_scopes(reader: SourceReader, scope: str, valid: bool, said: str) -> None:
    found = validate_plan(scope, reader=reader)
    assert found.valid is valid
    assert found.scope_defined is valid
    assert said in " ".join((*found.warnings, *found.recommendations))


def test_cycles_among_dependencies_and_planned_agents_are_invalid(reader: SourceReader) -> None:
    found = validate_plan(SCOPE, (), ["A->B", "B -> A", "C->C"], reader=reader)
    assert (found.valid, found.dependencies_acyclic) == (False, False)
    assert found.cycles == (("A", "B"), ("C",))
    assert "cycle: A -> B -> A" in found.warnings
    planned = {"build": ["plan", "test"], "test": ["build"], "plan": []}
    assert validate_plan(SCOPE, reader=reader, planned=planned).cycles == (("build", "test"),)


def test_what_is_no_dependency_is_named(reader: SourceReader) -> None:
    found = validate_plan(SCOPE, (), ["A->B->C", "A,B", "A->", ""], reader=reader)
    assert found.valid
    assert found.warnings == (
        "'A,B' is no dependency: write A->B",
        "'A->' is no dependency: write A->B",
    )
    assert not validate_plan(SCOPE, (), ["A->B->A"], reader=reader).valid


def test_a_bundle_is_judged_by_the_upper_end_of_its_band(reader: SourceReader) -> None:
    estimate = bundle(Count(100, "x", 90, 110), "a.md")
    over = validate_plan(SCOPE, reader=reader, bundles=[estimate], limit_of=lambda b: 105)
    assert (over.valid, over.bundles_over_limit) == (False, ("bundle-001",))
    assert "105 fit" in over.recommendations[0]
    assert validate_plan(SCOPE, reader=reader, bundles=[estimate], limit_of=lambda b: 110).valid


def test_unknown_agents_and_files_outside_are_warnings(reader: SourceReader) -> None:
    outside = reader.root.parent / "notes.md"
    outside.write_text("x")
    found = validate_plan(
        SCOPE,
        ["../notes.md"],
        reader=reader,
        agent_types=["Explore", "task-implementer", "plugin:reviewer"],
        known_agents={"Explore", "task-implementor"},
        bundles=[bundle(Count(1, "x", 1, 1), "/etc/hosts")],
    )
    assert found.valid
    assert found.unknown_agent_types == ("task-implementer",)
    assert found.files_outside_project == (str(outside.resolve()), "/etc/hosts")
    assert len(found.warnings) == 3


EDGES = st.lists(st.tuples(st.sampled_from("ABCDE"), st.sampled_from("ABCDE")), max_size=12)


@given(EDGES)
def test_every_cycle_found_is_one_and_without_them_there_is_an_order(
    edges: list[tuple[str, str]],
) -> None:
    found = find_cycles(edges)
    for cycle in found:
        assert all(edge in edges for edge in zip(cycle, (*cycle[1:], cycle[0]), strict=True))
    left = set(edges)
    while leaves := {b for _, b in left} - {a for a, _ in left}:
        left = {(a, b) for a, b in left if b not in leaves}
    assert bool(found) == bool(left)


def test_a_long_chain_is_no_problem() -> None:
    chain = [(str(n), str(n + 1)) for n in range(5000)]
    assert find_cycles(chain) == []
    assert len(find_cycles([*chain, ("5000", "0")])[0]) == 5001


def bounds(reader: SourceReader, *files: str, limit: int, phase: int = 2) -> dict[str, object]:
    found = check_bounds(
        phase, files, reader=reader, family="o200k_base", limits=Limits(budget=limit)
    )
    return found.to_dict()


def test_bounds_have_the_keys_of_the_older_script(reader: SourceReader) -> None:
    document = bounds(reader, "a.md", limit=200_000)
    assert list(document)[:6] == [
        *("phase", "estimated_tokens", "token_limit", "percentage_used", "status"),
        "recommendations",
    ]
    assert "file_errors" not in document
    assert (document["status"], document["estimator"]) == ("ok", "o200k_base")


def test_status_follows_the_share_of_the_limit(reader: SourceReader) -> None:
    (reader.root / "b.txt").write_text("word " * 90)
    tokens = bounds(reader, "b.txt", limit=200_000)["estimated_tokens"]
    assert isinstance(tokens, int)
    for limit, status, advice in ((tokens * 2, "ok", 0), (tokens * 10 // 8, "warning", 1)):
        document = bounds(reader, "b.txt", limit=limit)
        assert (document["status"], len(document["recommendations"])) == (status, advice)  # type: ignore[arg-type]
    document = bounds(reader, "b.txt", limit=tokens)
    assert (document["status"], document["percentage_used"]) == ("critical", 100.0)


def test_missing_files_are_at_least_a_warning(reader: SourceReader) -> None:
    document = bounds(reader, "a.md", "nope.md", limit=200_000)
    assert (document["status"], document["file_errors"]) == (
        "warning",
        ("nope.md: does not exist",),
    )


def test_phases_end_at_five(reader: SourceReader) -> None:
    with pytest.raises(UsageError, match="phase 6"):
        bounds(reader, limit=10, phase=6)
