"""What ctok counts in texts of ours, for the tests on a Python that has no ctok.

    python -m tests.generate.token_counts            # compare what is stored with ctok
    python -m tests.generate.token_counts --write    # ask ctok again (Python 3.12 and newer)

The texts are made here, of every kind that the counter reads in a way of its own. ``PRECISE`` are
estimated to the token; what a stretch of any length or a rare script costs is only known closely.
"""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Iterable
from pathlib import Path
from string import printable
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from orch_tui.prepare.exact import Slice

ANSWERS = Path(__file__).parents[1] / "fixtures" / "recorded_ctok" / "answers.jsonl"
VERSIONS = {"v3": "3.0", "v4.7": "4.7", "v4.8": "4.8"}
"""ctok's name of each family."""


class Repeated(NamedTuple):
    """A text, so many times in a row."""

    text: str
    times: int = 1


WORDS = [
    *("word", "Word", "WORD", "NASA", "ABC", "ABCD", "aB", "tokenizer", "'quoted'", "'s"),
    *("don't", "x's", "we'll", "I'd", "they're", "I'm", "y've"),
]
SIGNS = [
    *" \t\n.,()_-#@~[]",
    "  ",
    "   ",
    "\n\n",
    "\t\t",
    "->",
    "!=",
    "{}",
    "__",
    "0",
    "42",
    "1234567",
]
OTHER_SIGNS = [*"—…→│€²½①👍🎉𝒳“”‘’\xa0\u3000\x85\0\x07\x7f\r", "👩\u200d💻", "’s", "\r\n"]
SCRIPTS = (
    ["naïve", "café", "größer", "e\u0301", "ß", "ñandú", "ﬁ"],
    ["Привет", "мир", "ещё", "и"],
    ["漢字", "你好", "世"],
    ["テスト", "ひらがな", "々"],
    ["한국어", "문장", "\u1112\u1161\u11ab"],
    ["हिन्दी", "यह"],
    ["עברית", "שלום"],
    ["عربي", "كتاب"],
    ["Ελλάδα", "και", "Ωμέγα"],
    ["ไทย", "ภาษา"],
)

WRITTEN = (
    "hello, world",
    "NASA likes tokenizers",
    "a 'quoted' word, it's NASA's  (x == 1.25);\n\n\t'll\0 x",
    "def parse(text: str) -> dict[str, int]:\n    return {w: len(w) for w in text.split()}\n",
    "for (let i = 0; i < items.length; i++) {\n\tconsole.log(`${i}: ${items[i]}`);\n}\n",
    "SELECT name, count(*) FROM runs WHERE cost > 1.5 GROUP BY 1 ORDER BY 2 DESC;",
    '{"agent": "reviewer", "tokens": [1, 20, 300], "ok": true, "note": null}',
    "# Heading\n\n- one\n- **two**, and `three`\n\n| a | b |\n|---|---|\n| 1 | 2 |\n",
    '[tool.lint]\nselect = ["A", "B"]\nline-length = 100  # characters\n',
    "git log --oneline | head -n 5 > /tmp/log.txt && echo $?\n",
    "naïve café — “quoted” … it’s 25 °C → ok",
    "Größere Änderungen müssen geprüft werden.",
    "Это обычный русский текст, и ещё немного.",
    "これは日本語の文章です。２０２５年、テスト。",
    "你好，世界！这是一个测试。",
    "한국어 문장입니다.",
    "│ a │ b │\n├───┤\n✓ done ✗ failed 🎉",
    "Ελληνικά κείμενα",
    "यह हिन्दी है",
    " begins with a space",
    "  begins with two",
    "ends with lines\n\n\n",
    "A",
    "Ab",
    "ABC",
    "ABCD",
    "ABCDe",
    "'a' 'll 'LL ’ll",
    "it's x 'tis don'ts",
)
"""Handwritten; beside the first ones, a text for each kind of content and script."""

LONG = (
    *(Repeated(" ", times) for times in (1023, 1024, 1025, 3000)),
    *(Repeated("a", times) for times in (1023, 1024, 1025, 3000)),
    *(Repeated("xyz9", times) for times in (300, 5000)),
    *(Repeated("é", times) for times in (1025, 3000)),
    *(Repeated("=", times) for times in (1, 2000)),
    Repeated("👍", 1500),
    Repeated("A line with words, and 12 numbers.\n", 600),
    Repeated("Ein Satz über Öl, größer als zuvor.\n", 600),
    Repeated("  indented = lines(that, begin, with, spaces)\n", 500),
)
"""Beyond the lengths at which the counter cuts a text or a run of one sort."""

SLICED = ("x = 1\n\n\ny: é\n", "\n a\nB\nc 1\n\n\n", "'s\nA's;\nb\n")
"""Texts whose slices, of any size, count as the whole; nine times each."""

SLICE_SIZES = (0, 1, 5, 12)

DEALT, DEALT_SIZE = "word " * 100 + "\nb\n" * 300, 400
"""A text and the size of its slices, for several processes."""

SMALL = tuple(f"{number} words" for number in range(9))


def make_precise_texts() -> list[str]:
    """Texts that are estimated to the token: written ones, and any mixture of words and signs."""
    chance = random.Random(12)
    ascii_texts = ["".join(chance.choices(printable, k=chance.randint(1, 40))) for _ in range(200)]
    plain = ["".join(chance.choices(WORDS + SIGNS, k=chance.randint(2, 12))) for _ in range(200)]
    mixed = []
    for number in range(400):
        # Capitals that touch another script are joined in ways that nobody has found out yet.
        letters = SCRIPTS[number % len(SCRIPTS)] if number % 5 else WORDS
        pieces = chance.choices([*letters, *SIGNS, *OTHER_SIGNS], k=chance.randint(2, 10))
        mixed.append("a" + "".join(pieces))
    return list(dict.fromkeys([*WRITTEN, *ascii_texts, *plain, *mixed]))


def make_close_texts() -> list[Repeated]:
    """Texts whose estimate may be off by a little."""
    return [*LONG, *(Repeated(text, 20) for text in WRITTEN)]


def make_slices() -> list[str]:
    """What ctok is asked when these texts are counted in slices."""
    from orch_tui.prepare import exact

    asked = []
    for size in SLICE_SIZES:
        exact.SLICE = size
        for text in (text * 9 for text in SLICED):
            asked += [text, *_asked_of(exact.slice_text(text))]
    exact.SLICE = DEALT_SIZE
    return [*asked, DEALT, *_asked_of(exact.slice_text(DEALT)), *SMALL]


def _asked_of(slices: Iterable[Slice]) -> list[str]:
    return [one.text + "x" * one.goes_on for one in slices]


def ask_ctok() -> list[str]:
    """One line of JSON for each text, as ctok counts it now."""
    import ctok  # type: ignore[import-not-found, unused-ignore]

    texts = [Repeated(text) for text in [*make_precise_texts(), *make_slices()] if text]
    lines = []
    for repeated in dict.fromkeys([*texts, *make_close_texts()]):
        whole = repeated.text * repeated.times
        counts = {version: ctok.token_count(whole, version) for version in VERSIONS.values()}
        lines.append(json.dumps({**repeated._asdict(), **counts}, ensure_ascii=True) + "\n")
    return lines


def main() -> int:
    """Compare the stored answers with ctok's, or store them; 1 where they differ."""
    asked = ask_ctok()
    if "--write" in sys.argv[1:]:
        ANSWERS.write_text("".join(asked), "ascii")
    differ = {*asked} ^ {*ANSWERS.read_text("ascii").splitlines(keepends=True)}
    print(f"{len(asked)} texts, {len(differ)} lines differ")
    return bool(differ)


if __name__ == "__main__":
    sys.exit(main())
