"""The engine from Python: as the proposal shows it, and as a demanding caller uses it."""

from __future__ import annotations

import dataclasses
import json
import shutil
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, assert_type, get_args

import pytest

import orch_tui
from orch_tui import Execution, OrchError, OrchestrationSession, api
from orch_tui.api import Project
from orch_tui.errors import ConflictError, NotFoundError, OverBudgetError, RecordError, UsageError
from orch_tui.models.execution import AgentExecution
from orch_tui.prepare.bundle import Bundle
from orch_tui.prepare.tokens import count_tokens
from orch_tui.rows import ERROR_CODES, ErrorCode, ExecutionFacts, Output, PlannedAgent, Session
from tests.cli.test_file_names import NAMED
from tests.conftest import FakeClock

FIXTURES = Path(__file__).parent / "fixtures"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder: the project that the proposal's example is about."""
    root = tmp_path / "project"
    shutil.copytree(FIXTURES / "vector_search_project", root)
    (root / ".claude").mkdir()
    monkeypatch.chdir(root)
    return root


@pytest.fixture
def session(folder: Path) -> Iterator[OrchestrationSession]:
    with OrchestrationSession("Implement vector search") as opened:
        yield opened


def deployed(session: OrchestrationSession) -> Execution:
    bundle = session.prepare_context("task-implementor", files=["lib/types.ts"])
    return session.init_deployment(scope="Implement HNSW", context_bundle=bundle)


# The proposal's example


def test_the_example_of_the_proposal_runs_verbatim(folder: Path) -> None:
    example = (FIXTURES / "proposal" / "api_example.txt").read_text()
    program = example.replace("from orchestration_api import", "from orch_tui import")
    assert program != example
    message = (folder / "agent-output.txt").read_text()
    names: dict[str, object] = {"agent_output": message}
    exec(compile(program, "api_example", "exec"), names)
    session = names["session"]
    assert isinstance(session, OrchestrationSession)
    assert session.status == "completed"
    (facts,) = session.executions()
    assert (facts.status, facts.success, facts.final_message) == ("completed", True, message)
    bundle = names["context_bundle"]
    assert isinstance(bundle, Bundle)
    # the bundle was prepared without a scope, which the briefing says
    scope = count_tokens("Implement HNSW algorithm", family="v4.8", kind="markdown").tokens
    assert facts.context_token_count is not None
    assert abs(facts.context_token_count - bundle.total.tokens - scope) <= 2
    assert "- **task-implementor** (exec-001): Implement HNSW algorithm" in str(names["report"])
    assert names["past_sessions"] == [session.facts]
    outputs = Execution(session.project, facts.execution_id).outputs()
    assert {output.path for output in outputs} == {
        *("lib/vector-search.ts", "tests/vector-search.test.ts")
    }
    session.close()


def test_the_example_may_run_twice(folder: Path) -> None:
    """Its session id is the same; the second run is another attempt in the same session."""
    example = (FIXTURES / "proposal" / "api_example.txt").read_text()
    program = example.replace("from orchestration_api import", "from orch_tui import")
    for attempt in (1, 2):
        names: dict[str, object] = {"agent_output": "done"}
        exec(compile(program, "api_example", "exec"), names)
        session = names["session"]
        assert isinstance(session, OrchestrationSession)
        assert len(session.executions()) == attempt
        session.close()


# The tables


def test_the_example_of_the_documentation_reads_the_models(
    session: OrchestrationSession, capsys: pytest.CaptureFixture[str]
) -> None:
    execution = deployed(session)
    execution.record_completion("done", deliverables=["lib/types.ts"])
    page = (Path(__file__).parent.parent / "docs" / "python.md").read_text()
    _, _, rest = page.partition("```python\nfrom orch_tui.api import models\n")
    program = "from orch_tui.api import models\n" + rest.partition("```")[0]
    capsys.readouterr()
    exec(compile(program, "example", "exec"), {})
    shown = capsys.readouterr().out
    assert shown.startswith(f"{execution.execution_id} Implement vector search 20"), shown
    assert "deliverable lib/types.ts" in shown


def test_what_is_changed_through_the_models_is_a_statement(session: OrchestrationSession) -> None:
    execution = deployed(session)
    with api.models(project=session.project) as record, record.write():
        AgentExecution.update(scope="Implement IVF").execute()
        record.execute("UPDATE agent_executions SET model = 'haiku'")
    assert (execution.facts.scope, execution.facts.model) == ("Implement IVF", "haiku")
    entries = session.project.record.rows("SELECT after FROM journal WHERE action = 'sql'")
    assert [json.loads(entry["after"]) for entry in entries] == [
        {"scope": "Implement IVF"},
        {"model": "haiku"},
    ]


# Opening and closing


def test_a_session_is_closed_when_its_block_ends(folder: Path) -> None:
    with OrchestrationSession("s") as session:
        session_id = session.session_id
    database = folder / ".claude" / "orchestration" / "execution.db"
    assert not database.with_name("execution.db-wal").exists()
    with OrchestrationSession.open(session_id) as again:
        assert (again.scope, again.phase, again.status) == ("s", 1, "planning")


def test_an_error_in_the_block_is_the_callers(folder: Path) -> None:
    with pytest.raises(ZeroDivisionError), OrchestrationSession("s") as session:
        session.set_phase(1 // 0)


def test_a_project_that_is_handed_in_stays_open(folder: Path, clock: FakeClock) -> None:
    project = Project(folder, clock=clock)
    with OrchestrationSession("one", project=project) as one:
        pass
    with OrchestrationSession("two", project=project) as two:
        assert one.session_id == "orch-2026-11-22-001"
        assert two.session_id == "orch-2026-11-22-002"
    assert one.scope == "one"  # the project is still open
    project.close()


def test_a_database_may_be_named(folder: Path, tmp_path: Path) -> None:
    with OrchestrationSession("s", database=str(tmp_path / "other.db")) as session:
        assert session.facts.scope == "s"
    assert not (folder / ".claude" / "orchestration").exists()
    (found,) = OrchestrationSession.query(database=str(tmp_path / "other.db"))
    assert found.session_id == session.session_id


def test_a_project_elsewhere_is_found_by_its_folder(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with OrchestrationSession("s", project=folder / "lib") as session:
        assert session.project.root == folder
        bundle = session.prepare_context("a", files=["types.ts", "constitution.md"])
    assert [item.source for item in bundle.items] == ["lib/types.ts", "constitution.md"]


def test_nothing_is_opened_or_made_before_it_is_asked_for(folder: Path) -> None:
    Project(folder)
    with pytest.raises(RecordError, match="there is no record"):
        OrchestrationSession.query()
    with pytest.raises(RecordError, match="there is no record"):
        OrchestrationSession.open("orch-2026-11-22-001")
    assert not (folder / ".claude" / "orchestration").exists()


@pytest.mark.parametrize(
    "refused",
    [
        lambda: OrchestrationSession(" "),
        lambda: OrchestrationSession("other", "mine"),
        lambda: OrchestrationSession.open("yours"),
    ],
)
def test_a_session_that_is_refused_leaves_no_database_open(
    folder: Path, refused: Callable[[], OrchestrationSession]
) -> None:
    with OrchestrationSession("s", "mine"):
        pass
    with pytest.raises(OrchError) as error:
        refused()
    assert error.value.hint  # and so the traceback, which holds on to the session, is alive
    database = folder / ".claude" / "orchestration" / "execution.db"
    assert not database.with_name("execution.db-wal").exists()


# What it does


def test_an_orchestration_from_plan_to_report(session: OrchestrationSession) -> None:
    session.plan_agent("task-implementor", "Implement HNSW")
    session.plan_agent("task-implementor", "Implement it twice")
    assert session.undo_plan() == "added 2 task-implementor"
    assert session.validate(["lib/types.ts"]).valid
    assert session.set_phase(2) == ()
    execution = deployed(session)
    assert "export type Vector" in execution.briefing
    assert [gate.name for gate in session.set_phase(4)] == ["returned"]
    facts = execution.record_completion(
        "## Deliverables\n- Created `lib/vector-search.ts`\n",
        deliverables=["spec/requirements.md"],
        collect=True,
    )
    assert facts == execution.facts
    assert [(output.path, output.found) for output in execution.outputs()] == [
        ("spec/requirements.md", False),
        ("lib/vector-search.ts", True),
    ]
    execution.collect(validation_results={"tests": "pass", "coverage": 85}, insights=["sorted"])
    assert session.validate_outputs().ok
    assert session.track_budget().status == "ok"
    report = json.loads(session.generate_synthesis_report(format="json"))
    assert "exec-001" in json.dumps(report)
    assert session.complete().status == "completed"


def test_a_bundle_may_be_named_by_its_id_or_file(session: OrchestrationSession) -> None:
    bundle = session.prepare_context("a", files=["lib/types.ts"])
    execution = session.init_deployment(context_bundle=bundle.bundle_id)
    assert execution.facts.agent_type == "a"


def test_a_message_may_be_bytes(session: OrchestrationSession) -> None:
    execution = deployed(session)
    assert execution.record_completion(b"caf\xe9").final_message == "caf\ufffd"


def test_a_repeated_call_changes_nothing(session: OrchestrationSession) -> None:
    execution = deployed(session)
    first = execution.record_completion("done", deliverables=["lib/types.ts"])
    again = execution.record_completion("done", deliverables=["lib/types.ts"])
    assert again == first
    assert len(execution.outputs()) == 1


def test_a_failure_is_recorded_as_one(session: OrchestrationSession) -> None:
    facts = deployed(session).record_completion("It broke.", success=False, error_code="ORG-003")
    assert (facts.status, facts.success, facts.error_code) == ("failed", False, "ORG-003")


def test_without_a_message_the_latest_return_is_meant(session: OrchestrationSession) -> None:
    execution = deployed(session)
    with pytest.raises(UsageError, match="has not returned"):
        execution.record_completion(insights=["it was slow"])
    execution.record_completion("It broke.", success=False)
    facts = execution.record_completion(insights=["it was slow"])
    assert (facts.status, facts.final_message) == ("failed", "It broke.")
    with pytest.raises(ConflictError, match="status is 'failed'"):
        execution.record_completion(status="completed")
    facts = execution.record_completion(status="completed", supersede="it was the network")
    assert (facts.status, facts.final_message) == ("completed", "It broke.")


def test_an_execution_may_be_taken_back(session: OrchestrationSession) -> None:
    execution = deployed(session)
    execution.retract("a mistake")
    assert session.executions() == []


def test_what_is_handed_out_is_frozen(session: OrchestrationSession) -> None:
    for fact in (session.facts, deployed(session).facts):
        with pytest.raises(dataclasses.FrozenInstanceError):
            fact.scope = "another"  # type: ignore[misc]


def test_the_trail_shows_validation_deployment_and_output_in_order(
    session: OrchestrationSession,
) -> None:
    from orch_tui.recall.timeline import list_steps

    session.validate(["lib/types.ts"])
    execution = deployed(session)
    execution.record_completion("done")
    execution.collect(deliverables=["lib/types.ts"], validation_results={"tests": "pass"})
    session.validate_outputs()
    steps = [step.action for step in list_steps(session.project.record, execution.execution_id)]
    order = ["session", "validation", "deployment", "completion", "output", "output"]
    assert [step for step in steps if step in order][: len(order)] == order


# What it refuses


def test_errors_are_of_one_kind_and_say_what_to_do(session: OrchestrationSession) -> None:
    refusals: list[tuple[type[OrchError], str]] = []
    for call in (
        lambda: OrchestrationSession("other", session.session_id),
        lambda: OrchestrationSession(" "),
        lambda: OrchestrationSession.open("orch-2000-01-01-001"),
        lambda: session.set_phase(6),
        lambda: session.init_deployment(context_bundle="bundle-999"),
        lambda: session.init_deployment("a", context_token_count=10**6),
        lambda: session.complete("done"),  # type: ignore[arg-type]
        lambda: session.prepare_context("a", files=["nope.md"]),
    ):
        with pytest.raises(OrchError) as refused:
            call()
        refusals.append((type(refused.value), refused.value.hint))
    kinds = [kind for kind, _ in refusals]
    assert kinds[:6] == [
        *(ConflictError, UsageError, NotFoundError, UsageError, NotFoundError, OverBudgetError)
    ]
    assert [hint for kind, hint in refusals[:6] if not hint] == []


def test_a_return_that_fails_half_way_leaves_nothing(
    session: OrchestrationSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    from orch_tui.record import outputs

    def fail(*given: object, **options: object) -> None:
        raise OSError("the disk went away")

    execution = deployed(session)
    before = execution.facts
    monkeypatch.setattr(outputs, "record_outputs", fail)
    with pytest.raises(OSError, match="went away"):
        execution.record_completion("done", deliverables=["lib/types.ts"])
    assert execution.facts == before


# Several at once


def test_several_sessions_are_open_at_once(folder: Path) -> None:
    with OrchestrationSession("one") as one, OrchestrationSession("two") as two:
        first, second = deployed(one), deployed(two)
        first.record_completion("first")
        second.record_completion("second")
        assert [e.final_message for e in one.executions()] == ["first"]
        assert [e.final_message for e in two.executions()] == ["second"]


def test_many_threads_share_one_session(session: OrchestrationSession) -> None:
    def work(number: int) -> str:
        execution = session.init_deployment("a", f"part {number}")
        execution.record_completion(f"answer {number}")
        execution.collect(insights=[f"insight {number}"])
        return execution.execution_id

    with ThreadPoolExecutor(8) as pool:
        labels = [*pool.map(work, range(40))]
    assert len(set(labels)) == 40
    assert {e.final_message for e in session.executions()} == {f"answer {n}" for n in range(40)}


@pytest.mark.slow
def test_threads_with_databases_of_their_own_do_not_mix(tmp_path: Path) -> None:
    def work(number: int) -> tuple[str | None, ...]:
        root = tmp_path / str(number)
        (root / ".claude").mkdir(parents=True)
        (root / "a.md").write_text(f"# {number}\n")
        with OrchestrationSession(f"scope {number}", project=root) as session:
            for part in range(5):
                bundle = session.prepare_context("a", scope=str(part), files=["a.md"])
                session.init_deployment(context_bundle=bundle).record_completion(f"{number}")
            return tuple(execution.final_message for execution in session.executions())

    with ThreadPoolExecutor(8) as pool:
        assert [*pool.map(work, range(8))] == [(str(number),) * 5 for number in range(8)]


@pytest.mark.slow
@pytest.mark.parametrize("use", ["session", "execution", "record", "close"])
def test_a_session_is_not_carried_into_a_forked_process(folder: Path, use: str) -> None:
    program = f"""
import os, sys
from orch_tui import OrchestrationSession, OrchError
with OrchestrationSession("s", "mine") as session:
    execution = session.init_deployment("a")
    uses = {{
        "session": lambda: session.set_phase(2),
        "execution": lambda: execution.record_completion("done"),
        "record": lambda: session.project.record.sql("SELECT 1"),
        "close": session.close,
    }}
    if os.fork() == 0:
        try:
            uses["{use}"]()
            with OrchestrationSession.open("mine", project=os.getcwd()) as own:
                print(own.scope)
        except OrchError as error:
            print(f"{{error}}: {{error.hint}}")
        sys.stdout.flush()
        os._exit(0)
    os.wait()
    execution.record_completion("of the parent")
    print(execution.facts.final_message)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stderr == ""
    said, parents = done.stdout.splitlines()
    assert parents == "of the parent"
    if use == "close":
        assert said == "s"
    else:
        assert "was opened before this process was forked" in said
        assert "anew in the child" in said


# Paths and texts


def test_a_string_is_one_path(session: OrchestrationSession, folder: Path) -> None:
    (folder / "a, b.md").write_text("# A\n")
    bundle = session.prepare_context(
        "a",
        files="a, b.md",
        references=Path("lib/types.ts"),
        optional="constitution.md",
        shared="spec/requirements.md",
        texts="Mind it",
    )
    assert {item.source for item in bundle.items} == {
        *("a, b.md", "lib/types.ts", "constitution.md", "spec/requirements.md", "text:Mind it")
    }
    answer = session.validate(context_files="lib/types.ts", dependencies="a:b")
    assert answer.context_files_exist == (True,)
    fitted = session.fit(bundle, keep={"constitution.md": "(skeleton)"})
    assert fitted.bundle.items == bundle.items
    execution = session.init_deployment(context_bundle=bundle)
    execution.record_completion("done", deliverables="lib/types.ts", insights="it was slow")
    execution.collect(deliverables=Path("constitution.md"), errors="it broke")
    execution.collect(deliverables=[Path("a, b.md"), "lib/types.ts"])
    assert [output.path or output.content for output in execution.outputs()] == [
        *("lib/types.ts", "it was slow", "constitution.md", "it broke", "a, b.md")
    ]


@pytest.mark.parametrize("given", [[1], b"a.md", [b"a.md"]])
def test_what_is_no_path_is_refused(session: OrchestrationSession, given: Any) -> None:
    with pytest.raises(UsageError, match="neither text nor a path"):
        deployed(session).collect(deliverables=given)


# Content and looks


def test_content_is_an_object_where_it_is_json(session: OrchestrationSession) -> None:
    execution = deployed(session)
    given: dict[str, Any] = {"validation_results": {"tests": "pass"}, "insights": ["[so] it is"]}
    execution.collect(deliverables="lib/types.ts", **given)
    record = session.project.record
    with record.write():
        record.execute(
            "INSERT INTO outputs (execution_id, output_type, content) "
            "VALUES (?, 'deliverable', 'by/hand.md')",
            [execution.execution_id],
        )
    made, checks, insight, by_hand = execution.outputs()
    assert made.content == {
        "file_path": "lib/types.ts",
        "lines_added": None,
        "lines_modified": None,
        "validation": {"tests": "pass"},
    }
    assert (checks.content, insight.content) == ({"tests": "pass"}, "[so] it is")
    assert by_hand.content["file_path"] == by_hand.file_path == "by/hand.md"
    assert [output.content for output in api.outputs_of()][::-1] == [
        output.content for output in execution.outputs()
    ]


def test_what_is_said_twice_is_kept_once_whatever_it_looks_like(
    session: OrchestrationSession,
) -> None:
    execution = deployed(session)
    for _ in range(2):
        execution.collect(insights=['{"a":NaN}', '{"a": 1}', '{"a":1}'])
    assert len(execution.outputs()) == 3


def looked_through(value: object) -> Iterator[object]:
    """The dataclasses in a value, itself first."""
    if dataclasses.is_dataclass(value):
        yield value
        for field in dataclasses.fields(value):
            yield from looked_through(getattr(value, field.name))
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from looked_through(each)
    elif isinstance(value, Iterable) and not isinstance(value, str | bytes):
        for each in value:
            yield from looked_through(each)


def test_the_repr_of_a_result_is_one_line(session: OrchestrationSession, folder: Path) -> None:
    long = "Words\nand more words.\n" * 400
    (folder / "long.md").write_text(f"# Long\n{long}")
    planned = session.plan_agent("task-implementor", long)
    prepared = api.prepare_bundle(
        session.project, "a", long, files=["long.md"], session_id=session.session_id
    )
    execution = session.init_deployment(context_bundle=prepared.bundle)
    facts = execution.record_completion(long, deliverables="long.md", insights=long)
    results = [
        *(planned, prepared, facts, session.facts, session.validate("long.md")),
        *(session.set_phase(4), session.track_budget(), session.validate_outputs()),
        *(execution.collect(validation_results={"tests": "fail"}), api.search("words")),
        *(session.fit(prepared.bundle), api.saved_bundles(), api.stats(), api.outputs_of()),
        *(api.show("exec-001"), api.compare("exec-001", "exec-001"), api.replay("exec-001")),
        *(api.drift("exec-001"), OrchestrationSession.query()),
        *(api.find_sharing(session.project, [prepared.bundle]), [session, execution]),
    ]
    seen = {type(each): repr(each) for each in looked_through(results)}
    assert len(seen) > 25
    assert {kind: text for kind, text in seen.items() if len(text) > 120 or "\n" in text} == {}
    assert repr(session) == f"OrchestrationSession({session.session_id!r})"
    assert repr(execution) == "Execution('exec-001')"
    assert repr(facts).startswith("ExecutionFacts(execution_id='exec-001', session_id='orch-")


# Types


def test_the_words_of_the_types_are_those_of_the_record() -> None:
    assert get_args(ErrorCode) == (*ERROR_CODES,)


RIGHT_AND_WRONG = """
from pathlib import Path
from orch_tui import OrchestrationSession, api

with OrchestrationSession("s", project=".", database="a.db") as session:
    OrchestrationSession.open("s", database="a.db")
    OrchestrationSession.open("s", databse="a.db")  # wrong
    OrchestrationSession.query(agent_type="a", status="planning", since="7d", limit=10)
    OrchestrationSession.query(agent_typ="a")  # wrong
    OrchestrationSession.query(status="deployed")  # wrong
    session.plan_agent("a", "scope", model="opus", waits_for=[1], position=2)
    session.plan_agent("a", "scope", modle="opus")  # wrong
    session.validate("a.md", dependencies=["a:b"])
    bundle = session.prepare_context("a", files="a.md", references=[Path("b.md"), "c.md"], fit=True)
    session.prepare_context("a", file="a.md")  # wrong
    session.prepare_context("a", files=3)  # wrong
    session.fit(bundle, 1000, keep={"a.md": ["One"]})
    session.fit(bundle, 1000, kep={})  # wrong
    session.track_budget([bundle], budget=1000, phase=3)
    session.track_budget(bugdet=1000)  # wrong
    execution = session.init_deployment("a", model="opus", planned=1, briefing="Do it")
    session.init_deployment("a", modle="opus")  # wrong
    execution.record_completion("m", deliverables="a.md", status="failed", error_code="ORG-003")
    execution.record_completion("m", statsu="failed")  # wrong
    execution.record_completion("m", status="deployed")  # wrong
    execution.record_completion("m", error_code="ORG-009")  # wrong
    execution.collect(deliverables=Path("a.md"), insights="slow")
    execution.collect(deliverabels="a.md")  # wrong
    session.generate_synthesis_report(format="html")
    session.generate_synthesis_report(format="pdf")  # wrong
    session.complete("failed")
    session.complete("done")  # wrong
api.search("words", limit=10, include_archived=True)
api.search("words", limti=10)  # wrong
api.stats(session_id="s", every="week")
api.stats(sesion_id="s")  # wrong
api.stats(every="month")  # wrong
api.outputs_of(session_id="s", output_type="insight")
api.outputs_of(output_tpye="insight")  # wrong
api.outputs_of(output_type="file")  # wrong
"""


@pytest.mark.slow
def test_mypy_finds_a_misspelt_keyword_and_a_word_that_is_none(
    tmp_path: Path, pytestconfig: pytest.Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mypy import api as mypy

    monkeypatch.setenv("MYPYPATH", str(pytestconfig.rootpath))  # editable: no stubs of a wheel
    cache = pytestconfig.cache.mkdir("mypy") if pytestconfig.cache else tmp_path
    (tmp_path / "script.py").write_text(RIGHT_AND_WRONG)
    options = ["--strict", "--config-file=", f"--cache-dir={cache}", "--no-error-summary"]
    found, problems, _ = mypy.run(
        [*options, "--hide-error-context", "--follow-imports=silent", str(tmp_path / "script.py")]
    )
    assert problems == ""
    wrong = [n for n, line in enumerate(RIGHT_AND_WRONG.splitlines(), 1) if "# wrong" in line]
    told = {int(line.split(":")[1]) for line in found.splitlines() if ": error:" in line}
    assert told == {*wrong}, found


def test_what_is_given_is_typed(session: OrchestrationSession) -> None:
    assert_type(session.facts, Session)
    assert_type(OrchestrationSession.query(), list[Session])
    assert_type(session.plan_agent("a"), PlannedAgent)
    assert_type(session.prepare_context("a", files=["lib/types.ts"]), Bundle)
    execution = assert_type(session.init_deployment("a"), Execution)
    assert_type(execution.record_completion("m"), ExecutionFacts)
    assert_type(execution.outputs(), list[Output])
    assert_type(session.generate_synthesis_report(), str)
    assert (Path(orch_tui.__file__).parent / "py.typed").exists()


def test_public_names_are_there() -> None:
    assert {*orch_tui.__all__} <= {*dir(orch_tui)}
    for name in orch_tui.__all__:
        assert getattr(orch_tui, name).__doc__
    for name in api.__all__:
        assert getattr(api, name).__doc__
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = orch_tui.nonsense


def test_the_tables_of_the_proposal_hold_what_the_api_recorded(
    session: OrchestrationSession, folder: Path
) -> None:
    deployed(session).record_completion("done", deliverables=["lib/types.ts"])
    connection = sqlite3.connect(folder / ".claude" / "orchestration" / "execution.db")
    found = connection.execute(
        "SELECT s.scope, e.status, e.success, a.context_source, o.output_type FROM sessions AS s "
        "JOIN agent_executions AS e USING (session_id) JOIN outputs AS o USING (execution_id) "
        "JOIN context_allocations AS a USING (execution_id)"
    ).fetchall()
    connection.close()
    assert found == [("Implement vector search", "completed", 1, "lib/types.ts", "deliverable")]


def test_threads_that_ask_at_once_get_one_record(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    OrchestrationSession("s", project=tmp_path).close()
    for _ in range(20):
        project = Project(tmp_path)
        start = threading.Barrier(4)

        def ask(_: int, project: Project = project, start: threading.Barrier = start) -> object:
            start.wait()
            return project.existing_record

        with ThreadPoolExecutor(4) as pool:
            assert len({id(record) for record in pool.map(ask, range(4))}) == 1
        project.close()


def test_a_message_that_tells_of_a_failure_is_warned_of(session: OrchestrationSession) -> None:
    with pytest.warns(UserWarning, match=r"check failed: tests.*status=\"failed\""):
        facts = deployed(session).record_completion("Done. Tests: 3 failed.")
    assert (facts.status, facts.unverified) == ("completed", "check failed: tests")


# Fitting


def test_a_bundle_is_made_to_fit_at_once_or_later(
    session: OrchestrationSession, folder: Path
) -> None:
    (folder / "long.md").write_text("# Long\nShort.\n\n" + "Word after word. " * 900)
    whole = session.prepare_context("a", files=["lib/types.ts"], references=["long.md"])
    later = session.fit(whole, 1_000)
    assert [item.sections for item in later.bundle.items] == [(), ("(skeleton)",)]
    assert (later.bundle.bundle_id, later.bundle.version) == (whole.bundle_id, 1)
    assert later.fitted and later.fitted.after.high <= 1_000
    session.init_deployment(context_bundle=later.bundle)
    again = session.fit(whole)  # there is room: all of it, and what was deployed stays
    assert (again.bundle.version, again.bundle.items) == (2, whole.items)
    at_once = session.prepare_context(
        "b", files=["lib/types.ts"], references=["long.md"], fit=1_000
    )
    assert at_once.items == later.bundle.items
    with pytest.raises(OverBudgetError, match="required items alone"):
        session.fit(whole, 10)


def test_a_session_leaves_a_bundle_only_the_room_that_others_do_not_take(folder: Path) -> None:
    (folder / "long.md").write_text("# Long\nShort.\n\n" + "Word after word. " * 900)
    with OrchestrationSession("s", budget=9_000) as session:
        session.prepare_context("a", files=["long.md"])
        fitted = session.prepare_context("b", references=["long.md"], fit=True)
        assert [item.sections for item in fitted.items] == [("(skeleton)",)]
        assert session.prepare_context("b", references=["long.md"], fit=True) == fitted
        assert session.track_budget().status != "over"


@NAMED
def test_a_name_no_file_can_have_is_one_of_orchs_errors(
    session: OrchestrationSession, name: str, said: str
) -> None:
    calls: list[Callable[[], object]] = [
        lambda: OrchestrationSession("s", project=name),
        lambda: OrchestrationSession("s", database=name),
        lambda: Project(name),
        lambda: session.project.read_bundle(name),
        lambda: session.prepare_context("a", files=[name]),
        lambda: session.init_deployment(context_bundle=name),
        lambda: session.generate_synthesis_report(template=name),
    ]
    for call in calls:
        with pytest.raises(OrchError, match=said):
            call()
