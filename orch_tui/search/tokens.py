"""What the index compares: the tokens of texts and of filter values.

A text is cut into runs of letters and digits, without case and, in Latin letters, accents, as
FTS5's ``unicode61`` does it. What that does not know is done to the text before it is given to FTS5
(`render_index_text`) and to a query alike:

- Letters that people type in another way are folded: full-width forms, ligatures, ``ß``, ``ł``.
- Scripts that set no spaces between words are cut into overlapping pairs of signs, each run of them
  ending with its last sign alone, so that a word is a phrase of pairs and a sign a beginning.
- Behind the texts stand, once each, the parts of names (``vectorSearch``: vector search) and the
  signs that are looked for as they are written (``C++``, an emoji).

The token of a filter value is a private-use letter, then the value's UTF-8 bytes in hexadecimal:
the beginning of a value is the beginning of its token. Such letters are taken out of texts.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from functools import cache, lru_cache

from orch_tui.normal_forms import normalize_letters

# Letters that are typed in another way

_STROKED = str.maketrans(
    {"ß": "ss", "ẞ": "SS", "ł": "l", "Ł": "L", "ø": "o", "Ø": "O", "đ": "d", "Đ": "D"}
    | {"ħ": "h", "Ħ": "H", "ŧ": "t", "Ŧ": "T", "æ": "ae", "Æ": "AE", "œ": "oe", "Œ": "OE"}
    | {"ı": "i", "ё": "е", "Ё": "Е"}
)
"""Letters that Unicode does not take apart, and how they are typed without a key for them."""

_COMPATIBLE = (
    "\u00aa\u00b5\u00ba\u0132\u0133\u0149\u017f\u01c4-\u01cc\u01f1-\u01f3\u2e80-\u2fdf\u3300-\u33ff"
    "\uf900-\ufb4f\ufb50-\ufdfb\ufe70-\ufefc\uff01-\uff64\uffa0-\uffee\U0001d400-\U0001d7ff"
    "\U0002f800-\U0002fa1f"
)
"""Full-width, half-width and presentation forms, ligatures and letters of formulas."""

SPACELESS = (
    "\u0e01-\u0e3a\u0e40-\u0e4e\u0e50-\u0e59\u0e81-\u0edf\u1000-\u1049\u1050-\u109d\u1780-\u17d3"
    "\u17d7\u17dc\u17dd\u17e0-\u17e9\u3005-\u3007\u3021-\u3029\u3031-\u3035\u303b\u3041-\u3096"
    "\u309d-\u309f\u30a1-\u30fa\u30fc-\u30ff\u3105-\u312f\u31a0-\u31bf\u31f0-\u31ff\u3400-\u4dbf"
    "\u4e00-\u9fff\ua9e0-\ua9fe\uaa60-\uaa7f\U0001b000-\U0001b16f\U00020000-\U000323af"
)
"""Signs of the scripts that set no spaces: Thai, Lao, Myanmar, Khmer, Chinese, Japanese. To stand
in a class of a regular expression."""

_CHANGING = (
    f"[\u00c0-\u024f\u1e00-\u1eff\u0401\u0451\ufe0e\ufe0f{_COMPATIBLE}]"
    "|[\uff65-\uff9f]+"  # half-width kana, whose accents stand behind them
    f"|(?<=[{SPACELESS}])[\u200b\u2060]+(?=[{SPACELESS}])"  # where a line may end
)
_APART = "[\u0300-\u036f\u1100-\u11ff\u3099\u309a]"
_ACCENTS = re.compile("[\u0300-\u036f]+")


@cache
def _changing(apart: bool) -> re.Pattern[str]:
    """What is folded, where accents stand apart too, and where none does.

    Large classes take milliseconds to compile, and a text of ASCII needs none of them.
    """
    if not apart:
        return re.compile(_CHANGING)
    return re.compile(f".?[\u0300-\u036f\u3099\u309a]+|[\u1100-\u11ff]+|{_CHANGING}")


def plain_letters(text: str) -> str:
    """Fold letters to the ones they are typed as; case stays. Composes what stands apart."""
    if text.isascii():
        return text
    pattern = _changing(bool(re.search(_APART, text)))
    return pattern.sub(lambda found: _fold_letters(found[0]), text)


def fold_text(text: str) -> str:
    """Fold letters (`plain_letters`) and their case."""
    return _lower(plain_letters(text))


def _lower(plain: str) -> str:
    # Each letter stays in its place: the one that becomes two is folded before.
    return plain.lower() if plain.isascii() else plain.lower().replace("\u03c2", "\u03c3")


_UNSEEN = "\u200b\u2060\ufe0e\ufe0f"


@lru_cache(maxsize=4096)
def _fold_letters(letters: str) -> str:
    folded = normalize_letters("NFKC", letters)
    if not any(map(str.isalnum, folded)) and not "\uff00" < letters[0] < "\uffef":
        folded = letters  # a sign, which stays one
    return _ACCENTS.sub("", "".join(map(_drop_accent, folded))).strip(_UNSEEN)


def _drop_accent(letter: str) -> str:
    base = unicodedata.normalize("NFD", letter)[0].translate(_STROKED)
    return base if base.isascii() else letter.translate(_STROKED)


class FoldedText:
    """A text as it is compared, and where each letter of that stands in the text itself."""

    __slots__ = ("_changes", "folded", "plain")

    def __init__(self, text: str) -> None:
        self.plain = plain_letters(text)
        self.folded = _lower(self.plain)
        self._changes: list[tuple[int, int, int, int]] = []
        if not text.isascii():
            self._changes = list(_find_changes(text))

    def place(self, start: int, end: int) -> tuple[int, int]:
        """Give where in the text stands what stands from ``start`` to ``end`` when folded."""
        if not self._changes:
            return start, end
        return self._place(start, end=False), self._place(end, end=True)

    def _place(self, at: int, *, end: bool) -> int:
        index = bisect_right(self._changes, at - end, key=lambda change: change[0]) - 1
        if index < 0:
            return at
        _, folded_end, text_start, text_end = self._changes[index]
        if at < folded_end:
            return text_end if end else text_start
        return text_end + at - folded_end


def _find_changes(text: str) -> Iterator[tuple[int, int, int, int]]:
    """Find the letters that have another length when folded: where they stand then, and before."""
    pattern = _changing(bool(re.search(_APART, text)))
    shift = 0
    for found in pattern.finditer(text):
        length = len(_fold_letters(found[0]))
        if length != len(found[0]):
            start = found.start() + shift
            yield start, start + length, *found.span()
            shift += length - len(found[0])


# Texts

_RUN = rf"[{SPACELESS}]+|[^\W_{SPACELESS}]+"
_SPACELESS_RUN = f"[{SPACELESS}]+"
_NO_LETTERS = rf"[^\w\x00-\x7f{SPACELESS}]+"

_AS_LETTERS = {
    code: 0xE000 + number
    for number, code in enumerate(
        (*range(0x0E00, 0x0F00), *range(0x1000, 0x10A0), *range(0x1780, 0x1800))
        + (*range(0xA9E0, 0xAA00), *range(0xAA60, 0xAA80))
    )
}
"""What pairs of the scripts with marks are made of: SQLite takes marks for no letters."""

_NAME = re.compile("[A-Za-z0-9]{3,}")
_NAMES_APART = {code: " " for code in range(128) if not chr(code).isalnum()}
_LONGEST_NAME = 64
_PART_OF_NAME = re.compile("[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_MOST_PARTS = 10  # of a name; more are no name
_DIGEST = re.compile("[0-9a-f]{7,}|[0-9A-F]{7,}")

_TELLING_PAIRS = ("--", "::")
TELLING_SIGNS = (
    "[#$%&+<=>@^|~\u00a2-\u00a7\u00a9\u00ac\u00ae\u00b0\u00b1\u00d7\u00f7\u20a0-\u20cf\u203c\u2049\u20e3\u2122"
    "\u2190-\u245f\u24c2\u2500-\u2bff\u3030\u303d\u3297\u3299\U0001f000-\U0001faff]"
)
"""The signs that are looked for as they are written, as a class of a regular expression; two of
those in `_TELLING_PAIRS` are, too. Other signs only part words."""

_PLAIN_SIGNS = frozenset("#$%&+<=>@^|~")
"""Those of them that are ASCII."""


def split_tokens(text: str) -> tuple[str, ...]:
    """Split a text into its runs of letters and digits, each of one kind of script, as far as
    Python's idea of a letter is SQLite's."""
    return tuple(re.findall(_RUN, fold_text(text)))


def is_spaceless(run: str) -> bool:
    """Tell whether a run is of a script that sets no spaces."""
    return not run.isascii() and bool(re.match(_SPACELESS_RUN, run))


def phrase_tokens(runs: Sequence[str]) -> tuple[tuple[str, ...], bool]:
    """Give the tokens that stand in a row where these runs do, and whether the last is only known
    to begin so: a sign at the end may be the first of a pair."""
    tokens: list[str] = []
    for run in runs[:-1]:
        tokens += _pair_signs(run) if is_spaceless(run) else (run,)
    last = runs[-1]
    if not is_spaceless(last):
        return (*tokens, last), False
    signs = _pair_signs(last)
    return (*tokens, *(signs[:-1] or signs)), len(signs) == 1


def _pair_signs(run: str) -> list[str]:
    """Cut a run into its overlapping pairs of signs, and its last sign."""
    signs = run.translate(_AS_LETTERS)
    return [signs[at : at + 2] for at in range(len(signs))]


def find_signs(text: str) -> list[str]:
    """Find the signs in a text that are looked for as they are written, each once, sorted."""
    signs = _PLAIN_SIGNS.intersection(text) if text.isascii() else re.findall(TELLING_SIGNS, text)
    return [*(pair for pair in _TELLING_PAIRS if pair in text), *sorted(set(signs))]


def render_index_text(texts: Iterable[str]) -> str:
    """Render what FTS5 is given for some texts, with a token between two that no phrase goes
    across; behind them stand the parts of names and the signs in them."""
    plain = [plain_letters(without_filter_tokens(text)) for text in texts]
    whole = "\n".join(plain)
    cut = plain if whole.isascii() else list(map(_cut_text, plain))
    signs = " ".join(map(sign_token, find_signs(whole)))
    return TEXTS_APART.join((*cut, *(" ".join(parts) for parts in _split_names(whole)), signs))


def _cut_text(text: str) -> str:
    """Cut the scripts without spaces, and blank what SQLite may take for a letter and is none."""
    return re.sub(_SPACELESS_RUN, _spell_pairs, re.sub(_NO_LETTERS, " ", text))


def _spell_pairs(found: re.Match[str]) -> str:
    return f" {' '.join(_pair_signs(found[0]))} "


def _split_names(text: str) -> Iterator[tuple[str, ...]]:
    """Split each name in a text that is made of parts; parts of one letter say too little."""
    seen: set[tuple[str, ...]] = set()
    # Parting words by blanks is thrice as fast, but would take letters of others for part of them.
    words = text.translate(_NAMES_APART).split() if text.isascii() else _NAME.findall(text)
    unlike = [word for word in dict.fromkeys(words) if not (word.isalpha() and word.islower())]
    for name in unlike:
        if _is_plain_word(name):
            continue
        if len(name) <= _LONGEST_NAME and not _DIGEST.fullmatch(name):
            parts = _PART_OF_NAME.findall(name)
            if len(parts) <= _MOST_PARTS:
                telling = tuple(part.lower() for part in parts if len(part) > 1)
                if telling and telling not in seen:
                    seen.add(telling)
                    yield telling


def _is_plain_word(name: str) -> bool:
    if name.isalpha():
        return name[1:].islower() or name.isupper()
    return name.isdigit() or len(name) < 3


# Values of filters

TOKEN_LETTERS = {
    "agent": "a",
    "file": "f",
    "has": "h",
    "model": "m",
    "phase": "p",
    "project": "j",
    "session": "s",
    "source": "o",
    "status": "t",
    "type": "y",
}
"""The filters that tokens answer, and the letter that begins the tokens of each."""

_FIRST_LETTER = 0xE900
_MAX_VALUE_BYTES = 400
_MAX_FOLDERS = 12  # of a path, that are told apart

COMMON_TOKEN = chr(_FIRST_LETTER + ord("z"))
"""The token that every execution has."""

TEXTS_APART = f"\n{COMMON_TOKEN}\n"
"""What stands between two texts that no phrase goes across."""

_LETTERS_OF_TOKENS = re.compile(f"[\ue000-\ue25f{chr(_FIRST_LETTER)}-{chr(_FIRST_LETTER + 0x7F)}]")


def without_filter_tokens(text: str) -> str:
    """Take out of a text what would be found as the value of a filter."""
    return text if text.isascii() else _LETTERS_OF_TOKENS.sub(" ", text)


def sign_token(sign: str) -> str:
    """Make the token of a sign that is looked for as it is written."""
    return chr(_FIRST_LETTER + ord("e")) + sign.encode().hex()


@lru_cache(maxsize=4096)
def filter_token(name: str, value: str) -> str:
    """Make the token of one value of filter ``name``; case does not count."""
    data = value.lower().encode("utf-8", "replace")[:_MAX_VALUE_BYTES]
    return chr(_FIRST_LETTER + ord(TOKEN_LETTERS[name])) + data.hex()


_LETTERS_OF_A_HUB = {"given": "g", "long": "l", "origin": "r"}
"""What is told of runs on a hub beside the filters, and the letter that it begins with."""


@lru_cache(maxsize=4096)
def filter_lexeme(name: str, value: str) -> str:
    """Make of one value what `filter_token` makes of it, as PostgreSQL has it: readable, since a
    lexeme may hold any sign."""
    letter = TOKEN_LETTERS.get(name) or _LETTERS_OF_A_HUB[name]
    data = value.lower().encode("utf-8", "replace")[:_MAX_VALUE_BYTES]
    return chr(_FIRST_LETTER + ord(letter)) + data.decode("utf-8", "ignore")


def token_value(token: str) -> str:
    """Decode the (lower-cased) value that `filter_token` made the token of."""
    return bytes.fromhex(token[1:]).decode("utf-8", "replace")


@lru_cache(maxsize=4096)  # the same files are given again and again
def path_suffix_tokens(path: str) -> tuple[str, ...]:
    """Make the tokens of a path and of what remains of it after each folder."""
    return tuple(filter_token("file", ending) for ending in path_suffixes(path))


def path_suffixes(path: str) -> Iterator[str]:
    """List what remains of a path after each folder, and the path."""
    parts = path.split("/")
    starts = range(max(0, len(parts) - _MAX_FOLDERS), len(parts))
    yield from ("/".join(parts[start:]) for start in starts if parts[start])
    yield path
