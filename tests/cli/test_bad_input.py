"""What cannot be done: said clearly on standard error, with the right code, nothing changed."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from random import Random
from typing import Any

import pytest

from orch_tui.models import database
from orch_tui.record import opening
from tests.cli.conftest import FIXTURE, Run, Shell, deploy

pytestmark = pytest.mark.slow  # every command with everything wrong

DATABASE = Path(".claude/orchestration/execution.db")


def dump(path: Path = DATABASE) -> list[str]:
    """Everything a database holds, less what is only a cache or an index of the rest."""
    with closing(sqlite3.connect(path)) as connection:
        connection.text_factory = bytes
        tables = connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")
        return [
            repr((name, row))
            for (name,) in sorted(tables.fetchall())
            if not name.startswith((b"search_", b"token_counts"))
            for row in connection.execute(f'SELECT * FROM "{name.decode()}"')
        ]


@pytest.fixture(scope="module")
def bad_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("bad") / "project"


@pytest.fixture
def bad_project(bad_folder: Path, did: Run, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder: a project with a record and with files that are good for nothing.

    It is one for all tests of this module, since none may change anything in it.
    """
    made = bad_folder.exists()
    if not made:
        shutil.copytree(FIXTURE, bad_folder)
        (bad_folder / ".claude").mkdir()
    monkeypatch.chdir(bad_folder)
    if not made:
        deploy(did)
        did("init-session", "--scope", "t", "--session-id", "shut")
        did("complete-session", "--session-id", "shut")
        did("init-session", "--scope", "s", "--session-id", "mine")
        make_bad_files()
    return bad_folder


Words = tuple[str, ...]
COMPLETE: Words = ("record-completion", "--execution-id", "exec-001")
BUNDLE: Words = ("prepare-bundle", "--agent-type", "a", "--files")
DEPLOY: Words = ("init-deployment", "--agent-type", "a", "--scope", "s")


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        # ids
        (("set-phase", "2", "--session-id", "orch-x"), 1, "session 'orch-x' is not known"),
        (("query", "--session-id", "mime"), 1, "nearest: mine"),
        (("show", "exec-01"), 1, "nearest: exec-001"),
        (("compare", "exec-001", "exec-9"), 1, "execution 'exec-9' is not known"),
        (("replay", "exec-9"), 1, "execution 'exec-9' is not known"),
        (("outputs", "--execution-id", "exec-9"), 1, "execution 'exec-9' is not known"),
        (("retract", "exec-9", "--reason", "r"), 1, "execution 'exec-9' is not known"),
        (("plan", "--agent-type", "a", "--bundle", "bundle-9"), 1, "nearest: bundle-001"),
        (("plan", "--edit", "7", "--model", "opus"), 1, "planned agent '7' is not known"),
        (("collect", "--execution-id", "e", "--insights", "i"), 1, "execution 'e' is not known"),
        (("generate-briefing", "--bundle", "bundle-9"), 1, "nearest: bundle-001"),
        # completing what was never deployed
        (("record-completion", "--execution-id", "exec-7"), 1, "execution 'exec-7' is not known"),
        # the same id with other content
        (("init-session", "--session-id", "mine", "--scope", "other"), 1, "scope is 's', not 'ot"),
        (("init-session", "--session-id", "mine", "--scope", "s", "--budget", "5"), 1, "not 5"),
        ((*DEPLOY, "--execution-id", "exec-001"), 1, "agent_type is 'task-implementor', not 'a'"),
        (("complete-session", "--session-id", "shut", "--status", "failed"), 1, "as completed"),
        # wrong usage
        (("set-phase", "0"), 2, "invalid choice: 0"),
        (("set-phase", "6"), 2, "invalid choice: 6"),
        (("set-phase", "four"), 2, "invalid int value: 'four'"),
        (("check-bounds", "--phase", "6"), 2, "invalid choice: 6"),
        (("track-budget", "--phase", "0"), 2, "invalid choice: 0"),
        (("track-budget", "--warn-threshold", "2"), 2, "'2' is not above 0 and at most 1"),
        (("init-session", "--scope", " "), 2, "--scope is empty"),
        (("init-session", "--scope", "s", "--metadata", "{"), 2, "'{' is not JSON"),
        (("init-session", "--scope", "s", "--metadata", "[1]"), 2, "is not a JSON object"),
        (("init-session", "--scope", "s", "--budget", "-5"), 2, "is not a whole number above 0"),
        ((*COMPLETE, "--status", "done"), 2, "invalid choice: 'done'"),
        ((*COMPLETE, "--success", "maybe"), 2, "'maybe' is neither true nor false"),
        ((*COMPLETE, "--error-code", "ORG-9"), 2, "ORG-008 Performance Issues"),
        ((*COMPLETE, "--completed-at", "soon"), 2, "'soon' is no date or time"),
        ((*COMPLETE, "--final-message", "m", "--collect", "ask"), 2, "needs a terminal"),
        ((*COMPLETE, "--final-message", "m", "--final-message-file", "f"), 2, "not allowed with"),
        (("collect", "--execution-id", "exec-001"), 2, "nothing to collect"),
        (("collect", "--execution-id", "exec-001", "--validation-results", "x"), 2, "'x' is not"),
        (("retract", "exec-001", "--reason", " "), 2, "--reason is empty"),
        (("init-deployment", "-a", "x", "--scope", ""), 2, "--scope is empty; is a variable"),
        (("init-deployment", "--context-bundle", ""), 2, "--context-bundle is empty"),
        (("prepare-bundle", "--agent-type=a", "--scope="), 2, "--scope is empty"),
        (("plan", "--agent-type", "a", "--scope", ""), 2, "--scope is empty"),
        (("query", "-s", ""), 2, "--session-id is empty"),
        (("query", "--fields", "execution"), 2, "did you mean execution_id?"),
        (("query", "--fields", "modle"), 2, "did you mean model"),
        (("stats", "--by", "agent"), 2, "did you mean agent_type?"),
        (("show", "exec-001", "--part", "delivery"), 2, "did you mean delivered?"),
        (("show", "exec-001", "--part", "message"), 2, "said"),
        (("plan", "--model", "opus"), 2, "--model is only for --agent-type or --edit"),
        (("plan", "--edit", "1", "--after", "x"), 2, "--after takes numbers"),
        (("init-deployment",), 2, "which agent is deployed?"),
        (("query", "--status", "done"), 2, "deployed, completed, failed"),
        (("query", "--since", "soon"), 2, "'soon' is no date or time"),
        (("query", "--limit", "0"), 2, "is not a whole number above 0"),
        (("query", "--sessions", "--model", "opus"), 2, "--sessions does not go with --model"),
        (("outputs", "--output-type", "thing"), 2, "deliverable, validation_result"),
        (("history", "--before", "x"), 2, "'x' is no place in a list"),
        (("query", "--format", "xml"), 2, "invalid choice: 'xml'"),
        (("query", "--sesion-id", "x"), 2, "(nearest: --session-id"),
        (("init-session",), 2, "required: --scope"),
        (("init-sesion",), 2, "nearest: init-session"),
        (("zzz",), 2, "orch help --all lists the commands"),
        (("help", "init-sesion"), 2, "nearest: init-session"),
        (("help", "--every"), 2, "orch help --all, or COMMAND"),
        (("help", "show", "query"), 2, "help is of one command"),
        (("completion", "tcsh"), 2, "invalid choice: 'tcsh'"),
        # sources
        ((*BUNDLE, "nope.md"), 1, "nope.md: does not exist"),
        ((*BUNDLE, "lib/type.ts"), 1, "nearest: lib/types.ts"),
        ((*BUNDLE, "lib:1-2"), 1, "lib:1-2: is a folder"),
        ((*BUNDLE, "binary"), 1, "binary: is binary"),
        ((*BUNDLE, "huge.txt"), 1, "huge.txt: is over the limit of 10 MB"),
        ((*BUNDLE, "pipe"), 1, "pipe: is not a regular file"),
        ((*BUNDLE, "loop"), 1, "loop: is a loop of links"),
        ((*BUNDLE, "lib/types.ts:5-900"), 1, "lines 5-900 wanted, it has 11"),
        ((*BUNDLE, "lib/types.ts:5-900"), 1, "5-11 is the rest of it"),
        ((*BUNDLE, "lib/types.ts:10-"), 1, "lines are written lib/types.ts:10-80"),
        ((*BUNDLE, "spec/requirements.md#Nope"), 1, "has no heading 'Nope'"),
        ((*BUNDLE, "-"), 1, "standard input is empty"),
        (("count", "nope/*.py"), 1, "matches no file"),
        ((*COMPLETE, "--final-message-file", "nope"), 1, "nope: cannot be read: No such file"),
        ((*COMPLETE, "--final-message-file", "lib"), 1, "lib: cannot be read: Is a directory"),
        # bundles
        (("generate-briefing", "--bundle", "broken.json"), 1, "broken.json: is not JSON"),
        (("generate-briefing", "--bundle", "binary"), 1, "binary: is not JSON"),
        (("generate-briefing", "--bundle", "list.json"), 1, "must be a JSON object"),
        (("generate-briefing", "--bundle", "newer.json"), 1, "schema_version 99 is newer than"),
        (("generate-briefing", "--bundle", "types.json"), 1, "context_items[0].token_count"),
        ((*DEPLOY, "--context-bundle", "types.json"), 1, "context_items[0].token_count"),
        (("track-budget", "--bundles", "broken.json"), 1, "broken.json: is not JSON"),
        # templates
        (
            ("generate-briefing", "--bundle", "bundle.json", "--template", "unknown.md"),
            1,
            "unknown placeholder {nope}",
        ),
        (
            ("generate-briefing", "--bundle", "bundle.json", "--template", "syntax.md"),
            1,
            "template syntax.md, line 2:",
        ),
        (
            ("generate-briefing", "--bundle", "bundle.json", "--template", "gone.md"),
            1,
            "template 'gone.md' is not known",
        ),
        (("synthesize", "--template", "unknown.md"), 1, "unknown placeholder {nope}"),
        # places that cannot be written
        ((*BUNDLE, "lib/types.ts", "--output", "lib"), 1, "lib: cannot be written: Is a dir"),
        (
            (*DEPLOY, "--context-bundle", "bundle.json", "--output", "lib/types.ts/x"),
            1,
            "lib/types.ts is no folder",
        ),
        (
            ("replay", "exec-001", "--deploy", "--output", "lib"),
            1,
            "lib: cannot be written: Is a directory",
        ),
        (("export", "--output", "lib"), 1, "lib: cannot be written: Is a directory"),
        (("backup", "bundle.json"), 1, "bundle.json exists already"),
        (("demo", "lib"), 1, "lib: exists already"),
        (("demo", "--project", "nope"), 1, "there is no such folder"),
        (("uninstall",), 1, "no skill of orch is in"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else None,
)
def test_what_cannot_be_done_is_said_and_changes_nothing(
    orch: Run, bad_project: Path, words: Words, code: int, said: str
) -> None:
    before, files = dump(), sorted(Path().rglob("*"))
    done = orch(*words)
    assert (done.code, done.out) == (code, ""), done
    assert said in done.err
    assert "Traceback" not in done.err
    assert "bug in orch" not in done.err
    assert dump() == before
    assert sorted(Path().rglob("*")) == files


def make_bad_files() -> None:
    Path("binary").write_bytes(bytes(range(256)) * 10)
    with Path("huge.txt").open("wb") as huge:
        huge.write(b"words\n" * 2_000_000)
    os.mkfifo("pipe")
    Path("loop").symlink_to("loop")
    Path("broken.json").write_text('{"bundle_id": ')
    Path("list.json").write_text("[]")
    bundle: dict[str, Any] = json.loads(Path("bundle.json").read_text())
    Path("newer.json").write_text(json.dumps(bundle | {"schema_version": 99}))
    bundle["context_items"][0]["token_count"] = "many"
    Path("types.json").write_text(json.dumps(bundle))
    Path("unknown.md").write_text("# {nope}\n")
    Path("syntax.md").write_text("# {{ scope }}\n{% if %}\n")


def test_two_messages_of_one_execution_are_two_completions(did: Run, deployed: str) -> None:
    did(*COMPLETE, "--final-message", "first")
    done = did(*COMPLETE, "--final-message", "second")
    assert done.out == "exec-001 completed, completion 2\n"
    latest = did("show", deployed, "--part", "said")
    assert (latest.out, "latest of 2" in latest.err) == ("second", True)
    assert len(json.loads(did("show", deployed, "--part", "said", "--format", "json").out)) == 2


def test_without_a_record_it_is_said_how_to_make_one(orch: Run, project: Path) -> None:
    done = orch("query")
    assert (done.code, done.out) == (1, ""), done
    assert "there is no record at" in done.err
    assert "orch init-session" in done.err
    assert not (project / ".claude" / "orchestration").exists()


def test_without_an_open_session_it_is_said_how_to_open_one(did: Run, orch: Run) -> None:
    did("init-session", "--scope", "s")
    did("complete-session")
    for words in (("set-phase", "2"), DEPLOY, ("plan",), ("synthesize",)):
        done = orch(*words)
        assert done.code == 1
        assert "no open session" in done.err
        assert "--session-id" in done.err


@contextmanager
def writer(path: Path) -> Iterator[None]:
    """Another process writes to the database."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield
        connection.execute("ROLLBACK")


def test_a_locked_record_is_named(
    did: Run, orch: Run, deployed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.05)
    before = dump()
    with writer(DATABASE):
        done = orch(*COMPLETE, "--final-message", "m")
        assert did("query").out  # who only reads is not kept waiting
    assert (done.code, done.out) == (1, ""), done
    assert "is locked by another process" in done.err
    assert dump() == before


def test_a_read_only_record_is_read_and_not_written(
    did: Run, orch: Run, deployed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "_may_write", lambda path: False)
    before = DATABASE.read_bytes()
    did("show", deployed)
    did("query")
    did("history", "hnsw")
    did("stats")
    done = orch(*COMPLETE, "--final-message", "m")
    assert (done.code, done.out) == (1, ""), done
    assert "cannot be written" in done.err
    assert "--db" in done.err
    assert DATABASE.read_bytes() == before


@pytest.mark.slow
def test_a_full_disk_is_named_and_nothing_is_half_written(
    orch: Run, deployed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def take_in(record: database.Record) -> None:
        record.execute(f"PRAGMA max_page_count = {record.value('PRAGMA page_count')}")

    monkeypatch.setattr(opening, "ingest_arrivals", take_in)
    before = dump()
    Path("answer").write_bytes(Random(1).randbytes(500_000))  # nothing that compresses
    done = orch(*COMPLETE, "--final-message-file", "answer")
    assert (done.code, done.out) == (1, ""), done
    assert "the disk is full" in done.err
    assert dump() == before


def corrupt(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[4096:] = bytes(len(data) - 4096)
    path.write_bytes(data)


def newer(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 999")


def foreign(path: Path) -> None:
    path.unlink()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE recipes (name TEXT)")


def text(path: Path) -> None:
    path.write_text("This was never a database.\n" * 100)


def folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (corrupt, "is corrupt"),
        (newer, "written by a newer orch"),
        (foreign, "is an SQLite database of something else"),
        (text, "is not an SQLite database"),
        (folder, "is no file"),
    ],
)
@pytest.mark.parametrize(
    "words", [("query",), ("init-session", "--scope", "t"), ("history", "x"), ("backup", "b.db")]
)
def test_a_file_that_is_no_record_of_ours_is_left_alone(
    did: Run, orch: Run, spoil: Any, said: str, words: Words
) -> None:
    did("init-session", "--scope", "s")
    shutil.copy(DATABASE, "spoilt.db")
    spoil(Path("spoilt.db"))
    before = Path("spoilt.db").read_bytes() if Path("spoilt.db").is_file() else b""
    done = orch(*words, "--db", "spoilt.db")
    assert (done.code, done.out) == (1, ""), done
    assert said in done.err
    assert "bug in orch" not in done.err
    if before:
        assert Path("spoilt.db").read_bytes() == before
    assert not Path("b.db").exists()


def test_a_broken_setting_is_named(orch: Run, project: Path) -> None:
    folder = project / ".claude" / "orchestration"
    folder.mkdir()
    (folder / "config.toml").write_text("bugdet = 5\n")
    done = orch("query")
    assert (done.code, done.out) == (1, ""), done
    assert "bugdet: is not a setting" in done.err
    assert "nearest: budget" in done.err


def test_an_argument_that_is_not_utf8_is_refused(shell: Shell, did: Run) -> None:
    did("init-session", "--scope", "s")
    before = dump()
    done = shell("orch init-session --scope $'caf\\xe9'")
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"is not valid UTF-8" in done.stderr
    assert dump() == before


def test_a_working_folder_that_is_gone_is_named(shell: Shell) -> None:
    done = shell("mkdir gone && cd gone && rmdir ../gone && orch query")
    assert (done.returncode, done.stdout) == (1, b"")
    assert b"the working folder is gone" in done.stderr


def test_a_bug_is_no_answer_and_can_be_traced(shell: Shell) -> None:
    broken = "import orch_tui.recall.listing as l; l.iterate_executions = None"
    run = f"import sys; {broken}; from orch_tui.cli import main; sys.exit(main(['query']))"
    done = shell(f'orch init-session --scope s >&2; "$PYTHON" -c "{run}"', env=python())
    assert (done.returncode, done.stdout) == (70, b"")
    assert b"a bug in orch, please report it: TypeError" in done.stderr
    assert b"python -P -X dev -m orch_tui query" in done.stderr
    assert b"Traceback" not in done.stderr
    traced = shell(f'"$PYTHON" -X dev -c "{run}"', env=python())
    assert b"Traceback" in traced.stderr


def python() -> dict[str, str]:
    import sys

    return {"PYTHON": sys.executable}


def test_an_output_file_keeps_its_permissions_and_a_link_its_target(did: Run) -> None:
    Path("real.json").write_text("old")
    Path("real.json").chmod(0o640)
    Path("link.json").symlink_to("real.json")
    did(*BUNDLE, "lib/types.ts", "--output", "link.json")
    assert Path("link.json").is_symlink()
    assert json.loads(Path("real.json").read_text())["bundle_id"] == "bundle-001"
    assert stat.S_IMODE(Path("real.json").stat().st_mode) == 0o640


def test_a_pipe_or_device_is_written_never_replaced(shell: Shell) -> None:
    done = shell("orch prepare-bundle --agent-type a --files lib/types.ts --output >(cat >&2)")
    assert done.returncode == 0, done
    assert b'"bundle_id": "bundle-001"' in done.stderr
    assert Path("/dev/null").is_char_device()
    done = shell("orch prepare-bundle --agent-type a --files lib/types.ts --output /dev/null")
    assert done.returncode == 0, done
    assert Path("/dev/null").is_char_device()


@pytest.mark.parametrize("number", [str(2**63), "1" * 5000])
def test_no_number_is_too_large_to_be_refused(
    orch: Run, deployed: str, project: Path, number: str
) -> None:
    for command, code in (
        ("count lib/types.ts:NUMBER", 1),
        ("count lib/types.ts#VectorIndex[NUMBER]", 1),
        ("check-bounds --phase 1 --files lib/types.ts:NUMBER", 0),
        ("bundles bundle-001@NUMBER", 1),
        ("bundles bundle-001 --restore NUMBER", (1, 2)),
        ("query --limit NUMBER", 2),
        ("outputs --limit NUMBER", 2),
        ("query --sessions --limit NUMBER", 2),
        ("init-session --scope s --budget NUMBER", 2),
        ("init-deployment --agent-type a --context-token-count NUMBER --allow-overflow why", 2),
        ("plan --edit NUMBER", (1, 2)),
        ("--port NUMBER", 2),
    ):
        done = orch(*command.replace("NUMBER", number).split())
        assert done.code in (code if isinstance(code, tuple) else (code,)), done


@pytest.mark.parametrize(
    "label",
    ["x" * 201, "x" * 100_000, "a\nb", "a\x1b[2Jb", "a\u2028b", "  "],
    ids=["long", "huge", "line", "escape", "separator", "blank"],
)
def test_an_id_that_nobody_could_type_is_refused(orch: Run, project: Path, label: str) -> None:
    bundle = ("prepare-bundle", "--agent-type", "debugger", "--files", "lib/types.ts")
    assert orch("init-session", "--scope", "s").code == 0
    for words in (
        ("init-session", "--scope", "s", "--session-id", label),
        (*bundle, "--bundle-id", label),
        (*bundle, "--no-record", "--bundle-id", label),
        ("init-deployment", "--agent-type", "debugger", "--scope", "s", "--execution-id", label),
    ):
        refused = orch(*words)
        assert (refused.code, refused.out) == (2, ""), words
        assert ("up to 200 characters" if label.strip() else "is empty") in refused.err
        assert len(refused.err) < 600
    longest = "ä b@" * 50
    assert orch(*bundle, "--bundle-id", longest).code == 0
    assert orch(*bundle, "--bundle-id", longest).code == 0
