"""How many tokens a text takes.

Claude's tokenizers are not public. The instant figure is tiktoken's o200k_base count scaled by a
ratio for the model's tokenizer family and the kind of content (``assets/tokens/ratios.toml``),
handed out with the band that nine texts in ten stay within. Nothing here touches the network.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Protocol

from orch_tui.assets import asset
from orch_tui.errors import UsageError
from orch_tui.prepare.vocabulary import VOCABULARIES, encoding

FAMILIES = ("v3", "v4.7", "v4.8")
"""Claude's tokenizers by the model that brought them: 3 to 4.6, Opus 4.7, Opus 4.8 and all 5."""

BASE = "o200k_base"
"""The encoding whose counts the estimates are scaled from."""


@dataclass(frozen=True, slots=True)
class Count:
    """A number of tokens, what produced it, and the band it lies in; exact when they are one."""

    tokens: int
    estimator: str
    low: int
    high: int

    @property
    def exact(self) -> bool:
        return self.low == self.tokens == self.high

    def __add__(self, other: Count) -> Count:
        """Both together. Bands add up too: errors of one kind of content lean the same way."""
        names = {self.estimator, other.estimator} - {""}
        return Count(
            self.tokens + other.tokens,
            names.pop() if len(names) == 1 else "mixed" if names else "",
            self.low + other.low,
            self.high + other.high,
        )

    def __str__(self) -> str:
        if self.exact:
            return f"{self.tokens:,}"
        error = max(self.tokens - self.low, self.high - self.tokens) / max(self.tokens, 1)
        return f"~{_three_digits(self.tokens):,} ±{max(1, round(100 * error))} %"


ZERO = Count(0, "", 0, 0)
"""Where a sum of counts starts: ``sum(counts, ZERO)``."""


class CountCache(Protocol):
    """Where counts of contents are kept for ever, by SHA-256 and estimator."""

    def get_counts(self, sha256s: Sequence[str], estimator: str) -> dict[str, int]: ...

    def put_counts(self, estimator: str, counts: Mapping[str, int]) -> None: ...


class Countable(Protocol):
    """A text to be counted. ``text`` is only asked for when no cache knows its SHA-256."""

    @property
    def sha256(self) -> str: ...
    @property
    def text(self) -> str: ...
    @property
    def kind(self) -> str: ...


def count(text: str, *, family: str, kind: str) -> Count:
    """The tokens of one text for a tokenizer family, or for an encoding of ``VOCABULARIES``."""
    return estimate(raw_counts([text], _encoding_for(family))[0], kind=kind, family=family)


def count_many(
    items: Iterable[Countable], *, family: str, cache: CountCache | None = None
) -> list[Count]:
    """``count`` of each item, in order. What the cache knows is neither read nor counted, and
    tiktoken is not even loaded when it knows all."""
    items = list(items)
    base = _encoding_for(family)
    by_sha256 = {item.sha256: item for item in items}
    known = cache.get_counts(list(by_sha256), base) if cache is not None else {}
    missing = [item for sha256, item in by_sha256.items() if sha256 not in known]
    if missing:
        figures = raw_counts([item.text for item in missing], base)
        fresh = dict(zip((item.sha256 for item in missing), figures, strict=True))
        if cache is not None:
            cache.put_counts(base, fresh)
        known = known | fresh
    return [estimate(known[item.sha256], kind=item.kind, family=family) for item in items]


def estimate(raw: int, *, kind: str, family: str) -> Count:
    """What ``raw`` tokens of the base encoding are to a family, for one kind of content.

    The one place where a raw figure becomes an estimate. An unknown kind counts as ``other``.
    """
    if family in VOCABULARIES:
        return Count(raw, family, raw, raw)
    ratios = _ratios()
    table = ratios[ratios["tables"][family]]
    low, ratio, high = table["kinds"].get(kind) or table["kinds"]["other"]
    tokens = round(raw * ratio)
    floor = min(raw, table["floor"])  # a short text strays further than its ratio does
    return Count(
        tokens,
        f"claude-{family}~o200k",
        max(min(round(raw * low), tokens - floor), 0),
        max(round(raw * high), tokens + floor),
    )


def raw_counts(texts: Sequence[str], name: str = BASE) -> list[int]:
    """The tokens of each text in an encoding; any text: special tokens count as the plain text
    they are, and lone surrogates as U+FFFD.

    Texts over ``PIECE`` characters are counted in pieces. Cut at a line, as nearly all are, a
    piece counts as it does in the whole; a cut elsewhere (a line longer than half a piece) moves
    the figure by a token or so either way, less than 0.1 %.
    """
    encode = encoding(name).encode_ordinary
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


def _encoding_for(family: str) -> str:
    if family in VOCABULARIES:
        return family
    if family in FAMILIES:
        return BASE
    raise UsageError(
        f"tokenizer family {family!r} is not known",
        hint=f"one of {', '.join([*FAMILIES, *VOCABULARIES])}",
    )


@cache
def _ratios() -> dict[str, Any]:
    import tomllib

    return tomllib.loads(asset("tokens/ratios.toml").read_text("utf-8"))


def _three_digits(number: int) -> int:
    return round(number, 3 - len(str(number))) if number >= 1000 else number


def kind_of(source: str, text: str) -> str:
    """The kind of content, a key of ``ratios.toml``: by the script it is written in, then by the
    suffix of its source, then by how it begins. ``other`` when nothing tells."""
    return _script(text) or _kind_by_name(source, text) or _kind_by_look(text)


_SUFFIXES = {
    "c": ["c", "h", "cc", "cpp", "cxx", "hpp", "hh", "m", "mm", "cu"],
    "css": ["css", "scss", "less", "tcss", "sass"],
    "csv": ["csv", "tsv"],
    "go": ["go"],
    "html": ["html", "htm", "xml", "vue", "svelte", "xhtml", "jinja", "j2", "djt"],
    "java": ["java", "kt", "kts", "cs", "scala", "swift", "groovy"],
    "javascript": ["js", "mjs", "cjs", "jsx"],
    "json": ["json", "jsonl", "ndjson", "ipynb", "geojson"],
    "markdown": ["md", "markdown", "mdx", "mdc"],
    "python": ["py", "pyi", "pyx", "pyw"],
    "rst": ["rst"],
    "rust": ["rs"],
    "shell": ["sh", "bash", "zsh", "fish", "ksh"],
    "sql": ["sql"],
    "svg": ["svg"],
    "toml": ["toml", "ini", "cfg", "conf", "properties"],
    "typescript": ["ts", "tsx", "mts", "cts"],
    "yaml": ["yaml", "yml"],
}
_KIND_OF_SUFFIX = {suffix: kind for kind, suffixes in _SUFFIXES.items() for suffix in suffixes}


def _kind_by_name(source: str, text: str) -> str:
    if source.startswith("text:"):
        return ""
    name = source.rpartition("/")[2].partition("#")[0].partition(":")[0]
    kind = _KIND_OF_SUFFIX.get(name.rpartition(".")[2].lower(), "")
    if kind == "json" and "\n " not in text[:4000]:
        return "json-compact"
    return kind


def _kind_by_look(text: str) -> str:
    head = text[:4000].lstrip("\ufeff \t\r\n")
    if head.startswith("#!"):
        program = head.partition("\n")[0]
        return "python" if "python" in program else "shell" if "sh" in program else "other"
    if head.startswith(("{", "[")) and '"' in head[:100]:
        return "json" if "\n " in head else "json-compact"
    if head.startswith("<") and "</" in head:
        return "html"
    if re.search(_MARKDOWN, head, re.MULTILINE):
        return "markdown"
    return "english" if 15 * len(re.findall(_SYMBOL, head, re.MULTILINE)) < len(head) else "other"


_MARKDOWN = r"^(#{1,6} \S|```|[-*] \S.*\n[-*] \S)"
_SYMBOL = r"[^A-Za-z\s.,;:'!?-]|;$"


def _script(text: str) -> str:
    """The kind of a text that is largely not plain English letters, judged by its middle."""
    middle = len(text) // 2
    sample = text[max(0, middle - 2000) : middle + 2000]
    if sample.isascii():
        return ""
    letters = sum(map(str.isalpha, sample))
    for kind, alphabet, share in _SCRIPTS:
        if len(re.findall(alphabet, sample)) > share * letters:
            return kind
    return ""


_SCRIPTS = (
    ("cjk", "[\u2e80-\ud7ff\uf900-\ufaff\uff66-\uffdc\U00020000-\U0003ffff]", 0.2),
    ("nonlatin", "[\u0370-\u1dff]", 0.2),
    ("european", "[\u00c0-\u024f\u1e00-\u1eff]", 0.02),
)
