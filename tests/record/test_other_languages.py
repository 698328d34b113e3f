"""Words of reports in other languages, as the reader of messages sees them."""

from __future__ import annotations

import pytest

from orch_tui.record.messages.other_languages import put_into_english
from tests.record.message_claims import claims


@pytest.mark.parametrize(
    ("text", "english"),
    [
        ("Alle Tests bestanden", "all Tests passed"),
        ("Die Tests laufen durch.", "Die Tests passed."),
        ("Les tests passent, aucune erreur", "Les tests passed, no errors"),
        ("pruebas: 3 pasaron", "tests: 3 passed"),
        ("测试：全部通过", "tests : all passed"),
        ("テスト: 24件成功", "tests : 24 passed"),
        ("테스트: 12개 통과", "tests : 12 passed"),
        ("тесты прошли, ошибок нет", "tests passed, no errors"),
    ],
)
def test_words_of_reports_are_put_into_english(text: str, english: str) -> None:
    assert " ".join(put_into_english(text).split()) == " ".join(english.split())


def test_english_stays_as_it_is() -> None:
    text = "All 12 tests pass; `a.py` was changed, and no note says why."
    assert put_into_english(text) == text


def test_files_are_claimed_in_any_of_them() -> None:
    assert claims("Ich habe `a.py` angelegt. An `b.py` habe ich nichts geändert.") == {
        "a.py": "created",
        "b.py": "",
    }
    assert claims("我修改了 `a.py`，没有修改 `b.py`。") == {"a.py": "modified", "b.py": ""}
    assert claims("`a.py` を作成しました。`b.py` は変更していません。") == {
        "a.py": "created",
        "b.py": "",
    }
