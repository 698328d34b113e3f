"""Bytes as text: what files, contents and templates hold."""

from __future__ import annotations

import codecs

# UTF-32 before UTF-16: the mark of the one begins with the mark of the other.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


def decode_text(data: bytes) -> str:
    """Text for counting and showing: by byte order mark, else UTF-8, else Latin-1.

    Newlines stay as they are. The mark is not part of the text. Never raises: what is not what
    its mark says is shown with replacement characters.
    """
    codec, mark = codec_of(data)
    return data[len(mark) :].decode(codec, "replace")


def codec_of(data: bytes) -> tuple[str, bytes]:
    """The codec of a text, and the byte order mark that told it."""
    for mark, codec in _MARKS:
        if data.startswith(mark):
            return codec, mark
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return "latin-1", b""
    return "utf-8", b""
