"""What keys are called, in the footer, in the help and in every notice alike."""

from __future__ import annotations

from functools import lru_cache

from textual.keys import format_key

_NAMES = {
    "enter": "Enter",
    "escape": "Esc",
    "tab": "Tab",
    "space": "Space",
    "backspace": "⌫",
    "delete": "Del",
    "insert": "Ins",
    "home": "Home",
    "end": "End",
    "pageup": "PgUp",
    "pagedown": "PgDn",
}
_HELD = {"shift": "⇧", "alt": "Alt+", "ctrl": "^", "super": "Super+", "meta": "Meta+"}
"""Keys that are held down while another is pressed."""


@lru_cache(1024)
def name_key(key: str) -> str:
    """Name a key of a binding: ``ctrl+g`` is ``^G``, ``escape`` is ``Esc``, ``Z`` is ``Z``."""
    *held, last = key.split("+") if key != "+" else [key]
    name = _NAMES.get(last) or format_key(last)
    if (last[:1] == "f" and last[1:].isdigit()) or (held and len(name) == 1):
        name = name.upper()
    return "".join(_HELD.get(each, f"{each}+") for each in held) + name
