from __future__ import annotations

import hashlib
import os
import subprocess
from pathlib import Path

import pytest

from orch_tui.errors import UsageError
from orch_tui.record.deliverables import (
    Deliverable,
    check_deliverable,
    parse_validation,
    read_deliverables,
)
from orch_tui.record.run_place import RunPlace


@pytest.fixture(autouse=True)
def no_configuration_of_the_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A plain folder."""
    root = tmp_path / "project"
    root.mkdir()
    return root


@pytest.fixture
def repository(root: Path) -> Path:
    """A repository with one commit: ten lines in ``old.py``."""
    git(root, "init", "-q")
    (root / "old.py").write_text("".join(f"line {n}\n" for n in range(10)))
    git(root, "add", ".")
    git(root, "commit", "-qm", "start")
    return root


def git(where: Path, *args: str) -> None:
    identity = ("-c", "user.name=t", "-c", "user.email=t@example.com")
    subprocess.run(["git", *identity, *args], cwd=where, check=True, capture_output=True)


def read_all(paths: list[str], root: Path) -> list[Deliverable]:
    return read_deliverables(map(RunPlace(root).place_path, paths))


def one(path: str, root: Path) -> Deliverable:
    (deliverable,) = read_all([path], root)
    return deliverable


def lines(path: str, root: Path) -> tuple[int | None, int | None]:
    deliverable = one(path, root)
    return deliverable.lines_added, deliverable.lines_modified


def test_a_text_keeps_its_bytes(root: Path) -> None:
    data = "grüße\r\n".encode("latin-1")
    (root / "a.txt").write_bytes(data)
    assert one("a.txt", root) == Deliverable(
        "a.txt", True, hashlib.sha256(data).hexdigest(), len(data), True, data
    )


def test_a_missing_file_is_said_to_be_missing(root: Path) -> None:
    assert one("no/such.py", root) == Deliverable("no/such.py", exists=False)
    assert one("nul\0.py", root) == Deliverable("nul\0.py", exists=False)


def test_large_and_binary_files_are_hashed_but_not_kept(root: Path) -> None:
    large = b"x" * 99 + b"\n"
    (root / "large.txt").write_bytes(large * 10_001)
    (root / "limit.txt").write_bytes(large * 10_000)
    (root / "image.png").write_bytes(b"\x89PNG\0")
    big, at_limit, image = read_all(["large.txt", "limit.txt", "image.png"], root)
    assert (big.is_text, big.data, big.size) == (True, None, 1_000_100)
    assert big.sha256 == hashlib.sha256(large * 10_001).hexdigest()
    assert at_limit.data == large * 10_000
    assert (image.is_text, image.data, image.size) == (False, None, 5)


def test_what_cannot_be_read_says_why_and_never_blocks(root: Path) -> None:
    (root / "folder").mkdir()
    os.mkfifo(root / "pipe")
    (root / "loop").symlink_to("loop")
    (root / "dangling").symlink_to("nowhere")
    folder, pipe, loop, dangling = read_all(["folder", "pipe", "loop", "dangling"], root)
    assert (folder.exists, folder.sha256, folder.problem) == (True, None, "is a folder")
    assert (pipe.exists, pipe.problem) == (True, "is not a regular file")
    assert "symbolic" in loop.problem
    assert not dangling.exists


def test_one_file_under_several_names_is_collected_once(root: Path) -> None:
    (root / "a.py").touch()
    names = ["a.py", "./a.py", str(root / "a.py"), "../project/a.py", "b.py"]
    assert [each.path for each in read_all(names, root)] == ["a.py", "b.py"]


def test_a_file_outside_keeps_its_absolute_path(root: Path, tmp_path: Path) -> None:
    (tmp_path / "other.py").touch()
    assert one("../other.py", root).path == str(tmp_path / "other.py")


def test_without_a_repository_lines_are_unknown(root: Path) -> None:
    (root / "a.py").write_text("1\n2\n")
    assert lines("a.py", root) == (None, None)


def test_all_lines_of_a_new_file_are_added(repository: Path) -> None:
    (repository / "untracked.py").write_text("1\n2\n3")
    (repository / "staged.py").write_text("1\n2\n")
    (repository / "ignored.log").write_text("1\n")
    (repository / ".gitignore").write_text("*.log\n")
    (repository / "empty").touch()
    git(repository, "add", "staged.py")
    assert lines("untracked.py", repository) == (3, 0)
    assert lines("staged.py", repository) == (2, 0)
    assert lines("ignored.log", repository) == (1, 0)
    assert lines("empty", repository) == (0, 0)


def test_replaced_lines_are_modified_and_the_rest_added(repository: Path) -> None:
    text = (repository / "old.py").read_text().replace("line 3", "other 3")
    (repository / "old.py").write_text(text + "more\nand more\n")
    assert lines("old.py", repository) == (2, 1)
    (repository / "old.py").write_text("one\n")
    assert lines("old.py", repository) == (0, 1)


def test_a_file_equal_to_head_has_unknown_lines(repository: Path) -> None:
    assert lines("old.py", repository) == (None, None)
    (repository / "old.py").write_text("changed\n")
    git(repository, "commit", "-qam", "the agent commits")
    assert lines("old.py", repository) == (None, None)


def test_before_the_first_commit_everything_is_new(root: Path) -> None:
    git(root, "init", "-q")
    (root / "a.py").write_text("1\n")
    git(root, "add", "a.py")
    assert lines("a.py", root) == (1, 0)


def test_links_and_binary_files_have_unknown_lines(repository: Path) -> None:
    (repository / "image.png").write_bytes(b"\0\n\n")
    (repository / "link.py").symlink_to("old.py")
    assert lines("image.png", repository) == (None, None)
    assert lines("link.py", repository) == (None, None)


def test_a_repository_inside_the_project_answers_for_its_own_files(repository: Path) -> None:
    inner = repository / "vendor" / "inner"
    inner.mkdir(parents=True)
    git(inner, "init", "-q")
    (inner / "a.py").write_text("1\n2\n")
    git(inner, "add", ".")
    git(inner, "commit", "-qm", "start")
    (inner / "a.py").write_text("1\n2\n3\n")
    (repository / "b.py").write_text("1\n")
    assert lines("vendor/inner/a.py", repository) == (1, 0)
    assert lines("b.py", repository) == (1, 0)


@pytest.mark.parametrize(
    "name", ["--help", "-x.py", ":(glob)**", "*.py", "a\tb.py", "a\nb.py", "gr\udcfc.py", "HEAD"]
)
def test_a_path_is_only_ever_a_path(repository: Path, name: str) -> None:
    path = repository / name
    path.write_text("1\n")
    assert lines(name, repository) == (1, 0)
    git(repository, "add", "--", f"./{name}" if name[0] != ":" else f":(literal){name}")
    git(repository, "commit", "-qm", "more")
    path.write_text("1\n2\n")
    assert lines(name, repository) == (1, 0)


def test_nothing_the_repository_configures_is_run(repository: Path, tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    script = tmp_path / "evil"
    script.write_text(f"#!/bin/sh\necho $0 >> {ran}\ncat\n")
    script.chmod(0o755)
    (repository / ".gitattributes").write_text("*.py diff=evil\nfiltered.py filter=evil\n")
    (repository / "filtered.py").write_text("1\n")
    git(repository, "add", ".")
    git(repository, "commit", "-qm", "attributes")
    for key in (
        *("diff.external", "diff.evil.command", "diff.evil.textconv", "core.fsmonitor"),
        *("filter.evil.clean", "filter.evil.process", "core.pager", "core.sshCommand"),
    ):
        git(repository, "config", key, str(script))
    hooks = repository / ".git" / "hooks"
    (hooks / "post-index-change").symlink_to(script)
    (repository / "old.py").write_text("one\n")
    (repository / "filtered.py").write_text("1\n2\n")
    old, filtered, new = read_all(["old.py", "filtered.py", ".gitattributes"], repository)
    assert not ran.exists(), ran.read_text()
    assert (old.lines_added, old.lines_modified) == (0, 1)
    assert filtered.lines_added is None, "known only to the filter"


def test_a_git_that_the_repository_holds_is_not_run(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran = tmp_path / "ran"
    (repository / "git").write_text(f"#!/bin/sh\necho ran > {ran}\n")
    (repository / "git").chmod(0o755)
    monkeypatch.setenv("PATH", f".::{os.environ['PATH']}")
    (repository / "old.py").write_text("one\n")
    assert lines("old.py", repository) == (0, 1)
    assert not ran.exists()


def test_the_surroundings_of_a_git_hook_do_not_count(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(tmp_path / "index"))
    (repository / "old.py").write_text("one\n")
    assert lines("old.py", repository) == (0, 1)


def test_without_git_or_with_a_slow_one_lines_are_unknown(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (repository / "new.py").write_text("1\n")
    tools = tmp_path / "tools"
    tools.mkdir()
    monkeypatch.setenv("PATH", str(tools))
    assert lines("new.py", repository) == (None, None)
    (tools / "git").write_text("#!/bin/sh\nexec /bin/sleep 60\n")
    (tools / "git").chmod(0o755)
    monkeypatch.setattr("orch_tui.git.GIT_SECONDS", 0.2)
    assert lines("new.py", repository) == (None, None)


def test_a_broken_repository_leaves_lines_unknown(repository: Path) -> None:
    (repository / ".git" / "HEAD").write_text("nonsense")
    (repository / "old.py").write_text("one\n")
    (repository / "new.py").write_text("one\n")
    assert lines("old.py", repository) == (None, None)
    assert lines("new.py", repository) == (None, None)


def test_the_state_of_a_deliverable_is_told_later(root: Path) -> None:
    (root / "a.py").write_text("1\n")
    sha256 = one("a.py", root).sha256
    assert check_deliverable("a.py", sha256, RunPlace(root)) == "unchanged"
    (root / "a.py").write_text("2\n")
    assert check_deliverable("a.py", sha256, RunPlace(root)) == "changed since"
    (root / "a.py").unlink()
    assert check_deliverable("a.py", sha256, RunPlace(root)) == "missing"
    (root / "a.py").mkdir()
    assert check_deliverable("a.py", sha256, RunPlace(root)) == "changed since"


def test_validation_results_are_read() -> None:
    assert parse_validation("format:pass,lint:fail,coverage:85") == {
        "format": "pass",
        "lint": "fail",
        "coverage": 85,
    }
    assert parse_validation(" tests : PASSED , coverage: 85.5 %, e2e:skipped,") == {
        "tests": "pass",
        "coverage": 85.5,
        "e2e": "skip",
    }
    assert isinstance(parse_validation("coverage:85")["coverage"], int)
    assert parse_validation("") == {}


@pytest.mark.parametrize(
    "part", ["tests", ":pass", "tests:", "tests:maybe", "coverage:1e9", "coverage:-1", "a:1.2.3"]
)
def test_a_wrong_part_is_named(part: str) -> None:
    with pytest.raises(UsageError) as raised:
        parse_validation(f"lint:pass,{part}")
    assert repr(part) in raised.value.message


def test_one_name_with_two_results_is_refused() -> None:
    assert parse_validation("tests:pass,tests:pass") == {"tests": "pass"}
    with pytest.raises(UsageError, match="tests was 'pass' before"):
        parse_validation("tests:pass,tests:fail")
