from __future__ import annotations

import errno
import os
import shutil
import socket
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from orch_tui.errors import NotFoundError, SourceError
from orch_tui.prepare.encoding import decode_text
from orch_tui.prepare.secrets import named_like_one
from orch_tui.prepare.sources import (
    SourceReader,
    _match_pattern,
    is_outside,
    make_text_source,
)
from orch_tui.source_name import is_file


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = tmp_path / "project"
    (root / "lib").mkdir(parents=True)
    (root / "docs").mkdir()
    (root / "lib" / "a.py").write_bytes(b"one\r\ntwo\nthree")
    (root / "docs" / "a.md").write_text("# Intro\nhello\n# Use, and more\nbye\n")
    return root


@pytest.fixture
def reader(project: Path) -> SourceReader:
    return SourceReader(project, project)


def only(reader: SourceReader, source: str, *sections: str) -> tuple[str, bytes]:
    (found,) = reader.read_source(source, sections)
    return found.name, found.data


def refusal(reader: SourceReader, source: str) -> SourceError:
    with pytest.raises(SourceError) as refused:
        reader.read_source(source)
    return refused.value


def test_a_file_is_taken_byte_for_byte(reader: SourceReader) -> None:
    assert only(reader, "lib/a.py") == ("lib/a.py", b"one\r\ntwo\nthree")


def test_names_are_relative_to_the_project_wherever_one_stands(project: Path) -> None:
    reader = SourceReader(project / "lib", project)
    assert only(reader, "a.py")[0] == "lib/a.py"
    assert only(reader, "../docs/a.md")[0] == "docs/a.md"
    assert only(reader, "docs/a.md")[0] == "docs/a.md"
    assert only(reader, str(project / "lib" / "a.py"))[0] == "lib/a.py"


def test_the_working_folder_comes_before_the_project(project: Path) -> None:
    (project / "a.py").write_text("root")
    assert only(SourceReader(project / "lib", project), "a.py")[0] == "lib/a.py"


def test_a_source_outside_the_project_is_named_as_such(reader: SourceReader) -> None:
    outside = reader.root.parent / "notes.txt"
    outside.write_text("x")
    (reader.root / "link.txt").symlink_to(outside)
    for source in (str(outside), "../notes.txt", "link.txt"):
        name, _ = only(reader, source)
        assert name == str(outside.resolve())
        assert is_outside(name)
    assert not is_outside("lib/a.py")


def test_links_inside_the_project_keep_the_name_given(reader: SourceReader) -> None:
    (reader.root / "alias").symlink_to("lib")
    assert only(reader, "alias/a.py")[0] == "alias/a.py"


def test_a_project_behind_a_link_has_relative_names_too(project: Path) -> None:
    linked = project.parent / "linked"
    linked.symlink_to(project)
    assert only(SourceReader(linked, linked), "lib/a.py")[0] == "lib/a.py"
    assert only(SourceReader(linked, project), "lib/a.py")[0] == "lib/a.py"


def test_line_ranges(reader: SourceReader) -> None:
    assert only(reader, "lib/a.py:1-2") == ("lib/a.py:1-2", b"one\r\ntwo\n")
    assert only(reader, "lib/a.py:3") == ("lib/a.py:3-3", b"three")
    assert "it has 3" in refusal(reader, "lib/a.py:2-4").message


def test_sections_by_heading(reader: SourceReader) -> None:
    (section,) = reader.read_source("docs/a.md#intro")
    assert (section.name, section.sections) == ("docs/a.md", ("intro",))
    assert section.data == b"# Intro\nhello\n"
    assert only(reader, "docs/a.md", "Intro") == ("docs/a.md", b"# Intro\nhello\n")
    assert "Intro" in refusal(reader, "docs/a.md#Intor").hint
    (reader.root / "a.csv").write_text("a,b\n")
    refused = refusal(reader, "a.csv#Parser")
    assert "only Markdown and code" in refused.message
    assert refused.hint == "name lines: a.csv:FIRST-LAST"
    with pytest.raises(SourceError, match="lines and sections"):
        reader.read_source("docs/a.md:1-2", ["Intro"])


def test_what_exists_under_the_whole_name_wins(reader: SourceReader) -> None:
    for name in ("b#Intro.md", "c.py:1-2", "e,f.md", "g*.md", "lib/a.py:9"):
        (reader.root / name).write_text(f"# T\nwhole {name}")
        assert only(reader, name) == (name, f"# T\nwhole {name}".encode())
    assert only(reader, "b#Intro.md#T")[0] == "b#Intro.md"


@pytest.mark.parametrize("called", ["-", "text:h", "exec-003:message"])
def test_a_file_called_like_something_else_can_be_read_back(
    reader: SourceReader, called: str
) -> None:
    (reader.root / called).write_text("a file")
    name, data = only(reader, f"./{called}")
    assert only(reader, name) == (name, data) == (f"./{called}", b"a file")
    assert is_file(name)


@pytest.mark.parametrize("folder", ["c#", "a#b.d", "v1.0#", "x:1"])
def test_a_folder_may_be_called_like_a_part_or_lines(reader: SourceReader, folder: str) -> None:
    (reader.root / folder).mkdir()
    (reader.root / folder / "A.md").write_text("# One\n# Two\n")
    assert [source.name for source in reader.read_source(folder)] == [f"{folder}/A.md"]
    assert only(reader, f"{folder}/A.md:2") == (f"{folder}/A.md:2-2", b"# Two\n")
    assert only(reader, f"{folder}/A.md#Two") == (f"{folder}/A.md", b"# Two\n")
    assert reader.split_values([f"{folder}/A.md,{folder}/A.md#Two"]) == [
        f"{folder}/A.md",
        f"{folder}/A.md#Two",
    ]


def test_numbers_of_any_length_are_plainly_refused(reader: SourceReader) -> None:
    digits = "1" * 5_000
    for source in (f"docs/a.md:{digits}", f"docs/a.md:1-{digits}"):
        assert "it has 4" in refusal(reader, source).reason
    assert "1 heading 'Intro'" in refusal(reader, f"docs/a.md#Intro[{digits}]").reason
    assert "too long" in refusal(reader, f"none.md:{digits}/").reason


@pytest.mark.parametrize("codec", ["utf-16", "utf-16-be", "utf-32", "utf-8-sig", "latin-1"])
def test_parts_of_any_encoding_can_be_read_again(reader: SourceReader, codec: str) -> None:
    mark = "\ufeff" if codec == "utf-16-be" else ""
    (reader.root / "x.md").write_bytes(f"{mark}# Ä\nü\n# B\nende\n".encode(codec))
    (whole,) = reader.read_source("x.md")
    (section,) = reader.read_source("x.md#Ä")
    (line,) = reader.read_source("x.md:4")
    assert whole.text == "# Ä\nü\n# B\nende\n"
    assert (section.text, line.text) == ("# Ä\nü\n", "ende\n")


def test_text_is_decoded_with_its_newlines() -> None:
    assert decode_text(b"a\r\nb\rc\n") == "a\r\nb\rc\n"
    assert decode_text(b"\xef\xbb\xbfa") == "a"
    assert decode_text(b"caf\xe9") == "café"


def test_free_text_is_labelled_by_its_beginning(reader: SourceReader) -> None:
    assert only(reader, "text:be quick") == ("text:be quick", b"be quick")
    long = make_text_source("\nfirst line\nsecond")
    assert (long.name, long.data) == ("text:first line…", b"\nfirst line\nsecond")
    assert len(make_text_source("x" * 500).name) < 80
    assert make_text_source("a\udcffb").data == b"a\xffb"
    assert "empty" in refusal(reader, "text: ").message


def test_standard_input(project: Path) -> None:
    reader = SourceReader(project, project, stdin=lambda: b"piped\r\n", max_bytes=10)
    assert only(reader, "-") == ("-", b"piped\r\n")
    for data, reason in ((b"", "empty"), (b"a\0", "binary"), (b"x" * 11, "over the limit")):
        broken = SourceReader(project, project, stdin=lambda data=data: data, max_bytes=10)  # type: ignore[misc]
        assert reason in refusal(broken, "-").message
    assert "no standard input" in refusal(SourceReader(project, project), "-").message


def test_a_pattern_stands_for_its_files_in_order(reader: SourceReader) -> None:
    for name in ("lib/z.py", "lib/sub/b.py", "lib/.hidden.py", ".git/c.py"):
        path = reader.root / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(name)
    found = [source.name for source in reader.read_source("**/*.py")]
    assert found == ["lib/a.py", "lib/sub/b.py", "lib/z.py"]
    assert [source.name for source in reader.read_source("lib/**")] == found
    assert [s.name for s in reader.read_source(f"{reader.root}/lib/?.py")] == [
        "lib/a.py",
        "lib/z.py",
    ]
    assert "matches no file" in refusal(reader, "lib/*.go").message


def test_a_pattern_takes_what_is_hidden_only_by_a_name_that_asks_for_it(project: Path) -> None:
    for name in ("b.md", ".c.md", ".x.md", "lib/d.md", ".github/e.md", ".github/.f.md"):
        path = project / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(name)
    (project / ".gitignore").write_text("b.md\n")
    reader = SourceReader(project / "lib", project)

    def found(pattern: str) -> list[str]:
        return [source.name for source in reader.read_source(pattern)]

    assert "matches no file" in refusal(reader, "../*.md").message
    (project / ".gitignore").unlink()
    assert found("../*.md") == ["b.md"]
    assert found("../lib/../*.md") == ["b.md"]
    assert found("./*.md") == ["lib/d.md"]
    assert found("../.*.md") == [".c.md", ".x.md"]
    assert found("../.github/*.md") == [".github/e.md"]
    assert found(f"{project}/.github/.*.md") == [".github/.f.md"]


def test_a_folder_may_be_called_like_a_part(reader: SourceReader) -> None:
    for name in ("c#/main.py", "c#/Makefile", "f#/a#b.md"):
        (reader.root / name).parent.mkdir(exist_ok=True)
        (reader.root / name).write_text("# T\ndef f(): pass\n")
        assert only(reader, name)[0] == name
        assert [s.name for s in reader.read_source(name.partition("/")[0])][-1].startswith(name[:3])
    assert reader.read_source("c#/main.py#f")[0].sections == ("f",)
    assert reader.read_source("f#/a#b.md#T")[0].sections == ("T",)
    assert refusal(reader, "c#/mian.py").hint == "nearest: c#/main.py"
    assert refusal(reader, "c#/mian.py#f").hint == "nearest: c#/main.py"


@pytest.mark.parametrize("digits", ["1" * 5000, "0" * 5000 + "9", str(2**63)])
def test_a_number_of_any_length_is_a_number(reader: SourceReader, digits: str) -> None:
    assert "it has 3" in refusal(reader, f"lib/a.py:{digits}").message
    assert "it has 3" in refusal(reader, f"lib/a.py:2-{digits}").message
    assert "has 1 heading" in refusal(reader, f"docs/a.md#Intro[{digits}]").message


def test_commas_separate_unless_the_path_holds_them(reader: SourceReader) -> None:
    (reader.root / "x,y.md").write_text("# T\n")
    assert reader.split_values(["lib/a.py, docs/a.md", "x,y.md#T,,lib/a.py"]) == [
        *("lib/a.py", "docs/a.md"),
        *("x,y.md#T", "lib/a.py"),
    ]
    assert reader.split_values(["text:one, two", "none,x,y.md"]) == [
        "text:one, two",
        "none",
        "x,y.md",
    ]
    assert reader.split_values(["docs/a.md#Intro,lib/a.py"]) == ["docs/a.md#Intro", "lib/a.py"]


@pytest.mark.slow
def test_hundreds_of_files_are_split_at_their_commas(reader: SourceReader) -> None:
    (reader.root / "lib" / "x,y,z.py").write_text("")
    names = [f"lib/none_{number}.py" for number in range(2_000)]
    names[1_000] = "lib/x,y,z.py"
    assert reader.split_values([",".join(names)]) == names


def test_a_missing_file_names_the_nearest(reader: SourceReader) -> None:
    assert refusal(reader, "lib/b.py").hint == "nearest: lib/a.py"
    assert refusal(reader, "dosc/a.md#Intro").hint == "nearest: docs"
    assert str(reader.root) in refusal(reader, "entirely/else").hint
    assert refusal(reader, "lib/a.py/deeper").reason == "does not exist"
    assert "is too long" in refusal(reader, "y" * 5000).message
    assert "no file name can hold" in refusal(reader, "nul\0").message


def test_what_is_hidden_is_taken_where_it_is_named(project: Path) -> None:
    for name in (".top.md", ".github/ci.md", ".github/.own.md", ".github/.deep/x.md"):
        (project / name).parent.mkdir(exist_ok=True, parents=True)
        (project / name).write_text(name)
    (project / "top.md").write_text("top")
    (project / "lib" / "b.md").write_text("b")
    inside = SourceReader(project / "lib", project)
    for reader, source, names in (
        (inside, "../*.md", ["top.md"]),
        (inside, "./../*.md", ["top.md"]),
        (inside, "../**/*.md", ["docs/a.md", "lib/b.md", "top.md"]),
        (inside, "../.*.md", [".top.md"]),
        (inside, "../.github/*.md", [".github/ci.md"]),
        (inside, ".github/**/*.md", [".github/ci.md"]),
        (inside, ".github/.*/*.md", [".github/.deep/x.md"]),
        (inside, ".github", [".github/ci.md"]),
        (inside, "../.github/.deep", [".github/.deep/x.md"]),
        (inside, str(project / ".github" / "*.md"), [".github/ci.md"]),
    ):
        assert [found.name for found in reader.read_source(source)] == names, source


def test_what_is_no_text_file_is_refused(reader: SourceReader) -> None:
    root = reader.root
    (root / "nul.bin").write_bytes(b"text\0text")
    (root / "noise.bin").write_bytes(bytes(range(1, 256)) * 9)
    (root / "high.bin").write_bytes(b"\xfe" * 900)
    (root / "mark.bin").write_bytes(b"\xff\xfe\x00\xd8")
    os.mkfifo(root / "pipe")
    (root / "loop").symlink_to("loop")
    (root / "dangling").symlink_to("nowhere")
    listener = socket.socket(socket.AF_UNIX)
    here = os.getcwd()
    os.chdir(root)  # the path of a socket must be short
    listener.bind("socket")
    os.chdir(here)
    listener.close()
    for source, reason in {
        "lib:1-2": "is a folder",
        "lib#x": "is a folder",
        "nul.bin": "NUL",
        "noise.bin": "binary",
        "high.bin": "binary",
        "mark.bin": "binary",
        "pipe": "not a regular file",
        "socket": "not a regular file",
        "loop": "loop of links",
        "dangling": "nowhere, which does not exist",
    }.items():
        refused = refusal(reader, source)
        assert refused.source == source
        assert reason in refused.reason


def test_huge_files_are_refused_unless_the_limit_is_raised(project: Path) -> None:
    (project / "big.txt").write_bytes(b"x" * 1001)
    reason = refusal(SourceReader(project, project, max_bytes=1000), "big.txt").reason
    assert reason.startswith("is over the limit")
    assert len(only(SourceReader(project, project, max_bytes=1001), "big.txt")[1]) == 1001


def test_unreadable_files_are_refused(
    reader: SourceReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    def denied(*_: object) -> int:
        raise PermissionError(13, "Permission denied")  # root may read everything

    with monkeypatch.context() as patched:
        patched.setattr(os, "open", denied)
        assert refusal(reader, "lib/a.py").reason == "cannot be read (permission denied)"


def test_a_file_that_changes_while_it_is_read_is_refused(
    reader: SourceReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    target, opened = reader.root / "lib" / "a.py", os.open

    def growing(path: str, flags: int) -> int:
        with target.open("ab") as file:
            file.write(b"more")
        return opened(path, flags)

    with monkeypatch.context() as patched:
        patched.setattr(os, "open", growing)
        assert "changed while it was read" in refusal(reader, "lib/a.py").reason


def test_a_name_that_is_no_utf8_is_refused(reader: SourceReader) -> None:
    name = os.fsdecode(b"caf\xe9.txt")
    (reader.root / name).write_text("x")
    assert "no UTF-8" in refusal(reader, name).reason
    str(refusal(reader, name)).encode()  # can be printed


@pytest.mark.parametrize(
    "name", [".env", ".env.local", "server.PEM", "id_rsa", ".netrc", "credentials", "secrets.yaml"]
)
def test_secret_looking_files_need_consent(project: Path, name: str) -> None:
    (project / name).write_text("x")
    refused = refusal(SourceReader(project, project), name)
    assert "looks like a secret" in refused.reason
    assert "--allow-secret" in refused.hint
    assert only(SourceReader(project, project, allow_secret=True), name) == (name, b"x")


def test_a_link_does_not_hide_a_secret(reader: SourceReader) -> None:
    (reader.root / ".env").write_text("KEY=1")
    (reader.root / "plain.txt").symlink_to(".env")
    assert "secret" in refusal(reader, "plain.txt").reason


@pytest.mark.parametrize(
    "name", [".env.example", "env.py", "id_ed25519.pub", "credentials.py", "example.env", "key.md"]
)
def test_harmless_files_do_not_look_secret(name: str) -> None:
    assert not named_like_one(name)


def make(root: Path, *paths: str, text: str = "x\n") -> None:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)


def test_a_folder_stands_for_its_files_without_what_is_ignored(reader: SourceReader) -> None:
    make(reader.root, "src/b.py", "src/deep/a.py", "src/deep/x.log", "src/out/gen.py", "src/.hid")
    (reader.root / ".gitignore").write_text("*.log\n")
    (reader.root / "src" / ".orchignore").write_text("/out/\n")
    (reader.root / "src" / "logo.png").write_bytes(b"\0png")
    told: list[SourceError] = []
    reader = replace(reader, left_out=told.append)
    assert [source.name for source in reader.read_source("src")] == ["src/b.py", "src/deep/a.py"]
    assert [source.name for source in reader.read_source("./src/")] == ["src/b.py", "src/deep/a.py"]
    assert [(error.source, error.reason[:9]) for error in told[:1]] == [
        ("src/logo.png", "is binary")
    ]
    inner = replace(reader, cwd=reader.root / "src")
    assert [source.name for source in inner.read_source("deep")] == ["src/deep/a.py"]
    (reader.root / ".git").mkdir()
    outside = SourceReader(reader.root.parent, reader.root / "lib")
    assert [Path(s.name).name for s in outside.read_source("project/src")] == ["b.py", "a.py"]


def test_what_is_named_outright_is_taken_though_it_is_ignored(reader: SourceReader) -> None:
    make(reader.root, "build/a.md", "build/b.md", "build/tmp/c.md")
    (reader.root / ".gitignore").write_text("build/\ntmp/\n")
    assert [s.name for s in reader.read_source("**/*.md")] == ["docs/a.md"]
    assert [s.name for s in reader.read_source("build/**/*.md")] == ["build/a.md", "build/b.md"]
    assert [s.name for s in reader.read_source("build")] == ["build/a.md", "build/b.md"]
    assert only(reader, "build/tmp/c.md")[0] == "build/tmp/c.md"
    assert "matches no file" in refusal(reader, "bui*/*.md").reason


def test_a_folder_with_nothing_to_take_is_refused_and_every_bad_file_named(
    reader: SourceReader,
) -> None:
    (reader.root / "empty").mkdir()
    assert "without files" in refusal(reader, "empty").reason
    make(reader.root, "keys/id_rsa", "keys/server.pem", "keys/readme.md")
    message = refusal(reader, "keys").message
    assert "id_rsa: looks like a secret" in message and "server.pem" in message
    (reader.root / "pictures").mkdir()
    (reader.root / "pictures" / "a.png").write_bytes(b"\0")
    assert refusal(reader, "pictures").reason == "holds no text file"


def test_a_name_that_is_no_utf_8_leaves_itself_out_and_is_said(reader: SourceReader) -> None:
    make(reader.root, "docs/b.md")
    odd = os.fsencode(reader.root / "docs") + b"/caf\xe9"
    os.mkdir(odd)
    for path in (odd + b"/one.md", odd + b"/two.md", odd + b".md"):
        Path(os.fsdecode(path)).write_text("x")
    told: list[SourceError] = []
    reader = replace(reader, left_out=told.append)
    for source in ("docs", "docs/**/*.md"):
        told.clear()
        assert [found.name for found in reader.read_source(source)] == ["docs/a.md", "docs/b.md"]
        assert sorted(error.message for error in told) == [
            "'docs/caf\\udce9': has a name that is no UTF-8",
            "'docs/caf\\udce9.md': has a name that is no UTF-8",
        ]


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


def test_letters_of_one_or_two_code_points_are_the_same_name(reader: SourceReader) -> None:
    composed, apart = "caf\u00e9", "cafe\u0301"
    for written, asked in ((composed, apart), (apart, composed)):
        shutil.rmtree(reader.root / "docs")
        make(reader.root, f"docs/{written}/{written}.md")
        for source in (f"docs/{asked}/{asked}.md", f"docs/{asked}", f"docs/{asked}/*.md"):
            assert only(reader, source)[0] == f"docs/{written}/{written}.md"
        for source in (f"docs/{asked}/{asked}.*", f"docs/*/{asked}.md", f"**/{asked}*"):
            names = [found.name for found in reader.read_source(source)]
            assert names == [f"docs/{written}/{written}.md"], source
        assert reader.source_exists(f"docs/{asked}")


def test_folders_linked_in_circles_end(reader: SourceReader) -> None:
    (reader.root / "lib" / "again").symlink_to("..")
    assert [source.name for source in reader.read_source("lib")] == ["lib/a.py"]
    assert [source.name for source in reader.read_source("**/*.py")] == ["lib/a.py"]


@pytest.mark.parametrize("source", ["lib", "lib/*", "lib/**", "*/*", "**/*", ".", "li*/**/*"])
def test_links_that_lead_out_are_left_out_of_folders_and_patterns_and_named(
    reader: SourceReader, source: str
) -> None:
    make(reader.root.parent, "out/secret.md", "gone/x")
    (reader.root.parent / "project-b").mkdir()
    make(reader.root.parent, "project-b/near.md")
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
    name, data = only(reader, "lib/up.md")
    assert is_outside(name) and data
    assert is_outside(only(reader, "lib/passwd")[0])


def test_what_lies_behind_a_linked_folder_is_left_out_once_unless_the_link_is_named(
    reader: SourceReader,
) -> None:
    make(reader.root.parent, "out/a.md", "out/b.md")
    (reader.root / "lib" / "out").symlink_to("../../out")
    (reader.root / "lib" / "docs").symlink_to("../docs")
    for source in ("lib", "lib/*/*", "*/out/*"):
        told: list[SourceError] = []
        patient = replace(reader, left_out=told.append)
        if source == "*/out/*":
            assert "leads outside" in refusal(patient, source).hint
        else:
            assert {s.name for s in patient.read_source(source)} <= {"lib/a.py", "lib/docs/a.md"}
        assert [error.source for error in told] == ["lib/out"]
    for source in ("lib/out", "lib/out/*"):
        assert all(is_outside(s.name) for s in reader.read_source(source))
    assert "leads outside" in refusal(reader, "l*/../../out/*").hint


def test_a_named_folder_outside_gives_what_lies_in_it_or_in_the_project(
    reader: SourceReader,
) -> None:
    make(reader.root.parent, "out/a.md", "else/b.md")
    out = reader.root.parent / "out"
    (out / "b.md").symlink_to("../else/b.md")
    (out / "round").symlink_to(".")
    (out / "c.py").symlink_to(reader.root / "lib" / "a.py")
    for source in (str(out), f"{out}/*", "../out", "../out/*"):
        assert [s.name for s in reader.read_source(source)] == [f"{out}/a.md", "lib/a.py"]


@pytest.fixture
def locked(reader: SourceReader, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that keeps everybody out; whoever runs the tests may read any."""
    folder = reader.root / "lib" / "locked"
    make(reader.root, "lib/locked/a.py", "lib/locked/sub/b.py")
    keep_out(folder, monkeypatch)
    return folder


def keep_out(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def guard(look: Callable[..., object]) -> Callable[..., object]:
        def looking(path: str | Path = ".", *rest: object, **options: object) -> object:
            if isinstance(path, str | Path):
                inside = Path(path).is_relative_to(folder) and Path(path) != folder
                if inside or (look is scandir and Path(path) == folder):
                    raise PermissionError(errno.EACCES, "Permission denied", str(path))
            return look(path, *rest, **options)

        return looking

    scandir = os.scandir
    for name in ("scandir", "stat", "lstat", "open", "listdir"):
        monkeypatch.setattr(os, name, guard(getattr(os, name)))


@pytest.mark.usefixtures("locked")
@pytest.mark.parametrize(
    "source",
    ["lib", ".", "lib/locked", "lib/**/*.py", "lib/*/*.py", "**/*"],
)
def test_a_folder_that_cannot_be_listed_is_refused_by_name(
    reader: SourceReader, source: str
) -> None:
    refused = refusal(reader, source)
    assert refused.message == "lib/locked: is a folder that cannot be read"
    assert "permissions" in refused.hint


@pytest.mark.usefixtures("locked")
def test_a_file_in_a_folder_that_lets_nobody_in_cannot_be_read(reader: SourceReader) -> None:
    for source in (
        "lib/locked/a.py",
        "lib/locked/sub/b.py",
        "lib/locked/a.py#Name",
        "lib/locked/*",
    ):
        assert refusal(reader, source).reason == "cannot be read (permission denied)"
        assert reader.source_exists(source)
    assert not reader.source_exists("lib/gone.py")


def test_a_pattern_lists_each_folder_once(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for folder in ("one/a/b", "one/c", "two"):
        (project / "deep" / folder).mkdir(parents=True)
        (project / "deep" / folder / "x.py").write_text("x = 1\n")
    listed: list[str] = []
    scandir = os.scandir

    def counted(path: Any = ".") -> Any:
        listed.append(str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", counted)
    found = _match_pattern(project, "deep/**/*.py")
    assert sorted(path.relative_to(project).as_posix() for path in found.paths) == [
        *("deep/one/a/b/x.py", "deep/one/c/x.py", "deep/two/x.py"),
    ]
    monkeypatch.undo()
    assert len(listed) == len(set(listed)) == 6


@pytest.mark.parametrize(
    "pattern",
    [
        *("**/*", "**/x.py", "*/**/*.py", "lib/**/../*", "**/**/*.md", "[l]ib/*", "lib/./*.py"),
        *("*/.hidden/*", "?ib/a.py", "**/l/*", "l/*", "lib/*/", "l/**/*"),
    ],
)
def test_a_pattern_finds_what_pathlib_finds(project: Path, pattern: str) -> None:
    for name in ("lib/x.py", "lib/deep/x.py", "lib/.hidden/y.py", "docs/deep/z.md"):
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_text("text\n")
    (project / "l").symlink_to("lib")
    (project / "lib" / "round").symlink_to(".")
    ours, theirs = (
        {os.path.normpath(path) for path in paths if path.is_file()}
        for paths in (_match_pattern(project, pattern).paths, project.glob(pattern))
    )
    assert ours == theirs


@pytest.mark.usefixtures("locked")
def test_a_folder_that_is_not_looked_into_may_be_locked(reader: SourceReader) -> None:
    assert [s.name for s in reader.read_source("lib/*")] == ["lib/a.py"]
    (reader.root / ".orchignore").write_text("locked/\n")
    for source in ("lib", "lib/**/*.py"):
        assert [s.name for s in reader.read_source(source)] == ["lib/a.py"]


def test_a_link_to_nowhere_does_not_bar_its_folder(reader: SourceReader) -> None:
    (reader.root / "lib" / "gone.py").symlink_to("nowhere.py")
    (reader.root / "lib" / "round.py").symlink_to("round.py")
    assert [source.name for source in reader.read_source("lib")] == ["lib/a.py"]
    assert "link to nowhere.py" in refusal(reader, "lib/gone.py").reason


def test_a_file_that_vanishes_is_named(
    reader: SourceReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    target, looked = reader.root / "lib" / "a.py", os.stat

    def vanishing(path: Path, **options: bool) -> os.stat_result:
        found = looked(path, **options)
        if path == target:
            target.unlink(missing_ok=True)
        return found

    monkeypatch.setattr("orch_tui.prepare.sources.os.stat", vanishing)
    assert "no such file" in refusal(reader, "lib/a.py").reason


def test_two_gigabytes_are_refused_unread_and_left_out_of_a_folder_where_they_are_no_text(
    reader: SourceReader,
) -> None:
    make(reader.root, "data/a.md")
    with (reader.root / "data/huge.bin").open("wb") as file:
        file.truncate(2 << 30)
    assert "is binary" in refusal(reader, "data/huge.bin").reason
    assert [source.name for source in reader.read_source("data")] == ["data/a.md"]
    with (reader.root / "data/huge.log").open("wb") as file:
        file.write(b"a line\n" * 2_000)
        file.truncate(2 << 30)
    for given in ("data", "data/huge.log", "data/huge.log:1-2"):
        error = refusal(reader, given)
        assert "over the limit of 10 MB (2147.5 MB)" in error.reason
        assert error.hint == "max_file_size in the configuration raises it"


CODE = "import os\n\nclass Parser:\n    def parse(self):\n        return 1\n\n    def stop(self):\n"


def test_symbols_of_code(reader: SourceReader) -> None:
    make(reader.root, "lib/p.py", text=CODE + "        pass\n")
    (method,) = reader.read_source("lib/p.py#Parser.parse")
    assert (method.name, method.sections) == ("lib/p.py", ("Parser.parse",))
    assert method.data == b"    def parse(self):\n        return 1\n"
    assert only(reader, "lib/p.py#stop")[1] == b"    def stop(self):\n        pass\n"
    refused = refusal(reader, "lib/p.py#Parser.prase")
    assert refused.reason == "has no symbol 'Parser.prase'"
    assert refused.hint.startswith("nearest: Parser.parse,")
    skeleton = only(reader, "lib/p.py#(skeleton)")[1].decode()
    assert skeleton == "import os\nclass Parser:\n    def parse(self):\n    def stop(self):\n"


@pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig", "utf-16", "latin-1"])
def test_symbols_in_any_encoding(reader: SourceReader, codec: str) -> None:
    text = 'GREETING = "Grüße"\r\n\r\ndef ä():\r\n    return "ü"\r\n# Ende\r\n'
    (reader.root / "x.py").write_bytes(text.encode(codec))
    (found,) = reader.read_source("x.py#ä")
    assert found.text == 'def ä():\r\n    return "ü"\r\n'


def test_what_a_past_execution_gave_back(reader: SourceReader) -> None:
    def past(execution: str, what: str) -> bytes:
        if execution != "exec-003":
            raise NotFoundError("execution", execution, ["exec-003"])
        return b"It is done." if what == "message" else b""

    assert "does not exist" in refusal(reader, "exec-003:message").reason
    reader = replace(reader, past=past)
    assert only(reader, "exec-003:message") == ("exec-003:message", b"It is done.")
    assert "no outputs yet" in refusal(reader, "exec-003:outputs").reason
    assert refusal(reader, "exec-03:message").hint == "nearest: exec-003"
    assert reader.source_exists("exec-003:message")
    assert not reader.source_exists("exec-9:message") and not reader.source_exists(
        "exec-003:outputs"
    )
    make(reader.root, "exec-003:message", text="a file")
    assert only(reader, "exec-003:message")[1] == b"a file"


KEY = "AKIA" + "Q3EGR7J2XKLM4P5T"


def test_contents_that_look_secret_need_consent_where_they_are_handed_over(
    reader: SourceReader,
) -> None:
    make(reader.root, "lib/conf.py", text=f"def a(): ...\ndef b():\n    key = '{KEY}'\n")
    assert only(reader, "lib/conf.py")[0] == "lib/conf.py"
    strict = replace(reader, look_inside=True, stdin=lambda: KEY.encode())
    refused = refusal(strict, "lib/conf.py")
    assert refused.reason == "holds what looks like a secret (AWS access key, line 3)"
    assert "--allow-secret" in refused.hint
    assert only(strict, "lib/conf.py#a")[1] == b"def a(): ...\n"  # only what is handed over counts
    assert "line 2" in refusal(strict, "lib/conf.py#b").reason
    assert "secret" in refusal(strict, "-").reason
    assert "secret" in refusal(strict, f"text:use {KEY}").reason
    allowed = replace(strict, allow_secret=True)
    assert only(allowed, "lib/conf.py")[0] == "lib/conf.py"
