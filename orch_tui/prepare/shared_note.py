"""The line of a bundle that says where what it shares with other bundles stands together."""

from __future__ import annotations

_LINE = "What is shared with other agents stands together in "


def write_shared_note(document: str) -> str:
    """Write the line that names the document."""
    return f"{_LINE}{document}."


def without_shared_note(text: str) -> str | None:
    """Take the line out of a text; None where nothing else stands in it. A text without one comes
    back as it is."""
    lines = text.split("\n")
    kept = [line for line in lines if not (line.startswith(_LINE) and line.endswith("."))]
    if len(kept) == len(lines):
        return text
    rest = "\n".join(kept).strip("\n")
    return f"{rest}\n" if rest else None
