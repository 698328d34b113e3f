"""Bundles that are made to fit: never over, nothing required lost, and a receipt of the rest."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orch_tui.errors import OverBudgetError, SourceError, UsageError
from orch_tui.prepare.briefing import FORMS, render_briefing
from orch_tui.prepare.briefing_size import count_briefing, measure_briefing
from orch_tui.prepare.bundle import Bundle, ContextItem, count_context
from orch_tui.prepare.count import ZERO, Count
from orch_tui.prepare.fitting import BriefingScale, Fitted, fit_briefing
from orch_tui.prepare.marker import mark_briefing
from orch_tui.prepare.templates import Template, load_template
from orch_tui.prepare.tokens import count_tokens

EXACT = "o200k_base"
CODE = '"""What it is."""\n\nimport os\n\n' + "".join(
    f"def function_{n}(a: int) -> int:\n    b = a + {n}\n    c = b * b\n    return c % {n + 1}\n\n"
    for n in range(12)
)
LONG_CODE = CODE.replace("function", "method") * 3
GUIDE = "# Guide\nWhat it is about.\n\n" + "Word after word. " * 60 + "\n# Use\n" + "Do it. " * 40


def item(
    source: str, text: str, priority: str = "optional", sections: tuple[str, ...] = ()
) -> ContextItem:
    kind = "briefing" if source.startswith("text:") else "file"
    return ContextItem(kind, source, priority, sections, text.encode(), ZERO)


def bundle(*items: ContextItem, family: str = EXACT) -> Bundle:
    held = tuple(count_context(items, family=family))
    return Bundle("bundle-001", "a", "Find it out", held, "", "2026-11-22T10:00:00.000Z")


def kept(fitted: Fitted) -> list[str]:
    return ["#".join((item.source, *item.sections)) for item in fitted.bundle.items]


def size(made: Bundle) -> int:
    return BriefingScale(made, EXACT).weigh(made.items).high


def test_what_fits_is_left_alone() -> None:
    made = bundle(item("a.py", CODE))
    fitted = fit_briefing(made, size(made), family=EXACT)
    assert fitted.bundle == measure_briefing(made, EXACT)
    assert (fitted.changes, str(fitted)[:17]) == ((), "the briefing fits")


def test_optional_items_go_before_recommended_ones_and_are_cut_before_they_go() -> None:
    made = bundle(
        item("need.py", CODE, "required"), item("good.py", CODE, "recommended"), item("a.py", CODE)
    )
    limit = size(made) - 1
    one = fit_briefing(made, limit, family=EXACT)
    assert kept(one) == ["need.py", "good.py", "a.py#(skeleton)"]
    two = fit_briefing(made, size(one.bundle) - 1, family=EXACT)
    assert kept(two) == ["need.py", "good.py"]
    three = fit_briefing(made, size(two.bundle) - 1, family=EXACT)
    assert kept(three)[:2] == ["need.py", "good.py#(skeleton)"]
    cut = three.bundle.items[1]
    assert cut.text.startswith('"""What it is."""\nimport os\ndef function_0(a: int) -> int:\ndef')
    last = fit_briefing(made, size(bundle(made.items[0])), family=EXACT)
    assert kept(last) == ["need.py"]


def test_required_items_alone_over_the_limit_are_refused_with_the_figures() -> None:
    made = bundle(item("need.py", CODE, "required"), item("a.py", CODE))
    limit = size(bundle(made.items[0])) - 1
    with pytest.raises(
        OverBudgetError, match=rf"required items alone take .* of {limit:,} tokens"
    ) as no:
        fit_briefing(made, limit, family=EXACT)
    assert "need.py (" in no.value.hint
    with pytest.raises(OverBudgetError) as no:
        fit_briefing(bundle(), 10, family=EXACT)
    assert "template" in no.value.hint


def test_a_file_is_cut_to_the_part_that_was_chosen() -> None:
    made = bundle(item("docs/guide.md", GUIDE))
    limit = size(made) - 20
    assert kept(fit_briefing(made, limit, family=EXACT)) == ["docs/guide.md#(skeleton)"]
    fitted = fit_briefing(made, limit, family=EXACT, keep={"docs/guide.md": ["Use"]})
    (left,) = fitted.bundle.items
    assert (left.sections, left.text[:6]) == (("Use",), "# Use\n")
    with pytest.raises(SourceError, match="no heading 'Usage'"):
        fit_briefing(made, limit, family=EXACT, keep={"docs/guide.md": ["Usage"]})


def test_what_fits_again_comes_back() -> None:
    huge = item("huge.csv", "1,2\n" * 9_000, "recommended")
    made = bundle(item("need.py", "x = 1\n", "required"), huge, item("small.md", "A note.\n"))
    fitted = fit_briefing(made, 2_000, family=EXACT)
    assert kept(fitted) == ["need.py", "small.md"]


def test_what_cannot_be_cut_is_left_out() -> None:
    blob = "\n".join(f"{n},{n * n}" for n in range(500))
    foreign = replace(item("b.py", CODE), data=None, count=bundle(item("b.py", CODE)).total)
    made = bundle(
        item("a.csv", blob),
        item("text:" + CODE[:20], CODE),
        item("a.py", CODE, sections=("function_1",)),
        item("a.py:1-9", CODE),
        foreign,
    )
    fitted = fit_briefing(made, size(bundle()) + 50, family=EXACT)
    assert kept(fitted) == []
    assert [str(change)[:10] for change in fitted.changes] == ["leave out "] * 5


def rows(source: str, number: int, priority: str = "optional") -> ContextItem:
    """A file that cannot be cut, with no line in common with another."""
    return item(source, f"{source},1\n" * number, priority)


@pytest.mark.parametrize("priority", ["optional", "recommended"])
def test_the_largest_goes_first_wherever_it_stands(priority: str) -> None:
    made = bundle(
        rows("big.csv", 400, priority), *(rows(f"{n}.csv", 150, priority) for n in range(3))
    )
    fitted = fit_briefing(made, size(made) - 1, family=EXACT)
    assert kept(fitted) == ["0.csv", "1.csv", "2.csv"]
    fitted = fit_briefing(made, size(bundle(*made.items[2:])), family=EXACT)
    assert len(kept(fitted)) == 2


@pytest.mark.parametrize("priority", ["optional", "recommended"])
def test_what_saves_most_is_cut_first(priority: str) -> None:
    made = bundle(
        item("a.py", CODE, priority), item("b.py", LONG_CODE, priority), rows("c.csv", 9, priority)
    )
    fitted = fit_briefing(made, size(made) - 1, family=EXACT)
    assert kept(fitted) == ["a.py", "b.py#(skeleton)", "c.csv"]
    both = fit_briefing(made, size(fitted.bundle) - 1, family=EXACT)
    assert kept(both) == ["a.py#(skeleton)", "b.py#(skeleton)", "c.csv"]


def test_a_recommended_item_comes_back_before_an_optional_one() -> None:
    made = bundle(rows("a.csv", 150), rows("b.csv", 150, "recommended"))
    room_for_one = size(bundle(made.items[1]))
    assert kept(fit_briefing(made, room_for_one, family=EXACT)) == ["b.csv"]


def test_what_comes_back_is_as_whole_as_there_is_room_for() -> None:
    made = bundle(item("a.py", LONG_CODE), rows("b.csv", 5_000, "recommended"))
    skeleton = fit_briefing(bundle(made.items[0]), size(bundle(made.items[0])) - 1, family=EXACT)
    for limit, left in (
        (size(bundle(made.items[0])), ["a.py"]),
        (size(bundle(made.items[0])) - 1, ["a.py#(skeleton)"]),
        (size(skeleton.bundle), ["a.py#(skeleton)"]),
        (size(skeleton.bundle) - 1, []),
    ):
        assert kept(fit_briefing(made, limit, family=EXACT)) == left


def test_a_cut_that_saves_little_is_none() -> None:
    """Three tenths of the tokens have to go."""
    head = "# Head\n" + "Word after word. " * 30 + "\n"
    for more, cut in ((20, True), (5, False)):
        made = bundle(item("a.md", f"{head}\n" + "More words. " * more))
        left = kept(fit_briefing(made, size(made) - 1, family=EXACT))
        assert left == (["a.md#(skeleton)"] if cut else []), more


def test_sections_of_markdown_are_cut_further_and_skeletons_are_not() -> None:
    part = item("docs/guide.md", GUIDE, sections=("Guide",))
    made = bundle(part)
    limit = size(made) - 1
    assert kept(fit_briefing(made, limit, family=EXACT)) == ["docs/guide.md#Guide#(skeleton)"]
    # What was chosen instead of a skeleton may be no part of the section.
    fitted = fit_briefing(made, limit, family=EXACT, keep={"docs/guide.md": ["Usage"]})
    assert kept(fitted) == []
    bones = bundle(item("docs/guide.md", GUIDE, sections=("(skeleton)",)))
    assert kept(fit_briefing(bones, size(bones) - 1, family=EXACT)) == []


def test_a_source_to_keep_must_be_an_item() -> None:
    made = bundle(item("a.py", CODE), item("b.py", CODE))
    with pytest.raises(UsageError, match=r"c\.py is not in the bundle") as no:
        fit_briefing(made, 10**6, family=EXACT, keep={"c.py": ["f"]})
    assert no.value.hint == "one of a.py, b.py"
    with pytest.raises(UsageError) as no:
        fit_briefing(bundle(), 10**6, family=EXACT, keep={"c.py": ["f"]})
    assert no.value.hint == ""


def test_what_is_over_by_what_stands_around_it_is_over_by_that() -> None:
    made = bundle(*(rows(f"{n}.csv", 10 * n, "required") for n in (1, 4, 2, 3)))
    tokens = sum(each.count.high for each in made.items)
    for limit, more in ((tokens, size(made) - tokens), (tokens - 1, 1)):
        with pytest.raises(OverBudgetError, match=rf"up to {more} too many") as no:
            fit_briefing(made, limit, family=EXACT, of="agent limit")
        assert f"of {limit:,} tokens (agent limit)" in no.value.message
        assert [name.partition(" (")[0] for name in no.value.hint.split(", ")[:3]] == [
            *("the largest: 4.csv", "3.csv", "2.csv")
        ]


def test_a_bundle_without_an_id_is_weighed_with_one() -> None:
    named = Template("named.j2", "{{ bundle_id }} {% for i in items %}{{ i.text }}{% endfor %}")
    made = replace(bundle(item("a.py", CODE)), bundle_id="bundle-00123")
    unnamed = replace(made, bundle_id="")
    assert size(replace(unnamed, template=named)) == size(replace(made, template=named))


def test_an_item_that_the_briefing_does_not_quote_takes_nothing() -> None:
    unquoted = Template("t.j2", "{{ scope }}")
    made = replace(bundle(item("a.py", CODE), item("b.py", LONG_CODE)), template=unquoted)
    assert size(made) == size(replace(made, items=()))


def test_a_receipt_reads_in_plain_words() -> None:
    made = bundle(rows("a.csv", 150), item("docs/guide.md", GUIDE))
    limit = size(bundle(made.items[1])) - 1
    fitted = fit_briefing(
        made, limit, family=EXACT, keep={"docs/guide.md": ["Use"]}, of="session budget"
    )
    before = BriefingScale(made, EXACT).weigh(made.items)
    assert str(fitted) == (
        f"the briefing took {before} of {limit:,} tokens (session budget), "
        f"{before.high - limit:,} too many at most; now it takes {fitted.after}"
    )
    assert fitted.to_dict() == {
        "limit": limit,
        "limit_of": "session budget",
        "before": {"tokens": before.tokens, "band": [before.low, before.high]},
        "after": {"tokens": fitted.after.tokens, "band": [fitted.after.low, fitted.after.high]},
        "changes": [change.to_dict() for change in fitted.changes],
    }
    guide, csv = sorted(fitted.changes, key=lambda change: change.after is None)
    (part,) = fitted.bundle.items
    assert str(guide) == (
        f"cut docs/guide.md to Use (optional, {made.items[1].count} -> {part.count})"
    )
    assert guide.to_dict() == {
        "source": "docs/guide.md",
        "sections": [],
        "priority": "optional",
        "action": "cut",
        "kept_sections": ["Use"],
        "token_count": made.items[1].count.tokens,
        "kept_tokens": part.count.tokens,
    }
    assert guide.saved == made.items[1].count.tokens - part.count.tokens
    assert csv.saved == made.items[0].count.tokens
    fits = fit_briefing(made, 10**6, family=EXACT, of="agent limit")
    assert str(fits) == f"the briefing fits: {fits.after} of 1,000,000 tokens (agent limit)"


def test_the_receipt_tells_what_and_how_much() -> None:
    made = bundle(item("good.py", CODE, "recommended"), item("a.csv", "1,2\n" * 300))
    fitted = fit_briefing(made, size(bundle(made.items[0])) - 1, family=EXACT)
    csv, good = fitted.changes
    total = made.items[1].count
    assert str(csv) == f"leave out a.csv (optional, {total})"
    assert str(good).startswith("cut good.py to its skeleton (recommended, ")
    receipt = fitted.to_dict()
    assert receipt["changes"][0] == {
        "source": "a.csv",
        "sections": [],
        "priority": "optional",
        "action": "left out",
        "kept_sections": [],
        "token_count": total.tokens,
        "kept_tokens": 0,
    }
    assert receipt["before"]["tokens"] > receipt["limit"] >= receipt["after"]["tokens"]


@pytest.mark.parametrize("family", ["v3", "v4.7", "v4.8", EXACT])
@pytest.mark.parametrize("form", FORMS.values())
def test_many_texts_whose_tokens_are_known_exactly_take_no_more_than_is_said(
    family: str, form: str
) -> None:
    texts = [f"{'    ' * (n % 3)}line {n} ends here{'.)}'[n % 3]}\n" * 16 for n in range(60)]
    made = bundle(*(item(f"f{n}.py", text) for n, text in enumerate(texts)), family=family)
    items = [
        replace(each, count=Count(each.count.tokens, "known", *(each.count.tokens,) * 2))
        for each in made.items
    ]
    made, template = replace(made, items=tuple(items)), load_template(form)
    made = replace(made, template=template)
    whole = count_briefing(mark_briefing(render_briefing(made)), family).tokens
    said = BriefingScale(made, family).weigh(made.items)
    assert said.low - len(made.items) <= whole <= said.high + len(made.items)
    assert said.high - said.low < whole / 40


TEXTS = st.one_of(
    st.sampled_from([CODE, GUIDE, "", "one line", "```\nfence\n" * 40]),
    st.builds(
        lambda word, n: word * n,
        st.sampled_from(["a b ", "x=1\n", "ü漢 ", "#"]),
        st.integers(1, 600),
    ),
)
ITEMS = st.lists(
    st.tuples(
        st.sampled_from(["a.py", "b.md", "c.csv", "text:t", "d.go"]),
        TEXTS,
        st.sampled_from(["required", "recommended", "optional"]),
    ),
    max_size=6,
)
WORDY = Template(
    "wordy.j2",
    "{{ scope }}{% for i in items %}\nOn {{ i.label }}:{{ i.text }}{{ i.text[:99] }}{% endfor %}",
)


@pytest.mark.slow
@given(
    ITEMS, st.integers(0, 6_000), st.sampled_from([EXACT, "v4.8"]), st.sampled_from([None, WORDY])
)
def test_never_over_the_limit_and_nothing_required_is_lost(
    given_items: list[tuple[str, str, str]], limit: int, family: str, template: Template | None
) -> None:
    made = bundle(
        *(
            item(f"{n}{source}" if source[0] != "t" else f"{source}{n}", text, priority)
            for n, (source, text, priority) in enumerate(given_items)
        ),
        family=family,
    )
    made = replace(made, template=template)

    def weigh(items: tuple[ContextItem, ...]) -> int:
        return BriefingScale(made, family).weigh(items).high

    required = tuple(each for each in made.items if each.priority == "required")
    try:
        fitted = fit_briefing(made, limit, family=family)
    except OverBudgetError:
        assert weigh(required) > limit
        return
    assert tuple(each for each in fitted.bundle.items if each.priority == "required") == required
    assert fitted.after.high <= limit and weigh(fitted.bundle.items) <= limit
    if family == EXACT:  # the very text, counted as a whole
        rendered = render_briefing(fitted.bundle).decode("utf-8", "replace")
        assert count_tokens(rendered, family=EXACT, kind="markdown").tokens <= limit
    changed = {id(change.before): change.after for change in fitted.changes}
    assert fitted.bundle.items == tuple(
        after for each in made.items if (after := changed.get(id(each), each))
    )
    for change in fitted.changes:  # nothing is left out that has room
        if change.after is None:
            back = {id(change.before): change.before}
            assert (
                weigh(
                    tuple(
                        after
                        for each in made.items
                        if (after := (changed | back).get(id(each), each))
                    )
                )
                > limit
            )
