"""What is written to a hub is what PostgreSQL takes, whatever stands in a record."""

from __future__ import annotations

import json
from typing import Any

import pytest

from orch_tui.hub.sending import EVERYTHING, select, storable_text, storable_time
from orch_tui.record.exchange.outgoing import PortableStatement

AT = "2026-02-14T00:00:00.000Z"


def statement(kind: str, said: dict[str, Any], about: tuple[str, ...] = ()) -> PortableStatement:
    return PortableStatement(b"d" * 32, kind, "api", AT, None, "ann", about, said)


def test_a_statement_is_recognised_by_who_has_the_secret() -> None:
    told = statement("noted", {"scope": "look"}, ("uid:b", "uid:a"))
    one, other = select(told, b"one", EVERYTHING), select(told, b"other", EVERYTHING)
    assert one.recognition != other.recognition != told.digest
    assert one.keys == ("uid:a", "uid:b")
    assert PortableStatement.of(told.digest, json.loads(one.body)) == told


@pytest.mark.parametrize("text", ["a\0b", "lone \ud800", "d\u00e9j\u00e0 vu", "\U0001f600"])
def test_a_body_holds_any_text(text: str) -> None:
    told = statement("noted", {"scope": text}, (f"tool:{text}",))
    sent = select(told, b"", EVERYTHING)
    assert "\0" not in sent.body and sent.body.encode()
    assert "\0" not in sent.keys[0] and sent.keys[0].encode()
    assert PortableStatement.of(told.digest, json.loads(sent.body)) == told


@pytest.mark.parametrize(
    ("kind", "said", "about", "keys"),
    [
        ("set", {"subject": "session:s", "values": {}}, (), ("session:s",)),
        ("set", {"subject": "run:r", "values": {}}, (), ("uid:r",)),
        ("journal", {"number": 1, "action": "sql", "run": "uid:r"}, (), ()),
        ("promised", {}, ("uid:r",), ("uid:r",)),
    ],
)
def test_a_statement_is_found_by_what_it_is_about(
    kind: str, said: dict[str, Any], about: tuple[str, ...], keys: tuple[str, ...]
) -> None:
    assert select(statement(kind, said, about), b"", EVERYTHING).keys == keys


@pytest.mark.parametrize(
    ("at", "read"),
    [
        (AT, AT),
        (f"{AT}0001", AT),
        ("2026-02-14T00:00:00Z", "2026-02-14T00:00:00Z"),
        ("2026-02-31T00:00:00.000Z", None),
        ("yesterday", None),
        ("", None),
        (None, None),
    ],
)
def test_a_time_is_one_that_is_read_there(at: str | None, read: str | None) -> None:
    assert storable_time(at) == read


def test_what_no_text_may_hold_is_shown_as_such() -> None:
    assert storable_text("a\0b \udcff") == "a\ufffdb ?"
