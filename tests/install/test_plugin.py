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
from orch_tui.install.hook_settings import command, hand_over_command
from orch_tui.install.plugin import plugin_files
from orch_tui.install.skill import install
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
