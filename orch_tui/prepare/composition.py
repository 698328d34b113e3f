"""A bundle while it is being composed: what was chosen, and how the choices weigh now.

A composition holds no bytes. It is read when it is weighed, shown or saved, so that what an agent
gets is what the files hold then. Every edit gives another composition: keeping the former ones is
all that undo takes.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Generator, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, fields, replace
from shlex import quote
from typing import Any, TypedDict, Unpack

from orch_tui.errors import SourceError
from orch_tui.frozen import frozen
from orch_tui.models.values import ITEM_TYPES, PRIORITIES
from orch_tui.prepare.briefing_size import make_stand_in, measure_briefing
from orch_tui.prepare.bundle import (
    Bundle,
    ContextItem,
    count_context,
    without_repeats,
)
from orch_tui.prepare.count import ZERO, Count, CountCache, exact_name
from orch_tui.prepare.shared_note import without_shared_note
from orch_tui.prepare.sources import SourceReader, combine_errors, make_text_source
from orch_tui.prepare.templates import Template
from orch_tui.source_name import (
    FreeText,
    NamedFile,
    format_source,
    is_past_result,
    parse_source,
)

NUL = "\0"


@frozen
class Choice:
    """One source that an agent is to be given, and as what."""

    source: str
    """As ``ContextItem.source``: relative to the project, absolute outside it, ``text:...``."""
    sections: tuple[str, ...] = ()
    """Sections or symbols of it, by what names each alone; or its skeleton."""
    type: str = "file"
    priority: str = "required"
    shared_with: tuple[str, ...] = ()
    text: str | None = None
    """Of what no file holds."""
    allow_secret: bool = False
    """Somebody said yes to a file that looks like a secret, or to a text that holds one."""

    @property
    def key(self) -> str:
        """What it reads: equal keys are equal bytes, or refused for the same reason."""
        if self.text is not None:  # labels are only the beginning of a text
            return format_source(FreeText(f"{self.text}{NUL * self.allow_secret}"))
        return NUL.join((self.source, *self.sections, *[""] * self.allow_secret))


def source_of_key(key: str) -> str:
    """Give the source of the choice with that key."""
    return key.partition(NUL)[0]


class ChoiceValues(TypedDict, total=False):
    """What of a choice can be changed at once for several."""

    type: str
    priority: str
    sections: tuple[str, ...]
    shared_with: tuple[str, ...]
    allow_secret: bool


@frozen
class Composition:
    """What is to become a bundle, or the next version of one."""

    agent_type: str = ""
    scope: str = ""
    model: str = ""
    name: str = ""
    bundle_id: str = ""
    """The saved bundle that it changes; empty: it will be a new one."""
    choices: tuple[Choice, ...] = ()
    planned_id: int = 0
    """The planned agent that it is for; 0: none."""

    def of(self, source: str) -> list[Choice]:
        """The choices of a source, whole or by sections."""
        return [choice for choice in self.choices if choice.source == source]

    def under(self, folder: str) -> list[Choice]:
        """The choices of sources in a folder of the project, however deep."""
        return [choice for choice in self.choices if choice.source.startswith(f"{folder}/")]

    def differs_from(self, saved: Composition | None) -> bool:
        """Tell whether there is something to save that ``saved`` does not hold."""
        return bool(self.choices) and (saved is None or replace(self, planned_id=0) != saved)

    def toggled(self, source: str) -> Composition:
        """Put a whole source in, where only sections of it are in too; or take it out."""
        whole = any(not choice.sections for choice in self.of(source))
        if whole:
            return self.without({choice.key for choice in self.of(source)})
        return self.without_source(source).adding([self._like(source)])

    def toggled_section(self, source: str, title: str) -> Composition:
        """Put one section of a source in, instead of the whole where that is in; or take it out."""
        for choice in self.of(source):
            if title in choice.sections:
                rest = tuple(section for section in choice.sections if section != title)
                return (
                    self.changed({choice.key}, sections=rest)
                    if rest
                    else self.without({choice.key})
                )
        for choice in reversed(self.of(source)):
            return self.changed({choice.key}, sections=(*choice.sections, title))
        return self.adding([Choice(source, (title,))])

    def adding(self, choices: Iterable[Choice]) -> Composition:
        """With these at the end, as far as they are not there yet."""
        known = {choice.key for choice in self.choices}
        fresh = {choice.key: choice for choice in choices if choice.key not in known}
        return replace(self, choices=(*self.choices, *fresh.values()))

    def without(self, keys: Collection[str]) -> Composition:
        return self._left_with(c for c in self.choices if c.key not in keys)

    def without_source(self, source: str) -> Composition:
        return self._left_with(c for c in self.choices if c.source != source)

    def _left_with(self, choices: Iterable[Choice]) -> Composition:
        """With these of the choices. What says where shared texts stand goes with the last."""
        kept = tuple(choices)
        if not any(choice.shared_with for choice in kept):
            texts = ((c, None if c.text is None else without_shared_note(c.text)) for c in kept)
            kept = tuple(
                choice if text == choice.text else _reworded(choice, text)
                for choice, text in texts
                if choice.text is None or text is not None
            )
        return replace(self, choices=kept)

    def changed(self, keys: Collection[str], **values: Unpack[ChoiceValues]) -> Composition:
        """With other values for some of the choices."""
        return self._left_with(replace(c, **values) if c.key in keys else c for c in self.choices)

    def moved(self, keys: Collection[str], by: int) -> Composition:
        """With some of the choices so many places further, as far as there are any."""
        choices, step = list(self.choices), 1 if by > 0 else -1
        places = range(len(choices))[::-step]
        for _ in range(abs(by)):
            for at in places:
                if choices[at].key not in keys or not 0 <= at + step < len(choices):
                    continue
                if choices[at + step].key not in keys:
                    choices[at], choices[at + step] = choices[at + step], choices[at]
        return replace(self, choices=tuple(choices))

    def _like(self, source: str) -> Choice:
        """A choice of the whole source, with what was said about a part of it."""
        return replace(next(iter(self.of(source)), Choice(source)), sections=())

    # To keep it while it is unsaved, and to begin from a saved one

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Composition | None:
        """The inverse of ``to_json``; None for anything else."""
        try:
            values = json.loads(text)
            choices = tuple(_choice(entry) for entry in values.pop("choices"))
            planned_id = int(values.pop("planned_id", 0))
            texts = {name: value for name, value in values.items() if isinstance(value, str)}
            return cls(**texts, choices=choices, planned_id=planned_id)
        except (ValueError, TypeError, KeyError, AttributeError):
            return None

    @classmethod
    def of_bundle(cls, bundle: Bundle) -> Composition:
        """What a bundle was composed of."""
        return cls(
            agent_type=bundle.agent_type,
            scope=bundle.scope,
            model=bundle.model,
            name=bundle.name,
            bundle_id=bundle.bundle_id,
        ).adding(
            Choice(
                source=item.source,
                sections=item.sections,
                type=item.type,
                priority=item.priority,
                shared_with=item.shared_with,
                text=(item.data or b"").decode("utf-8", "surrogateescape")
                if item.is_inline and not is_past_result(item.source)
                else None,
                allow_secret=item.looks_secret,
            )
            for item in bundle.items
        )

    def command(self, session_id: str = "") -> str:
        """The ``orch prepare-bundle`` that makes this bundle.

        The command knows four pairs of type and priority; another is given as the nearest.
        """
        words = ["orch prepare-bundle", "--agent-type", quote(self.agent_type or "AGENT")]
        for flag, value in (
            ("--scope", self.scope),
            ("--model", self.model),
            ("--name", self.name),
            ("--bundle-id", self.bundle_id),
            ("--session-id", session_id),
        ):
            words += [flag, quote(value)] if value else []
        for choice in self.choices:
            named = choice.text or choice.source
            parts = [format_source(NamedFile(named, part=part)) for part in choice.sections]
            for source in parts or [named]:
                words += [_flag(choice), quote(source)]
        if any(choice.allow_secret for choice in self.choices):
            words.append("--allow-secret")
        return " ".join(words)


def _reworded(choice: Choice, text: str | None) -> Choice:
    """The choice of another text."""
    return replace(choice, source=make_text_source(text or "").name, text=text)


def describe_edit(before: Composition, after: Composition) -> str:
    """Say what was edited: ``added lib/a.py``, ``made 3 sources optional``."""
    had, have = ({choice.key: choice for choice in each.choices} for each in (before, after))
    if (added := [key for key in have if key not in had]) and len(have) > len(had):
        return f"added {_name_sources(added)}"
    if gone := [key for key in had if key not in have]:
        return f"{'took out' if len(have) < len(had) else 'changed'} {_name_sources(gone)}"
    ranked = [key for key in have if have[key].priority != had[key].priority]
    if ranked:
        kinds = {have[key].priority for key in ranked}
        return f"made {_name_sources(ranked)} {kinds.pop() if len(kinds) == 1 else 'differ'}"
    if list(had) != list(have):
        return "changed the order"
    if changed := [key for key in have if have[key] != had[key]]:
        return f"changed {_name_sources(changed)}"
    named = ("agent_type", "scope", "model", "name")
    what = [n.replace("_", " ") for n in named if getattr(before, n) != getattr(after, n)]
    return f"changed {' and '.join(what) or 'the bundle'}"


def _name_sources(keys: Sequence[str]) -> str:
    return source_of_key(keys[0]) if len(keys) == 1 else f"{len(keys)} sources"


class Edits:
    """A composition and those it was before, so that every edit can be taken back."""

    def __init__(self, now: Composition) -> None:
        self.now = now
        self._before: list[Composition] = []
        self._after: list[Composition] = []

    @property
    def can_undo(self) -> bool:
        return bool(self._before)

    @property
    def can_redo(self) -> bool:
        return bool(self._after)

    def edit(self, composition: Composition) -> bool:
        """Make it another one; gives whether it is."""
        if composition == self.now:
            return False
        self._before.append(self.now)
        self._after.clear()
        self.now = composition
        return True

    def undo(self) -> bool:
        """Take the last edit back, if there is one."""
        return self._step(self._before, self._after)

    def redo(self) -> bool:
        """Make the edit again that was taken back last."""
        return self._step(self._after, self._before)

    def _step(self, source: list[Composition], target: list[Composition]) -> bool:
        if not source:
            return False
        target.append(self.now)
        self.now = source.pop()
        return True


@frozen
class Weight:
    """One choice as it was read."""

    count: Count
    sha256: str = ""
    stand_in: bytes = b"x"
    """A short text that is framed in a briefing as what was read is."""
    refused: SourceError | None = None
    """Why it cannot be taken."""
    secret: bool = False
    """It is refused only because nobody said yes to it."""
    remark: str = ""
    """What is special about it: read in another encoding than UTF-8, made by a machine."""


def parse_choices(given: str, reader: SourceReader) -> tuple[Choice, ...]:
    """The choices that a source, as a person names one, stands for: a glob may be many.

    Raises SourceError for what cannot be taken. Whether a secret is taken is asked later.
    """
    name = parse_source(given)
    if isinstance(name, FreeText):
        return (Choice(make_text_source(name.text).name, type="briefing", text=name.text),)
    found = replace(reader, stdin=None, allow_secret=True).read_source(given)
    return tuple(Choice(source.name, source.sections) for source in found)


def weigh_choices(
    choices: Sequence[Choice],
    *,
    reader: SourceReader,
    family: str,
    cache: CountCache | None = None,
) -> list[Weight]:
    """Read and count each choice, in order; nothing is raised for one that cannot be taken."""
    read = read_choices(choices, reader)
    items = count_context(
        [item for item in read if isinstance(item, ContextItem)], family=family, cache=cache
    )
    following = iter(items)
    return [
        Weight(ZERO, refused=item, secret=_is_secret(choice, reader))
        if isinstance(item, SourceError)
        else weigh_item(next(following))
        for choice, item in zip(choices, read, strict=True)
    ]


def weigh_item(item: ContextItem) -> Weight:
    """Make the weight of an item that was read and counted."""
    remark = ", ".join(filter(None, (item.machine_made, item.encoding)))
    return Weight(item.count, item.sha256, make_stand_in(item.data or b""), remark=remark)


def weigh_exactly(
    choices: Sequence[Choice],
    *,
    reader: SourceReader,
    family: str,
    cache: CountCache | None = None,
    processes: int = 1,
    stopped: Callable[[], bool] = lambda: False,
) -> Generator[tuple[str, Weight], None, None]:
    """The key of each choice and what it weighs exactly, as that becomes known.

    For a thread of its own, which the counting, in ``processes`` besides, does not keep from
    anything; close it to stop, or in the middle of a long text have ``stopped`` say so. What cannot
    be taken is left out.

    Raises:
        UsageError: there is no exact counting here (``exact.is_available``), and it is needed.
    """
    from orch_tui.prepare.exact import count_exactly

    keys: dict[str, list[str]] = {}
    weights: dict[str, Weight] = {}
    items: list[ContextItem] = []
    for choice in choices:
        item = _read_or_refuse(choice, reader)
        if isinstance(item, ContextItem):
            items.append(item)
            keys.setdefault(item.sha256, []).append(choice.key)
            weights[item.sha256] = weigh_item(item)
    counting = count_exactly(
        items, family=family, cache=cache, processes=processes, stopped=stopped
    )
    with closing(counting):
        for sha256, tokens in counting:
            count = Count(tokens, exact_name(family), tokens, tokens)
            weight = replace(weights[sha256], count=count)
            yield from ((key, weight) for key in keys[sha256])


def guess_count(size: int) -> Count:
    """What a file of that many bytes may take, while nobody has counted it: a broad band."""
    return Count(size // 3, "by size", size // 6, size * 2 // 3)


def list_weighed_items(
    composition: Composition, weights: Mapping[str, Weight], sizes: Mapping[str, int]
) -> list[ContextItem]:
    """The items of the bundle without their bytes, as they were weighed (by the key of the choice)
    or else guessed from the size of the file: enough to judge them and to find what is shared."""
    return [
        _item(choice, data=None, count=weight.count, sha256=weight.sha256)
        if (weight := weights.get(choice.key))
        else _item(choice, data=None, count=guess_count(sizes.get(choice.source, 0)))
        for choice in composition.choices
    ]


def measure_composition(
    composition: Composition,
    items: Sequence[ContextItem],
    weights: Mapping[str, Weight],
    *,
    family: str,
    template: Template | None = None,
) -> Bundle:
    """Measure the bundle that a composition would be: its items as ``list_weighed_items`` gives
    them, each with its stand-in for data, and what the template says around them.

    What cannot be taken is left out. Where nothing is left there is no briefing.
    """
    held = [(weights.get(c.key), item) for c, item in zip(composition.choices, items, strict=True)]
    framed = tuple(
        replace(item, data=weight.stand_in if weight else b"x", sha256=item.sha256 or "-")
        for weight, item in held
        if weight is None or weight.refused is None
    )
    bundle = Bundle(
        bundle_id=composition.bundle_id,
        agent_type=composition.agent_type,
        scope=composition.scope,
        items=framed,
        model=composition.model,
        created_at="",
        name=composition.name,
        template=template,
    )
    return measure_briefing(bundle, family) if framed else bundle


def fill_items(
    composition: Composition, items: Sequence[ContextItem], reader: SourceReader
) -> list[ContextItem]:
    """The items of ``list_weighed_items`` with their bytes, as far as they can be taken."""
    read = read_choices(composition.choices, reader)
    return [
        replace(item, data=now.data, sha256="") if isinstance(now, ContextItem) else item
        for item, now in zip(items, read, strict=True)
    ]


def make_bundle(
    composition: Composition,
    *,
    reader: SourceReader,
    family: str,
    created_at: str,
    session_id: str = "",
    cache: CountCache | None = None,
) -> Bundle:
    """The bundle, with what the sources hold now.

    Raises SourceError naming every source that cannot be taken.
    """
    read = read_choices(composition.choices, reader)
    if refused := [item for item in read if isinstance(item, SourceError)]:
        raise combine_errors(refused)
    items = [item for item in read if isinstance(item, ContextItem)]
    kept, dropped = without_repeats(count_context(items, family=family, cache=cache))
    return Bundle(
        bundle_id=composition.bundle_id,
        agent_type=composition.agent_type,
        scope=composition.scope,
        items=kept,
        model=composition.model,
        created_at=created_at,
        name=composition.name,
        session_id=session_id,
        dropped=dropped,
    )


def read_choices(
    choices: Iterable[Choice], reader: SourceReader
) -> list[ContextItem | SourceError]:
    """Read each choice as the item it is, not counted yet, or as why it cannot be taken."""
    return [_read_or_refuse(choice, reader) for choice in choices]


def read_choice_text(choice: Choice, reader: SourceReader) -> str:
    """What a choice holds now. Raises SourceError when it cannot be taken."""
    return _read(choice, reader).text


def _read(choice: Choice, reader: SourceReader) -> ContextItem:
    # Names are relative to the project, whoever reads them and wherever.
    reader = replace(
        reader,
        cwd=reader.base,
        stdin=None,
        allow_secret=choice.allow_secret,
        look_inside=True,
        left_out=None,
    )
    if choice.text is not None:
        return _item(choice, data=reader.refuse_secret(make_text_source(choice.text)).data)
    if (reader.base / choice.source).is_dir():
        raise SourceError(choice.source, "is a folder", hint="choose its files")
    source, *others = reader.read_source(choice.source, choice.sections)
    if others:
        raise SourceError(choice.source, "names several files", hint="name one")
    return _item(choice, data=source.data)


def _read_or_refuse(choice: Choice, reader: SourceReader) -> ContextItem | SourceError:
    try:
        return _read(choice, reader)
    except SourceError as error:
        return error


def _item(
    choice: Choice, *, data: bytes | None, count: Count = ZERO, sha256: str = ""
) -> ContextItem:
    return ContextItem(
        type=choice.type,
        source=choice.source,
        priority=choice.priority,
        sections=choice.sections,
        data=data,
        count=count,
        shared_with=choice.shared_with,
        sha256=sha256,
    )


def _is_secret(choice: Choice, reader: SourceReader) -> bool:
    """Whether a yes is all that is missing."""
    if choice.allow_secret:
        return False
    return isinstance(_read_or_refuse(replace(choice, allow_secret=True), reader), ContextItem)


def _flag(choice: Choice) -> str:
    if choice.text is not None:
        return "--text"
    if choice.priority == "optional":
        return "--optional"
    if choice.type == "shared_context":
        return "--shared"
    recommended = choice.priority == "recommended" or choice.type == "reference"
    return "--references" if recommended else "--files"


def _choice(entry: Mapping[str, Any]) -> Choice:
    values = {field.name: entry[field.name] for field in fields(Choice) if field.name in entry}
    for name in ("sections", "shared_with"):
        values[name] = tuple(map(str, values.get(name, ())))
    choice = Choice(**values)
    known = choice.type in ITEM_TYPES and choice.priority in PRIORITIES
    if not known or not isinstance(choice.source, str) or choice.allow_secret not in (True, False):
        raise ValueError(choice)
    return choice
