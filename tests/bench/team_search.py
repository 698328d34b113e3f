"""Search on a hub per keystroke: ``python -m tests.bench.team_search [RUNS]``.

Fills a PostgreSQL of its own with the runs of the corpus, as pushes would, and prints what its
backend took for each kind of query: CPU time where the system tells it (Linux), else by the wall.
A search is the whole of it: origins, walk, ranking, texts of 20 hits.
"""

from __future__ import annotations

import argparse
import hashlib
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
from typing import TYPE_CHECKING, Any

from orch_tui.hub.administration import make_hub, make_months
from orch_tui.hub.search_rows import (
    EVERY,
    WordCutter,
    content_name,
    origin_lexeme,
    render_vector,
)
from orch_tui.hub.service import HubService, OpenHub
from orch_tui.hub.team_search import search_team
from orch_tui.models.database import Record
from orch_tui.record.opening import open_record
from orch_tui.search.tokens import TEXTS_APART, filter_lexeme, path_suffixes, render_index_text
from orch_tui.source_name import path_of
from tests.bench.corpus import DAYS, HEAD, START, Corpus, Run
from tests.bench.measure import percentile
from tests.bench.search import typed
from tests.hub.postgres import programs_for_tests, running_server

if TYPE_CHECKING:
    from psycopg import Connection

BATCH = 500
PEOPLE = 20
PROJECTS = tuple(f"example.org/team/{name}" for name in ("one", "two", "three"))
NOW = START + timedelta(days=DAYS + 1)

Search = Callable[[str], object]


@contextmanager
def filled_hub(count: int, *, told: Callable[[str], object] = print) -> Iterator[OpenHub]:
    """A hub with so many runs of twenty people on a server that ends with it."""
    import psycopg

    programs = programs_for_tests()
    if programs is None:
        raise SystemExit("there is no PostgreSQL: the extra dev-hub is not installed")
    with running_server(programs) as cluster:
        place = f"postgresql:///postgres?host={cluster.sockets}&user=orch"
        with psycopg.connect(place, autocommit=True) as hub:
            make_hub(hub, "orch", NOW)
            hub.execute("SET search_path TO orch")
            for setting in ("maintenance_work_mem = '256MB'", "work_mem = '16MB'"):
                hub.execute(f"SET {setting}".encode())
            make_months(hub, START + timedelta(days=90))
            began = time.perf_counter()
            fill(hub, count)
            told(f"{count:,} runs on the hub in {time.perf_counter() - began:.0f} s")
            yield OpenHub(hub, "uid", 1, "orch", HubService("team", {}, "here"), "orch", True, True)


def fill(hub: Connection[Any], count: int) -> None:
    """Put runs on a hub by COPY; the index of words is made at the end."""
    corpus = Corpus()
    given = max(20, count // 10)
    hub.execute("DROP INDEX search_by_words")
    for person in range(PEOPLE):
        hub.execute(
            "INSERT INTO origins (uid, machine, name, client) VALUES (%s, %s, %s, '1')",
            [f"o-{person}", f"machine-{person}", f"person-{person}"],
        )
    digests = [*_put_contents(hub, corpus.contents(given))]
    runs = enumerate(corpus.runs(count, given))
    cutter = WordCutter()
    while batch := list(islice(runs, BATCH)):
        _put_runs(hub, cutter, batch, digests)
    hub.execute("CREATE INDEX search_by_words ON search USING gin (words) WITH (fastupdate = off)")
    hub.execute("VACUUM ANALYZE")


def _put_contents(hub: Connection[Any], texts: Iterator[str]) -> Iterator[bytes]:
    cutter = WordCutter()
    while batch := list(islice(texts, BATCH)):
        cut = cutter.cut([render_index_text([text]) for text in batch])
        digests = [hashlib.sha256(text.encode()).digest() for text in batch]
        _copy(
            hub,
            "contents (sha256, size, encoding, data)",
            (
                (digest, len(text), "zlib", zlib.compress(text.encode(), 1))
                for digest, text in zip(digests, batch, strict=True)
            ),
        )
        words = (render_vector(each, (), weigh=False) for each in cut)
        _copy(hub, "content_search (sha256, words)", zip(digests, words, strict=True))
        yield from digests


def _put_runs(
    hub: Connection[Any], cutter: WordCutter, batch: list[tuple[int, Run]], digests: list[bytes]
) -> None:
    others = [_other_texts(run) for _, run in batch]
    cut = cutter.cut(
        [
            TEXTS_APART + render_index_text((run.scope, run.final_message, *other))
            for (_, run), other in zip(batch, others, strict=True)
        ]
    )
    _copy(
        hub,
        "runs (run_id, uid, origin_id, project, at, machine, label, session, agent, status, "
        "went_well, model, source, phase, cost_usd, input_tokens, made_of, rules) ",
        (
            (
                *(number, f"u{number}", 1 + number // 8 % PEOPLE, PROJECTS[number // 8 % 3]),
                *(run.deployed_at, f"machine-{number // 8 % PEOPLE}", run.execution_id),
                *(run.session_id, run.agent_type, run.status, run.status == "completed"),
                *(run.model, run.source, run.phase, 0.01 * (number % 97), 1000, b"", 1),
            )
            for number, run in batch
        ),
    )
    _copy(
        hub,
        "run_texts (run_id, scope, message, error, other)",
        (
            (number, run.scope, run.final_message, run.error_message, TEXTS_APART.join(other))
            for (number, run), other in zip(batch, others, strict=True)
        ),
    )
    _copy(
        hub,
        "search (run_id, at, words)",
        (
            (
                number,
                run.deployed_at,
                render_vector(words, _lexemes(number, run, digests), weigh=True),
            )
            for (number, run), words in zip(batch, cut, strict=True)
        ),
    )


def _other_texts(run: Run) -> list[str]:
    outputs = "\n".join(text for _, text in run.outputs)
    return [outputs, *(item.source for item in run.given), run.briefing]


def _lexemes(number: int, run: Run, digests: list[bytes]) -> Iterator[str]:
    yield EVERY
    told = {
        "agent": run.agent_type,
        "status": run.status,
        "model": run.model,
        "session": run.session_id,
        "phase": str(run.phase),
        "source": run.source,
        "has": "bundle",
        "project": PROJECTS[number // 8 % 3],
    }
    yield from (filter_lexeme(name, value) for name, value in told.items())
    yield origin_lexeme(f"o-{number // 8 % PEOPLE}")
    for path in dict.fromkeys(path_of(item.source) for item in run.given):
        yield from (filter_lexeme("file", ending) for ending in path_suffixes(path or ""))
    for item in run.given:
        yield content_name(digests[item.content])


def _copy(hub: Connection[Any], table: str, rows: Any) -> None:
    with hub.cursor().copy(f"COPY {table} FROM STDIN".encode()) as copy:
        for row in rows:
            copy.write_row(row)


# Typing


def series(count: int, phrases: int) -> dict[str, list[str]]:
    """What is typed, by what it shows."""
    corpus = Corpus()
    given = max(20, count // 10)
    contents = [*islice(corpus.contents(given), given)][:12]
    runs = [*islice(corpus.runs(count, given), 2000)]
    chance = random.Random(5)
    said: list[str] = []
    while len(said) < phrases:
        run = chance.choice(runs)
        words = re.findall(
            r"[A-Za-z]\w+", run.final_message if chance.random() < 0.7 else run.scope
        )
        if len(words) > 4:
            first = chance.randrange(len(words) - 3)
            said.append(" ".join(words[first : first + chance.choice((1, 2, 2, 3))]))
    few = said[: max(1, phrases // 3)]
    paths = [item.source for run in runs[:9] for item in run.given[:1]]
    told = [" ".join(re.findall(r"[A-Za-z]{4,}", text)[5:7]) for text in contents]
    common = [f"{one} {other}" for one in HEAD[:5] for other in HEAD[20:25]]
    return {
        "words": [q for phrase in said for q in typed(phrase)],
        "words of all projects": [f"ALL {q}" for phrase in few for q in typed(phrase)],
        "status:completed words": [q for p in few for q in typed(p, "status:completed ")],
        "agent:migration words": [q for p in few for q in typed(p, "agent:migration ")],
        "person: words": [q for p in few for q in typed(p, "machine:machine-3 ")],
        "words -status:completed": [f"{p} -status:completed" for p in said],
        "since:30d words": [q for p in few for q in typed(p, "since:30d ")],
        "until: oldest month, words": [q for p in few for q in typed(p, "until:2025-10-31 ")],
        "typing agent:": list(typed("systematic-debugger", "agent:")),
        "typing session:": list(typed(runs[40].session_id, "session:")),
        "typing file:": [q for path in paths for q in typed(path, "file:")],
        "typing given:": [q for text in told for q in typed(text.split()[0], "given:")],
        'given:"..." words': [
            q for text, p in zip(told, few, strict=False) for q in typed(p, f'given:"{text}" ')
        ],
        "phrase in quotes": [f'"{p}"' for p in said if " " in p],
        "phrase of two common words": [f'"{p}"' for p in common],
        "part of a word": [f"part:{p.split()[0][1:]}" for p in few if len(p.split()[0]) > 3],
        "nothing typed": [""] * 20,
    }


WORDS = (
    "words",
    "status:completed words",
    "agent:migration words",
    "words -status:completed",
    "since:30d words",
    "until: oldest month, words",
)
"""The series of words, of which the budgets are."""


def measure(hub: OpenHub, count: int, phrases: int) -> Iterator[tuple[str, list[float], int]]:
    """Search what is typed; gives for each series the milliseconds a query took, and how many of
    them stopped before they had looked at all."""
    spent = _backend_clock(hub)
    with (
        tempfile.TemporaryDirectory() as folder,
        open_record(Path(folder) / "execution.db", clock=lambda: NOW) as record,
    ):
        for name, queries in series(count, phrases).items():
            costs, stopped = [], 0
            for query in queries:
                projects = None if query.startswith("ALL ") else PROJECTS[:1]
                before = spent()
                page = _search(hub, record, query.removeprefix("ALL "), projects)
                costs.append(1e3 * (spent() - before))
                stopped += page.looked_back_to is not None
            yield name, costs, stopped


def _search(hub: OpenHub, record: Record, query: str, projects: tuple[str, ...] | None) -> Any:
    return search_team(hub, record, query, limit=20, projects=projects)


def _backend_clock(hub: OpenHub) -> Callable[[], float]:
    """Give what tells the seconds of CPU that the backend has used."""
    path = Path(f"/proc/{hub.connection.info.backend_pid}/schedstat")
    if not path.exists():
        return time.perf_counter
    return lambda: int(path.read_text().split()[0]) / 1e9


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", type=int, nargs="?", default=10_000)
    parser.add_argument("--phrases", type=int, default=30)
    arguments = parser.parse_args()
    with filled_hub(arguments.runs) as hub:
        sizes = hub.connection.execute(
            "SELECT sum(pg_total_relation_size(c.oid)) FILTER (WHERE c.relkind = 'r'), "
            "sum(pg_relation_size(c.oid)) FILTER (WHERE c.relkind = 'i' AND c.relname ~ 'words') "
            "FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = relnamespace "
            "WHERE nspname = 'orch'"
        ).fetchall()[0]
        each = float(sizes[0]) / arguments.runs / 1e3
        print(
            f"{float(sizes[0]) / 1e6:.0f} MB, {each:.1f} kB a run; indexes of words "
            f"{float(sizes[1]) / 1e6:.0f} MB"
        )
        words: list[float] = []
        for name, costs, stopped in measure(hub, arguments.runs, arguments.phrases):
            words += costs if name in WORDS else []
            _row(name, costs, stopped)
        _row("all with words", words, 0)


def _row(name: str, costs: list[float], stopped: int) -> None:
    figures = "  ".join(f"p{share} {percentile(costs, share / 100):6.1f}" for share in (50, 95, 99))
    ended = f"  {stopped} said how far back they looked" if stopped else ""
    print(f"{name:28} n {len(costs):5}  {figures}  max {max(costs):6.1f} ms{ended}", flush=True)


if __name__ == "__main__":
    main()
