"""A setting is changed in its file, and all else in there stays as it was."""

from __future__ import annotations

from pathlib import Path

import pytest

from orch_tui.cli import main
from orch_tui.config import load
from orch_tui.errors import FormatError, SourceError, UsageError
from orch_tui.paths import config_folder
from orch_tui.setting_changes import ABOUT, change_setting, name_file

FILE = """# mine
budget = 100_000  # for now

[keymap]
quit = "f9"
"""


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / ".git").mkdir()
    file = name_file(tmp_path, for_user=False)
    file.parent.mkdir(parents=True)
    file.write_text(FILE)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_every_setting_is_told_of(root: Path) -> None:
    assert set(ABOUT) == set(load(root).origins) - {"keymap.quit"}


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("budget", "300,000", 300_000),
        ("warn_threshold", "60 %", 0.6),
        ("critical_threshold", "0.95", 0.95),
        ("model", "opus", "opus"),
        ("notify", "bell", "bell"),
        ("template_folders", "briefings", ("briefings",)),
    ],
)
def test_values_are_read_as_people_write_them(
    root: Path, name: str, text: str, value: object
) -> None:
    change_setting(root, name, text)
    found = getattr(load(root), name)
    assert found == value or [Path(each).name for each in found] == list(value)  # type: ignore[call-overload]


def test_comments_stay_and_what_is_new_stands_above_the_tables(root: Path) -> None:
    file = change_setting(root, "theme", "nord")
    change_setting(root, "budget", "2")
    change_setting(root, "keymap.help", "f8")
    text = file.read_text()
    assert text.startswith("# mine\nbudget = 2  # for now\n")
    assert load(root).theme == "nord" and dict(load(root).keymap) == {"quit": "f9", "help": "f8"}
    change_setting(root, "budget", None)
    change_setting(root, "keymap.help", None)
    assert load(root).budget == 200_000 and dict(load(root).keymap) == {"quit": "f9"}


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("bugdet", "3", "nearest: budget"),
        ("budget", "much", "a whole number"),
        ("budget", "-1", "1 or more"),
        ("notify", "loud", '"bell" or "osc9" or "off"'),
        ("warn_threshold", "95 %", "above critical_threshold"),
        ("keymap", "f9", "a table"),
        ("models", "x", "holds tables"),
    ],
)
def test_what_cannot_be_is_refused_and_changes_nothing(
    root: Path, name: str, text: str, told: str
) -> None:
    with pytest.raises((FormatError, UsageError)) as refused:
        change_setting(root, name, text)
    assert told in f"{refused.value.message} {refused.value.hint}"
    assert name_file(root, for_user=False).read_text() == FILE


def test_a_file_that_is_no_toml_is_left_alone(root: Path) -> None:
    file = name_file(root, for_user=False)
    file.write_text("budget = = 3\n")
    with pytest.raises(FormatError, match="is not TOML"):
        change_setting(root, "theme", "nord")
    assert file.read_text() == "budget = = 3\n"


def test_a_link_that_came_with_the_project_is_not_written_through(
    root: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    mine = tmp_path_factory.mktemp("mine") / "config.toml"
    mine.write_text("budget = 5\n")
    file = name_file(root, for_user=False)
    file.unlink()
    file.symlink_to(mine)
    with pytest.raises(SourceError):
        change_setting(root, "budget", "7")
    assert mine.read_text() == "budget = 5\n"


def test_the_command_writes_either_file(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["config", "set", "notify", "bell", "--user"]) == 0
    assert load(root).origins["notify"] == str(Path(config_folder(), "config.toml"))
    assert main(["config", "set", "notify", "off"]) == 0 and load(root).notify == "off"
    assert main(["config", "unset", "notify"]) == 0 and load(root).notify == "bell"
    assert main(["config", "set", "notify"]) == 2
    assert "a name and a value" in capsys.readouterr().err
