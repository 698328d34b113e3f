"""The lines around what was found."""

from __future__ import annotations

from orch_tui.models.database import Record
from orch_tui.search.matching import make_markers
from orch_tui.search.passages import MOST_PASSAGES, list_passages
from tests.search.rows import put, put_briefing, put_output


def shown(record: Record, query: str, around: int) -> list[tuple[str, list[tuple[int, str]]]]:
    return [
        (passage.where, [(line.number, line.text) for line in passage.lines])
        for passage in list_passages(record, "exec-000", make_markers(query), around)
    ]


def test_passages_have_lines_around_and_are_one_where_they_touch(record: Record) -> None:
    put(record, {"final_message": "a\nneedle b\nc\nd\ne\nf\nneedle\tg\r\nh\nneedle"})
    assert shown(record, "needle", 0) == [
        ("message", [(2, "needle b")]),
        ("message", [(7, "needle\tg")]),
        ("message", [(9, "needle")]),
    ]
    assert shown(record, "needle", 1) == [
        ("message", [(1, "a"), (2, "needle b"), (3, "c")]),
        ("message", [(6, "f"), (7, "needle\tg"), (8, "h"), (9, "needle")]),
    ]
    assert len(shown(record, "needle", 9)) == 1
    assert shown(record, "nothing", 1) == []


def test_a_phrase_over_two_lines_is_marked_in_both(record: Record) -> None:
    put(record, {"final_message": "one\nthe vector\nsearch of it"})
    (passage,) = list_passages(record, "exec-000", make_markers('"vector search"'), 0)
    assert [(line.number, line.spans) for line in passage.lines] == [
        (2, ((4, 10),)),
        (3, ((0, 6),)),
    ]
    assert passage.row() == {
        "where": "message",
        "first_line": 2,
        "lines": ["the vector", "search of it"],
    }


def test_the_first_text_that_has_it_is_shown(record: Record) -> None:
    told = put_briefing(record, ["text", "a needle\nb haystack"])
    put(record, {"scope": "scope words", "final_message": "said", "briefing_id": told})
    put_output(record, "exec-000", "insight", "a needle too")
    assert shown(record, "needle", 0) == [("outputs", [(1, "a needle too")])]
    assert shown(record, "haystack", 1) == [("briefing", [(1, "a needle"), (2, "b haystack")])]
    assert shown(record, "words", 0) == [("scope", [(1, "scope words")])]


def test_the_passages_of_a_run_are_so_many_at_most(record: Record) -> None:
    put(record, {"final_message": "needle\n\n" * (MOST_PASSAGES + 5)})
    assert len(shown(record, "needle", 0)) == MOST_PASSAGES
