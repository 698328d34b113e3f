"""What others state is taken in, in whatever portions and order it comes."""

from __future__ import annotations

import random
import tempfile
from pathlib import Path

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from orch_tui.models.database import Record
from orch_tui.record.completion import record_completion
from orch_tui.record.exchange.incoming import BrokenRowError, incoming_statements
from orch_tui.record.exchange.outgoing import PortableStatement
from orch_tui.record.ledger.origins import learn_origin
from orch_tui.record.ledger.rebuild import find_stale_executions
from orch_tui.record.opening import open_record
from orch_tui.record.upkeep.restore import restore_export
from tests.counts import COUNTS
from tests.record.feeding import feed
from tests.record.test_exchange import ACTS, Machine, view


@pytest.mark.slow
@given(st.randoms(use_true_random=False))
@settings(max_examples=COUNTS.exchanges, phases=[Phase.generate])
def test_a_few_statements_at_a_time_are_the_same_as_all_at_once(chance: random.Random) -> None:
    """A run may come before its session or bundle, a plan before what it waits for."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ann, bob = (Machine(folder, name, chance) for name in ("ann", "bob"))
        for _ in range(chance.randint(4, 20)):
            machine = chance.choice((ann, bob))
            chance.choice(ACTS)(machine)
            if chance.random() < 0.2:
                restore_export(ann.record, bob.export())
                restore_export(bob.record, ann.export())
        restore_export(ann.record, bob.export())
        late, whole = Machine(folder, "late", chance), Machine(folder, "whole", chance)
        feed(ann.record, late.record, chance)
        restore_export(whole.record, ann.export())
        mine, its = view(late.record), view(whole.record)
        for part, rows in its.items():
            assert mine[part] == rows, part
        assert feed(ann.record, late.record, chance) == 0
        before = late.record.value("SELECT count(*) FROM observations")
        late.export()
        assert late.record.value("SELECT count(*) FROM observations") == before
        assert list(find_stale_executions(late.record)) == []
        for machine in (ann, bob, late, whole):
            machine.record.close()


def test_a_statement_of_an_unknown_kind_is_kept_and_passed_on(
    record: Record, tmp_path: Path
) -> None:
    told = PortableStatement(
        b"k" * 32, "promised", "api", "2026-02-14T00:00:00.000Z", None, "ann", (), {"by": "noon"}
    )
    origin = {"uid": "u", "machine": "ann"}
    with open_record(tmp_path / "other.db") as other:
        with incoming_statements(record) as work:
            work.take_statement(told, [(learn_origin(record, origin), 1)])
        assert feed(record, other, random.Random(0)) == 1
        assert other.sql("SELECT kind, json(payload) FROM observations") == [
            ("promised", '{"by":"noon"}')
        ]
        assert other.sql("SELECT uid, seq FROM log JOIN origins USING (origin_id)") == [("u", 1)]


def test_what_is_no_statement_is_refused(record: Record) -> None:
    told = PortableStatement(b"k" * 32, "noted", "api", "", None, None, (), {"scope": 5})
    with (
        pytest.raises(BrokenRowError, match="scope is 5"),
        incoming_statements(record) as work,
    ):
        work.take_statement(told)
    assert record.value("SELECT count(*) FROM observations") == 0


def test_a_session_that_nobody_described_yet_is_not_stated(record: Record, tmp_path: Path) -> None:
    """Its scope here stands for one that is not known: it must not go for the newest word."""
    deployed = PortableStatement(
        b"d" * 32,
        "deployed",
        "manual",
        "2026-02-14T00:00:00.000Z",
        None,
        "ann",
        ("uid:aa",),
        {"agent_type": "tester", "session": "session:5e55"},
    )
    described = PortableStatement(
        b"s" * 32,
        "set",
        None,
        "2026-02-14T00:00:00.000Z0000",
        None,
        "ann",
        (),
        {"subject": "session:5e55", "values": {"scope": "Fix the build", "label": "build"}},
    )
    with incoming_statements(record) as work:
        origin = learn_origin(record, {"uid": "u", "machine": "ann"})
        work.take_statement(deployed, [(origin, 2)])
    (label,) = work.restored.executions
    assert record.value("SELECT count(*) FROM observations WHERE kind = 'set'") == 0
    record_completion(record, label, final_message="done")
    with incoming_statements(record) as work:
        work.take_statement(described, [(origin, 1)])
    assert record.sql("SELECT scope FROM sessions") == [("Fix the build",)]
