"""Words and values of the index that are spelled much like others: what may have been meant.

The index is asked for each word that is one letter away, and for those that begin alike.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from difflib import SequenceMatcher, get_close_matches
from itertools import islice, product

from orch_tui.models.database import Record
from orch_tui.search.language import FIXED_VALUES, Query, QueryWord
from orch_tui.search.maintenance import has_table
from orch_tui.search.tokens import TOKEN_LETTERS, filter_token, token_value

_LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"
_SHORTEST = 3  # letters of a word that another is offered for
_LONGEST = 30
_ALIKE = 0.72
_BEGINNING = 4  # letters that are taken for right
_MOST_BEGUN = 500  # words with a beginning that are compared
_MOST_NEAR = 4  # words that are offered for one


def list_nearest_queries(record: Record, query: Query) -> Iterator[str]:
    """List the text of a query with one word replaced, or each that nothing has; nearest first.

    A word with signs that count is also offered without them.
    """
    if not has_table(record):
        return
    yield from _without_signs(query)
    yield from _with_other_values(record, query)
    wrong = [word for word in query.required_words if _may_be_wrong(record, word)]
    choices = [list(islice(_list_near(record, word.tokens[0]), _MOST_NEAR)) for word in wrong]
    if wrong and all(choices):
        for chosen in islice(product(*choices), 2 * _MOST_NEAR):
            text = query.text
            for word, near in sorted(
                zip(wrong, chosen, strict=True), key=lambda pair: pair[0].start, reverse=True
            ):
                text = text[: word.start] + near + text[word.end :]
            yield text


def _without_signs(query: Query) -> Iterator[str]:
    text = query.text
    literal = [w for w in query.words if w.is_checked and w.tokens and not w.excluded]
    for word in reversed(literal):
        plain = " ".join(word.tokens)
        text = text[: word.start] + (f'"{plain}"' if word.tokens[1:] else plain) + text[word.end :]
    if literal:
        yield text


def _with_other_values(record: Record, query: Query) -> Iterator[str]:
    """Replace the value of a filter that no run has by the nearest that one has."""
    for written in query.written:
        if written.name not in TOKEN_LETTERS or written.name in FIXED_VALUES or written.values[1:]:
            continue
        value = written.values[0].lower()
        if next(list_values(record, filter_token(written.name, value)), None) is not None:
            continue
        known = islice(list_values(record, filter_token(written.name, value[:1])), _MOST_BEGUN)
        for near in get_close_matches(value, known, n=2, cutoff=_ALIKE):
            quoted = f'"{near}"' if " " in near else near
            begun = f"{'-' * written.excluded}{written.name}:{quoted}"
            yield query.text[: written.start] + begun + query.text[written.end :]


def list_values(record: Record, beginning: str) -> Iterator[str]:
    """List the values in the index whose tokens begin so: a seek for each, in order."""
    after = beginning
    while True:
        token = record.value(
            "SELECT term FROM search_terms WHERE term >= ? AND term < ? LIMIT 1",
            [after, beginning + "g"],  # the digits of a token end with f
        )
        if token is None:
            return
        yield token_value(token)
        after = token + "0"


def _may_be_wrong(record: Record, word: QueryWord) -> bool:
    """Tell whether a word is one that nothing has and that is long enough to have others near."""
    if word.tokens[1:] or word.literal or not _SHORTEST <= len(word.tokens[0]) <= _LONGEST:
        return False
    token = word.tokens[0]
    following = _word_from(record, token)
    return following is None or not (
        following.startswith(token) if word.unfinished else following == token
    )


def _list_near(record: Record, token: str) -> Iterator[str]:
    """List the words of the index that are one letter from a word, or else those that begin alike;
    the nearest first."""
    changed = sorted(_list_changed(record, token), key=lambda word: len(word) != len(token))
    yield from changed
    if changed:
        return
    begun = _list_begun(record, token[: max(2, min(_BEGINNING, len(token) - 3))])
    alike = sorted(
        (-likeness, abs(len(word) - len(token)), word)
        for word in begun
        if (likeness := SequenceMatcher(None, token, word).ratio()) >= _ALIKE
    )
    yield from (word for _, _, word in alike)


def _list_changed(record: Record, token: str) -> Iterator[str]:
    """List the words of the index that are one letter away: each seek passes over those between."""
    candidates = sorted(_change_letter(token) - {token})
    at = 0
    while at < len(candidates):
        word = _word_from(record, candidates[at])
        if word is None:
            return
        at = bisect_left(candidates, word, at)
        if candidates[at : at + 1] == [word]:
            yield word
            at += 1


def _change_letter(token: str) -> set[str]:
    """Make the words that have two letters exchanged, one less, another or one more."""
    splits = [(token[:at], token[at:]) for at in range(len(token) + 1)]
    return {
        *(before + after[1] + after[0] + after[2:] for before, after in splits if after[1:]),
        *(before + after[1:] for before, after in splits if after and len(token) > _SHORTEST),
        *(before + c + after[1:] for before, after in splits if after for c in _LETTERS),
        *(before + c + after for before, after in splits for c in _LETTERS),
    }


def _list_begun(record: Record, beginning: str) -> Iterator[str]:
    """List the words of the index that begin so: a seek for each."""
    word = _word_from(record, beginning)
    for _ in range(_MOST_BEGUN):
        if word is None or not word.startswith(beginning):
            return
        yield word
        word = _word_from(record, word + "\0")


def _word_from(record: Record, word: str) -> str | None:
    """Find the first word of the index from this one on."""
    found: str | None = record.value(
        "SELECT term FROM search_terms WHERE term >= ? LIMIT 1", [word]
    )
    return found
