"""Whose runs a query asks for: ``person:`` and ``machine:``, by the origins that a record knows.

They are no tokens of a run: who an origin belongs to may become known long after its runs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from orch_tui.models.database import Record
from orch_tui.search.documents import clean_text
from orch_tui.search.language import OWN, FilterValue, QueryFilter


class KnownOrigin(NamedTuple):
    """An origin by the names that people know it by.

    ``key`` is its number in the record (None: the one that the record goes on as), or its uid.
    ``is_here``: it is this record; ``is_mine``: it is of who asks.
    """

    key: int | str | None
    is_mine: bool
    is_here: bool
    persons: tuple[str, ...]
    machines: tuple[str, ...]

    def names_for(self, filter_name: str) -> Iterator[str]:
        """List what a filter may call it."""
        yield from self.persons if filter_name == "person" else self.machines
        if self.is_mine if filter_name == "person" else self.is_here:
            yield OWN


def list_origins(record: Record) -> list[KnownOrigin]:
    """List the origins of the runs of a record; its own first, known by number or not."""
    rows = record.sql(
        "SELECT iif(mine AND closed_at IS NULL, NULL, origin_id), mine, person, machine, name "
        "FROM origins ORDER BY mine AND closed_at IS NULL DESC, origin_id"
    )
    own_persons = {name for _, mine, person, *_ in rows if mine for name in told_names(person)}
    origins = [
        KnownOrigin(
            origin_id,
            bool(mine) or not own_persons.isdisjoint(told_names(person)),
            origin_id is None,
            told_names(person),
            told_names(machine, name),
        )
        for origin_id, mine, person, machine, name in rows
    ]
    if not any(origin.is_here for origin in origins):
        origins.insert(0, KnownOrigin(None, True, True, (), ()))
    return origins


def told_names(*names: Any) -> tuple[str, ...]:
    """Give the names that are known, each once and as they are compared."""
    return tuple(dict.fromkeys(name for each in names if (name := clean_text(each).lower())))


def choose_origins(origins: Iterable[KnownOrigin], each: QueryFilter) -> list[KnownOrigin]:
    """Choose the origins that one of the values of a filter means."""
    return [
        origin
        for origin in origins
        if any(
            _is_meant(name, value) for name in origin.names_for(each.name) for value in each.values
        )
    ]


def _is_meant(name: str, value: FilterValue) -> bool:
    text = value.text.lower()
    return name == text if value.exact else name.startswith(text)


def origin_condition(record: Record, each: QueryFilter) -> str:
    """Render the SQL condition on a run (``d``) that it is of one of the persons or machines."""
    origins = list_origins(record)
    chosen = choose_origins(origins, each)
    if len(chosen) in (0, len(origins)):
        return str(int(bool(chosen) != each.excluded))
    return (
        "EXISTS (SELECT 1 FROM agent_executions AS e WHERE e.execution_id = d.execution_id "
        f"AND {'NOT ' * each.excluded}({_render_terms(chosen)}))"
    )


def _render_terms(chosen: Sequence[KnownOrigin]) -> str:
    numbers = [str(origin.key) for origin in chosen if origin.key is not None]
    terms = ["e.origin_id IS NULL"] if len(numbers) < len(chosen) else []
    # A run that is not of another is this record's own.
    terms += [f"coalesce(e.origin_id, 0) IN ({', '.join(numbers)})"] if numbers else []
    return " OR ".join(terms)


def list_origin_names(record: Record, filter_name: str) -> list[str]:
    """List what ``person:`` or ``machine:`` can ask for; oneself first."""
    names = (name for origin in list_origins(record) for name in origin.names_for(filter_name))
    return list(dict.fromkeys([OWN, *sorted(names)]))
