from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from orch_tui.models.database import Record
from orch_tui.models.facts import get_fact, set_fact
from orch_tui.record import own_projects
from orch_tui.record.claude_sessions import ensure_claude_session
from orch_tui.record.ledger.project_keys import note_other_project
from orch_tui.record.own_projects import is_own_run, list_own_projects, name_run_project
from orch_tui.record.sessions import init_session
from tests.record.reporting import report


@pytest.fixture(autouse=True)
def nothing_remembered() -> None:
    own_projects._root_of.cache_clear()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path  # it has .claude, with the record


def project_at(folder: Path) -> Path:
    (folder / ".claude").mkdir(parents=True)
    return folder


def opened(record: Record, project: Path | str) -> None:
    init_session(record, "x", project=str(project))


def with_remote(folder: Path, url: str) -> None:
    subprocess.run(["git", "init", "-q"], cwd=folder, check=True)
    subprocess.run(["git", "remote", "add", "origin", url], cwd=folder, check=True)


def test_where_all_sessions_are_of_the_project_none_is_left_out(record: Record, root: Path) -> None:
    opened(record, root)
    assert list_own_projects(record, root, is_shared=False) is None
    assert list_own_projects(record, root, is_shared=True) == (str(root),)


def test_sessions_of_another_project_that_is_there_are_not_its_own(
    record: Record, root: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    other = project_at(tmp_path_factory.mktemp("other") / "project")
    for project in (root, other, root / "sub", "/gone/elsewhere"):
        opened(record, project)
    (root / "sub").mkdir()
    own = {str(root), str(root / "sub"), "/gone/elsewhere"}
    assert set(list_own_projects(record, root, is_shared=False) or ()) == own
    assert set(list_own_projects(record, root, is_shared=True) or ()) == own - {"/gone/elsewhere"}
    assert set(list_own_projects(record, other, is_shared=True) or ()) == {str(other)}


def test_a_record_that_was_copied_here_keeps_its_sessions_beside_new_ones(
    record: Record, root: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    other = project_at(tmp_path_factory.mktemp("other") / "project")
    opened(record, other)
    assert list_own_projects(record, root, is_shared=False) is None
    assert list_own_projects(record, root, is_shared=True) == (str(root),)
    opened(record, root)
    assert list_own_projects(record, root, is_shared=False) is None
    third = project_at(tmp_path_factory.mktemp("third") / "project")
    opened(record, third)
    assert list_own_projects(record, root, is_shared=False) == tuple(
        sorted((str(root), str(other)))
    )


def test_what_only_imports_fill_is_of_no_project_before_it(
    record: Record, root: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    other = project_at(tmp_path_factory.mktemp("other") / "project")
    with record.write():
        ensure_claude_session(record, "c1", project=str(other), started_at="2026-11-22")
    assert list_own_projects(record, root, is_shared=False) is None
    opened(record, root)
    assert list_own_projects(record, root, is_shared=False) == (str(root),)


def test_of_folders_that_are_gone_the_remote_tells_whose_they_were(
    record: Record, root: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    machine = tmp_path_factory.mktemp("machine")
    for name, url in (("same", "git@host:us/app.git"), ("another", "git@host:us/tool.git")):
        (machine / name).mkdir()
        with_remote(machine / name, url)
        opened(record, machine / name)
        (machine / name).rename(machine / f"{name}-moved")
    with_remote(root, "https://host/us/app")
    opened(record, root)
    for is_shared in (False, True):
        own = list_own_projects(record, root, is_shared=is_shared) or ()
        assert set(own) == {str(root), str(machine / "same")}


def test_a_name_that_is_no_folder_is_of_the_record_it_is_in(record: Record, root: Path) -> None:
    opened(record, root)
    with record.write():
        record.execute("UPDATE sessions SET project = NULL")
    assert list_own_projects(record, root, is_shared=False) is None


def test_whose_record_it_was_is_noted_once(
    record: Record, root: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    other = project_at(tmp_path_factory.mktemp("other") / "project")
    third = project_at(tmp_path_factory.mktemp("third") / "project")
    for project in (other, other, root, third):
        opened(record, project)
    own = tuple(sorted((str(root), str(other))))
    assert list_own_projects(record, root, is_shared=False) == own
    with record.write():
        record.execute("UPDATE sessions SET project = ? WHERE rowid = 1", [str(third)])
    written = record.value("SELECT total_changes()")
    assert list_own_projects(record, root, is_shared=False) == own
    assert record.value("SELECT total_changes()") == written


def test_what_many_sessions_say_is_noted(record: Record, root: Path) -> None:
    assert list_own_projects(record, root, is_shared=True) == (str(root),), "nobody said anything"
    opened(record, root)
    (root / "sub").mkdir()
    copies = "INSERT INTO sessions (session_id, scope, project, project_key, created_at) "
    copies += "SELECT value, scope, ?, iif(value % 2, project_key, NULL), created_at "
    copies += "FROM sessions, json_each(?) WHERE sessions.rowid = 1"
    own = tuple(sorted((str(root), str(root / "sub"))))
    for numbers, noted in ((range(2, 201), None), (range(201, 202), 201)):
        with record.write():
            record.execute(copies, [str(root / "sub"), json.dumps([*numbers])])
        with Record(record.path, writable=False) as reader:
            assert list_own_projects(reader, root, is_shared=True) == own
        assert list_own_projects(record, root, is_shared=True) == own
        told = get_fact(record, "projects_of_sessions")
        assert (told and json.loads(told)[0]) == noted
    (root / "new").mkdir()
    opened(record, root / "new")
    assert str(root / "new") in (list_own_projects(record, root, is_shared=True) or ())
    assert json.loads(get_fact(record, "projects_of_sessions") or "")[0] == 201


@pytest.mark.parametrize("told", ["[999, []]", "[", "null", '[1, [["a"]]]', "[" * 100_000])
def test_a_note_that_does_not_fit_the_record_is_not_believed(
    record: Record, root: Path, told: str
) -> None:
    (root / "sub").mkdir()
    opened(record, root / "sub")
    with record.write():
        set_fact(record, "projects_of_sessions", told)
    assert str(root / "sub") in (list_own_projects(record, root, is_shared=True) or ())


def test_a_run_is_of_its_session_or_of_the_project_it_worked_in(record: Record, root: Path) -> None:
    session = init_session(record, "x", project=str(root)).session_id
    with record.write():
        columns = {"session_id": session, "agent_type": "Explore"}
        here, there = (report(record, "deployed", columns, source="manual") for _ in range(2))
        record.execute(
            "UPDATE agent_executions SET run_project = 'host/us/tool' WHERE execution_id = ?",
            [there],
        )
        note_other_project(record, "host/us/tool")
    own = list_own_projects(record, root, is_shared=False)
    assert own is not None and own == (str(root),)
    assert [is_own_run(record, label, own) for label in (here, there)] == [True, False]
    names = [name_run_project(record, label) for label in (here, there, "nobody")]
    assert names == [str(root), "host/us/tool", ""]


def test_a_key_that_only_another_record_knows_stays_with_the_record_it_is_in(
    record: Record, root: Path
) -> None:
    opened(record, root)
    opened(record, "/gone/elsewhere")
    with record.write():
        note_other_project(record, "project:0123")
        note_other_project(record, "host/us/tool")
    own = list_own_projects(record, root, is_shared=False) or ()
    assert set(own) == {str(root), "/gone/elsewhere", "project:0123"}
    assert list_own_projects(record, root, is_shared=True) == (str(root),)
    with record.write():
        set_fact(record, "project /another", "project:0123")
    own = list_own_projects(record, root, is_shared=False) or ()
    assert set(own) == {str(root), "/gone/elsewhere"}
