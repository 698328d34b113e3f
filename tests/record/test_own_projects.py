from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from orch_tui.models.database import Record
from orch_tui.record import own_projects
from orch_tui.record.claude_sessions import ensure_claude_session
from orch_tui.record.own_projects import list_own_projects
from orch_tui.record.sessions import init_session


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
