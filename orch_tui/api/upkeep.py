"""Looking after a record from Python: dropping the texts of old runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orch_tui.api.place import Place, opened

if TYPE_CHECKING:
    from orch_tui.record.upkeep.forgetting import ForgottenTexts


def forget(
    *,
    before: str | None = None,
    session_id: str | None = None,
    project: Place = None,
    database: str | None = None,
) -> ForgottenTexts:
    """Drop the texts of runs that have ended: those deployed before a time, or of a session.

    ``before`` is a date or time as lists take it (``2026-01-01``, ``30d``). Figures, hashes and the
    fact stay; nothing brings the texts back.

    Raises:
        UsageError: neither is given, or ``before`` is no time.
        NotFoundError: no such session.
    """
    from orch_tui.record.upkeep import forgetting
    from orch_tui.search.dates import parse_time

    with opened(project, database) as place:
        record = place.existing_record
        moment = before and parse_time(before, record.clock())
        runs = forgetting.find_forgettable(record, before=moment, session_id=session_id)
        return forgetting.forget_runs(record, runs)
