"""What was read from a final message as rows in sections, and what is told of one of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType

from orch_tui.screens.theme import SIGNS
from orch_tui.screens.widgets.row_list import Accent, Column, Row, Rows
from orch_tui.wording import plural

if TYPE_CHECKING:
    from orch_tui.record.messages.review import ClaimedFile, ReturnPreview, ReviewItem

FOUND_COLUMNS = (
    Column("", 2, right=True, gives_way=-1),
    Column("as it was read"),
    Column("found", 11, state=True, gives_way=-1),
)
SECTIONS = {
    "deliverable": "Files",
    "validation": "Checks",
    "insight": "Insights",
    "error": "Errors and signs of trouble",
}
TAKEN, LEFT = "■", "□"


class FoundOutputs(Rows):
    """What was read from a message, each line to be taken or left."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,space", "select", "take or leave", id="completion-take"),
    ]


_NAMES = {"deliverable": "file", "validation": "check"}


def name_item(item: ReviewItem) -> str:
    if item.kind == "error" and item.line is not None:
        return "trouble"
    return _NAMES.get(item.kind, item.kind)


def make_section(kind: str, items: Sequence[ReviewItem]) -> Iterator[Row]:
    rows = [_row(item) for item in items if item.kind == kind]
    if rows:
        yield Row(f"section:{kind}", (SECTIONS[kind], str(len(rows))), section=True)
        yield from rows


def _row(item: ReviewItem) -> Row:
    what, told, style = item.text, "", ""
    if item.kind == "deliverable":
        told = _FILES.get(item.state, item.state)
        style = _STYLES.get(item.state, "planned")
    elif item.kind == "validation":
        what, _, told = item.text.rpartition(":")
        style = {"pass": "ok", "fail": "bad"}.get(told.lower(), "")
    elif item.line is not None and item.kind == "error":
        told, style = SIGNS["doubt"] + " trouble", "warn"
    accents: tuple[tuple[int, tuple[Accent, ...]], ...] = ()
    if not item.wanted:
        accents = ((1, ((0, len(what), "dim"),)),)
    return Row(item.key, (TAKEN if item.wanted else LEFT, what, told), style, accents=accents)


_FILES = {"missing": "not there", "unchanged": "older"}
"""States of files in other words: one that was last written before its agent was sent off."""
_STYLES = {
    "changed": "ok",
    "missing": "bad",
    "unchanged": "warn",
    "outside": "warn",
    "secret?": "warn",
}


def describe_item(item: ReviewItem, preview: ReturnPreview | None) -> str:
    where = f"line {item.line}" if item.line is not None else "added by hand"
    if item.line is not None and not item.as_found and item.kind != "error":
        where += ", corrected by hand"
    if item.kind == "error" and item.line is not None:
        where += "; recorded as an error if taken"
    known = {file.found.path: file for file in preview.files} if preview else {}
    if item.kind == "deliverable" and item.text in known:
        where += f"; {_on_disk(known[item.text])}"
    return f"{item.text} ({where})"


def _on_disk(file: ClaimedFile) -> str:
    disk = file.on_disk
    if disk is None:
        reasons = {
            "missing": "it is not there",
            "outside": "outside the project: not read unless you take it",
            "secret?": "it looks like a secret: not read unless you take it",
        }
        return reasons.get(file.state, file.state)
    lines = ""
    if disk.lines_added is not None:
        lines = (
            f", {plural(disk.lines_added, 'line')} added, {disk.lines_modified} changed "
            "since the last commit"
        )
    since = {
        True: "; written since it was handed over",
        False: "; nobody wrote it since it was handed over",
        None: "",
    }[file.changed]
    size = f"{disk.size:,} bytes{lines}" if disk.size is not None else disk.problem
    return f"{size}{since}"
