"""What is odd about the bundle that a planned agent is given."""

from __future__ import annotations

from orch_tui.models.database import Record
from orch_tui.prepare.budget import Limits
from orch_tui.prepare.bundle import Bundle, ContextItem
from orch_tui.prepare.catalogue import load_catalogue
from orch_tui.prepare.count import Count
from orch_tui.record import bundles, plan, sessions
from orch_tui.record.planned_bundles import list_removed_bundles, tell_of_planned_bundle


def save(record: Record, bundle_id: str, session_id: str | None = None) -> str:
    item = ContextItem("file", "a.md", "required", (), b"x", Count(500, "x", 500, 500))
    made = Bundle(bundle_id, "coder", "build", (item,), "opus", "")
    return bundles.save_bundle(record, made, session_id).bundle.bundle_id


def told(record: Record, session_id: str, agent_type: str, bundle_id: str | None) -> list[str]:
    planned = plan.add_planned_agent(record, session_id, agent_type, bundle_id=bundle_id)
    limits = Limits(budget=10_000, output_reserve=0)
    return list(tell_of_planned_bundle(record, planned, catalogue=load_catalogue(), limits=limits))


def test_a_bundle_is_judged_as_it_is_planned(record: Record) -> None:
    one, other = (
        sessions.init_session(record, name, project="/p").session_id for name in ("one", "other")
    )
    sessions.change_session(record, one, agent_limits={"reviewer": 100})
    own, foreign = save(record, "own", one), save(record, "foreign", other)
    assert told(record, one, "coder", own) == told(record, one, "coder", None) == []
    kind, limit = told(record, one, "reviewer", save(record, "loose"))
    assert kind == "loose was prepared for coder, not reviewer"
    assert limit.startswith("loose: agent limit: ") and "of 100 tokens, over" in limit
    assert told(record, one, "coder", foreign) == [
        f"foreign is a bundle of another session, {other}"
    ]
    assert list_removed_bundles(record, one) == frozenset()
    bundles.drop_bundle(record, own, "a mistake")
    assert list_removed_bundles(record, one) == {own}
    back = "`orch bundles own --restore 1` brings it back"
    assert told(record, one, "coder", own) == [f"own was retracted: {back}"]
