"""tiktoken's encodings, built from the tables that ship with orch.

tiktoken's own loader downloads a vocabulary at first use and parses base64 line by line ever
after. Here it is package data, the same one to the byte (a test re-expands it to the published
file), in the form that loads fastest: the length of every token in one byte each, then all
tokens end to end. A token's rank is its place.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from io import BytesIO
from threading import Lock
from typing import TYPE_CHECKING

from orch_tui.assets import asset
from orch_tui.frozen import frozen

if TYPE_CHECKING:
    import tiktoken


@frozen
class Vocabulary:
    """What an encoding is besides its ranks; facts of tiktoken_ext/openai_public.py, 0.14."""

    size: int
    """Mergeable tokens, that is without the special ones."""

    sha256: str
    """Of the published ``.tiktoken`` file."""

    special_tokens: dict[str, int]
    pattern: str
    """The regular expression that splits a text before its pieces are merged."""


VOCABULARIES = {
    "o200k_base": Vocabulary(
        size=199_998,
        sha256="446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d",
        special_tokens={"<|endoftext|>": 199_999, "<|endofprompt|>": 200_018},
        pattern="|".join(
            (
                r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+"
                r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
                r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*"
                r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
                r"\p{N}{1,3}",
                r" ?[^\s\p{L}\p{N}]+[\r\n/]*",
                r"\s*[\r\n]+",
                r"\s+(?!\S)",
                r"\s+",
            )
        ),
    ),
    "cl100k_base": Vocabulary(
        size=100_256,
        sha256="223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7",
        special_tokens={
            "<|endoftext|>": 100_257,
            "<|fim_prefix|>": 100_258,
            "<|fim_middle|>": 100_259,
            "<|fim_suffix|>": 100_260,
            "<|endofprompt|>": 100_276,
        },
        pattern="|".join(
            (
                r"'(?i:[sdmt]|ll|ve|re)",
                r"[^\r\n\p{L}\p{N}]?+\p{L}++",
                r"\p{N}{1,3}+",
                r" ?[^\s\p{L}\p{N}]++[\r\n]*+",
                r"\s++$",
                r"\s*[\r\n]",
                r"\s+(?!\S)",
                r"\s",
            )
        ),
    ),
}


NEWEST = "o200k_base"
"""What a model of OpenAI's is counted in that tiktoken does not know yet."""

_OF_OPENAI = r"(ft:)?(chat)?gpt|o[0-9]"
_SAME_PIECES = {"o200k_harmony": "o200k_base"}  # other special tokens, which no text has


def find_encoding(model: str) -> str | None:
    """Find the encoding that a model is counted in, a key of ``VOCABULARIES``.

    ``model`` is the name of an encoding itself or of a model of OpenAI's, which may stand behind a
    provider's (``openai/gpt-4o``). tiktoken's table decides, for a name that it does not know the
    newest encoding. None: it is neither, or its encoding does not ship with orch.
    """
    name = model.rpartition("/")[2].lower()
    if name in VOCABULARIES:
        return name
    if not re.match(_OF_OPENAI, name):  # most names are Claude's: tiktoken is not loaded for them
        return None
    from tiktoken.model import encoding_name_for_model

    try:
        found = encoding_name_for_model(name)
    except KeyError:
        return NEWEST
    found = _SAME_PIECES.get(found, found)
    return found if found in VOCABULARIES else None


def load_encoding(name: str) -> tiktoken.Encoding:
    """The encoding of that name, a key of ``VOCABULARIES``; loaded once per process (about 0.2 s
    and 80 MB for o200k_base) and safe to use from several threads."""
    with _loading:
        return _load(name)


def load_ranks(name: str) -> dict[bytes, int]:
    """Every mergeable token of the vocabulary and its rank."""
    size = VOCABULARIES[name].size
    table = BytesIO(asset(f"tokens/{name}.bin").read_bytes())
    lengths = table.read(size)
    # No Python code runs per token: map feeds each length to read, in order.
    return dict(zip(map(table.read, lengths), range(size), strict=True))


_loading = Lock()


@cache
def _load(name: str) -> tiktoken.Encoding:
    import tiktoken

    vocabulary = VOCABULARIES[name]
    return tiktoken.Encoding(
        name,
        pat_str=vocabulary.pattern,
        mergeable_ranks=load_ranks(name),
        special_tokens=vocabulary.special_tokens,
    )


def count_encoded(texts: Sequence[str], name: str) -> list[int]:
    """The tokens of each text in an encoding; any text: special tokens count as the plain text
    they are, and lone surrogates as U+FFFD.

    Texts over ``PIECE`` characters are counted in pieces. Cut at a line, as nearly all are, a
    piece counts as it does in the whole; a cut elsewhere (a line longer than half a piece) moves
    the figure by a token or so either way, less than 0.1 %.
    """
    encode = load_encoding(name).encode_ordinary
    pieces = [(place, piece) for place, text in enumerate(texts) for piece in _pieces(text)]
    totals = [0] * len(texts)
    for (place, _), tokens in zip(
        pieces, _counted(encode, [piece for _, piece in pieces]), strict=True
    ):
        totals[place] += tokens
    return totals


PIECE = 1 << 16
"""Characters handed to tiktoken at once. Its regular expression gives up with a panic on some
hundred thousand blanks in a row, and long runs of anything take it more than linear time."""


def _pieces(text: str) -> Iterator[str]:
    border_of = re.compile(_BORDER).search
    start = 0
    while len(text) - start > PIECE:
        border = border_of(text, start + PIECE // 2, start + PIECE)
        end = border.end() if border else start + PIECE
        yield text[start:end]
        start = end
    yield text[start:]


# Patterns here are text until they are needed: compiling them at import would double its time.
# This one finds where both encodings split anyway: what follows a newline joins it only when it is
# an empty line or, after punctuation, a slash.
_BORDER = r"\n(?=[ \t]*[^\s/])"


def _counted(encode: Callable[[str], list[int]], pieces: list[str]) -> list[int]:
    hands = min(os.cpu_count() or 1, 4) if sum(map(len, pieces)) > 500_000 else 1
    if hands == 1:
        return [_tokens(encode, piece) for piece in pieces]
    from concurrent.futures import ThreadPoolExecutor

    # tiktoken lets other threads run, so long as each has a share of its own to get on with.
    figures = [0] * len(pieces)

    def share(hand: int) -> None:
        figures[hand::hands] = [_tokens(encode, piece) for piece in pieces[hand::hands]]

    with ThreadPoolExecutor(hands) as pool:
        list(pool.map(share, range(hands)))
    return figures


def _tokens(encode: Callable[[str], list[int]], piece: str) -> int:
    try:
        return len(encode(piece))
    except BaseException as error:
        # A panic in Rust arrives as an exception that is no Exception, of a class with no home.
        if type(error).__name__ != "PanicException" or len(piece) < 2:
            raise
        middle = len(piece) // 2
        return _tokens(encode, piece[:middle]) + _tokens(encode, piece[middle:])
