"""Saved bundles: when two are the same, and which of several is meant."""

from __future__ import annotations

from dataclasses import replace

import pytest

from orch_tui.models.database import Record
from orch_tui.prepare.bundle import Bundle, ContextItem
from orch_tui.prepare.count import Count
from orch_tui.record import bundles, sessions

FIGURES = Count(10, "claude-v4.8~1", 9, 11)


def item(data: bytes | None, **values: object) -> ContextItem:
    made = ContextItem("file", "lib/a.py", "required", ("Intro",), data, FIGURES)
    return replace(made, **values)  # type: ignore[arg-type]


def bundle(*items: ContextItem, scope: str = "Find it", bundle_id: str = "b") -> Bundle:
    return Bundle(bundle_id, "debugger", scope, items, "sonnet", "2026-11-22T10:00:00.000Z")


def test_the_same_bundle_is_found_whole(record: Record) -> None:
    saved = bundles.save_bundle(record, bundle(item(b"x = 1\n"), item(None, source="gone.py")))
    again = bundles.find_same_version(
        record, bundle(item(b"x = 1\n"), item(None, source="gone.py"))
    )
    assert again == saved == bundles.load_bundle(record, "b")


@pytest.mark.parametrize(
    "other",
    [
        item(b"x = 2\n"),
        item(None),
        item(b"x = 1\n", priority="optional"),
        item(b"x = 1\n", sections=()),
        item(b"x = 1\n", shared_with=("bundle-002",)),
    ],
)
def test_one_item_that_differs_makes_another_bundle(record: Record, other: ContextItem) -> None:
    bundles.save_bundle(record, bundle(item(b"x = 1\n")))
    assert bundles.find_same_version(record, bundle(other)) is None
    assert bundles.find_equal_bundle(record, bundle(other), None) is None


def test_a_better_count_is_kept_until_something_was_deployed(
    record: Record,
) -> None:
    session = sessions.init_session(record, "Find what is wrong", project="p").session_id
    exact = Count(11, "claude-v4.8", 11, 11)
    bundles.save_bundle(record, bundle(item(b"x = 1\n")))
    saved = bundles.save_bundle(record, bundle(item(b"x = 1\n", count=exact)))
    assert saved.bundle.version == 1 and saved == bundles.load_bundle(record, "b")
    assert saved.bundle.items[0].count == exact

    record.execute(
        "INSERT INTO agent_executions (execution_id, session_id, agent_type, deployed_at, status, "
        "bundle_version_id) VALUES ('e', ?, 'debugger', '2026-11-22', 'deployed', ?)",
        [session, saved.version_id],
    )
    later = bundles.save_bundle(record, bundle(item(b"x = 1\n")))
    assert later.bundle == saved.bundle and later.frozen


def test_an_item_known_by_a_claimed_hash_alone_is_known_again(record: Record) -> None:
    foreign = bundle(item(None, sha256="5" * 64))
    assert (
        bundles.save_bundle(record, foreign).version_id
        == bundles.save_bundle(record, foreign).version_id
    )
    assert record.value("SELECT count(*) FROM journal WHERE action = 'save-bundle'") == 1


def test_a_redacted_content_is_no_longer_the_same(record: Record) -> None:
    bundles.save_bundle(record, bundle(item(b"key = 1\n")))
    record.execute("UPDATE contents SET encoding = 'gone', data = ''")
    assert bundles.find_same_version(record, bundle(item(b"key = 1\n"))) is None
    stored = bundles.load_bundle(record, "b").bundle
    assert bundles.find_same_version(record, stored) is not None


def test_a_bundle_that_was_changed_since_does_not_hold_the_same_now(record: Record) -> None:
    first = bundle(item(b"x = 1\n"))
    record.execute("INSERT INTO sessions (session_id, scope) VALUES ('s', 'All')")
    saved = bundles.save_bundle(record, first)
    record.execute(
        "INSERT INTO agent_executions (execution_id, session_id, agent_type, bundle_version_id) "
        "VALUES ('e', 's', 'debugger', ?)",
        [saved.version_id],
    )
    assert bundles.find_equal_bundle(record, replace(first, bundle_id=""), None) is not None
    bundles.save_bundle(record, bundle(item(b"x = 1\n"), scope="Find another"))
    assert bundles.find_equal_bundle(record, replace(first, bundle_id=""), None) is None
    assert bundles.find_same_version(record, first) is not None
