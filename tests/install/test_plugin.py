"""The plugin, as Claude Code and its plugin directory take it."""

from __future__ import annotations

import json
import os
import shutil
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from orch_tui.install import hook_settings
from orch_tui.install.enabled_plugins import HOOKS
from orch_tui.install.hook_settings import command, hand_over_command
from orch_tui.install.plugin import plugin_files
from orch_tui.install.settings_file import apply, settings_file
from orch_tui.install.skill import install, skill_folder
from orch_tui.record.upkeep.doctor import examine_record
from tests.counts import HANGS_AFTER

RUN = command(sys.executable)
CLAUDE = shutil.which("claude")


def test_the_plugin_has_the_form_that_claude_code_takes() -> None:
    files = plugin_files("/opt/orch/bin/python", RUN)
    manifest = json.loads(files[".claude-plugin/plugin.json"])
    assert manifest["name"] == "orch" and manifest["version"].count(".") == 2
    hooks = json.loads(files["hooks/hooks.json"])
    assert set(hooks) == {"description", "hooks"} and hooks["hooks"] == hook_settings.hooks(RUN)
    commands = [data for name, data in files.items() if name.startswith("commands/")]
    assert len(commands) == 3
    for data in commands:
        _, head, body = data.decode().split("---\n", 2)
        fields = dict(line.split(": ", 1) for line in head.splitlines())
        assert {"description", "allowed-tools"} <= set(fields) and "`orch " in body
    assert b"/opt/orch/bin/python" in files["skills/multi-agent-orchestration/scripts/_orch.py"]
    assert "skills/multi-agent-orchestration/SKILL.md" in files


def test_the_plugin_says_what_its_directory_asks_for() -> None:
    files = plugin_files("/opt/orch/bin/python", RUN)
    manifest = json.loads(files[".claude-plugin/plugin.json"])
    assert manifest["author"]["name"] and manifest["description"] and manifest["license"] == "MIT"
    assert manifest["network"] == {"hosts": []}
    readme = files["README.md"].decode()
    assert len(readme.split()) >= 40
    for name in files:
        if name.startswith("commands/"):
            assert f"`/orch:{Path(name).stem}`" in readme
    icon = files[".claude-plugin/icon.png"]
    assert icon[:8] == b"\x89PNG\r\n\x1a\n"
    width, height = struct.unpack(">II", icon[16:24])
    assert width == height and 512 <= width <= 2048 and len(icon) < 2_000_000


def test_the_hand_over_hook_is_in_the_plugin_when_it_is_asked_for() -> None:
    for asked in (False, True):
        files = plugin_files("/opt/orch/bin/python", RUN, hand_over=asked)
        runs = [
            entry["command"]
            for group in json.loads(files["hooks/hooks.json"])["hooks"]["PreToolUse"]
            for entry in group["hooks"]
        ]
        assert runs == [RUN, *([hand_over_command(RUN)] if asked else [])]


@pytest.mark.skipif(CLAUDE is None, reason="no Claude Code on PATH")
def test_claude_code_itself_finds_nothing_to_say(tmp_path: Path) -> None:
    folder = tmp_path / "plugin"
    install(folder, sys.executable, files=plugin_files(sys.executable, RUN, hand_over=True))
    own = {
        "HOME": str(tmp_path / "home"),
        "CLAUDE_CONFIG_DIR": str(tmp_path / "home" / ".claude"),
        "ANTHROPIC_API_KEY": "none",
        "DISABLE_AUTOUPDATER": "1",
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
    }
    done = subprocess.run(
        [str(CLAUDE), "plugin", "validate", "--strict", str(folder)],
        env=os.environ | own,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=HANGS_AFTER,
        check=False,
    )
    assert done.returncode == 0, done.stdout.decode() + done.stderr.decode()


@pytest.fixture
def skills(tmp_path: Path) -> Path:
    """The skills of a project in which the plugin lies."""
    folder = tmp_path / "project" / ".claude" / "skills"
    install(folder / "orch", sys.executable, files=plugin_files(sys.executable, RUN))
    return folder


def findings(skills: Path) -> list[str]:
    found = examine_record(skills.parent / "no.db", skills.parent.parent)
    return [f"{each.level} {each.detail}" for each in found if each.what in ("hooks", "hand-over")]


def test_hooks_of_a_plugin_are_seen(skills: Path) -> None:
    root = skills.parent.parent
    (registered,) = hook_settings.state(root).registered
    assert registered.by_plugin and registered.path == skills / "orch" / "hooks" / "hooks.json"
    assert hook_settings.state(root).is_on and not hook_settings.state(root).hands_over
    assert any(f"ok registered in {registered.path}" in found for found in findings(skills))
    files = plugin_files(sys.executable, RUN, hand_over=True)
    install(skills / "orch", sys.executable, files=files)
    assert hook_settings.state(root).hands_over
    settings_file(root).write_text('{"enabledPlugins": {"orch@skills-dir": false}}')
    assert hook_settings.state(root).registered == ()


def test_a_plugin_of_a_marketplace_is_seen_where_it_is_enabled(
    tmp_path: Path, own_home: Path
) -> None:
    """As `claude plugin install` of 2.1.332 leaves it."""
    place = own_home / ".claude" / "plugins" / "cache" / "local" / "orch" / "0.1.0"
    install(place, sys.executable, files=plugin_files(sys.executable, RUN))
    listed = {
        "version": 2,
        "plugins": {"orch@local": [{"scope": "user", "installPath": str(place)}]},
    }
    (own_home / ".claude/plugins/installed_plugins.json").write_text(json.dumps(listed))
    root = tmp_path / "project"
    (root / ".claude").mkdir(parents=True)
    assert hook_settings.state(root).registered == ()
    settings_file(None).write_text('{"enabledPlugins": {"orch@local": true}}')
    assert [each.path for each in hook_settings.state(root).registered] == [place / HOOKS]
    settings_file(root).write_text('{"enabledPlugins": {"orch@local": false}}')
    assert hook_settings.state(root).registered == ()


def test_plugin_and_hooks_at_once_are_told(skills: Path) -> None:
    root = skills.parent.parent
    apply(hook_settings.installation(settings_file(root), RUN))
    apply(hook_settings.installation(settings_file(None), RUN))
    (said,) = [found for found in findings(skills) if "recorded once" in found]
    assert str(skills) in said and str(settings_file(root)) not in said.split(" and ")[0]
    apply(hook_settings.removal(settings_file(None)))
    apply(hook_settings.removal(settings_file(root)))
    assert not any("recorded once" in found for found in findings(skills))


def test_a_plugin_whose_orch_is_gone_is_a_problem(skills: Path) -> None:
    files = plugin_files("/gone/python", command("/gone/python"))
    install(skills / "orch", "/gone/python", files=files)
    assert any("problem" in found and "/gone/python" in found for found in findings(skills))


@pytest.mark.parametrize("hooks", ["[]", '{"hooks": 1}', '{"hooks": {"PreToolUse": 1}}', "{", ""])
def test_a_plugin_of_another_form_is_passed_over(skills: Path, hooks: str) -> None:
    (skills / "orch" / HOOKS).write_text(hooks)
    assert hook_settings.state(skills.parent.parent).registered == ()


def test_a_skill_of_which_something_is_gone_is_a_problem(tmp_path: Path) -> None:
    folder = skill_folder(tmp_path)
    install(folder, sys.executable)
    assert not [f for f in examine_record(tmp_path / "no.db", tmp_path) if f.what == "skill"]
    (folder / "SKILL.md").unlink()
    (found,) = [f for f in examine_record(tmp_path / "no.db", tmp_path) if f.what == "skill"]
    assert found.level == "problem" and "SKILL.md" in found.detail
    assert found.remedy == "orch install"
