"""Looking a final message over: what is offered, what a person changes, what is then recorded."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orch_tui.errors import UsageError
from orch_tui.models.database import Record
from orch_tui.prepare.budget import Limits
from orch_tui.prepare.catalogue import load_catalogue
from orch_tui.record import outputs, sessions
from orch_tui.record.deployment import record_deployment
from orch_tui.record.messages.review import (
    Corrections,
    ReturnPreview,
    ReviewItem,
    list_recordable,
    make_return_arguments,
    preview_return,
)
from orch_tui.record.run_place import RunPlace
from orch_tui.record.run_return import record_return

DEPLOYED = "2026-11-22T10:00:00.000Z"
MESSAGE = """Done.

## Deliverables
- Created `lib/new.py`
- Modified `lib/old.py`
- Created `lib/gone.py`
- Created `.env`

## Validation
- tests: pass
- lint: fail

## Insights
- Postings lists compress well
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "lib").mkdir()
    for name, at in (("lib/new.py", 60), ("lib/old.py", -60), (".env", 60)):
        (tmp_path / name).write_text("x = 1\n")
        written = datetime.fromisoformat(DEPLOYED).timestamp() + at
        os.utime(tmp_path / name, (written, written))
    return tmp_path


def by_text(found: ReturnPreview, corrections: Corrections) -> dict[str, ReviewItem]:
    return {item.text: item for item in list_recordable(found, corrections)}


def test_what_is_there_is_wanted_and_what_is_not_is_named(root: Path) -> None:
    offered = by_text(preview_return(MESSAGE, RunPlace(root), DEPLOYED), Corrections())
    assert {
        text: (item.kind, item.wanted, item.state)
        for text, item in offered.items()
        if item.kind != "error"
    } == {
        "lib/new.py": ("deliverable", True, "changed"),
        "lib/old.py": ("deliverable", True, "unchanged"),
        "lib/gone.py": ("deliverable", False, "missing"),
        ".env": ("deliverable", False, "secret?"),
        "tests:pass": ("validation", True, ""),
        "lint:fail": ("validation", True, ""),
        "Postings lists compress well": ("insight", True, ""),
    }
    (trouble,) = [item for item in offered.values() if item.kind == "error"]
    assert trouble.state == "missing file" and not trouble.wanted and "lib/gone.py" in trouble.text


def test_without_the_time_of_deployment_nothing_is_said_to_have_changed(root: Path) -> None:
    assert (
        by_text(preview_return(MESSAGE, RunPlace(root), None), Corrections())["lib/new.py"].state
        == "there"
    )


def test_what_a_person_left_is_found_and_what_they_wrote_is_claimed(
    root: Path, record: Record
) -> None:
    session = sessions.init_session(record, "s", project=str(root))
    deployed = record_deployment(
        record, session.session_id, catalogue=load_catalogue(), limits=Limits(), agent_type="a"
    )
    found = preview_return(MESSAGE, RunPlace(root), DEPLOYED)
    offered = by_text(found, Corrections())
    corrections = (
        Corrections()
        .toggle(offered["lib/old.py"].key)
        .toggle(offered["lib/gone.py"].key)
        .rewrite(offered["lint:fail"].key, "lint:pass")
        .rewrite(offered["Postings lists compress well"].key, "Postings compress")
        .add("error", "it stopped early")
    )
    record_return(
        record,
        deployed.execution.execution_id,
        root=root,
        final_message=MESSAGE,
        **make_return_arguments(found, list_recordable(found, corrections)),
    )
    kept = {
        (o.output_type, o.path or o.text, o.found)
        for o in outputs.list_execution_outputs(record, deployed.execution.execution_id)
    }
    assert kept == {
        ("deliverable", "lib/new.py", True),
        ("deliverable", "lib/gone.py", False),
        ("validation_result", '{"tests": "pass"}', True),
        ("validation_result", '{"lint": "pass"}', False),
        ("insight", "Postings compress", False),
        ("error", "it stopped early", False),
    }


def test_corrections_outlive_an_edit_of_the_message(root: Path) -> None:
    before = by_text(preview_return(MESSAGE, RunPlace(root), DEPLOYED), Corrections())
    corrections = Corrections().toggle(before["lib/new.py"].key)
    edited = preview_return(
        MESSAGE.replace("Done.", "Done at last.\nAll of it."), RunPlace(root), DEPLOYED
    )
    assert not by_text(edited, corrections)["lib/new.py"].wanted


def test_a_validation_result_must_be_one(root: Path) -> None:
    with pytest.raises(UsageError, match="name:result"):
        Corrections().add("validation", "tests are fine")
    found = by_text(preview_return(MESSAGE, RunPlace(root), DEPLOYED), Corrections())
    with pytest.raises(UsageError, match="name:result"):
        Corrections().rewrite(found["tests:pass"].key, "fine")


@given(
    st.frozensets(st.text()),
    st.dictionaries(st.text(), st.text()),
    st.lists(st.tuples(st.sampled_from(("deliverable", "insight", "error")), st.text())),
)
def test_corrections_are_kept_as_they_are(
    toggled: frozenset[str], rewritten: dict[str, str], added: list[tuple[str, str]]
) -> None:
    corrections = Corrections(toggled, rewritten, tuple(added))  # type: ignore[arg-type]
    assert Corrections.loads(corrections.dumps()) == corrections


@pytest.mark.parametrize("text", ["", "[]", "{}", "{", '{"toggled": 1}', "null"])
def test_a_broken_draft_of_corrections_is_none(text: str) -> None:
    assert Corrections.loads(text) == Corrections()
