from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orch_tui.errors import UsageError
from orch_tui.prepare.ambient import Ambient, AmbientPart
from orch_tui.prepare.bundle import Bundle, ContextItem
from orch_tui.prepare.count import Count
from orch_tui.prepare.dedup import (
    AmbientLookup,
    find_duplicates,
    remove_duplicates,
    render_shared_document,
    sharing_to_dict,
)


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
    (shared,) = find_duplicates([ONE, TWO, THREE]).items
    assert (shared.type, shared.source, shared.priority) == (
        *("shared_context", "constitution.md"),
        "required",
    )
    assert shared.shared_with == ("bundle-001", "bundle-002")


def test_the_figures_are_kept_apart() -> None:
    document = sharing_to_dict(find_duplicates([ONE, TWO, THREE]))
    assert document["shared_items"][0]["shared_with"] == ["bundle-001", "bundle-002"]
    assert document["bundles"][0] == {
        "bundle_id": "bundle-001",
        "total_tokens": 16,
        "dropped_repeats_tokens": 3,
        "already_ambient_tokens": 0,
        "moved_to_shared_tokens": 10,
        "repeated_blocks_tokens": 0,
        "estimator": "x",
        "overlaps": [],
    }
    assert document["bundles"][2]["moved_to_shared_tokens"] == 0
    assert document["totals"] == {
        "dropped_repeats_tokens": 3,
        "already_ambient_tokens": 0,
        "moved_to_shared_tokens": 20,
        "repeated_blocks_tokens": 0,
        "shared_document_tokens": 10,
        "estimator": "x",
    }


def test_what_a_bundle_dropped_when_it_was_composed_counts() -> None:
    repeats = Bundle("b", "a", "s", (CONSTITUTION,), "m", "", dropped=(CONSTITUTION,))
    assert find_duplicates([repeats]).dropped.tokens == 10


def test_applying_makes_new_versions_that_point_at_the_other_bundles() -> None:
    sharing = find_duplicates([ONE, TWO, THREE])
    one, two, three = remove_duplicates(sharing, [ONE, TWO, THREE])
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
    once = remove_duplicates(find_duplicates([ONE, TWO]), [ONE, TWO])
    assert remove_duplicates(find_duplicates(once), once) == once


def test_items_known_by_their_figures_are_compared_by_name() -> None:
    left, right = bundle("b1", item("x.md", None)), bundle("b2", item("x.md", None))
    assert [shared.source for shared in find_duplicates([left, right]).items] == ["x.md"]


def test_free_text_and_empty_files_are_not_shared() -> None:
    same = (item("text:be quick", b"be quick"), item("lib/__init__.py", b""))
    sharing = find_duplicates([bundle("b1", *same), bundle("b2", *same)])
    assert sharing.items == ()
    assert sharing.moved.tokens == 0


def test_one_bundle_given_twice_is_refused() -> None:
    with pytest.raises(UsageError, match="bundle-001 is given twice"):
        find_duplicates([ONE, ONE])


LAW = "".join(f"Article {n}\n" for n in range(1, 21))


def text(source: str, *parts: str) -> ContextItem:
    return item(source, "".join(parts).encode())


def ambient_of(*parts: tuple[str, str]) -> AmbientLookup:
    found = [AmbientPart("instructions", name, "", said, name) for name, said in parts]
    return lambda bundle: Ambient(bundle.agent_type, tuple(found))


def test_blocks_that_stand_twice_in_one_bundle_are_found_and_left_out() -> None:
    held = bundle("b1", text("a.md", "A\n", LAW), text("b.md", "own\n\n", LAW, "\nmore\n"))
    sharing = find_duplicates([held])
    (overlap,) = sharing.bundles[0].overlaps
    assert str(overlap) == "b.md, lines 3-22: the same as a.md, lines 2-21"
    assert (
        sharing.repeated.tokens == sharing.duplicate_tokens_saved.tokens == overlap.count.tokens > 0
    )
    (applied,) = remove_duplicates(sharing, [held])
    whole, before, after, note = applied.items
    assert "- b.md, lines 3-22: the same as a.md, lines 2-21" in note.text
    assert whole == held.items[0]
    assert (before.source, before.data) == ("b.md:1-2", b"own\n\n")
    assert (after.source, after.data) == ("b.md:23-24", b"\nmore\n")
    assert remove_duplicates(find_duplicates([applied]), [applied]) == [applied]


def test_a_range_of_lines_and_free_text_are_trimmed_and_sections_are_not() -> None:
    held = bundle(
        "b1",
        text("a.md", LAW),
        text("b.md:101-121", LAW, "end\n"),
        text("text:Mind", "Mind:\n", LAW),
        replace(text("c.md", LAW, "c\n"), sections=("C",)),
        text("exec-003:message", LAW, "said\n"),
        text("d.md", LAW, "\n \n"),
    )
    sharing = find_duplicates([held])
    assert [o.removable for o in sharing.bundles[0].overlaps] == [True, True, False, False, True]
    (applied,) = remove_duplicates(sharing, [held])
    assert [i.source for i in applied.items[:-1]] == [
        *("a.md", "b.md:121-121", "text:Mind:", "c.md", "exec-003:message")
    ]
    assert applied.items[2].data == b"Mind:"


def test_what_the_agent_has_anyway_is_left_out_and_not_shared() -> None:
    anyway = ambient_of(("CLAUDE.md", f"# Ours\n{LAW}"))
    one = bundle("b1", text("law.md", LAW), text("x.md", "x\n", LAW))
    two = bundle("b2", text("law.md", LAW), text("y.md", "y\n"))
    sharing = find_duplicates([one, two], anyway)
    assert sharing.items == ()
    first, second = sharing.bundles
    assert [(o.source, o.whole, o.by) for o in first.overlaps] == [
        ("law.md", True, "CLAUDE.md"),
        ("x.md", False, "CLAUDE.md"),
    ]
    assert second.ambient.tokens == len(LAW)
    applied, _ = remove_duplicates(sharing, [one, two])
    assert [i.source for i in applied.items[:-1]] == ["x.md:1-1"]
    assert applied.dropped == (one.items[0],)
    assert "- law.md: the same as CLAUDE.md, which you were given by Claude Code" in (
        applied.items[-1].text
    )


def test_an_item_known_by_its_name_alone_is_never_left_out() -> None:
    held = bundle("b1", item("CLAUDE.md", None))
    sharing = find_duplicates([held], ambient_of(("CLAUDE.md", LAW)))
    assert [o.removable for o in sharing.bundles[0].overlaps] == [False]
    assert sharing.ambient.tokens == 0
    assert remove_duplicates(sharing, [held]) == [held]


def test_items_of_several_bundles_stay_whole_and_stand_in_the_document() -> None:
    one = bundle("b1", text("own.md", "own\n", LAW), text("law.md", LAW))
    two = bundle("b2", text("law.md", LAW))
    sharing = find_duplicates([one, two])
    assert [i.source for i in sharing.items] == ["law.md"]
    first, second = remove_duplicates(sharing, [one, two], document="shared.md")
    assert [i.source for i in first.items[:-1]] == ["own.md:1-1", "law.md"]
    assert "stands together in shared.md" in first.items[-1].text
    assert "stands together in shared.md" in second.items[-1].text
    document = render_shared_document(sharing).decode()
    assert "### law.md" in document and LAW in document
    again = [first, second]
    assert remove_duplicates(find_duplicates(again), again, document="shared.md") == again


def test_blocks_across_bundles_are_shown_side_by_side() -> None:
    one, two = bundle("b1", text("a.md", "a\n", LAW)), bundle("b2", text("b.md", LAW, "b\n"))
    (block,) = find_duplicates([one, two]).blocks
    assert block.text == LAW
    assert block.places == (("a.md", 2, 21, ("b1",)), ("b.md", 1, 20, ("b2",)))
    assert (
        sharing_to_dict(find_duplicates([one, two]))["blocks"][0]["token_count"]
        == block.count.tokens
    )


@given(
    st.lists(
        st.lists(st.sampled_from(("a" * 30, "b" * 30, "c" * 30, "d", "e", "\r")), max_size=14),
        max_size=4,
    ),
    st.booleans(),
)
def test_no_line_is_lost(texts: list[list[str]], anyway: bool) -> None:
    """Every line of every item stands in what is left, in the document or with the agent."""
    items = [text(f"{n}.md", *(f"{line}\n" for line in lines)) for n, lines in enumerate(texts)]
    ambient = (
        ambient_of(("CLAUDE.md", "".join(f"{line}\n" for line in texts[0])))
        if (anyway and texts)
        else ambient_of()
    )
    one, two = bundle("b1", *items), bundle("b2", *items[1:])
    sharing = find_duplicates([one, two], ambient)
    held = {line.strip() for line in (texts[0] if anyway and texts else [])}
    for before, after in zip([one, two], remove_duplicates(sharing, [one, two]), strict=True):
        left = {line.strip() for i in after.items for line in i.text.splitlines()}
        for item_before in before.items:
            said = {line.strip() for line in item_before.text.splitlines()}
            assert said <= left | held | {""}
