"""Asking before something is done."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Callable

from orch_tui.cli.printing import say
from orch_tui.errors import UsageError


def act_if_agreed(
    arguments: Namespace, question: str, act: Callable[[], None], *, is_final: bool = False
) -> bool:
    """Do what was shown, when it was agreed to: by ``--yes``, or by who sits at the terminal.

    ``is_final``: it cannot be taken back, so Enter is a no. False: somebody said no.

    Raises:
        UsageError: nobody can be asked.
    """
    if arguments.dry_run:
        say("nothing was changed")
        return True
    if not arguments.yes:
        if not is_answered():
            raise UsageError(
                f"{question} Nobody can answer here",
                hint="add --yes to agree, or --dry-run to only look",
            )
        choice, agreeing = ("[y/N]", ("y", "yes")) if is_final else ("[Y/n]", ("", "y", "yes"))
        if not answer(f"{question} {choice} ", agreeing):
            say("nothing was changed")
            return False
    act()
    return True


def is_answered() -> bool:
    """Tell whether a person sits there."""
    return sys.stdin is not None and sys.stdin.isatty() and sys.stderr.isatty()


def answer(question: str, agreeing: tuple[str, ...]) -> bool:
    """Ask, and tell whether the answer is one that agrees."""
    print(question, end="", file=sys.stderr, flush=True)
    line = sys.stdin.readline()
    return bool(line) and line.strip().lower() in agreeing
