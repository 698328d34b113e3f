"""Whatever stands in a file that orch reads in passing: commands go on, and so do other runs."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from orch_tui import hook
from orch_tui.cli import main
from orch_tui.models.stored_bytes import unpack_text
from orch_tui.project import Project
from orch_tui.record.transcripts.importer import ImportSummary
from orch_tui.record.transcripts.reader import TranscriptReader
from tests.counts import COUNTS
from tests.record import claude_home, hook_events
from tests.record.claude_home import S1, S2

DEEP, HUGE, NAN = "@deep@", "@huge@", "@nan@"
"""Stand for what ``json`` does not write as it should stand in the file."""

BREAKING: tuple[Any, ...] = (
    *(None, True, -1, 2**63, 10**25, 1e308, HUGE, NAN, DEEP, [], {}, [None], {"": ""}),
    *(
        "",
        " ",
        "\0",
        "/x/a\0b",
        "\ud800",
        "\x1b[2J",
        "x" * 70_000,
        "/a" * 3000,
        "../../..",
        "/",
        "~\0",
    ),
    *("9999-12-31T23:59:59.999Z", "0001-01-01T00:00:00+14:00", "0000-00-00T00:00:00.000Z"),
)
WITNESS = claude_home.Transcript(f"{S2}/subagents/agent-a9.jsonl", S2, "a9")
WITNESS.hears("Look on")
WITNESS.says("m-witness", "Seen.", stop="end_turn")

quick = settings(max_examples=COUNTS.histories)


def written(value: Any) -> bytes:
    """JSON, and what is nearly JSON."""
    data = json.dumps(value)
    for sign, stands in ((DEEP, "[" * 4000 + "]" * 4000), (HUGE, "9" * 5000), (NAN, "-Infinity")):
        data = data.replace(f'"{sign}"', stands)
    return data.encode()


def places(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place in a JSON value, by the keys that lead to it."""
    members = value.items() if isinstance(value, dict) else enumerate(value)
    for key, member in members:
        yield (*at, key)
        if isinstance(member, dict | list):
            yield from places(member, (*at, key))


def broken(value: Any, changes: list[tuple[int, Any]]) -> Any:
    """A copy with other values at some places, chosen by number."""
    copy = json.loads(json.dumps(value))
    for number, wrong in changes:
        if all_places := list(places(copy)):
            *way, last = all_places[number % len(all_places)]
            holder = copy
            for key in way:
                holder = holder[key]
            holder[last] = deepcopy(wrong)
    return copy


changes = st.lists(
    st.tuples(st.integers(0, 10_000), st.sampled_from(BREAKING)), min_size=1, max_size=4
)


class Place:
    """A project with transcripts beside it, of which hooks tell."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "project"
        (self.root / ".git").mkdir(parents=True)
        self.home = folder / "claude"
        self.remarks: list[str] = []

    def tell(self, transcript: Path, agent: str, session: str) -> None:
        events = [
            hook_events.start(agent) | {"session_id": session},
            hook_events.stop(agent, "Seen.")
            | {"session_id": session, "agent_transcript_path": str(transcript)},
        ]
        hook_events.deliver(self.root, events)

    def leave(self, payload: bytes, number: int) -> None:
        assert hook.put([payload], str(self.root), hook_events.START_NS + number)

    def query(self) -> None:
        """The command exits 0 and shows the run that nothing is wrong with."""
        was = Path.cwd()
        os.chdir(self.root)
        try:
            assert main(["query"]) == 0
        finally:
            os.chdir(was)
        project = Project(self.root)
        seen = project.existing_record.sql(
            "SELECT final_message FROM agent_executions WHERE agent_id = 'a9' AND output_tokens > 0"
        )
        assert seen == [("Seen.",)]
        project.close()

    @property
    def waits(self) -> list[str]:
        return os.listdir(self.root / ".claude/orchestration/inbox")


@contextmanager
def place() -> Iterator[Place]:
    with tempfile.TemporaryDirectory() as folder:
        made = Place(Path(folder))
        begun = Project(made.root)
        assert begun.record.writable
        begun.close()
        yield made


@pytest.mark.slow
@quick
@given(st.integers(0, 100), changes, st.binary(max_size=6), st.integers(0, 2000))
@example(0, [(0, "\ud800")], b"\0\xff", 3)
def test_whatever_stands_in_a_transcript(
    line: int, changes: list[tuple[int, Any]], noise: bytes, at: int
) -> None:
    with place() as made:
        for transcript in claude_home.foreground():
            lines = [written(each) for each in transcript.lines]
            number = line % len(lines)
            lines[number] = written(broken(transcript.lines[number], changes))
            data = b"\n".join(lines) + b"\n"
            path = transcript.write(made.home)
            path.write_bytes(data[: at % len(data)] + noise + data[at % len(data) :])
            made.tell(path, transcript.agent or "a0", S1)
        made.tell(WITNESS.write(made.home), "a9", S2)
        made.query()
        project = Project(made.root)
        assert isinstance(project.import_files([made.home]), ImportSummary)
        project.close()
        made.query()


@pytest.mark.slow
@quick
@given(changes, st.booleans())
def test_whatever_stands_in_a_sidecar(changes: list[tuple[int, Any]], is_whole: bool) -> None:
    with place() as made:
        agent = claude_home.background()[1]
        path = agent.write(made.home)
        noted = written(broken(claude_home.SIDECAR, changes))
        path.with_suffix(".meta.json").write_bytes(noted if is_whole else noted[:-7])
        made.tell(path, "a2", S2)
        made.tell(WITNESS.write(made.home), "a9", S2)
        made.query()


@pytest.mark.slow
@quick
@given(st.data())
def test_whatever_a_hook_is_handed(data: st.DataObject) -> None:
    with place() as made:
        made.tell(WITNESS.write(made.home), "a9", S2)
        events = [*hook_events.nested(), *hook_events.resumed()]
        for number, event in enumerate(data.draw(st.lists(st.sampled_from(events), max_size=4))):
            made.leave(written(broken(event, data.draw(changes))), number)
        made.query()
        assert set(made.waits) <= {"unreadable"}


@pytest.mark.slow
@quick
@given(changes, st.sampled_from(("object", "text", "number", "bytes")))
def test_whatever_a_checkpoint_holds(changes: list[tuple[int, Any]], kind: str) -> None:
    with place() as made:
        agent = claude_home.foreground()[1]
        path = agent.write(made.home)
        made.tell(path, "a000001", S1)
        made.tell(WITNESS.write(made.home), "a9", S2)
        made.query()
        held = sqlite3.connect(made.root / ".claude/orchestration/execution.db")
        (state,) = held.execute(
            "SELECT state FROM import_checkpoints WHERE path = ?", [str(path)]
        ).fetchone()
        wrong: dict[str, Any] = {
            "object": written(broken(json.loads(unpack_text(state)), changes)).decode(),
            "text": written(changes[0][1]).decode(),
            "number": 7,
            "bytes": b"\xff\0",
        }
        with held:
            held.execute(
                "UPDATE import_checkpoints SET state = ? WHERE path = ?", [wrong[kind], str(path)]
            )
        held.close()
        agent.says("m-more", "More.", stop="end_turn")
        made.tell(agent.write(made.home), "a000001", S1)
        made.query()


@pytest.mark.parametrize("number", ["18446744073709551615", "99999999999999999999"])
def test_a_payload_of_an_impossible_time(number: str) -> None:
    with place() as made:
        made.tell(WITNESS.write(made.home), "a9", S2)
        inbox = made.root / ".claude/orchestration/inbox"
        payload = json.dumps(hook_events.start("a7")).encode()
        (inbox / f"{number}-x.json").write_bytes(payload)
        (inbox / "z.json").write_bytes(payload)
        os.utime(inbox / "z.json", ns=(0, 2**62))
        made.query()


def test_a_line_that_is_set_aside_stands_in_doctor_until_its_file_is_read_without_it(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with place() as made:
        path = WITNESS.write(made.home)
        whole = path.read_bytes()
        read = TranscriptReader.read

        def fail_once(self: TranscriptReader, entry: Any) -> None:
            monkeypatch.setattr(TranscriptReader, "read", read)
            raise ValueError("odd")

        monkeypatch.setattr(TranscriptReader, "read", fail_once)
        monkeypatch.chdir(made.root)
        said = f"{path} is set aside: a line of it: ValueError: odd"

        def told() -> str:
            assert main(["import", str(made.home)]) == 0
            main(["doctor"])
            return " ".join(capfd.readouterr().out.split())

        assert said in told()
        assert said in told(), "it is as it was"
        path.write_bytes(whole + whole.splitlines(keepends=True)[-1])
        assert said in told(), "it is read on from there"
        path.write_bytes(b" " + whole)
        assert said not in told(), "it is another now, and all of it was read"


def test_what_is_set_aside_is_said_once_and_by_doctor(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with place() as made:
        made.tell(WITNESS.write(made.home), "a9", S2)
        export = made.home / "agent-x.jsonl"
        bad = claude_home.flat()[0].write(made.home)
        shutil.copy(bad, export)
        made.tell(bad, "abcdef0", claude_home.S4)
        made.leave(b'{"hook_event_name": ["' + b"[" * 9, 1)

        def fail(*_: Any, **__: Any) -> Any:
            raise ValueError("odd")

        monkeypatch.setattr("orch_tui.record.transcripts.reader.TranscriptReader.finish", fail)
        monkeypatch.chdir(made.root)
        assert main(["query"]) == 0
        said = capfd.readouterr().err
        assert said.count("is set aside") >= 2 and "ValueError: odd" in said
        assert main(["query"]) == 0
        assert capfd.readouterr().err == ""
        main(["doctor"])
        told = capfd.readouterr().out
        assert bad.name in told and "1 payload could not be read" in told
        monkeypatch.undo()
        monkeypatch.chdir(made.root)
        assert main(["import", str(made.home)]) == 0
        main(["doctor"])
        assert bad.name not in capfd.readouterr().out
