"""How much time and memory a template from anywhere may take, in either form."""

from __future__ import annotations

from orch_tui.errors import FormatError

SECONDS = 1.0
"""Of processor time, for one filling; the longest of orch takes a hundredth."""
MEBIBYTES = 64
"""Of memory, beside what the values to fill in take."""
ENDLESS = "does not end or grows without end"

_TIMES_OF_VALUES = 12
"""Memory for a text, its parts, the filled one and its bytes, each of up to 4 bytes a letter."""


def limit_memory(size_of_values: int) -> int:
    """Give the bytes that a filling may take."""
    return (MEBIBYTES << 20) + _TIMES_OF_VALUES * size_of_values


def refuse_filling(name: str, said: str = "") -> FormatError:
    """Give the error for a template that takes more; ``said``: with the place in it."""
    return FormatError(
        said or f"template {name}: {ENDLESS}",
        hint=f"it may take {SECONDS:g} s and {MEBIBYTES} MiB beside what is filled in",
    )
