"""What orch reads of what others wrote, kind by kind: what is made of it, and who is to read it."""

from __future__ import annotations

import gzip
import hashlib
import json
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing, suppress
from functools import cache
from pathlib import Path
from random import Random

from orch_tui.claude_client import transcripts_folder
from orch_tui.cli.parser import COMMANDS, builder
from tests.fuzz.laboratory import FIXTURES, MESSAGE, RECORD, Laboratory, WrongError
from tests.fuzz.spoil import ODD_BYTES, ODD_VALUES, spoil_bytes, spoil_json, spoil_text

Kind = Callable[[Laboratory, Random], None]

_RUNS = sorted(path.parent for path in FIXTURES.glob("client_runs/*/payloads.jsonl"))
AGENT = (
    "---\nname: reviewer\ndescription: Reviews: a lot\ntools: Read, Grep\nmodel: opus\n"
    "skills:\n - tdd\n - other # why\nmemory: project\n---\n\nYou review @docs/a.md.\n"
)


def read_transcripts(lab: Laboratory, random: Random) -> None:
    """Transcripts, and what lies beside them."""
    projects = random.choice(_RUNS) / "projects"
    source = random.choice(sorted(path for path in projects.iterdir() if path.is_dir()))
    place = lab.home / ".claude/projects" / transcripts_folder(str(lab.project))
    shutil.copytree(source, place, dirs_exist_ok=True)
    files = sorted(path for path in place.rglob("*") if path.is_file())
    for path in random.sample(files, min(len(files), random.choice((1, 1, 2, 3)))):
        data = path.read_bytes().replace(b'"cwd":"/project"', b'"cwd":"%b"' % bytes(lab.project))
        path.write_bytes(spoil_json(random, data))
    lab.run("import", str(place))
    lab.run("query")


def take_payloads(lab: Laboratory, random: Random) -> None:
    """What hooks left in the inbox."""
    lines = (random.choice(_RUNS) / "payloads.jsonl").read_bytes().splitlines()
    inbox = lab.project / ".claude/orchestration/inbox"
    inbox.mkdir(mode=0o700, exist_ok=True)
    for number, line in enumerate(random.sample(lines, min(4, len(lines)))):
        payload = json.loads(line)["payload"] | {"cwd": str(lab.project)}
        data = json.dumps(payload).encode()
        if number % 2 == 0:
            data = spoil_json(random, data)
        (inbox / f"{number:020}-1-a.json").write_bytes(data)
    lab.run("query")
    lab.run("doctor")


def import_exports(lab: Laboratory, random: Random) -> None:
    """Exports of another record."""
    data = (lab.folder / "export.jsonl").read_bytes()
    lab.write("given.jsonl", spoil_json(random, data))
    if random.random() < 0.5:
        shutil.rmtree(lab.project / ".claude/orchestration")
    lab.run("import", "given.jsonl")
    for command in ("query", "show exec-001", "synthesize"):
        lab.run(*command.split())


def read_bundles(lab: Laboratory, random: Random) -> None:
    """Files of bundles."""
    lab.write("given.json", spoil_json(random, (lab.project / "bundle.json").read_bytes()))
    lab.run("generate-briefing", "--bundle", "given.json", "--output", "briefing.md")
    lab.run("bundles", "--import", "given.json")
    lab.run("init-deployment", "--context-bundle", "given.json")


QUERIES = (
    *("vector search", '"vector search" -draft', "agent:reviewer status:failed", "has:doubt"),
    *("cost:>1 tokens:<1000", "since:2d until:monday", "file:lib/a.py OR type:insight", "part:ect"),
    *(
        "given:HNSW",
        "session:orch-2026",
        "model:opus* is:verified",
        "登录 エラー",
        "a::b foo->bar C++",
    ),
)


def search(lab: Laboratory, random: Random) -> None:
    """What is searched for."""
    for _ in range(4):
        query = spoil_text(random, random.choice(QUERIES))
        lab.run("history", *random.choice(((), ("--lenient",))), "--", query)


SOURCES = (
    *("lib/types.ts", "lib/types.ts:1-3", "spec/requirements.md#Requirements", "lib/**/*.ts"),
    *("lib/types.ts:Vector", "lib", "exec-001:message", "nb.ipynb#(outputs)", "lib/types.ts[2]"),
)


def name_sources(lab: Laboratory, random: Random) -> None:
    """Expressions that name files and parts of them."""
    for _ in range(3):
        given = spoil_text(random, random.choice(SOURCES)).lstrip("/")  # not all of the disk
        lab.run("count", "--", given)
        lab.run("prepare-bundle", "--agent-type", "a", "--no-record", f"--files={given}")


TEMPLATES = (
    "# {scope}\n<!-- {x} -->\n{context}\n",
    "{% for item in items %}{{ item.label | upper }}: {{ item.tokens }}\n{% endfor %}{{ scope }}",
)


def fill_templates(lab: Laboratory, random: Random) -> None:
    """Templates of both forms."""
    template = TEMPLATES[random.random() < 0.15]
    lab.write("given.md", spoil_bytes(random, template.encode()))
    lab.run("generate-briefing", "--bundle", "bundle.json", "--template", "given.md")


SETTINGS = """\
model = "opus"
budget = 200000
max_file_size = 4000000
template_folders = ["templates"]
ignore_files = [".ignore"]
warn_threshold = 0.8
search_order = "newest"

[models.mine]
window = 100000
family = "o200k_base"

[project]
key = "github.com/a/b"
"""


def read_settings(lab: Laboratory, random: Random) -> None:
    """Settings of orch, of a project that somebody sent."""
    lab.write(".claude/orchestration/config.toml", spoil_bytes(random, SETTINGS.encode()))
    for command in ("config", "query", "doctor", "count lib"):
        lab.run(*command.split())


def read_definitions(lab: Laboratory, random: Random) -> None:
    """Definitions of agents, instructions, skills and memories."""
    lab.write(".claude/agents/reviewer.md", spoil_bytes(random, AGENT.encode()))
    lab.write("CLAUDE.md", spoil_bytes(random, b"<!-- x -->\nUse `a` @docs/a.md\n```\n@b\n```\n"))
    lab.write(".claude/skills/tdd/SKILL.md", spoil_bytes(random, AGENT.encode()))
    lab.write("docs/a.md", "# A\n@../CLAUDE.md\n")
    lab.run("prepare-bundle", "--agent-type", "reviewer", "--scope", "s", "--files", "lib/types.ts")
    lab.run("validate")


HOOKS = {
    "permissions": {"allow": ["Bash(ls:*)"], "deny": []},
    "hooks": {"Stop": [{"hooks": [{"type": "command", "command": "orch hook"}]}]},
    "claudeMdExcludes": ["**/x.md"],
}


def read_client_settings(lab: Laboratory, random: Random) -> None:
    """Settings of Claude Code."""
    lab.write(".claude/settings.json", spoil_json(random, json.dumps(HOOKS).encode()))
    lab.write(".claude/settings.local.json", spoil_json(random, json.dumps(HOOKS).encode()))
    lab.run("doctor")
    lab.run("install", "--hooks", "--yes")
    lab.run("uninstall", "--hooks", "--yes")


def read_odd_rows(lab: Laboratory, random: Random) -> None:
    """Values that plain SQL wrote."""
    with closing(sqlite3.connect(RECORD)) as database:
        tables = [
            name
            for (name,) in database.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")
            if not name.startswith(("sqlite_", "search_", "given_"))
        ]
        for _ in range(random.choice((1, 1, 2, 4))):
            table = random.choice(tables)
            columns = [row[1] for row in database.execute(f'PRAGMA table_info("{table}")')]
            value = random.choice((*ODD_VALUES, *ODD_BYTES, float("inf")))
            if isinstance(value, list | dict):
                value = json.dumps(value)
            with suppress(sqlite3.Error, OverflowError, UnicodeEncodeError):
                column = random.choice(columns)
                database.execute(f'UPDATE "{table}" SET "{column}" = ?', [value])
        database.commit()
    for command in ("query", "show exec-001", "stats", "history vector", "outputs", "doctor"):
        lab.run(*command.split())


def open_broken_records(lab: Laboratory, random: Random) -> None:
    """Databases with other bytes than SQLite wrote, and those of earlier versions."""
    older = random.choice([None, *sorted(FIXTURES.glob("records/*.db.gz"))])
    data = (
        (lab.project / RECORD).read_bytes()
        if older is None
        else gzip.decompress(older.read_bytes())
    )
    for end in ("-wal", "-shm"):
        Path(f"{RECORD}{end}").unlink(missing_ok=True)
    broken = bytearray(data)
    for _ in range(random.choice((0, 1, 4, 40, 400))):
        at = random.randrange(len(broken)) if random.random() < 0.7 else random.randrange(4096)
        broken[at] = random.randrange(256)
    if random.random() < 0.1:
        del broken[random.randrange(len(broken)) :]
    RECORD.write_bytes(broken)
    for command in ("query", "doctor", "show exec-001", "export --output x.jsonl"):
        lab.run(*command.split())


IGNORED = b"# c\n*.log\n!keep.log\n/build/\ndocs/**/x?[a-z].md\n\\#a\nfoo \\ \n**/lib\n"


def read_ignore_files(lab: Laboratory, random: Random) -> None:
    """Ignore files, git's configuration and its index."""
    lab.write(".gitignore", spoil_bytes(random, IGNORED))
    lab.write("lib/.gitignore", spoil_bytes(random, IGNORED))
    lab.write(".git/HEAD", "ref: refs/heads/main\n")
    (lab.project / ".git/objects").mkdir()
    (lab.project / ".git/refs").mkdir()
    config = b"[core]\n\texcludesFile = ~/x\n\tignorecase = true\n[include]\n\tpath = other\n"
    lab.write(".git/config", spoil_bytes(random, config))
    lab.write(".git/index", spoil_bytes(random, b"DIRC\0\0\0\x02\0\0\0\0" + bytes(20)))
    lab.write("lib/a" + "b" * random.choice((1, 200)), "x")
    lab.run("count", "lib")


REPORT = json.dumps(
    {
        "summary": "Fixed the index",
        "files_created": ["lib/new.py", {"path": "lib/a.py", "lines": 12, "tests": True}],
        "changes": {"lib/types.ts": "a field", "docs/a.md": None, "deep": [[["lib/b.py"]]]},
        "validation": {"tests": "pass", "coverage": 85.5},
        "insights": ["HNSW is O(log n)"],
    }
).encode()


def record_messages(lab: Laboratory, random: Random) -> None:
    """Final messages, byte for byte."""
    is_json = random.random() < 0.3
    data = spoil_json(random, REPORT) if is_json else spoil_bytes(random, MESSAGE.encode())
    path = lab.write("answer.md", data)
    words = ("record-completion", "--execution-id", "exec-002", "--final-message-file")
    if lab.run(*words, str(path)) == 0 and not _holds(path.read_bytes()):
        raise WrongError("the record does not hold the message as it was")
    lab.run("show", "exec-002")


def _holds(data: bytes) -> bool:
    with closing(sqlite3.connect(RECORD)) as database:
        found = "SELECT 1 FROM contents WHERE sha256 = ?"
        return bool(database.execute(found, [hashlib.sha256(data).digest()]).fetchone())


CODE = {
    "a.py": b'class A:\n    """d"""\n    def m(self): return 1\n\ndef f(x: int):\n    return ""\n',
    "a.ts": b"export class K<T> { m(): void {} }\nfunction g(a: number) { return a }\n",
    "a.md": b"# T\n\n## A, B\n\ntext\n\n```\n# no\n```\n\n### Deep\n",
    "a.ipynb": b'{"cells":[{"cell_type":"code","source":["x"],"outputs":[{"text":"a"}]}]}',
    "a.json": b'{"a": [1, 2, {"b": null}]}',
    "a.css": b"a{b:c}" * 500,
}


def read_files(lab: Laboratory, random: Random) -> None:
    """Sources of any kind, whole and in part."""
    name = random.choice([*CODE])
    lab.write(name, spoil_bytes(random, CODE[name]))
    for part in ("", ":A", ":f", "#A", ":1-3", ":outline"):
        lab.run("count", "--", f"{name}{part}")


def give_options(lab: Laboratory, random: Random) -> None:
    """Words on the command line: of any command, with odd values."""
    name, options = random.choice(_list_commands())
    words = [name]
    for _ in range(random.choice((0, 1, 2, 3, 5))):
        if options and random.random() < 0.7:
            words.append(random.choice(options))
        if random.random() < 0.8:
            value = random.choice((*ODD_BYTES, b"exec-001", b"bundle-001", b"lib", b"json", b"1"))
            words.append(value.decode("utf-8", "replace").replace("\0", "?"))
    lab.run(*words)


_LEFT_OUT = {"watch", "hook", "install", "uninstall", "demo", "completion"}
"""Those that wait, write elsewhere, or leave the process; those of a hub, too."""


@cache
def _list_commands() -> list[tuple[str, list[str]]]:
    """The commands, each with what its options are called."""
    return [
        (name, [word for action in builder(name)()._actions for word in action.option_strings])
        for name in COMMANDS
        if name not in _LEFT_OUT and not name.startswith("hub ")
    ]


KINDS: dict[str, Kind] = {
    "transcripts": read_transcripts,
    "payloads": take_payloads,
    "exports": import_exports,
    "bundles": read_bundles,
    "queries": search,
    "options": give_options,
    "sources": name_sources,
    "templates": fill_templates,
    "configuration": read_settings,
    "definitions": read_definitions,
    "settings": read_client_settings,
    "rows": read_odd_rows,
    "databases": open_broken_records,
    "ignore files": read_ignore_files,
    "messages": record_messages,
    "files": read_files,
}
