"""Which model an agent is to run on, and who says so: in the same words wherever it is told."""

from __future__ import annotations

from typing import Literal

from orch_tui.frozen import frozen

Origin = Literal["asked", "plan", "bundle", "definition", "session"]

_WORDS: dict[Origin, str] = {
    "asked": "as asked for",
    "plan": "from its plan",
    "bundle": "from its bundle",
    "definition": "from its definition",
    "session": "assumed",
}


@frozen
class ModelChoice:
    """The model that is asked for, before anybody knows which one ran."""

    name: str
    """As it was written."""
    origin: Origin
    """Who says so; ``session``: nobody does, so Claude Code takes that of its session, for which
    the one of the settings stands."""

    def __str__(self) -> str:
        """``sonnet, from its definition``."""
        return f"{self.name}, {_WORDS[self.origin]}"


def choose_model(
    *,
    asked: str | None = None,
    plan: str | None = None,
    bundle: str | None = None,
    definition: str | None = None,
    session: str,
) -> ModelChoice:
    """Choose the model of an agent: the first of these that is named.

    ``session`` is the one of the settings, which stands for what the session of Claude Code runs
    on; a definition that says ``inherit`` means that too.
    """
    named: tuple[tuple[Origin, str | None], ...] = (
        ("asked", asked),
        ("plan", plan),
        ("bundle", bundle),
        ("definition", definition if definition != "inherit" else None),
    )
    for origin, name in named:
        if name:
            return ModelChoice(name, origin)
    return ModelChoice(session, "session")


def describe_model(ran: str | None, asked: str | None, unknown: str) -> str:
    """Say which model ran, and beside it which was asked for, where that is another word for it or
    all that is known; ``unknown`` is what is said where nobody knows."""
    if asked and asked != ran:
        return f"{ran or unknown} (asked for: {asked})"
    return ran or unknown
