"""The line that says where shared texts stand: written, and gone with what it speaks of."""

from __future__ import annotations

from dataclasses import replace

from orch_tui.prepare.bundle import Bundle, ContextItem
from orch_tui.prepare.composition import Composition
from orch_tui.prepare.count import Count
from orch_tui.prepare.dedup import find_duplicates, remove_duplicates
from orch_tui.prepare.shared_note import without_shared_note, write_shared_note

NOTE = write_shared_note("docs/shared.md")


def test_a_note_is_taken_out_of_a_text_and_what_else_it_says_stays() -> None:
    assert without_shared_note(f"{NOTE}\n") is None
    assert without_shared_note(f"Left out:\n\n- a\n\n{NOTE}\n") == "Left out:\n\n- a\n"
    assert without_shared_note("What is shared with you is yours.\n") == (
        "What is shared with you is yours.\n"
    )


def shared() -> Bundle:
    law = ContextItem("file", "law.md", "required", (), b"law\n" * 90, Count(90, "x", 90, 90))
    own = replace(law, source="own.md", data=b"own\n", sha256="")
    given = [Bundle(name, "a", "s", (law, own), "m", "") for name in ("b1", "b2")]
    given[1] = replace(given[1], items=(law,))
    return remove_duplicates(find_duplicates(given), given, document="docs/shared.md")[0]


def test_it_goes_when_the_last_shared_file_is_taken_out() -> None:
    composed = Composition.of_bundle(shared())
    assert [choice.text for choice in composed.choices] == [None, None, f"{NOTE}\n"]
    left = composed.without({composed.choices[0].key})
    assert [choice.source for choice in left.choices] == ["own.md"]
    still = composed.without({composed.choices[1].key})
    assert [choice.text for choice in still.choices] == [None, f"{NOTE}\n"]
    typed = composed.changed({composed.choices[0].key}, type="file", shared_with=())
    assert [choice.source for choice in typed.choices] == ["law.md", "own.md"]


def test_sharing_again_drops_what_speaks_of_nothing() -> None:
    alone = replace(shared(), items=shared().items[1:])
    (again,) = remove_duplicates(find_duplicates([alone]), [alone])
    assert [item.source for item in again.items] == ["own.md"]
