"""What people name is found, read byte for byte and named relative to the project."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from orch_tui.errors import NotFoundError, SourceError
from orch_tui.prepare.encoding import decode_text
from orch_tui.prepare.secrets import named_like_one
from orch_tui.prepare.sources import SourceReader, is_outside, make_text_source
from orch_tui.source_name import is_file
from tests.prepare.reading import make_project, read_only_source, read_refusal, write_files


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return make_project(tmp_path)


@pytest.fixture
def reader(project: Path) -> SourceReader:
    return SourceReader(project, project)


def test_a_file_is_taken_byte_for_byte(reader: SourceReader) -> None:
    assert read_only_source(reader, "lib/a.py") == ("lib/a.py", b"one\r\ntwo\nthree")


def test_names_are_relative_to_the_project_wherever_one_stands(project: Path) -> None:
    reader = SourceReader(project / "lib", project)
    assert read_only_source(reader, "a.py")[0] == "lib/a.py"
    assert read_only_source(reader, "../docs/a.md")[0] == "docs/a.md"
    assert read_only_source(reader, "docs/a.md")[0] == "docs/a.md"
    assert read_only_source(reader, str(project / "lib" / "a.py"))[0] == "lib/a.py"


def test_the_working_folder_comes_before_the_project(project: Path) -> None:
    (project / "a.py").write_text("root")
    assert read_only_source(SourceReader(project / "lib", project), "a.py")[0] == "lib/a.py"


def test_a_source_outside_the_project_is_named_as_such(reader: SourceReader) -> None:
    outside = reader.root.parent / "notes.txt"
    outside.write_text("x")
    (reader.root / "link.txt").symlink_to(outside)
    for source in (str(outside), "../notes.txt", "link.txt"):
        name, _ = read_only_source(reader, source)
        assert name == str(outside.resolve())
        assert is_outside(name)
    assert not is_outside("lib/a.py")


def test_line_ranges(reader: SourceReader) -> None:
    assert read_only_source(reader, "lib/a.py:1-2") == ("lib/a.py:1-2", b"one\r\ntwo\n")
    assert read_only_source(reader, "lib/a.py:3") == ("lib/a.py:3-3", b"three")
    assert "it has 3" in read_refusal(reader, "lib/a.py:2-4").message


def test_what_exists_under_the_whole_name_wins(reader: SourceReader) -> None:
    for name in ("b#Intro.md", "c.py:1-2", "e,f.md", "g*.md", "lib/a.py:9"):
        (reader.root / name).write_text(f"# T\nwhole {name}")
        assert read_only_source(reader, name) == (name, f"# T\nwhole {name}".encode())
    assert read_only_source(reader, "b#Intro.md#T")[0] == "b#Intro.md"


@pytest.mark.parametrize("called", ["-", "text:h", "exec-003:message"])
def test_a_file_called_like_something_else_can_be_read_back(
    reader: SourceReader, called: str
) -> None:
    (reader.root / called).write_text("a file")
    name, data = read_only_source(reader, f"./{called}")
    assert read_only_source(reader, name) == (name, data) == (f"./{called}", b"a file")
    assert is_file(name)


@pytest.mark.parametrize("folder", ["c#", "a#b.d", "v1.0#", "x:1"])
def test_a_folder_may_be_called_like_a_part_or_lines(reader: SourceReader, folder: str) -> None:
    (reader.root / folder).mkdir()
    (reader.root / folder / "A.md").write_text("# One\n# Two\n")
    assert [source.name for source in reader.read_source(folder)] == [f"{folder}/A.md"]
    assert read_only_source(reader, f"{folder}/A.md:2") == (f"{folder}/A.md:2-2", b"# Two\n")
    assert read_only_source(reader, f"{folder}/A.md#Two") == (f"{folder}/A.md", b"# Two\n")
    assert reader.split_values([f"{folder}/A.md,{folder}/A.md#Two"]) == [
        f"{folder}/A.md",
        f"{folder}/A.md#Two",
    ]


def test_numbers_of_any_length_are_plainly_refused(reader: SourceReader) -> None:
    digits = "1" * 5_000
    for source in (f"docs/a.md:{digits}", f"docs/a.md:1-{digits}"):
        assert "it has 4" in read_refusal(reader, source).reason
    assert "1 heading 'Intro'" in read_refusal(reader, f"docs/a.md#Intro[{digits}]").reason
    assert "too long" in read_refusal(reader, f"none.md:{digits}/").reason


def test_text_is_decoded_with_its_newlines() -> None:
    assert decode_text(b"a\r\nb\rc\n") == "a\r\nb\rc\n"
    assert decode_text(b"\xef\xbb\xbfa") == "a"
    assert decode_text(b"caf\xe9") == "café"


def test_free_text_is_labelled_by_its_beginning(reader: SourceReader) -> None:
    assert read_only_source(reader, "text:be quick") == ("text:be quick", b"be quick")
    long = make_text_source("\nfirst line\nsecond")
    assert (long.name, long.data) == ("text:first line…", b"\nfirst line\nsecond")
    assert len(make_text_source("x" * 500).name) < 80
    assert make_text_source("a\udcffb").data == b"a\xffb"
    assert "empty" in read_refusal(reader, "text: ").message


def test_standard_input(project: Path) -> None:
    reader = SourceReader(project, project, stdin=lambda: b"piped\r\n", max_bytes=10)
    assert read_only_source(reader, "-") == ("-", b"piped\r\n")
    for data, reason in ((b"", "empty"), (b"a\0", "binary"), (b"x" * 11, "over the limit")):
        broken = SourceReader(project, project, stdin=lambda data=data: data, max_bytes=10)  # type: ignore[misc]
        assert reason in read_refusal(broken, "-").message
    assert "no standard input" in read_refusal(SourceReader(project, project), "-").message


def test_a_folder_may_be_called_like_a_part(reader: SourceReader) -> None:
    for name in ("c#/main.py", "c#/Makefile", "f#/a#b.md"):
        (reader.root / name).parent.mkdir(exist_ok=True)
        (reader.root / name).write_text("# T\ndef f(): pass\n")
        assert read_only_source(reader, name)[0] == name
        assert [s.name for s in reader.read_source(name.partition("/")[0])][-1].startswith(name[:3])
    assert reader.read_source("c#/main.py#f")[0].sections == ("f",)
    assert reader.read_source("f#/a#b.md#T")[0].sections == ("T",)
    assert read_refusal(reader, "c#/mian.py").hint == "nearest: c#/main.py"
    assert read_refusal(reader, "c#/mian.py#f").hint == "nearest: c#/main.py"


@pytest.mark.parametrize("digits", ["1" * 5000, "0" * 5000 + "9", str(2**63)])
def test_a_number_of_any_length_is_a_number(reader: SourceReader, digits: str) -> None:
    assert "it has 3" in read_refusal(reader, f"lib/a.py:{digits}").message
    assert "it has 3" in read_refusal(reader, f"lib/a.py:2-{digits}").message
    assert "has 1 heading" in read_refusal(reader, f"docs/a.md#Intro[{digits}]").message


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
    assert read_refusal(reader, "lib/b.py").hint == "nearest: lib/a.py"
    assert read_refusal(reader, "dosc/a.md#Intro").hint == "nearest: docs"
    assert str(reader.root) in read_refusal(reader, "entirely/else").hint
    assert read_refusal(reader, "lib/a.py/deeper").reason == "does not exist"
    assert "is too long" in read_refusal(reader, "y" * 5000).message
    assert "no file name can hold" in read_refusal(reader, "nul\0").message


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


def test_a_name_that_is_no_utf8_is_refused(reader: SourceReader) -> None:
    name = os.fsdecode(b"caf\xe9.txt")
    (reader.root / name).write_text("x")
    assert "no UTF-8" in read_refusal(reader, name).reason
    str(read_refusal(reader, name)).encode()  # can be printed


@pytest.mark.parametrize(
    "name", [".env", ".env.local", "server.PEM", "id_rsa", ".netrc", "credentials", "secrets.yaml"]
)
def test_secret_looking_files_need_consent(project: Path, name: str) -> None:
    (project / name).write_text("x")
    refused = read_refusal(SourceReader(project, project), name)
    assert "looks like a secret" in refused.reason
    assert "--allow-secret" in refused.hint
    assert read_only_source(SourceReader(project, project, allow_secret=True), name) == (name, b"x")


@pytest.mark.parametrize(
    "name", [".env.example", "env.py", "id_ed25519.pub", "credentials.py", "example.env", "key.md"]
)
def test_harmless_files_do_not_look_secret(name: str) -> None:
    assert not named_like_one(name)


def test_a_folder_stands_for_its_files_without_what_is_ignored(reader: SourceReader) -> None:
    write_files(
        reader.root, "src/b.py", "src/deep/a.py", "src/deep/x.log", "src/out/gen.py", "src/.hid"
    )
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
    write_files(reader.root, "build/a.md", "build/b.md", "build/tmp/c.md")
    (reader.root / ".gitignore").write_text("build/\ntmp/\n")
    assert [s.name for s in reader.read_source("**/*.md")] == ["docs/a.md"]
    assert [s.name for s in reader.read_source("build/**/*.md")] == ["build/a.md", "build/b.md"]
    assert [s.name for s in reader.read_source("build")] == ["build/a.md", "build/b.md"]
    assert read_only_source(reader, "build/tmp/c.md")[0] == "build/tmp/c.md"
    assert "matches no file" in read_refusal(reader, "bui*/*.md").reason


def test_a_folder_with_nothing_to_take_is_refused_and_every_bad_file_named(
    reader: SourceReader,
) -> None:
    (reader.root / "empty").mkdir()
    assert "without files" in read_refusal(reader, "empty").reason
    write_files(reader.root, "keys/id_rsa", "keys/server.pem", "keys/readme.md")
    message = read_refusal(reader, "keys").message
    assert "id_rsa: looks like a secret" in message and "server.pem" in message
    (reader.root / "pictures").mkdir()
    (reader.root / "pictures" / "a.png").write_bytes(b"\0")
    assert read_refusal(reader, "pictures").reason == "holds no text file"


def test_a_name_that_is_no_utf_8_leaves_itself_out_and_is_said(reader: SourceReader) -> None:
    write_files(reader.root, "docs/b.md")
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


def test_letters_of_one_or_two_code_points_are_the_same_name(reader: SourceReader) -> None:
    composed, apart = "caf\u00e9", "cafe\u0301"
    for written, asked in ((composed, apart), (apart, composed)):
        shutil.rmtree(reader.root / "docs")
        write_files(reader.root, f"docs/{written}/{written}.md")
        for source in (f"docs/{asked}/{asked}.md", f"docs/{asked}", f"docs/{asked}/*.md"):
            assert read_only_source(reader, source)[0] == f"docs/{written}/{written}.md"
        for source in (f"docs/{asked}/{asked}.*", f"docs/*/{asked}.md", f"**/{asked}*"):
            names = [found.name for found in reader.read_source(source)]
            assert names == [f"docs/{written}/{written}.md"], source
        assert reader.source_exists(f"docs/{asked}")


@pytest.fixture
def locked(reader: SourceReader, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that keeps everybody out; whoever runs the tests may read any."""
    folder = reader.root / "lib" / "locked"
    write_files(reader.root, "lib/locked/a.py", "lib/locked/sub/b.py")
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
    refused = read_refusal(reader, source)
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
        assert read_refusal(reader, source).reason == "cannot be read (permission denied)"
        assert reader.source_exists(source)
    assert not reader.source_exists("lib/gone.py")


@pytest.mark.usefixtures("locked")
def test_a_folder_that_is_not_looked_into_may_be_locked(reader: SourceReader) -> None:
    assert [s.name for s in reader.read_source("lib/*")] == ["lib/a.py"]
    (reader.root / ".orchignore").write_text("locked/\n")
    for source in ("lib", "lib/**/*.py"):
        assert [s.name for s in reader.read_source(source)] == ["lib/a.py"]


def test_what_a_past_execution_gave_back(reader: SourceReader) -> None:
    def past(execution: str, what: str) -> bytes:
        if execution != "exec-003":
            raise NotFoundError("execution", execution, ["exec-003"])
        return b"It is done." if what == "message" else b""

    assert "does not exist" in read_refusal(reader, "exec-003:message").reason
    reader = replace(reader, past=past)
    assert read_only_source(reader, "exec-003:message") == ("exec-003:message", b"It is done.")
    assert "no outputs yet" in read_refusal(reader, "exec-003:outputs").reason
    assert read_refusal(reader, "exec-03:message").hint == "nearest: exec-003"
    assert reader.source_exists("exec-003:message")
    assert not reader.source_exists("exec-9:message") and not reader.source_exists(
        "exec-003:outputs"
    )
    write_files(reader.root, "exec-003:message", text="a file")
    assert read_only_source(reader, "exec-003:message")[1] == b"a file"


KEY = "AKIA" + "Q3EGR7J2XKLM4P5T"


def test_contents_that_look_secret_need_consent_where_they_are_handed_over(
    reader: SourceReader,
) -> None:
    write_files(reader.root, "lib/conf.py", text=f"def a(): ...\ndef b():\n    key = '{KEY}'\n")
    assert read_only_source(reader, "lib/conf.py")[0] == "lib/conf.py"
    strict = replace(reader, look_inside=True, stdin=lambda: KEY.encode())
    refused = read_refusal(strict, "lib/conf.py")
    assert refused.reason == "holds what looks like a secret (AWS access key, line 3)"
    assert "--allow-secret" in refused.hint
    assert (
        read_only_source(strict, "lib/conf.py#a")[1] == b"def a(): ...\n"
    )  # only what is handed over counts
    assert "line 2" in read_refusal(strict, "lib/conf.py#b").reason
    assert "secret" in read_refusal(strict, "-").reason
    assert "secret" in read_refusal(strict, f"text:use {KEY}").reason
    allowed = replace(strict, allow_secret=True)
    assert read_only_source(allowed, "lib/conf.py")[0] == "lib/conf.py"
