"""The reference of all commands, made from their argument parsers.

    python -m tests.generate.commands            # print it
    python -m tests.generate.commands --write    # write docs/commands.md (`make docs` does it),
                                                 # and docs/settings.md

It is made from what argparse knows, not from its help: releases of Python lay that out differently.
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

from orch_tui.cli.help_topics import render_settings_page
from orch_tui.cli.parser import COMMANDS, builder

REFERENCE = Path(__file__).parents[2] / "docs" / "commands.md"
SETTINGS = REFERENCE.with_name("settings.md")

HEAD = """\
# Commands

Made from the commands themselves by `make docs`; `orch COMMAND --help` says the same in a
terminal. Every command takes `--help`, and each that uses the record `--db FILE` (default: the
project's). Exit codes: 0 done, 1 the answer is no (invalid, over budget, an id that is not
known), 2 wrong usage, 70 a bug in orch, 129 the terminal is gone, 130 interrupted, 143 terminated.
"""

IN_HEAD = {"--help", "--db"}
"""Options that nearly every command has; the head of the page explains them."""


def main() -> None:
    """Print the reference, or write it with ``--write``."""
    if "--write" in sys.argv[1:]:
        REFERENCE.parent.mkdir(exist_ok=True)
        REFERENCE.write_text(render_reference(), "utf-8")
        SETTINGS.write_text(render_settings_page(), "utf-8")
    else:
        print(render_reference(), end="")


def render_reference() -> str:
    """Render the Markdown page of all commands, in the order of ``orch --help``."""
    index = "\n".join(
        f"- [`orch {name}`](#orch-{name.replace(' ', '-')}): {c.summary}"
        for name, c in COMMANDS.items()
    )
    return "\n".join([HEAD, index, *(f"\n{_render_command(name)}" for name in COMMANDS)]) + "\n"


def _render_command(name: str) -> str:
    parser = builder(name)()
    arguments = [a for a in parser._actions if not IN_HEAD & {*a.option_strings}]
    exclusive = [
        f"At most one of {', '.join(f'`{_spell_name(a)}`' for a in group._group_actions)}."
        for group in parser._mutually_exclusive_groups
    ]
    example = (parser.epilog or "").removeprefix("example:\n")
    lines = (line.removeprefix("  ") for line in example.splitlines())
    parts = [
        f"## orch {name}",
        (parser.description or "").strip(),
        "\n".join(map(_render_argument, arguments)),
        *exclusive,
        "\n".join(["```sh", *lines, "```"]),
    ]
    return "\n\n".join(part for part in parts if part)


def _render_argument(action: argparse.Action) -> str:
    """Render one line: how the argument is written, what it may be, what it means."""
    remarks = []
    if action.required and action.option_strings:
        remarks.append("required")
    if isinstance(action, argparse._AppendAction):
        remarks.append("may be repeated")
    note = f" ({', '.join(remarks)})" if remarks else ""
    meaning = (action.help or "") % vars(action)
    return f"- `{_spell(action)}`{note}: {_escape(meaning)}"


def _escape(words: str) -> str:
    """Keep ``<number>`` from being taken for HTML, and a pattern's ``*`` for emphasis."""
    return re.sub(r"([<*])", r"\\\1", words)


def _spell(action: argparse.Action) -> str:
    """Spell an argument with its value: ``--fit [TOKENS]``, ``[BUNDLE]``, ``QUERY ...``."""
    value = _spell_value(action)
    written = {"?": f"[{value}]", "*": f"[{value} ...]", "+": f"{value} ..."}.get(
        str(action.nargs), value
    )
    if not action.option_strings:
        return written
    names = ", ".join(action.option_strings)
    return names if action.nargs == 0 else f"{names} {written}"


def _spell_name(action: argparse.Action) -> str:
    return action.option_strings[-1] if action.option_strings else _spell_value(action)


def _spell_value(action: argparse.Action) -> str:
    if action.choices and not action.metavar:
        return "|".join(map(str, action.choices))
    return str(action.metavar or action.dest.upper())


if __name__ == "__main__":
    main()
