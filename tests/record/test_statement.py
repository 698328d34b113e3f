"""Statements: every field by its type goes in and out, in any order, whatever it says."""

from __future__ import annotations

import itertools
import random
import tempfile
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orch_tui.models.database import Record
from orch_tui.models.facts import set_fact
from orch_tui.record.ledger import statement as statements
from orch_tui.record.ledger.ingest import Report, ingest_statements
from orch_tui.record.ledger.rebuild import find_stale_executions
from orch_tui.record.ledger.statement import (
    KIND_OF,
    KINDS,
    Deployed,
    FileFact,
    ItemFact,
    MessageFact,
    Noted,
    OutputFact,
    Returned,
    StatementPart,
    Used,
    decode_statement,
    describe_problem,
    encode_statement,
    pack_statement,
    unpack_fields,
)
from orch_tui.record.ledger.store import MACHINES
from orch_tui.record.opening import open_record
from orch_tui.record.sessions import init_session
from tests.counts import COUNTS
from tests.record.empty import write_empty_record

TIMES = [f"2026-11-22T10:00:{second:02}.000Z" for second in range(0, 60, 7)]
TEXTS = st.text(max_size=20)
SCALARS: dict[str, st.SearchStrategy[Any]] = {
    "str": TEXTS,
    "int": st.integers(0, 2**53),
    "float": st.floats(0, 1e9, allow_nan=False),
    "bool": st.booleans(),
    "None": st.none(),
    "Any": st.none() | TEXTS,
    "Status": st.sampled_from(["completed", "failed"]),
    "Ending": st.sampled_from(["returned", "failed", "stopped", "interrupted", "limit", "gone"]),
    "AgentKind": st.sampled_from(["agent", "fork", "teammate", "workflow", "internal"]),
    "dict[str, Any]": st.dictionaries(TEXTS, TEXTS, max_size=3),
}
PARTS: dict[str, type[StatementPart]] = {
    part.__name__: part for part in (OutputFact, ItemFact, MessageFact, FileFact)
}


def of_type(annotation: str) -> st.SearchStrategy[Any]:
    """Whatever a field with this annotation may hold."""
    if annotation.startswith("tuple["):
        element = annotation.removeprefix("tuple[").partition(",")[0]
        each = fields_of(PARTS[element]) if element in PARTS else TEXTS
        return st.lists(each, max_size=3).map(tuple)
    if annotation in SCALARS:
        return SCALARS[annotation]
    return st.one_of(*(SCALARS[word] for word in annotation.split(" | ")))


def fields_of(kind: Any) -> st.SearchStrategy[Any]:
    """A statement or part with any of its fields."""
    required = {n: of_type(a) for n, a in kind.shape.items() if n not in kind.defaults}
    optional = {n: of_type(a) for n, a in kind.shape.items() if n in kind.defaults and n != "extra"}
    return st.fixed_dictionaries(required, optional=optional).map(lambda said: kind(**said))


any_statement = st.one_of(*(fields_of(kind) for kind in KINDS.values()))


@pytest.mark.slow
@settings(max_examples=COUNTS.fuzz_inputs)
@given(any_statement)
def test_every_field_of_every_kind_goes_in_and_out(said: Any) -> None:
    kind = KIND_OF[type(said)]
    stored = unpack_fields(pack_statement(said)) or {}
    assert describe_problem(kind, stored) is None
    assert decode_statement(kind, stored) == said
    assert encode_statement(decode_statement(kind, stored)) == encode_statement(said)


@pytest.mark.slow
@settings(max_examples=COUNTS.fuzz_inputs)
@given(any_statement)
def test_the_codec_takes_what_msgspec_takes(said: Any) -> None:
    """The same types as a library reads them from the same annotations."""
    twin = _twin(type(said))
    stored = unpack_fields(pack_statement(said)) or {}
    taken = msgspec.convert(stored, twin)
    for name in type(said).shape:
        if name != "extra":
            mine, theirs = getattr(said, name), getattr(taken, name)
            assert _plain(mine) == _plain(theirs), name


def _plain(value: Any) -> Any:
    if isinstance(value, StatementPart | msgspec.Struct):
        names = type(value).shape if isinstance(value, StatementPart) else value.__struct_fields__
        return [_plain(getattr(value, name)) for name in names]
    return [_plain(each) for each in value] if isinstance(value, tuple) else value


_TWINS: dict[str, Any] = {}


def _twin(kind: Any) -> Any:
    """A struct of msgspec with the fields of a statement; parts are arrays."""
    if kind.__name__ not in _TWINS:
        is_part = issubclass(kind, StatementPart)
        words = vars(statements) | {
            name: _twin(part) for name, part in PARTS.items() if not is_part
        }
        fields = [
            (name, eval(annotation, words))  # noqa: S307 - the annotations are ours
            if name not in kind.defaults
            else (name, eval(annotation, words), kind.defaults[name])
            for name, annotation in kind.shape.items()
            if name != "extra"
        ]
        _TWINS[kind.__name__] = msgspec.defstruct(
            kind.__name__, fields, array_like=is_part, kw_only=not is_part
        )
    return _TWINS[kind.__name__]


@pytest.mark.slow
@settings(max_examples=COUNTS.fuzz_inputs)
@given(any_statement, st.data())
def test_a_body_of_another_type_is_named(said: Any, data: st.DataObject) -> None:
    kind, stored = KIND_OF[type(said)], encode_statement(said)
    fields = {n: a for n, a in type(said).shape.items() if n != "extra" and a != "Any"}
    name = data.draw(st.sampled_from(sorted(fields)))
    wrong: Any = {"tuple": 7, "dict[": 7}.get(fields[name][:5], [["wrong"]])
    stored[name] = wrong if fields[name][:5] in ("tuple", "dict[") else {"wrong": 1}
    assert name in (describe_problem(kind, stored) or "")


def test_what_a_newer_orch_says_is_kept_and_passed_on() -> None:
    newer = {"scope": "find it", "mood": "good"}
    said = decode_statement("noted", newer)
    assert isinstance(said, Noted) and said.scope == "find it" and said.extra == {"mood": "good"}
    assert encode_statement(said) == newer
    assert decode_statement("a kind of tomorrow", newer) is None
    assert describe_problem("a kind of tomorrow", newer) is None


def test_a_misspelt_field_is_refused() -> None:
    with pytest.raises(TypeError, match="Deployed: scoop"):
        Deployed(scoop="find it")  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="subject"):
        statements.Registered(values={})  # type: ignore[call-arg]


def test_what_is_missing_or_no_object_is_named() -> None:
    assert describe_problem("set", {"values": {}}) == "it has no subject"
    assert describe_problem("noted", ["scope"]) == "its body is no object"
    assert describe_problem("used", {"messages": [[]]}) == "messages holds []"
    assert describe_problem("used", {"messages": "x"}) == "messages is 'x'"
    assert describe_problem("delivered", {"withdrawn": [7]}) == "withdrawn holds 7"


def test_a_long_body_is_packed_and_a_short_one_readable() -> None:
    assert pack_statement(Noted(scope="short")) == '{"scope":"short"}'
    packed = pack_statement(Noted(scope="long " * 100))
    assert isinstance(packed, bytes) and len(packed) < 100
    assert unpack_fields(packed) == {"scope": "long " * 100}


def test_replaced_fields_leave_the_statement_as_it_was() -> None:
    first = Returned(status="completed", message="a")
    second = first.replaced(message=None)
    assert (first.message, second.message, second.status) == ("a", None, "completed")
    assert first != second and hash(first) != hash(second)
    assert repr(second) == "Returned(status='completed')"


# The same statements in any order, any number of times, from any sources, give the same rows.

RUN = ["uid:" + "0" * 32, "tool:T", "agent:S/A", "call:S/T"]
_NOT_MADE_UP = {
    "session",
    "planned",
    "bundle_version",
    "briefing",
    "handed_over",
    "message",
    "supersedes",
    "parent",
    "ran_in",
    "told_in",
}
_TIMES = ("deployed_at", "completed_at", "at", "created_at", "read_at", "written_at")


def sayable(kind: Any) -> st.SearchStrategy[Any]:
    """A statement of few values, so that several say the same or contradict each other."""
    fields: dict[str, st.SearchStrategy[Any]] = {}
    for name, annotation in kind.shape.items():
        if name in _NOT_MADE_UP or name == "extra" or annotation.startswith(("tuple", "dict")):
            continue
        if name in _TIMES:
            fields[name] = st.sampled_from(TIMES)
        elif name == "phase":
            fields[name] = st.integers(1, 5)
        elif "int" in annotation and "str" not in annotation:
            fields[name] = st.integers(0, 3)
        elif (
            "bool" in annotation
            or "float" in annotation
            or name in ("status", "ending", "agent_kind")
        ):
            fields[name] = of_type(annotation.replace(" | None", ""))
        else:
            fields[name] = st.sampled_from(["one", "two"])
    return st.fixed_dictionaries({}, optional=fields).map(lambda said: kind(**said))


USES = st.builds(
    lambda messages, files: Used(messages=tuple(messages), files=tuple(files)),
    st.lists(
        st.builds(
            MessageFact,
            message_id=st.sampled_from(["m1", "m2", "result:T"]),
            at=st.sampled_from(TIMES),
            model=st.sampled_from([None, "opus"]),
            input_tokens=st.integers(0, 2),
            output_tokens=st.integers(0, 3),
            tool_calls=st.integers(0, 1),
            cost_usd=st.sampled_from([None, 0.5, 1.0]),
            output_price=st.sampled_from([None, 10.0]),
        ),
        max_size=2,
    ),
    st.lists(
        st.builds(FileFact, path=st.sampled_from(["a", "b"]), read_at=st.sampled_from(TIMES)),
        max_size=2,
    ),
)


@st.composite
def reports(draw: st.DrawFn) -> list[Report]:
    made = [Report(RUN, Noted(), source="import", at=TIMES[0], claude_session="S")]
    for number in range(draw(st.integers(1, 7))):
        source = draw(st.sampled_from(["hook", "import", "hook", "import", "manual", "api"]))
        kinds = [sayable(Deployed), sayable(Noted), sayable(Returned), sayable(Returned)]
        said = draw(st.one_of(*kinds, USES) if source == "import" else st.one_of(*kinds))
        message = None
        if isinstance(said, Returned):
            said = said.replaced(words=None)
            message = draw(st.sampled_from([None, "All done.", "It broke."]))
        keys = [draw(st.sampled_from(RUN))]
        at = draw(st.sampled_from(TIMES))
        if source in ("manual", "api"):  # no two commands of one record are the same
            at = at.replace(".000Z", f".{number:03}Z")
            said = said.replaced(extra={"number": number})
        made.append(Report(keys, said, source=source, at=at, message=message, claude_session="S"))
    return made


_LOCAL = ("execution_id", "session_id", "revision", "message_id", "briefing_id", "uid")


def rows_after(told: list[Report]) -> list[Any]:
    with (
        tempfile.TemporaryDirectory() as folder,
        open_record(write_empty_record(Path(folder) / "x.db")) as record,
    ):
        set_fact(record, "secret", "5e" * 32)  # what people said at one time goes by its digest
        init_session(record, "scope", project=folder)
        for report in told:
            ingest_statements(record, [report])
        assert list(find_stale_executions(record)) == []
        return [
            [
                {name: value for name, value in row.items() if name not in _LOCAL}
                for row in record.rows("SELECT * FROM agent_executions")
            ],
            record.sql(
                "SELECT position, completed_at, status, success, error_message, error_code, "
                "source, ending, hex(sha256) FROM completions LEFT JOIN contents "
                "ON content_id = message_id ORDER BY position"
            ),
            record.sql(f"SELECT {', '.join(MessageFact.shape)} FROM usage_messages ORDER BY 1"),
            record.sql("SELECT path, read_at, written_at FROM execution_files ORDER BY 1"),
        ]


@pytest.mark.slow
@settings(max_examples=COUNTS.histories)
@given(reports(), st.randoms(use_true_random=False))
def test_any_order_and_repetition_give_the_same_rows(
    told: list[Report], chance: random.Random
) -> None:
    again = [report for report in told if report.source in MACHINES]
    shuffled = told + chance.choices(again, k=2)
    chance.shuffle(shuffled)
    assert rows_after(shuffled) == rows_after(told)


def test_what_only_an_undone_return_said_is_in_the_row_in_no_order() -> None:
    at = "2026-11-22T10:00:00.000Z"
    about = ["uid:" + "0" * 32, "agent:S/A"]

    def told(statement: Any) -> Report:
        return Report(about, statement, source="hook", at=at, claude_session="S")

    interim = Returned(
        status="completed", deployed_at=at, told_in="S", agent_type="one", model_message="m1"
    )
    all_told = [told(Deployed()), told(Noted(went_on_after="m1")), told(interim)]
    first, *others = [rows_after(list(some)) for some in itertools.permutations(all_told)]
    assert [first] * 5 == others
    (row,) = first[0]
    assert (row["deployed_at"], row["ran_in"], row["agent_type"]) == (None, None, "unknown")


def test_one_call_takes_in_what_belongs_together(record: Record) -> None:
    """Statements of one call are stored first and added up once."""
    init_session(record, "scope", project="/p")
    said = [
        Report(["tool:T"], Deployed(agent_type="a"), source="hook", claude_session="S"),
        Report(["tool:T", "agent:S/A"], Noted(agent_id="A"), source="hook", claude_session="S"),
        Report(["agent:S/A"], Returned(), source="hook", message="done", claude_session="S"),
    ]
    (label,) = ingest_statements(record, said)
    assert record.sql("SELECT agent_id, status, final_message FROM agent_executions") == [
        ("A", "completed", "done")
    ]
    assert ingest_statements(record, said) == {label}
