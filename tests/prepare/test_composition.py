"""Composing: edits, weights, the bundle that comes of it."""

from __future__ import annotations

import shlex
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orch_tui import api
from orch_tui.cli.prepare import prepare_bundle
from orch_tui.errors import SourceError, UsageError
from orch_tui.models.values import ITEM_TYPES, PRIORITIES
from orch_tui.prepare.budget import sum_by_priority
from orch_tui.prepare.bundle import Bundle, compose_bundle
from orch_tui.prepare.composition import (
    Choice,
    Composition,
    Edits,
    describe_edit,
    guess_count,
    list_weighed_items,
    make_bundle,
    parse_choices,
    read_choice_text,
    source_of_key,
    weigh_choices,
    weigh_exactly,
)
from orch_tui.prepare.exact import is_available
from orch_tui.prepare.sources import SourceReader
from orch_tui.project import Project
from orch_tui.record import bundles, plan, sessions
from orch_tui.record.ledger import journal
from tests.conftest import FakeClock

SPEC = "# Spec\n\n## A\n\nfirst\n\n## B\n\nsecond\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "a.py").write_text("def a() -> int:\n    return 1\n" * 20)
    (tmp_path / "lib" / "b.py").write_text("def b() -> int:\n    return 2\n" * 10)
    (tmp_path / "spec.md").write_text(SPEC)
    (tmp_path / ".env").write_text("TOKEN=1\n")
    (tmp_path / "logo.png").write_bytes(b"\x89PNG\0\0")
    return tmp_path


@pytest.fixture
def reader(root: Path) -> SourceReader:
    return SourceReader(root / "lib", root)


def composed(*sources: str) -> Composition:
    return Composition("tester").adding(Choice(source) for source in sources)


# Edits


def test_a_toggle_puts_in_and_takes_out() -> None:
    once = Composition().toggled("a").toggled("b")
    assert [choice.key for choice in once.choices] == ["a", "b"]
    assert once.toggled("a") == Composition().toggled("b")


def test_sections_are_one_choice_and_the_whole_replaces_them() -> None:
    two = Composition().toggled_section("s.md", "A").toggled_section("s.md", "B")
    assert two.choices == (Choice("s.md", ("A", "B")),)
    assert two.toggled_section("s.md", "A").choices == (Choice("s.md", ("B",)),)
    assert two.toggled_section("s.md", "A").toggled_section("s.md", "B").choices == ()
    assert two.toggled("s.md").choices == (Choice("s.md"),)


def test_a_section_narrows_a_whole_file_and_keeps_its_priority() -> None:
    whole = Composition().toggled("s.md").changed({"s.md"}, priority="optional")
    part = whole.toggled_section("s.md", "A")
    assert part.choices == (Choice("s.md", ("A",), priority="optional"),)
    assert part.toggled("s.md") == whole


def test_moving_stops_at_the_ends() -> None:
    three = composed("a", "b", "c")
    assert [c.source for c in three.moved({"a"}, 1).choices] == ["b", "a", "c"]
    assert three.moved({"a"}, -1) == three
    assert [c.source for c in three.moved({"a"}, 9).choices] == ["b", "c", "a"]
    assert [c.source for c in three.moved({"b", "c"}, -1).choices] == ["b", "c", "a"]
    assert [c.source for c in three.moved({"a", "b"}, 1).choices] == ["c", "a", "b"]
    assert three.moved({"a", "b"}, -1) == three  # no order among them is lost at the end


def test_texts_that_begin_alike_are_two_choices() -> None:
    one, two = (Choice("text:Do", text=text, type="briefing") for text in ("Do\n1", "Do\n2"))
    assert Composition().adding([one, two, one]).choices == (one, two)


def test_the_key_of_a_choice_tells_its_source() -> None:
    choices = [
        Choice("c#/a.py"),
        Choice("c#/a.py", allow_secret=True),
        Choice("c#/a.py", ("C#", "Parser")),
        Choice("c#/a.py", ("C#", "Parser"), allow_secret=True),
    ]
    assert len({choice.key for choice in choices}) == len(choices)
    assert {source_of_key(choice.key) for choice in choices} == {"c#/a.py"}
    assert Choice("c#/a.py").key == "c#/a.py"  # a file weighs what its whole does


def test_every_edit_can_be_taken_back_and_made_again() -> None:
    edits = Edits(Composition())
    assert not edits.undo() and not edits.edit(Composition())
    edits.edit(composed("a"))
    edits.edit(composed("a", "b"))
    assert edits.undo() and edits.now == composed("a")
    assert edits.redo() and edits.now == composed("a", "b")
    edits.undo()
    edits.edit(composed("c"))
    assert not edits.redo() and edits.can_undo


_texts = st.text(max_size=8)
_choices = st.builds(
    Choice,
    source=_texts,
    sections=st.lists(_texts, max_size=3).map(tuple),
    type=st.sampled_from(ITEM_TYPES),
    priority=st.sampled_from(PRIORITIES),
    shared_with=st.lists(_texts, max_size=2).map(tuple),
    text=st.none() | st.text(max_size=8),
    allow_secret=st.booleans(),
)
_compositions = st.builds(
    Composition,
    *(_texts for _ in range(5)),
    choices=st.lists(_choices, max_size=4).map(tuple),
    planned_id=st.integers(0, 9),
)


@given(_compositions)
def test_a_draft_reads_back_as_it_was(composition: Composition) -> None:
    assert Composition.from_json(composition.to_json()) == composition


@pytest.mark.parametrize(
    "draft",
    [
        "",
        "[]",
        "{",
        "null",
        '{"choices": 1}',
        '{"choices": [{}]}',
        '{"choices": [{"source": "a", "type": "nonsense"}]}',
        '{"choices": [{"source": 1}]}',
        '{"choices": [], "unknown": "x"}',
        '{"choices": [], "planned_id": "x"}',
    ],
)
def test_what_is_no_draft_is_passed_over(draft: str) -> None:
    assert Composition.from_json(draft) is None


@given(st.binary(max_size=40) | st.text(max_size=40).map(str.encode))
def test_any_bytes_are_a_draft_or_none(data: bytes) -> None:
    Composition.from_json(data.decode("utf-8", "replace"))


# Reading and weighing


def test_weights_are_those_of_the_bundle(root: Path, reader: SourceReader) -> None:
    now = composed("lib/a.py", "lib/b.py").toggled_section("spec.md", "B")
    weights = weigh_choices(now.choices, reader=reader, family="v4.8")
    made = make_bundle(now, reader=reader, family="v4.8", created_at="")
    assert [weight.count for weight in weights] == [item.count for item in made.items]
    assert [weight.sha256 for weight in weights] == [item.sha256 for item in made.items]
    assert made.items[2].text == "## B\n\nsecond\n"


def test_names_are_those_of_the_project_wherever_it_is_read_from(
    root: Path, reader: SourceReader
) -> None:
    (root / "lib" / "spec.md").write_text("another\n")
    assert read_choice_text(Choice("spec.md"), reader) == SPEC


@pytest.mark.skipif(not is_available(), reason="ctok needs Python 3.12")
def test_exact_weights_come_one_by_one(reader: SourceReader) -> None:
    choices = [Choice("lib/a.py"), Choice("gone.py"), Choice("text:", text="words")]
    came = dict(weigh_exactly(choices, reader=reader, family="v4.8", processes=0))
    assert [*came] == [choices[0].key, choices[2].key]
    for weight, estimated in zip(
        came.values(),
        weigh_choices([choices[0], choices[2]], reader=reader, family="v4.8"),
        strict=True,
    ):
        assert weight.count.exact and weight.count.estimator == "claude-v4.8"
        assert (weight.count.tokens, weight.sha256) == (estimated.count.tokens, estimated.sha256)


def test_each_refusal_has_its_reason_and_the_others_are_weighed(reader: SourceReader) -> None:
    choices = composed("gone.py", ".env", "logo.png", "lib", "lib/a.py").choices
    weights = weigh_choices(choices, reader=reader, family="v4.8")
    reasons = [str(weight.refused and weight.refused.reason) for weight in weights]
    assert reasons[:4] == [
        "does not exist",
        "looks like a secret",
        "is binary (it holds NUL bytes)",
        "is a folder",
    ]
    assert [weight.secret for weight in weights] == [False, True, False, False, False]
    assert weights[4].refused is None and weights[4].count.tokens > 100


def test_a_secret_that_is_binary_too_needs_more_than_a_yes(
    root: Path, reader: SourceReader
) -> None:
    (root / "server.key").write_bytes(b"\0\1")
    (weight,) = weigh_choices([Choice("server.key")], reader=reader, family="v4.8")
    assert weight.refused and not weight.secret


def test_a_bundle_names_every_source_it_cannot_take(reader: SourceReader) -> None:
    with pytest.raises(SourceError, match=r"(?s)2 sources.*gone\.py.*\.env"):
        make_bundle(
            composed("gone.py", ".env", "lib/a.py"), reader=reader, family="v4.8", created_at=""
        )


def test_what_nobody_counted_is_guessed_with_a_band_around_the_truth(
    root: Path, reader: SourceReader
) -> None:
    now = composed("lib/a.py", "lib/b.py")
    (first, _) = weigh_choices(now.choices, reader=reader, family="v4.8")
    sizes = {path: (root / path).stat().st_size for path in ("lib/a.py", "lib/b.py")}
    known, guessed = list_weighed_items(now, {"lib/a.py": first}, sizes)
    assert known.count == first.count and guessed.count == guess_count(sizes["lib/b.py"])
    (_, truth) = weigh_choices(now.choices, reader=reader, family="v4.8")
    assert guessed.count.low < truth.count.tokens < guessed.count.high
    assert sum_by_priority([known, guessed])["required"] == known.count + guessed.count


def test_sources_are_named_as_on_the_command_line(root: Path, reader: SourceReader) -> None:
    assert parse_choices("a.py:1-2", reader) == (Choice("lib/a.py:1-2"),)
    assert parse_choices("spec.md#A", reader) == (Choice("spec.md", ("A",)),)
    assert parse_choices("*.py", reader) == (Choice("lib/a.py"), Choice("lib/b.py"))
    assert parse_choices("text:Be brief.", reader) == (
        Choice("text:Be brief.", type="briefing", text="Be brief."),
    )
    assert parse_choices(".env", reader) == (Choice(".env"),)
    with pytest.raises(SourceError, match="does not exist"):
        parse_choices("nothing.py", reader)
    with pytest.raises(SourceError, match="standard input"):
        parse_choices("-", reader)


# The command


def test_the_command_makes_the_same_bundle(root: Path, reader: SourceReader) -> None:
    now = Composition("task implementor", scope='It\'s "this"', model="opus", name="n").adding(
        [
            *parse_choices("text:Be brief.\nReally.", reader),
            Choice("lib/a.py", type="shared_context"),
            Choice("lib/b.py"),
            Choice("spec.md", ("A",), type="reference", priority="recommended"),
            Choice(".env", priority="optional", allow_secret=True),
        ]
    )
    words = shlex.split(now.command("orch-1"))
    assert words[:2] == ["orch", "prepare-bundle"]
    given = prepare_bundle().parse_args(words[2:])
    assert (given.agent_type, given.scope) == (now.agent_type, now.scope)
    assert (given.model, given.name, given.session_id) == ("opus", "n", "orch-1")
    from_command = compose_bundle(
        given.agent_type,
        given.scope,
        reader=SourceReader(root, root, allow_secret=given.allow_secret),
        bundle_id="",
        created_at="",
        model=given.model,
        family="v4.8",
        files=given.files,
        references=given.references,
        optional=given.optional,
        shared=given.shared,
        texts=given.text,
        name=given.name,
    )
    assert from_command == make_bundle(now, reader=reader, family="v4.8", created_at="")


# Keeping


@pytest.fixture
def project(root: Path, clock: FakeClock) -> Project:
    (root / ".git").mkdir()
    return Project(root, clock=clock)


def kept(project: Project, now: Composition, session_id: str | None = None) -> Bundle:
    return api.keep_composition(project, now, session_id=session_id).bundle


def test_what_was_saved_can_be_composed_further(project: Project) -> None:
    now = composed("lib/a.py").adding(parse_choices("text:Be brief.\nReally.", project.reader()))
    now = now.changed({"lib/a.py"}, priority="optional", type="reference")
    saved = kept(project, now)
    again = Composition.of_bundle(bundles.load_bundle(project.record, saved.bundle_id).bundle)
    assert again.choices == now.choices and again.bundle_id == saved.bundle_id
    assert kept(project, again) == saved
    more = kept(project, again.toggled("lib/b.py"))
    assert (more.bundle_id, len(more.items)) == (saved.bundle_id, 3)
    project.close()


def test_a_planned_agent_gets_the_bundle_composed_for_it(project: Project) -> None:
    session_id = sessions.init_session(
        project.record, "A session", project=str(project.root)
    ).session_id
    planned = plan.add_planned_agent(project.record, session_id, "tester", scope="Test it")
    now = Composition("tester", "Test it", planned_id=planned.planned_id).toggled("lib/a.py")
    saved = kept(project, now, session_id)
    (agent,) = plan.list_planned_agents(project.record, session_id)
    assert agent.bundle_id == saved.bundle_id
    project.close()


def test_a_yes_to_a_secret_is_in_the_journal(project: Project) -> None:
    session_id = sessions.init_session(
        project.record, "A session", project=str(project.root)
    ).session_id
    now = composed(".env").changed({".env"}, allow_secret=True)
    kept(project, now, session_id)
    entries = [e for e in journal.list_journal(project.record) if e.action == "allow-secret"]
    assert [entry.after for entry in entries] == [{"sources": [".env"]}]
    project.close()


def test_nothing_is_kept_without_an_agent_type(project: Project) -> None:
    with pytest.raises(UsageError, match="agent type"):
        kept(project, Composition().toggled("lib/a.py"))
    assert not project.database.exists()


def test_sharing_a_session_makes_what_bundles_have_in_common_shared(project: Project) -> None:
    session_id = sessions.init_session(
        project.record, "A session", project=str(project.root)
    ).session_id
    one = kept(project, composed("lib/a.py", "lib/b.py"), session_id)
    two = kept(project, Composition("other").toggled("lib/a.py"), session_id)
    shared = api.share_bundles(project, session_id)
    assert [item.source for item in shared.items] == ["lib/a.py"]
    first, second = (
        bundles.load_bundle(project.record, bundle.bundle_id).bundle.items for bundle in (one, two)
    )
    assert [(item.type, item.shared_with) for item in first] == [
        ("shared_context", (two.bundle_id,)),
        ("file", ()),
        ("briefing", ()),
    ]
    assert [(item.type, item.shared_with) for item in second] == [
        ("shared_context", (one.bundle_id,)),
        ("briefing", ()),
    ]
    document = project.root / ".claude" / "orchestration" / "shared" / f"{session_id}.md"
    assert "### lib/a.py" in document.read_text()
    assert str(document.relative_to(project.root)) in first[-1].text
    again = api.share_bundles(project, session_id)
    assert again.moved == shared.moved
    assert bundles.load_bundle(project.record, one.bundle_id).bundle.items == first
    project.close()


def test_figures_do_for_sharing_without_the_bytes(project: Project) -> None:
    session_id = sessions.init_session(
        project.record, "A session", project=str(project.root)
    ).session_id
    kept(project, composed("lib/a.py", "lib/b.py"), session_id)
    kept(project, Composition("other").toggled("lib/a.py"), session_id)
    whole = [saved.bundle for saved in bundles.load_session_bundles(project.record, session_id)]
    light = [saved.bundle for saved in bundles.load_session_figures(project.record, session_id)]
    assert all(item.data is None for bundle in light for item in bundle.items)
    assert [[(i.source, i.sha256, i.count) for i in bundle.items] for bundle in light] == [
        [(i.source, i.sha256, i.count) for i in bundle.items] for bundle in whole
    ]
    project.close()


def test_edits_are_told_in_words() -> None:
    one, two = Choice("a.md"), Choice("b.md")
    both = Composition(choices=(one, two))
    for before, after, words in (
        (Composition(), both, "added 2 sources"),
        (both, Composition(choices=(two,)), "took out a.md"),
        (both, Composition(choices=(two, one)), "changed the order"),
        (both, Composition(choices=(one, replace(two, priority="optional"))), "made b.md optional"),
        (both, Composition(choices=(one, replace(two, type="reference"))), "changed b.md"),
        (both, replace(both, agent_type="tester", scope="Try it"), "changed agent type and scope"),
        (both, Composition(choices=(one, Choice("b.md", ("A",)))), "changed b.md"),
    ):
        assert describe_edit(before, after) == words
