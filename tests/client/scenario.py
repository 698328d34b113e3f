"""A scenario: what the model says, how the client is run, and what only we can know of the end."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from signal import Signals
from typing import Any

from tests.client.script import Parts

Fields = Mapping[str, Any]
"""What is recorded of an agent, by the name of the field."""
Orch = Callable[..., "subprocess.CompletedProcess[str]"]
"""Runs a command of orch that must succeed."""
Prepare = Callable[[Path, Orch], None]
"""Makes what a scenario needs in its project, before the client starts."""


@dataclass(frozen=True)
class Either:
    """One of several values is right."""

    values: tuple[Any, ...]

    def __repr__(self) -> str:
        return " or ".join(map(repr, self.values))


def either(*values: Any) -> Either:
    return Either(values)


API_ERROR = re.compile(r"API Error")
"""How a message begins that is the client's word for a failed request."""

ANY = re.compile("")

BROKEN_OFF: Mapping[str, Any] = {"status": "failed", "final": either("", API_ERROR)}
"""No request succeeded: the error and nothing are both right as its last words."""


@dataclass(frozen=True)
class Press:
    """A key is pressed in the terminal."""

    key: str


@dataclass(frozen=True)
class Type:
    """A line is typed in the terminal, with Enter."""

    words: str


@dataclass(frozen=True)
class See:
    """Words stand in the terminal."""

    words: str


@dataclass(frozen=True)
class Said:
    """The model said the answer of a part with this number."""

    part: str
    step: int


@dataclass(frozen=True)
class Held:
    """An answer to the part ``held`` is held."""


Act = Press | Type | See | Said | Held
"""What somebody at the terminal does, or waits for."""


@dataclass(frozen=True)
class Scenario:
    """One run of the client."""

    name: str
    parts: Parts
    """``main`` is the session's."""
    agents: Mapping[str, Fields]
    """By part, for each agent that runs, what the server does not know, by field; ``{}``: it
    completed once and nothing speaks against it."""
    until_import: Mapping[str, Fields] = field(default_factory=dict)
    """The same, as long as there are hooks alone."""
    never_ran: Mapping[str, str] = field(default_factory=dict)
    """By part, calls that no agent came of, and the status of what may be recorded of them."""
    prepare: Prepare | None = None
    options: Sequence[str] = ("--dangerously-skip-permissions",)
    environment: Mapping[str, str] = field(default_factory=dict)
    starts_in: str = "."
    """The folder of the project in which the client is started."""
    too_busy: bytes | None = None
    """In a note that orch left: the machine was too busy for the run to tell anything."""
    ends_by: Signals | None = None
    """Sent to the client as soon as an answer to the part ``held`` is held."""
    interactive: bool = False
    leaves_it_running: bool = False
    """Interactive: it is left while an answer to the part ``held`` is held."""
    until: Sequence[tuple[str, int]] = (("main", 1),)
    """Interactive: parts with the number of the answer after which no more is to come of them."""
    acts: Sequence[Act] = ()
    """Interactive: what is done after that, before the client is left."""
    doings: Mapping[str, str] = field(default_factory=dict)
    """By part, a pattern of the states that ``orch watch`` tells while it runs
    (``list_mistaken_states``); empty: nobody watches."""
    short: bool = False
    """One of those that a short look runs."""

    @property
    def agents_by_hooks(self) -> Mapping[str, Fields]:
        """``agents`` as they are until an import."""
        early = self.until_import
        return {part: {**known, **early.get(part, {})} for part, known in self.agents.items()}
