"""Values that are given to a name that speaks of a secret, and passwords in URLs.

In any file and however it is written: ``DB_PASSWORD=x``, ``export X=``, ``ENV X y``, ``"x": "y"``,
``x = 'y'``, ``--x y``, ``<x>y</x>``, ``setenv("X", "y")``. A name speaks of a secret by its last
words; a value is one if somebody made it to be hard to guess. Each place is looked at once, and no
further than its line or a few hundred characters.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

from orch_tui.prepare.secret_rules import is_meant

KIND = "Secret under its name"
URL_KIND = "Password in a URL"

_STEMS = (
    *("assw", "ASSW", "pwd", "Pwd", "PWD", "assphrase", "ASSPHRASE", "ecret", "ECRET"),
    *("oken", "OKEN", "key", "Key", "KEY", "redential", "REDENTIAL", "_pass", "_PASS", "_AUTH"),
)
_GIVEN = (
    r"([\w-]{0,24}+)(?:\\{0,2}+[\"'`])?[\])]{0,2}+"  # the rest of the name, and its quotes
    r"(?:[ \t]{0,24}+(?::[ \t]?[A-Za-z][\w.]{0,20}+[ \t]{0,2}+(?==))?+"  # its type
    r"(?:===?|=>|:=|\?=|\+=|!==?|[=:])[ \t]{0,24}+|>|,[ \t]{0,4}+(?=[\"'])|[ \t]{1,4}+|"
    r"[\"'][ \t]{1,4}+value=|\()"
    r"([$@fbru]?)((?:\\{0,2}+[\"'`])?+)(?=[^\s\"'`<>\d]{0,60}+\d)([^\s\"'`<>]{8,200}+)"
)
_IN_URL = r"://(?:[^\s:/?#@\"'`<>()\\]{0,80}+):(?=[^\s@/\"'`<>\d]{0,60}+\d)([^\s@/\"'`<>()]{6,200}+)@(?=[\w\[])"


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_SECRET_WORDS = _words(
    "password passwd passphrase passwort pwd pass secret secrets token credential credentials "
    "apikey authkey accesskey secretkey privatekey masterkey key auth"
)
_WEAK_WORDS = ("key", "auth", "pass")
"""What may be something else, too."""
_SUFFIXES = _words(
    "prod production dev development test testing staging stage live old new value val base b64 "
    "base64 main default primary secondary backup root admin here plain plaintext"
)
"""What may stand behind the word that says what it is."""
_KEYS_OF_SECRETS = _words(
    "api access auth private priv secret client signing encryption encrypt master account "
    "service app application db database license deploy shared hmac jwt admin server webhook "
    "consumer write ingest integration subscription crypt cipher"
)
"""What a key is a secret of; any other may be that of a dictionary."""
_NO_SECRETS = _words(
    "public pub csrf xsrf page next continuation cache sort partition foreign primary "
    "idempotency eos bos pad unk sep cls mask min max num manager"
)
_TYPED = re.compile(
    r"(?i)test|password|passwd|secret|token|change.?me|foo.?bar|qwerty|12345678|abcdef"
)
_LETTER_AND_DIGIT = re.compile(r"(?=[^\d]*\d)[\d\W_]*[^\W\d_]")
_CODE = re.compile(r"[\s()$;{}]")
_WORD = re.compile(r"[A-Za-z_-]+\d{0,4}")
_NAME_BACKWARDS = re.compile(r"(?:[\w-]|\.(?=\w))*+")
_PART_OF_NAME = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_UUID = re.compile(r"(?i)[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_HASH = re.compile(r"(?i)(?:sha(?:1|224|256|384|512)|md5|blake2[bs]?)[-:=$_]")
_REFERENCE = re.compile(
    r"[$%]\w|[$%#@]?[{(\[]|&\w|(?:os|process|sys|env|self|this|config|settings|vars?|secrets|data|args|"
    r"options|request|local|module|values|params|ctx|context)\b[.\[(]|(?:file|env|vault|ssm|op|arn|"
    r"https?|data|urn|s3|gs|projects/\w+):|[./~\\]|[A-Z]:\\|!|--"
)
_NO_VALUE = re.compile(
    r"[()\[\]{}$;|\\]|[=!<>]=|->|&&|::|\.(?:pem|key|crt|json|ya?ml|txt|py|js|ts|sh|conf|com|org|"
    r"net|io|md|html?)\b|:\d{1,5}$"
)
_NEXT = re.compile(r"[;&,](?=\s*[\w-]+=)|\\[nrt]")
"""Where the next of several values on a line begins: `Password=x;Encrypt=true`."""
_RUNS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+|\d+")
_HEX = re.compile(r"(?i)[0-9a-f]+")
_SNAKE = re.compile(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)+")
_USUAL_PAIRS = _words(
    "th he in er an re on at en nd ti es or te of ed is it al ar st to nt ng se ha as ou io le "
    "ve co me de hi ri ro ic ne ea ra ce li ch ll be ma si om ur ca el ta la ns di fo ho pe ec "
    "pr no ct us ac ot il tr ly nc et ut ss so rs un lo wa ge ie wh ee wi em ad ol rt po we na "
    "ul ni ts mo ow pa im mi ai sh ir su id os iv ia am fi ci vi pl ig tu ev ld ry mp fe bl ab "
    "gh ty op wo sa ay ex ke ey ui fr oo ag bu by ck ef if ap ep pt od py ub em am"
)
"""Letters that stand side by side in words: three of four pairs there, one of five by chance."""
_LEAD = re.compile(r"(?:^|\s)(?:ENV|ARG|setx|login \S{1,60}) $")
_LONGEST_NAME = 60
_AT_THE_END = ("password", "passwd", "secret", "token", "apikey")


class _Name(NamedTuple):
    """A name that speaks of a secret."""

    is_strong: bool
    """It says password, and whatever stands there is one."""
    is_qualified: bool
    """Of a key: what it is the key of."""
    takes_uuid: bool
    is_constant: bool
    """It is written as variables of the environment are: `DB_PASSWORD`."""
    is_whole: bool
    """Its last word, and not only the end of it, says so."""


def find_assigned(text: str) -> Iterator[tuple[int, str]]:
    """Find secrets under a name that says so: where each is, and its kind."""
    names: dict[str, _Name | None] = {}
    judged: dict[tuple[str, bool], bool] = {}
    for stem in _STEMS:
        for match in _given(stem).finditer(text) if stem in text else ():
            rest, sigil, quote, value = match.groups()
            before = text[max(0, match.start() - _LONGEST_NAME) : match.start()]
            head = _find_end_of_name(before)
            written = head + stem + rest
            if written not in names:
                names[written] = _judge_name(written)
            name = names[written]
            if name is None:
                continue
            given = text[match.start() + len(stem + rest) : match.start(3)]
            if not _is_given(given, before.removesuffix(head), head, name, quoted=bool(quote)):
                continue
            value = _cut_value(value, sigil, quoted=bool(quote))
            key = value, bool(quote)
            if key not in judged:
                judged[key] = _is_secret_value(value, quoted=bool(quote))
            if judged[key] and _fits_name(value, name, quoted=bool(quote)):
                yield match.start(), KIND
    if "://" in text and "@" in text:
        for match in _in_url().finditer(text):
            if is_password(match[1]):
                yield match.start(), URL_KIND


def _find_end_of_name(before: str) -> str:
    """Find the beginning of a name, given what stands before its last word."""
    backwards = _NAME_BACKWARDS.match(before[::-1])
    return backwards[0][::-1] if backwards else ""


def _judge_name(written: str) -> _Name | None:
    """Judge what a name says; None: not of a secret."""
    parts = [part.lower() for part in _PART_OF_NAME.findall(written)]
    while len(parts) > 1 and (parts[-1] in _SUFFIXES or parts[-1].isdigit() or len(parts[-1]) == 1):
        parts.pop()
    if not parts or _NO_SECRETS & set(parts):
        return None
    last, is_constant = parts[-1], written.isupper()
    is_whole = last in _SECRET_WORDS
    if not (is_whole or last.endswith(_AT_THE_END[: None if is_constant else 2])):
        return None
    if last in _WEAK_WORDS and len(parts) == 1:
        return None
    return _Name(
        is_strong=last not in (*_WEAK_WORDS, "token", "secret", "secrets"),
        is_qualified=last not in _WEAK_WORDS
        or is_constant
        or bool(_KEYS_OF_SECRETS & set(parts[:-1])),
        takes_uuid=last in ("secret", "token") or parts[-2:] == ["api", "key"],
        is_constant=is_constant,
        is_whole=is_whole,
    )


def _is_given(given: str, lead: str, head: str, name: _Name, *, quoted: bool) -> bool:
    """Tell whether what stands between a name and a value gives it that value."""
    if given.startswith("("):
        return quoted and name.is_whole
    if given.strip("\"'`\\ \t])"):
        return True
    # a blank alone: `ENV NAME value`, `--name value`, `login NAME password value`
    return given.isspace() and (head.startswith("--") or _LEAD.search(lead) is not None)


def _cut_value(value: str, sigil: str, *, quoted: bool) -> str:
    """Cut off what stands on the line behind a value."""
    if quoted:
        return value.rstrip("\\")
    return _NEXT.split(sigil + value, maxsplit=1)[0].rstrip(",;)]}")


def _fits_name(value: str, name: _Name, *, quoted: bool) -> bool:
    """Tell whether a value that may be a secret is one under that name."""
    if _UUID.fullmatch(value):
        return name.takes_uuid
    if not name.is_qualified and not _HEX.fullmatch(value):
        return False
    return (name.is_strong and (quoted or name.is_constant)) or is_random(value)


def is_password(value: str) -> bool:
    """Tell whether somebody made it hard to guess: letters and digits, no words or code."""
    return (
        len(value) >= 8
        and _LETTER_AND_DIGIT.match(value) is not None
        and not _CODE.search(value)
        and (not _WORD.fullmatch(value) or is_random(value))
        and is_meant(value)
        and not _TYPED.search(value)
    )


def _is_secret_value(value: str, *, quoted: bool) -> bool:
    if not is_password(value) or _REFERENCE.match(value) or _HASH.match(value):
        return False
    if _NO_VALUE.search(value.rstrip("=")):
        return False
    return quoted or is_random(value) or _is_mixed(value)


def _is_mixed(value: str) -> bool:
    """Tell whether upper and lower case and digits are mixed as in a password, not as in a name."""
    return (
        value.isalnum()
        and len(_RUNS.findall(value)) >= 4
        and any(map(str.isupper, value))
        and any(map(str.islower, value))
    )


def is_random(value: str) -> bool:
    """Tell whether letters and digits come as they do where nobody chose them: `x8Kq2LmN`, not
    `sha256_hash2`."""
    if (len(value) >= 16 and _HEX.fullmatch(value)) or _UUID.fullmatch(value):
        return True
    if _SNAKE.fullmatch(value) and sum(map(str.isdigit, value)) <= max(3, len(value) // 3):
        return False
    runs = _RUNS.findall(value)
    if len(runs) < 3:
        return False
    pairs = [run[at : at + 2].lower() for run in runs for at in range(len(run) - 1)]
    letters = [pair for pair in pairs if pair.isalpha()]
    usual = sum(pair in _USUAL_PAIRS for pair in letters)
    length = sum(map(len, runs)) / len(runs)
    if length <= 2.9:
        return length <= 2.2 or len(letters) < 6 or usual <= 0.6 * len(letters)
    return len(letters) >= 4 and usual <= 0.4 * len(letters)


@cache
def _given(stem: str) -> re.Pattern[str]:
    return re.compile(stem + _GIVEN)


@cache
def _in_url() -> re.Pattern[str]:
    return re.compile(_IN_URL)
