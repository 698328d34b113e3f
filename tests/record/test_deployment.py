"""Deploying: what is recorded, what is refused, what a repetition does."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from orch_tui.errors import ConflictError, NotFoundError, OverBudgetError, SourceError, UsageError
from orch_tui.install import hook_settings
from orch_tui.models.database import Record
from orch_tui.models.stored_bytes import unpack_text
from orch_tui.prepare import briefing
from orch_tui.prepare.briefing_size import measure_briefing
from orch_tui.prepare.budget import Limits
from orch_tui.prepare.bundle import Bundle, compose_bundle
from orch_tui.prepare.catalogue import load_catalogue
from orch_tui.prepare.count import Count
from orch_tui.prepare.sources import SourceReader
from orch_tui.record import bundles, deployment, executions, plan, sessions
from orch_tui.record.completion import record_completion
from orch_tui.record.deployment import record_allocation, record_deployment
from orch_tui.record.ledger import journal
from orch_tui.record.ledger.rebuild import (
    find_stale_executions,
    rebuild_from_statements,
    stored_observations,
    stored_statements,
)
from orch_tui.record.ledger.statement import Deployed
from orch_tui.record.opening import open_record
from orch_tui.record.session_budget import read_taken, track_budget
from orch_tui.record.upkeep.export import export_record
from orch_tui.record.upkeep.restore import restore_export
from orch_tui.search.query import search
from tests.record.reporting import report

LIMITS = Limits()
CATALOGUE = load_catalogue()


@pytest.fixture
def session(record: Record, tmp_path: Path) -> str:
    return sessions.init_session(record, "find the bug", project=str(tmp_path)).session_id


@pytest.fixture
def bundle(tmp_path: Path) -> Bundle:
    (tmp_path / "a.md").write_text("# Alpha\n" + "words of the first file\n" * 40)
    (tmp_path / "b.py").write_text("x = 1\n" * 60)
    return made_of(tmp_path, "a.md", "b.py")


def made_of(folder: Path, *files: str, bundle_id: str = "bundle-001") -> Bundle:
    made = compose_bundle(
        "debugger",
        "find it",
        reader=SourceReader(folder, folder),
        bundle_id=bundle_id,
        created_at="2026-11-22T10:00:00.000Z",
        model="sonnet",
        family="v4.8",
        files=files,
    )
    return measure_briefing(made, "v4.8")


def send(record: Record, session_id: str, **options: Any) -> deployment.Deployment:
    return record_deployment(record, session_id, catalogue=CATALOGUE, limits=LIMITS, **options)


def test_a_deployment_records_what_was_given_word_for_word(
    record: Record, session: str, bundle: Bundle
) -> None:
    deployed = send(record, session, bundle=bundle)
    execution = deployed.execution
    assert (execution.execution_id, execution.status) == ("exec-001", "deployed")
    assert (execution.agent_type, execution.scope, execution.model) == (
        "debugger",
        "find it",
        "sonnet",
    )
    assert execution.context_token_count == bundle.total.tokens
    given = executions.list_allocations(record, "exec-001")
    assert [a.context_source for a in given] == ["a.md", "b.py"]
    assert all(a.included_in_deployment for a in given)
    assert b"words of the first file" in deployed.briefing
    assert deployed.briefing.splitlines()[-1] == f"<!-- orch {execution.uid} -->".encode()


def test_the_files_are_stored_once_and_the_briefing_points_to_them(
    record: Record, session: str, bundle: Bundle
) -> None:
    send(record, session, bundle=bundle)
    send(record, session, bundle=bundle)
    assert record.value("SELECT count(*) FROM contents") == 2 + len(briefing.render_fixed_parts())
    fixed = b"".join(briefing.render_fixed_parts()).decode()
    assert record.value("SELECT count(*) FROM briefings") == 1
    literal = unpack_text(record.value("SELECT parts FROM briefings"))
    assert "find it" in literal
    assert "words of the first file" not in literal
    for told in ("without any history", "all that comes back"):  # to every agent
        assert told in fixed
        assert told not in literal
        assert not search(record, told).hits


def test_the_same_call_again_changes_nothing(record: Record, session: str, bundle: Bundle) -> None:
    first = send(record, session, bundle=bundle, execution_id="exec-007")
    before = record.value("SELECT count(*) FROM journal")
    again = send(record, session, bundle=bundle, execution_id="exec-007")
    assert again.execution == first.execution
    assert again.briefing == first.briefing
    assert record.value("SELECT count(*) FROM journal") == before
    assert len(executions.list_allocations(record, "exec-007")) == 2


def test_the_same_id_with_other_content_is_refused_with_the_difference(
    record: Record, session: str
) -> None:
    send(record, session, agent_type="debugger", scope="one", execution_id="exec-001")
    with pytest.raises(ConflictError, match="scope is 'one', not 'two'"):
        send(record, session, agent_type="debugger", scope="two", execution_id="exec-001")
    assert executions.get_execution(record, "exec-001").scope == "one"


def test_a_run_that_only_came_back_can_still_be_said_to_be_deployed(
    record: Record, session: str
) -> None:
    with record.write():
        told = {"session_id": session, "agent_type": "debugger", "status": "completed"}
        label = report(record, "returned", told, source="hook", keys=["id:exec-005"])
    deployed = send(record, session, agent_type="debugger", scope="one", execution_id=label)
    assert (deployed.execution.scope, deployed.execution.status) == ("one", "completed")


def test_superseding_keeps_what_was_said_before(
    record: Record, session: str, bundle: Bundle
) -> None:
    send(record, session, agent_type="debugger", scope="one", execution_id="exec-001")
    send(record, session, bundle=bundle, execution_id="exec-001", supersede="wrong scope")
    assert executions.get_execution(record, "exec-001").scope == "find it"
    first = stored_observations(record, "exec-001")[0].statement
    assert isinstance(first, Deployed) and first.scope == "one"
    reasons = [
        e.after["reason"] for e in journal.list_journal(record) if e.action == "init-deployment"
    ]
    assert reasons == [None, "wrong scope"]


def test_what_supersedes_without_files_takes_those_back(
    record: Record, session: str, bundle: Bundle
) -> None:
    send(record, session, bundle=bundle, execution_id="exec-001")
    send(
        record,
        session,
        agent_type="debugger",
        scope="find it",
        execution_id="exec-001",
        supersede="it got nothing",
    )
    given = executions.list_allocations(record, "exec-001")
    assert [a.included_in_deployment for a in given] == [False, False]


def test_a_deployment_is_of_the_time_that_is_said_else_of_now(record: Record, session: str) -> None:
    said = "2026-11-20T08:00:00.000Z"
    for given, expected in ((said, said), (None, record.now())):
        deployed = send(record, session, agent_type="x", scope="y", deployed_at=given).execution
        assert (deployed.deployed_at or "")[:16] == expected[:16]


def test_over_the_session_budget_is_refused_and_nothing_is_written(
    record: Record, tmp_path: Path, bundle: Bundle
) -> None:
    small = sessions.init_session(record, "small", project=str(tmp_path), budget=100).session_id
    with pytest.raises(OverBudgetError, match="session budget"):
        send(record, small, bundle=bundle)
    assert record.value("SELECT count(*) FROM agent_executions") == 0
    assert record.value("SELECT count(*) FROM bundles") == 0


def test_an_overflow_allowed_with_a_reason_is_recorded(
    record: Record, tmp_path: Path, bundle: Bundle
) -> None:
    small = sessions.init_session(record, "small", project=str(tmp_path), budget=100).session_id
    deployed = send(record, small, bundle=bundle, allow_overflow="it must see all of it")
    assert any("over" in remark for remark in deployed.remarks)
    (entry,) = [e for e in journal.list_journal(record, session_id=small) if e.action == "overflow"]
    assert entry.after["reason"] == "it must see all of it"


def test_what_a_hook_reports_is_never_refused(record: Record, tmp_path: Path) -> None:
    small = sessions.init_session(record, "small", project=str(tmp_path), budget=100).session_id
    send(record, small, agent_type="x", context_token_count=5000, source="hook")
    assert [e.action for e in journal.list_journal(record, session_id=small)].count("overflow") == 1


def test_an_agents_own_window_is_a_limit_too(record: Record, session: str) -> None:
    send(record, session, agent_type="x", context_token_count=100)
    with pytest.raises(OverBudgetError, match="agent limit") as refused:
        record_deployment(
            record,
            session,
            catalogue=CATALOGUE,
            limits=replace(LIMITS, budget=10_000_000),
            agent_type="x",
            model="haiku-4-5",
            context_token_count=190_000,
        )
    assert "In the session" not in refused.value.hint


def test_a_bundle_deployed_twice_counts_once(record: Record, session: str, bundle: Bundle) -> None:
    send(record, session, bundle=bundle)
    send(record, session, bundle=bundle)
    send(record, session, agent_type="x", context_token_count=7)
    assert [(t.label, t.count.tokens) for t in read_taken(record, session)] == [
        ("bundle-001", bundle.total.tokens),
        ("exec-003", 7),
    ]
    report = track_budget(record, session, catalogue=CATALOGUE, limits=LIMITS)
    assert report.to_dict()["total_tokens"] == bundle.total.tokens + 7


def test_a_phase_has_its_share(record: Record, session: str, bundle: Bundle) -> None:
    send(record, session, agent_type="x", context_token_count=7)
    sessions.set_phase(record, session, 3)
    send(record, session, bundle=bundle)
    in_three = track_budget(record, session, catalogue=CATALOGUE, limits=LIMITS, phase=3).in_phase
    assert in_three is not None and in_three.tokens == bundle.total.tokens


def test_a_deployed_version_is_frozen(
    record: Record, session: str, bundle: Bundle, tmp_path: Path
) -> None:
    bundles.save_bundle(record, bundle, session)
    (tmp_path / "b.py").write_text("y = 2\n")
    edited = bundles.save_bundle(record, made_of(tmp_path, "a.md", "b.py"), session)
    assert edited.bundle.version == 1, "nothing was deployed with it yet"
    send(record, session, bundle=edited.bundle)
    (tmp_path / "b.py").write_text("z = 3\n")
    following = bundles.save_bundle(record, made_of(tmp_path, "a.md", "b.py"), session)
    assert following.bundle.version == 2
    assert bundles.load_bundle(record, "bundle-001", 1).bundle.items[1].data == b"y = 2\n"


def test_what_a_version_lists_is_stated_once(
    record: Record, session: str, bundle: Bundle, tmp_path: Path
) -> None:
    deployed = send(record, session, bundle=bundle).execution
    (given,) = stored_statements(record, "exec-001", "allocated")
    assert given.items == ()
    with record.write():
        record.execute("UPDATE bundle_items SET source = 'other.md' WHERE position = 1")
    listed = executions.list_allocations(record, "exec-001")
    assert [a.context_source for a in listed] == ["a.md", "b.py"], "it was given what it was given"
    assert not list(find_stale_executions(record))
    path = tmp_path / "all.jsonl"
    path.write_text("".join(line + "\n" for line in export_record(record)))
    with open_record(tmp_path / "other.db") as other:
        restore_export(other, path)
        label = other.value("SELECT execution_id FROM agent_executions")
        ours, theirs = (
            [
                (a.context_source, a.token_count, a.priority, a.position, a.included_in_deployment)
                for a in executions.list_allocations(each, name)
            ]
            for each, name in ((record, deployed.execution_id), (other, label))
        )
        assert theirs == ours


def test_other_figures_than_the_versions_are_stated(
    record: Record, session: str, bundle: Bundle
) -> None:
    send(record, session, bundle=bundle)
    recounted = tuple(
        replace(i, count=replace(i.count, high=i.count.high + 9)) for i in bundle.items
    )
    again = send(record, session, bundle=replace(bundle, items=recounted)).execution
    (given,) = stored_statements(record, again.execution_id, "allocated")
    assert [item.token_high for item in given.items] == [i.count.high for i in recounted]


@pytest.mark.parametrize("listed", ["nonsense", [["file"]], [[{}] * 12], {"a": 1}, None])
def test_a_list_that_is_none_gives_nothing(
    record: Record, session: str, bundle: Bundle, listed: Any
) -> None:
    """As another program may write it."""
    send(record, session, bundle=bundle)
    (kept,) = stored_statements(record, "exec-001", "allocated")
    said = {"subject": "version:x", "values": {"items": listed}}
    with record.write():
        record.execute(
            "UPDATE observations SET payload = ? WHERE digest = ?",
            [json.dumps(said), bytes.fromhex(kept.stated_in)],
        )
        rebuild_from_statements(record, ["exec-001"])
    assert executions.list_allocations(record, "exec-001") == []


def test_an_older_version_is_deployed_as_it_is(
    record: Record, session: str, bundle: Bundle, tmp_path: Path
) -> None:
    send(record, session, bundle=bundle)
    bundles.save_bundle(record, made_of(tmp_path, "a.md"), session)
    again = send(record, session, bundle=bundle).execution
    assert again.bundle_version_id == executions.get_execution(record, "exec-001").bundle_version_id
    assert bundles.load_bundle(record, "bundle-001").bundle.version == 2


def test_a_planned_agent_gives_what_was_not_said(
    record: Record, session: str, bundle: Bundle
) -> None:
    bundles.save_bundle(record, bundle, session)
    plan.add_planned_agent(
        record, session, "debugger", scope="look", model="opus", bundle_id="bundle-001"
    )
    first = send(record, session, planned=1).execution
    assert (first.agent_type, first.scope, first.model) == ("debugger", "look", "opus")
    second = send(record, session, agent_type="debugger", scope="look").execution
    assert second.planned_id == first.planned_id, "another attempt of the same plan"


def test_nothing_to_deploy_is_wrong_usage(record: Record, session: str) -> None:
    with pytest.raises(UsageError, match="which agent"):
        send(record, session)
    with pytest.raises(NotFoundError, match="orch-x"):
        send(record, "orch-x", agent_type="debugger")
    with pytest.raises(UsageError):
        send(record, session, agent_type="debugger", execution_id="exec 1\n")


def test_an_allocation_after_the_deployment(record: Record, session: str, bundle: Bundle) -> None:
    send(record, session, agent_type="debugger", scope="find it", execution_id="exec-001")
    for _ in range(2):
        given = record_allocation(record, "exec-001", bundle, catalogue=CATALOGUE, limits=LIMITS)
        assert len(given) == 2
    told = [e.action for e in journal.list_journal(record) if e.execution_id == "exec-001"]
    assert told == ["init-deployment", "init-deployment"], "deployed, then given it, once"
    execution = executions.get_execution(record, "exec-001")
    assert execution.context_token_count == bundle.total.tokens
    assert execution.briefing_id is not None


def test_a_worktree_and_the_session_of_a_bundle_are_kept(
    record: Record, session: str, bundle: Bundle
) -> None:
    deployed = send(record, session, bundle=bundle, worktree="trees/feat").execution
    assert deployed.worktree == "trees/feat"
    assert bundles.load_bundle(record, "bundle-001").bundle.session_id == session
    other = sessions.init_session(record, "other", project="/p").session_id
    remarks = send(record, other, bundle=bundle).remarks
    assert any(session in remark for remark in remarks)
    assert bundles.load_bundle(record, "bundle-001").bundle.session_id == session


def test_an_allocation_leaves_the_briefing_that_was_handed_over(
    record: Record, session: str, bundle: Bundle
) -> None:
    send(record, session, agent_type="debugger", briefing=b"do it", execution_id="exec-001")
    kept = executions.get_execution(record, "exec-001").briefing_id
    record_allocation(
        record, "exec-001", bundle, catalogue=CATALOGUE, limits=LIMITS, allow_overflow=""
    )
    assert executions.get_execution(record, "exec-001").briefing_id == kept is not None


def test_another_bundle_for_the_same_execution_is_refused(
    record: Record, session: str, bundle: Bundle, tmp_path: Path
) -> None:
    send(record, session, bundle=bundle, execution_id="exec-001")
    other = made_of(tmp_path, "a.md", bundle_id="bundle-009")
    with pytest.raises(ConflictError, match="bundle-001 version 1, not bundle-009"):
        record_allocation(record, "exec-001", other, catalogue=CATALOGUE, limits=LIMITS)


def test_a_generated_briefing_is_the_one_handed_over(
    record: Record, session: str, bundle: Bundle
) -> None:
    saved = bundles.save_bundle(record, bundle, session)
    bundles.keep_briefing(record, saved, b"my own words\n")
    assert send(record, session, bundle=bundle).briefing.startswith(b"my own words\n")
    another = send(record, session, bundle=bundle, scope="look elsewhere").briefing
    assert b"look elsewhere" in another and b"my own words" not in another


@pytest.mark.parametrize("words", [b"Look.\n", b"Look at each word of it.\n" * 400])
def test_words_of_ones_own_that_take_less_or_more_than_the_bundle_are_remarked(
    record: Record, session: str, bundle: Bundle, words: bytes
) -> None:
    (remark,) = send(record, session, bundle=bundle, briefing=words).remarks
    assert remark.startswith("the briefing in its own words takes ")
    assert remark.endswith(f"bundle-001 was prepared with {bundle.total}")


def test_words_of_ones_own_are_judged_by_what_they_take(
    record: Record, session: str, bundle: Bundle
) -> None:
    as_prepared = send(record, session, bundle=bundle).judgement
    assert as_prepared.agent.used == bundle.total
    own = send(record, session, bundle=bundle, briefing=b"Look.\n").judgement
    assert 0 < own.agent.used.high < bundle.total.low


def test_what_a_template_takes_is_counted_where_nobody_did_and_kept_where_somebody_did(
    record: Record, session: str, bundle: Bundle
) -> None:
    by_hand = replace(bundle, template_count=None)
    sent = send(record, session, bundle=by_hand).execution
    assert bundles.load_bundle(record, "bundle-001").bundle.template_count == bundle.template_count
    assert sent.context_token_count == bundle.total.tokens
    figure = Count(77, "e", 77, 77)
    other = replace(bundle, bundle_id="bundle-002", template_count=figure)
    send(record, session, bundle=other)
    kept = bundles.load_bundle(record, "bundle-002").bundle.template_count
    assert kept is not None and kept.tokens == 77
    send(record, session, bundle=other)
    assert bundles.load_bundle(record, "bundle-002").bundle.version == 1


def test_a_secret_in_what_is_said_is_named_by_where_it_stands(record: Record, session: str) -> None:
    key = "AKIA" + "Q3EGR7J2XKLM4P5T"
    for where, words in (
        ("the briefing", {"briefing": key.encode()}),
        ("the scope", {"scope": key}),
    ):
        with pytest.raises(SourceError) as refused:
            send(record, session, agent_type="debugger", **words)
        assert refused.value.source == where


def test_what_was_handed_over_is_there_again_word_for_word(
    record: Record, session: str, bundle: Bundle
) -> None:
    sent = send(record, session, bundle=bundle)
    assert deployment.get_handed_over(record, sent.execution.execution_id) == sent.briefing
    without = send(record, session, agent_type="debugger").execution.execution_id
    assert deployment.get_handed_over(record, without) == b""
    with pytest.raises(NotFoundError):
        deployment.get_handed_over(record, "exec-009")


def test_a_briefing_is_left_for_the_hook_of_the_project_where_there_is_one(
    record: Record, session: str, bundle: Bundle, tmp_path: Path
) -> None:
    settings = tmp_path / ".claude" / "settings.json"
    change = hook_settings.installation(
        settings, hook_settings.command(sys.executable), hand_over=True
    )
    settings.parent.mkdir(exist_ok=True)
    settings.write_bytes(change.after or b"")
    sent = send(record, session, bundle=bundle, root=tmp_path, model="nobody-knows-it")
    assert sent.line and sent.execution.uid in sent.line
    assert len(sent.remarks) == 1 and sent.all_remarks == sent.remarks
    bare = send(record, session, agent_type="debugger", root=tmp_path)
    assert (bare.line, bare.hand_over, bare.all_remarks) == (None, None, ())
    elsewhere = send(record, session, bundle=bundle)
    assert elsewhere.hand_over is None, "no project is named"
    settings.unlink()
    read = send(record, session, bundle=bundle, root=tmp_path)
    assert read.all_remarks == (*read.remarks, *(read.hand_over.remarks if read.hand_over else ()))


def test_what_is_given_besides_is_added_and_takes_nothing_back(
    record: Record, session: str, bundle: Bundle, tmp_path: Path
) -> None:
    label = send(record, session, bundle=bundle).execution.execution_id
    (tmp_path / "c.md").write_text("# Gamma\n")
    more = made_of(tmp_path, "c.md", bundle_id="bundle-009").items
    with record.write():
        deployment.ingest_allocation(record, label, more, None, "manual")
    given = executions.list_allocations(record, label)
    assert sorted(g.context_source or "" for g in given if g.included_in_deployment) == [
        *("a.md", "b.py", "c.md")
    ]


def test_a_secret_that_was_allowed_is_journaled(
    record: Record, session: str, tmp_path: Path
) -> None:
    (tmp_path / ".env").write_text("KEY=1\n")
    reader = SourceReader(tmp_path, tmp_path, allow_secret=True)
    secret = replace(
        made_of(tmp_path),
        items=compose_bundle(
            "x",
            "",
            reader=reader,
            bundle_id="b",
            created_at="",
            model="",
            family="v4.8",
            files=[".env"],
        ).items,
    )
    send(record, session, bundle=made_of(tmp_path), execution_id="exec-000")
    (tmp_path / "c.md").write_text("# Gamma\n")
    secret = replace(secret, items=(*secret.items, *made_of(tmp_path, "c.md").items))
    send(record, session, bundle=secret, execution_id="exec-001")
    (entry,) = [e for e in journal.list_journal(record) if e.action == "allow-secret"]
    assert (entry.after, entry.execution_id) == ({"sources": [".env"]}, "exec-001")


def test_a_final_message_of_any_bytes_is_kept_exactly(record: Record, session: str) -> None:
    send(record, session, agent_type="debugger")
    message = b"fine\x00\xff\xfe \xed\xa0\x80 end"
    recorded = record_completion(record, "exec-001", final_message=message)
    from orch_tui.record.ledger import contents

    assert recorded.completion.message_id is not None
    assert contents.get_content(record, recorded.completion.message_id) == message
    assert "\ufffd" in (recorded.execution.final_message or "")


def test_the_briefing_speaks_of_what_is_deployed(
    record: Record, session: str, bundle: Bundle
) -> None:
    deployed = send(record, session, bundle=bundle, agent_type="reviewer", scope="for speed")
    assert b"for speed" in deployed.briefing and b"reviewer" in deployed.briefing
    assert b"find it" not in deployed.briefing


def test_without_a_scope_of_its_own_the_sessions_holds(record: Record, session: str) -> None:
    assert send(record, session, agent_type="debugger").execution.scope == "find the bug"


def test_one_bundle_for_two_tasks_is_no_second_attempt(
    record: Record, session: str, bundle: Bundle
) -> None:
    bundles.save_bundle(record, bundle, session)
    plan.add_planned_agent(record, session, "debugger", scope="for speed", bundle_id="bundle-001")
    speed = send(record, session, bundle=bundle, scope="for speed").execution
    safety = send(record, session, bundle=bundle, scope="for safety").execution
    assert speed.planned_id is not None and safety.planned_id is None


def test_a_bundle_other_than_the_plans_is_remarked(
    record: Record, session: str, bundle: Bundle, tmp_path: Path
) -> None:
    bundles.save_bundle(record, bundle, session)
    plan.add_planned_agent(record, session, "debugger", bundle_id="bundle-001")
    other = made_of(tmp_path, "a.md", bundle_id="bundle-009")
    remarks = send(record, session, bundle=other, planned=1).remarks
    assert any("was to get bundle-001, not bundle-009" in remark for remark in remarks)
    plan.add_planned_agent(record, session, "debugger")
    assert send(record, session, bundle=bundle, planned=2).remarks == ()
    changed = made_of(tmp_path, "a.md")
    remarks = send(record, session, bundle=changed, model="nobody-knows-it").remarks
    assert "given bundle-001 version 2" in remarks
    assert any("is not in the catalogue" in remark for remark in remarks)


def test_a_refusal_names_what_takes_most_and_the_way_out(
    record: Record, tmp_path: Path, bundle: Bundle
) -> None:
    limit = bundle.total.high + 50
    small = sessions.init_session(record, "small", project=str(tmp_path), budget=limit).session_id
    (tmp_path / "big.md").write_text("many words of a big file\n" * 400)
    bundles.save_bundle(record, made_of(tmp_path, "big.md", bundle_id="bundle-big"), small)
    (tmp_path / "mid.md").write_text("many words of a file\n" * 40)
    bundles.save_bundle(record, made_of(tmp_path, "mid.md", bundle_id="bundle-mid"), small)
    with pytest.raises(OverBudgetError) as refused:
        send(record, small, bundle=bundle)
    taken = sorted(read_taken(record, small), key=lambda each: -each.count.tokens)
    assert [each.label for each in taken] == ["bundle-big", "bundle-mid"]
    named = ", ".join(f"{each.label} {each.count}" for each in taken)
    assert f"In the session: {named}; `orch retract BUNDLE" in refused.value.hint
    bundles.drop_bundle(record, "bundle-mid", "prepared by mistake")
    bundles.drop_bundle(record, "bundle-big", "prepared by mistake")
    assert send(record, small, bundle=bundle).execution.status == "deployed"


def test_an_empty_reason_is_none(record: Record, tmp_path: Path, bundle: Bundle) -> None:
    small = sessions.init_session(record, "small", project=str(tmp_path), budget=100).session_id
    with pytest.raises(UsageError, match="needs a reason"):
        send(record, small, bundle=bundle, allow_overflow=" ")


def test_the_first_deployment_makes_a_session_executing(record: Record, session: str) -> None:
    send(record, session, agent_type="debugger")
    assert sessions.get_session(record, session).status == "executing"


def test_the_same_message_with_another_status_is_refused_with_the_difference(
    record: Record, session: str
) -> None:
    send(record, session, agent_type="debugger")
    record_completion(record, "exec-001", final_message="hello")
    record_completion(record, "exec-001", final_message="more")
    with pytest.raises(ConflictError, match="status is 'completed', not 'failed'"):
        record_completion(record, "exec-001", final_message="hello", status="failed")
    again = record_completion(record, "exec-001", final_message="hello")
    assert (again.completion.position, again.is_new) == (1, False)
    mended = record_completion(
        record, "exec-001", final_message="hello", status="failed", supersede="it did not work"
    )
    assert mended.completion.status == "failed"


def test_an_error_is_a_failure_unless_said_otherwise(record: Record, session: str) -> None:
    send(record, session, agent_type="debugger")
    assert record_completion(record, "exec-001", error_code="ORG-003").completion.status == "failed"
