"""Bytes as text, whatever they are."""

from __future__ import annotations

import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orch_tui.prepare.encoding import (
    decode_text,
    describe_encoding,
    detect_encoding,
    encode_part,
)

TEXT = "Größe\r\n漢字 😀\n"


@pytest.mark.parametrize(
    "codec", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-be"]
)
def test_a_text_is_read_by_its_mark(codec: str) -> None:
    mark = "\ufeff" if codec.endswith(("le", "be")) else ""
    data = f"{mark}{TEXT}".encode(codec)
    assert decode_text(data) == TEXT
    found, begins, _ = detect_encoding(data)
    assert data.startswith(begins) and data[len(begins) :].decode(found) == TEXT


def test_without_a_mark_it_is_utf_8_where_it_can_be() -> None:
    assert detect_encoding("Größe".encode()) == ("utf-8", b"", "")
    assert detect_encoding(b"") == ("utf-8", b"", "")
    assert describe_encoding("Größe".encode()) == describe_encoding(codecs.BOM_UTF8) == ""
    assert decode_text("Größe".encode("latin-1")) == "Größe"


CODE = """def read(text):
    # {}
    return [line.strip() for line in text.splitlines()]  # {}
"""
WRITTEN = {
    "gb18030": ("这是一个测试文件，用来检查编码。", "读取配置文件并返回结果"),
    "big5": ("這是一個測試檔案，用來檢查編碼。", "讀取設定檔並傳回結果"),
    "cp932": ("これは文字コードを確かめるためのテストです。", "設定ファイルを読み込む"),
    "euc_jp": ("これは文字コードを確かめるためのテストです。", "設定ファイルを読み込む"),
    "iso2022_jp": ("これは文字コードを確かめるためのテストです。", "設定ファイルを読み込む"),
    "euc_kr": (
        "이것은 인코딩을 확인하기 위한 시험 파일입니다.",
        "설정 파일을 읽고 결과를 돌려준다",
    ),
    "cp1251": ("Это проверочный файл для определения кодировки.", "Читает файл настроек"),
    "koi8_r": ("Это проверочный файл для определения кодировки.", "Читает файл настроек"),
    "cp866": ("Это проверочный файл для определения кодировки.", "Читает файл настроек"),
    "cp1250": ("To jest plik próbny; źródło łatwo się psuje, więc sprawdź.", "Żółć wczytuje"),
    "cp1252": ("“Schöne” Grüße – für größere Übungen", "L’été où l’élève reçut ça"),
    "cp1253": ("Αυτό είναι ένα δοκιμαστικό αρχείο για την κωδικοποίηση.", "Διαβάζει το αρχείο"),
    "cp1254": (
        "Bu, kodlamayı sınamak için yazılmış bir dosyadır; şöyle çalışır.",
        "Ayarları okur ığ",
    ),
    "cp1255": ("זהו קובץ בדיקה לקידוד התווים של הטקסט", "קורא את קובץ ההגדרות"),
    "cp1256": ("هذا ملف اختبار للتحقق من ترميز النص", "يقرأ ملف الإعدادات"),
    "utf-16-le": ("Это проверочный файл", "Grüße"),
    "utf-16-be": ("これはテストです", "设置"),
}


@pytest.mark.parametrize("codec", WRITTEN)
def test_comments_in_code_are_read_in_the_encoding_they_were_written_in(codec: str) -> None:
    text = CODE.format(*WRITTEN[codec])
    data = text.encode(codec)
    assert decode_text(data) == text
    assert any(way in describe_encoding(data) for way in ("detected", "a guess"))
    part = text.splitlines()[1]
    assert decode_text(encode_part(part, data)) == part


@pytest.mark.parametrize(
    ("text", "codec", "read"),
    [
        ("# -*- coding: gbk -*-\nx = '中'\n", "gbk", "gb18030"),
        ('<?xml version="1.0" encoding="Shift_JIS"?>\n<a>中</a>', "shift_jis", "cp932"),
        ("<meta charset='big5'>\n中", "big5", "cp950"),
        ('@charset "iso-8859-1";\n/* ü */', "latin-1", "cp1252"),
        ("x = 'ж'\n" * 200 + "# vim: set fileencoding=koi8-r :\n", "koi8-r", "koi8-r"),
    ],
)
def test_a_text_is_read_as_it_declares(text: str, codec: str, read: str) -> None:
    data = text.encode(codec)
    assert decode_text(data) == text
    assert describe_encoding(data) == f"{read}, declared"


@pytest.mark.parametrize("name", ["rot13", "unicode_escape", "cp037", "base64", "utf-7", "no-such"])
def test_what_cannot_be_meant_is_no_declaration(name: str) -> None:
    data = f"# coding: {name}\n\\q caf\u00e9 d\u00e9j\u00e0\n".encode("cp1252")
    assert decode_text(data) == f"# coding: {name}\n\\q café déjà\n"
    assert "declared" not in describe_encoding(data)


def test_ascii_with_nul_bytes_or_escapes_is_no_other_encoding() -> None:
    assert decode_text(b"a\0b.txt\0c\0") == "a\0b.txt\0c\0"
    assert decode_text(b"\x1b(B\x1b[1mred\x1b$") == "\x1b(B\x1b[1mred\x1b$"


def test_what_is_not_what_its_mark_says_is_shown_all_the_same() -> None:
    assert decode_text(b"\xef\xbb\xbfa\xff") == "a\ufffd"
    assert decode_text(b"\xff\xfea\x00\xd8") == "a\ufffd"


@given(st.binary())
def test_any_bytes_are_some_text(data: bytes) -> None:
    assert len(decode_text(data)) <= len(data)


class SeenBytes(bytes):
    """Bytes that tell in which encodings they were tried."""

    tried: list[str]

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        self.tried.append(encoding)
        return super().decode(encoding, errors)


def test_an_encoding_is_tried_once_however_often_it_is_declared() -> None:
    names = ("utf-8", "UTF8", "shift_jis", "cp932", "sjis") * 20
    data = SeenBytes("".join(f"coding: {n}\n" for n in names).encode() + b"\xfd\xff caf\xe9 \x98\n")
    data.tried = []
    found = detect_encoding(data)
    assert found.how != "declared"
    behind_utf_8 = data.tried[1:]
    declared = [each for each in behind_utf_8 if each in ("utf-8", "cp932", "shift_jis")]
    assert sorted(declared) == ["cp932", "shift_jis", "utf-8"]
    data.tried.clear()
    assert detect_encoding(data) == found
    assert data.tried == ["utf-8"]  # it is known by then
