"""Claude's tokens, counted from the pieces that its tokenizers are known to join.

Claude's tokenizers are not public. ctok reconstructed them from what the API counts: which pieces
of words, numbers and signs are one token, and how a text is written before it is cut up. Those
pieces ship with orch (``assets/tokens``). Here they are applied with less care for rare scripts
than ctok takes and many times faster: no piece reaches from one part of a text into the next, so
each distinct part is priced once. ``tests/bench/calibrate.py`` measures what that comes to.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import field
from functools import cache

from orch_tui.assets import asset
from orch_tui.frozen import frozen

# How a text is written before it is cut up: words open and close with a mark, a single space
# between two marks is not written, and capitals become small letters behind a mark of their own.
# The marks are characters for private use: the tokenizers drop those from a text.
OPEN, CLOSE, SHIFT, CAPS, START = "\ue000\ue001\ue002\ue003\ue004"
BYTES = "\ue006"
"""Begins a piece that is the first bytes of a character, written as Latin-1."""

LONGEST = 1024
"""Characters priced at once. A longer run of one sort is cut, which costs a token at most."""


STRETCH = 16_000
"""Characters taken apart at once, in a few milliseconds."""


@frozen
class Pieces:
    """What one tokenizer joins, and how it reads a text."""

    known: frozenset[str]
    """All that is one token, in marked form."""

    longest: Mapping[str, int]
    """The length of the longest piece by its first three characters."""

    folds_quotes: bool
    """Curly quotes count as straight ones."""

    marks_capitals: bool
    """Four capitals or more are a mark and small letters."""

    opens_message: bool
    """A message begins as if behind a space."""

    prices: dict[str, int] = field(default_factory=dict)
    """Of the parts met so far."""

    def tokens(self, text: str) -> int:
        """The tokens of a text, without the frame of the message; any text can be counted."""
        if not text:
            return 0
        if len(self.prices) > 500_000:  # the words of a gigabyte
            self.prices.clear()
        total, known = 0, self.prices.get  # asked a hundred thousand times a second
        for parts in self._parts(text):
            for part, times in Counter(parts).items():
                price = known(part)
                total += times * (self._price(part) if price is None else price)
        return total

    def _parts(self, text: str) -> Iterator[list[str]]:
        """A text as the tokenizer reads it, cut where no piece reaches across; some at a time, so
        that other threads have their turn."""
        is_behind_space = text.startswith(" ")
        plain = text.isascii()
        text = re.sub(_DROPPED if plain else _DROPPED_ANYWHERE, "", text.replace("\0", " "))
        if not plain:
            text = self._normal(text)
        text = text.rstrip("\n")
        if self.opens_message:
            text = START + text if is_behind_space else f"{START} {text}"
        for stretch in cut_stretches(text, STRETCH):
            # Most of a text with a few other letters is ASCII, and that takes half as long.
            is_plain = plain or stretch.isascii() or stretch[1:].isascii() and stretch[0] == START
            before_sign, after_sign, part = compile_patterns(is_plain)
            stretch = before_sign.sub(f" {OPEN}", stretch)
            stretch = after_sign.sub(f"{CLOSE} ", stretch)
            yield part.findall(stretch)

    def _normal(self, text: str) -> str:
        from orch_tui.normal_forms import normalize_letters

        text = normalize_letters("NFC", re.sub("[\ud800-\udfff]", "\ufffd", text))
        text = re.sub(_SPACES, " ", text)
        return text.translate(_QUOTES) if self.folds_quotes else text

    def _price(self, part: str) -> int:
        price = self.prices.get(part)
        if price is not None:
            return price
        if len(part) > 1 and part[-1] == " " != part[0]:
            price = self._price(part[:-1])  # between two marks a space is not written
        elif len(part) > LONGEST:
            cut = (part[start : start + LONGEST] for start in range(0, len(part), LONGEST))
            return sum(map(self._price, cut))
        else:
            price = self._fewest(self._marked(part))
        if len(part) <= LONGEST:
            self.prices[part] = price
        return price

    def _marked(self, part: str) -> str:
        """A part as its pieces are written: a word with its marks, all else as it is."""
        if part in (START, f"{START} "):
            return ""
        if part[0] == OPEN:  # a sign behind a space
            return part
        if part[0] == "'" and part[1:].isalpha():  # what an apostrophe joins to a word
            return part + CLOSE
        if not (part[0].isalpha() if part[0].isascii() else re.match(_LETTER, part)):
            return part
        small = part.lower()
        if part[0] != small[0] and part[1:] == small[1:]:
            return f"{SHIFT}{OPEN}{small}{CLOSE}"
        if self.marks_capitals and len(part) > 3 and part.isupper():
            return f"{CAPS}{OPEN}{small}{CLOSE}"
        return f"{OPEN}{part}{CLOSE}"

    def _fewest(self, part: str) -> int:
        """Into how few pieces a part can be cut."""
        if not part or part in self.known:
            return len(part) and 1
        known, longest, length = self.known, self.longest, len(part)
        if not known.issuperset(part):
            return self._fewest_with_bytes(part)
        reached = bytearray(length)
        pieces, places = 1, [0]  # where as many pieces, less one, lead
        while True:
            further = []
            for start in places:
                if not reached[start + 1]:
                    reached[start + 1] = 1
                    further.append(start + 1)
                reach = longest.get(part[start : start + 3], 2)
                for end in range(start + 2, min(start + reach + 1, length)):
                    if not reached[end] and part[start:end] in known:
                        reached[end] = 1
                        further.append(end)
            pieces += 1
            for start in further:
                if part[start:] in known:
                    return pieces
            places = further

    def _fewest_with_bytes(self, part: str) -> int:
        """The same where a character is no piece: it is as many as its bytes are cut into."""
        known, longest, length = self.known, self.longest, len(part)
        best = [4 * length] * (length + 1)
        best[0] = 0
        for start, character in enumerate(part):
            alone = best[start] + (1 if character in known else self._bytes(character))
            if alone < best[start + 1]:
                best[start + 1] = alone
            joined = best[start] + 1
            reach = longest.get(part[start : start + 3], 2)
            for end in range(start + 2, min(start + reach, length) + 1):
                if joined < best[end] and part[start:end] in known:
                    best[end] = joined
        return best[length]

    def _bytes(self, character: str) -> int:
        """Into how few pieces the bytes of a character can be cut; each is one by itself."""
        written = character.encode().decode("latin-1")
        best = [0]
        for end in range(1, len(written) + 1):
            best.append(
                min(
                    best[start] + 1
                    for start in range(end)
                    if start == end - 1 or BYTES + written[start:end] in self.known
                )
            )
        return best[-1]


def cut_stretches(text: str, size: int) -> Iterator[str]:
    """A text in stretches of ``size`` characters and a line or more, cut at lines that begin with
    a letter: no token reaches across, and what follows begins as a message does."""
    border_of = re.compile(r"\n(?=[A-Za-z])").search
    start = 0
    while border := border_of(text, start + size):
        yield text[start : border.end()]
        start = border.end()
    yield text[start:]


@cache
def load_pieces(family: str) -> Pieces:
    """The pieces of a tokenizer family, a key of ``WAYS``; loaded once per process (10-30 ms)."""
    import zlib

    name, quotes, capitals, opens = WAYS[family]
    known = zlib.decompress(asset(f"tokens/claude-{name}.bin").read_bytes()).decode().split("\0")
    longest: dict[str, int] = {}
    for piece in known:
        if len(piece) > longest.get(piece[:3], 2):
            longest[piece[:3]] = len(piece)
    return Pieces(frozenset(known), longest, quotes, capitals, opens)


WAYS: dict[str, tuple[str, bool, bool, bool]] = {
    "v3": ("v3", True, True, True),
    "v4.7": ("v4.8", False, False, True),
    "v4.8": ("v4.8", False, False, False),
}
"""By family: the table of its pieces, and how it reads. Facts of ctok 1.3."""

# Letters of words, that is not those of Chinese and Korean, nor any beyond the first 65,536
# characters: they stand for themselves. The marks are those that Unicode calls alphabetic.
_LETTERS = (
    r"^\W\d_\u2e80-\u2fdf\u3005\u3006\u3031-\u303c\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3\uf900-\ufaff"
    r"\U00010000-\U0010ffff\xb2\xb3\xb9\xbc-\xbe\u2070-\u2089\u2150-\u215f\u2189\u2460-\u249b"
    r"\u24ea-\u24ff\u2776-\u2793"
)
_MARKS = (
    r"\u0345\u0363-\u036f\u05b0-\u05bd\u05bf\u05c1\u05c2\u0610-\u061a\u064b-\u0657\u0670"
    r"\u0900-\u0903\u093a\u093b\u093e-\u094c\u094e\u094f\u0955-\u0957\u0962\u0963\u0981-\u0983"
    r"\u09be-\u09cc\u09d7\u0a01-\u0a03\u0a3e-\u0a4c\u0a70\u0a71\u0a81-\u0a83\u0abe-\u0acc"
    r"\u0b01-\u0b03\u0b3e-\u0b4c\u0b56\u0b57\u0b82\u0bbe-\u0bcc\u0bd7\u0c00-\u0c04\u0c3e-\u0c4c"
    r"\u0c55\u0c56\u0c81-\u0c83\u0cbe-\u0ccc\u0cd5\u0cd6\u0d00-\u0d03\u0d3e-\u0d4c\u0d57"
    r"\u0d81-\u0d83\u0dcf-\u0df3\u0e31\u0e34-\u0e3a\u0e4d\u0eb1\u0eb4-\u0eb9\u0ebb-\u0ebd\u0ecd"
    r"\u0f71-\u0f81\u102b-\u1036\u1038\u103b-\u103e\u1056-\u1059\u17b6-\u17c8"
)
_LETTER = f"[{_LETTERS}]|[{_MARKS}]"
_SIGNS = r"!-/:-@\[-`{-~"
_OTHER_SIGNS = (
    r"\xa1-\xa9\xab-\xb4\xb6-\xb9\xbb-\xbf\xd7\xf7\u2010-\u2027\u2030-\u205e\u2070\u2074-\u207e"
    r"\u2080-\u208e\u20a0-\u20c0\u2100\u2101\u2103-\u2109\u2116-\u2118\u2150-\u215f\u2189-\u249b"
    r"\u24ea-\u2bff\ufe00-\ufe0f\uff01-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff65"
)
_SPACES = "[\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f]"
_DROPPED = "[\x01-\x08\x0b-\x1f\x7f]"
_DROPPED_ANYWHERE = "[\x01-\x08\x0b-\x1f\x7f-\x9f\ue000-\uf8ff]"
_QUOTES = {0x2018: "'", 0x2019: "'", 0x201C: '"', 0x201D: '"'}


@cache
def compile_patterns(plain: bool) -> tuple[re.Pattern[str], ...]:
    """Compile what takes a text apart; ``plain`` text is all ASCII.

    That is: a space before a sign (not before a quoted word), a space after a sign, and the parts,
    each with the space behind it that stands between two marks.
    """
    letter, word, signs = (
        ("[A-Za-z]", "[A-Za-z]++", _SIGNS)
        if plain
        else (f"(?:{_LETTER})", f"(?:[{_LETTERS}]++|[{_MARKS}]++)++", _SIGNS + _OTHER_SIGNS)
    )
    space = f"(?: (?={letter}|{OPEN}))?"
    return (
        re.compile(rf" (?=[{signs}])(?!'{letter})"),
        re.compile(rf" (?<=[{signs}] )(?! )"),  # a space is found sooner than a sign before it
        re.compile(
            rf"{word}{space}|'(?:[stdm]|ll|re|ve)(?!{letter}){space}"
            rf"|{OPEN}?[{signs}]++(?:{CLOSE}{space})?"
            rf"|[0-9]++| ++|\n++|\t++|{START}{space}|.",
            re.DOTALL,
        ),
    )
