"""What a text view is made of."""

from __future__ import annotations

from orch_tui.screens.widgets.passages import MarkdownText, NoteBeside, Words


def draw(text: str, *notes: NoteBeside, width: int = 60) -> list[str]:
    lines = MarkdownText(text, notes).draw(width, dark=True)
    return [line.strip.text.rstrip() for line in lines]


def test_a_note_stands_beside_the_item_that_it_is_of_where_there_is_room() -> None:
    note = NoteBeside("lib/a.py", Words("✗ gone", "failed"))
    text = "I made lib/a.py.\n\n- Created `lib/a.py`\n- Created `lib/b.py`"
    assert draw(text, note) == [
        *("I made lib/a.py.", "", " • Created lib/a.py  ✗ gone", " • Created lib/b.py")
    ]
    assert draw("I made lib/a.py.", note) == ["I made lib/a.py.  ✗ gone"]
    assert "✗ gone" not in "".join(draw(text, note, width=24))


def test_headings_and_code_have_one_empty_line_around_them() -> None:
    assert draw("# One\n\n## Two\n\nWords.\n\n```python\nx = 1\n```\n\n## Three") == [
        *("One", "", "Two", "", "Words.", "", " x = 1", "", "Three")
    ]
