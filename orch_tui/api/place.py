"""Where a call from Python looks: a project by a folder in it, and the models on its record."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from orch_tui.project import Project

if TYPE_CHECKING:
    from orch_tui.models.database import Record


Place = str | Path | Project | None
"""Where a project is: a folder in it (None: the working folder), or the project itself."""


@contextmanager
def opened(place: Place, database: str | None = None) -> Iterator[Project]:
    """The project at a place, closed again where it was opened for this."""
    if isinstance(place, Project):
        yield place
        return
    project = Project(place, database=database)
    try:
        yield project
    finally:
        project.close()


@contextmanager
def models(*, project: Place = None, database: str | None = None) -> Iterator[Record]:
    """Have queries on the Peewee models of ``orch_tui.models`` go to the record of a project.

    Holds in this thread or asyncio task until the end of the ``with``, which gets the record. Each
    query that writes is a transaction; several are one within ``with record.write():``. What they
    change is taken in as one more statement, as that of plain SQL is.

    Raises:
        RecordError: there is none, or it cannot be opened.
    """
    with opened(project, database) as place:
        record = place.existing_record
        with record.models():
            yield record
