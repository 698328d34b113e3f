"""What statements point to and nobody told of yet: looked at again when it comes.

Who follows some origins only, or hears of one before another, may be told of a run before it is
told of the session, plan or bundle that the run names. Of such references the record keeps which
runs and planned agents name them.
"""

from __future__ import annotations

import json

from orch_tui.models import facts
from orch_tui.models.database import Record
from orch_tui.models.values import decoded_json
from orch_tui.record.ledger import portable
from orch_tui.record.ledger.keys import owner_of
from orch_tui.record.ledger.store import find_statement

_FACT = "awaited_references"


def is_here(record: Record, ref: str) -> bool:
    """Tell whether a record holds what a reference or a key of a run names, or the statement with
    a digest."""
    kind, _, _ = ref.partition(":")
    if kind in ("claude", "session"):
        return portable.session_id_of(record, ref) is not None
    if kind in ("planned", "version", "bundle"):
        return portable.row_of(record, ref) is not None
    if kind == ref:
        digest = portable.digest_of(ref)
        return digest is not None and find_statement(record, digest) is not None
    return owner_of(record, ref) is not None


class AwaitedReferences:
    """The references of a record that lead nowhere, with the subjects that name them: keys of runs,
    ``planned:<uid>`` and ``journal:<digest>``."""

    def __init__(self, record: Record) -> None:
        self._record = record
        held = decoded_json(facts.get_fact(record, _FACT))
        self._before: dict[str, list[str]] = held if isinstance(held, dict) else {}
        self._named: dict[str, dict[str, None]] = {}
        self._here: set[str] = set()

    def note_naming(self, subject: str, ref: str | None) -> None:
        """Note that a subject names something, where that is not here yet."""
        if ref is None or ref in self._here:
            return
        if is_here(self._record, ref):
            self._here.add(ref)
        else:
            self._named.setdefault(ref, {})[subject] = None

    def take_arrived(self) -> set[str]:
        """Take out the subjects of which a reference leads somewhere now; the rest is kept."""
        arrived: set[str] = set()
        waiting = {ref: dict.fromkeys(subjects) for ref, subjects in self._before.items()}
        for ref, subjects in self._named.items():
            waiting[ref] = waiting.get(ref, {}) | subjects
        for ref in list(waiting):
            if is_here(self._record, ref):
                arrived.update(waiting.pop(ref))
        left = {ref: list(subjects) for ref, subjects in waiting.items()}
        if left != self._before:
            facts.set_fact(self._record, _FACT, json.dumps(left))
        self._before, self._named = left, {}
        return arrived
