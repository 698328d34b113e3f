"""What a reader remembers goes into a file's checkpoint and comes back as it was."""

from __future__ import annotations

import hashlib

import msgspec

from orch_tui.record.transcripts.reader_state import (
    AgentRun,
    CurrentMessage,
    ParsedChunk,
    ReaderState,
    hash_text,
)


def test_a_state_comes_back_as_it_was_put_away() -> None:
    said = CurrentMessage("m", "t", texts=["a\ud7ff"], tools=["T"], reports={"T": "r"})
    run = AgentRun("S", "a1", ["agent:S/a1"], current=said, tools={"T": ("read", "a.py")})
    state = ReaderState(session="S", runs={"a1": run}, launched={"T": ""}, is_inline=True)
    assert msgspec.json.decode(msgspec.json.encode(state), type=ReaderState) == state


def test_a_state_of_an_older_release_lacks_what_came_later() -> None:
    state = msgspec.json.decode(b'{"session": "S", "elder": 1}', type=ReaderState)
    assert state == ReaderState(session="S")


def test_no_two_states_share_what_they_gather() -> None:
    one, other = ReaderState(), ReaderState()
    one.runs["a"] = AgentRun("S")
    one.runs["a"].keys.append("k")
    one.stops.append("T")
    assert (other, AgentRun("S").keys, CurrentMessage("m", "t").texts) == (ReaderState(), [], [])
    chunk = ParsedChunk()
    chunk.uses[("k",)] = []
    assert ParsedChunk() == ParsedChunk([], {}, {}) != chunk


def test_any_text_has_a_hash_that_stands_for_it() -> None:
    assert hash_text("ü") == hashlib.sha256("ü".encode()).hexdigest()[:32]
    assert len({hash_text(text) for text in ("", " ", "\ud800", "a", "A")}) == 5
