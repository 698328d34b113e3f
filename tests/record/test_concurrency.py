"""Ten processes record at the same time; nothing is lost and nobody is turned away."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from orch_tui.models.database import Record
from orch_tui.record import sessions
from orch_tui.record.opening import open_record
from orch_tui.record.upkeep.doctor import examine_record
from orch_tui.search import maintenance
from tests.counts import COUNTS
from tests.record.reporting import report

ROOT = Path(__file__).parents[2]
PROCESSES, EACH = 10, COUNTS.histories


@pytest.mark.slow
@pytest.mark.deep
def test_ten_processes_record_at_once(record: Record) -> None:
    running = [
        subprocess.Popen(
            [
                *(sys.executable, "-m", "tests.record.writers", "record"),
                *(str(record.path), f"p{number}", str(EACH)),
            ],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for number in range(PROCESSES)
    ]
    results = [process.communicate("") for process in running]
    assert [errors for _, errors in results] == [""] * PROCESSES
    labels = [label for printed, _ in results for label in printed.split()]
    assert len(set(labels)) == PROCESSES * EACH
    held = record.sql(
        "SELECT execution_id, status, final_message LIKE scope || ' done.%' FROM agent_executions"
    )
    assert sorted(held) == sorted((label, "completed", 1) for label in labels)
    assert record.value("SELECT count(DISTINCT session_id) FROM agent_executions") == PROCESSES
    assert record.value("SELECT count(*) FROM completions") == PROCESSES * EACH
    assert record.value("PRAGMA integrity_check") == "ok"
    assert maintenance.check(record) == []
    assert [f for f in examine_record(record.path) if f.level != "ok"] == []


def test_threads_share_one_record(record: Record) -> None:
    """As the API and the screens do; each thread has its own connection."""
    errors: list[BaseException] = []

    def work(name: str) -> None:
        try:
            session = sessions.init_session(record, name, project="/p").session_id
            for number in range(20):
                with record.write():
                    report(
                        record,
                        "deployed",
                        {"session_id": session, "agent_type": name, "scope": str(number)},
                        source="api",
                    )
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(f"t{number}",)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert record.sql("SELECT agent_type, count(*) FROM agent_executions GROUP BY 1") == [
        (f"t{number}", 20) for number in range(6)
    ]


def test_two_records_in_one_thread_do_not_mix(record: Record, tmp_path: Path) -> None:
    with open_record(tmp_path / "other.db") as other:
        with record.write(), other.write():
            sessions.init_session(record, "one", project="/p", session_id="s")
            sessions.init_session(other, "two", project="/p", session_id="s")
        assert sessions.get_session(record, "s").scope == "one"
        assert sessions.get_session(other, "s").scope == "two"
