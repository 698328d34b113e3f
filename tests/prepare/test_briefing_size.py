"""What a briefing takes, part by part, against what it takes as a whole."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orch_tui.prepare.briefing import FORMS, render_briefing
from orch_tui.prepare.briefing_size import count_briefing, draw_uid, make_stand_in, measure_briefing
from orch_tui.prepare.bundle import Bundle, ContextItem, count_context
from orch_tui.prepare.count import FRAMES, ZERO
from orch_tui.prepare.marker import mark_briefing
from orch_tui.prepare.templates import Template, load_template
from orch_tui.prepare.vocabulary import VOCABULARIES
from tests.prepare.test_tokens import Cache

CODE = "def f(a: int) -> int:\n    return a + 1\n\n\n" * 30


def item(
    source: str, text: str, type_: str = "file", shared_with: tuple[str, ...] = ()
) -> ContextItem:
    return ContextItem(type_, source, "required", (), text.encode(), ZERO, shared_with)


def bundle(*items: ContextItem, family: str = "v4.8", template: Template | None = None) -> Bundle:
    held = tuple(count_context(items, family=family))
    made = Bundle("bundle-001", "Explore", "Find it", held, "", "", template=template)
    return measure_briefing(made, family)


TEXTS = st.one_of(
    st.sampled_from([CODE, "", "\n\n", "one line", "````\nfence\n````\n", "</document_content>"]),
    st.text("ab `\n#.ü漢", max_size=80),
)


@pytest.mark.slow
@given(
    st.lists(st.tuples(st.sampled_from(["a.py", "b.md", "text:t"]), TEXTS), max_size=6),
    st.sampled_from([*FORMS.values()]),
    st.sampled_from([*FRAMES, "o200k_base"]),
)
def test_the_parts_add_up_to_the_whole(
    texts: list[tuple[str, str]], form: str, family: str
) -> None:
    items = [
        item(f"{n}{name}" if name[0] != "t" else f"{name}{n}", text)
        for n, (name, text) in enumerate(texts)
    ]
    made = bundle(*items, family=family, template=load_template(form))
    whole = count_briefing(mark_briefing(render_briefing(made)), family).tokens
    assert abs(made.total.tokens - whole) <= 1 + 3 * len(items)


@pytest.mark.parametrize("family", [*FRAMES, "o200k_base"])
def test_a_long_briefing_is_within_a_thousandth_of_the_whole(family: str) -> None:
    made = bundle(*(item(f"{n}.py", f"# {n}\n{CODE * 9}") for n in range(9)), family=family)
    whole = count_briefing(mark_briefing(render_briefing(made)), family).tokens
    assert abs(made.total.tokens - whole) <= 0.001 * whole
    assert made.frame_tokens == FRAMES.get(family, 0)


def test_what_an_agent_is_told_to_read_is_no_part_but_a_second_figure() -> None:
    law = item("law.md", CODE, "shared_context", shared_with=("bundle-002",))
    alone, beside = bundle(item("a.py", CODE)), bundle(item("a.py", CODE), law)
    assert beside.shared.tokens == law_tokens() and alone.shared == ZERO
    assert 0 < beside.total.tokens - alone.total.tokens < 40  # its name, and why to read it
    whole = replace(law, shared_with=())
    assert bundle(item("a.py", CODE), whole).total.tokens > beside.total.tokens + 200


def law_tokens() -> int:
    return bundle(item("law.md", CODE)).given.tokens


@pytest.mark.parametrize(
    "text",
    [
        "{% for i in items %}{{ i.text }}{{ i.text }}{% endfor %}",
        "{% for i in items %}{{ i.text[:20] }}{% endfor %}",
        "{{ scope }}",
        "{scope}",
        "{context}",
    ],
)
def test_a_template_that_repeats_cuts_or_leaves_out_texts_is_counted_as_it_is(text: str) -> None:
    made = bundle(item("a.py", CODE), item("b.md", CODE), template=Template("t", text))
    assert (
        abs(made.total.tokens - count_briefing(mark_briefing(render_briefing(made)), "v4.8").tokens)
        <= 1
    )


def test_a_stand_in_of_a_stand_in_is_itself() -> None:
    assert make_stand_in(b"") == b""
    assert make_stand_in(b"\n\n").startswith(b"x"), "there is no beginning to keep"
    for text in (
        b"",
        b"\n\n",
        b"abc\n",
        b"```` x `````\n\n",
        b"a</document_content__>",
        CODE.encode(),
    ):
        short = make_stand_in(text)
        assert make_stand_in(short) == short


@pytest.mark.parametrize("family", [*FRAMES, *VOCABULARIES])
def test_the_line_that_names_a_deployment_takes_what_was_counted_for_it(family: str) -> None:
    text = render_briefing(bundle(item("a.py", CODE), family=family))
    usual = count_briefing(mark_briefing(text), family)
    uids = {draw_uid(family) for _ in range(50)}
    assert len(uids) == 50 and all(re.fullmatch("[0-9a-f]{32}", uid) for uid in uids)
    assert {count_briefing(mark_briefing(text, uid), family) for uid in uids} == {usual}


@pytest.mark.parametrize("name", ["", "bundle-001", "a-name-that-somebody-took-for-it-007"])
@pytest.mark.parametrize("text", [None, "{{ bundle_id }} {{ scope }}", "{scope}"])
def test_without_items_all_that_a_briefing_takes_is_its_template(
    name: str, text: str | None
) -> None:
    template = Template("t", text) if text else None
    made = measure_briefing(
        Bundle(name, "Explore", "Find it", (), "", "", template=template), "v4.8"
    )
    whole = mark_briefing(render_briefing(replace(made, bundle_id=name or "bundle-00000")))
    assert made.total == count_briefing(whole, "v4.8")


def test_what_is_no_text_is_counted_as_well() -> None:
    assert count_briefing(b"\xff\xfe", "v4.8").tokens > count_briefing(b"", "v4.8").tokens


def test_around_texts_that_changed_inside_nothing_is_counted_again() -> None:
    kept = Cache()
    texts = ["def f():\n    return 1\n", "def g():\n    return 2\n", f"def h():\n{CODE.strip()}\n"]
    sizes = []
    for text in texts:
        made = bundle(item("a.py", text), item("b.py", CODE))
        measured = measure_briefing(made, "v4.8", cache=kept)
        sizes.append((len(kept.counts), measured.template_count))
    assert len(set(sizes)) == 1
