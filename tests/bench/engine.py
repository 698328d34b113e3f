"""What is measured inside one process, in a record of its own.

    python -m tests.bench.engine fill|completion|processes|size|search|search-large FOLDER

`run` starts each in a fresh process and reads the JSON that it prints.
"""

from __future__ import annotations

import gc
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from hashlib import sha256
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from typing import Any

from orch_tui.api import OrchestrationSession, Project, prepare_bundle
from orch_tui.models.creation import schema_script
from orch_tui.models.database import Record
from orch_tui.prepare.budget import Limits
from orch_tui.prepare.bundle import Bundle, ContextItem
from orch_tui.prepare.catalogue import load_catalogue
from orch_tui.prepare.count import Count
from orch_tui.record import completion, deployment, sessions
from orch_tui.record.opening import open_record
from orch_tui.search import documents, index_merge, maintenance, tokens
from orch_tui.search.query import search as find
from tests.bench import corpus as corpora
from tests.bench import heard, search
from tests.bench.corpus import Corpus, Run
from tests.bench.measure import percentile
from tests.bench.text import bytes_of_text

EXECUTIONS = 10_000
MANY = 100_000
WARM_UP = 20
CONTENTS = 2_000
"""Files that the 10,000 executions were given, seven each: 8 MB."""

WRITERS = 10
EACH = 200

FILES = ("lib/index.py", "lib/graph.py", "docs/requirements.md", "docs/design.md", "lib/types.ts")
"""The five small files of the project that `fill` makes."""

WAITING = 80
"""Executions of the project that have not returned yet: exec-001 to exec-080."""


def fill(folder: Path, database: Path | None = None) -> dict[str, Any]:
    """A project with files and a record of 100 executions, for commands to work on."""
    corpus = Corpus()
    for name, text in zip(FILES, corpus.contents(len(FILES)), strict=True):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    project = Project(folder, database=None if database is None else str(database))
    runs = list(corpus.runs(100, CONTENTS))
    first = OrchestrationSession("Deployments that wait", "orch-2026-01-01-001", project=project)
    bundle = first.prepare_context("task-implementor", scope="Implement it", files=FILES)
    for run in runs[:WAITING]:
        first.init_deployment("task-implementor", run.scope, context_bundle=bundle)
    second = OrchestrationSession("One orchestration", "orch-2026-01-01-002", project=project)
    for number, run in enumerate(runs[WAITING:]):
        made = prepare_bundle(
            project,
            run.agent_type,
            run.scope,
            files=FILES[: 1 + number % len(FILES)],
            session_id=second.session_id,
        )
        execution = second.init_deployment(context_bundle=made.bundle)
        execution.record_completion(run.final_message or "Done.", deliverables=[FILES[0]])
    project.close()
    return {}


def fill_much(folder: Path) -> dict[str, Any]:
    """The same project and record, with 100,000 executions of other sessions."""

    def both(record: Record) -> None:
        fill(folder, record.path)
        search.fill(record, MANY, names=("other", "other"))

    record = _kept(f"commands-{MANY}", both)
    if not (folder / FILES[0]).exists():
        fill(folder)
    target = folder / ".claude/orchestration/execution.db"
    target.unlink(missing_ok=True)
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(record, target)
    return {}


def completed(folder: Path) -> dict[str, Any]:
    """Deployments and completions one by one, in a record that holds 10,000 executions."""
    with open_record(Path(shutil.copy(_corpus_record(), folder))) as record:
        corpus = Corpus(seed=8)
        texts = [text.encode() for text in corpus.contents(100)]
        runs = (run for run in corpus.runs(600, len(texts)) if run.final_message)
        deployed, returned, worked, session_id = [], [], [], ""
        for number, run in enumerate(islice(runs, 320)):
            if number % 8 == 0:
                session_id = sessions.init_session(record, run.scope, project="").session_id
            start = time.perf_counter()
            execution = _deploy(record, session_id, run, texts).execution
            deployed.append(time.perf_counter() - start)
            start, cpu = time.perf_counter(), time.process_time()
            completion.record_completion(
                record, execution.execution_id, final_message=run.final_message[:3000]
            )
            worked.append(time.process_time() - cpu)
            returned.append(time.perf_counter() - start)
    return {
        "n": len(returned) - WARM_UP,
        "p50": median(returned[WARM_UP:]),
        "p95": percentile(returned[WARM_UP:], 0.95),
        "cpu": median(worked[WARM_UP:]),
        "deployment": median(deployed[WARM_UP:]),
        "sync": _sync(folder),
    }


def _sync(folder: Path) -> float:
    """The median time the disk takes to promise that a page is kept: part of every commit."""
    costs = []
    with (folder / "page").open("wb", buffering=0) as file:
        for _ in range(100):
            file.write(os.urandom(4096))
            start = time.perf_counter()
            os.fdatasync(file.fileno())
            costs.append(time.perf_counter() - start)
    return median(costs)


def processes(folder: Path) -> dict[str, Any]:
    """Ten processes that record 200 executions each, at once, into one new record."""
    database = folder / "processes.db"
    start = time.perf_counter()
    with ProcessPoolExecutor(WRITERS, mp_context=get_context("spawn")) as pool:
        waits = [w for some in pool.map(_write_many, [database] * WRITERS) for w in some]
    wall = time.perf_counter() - start
    with open_record(database, create=False) as record:
        found = record.value("SELECT count(*) FROM completions")
        kept = record.value("SELECT count(*) FROM agent_executions WHERE status = 'completed'")
    return {"wall": wall, "p50": median(waits), "max": max(waits), "found": min(found, kept)}


def _write_many(database: Path) -> list[float]:
    waits = []
    with open_record(database) as record:
        session = sessions.init_session(record, f"Process {os.getpid()}", project="")
        for number in range(EACH):
            start = time.perf_counter()
            deployed = deployment.record_deployment(
                record,
                session.session_id,
                catalogue=load_catalogue(),
                limits=Limits(),
                agent_type="task-implementor",
                scope=f"Task {number}",
            )
            completion.record_completion(
                record, deployed.execution.execution_id, final_message=f"{number} is done. " * 150
            )
            waits.append(time.perf_counter() - start)
    return waits


def size(folder: Path) -> dict[str, Any]:
    """The sizes of two records against the text in them, by part."""
    return {
        f"of {EXECUTIONS:,} that the engine made": _size_of(_corpus_record()),
        f"of {heard.RUNS:,} from hooks and transcripts": _size_of(_heard_record()),
    }


def _size_of(path: Path) -> dict[str, Any]:
    with open_record(path) as record:
        text = bytes_of_text(record)
        parts = record.sql(
            "SELECT CASE WHEN part GLOB 'search_*' OR part GLOB 'given_index*' "
            "THEN 'search index' ELSE part END AS part, sum(pgsize) AS size FROM (SELECT pgsize, "
            "coalesce((SELECT tbl_name FROM sqlite_schema AS s WHERE s.name = d.name), d.name) "
            "AS part FROM dbstat AS d) GROUP BY 1 ORDER BY size DESC LIMIT 12"
        )
    return {"text": text, "database": path.stat().st_size, "parts": dict(parts)}


def searched(executions: int) -> dict[str, Any]:
    """What a keystroke costs, and the size of the index against the text it covers."""
    path = _searchable(executions)
    with open_record(path, clock=lambda: datetime(2026, 11, 6, tzinfo=UTC)) as record:
        series = {
            name: [_cost_of_search(record, query) for query in queries]
            for name, queries in search.series(record, 60).items()
        }
        text, index = bytes_of_text(record), search.bytes_of_index(record)
    worst = max(series, key=lambda name: percentile(series[name], 0.95))
    return {
        "n": len(series["words"]),
        "words": {f"p{p}": percentile(series["words"], p / 100) for p in (50, 95, 99)},
        "worst": worst,
        "worst p95": percentile(series[worst], 0.95),
        "text": text,
        "index": index,
    }


def _searchable(executions: int) -> Path:
    return _kept(f"search-{executions}", lambda record: search.fill(record, executions))


def handled(folder: Path) -> dict[str, Any]:
    """The longest that handlers keep the event loop in a project with a record and many files."""
    from tests.bench import handlers, screens

    gc.set_threshold(50_000, 20, 20)  # as `orch` does
    screens.tree(folder)
    return {"longest": handlers.longest(handlers.walk(Project(folder)))}


def heard_meanwhile(folder: Path) -> dict[str, Any]:
    """The longest that handlers keep the event loop while 500 payloads of hooks arrive."""
    from tests.bench import handlers

    gc.set_threshold(50_000, 20, 20)  # as `orch` does
    counted = "SELECT count(*) FROM agent_executions"
    before = Project(folder).record.value(counted)
    longest = handlers.longest(handlers.hear(Project(folder)))
    return {"longest": longest, "runs": Project(folder).record.value(counted) - before}


def _cost_of_search(record: Record, query: str) -> float:
    start = time.thread_time()
    find(record, query)
    return time.thread_time() - start


def _corpus_record() -> Path:
    """A record of 10,000 synthetic executions, made by the engine itself."""
    return _kept("engine", record_corpus)


def _heard_record() -> Path:
    """A record that hooks and transcripts made."""

    def heard_of(record: Record) -> None:
        with tempfile.TemporaryDirectory() as folder:
            heard.record_heard(record, Path(folder))

    return _kept("heard", heard_of)


def _kept(name: str, fill: Callable[[Record], object]) -> Path:
    """A record that takes long to make, kept for the next run while its makers are the same."""
    folder = Path(tempfile.gettempdir()) / f"orch-bench-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    makers = [
        schema_script(),
        *(
            Path(str(made.__file__)).read_text()
            for made in (corpora, heard, search, documents, maintenance, index_merge, tokens)
        ),
    ]
    path = folder / f"{name}-{sha256(''.join(makers).encode()).hexdigest()[:12]}.db"
    if not path.exists():
        for stale in folder.glob(f"{name}-*"):
            stale.unlink()
        unfinished = folder / f"{name}-unfinished.db"
        with open_record(unfinished) as record:
            fill(record)
        unfinished.rename(path)
    return path


def record_corpus(record: Record, executions: int = EXECUTIONS, given: int = CONTENTS) -> None:
    """Record so many runs of the corpus, which are given so many contents."""
    corpus = Corpus()
    texts = [text.encode() for text in corpus.contents(given)]
    known: set[str] = set()
    runs = corpus.runs(executions, given)
    while some := list(islice(runs, 20)):
        # not each alone, since nobody waits here; not hundreds, since the search index would then
        # leave free pages behind that no record has which grew in use
        with record.write():
            for run in some:
                if run.session_id not in known:
                    known.add(run.session_id)
                    sessions.init_session(record, run.scope, project="", session_id=run.session_id)
                _deploy(record, run.session_id, run, texts, execution_id=run.execution_id)
                if run.status != "deployed":
                    completion.record_completion(
                        record,
                        run.execution_id,
                        final_message=run.final_message,
                        status=run.status,
                        error_message=run.error_message or None,
                    )
        _merge_index(record)


def _merge_index(record: Record) -> None:
    """Do what the open app does beside: merge the index where enough was recorded."""
    while index_merge.merge_share(record):
        pass


def _deploy(
    record: Record, session_id: str, run: Run, texts: list[bytes], execution_id: str | None = None
) -> deployment.Deployment:
    items = tuple(_item(given.source, texts[given.content]) for given in run.given)
    return deployment.record_deployment(
        record,
        session_id,
        catalogue=load_catalogue(),
        limits=Limits(budget=10**9),
        execution_id=execution_id,
        bundle=Bundle("", run.agent_type, run.scope, items, "sonnet", record.now()),
    )


def _item(source: str, data: bytes) -> ContextItem:
    tokens = len(data) // 4
    count = Count(tokens, "claude-v4.8~o200k", tokens, tokens)
    return ContextItem("file", source, "required", (), data, count)


def taken_in(folder: Path) -> dict[str, Any]:
    """What hooks say of 125 runs in the background, and what it costs to find nothing."""
    from orch_tui.paths import anything_waits
    from orch_tui.record.hooks import inbox
    from tests.record import hook_events

    root = folder / "inbox"
    (root / ".git").mkdir(parents=True)
    with open_record(root / ".claude/orchestration/execution.db") as record:
        said = "It is all there, and the tests pass. " * 80
        logs = [hook_events.background(number, f"{number}: {said}") for number in range(125)]
        hook_events.deliver(root, [event for log in logs for event in log])
        start = time.process_time()
        count = inbox.drain_inbox(record, root)
        each = (time.process_time() - start) / count
    start = time.process_time()
    for _ in range(1000):
        anything_waits(root)
    return {"n": count, "each": each, "empty": (time.process_time() - start) / 1000}


MEASURED: dict[str, Callable[[Path], dict[str, Any]]] = {
    "fill": fill,
    "fill-much": fill_much,
    "completion": completed,
    "processes": processes,
    "size": size,
    "inbox": taken_in,
    "search": lambda _: searched(10_000),
    "search-large": lambda _: searched(100_000),
    "handlers": handled,
    "arrivals": heard_meanwhile,
    "record-10000": lambda _: {"path": str(_searchable(10_000))},
    "record-100000": lambda _: {"path": str(_searchable(100_000))},
}

if __name__ == "__main__":
    name, place = sys.argv[1:]
    print(json.dumps(MEASURED[name](Path(place))))
