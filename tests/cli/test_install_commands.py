"""Installing and uninstalling: what is asked, by whom it is answered, and what is left behind."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from orch_tui.install.allowance import RULE
from orch_tui.paths import hand_over_folder, inboxes, state_folder
from tests.cli.conftest import ROOT, Run
from tests.cli.on_terminal import run_on_terminal

SETTINGS = (
    '{\n    "model": "opus",\n    "permissions": {"allow": ["Bash(git log:*)"], "deny": []}\n}'
)
ODD = '{"hooks": {}, "permissions": {"allow": []},\n\t"env": {"A": "ä"}}\n\n'


def answered(*words: str, typed: str = "") -> tuple[int, str]:
    """The exit code of a command on a terminal, and what that shows; ``typed`` answers it."""
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    return run_on_terminal(*words, typed=typed.encode(), env=env)


def everything(*tops: Path) -> dict[str, bytes | None]:
    """Every file with its bytes and every folder."""
    return {
        str(path): path.read_bytes() if path.is_file() else None
        for top in tops
        for path in sorted(top.rglob("*"))
    }


@pytest.mark.parametrize(
    "words",
    [
        ("install",),
        ("install", "--hooks"),
        ("install", "--user", "--hooks", "--hand-over"),
        ("install", "--plugin", "plugin"),
        ("uninstall",),
        ("uninstall", "--hooks"),
    ],
    ids=" ".join,
)
def test_nothing_is_done_where_nobody_can_be_asked(
    words: tuple[str, ...], did: Run, orch: Run, project: Path, own_home: Path
) -> None:
    if words[0] == "uninstall":
        did("install", "--yes")
        did("install", "--hooks", "--yes")
    before = everything(project, own_home)
    done = orch(*words)
    assert done.code == 2 and "--yes" in done.err and "--dry-run" in done.err
    assert everything(project, own_home) == before
    did(*words, "--dry-run")
    assert everything(project, own_home) == before
    did(*words, "--yes")
    assert everything(project, own_home) != before


@pytest.mark.slow
@pytest.mark.parametrize("words", [("install",), ("install", "--hooks")], ids=" ".join)
def test_a_person_is_asked_before_both(words: tuple[str, ...], project: Path) -> None:
    before = everything(project)
    assert answered(*words, typed="n\n")[0] == 1
    assert everything(project) == before
    code, shown = answered(*words, typed="\nn\n")
    assert code == 0 and "[Y/n]" in shown and f"add {RULE}" in shown
    installed = everything(project)
    assert installed != before
    code, shown = answered("uninstall", typed="no\n")
    assert code == 1 and "[Y/n]" in shown
    assert everything(project) == installed
    assert answered("uninstall", typed="y\n")[0] == 0
    assert everything(project) == before


@pytest.mark.slow
def test_the_permission_is_given_only_by_who_says_so(did: Run, project: Path) -> None:
    settings = project / ".claude/settings.local.json"
    did("install", "--hooks", "--yes")
    assert "permissions" not in json.loads(settings.read_text())
    answered("install", "--hooks", typed="\n")
    assert "permissions" not in json.loads(settings.read_text())
    assert answered("install", "--hooks", typed="y\n")[0] == 0
    assert json.loads(settings.read_text())["permissions"] == {"allow": [RULE]}
    assert "[y/N]" not in answered("install", "--hooks")[1]
    did("uninstall", "--yes")
    assert not settings.exists()


@pytest.mark.parametrize("before", [None, SETTINGS, ODD, '{"model": "opus"}'])
@pytest.mark.parametrize("order", ["hooks first", "permission first", "no hooks"])
def test_uninstalling_leaves_nothing_behind(
    before: str | None, order: str, did: Run, project: Path, own_home: Path
) -> None:
    settings = project / ".claude/settings.local.json"
    (project / ".claude").rmdir()
    (project / ".git").mkdir()
    Path(state_folder()).parent.mkdir(parents=True)
    if before is not None:
        settings.parent.mkdir()
        settings.write_text(before)
    was = everything(project, own_home)
    if order == "hooks first":
        did("install", "--hooks", "--yes")
        did("install", "--hooks", "--hand-over", "--yes")
    did("install", "--allow", "--yes")
    if order == "permission first":
        did("install", "--hooks", "--hand-over", "--yes")
    assert RULE in json.loads(settings.read_text())["permissions"]["allow"]
    did("uninstall", "--yes")
    left = everything(project, own_home)
    assert {path: left[path] for path in left.keys() - was.keys()} == {}
    assert left == was


def test_a_permission_that_was_there_before_stays(did: Run, project: Path) -> None:
    settings = project / ".claude/settings.local.json"
    settings.write_text(json.dumps({"permissions": {"allow": [RULE]}}))
    before = settings.read_bytes()
    assert "allowed already" in did("install", "--hooks", "--allow", "--yes").err
    did("uninstall", "--yes")
    assert settings.read_bytes() == before


def test_what_was_changed_since_stays_and_so_does_what_it_was(did: Run, project: Path) -> None:
    settings = project / ".claude/settings.local.json"
    settings.write_text(SETTINGS)
    did("install", "--hooks", "--allow", "--yes")
    settings.write_text(settings.read_text().replace("opus", "sonnet"))
    done = did("uninstall", "--yes")
    assert settings.read_text() == SETTINGS.replace("opus", "sonnet")
    assert "settings.local.json.bak: what the file was once; kept" in done.err


def test_state_goes_with_the_last_hooks_and_what_waits_stays(did: Run, project: Path) -> None:
    did("install", "--hooks", "--hand-over", "--yes")
    did("install", "--hooks", "--user", "--yes")
    copies = Path(hand_over_folder())
    copies.mkdir(mode=0o700)
    (copies / "0123").write_text("a briefing")
    waits = Path(list(inboxes(project))[1])
    waits.mkdir(parents=True)
    (waits / "1-2-3").write_text("{}")
    did("uninstall", "--user", "--yes")
    assert (copies / "0123").exists()
    done = did("uninstall", "--yes")
    assert not copies.exists() and str(waits) in done.err
    assert everything(Path(state_folder())).get(str(waits / "1-2-3")) == b"{}"


@pytest.mark.parametrize("allow", ["x", 1, {"a": 1}])
def test_permissions_of_another_form_are_refused(orch: Run, project: Path, allow: object) -> None:
    settings = project / ".claude/settings.local.json"
    settings.write_text(json.dumps({"permissions": {"allow": allow}}))
    done = orch("install", "--hooks", "--allow", "--yes")
    assert done.code == 1 and '"permissions"."allow" is no list' in done.err


def test_installing_needs_no_state_folder(did: Run, project: Path) -> None:
    """What was noted is lost then: the permission stays, since it may be somebody else's."""
    settings = project / ".claude/settings.local.json"
    Path(state_folder()).parent.parent.mkdir(parents=True)
    Path(state_folder()).parent.write_text("no folder")
    did("install", "--hooks", "--allow", "--yes")
    did("uninstall", "--yes")
    assert json.loads(settings.read_text()) == {"permissions": {"allow": [RULE]}}


@pytest.mark.parametrize("notes", ["", "[]", '{"PATH": 1}', '{"PATH": {"allows": 1}}', "\xff",
    '{"PATH": {"allows": true, "backups": ["../../b.py", 1], "parents": 99}}'])  # fmt: skip
def test_notes_of_another_form_cost_nothing_of_the_users(
    notes: str, did: Run, project: Path, own_home: Path
) -> None:
    settings = project / ".claude/settings.local.json"
    settings.write_text(SETTINGS)
    (project / "b.py").write_text(SETTINGS)
    did("install", "--hooks", "--yes")
    (place,) = Path(state_folder()).glob("*.json")
    place.write_text(notes.replace("PATH", str(settings)), encoding="latin-1")
    did("uninstall", "--yes")
    assert settings.read_text() == SETTINGS and (project / "b.py").read_text() == SETTINGS
    assert project.is_dir() and own_home.is_dir()


def test_a_long_change_is_told_in_short_and_shown_whole_when_asked_for(orch: Run) -> None:
    told = orch("install", "--hooks", "--yes").err
    assert "lines in, 0 lines out; of hooks: PreToolUse, " in told
    assert len(told.splitlines()) < 10
    taken_out = orch("uninstall", "--hooks", "--dry-run").err
    assert len([line for line in taken_out.splitlines() if line.startswith("-")]) > 50
