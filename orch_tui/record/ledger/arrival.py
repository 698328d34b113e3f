"""Which of the context items that were planned for an agent stand in the text it was handed."""

from __future__ import annotations

from collections.abc import Iterable

from orch_tui.models.database import Record
from orch_tui.record.ledger import briefings, contents, portable
from orch_tui.record.ledger.statement import ItemFact


def mark_arrived(
    record: Record, execution_id: str, items: Iterable[ItemFact], handed_over_id: int | None
) -> list[ItemFact]:
    """Mark what arrived (1) and what did not (0); what is marked already stays.

    ``handed_over_id`` is another text than the planned briefing, None where it was that. White
    space does not count: whoever passes a text on wraps it anew. Where the agent was only told
    which file to read, what it got is not known.
    """
    items = list(items)
    if not items:
        return items
    if handed_over_id is None:
        return [_mark_item(record, item, None) for item in items]
    text = briefings.get_briefing(record, handed_over_id)
    squeezed = squeeze_text(text)
    marked = [_mark_item(record, item, squeezed) for item in items]
    came = any(item.arrived for item in marked)
    return marked if came or not _is_pointer(record, execution_id, text) else items


def _is_pointer(record: Record, execution_id: str, text: bytes) -> bool:
    """Tell whether a text only names what is to be read."""
    from orch_tui.prepare.marker import is_hand_over  # it compiles patterns
    from orch_tui.record.ledger.briefing_files import names_briefing_file

    words = text.decode("utf-8", "replace")
    return is_hand_over(words) or names_briefing_file(record, execution_id, words)


def _mark_item(record: Record, item: ItemFact, squeezed: bytes | None) -> ItemFact:
    """Mark an item by the text that was handed over; None: it was the planned one."""
    if item.arrived is not None or not item.included_in_deployment:
        return item
    if squeezed is None:
        return item.replaced(arrived=1)
    content_id = portable.content_id_of(record, item.content)
    content = None if content_id is None else contents.get_content(record, content_id)
    if content is None:
        return item
    return item.replaced(arrived=int(squeeze_text(content) in squeezed))


def squeeze_text(text: bytes) -> bytes:
    """Remove all white space."""
    return b"".join(text.split())
