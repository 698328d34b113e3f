from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orch_tui.errors import FormatError, SourceError
from orch_tui.prepare.bundle import (
    CLAIMED,
    Bundle,
    ContextItem,
    ReadBundle,
    compose_bundle,
    dump_json,
    read_bundle_json,
    to_dict,
)
from orch_tui.prepare.count import ZERO, Count
from orch_tui.prepare.sources import SourceReader

FAMILY = "o200k_base"  # counts exactly, so figures in tests stay

PROPOSAL: dict[str, Any] = {
    "bundle_id": "bundle-001",
    "agent_type": "task-implementor",
    "scope": "Implement vector search",
    "created_at": "2025-01-17T10:00:00Z",
    "context_items": [
        {
            "type": "file",
            "source": "spec/requirements.md",
            "token_count": 1500,
            "priority": "required",
            "sections": ["Vector Search Requirements"],
        },
        {
            "type": "shared_context",
            "source": "constitution.md",
            "token_count": 500,
            "priority": "required",
            "shared_with": ["bundle-002", "bundle-003"],
        },
    ],
    "total_tokens": 2000,
    "budget_remaining": 198000,
}


@pytest.fixture
def reader(tmp_path: Path) -> SourceReader:
    (tmp_path / "spec").mkdir()
    (tmp_path / "lib").mkdir()
    (tmp_path / "spec" / "requirements.md").write_text(
        "# Vector Search Requirements\n\nFast.\n\n# Other\n\nSlow.\n"
    )
    (tmp_path / "lib" / "types.ts").write_bytes(b"export type Id = string;\r\n")
    return SourceReader(tmp_path, tmp_path, stdin=lambda: b"piped \xff\n")


def composed(reader: SourceReader, **sources: Sequence[str]) -> Bundle:
    return compose_bundle(
        "task-implementor",
        "Implement vector search",
        reader=reader,
        bundle_id="bundle-001",
        created_at="2026-11-22T10:00:00.000Z",
        model="sonnet",
        family=FAMILY,
        **sources,  # type: ignore[arg-type]
    )


def read(reader: SourceReader, document: object, **options: Any) -> ReadBundle:
    data = document if isinstance(document, bytes) else json.dumps(document).encode()
    return read_bundle_json(
        data, name="b.json", reader=reader, family_of=lambda model: FAMILY, **options
    )


def test_flags_decide_type_and_priority(reader: SourceReader) -> None:
    bundle = composed(
        reader,
        files=["lib/types.ts"],
        references=["spec/requirements.md#Other"],
        optional=["lib/types.ts:1-1"],
        shared=["spec/requirements.md"],
        texts=["Be quick."],
    )
    assert [(item.type, item.source, item.priority) for item in bundle.items] == [
        ("briefing", "text:Be quick.", "required"),
        ("shared_context", "spec/requirements.md", "required"),
        ("file", "lib/types.ts", "required"),
        ("reference", "spec/requirements.md", "recommended"),
        ("file", "lib/types.ts:1-1", "optional"),
    ]
    assert bundle.items[2].data == b"export type Id = string;\r\n"
    assert bundle.items[3].sections == ("Other",)
    assert bundle.total.tokens == sum(item.count.tokens for item in bundle.items) > 20


def test_the_same_item_twice_is_dropped_and_reported(reader: SourceReader) -> None:
    (reader.root / "copy.ts").write_bytes((reader.root / "lib" / "types.ts").read_bytes())
    bundle = composed(
        reader,
        files=["./lib/types.ts", "copy.ts", "spec/requirements.md#Other"],
        optional=["lib/types.ts", "spec/requirements.md"],
    )
    assert [item.source for item in bundle.items] == [
        *("lib/types.ts", "copy.ts", "spec/requirements.md", "spec/requirements.md")
    ]
    assert [(item.source, item.priority) for item in bundle.dropped] == [
        ("lib/types.ts", "optional")
    ]


def test_all_sources_that_cannot_be_taken_are_named_at_once(reader: SourceReader) -> None:
    with pytest.raises(SourceError) as refused:
        composed(reader, files=["nope.md", "lib/types.ts"], references=["lib:1-2"])
    assert "nope.md: does not exist" in refused.value.message
    assert "lib:1-2: is a folder" in refused.value.message
    with pytest.raises(SourceError, match=r"^nope\.md: does not exist"):
        composed(reader, files=["nope.md"])


def test_counts_of_known_contents_come_from_the_cache(reader: SourceReader) -> None:
    class Cache:
        def __init__(self) -> None:
            self.known: dict[str, int] = {}

        def get_counts(self, sha256s: Sequence[str], estimator: str) -> dict[str, int]:
            return {sha256: self.known[sha256] for sha256 in sha256s if sha256 in self.known}

        def put_counts(self, estimator: str, counts: Mapping[str, int]) -> None:
            self.known.update({sha256: 4321 for sha256 in counts})

    cache = Cache()
    composed(reader, files=["lib/types.ts"], cache=cache)  # type: ignore[arg-type]
    again = composed(reader, files=["lib/types.ts"], cache=cache)  # type: ignore[arg-type]
    assert again.total.tokens == 4321


def test_json_begins_with_the_keys_of_the_proposal(reader: SourceReader) -> None:
    bundle = composed(reader, files=["spec/requirements.md#Other"])
    document = to_dict(bundle, budget=200_000)
    assert list(document)[:7] == list(PROPOSAL)
    assert list(document["context_items"][0])[:5] == list(PROPOSAL["context_items"][0])
    assert "shared_with" not in document["context_items"][0]
    assert document["budget_remaining"] == 200_000 - document["total_tokens"]


def test_a_bundle_survives_being_written_and_read(reader: SourceReader) -> None:
    bundle = composed(
        reader,
        files=["lib/types.ts:1-1", "spec/requirements.md#Other", "-"],
        optional=["lib/types.ts:1-1"],
        texts=["Grüße \udcff\n" + "x" * 300],
    )
    text = dump_json(to_dict(bundle, budget=1))
    elsewhere = SourceReader(reader.root / "lib", reader.root)
    again = read(elsewhere, text.encode())
    assert again.differences == ()
    assert again.bundle.items == bundle.items
    assert again.bundle.dropped[0].sha256 == bundle.items[1].sha256
    assert dump_json(to_dict(again.bundle, budget=1)) == text


def test_a_changed_file_is_not_passed_off_as_the_one_that_was_meant(reader: SourceReader) -> None:
    bundle = composed(reader, files=["lib/types.ts"])
    data, sha256 = bundle.items[0].data, bundle.items[0].sha256
    document = to_dict(bundle, budget=1)
    (reader.root / "lib" / "types.ts").write_text("changed")
    lost = read(reader, document)
    assert (lost.bundle.items[0].data, lost.bundle.items[0].sha256) == (None, sha256)
    assert lost.bundle.total == bundle.total
    assert "changed since" in lost.differences[0]
    assert data is not None
    kept = read(reader, document, contents={sha256: data}.get)
    assert (kept.bundle.items[0].data, kept.differences) == (data, ())


def test_a_bare_bundle_is_read_from_disk_and_counted_anew(reader: SourceReader) -> None:
    found = read(reader, {**PROPOSAL, "model": "opus"})
    requirements, constitution = found.bundle.items
    assert requirements.data == b"# Vector Search Requirements\n\nFast.\n\n"
    assert requirements.count.estimator == FAMILY
    assert requirements.count.tokens < 20
    assert constitution.data is None
    assert constitution.count == Count(500, CLAIMED, 500, 500)
    assert constitution.shared_with == ("bundle-002", "bundle-003")
    assert found.bundle.model == "opus"
    said = "\n".join(found.differences)
    assert "spec/requirements.md" in said and "1,500 claimed" in said
    assert "constitution.md: does not exist" in said


def test_a_total_that_does_not_add_up_is_reported(reader: SourceReader) -> None:
    found = read(reader, PROPOSAL | {"context_items": [], "total_tokens": 8})
    assert found.differences == ("total_tokens: 8 claimed, its items say 0",)
    frame = PROPOSAL | {"context_items": [], "total_tokens": 6}
    assert read(reader, frame).differences == ()


def test_a_foreign_bundle_cannot_fetch_a_secret(reader: SourceReader) -> None:
    (reader.root / ".env").write_text("KEY=1")
    found = read(reader, PROPOSAL | {"context_items": [{"source": ".env"}]})
    assert found.bundle.items[0].data is None
    assert "secret" in found.differences[0]


def item(**changes: Any) -> dict[str, Any]:
    return PROPOSAL | {"context_items": [PROPOSAL["context_items"][0], changes]}


@pytest.mark.parametrize(
    ("document", "complaint"),
    [
        (b"{", "is not JSON"),
        (b"[" * 100_000, "is not JSON"),
        (b"\xff\xfe{", "is not JSON"),
        (b"[]", "must be a JSON object"),
        ({}, "context_items: is missing"),
        ({"context_items": {}}, "context_items: must be a list"),
        ({"context_items": ["a.md"]}, "context_items[0]: must be an object"),
        (PROPOSAL | {"scope": None}, "scope: is missing"),
        (PROPOSAL | {"scope": "\ud800"}, "scope: holds half of a surrogate pair"),
        (PROPOSAL | {"schema_version": "1"}, "schema_version: must be a whole number"),
        (PROPOSAL | {"schema_version": 2}, "schema_version 2 is newer"),
        (item(source=7), "context_items[1].source: must be text"),
        (item(source="a", token_count="9"), "context_items[1].token_count: must be a whole number"),
        (item(source="a", token_count=True), "context_items[1].token_count: must be a whole"),
        (item(source="a", token_count=-1), "context_items[1].token_count: is out of range"),
        (item(source="a", type="url"), "context_items[1].type: 'url' is not one of file,"),
        (item(source="a", priority="high"), "context_items[1].priority: 'high' is not one of"),
        (item(source="a", sections=["b", 1]), "context_items[1].sections[1]: must be text"),
        (item(source="a", token_count=9, band=[10, 11]), "context_items[1].band: must be"),
        (item(source="-", text=5), "context_items[1].text: must be text"),
        (item(source="-", text="\ud800"), "context_items[1].text: holds half"),
    ],
)
def test_what_is_wrong_is_named_by_its_path(
    reader: SourceReader, document: object, complaint: str
) -> None:
    with pytest.raises(FormatError) as refused:
        read(reader, document)
    assert refused.value.message.startswith("b.json")
    assert complaint in refused.value.message


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from([*PROPOSAL, *PROPOSAL["context_items"][1], "band", "dropped"]),
            inner,
            max_size=9,
        )
    ),
)


@pytest.mark.slow
@given(JSON)
def test_any_json_is_read_or_refused(value: object) -> None:
    reader = SourceReader(Path("/nowhere"), Path("/nowhere"))
    document = PROPOSAL | value if isinstance(value, dict) else value
    try:
        found = read(reader, document)
    except FormatError:
        return
    assert isinstance(found.bundle, Bundle)


def test_an_item_knows_the_hash_of_its_bytes() -> None:
    made = ContextItem("file", "a", "required", (), b"", Count(0, "x", 0, 0))
    assert made.sha256.startswith("e3b0c44298fc1c14")


def test_lines_of_a_secret_look_like_one_as_the_whole_does() -> None:
    def looks_secret(source: str) -> bool:
        return ContextItem("file", source, "required", (), b"nothing\n", ZERO).looks_secret

    for source in (".env", ".env:1-3", "conf/server.key:1-9", "./id_rsa:2-2"):
        assert looks_secret(source), source
    for source in ("env.py:1-3", "text:.env", "exec-003:message"):
        assert not looks_secret(source), source
