"""One line that tells a result from others: what an interpreter or a log shows of it."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from reprlib import Repr
from typing import Any

WIDTH = 120
"""Characters, at most."""

_VALUES = Repr()
_VALUES.maxstring = _VALUES.maxother = 40


def one_line(self: Any) -> str:
    """Render a dataclass by what is known in it, field by field as far as ``WIDTH`` goes.

    Longer texts are cut, of what holds several only the number is given, what is None or empty is
    left out.
    """
    text, end = f"{type(self).__name__}(", ")"
    for field in fields(self):
        value = getattr(self, field.name)
        if value is None or value in ("", b"", (), [], {}):
            continue
        known = f"{', ' * (not text.endswith('('))}{field.name}={_short(value)}"
        if len(text) + len(known) > WIDTH - len(", …)"):
            end = ", …)"
            break
        text += known
    return text + end


def _short(value: object) -> str:
    if isinstance(value, tuple | list | dict | set | frozenset):
        return f"<{len(value)}>"
    if is_dataclass(value):
        return f"{type(value).__name__}(…)"
    return _VALUES.repr(value)
