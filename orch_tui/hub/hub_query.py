"""A query of orch's own language as PostgreSQL answers it, over vectors of the same words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from orch_tui.frozen import frozen
from orch_tui.hub.search_rows import EVERY, LONG, WordCutter, origin_lexeme, quote_lexeme
from orch_tui.models.database import Record
from orch_tui.search.checking import like_pattern
from orch_tui.search.language import (
    FilterValue,
    Phrase,
    Query,
    QueryFilter,
    QueryWord,
    word_terms,
)
from orch_tui.search.origins import KnownOrigin, choose_origins
from orch_tui.search.tokens import TEXTS_APART, filter_lexeme, render_index_text


@frozen
class HubCondition:
    """A condition on a row of ``search`` (``s``), and its parameters."""

    sql: str
    parameters: tuple[object, ...] = ()


@frozen
class HubQuery:
    """What a query asks of the table ``search``.

    ``words`` and ``ranked`` are of the type ``tsquery``: what must match, and the required words
    of which one does; empty: all, or none. ``in_turn``: each run that the index names has to be
    looked at, which takes time by their number. ``projects`` are among the ``words``, too; where
    a query ``is_plain`` nothing but them, the time and the conditions is asked for.
    """

    words: str
    ranked: str
    conditions: tuple[HubCondition, ...]
    since: datetime | None
    until: datetime | None
    projects: tuple[str, ...] | None
    in_turn: bool
    is_plain: bool
    finds_nothing: bool


class QueryTranslator:
    """Makes of queries what a hub is asked."""

    def __init__(self, record: Record, origins: Sequence[KnownOrigin]) -> None:
        self._record = record
        self._origins = origins
        self._cutter = WordCutter()

    def translate(
        self, query: Query, projects: tuple[str, ...] | None, *, include_archived: bool
    ) -> HubQuery:
        """Translate a query but for what it says of contents that were given.

        ``projects`` are the keys of those that runs are of, where others are left out.
        """
        wanted = [self.render_word(word) for word in query.required_words]
        unwanted = [
            self.render_word(word) for word in query.words if word.excluded and not word.is_checked
        ]
        finds_nothing = query.finds_nothing
        for each in query.told_filters:
            (unwanted if each.excluded else wanted).append(self._render_filter(each))
        for each in query.origins:
            chosen = choose_origins(self._origins, each)
            finds_nothing |= not chosen and not each.excluded
            if chosen and len(chosen) < len(self._origins):
                owned = any_of(quote_lexeme(origin_lexeme(str(origin.key))) for origin in chosen)
                (unwanted if each.excluded else wanted).append(owned)
            finds_nothing |= len(chosen) == len(self._origins) and each.excluded
        if any(each.name == "project" for each in query.filters):
            projects = None
        is_plain = not (query.is_in_texts or any(wanted) or any(unwanted))
        is_plain &= not any(query.given_alternatives())
        if projects is not None:
            wanted.append(any_of(quote_lexeme(filter_lexeme("project", key)) for key in projects))
        conditions = [] if include_archived else [HubCondition("NOT s.archived")]
        conditions += filter(None, map(_part_condition, query.parts))
        ranked = [self.render_word(word) for word in query.required_words]
        return HubQuery(
            words=all_of(wanted, unwanted),
            ranked=any_of(filter(None, ranked)),
            conditions=tuple(conditions),
            since=_moment(query.since),
            until=_moment(query.until),
            projects=projects,
            is_plain=is_plain,
            in_turn=query.is_in_texts or "<->" in "".join((*wanted, *unwanted)),
            finds_nothing=finds_nothing,
        )

    def render_given(self, words: Iterable[QueryWord]) -> str:
        """Render what a content must match that has one of some words; empty: all may."""
        rendered = [self.render_word(word) for word in words]
        return any_of(rendered) if all(rendered) else ""

    def render_word(self, word: QueryWord) -> str:
        """Render what a vector has where a word is."""
        signs, phrase = word_terms(word)
        terms = [quote_lexeme(sign) for sign in signs]
        if phrase and (lexemes := self._cut(phrase)):
            terms.append(_render_phrase(lexemes))
        return " & ".join(terms)

    def _cut(self, phrase: Phrase) -> list[str]:
        """Cut the tokens of a phrase as the texts are cut, each quoted."""
        lexemes = [quote_lexeme(word) for word in cut_in_order(self._cutter, phrase)]
        if lexemes and phrase.begins:
            lexemes[-1] += ":*"
        return lexemes

    def _render_filter(self, each: QueryFilter) -> str:
        return any_of(
            quote_lexeme(filter_lexeme(each.name, text)) + ("" if exact else ":*")
            for value in each.values
            for text, exact in self._names_there(each.name, value)
        )

    def _names_there(self, name: str, value: FilterValue) -> Iterable[tuple[str, bool]]:
        """List what a value of a filter is called on the hub, and whether that is the whole."""
        yield value.text, value.exact
        if name == "session" and value.exact:
            for (origin,) in self._record.sql(
                "SELECT name FROM origins WHERE mine AND closed_at IS NULL"
            ):
                yield f"{value.text}@{origin}", True
        if name == "project":
            for path, key in self._record.sql(
                "SELECT DISTINCT project, project_key FROM sessions "
                "WHERE project IS NOT NULL AND project_key IS NOT NULL"
            ):
                path, text = str(path).lower(), value.text.lower()
                if path == text or (path.startswith(text) and not value.exact):
                    yield str(key), True


def cut_in_order(cutter: WordCutter, phrase: Phrase) -> list[str]:
    """Cut the tokens of a phrase as texts are cut."""
    (found,) = cutter.cut([" ".join(phrase.tokens)])
    return [word for _, word in sorted((at, word) for word in found for at in found[word])]


def _render_phrase(lexemes: Sequence[str]) -> str:
    """Render words in a row. Where not all places are kept they may stand so: the texts tell."""
    if not lexemes[1:]:
        return lexemes[0]
    there = " & ".join(lexemes)
    return f"(({' <-> '.join(lexemes)}) | ({quote_lexeme(LONG)} & {there}))"


def any_of(terms: Iterable[str]) -> str:
    """Render that one of some terms matches."""
    told = list(terms)
    return f"({' | '.join(told)})" if told[1:] else "".join(told)


def all_of(wanted: Iterable[str], unwanted: Iterable[str]) -> str:
    """Render that all of some terms match and none of others."""
    told = list(filter(None, wanted))
    refused = list(filter(None, unwanted))
    if refused and not told:
        told.append(quote_lexeme(EVERY))
    return " & ".join((*told, *(f"!({each})" for each in refused)))


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def _part_condition(each: QueryFilter) -> HubCondition | None:
    """Make the condition that a part stands in what a run was about, said or failed of; of letters
    beyond ASCII that have case the texts tell more."""
    patterns = [f"%{like_pattern(value.text)}%" for value in each.values]
    if each.excluded and any("_" in pattern.replace("\\_", "") for pattern in patterns):
        return None
    tests = " OR ".join(
        f"t.{column} ILIKE %s" for column in ("message", "scope", "error") for _ in patterns
    )
    found = f"EXISTS (SELECT FROM run_texts AS t WHERE t.run_id = s.run_id AND ({tests}))"
    return HubCondition(f"NOT {found}" if each.excluded else found, tuple(patterns * 3))


class PlaceCheck:
    """Looks for the phrases of a query in texts of which a vector does not keep all places."""

    def __init__(self, query: Query) -> None:
        self._cutter = WordCutter()
        self._required = [*self._phrases(query.required_words)]
        self._unwanted = [
            *self._phrases(word for word in query.words if word.excluded and not word.is_checked)
        ]

    def _phrases(self, words: Iterable[QueryWord]) -> Iterable[tuple[list[str], bool]]:
        for word in words:
            _, phrase = word_terms(word)
            if phrase:
                yield cut_in_order(self._cutter, phrase), phrase.begins

    def is_met(self, texts: Iterable[str]) -> bool:
        """Tell whether the phrases stand in the texts of a run, and the unwanted do not."""
        (found,) = self._cutter.cut([TEXTS_APART + render_index_text(texts)])
        return all(_stands_in(found, *phrase) for phrase in self._required) and not any(
            _stands_in(found, *phrase) for phrase in self._unwanted
        )


def _stands_in(found: dict[str, list[int]], words: list[str], begins: bool) -> bool:
    if not words:
        return True
    *first, last = words
    ends = [word for word in found if word.startswith(last)] if begins else [last]
    places = {place for word in ends for place in found.get(word, ())}
    for behind, word in enumerate(reversed(first), 1):
        places &= {place + behind for place in found.get(word, ())}
    return bool(places)
