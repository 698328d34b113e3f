"""What an agent was handed beside what was planned: as planned, in part, by a line, not at all."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from orch_tui.hand_over_line import render_hand_over
from orch_tui.models.database import Record
from orch_tui.prepare.budget import Limits
from orch_tui.prepare.bundle import compose_bundle
from orch_tui.prepare.catalogue import load_catalogue
from orch_tui.prepare.sources import SourceReader
from orch_tui.recall import handed_over
from orch_tui.recall.handed_over import compare_texts
from orch_tui.recall.run_figures import describe_run
from orch_tui.recall.show import Shown, show_execution, shown_to_dict
from orch_tui.record.deployment import Deployment, record_deployment
from orch_tui.record.hooks import inbox
from orch_tui.record.ledger.rebuild import find_stale_executions
from orch_tui.record.sessions import init_session
from orch_tui.search.query import search
from tests.record import hook_events as hooks
from tests.record.hook_events import deliver
from tests.variants import vary


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / ".git").mkdir()
    (tmp_path / "a.py").write_text("def first():\n    return 'alpha words'\n")
    (tmp_path / "b.py").write_text("def second():\n    return 'beta words'\n")
    return tmp_path


@pytest.fixture
def deployed(record: Record, root: Path) -> Deployment:
    session = init_session(record, "s", project=str(root))
    bundle = compose_bundle(
        "Explore",
        "find it",
        reader=SourceReader(root, root),
        bundle_id="bundle-001",
        created_at="2026-11-22T10:00:00.000Z",
        model="sonnet",
        family="v4.8",
        files=("a.py", "b.py"),
    )
    return record_deployment(
        record, session.session_id, catalogue=load_catalogue(), limits=Limits(), bundle=bundle
    )


def call(
    record: Record, root: Path, wrote: str, got: str | None = None, tool: str = "T1", **more: str
) -> Shown:
    """A call with a prompt that a hook may have replaced; gives its execution."""
    called = hooks.call(tool, wrote, **more)
    answered = hooks.answer(hooks.call(tool, got or wrote, **more), hooks.launched(f"a{tool}"))
    deliver(root, [called, answered])
    inbox.drain_inbox(record, root)
    label = record.value("SELECT execution_id FROM agent_executions WHERE tool_use_id = ?", [tool])
    assert list(find_stale_executions(record)) == []
    return show_execution(record, str(label), root)


def arrived(shown: Shown) -> list[bool | None]:
    return [given.allocation.arrived for given in shown.given]


def line_for(deployed: Deployment) -> str:
    return render_hand_over(deployed.execution.uid, "0" * 64, "briefing.md")


def test_what_nobody_saw_is_as_planned(record: Record, root: Path, deployed: Deployment) -> None:
    shown = show_execution(record, "exec-001", root)
    assert shown.briefing is not None
    assert deployed.briefing.decode().startswith(shown.briefing.rstrip("\n"))
    assert shown.handed_over is None
    assert arrived(shown) == [None, None]


def test_the_briefing_itself_is_as_planned(
    record: Record, root: Path, deployed: Deployment
) -> None:
    shown = call(record, root, deployed.briefing.decode())
    assert shown.execution.execution_id == "exec-001"
    assert shown.execution.handed_over_id is None
    assert shown.handed_over is None
    assert arrived(shown) == [True, True]
    assert record.value("SELECT count(*) FROM briefings") == 1


def test_a_line_that_a_hook_replaced_is_as_planned_too(
    record: Record, root: Path, deployed: Deployment
) -> None:
    shown = call(record, root, line_for(deployed), deployed.briefing.decode())
    assert shown.execution.execution_id == "exec-001"
    assert (shown.handed_over, arrived(shown)) == (None, [True, True])
    again = call(record, root, line_for(deployed), deployed.briefing.decode(), "T2")
    assert again.execution.execution_id == "exec-002"
    assert again.execution.bundle_version_id == shown.execution.bundle_version_id
    assert (again.handed_over, arrived(again)) == (None, [True, True])


def test_a_line_that_no_hook_replaced_is_told_as_such(
    record: Record, root: Path, deployed: Deployment
) -> None:
    shown = call(record, root, line_for(deployed))
    assert shown.execution.execution_id == "exec-001"
    assert shown.handed_over == line_for(deployed)
    assert shown.difference is not None and shown.difference.is_only_line
    assert "line that names the briefing" in dict(describe_run(shown))["handed over"]
    assert arrived(shown) == [None, None]


def test_what_was_left_out_is_marked_and_followed(
    record: Record, root: Path, deployed: Deployment
) -> None:
    briefing = deployed.briefing.decode()
    prompt = briefing.replace("def second():\n    return 'beta words'\n", "Be quick, kerfuffle.\n")
    shown = call(record, root, prompt)
    assert shown.execution.execution_id == "exec-001"
    assert shown.handed_over == prompt
    assert arrived(shown) == [True, False]
    assert shown.difference is not None
    assert shown.difference.missing == ("def second():", "return 'beta words'")
    assert shown.difference.added == ("Be quick, kerfuffle.",)
    assert "2 of" in shown.difference.summary
    assert shown_to_dict(shown, ())["difference"] == list(shown.difference.lines)
    assert [file.path for file in shown.files if file.given] == ["a.py"]
    for query, found in (
        ("kerfuffle", ["exec-001"]),
        ('"alpha words"', ["exec-001"]),
        ('"beta words"', []),
        ('given:"beta words"', []),
        ('given:"alpha words"', ["exec-001"]),
    ):
        assert [hit.execution_id for hit in search(record, query).hits] == found, query


def test_other_line_ends_are_said_and_everything_arrived(
    record: Record, root: Path, deployed: Deployment
) -> None:
    text, mark, uid = deployed.briefing.decode().rpartition("<!-- orch")
    text = text.replace("\n\n", "\n").replace(" ", "  ")
    shown = call(record, root, text + mark + uid)
    assert shown.difference is not None
    assert shown.difference.summary == "as planned, but for spaces and line ends"
    assert arrived(shown) == [True, True]


def test_another_agent_type_than_planned_is_told(
    record: Record, root: Path, deployed: Deployment
) -> None:
    shown = call(record, root, deployed.briefing.decode(), subagent_type="general-purpose")
    assert shown.execution.agent_type == "Explore"
    assert shown.called_as == "general-purpose"
    assert dict(describe_run(shown))["called as"] == "general-purpose"


def rewrap(text: str, width: int) -> str:
    joined = " ".join(text.split())
    return "\n".join(joined[at : at + width] for at in range(0, len(joined), width))


@pytest.mark.parametrize(
    "kind", vary(["much alike", "unlike", "rewrapped", "short lines", "repeated"], always=2)
)
def test_long_texts_are_compared_in_a_bounded_number_of_steps(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is compared and searched is counted, not the time: two texts of 170 kB each."""
    random = Random(7)
    words = ["".join(random.choices("abcdefghij", k=random.randint(2, 9))) for _ in range(4000)]

    def text(seed: int, line: int) -> str:
        some = Random(seed).choices(words, k=27_000)
        return "\n".join(" ".join(some[at : at + line]) for at in range(0, len(some), line))

    planned = text(1, 1 if kind == "short lines" else 7)
    got = {
        "unlike": text(2, 7),
        "rewrapped": rewrap(planned, 70),
        "much alike": planned.replace("a", "b"),
        "short lines": text(3, 1),
        "repeated": f"{'a' * 80_000} {'ab' * 40_000}",
    }[kind]
    planned += "".join(f"\n{'a' * 50}{n}" for n in range(2000)) if kind == "repeated" else ""
    made: list[handed_over._JoinedText] = []
    plain = handed_over._JoinedText.__init__

    def noted(self: handed_over._JoinedText, text: str) -> None:
        plain(self, text)
        made.append(self)

    monkeypatch.setattr(handed_over._JoinedText, "__init__", noted)
    difference = compare_texts(planned, got)
    compared = sum(each.compared for each in made)
    assert compared <= 2 * handed_over._MOST_COMPARED + 30_000
    if kind == "rewrapped":
        assert not difference.missing and not difference.added
    if kind == "unlike":
        assert len(difference.missing) > 0.99 * difference.planned_lines
        assert compared < 200_000


@pytest.mark.parametrize("seed", range(20))
def test_pieces_decide_as_a_search_does(seed: int) -> None:
    random = Random(seed)
    text = "".join(random.choices("ab", k=3000))
    joined = handed_over._JoinedText(text)
    for _ in range(300):
        at, length = random.randrange(3000), random.choice([1, 7, 8, 14, 15, 16, 40, 90])
        line = text[at : at + length]
        if random.random() < 0.5:
            line = line[: length // 2] + random.choice("abc") + line[length // 2 :]
        assert joined.holds(line) == (line in text), (at, length)
