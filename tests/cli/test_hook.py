"""The hook, as Claude Code runs it: silent, quick, ended with 0, and nothing is lost."""

from __future__ import annotations

import errno
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from orch_tui import hook
from orch_tui.install import hook_settings
from orch_tui.paths import inboxes
from orch_tui.record.hooks import inbox
from tests.cli.conftest import ROOT, Run, Shell
from tests.counts import HANGS_AFTER
from tests.record import hook_events as hooks
from tests.record.claude_home import Transcript, notification, tool

PAYLOAD = json.dumps(hooks.foreground()[0]).encode()
AS_REGISTERED = hook_settings.command(sys.executable)


def fire(
    payload: bytes | None,
    cwd: Path,
    *,
    run: str = AS_REGISTERED,
    preparing: str = "",
    **variables: str | None,
) -> subprocess.CompletedProcess[bytes]:
    """Run the hook through a shell, as Claude Code does, and see that nobody notices."""
    env = {name: value for name, value in os.environ.items() if name not in variables}
    env |= {name: value for name, value in variables.items() if value is not None}
    done = subprocess.run(
        ["sh", "-c", f"{preparing}{run}"],
        input=payload,
        stdin=None if payload is not None else subprocess.DEVNULL,
        cwd=cwd,
        env=env,
        capture_output=True,
        timeout=HANGS_AFTER,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    return done


def left(root: Path, number: int = 0) -> list[bytes]:
    """The payloads in an inbox of a project: its own, the user's, the temporary one."""
    folder = Path(list(inboxes(root))[number])
    return (
        [path.read_bytes() for path in sorted(folder.iterdir()) if path.is_file()]
        if folder.exists()
        else []
    )


@pytest.fixture
def recorded(project: Path, did: Run) -> Path:
    """A project with a record."""
    did("init-session", "--scope", "s")
    return project


def test_a_payload_is_one_private_file_as_it_came(recorded: Path) -> None:
    before = time.time_ns()
    fire(PAYLOAD, recorded)
    (file,) = (recorded / ".claude/orchestration/inbox").iterdir()
    assert file.read_bytes() == PAYLOAD
    assert (file.stat().st_mode & 0o777, file.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    assert before <= int(file.name.split("-")[0]) <= time.time_ns()


def test_a_project_without_a_record_is_left_alone(project: Path, tmp_path: Path) -> None:
    before = sorted(project.rglob("*"))
    fire(PAYLOAD, project)
    assert sorted(project.rglob("*")) == before
    assert left(project, 1) == [PAYLOAD]


SECRET = "the password is swordfish"


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize(
    "prompt", [SECRET, f"about <task-notification>: {SECRET}", f'"prompt": "<task {SECRET}']
)
def test_a_prompt_of_the_user_reaches_no_disk(
    recorded: Path, tmp_path: Path, prompt: str, indent: int | None
) -> None:
    payload = hooks.event("UserPromptSubmit", prompt=prompt)
    fire(json.dumps(payload, indent=indent).encode(), recorded)
    for path in tmp_path.rglob("*"):
        assert not path.is_file() or b"swordfish" not in path.read_bytes()
    assert left(recorded) == []


@pytest.mark.parametrize("indent", [None, 2])
def test_what_claude_code_tells_in_place_of_a_prompt_is_left(
    recorded: Path, indent: int | None
) -> None:
    told = hooks.event("UserPromptSubmit", prompt=notification("a1", "T1", "Found."))
    about = hooks.call("T1", f'{{"hook_event_name": "UserPromptSubmit", "prompt": "{SECRET}"}}')
    payloads = [json.dumps(each, indent=indent).encode() for each in (told, about)]
    for payload in payloads:
        fire(payload, recorded)
    assert left(recorded) == payloads


@pytest.mark.parametrize("words", ["", " --bogus", " a b c", " hook --format json"])
def test_any_arguments_will_do(recorded: Path, shell: Shell, words: str) -> None:
    done = shell(f"orch hook{words}", input=PAYLOAD)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    assert left(recorded) == [PAYLOAD]


def test_it_is_found_from_where_claude_code_says(recorded: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    fire(PAYLOAD, elsewhere, CLAUDE_PROJECT_DIR=str(recorded / "lib"))
    fire(PAYLOAD, recorded / "lib", CLAUDE_PROJECT_DIR="/not/there")
    assert left(recorded) == [PAYLOAD, PAYLOAD]


def test_a_linked_worktree_belongs_to_the_main_one(recorded: Path, tmp_path: Path) -> None:
    git = ["git", "-c", "user.name=t", "-c", "user.email=t@example.com"]
    for words in ("init -q", "commit -q --allow-empty -m start", "worktree add -q ../linked"):
        subprocess.run([*git, *words.split()], cwd=recorded, check=True, capture_output=True)
    fire(PAYLOAD, tmp_path / "linked")
    assert left(recorded) == [PAYLOAD]


@pytest.mark.parametrize(
    "payload", [b"", b"{", b"\xff\x00\xfe", b"[]", b"null", b"x" * 50_000_000], ids=len
)
def test_any_payload_will_do(recorded: Path, payload: bytes, did: Run) -> None:
    fire(payload, recorded)
    assert left(recorded) == ([payload] if payload else [])
    if payload:
        did("query")
        assert left(recorded) == []
        aside = list((recorded / ".claude/orchestration/inbox/unreadable").glob("*.json"))
        assert [path.read_bytes() for path in aside] == [payload]
        (finding,) = [f for f in did("doctor", "--format", "json").json if f["what"] == "inbox"]
        assert (finding["level"], finding["detail"].split(" in ")[0]) == (
            "warning",
            "1 payload could not be read",
        )


def test_a_closed_input_is_no_payload(recorded: Path) -> None:
    fire(None, recorded, run=f"{AS_REGISTERED[: -len(' || true')]} <&-")
    assert left(recorded) == []


@pytest.mark.slow
def test_an_input_that_never_ends_is_waited_for_a_second(recorded: Path) -> None:
    ours, theirs = socket.socketpair()
    theirs.sendall(PAYLOAD)
    start = time.monotonic()
    done = subprocess.run(
        ["sh", "-c", AS_REGISTERED],
        stdin=ours.fileno(),
        cwd=recorded,
        timeout=HANGS_AFTER,
        capture_output=True,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    assert time.monotonic() - start >= hook.PATIENCE
    assert left(recorded) == [PAYLOAD]
    ours.close()
    theirs.close()


@pytest.mark.slow
def test_a_writer_that_pauses_within_a_payload_is_heard_to_its_end(recorded: Path) -> None:
    ours, theirs = socket.socketpair()
    words = [sys.executable, "-I", "-S", hook.__file__]
    process = subprocess.Popen(words, stdin=ours.fileno(), cwd=recorded)
    ours.close()
    parts = [PAYLOAD[:40], PAYLOAD[40:80], PAYLOAD[80:120], PAYLOAD[120:]]
    for part in parts[:-1]:
        theirs.sendall(part)
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(hook.PATIENCE / 2)
    theirs.sendall(parts[-1])
    theirs.close()
    assert process.wait(HANGS_AFTER) == 0
    assert left(recorded) == [PAYLOAD]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGPIPE])
def test_a_signal_does_not_stop_it(recorded: Path, number: int) -> None:
    ours, theirs = socket.socketpair()
    words = [sys.executable, "-I", "-S", hook.__file__]
    process = subprocess.Popen(words, stdin=ours.fileno(), cwd=recorded)
    while not _ignores(process.pid, number):
        time.sleep(0.005)
    process.send_signal(number)
    theirs.sendall(PAYLOAD)
    ours.close()
    theirs.close()
    assert process.wait(20) == 0
    assert left(recorded) == [PAYLOAD]


def _ignores(pid: int, number: int) -> bool:
    status = Path(f"/proc/{pid}/status").read_text()
    (mask,) = [line.split()[1] for line in status.splitlines() if line.startswith("SigIgn")]
    return bool(int(mask, 16) >> (number - 1) & 1)


def test_without_a_home_or_any_variable(recorded: Path) -> None:
    fire(PAYLOAD, recorded, run=f"env -i {AS_REGISTERED}")
    assert left(recorded) == [PAYLOAD]


def test_a_working_folder_that_is_gone(recorded: Path, tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    fire(PAYLOAD, gone, preparing=f"rmdir {gone}; ", CLAUDE_PROJECT_DIR=str(recorded))
    assert left(recorded) == [PAYLOAD]
    gone.mkdir()
    fire(PAYLOAD, gone, preparing=f"rmdir {gone}; ")


def test_an_installation_that_is_gone_blocks_nothing(recorded: Path, tmp_path: Path) -> None:
    """Python ends with 2 where its script is missing, and that would forbid the tool call."""
    for missing in (("hook.py", "gone.py"), (shlex_name(sys.executable), "/gone/python")):
        run = AS_REGISTERED.replace(*missing)
        done = subprocess.run(["sh", "-c", run], cwd=recorded, input=PAYLOAD, capture_output=True)
        assert done.returncode == 0


def shlex_name(path: str) -> str:
    import shlex

    return shlex.quote(path)


# Where the inbox cannot be written


def failing(monkeypatch: pytest.MonkeyPatch, folder: Path, error: int) -> None:
    """Writing below a folder fails: for root, permissions alone do not."""
    really = os.write
    opened: dict[int, str] = {}
    open_really = os.open

    def opening(path: Any, *rest: Any, **options: Any) -> int:
        file = open_really(path, *rest, **options)
        opened[file] = os.fspath(path)
        return file

    def writing(file: int, data: Any) -> int:
        if opened.get(file, "").startswith(str(folder)):
            really(file, bytes(data)[:10])
            raise OSError(error, os.strerror(error))
        return really(file, data)

    monkeypatch.setattr(os, "open", opening)
    monkeypatch.setattr(os, "write", writing)


@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EROFS, errno.EACCES])
def test_what_cannot_be_written_goes_elsewhere(
    recorded: Path, monkeypatch: pytest.MonkeyPatch, did: Run, error: int
) -> None:
    with monkeypatch.context() as patched:
        failing(patched, recorded, error)
        assert hook.put([PAYLOAD], str(recorded), hooks.START_NS)
    assert left(recorded) == [], "nor is half of it left"
    assert left(recorded, 1) == [PAYLOAD]
    assert len(did("query", "--format", "json").json) == 1
    assert left(recorded, 1) == []


def test_doctor_tells_of_an_inbox_that_cannot_be_written(
    recorded: Path, monkeypatch: pytest.MonkeyPatch, did: Run
) -> None:
    with monkeypatch.context() as patched:
        failing(patched, recorded, errno.EROFS)
        hook.put([PAYLOAD], str(recorded), hooks.START_NS)
    really = os.access
    folder = str(recorded / ".claude/orchestration")
    monkeypatch.setattr(os, "access", lambda p, mode: p != folder and really(p, mode))
    (finding,) = [f for f in did("doctor", "--format", "json").json if f["what"] == "inbox"]
    assert finding["level"] == "warning"
    assert f"{folder} cannot be written" in finding["detail"]


def test_doctor_tells_of_projects_nobody_opened(recorded: Path, tmp_path: Path, did: Run) -> None:
    for name in ("one", "two"):
        (tmp_path / name / ".git").mkdir(parents=True)
        hook.put([PAYLOAD], str(tmp_path / name), hooks.START_NS)
    (finding,) = [f for f in did("doctor", "--format", "json").json if f["what"] == "inbox"]
    assert finding["level"] == "ok"
    assert finding["detail"].startswith("2 payloads (0.0 MB) of 2 other projects in ")


def test_doctor_tells_of_calls_whose_agent_is_not_known(recorded: Path, did: Run) -> None:
    """The answers to two calls in the background were lost, and so were the transcripts."""
    one, answered_one, *agent_one = hooks.background(1)
    two, answered_two, *agent_two = hooks.background(2)
    ended = hooks.event("SessionEnd", reason="other")
    hooks.deliver(recorded, [one, two, *agent_one, *agent_two, ended])
    did("query")
    (finding,) = [f for f in did("doctor", "--format", "json").json if f["what"] == "halves"]
    assert finding["detail"].startswith("2 executions may stand twice")
    hooks.deliver(recorded, [answered_one, answered_two])
    did("query")
    assert "halves" not in did("doctor").out


def test_where_nothing_can_be_written_nothing_happens(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing(monkeypatch, Path("/"), errno.ENOSPC)
    assert hook.put([PAYLOAD], str(project), hooks.START_NS) is None


def test_a_folder_that_others_can_reach_into_is_not_used(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    (tmp_path / "state/orch").mkdir(parents=True)
    (tmp_path / "state/orch").chmod(0o777)
    fire(PAYLOAD, project)
    assert left(project, 1) == []
    assert left(project, 2) == [PAYLOAD]
    shutil.rmtree(tmp_path / f"orch-{os.getuid()}")
    (tmp_path / "theirs").mkdir()
    (tmp_path / f"orch-{os.getuid()}").symlink_to(tmp_path / "theirs")
    fire(PAYLOAD, project)
    assert list((tmp_path / "theirs").rglob("*.json")) == []
    planted = Path(list(inboxes(project))[1])
    planted.mkdir(parents=True, exist_ok=True)
    (planted / "00000000000000000001-1-1.json").write_bytes(PAYLOAD)
    assert inbox.list_waiting(project) == []


@pytest.mark.parametrize("linked", [".claude", "orchestration", "inbox", "unreadable"])
@pytest.mark.parametrize("has_record", [False, True])
def test_nothing_behind_a_link_of_a_repository_is_an_inbox(
    project: Path, tmp_path: Path, orch: Run, linked: str, has_record: bool
) -> None:
    """A repository may hold any link, and git makes it on cloning."""
    victim = tmp_path / "victim"
    inside = {
        ".claude": "orchestration/inbox/unreadable",
        "orchestration": "inbox/unreadable",
        "inbox": "unreadable",
        "unreadable": "",
    }[linked]
    (victim / inside).mkdir(parents=True)
    taken = victim / inside.removesuffix("unreadable")
    (taken / "settings.json").write_bytes(b'{"token": "x"}')
    (taken / "log.json").write_bytes(PAYLOAD)
    (taken / "draft.tmp").write_bytes(b"draft")
    os.utime(taken / "draft.tmp", (0, 0))
    if has_record and linked == ".claude":
        (victim / "orchestration/execution.db").touch()
    link = (
        project
        / {
            ".claude": ".claude",
            "orchestration": ".claude/orchestration",
            "inbox": ".claude/orchestration/inbox",
            "unreadable": ".claude/orchestration/inbox/unreadable",
        }[linked]
    )
    shutil.rmtree(project / ".claude", ignore_errors=True)
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to(victim)
    if linked == "unreadable":
        (link.parent / "broken.json").write_bytes(b"broken")
    if has_record and linked in ("inbox", "unreadable"):
        (project / ".claude/orchestration/execution.db").touch()
    before = sorted((path, path.stat().st_mtime_ns) for path in victim.rglob("*"))
    fire(PAYLOAD, project)
    assert left(project, 1) == [PAYLOAD], "the user's own inbox takes it"
    for words in (["query"], ["init-session", "--scope", "s"], ["doctor", "--repair"], ["query"]):
        orch(*words)
    assert sorted((path, path.stat().st_mtime_ns) for path in victim.rglob("*")) == before


def test_doctor_names_an_inbox_that_nothing_is_taken_from(
    recorded: Path, tmp_path: Path, orch: Run
) -> None:
    planted = Path(next(inboxes(recorded)))
    planted.symlink_to(tmp_path)
    assert f"{planted} is or holds a link" in orch("doctor").out


# The whole way


def test_who_never_typed_a_command_finds_every_run(project: Path, did: Run, shell: Shell) -> None:
    """Hooks as they are registered, and then one look."""
    did("install", "--hooks", "--yes")
    registered = json.loads((project / ".claude/settings.local.json").read_text())["hooks"]
    agent = f"a{1:016x}"
    transcript = Transcript(f"{hooks.SESSION}/subagents/agent-{agent}.jsonl", hooks.SESSION, agent)
    transcript.hears("find bug 1")
    transcript.says("m1", tool("R", "Read", file_path="/elsewhere/a.py"))
    transcript.gets("R")
    transcript.says("m2", "Found it in lib/a.py.", stop="end_turn", output=997)
    first, *others = hooks.foreground(1)
    others[1]["agent_transcript_path"] = str(transcript.write(project.parent / "claude"))
    for payload in [first, *others, *hooks.background(2)]:
        for group in registered[payload["hook_event_name"]]:
            if "matcher" not in group or payload["tool_name"] in group["matcher"].split("|"):
                for entry in group["hooks"]:
                    fire(json.dumps(payload).encode(), project, run=entry["command"])
    rows = did("history", "--format", "json").json
    assert {row["agent_type"] for row in rows} == {"Explore"}
    assert [row["status"] for row in rows] == ["completed", "completed"]
    (found,) = did("history", "bug 1", "--format", "json").json
    shown = did("show", found["execution_id"]).out
    assert "given: a briefing\nfind bug 1\n" in shown
    assert "said: completion 1, completed\nFound it in lib/a.py.\n" in shown
    assert f"${found['cost_usd']:.4f}" in shown and "output 1,007" in shown
    assert "/elsewhere/a.py" in shown


def test_another_database_is_not_filled_from_the_inbox(recorded: Path, did: Run) -> None:
    did("backup", "copy.db")
    fire(PAYLOAD, recorded)
    assert did("query", "--db", "copy.db", "--format", "json").json == []
    assert left(recorded) == [PAYLOAD]
    assert len(did("query", "--format", "json").json) == 1


@pytest.mark.slow
def test_watch_tells_of_each_deployment_and_return_once(recorded: Path) -> None:
    watching = subprocess.Popen(
        [sys.executable, "-m", "orch_tui", "watch", "--format", "jsonl"],
        cwd=recorded,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert watching.stdout and watching.stderr
    assert b"Ctrl-C" in watching.stderr.readline()
    told = []
    for log in (hooks.background(1), hooks.foreground(2)):
        for number, payload in enumerate(log):
            hook.put([json.dumps(payload).encode()], str(recorded), hooks.START_NS + number)
        told += [json.loads(watching.stdout.readline()) for _ in range(2)]
    watching.send_signal(signal.SIGINT)
    rest, errors = watching.communicate(timeout=HANGS_AFTER)
    assert (watching.returncode, rest, errors) == (0, b"", b"")
    assert [(line["event"], line["said"]) for line in told] == [
        ("deployed", None),
        ("completed", "All is well."),
        ("deployed", None),
        ("completed", "Found it in lib/a.py."),
    ]
    assert len({line["execution_id"] for line in told}) == 2
