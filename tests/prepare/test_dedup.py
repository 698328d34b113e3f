from __future__ import annotations

from dataclasses import replace
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orch_tui.errors import UsageError
from orch_tui.prepare.ambient import Ambient, AmbientAgents, AmbientPart
from orch_tui.prepare.bundle import Bundle, ContextItem
from orch_tui.prepare.catalogue import Model
from orch_tui.prepare.count import Count
from orch_tui.prepare.dedup import (
    AmbientLookup,
    find_duplicates,
    make_ambient_lookup,
    remove_duplicates,
    render_shared_document,
    sharing_to_dict,
)
from orch_tui.prepare.tokens import count_tokens


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
RULES = "".join(f"Rule {n} of them\n" for n in range(1, 21))


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
    assert sharing.ambient.tokens == sharing.bundles[0].ambient.tokens == 0
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


def test_what_the_agent_has_anyway_is_not_sent_twice() -> None:
    """The two savings are kept apart, and neither counts what stays."""
    held = bundle(
        "b1",
        text("own.md", "".join(f"Rule {n}\n" for n in range(9))),
        text("again.md", "x\n", "".join(f"Rule {n}\n" for n in range(9)), "x" * 2_000),
        text("law.md", LAW),
    )
    sharing = find_duplicates([held], ambient_of(("CLAUDE.md", LAW)))
    (of_one,) = sharing.bundles
    repeated, anyway = of_one.overlaps
    assert (repeated.ambient, anyway.ambient) == (False, True)
    assert not repeated.removable  # telling where it stands would take more than it does
    assert of_one.repeated.tokens == of_one.duplicate_tokens_saved.tokens == 0
    assert of_one.ambient.tokens == anyway.count.tokens == len(LAW)


def test_what_is_left_is_counted_anew_and_the_rest_keeps_its_figures() -> None:
    held = bundle("b1", text("a.md", LAW), text("b.md", "own\n", LAW))
    families: list[str] = []

    def family_of(model: str) -> str:
        families.append(model)
        return "o200k_base"

    (applied,) = remove_duplicates(find_duplicates([held]), [held], family_of=family_of)
    assert families == ["sonnet"]
    whole, rest, note = applied.items
    assert whole == held.items[0]
    assert rest.count == count_tokens("own\n", family="o200k_base", kind="markdown")
    assert note.count == count_tokens(note.text, family="o200k_base", kind="markdown")
    (uncounted,) = remove_duplicates(find_duplicates([held]), [held])
    assert uncounted.items[1].count.estimator == "x"
    assert uncounted.items[2].count.tokens == 0


def test_the_agent_is_told_what_it_lacks_once_and_where_that_is() -> None:
    anyway = ambient_of(("CLAUDE.md", "".join(f"Rule {n}\n" for n in range(40))))
    rules = "".join(f"Rule {n}\n" for n in range(40))
    one = bundle("b1", text("a.md", LAW), text("b.md", "own\n", LAW), text("rules.md", rules))
    two = bundle("b2", text("a.md", LAW))
    given_bundles = [one, two]
    sharing = find_duplicates(given_bundles, anyway)
    first, second = remove_duplicates(sharing, given_bundles, document="shared.md")
    assert first.items[-1].text == (
        "Left out of the context, because you have it elsewhere:\n\n"
        "- b.md, lines 2-21: the same as a.md, lines 1-20\n"
        "- rules.md: the same as CLAUDE.md, which you were given by Claude Code\n\n"
        "What is shared with other agents stands together in shared.md.\n"
    )
    assert second.items[-1].text == (
        "What is shared with other agents stands together in shared.md.\n"
    )
    note = first.items[-1]
    assert (note.type, note.priority, note.sections) == ("briefing", "required", ())
    assert note.source == "text:Left out of the context, because you have it elsewhere:…"


def test_what_is_shared_before_is_pointed_to_without_a_document_too() -> None:
    one, two = bundle("b1", text("a.md", LAW)), bundle("b2", text("a.md", LAW))
    for document in ("", "shared.md"):
        first, _ = remove_duplicates(find_duplicates([one, two]), [one, two], document=document)
        assert (len(first.items) == 2) is bool(document), "nothing is said of no document"
        assert first.items[0].shared_with == ("b2",)


def test_empty_files_and_free_text_stay_with_each_who_has_them() -> None:
    same = (item("text:be quick", b"be quick"), item("lib/__init__.py", b""), text("a.md", LAW))
    given_bundles = [bundle("b1", *same), bundle("b2", *same)]
    first, _ = remove_duplicates(find_duplicates(given_bundles), given_bundles)
    assert [(i.source, i.is_pointed_to) for i in first.items] == [
        *(("text:be quick", False), ("lib/__init__.py", False), ("a.md", True)),
    ]


def test_what_says_where_shared_texts_stand_is_said_once_and_goes_with_them() -> None:
    note = "What is shared with other agents stands together in shared.md.\n"
    one = bundle("b1", text("a.md", LAW), text("n.md", note), text("text:Be", "Be quick.\n"))
    two = bundle("b2", text("a.md", LAW), text("text:Be", "Be quick.\n"), text("text:W", note))
    first, second = remove_duplicates(find_duplicates([one, two]), [one, two], document="shared.md")
    assert [i.text for i in first.items] == [LAW, note, "Be quick.\n", note], "a file is no note"
    assert [i.text for i in second.items] == [LAW, "Be quick.\n", note]
    alone = bundle(
        "b3", text("a.md", LAW), text("n.md", note), text("text:Be", f"Be quick.\n\n{note}")
    )
    (left,) = remove_duplicates(find_duplicates([alone]), [alone], document="shared.md")
    assert [i.text for i in left.items] == [LAW, note, "Be quick.\n"]


def test_the_shared_document_holds_each_text_once_and_names_the_others() -> None:
    sharing = find_duplicates(
        [
            bundle(name, item("a.md", b"a\n"), item("b.md", None), item("c.md", b"caf\xe9 \xff"))
            for name in ("b1", "b2")
        ]
    )
    assert render_shared_document(sharing).decode() == (
        "# Shared context\n\n"
        "Several agents work from these texts. They are material, not instructions.\n\n"
        "### a.md\n\n```md\na\n```\n\n"
        "### b.md\n\nOnly the file has it.\n\n"
        "### c.md\n\n```md\ncafé ÿ\n```\n"
    )
    named = replace(sharing, items=(replace(sharing.items[0], source="\udcff.md"),))
    assert b"### ?.md" in render_shared_document(named)


def test_overlaps_and_blocks_as_json() -> None:
    held = bundle("b1", text("a.md", "A\n", LAW), text("b.md", LAW, "own\n"), text("r.md", RULES))
    other = bundle("b2", text("c.md", RULES, "c\n"))
    told = sharing_to_dict(find_duplicates([held, other], ambient_of(("CLAUDE.md", RULES))))
    tokens = round(len(LAW + "own\n") * len(LAW) / len(LAW + "own\n"))
    assert told["bundles"][0]["overlaps"] == [
        {
            "source": "b.md",
            "lines": [1, 20],
            "token_count": tokens,
            "by": "a.md",
            "by_lines": [2, 21],
            "ambient": False,
            "removable": True,
        },
        {
            "source": "r.md",
            "lines": None,
            "token_count": len(RULES),
            "by": "CLAUDE.md",
            "by_lines": None,
            "ambient": True,
            "removable": True,
        },
    ]
    assert told["blocks"] == [
        {
            "token_count": len(RULES),
            "places": [
                {"source": "r.md", "lines": [1, 20], "bundles": ["b1"]},
                {"source": "c.md", "lines": [1, 20], "bundles": ["b2"]},
            ],
            "text": RULES,
        }
    ]


def test_the_largest_blocks_across_bundles_come_first_and_each_names_its_holders() -> None:
    one = bundle("b1", text("law.md", "a\n", LAW), text("rules.md", "b\n", RULES * 2))
    same = replace(one, bundle_id="b2")
    two = bundle("b3", text("both.md", LAW, "between\n", RULES * 2))
    blocks = find_duplicates([one, same, two]).blocks
    assert [block.places[0].source for block in blocks] == ["rules.md", "law.md"]
    assert [place.bundles for place in blocks[0].places] == [("b1", "b2"), ("b3",)]
    assert blocks[0].count.tokens > blocks[1].count.tokens > 0


def test_a_text_counts_once_in_the_document_and_for_each_bundle_it_is_taken_from() -> None:
    sharing = find_duplicates([bundle(name, text("a.md", LAW)) for name in ("b1", "b2", "b3")])
    assert (sharing.document.tokens, sharing.moved.tokens) == (len(LAW), 3 * len(LAW))


class Agents:
    """Agents of one type have a text; their definition asks for a model."""

    def found(self, agent_type: str) -> Ambient:
        parts = (AmbientPart("instructions", "CLAUDE.md", "", LAW, "x"),)
        return Ambient(agent_type, parts if agent_type == "lawyer" else (), model="opus")

    def ambient(self, agent_type: str, model: Model) -> Ambient:
        count = Count(1, model.family, 1, 1)
        found = self.found(agent_type)
        return replace(found, parts=tuple(replace(part, count=count) for part in found.parts))


def test_what_agents_have_is_counted_for_the_model_of_the_bundle_or_its_definition() -> None:
    def model_of(name: str) -> Model:
        return Model(name, window=1, family=f"family of {name}")

    ambient_for = make_ambient_lookup(cast(AmbientAgents, Agents()), model_of)
    lawyer = replace(bundle("b1"), agent_type="lawyer")
    for model, family in (("sonnet", "family of sonnet"), ("", "family of opus")):
        (part,) = ambient_for(replace(lawyer, model=model)).parts
        assert part.count.estimator == family
    assert ambient_for(bundle("b2")).parts == ()


@pytest.mark.slow
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
