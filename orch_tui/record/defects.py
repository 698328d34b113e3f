"""What is wrong with an input ends at that input: it is set aside, and all others are taken in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from orch_tui.errors import OrchError, RecordError

LEFT_ASIDE = "set aside"
"""Begins the note of a transcript that could not be taken in."""

T = TypeVar("T")


def confine_defects(
    inputs: Sequence[T],
    take: Callable[[Sequence[T]], object],
    set_aside: Callable[[T, str], object],
) -> None:
    """Take inputs in together; where that fails in smaller parts, until those to blame are alone.

    ``take`` leaves nothing behind when it fails: it reads, or it is one transaction. ``set_aside``
    is called with each input that cannot be taken in and the reason, for people.

    Raises:
        RecordError: the record is locked, full or broken: no input is to blame.
    """
    try:
        take(inputs)
    except RecordError:
        raise
    except Exception as error:  # whatever stands in a file of somebody else's
        if len(inputs) == 1:
            set_aside(inputs[0], _reason(error))
            return
        middle = len(inputs) // 2
        confine_defects(inputs[:middle], take, set_aside)
        confine_defects(inputs[middle:], take, set_aside)


_LONGEST_REASON = 200


def _reason(error: Exception) -> str:
    words = error.message if isinstance(error, OrchError) else f"{type(error).__name__}: {error}"
    return " ".join(words.split())[:_LONGEST_REASON]
