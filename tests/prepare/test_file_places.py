"""Links are followed where they stay inside, and named where they lead out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from orch_tui.errors import SourceError
from orch_tui.prepare.sources import SourceReader, is_outside
from tests.prepare.reading import make_project, read_only_source, read_refusal, write_files


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return make_project(tmp_path)


@pytest.fixture
def reader(project: Path) -> SourceReader:
    return SourceReader(project, project)


def test_links_inside_the_project_keep_the_name_given(reader: SourceReader) -> None:
    (reader.root / "alias").symlink_to("lib")
    assert read_only_source(reader, "alias/a.py")[0] == "alias/a.py"


def test_a_project_behind_a_link_has_relative_names_too(project: Path) -> None:
    linked = project.parent / "linked"
    linked.symlink_to(project)
    assert read_only_source(SourceReader(linked, linked), "lib/a.py")[0] == "lib/a.py"
    assert read_only_source(SourceReader(linked, project), "lib/a.py")[0] == "lib/a.py"


def test_a_link_does_not_hide_a_secret(reader: SourceReader) -> None:
    (reader.root / ".env").write_text("KEY=1")
    (reader.root / "plain.txt").symlink_to(".env")
    assert "secret" in read_refusal(reader, "plain.txt").reason


def test_links_to_nowhere_are_named_by_folders_and_patterns(reader: SourceReader) -> None:
    (reader.root / "lib" / "gone.py").symlink_to("nowhere.py")
    (reader.root / "lib" / "out.py").symlink_to("/nowhere/else.py")
    told: list[SourceError] = []
    reader = replace(reader, left_out=told.append)
    for source in ("lib", "lib/*.py"):
        told.clear()
        assert [found.name for found in reader.read_source(source)] == ["lib/a.py"]
        assert [error.reason for error in told] == [
            "is a link to nowhere.py, which does not exist",
            "is a link to /nowhere/else.py, which does not exist",
        ]


def test_folders_linked_in_circles_end(reader: SourceReader) -> None:
    (reader.root / "lib" / "again").symlink_to("..")
    assert [source.name for source in reader.read_source("lib")] == ["lib/a.py"]
    assert [source.name for source in reader.read_source("**/*.py")] == ["lib/a.py"]


@pytest.mark.parametrize("source", ["lib", "lib/*", "lib/**", "*/*", "**/*", ".", "li*/**/*"])
def test_links_that_lead_out_are_left_out_of_folders_and_patterns_and_named(
    reader: SourceReader, source: str
) -> None:
    write_files(reader.root.parent, "out/secret.md", "gone/x")
    (reader.root.parent / "project-b").mkdir()
    write_files(reader.root.parent, "project-b/near.md")
    links = {"up.md": "../../out/secret.md", "near.md": "../../project-b/near.md"}
    links |= {"far.md": str(reader.root.parent / "nowhere.md"), "passwd": "/etc/passwd"}
    links |= {"second.md": "up.md"}
    for name, target in links.items():
        (reader.root / "lib" / name).symlink_to(target)
    (reader.root / "lib" / "self.md").symlink_to("self.md")
    (reader.root / "lib" / "in.md").symlink_to("../docs/a.md")
    told: list[SourceError] = []
    taken = [s.name for s in replace(reader, left_out=told.append).read_source(source)]
    assert set(taken) - {"docs/a.md"} == {"lib/a.py", "lib/in.md"}
    out = {error.source for error in told if "leads outside" in error.reason}
    assert out | {"lib/far.md"} == {f"lib/{name}" for name in links}
    name, data = read_only_source(reader, "lib/up.md")
    assert is_outside(name) and data
    assert is_outside(read_only_source(reader, "lib/passwd")[0])


def test_what_lies_behind_a_linked_folder_is_left_out_once_unless_the_link_is_named(
    reader: SourceReader,
) -> None:
    write_files(reader.root.parent, "out/a.md", "out/b.md")
    (reader.root / "lib" / "out").symlink_to("../../out")
    (reader.root / "lib" / "docs").symlink_to("../docs")
    for source in ("lib", "lib/*/*", "*/out/*"):
        told: list[SourceError] = []
        patient = replace(reader, left_out=told.append)
        if source == "*/out/*":
            assert "leads outside" in read_refusal(patient, source).hint
        else:
            assert {s.name for s in patient.read_source(source)} <= {"lib/a.py", "lib/docs/a.md"}
        assert [error.source for error in told] == ["lib/out"]
    for source in ("lib/out", "lib/out/*"):
        assert all(is_outside(s.name) for s in reader.read_source(source))
    assert "leads outside" in read_refusal(reader, "l*/../../out/*").hint


def test_a_named_folder_outside_gives_what_lies_in_it_or_in_the_project(
    reader: SourceReader,
) -> None:
    write_files(reader.root.parent, "out/a.md", "else/b.md")
    out = reader.root.parent / "out"
    (out / "b.md").symlink_to("../else/b.md")
    (out / "round").symlink_to(".")
    (out / "c.py").symlink_to(reader.root / "lib" / "a.py")
    for source in (str(out), f"{out}/*", "../out", "../out/*"):
        assert [s.name for s in reader.read_source(source)] == [f"{out}/a.md", "lib/a.py"]


def test_a_link_to_nowhere_does_not_bar_its_folder(reader: SourceReader) -> None:
    (reader.root / "lib" / "gone.py").symlink_to("nowhere.py")
    (reader.root / "lib" / "round.py").symlink_to("round.py")
    assert [source.name for source in reader.read_source("lib")] == ["lib/a.py"]
    assert "link to nowhere.py" in read_refusal(reader, "lib/gone.py").reason
