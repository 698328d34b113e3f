"""A text without secrets is looked into once."""

from __future__ import annotations

from pathlib import Path

import pytest

from orch_tui.prepare import secret_verdicts, secrets
from orch_tui.prepare.count import UnsavedCounts
from orch_tui.prepare.secret_verdicts import SecretVerdicts

CLEAN = b"x = 1\n"
SECRET = b"key = 'AKIA" + b"Z7Q4" * 4 + b"'\n"


def test_what_holds_none_is_known_from_then_on(monkeypatch: pytest.MonkeyPatch) -> None:
    cache = UnsavedCounts()
    first = SecretVerdicts(cache)
    assert first.find_in(CLEAN, CLEAN.decode(), "a.py") == ()
    assert first.find_in(SECRET, SECRET.decode(), "b.py")
    first.keep()
    looked_into: list[str] = []
    find = secrets.find_secrets

    def find_and_tell(text: str, name: str = "") -> tuple[secrets.Secret, ...]:
        looked_into.append(name)
        return find(text, name)

    monkeypatch.setattr(secrets, "find_secrets", find_and_tell)
    again = SecretVerdicts(cache)
    assert again.find_in(CLEAN, CLEAN.decode(), "elsewhere/c.py") == ()
    assert again.find_in(SECRET, SECRET.decode(), "b.py")
    assert again.find_in(CLEAN, CLEAN.decode(), "a.yml") == ()  # read by other rules
    assert looked_into == ["b.py", "a.yml"]


def test_without_a_cache_each_text_is_looked_into() -> None:
    verdicts = SecretVerdicts(None)
    verdicts.find_in(CLEAN, CLEAN.decode(), "a.py")
    verdicts.keep()
    assert verdicts.find_in(SECRET, SECRET.decode(), "a.py")


def test_with_another_version_of_the_library_each_text_is_looked_into_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = UnsavedCounts()
    now = SecretVerdicts(cache)
    now.find_in(CLEAN, CLEAN.decode(), "a.py")
    now.keep()
    looked_into: list[str] = []

    def look_into(text: str, name: str) -> tuple[secrets.Secret, ...]:
        looked_into.append(name)
        return ()

    monkeypatch.setattr(secrets, "find_secrets", look_into)
    SecretVerdicts(cache).find_in(CLEAN, CLEAN.decode(), "a.py")
    assert looked_into == []
    newer = tmp_path / "detect_secrets"
    newer.mkdir()
    (newer / "__init__.py").touch()
    (newer / "__version__.py").write_text("VERSION = '99.0'\n")
    monkeypatch.syspath_prepend(tmp_path)
    secret_verdicts.find_rules_version.cache_clear()
    try:
        SecretVerdicts(cache).find_in(CLEAN, CLEAN.decode(), "a.py")
    finally:
        secret_verdicts.find_rules_version.cache_clear()
    assert looked_into == ["a.py"]
