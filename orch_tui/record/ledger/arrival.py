"""Which of the context items that were planned for an agent stand in the text it was handed."""

from __future__ import annotations

from collections.abc import Iterable

from orch_tui.models.database import Record
from orch_tui.record.ledger import briefings, contents, portable
from orch_tui.record.ledger.statement import ItemFact


def mark_arrived(
    record: Record, items: Iterable[ItemFact], handed_over_id: int | None
) -> list[ItemFact]:
    """Mark what arrived (1) and what did not (0); what is marked already stays.

    ``handed_over_id`` is another text than the planned briefing, None where it was that. White
    space does not count: whoever passes a text on wraps it anew. Where the agent was only told
    which file to read, what it got is not known.
    """
    items = list(items)
    if not items:
        return items
    squeezed = None if handed_over_id is None else _squeezed_text(record, handed_over_id)
    return [_mark_item(record, item, handed_over_id is None, squeezed) for item in items]


def _squeezed_text(record: Record, briefing_id: int) -> bytes | None:
    """A text without its white space; None where it only names what is to be read."""
    from orch_tui.prepare.marker import is_hand_over  # it compiles a pattern

    text = briefings.get_briefing(record, briefing_id)
    return None if is_hand_over(text.decode("utf-8", "replace")) else squeeze_text(text)


def _mark_item(
    record: Record, item: ItemFact, is_as_planned: bool, squeezed: bytes | None
) -> ItemFact:
    if item.arrived is not None or not item.included_in_deployment:
        return item
    if is_as_planned:
        return item.replaced(arrived=1)
    content_id = portable.content_id_of(record, item.content)
    content = None if content_id is None else contents.get_content(record, content_id)
    if squeezed is None or content is None:
        return item
    return item.replaced(arrived=int(squeeze_text(content) in squeezed))


def squeeze_text(text: bytes) -> bytes:
    """Remove all white space."""
    return b"".join(text.split())
