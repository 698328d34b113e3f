"""What is known about Claude's models: windows, tokenizer families, prices.

The figures are data (``assets/models.json``, each entry with its date and source), which the
configuration can extend. A name that is in neither gets the figures of its nearest relative,
marked as assumed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import fields, replace
from datetime import date
from functools import cache
from typing import Any

from orch_tui.assets import asset
from orch_tui.config import DEFAULTS
from orch_tui.errors import FormatError, UsageError
from orch_tui.frozen import frozen
from orch_tui.prepare.count import FAMILIES
from orch_tui.prepare.vocabulary import VOCABULARIES, find_encoding


@frozen
class Price:
    """USD per million tokens of each column of usage."""

    input: float
    output: float
    cache_write_5m: float
    cache_write_1h: float
    cache_read: float
    up_to: int | None = None
    """The largest prompt, in tokens, whose whole request this price is for; None: any."""


@frozen
class Model:
    """One model of the catalogue."""

    model_id: str
    window: int
    """Tokens that prompt and answer share."""

    family: str
    """The tokenizer, for ``tokens.count_tokens``."""

    prices: tuple[Price, ...] = ()
    """By size of prompt, smallest first; none when unknown."""

    date: str = ""
    """When the figures were read, ``YYYY-MM-DD``."""

    source: str = ""
    aliases: tuple[str, ...] = ()
    sent_as: str = ""
    """The model that the client asks for instead, where this one is retired; else empty."""

    assumed: bool = False
    """The name is not in the catalogue; the figures are its nearest relative's."""

    def price(self, prompt_tokens: int) -> Price | None:
        """The price of a request with a prompt (cached or not) of that size, if known."""
        fitting = (p for p in self.prices if p.up_to is None or prompt_tokens <= p.up_to)
        return next(fitting, None)


@frozen
class Catalogue:
    """The models that ship with orch and those of the configuration."""

    models: dict[str, Model]
    default: str
    """The name that stands for no name."""

    def model(self, name: str = "") -> Model:
        """Find the model that is run where this name is asked for.

        It may be an id, an alias, either with ``[1m]``, or an id as a cloud provider writes it
        (``us.anthropic.claude-opus-4-5-20251101-v1:0``). No name, and ``inherit``, mean the
        default. Never fails: an unknown name is answered by a relative, ``assumed``. A model of
        OpenAI's or an encoding of tiktoken's has that for its tokenizer, its limits are assumed.
        """
        found = self.model_that_ran(name)
        return self.models.get(found.sent_as, found)

    def model_that_ran(self, name: str) -> Model:
        """Find the model that a record of a run names: a retired one is itself there."""
        name = name if name not in ("", "inherit") else self.default
        plain = name.removesuffix("[1m]")
        model = self._named(plain) or self._named(plain.lower()) or self._related(plain)
        return model if plain == name else replace(model, window=1_000_000)

    def doubt(self, name: str) -> str:
        """Say that a model's figures are assumed, and which names are spelled much like it; empty
        where the catalogue has it."""
        if not self.model(name).assumed:
            return ""
        name = self.default if name in ("", "inherit") else name
        near = self._list_near(name)
        nearest = f" (nearest: {', '.join(near)})" if near else ""
        return f"model {name!r} is not in the catalogue{nearest}: its figures are assumed"

    def check_asked(self, name: str | None) -> None:
        """Refuse a name that somebody asks for and that reads like a misspelling of a known one.

        An id in full (``claude-``, a word of Claude's models) may be newer than the catalogue, and
        what tiktoken counts is none of Claude's: both pass, with the remark of ``doubt``.

        Raises:
            UsageError: with the nearest name, and how to insist.
        """
        if not name or not self.model(name).assumed or find_encoding(name):
            return
        is_whole = "claude-" in name.lower()
        if is_whole and _word_and_version(name)[0]:
            return
        if near := self._list_near(name, cutoff=0.9 if is_whole else 0.7):
            raise UsageError(
                f"model {name!r} is not known; did you mean {near[0]}?",
                hint=f"--allow-model takes {name!r} as it is; [models.{json.dumps(name)}] in the "
                "settings makes it known",
            )

    def _list_near(self, name: str, *, cutoff: float = 0.7) -> list[str]:
        from difflib import get_close_matches  # only what is not known pays for it

        known = [
            *self.models,
            *(alias for model in self.models.values() for alias in model.aliases),
        ]
        plain = name.lower().removesuffix("[1m]")
        return get_close_matches(plain, known, n=2, cutoff=cutoff)

    def _named(self, name: str) -> Model | None:
        if name in self.models:
            return self.models[name]
        # What the configuration adds comes last and takes an alias over.
        for model in reversed(self.models.values()):
            if name in model.aliases:
                return model
        return None

    def _related(self, name: str) -> Model:
        """The newest model of the same word that is no newer; of no such word, the default."""
        word, version = _word_and_version(name)
        relatives = sorted(
            (_word_and_version(model.model_id)[1], model.model_id)
            for model in self.models.values()
            if word and _word_and_version(model.model_id)[0] == word
        )
        if not relatives:
            if family := find_encoding(name):
                return replace(_FOREIGN, model_id=name, family=family)
            shipped = self._named(self.default) or self.models[_FALLBACK]
            return replace(shipped, model_id=name, assumed=True)
        older = [relative for relative in relatives if relative[0] <= version]
        nearest_version, nearest = (older or relatives)[-1 if older or not version else 0]
        if nearest_version == version:
            return self.models[nearest]
        return replace(self.models[nearest], model_id=name, sent_as="", assumed=True)


def load_catalogue(
    extra: Mapping[str, Mapping[str, Any]] | None = None, *, default: str = DEFAULTS.model
) -> Catalogue:
    """The shipped models with ``extra`` ones added, or changed where the name is known.

    ``extra`` is the configuration's table of models, with the keys of ``assets/models.json``; a
    new model needs ``window`` and ``family``. Raises FormatError naming the entry.
    """
    entries = {**_shipped()}
    for name, entry in (extra or {}).items():
        entries[name] = {**entries.get(name, {}), **entry}
    return Catalogue({name: _model(name, entry) for name, entry in entries.items()}, default)


_FALLBACK = "claude-sonnet-5-5"

_FOREIGN = Model(
    "",
    window=128_000,
    family="",
    date="2026-11-28",
    source="those of GPT-4o: what a model of OpenAI's can take at least, old ones apart",
    assumed=True,
)
"""Claude Code's agents are Claude's: of other models only how they count is known."""


@cache
def _shipped() -> dict[str, dict[str, Any]]:
    """The models Claude Code runs: for each, what ``Model`` says of it, by the names of its fields.

    Every entry says when and where its figures were read. Of several prices, the first whose
    ``up_to`` (tokens of prompt, for the whole request) is not exceeded applies, and one without
    ``up_to`` applies to any. No prices: not published. What a retired model (``sent_as``) cost when
    it ran stays.

    The family of tokens is v3 from Claude 3 to 4.6, v4.7 of Opus 4.7, v4.8 since. Claude Code's
    aliases mean its recommended versions and change with it; ``default`` depends on the account and
    is what an API key gets. An alias with [1m] asks for a window of a million tokens.

    ``python -m tests.generate.models TABLE`` compares the file with a client's own table. It is no
    TOML, as the configuration is: to read that takes what Python takes to start, in each command
    that counts.
    """
    known: dict[str, dict[str, Any]] = json.loads(asset("models.json").read_text("utf-8"))
    return known


_WORDS = ("fable", "mythos", "opus", "sonnet", "haiku")
# claude-opus-4-5, claude-sonnet-4-20250514, claude-3-5-haiku-20241022, claude-opus-4.5
_NAME = (
    rf"(?:(\d{{1,2}})[-.])?(?:(\d{{1,2}})-)?({'|'.join(_WORDS)})"
    r"(?:-(\d{1,2})(?!\d))?(?:[-.](\d{1,2})(?!\d))?"
)


def _word_and_version(name: str) -> tuple[str, tuple[int, ...]]:
    found = re.search(_NAME, name.lower())
    if not found:
        return "", ()
    before, before_minor, word, after, after_minor = found.groups()
    numbers = (after, after_minor) if after else (before, before_minor)
    return word, tuple(int(number) for number in numbers if number)


def _model(name: str, entry: Mapping[str, Any]) -> Model:
    where = f"models.{name}"
    _only(where, entry, [f.name for f in fields(Model)][1:-1], ("window", "family"))
    family = entry["family"]
    if family not in (*FAMILIES, *VOCABULARIES):
        known = ", ".join((*FAMILIES, *VOCABULARIES))
        raise FormatError(f"{where}.family: {family!r} is no tokenizer", hint=f"one of {known}")
    prices = _sequence(where, entry, "prices", dict, "tables")
    return Model(
        name,
        window=_tokens(where, entry, "window"),
        family=family,
        prices=tuple(_price(f"{where}.prices[{i}]", price) for i, price in enumerate(prices)),
        date=str(_typed(where, entry, "date", (str, date), "a date") or ""),
        source=_typed(where, entry, "source", (str,), "a text") or "",
        aliases=tuple(_sequence(where, entry, "aliases", str, "texts")),
        sent_as=_typed(where, entry, "sent_as", (str,), "a name") or "",
    )


def _price(where: str, entry: Mapping[str, Any]) -> Price:
    names = [f.name for f in fields(Price)]
    _only(where, entry, names, names[:-1])
    for name in names[:-1]:
        if _typed(where, entry, name, (int, float), "USD per million tokens") < 0:
            raise FormatError(f"{where}.{name}: a price is not negative")
    if "up_to" in entry:
        _tokens(where, entry, "up_to")
    return Price(**entry)


def _only(
    where: str, entry: Mapping[str, Any], names: Iterable[str], required: Iterable[str]
) -> None:
    names = list(names)
    for key in entry:
        if key not in names:
            raise FormatError(f"{where}.{key}: is not known", hint=f"one of {', '.join(names)}")
    missing = [name for name in required if name not in entry]
    if missing:
        raise FormatError(f"{where}: {', '.join(missing)} missing")


def _tokens(where: str, entry: Mapping[str, Any], name: str) -> int:
    value: int = _typed(where, entry, name, (int,), "a number of tokens")
    if value < 1:
        raise FormatError(f"{where}.{name}: must be at least 1, not {value}")
    return value


def _sequence(
    where: str, entry: Mapping[str, Any], name: str, item: type, must_be: str
) -> list[Any]:
    values = _typed(where, entry, name, (list, tuple), f"a list of {must_be}") or []
    if not all(isinstance(value, item) for value in values):
        raise FormatError(f"{where}.{name}: must be a list of {must_be}")
    return list(values)


def _typed(
    where: str, entry: Mapping[str, Any], name: str, types: tuple[type, ...], must_be: str
) -> Any:
    value = entry.get(name)
    if name in entry and (not isinstance(value, types) or isinstance(value, bool)):
        raise FormatError(f"{where}.{name}: must be {must_be}, not {value!r}")
    return value
