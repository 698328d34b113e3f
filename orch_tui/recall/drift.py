"""Drift: what a past execution was given beside what the files hold now, and a bundle made anew."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from orch_tui.errors import OrchError, SourceError
from orch_tui.frozen import frozen
from orch_tui.models.database import Record
from orch_tui.prepare.bundle import Bundle, ContextItem, count_context
from orch_tui.prepare.count import ZERO, CountCache
from orch_tui.prepare.encoding import decode_text
from orch_tui.prepare.sources import SourceReader
from orch_tui.record import bundles, executions
from orch_tui.text_lines import split_lines


@frozen
class Drift:
    """An item that an execution was given, and what its source holds now."""

    then: ContextItem
    now: ContextItem | None
    """None: it cannot be taken any more."""
    reason: str = ""
    """Why it cannot."""

    @property
    def state(self) -> str:
        """``unchanged``, ``changed`` or ``gone``."""
        if self.now is None:
            return "gone"
        return "unchanged" if self.now.sha256 == self.then.sha256 else "changed"

    @property
    def tokens(self) -> int:
        """How many more there are now; both counted in the same way."""
        return self.now.count.tokens - self.then.count.tokens if self.now else 0

    def diff(self) -> str:
        """What changed, as a unified diff; empty where the bytes of then are not known."""
        from difflib import unified_diff

        if self.state != "changed" or self.now is None or self.then.data is None:
            return ""
        then, now = (split_lines(decode_text(i.data or b"")) for i in (self.then, self.now))
        name = self.then.source
        lines = unified_diff(then, now, f"{name} (given)", f"{name} (now)", lineterm="")
        return "".join(f"{line}\n" for line in lines)

    def row(self) -> dict[str, Any]:
        return {
            "source": self.then.source,
            "sections": list(self.then.sections),
            "state": self.state,
            "tokens_given": self.then.count.tokens,
            "tokens_now": self.now.count.tokens if self.now else None,
            "estimator": self.then.count.estimator,
            "reason": self.reason,
            "diff": self.diff(),
        }


def find_drift(
    items: Iterable[ContextItem],
    *,
    reader: SourceReader,
    family: str,
    cache: CountCache | None = None,
) -> list[Drift]:
    """Each item that came from a file, beside what its source holds now.

    Then and now are both counted for the tokenizer ``family``, so that they can be compared.
    """
    reader = replace(reader, cwd=reader.base, stdin=None, allow_secret=True)
    then, now, reasons = [], [], []
    for item in items:
        if item.is_inline or (item.data is None and not item.sha256):
            continue
        reason, data = "", None
        try:
            source, *others = reader.read_source(item.source, item.sections)
            reason = "names several files now" if others else ""
            data = None if others else source.data
        except SourceError as error:
            reason = error.reason
        then.append(item if item.data is None else replace(item, count=ZERO))
        now.append(replace(item, data=data, count=ZERO, sha256=""))
        reasons.append(reason)
    both = count_context([*then, *now], family=family, cache=cache)
    return [
        Drift(old, None if new.data is None else new, reason)
        for old, new, reason in zip(both[: len(then)], both[len(then) :], reasons, strict=True)
    ]


def given_bundle(record: Record, label: str) -> Bundle:
    """The bundle that a past execution was given, in the version it was given.

    Raises:
        NotFoundError: no such execution.
        OrchError: it was given none.
    """
    execution = executions.get_execution(record, label)
    if execution.bundle_version_id is None:
        raise OrchError(
            f"{execution.execution_id} was given no bundle",
            hint="only what was given as a bundle can be compared with the files now",
        )
    return bundles.load_bundle_version(record, execution.bundle_version_id).bundle


def refresh_bundle(
    record: Record,
    label: str,
    *,
    reader: SourceReader,
    family: str,
    cache: CountCache | None = None,
) -> tuple[Bundle, list[Drift]]:
    """What a past execution was given as the files are now: the next version of its bundle, and
    what is different. What cannot be taken any more stays as it was given.
    """
    with record.write():
        past = given_bundle(record, label)
        found = find_drift(past.items, reader=reader, family=family, cache=cache)
        now = {
            (d.then.source, d.then.sections, d.then.sha256): d.now
            for d in found
            if d.state == "changed"
        }
        items = tuple(now.get((i.source, i.sections, i.sha256)) or i for i in past.items)
        if items == past.items:
            return past, found
        made = replace(past, items=items)
        saved = bundles.save_bundle(record, made, past.session_id or None, keep_latest=True)
        return saved.bundle, found
