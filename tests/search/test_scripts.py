"""Every word that people remember finds its run: in any script, within a name, with its signs."""

from __future__ import annotations

import random
import re

import pytest

from orch_tui.models.database import Record
from orch_tui.search import maintenance
from orch_tui.search.query import search
from tests.search.older_index import make_version_1
from tests.search.rows import give, put, put_briefing, put_output

SENTENCES = {
    "Chinese": "我们需要修复登录页面的错误处理，然后添加单元测试。𠮷野家",
    "Japanese": "ユーザー認証のエラー処理を修正しました。人々がテストする",
    "Thai": "เราต้องแก้ไขข้อผิดพลาดในหน้าเข้าสู่ระบบก่อน",
    "Lao": "ພວກເຮົາຕ້ອງແກ້ໄຂຂໍ້ຜິດພາດໃນໜ້າເຂົ້າສູ່ລະບົບ",
    "Khmer": "យើងត្រូវជួសជុលកំហុសក្នុងទំព័រចូល",
    "Myanmar": "ကျွန်ုပ်တို့သည်အမှားကိုပြင်ဆင်ရန်လိုအပ်သည်",
    "mixed": "步2 重跑gen-itgc后50条悬空引用清零ok",
    "Korean": "로그인 오류를 수정했습니다",
    "Russian": "Ошибка входа исправлена",
    "German": "Der Prüfschlüssel der Straße läuft",
    "Polish": "Łódź naprawiła źródło",
}
SIGN = re.compile(r"[^\W\d_a-z]|[\u0e31-\u0e4e\u0eb1-\u0ece\u102b-\u103e\u17b4-\u17d3]")


def found(record: Record, query: str) -> list[str]:
    return sorted(hit.execution_id.removeprefix("exec-") for hit in search(record, query).hits)


@pytest.fixture
def spoken(record: Record) -> Record:
    """A run for each sentence, and one that has nothing of them."""
    put(record, *({"final_message": text} for text in SENTENCES.values()), {"scope": "other"})
    return record


def words_of(text: str, chance: random.Random) -> list[str]:
    """Pieces of one to six signs from anywhere in a script without spaces, else whole words."""
    pieces = []
    for run in re.findall(r"[^\s，。]+", text):
        if run.isascii() or not any(sign >= "\u0e00" for sign in run) or run[0] >= "\uac00":
            pieces.append(run)
            continue
        for _ in range(20):
            start = chance.randrange(len(run))
            pieces.append(run[start : start + chance.randrange(1, 7)])
    return [piece for piece in pieces if any(map(str.isalnum, piece))]


@pytest.mark.parametrize("name", SENTENCES)
def test_any_word_of_any_script_is_found_by_itself_and_excluded(spoken: Record, name: str) -> None:
    number = f"{[*SENTENCES].index(name):03d}"
    chance = random.Random(name)
    everything = found(spoken, "")
    for word in words_of(SENTENCES[name], chance):
        if word[0].isascii() and word[0].isalnum() or word[-1].isascii():
            continue  # may begin or end within a Latin word
        for query in (word, f"{word} ", f'"{word}"', f"{word} {word}"):
            assert number in found(spoken, query), query
        assert found(spoken, f"-{word} ") == sorted({*everything} - {*found(spoken, f"{word} ")})


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("登录", ["000"]),
        ("登录页面", ["000"]),
        ('"错误处理"', ["000"]),
        ("录登", []),
        ("登页", []),
        ("処理 エラー", ["001"]),
        ("々", ["001"]),
        ("ข้อผิดพลาด", ["002"]),
        ("พลาดข้อ", []),
        ("悬空", ["006"]),
        ("gen", ["006"]),
        ("50", ["006"]),
        ("itgc后50条", ["006"]),
        ("清零ok", ["006"]),
        ("clear", []),
        ("schlussel", []),
        ("prufschlussel strasse", ["009"]),
        ("Straße lauft", ["009"]),
        ("lodz zrodlo", ["010"]),
        ("ﾕｰｻﾞｰ", ["001"]),
    ],
)
def test_words_within_sentences(spoken: Record, query: str, expected: list[str]) -> None:
    assert found(spoken, query) == expected


def test_what_only_tells_where_a_line_may_end_parts_no_word(record: Record) -> None:
    put(record, {"final_message": "កំហុស\u200bក្នុង\u200bទំព័រ"}, {"scope": "foo\u200bbar"})
    for query in ("កំហុសក្នុង", "កំហុស\u200bក្នុង", "ក្នុងទំ", "ទំព័រ"):
        assert found(record, query) == ["000"], query
    assert found(record, "bar ") == ["001"]


def test_what_an_older_index_does_not_know_is_not_pretended(record: Record) -> None:
    put(record, {"scope": "C++ ✅"}, {"scope": "C"})
    make_version_1(record)
    assert found(record, "C++") == ["000"]
    assert found(record, "✅") == []
    maintenance.index_older(record)
    assert found(record, "C++") == found(record, "✅") == ["000"]


def test_a_word_is_marked_where_it_stands(spoken: Record) -> None:
    for query, marked in (("登录", "登录"), ("エラー", "エラー"), ("strasse", "Straße")):
        (hit,) = search(spoken, query).hits
        assert [hit.snippet[a:b] for a, b in hit.spans] == [marked]


def test_the_words_of_each_text_of_a_run_are_found(record: Record) -> None:
    told = put_briefing(record, ["text", "请修复登录页面"])
    put(record, {"scope": "认证错误", "briefing_id": told}, {"scope": "other"})
    put_output(record, "exec-000", "insight", "单元测试 passed")
    give(record, "exec-000", "lib/数据库.py", "数据库的连接池")
    for query in ("登录", "认证", "测试", "数据库", "given:连接", 'given:"连接池"', "given:池"):
        assert found(record, query) == ["000"], query
    assert found(record, "given:接连") == []
    assert found(record, "-given:连接") == ["001"]
    assert maintenance.check(record) == []


PIECES = [
    *("abc", "Vector", "Search", "XML", "é", "e\u0301", "ß", "ł", "İ", "登录", "页面", "エラー"),
    *("ｶﾞ", "か\u3099", "ข้อ", "ผิด", "ຂໍ້", "កំ", "ហុស", "အမှား", "\u200b", "Ａ", "ﬁ", "1", "37"),
    *("+", "++", "#", "$", "@", "::", "->", "--", "=", ".", "_", "-", "/", "(", ")", "→", "✅"),
    *("❌\ufe0f", "👍\U0001f3fd", "🇩🇪", "²", "ё", "й", "한글", "हिन्दी", "عربي", "\u00ad", "\u0301"),
    *("\ue000", "\ue965", "𠮷", "％", " ", " ", " ", "\n"),
]


@pytest.mark.parametrize("seed", [1, 2])
def test_a_text_is_found_by_each_of_its_words_whatever_they_are_made_of(
    record: Record, seed: int
) -> None:
    chance = random.Random(seed)
    texts = ["".join(chance.choices(PIECES, k=chance.randrange(3, 14))) for _ in range(80)]
    put(record, *({"final_message": text} for text in texts))
    for number, text in enumerate(texts):
        for word in text.split():
            bare = [] if re.match(r"-[^-]|.*[a-z]:[^:]", word) else [word]
            for query in (f'"{word}"', *bare):
                page = search(record, query, limit=400)
                if not (page.mistakes and not page.hits):  # named, and nothing is pretended
                    assert f"exec-{number:03d}" in {hit.execution_id for hit in page.hits}, query
                for hit in page.hits:
                    assert all(0 <= a < b <= len(hit.snippet) for a, b in hit.spans)
    assert maintenance.check(record) == []


# Parts of names

NAMES = "vectorSearch and getHTTPResponseCode moved; LoginForm.tsx; see PR1137 utf8Decoder 3fa9c2d1"


@pytest.mark.parametrize("word", ["search", "vector", "response", "code", "http", "form", "1137"])
def test_a_part_of_a_name_is_a_word(record: Record, word: str) -> None:
    put(record, {"final_message": NAMES}, {"scope": "other"})
    for query in (word, f"{word} ", word.upper(), f"{word} moved "):
        assert found(record, query) == ["000"], query
    (hit,) = search(record, f"{word} ").hits
    assert [hit.snippet[a:b].lower() for a, b in hit.spans] == [word]
    assert found(record, f"-{word}") == ["001"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("getHTTPResponseCode ", ["000"]),
        ('"http response"', ["000"]),
        ('"search get"', []),  # parts of two names
        ('"form see"', []),
        ("earch ", []),
        ("spons ", []),
        ("decoder ", ["000"]),
        ("9 ", []),  # of a digest
    ],
)
def test_parts_of_names(record: Record, query: str, expected: list[str]) -> None:
    put(record, {"final_message": NAMES})
    assert found(record, query) == expected


def test_parts_of_names_are_found_in_what_was_given(record: Record) -> None:
    put(record, {}, {})
    give(record, "exec-000", "a.ts", "const searchIndex = new VectorStore()")
    assert found(record, "given:index") == found(record, "given:vector") == ["000"]
    assert found(record, "given:ndex") == []


# Signs

SIGNS = [
    "written in C++ and more",
    "written in C and more",
    "written in C# (sharp)",
    "runs on .NET, it costs $5",
    "the net costs $50",
    "foo->bar and a::b, x → y",
    "foo bar, a b",
    "give it --flag",
    "the flag @decorator",
    "a decorator ✅",
    "red ❌\ufe0f",
    "R&D at 50% ~/x Ｆ＃",
]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("C++", ["000"]),
        ("c++ ", ["000"]),
        ("c+", ["000"]),
        ("C#", ["002"]),
        ("C ", ["000", "001", "002"]),
        (".NET", ["003"]),
        (".ne", ["003"]),
        ("net", ["003", "004"]),
        ("$5", ["003", "004"]),
        ("$5 ", ["003"]),
        ("$50", ["004"]),
        ("foo->bar", ["005"]),
        ("foo->b", ["005"]),
        ("->", ["005"]),
        ("foo-bar", ["005", "006"]),
        ("a::b", ["005"]),
        ("::", ["005"]),
        ("→", ["005"]),
        ("--flag", ["007"]),
        ("flag", ["007", "008"]),
        ("@decorator", ["008"]),
        ("@deco", ["008"]),
        ("@deco ", []),
        ("✅", ["009"]),
        ("❌", ["010"]),
        ("❌\ufe0f", ["010"]),
        ("✅ decorator", ["009"]),
        ("R&D", ["011"]),
        ("50%", ["011"]),
        ("~/x", ["011"]),
        ("f#", ["011"]),
        ("written -C++", ["001", "002"]),
        ("written -C#", ["000", "001"]),
        ('written -"C++"', ["001", "002"]),
        ('"in C++ and"', ["000"]),
        ("C++ written since:2026-11-01", ["000"]),
        ("🚀", []),
        ("costs -✅", ["003", "004"]),
    ],
)
def test_signs(record: Record, query: str, expected: list[str]) -> None:
    put(record, *({"final_message": text} for text in SIGNS))
    page = search(record, query)
    assert sorted(hit.execution_id.removeprefix("exec-") for hit in page.hits) == expected
    assert page.total == len(expected)
    assert page.mistakes == ()
    assert page.looked_back_to is None


def test_signs_are_looked_for_in_each_text_of_a_run_and_in_what_was_given(record: Record) -> None:
    told = put_briefing(record, ["text", "use foo->bar"])
    put(record, {"briefing_id": told, "scope": "C#"}, {"scope": "C"}, {"scope": "foo bar"})
    put_output(record, "exec-000", "insight", "std::vector")
    give(record, "exec-000", "lib/a+b.py", "if a->b: ✅")
    give(record, "exec-001", "c.py", "if b > a, b: c")
    for query in ("foo->bar", "std::vector", "C#", "a+b.py", "given:a->b", "given:✅"):
        assert found(record, query) == ["000"], query
    assert found(record, "given:a") == ["000", "001", "002"]
    assert found(record, "-given:a->b") == ["001", "002"]


@pytest.mark.parametrize("query", ["(", "...", "((", "—", "!?", "given:((", "( ("])
def test_what_cannot_be_searched_for_is_named_and_finds_nothing(record: Record, query: str) -> None:
    put(record, {"scope": "( ... —"})
    page = search(record, query)
    assert (page.hits, page.total) == ((), 0)
    assert "holds no letter, digit or sign that is searched for" in page.mistakes[0]
