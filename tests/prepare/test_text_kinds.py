"""What kind of content a text is taken for."""

from __future__ import annotations

import pytest

from orch_tui.prepare.text_kinds import kind_of


@pytest.mark.parametrize(
    ("source", "text", "kind"),
    [
        ("lib/a.py", "x = 1", "python"),
        ("lib/a.py:10-80", "x = 1", "python"),
        ("lib/a.py#Parser.parse", "x = 1", "python"),
        ("C.TSX", "let a", "typescript"),
        ("a.json", '{\n  "a": 1\n}', "json"),
        ("a.json", '{"a":1}', "json-compact"),
        ("conf.yml", "a: 1", "yaml"),
        ("no_suffix", "#!/usr/bin/env bash\nls", "shell"),
        ("no_suffix", "#!/usr/bin/python3\nx", "python"),
        ("-", "# Title\n\nText", "markdown"),
        ("-", '[{"a": 1}]', "json-compact"),
        ("text:read lib/a.py and say why", "read the parser and say why it fails.", "english"),
        ("notes.txt", "The parser fails when it is given nothing at all.", "english"),
        ("a.bin", "0x00 0x01 0x02 0x03 {} [] == != ", "other"),
        ("README.md", "これは日本語の文章です。" * 20, "cjk"),
        ("-", "Это обычный русский текст. " * 20, "nonlatin"),
        ("-", "Größere Änderungen müssen geprüft werden. " * 20, "european"),
        ("", "", "other"),
    ],
)
def test_the_kind_of_content_is_told_from_name_then_looks(
    source: str, text: str, kind: str
) -> None:
    assert kind_of(source, text) == kind
