"""Every way orch says no.

An error names the thing, says what is wrong with it and, in ``hint``, what to do about it.
The commands print both and exit with ``exit_code``; nothing else of orch's raises to a user.
"""

from __future__ import annotations

from collections.abc import Sequence


class OrchError(Exception):
    """The answer is no: invalid, not found, over budget, unreadable."""

    exit_code = 1

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(OrchError):
    """The call itself is malformed: a missing argument, a value outside its set."""

    exit_code = 2


_SHOWN = 200
"""Characters of a name that an error shows: behind them there is room for what is wrong."""


def shorten_name(name: str) -> str:
    """Shorten a name to its beginning and end where it is too long to be shown."""
    half = _SHOWN // 2
    return name if len(name) <= _SHOWN else f"{name[: half - 1]}…{name[-half:]}"


class PathError(UsageError):
    """What was given for a file or folder is nothing that one could be called."""

    def __init__(self, name: str, reason: str, *, hint: str = "") -> None:
        super().__init__(f"{shorten_name(name)}: {reason}", hint=hint)
        self.name = name
        self.reason = reason


class NotFoundError(OrchError):
    """An id that the record does not hold; the hint names the nearest that it does."""

    def __init__(self, kind: str, wanted: str, known: Sequence[str] = ()) -> None:
        from difflib import get_close_matches  # only an error pays for it

        ending = [label for label in known if wanted and label.endswith(wanted)]
        self.nearest = ending[:3] or get_close_matches(wanted, known, n=3) or list(known[:3])
        hint = f"nearest: {', '.join(self.nearest)}" if self.nearest else f"there is no {kind} yet"
        super().__init__(f"{kind} {shorten_name(wanted)!r} is not known", hint=hint)


class ConflictError(OrchError):
    """The same id with other content, or a change to something that may no longer change."""


class OverBudgetError(OrchError):
    """A bundle or session over its limit."""


class SourceError(OrchError):
    """A context source or deliverable that cannot be taken: missing, binary, unreadable, huge."""

    def __init__(self, source: str, reason: str, *, hint: str = "") -> None:
        super().__init__(f"{shorten_name(source)}: {reason}", hint=hint)
        self.source = source
        self.reason = reason


class FormatError(OrchError):
    """A file or text that should be JSON, TOML, a template or a bundle and is not."""


class RecordError(OrchError):
    """The database cannot be used: locked, corrupt, newer, not ours, disk full."""

    def __init__(self, message: str, *, hint: str = "", is_locked: bool = False) -> None:
        super().__init__(message, hint=hint)
        self.is_locked = is_locked
        """Somebody else writes, and did for as long as was waited: it may go another time."""


class HubError(OrchError):
    """The hub cannot be used: not reached, not let in, another version, not the owner."""

    def __init__(self, message: str, *, hint: str = "", is_away: bool = False) -> None:
        super().__init__(message, hint=hint)
        self.is_away = is_away
        """It was not reached, or did not answer in time: it may another time."""
