"""What was read from a final message, looked over and corrected before it is recorded.

Nothing here touches the record: ``preview_return`` reads a message and the disk, ``Corrections``
are what a person makes of it, ``make_return_arguments`` gives what to call ``record_return`` with.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import field, replace
from pathlib import Path
from typing import Any, Literal, Self

from orch_tui.frozen import frozen
from orch_tui.record.deliverables import Deliverable, parse_validation, read_deliverables
from orch_tui.record.messages.findings import Findings, read_findings
from orch_tui.record.messages.message_paths import FoundPath
from orch_tui.record.messages.proposed_outcome import ProposedOutcome, find_failure, propose_outcome
from orch_tui.record.pasted_words import read_pasted_return
from orch_tui.record.run_place import RunPlace
from orch_tui.times import moment_of

Kind = Literal["deliverable", "validation", "insight", "error"]


@frozen
class ClaimedFile:
    """A file that a message claims to have made or changed, beside what is on disk."""

    found: FoundPath
    on_disk: Deliverable | None
    """None for a file that a message alone must not make anyone read."""
    changed: bool | None
    """Written since the execution was deployed; None where that cannot be told."""

    @property
    def state(self) -> str:
        """``missing``, ``outside``, ``secret?``, ``changed``, ``unchanged`` or ``there``."""
        if not self.found.exists:
            return "missing"
        if self.on_disk is None:
            return "secret?" if self.found.inside else "outside"
        return {True: "changed", False: "unchanged", None: "there"}[self.changed]


@frozen
class ReturnPreview:
    """All that one message tells of."""

    findings: Findings
    files: tuple[ClaimedFile, ...]
    failure: ProposedOutcome | None = None
    """What in it says that the run failed."""
    is_as_received: bool = True
    """Its lines are those of what was pasted: nothing was taken off them."""


def preview_return(message: str, place: RunPlace, deployed_at: str | None) -> ReturnPreview:
    """Read a message and look at the files it claims, in ``place``."""
    said = read_pasted_return(message)
    findings = read_findings(said.text or message, place)
    safe = [path.placed for path in findings.deliverables]
    on_disk = {deliverable.path: deliverable for deliverable in read_deliverables(safe)}
    deployed = moment_of(deployed_at)
    since = deployed.timestamp() if deployed else None
    return ReturnPreview(
        findings,
        tuple(
            ClaimedFile(path, on_disk.get(path.path), _changed(path.placed.file, since))
            for path in findings.paths
            if path.claim in ("created", "modified")
        ),
        find_failure(said),
        (said.text or message) == message,
    )


def propose_return(preview: ReturnPreview, items: Iterable[ReviewItem]) -> ProposedOutcome:
    """Propose how the run ended, by its message and the checks that are to be recorded."""
    checks = (
        item.text.rpartition(":") for item in items if item.kind == "validation" and item.wanted
    )
    return propose_outcome(preview.failure, ((name, result) for name, _, result in checks))


def _changed(path: Path, since: float | None) -> bool | None:
    try:
        return None if since is None else os.stat(path).st_mtime >= since
    except (OSError, ValueError):  # a NUL is in no path on disk
        return None


@frozen
class ReviewItem:
    """One thing that can be recorded with a return."""

    key: str
    """Stays the same while the message is edited."""
    kind: Kind
    text: str
    """A path, ``name:result``, or words."""
    wanted: bool
    as_found: bool
    """Read from the message and left as it was read."""
    state: str
    """Of a file: what the disk says. Of a sign of trouble: its kind."""
    line: int | None
    """Of the message, from 1."""


@frozen
class Corrections:
    """What a person changes about what was read."""

    toggled: frozenset[str] = frozenset()
    """The items (by key) that are recorded though they were not to be, or the other way round."""
    rewritten: Mapping[str, str] = field(default_factory=dict)
    added: tuple[tuple[Kind, str], ...] = ()

    def toggle(self, key: str) -> Self:
        return replace(self, toggled=self.toggled ^ {key})

    def rewrite(self, key: str, text: str) -> Self:
        """Say an item otherwise.

        Raises:
            UsageError: the text of a validation result is not ``name:result``.
        """
        if key.startswith("validation "):
            parse_validation(text)
        return replace(self, rewritten={**self.rewritten, key: text})

    def add(self, kind: Kind, text: str) -> Self:
        """Claim what the message does not tell.

        Raises:
            UsageError: the text of a validation result is not ``name:result``.
        """
        if kind == "validation":
            parse_validation(text)
        return replace(self, added=(*self.added, (kind, text)))

    def dumps(self) -> str:
        """As JSON; empty where there are none."""
        if self == type(self)():
            return ""
        return json.dumps(
            {
                "toggled": sorted(self.toggled),
                "rewritten": dict(self.rewritten),
                "added": self.added,
            }
        )

    @classmethod
    def loads(cls, text: str) -> Self:
        """The inverse of ``dumps``; none where it is no such thing."""
        try:
            held = json.loads(text)
            return cls(
                frozenset(map(str, held["toggled"])),
                {str(key): str(value) for key, value in held["rewritten"].items()},
                tuple((kind, str(words)) for kind, words in held["added"]),
            )
        except (ValueError, TypeError, KeyError, AttributeError):
            return cls()


def list_recordable(preview: ReturnPreview, corrections: Corrections) -> list[ReviewItem]:
    """Everything that could be recorded, trouble first; what is safe and certain is wanted."""
    findings = preview.findings
    offered = {path.path for path in findings.deliverables}
    read_out: list[tuple[Kind, str, bool, str, int]] = [
        *(
            ("error", _in_words(t.kind, t.subject), False, t.kind, t.line)
            for t in findings.troubles
        ),
        *(
            ("deliverable", f.found.path, f.found.path in offered, f.state, f.found.line)
            for f in preview.files
        ),
        *(
            ("validation", f"{name}:{result}", True, "", line)
            for name, (result, line) in {
                check.name: (check.result, check.line) for check in findings.checks
            }.items()
        ),
        *(("insight", insight.text, True, "", insight.line) for insight in findings.insights),
    ]
    found = [
        ReviewItem(
            key := f"{kind} {text.rpartition(':')[0] if kind == 'validation' else text}",
            kind,
            corrections.rewritten.get(key, text),
            wanted != (key in corrections.toggled),
            kind != "error" and key not in corrections.rewritten,
            state,
            line,
        )
        for kind, text, wanted, state, line in read_out
    ]
    added = [
        ReviewItem(
            key := f"{kind} added {number}",
            kind,
            corrections.rewritten.get(key, text),
            key not in corrections.toggled,
            False,
            "",
            None,
        )
        for number, (kind, text) in enumerate(corrections.added)
    ]
    return list({item.key: item for item in (*found, *added)}.values())


def _in_words(kind: str, excerpt: str) -> str:
    return f"{kind}: {excerpt}" if excerpt else f"{kind} final message"


def make_return_arguments(preview: ReturnPreview, chosen: Iterable[ReviewItem]) -> dict[str, Any]:
    """Arguments for ``record_return``.

    What was left as it was read is recorded as found, and what a person wrote, or wants though it
    was not offered, as claimed.
    """
    wanted = [item for item in chosen if item.wanted]
    findings = preview.findings
    offered = {path.path for path in findings.deliverables}
    left: dict[Kind, list[str]] = {"deliverable": [], "validation": [], "insight": [], "error": []}
    claimed: dict[Kind, list[str]] = {kind: [] for kind in left}
    for item in wanted:
        as_found = item.as_found and (item.kind != "deliverable" or item.text in offered)
        (left if as_found else claimed)[item.kind].append(item.text)

    return {
        "collect": replace(
            findings,
            paths=tuple(p for p in findings.paths if p.path in left["deliverable"]),
            checks=tuple(
                c for c in findings.checks if f"{c.name}:{c.result}" in left["validation"]
            ),
            insights=tuple(i for i in findings.insights if i.text in left["insight"]),
        ),
        "deliverable_paths": claimed["deliverable"],
        "validation": {
            name: result
            for text in claimed["validation"]
            for name, result in parse_validation(text).items()
        },
        "insights": claimed["insight"],
        "errors": claimed["error"],
    }
