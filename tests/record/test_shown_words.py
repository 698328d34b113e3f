"""Statements of an earlier orch are read as the reader of today would have told them."""

from __future__ import annotations

import hashlib
from typing import Any

from orch_tui.record.ledger.doubt import EMPTY, ENDED_WITH
from orch_tui.record.ledger.merge import Observation, text_fingerprint
from orch_tui.record.ledger.shown_words import drop_copied_messages, mend_statements
from orch_tui.record.ledger.statement import Deployed, MessageFact, Noted, Returned, Used
from tests.record.noted_home import LIMIT, frame

AT, LATER = "2026-11-22T10:00:00.000Z", "2026-11-22T11:00:00.000Z"
TEXTS: dict[str, str] = {}
"""The final messages of the statements that were made here, by their SHA-256."""


def said(statement: Any, source: str = "hook", at: str = AT, digest: str = "") -> Observation:
    return Observation(digest or f"{source}{at}{statement}", source, at, statement)


def returned(text: str, source: str = "import", at: str = AT, **more: Any) -> Observation:
    sha256 = hashlib.sha256(text.encode()).hexdigest()
    TEXTS[sha256] = text
    given = {"status": "completed", "message": sha256, "words": text_fingerprint(text), **more}
    return said(Returned(**given), source, at)


def statements(*told: Observation) -> list[Any]:
    return [each.statement for each in mend_statements(told, TEXTS.get).told]


def test_what_is_as_it_should_be_stays() -> None:
    told = [said(Deployed(agent_type="x")), returned("Fine.", witness="agent")]
    mended = mend_statements(told, TEXTS.get)
    assert (mended.told, mended.texts) == (told, ())
    assert mend_statements([], TEXTS.get).told == []


def test_notes_and_frames_are_taken_off_what_the_launcher_was_shown() -> None:
    for shown in (f"{LIMIT}\nFine.", frame("Fine.", LIMIT)):
        mended = mend_statements([returned(shown, witness="parent")], TEXTS.get)
        (only,) = mended.told
        assert only.words == text_fingerprint("Fine.")
        assert isinstance(only.statement, Returned)
        assert only.statement.message == hashlib.sha256(b"Fine.").hexdigest()
        assert (only.statement.ending, mended.texts) == ("limit", ("Fine.",))


def test_words_that_the_agent_itself_told_are_not_kept_twice() -> None:
    own = returned("Fine.", witness="agent")
    mended = mend_statements([own, returned(f"{LIMIT}\nFine.", witness="parent")], TEXTS.get)
    assert mended.texts == ()
    assert {each.words for each in mended.told} == {own.words}


def test_what_an_agent_wrote_is_not_read_for_notes() -> None:
    told = [returned(f"{LIMIT}\nFine.", witness="agent")]
    assert mend_statements(told, TEXTS.get).told == told


def test_a_message_whose_text_is_gone_stays_as_it_was_told() -> None:
    told = [returned(f"{LIMIT}\nLost.", witness="parent")]
    assert mend_statements(told, lambda sha256: None).told == told


def test_an_agent_that_had_not_reported_yet_did_not_return() -> None:
    waits = "This agent has not reported yet: it waits"
    assert statements(returned(waits, witness="parent")) == []


def test_an_error_in_place_of_words_is_a_failure() -> None:
    (failed,) = statements(
        returned("API Error: 500", witness="agent", doubt=f"{ENDED_WITH} an API error: so")
    )
    assert (failed.status, failed.error_message, failed.doubt) == (
        "failed",
        "API Error: 500",
        EMPTY,
    )
    assert (failed.message, failed.words) == (None, None)
    of_the_model = returned(
        "API Error: 500", witness="agent", doubt=f"{ENDED_WITH} so", model_message="msg_1"
    )
    assert statements(of_the_model) == [of_the_model.statement], "a model wrote it"


def test_a_run_did_not_launch_itself() -> None:
    copied = said(Deployed(parent="agent:S/a1", deployed_at=AT))
    noted = said(Noted(agent_id="a1"))
    assert statements(copied, noted) == [noted.statement]
    other = said(Deployed(parent="agent:S/a2", deployed_at=AT))
    by_hand = said(Deployed(parent="agent:S/a1", deployed_at=AT), "manual")
    assert statements(other, noted, by_hand) == [
        *(other.statement, noted.statement, by_hand.statement)
    ]
    uses = [
        Used(
            messages=tuple(
                MessageFact(message_id=name, at=at, tool_calls=calls)
                for name, at, calls in (("a", AT, 1), ("b", AT, 0), ("c", LATER, 1))
            )
        )
    ]
    kept = drop_copied_messages([copied, noted], uses)
    assert [message.message_id for used in kept for message in used.messages] == ["b", "c"]
    assert drop_copied_messages([other, noted], uses) == uses


def test_a_model_that_nobody_asked_for_is_taken_from_its_sidecar() -> None:
    def sidecar(model: str | None, at: str = AT, **more: Any) -> Observation:
        noted = Noted(agent_id="a1", agent_type="Explore", scope="look", model=model, **more)
        return said(noted, "import", at)

    unasked = sidecar(None)
    assert [s.model for s in statements(unasked, sidecar("claude-haiku-4-5"))] == [None, None]
    assert [s.model for s in statements(unasked, sidecar("haiku"))] == [None, "haiku"]
    assert [s.model for s in statements(unasked, sidecar("claude-x", LATER))] == [None, "claude-x"]
    assert [s.model for s in statements(sidecar("claude-x"))] == ["claude-x"]
    assert [s.model for s in statements(sidecar("inherit"))] == [None]
    seen = sidecar("claude-x", ran_in="S")
    assert [s.model for s in statements(unasked, seen)] == [None, "claude-x"]


def test_what_was_pasted_is_the_return_it_is_a_copy_of() -> None:
    own = returned("All is fine, and\nso is the rest.", witness="agent")
    paste = returned("⏺ All is fine, and so is the rest.", "manual", LATER)
    other = returned("Something else.", "manual", LATER)
    mended = mend_statements([own, paste, other], TEXTS.get).told
    assert [each.words for each in mended] == [own.words, own.words, other.words]
    assert mended[0] == own and mended[2] == other


def test_what_was_escaped_for_the_launcher_is_what_the_agent_wrote() -> None:
    own = returned("a < b & c", witness="agent")
    shown = returned("a &lt; b &amp; c", witness="parent")
    assert {s.words for s in statements(own, shown)} == {text_fingerprint("a < b & c")}
    alone = returned("a &lt; b", witness="parent")
    assert [s.words for s in statements(alone)] == [text_fingerprint("a &lt; b")]
    assert len({s.words for s in statements(own, alone)}) == 2
