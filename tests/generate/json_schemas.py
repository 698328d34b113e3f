"""The JSON Schemas of what commands answer with ``--format json``, made from answers.

    python -m tests.generate.json_schemas --write    # `make docs` does it

The workflow below has each command answer in the situations that give its shape: full and empty,
well and failed. A key that was there every time is required; one that may be null says so.
"""

from __future__ import annotations

import gzip
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from genson import SchemaBuilder

from orch_tui.cli.json_help import name_schema_file
from orch_tui.hub.team_stats import TeamInsights
from orch_tui.prepare.catalogue import load_catalogue
from orch_tui.recall.insights import PARTS
from orch_tui.recall.insights.agent_worth import Cost
from orch_tui.recall.insights.group_outcomes import GroupOutcome
from orch_tui.record.ledger.ingest import Report, ingest_statement
from orch_tui.record.ledger.statement import Used
from orch_tui.record.ledger.usage import MessageUse, price_messages
from orch_tui.record.opening import open_record

SCHEMAS = Path(__file__).parents[2] / "assets" / "schemas"
FIXTURES = Path(__file__).parents[1] / "fixtures"
OLD = FIXTURES / "records" / "version_1.last.db.gz"

Answer = Callable[..., Any]
"""Runs a command with ``--format json`` and gives what it printed, read."""

PARTS_OF_STATS = tuple(part.removeprefix("by_") for part in PARTS)

MAPS = (
    "agent_limits",
    "metadata",
    "content",
    "themes",
    "keymap",
    "models",
    "skipped",
    "validation_results",
)
"""What has keys of the user's own."""


def collect_answers(answer: Answer, folder: Path) -> dict[str, list[Any]]:
    """Have the commands answer in a project with ``notes.md`` and ``lib/``; gives what each said.

    Names are those of the commands; an option that gives another shape follows after a blank.
    """
    found: dict[str, list[Any]] = {}

    def say(name: str, *words: str, stdin: bytes = b"") -> Any:
        said = answer(*(words or name.split()), stdin=stdin)
        found.setdefault(name, []).append(said)
        return said

    # before anything is recorded
    for name in ("config", "path"):
        say(name)
    say("count", "count", "notes.md", "lib/index.py#build")
    say("count --compare", "count", "notes.md", "--compare")
    named = ("--scope", "Index the notes", "--context-files")
    say("validate", "validate", *named, "notes.md,none.md")
    say("validate", "validate", *named, "notes.md", "--dependencies", "a->b,b->a")
    say("check-bounds", "check-bounds", "--phase", "1", "--files", "notes.md,none.md")

    def recall_all(*other: str) -> None:
        for name in (
            *("query", "query --sessions", "outputs", "outputs --state", "bundles", "plan"),
            *("stats", "synthesize", "track-budget", "use"),
        ):
            say(name, *name.split(), *other)
        say("outputs", "outputs", "--failed", *other)
        say("stats --every", "stats", "--every", "day", *other)
        for part in PARTS_OF_STATS:
            say(f"stats --by {part}", "stats", "--by", part, *other)
        for query in ("short", "status:deployed", "status:failed", "status:completed", "has:doubt"):
            say("history", "history", query, *other)

    # a session of which nothing is known, then one run that nobody heard of
    say("init-session", "init-session", "--scope", "Look around")
    recall_all()
    say("init-deployment", "init-deployment", "-a", "Explore")
    recall_all()
    say("record-completion", *_completion("exec-001"), stdin=b"I could not finish.")
    recall_all()
    say("retract", "retract", "exec-001", "--reason", "a test")
    say("init-deployment", "init-deployment", "-a", "Explore")
    without = ("--status", "failed", "--error-message", "it was killed")
    say("record-completion", "record-completion", "-e", "exec-002", *without)
    recall_all()
    say("retract", "retract", "exec-002", "--reason", "a test")
    say("complete-session", "complete-session", "--status", "failed")

    # a session, its plan and its bundles
    say("init-session", "init-session", "--scope", "Index the notes")
    say("use")
    say("set-phase", "set-phase", "3")
    say("set-scope", "set-scope", "Index the notes well")
    say("set-budget", "set-budget", "150000", "--agent-limit", "Explore=9000")
    say("plan", "plan", "-a", "Explore", "--scope", "Look", "--model", "sonnet")
    say("plan", "plan", "-a", "impl", "--scope", "Build", "--after", "1")
    say("plan")
    look = ("--agent-type", "Explore", "--scope", "Look", "--files", "notes.md")
    (folder / "look.json").write_text(json.dumps(say("prepare-bundle", "prepare-bundle", *look)))
    build = ("--agent-type", "impl", "--scope", "Build", "--files", "notes.md,lib/index.py#build")
    built = say("prepare-bundle", "prepare-bundle", *build, "--text", "Be brief.")
    (folder / "build.json").write_text(json.dumps(built))
    say("deduplicate", "deduplicate", "--bundles", "look.json,build.json")
    say("track-budget", "track-budget", "--bundles", "look.json,build.json")
    recall_all()

    # what is deployed, and what comes back
    deploy = ("--context-bundle", "look.json", "--model", "sonnet")
    say("init-deployment", "init-deployment", *deploy)
    say("init-deployment", "init-deployment", "-a", "impl", "--scope", "Build")
    say("record-allocation", "record-allocation", "-e", "exec-004", "--bundle", "build.json")
    message = b"Created lib/new.py and lib/none.py.\n\n## Insights\n- short\n\nTests: 3 failed.\n"
    say("record-completion", *_completion("exec-003"), "--deliverables", "notes.md", stdin=message)
    failed = ("--error-message", "stopped", "--error-code", "ORG-003", "--success", "no")
    say("record-completion", *_completion("exec-004"), *failed, stdin=b"I stopped.")
    say("collect", "collect", "-e", "exec-003", "--insights", "short", "--deliverables", "none.md")
    say("collect --found", "collect", "-e", "exec-003", "--found")

    # recalled
    recall_all()
    for label in ("exec-003", "exec-004"):
        say("show", "show", label)
        say("replay", "replay", label)
    say("replay --drift", "replay", "exec-003", "--drift")
    say("compare", "compare", "exec-003", "exec-004")
    _say_of_usage(say, folder)
    say("import", "import", *map(str, sorted(FIXTURES.glob("client_runs/[bf]*/projects"))))
    say("init-deployment", "init-deployment", "-a", "impl", "--scope", "Build")
    (folder / "old.db").write_bytes(gzip.decompress(OLD.read_bytes()))
    for other in ((), ("--db", "old.db")):
        for row in say("query", "query", *other):
            say("show", "show", row["execution_id"], *other)
            say("compare", "compare", row["execution_id"], "exec-001", *other)
            say("compare", "compare", "exec-001", row["execution_id"], *other)
        recall_all(*other)

    # kept
    say("doctor")
    found["hub admin check"] = found["doctor"]
    for n in (0, 3):
        parts = _count_team(n).parts()  # what a hub would count
        found.setdefault("stats --team", []).append(
            {**parts, "left_out": {"by_person": 1} if n else {}}
        )
        for part in ("person", "machine"):
            found.setdefault(f"stats --by {part}", []).append(parts[f"by_{part}"])
    found["hub admin held"] = [_HELD]
    found["hub sync"] = [
        _SYNCED,
        {**_SYNCED, "remarks": ["labels of ann-laptop end in @ann-laptop"]},
    ]
    say("hub status")
    found["hub status"] += [{**found["hub status"][0], **told} for told in _TOLD_OF_A_HUB]
    say("migrate")
    say("backup", "backup", "copy.db")
    say("redact", "redact", "look.json", "--reason", "a test", "--dry-run")
    say("forget", "forget", "--before", "30d", "--dry-run")
    say("retract", "retract", "exec-003", "--reason", "a test")
    say("complete-session")
    say("restore", "restore", "copy.db")
    return found


_JOINED = {
    "joined": True,
    **{"service": "team", "schema": "orch", "send": "messages"},
    "joined_at": "2026-11-22T10:00:00.000Z",
}
_HELD = {
    **{"name": "3f9c01ab22", "what": "the final message of exec-003"},
    **{"looks_like": "AWS access key, line 1", "sha256": "3f9c01ab22" + "0" * 54},
}
_ORIGIN = {
    **{"name": "ann-laptop", "person": "ann", "declared": None, "machine": "laptop"},
    **{"client": "0.1.0", "sends": "messages", "statements": 812},
    "redactions": 2,
    **{"seen_at": "2026-11-22T10:00:00.000Z", "mine": True},
}
_SYNCED = {
    **{"hub": "team", "pushed": 12, "pushed_texts": 3, "runs": 2},
    **{"pulled": 7, "pulled_texts": 1, "pulled_runs": 1, "origins": 1, "remarks": []},
}
_TOLD_OF_A_HUB = (
    {**_JOINED, "problem": "the hub team cannot be reached", "hint": "it may another time"},
    {
        **_JOINED,
        **{"place": "db.example.org/orch", "hub": "3f0c", "version": 1, "person": "ann"},
        **{"may_read": True, "may_push": True, "waiting": 3, "redactions": 2},
        "origins": [_ORIGIN, {**_ORIGIN, "declared": "Ann"}],
    },
)
"""What ``orch hub status`` tells where there is a hub, which needs a server; ``tests/hub`` holds
real answers to it."""


def _say_of_usage(say: Answer, folder: Path) -> None:
    """Have runs told that were estimated and whose usage is known: too few to learn of, then
    enough, then one of which only the sum is known."""
    for number, agent_type in enumerate(("Explore", *["Explore"] * 3, "impl")):
        text = ("--agent-type", agent_type, "--text", "A word. " * (1 + 2_000 * number))
        bundle = say("prepare-bundle", "prepare-bundle", *text)["bundle_id"]
        deploy = ("--context-bundle", bundle, "--model", "sonnet", "--allow-overflow", "a test")
        run = say("init-deployment", "init-deployment", *deploy)["execution"]
        _record_usage(folder, run, is_whole=agent_type == "Explore")
        for part in ("estimates", "corrections", "starts"):
            say(f"stats --by {part}", "stats", "--by", part)
    say("stats")


def _count_team(n: int) -> TeamInsights:
    """Make the figures of a team of so many runs."""
    all_runs = GroupOutcome("all", n, n, 0, 0)
    named, unnamed = replace(all_runs, name="one"), replace(all_runs, name=None)
    known = Cost("Explore", "opus", 3, 3, 1, 1, 1, 1, 3, 0.5, 0.5)
    unknown = Cost("Explore", None, 3, 0, None, None, None, None, 0, None, None)
    return TeamInsights(
        overall=all_runs,
        by_person=(named,),
        by_machine=(named,),
        by_agent_type=(named,),
        by_model=(named, unnamed),
        over_time=(named,),
        costs=(known, unknown),
    )


def _record_usage(folder: Path, run: Mapping[str, Any], *, is_whole: bool) -> None:
    label, real = run["execution_id"], run["context_token_count"] + 12_000
    model = "claude-sonnet-5-5"
    uses = [MessageUse(f"result:{label}", "", model, real, 1, 0, 1, 9)]
    if is_whole:
        uses.append(MessageUse(label, "2026-11-22T10:00", model, 10, real, 0, 0, 9))
    used = Used(messages=price_messages(uses, load_catalogue()))
    with open_record(folder / ".claude" / "orchestration" / "execution.db") as record:
        ingest_statement(record, Report([f"id:{label}"], used, source="import"))


def _completion(label: str) -> tuple[str, ...]:
    return ("record-completion", "-e", label, "--final-message-file", "-")


def render_schemas(answers: Mapping[str, list[Any]]) -> dict[str, str]:
    """Render a schema for each kind of answer; gives them by the names of their files.

    The shapes of one option, ``stats --by PART``, are those of one schema, each by its title.
    """
    schemas: dict[str, dict[str, Any]] = {}
    for name, said in sorted(answers.items()):
        schema = _schema(name, said)
        whole, option, value = name.partition(" --by ")
        if option:
            name = f"{whole} --by"
            head = {"$schema": schema.pop("$schema"), "title": f"orch {name} --format json"}
            schemas.setdefault(name, {**head, "anyOf": []})["anyOf"].append(
                {**schema, "title": f"--by {value}"}
            )
        else:
            schemas[name] = schema
    return {
        name_schema_file(name): json.dumps(schema, indent=1) + "\n"
        for name, schema in schemas.items()
    }


def _schema(name: str, answers: list[Any]) -> dict[str, Any]:
    builder = SchemaBuilder("https://json-schema.org/draft/2020-12/schema")
    for answer in answers:
        builder.add_object(answer)
    schema = _open_maps(builder.to_schema())
    _tell_models(schema, _ASKED if name in _BY_COLUMNS else _RAN)
    return {"$schema": schema.pop("$schema"), "title": f"orch {name} --format json", **schema}


_BY_COLUMNS = ("query", "show")
_ASKED = "The model that was asked for, as in the table; the one that ran is resolved_model."
_RAN = "The model that ran; while resolved_model is null, the one that was asked for."


def _tell_models(schema: Any, meaning: str) -> None:
    """Say what ``model`` means where both models are told."""
    if isinstance(schema, list):
        for each in schema:
            _tell_models(each, meaning)
    elif isinstance(schema, dict):
        properties = schema.get("properties", {})
        if {"model", "resolved_model"} <= properties.keys():
            properties["model"] = {"description": meaning, **properties["model"]}
        for each in schema.values():
            _tell_models(each, meaning)


def _open_maps(schema: Any, name: str = "") -> Any:
    """Say of what has keys of its own only that it has some."""
    if isinstance(schema, list):
        return [_open_maps(each, name) for each in schema]
    if not isinstance(schema, dict):
        return schema
    if name in MAPS and schema.get("type") == "object":
        return {"type": "object"}
    if schema == {"type": "null"}:  # nothing is known of it but that it may be missing
        return {}
    if "properties" in schema:
        properties = {key: _open_maps(held, key) for key, held in schema["properties"].items()}
        return {**schema, "properties": properties}
    return {key: _open_maps(held, name) for key, held in schema.items()}


def in_json(words: Sequence[str]) -> tuple[str, ...]:
    """Ask for JSON."""
    return (*words, "--format", "json")


def main() -> None:
    """Print the names of the files, or write them with ``--write``."""
    import os
    import subprocess
    import tempfile

    with tempfile.TemporaryDirectory() as home:
        folder = Path(home, "project")
        make_project(folder)
        surroundings = {**os.environ, "HOME": home, "XDG_CONFIG_HOME": f"{home}/.config"}

        def answer(*words: str, stdin: bytes = b"") -> Any:
            command = (sys.executable, "-m", "orch_tui", *in_json(words))
            done = subprocess.run(
                command, cwd=folder, env=surroundings, input=stdin, capture_output=True, check=False
            )
            if not done.stdout:
                sys.exit(f"{' '.join(words)}: {done.stderr.decode()}")
            return json.loads(done.stdout)

        rendered = render_schemas(collect_answers(answer, folder))
    for name, text in rendered.items():
        print(name)
        if "--write" in sys.argv[1:]:
            SCHEMAS.mkdir(exist_ok=True)
            (SCHEMAS / name).write_text(text, "utf-8")


def make_project(folder: Path) -> None:
    """Make the small project that the commands answer in."""
    (folder / ".claude").mkdir(parents=True)
    (folder / "lib").mkdir()
    (folder / "notes.md").write_text("# Notes\n\nThe index is short.\n", "utf-8")
    (folder / "lib" / "index.py").write_text("def build():\n    return {}\n", "utf-8")


if __name__ == "__main__":
    main()
