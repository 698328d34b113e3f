"""Words that people give, scopes and briefings: what looks like a secret in them needs a yes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orch_tui.record.ledger import journal

if TYPE_CHECKING:
    from orch_tui.models.database import Record


def check_given_words(
    record: Record,
    what: str,
    words: str | bytes | None,
    *,
    allow_secret: bool,
    session_id: str | None = None,
    execution_id: str | None = None,
) -> None:
    """Refuse words that hold what looks like a secret, or journal that somebody said yes to it.

    ``what`` names them, such as ``the scope``. Call it within a write.

    Raises:
        SourceError: they hold one and ``allow_secret`` is not set; it is not shown.
    """
    from orch_tui.prepare.secrets import find_secrets, refuse_found

    if not words:
        return
    text = words.decode("utf-8", "replace") if isinstance(words, bytes) else words
    found = find_secrets(text)
    if not found:
        return
    if not allow_secret:
        raise refuse_found(what, found)
    journal.log_action(
        record,
        "allow-secret",
        session_id=session_id,
        execution_id=execution_id,
        after={"sources": [what]},
    )
