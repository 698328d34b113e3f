"""At each level goes what was agreed, and with figures no hash by which a text can be tried."""

from __future__ import annotations

import hashlib
import hmac
import json
from pathlib import Path
from typing import Any

import pytest

from orch_tui.hub.levels import DOUBTED, WITHHELD, find_sent_texts, reduce_to_figures
from orch_tui.models.database import Record
from orch_tui.record.ledger.statement import canonical_json, describe_problem
from orch_tui.record.upkeep.export import export_record
from tests.record.test_redaction import fill

SECRET = "zanzibar-9134"


def pseudonym(text: str) -> str:
    return hmac.digest(b"key of the hub", text.encode(), "sha256").hex()


@pytest.fixture
def statements(record: Record, tmp_path: Path) -> list[dict[str, Any]]:
    """What is said in a record in which every text and path holds the secret."""
    fill(record, SECRET, tmp_path)
    return [row for row in map(json.loads, export_record(record)) if "statement" in row]


def test_no_text_path_or_hash_goes_with_figures(
    record: Record, statements: list[dict[str, Any]]
) -> None:
    held = [sha256.hex() for (sha256,) in record.sql("SELECT sha256 FROM contents")]
    held += [sha256.hex() for (sha256,) in record.sql("SELECT sha256 FROM briefings")]
    held += [row["statement"] for row in statements]
    kinds = set()
    for row in statements:
        kind, said = reduce_to_figures(row["kind"], row["said"], pseudonym)
        kinds.add(kind)
        text = canonical_json(said)
        assert SECRET not in text.replace(f"tool:{SECRET}", "")  # an id of the client
        assert "Sorry" not in text
        assert "green" not in text
        assert not [sha256 for sha256 in held if sha256 in text]
        assert hashlib.sha256(b"Sorry.").hexdigest() not in text
        assert kind == WITHHELD or describe_problem(kind, said) is None
        assert not list(find_sent_texts(row["kind"], row["said"], "figures"))
    assert {WITHHELD, "deployed", "returned", "set"} <= kinds


def test_figures_keep_states_times_and_which_texts_are_the_same() -> None:
    one, other = (
        reduce_to_figures(
            "returned",
            {"status": "completed", "words": "ab" * 32, "doubt": "it stopped", "cost_usd": cost},
            pseudonym,
        )[1]
        for cost in (0.5, 0.75)
    )
    assert one == {
        "status": "completed",
        "words": pseudonym("ab" * 32),
        "doubt": DOUBTED,
        "cost_usd": 0.5,
    }
    assert one["words"] == other["words"]


def test_what_a_newer_orch_says_stays_at_home_with_figures() -> None:
    said = {"status": "failed", "mood": "of a text"}
    assert reduce_to_figures("returned", said, pseudonym) == ("returned", {"status": "failed"})
    assert reduce_to_figures("dreamt", said, pseudonym) == (WITHHELD, {})
    broken = {"status": ["a text"]}
    assert reduce_to_figures("returned", broken, pseudonym) == (WITHHELD, {})


def test_contents_of_files_go_with_everything_alone(
    record: Record, statements: list[dict[str, Any]]
) -> None:
    found = {
        level: {
            sha256
            for row in statements
            for sha256 in find_sent_texts(row["kind"], row["said"], level)
        }
        for level in ("nothing", "messages", "everything")
    }
    assert found["nothing"] == set()
    assert found["messages"] < found["everything"]
    given = {
        sha256.hex()
        for (sha256,) in record.sql(
            "SELECT sha256 FROM bundle_items JOIN contents USING (content_id)"
        )
    }
    assert given
    assert given <= found["everything"] - found["messages"]
    said = {
        sha256.hex()
        for (sha256,) in record.sql(
            "SELECT sha256 FROM completions JOIN contents ON content_id = message_id"
        )
    }
    assert said
    assert said <= found["messages"]
