from __future__ import annotations

from pathlib import Path

import pytest

from orch_tui import clipboard


def test_without_a_clipboard_the_text_is_in_a_file(own_home: Path) -> None:
    copied = clipboard.copy("grüße", lambda text: False)
    assert copied.how == "file" and copied.file is not None
    assert copied.file.read_text() == "grüße"
    assert copied.file.stat().st_mode & 0o777 == 0o600
    assert str(copied) == f"there is no clipboard here; it is in {copied.file}"


def test_the_terminal_is_asked_and_may_not_have_taken_it() -> None:
    asked: list[str] = []

    def ask(text: str) -> bool:
        asked.append(text)
        return True

    copied = clipboard.copy("text", ask)
    assert (asked, copied.how) == (["text"], "terminal")
    assert copied.file and copied.file.read_text() == "text"


def test_a_program_of_the_desktop_goes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    pyperclip = pytest.importorskip("pyperclip")
    taken: list[str] = []
    monkeypatch.setattr(pyperclip, "copy", taken.append)
    monkeypatch.delenv("SSH_CONNECTION")
    assert clipboard.copy("text", lambda text: False) == clipboard.Copied("clipboard")
    assert taken == ["text"]


def test_a_desktop_without_a_clipboard_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    pyperclip = pytest.importorskip("pyperclip")

    def refuse(text: str) -> None:
        raise pyperclip.PyperclipException("no program")

    monkeypatch.setattr(pyperclip, "copy", refuse)
    monkeypatch.delenv("SSH_CONNECTION")
    assert clipboard.copy("text", lambda text: False).how == "file"
