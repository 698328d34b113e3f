"""Bytes as text: what files, contents and templates hold.

A text says its encoding by a mark or a declaration, is UTF-8, or has it detected. Of the detectors
chardet 7 was right for 98 of 100 texts in 24 encodings (one line to forty; code with one comment
too), charset-normalizer, which comes with a dependency, for 78, and cchardet for 78.
"""

from __future__ import annotations

import codecs
import re
from functools import lru_cache
from typing import Literal, NamedTuple

# UTF-32 before UTF-16: the mark of the one begins with the mark of the other.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)

_MOST_BYTES = 200_000
"""Bytes of what is not ASCII that are looked at: more tells nothing more."""

_DECLARED = re.compile(
    rb"""(?:coding|charset|\bfenc)[ \t]*[:=]?[ \t]*["']?([A-Za-z][A-Za-z0-9._-]*)""", re.IGNORECASE
)
_DECLARED_WITHIN = 1024
"""Bytes at the beginning, and half as many at the end, that may declare it."""

_WIDER = {
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "shift_jis": "cp932",
    "euc_kr": "cp949",
    "big5": "cp950",
    "iso8859-1": "cp1252",
    "ascii": "cp1252",
}
"""By what is declared, what is meant: the encodings that hold it, as browsers read them."""

_SURE = 0.1
"""Below this confidence a detected encoding is a guess."""

_LEAST = 0.02
"""Below this one it is none: windows-1252 is right more often."""

_SURE_OF_DOS = 0.3
"""The same for those of DOS, which nearly any bytes can be in."""

_ASCII = bytes(range(9, 14)) + bytes(range(32, 127))
_BEYOND_ASCII = re.compile(rb"[\x80-\xff]+")

_SHORTEST_WIDE = 16
"""Fewer bytes with a NUL among them may be anything."""

_CONTROLS = bytes({*range(32)} - {*b"\t\n\r\f\b\x1b"})

How = Literal["", "mark", "declared", "detected", "guessed"]


class FoundEncoding(NamedTuple):
    """How bytes are read."""

    codec: str
    mark: bytes = b""
    """The byte order mark that tells it."""
    how: How = ""
    """Empty: it is UTF-8."""


_UTF8 = FoundEncoding("utf-8")


def decode_text(data: bytes) -> str:
    """Text for counting and showing, in the encoding that ``detect_encoding`` finds.

    Newlines stay as they are. The mark is not part of the text. Never raises: what is not what
    its mark says is shown with replacement characters.
    """
    codec, mark, _ = detect_encoding(data)
    return data[len(mark) :].decode(codec, "replace")


def describe_encoding(data: bytes) -> str:
    """Say which encoding a text is read in and how that was found: ``cp932, detected``.

    Empty for UTF-8.
    """
    codec, _, how = detect_encoding(data)
    if not how or codec == "utf-8":
        return ""
    words = {"mark": "by its mark", "guessed": "a guess: letters may be wrong"}
    return f"{codec}, {words.get(how, how)}"


def detect_encoding(data: bytes) -> FoundEncoding:
    """Find the encoding of a text: by its mark, as UTF-8, as declared, else detected or guessed.

    Whatever is found without a mark decodes all of the data.
    """
    for mark, codec in _MARKS:
        if data.startswith(mark):
            return FoundEncoding(codec, mark, "mark")
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        pass
    else:
        return _find_behind_ascii(data)
    from hashlib import sha256  # few texts need it

    # The same text is looked at to count it, to cut it and to show it: not each time anew.
    digest = sha256(data).digest()
    found = _found.get(digest)
    if found is None:
        if len(_found) >= _MOST_KNOWN:
            _found.clear()
        found = _found[digest] = _find_without_mark(data)
    return found


_MOST_KNOWN = 1000
_found: dict[bytes, FoundEncoding] = {}
"""By the SHA-256 of what is not UTF-8; the texts themselves would fill the memory."""


def _find_without_mark(data: bytes) -> FoundEncoding:
    if wide := _find_wide(data):
        return FoundEncoding(wide, how="detected")
    if declared := _find_declared(data):
        return FoundEncoding(declared, how="declared")
    if b"\0" in data or count_controls(data) > len(data) / 20:
        return FoundEncoding("latin-1", how="guessed")  # it is no text
    lines = b"\n".join(_lines_beyond_ascii(data))
    codec, confidence = _detect(lines)
    if confidence < _SURE_OF_DOS and _is_scattered(lines) and _is_other_script(lines, codec):
        confidence = 0.0
    if confidence >= _LEAST and _decodes(data, codec):
        return FoundEncoding(codec, how="detected" if confidence >= _SURE else "guessed")
    return FoundEncoding("cp1252" if _decodes(data, "cp1252") else "latin-1", how="guessed")


def count_controls(data: bytes) -> int:
    """Count the bytes that no text holds; tabs, ends of lines and escapes are not among them."""
    return len(data) - len(data.translate(None, _CONTROLS))


def encode_part(text: str, data: bytes) -> bytes:
    """Encode a part of the text of ``data`` as the whole is, so that it can be read like it.

    Where that would be read as something else, alone, it is UTF-8.
    """
    codec, mark, how = detect_encoding(data)
    # Two- and four-byte encodings cannot be read back without their mark.
    part = (b"" if codec == "utf-8" else mark) + text.encode(codec, "replace")
    return part if how in ("", "mark") or decode_text(part) == text else text.encode()


def _find_behind_ascii(data: bytes) -> FoundEncoding:
    """What is valid UTF-8 and yet another encoding: seven-bit Japanese, and wide characters."""
    begins = b"\x1b" in data and (b"\x1b$B" in data or b"\x1b$@" in data)
    if begins and data.isascii() and _decodes(data, "iso2022_jp"):
        return FoundEncoding("iso2022_jp", how="detected")
    if wide := _find_wide(data):
        return FoundEncoding(wide, how="detected")
    return _UTF8


def _find_wide(data: bytes) -> str:
    """UTF-16 without a mark; empty: it is not."""
    if len(data) % 2 or b"\0" not in data or len(data) < _SHORTEST_WIDE:
        return ""
    sample = data[:4096]
    if count_controls(sample) < len(sample) / 12 and not _is_foreign(sample):
        return ""
    even, odd = sample[::2].count(0), sample[1::2].count(0)
    if not sample.translate(None, _ASCII + b"\0") and even + odd < len(sample) * 0.45:
        return ""  # names with NUL bytes between them, as `find -print0` gives
    little = odd >= even
    codec = "utf-16-le" if little else "utf-16-be"
    try:
        text = sample.decode(codec)
        data.decode(codec)
    except UnicodeDecodeError:
        return ""
    import unicodedata  # only what holds NUL bytes needs it

    strange = sum(unicodedata.category(sign) in ("Cc", "Cn", "Co") for sign in text)
    strange -= sum(map(text.count, "\t\n\r\f"))
    return "" if strange > len(text) / 100 else codec


def _is_foreign(sample: bytes) -> bool:
    try:
        sample.decode("utf-8")
    except UnicodeDecodeError as error:
        return error.start < len(sample) - 3
    return False


def _find_declared(data: bytes) -> str:
    """The encoding that a text declares for itself, where it can be that; else empty."""
    tried: set[str] = set()
    for match in _DECLARED.finditer(
        data[:_DECLARED_WITHIN] + b"\n" + data[-_DECLARED_WITHIN // 2 :]
    ):
        try:
            codec = codecs.lookup(match[1].decode()).name
            if "escape" in codec or _ASCII.decode(codec) != _ASCII.decode():
                continue
        except (LookupError, ValueError):
            continue
        for each in (_WIDER.get(codec, codec), codec):
            if each not in tried and _decodes(data, each):
                return each
            tried.add(each)
    return ""


def _lines_beyond_ascii(data: bytes) -> list[bytes]:
    found, size = [], 0
    for line in data.split(b"\n"):
        if not line.isascii():
            found.append(line)
            size += len(line)
            if size > _MOST_BYTES:
                break
    return found


def _is_scattered(data: bytes) -> bool:
    """Whether what is not ASCII stands by itself among it, as accents and signs of the West do.

    Words in another script have many together; the first bytes of Japanese letters lie lower.
    """
    runs = _BEYOND_ASCII.findall(data)
    count = sum(map(len, runs))
    low = sum(byte < 0xA0 for run in runs for byte in run)
    return count < len(runs) * 1.5 and low < count / 2


def _is_other_script(data: bytes, codec: str) -> bool:
    """Whether anything of it is no letter of the West and no sign that is written there."""
    text = data.decode(codec, "replace") if codec else ""
    return any(
        "\u024f" < sign < "\u2000" or "\u2500" <= sign < "\ufffd" or sign in "¤¬¦\xad\x80"
        for sign in text
    )


@lru_cache(maxsize=32)
def _detect(data: bytes) -> tuple[str, float]:
    """The likeliest encoding and how sure that is, from 0 to 1."""
    from chardet import EncodingEra, detect  # takes 0.1 s, and few texts need it

    eras = EncodingEra.MODERN_WEB | EncodingEra.LEGACY_ISO | EncodingEra.DOS
    for era in (eras, EncodingEra.MODERN_WEB):
        found = detect(data[:_MOST_BYTES], encoding_era=era)
        try:
            codec = codecs.lookup(found["encoding"] or "").name
        except LookupError:
            continue
        if not re.match(r"(cp|ibm)8", codec) or found["confidence"] >= _SURE_OF_DOS:
            return codec, found["confidence"]
    return "", 0.0


def _decodes(data: bytes, codec: str) -> bool:
    try:
        data.decode(codec)
    except (UnicodeDecodeError, LookupError):
        return False
    return True
