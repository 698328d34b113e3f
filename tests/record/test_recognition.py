"""A briefing that was passed on, however it was wrapped, is its deployment's; others are not."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from orch_tui.models.database import Record
from orch_tui.prepare.budget import Limits
from orch_tui.prepare.bundle import compose_bundle
from orch_tui.prepare.catalogue import load_catalogue
from orch_tui.prepare.sources import SourceReader
from orch_tui.record.deployment import record_deployment
from orch_tui.record.hooks import inbox
from orch_tui.record.ledger.briefing_files import log_briefing_file
from orch_tui.record.ledger.recognition import UNDECIDED
from orch_tui.record.sessions import init_session
from tests.record import hook_events as hooks
from tests.record.hook_events import deliver

CODE = "".join(f"def number_{n}(value: int) -> int:\n    return value + {n}\n\n" for n in range(20))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / ".git").mkdir()
    (tmp_path / "calc.py").write_text(CODE)
    return tmp_path


def deploy(record: Record, root: Path, scope: str, number: int = 1) -> str:
    """A waiting deployment; gives its briefing, without the marker."""
    session = init_session(record, "s", project=str(root), session_id="s")
    bundle = compose_bundle(
        "Explore",
        scope,
        reader=SourceReader(root, root),
        bundle_id=f"bundle-{number:03}",
        created_at="2026-11-22T10:00:00.000Z",
        model="sonnet",
        family="v4.8",
        files=("calc.py",),
    )
    deployed = record_deployment(
        record,
        session.session_id,
        catalogue=load_catalogue(),
        limits=Limits(),
        bundle=bundle,
        execution_id=f"exec-{number:03}",
        deployed_at="2026-11-22T09:59:00.000Z",
    )
    return re.sub(r"\n*<!-- orch \w+ -->\s*$", "", deployed.briefing.decode())


def launch(record: Record, root: Path, prompt: str, tool: str = "T1", **more: str) -> str:
    """The execution of a call with that prompt."""
    deliver(root, [hooks.call(tool, prompt, **more)])
    inbox.drain_inbox(record, root)
    return str(
        record.value("SELECT execution_id FROM execution_keys WHERE key = ?", [f"tool:{tool}"])
    )


def wrapped(text: str) -> str:
    return "\n".join(
        textwrap.fill(line, 60) if len(line) > 60 else line for line in text.split("\n")
    )


PASSED_ON: dict[str, Callable[[str], str]] = {
    "wrapped": wrapped,
    "prefixed": lambda text: f"You are an explorer. Here is your briefing:\n\n{text}",
    "collapsed": lambda text: re.sub(r"\n\n+", "\n", text),
    "on one line": lambda text: " ".join(text.split()),
    "indented": lambda text: textwrap.indent(text, "    "),
    "with a broken marker": lambda text: f"{text}\n\n<!-- orch 0123456789abcdef -->",
    "cut at its end": lambda text: text[: int(len(text) * 0.9)],
}


@pytest.mark.parametrize("how", PASSED_ON)
def test_a_briefing_that_was_passed_on_is_its_deployments(
    how: str, record: Record, root: Path
) -> None:
    text = deploy(record, root, "Find part 1 of the search")
    deploy(record, root, "Find part 10 of the search", 2)
    deploy(record, root, "Find part 1 of the search for errors", 3)
    assert launch(record, root, PASSED_ON[how](text)) == "exec-001"
    assert record.value("SELECT count(*) FROM journal WHERE action = ?", [UNDECIDED]) == 0


@pytest.mark.parametrize(
    "prompt",
    [
        "Find part 1 of the search. Look at calc.py.",
        f"Find part 2 of the search.\n\n{CODE}",
        CODE,
        "Do what calc.py says",
    ],
)
def test_another_task_with_the_same_files_is_another_run(
    prompt: str, record: Record, root: Path
) -> None:
    deploy(record, root, "Find part 1 of the search")
    assert launch(record, root, prompt) != "exec-001"


def test_the_same_briefing_for_another_scope_is_another_run(record: Record, root: Path) -> None:
    text = deploy(record, root, "Find part 1 of the search")
    assert launch(record, root, text.replace("part 1", "part 7")) != "exec-001"


def test_two_similar_briefings_are_left_apart_and_that_is_said(record: Record, root: Path) -> None:
    one = deploy(record, root, "Find it quickly")
    two = deploy(record, root, "Find it slowly", 2)
    both = launch(record, root, f"Read both.\n{one}\n\n{two}")
    assert both not in ("exec-001", "exec-002")
    ((label, after),) = record.sql(
        "SELECT execution_id, after FROM journal WHERE action = ?", [UNDECIDED]
    )
    assert label == both
    assert "exec-001" in after and "exec-002" in after


def test_of_equal_briefings_the_first_is_meant_and_then_the_next(
    record: Record, root: Path
) -> None:
    text = deploy(record, root, "Find it")
    deploy(record, root, "Find it", 2)
    found = {launch(record, root, wrapped(text), tool) for tool in ("T1", "T2")}
    assert found == {"exec-001", "exec-002"}


def test_who_is_told_to_read_the_file_of_a_briefing_has_that_deployment(
    record: Record, root: Path
) -> None:
    deploy(record, root, "Find it")
    deploy(record, root, "Find more", 2)
    log_briefing_file(record, "exec-001", str(root / "notes" / "one.md"))
    log_briefing_file(record, "exec-002", str(root / "two.md"))
    assert launch(record, root, "Read notes/one.md and do what it says.") == "exec-001"
    got = "SELECT arrived FROM context_allocations WHERE execution_id = 'exec-001'"
    assert record.sql(got) == [(None,)]  # nobody saw whether it read that
    assert launch(record, root, f"Read {root}/two.mdx", "T2") != "exec-002"
    assert launch(record, root, f"Judge {root}/two.md", "T3", subagent_type="critic") != "exec-002"
    assert launch(record, root, f"Read {root}/two.md.", "T4") == "exec-002"


def test_a_file_is_of_the_deployment_that_wrote_it_last(record: Record, root: Path) -> None:
    deploy(record, root, "Find it")
    deploy(record, root, "Find more", 2)
    for label in ("exec-001", "exec-002"):
        log_briefing_file(record, label, str(root / "briefing.md"))
    assert launch(record, root, "Read briefing.md and do exactly that") == "exec-002"
