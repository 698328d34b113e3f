"""Saved bundles from Python: list, copy and import them."""

from __future__ import annotations

from orch_tui.api.place import Place, opened
from orch_tui.prepare.bundle import Bundle
from orch_tui.project import Project
from orch_tui.record import bundles, library
from orch_tui.record.library import BundleLine


def saved_bundles(
    place: Place = None,
    *,
    session_id: str | None = None,
    named: bool = False,
    removed: bool = False,
) -> list[BundleLine]:
    """Saved bundles, newest first, by their latest version and how often they were used."""
    with opened(place) as project:
        return library.list_bundles(
            project.existing_record, session_id=session_id, named=named, removed=removed
        )


def copy_bundle(
    project: Project, given: str, *, session_id: str | None = None, name: str = ""
) -> Bundle:
    """A new bundle of what a saved one holds (its id or name, ``@2`` for a version), for another
    session or to be changed by itself.

    Raises:
        NotFoundError, ConflictError: there is no such bundle, or several of that name.
    """
    record = project.existing_record
    held = bundles.load_bundle(record, *bundles.resolve_bundle(record, given)).bundle
    return library.copy_bundle(record, held, session_id=session_id, name=name)


def import_bundle(
    project: Project, bundle: Bundle, *, session_id: str | None = None, name: str = ""
) -> Bundle:
    """Save a bundle that ``Project.read_bundle`` read from a file; where its id means another
    bundle here, it gets a new one."""
    return library.adopt_bundle(project.record, bundle, session_id=session_id, name=name)
