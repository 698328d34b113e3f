"""A bracketed paste arrives as one text, whatever it holds and however it is cut."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from textual import events

from orch_tui.screens.terminal import END, START, PasteParser

HOSTILE = "one\n\x1b[31mred\x1b[0m \x1b[A\x1bx\x1b\x1b]0;title\x07 end\x1b"


def read(data: str, cuts: list[int]) -> list[str]:
    """What the parser makes of data that comes in pieces: keys and pastes."""
    parser = PasteParser()
    places = sorted({min(cut, len(data)) for cut in cuts} | {0, len(data)})
    heard = []
    for start, end in zip(places, places[1:], strict=False):
        for event in parser.feed(data[start:end]):
            if isinstance(event, events.Paste):
                heard.append(f"paste {event.text}")
            elif isinstance(event, events.Key):
                heard.append(event.key)
    return heard


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")), st.data())
def test_a_paste_is_one_text_however_it_is_cut(text: str, data: st.DataObject) -> None:
    text = text.replace(END, "")
    whole = f"a{START}{text}{HOSTILE}{END}b"
    # between ESC and [ of the mark nothing tells it from a key
    places = [n for n in range(len(whole)) if n not in (2, 3)]
    cuts = data.draw(st.lists(st.sampled_from(places), max_size=8))
    assert read(whole, cuts) == ["a", f"paste {text}{HOSTILE}", "b"]


def test_keys_are_what_they_were() -> None:
    assert read("\x1b[A\x1b[2~x", [4]) == ["up", "insert", "x"]
    assert read(f"{START}1{END}{START}2{END}", []) == ["paste 1", "paste 2"]
    parser = PasteParser()
    assert list(parser.feed("\x1b")) == []  # waits for more, as ever
    assert [event.key for event in parser.feed("[B") if isinstance(event, events.Key)] == ["down"]
