"""docs/commands.md says what the commands take, as they take it now."""

from __future__ import annotations

from orch_tui.cli.parser import COMMANDS, builder
from tests.generate.commands import REFERENCE, render_reference


def test_the_reference_is_up_to_date() -> None:
    assert REFERENCE.read_text("utf-8") == render_reference(), "run `make docs` and commit it"


def test_every_argument_of_every_command_is_in_it() -> None:
    _, *sections = REFERENCE.read_text("utf-8").split("\n## orch ")
    assert [section.split("\n")[0] for section in sections] == [*COMMANDS]
    for name, section in zip(COMMANDS, sections, strict=True):
        for action in builder(name)()._actions:
            for flag in {*action.option_strings} - {"-h", "--help", "--db"}:
                assert f"`{flag}" in section, (name, flag)
