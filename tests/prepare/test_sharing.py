from __future__ import annotations

import pytest

from orch_tui.errors import UsageError
from orch_tui.prepare.bundle import Bundle, ContextItem
from orch_tui.prepare.sharing import apply, deduplicate, to_dict
from orch_tui.prepare.tokens import Count


def item(source: str, data: bytes | None = b"", *, priority: str = "required") -> ContextItem:
    tokens = len(data) if data is not None else 50
    return ContextItem("file", source, priority, (), data, Count(tokens, "x", tokens, tokens))


def bundle(bundle_id: str, *items: ContextItem) -> Bundle:
    return Bundle(bundle_id, "task-implementor", "scope", items, "sonnet", "2026-11-22")


CONSTITUTION = item("constitution.md", b"c" * 10)
ONE = bundle("bundle-001", CONSTITUTION, item("a.md", b"a" * 3), item("a.md", b"a" * 3))
TWO = bundle("bundle-002", item("b.md", b"b"), item("copy.md", b"c" * 10, priority="optional"))
THREE = bundle("bundle-003", item("own.md", b"own"))


def test_items_of_the_same_bytes_make_up_the_shared_document() -> None:
    (shared,) = deduplicate([ONE, TWO, THREE]).items
    assert (shared.type, shared.source, shared.priority) == (
        *("shared_context", "constitution.md"),
        "required",
    )
    assert shared.shared_with == ("bundle-001", "bundle-002")


def test_the_figures_are_kept_apart() -> None:
    document = to_dict(deduplicate([ONE, TWO, THREE]))
    assert document["shared_items"][0]["shared_with"] == ["bundle-001", "bundle-002"]
    assert document["bundles"][0] == {
        "bundle_id": "bundle-001",
        "total_tokens": 16,
        "dropped_repeats_tokens": 3,
        "already_ambient_tokens": None,
        "moved_to_shared_tokens": 10,
        "estimator": "x",
    }
    assert document["bundles"][2]["moved_to_shared_tokens"] == 0
    assert document["totals"] == {
        "dropped_repeats_tokens": 3,
        "already_ambient_tokens": None,
        "moved_to_shared_tokens": 20,
        "shared_document_tokens": 10,
        "estimator": "x",
    }


def test_what_a_bundle_dropped_when_it_was_composed_counts() -> None:
    repeats = Bundle("b", "a", "s", (CONSTITUTION,), "m", "", dropped=(CONSTITUTION,))
    assert deduplicate([repeats]).dropped.tokens == 10


def test_applying_makes_new_versions_that_point_at_the_other_bundles() -> None:
    sharing = deduplicate([ONE, TWO, THREE])
    one, two, three = apply(sharing, [ONE, TWO, THREE])
    assert [(i.source, i.type, i.shared_with) for i in one.items] == [
        ("constitution.md", "shared_context", ("bundle-002",)),
        ("a.md", "file", ()),
    ]
    assert (one.version, len(one.dropped)) == (2, 1)
    assert two.items[1].source == "copy.md"
    assert two.items[1].shared_with == ("bundle-001",)
    assert two.items[1].data == b"c" * 10
    assert three is THREE


def test_applying_again_changes_nothing() -> None:
    once = apply(deduplicate([ONE, TWO]), [ONE, TWO])
    assert apply(deduplicate(once), once) == once


def test_items_known_by_their_figures_are_compared_by_name() -> None:
    left, right = bundle("b1", item("x.md", None)), bundle("b2", item("x.md", None))
    assert [shared.source for shared in deduplicate([left, right]).items] == ["x.md"]


def test_free_text_and_empty_files_are_not_shared() -> None:
    same = (item("text:be quick", b"be quick"), item("lib/__init__.py", b""))
    sharing = deduplicate([bundle("b1", *same), bundle("b2", *same)])
    assert sharing.items == ()
    assert sharing.moved.tokens == 0


def test_one_bundle_given_twice_is_refused() -> None:
    with pytest.raises(UsageError, match="bundle-001 is given twice"):
        deduplicate([ONE, ONE])
