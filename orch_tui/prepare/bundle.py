"""Bundles: what one agent is given, composed from sources, and their JSON in and out."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from orch_tui.errors import FormatError, SourceError
from orch_tui.frozen import frozen
from orch_tui.models.values import ITEM_TYPES, PRIORITIES
from orch_tui.prepare.count import FRAMES, ZERO, Count, CountCache, frame_tokens
from orch_tui.prepare.encoding import decode_text, describe_encoding
from orch_tui.prepare.text_kinds import kind_of
from orch_tui.source_name import is_file, is_free_text, path_of

if TYPE_CHECKING:  # who only reads what was recorded needs no sources
    from orch_tui.prepare.secret_verdicts import SecretVerdicts
    from orch_tui.prepare.sources import Source, SourceReader
    from orch_tui.prepare.templates import Template

SCHEMA_VERSION = 1
"""Of the JSON. A file with a higher one is refused: it may mean something else."""

CLAIMED = "claimed"
"""The estimator of a figure that a foreign JSON states and nobody can check."""

_MOST_TOKENS = 10**12


@frozen
class ContextItem:
    """One thing an agent is given."""

    type: str
    source: str
    """Project-relative, absolute outside the project, ``exec-003:message``, ``text:...``, ``-``."""
    priority: str
    sections: tuple[str, ...]
    data: bytes | None
    """The exact bytes handed over; None: known only by its figures."""
    count: Count
    shared_with: tuple[str, ...] = ()
    sha256: str = ""
    """Of ``data``; without data as the JSON claims it, else empty."""

    def __post_init__(self) -> None:
        if self.data is not None and not self.sha256:
            object.__setattr__(self, "sha256", hashlib.sha256(self.data).hexdigest())

    @property
    def text(self) -> str:
        """The data as text; empty without data."""
        return decode_text(self.data or b"")

    @property
    def encoding(self) -> str:
        """What its text is read in and how that was found; empty for UTF-8."""
        return describe_encoding(self.data or b"")

    @property
    def machine_made(self) -> str:
        """What a machine made of its file, such as ``minified``; empty: a person wrote it."""
        from orch_tui.prepare.machine_made import name_machine_made

        return "" if self.is_inline else name_machine_made(path_of(self.source), self.data or b"")

    @property
    def kind(self) -> str:
        """The kind of content, which decides how its tokens are estimated."""
        return kind_of(self.source, self.text)

    @property
    def looks_secret(self) -> bool:
        """Whether its file is named like a secret, or its data holds what looks like one."""
        from orch_tui.prepare.secret_verdicts import SecretVerdicts

        return self.is_secret_by(SecretVerdicts(None))

    def is_secret_by(self, verdicts: SecretVerdicts) -> bool:
        """Tell the same without looking into what is known to hold none."""
        from orch_tui.prepare import secrets

        named = not self.is_inline and secrets.named_like_one(path_of(self.source))
        return named or bool(self.data and verdicts.find_in(self.data, self.text))

    @property
    def is_inline(self) -> bool:
        """Whether its source is no file: free text, standard input or a past execution."""
        return not is_file(self.source)

    @property
    def is_pointed_to(self) -> bool:
        """Whether its agent is only told to read it, since other agents are told to as well."""
        return self.type == "shared_context" and bool(self.shared_with) and not self.is_inline


@frozen
class Bundle:
    """The context prepared for one agent."""

    bundle_id: str
    agent_type: str
    scope: str
    items: tuple[ContextItem, ...]
    model: str
    created_at: str
    version: int = 1
    name: str = ""
    session_id: str = ""
    dropped: tuple[ContextItem, ...] = ()
    """Items left out because the bundle holds them already."""
    template: Template | None = None
    """What its briefing is rendered from; None: what orch renders briefings from."""
    template_count: Count | None = None
    """Tokens that the template takes around the items; None: they were not counted."""

    @property
    def given(self) -> Count:
        """The tokens of the items that are handed over."""
        return sum((item.count for item in self.items if not item.is_pointed_to), ZERO)

    @property
    def frame_tokens(self) -> int:
        """The tokens of the one message that its briefing is, besides the text."""
        return frame_tokens(self.template_count or self.given)

    @property
    def total(self) -> Count:
        """The tokens of its briefing: of the items handed over, the template and the frame."""
        frame = Count(self.frame_tokens, "", self.frame_tokens, self.frame_tokens)
        return self.given + (self.template_count or ZERO) + frame

    @property
    def shared(self) -> Count:
        """What its agent takes besides, if it reads what is shared with other agents."""
        return sum((item.count for item in self.items if item.is_pointed_to), ZERO)


class ReadBundle(NamedTuple):
    """A bundle from JSON, and in sentences where it differs from what is found now."""

    bundle: Bundle
    differences: tuple[str, ...]


def compose_bundle(
    agent_type: str,
    scope: str,
    *,
    reader: SourceReader,
    bundle_id: str,
    created_at: str,
    model: str,
    family: str,
    files: Sequence[str] = (),
    references: Sequence[str] = (),
    optional: Sequence[str] = (),
    shared: Sequence[str] = (),
    texts: Sequence[str] = (),
    items: Sequence[ContextItem] = (),
    cache: CountCache | None = None,
    exact: bool | None = None,
    name: str = "",
    session_id: str = "",
) -> Bundle:
    """A bundle of these sources, the free ``texts`` first, counted for a tokenizer ``family``.

    Files, shared sources and texts are required, references recommended, ``optional`` optional;
    ``items`` that were read already stand before them as they are.
    An item that is there twice is dropped the second time; ``exact`` is as for ``count_items``.
    Raises SourceError naming every source that cannot be taken.
    """
    wanted = (
        *(("briefing", "required", text) for text in texts),
        *(("shared_context", "required", source) for source in shared),
        *(("file", "required", source) for source in files),
        *(("reference", "recommended", source) for source in references),
        *(("file", "optional", source) for source in optional),
    )
    composed = list(items)
    from orch_tui.prepare.sources import combine_errors

    refused: list[SourceError] = []
    for type_, priority, given in wanted:
        try:
            sources = _sources(type_, given, reader)
        except SourceError as error:
            refused.append(error)
            continue
        for source in sources:
            is_text = is_free_text(source.name)
            composed.append(
                ContextItem(
                    type="briefing" if is_text else type_,
                    source=source.name,
                    priority=priority,
                    sections=source.sections,
                    data=source.data,
                    count=ZERO,
                )
            )
    if reader.verdicts:
        reader.verdicts.keep()
    if refused:
        raise combine_errors(refused)
    kept, dropped = without_repeats(
        count_context(composed, family=family, cache=cache, exact=exact)
    )
    return Bundle(
        bundle_id=bundle_id,
        agent_type=agent_type,
        scope=scope,
        items=kept,
        model=model,
        created_at=created_at,
        name=name,
        session_id=session_id,
        dropped=dropped,
    )


def count_context(
    items: Iterable[ContextItem],
    *,
    family: str,
    cache: CountCache | None = None,
    exact: bool | None = None,
) -> list[ContextItem]:
    """The items with their tokens counted, where they have data and nobody counted them yet."""
    items = list(items)
    uncounted = [item for item in items if _uncounted(item)]
    from orch_tui.prepare.tokens import count_items  # who only reads bundles counts nothing

    counts = iter(count_items(uncounted, family=family, cache=cache, exact=exact))
    return [replace(item, count=next(counts)) if _uncounted(item) else item for item in items]


def label_item(item: ContextItem) -> str:
    """Name an item by its source and sections, as people name a source."""
    return "#".join((item.source, *item.sections))


def without_repeats(
    items: Iterable[ContextItem],
) -> tuple[tuple[ContextItem, ...], tuple[ContextItem, ...]]:
    """The items, each once, and those that were there again. The highest priority is kept.

    The same bytes under another path stay: that the other file exists is news to the agent.
    """
    kept: dict[tuple[object, ...], ContextItem] = {}
    dropped = []
    for item in items:
        key = (item.source, item.sha256 or item.sections)
        if first := kept.get(key):
            kept[key] = replace(
                first, priority=min(first.priority, item.priority, key=rank_priority)
            )
            dropped.append(item)
        else:
            kept[key] = item
    return tuple(kept.values()), tuple(dropped)


def rank_priority(priority: str) -> int:
    """The place of a priority: 0 is the highest."""
    return PRIORITIES.index(priority)


def to_dict(bundle: Bundle, *, budget: int) -> dict[str, Any]:
    """A bundle as JSON: the proposal's keys in its order, then ours.

    ``total_tokens`` is the rendered briefing: the items that are handed over, ``template_tokens``
    around them (null: never counted), and ``frame_tokens``, which the message itself takes.
    ``if_shared_is_read_tokens`` holds what the agent is told to read besides. ``budget_remaining``
    is the session ``budget`` less ``total_tokens``.
    """
    total = bundle.total
    figures = {
        "bundle_id": bundle.bundle_id,
        "agent_type": bundle.agent_type,
        "scope": bundle.scope,
        "created_at": bundle.created_at,
        "context_items": [item_to_dict(item) for item in bundle.items],
        "total_tokens": total.tokens,
        "budget_remaining": budget - total.tokens,
        "schema_version": SCHEMA_VERSION,
        "version": bundle.version,
        "name": bundle.name,
        "session_id": bundle.session_id,
        "model": bundle.model,
        "estimator": total.estimator,
        "band": [total.low, total.high],
        "frame_tokens": bundle.frame_tokens,
        "template_tokens": bundle.template_count.tokens if bundle.template_count else None,
        "if_shared_is_read_tokens": (total + bundle.shared).tokens,
    }
    if bundle.template:
        figures["template"] = {"name": bundle.template.name, "text": bundle.template.text}
    if bundle.dropped:
        figures["dropped"] = [item_to_dict(item) for item in bundle.dropped]
    return figures


def item_to_dict(item: ContextItem) -> dict[str, Any]:
    """One item as JSON. Text that no file holds is written out, so that it can be read back;
    ``named_only`` marks what the agent is only told to read."""
    figures: dict[str, Any] = {
        "type": item.type,
        "source": item.source,
        "token_count": item.count.tokens,
        "priority": item.priority,
        "sections": list(item.sections),
    }
    if item.shared_with:
        figures["shared_with"] = list(item.shared_with)
    if item.is_pointed_to:
        figures["named_only"] = True
    figures |= {
        "estimator": item.count.estimator,
        "band": [item.count.low, item.count.high],
        "sha256": item.sha256,
    }
    if item.encoding:
        figures["encoding"] = item.encoding
    if item.machine_made:
        figures["machine_made"] = item.machine_made
    if item.is_inline and item.data is not None:
        figures["text"] = item.data.decode("utf-8", "surrogateescape")
    return figures


def whole_to_dict(bundle: Bundle, *, budget: int) -> dict[str, Any]:
    """A bundle as JSON with the text of every item, so that it can be read back anywhere."""
    figures = to_dict(bundle, budget=budget)
    for item, entry in zip(bundle.items, figures["context_items"], strict=True):
        if item.data is not None:
            entry["text"] = item.data.decode("utf-8", "surrogateescape")
    return figures


def bare_to_dict(bundle: Bundle, *, budget: int) -> dict[str, Any]:
    """A bundle in the proposal's schema and nothing else."""
    figures = to_dict(bundle, budget=budget)
    items = [
        {key: value for key, value in item.items() if key in (*_BARE_ITEM, "shared_with")}
        for item in figures["context_items"]
    ]
    return {key: figures[key] for key in _BARE} | {"context_items": items}


_BARE = (
    *("bundle_id", "agent_type", "scope", "created_at"),
    *("context_items", "total_tokens", "budget_remaining"),
)
_BARE_ITEM = ("type", "source", "token_count", "priority", "sections")


def dump_json(value: Mapping[str, Any]) -> str:
    """JSON to write to a file: readable, and any text survives being read back."""
    text = json.dumps(value, indent=2, ensure_ascii=False)
    # Bytes that are no UTF-8 travel as lone surrogates, which only an escape can carry.
    return re.sub("[\ud800-\udfff]", lambda match: f"\\u{ord(match[0]):04x}", text) + "\n"


def read_bundle_json(
    data: bytes,
    *,
    name: str,
    reader: SourceReader,
    family_of: Callable[[str], str],
    cache: CountCache | None = None,
    contents: Callable[[str], bytes | None] = lambda sha256: None,
    measure: Callable[[Bundle], Bundle] = lambda bundle: bundle,
) -> ReadBundle:
    """The bundle in a JSON document called ``name``, ours or one of the proposal's bare schema.

    Items get their bytes from the document, from disk while the file is the same, or from
    ``contents`` (by SHA-256). The others stay without data and keep the figures claimed. Items
    without a SHA-256 are read from disk and counted anew with the family that ``family_of`` gives
    for the model. ``measure`` counts what the template of the bundle takes. Raises FormatError
    naming the path of what is wrong.
    """
    document = _Document.parse(data, name)
    schema = document.integer("schema_version", default=0)
    if schema > SCHEMA_VERSION:
        raise FormatError(
            f"{name}: schema_version {schema} is newer than {SCHEMA_VERSION}",
            hint="read it with a newer orch",
        )
    # Our own names are relative to the project, whoever reads them and wherever.
    reader = replace(reader, cwd=reader.base if schema else reader.cwd, stdin=None)
    differences: list[str] = []
    model = document.text("model", default="")
    claimed = [_claimed_item(entry) for entry in document.entries("context_items")]
    present = [_with_data(item, text, reader, contents, differences) for item, text in claimed]
    items = count_context(present, family=family_of(model), cache=cache)
    for item, (claim, _) in zip(items, claimed, strict=True):
        if item.count.tokens != claim.count.tokens:
            differences.append(f"{item.source}: {item.count} tokens now, {claim.count} claimed")
    bundle = measure(
        Bundle(
            bundle_id=document.text("bundle_id"),
            agent_type=document.text("agent_type"),
            scope=document.text("scope"),
            items=tuple(items),
            model=model,
            created_at=document.text("created_at", default=""),
            version=document.integer("version", default=1),
            name=document.text("name", default=""),
            session_id=document.text("session_id", default=""),
            dropped=tuple(_claimed_item(entry)[0] for entry in document.entries("dropped", ())),
            template=_claimed_template(document),
        )
    )
    differences += _differences_in_total(document, [claim for claim, _ in claimed], bundle)
    return ReadBundle(bundle, tuple(differences))


def _claimed_template(document: _Document) -> Template | None:
    if document.value.get("template") is None:
        return None
    from orch_tui.prepare.templates import Template

    entry = document.entry("template")
    return Template(entry.text("name"), entry.text("text"))


def _differences_in_total(
    document: _Document, claimed: Sequence[ContextItem], bundle: Bundle
) -> Iterator[str]:
    """Say where the parts do not add up to the total that is claimed.

    The proposal's schema has no word for the frame and the template. A total may hold the frame
    there, or be that of the briefing, which nobody can tell where the bytes of an item are missing.
    """
    given = sum(item.count.tokens for item in claimed if not item.is_pointed_to)
    template = document.value.get("template_tokens")
    parts = given + document.integer("frame_tokens", default=0)
    parts += template if isinstance(template, int) else 0
    total = document.integer("total_tokens", default=parts)
    adds_up = total == parts
    if "frame_tokens" not in document.value:
        whole = sum(item.count.tokens for item in claimed)
        adds_up = total in (whole, bundle.total.tokens, *(whole + f for f in FRAMES.values()))
        adds_up |= total > whole and any(item.data is None for item in bundle.items)
    if not adds_up:
        yield f"total_tokens: {total:,} claimed, its items say {parts:,}"


def _uncounted(item: ContextItem) -> bool:
    return item.data is not None and item.count.estimator in ("", CLAIMED)


def _sources(type_: str, given: str, reader: SourceReader) -> tuple[Source, ...]:
    if type_ == "briefing":
        from orch_tui.prepare.sources import make_text_source

        return (reader.refuse_secret(make_text_source(given)),)
    return reader.read_source(given)


def _claimed_item(entry: _Document) -> tuple[ContextItem, bytes | None]:
    """An item with the figures of its JSON and no data, and its text when the JSON holds it."""
    tokens = entry.integer("token_count", default=0)
    band = entry.integers("band", (tokens, tokens))
    if len(band) != 2 or not band[0] <= tokens <= band[1]:
        raise entry.wrong("band", "must be [low, high] around token_count")
    item = ContextItem(
        type=entry.text("type", ITEM_TYPES, default="file"),
        source=entry.text("source"),
        priority=entry.text("priority", PRIORITIES, default="required"),
        sections=entry.texts("sections"),
        data=None,
        count=Count(tokens, entry.text("estimator", default="") or CLAIMED, *band),
        shared_with=entry.texts("shared_with"),
        sha256=entry.text("sha256", default=""),
    )
    return item, entry.data("text")


def _with_data(
    item: ContextItem,
    text: bytes | None,
    reader: SourceReader,
    contents: Callable[[str], bytes | None],
    differences: list[str],
) -> ContextItem:
    """The item with its bytes, where they can be had and are those that were meant."""
    data, reason = _on_disk(item, reader) if text is None else (text, "")
    if item.sha256 and (data is None or hashlib.sha256(data).hexdigest() != item.sha256):
        reason = reason or "changed since the bundle was made"
        data = contents(item.sha256)
    if data is None:
        differences.append(f"{item.source}: {reason}; its figures are as claimed")
    return replace(item, data=data)


def _on_disk(item: ContextItem, reader: SourceReader) -> tuple[bytes | None, str]:
    if item.is_inline:
        return None, "is not in the file"
    try:
        # Of what a bundle of ours was made somebody said yes to it, where that was needed.
        reader = replace(reader, look_inside=not item.sha256)
        source, *others = reader.read_source(item.source, item.sections)
    except SourceError as error:
        return None, error.reason
    if others:
        return None, "names several files"
    return source.data, ""


class _Document(NamedTuple):
    """A JSON object whose values are asked for by type, and named by path when they are wrong."""

    value: Mapping[str, Any]
    path: str
    name: str

    @classmethod
    def parse(cls, data: bytes, name: str) -> _Document:
        try:
            value = json.loads(decode_text(data))
        except json.JSONDecodeError as error:
            raise FormatError(f"{name}: is not JSON: {error}") from None
        except (RecursionError, ValueError):
            raise FormatError(f"{name}: is not JSON that can be read") from None
        if not isinstance(value, dict):
            raise FormatError(f"{name}: must be a JSON object", hint="prepare-bundle writes one")
        return cls(value, "", name)

    def text(self, key: str, choices: Sequence[str] = (), *, default: str | None = None) -> str:
        value = self._text(key, self._get(key, default))
        if choices and value not in choices:
            raise self.wrong(key, f"{value!r} is not one of {', '.join(choices)}")
        return value

    def data(self, key: str) -> bytes | None:
        """Bytes written as text, those that are no UTF-8 as lone surrogates."""
        if key not in self.value:
            return None
        if not isinstance(self.value[key], str):
            raise self.wrong(key, "must be text")
        try:
            return str(self.value[key]).encode("utf-8", "surrogateescape")
        except UnicodeEncodeError:
            raise self.wrong(key, "holds half of a surrogate pair") from None

    def integer(self, key: str, *, default: int | None = None) -> int:
        return self._integer(key, self._get(key, default))

    def integers(self, key: str, default: Sequence[int]) -> list[int]:
        return [
            self._integer(f"{key}[{place}]", value)
            for place, value in enumerate(self._list(key, default))
        ]

    def texts(self, key: str) -> tuple[str, ...]:
        values = self._list(key, ())
        return tuple(self._text(f"{key}[{place}]", value) for place, value in enumerate(values))

    def entry(self, key: str) -> _Document:
        value = self._get(key, None)
        if not isinstance(value, dict):
            raise self.wrong(key, "must be an object")
        return _Document(value, f"{self.path}{key}.", self.name)

    def entries(self, key: str, default: Sequence[Any] | None = None) -> list[_Document]:
        values = self._list(key, default)
        for place, value in enumerate(values):
            if not isinstance(value, dict):
                raise self.wrong(f"{key}[{place}]", "must be an object")
        return [
            _Document(value, f"{self.path}{key}[{place}].", self.name)
            for place, value in enumerate(values)
        ]

    def wrong(self, key: str, reason: str) -> FormatError:
        return FormatError(f"{self.name}: {self.path}{key}: {reason}")

    def _text(self, key: str, value: Any) -> str:
        if not isinstance(value, str):
            raise self.wrong(key, "must be text")
        if re.search("[\ud800-\udfff]", value):
            raise self.wrong(key, "holds half of a surrogate pair")
        return value

    def _integer(self, key: str, value: Any) -> int:
        if not isinstance(value, int) or isinstance(value, bool):
            raise self.wrong(key, "must be a whole number")
        if not 0 <= value <= _MOST_TOKENS:
            raise self.wrong(key, "is out of range")
        return value

    def _list(self, key: str, default: Sequence[Any] | None) -> Sequence[Any]:
        value = self._get(key, default)
        if not isinstance(value, list | tuple):
            raise self.wrong(key, "must be a list")
        return value

    def _get(self, key: str, default: Any) -> Any:
        value = self.value.get(key, default)
        if value is None:
            raise self.wrong(key, "is missing")
        return value
