"""No flag is ignored in silence: in every combination it is honoured, or refused with its name."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from itertools import combinations, product
from pathlib import Path
from typing import Any

import pytest

from orch_tui.cli.parser import COMMANDS, builder
from orch_tui.errors import OrchError
from tests.cli.conftest import NEEDS_A_HUB, Run
from tests.counts import WIDE
from tests.variants import vary

pytestmark = pytest.mark.slow  # every flag of every command

BASES = {
    "init-session": ["--scope more"],
    "set-phase": ["2"],
    "set-scope": ["another"],
    "set-budget": ["9000"],
    "plan": ["", "--agent-type tester", "--edit 1"],
    "init-deployment": ["--agent-type tester", "--context-bundle bundle.json", "--planned 1"],
    "record-allocation": ["--execution-id exec-001 --bundle bundle.json"],
    "record-completion": ["--execution-id exec-001"],
    "collect": ["--execution-id exec-001"],
    "retract": ["exec-002 --reason wrong"],
    "prepare-bundle": ["--agent-type tester --files lib/types.ts"],
    "bundles": ["", "bundle-001", "bundle-001 --copy"],
    "generate-briefing": ["--bundle bundle.json"],
    "validate": ["--scope all", "--session-id orch-1"],
    "check-bounds": ["--phase 1"],
    "count": ["lib/types.ts"],
    "history": ["HNSW"],
    "show": ["exec-001"],
    "compare": ["exec-001 exec-001"],
    "replay": ["exec-001", "exec-001 --deploy", "exec-001 --refresh"],
    "import": ["", "transcripts"],
    "backup": ["copy.db"],
    "restore": ["copy.db"],
    "completion": ["bash"],
}
"""What a command cannot do without, or depends on."""

VALUES = {
    "--session-id": "orch-1",
    "--execution-id": "exec-001",
    "--bundle": "bundle-001",
    "--bundles": "bundle.json",
    "--context-bundle": "bundle.json",
    "--bundle-id": "bundle-007",
    "--import": "bundle.json",
    "--restore": "1",
    "--agent-type": "task-implementor",
    "--agent-types": "task-implementor",
    "--model": "sonnet",
    "--metadata": "{}",
    "--budget": "100000",
    "--move": "1 1",
    "--after": "1",
    "--context-token-count": "7",
    "--success": "true",
    "--error-code": "ORG-001",
    "--validation-results": "lint:pass",
    "--keep": "lib/types.ts#VectorIndex",
    "--fit": "5000",
    "--warn-threshold": "0.5",
    "--template": "briefing.tmpl",
    "--briefing": "briefing.tmpl",
    "--final-message-file": "briefing.tmpl",
    "--dependencies": "a->b",
    "--output-type": "insight",
    "--before": "",
    "--by": "model",
    "--project": ".",
    "--plugin": "plugin",
}
"""Values of flags; of those that are not here: a choice, a number, a word."""

TEXTS = {"--files", "--references", "--optional", "--shared", "--context-files", "--deliverables"}
MOMENTS = {"--since", "--until", "--deployed-at", "--completed-at"}
LEFT_OUT = {"hook", "watch", "demo", "forget", "redact", *NEEDS_A_HUB}
"""Commands that do not end, ask a hub, have no flag that depends on another, or ask only where they
find what is not there here."""


class Watched(argparse.Namespace):
    """Arguments that know which of them were asked for."""

    def __getattribute__(self, name: str) -> Any:
        vars(self).setdefault("_asked", set()).add(name) if name[0] != "_" else None
        return super().__getattribute__(name)


def words_for(action: argparse.Action) -> list[str]:
    """A flag as somebody may type it."""
    flag = action.option_strings[-1]
    if action.nargs == 0:
        return [flag]
    if flag in VALUES:
        value = VALUES[flag]
    elif flag in TEXTS:
        value = "lib/types.ts"
    elif flag in MOMENTS:
        value = "2026-01-01"
    elif action.choices:
        value = str(list(action.choices)[-1])
    elif action.type is not None or action.metavar == "N":
        value = "1"
    else:
        value = "word"
    return [flag, *value.split()]


def combined(name: str) -> Iterator[tuple[list[str], tuple[argparse.Action, ...]]]:
    """Each flag beside every base, and beside the first one each two, when wide."""
    parser = builder(name)()
    flags = [
        action
        for action in parser._actions
        if action.option_strings and not action.required and action.dest not in ("help", "db")
        if action.choices is None
        or len([*action.choices]) > 1  # of one value nothing could be ignored
    ]
    bases = BASES.get(name, [""])
    for base, flag in product(bases, flags):
        yield base.split(), (flag,)
    for two in combinations(flags, 2) if WIDE else ():
        yield bases[0].split(), two


@pytest.mark.parametrize(
    "name", vary([name for name in COMMANDS if name not in LEFT_OUT], always=16)
)
def test_each_flag_is_asked_for_or_refused(
    did: Run, deployed: str, project: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "briefing.tmpl").write_text("Do it.\n")
    (project / "secret.txt").write_text("nowhere to be found\n")
    (project / "transcripts").mkdir()
    did("init-session", "--scope", "Another", "--session-id", "orch-1")
    did("plan", "--agent-type", "tester")
    did("init-deployment", "--agent-type", "tester", "--execution-id", "exec-002")
    ignored = []
    for base, flags in combined(name):
        words = [*base, *(word for flag in flags for word in words_for(flag))]
        for settings in (project / ".claude").glob("settings*.json"):
            settings.unlink()  # hooks that are there already are not asked about
        try:
            given = builder(name)().parse_args(words, Watched())
            vars(given)["_asked"] = set()
            given.run(given)
        except SystemExit as refusal:
            assert refusal.code == 2
            said = capsys.readouterr().err
            assert any(flag.option_strings[-1] in said for flag in flags), (words, said)
            continue
        except OrchError:
            continue  # said, with an exit code
        finally:
            if opened := getattr(locals().get("given"), "project_opened", None):
                opened.close()
        asked = vars(given)["_asked"]
        ignored += [(words, flag.dest) for flag in flags if flag.dest not in asked]
    assert ignored == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("replay exec-001 --drift --deploy", "--drift does not go with --deploy"),
        ("replay exec-001 --drift --output x", "--drift does not go with --output"),
        ("replay exec-001 --session-id s", "--session-id is only for --deploy"),
        ("replay exec-001 --format csv", "--format csv is only for --drift"),
        ("outputs --state --output-type nosuch", "--state does not go with --output-type"),
        ("outputs --failed --state", "--state does not go with --failed"),
        ("plan --remove 1 --scope x", "--scope does not go with --remove"),
        ("plan --remove=1 --agent-type=x", "--agent-type does not go with --remove"),
        ("complete-session --unarchive --status failed", "--unarchive does not go with --status"),
        ("record-completion --execution-id e --collect auto", "--collect auto is only for"),
        ("init-deployment --agent-type a --copy", "--copy is only for --context-bundle"),
        ("validate --session-id s --bundles b", "--session-id does not go with --bundles"),
        ("bundles bundle-001 --restore 1 --name x", "--name does not go with --restore"),
        ("bundles bundle-001 --import bundle.json", "BUNDLE does not go with --import"),
        ("bundles bundle-001 --session-id s", "--session-id beside BUNDLE is only for --copy"),
        ("deduplicate --undo --output x", "--undo does not go with --output"),
        ("synthesize --template x --format json", "--template does not go with --format json"),
        ("stats --by model --every week", "--every is only for --by over_time"),
        ("import --all transcripts", "--all does not go with PATH"),
        ("install --db x", "unrecognized arguments: --db"),
        ("--port 1", "--port is only for --web"),
    ],
)
def test_what_makes_no_sense_together_is_refused_by_name(
    orch: Run, deployed: str, words: str, said: str
) -> None:
    done = orch(*words.split())
    assert (done.code, done.out) == (2, ""), done
    assert said in done.err


def test_a_number_that_is_none_of_the_plan_is_no_silence(orch: Run, deployed: str) -> None:
    for words in ("plan --edit 0", "plan --remove 0", "init-deployment --agent-type a --planned 0"):
        assert "planned agent '0'" in orch(*words.split()).err


def test_a_briefing_is_replayed_as_json(did: Run, orch: Run, deployed: str) -> None:
    briefing = did("replay", deployed).out
    assert did("replay", deployed, "--format", "json").json == {
        "execution_id": deployed,
        "briefing": briefing,
    }
    did("replay", deployed, "--format", "json", "--output", "replayed.json")
    assert json.loads(Path("replayed.json").read_text())["briefing"] == briefing
    Path("lib/types.ts").write_text("export interface Anew {}\n")
    refreshed = did("replay", deployed, "--refresh", "--format", "json").json
    assert (refreshed["bundle_id"], refreshed["version"]) == ("bundle-001", 2)
    assert [drift["state"] for drift in refreshed["drift"]] == ["unchanged", "changed"]
    again = did("replay", deployed, "--deploy", "--format", "json").json
    assert again["execution_id"] != deployed
    assert again["briefing"].startswith(briefing.rstrip("\n"))


def test_a_limit_is_of_what_is_listed(did: Run, deployed: str) -> None:
    for check in ("a:fail,b:pass", "c:pass"):
        did("collect", "--execution-id", deployed, "--validation-results", check)
    found = did("outputs", "--failed", "--limit", "1", "--format", "json").json
    assert [row["check"] for row in found] == ["a"]
    did("collect", "--execution-id", deployed, "--deliverables", "lib/types.ts")
    did("collect", "--execution-id", deployed, "--insights", "one")
    assert len(did("outputs", "--state", "--limit", "1", "--format", "json").json) == 1


def test_two_dashes_are_no_value(orch: Run, project: Path) -> None:
    done = orch("prepare-bundle", "--agent-type", "a", "--no-record", "--files=--")
    assert done.code == 2
    assert "--files: -- is no value" in done.err
