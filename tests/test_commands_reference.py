"""docs/commands.md says what the commands take, as they take it now."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

from orch_tui.cli.help_topics import (
    VARIABLES,
    list_topic,
    render_settings_help,
    render_settings_page,
)
from orch_tui.cli.parser import COMMANDS, builder
from orch_tui.config import DEFAULTS
from tests.generate.commands import REFERENCE, SETTINGS, render_reference

CODE = Path(__file__).parents[1]
NOT_SAID = {"PATH", "HOME", "PWD", "TMUX", "CLAUDECODE", "COMP_LINE", "COMP_POINT"}
"""Variables that every program reads, or that only tell where a process stands, and the shell's."""


def test_the_reference_is_up_to_date() -> None:
    assert REFERENCE.read_text("utf-8") == render_reference(), "run `make docs` and commit it"
    assert SETTINGS.read_text("utf-8") == render_settings_page(), "run `make docs` and commit it"


def test_every_setting_and_variable_is_explained() -> None:
    assert {name for name, _ in list_topic("Settings")} == {f.name for f in fields(DEFAULTS)} - {
        "origins"
    }
    assert max(map(len, render_settings_help().splitlines())) <= 80
    said = {name for names in VARIABLES for name in names.split(", ")}
    read = {
        name
        for folder in ("orch_tui", "models", "screens")
        for path in (CODE / folder).rglob("*.py")
        for name in re.findall(r"environ(?:\.get)?[(\[]\"([A-Z_]+)\"", path.read_text("utf-8"))
    }
    assert read - NOT_SAID <= said, read - said


def test_every_argument_of_every_command_is_in_it() -> None:
    _, *sections = REFERENCE.read_text("utf-8").split("\n## orch ")
    assert [section.split("\n")[0] for section in sections] == [*COMMANDS]
    for name, section in zip(COMMANDS, sections, strict=True):
        for action in builder(name)()._actions:
            for flag in {*action.option_strings} - {"-h", "--help", "--db"}:
                assert re.search(rf"[`, ]{flag}\b", section), (name, flag)
