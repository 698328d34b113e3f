"""Search per keystroke over a record of realistic runs: ``python -m tests.bench.search [RUNS]``.

Prints one table: sizes, writing, and thread CPU time per keystroke. Phrases are taken from the
corpus and typed letter by letter; a tenth of the runs is recorded after newer ones.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import re
import tempfile
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from itertools import islice
from pathlib import Path

from orch_tui.models.database import Record
from orch_tui.models.values import timestamp
from orch_tui.record.opening import open_record
from orch_tui.search import maintenance
from orch_tui.search.query import search
from tests.bench.corpus import HEAD, START, Corpus, Run
from tests.bench.measure import percentile
from tests.bench.text import bytes_of_text

PROJECT = "/home/somebody/project"


def fill(
    record: Record,
    count: int,
    *,
    contents: int | None = None,
    names: tuple[str, str] = ("exec", "orch"),
) -> None:
    """Record `count` runs with their texts and usage; `names` as `Corpus.runs` takes them."""
    corpus = Corpus()
    given = max(20, count // 10) if contents is None else contents
    chance = random.Random(1)
    late: list[Run] = []
    with _bulk(record):
        with record.write():
            ids = [_content(record, text) for text in corpus.contents(given)]
        runs = corpus.runs(count, given, names)
        while batch := list(islice(runs, BATCH)):
            marked = [(run, chance.random() < 0.1) for run in batch]
            late += [run for run, is_late in marked if is_late]
            _put(record, [run for run, is_late in marked if not is_late], ids)
    for first in range(0, len(late), BATCH):
        _put(record, late[first : first + BATCH], ids)


BATCH = 1000


@contextmanager
def _bulk(record: Record) -> Iterator[None]:
    """Write without what watches rows and without care for a crash; the index is made at the end.

    A million runs would take hours otherwise.
    """
    watching = record.sql(
        "SELECT name, sql FROM sqlite_schema WHERE type = 'trigger' "
        "AND (name GLOB 'search_*' OR name GLOB 'note_*' OR name GLOB 'raw_*')"
    )
    waiting, record.before_commit = record.before_commit, []
    for pragma in ("journal_mode = OFF", "synchronous = OFF", "cache_size = -1000000"):
        record.execute(f"PRAGMA {pragma}")
    with record.write():
        for name, _ in watching:
            record.execute(f"DROP TRIGGER {name}")
    yield
    with record.write():
        maintenance.rebuild(record)
        for _, statement in watching:
            record.execute(statement)
    for pragma in ("synchronous = FULL", "journal_mode = WAL"):
        record.execute(f"PRAGMA {pragma}")
    record.before_commit = waiting


def _put(record: Record, runs: list[Run], ids: list[int]) -> None:
    with record.write():
        record.executemany(
            "INSERT OR IGNORE INTO sessions (session_id, scope, project) VALUES (?, '', ?)",
            {(run.session_id, PROJECT) for run in runs},
        )
        for run in runs:
            if run.final_message:
                _content(record, run.final_message)
        record.executemany(
            "INSERT INTO agent_executions (execution_id, session_id, agent_type, deployed_at, "
            "status, scope, model, final_message, error_message, source, phase, briefing_id, "
            "context_token_count, estimator, ambient_tokens, revision) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'claude-v4.8~o200k', 900, 1)",
            [
                (
                    *(run.execution_id, run.session_id, run.agent_type),
                    *(timestamp(run.deployed_at), run.status, run.scope, run.model),
                    *(run.final_message or None, run.error_message or None, run.source),
                    *(run.phase, _briefing(record, run.briefing), _estimated(run)),
                )
                for run in runs
            ],
        )
        record.executemany(
            "INSERT INTO usage_messages (message_id, execution_id, at, model, cache_write_tokens, "
            "cache_read_tokens, input_tokens, output_tokens) VALUES (?, ?, ?, ?, ?, ?, 9, 90)",
            [
                (
                    *(f"{run.execution_id}-{turn}", run.execution_id),
                    *(timestamp(run.deployed_at + timedelta(seconds=turn)), MODELS[run.model]),
                    *(_estimated(run) + 13_000 if turn == 0 else 300, 15_000 * bool(turn)),
                )
                for run in runs
                if run.status != "deployed"
                for turn in range(3)
            ],
        )
        record.executemany(
            "INSERT INTO execution_keys (key, execution_id) VALUES ('id:' || ?1, ?1)",
            [(run.execution_id,) for run in runs],
        )
        record.executemany(
            "INSERT INTO outputs (execution_id, output_type, content, path) VALUES (?, ?, ?, ?)",
            [
                (run.execution_id, kind, text, text if kind == "deliverable" else None)
                for run in runs
                for kind, text in run.outputs
            ],
        )
        record.executemany(
            "INSERT INTO context_allocations (execution_id, context_type, context_source, "
            "content_id, included_in_deployment) VALUES (?, ?, ?, ?, 1)",
            [
                (run.execution_id, item.type, item.source, ids[item.content])
                for run in runs
                for item in run.given
            ],
        )
        record.execute("DELETE FROM changed_rows")  # nobody stated these


MODELS = {
    "sonnet": "claude-sonnet-5-5",
    "opus": "claude-opus-5-5",
    "haiku": "claude-haiku-5-5",
    "claude-opus-4-8": "claude-opus-4-8",
}
"""What the models that runs ask for call themselves."""


def _estimated(run: Run) -> int:
    """Tokens estimated for what a run was given, about."""
    return 1_000 * len(run.given) + len(run.briefing) // 4


def _content(record: Record, text: str) -> int:
    data = text.encode()
    return int(
        record.value(
            "INSERT INTO contents (sha256, size, encoding, data) VALUES (?, ?, 'zlib', ?) "
            "ON CONFLICT (sha256) DO UPDATE SET size = size RETURNING content_id",
            [hashlib.sha256(data).digest(), len(data), zlib.compress(data, 1)],
        )
    )


def _briefing(record: Record, text: str) -> int:
    return int(
        record.value(
            "INSERT INTO briefings (sha256, size, parts) VALUES (?, ?, ?) "
            "ON CONFLICT (sha256) DO UPDATE SET size = size RETURNING briefing_id",
            [hashlib.sha256(text.encode()).digest(), len(text), json.dumps([["text", text]])],
        )
    )


# Typing


def phrases(record: Record, count: int) -> list[str]:
    """One to three words that stand beside each other in a message or scope."""
    chance = random.Random(5)
    rows = record.sql(
        "SELECT scope, final_message FROM agent_executions WHERE final_message IS NOT NULL "
        "AND deployed_at > ? LIMIT ?",
        [timestamp(START), 50 * count],
    )
    chosen: list[str] = []
    while len(chosen) < count:
        scope, message = chance.choice(rows)
        words = re.findall(r"[A-Za-z]\w+", message if chance.random() < 0.7 else scope)
        if len(words) > 4:
            first = chance.randrange(len(words) - 3)
            chosen.append(" ".join(words[first : first + chance.choice((1, 2, 2, 3))]))
    return chosen


def typed(text: str, fixed: str = "") -> Iterator[str]:
    """The query after each keystroke."""
    for length in range(1, len(text) + 1):
        if not text[length - 1].isspace():
            yield f"{fixed}{text[:length]}"


def series(record: Record, count: int) -> dict[str, list[str]]:
    """What is typed, by what it shows."""
    said = phrases(record, count)
    few = said[: max(1, count // 3)]
    session = record.value("SELECT session_id FROM sessions ORDER BY session_id LIMIT 1 OFFSET 40")
    paths = [
        path
        for (path,) in record.sql(
            "SELECT context_source FROM context_allocations ORDER BY allocation_id LIMIT 9"
        )
    ]
    contents = [
        zlib.decompress(data).decode()
        for (data,) in record.sql("SELECT data FROM contents ORDER BY content_id LIMIT 12")
    ]
    common = [f"{one} {other}" for one in HEAD[:6] for other in HEAD[20:26]]
    given = [" ".join(re.findall(r"[A-Za-z]{4,}", text)[5:7]) for text in contents]
    return {
        "words": [q for phrase in said for q in typed(phrase)],
        "status:completed words": [q for p in few for q in typed(p, "status:completed ")],
        "agent:migration-planner words": [q for p in few for q in typed(p, "agent:migration ")],
        "words -status:completed": [q for p in few for q in typed(p, "-status:completed ")],
        "since:30d words": [q for p in few for q in typed(p, "since:30d ")],
        "until: oldest month, words": [q for p in few for q in typed(p, "until:2025-10-31 ")],
        "phrase in quotes": [q for p in few for q in typed(p, '"')],
        "phrase of two common words": [f'"{p}"' for p in common],
        "a word without a phrase": [f'{p.split()[0]} -"{p}"' for p in common],
        "typing agent:": list(typed("systematic-debugger", "agent:")),
        "typing status:": list(typed("completed", "status:")),
        "typing session:": list(typed(session, "session:")),
        "typing file:": [q for path in paths for q in typed(path, "file:")],
        "word and typing file:": [q for path in paths for q in typed(path, f"{few[0]} file:")],
        "typing given:": [q for text in given for q in typed(text.split()[0], "given:")],
        'given:"..." words': [
            q for text, p in zip(given, said, strict=False) for q in typed(p, f'given:"{text}" ')
        ],
        "words with signs": [f"{q}++" for p in few for q in typed(p.split()[0]) if q[2:]],
        "part of a word": [f"part:{q[1:]}" for p in few for q in typed(p.split()[0]) if q[3:]],
        "nothing typed": [""] * 20,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", type=int, nargs="?", default=10_000)
    parser.add_argument("--phrases", type=int, default=60)
    parser.add_argument("--db", type=Path, help="keep the record here, or use the one there")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = arguments.db or Path(folder) / "execution.db"
        now = START.replace(year=START.year + 1, month=11, day=6)
        known = path.exists()
        with open_record(path, clock=lambda: now) as record:
            if not known:
                _report_filling(record, arguments.runs)
            _report_writing(record)
            _report_typing(record, arguments.phrases)


def _report_filling(record: Record, count: int) -> None:
    filling = _measured(lambda: fill(record, count))
    size = bytes_of_text(record)
    print(f"{count} runs, {size / 1e6:.0f} MB of text, recorded in {filling:.1f} s CPU")
    if count <= 100_000:  # what `fill` did with nine tenths of them
        indexing = _measured(lambda: _in_write(record, maintenance.rebuild))
        rate = f"{count / indexing:.0f} runs/s, {size / 1e6 / indexing:.1f} MB/s"
        print(f"rebuilding the index: {rate}")
    for name, held in (
        ("search index", bytes_of_index(record)),
        ("of that the given contents", _bytes_of(record, "given_index_*")),
        ("whole record", _bytes_of(record, "*")),
    ):
        print(f"{name}: {held / 1e6:.1f} MB, {held / size:.2f} x the text")


def bytes_of_index(record: Record) -> int:
    """Count the bytes of all that search keeps: runs, their texts, and what they were given."""
    return _bytes_of(record, "search_*") + _bytes_of(record, "given_index_*")


def _bytes_of(record: Record, tables: str) -> int:
    return int(
        record.value(
            "SELECT coalesce(sum(pgsize), 0) FROM dbstat "
            "WHERE name GLOB ?1 OR name GLOB 'sqlite_autoindex_' || ?1",
            [tables],
        )
    )


def _report_writing(record: Record) -> None:
    ids = [e for (e,) in record.sql("SELECT execution_id FROM agent_executions LIMIT 200")]
    costs = []
    for execution_id in ids:
        spent = time.thread_time()
        with record.write():
            record.execute(
                "UPDATE agent_executions SET scope = scope || ' again', revision = revision + 1 "
                "WHERE execution_id = ?",
                [execution_id],
            )
        costs.append(1e3 * (time.thread_time() - spent))
    _row("a change, indexed (one transaction)", costs)


def _report_typing(record: Record, count: int) -> None:
    for name, queries in series(record, count).items():
        costs = []
        for query in queries:
            spent = time.thread_time()
            search(record, query)
            costs.append(1e3 * (time.thread_time() - spent))
        _row(name, costs)


def _row(name: str, costs: list[float]) -> None:
    figures = "  ".join(f"p{share} {percentile(costs, share / 100):6.2f}" for share in (50, 95, 99))
    print(f"{name:36} n {len(costs):5}  {figures}  ms", flush=True)


def _in_write(record: Record, change: Callable[[Record], None]) -> None:
    with record.write():
        change(record)


def _measured(work: Callable[[], object]) -> float:
    """The CPU seconds of some work."""
    spent = time.process_time()
    work()
    return time.process_time() - spent


if __name__ == "__main__":
    main()
