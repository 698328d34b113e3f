"""A record of the first edition is mended by the merge, and read again where it can be."""

from __future__ import annotations

import gzip
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from orch_tui.models.database import Record
from orch_tui.prepare.catalogue import load_catalogue
from orch_tui.project import Project
from orch_tui.record import rereading
from orch_tui.record.claude_code import nameless_call_key
from orch_tui.record.ledger import contents
from orch_tui.record.ledger.ingest import Report, ingest_statement
from orch_tui.record.ledger.rebuild import find_stale_executions, rebuild_from_statements
from orch_tui.record.ledger.resolve import join_halves
from orch_tui.record.ledger.statement import Deployed
from orch_tui.record.opening import open_record
from orch_tui.record.rereading import is_of_earlier_version, reread_share
from orch_tui.record.transcripts.importer import import_files
from orch_tui.record.transcripts.transcript_files import find_in_paths
from orch_tui.record.upkeep.export import export_record
from orch_tui.record.upkeep.redaction import redact_secret
from orch_tui.record.upkeep.restore import restore_export
from tests.record.noted_home import ERROR, FAILED, TOOLS, WORDS, write_noted_home
from tests.record.reporting import report

STORED = Path(__file__).parents[1] / "fixtures" / "earlier_reading" / "record.db.gz"
ROOT = Path("/home/dev/app")

RUNS = """SELECT agent_id, e.status, final_message, ending, e.model, e.error_message,
    unverified, input_tokens, output_tokens, tool_calls, (SELECT group_concat(position || status)
    FROM completions AS c WHERE c.execution_id = e.execution_id)
    FROM agent_executions AS e ORDER BY agent_id"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A folder of Claude Code with the transcripts that the record knows."""
    home = tmp_path / ".claude"
    write_noted_home(home)
    return home


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "execution.db"
    path.write_bytes(gzip.decompress(STORED.read_bytes()))
    path.chmod(0o600)
    with closing(sqlite3.connect(path)) as raw:
        raw.execute(
            "UPDATE import_checkpoints SET path = replace(path, '/home/dev', ?)", [str(tmp_path)]
        )
        raw.commit()
    return path


@pytest.fixture
def older(path: Path) -> Iterator[Record]:
    with open_record(path) as record:
        yield record


def runs(record: Record) -> dict[str, tuple[Any, ...]]:
    return {row[0]: row[1:] for row in record.sql(RUNS)}


def read_all_again(record: Record) -> list[int]:
    catalogue, left = load_catalogue({}), []
    while is_of_earlier_version(record):
        left.append(reread_share(record, catalogue=catalogue, root=ROOT))
    return left


def assert_mended(record: Record) -> None:
    told = runs(record)
    assert told.keys() == {*WORDS, FAILED}
    for agent, words in WORDS.items():
        status, message, *_, returns = told[agent]
        assert (status, message, returns) == ("completed", words, "1completed"), agent
    assert told["a0000000000000002"][2] == "limit"
    assert "2 turns" in told["a0000000000000002"][5]
    assert (told[FAILED][0], told[FAILED][-1]) == ("failed", "1failed")
    assert told[FAILED][4].startswith(ERROR)
    assert list(find_stale_executions(record)) == []


def find_differences(one: Record, other: Record) -> list[str]:
    """The agents of which two records say otherwise, but for the calls that hooks counted."""
    mine, its = runs(one), runs(other)
    return [agent for agent in its if mine[agent][:8] != its[agent][:8]]


def test_it_is_mended_where_no_transcript_is_left(older: Record) -> None:
    before = older.sql("SELECT hex(digest), payload FROM observations ORDER BY 1")
    assert_mended(older)
    read_all_again(older)
    assert_mended(older)
    assert older.sql("SELECT hex(digest), payload FROM observations ORDER BY 1") == before
    assert runs(older)["a0000000000000005"][6:9] == (3, 10, 0)  # not what its parent used


def test_read_again_it_says_what_a_new_one_says(older: Record, home: Path, tmp_path: Path) -> None:
    read_all_again(older)
    assert_mended(older)
    with open_record(tmp_path / "new.db") as new:
        files = list(find_in_paths([home]))
        import_files(new, files, catalogue=load_catalogue({}), root=ROOT)
        assert not is_of_earlier_version(new)
        assert not find_differences(older, new)
    summary = import_files(older, files, catalogue=load_catalogue({}), root=ROOT)
    assert (summary.files_read, summary.new, summary.merged) == (0, 0, 0)


def test_it_is_read_in_shares(older: Record, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rereading, "RUNS_AT_ONCE", 4)
    monkeypatch.setattr(rereading, "BYTES_AT_ONCE", 1)
    with older.write():  # as if no step of the schema had made the rows
        older.execute("DELETE FROM record_facts WHERE name = 'rows_made_until'")
    assert read_all_again(older) == [2, 13, *range(12, -1, -1)]
    assert_mended(older)


def test_what_is_gone_waits_no_longer(older: Record, home: Path) -> None:
    shutil.rmtree(home)
    assert read_all_again(older)[-1] == 0
    assert not is_of_earlier_version(older)


def test_an_export_of_it_is_mended_where_it_is_taken_in(
    older: Record, home: Path, tmp_path: Path
) -> None:
    rows = "".join(f"{row}\n" for row in export_record(older))
    (tmp_path / "older.jsonl").write_text(rows)
    with open_record(tmp_path / "hub.db") as hub:
        files = list(find_in_paths([home]))
        import_files(hub, files, catalogue=load_catalogue({}), root=ROOT)
        restore_export(hub, tmp_path / "older.jsonl")
        assert_mended(hub)
        read_all_again(older)
        assert not find_differences(hub, older)
    with open_record(tmp_path / "other.db") as other:
        restore_export(other, tmp_path / "older.jsonl")
        assert_mended(other)


def test_a_project_reads_again_what_its_record_knows(path: Path, home: Path) -> None:
    project = Project(path.parent, database=str(path))
    assert project.read_again() == 0  # no record was opened yet
    told = runs(project.existing_record)
    while project.read_again():
        pass
    assert not is_of_earlier_version(project.existing_record)
    assert_mended(project.existing_record)
    model = list(told[FAILED]).index("claude-haiku-4-5-20251001")
    assert runs(project.existing_record)[FAILED][model] is None  # nobody asked for one
    project.close()


def test_an_import_reads_all_of_it_again(path: Path, home: Path) -> None:
    project = Project(path.parent, database=str(path))
    project.import_files([home], again=False)
    assert is_of_earlier_version(project.existing_record)
    project.import_files([home])
    assert not is_of_earlier_version(project.existing_record)
    project.close()


def test_a_stop_of_nobody_is_no_run_until_somebody_has_heard_of_it(record: Record) -> None:
    with record.write():
        label = report(
            record, "returned", {}, source="hook", keys=["agent:s/a1"], message="Now run the tests"
        )
    hidden = "SELECT retracted_at NOTNULL FROM agent_executions WHERE execution_id = ?"
    assert record.value(hidden, [label])
    with record.write():
        said = {"agent_type": "Explore"}
        report(record, "noted", said, source="import", keys=["agent:s/a1"])
    assert not record.value(hidden, [label])


def test_halves_of_a_run_that_an_earlier_orch_kept_apart_are_one(
    record: Record, tmp_path: Path
) -> None:
    def deploy(keys: list[str], prompt: str, source: str, **said: Any) -> str:
        statement = Deployed(agent_type="Explore", ran_in="s", **said)
        told = Report(keys, statement, source=source, prompt=prompt, claude_session="s")
        return ingest_statement(record, told)

    key = nameless_call_key("s", "look")
    halves = [
        deploy([key], "look", "hook"),
        deploy(["tool:toolu_1"], "look", "import", tool_use_id="toolu_1", deployed_at="2026-01-01"),
    ]
    others = [
        deploy(["tool:toolu_2"], "look", "import", tool_use_id="toolu_2", deployed_at="2026-01-02"),
        deploy(["tool:toolu_3"], "else", "import", tool_use_id="toolu_3"),
    ]
    rows = "".join(f"{row}\n" for row in export_record(record))
    (tmp_path / "older.jsonl").write_text(rows)
    with record.write():
        assert join_halves(record, [*halves, *others]) == {halves[0]}
        rebuild_from_statements(record, [halves[0]])
    labels = "SELECT execution_id FROM agent_executions ORDER BY 1"
    assert record.sql(labels) == [(label,) for label in [halves[0], *others]]
    with open_record(tmp_path / "hub.db") as hub:
        restore_export(hub, tmp_path / "older.jsonl")
        assert hub.value("SELECT count(*) FROM agent_executions") == 3


def test_words_that_were_taken_out_of_notes_are_redacted_with_them(record: Record) -> None:
    with record.write():
        label = report(
            record,
            "returned",
            {"agent_type": "Explore", "echo": True},
            source="hook",
            keys=["agent:s/a1"],
            message=f"{TOOLS}\nThe key is hunter2hunter2.",
        )
    words = "SELECT final_message FROM agent_executions WHERE execution_id = ?"
    assert record.value(words, [label]) == "The key is hunter2hunter2."
    redact_secret(record, "hunter2hunter2", "leaked")
    assert "hunter2" not in record.value(words, [label])
    assert list(find_stale_executions(record)) == []
    held = [number for (number,) in record.sql("SELECT content_id FROM contents")]
    assert not any(b"hunter2" in (contents.get_content(record, n) or b"") for n in held)
    assert b"hunter2hunter2" not in Path(record.path).read_bytes()
