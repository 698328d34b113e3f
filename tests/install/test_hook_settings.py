"""Registering the hooks: the user's settings keep every byte that is not orch's."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orch_tui.claude_client import client_version, oldest_client
from orch_tui.errors import ConflictError, FormatError, SourceError, UsageError
from orch_tui.install import hook_settings, json_text
from orch_tui.install import settings_file as settings_module
from orch_tui.install.hook_settings import (
    command,
    due_installation,
    installation,
    removal,
    state,
)
from orch_tui.install.offers import offer
from orch_tui.install.settings_file import apply, settings_file
from orch_tui.project import Project
from orch_tui.record.upkeep.doctor import examine_record

RUN = command(sys.executable)

PLAIN = """{
  "permissions": {
    "allow": ["Bash(ls:*)", "Read"]
  },
  "model": "opus"
}
"""
INLINE = '{"model": "opus", "hooks": {"Stop": [{"hooks": []}]}}'
TABS = '{\n\t"hooks": {\n\t\t"PreToolUse": [\n\t\t\t{"matcher": "Bash", "hooks": []}\n\t\t]\n\t}\n}'
WINDOWS = PLAIN.replace("\n", "\r\n")
OTHERS = """{
    "hooks": {
        "SessionEnd": [
            {"hooks": [{"type": "command", "command": "orch hook-like"}]}
        ],
        "PreToolUse": [],
        "SubagentStop": [ ]
    },
    "ünï": "\\u00fc"
}"""
TEXTS = {
    "plain": PLAIN,
    "inline": INLINE,
    "tabs": TABS,
    "windows": WINDOWS,
    "others": OTHERS,
    "empty": "{}",
    "spaced": "{ }\n",
    "marked": "\ufeff" + PLAIN,
    "nothing": "",
}


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    path = settings_file(tmp_path)
    path.parent.mkdir()
    return path


def install(path: Path, run: str = RUN) -> Path | None:
    return apply(installation(path, run))


def uninstall(path: Path) -> None:
    apply(removal(path))


@pytest.mark.parametrize("name", TEXTS)
def test_what_else_the_file_holds_keeps_its_bytes(settings: Path, name: str) -> None:
    before = TEXTS[name].encode()
    settings.write_bytes(before)
    backup = install(settings)
    assert backup and backup.read_bytes() == before
    after = settings.read_bytes().decode()
    document = json.loads(after.lstrip("\ufeff"))
    old = json.loads(TEXTS[name].lstrip("\ufeff") or "{}")
    assert {k: v for k, v in document.items() if k != "hooks"} == {
        k: v for k, v in old.items() if k != "hooks"
    }
    for event, matcher in hook_settings.EVENTS.items():
        *theirs, ours = document["hooks"][event]
        assert theirs == old.get("hooks", {}).get(event, [])
        assert (ours.get("matcher"), ours["hooks"][0]["command"]) == (matcher, RUN)
    if name not in ("inline", "others"):  # they end with what gets a neighbour
        kept = {line.rstrip(",") for line in TEXTS[name].splitlines() if line.strip(" \t{}[],")}
        assert kept <= {line.rstrip(",") for line in after.splitlines()}
    assert ("\r\n" in after) == (name == "windows")
    assert after.startswith("\ufeff") == (name == "marked")
    assert install(settings) is None and settings.read_bytes().decode() == after
    uninstall(settings)
    assert settings.read_bytes() == before


@pytest.mark.parametrize("name", sorted({*TEXTS} - {"others", "nothing", "spaced", "empty"}))
def test_taking_out_is_exact_also_without_the_backup(settings: Path, name: str) -> None:
    settings.write_text(TEXTS[name], newline="")
    before = settings.read_bytes()
    backup = install(settings)
    assert backup
    backup.unlink()
    uninstall(settings)
    assert settings.read_bytes() == before


def test_what_was_changed_since_stays(settings: Path) -> None:
    settings.write_text(PLAIN)
    install(settings)
    text = settings.read_text()
    settings.write_text(text.replace('"opus"', '"sonnet"').replace('"Read"', '"Read", "Edit"'))
    uninstall(settings)
    assert settings.read_text() == PLAIN.replace('"opus"', '"sonnet"').replace(
        '"Read"', '"Read", "Edit"'
    )


def test_a_file_that_the_client_wrote_anew_becomes_what_it_was(settings: Path) -> None:
    """2.1.332 lays a settings file out anew while it runs."""
    settings.write_text(PLAIN)
    install(settings)
    settings.write_text(json.dumps(json.loads(settings.read_text()), indent=4))
    uninstall(settings)
    assert settings.read_text() == PLAIN
    assert [path.name for path in settings.parent.iterdir()] == [settings.name]


def test_a_file_that_installing_made_goes(settings: Path) -> None:
    assert install(settings) is None
    assert json.loads(settings.read_text()) == {"hooks": hook_settings.hooks(RUN)}
    uninstall(settings)
    assert not settings.exists()


def test_another_interpreter_takes_the_place_of_the_first(settings: Path) -> None:
    settings.write_text(PLAIN)
    install(settings)
    install(settings, command("/elsewhere/my python"))
    assert RUN not in settings.read_text()
    assert state(settings.parents[1]).registered[0].command == command("/elsewhere/my python")
    uninstall(settings)
    assert settings.read_text() == PLAIN


def test_a_hook_that_shares_a_group_is_taken_out_alone(settings: Path) -> None:
    mine = {"type": "command", "command": "mine"}
    ours = {"type": "command", "command": RUN}
    group = {"matcher": "Agent", "hooks": [mine, ours, mine]}
    settings.write_text(json.dumps({"hooks": {"PreToolUse": [group, {"hooks": 3}, 7]}}, indent=2))
    uninstall(settings)
    assert json.loads(settings.read_text()) == {
        "hooks": {"PreToolUse": [{"matcher": "Agent", "hooks": [mine, mine]}, {"hooks": 3}, 7]}
    }


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("{", "line 1, column 2"),
        ('{\n  // mine\n  "model": "opus"\n}', "line 2, column 3"),
        ("[]", "no JSON object"),
        ('{"hooks": []}', '"hooks" is no JSON object'),
        ('{"hooks": {"Stop": {}}}', '"hooks"."Stop" is no list'),
        ("\xff", "not UTF-8"),
        ("[" * 100_000, "settings.local.json"),
    ],
)
def test_what_is_not_understood_is_left_alone(settings: Path, text: str, wrong: str) -> None:
    settings.write_bytes(text.encode("latin-1"))
    with pytest.raises(FormatError, match=wrong) as caught:
        installation(settings, RUN)
    assert "mend the file" in caught.value.hint
    with pytest.raises(FormatError, match=wrong):
        removal(settings)
    assert state(settings.parents[1]).unreadable == (settings,)


def test_a_key_that_stands_there_twice_is_no_trap(settings: Path) -> None:
    settings.write_text('{"hooks": {"Stop": []}, "hooks": {"Stop": [], "Stop": [1]}}')
    install(settings)
    document = json.loads(settings.read_text())
    assert document["hooks"]["Stop"] == [1]
    assert set(hook_settings.EVENTS) < set(document["hooks"])


def test_a_link_of_the_users_stays_one_and_the_mode_stays(own_home: Path, tmp_path: Path) -> None:
    settings = settings_file(None)
    settings.parent.mkdir(parents=True)
    dotfile = tmp_path / "dotfile.json"
    dotfile.write_text(PLAIN)
    dotfile.chmod(0o600)
    settings.symlink_to(dotfile)
    install(settings)
    assert settings.is_symlink() and "hook.py" in dotfile.read_text()
    assert dotfile.stat().st_mode & 0o777 == 0o600


def test_a_link_of_a_repository_to_elsewhere_is_not_followed(tmp_path: Path) -> None:
    """Such as to the user's settings, which every other project listens to."""
    project, outside = tmp_path / "project", tmp_path / "outside"
    outside.mkdir()
    (project / "config").mkdir(parents=True)
    (outside / "settings.local.json").write_text(PLAIN)
    path = settings_file(project)
    for link, target in ((path, outside / path.name), (path.parent, outside)):
        link.parent.mkdir(exist_ok=True)
        link.symlink_to(target)
        with pytest.raises(SourceError, match="leads out of"):
            installation(path, RUN)
        with pytest.raises(SourceError, match="leads out of"):
            removal(path)
        link.unlink()
        if link.parent != project:
            link.parent.rmdir()
    path.parent.symlink_to("config")  # a link within the project is the project's own matter
    apply(installation(path, RUN))
    assert "hook.py" in (project / "config" / path.name).read_text()
    assert (outside / path.name).read_text() == PLAIN


def test_settings_that_are_a_pipe_or_device_are_not_read(settings: Path, tmp_path: Path) -> None:
    os.mkfifo(settings)
    settings_file(tmp_path, shared=True).symlink_to("/dev/zero")
    assert len(state(tmp_path).unreadable) == 2
    with pytest.raises(FormatError, match="is no plain file"):
        installation(settings, RUN)


def test_a_change_by_somebody_else_is_not_overwritten(settings: Path) -> None:
    change = installation(settings, RUN)
    settings.write_text("{}")
    with pytest.raises(ConflictError, match="in the meantime"):
        apply(change)
    assert settings.read_text() == "{}"


def test_the_command_names_an_interpreter_in_full(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="absolute"):
        command("python3")
    assert command("/a b/python").startswith("'/a b/python' -I -S ")


def test_the_state_of_a_project(tmp_path: Path, own_home: Path) -> None:
    (tmp_path / ".claude").mkdir()
    assert not state(tmp_path).is_on and state(tmp_path).registered == ()
    install(settings_file(tmp_path))
    assert state(tmp_path).is_on
    install(settings_file(tmp_path), command("/gone/python"))
    (registered,) = state(tmp_path).registered
    assert registered.is_complete and not registered.works and not state(tmp_path).is_on
    uninstall(settings_file(tmp_path))
    (own_home / ".claude").mkdir()
    install(settings_file(None))
    assert state(tmp_path).is_on


def test_who_turns_hooks_off(
    tmp_path: Path, settings: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The nearest file that says anything of it holds; an administrator's overrule them."""
    project, managed = settings.parent.parent, tmp_path / "managed"
    install(settings)
    shared = settings_file(project, shared=True)
    shared.write_text('{"disableAllHooks": true}')
    assert state(project).disabled_by == shared and not state(project).is_on
    found = examine_record(settings.parent / "no.db", project)
    (said,) = [each for each in found if "turns hooks off" in each.detail]
    assert str(shared) in said.detail and "disableAllHooks" in said.remedy
    settings.write_text(settings.read_text().replace("{", '{"disableAllHooks": false, ', 1))
    assert state(project).is_on
    (managed / "managed-settings.d").mkdir(parents=True)
    monkeypatch.setattr(settings_module, "MANAGED", str(managed))
    own = managed / "managed-settings.json"
    for text in ('{"disableAllHooks": true}', '{"allowManagedHooksOnly": true}'):
        own.write_text(text)
        assert state(project).disabled_by == own
    (managed / "managed-settings.d" / "10.json").write_text('{"disableAllHooks": false}')
    own.write_text('{"disableAllHooks": true}')
    assert state(project).is_on


# The text


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=8,
)


@pytest.mark.slow
@given(
    st.dictionaries(st.text(max_size=3), json_values, max_size=4),
    json_values,
    st.sampled_from([None, 1, 2, 4, "\t"]),
)
def test_what_is_put_in_can_be_taken_out_again(
    document: dict[str, Any], value: Any, indent: int | str | None
) -> None:
    document.pop("new", None)
    text = json.dumps(document, indent=indent)
    longer = json_text.insert(text, 0, value, key="new")
    assert json.loads(longer) == {**document, "new": value}
    if document:
        assert longer.startswith(text[: json_text.items(text, 0)[-1].end])
        assert json_text.remove(longer, 0, len(document)) == text
    assert list(json.loads(longer)) == [item.key for item in json_text.items(longer, 0)]
    for number, name in enumerate(document):
        without = {k: v for k, v in document.items() if k != name}
        assert json.loads(json_text.remove(text, 0, number)) == without


# Which client is there


@pytest.fixture
def client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Install a ``claude`` that must never be run; gives its maker."""
    binaries = tmp_path / "bin"
    binaries.mkdir()
    monkeypatch.setenv("PATH", str(binaries))

    def make(program: str, package: dict[str, str] | None = None) -> None:
        path = tmp_path / program
        path.parent.mkdir(parents=True)
        path.write_text("#!/bin/sh\nexit 1\n")
        path.chmod(0o755)
        (binaries / "claude").symlink_to(path)
        if package is not None:
            at = tmp_path / "lib/node_modules/@anthropic-ai/claude-code/package.json"
            at.parent.mkdir(parents=True, exist_ok=True)
            at.write_text(json.dumps(package))

    return make


NPM = "lib/node_modules/@anthropic-ai/claude-code/cli.js"
NAMED = "@anthropic-ai/claude-code"


@pytest.mark.parametrize(
    ("program", "package", "version"),
    [
        ("share/claude/versions/2.0.42", None, (2, 0, 42)),
        ("Caskroom/claude-code/2.1.332/claude", None, (2, 1, 332)),
        (NPM, {"name": NAMED, "version": "1.0.128"}, (1, 0, 128)),
        ("lib/claude", {"name": NAMED, "version": "2.0.30"}, (2, 0, 30)),
        (NPM, {"name": "another", "version": "1.0.0"}, None),
        (NPM, {"name": NAMED, "version": "next"}, None),
        ("somewhere/claude", None, None),
    ],
)
def test_the_files_of_a_client_say_which_it_is(
    client: Any, program: str, package: dict[str, str] | None, version: Any
) -> None:
    client(program, package)
    assert client_version() == version


def test_an_old_client_gets_only_events_that_it_knows(settings: Path, client: Any) -> None:
    """It would drop the whole file without a word."""
    settings.write_text(PLAIN)
    client("share/claude/versions/2.0.42")
    install(settings)
    assert list(json.loads(settings.read_text())["hooks"]) == [
        *("PreToolUse", "PostToolUse", "SubagentStop", "UserPromptSubmit", "SessionEnd")
    ]
    assert state(settings.parent.parent).is_on
    found = examine_record(settings.parent / "no.db", settings.parent.parent)
    (said,) = [each.detail for each in found if "too old" in each.detail]
    assert "SubagentStart" in said
    uninstall(settings)
    assert settings.read_text() == PLAIN


def test_the_oldest_client_decides(
    settings: Path, client: Any, own_home: Path, tmp_path: Path
) -> None:
    """Each client of the user reads the file, and a strict one drops it whole."""
    client("share/claude/versions/2.1.332")
    assert oldest_client() == ((2, 1, 332), str(tmp_path / "bin/claude"))
    install(settings)
    for release in ("2.0.40", "2.0.41"):
        (own_home / f".vscode/extensions/anthropic.claude-code-{release}-linux-x64").mkdir(
            parents=True
        )
    version, place = oldest_client() or ((), "")
    assert version == (2, 0, 41) and "2.0.41" in place  # the older one is only not yet removed
    assert client_version() == (2, 1, 332)
    (registered,) = state(settings.parent.parent).registered
    assert "SubagentStart" in registered.unknown
    found = examine_record(settings.parent / "no.db", settings.parent.parent)
    (said,) = [each for each in found if "drops" in each.detail]
    assert said.level == "problem" and "2.0.41" in said.detail and str(settings) in said.detail
    apply(due_installation(settings.parent.parent, sys.executable))
    assert state(settings.parent.parent).registered[0].unknown == ()


def test_an_update_of_the_client_is_offered(
    settings: Path, client: Any, own_home: Path, tmp_path: Path
) -> None:
    root = settings.parent.parent
    (own_home / ".claude").mkdir(exist_ok=True)
    client("share/claude/versions/2.0.42")
    apply(installation(settings_file(root, shared=True), hook_settings.PLAIN))
    (tmp_path / "bin/orch").symlink_to(sys.executable)
    project = Project(root)
    assert offer(project, only_update=True) is None
    (tmp_path / "bin/claude").unlink()
    client("share/claude/other/2.1.332")
    found = offer(project, only_update=True)
    assert found and found.hooks and "SubagentStart" in found.update and found.update in str(found)
    change = due_installation(root, sys.executable)
    assert change.path == settings_file(root, shared=True)
    apply(change)
    assert offer(project, only_update=True) is None
    assert {each.command for each in state(root).registered} == {hook_settings.PLAIN}


def test_after_an_update_of_the_client_more_is_wanted(
    settings: Path, client: Any, tmp_path: Path
) -> None:
    client("share/claude/versions/2.0.42")
    install(settings)
    (tmp_path / "bin/claude").unlink()
    client("share/claude/other/2.1.332")
    assert not state(settings.parent.parent).is_on
    install(settings)
    assert "StopFailure" in json.loads(settings.read_text())["hooks"]
    assert state(settings.parent.parent).is_on
