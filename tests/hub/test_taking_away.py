"""What a hub takes away for its members, and that nobody changes more than that."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from psycopg import Connection

    Connect = Callable[..., Connection[Any]]

SECRET = "hunter2hunter2"
OLD, NEW = (hashlib.sha256(word).hexdigest() for word in (b"old", b"new"))
BODY = json.dumps({"about": ["uid:r"], "message": OLD, "said": {"scope": f"use {SECRET}, 100%_"}})
CLEAN = BODY.replace(SECRET, "[redacted]").replace(OLD, NEW)
DIGEST = hashlib.sha256(BODY.encode()).digest()
REDACT = "SELECT redact_statement(%s, %s, %s)"


def state(hub: Connection[Any], origin: str, seq: int, body: str, level: int = 2) -> bytes:
    """Push a statement as its origin's; gives what it is recognised by."""
    recognition = hashlib.sha256(f"{origin} {seq}".encode()).digest()
    hub.execute(
        "INSERT INTO origins (uid, machine, name, client) VALUES (%s, 'm', %s, '1') "
        "ON CONFLICT DO NOTHING",
        [origin, origin],
    )
    hub.execute(
        "INSERT INTO statements (recognition, level, digest, kind, body) "
        "VALUES (%s, %s, %s, 'deployed', %s) ON CONFLICT DO NOTHING",
        [recognition, level, hashlib.sha256(body.encode()).digest(), body],
    )
    hub.execute("INSERT INTO about VALUES ('uid:r', %s) ON CONFLICT DO NOTHING", [recognition])
    log(hub, origin, seq, recognition)
    return recognition


def log(hub: Connection[Any], origin: str, seq: int, recognition: bytes) -> None:
    hub.execute(
        "INSERT INTO log SELECT origin_id, %s, %s FROM origins WHERE uid = %s",
        [seq, recognition, origin],
    )


def hold(hub: Connection[Any], text: bytes) -> bytes:
    """Push a content; gives its SHA-256."""
    sha256 = hashlib.sha256(text).digest()
    hub.execute(
        "INSERT INTO contents (sha256, size, encoding, data) VALUES (%s, %s, 'raw', %s)",
        [sha256, len(text), text],
    )
    hub.execute(
        "INSERT INTO content_search VALUES (%s, to_tsvector('simple', %s))",
        [sha256, text.decode()],
    )
    return sha256


def found_by(hub: Connection[Any]) -> list[str]:
    """The words that contents are found by."""
    rows = hub.execute("SELECT unnest(tsvector_to_array(words)) FROM content_search").fetchall()
    return sorted(word for (word,) in rows)


def body_of(hub: Connection[Any], recognition: bytes) -> str:
    rows = hub.execute("SELECT body FROM statements WHERE recognition = %s", [recognition])
    return str(rows.fetchall()[0][0])


def test_a_member_redacts_what_anybody_said(connect: Connect) -> None:
    ann, bob = connect("ann"), connect("bob")
    said = state(ann, "a", 1, BODY)
    bob.execute("SELECT redact_text(%s, 'content', %s)", [bytes.fromhex(OLD), bytes.fromhex(NEW)])
    assert bob.execute(REDACT, [said, DIGEST, CLEAN]).fetchall() == [(1,)]
    assert bob.execute(REDACT, [said, DIGEST, CLEAN]).fetchall() == [(0,)]  # once
    assert body_of(ann, said) == CLEAN
    gone = ann.execute("SELECT kind, by FROM gone ORDER BY kind").fetchall()
    assert gone == [("content", "bob"), ("statement", "bob")]


@pytest.mark.parametrize(
    "body",
    [
        CLEAN.replace("use", "sell"),
        CLEAN.replace("100%_", "100 %"),
        CLEAN + " ",
        CLEAN.replace("[redacted]", "[redacted] and more"),
        BODY.replace(SECRET, "%"),
        BODY.replace(OLD, NEW),  # the text of this hash is not gone
    ],
)
def test_a_redaction_puts_no_words_into_anybodys_mouth(connect: Connect, body: str) -> None:
    from psycopg.errors import CheckViolation

    ann, bob = connect("ann"), connect("bob")
    said = state(ann, "a", 1, BODY)
    if NEW not in body or body != BODY.replace(OLD, NEW):
        bob.execute("SELECT redact_text(%s, 'content', NULL)", [bytes.fromhex(OLD)])
    with pytest.raises(CheckViolation):
        bob.execute(REDACT, [said, DIGEST, body])
    assert body_of(ann, said) == BODY


def test_who_only_pushes_redacts_what_it_said_itself(connect: Connect) -> None:
    from psycopg.errors import InsufficientPrivilege

    ann, ci, eve = connect("ann"), connect("ci"), connect("eve")
    theirs, own = state(ann, "a", 1, BODY), state(ci, "c", 1, BODY)
    cleaned = BODY.replace(SECRET, "[redacted]")
    assert ci.execute(REDACT, [own, DIGEST, cleaned]).fetchall() == [(1,)]
    for person, which in ((ci, theirs), (eve, theirs)):
        with pytest.raises(InsufficientPrivilege):
            person.execute(REDACT, [which, DIGEST, cleaned])
    with pytest.raises(InsufficientPrivilege):
        ci.execute("SELECT redact_text(%s, 'content', NULL)", [bytes.fromhex(OLD)])
    with pytest.raises(InsufficientPrivilege):
        ann.execute("UPDATE statements SET body = '{}'")
    assert body_of(ann, theirs) == BODY


def test_what_is_gone_does_not_come_back(connect: Connect) -> None:
    ann = connect("ann")
    sha256 = hold(ann, SECRET.encode())
    ann.execute("SELECT redact_text(%s, 'content', NULL)", [sha256])
    never_here = hashlib.sha256(b"never here").digest()
    ann.execute("SELECT redact_text(%s, 'content', NULL)", [never_here])
    add = (
        "INSERT INTO contents (sha256, size, encoding, data) VALUES (%s, 14, 'raw', 'x') "
        "ON CONFLICT DO NOTHING"
    )
    for each in (sha256, never_here):
        ann.execute(add, [each])
    held = ann.execute("SELECT DISTINCT encoding, data FROM contents").fetchall()
    assert held == [("gone", None)]
    assert found_by(connect()) == []


def test_a_forgotten_text_goes_where_nobody_else_names_it(connect: Connect) -> None:
    from psycopg.errors import InsufficientPrivilege

    ann, bob = connect("ann"), connect("bob")
    own, shared = hold(ann, b"own"), hold(ann, b"shared")
    state(ann, "a", 1, json.dumps({"message": own.hex(), "briefing": shared.hex()}))
    state(bob, "b", 1, json.dumps({"briefing": shared.hex()}))
    forget = "SELECT forget_texts((SELECT origin_id FROM origins WHERE uid = %s), %s)"
    with pytest.raises(InsufficientPrivilege):
        bob.execute(forget, ["a", [own]])
    assert ann.execute(forget, ["a", [own, shared]]).fetchall() == [(1,)]
    held = ann.execute("SELECT encoding FROM contents ORDER BY content_id").fetchall()
    assert held == [("gone",), ("raw",)]
    assert found_by(connect()) == ["shared"]
