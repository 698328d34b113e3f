from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orch_tui.assets import asset
from orch_tui.errors import FormatError, NotFoundError, SourceError
from orch_tui.prepare.jinja_templates import fill_jinja
from orch_tui.prepare.templates import Template, fill_template, load_template

VALUES = {"scope": "S", "context": "{scope} {{ scope }} <!-- c -->", "items": [1, 2], "total": 3}


def filled(text: str, for_html: bool = False, **values: Any) -> str:
    return fill_template(Template("t.md", text), VALUES | values, for_html=for_html)


def test_comments_of_the_older_form_end_where_they_end() -> None:
    assert filled("a <!-- b --> {total} <!-- c -->\n d\n  <!--\ne -->\t\r\nf<!-- {") == (
        "a  3 \n d\nf<!-- {"
    )


@pytest.mark.parametrize(
    ("part", "times"),
    [
        *(("<!--", 250_000), ("{#", 500_000), ("{{#", 300_000)),
        *(("{x}", 330_000), ("<!---->", 140_000)),
    ],
)
def test_what_is_begun_again_and_again_takes_time_by_its_length(part: str, times: int) -> None:
    with suppress(FormatError):  # quadratic time would end at the limit of every test
        filled(part * times)


def test_a_comment_within_a_name_leaves_no_placeholder() -> None:
    assert filled("{sco<!-- x -->pe} {no<!---->thing}") == "{scope} {nothing}"


def test_html_is_escaped_in_both_forms() -> None:
    hostile = "<b>\"'&"
    assert filled("<p>{{ scope }}</p>", scope=hostile, for_html=True) == (
        "<p>&lt;b&gt;&#34;&#39;&amp;</p>"
    )
    assert filled("<p>{scope}</p>", scope=hostile, for_html=True) == (
        "<p>&lt;b&gt;&quot;&#x27;&amp;</p>"
    )


def test_the_older_form() -> None:
    template = (
        "<!-- {nothing} of this -->\n# {scope}: {total}\n{ not } {} {1} <!-- x -->{context}\n"
    )
    assert filled(template) == f"# S: 3\n{{ not }} {{}} {{1}} {VALUES['context']}\n"


def test_unknown_placeholders_are_named_with_the_known() -> None:
    with pytest.raises(FormatError, match=r"placeholders \{ages\}, \{scop\}$") as refused:
        filled("{ages} {scope} {scop}")
    assert refused.value.hint == "known: context, scope, total"
    with pytest.raises(FormatError, match=r"t\.md, line 2: unknown placeholder \{scop\}"):
        filled("{{ scope }}\n{{ scop }}")
    with pytest.raises(FormatError, match=r"unknown placeholder \{other\}"):
        filled("{% if false %}{{ other }}{% endif %}")
    with pytest.raises(FormatError, match="has no attribute 'nope'"):
        filled("{{ scope.nope }}")


def test_jinja_templates() -> None:
    template = (
        "{% for item in items %}\n{{ loop.index }}/{{ loop.length }} {{ item }}\n{% endfor %}"
    )
    assert filled(template) == "1/2 1\n2/2 2\n"
    assert filled("{{ '%03d' | format(total) }} {{ context }}") == f"003 {VALUES['context']}"
    assert (
        filled("{{ missing | default('none') }}{% if x is defined %}{{ x }}{% endif %}") == "none"
    )


@pytest.mark.parametrize(
    "text",
    [
        "{{ scope }}\n{% for %}",
        "{{ scope }}\n{{ items[9] }}",
        "{{ scope }}\n{{ 1 / 0 }}",
        "{{ scope }}\n{{ scope.__class__ }}",
        "{{ scope }}\n{% for n in range(10 ** 7) %}x{% endfor %}\n",
        "{% macro m() %}\n{{ m() }}{% endmacro %}{{ m() }}",
        "<!--\n--> {scop}",
    ],
)
def test_errors_name_the_line(text: str) -> None:
    with pytest.raises(FormatError, match=r"t\.md, line 2: "):
        filled(text)


@pytest.mark.parametrize(
    "text",
    [
        "{{ scope.__class__.__mro__ }}",
        "{{ '{0.__class__}'.format(scope) }}",
        "{{ items.append(3) }}",
        "{% include 'other.md' %}",
        "{{ 1 / 0 }}",
        "{{ items | sort(attribute=5) | first }}",
    ],
)
def test_a_template_has_no_way_out(text: str) -> None:
    with pytest.raises(FormatError, match=r"^template t\.md"):
        filled(text)
    assert VALUES["items"] == [1, 2]


@given(st.text(st.sampled_from("{}%#<!->abscope _'|\n"), max_size=60))
def test_any_template_is_filled_or_refused(text: str) -> None:
    template, values = Template("t.md", text), {"scope": "S", "a": "A"}
    try:
        if template.is_jinja:
            fill_jinja("t.md", text, values)
        else:
            fill_template(template, values)
    except FormatError as error:
        assert "t.md" in error.message


@given(st.dictionaries(st.sampled_from(["a", "b", "c"]), st.text(max_size=20), min_size=3))
def test_what_is_filled_in_is_not_looked_at_again(values: dict[str, str]) -> None:
    expected = f"{values['a']}-{values['b']}-{values['c']}"
    assert fill_template(Template("t", "{a}-{b}-{c}"), values) == expected
    assert fill_jinja("t", "{{ a }}-{{ b }}-{{ c }}", values) == expected


def test_a_template_is_found_by_path_then_in_folders_then_among_our_own(tmp_path: Path) -> None:
    own = tmp_path / "templates"
    own.mkdir()
    (own / "briefing.md").write_text("mine {scope}")
    (own / "other.md").write_text("\ufeffother")
    assert load_template(str(own / "other.md")).text == "other"
    assert load_template("other.md", [own]).text == "other"
    assert load_template("briefing", [own]).text == "mine {scope}"
    assert load_template("briefing", [tmp_path / "missing"]).name == "briefing.md.tmpl"
    assert load_template("synthesis-report.tmpl").text == (
        asset("templates/synthesis-report.tmpl").read_text("utf-8")
    )


def test_a_template_that_is_not_there_or_no_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError) as refused:
        load_template("synthesis-reprot.tmpl")
    assert "synthesis-report.tmpl" in refused.value.hint
    with pytest.raises(SourceError, match="no such template"):
        load_template(str(tmp_path / "nope.md"))
    (tmp_path / "binary.md").write_bytes(b"\0")
    with pytest.raises(SourceError, match="binary"):
        load_template(str(tmp_path / "binary.md"))


@pytest.mark.parametrize(
    ("name", "placeholders"),
    [
        (
            "synthesis-report.tmpl",
            "agent_summaries deliverable_list_with_locations gate_results coverage_actual "
            "coverage_target evidence_status files_modified_count files_created_count "
            "tests_added_count docs_updated recommended_actions",
        ),
        (
            "orchestration-plan.tmpl",
            "scope_description agent_count agent_list_with_scopes execution_strategy "
            "coordination_points deliverables validation_gates",
        ),
    ],
)
def test_our_templates_ask_for_what_the_older_ones_did(name: str, placeholders: str) -> None:
    template = load_template(name)
    values = {placeholder: f"<{placeholder}>" for placeholder in placeholders.split()}
    text = fill_template(template, values)
    assert all(value in text for value in values.values())
    assert not re.search(r"[{}]|<!--", text)
