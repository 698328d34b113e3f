"""The doctor names every orch that something leads to, and runs none of them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from orch_tui import __version__
from orch_tui.install import hook_settings, skill
from orch_tui.install.installations import NamedOrch, named_orchs
from orch_tui.install.plugin import plugin_files
from orch_tui.install.settings_file import apply, settings_file
from orch_tui.paths import claude_folder


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PATH", "/nonexistent")
    folder = tmp_path / "project"
    (folder / ".claude").mkdir(parents=True)
    return folder


def installed(prefix: Path, version: str) -> Path:
    """What installing orch leaves: Python, command, package, notes. Running any would be seen."""
    site = prefix / "lib" / "python3.11" / "site-packages"
    (site / f"orch_tui-{version}.dist-info").mkdir(parents=True)
    (site / "orch_tui").mkdir()
    (site / "orch_tui" / "__init__.py").write_text(f'__version__ = "{version}"\n')
    (site / "orch_tui" / "hook.py").write_text("")
    (prefix / "bin").mkdir()
    for name in ("python", "orch"):
        program = prefix / "bin" / name
        program.write_text(f"#!{prefix}/bin/python\ntouch {prefix}/was_run\n")
        program.chmod(0o755)
    return prefix


def named(root: Path, *prefixes: Path) -> list[NamedOrch]:
    found = list(named_orchs(root))
    assert not any((prefix / "was_run").exists() for prefix in prefixes)
    return found


def test_nothing_is_installed(root: Path) -> None:
    assert named(root) == []


def test_every_orch_on_path_is_named_once_and_in_order(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = installed(tmp_path / "old", "0.0.1"), installed(tmp_path / "new", __version__)
    (tmp_path / "links").mkdir()
    (tmp_path / "links" / "orch").symlink_to(old / "bin" / "orch")
    folders = [old / "bin", tmp_path / "links", new / "bin", Path("bin")]
    monkeypatch.setenv("PATH", ":".join(map(str, folders)))
    first, second = named(root, old, new)
    assert (first.path, first.version) == (str(old / "bin" / "orch"), "0.0.1")
    assert (second.version, second.is_same) == (__version__, True)
    assert first.remedy == f"{old}/bin/python -m pip install --upgrade orch-tui"


@pytest.mark.parametrize(
    ("place", "remedy"),
    [
        (".local/pipx/venvs/orch-tui", "pipx upgrade orch-tui"),
        (".local/share/uv/tools/orch-tui", "uv tool upgrade orch-tui"),
    ],
)
def test_the_remedy_is_that_of_the_installer(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str, remedy: str
) -> None:
    (tmp_path / place).parent.mkdir(parents=True)
    prefix = installed(tmp_path / place, "0.0.1")
    monkeypatch.setenv("PATH", str(prefix / "bin"))
    assert [each.remedy for each in named(root, prefix)] == [remedy]


def test_skill_hooks_and_plugin_lead_to_an_orch(root: Path, tmp_path: Path) -> None:
    old = installed(tmp_path / "old", "0.0.1")
    python, hook = (
        str(old / "bin" / "python"),
        old / "lib/python3.11/site-packages/orch_tui/hook.py",
    )
    run = f"{python} -I -S {hook} || true"
    skill.install(skill.skill_folder(root), python)
    skill.install(skill.skill_folder(None), str(tmp_path / "gone" / "bin" / "python"))
    apply(hook_settings.installation(settings_file(root), run))
    plugin = Path(claude_folder(), "plugins", "cache", "market", "orch", "0.0.1")
    skill.install(plugin, python, files=plugin_files(python, run))
    found = {(each.by, each.remedy): each for each in named(root, old)}
    assert {key: (each.version, each.is_there) for key, each in found.items()} == {
        ("skill", "orch install"): ("0.0.1", True),
        ("skill", "orch install --user"): (None, False),
        ("hooks", "orch install --hooks"): ("0.0.1", True),
        ("plugin", f"orch install --plugin {plugin}"): (__version__, True),
    }
    assert found["hooks", "orch install --hooks"].path == str(hook)


def test_what_the_remedies_say_mends_it(root: Path, tmp_path: Path) -> None:
    old, new = installed(tmp_path / "old", "0.0.1"), installed(tmp_path / "new", __version__)
    for prefix in (old, new):
        python = str(prefix / "bin" / "python")
        run = f"{python} -I -S {prefix}/lib/python3.11/site-packages/orch_tui/hook.py || true"
        skill.install(skill.skill_folder(root), python)
        apply(hook_settings.installation(settings_file(root), run))
    assert [each.is_same for each in named(root, old, new)] == [True, True]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (".claude/skills/multi-agent-orchestration/scripts/_orch.py", "INTERPRETER = open('x')\n"),
        (".claude/skills/multi-agent-orchestration/scripts/_orch.py", "INTERPRETER = ((((\n"),
        (".claude/skills/evil/.claude-plugin/plugin.json", "[" * 100_000),
        (".claude/skills/evil/.claude-plugin/plugin.json", '{"name": "orch", "version": [1]}'),
        (".claude/settings.json", '{"hooks": {"SubagentStop": [{"hooks": [{"command": "\'"}]}]}}'),
    ],
)
def test_what_a_cloned_repository_holds_stops_nothing(root: Path, name: str, text: str) -> None:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    assert all(each.version is None for each in named(root))


def test_a_plugin_of_another_name_is_not_orchs(root: Path) -> None:
    path = root / ".claude" / "skills" / "other" / ".claude-plugin" / "plugin.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps({"name": "other", "version": "1"}))
    assert named(root) == []
