from __future__ import annotations

import os
from dataclasses import FrozenInstanceError, fields
from pathlib import Path

import pytest

from orch_tui.config import DEFAULTS, Config, load
from orch_tui.errors import FormatError
from orch_tui.prepare.budget import Limits
from orch_tui.prepare.catalogue import load_catalogue
from orch_tui.prepare.sources import SourceReader


@pytest.fixture
def user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ORCH_CONFIG_DIR", str(tmp_path / "user"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "user").mkdir()
    return tmp_path / "user" / "config.toml"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project" / ".claude" / "orchestration"
    folder.mkdir(parents=True)
    return folder / "config.toml"


@pytest.fixture
def root(tmp_path: Path, user: Path) -> Path:
    return tmp_path / "project"


def test_without_files_everything_is_the_default(root: Path) -> None:
    config = load(root)
    assert config == Config(origins=config.origins)
    names = [each.name for each in fields(Config) if each.name != "origins"]
    assert config.origins == dict.fromkeys(names, "default")
    with pytest.raises(FrozenInstanceError):
        config.budget = 1  # type: ignore[misc]


def test_who_reads_no_settings_goes_by_their_defaults(tmp_path: Path) -> None:
    of_sessions = ("agents", "agent_limits")  # no file says them
    limits, names = Limits(), [f.name for f in fields(Limits) if f.name not in of_sessions]
    assert {name: getattr(limits, name) for name in names} == {
        name: getattr(DEFAULTS, name) for name in names
    }
    assert SourceReader(tmp_path, tmp_path).max_bytes == DEFAULTS.max_file_size
    assert load_catalogue().default == DEFAULTS.model


def test_the_nearer_file_wins_setting_by_setting(root: Path, user: Path, project: Path) -> None:
    user.write_text('model = "opus"\nbudget = 300000\n[keymap]\nquit = "q"\nsave = "ctrl+s"\n')
    project.write_text('budget = 100000\n[keymap]\nquit = "ctrl+q,x"\n')
    config = load(root)
    assert (config.model, config.budget) == ("opus", 100_000)
    assert config.keymap == {"quit": "ctrl+q,x", "save": "ctrl+s"}
    assert config.origins["model"] == str(user)
    assert config.origins["budget"] == str(project)
    assert config.origins["keymap.quit"] == str(project)
    assert config.origins["keymap.save"] == str(user)
    assert config.origins["theme"] == "default"


def test_relative_template_folders_start_at_the_project_or_beside_the_users_file(
    root: Path, user: Path, project: Path, tmp_path: Path
) -> None:
    user.write_text('template_folders = ["mine", "~/shared", "/abs"]\n')
    assert load(root).template_folders == (
        str(user.parent / "mine"),
        str(tmp_path / "home" / "shared"),
        "/abs",
    )
    project.write_text('template_folders = ["docs/templates"]\n')
    assert load(root).template_folders == (str(root / "docs/templates"),)


def test_models_are_added_as_tables(root: Path, project: Path) -> None:
    project.write_text('[models."claude-next-1"]\nwindow = 500000\naliases = ["next"]\n')
    assert load(root).models == {"claude-next-1": {"window": 500000, "aliases": ["next"]}}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("budgett = 1", "budgett: is not a setting"),
        ("budget = 0", "budget: must be a whole number of tokens, 1 or more, not 0"),
        ("max_file_size = 99999999999999999999", "max_file_size: must be 1,000,000,000,000,000 by"),
        ("budget = true", "budget: must be a whole number of tokens, 1 or more, not True"),
        ('budget = "200k"', "budget: must be a whole number"),
        ("warn_threshold = 75", "warn_threshold: must be a number above 0 and at most 1, not 75"),
        ("critical_threshold = nan", "critical_threshold: must be a number above 0"),
        ('database = "both"', 'database: must be "project" or "user", not \'both\''),
        ("database = ['user']", "database: must be"),
        ("theme = ''", "theme: must be a text"),
        ("keymap = 'q'", "keymap: must be a table"),
        ("[keymap]\nquit = 3", "keymap.quit: must be keys as a text, not 3"),
        ("template_folders = '~/x'", "template_folders: must be a list of folders"),
        ("[models]\nsonnet = 1", "models.sonnet: must be a table, not 1"),
        ("budget = ", "is not TOML"),
        ("budget = 1\nbudget = 2", "is not TOML"),
    ],
)
def test_a_wrong_setting_is_named_with_its_file(
    root: Path, project: Path, text: str, said: str
) -> None:
    project.write_text(text)
    with pytest.raises(FormatError) as raised:
        load(root)
    assert raised.value.message.startswith(f"{project}: {said}")


def test_an_unknown_setting_comes_with_the_valid_ones(root: Path, user: Path) -> None:
    user.write_text("warn_treshold = 0.5")
    with pytest.raises(FormatError) as raised:
        load(root)
    assert "warn_threshold" in raised.value.hint
    user.write_text("zzz = 1")
    with pytest.raises(FormatError) as raised:
        load(root)
    assert all(each.name in raised.value.hint for each in fields(Config)[:-1])


def test_a_warning_above_critical_names_both_files(root: Path, user: Path, project: Path) -> None:
    user.write_text("critical_threshold = 0.6")
    with pytest.raises(FormatError, match=r"warn_threshold 0\.75 \(default\)") as raised:
        load(root)
    assert str(user) in raised.value.message
    project.write_text("warn_threshold = 0.6")
    assert load(root).warn_threshold == 0.6


def test_a_file_that_cannot_be_read_is_named(root: Path, project: Path) -> None:
    project.write_bytes(b"theme = '\xff'")
    with pytest.raises(FormatError, match="is not TOML"):
        load(root)
    project.unlink()
    os.mkfifo(project)
    with pytest.raises(FormatError, match="cannot be read"):
        load(root)
    project.unlink()
    project.symlink_to("/dev/zero")
    with pytest.raises(FormatError, match="cannot be read"):
        load(root)
    project.unlink()
    project.mkdir()
    with pytest.raises(FormatError, match="cannot be read"):
        load(root)
