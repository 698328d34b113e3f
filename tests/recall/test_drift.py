"""What a past execution was given beside the files as they are now."""

from __future__ import annotations

from pathlib import Path

import pytest

from orch_tui.api import OrchestrationSession
from orch_tui.errors import NotFoundError, OrchError
from orch_tui.prepare.bundle import Bundle
from orch_tui.prepare.sources import SourceReader
from orch_tui.project import Project
from orch_tui.recall.drift import Drift, find_drift, given_bundle, refresh_bundle

FAMILY = "o200k_base"


@pytest.fixture
def label(session: OrchestrationSession) -> str:
    """An execution that was given ``a.md``, a part of ``b.md``, and words of its own."""
    bundle = session.prepare_context("debugger", files=["a.md", "b.md#Beta"], texts=["Be brief."])
    return session.init_deployment(context_bundle=bundle).execution_id


def reader_of(project: Project) -> SourceReader:
    return SourceReader(cwd=project.root / "elsewhere", root=project.root)


def drift_of(project: Project, label: str) -> dict[str, Drift]:
    items = given_bundle(project.record, label).items
    found = find_drift(items, reader=reader_of(project), family=FAMILY)
    return {each.then.source: each for each in found}


def refreshed(project: Project, label: str) -> tuple[Bundle, list[str]]:
    bundle, found = refresh_bundle(project.record, label, reader=reader_of(project), family=FAMILY)
    return bundle, [each.state for each in found]


def test_files_as_they_were_are_unchanged(project: Project, label: str) -> None:
    found = drift_of(project, label)
    assert [*found] == ["a.md", "b.md"]  # words have no source that could change
    assert {(each.state, each.tokens, each.diff()) for each in found.values()} == {
        ("unchanged", 0, "")
    }
    bundle, _ = refreshed(project, label)
    assert bundle == given_bundle(project.record, label)


def test_what_changed_is_told_line_by_line_and_in_tokens(project: Project, label: str) -> None:
    (project.root / "a.md").write_text("# Alpha\n")
    with (project.root / "b.md").open("a") as file:
        file.write("and one more\n\n# Gamma\nnobody was given this\n")
    found = drift_of(project, label)
    assert {name: each.state for name, each in found.items()} == dict.fromkeys(found, "changed")
    assert found["a.md"].tokens < -100 and 0 < found["b.md"].tokens < 10
    assert found["a.md"].diff().startswith("--- a.md (given)\n+++ a.md (now)\n")
    assert [line for line in found["b.md"].diff().splitlines() if line[0] in "+-"] == [
        *("--- b.md (given)", "+++ b.md (now)", "+and one more", "+")
    ]


def test_what_cannot_be_taken_any_more_says_why(project: Project, label: str) -> None:
    (project.root / "a.md").unlink()
    (project.root / "b.md").write_text("# Other\n")
    found = drift_of(project, label)
    assert [(each.state, each.tokens, each.now) for each in found.values()] == [
        ("gone", 0, None),
        ("gone", 0, None),
    ]
    assert found["a.md"].reason == "does not exist"
    assert "Beta" in found["b.md"].reason
    row = found["a.md"].row()
    assert (row["state"], row["tokens_now"], row["reason"]) == ("gone", None, "does not exist")


def test_a_refreshed_bundle_is_the_next_version_and_keeps_what_is_gone(
    project: Project, label: str
) -> None:
    given = given_bundle(project.record, label)
    (project.root / "a.md").write_text("# Alpha, anew\n")
    (project.root / "b.md").unlink()
    bundle, states = refreshed(project, label)
    assert states == ["changed", "gone"]
    assert bundle.bundle_id == given.bundle_id
    kept = {item.source: item.data for item in given.items if item.source != "a.md"}
    assert {item.source: item.data for item in bundle.items} == kept | {"a.md": b"# Alpha, anew\n"}
    assert given_bundle(project.record, label) == given
    again, _ = refreshed(project, label)
    assert again.items == bundle.items
    assert project.record.value("SELECT count(*) FROM bundle_versions") == 2


def test_without_a_bundle_there_is_nothing_to_compare(
    project: Project, session: OrchestrationSession
) -> None:
    session.init_deployment("debugger")
    with pytest.raises(OrchError, match="exec-001 was given no bundle"):
        given_bundle(project.record, "exec-001")
    with pytest.raises(NotFoundError):
        given_bundle(project.record, "exec-009")


def test_another_folder_than_the_projects_changes_nothing(
    project: Project, label: str, tmp_path: Path
) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "a.md").write_text("a file of the same name\n")
    assert drift_of(project, label)["a.md"].state == "unchanged"
