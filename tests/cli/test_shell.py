"""The commands as a shell sees them: processes, streams, pipes and signals."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from orch_tui.cli.parser import COMMANDS, EVERYDAY
from tests.cli.conftest import NEEDS_A_HUB, ORCH, ROOT, Run, Shell, rows
from tests.cli.test_bad_input import DATABASE, dump
from tests.counts import HANGS_AFTER
from tests.variants import vary

pytestmark = pytest.mark.slow  # every test starts processes

EVERY_COMMAND = """
set -euo pipefail
session=$(orch init-session --scope "Implement vector search")
orch set-scope "Implement vector search, with filters" --session-id "$session"
orch set-budget 300000 --warn-threshold 0.6 --session-id "$session"
orch set-phase 2 --session-id "$session"
orch validate --session-id "$session" --context-files lib/types.ts
orch check-bounds --phase 2 --files lib/types.ts
orch count 'lib/*.ts'
for n in 1 2; do
  bundle=$(orch prepare-bundle --agent-type task-implementor --scope "Part $n" \\
    --files spec/requirements.md --output "bundle-$n.json")
  orch plan --agent-type task-implementor --scope "Part $n" --bundle "$bundle"
done
orch deduplicate --bundles bundle-1.json,bundle-2.json --output shared.json
orch track-budget --session-id "$session" --format json
orch generate-briefing --bundle "$bundle" --output briefing.md
orch use
orch set-budget 150000
orch set-scope "Implement vector search, exactly"
orch set-phase 3
one=$(orch init-deployment --context-bundle bundle-1.json --output one.md)
two=$(orch init-deployment --agent-type task-implementor)
orch record-allocation --execution-id "$two" --bundle bundle-2.json
cat agent-final-output.txt | orch record-completion --execution-id "$one" --final-message -
orch record-completion --execution-id "$two" --final-message "$(cat agent-output.txt)"
orch collect --execution-id "$one" --deliverables lib/vector-search.ts
orch query --format json > executions.json
orch outputs --format json > outputs.json
orch history --format json 'vector' > found.json
orch show "$one" --format json > one.json
orch compare "$one" "$two"
orch replay "$one" > again.md
orch stats
orch synthesize --output report.md
orch retract "$two" --reason "not needed"
orch complete-session
orch hook <<< '{"hook_event_name": "Stop"}'
timeout --signal INT 1 orch watch || test $? = 124
orch path
orch config
orch hub status
orch migrate
orch doctor
orch forget --before 2020-01-01 --dry-run
orch backup copy.db
orch restore copy.db
orch export > record.jsonl
orch import record.jsonl
orch bundles
echo "HNSW" | orch redact - --reason "a test" --dry-run
orch install --yes
orch uninstall --yes
orch completion bash > completion.sh
orch demo
"""


def test_every_command_runs_as_a_process(shell: Shell, project: Path) -> None:
    never_run = {name for name in COMMANDS if f"orch {name}" not in EVERY_COMMAND}
    never_run -= NEEDS_A_HUB
    assert never_run == set()
    done = shell(EVERY_COMMAND)
    assert done.returncode == 0, done.stderr.decode()
    assert b"Traceback" not in done.stderr
    executions = json.loads(Path("executions.json").read_text())
    assert [each["status"] for each in executions] == ["completed", "completed"]
    assert [each["execution_id"] for each in executions] == ["exec-002", "exec-001"]
    assert json.loads(Path("found.json").read_text())
    assert json.loads(Path("one.json").read_text())["said"][0]["final_message"]
    assert Path("one.md").read_text().startswith(Path("again.md").read_text().rstrip("\n"))
    assert "exec-001" in Path("report.md").read_text()
    for line in Path("record.jsonl").read_text().splitlines():
        json.loads(line)
    assert (project / "orch-demo" / ".claude" / "orchestration" / "execution.db").exists()


def test_orch_alone_gives_an_overview(shell: Shell) -> None:
    done = shell("orch")
    assert (done.returncode, done.stderr) == (0, b"")
    printed = done.stdout.decode()
    assert [name for name in COMMANDS if f"\n  {name} " in printed] == sorted(
        EVERYDAY, key=[*COMMANDS].index
    )
    assert max(map(len, printed.splitlines())) <= 80
    assert shell("orch --help").stdout.decode() == printed == shell("orch help").stdout.decode()
    whole = shell("orch help --all").stdout.decode()
    assert all(f"\n  {name} " in whole for name in COMMANDS)
    assert shell("orch help show").stdout == shell("orch show --help").stdout != b""
    assert shell("orch --version").stdout.startswith(b"orch 0.")


def test_data_and_only_data_is_on_standard_output(shell: Shell) -> None:
    shell("orch init-session --scope s; orch init-deployment --agent-type a")
    done = shell("orch set-phase 3 2>/dev/null")
    assert done.stdout.endswith(b" 3 execute\n")
    for command in ("query", "query --sessions", "outputs", "history", "stats", "config"):
        json.loads(shell(f"orch {command} --format json").stdout)


@pytest.mark.parametrize("streams", ["", "2>&1"])
@pytest.mark.parametrize("form", vary(["table", "jsonl", "json", "csv", "markdown"], always=2))
def test_a_reader_that_has_enough_is_no_error(
    shell: Shell, did: Run, form: str, streams: str
) -> None:
    did("init-session", "--scope", "s")
    did("init-deployment", "--agent-type", "a", "--scope", "long " * 20_000)
    done = shell(
        f"set -o pipefail; orch query --format {form} {streams} | head -n 1; "
        'echo "${PIPESTATUS[0]}" >&2'
    )
    assert done.stderr == b"0\n"
    assert done.stdout


def test_a_full_output_is_an_error(shell: Shell, did: Run) -> None:
    did("init-session", "--scope", "s")
    done = shell("orch query --sessions > /dev/full")
    assert done.returncode == 1
    assert done.stderr == b"orch: standard output: No space left on device\n"


def test_closed_streams_are_no_error(shell: Shell, did: Run, project: Path) -> None:
    did("init-session", "--scope", "s")
    assert shell("orch query --sessions >&-").returncode == 0
    assert shell("orch query 2>&-").returncode == 0
    assert shell("orch init-deployment --agent-type a <&- >&- 2>&-").returncode == 0
    assert rows(project, "SELECT count(*) FROM agent_executions") == [(1,)]
    assert shell("orch record-completion --execution-id exec-001 --final-message - <&-").stdout


@pytest.mark.parametrize(
    "surroundings",
    [{"PYTHONIOENCODING": "ascii"}, {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}],
)
def test_data_is_utf8_whatever_the_surroundings(
    shell: Shell, did: Run, surroundings: dict[str, str]
) -> None:
    did("init-session", "--scope", "Größe — 大きさ")
    done = shell("orch query --sessions --format json", env=surroundings)
    assert json.loads(done.stdout.decode())[0]["scope"] == "Größe — 大きさ"
    assert "Größe" in shell("orch query --sessions", env=surroundings).stdout.decode()


INTERRUPTED = """
import os, sys
from orch_tui.cli import main
from orch_tui.record.ledger import journal

journal.log_action = lambda *args, **kwargs: os.kill(os.getpid(), int(sys.argv[1]))
sys.exit(main(sys.argv[2:]))
"""


@pytest.mark.parametrize(
    ("number", "code", "said"),
    [
        (signal.SIGINT, 130, b"interrupted"),
        pytest.param(signal.SIGTERM, 143, b"terminated", marks=pytest.mark.wide),
    ],
)
@pytest.mark.parametrize(
    "words",
    vary(
        [
            ("prepare-bundle", "--agent-type=a", "--files", "constitution.md", "--output=b.json"),
            ("init-deployment", "--context-bundle", "bundle.json", "--output", "briefing.md"),
            ("record-completion", "--execution-id", "exec-001", "--final-message", "done"),
            ("init-session", "--scope", "another"),
            ("collect", "--execution-id", "exec-001", "--insights", "it works"),
            ("complete-session",),
        ],
        always=3,
    ),
    ids=lambda words: words[0] if isinstance(words, tuple) else None,
)
def test_a_signal_in_the_middle_of_a_write_leaves_all_as_it_was(
    deployed: str, project: Path, words: tuple[str, ...], number: int, code: int, said: bytes
) -> None:
    before, files = dump(), sorted(path for path in Path().rglob("*"))
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPTED, str(int(number)), *words],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        timeout=HANGS_AFTER,
    )
    assert (done.returncode, done.stdout) == (code, b"")
    assert done.stderr.startswith(b"orch: " + said)
    assert dump() == before
    assert sorted(path for path in Path().rglob("*")) == files
    again = subprocess.run(
        [*ORCH, *words], env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True
    )
    assert again.returncode == 0, again


def test_a_completion_and_its_deliverables_are_one_write(deployed: str, project: Path) -> None:
    program = INTERRUPTED.replace("from orch_tui.record.ledger import journal\n", "").replace(
        "journal.log_action", "outputs.record_outputs"
    )
    program = f"from orch_tui.record import outputs\n{program}"
    before = dump()
    done = subprocess.run(
        [
            *(sys.executable, "-c", program, str(int(signal.SIGINT)), "record-completion"),
            *("--execution-id", deployed, "--final-message", "m", "--deliverables", "lib/types.ts"),
        ],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        timeout=HANGS_AFTER,
    )
    assert done.returncode == 130, done
    assert dump() == before


def test_many_processes_at_once_lose_nothing(deployed: str, project: Path) -> None:
    surroundings = os.environ | {"PYTHONPATH": str(ROOT)}
    words = [*ORCH, "init-deployment", "--agent-type", "a", "--scope"]
    running = [
        subprocess.Popen(
            [*words, f"part {n}"], env=surroundings, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        for n in range(8)
    ]
    printed = [process.communicate(timeout=HANGS_AFTER) for process in running]
    assert {err for _, err in printed} == {b"model sonnet, assumed\n"}
    assert len({out for out, _ in printed}) == 8
    assert rows(project, "SELECT count(*) FROM agent_executions") == [(9,)]


def test_the_record_is_one_private_file_when_a_command_has_ended(shell: Shell) -> None:
    shell("orch init-session --scope s")
    assert sorted(path.name for path in DATABASE.parent.iterdir()) == [
        *(".gitignore", "execution.db")
    ]
    assert DATABASE.stat().st_mode & 0o777 == 0o600
    assert DATABASE.parent.stat().st_mode & 0o777 == 0o700
