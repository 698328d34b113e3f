"""Headings and symbols are cut out of a file in the encoding it has."""

from __future__ import annotations

from pathlib import Path

import pytest

from orch_tui.errors import SourceError
from orch_tui.prepare.sources import SourceReader
from tests.prepare.reading import make_project, read_only_source, read_refusal, write_files


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return make_project(tmp_path)


@pytest.fixture
def reader(project: Path) -> SourceReader:
    return SourceReader(project, project)


def test_sections_by_heading(reader: SourceReader) -> None:
    (section,) = reader.read_source("docs/a.md#intro")
    assert (section.name, section.sections) == ("docs/a.md", ("intro",))
    assert section.data == b"# Intro\nhello\n"
    assert read_only_source(reader, "docs/a.md", "Intro") == ("docs/a.md", b"# Intro\nhello\n")
    assert "Intro" in read_refusal(reader, "docs/a.md#Intor").hint
    (reader.root / "a.csv").write_text("a,b\n")
    refused = read_refusal(reader, "a.csv#Parser")
    assert "only Markdown and code" in refused.message
    assert refused.hint == "name lines: a.csv:FIRST-LAST"
    with pytest.raises(SourceError, match="lines and sections"):
        reader.read_source("docs/a.md:1-2", ["Intro"])


@pytest.mark.parametrize("codec", ["utf-16", "utf-16-be", "utf-32", "utf-8-sig", "latin-1"])
def test_parts_of_any_encoding_can_be_read_again(reader: SourceReader, codec: str) -> None:
    mark = "\ufeff" if codec == "utf-16-be" else ""
    (reader.root / "x.md").write_bytes(f"{mark}# Ä\nü\n# B\nende\n".encode(codec))
    (whole,) = reader.read_source("x.md")
    (section,) = reader.read_source("x.md#Ä")
    (line,) = reader.read_source("x.md:4")
    assert whole.text == "# Ä\nü\n# B\nende\n"
    assert (section.text, line.text) == ("# Ä\nü\n", "ende\n")


CODE = "import os\n\nclass Parser:\n    def parse(self):\n        return 1\n\n    def stop(self):\n"


def test_symbols_of_code(reader: SourceReader) -> None:
    write_files(reader.root, "lib/p.py", text=CODE + "        pass\n")
    (method,) = reader.read_source("lib/p.py#Parser.parse")
    assert (method.name, method.sections) == ("lib/p.py", ("Parser.parse",))
    assert method.data == b"    def parse(self):\n        return 1\n"
    assert read_only_source(reader, "lib/p.py#stop")[1] == b"    def stop(self):\n        pass\n"
    refused = read_refusal(reader, "lib/p.py#Parser.prase")
    assert refused.reason == "has no symbol 'Parser.prase'"
    assert refused.hint.startswith("nearest: Parser.parse,")
    skeleton = read_only_source(reader, "lib/p.py#(skeleton)")[1].decode()
    assert skeleton == "import os\nclass Parser:\n    def parse(self):\n    def stop(self):\n"


@pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig", "utf-16", "latin-1"])
def test_symbols_in_any_encoding(reader: SourceReader, codec: str) -> None:
    text = 'GREETING = "Grüße"\r\n\r\ndef ä():\r\n    return "ü"\r\n# Ende\r\n'
    (reader.root / "x.py").write_bytes(text.encode(codec))
    (found,) = reader.read_source("x.py#ä")
    assert found.text == 'def ä():\r\n    return "ü"\r\n'
