"""Handing over by a line: what the hook answers, what it lets through, and who else says so."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from orch_tui import OrchestrationSession
from orch_tui.hand_over_line import render_hand_over
from orch_tui.install import hook_settings
from orch_tui.paths import hand_over_folder
from tests.cli.conftest import Done, Run
from tests.counts import HANGS_AFTER

HOOK = hook_settings.hand_over_command(hook_settings.command(sys.executable))
OTHERS = {"description": "d", "subagent_type": "task-implementor", "n": 1.50, "deep": {"a": [1]}}


@pytest.fixture
def handed(project: Path, did: Run) -> tuple[str, str]:
    """The id and line of a deployment in a project with the hook."""
    did("install", "--hooks", "--hand-over", "--yes")
    did("init-session", "--scope", "Search")
    return deploy(did)


def deploy(did: Run, *words: str) -> tuple[str, str]:
    did("prepare-bundle", "--agent-type", "task-implementor", "--scope", "HNSW",
        "--files", "lib/types.ts", "--output", "b.json")  # fmt: skip
    return told(did("init-deployment", "--context-bundle", "b.json", "--output", "b.md", *words))


def told(done: Done) -> tuple[str, str]:
    """The id, alone on standard output, and the line."""
    return done.out.removesuffix("\n"), done.err.splitlines()[-1]


def call(prompt: Any, name: str = "T1", **said: Any) -> dict[str, Any]:
    return {
        "hook_event_name": "PreToolUse",
        "session_id": "s1",
        "tool_name": "Agent",
        "tool_use_id": name,
        "tool_input": {**OTHERS, "prompt": prompt},
        **said,
    }


def answer(payload: Any, cwd: Path = Path(), run: str = HOOK) -> Any:
    """What the hook says, as JSON; None: nothing."""
    data = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    while True:
        done = subprocess.run(
            ["sh", "-c", run], input=data, cwd=cwd, capture_output=True, timeout=HANGS_AFTER
        )
        assert (done.returncode, done.stderr) == (0, b"")
        if done.stdout:
            return json.loads(done.stdout)
        late = [
            note
            for note in cwd.glob(".claude/orchestration/inbox/*.json")
            if b"it took more than" in note.read_bytes()
        ]
        if not late:
            return None
        for note in late:  # this machine is busy: another try
            note.unlink()


def kept(line: str) -> Path:
    return Path(hand_over_folder(), line.split("[orch hand-over ")[1].split()[0])


def test_the_line_becomes_the_briefing_and_all_else_stays(handed: tuple[str, str]) -> None:
    briefing = Path("b.md").read_bytes()
    for prompt in (handed[1], f"Please:\n\n{handed[1]}\n", handed[1].replace(" ", "\n")):
        said = answer(call(prompt))
        assert said == {
            "hookSpecificOutput": {
                "hookEventName": "PreToolUse",
                "updatedInput": {**OTHERS, "prompt": briefing.decode()},
            }
        }
    assert not list(Path(".claude/orchestration").glob("inbox/*"))


def test_the_command_on_path_answers_too(handed: tuple[str, str]) -> None:
    run = f"'{sys.executable}' -m orch_tui hook --hand-over"
    said = answer(call(handed[1]), run=run)
    assert said["hookSpecificOutput"]["updatedInput"]["prompt"] == Path("b.md").read_text()


def test_what_is_left_is_private_and_the_copy_is_the_same(handed: tuple[str, str]) -> None:
    file, briefing = kept(handed[1]), Path("b.md").read_bytes()
    assert file.read_bytes() == briefing
    assert (file.stat().st_mode & 0o777, file.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    (copy,) = Path(".claude/orchestration/briefings").iterdir()
    assert str(copy.resolve()) in handed[1]
    assert copy.read_bytes() == briefing
    assert hashlib.sha256(briefing).hexdigest() in handed[1]
    assert "\n" not in handed[1]


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"no JSON [orch hand-over",
        b'{"hook_event_name":"PreToolUse","tool_name":"Agent","tool_input":"[orch hand-over"}',
        b'{"tool_input":{"prompt":"[orch hand-over x sha256 y]"},"hook_event_name":"PreToolUse"}',
        json.dumps(call("[orch hand-over 1 sha256 2]")).encode(),
        json.dumps(call(["[orch hand-over"])).encode(),
        json.dumps(call("x", note="[orch hand-over")).encode(),
    ],
)
def test_what_names_nothing_is_passed_over_in_silence(
    payload: bytes, project: Path, did: Run
) -> None:
    did("init-session", "--scope", "s")
    assert answer(payload) is None
    assert not list(Path(".claude/orchestration").glob("inbox/*"))


def test_other_tools_and_events_are_not_answered(handed: tuple[str, str]) -> None:
    assert answer(call(handed[1], tool_name="Bash")) is None
    assert answer(call(handed[1], hook_event_name="PostToolUse")) is None
    assert answer(call(handed[1], tool_name="Task")) is not None


def _gone(file: Path) -> None:
    file.unlink()


def _linked(file: Path) -> None:
    file.rename(file.with_name("elsewhere"))
    file.symlink_to(file.with_name("elsewhere"))


def _twice(file: Path) -> None:
    os.link(file, file.with_name("elsewhere"))


def _open(file: Path) -> None:
    file.chmod(0o644)


def _open_folder(file: Path) -> None:
    file.parent.chmod(0o777)


def _other(file: Path) -> None:
    file.write_bytes(b"another briefing")


def _pipe(file: Path) -> None:
    file.unlink()
    os.mkfifo(file, 0o600)


@pytest.mark.parametrize("spoil", [_gone, _linked, _twice, _open, _open_folder, _other, _pipe])
def test_what_cannot_be_trusted_goes_through_and_is_told(
    spoil: Any, handed: tuple[str, str], orch: Run, did: Run
) -> None:
    label, line = handed
    spoil(kept(line))
    assert answer(call(line)) is None
    (note,) = Path(".claude/orchestration/inbox").glob("*.json")
    reason = json.loads(note.read_bytes())["reason"]
    assert reason
    answer(call(line), run=hook_settings.command(sys.executable))
    did("query")
    assert reason in orch("doctor").out
    assert json.loads(did("show", label, "--format", "json").out)["not_handed_over"] == reason
    assert f"the line that names the briefing; the hook: {reason}" in did("show", label).out


def test_two_briefings_in_one_prompt_are_none(handed: tuple[str, str], did: Run) -> None:
    other = deploy(did)[1]
    assert answer(call(f"{handed[1]}\n{other}")) is None
    assert len(list(Path(".claude/orchestration/inbox").glob("*.json"))) == 1


def test_a_briefing_that_is_not_utf8_is_not_left(handed: tuple[str, str], orch: Run) -> None:
    Path("odd.txt").write_bytes(b"\xff\xfe odd")
    done = orch("init-deployment", "--agent-type", "a", "--briefing", "odd.txt")
    line = told(done)[1]
    assert "not UTF-8" in done.err
    assert not kept(line).exists()
    data = b"\xff"
    file = Path(hand_over_folder(), "a" * 32)
    file.write_bytes(data)
    file.chmod(0o600)
    named = render_hand_over("a" * 32, hashlib.sha256(data).hexdigest(), "f")
    assert answer(call(named)) is None


def test_where_nothing_can_be_left_the_line_is_still_enough(
    handed: tuple[str, str], orch: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "state").write_text("no folder")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    done = orch("init-deployment", "--context-bundle", "b.json")
    line = told(done)[1]
    assert "the agent has to read the file" in done.err
    copy = Path(line.split("the file ")[1].split(" - ")[0])
    assert copy.read_text().startswith("#")


def test_it_goes_when_the_run_completed_and_by_age(handed: tuple[str, str], did: Run) -> None:
    label, line = handed
    other = kept(deploy(did)[1])
    old = time.time() - 31 * 86_400
    os.utime(other, (old, old))
    copy = Path(".claude/orchestration/briefings", other.name + ".md")
    os.utime(copy, (old, old))
    deploy(did)
    assert not other.exists()
    assert not copy.exists()
    assert kept(line).exists()
    did("record-completion", "--execution-id", label, "--status", "failed")
    assert kept(line).exists(), "it may be called again by the same line"
    done = ("--final-message", "done", "--supersede", "it was there")
    did("record-completion", "--execution-id", label, *done)
    assert not kept(line).exists()


def test_python_and_replay_give_the_line_too(handed: tuple[str, str], did: Run) -> None:
    with OrchestrationSession(scope="x") as session:
        bundle = session.prepare_context(agent_type="a", files=["lib/types.ts"])
        execution = session.init_deployment("a", context_bundle=bundle)
        assert execution.hand_over is not None
        assert kept(execution.hand_over).read_text() == execution.briefing
    line = told(did("replay", handed[0], "--deploy", "--output", "again.md"))[1]
    assert kept(line).read_bytes() == Path("again.md").read_bytes()


def test_who_deploys_is_told_what_no_hook_can_hand_over(
    handed: tuple[str, str], did: Run, orch: Run
) -> None:
    """The state folder is open to others: only the file that the line names is there."""
    folder = Path(hand_over_folder())
    folder.chmod(0o777)
    said = f"{folder} is a link, another user's or open to others"
    assert said in did("init-deployment", "--context-bundle", "b.json", "--output", "b.md").err
    assert said in did("replay", handed[0], "--deploy", "--output", "again.md").err
    with OrchestrationSession(scope="x") as session:
        bundle = session.prepare_context(agent_type="a", files=["lib/types.ts"])
        execution = session.init_deployment("a", context_bundle=bundle, model="nobodys-model")
        assert execution.hand_over is not None
        assert [remark for remark in execution.remarks if said in remark]
        assert [remark for remark in execution.remarks if "nobodys-model" in remark]


def test_without_the_hook_nothing_is_left(project: Path, did: Run) -> None:
    did("install", "--hooks", "--yes")
    did("init-session", "--scope", "s")
    Path("b.txt").write_text("do it")
    assert did("init-deployment", "--agent-type", "a", "--briefing", "b.txt").out == "exec-001\n"
    assert not Path(hand_over_folder()).exists()


def test_the_doctor_tells_of_the_hook_and_uninstall_takes_it(
    project: Path, did: Run, orch: Run
) -> None:
    before = Path(".claude/settings.local.json")
    before.write_text('{"hooks": {"PreToolUse": []}, "x": 1}')
    was = before.read_bytes()
    did("init-session", "--scope", "s")
    did("install", "--hooks", "--yes")
    assert "no hook puts briefings" in orch("doctor").out
    did("install", "--hooks", "--hand-over", "--yes")
    assert "hooks are there already" in did("install", "--hooks", "--yes").err
    assert "a hook puts briefings" in orch("doctor").out
    did("uninstall", "--hooks", "--yes")
    assert before.read_bytes() == was


@pytest.mark.parametrize("bundled", [True, False])
def test_who_calls_twice_by_one_line_has_two_attempts(
    handed: tuple[str, str], did: Run, *, bundled: bool
) -> None:
    """Whatever the model that launches calls it, and as which type."""
    label, line = handed
    briefing = Path("b.md").read_text()
    if not bundled:
        Path("b.md").write_text("Do it all.")
        words = ("--agent-type", "task-implementor", "--scope", "all of it")
        label, line = told(did("init-deployment", *words, "--briefing", "b.md"))
        briefing = kept(line).read_text()
    record = hook_settings.command(sys.executable)
    for name, agent_type in (("T1", "task-implementor"), ("T2", "Explore")):
        said = {"description": f"call {name}", "subagent_type": agent_type}
        assert answer(call(line, name)) is not None
        answer(call(line, name, tool_input={**said, "prompt": line}), run=record)
        answered = call(briefing, name, hook_event_name="PostToolUse")
        answered["tool_input"] = {**said, "prompt": briefing}
        response = {"status": "async_launched", "agentId": f"a{name}"}
        answer({**answered, "tool_response": response}, run=record)
    other, this = sorted(json.loads(did("query", "--format", "json").out),
                         key=lambda row: str(row["execution_id"]))[-2:][::-1]  # fmt: skip
    assert this["execution_id"] == label
    assert len({each["bundle_version_id"] for each in (this, other)}) == 1
    assert (other["scope"], other["agent_type"]) == (this["scope"], "task-implementor")
    shown = json.loads(did("show", other["execution_id"], "--format", "json").out)
    assert shown["attempts"] == [label, other["execution_id"]]
    assert shown["called_as"] == "Explore"


def test_redacting_removes_the_copies_of_a_briefing_that_waits(
    handed: tuple[str, str], did: Run, project: Path
) -> None:
    label, line = handed
    folder = Path(hand_over_folder())
    (copy,) = folder.iterdir()
    beside = project / ".claude" / "orchestration" / "briefings" / f"{copy.name}.md"
    foreign = folder / "of-another-project"
    foreign.write_bytes(copy.read_bytes())
    secret = project / "secret"
    secret.write_text(copy.read_text().splitlines()[0])
    dry = did("redact", "secret", "--reason", "pasted", "--dry-run")
    assert f"would be removed: {copy}" in dry.err and f"would be removed: {beside}" in dry.err
    assert copy.exists() and beside.exists()
    done = did("redact", "secret", "--reason", "pasted")
    assert f"removed: {copy}" in done.err and f"removed: {beside}" in done.err
    assert f"still in {foreign}" in done.err and f"still in {copy}" not in done.err
    assert not copy.exists() and not beside.exists() and foreign.exists()
    assert answer(call(line)) is None
    assert secret.read_text() not in did("replay", label).out
