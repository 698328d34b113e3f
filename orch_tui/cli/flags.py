"""Flags and their values that several commands share."""

from __future__ import annotations

import argparse

from orch_tui.cli.printing import positive


def add_session(parser: argparse.ArgumentParser) -> None:
    """Add the flag that names the session a command is about."""
    parser.add_argument("--session-id", metavar="ID", help="default: as orch use tells")


def add_allow_secret(
    parser: argparse.ArgumentParser, what: str = "what looks like a secret, or holds one"
) -> None:
    """Add the flag that has a secret taken, where one is found."""
    parser.add_argument("--allow-secret", action="store_true", help=f"take {what}; recorded")


def tokens_or_none(text: str) -> int:
    """An argparse type: a number of tokens, 0 for none."""
    return 0 if text == "0" else positive(text)
