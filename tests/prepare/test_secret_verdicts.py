"""A text without secrets is looked into once."""

from __future__ import annotations

from dataclasses import replace

import pytest

from orch_tui.prepare import secret_verdicts, secrets
from orch_tui.prepare.bundle import ContextItem
from orch_tui.prepare.count import ZERO, UnsavedCounts
from orch_tui.prepare.secret_verdicts import SecretVerdicts

CLEAN = b"x = 1\n"
SECRET = b"key = 'AKIA" + b"Z7Q4" * 4 + b"'\n"


@pytest.fixture
def looked_into(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The texts that were looked into."""
    texts: list[str] = []
    find = secrets.find_secrets

    def find_and_tell(text: str) -> tuple[secrets.Secret, ...]:
        texts.append(text)
        return find(text)

    monkeypatch.setattr(secrets, "find_secrets", find_and_tell)
    return texts


def look_into_both(cache: UnsavedCounts | None) -> None:
    verdicts = SecretVerdicts(cache)
    assert verdicts.find_in(CLEAN, CLEAN.decode()) == ()
    assert verdicts.find_in(SECRET, SECRET.decode())
    verdicts.keep()


def test_what_holds_none_is_known_from_then_on(looked_into: list[str]) -> None:
    cache = UnsavedCounts()
    look_into_both(cache)
    look_into_both(cache)
    assert looked_into == [CLEAN.decode(), SECRET.decode(), SECRET.decode()]


def test_without_a_cache_each_text_is_looked_into(looked_into: list[str]) -> None:
    look_into_both(None)
    look_into_both(None)
    assert len(looked_into) == 4


def test_with_other_rules_each_text_is_looked_into_anew(
    looked_into: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = UnsavedCounts()
    look_into_both(cache)
    monkeypatch.setattr(secret_verdicts, "find_rules_version", lambda: "other")
    look_into_both(cache)
    assert looked_into.count(CLEAN.decode()) == 2


def test_an_item_known_to_hold_none_is_looked_into_by_its_name_alone(
    looked_into: list[str],
) -> None:
    cache = UnsavedCounts()
    look_into_both(cache)
    looked_into.clear()
    verdicts = SecretVerdicts(cache)
    clean = ContextItem("file", "a.py", "required", (), CLEAN, ZERO)
    assert not clean.is_secret_by(verdicts) and looked_into == []
    assert replace(clean, source=".env").is_secret_by(verdicts) and looked_into == []
    assert replace(clean, data=SECRET, sha256="").is_secret_by(verdicts)
    assert clean.looks_secret is False and looked_into == [SECRET.decode(), CLEAN.decode()]


def test_many_are_looked_into_at_once_and_those_that_hold_none_are_kept(
    looked_into: list[str],
) -> None:
    cache = UnsavedCounts()
    texts = [CLEAN, SECRET, *(f"{number}\n".encode() * 20_000 for number in range(3))]
    verdicts = SecretVerdicts(cache)
    verdicts.look_into([(text, text.decode()) for text in texts])
    looked_into.clear()
    found = [verdicts.find_in(text, text.decode()) for text in texts]
    assert [bool(each) for each in found] == [False, True, False, False, False]
    assert looked_into == [SECRET.decode()]
    verdicts.keep()
    again = SecretVerdicts(cache)
    again.look_into([(text, text.decode()) for text in texts])
    assert looked_into == [SECRET.decode()] * 2
