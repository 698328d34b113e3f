"""Telling one record what another states, a few statements at a time."""

from __future__ import annotations

import random

from orch_tui.models.database import Record
from orch_tui.models.stored_bytes import unpack_bytes
from orch_tui.record.exchange.incoming import Incoming, incoming_statements
from orch_tui.record.exchange.outgoing import (
    LoggedStatement,
    find_named_texts,
    named_hashes,
    read_log,
)
from orch_tui.record.ledger.origins import gather_statements, learn_origin


def feed(giver: Record, taker: Record, chance: random.Random, most: int = 5) -> int:
    """Tell ``taker`` the logs of all origins that ``giver`` knows, those in any order, each from
    its first statement on, up to ``most`` in a transaction; gives how many were new to it."""
    with giver.write():
        gather_statements(giver)
    rows = giver.rows("SELECT * FROM origins ORDER BY origin_id")
    chance.shuffle(rows)
    return sum(_feed_origin(giver, taker, origin, chance.randint(1, most)) for origin in rows)


def _feed_origin(giver: Record, taker: Record, origin: dict[str, object], most: int) -> int:
    new, after = 0, 0
    number = origin["origin_id"]
    assert isinstance(number, int)
    while some := read_log(giver, number, after, most):
        with incoming_statements(taker) as work:
            take_logged(giver, taker, work, origin, some)
        new += work.restored.statements
        after = some[-1].seq
    return new


def take_logged(
    giver: Record,
    taker: Record,
    work: Incoming,
    origin: dict[str, object],
    some: list[LoggedStatement],
) -> None:
    """Take in statements of one origin with the texts that they name."""
    told = [each.statement for each in some if each.statement]
    texts = find_named_texts(giver, named_hashes(told))
    for content in texts.contents:
        data = unpack_bytes(content.encoding, content.stored)
        work.take_content(content.sha256, content.size, data, content.stored or b"")
    for briefing in texts.briefings:
        work.take_briefing(*briefing)
    known_as = learn_origin(taker, origin)
    for each in some:
        if each.statement:
            work.take_statement(each.statement, [(known_as, each.seq)])
