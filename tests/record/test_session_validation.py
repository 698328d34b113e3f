"""A session's plan is validated as it is recorded, and the answer is journaled."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from orch_tui.errors import NotFoundError
from orch_tui.models.database import Record
from orch_tui.prepare.budget import Limits
from orch_tui.prepare.bundle import Bundle, ContextItem
from orch_tui.prepare.catalogue import load_catalogue
from orch_tui.prepare.count import Count
from orch_tui.prepare.sources import SourceReader
from orch_tui.prepare.validation import Validation
from orch_tui.record import bundles, plan
from orch_tui.record.ledger.journal import list_journal
from orch_tui.record.session_validation import validate_session
from orch_tui.record.sessions import init_session


@pytest.fixture
def session(record: Record, tmp_path: Path) -> str:
    (tmp_path / "a.md").write_text("# A\n")
    return init_session(record, "Find the bug", project=str(tmp_path)).session_id


def validate(record: Record, session: str, root: Path, **given: Any) -> Validation:
    options = {"known_agents": ("Explore", "Plan"), **given}
    return validate_session(
        record,
        session,
        reader=SourceReader(root, root),
        catalogue=load_catalogue(),
        limits=Limits(),
        **options,
    )


def test_the_answer_is_given_and_journaled(record: Record, session: str, tmp_path: Path) -> None:
    answer = validate(record, session, tmp_path, context_files=["a.md", "b.md"])
    assert (answer.scope_defined, answer.context_files_exist) == (True, (True, False))
    entry = list_journal(record, session_id=session)[-1]
    assert (entry.action, entry.after["missing_files"]) == ("validate", ["b.md"])
    assert entry.after["valid"] is answer.valid is False


@pytest.mark.parametrize(("scope", "is_defined"), [(None, True), ("", False), ("Other", True)])
def test_the_scope_is_the_sessions_unless_one_is_given(
    record: Record, session: str, tmp_path: Path, scope: str | None, is_defined: bool
) -> None:
    assert validate(record, session, tmp_path, scope=scope).scope_defined is is_defined


def test_agents_that_wait_for_each_other_are_named_with_their_type(
    record: Record, session: str, tmp_path: Path
) -> None:
    for agent_type in ("Explore", "Plan"):
        plan.add_planned_agent(record, session, agent_type)
    plan.change_planned_agent(record, session, 2, waits_for=[1])
    assert validate(record, session, tmp_path).dependencies_acyclic
    with record.write():
        record.execute("INSERT INTO planned_waits VALUES (1, 2)")
    answer = validate(record, session, tmp_path)
    assert (answer.dependencies_acyclic, answer.valid) == (False, False)
    assert [set(cycle) for cycle in answer.cycles] == [{"1 Explore", "2 Plan"}]


def test_agent_types_that_nobody_knows_are_named(
    record: Record, session: str, tmp_path: Path
) -> None:
    for agent_type in ("Explore", "Nobody"):
        plan.add_planned_agent(record, session, agent_type)
    assert validate(record, session, tmp_path).unknown_agent_types == ("Nobody",)
    answer = validate(record, session, tmp_path, known_agents=("Explore", "Nobody"))
    assert answer.unknown_agent_types == ()


def test_bundles_of_the_session_are_held_against_the_limit_of_their_agent(
    record: Record, session: str, tmp_path: Path
) -> None:
    for bundle_id, tokens in (("small", 10), ("large", 10_000_000)):
        count = Count(tokens, "x", tokens, tokens)
        item = ContextItem("file", "a.md", "required", (), b"# A\n", count)
        made = Bundle(bundle_id, "Explore", "look", (item,), "haiku", "")
        bundles.save_bundle(record, made, session)
    answer = validate(record, session, tmp_path)
    assert len(answer.bundles_over_limit) == 1 and "large" in answer.bundles_over_limit[0]


def test_an_unknown_session_is_refused_and_nothing_is_journaled(
    record: Record, session: str, tmp_path: Path
) -> None:
    before = len(list_journal(record))
    with pytest.raises(NotFoundError):
        validate(record, f"{session}x", tmp_path)
    assert len(list_journal(record)) == before
