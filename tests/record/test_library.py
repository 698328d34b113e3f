"""Saved bundles as a library: listed, named, copied, restored, taken in from files."""

from __future__ import annotations

from dataclasses import replace

import pytest

from orch_tui.errors import NotFoundError
from orch_tui.models.database import Record
from orch_tui.prepare.budget import Limits
from orch_tui.prepare.bundle import Bundle, ContextItem
from orch_tui.prepare.catalogue import load_catalogue
from orch_tui.prepare.count import Count
from orch_tui.record import bundles
from orch_tui.record.deployment import record_deployment
from orch_tui.record.executions import retract_execution
from orch_tui.record.ledger.journal import list_journal
from orch_tui.record.library import (
    adopt_bundle,
    copy_bundle,
    list_bundle_versions,
    list_bundles,
    rename_bundle,
    restore_bundle_version,
)
from orch_tui.record.sessions import init_session


def bundle(*texts: str, bundle_id: str = "b", name: str = "") -> Bundle:
    items = tuple(
        ContextItem("file", f"{text}.md", "required", (), text.encode(), Count(10, "x", 9, 11))
        for text in texts
    )
    made = Bundle(bundle_id, "Explore", "look", items, "opus", "2026-11-22T09:00:00.000Z")
    return replace(made, name=name)


def save(record: Record, *texts: str, session_id: str | None = None, **more: str) -> Bundle:
    return bundles.save_bundle(record, bundle(*texts, **more), session_id).bundle


@pytest.fixture
def session(record: Record) -> str:
    return init_session(record, "x", project="/p", session_id="s").session_id


def deploy(record: Record, session: str, held: Bundle) -> str:
    deployed = record_deployment(
        record, session, catalogue=load_catalogue(), limits=Limits(), bundle=held
    )
    return deployed.execution.execution_id


def texts(held: Bundle) -> list[bytes | None]:
    return [item.data for item in held.items]


def test_bundles_are_listed_by_their_latest_version_newest_first(
    record: Record, session: str
) -> None:
    assert list_bundles(record) == []
    first = save(record, "one", session_id=session, name="mine")
    deploy(record, session, first)
    second = save(record, "one", "two", session_id=session)
    gone = deploy(record, session, second)
    retract_execution(record, gone, "by mistake")
    save(record, "three", bundle_id="c")
    newest, line = list_bundles(record)
    assert (newest.bundle_id, newest.name, newest.session_id, newest.uses) == ("c", "", "", 0)
    assert (line.bundle_id, line.name, line.session_id) == ("b", "mine", session)
    assert (line.version, line.items, line.uses) == (2, 2, 1)
    assert line.token_count > second.total.tokens == 20  # as it is handed over
    assert (line.agent_type, line.scope, line.model, line.removed) == (
        *("Explore", "look", "opus", False),
    )


def test_lists_are_narrowed(record: Record, session: str) -> None:
    save(record, "one", session_id=session)
    save(record, "two", bundle_id="c", name="mine")
    with record.write():
        save(record, "three", bundle_id="d")
        record.execute("UPDATE bundles SET removed_at = '2026' WHERE bundle_id = 'd'")

    def names(**given: object) -> list[str]:
        return [line.bundle_id for line in list_bundles(record, **given)]  # type: ignore[arg-type]

    assert names() == ["c", "b"]
    assert names(session_id=session) == ["b"]
    assert names(named=True) == ["c"]
    assert names(removed=True) == ["d", "c", "b"]
    assert [line.removed for line in list_bundles(record, removed=True)] == [True, False, False]


def test_every_version_is_listed_with_the_runs_that_froze_it(record: Record, session: str) -> None:
    runs = [deploy(record, session, save(record, "one", session_id=session))]
    save(record, "one", "two", session_id=session)
    latest, first = list_bundle_versions(record, "b")
    assert (latest.version, latest.items, latest.token_count) == (2, 2, 20)
    assert (latest.executions, latest.frozen) == ((), False)
    assert (first.version, first.executions, first.frozen) == (1, tuple(runs), True)
    assert list_bundle_versions(record, "b", 1) == [first]
    for bundle_id, version, named in (("b", 3, "3"), ("bb", None, "bb")):
        with pytest.raises(NotFoundError, match=named):
            list_bundle_versions(record, bundle_id, version)


def test_a_copy_is_changed_by_itself(record: Record, session: str) -> None:
    held = save(record, "one", session_id=session, name="mine")
    copy = copy_bundle(record, held, name="other")
    assert copy.bundle_id != "b"
    assert (copy.name, copy.version, texts(copy)) == ("other", 1, [b"one"])
    assert copy.session_id != session
    bundles.save_bundle(record, replace(copy, items=bundle("two").items))
    assert texts(bundles.load_bundle(record, "b").bundle) == [b"one"]


def test_a_former_version_becomes_the_next_and_none_is_lost(record: Record, session: str) -> None:
    deploy(record, session, save(record, "one", session_id=session))
    save(record, "two", session_id=session)
    restored = restore_bundle_version(record, "b", 1)
    assert (restored.version, texts(restored)) == (3, [b"one"])
    held = [texts(bundles.load_bundle(record, "b", version).bundle) for version in (1, 2, 3)]
    assert held == [[b"one"], [b"two"], [b"one"]]
    with pytest.raises(NotFoundError):
        restore_bundle_version(record, "b", 4)


@pytest.mark.parametrize(("given", "name"), [(" mine ", "mine"), ("", ""), ("  ", "")])
def test_a_bundle_is_given_a_name_or_loses_it(record: Record, given: str, name: str) -> None:
    save(record, "one", name="before")
    rename_bundle(record, "b", given)
    (line,) = list_bundles(record)
    assert line.name == name
    entry = list_journal(record)[-1]
    assert (entry.action, entry.subject, entry.before) == ("rename-bundle", "b", "before")


def test_a_bundle_of_a_file_keeps_its_id_where_that_is_free(record: Record) -> None:
    adopted = adopt_bundle(record, bundle("one"), name="mine")
    assert (adopted.bundle_id, adopted.name) == ("b", "mine")
    again = adopt_bundle(record, bundle("one"))
    assert (again.bundle_id, len(list_bundles(record))) == ("b", 1)
    other = adopt_bundle(record, bundle("two"))
    assert other.bundle_id != "b"
    assert adopt_bundle(record, bundle("two")).bundle_id == other.bundle_id
    assert texts(bundles.load_bundle(record, "b").bundle) == [b"one"]
