"""Deduplicated bundles in the record, and the way back."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from orch_tui.errors import ConflictError, NotFoundError
from orch_tui.models.database import Record
from orch_tui.prepare.briefing_size import measure_briefing
from orch_tui.prepare.bundle import Bundle, ContextItem, count_context
from orch_tui.prepare.count import ZERO, Count
from orch_tui.prepare.dedup import find_duplicates
from orch_tui.record import bundles, sessions
from orch_tui.record.ledger import journal
from orch_tui.record.sharing import (
    Shared,
    foresee_sharing,
    list_deduplicated,
    remove_unneeded_documents,
    restore_deduplicated,
    save_shared,
    share_between,
)
from orch_tui.rows import JournalEntry

LAW = "".join(f"Article {n} of the law\n" for n in range(1, 21))


def item(source: str, text: str | None = LAW) -> ContextItem:
    data = None if text is None else text.encode()
    return ContextItem("file", source, "required", (), data, Count(400, "e", 400, 400))


@pytest.fixture
def session(record: Record, tmp_path: Path) -> str:
    return sessions.init_session(record, "s", project=str(tmp_path)).session_id


def save(record: Record, session_id: str, bundle_id: str, *items: ContextItem) -> Bundle:
    made = Bundle(bundle_id, "a", "scope", items, "sonnet", "", session_id=session_id)
    return bundles.save_bundle(record, made, session_id or None).bundle


def share(
    given: list[Bundle], root: Path, record: Record | None, document: Path | None = None
) -> Shared:
    foreseen = foresee_sharing(
        given,
        find_duplicates(given),
        root=root,
        family_of=lambda model: "o200k_base",
        record=record,
        document=document,
    )
    return share_between(foreseen, root=root, record=record)


def measured(record: Record, session_id: str, bundle_id: str, given: ContextItem) -> Bundle:
    items = tuple(count_context([replace(given, count=ZERO)], family="o200k_base"))
    made = Bundle(bundle_id, "a", "scope", items, "sonnet", "", session_id=session_id)
    return bundles.save_bundle(record, measure_briefing(made, "o200k_base"), session_id).bundle


LONG = "Every agent keeps to it.\n" * 100


def shared_log(record: Record) -> list[JournalEntry]:
    return [entry for entry in journal.list_journal(record) if entry.action == "share-bundles"]


def test_what_is_shared_stands_in_a_document_beside_the_record(
    record: Record, session: str, tmp_path: Path
) -> None:
    given = [
        save(record, session, "b1", item("law.md"), item("one.md", "1\n")),
        save(record, session, "b2", item("law.md")),
        save(record, session, "b3", item("own.md", "own\n")),
    ]
    done = share(given, tmp_path, record)
    assert done.document == tmp_path / ".claude" / "orchestration" / "shared" / f"{session}.md"
    assert done.document and "### law.md" in done.document.read_text()
    assert [(made.bundle_id, made.version) for made in done.bundles] == [
        ("b1", 2),
        ("b2", 2),
        ("b3", 1),
    ]
    assert done.bundles[2] is given[2]
    named = f".claude/orchestration/shared/{session}.md"
    assert named in done.bundles[0].items[-1].text
    assert done.bundles[0].items[-1].count.estimator == "o200k_base"
    for made in done.bundles:
        assert bundles.load_bundle(record, made.bundle_id).bundle.items == made.items
    (logged,) = shared_log(record)
    assert (logged.session_id, logged.after) == (
        session,
        {"versions": {"b1": [1, 2], "b2": [1, 2]}, "document": named},
    )


def test_a_document_of_ones_own_is_written_where_it_was_asked_for(
    record: Record, session: str, tmp_path: Path
) -> None:
    given = [save(record, session, name, item("law.md")) for name in ("b1", "b2")]
    done = share(given, tmp_path, record, tmp_path / "docs" / "both.md")
    assert done.document == tmp_path / "docs" / "both.md"
    assert done.document and done.document.exists()
    assert "stands together in docs/both.md" in done.bundles[0].items[-1].text
    assert not [*tmp_path.rglob("shared")]


def test_bundles_of_no_session_or_of_several_name_the_document_by_the_first(
    record: Record, session: str, tmp_path: Path
) -> None:
    other = sessions.init_session(record, "s", project=str(tmp_path)).session_id
    for number, ids in enumerate((("", ""), (session, other))):
        given = [
            save(record, session_id, f"b{number}{n}", item("law.md"))
            for n, session_id in enumerate(ids)
        ]
        done = share(given, tmp_path, record)
        assert done.document and done.document.name == f"b{number}0.md"
        assert shared_log(record)[-1].session_id is None


def test_nothing_is_written_where_nothing_or_names_alone_are_shared(
    record: Record, session: str, tmp_path: Path
) -> None:
    apart = [save(record, session, "b1", item("a.md")), save(record, session, "b2", item("b", "b"))]
    done = share(apart, tmp_path, record, tmp_path / "none.md")
    assert (done.document, done.bundles) == (None, tuple(apart))
    assert shared_log(record) == []
    names = [save(record, session, name, item("x.md", None)) for name in ("b3", "b4")]
    done = share(names, tmp_path, record)
    assert done.document is None and done.bundles[0].items[0].shared_with == ("b4",)
    assert len(done.bundles[0].items) == 1  # no document to speak of
    assert shared_log(record)[0].after == {
        "versions": {"b3": [1, 2], "b4": [1, 2]},
        "document": "",
    }
    assert not [*tmp_path.rglob("shared"), *tmp_path.rglob("*.md")]


def test_without_a_record_bundles_are_changed_and_nothing_is_kept(tmp_path: Path) -> None:
    given = [Bundle(name, "a", "s", (item("law.md"),), "", "") for name in ("b1", "b2")]
    done = share(given, tmp_path, None)
    assert done.document is None and [made.version for made in done.bundles] == [2, 2]
    done = share(given, tmp_path, None, tmp_path / "both.md")
    assert done.document == tmp_path / "both.md"
    assert done.document and done.document.exists()


def test_what_a_bundle_was_is_saved_first_where_the_record_has_it_not(
    record: Record, session: str
) -> None:
    held = save(record, session, "b1", item("old.md", "old\n"))
    before = Bundle("b1", "a", "scope", (item("law.md"),), "sonnet", "", session_id=session)
    after = Bundle("b1", "a", "scope", (item("new.md"),), "sonnet", "", session_id=session)
    (kept,) = save_shared(record, [before], [after])
    assert held.version == 1
    assert shared_log(record)[0].after == {"versions": {"b1": [1, 2]}, "document": ""}
    assert (kept.version, kept.items[0].source) == (2, "new.md")
    (restored,) = restore_deduplicated(record, ["b1"])
    assert (restored.version, restored.items[0].source) == (3, "law.md")


def test_what_a_bundle_was_in_an_earlier_version_is_not_saved_again(
    record: Record, session: str
) -> None:
    before = save(record, session, "b1", item("law.md"))
    other = Bundle("b1", "a", "scope", (item("old.md"),), "sonnet", "", session_id=session)
    bundles.save_bundle(record, other, session, keep_latest=True)
    after = Bundle("b1", "a", "scope", (item("new.md"),), "sonnet", "", session_id=session)
    (kept,) = save_shared(record, [before], [after], document="x.md")
    assert kept.version == 3
    assert shared_log(record)[0].after == {"versions": {"b1": [1, 3]}, "document": "x.md"}


def test_every_version_is_saved_in_the_session_of_its_bundle(
    record: Record, session: str, tmp_path: Path
) -> None:
    def saved() -> list[tuple[str | None, str | None]]:
        entries = journal.list_journal(record)
        return [(e.subject, e.session_id) for e in entries if e.action == "save-bundle"]

    for number, session_id in enumerate((session, "")):
        old = Bundle(f"b{number}", "a", "s", (item("law.md"),), "m", "", session_id=session_id)
        new = Bundle(f"b{number}", "a", "s", (item("new.md"),), "m", "", session_id=session_id)
        save_shared(record, [old], [new])
        (restored,) = restore_deduplicated(record, [f"b{number}"])
        assert (restored.session_id, restored.version) == (session_id, 3)
        assert shared_log(record)[-1].session_id == (session_id or None)
        expected = [(f"b{number} v{version}", session_id or None) for version in (1, 2, 3)]
        assert saved()[-3:] == expected
        last = journal.list_journal(record)[-1]
        assert (last.action, last.subject, last.session_id, last.after) == (
            *("unshare-bundle", f"b{number} v3", session_id or None),
            None,
        )


def test_a_bundle_at_its_first_version_was_never_deduplicated(record: Record, session: str) -> None:
    save(record, session, "b1", item("law.md"))
    assert list_deduplicated(record, session) == []


def test_what_was_deduplicated_is_listed_and_restored(
    record: Record, session: str, tmp_path: Path
) -> None:
    given = [save(record, session, name, item("law.md")) for name in ("b1", "b2", "b3")]
    save(record, session, "b4", item("own.md", "own\n"))
    assert list_deduplicated(record, session) == []
    share(given, tmp_path, record)
    assert list_deduplicated(record, session) == ["b1", "b2", "b3"]
    assert list_deduplicated(record, "another") == []

    restored = restore_deduplicated(record, ["b1", "b2"])
    assert [(made.bundle_id, made.version) for made in restored] == [("b1", 3), ("b2", 3)]
    assert [made.items for made in restored] == [given[0].items, given[1].items]
    assert bundles.load_bundle(record, "b1", 2).bundle.items != given[0].items  # it stays
    assert list_deduplicated(record, session) == ["b3"]
    logged = [entry for entry in journal.list_journal(record) if entry.action == "unshare-bundle"]
    assert [(entry.subject, entry.session_id) for entry in logged] == [
        ("b1 v3", session),
        ("b2 v3", session),
    ]
    bundles.drop_bundle(record, "b3", "a mistake")
    assert list_deduplicated(record, session) == []


def test_sharing_again_is_what_is_taken_back_next(
    record: Record, session: str, tmp_path: Path
) -> None:
    given = [save(record, session, name, item("law.md")) for name in ("b1", "b2")]
    share(given, tmp_path, record)
    again = restore_deduplicated(record, ["b1", "b2"])
    share(again, tmp_path, record)
    assert list_deduplicated(record, session) == ["b1", "b2"]
    (restored,) = restore_deduplicated(record, ["b1"])
    assert (restored.version, restored.items) == (5, given[0].items)


def test_what_was_not_deduplicated_or_changed_since_is_refused_and_all_stays(
    record: Record, session: str, tmp_path: Path
) -> None:
    given = [save(record, session, name, item("law.md")) for name in ("b1", "b 2")]
    save(record, session, "b3", item("own.md", "own\n"))
    share(given, tmp_path, record)
    with pytest.raises(ConflictError, match="b3 was never deduplicated") as refused:
        restore_deduplicated(record, ["b1", "b3"])
    assert refused.value.hint == "`orch bundles BUNDLE` lists its versions"
    assert bundles.load_bundle(record, "b1").bundle.version == 2
    changed = Bundle("b 2", "a", "scope", (item("x.md"),), "sonnet", "", session_id=session)
    bundles.save_bundle(record, changed, session, keep_latest=True)
    with pytest.raises(ConflictError, match="at version 3, and version 2 was") as refused:
        restore_deduplicated(record, ["b 2"])
    assert refused.value.hint == "`orch bundles 'b 2' --restore 1` goes back all the same"
    with pytest.raises(NotFoundError, match="bundle 'b9' is not known"):
        restore_deduplicated(record, ["b9"])


def test_a_former_version_that_raw_sql_deleted_is_a_plain_refusal(
    record: Record, session: str, tmp_path: Path
) -> None:
    given = [save(record, session, name, item("law.md")) for name in ("b1", "b2")]
    share(given, tmp_path, record)
    with record.write():
        former = "SELECT version_id FROM bundle_versions WHERE bundle_id = 'b1' AND version = 1"
        record.execute(f"DELETE FROM bundle_items WHERE version_id = ({former})")
        record.execute("DELETE FROM bundle_versions WHERE bundle_id = 'b1' AND version = 1")
    with pytest.raises(ConflictError, match="b1: .*1"):
        restore_deduplicated(record, ["b1"])


def test_a_document_goes_when_no_agent_is_sent_to_it(
    record: Record, session: str, tmp_path: Path
) -> None:
    given = [save(record, session, name, item("law.md")) for name in ("b1", "b2")]
    done = share(given, tmp_path, record)
    assert done.document and done.document.exists()
    restore_deduplicated(record, ["b1"])
    assert remove_unneeded_documents(record, tmp_path) == []  # b2 still names it
    restore_deduplicated(record, ["b2"])
    assert remove_unneeded_documents(record, tmp_path) == [done.document]
    assert not done.document.exists()


def test_what_agents_are_handed_is_told_before_and_after(
    record: Record, session: str, tmp_path: Path
) -> None:
    given = [measured(record, session, name, item("law.md", LONG)) for name in ("b1", "b2")]
    done = share(given, tmp_path, record)
    assert done.handed_after.tokens < done.handed_before.tokens < done.if_read.tokens
    (said,) = done.remarks
    assert f"{done.handed_before.tokens:,} tokens before" in said
    totals = done.to_dict()["totals"]
    assert totals["before_tokens"] == done.handed_before.tokens
    assert totals["after_tokens"] == done.handed_after.tokens
    short = [measured(record, session, name, item("word.md", "a\n")) for name in ("b3", "b4")]
    raised = share(short, tmp_path, record)
    assert "sharing raises the total by" in raised.remarks[1] and "word.md" in raised.remarks[1]


def test_a_second_sharing_leaves_what_other_agents_are_sent_to(
    record: Record, session: str, tmp_path: Path
) -> None:
    first, second = (
        [save(record, session, name, item(source, LAW + source)) for name in names]
        for source, names in (("law.md", "ab"), ("guide.md", "cd"))
    )
    document = share(first, tmp_path, record).document
    assert document and share(second, tmp_path, record).document == document
    text = document.read_text()
    assert "### law.md" in text and "### guide.md" in text and text.count("Article 3 of") == 2
    again = [bundles.load_bundle(record, name).bundle for name in "ab"]
    share(again, tmp_path, record)
    assert document.read_text().count("### ") == 2
    restore_deduplicated(record, ["a", "b"])
    share([bundles.load_bundle(record, name).bundle for name in "cd"], tmp_path, record)
