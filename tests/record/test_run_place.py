from __future__ import annotations

from pathlib import Path

import pytest

from orch_tui.models.database import Record
from orch_tui.record import executions, outputs
from orch_tui.record.run_place import MissingFile, RunPlace, find_run_place, note_worktree
from orch_tui.record.sessions import init_session
from tests.record.reporting import report
from tests.test_worktrees import git


def deploy(record: Record) -> str:
    init_session(record, "x", project="/p", session_id="s")
    with record.write():
        columns = {"session_id": "s", "agent_type": "Explore"}
        return report(record, "deployed", columns, source="manual")


@pytest.fixture
def main(tmp_path: Path) -> Path:
    """The project of the record: a repository with a linked worktree."""
    git(tmp_path, "init", "-q")
    git(tmp_path, "commit", "-q", "--allow-empty", "-m", "start")
    git(tmp_path, "worktree", "add", "-q", "trees/feat")
    for folder in ("lib", "sub", "trees/feat/lib"):
        (tmp_path / folder).mkdir()
    return tmp_path


def test_a_name_is_meant_from_where_one_stands_then_from_tree_and_root(main: Path) -> None:
    feat = main / "trees" / "feat"
    place = RunPlace(main, feat, cwd=main / "sub")
    assert place.place_path("a.py").file == main / "sub" / "a.py", "it is nowhere"
    for folder, name, tree in (
        (main, "a.py", None),
        (feat, "a.py", "trees/feat"),
        (main / "sub", "sub/a.py", None),
    ):
        (folder / "a.py").touch()
        placed = place.place_path("a.py")
        assert (placed.file, placed.name, placed.worktree) == (folder / "a.py", name, tree)
    assert place.place_claim("a.py").file == feat / "a.py", "a message means its agent's tree"
    assert place.place_name("a.py").file == feat / "a.py"


def test_what_is_missing_is_expected_where_its_folder_is(main: Path) -> None:
    place = RunPlace(main, cwd=main / "sub")
    assert place.place_path("lib/new.py").name == "lib/new.py"
    assert place.place_path("no/new.py").name == "sub/no/new.py"
    assert place.place_path("\0").name.endswith("\0")
    outside = str(main.parent / "elsewhere.py")
    placed = place.place_path(outside)
    assert (placed.name, placed.worktree) == (outside, None)


def test_what_is_missing_is_named_with_the_nearest(main: Path) -> None:
    (main / "lib" / "types.ts").touch()
    place = RunPlace(main, cwd=main)
    missing = place.find_missing(["lib/typs.ts", "lib/types.ts", "lib/typs.ts", "zzz", "lib"])
    assert missing == [MissingFile("lib/typs.ts", ("lib/types.ts",)), MissingFile("zzz", ())]
    assert [str(file) for file in missing] == [
        "lib/typs.ts is missing (nearest: lib/types.ts)",
        "zzz is missing",
    ]


def test_a_run_is_taken_to_work_where_people_stand_until_more_is_known(
    record: Record, main: Path
) -> None:
    feat = main / "trees" / "feat"
    label = deploy(record)
    execution = executions.get_execution(record, label)
    assert find_run_place(record, execution, main, feat).worktree == "trees/feat"
    assert find_run_place(record, execution, main, main).worktree is None
    note_worktree(record, execution, "trees/feat", "manual")
    execution = executions.get_execution(record, label)
    assert execution.worktree == "trees/feat"
    assert find_run_place(record, execution, main, main).tree == feat
    note_worktree(record, execution, "trees/other", "manual")
    assert executions.get_execution(record, label).worktree == "trees/feat"


def test_a_run_of_a_worktree_that_is_gone_is_in_no_other(record: Record, main: Path) -> None:
    label = deploy(record)
    before = record.value("SELECT count(*) FROM observations")
    note_worktree(record, executions.get_execution(record, label), None, "manual")
    assert record.value("SELECT count(*) FROM observations") == before, "nothing is known"
    note_worktree(record, executions.get_execution(record, label), "trees/gone", "manual")
    execution = executions.get_execution(record, label)
    place = find_run_place(record, execution, main, main / "trees" / "feat")
    assert (place.tree, place.is_gone) == (None, True)


def test_a_message_may_mean_a_file_that_the_run_is_known_to_have_made(
    record: Record, main: Path
) -> None:
    label = deploy(record)
    (main / "sub" / "own.py").touch()
    outputs.collect_outputs(record, label, root=main, deliverable_paths=["sub/own.py"])
    place = find_run_place(record, executions.get_execution(record, label), main)
    assert place.place_claim("own.py").name == "sub/own.py"
    assert place.place_claim("wn.py").name == "wn.py"
    (main / "own.py").touch()
    assert place.place_claim("own.py").name == "own.py", "it is there under that very name"
    assert place.place_claim("/own.py").name == "/own.py"


def test_a_worktree_that_a_record_from_elsewhere_names_is_not_looked_into(
    record: Record, main: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    stranger = tmp_path_factory.mktemp("stranger")
    label = deploy(record)
    note_worktree(record, executions.get_execution(record, label), str(stranger), "manual")
    place = find_run_place(record, executions.get_execution(record, label), main, main)
    assert place.tree is None
