"""What a template asks for, and where in it something is wrong."""

from __future__ import annotations

from collections.abc import Mapping

from orch_tui.errors import FormatError


def check_placeholders(name: str, asked: Mapping[str, int], known: Mapping[str, object]) -> None:
    """Refuse names that ``known`` lacks; ``asked`` are all of a template, each with its line."""
    if unknown := {each: line for each, line in asked.items() if each not in known}:
        named = ", ".join(f"{{{each}}}" for each in unknown)
        many = "s" if len(unknown) > 1 else ""
        raise FormatError(
            f"{format_place(name, min(unknown.values()))}: unknown placeholder{many} {named}",
            hint=f"known: {', '.join(sorted(known))}",
        )


def format_place(name: str, line: int | None) -> str:
    """Say where in a template something is wrong."""
    return f"template {name}, line {line}" if line else f"template {name}"
