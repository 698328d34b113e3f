"""What a bundle takes of its agent's window, part by part, as a gauge shows it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orch_tui.models.values import PRIORITIES
from orch_tui.screens.widgets.stack import GaugePart

if TYPE_CHECKING:
    from orch_tui.prepare.bundle import Bundle
    from orch_tui.prepare.count import Count


def gauge_parts(bundle: Bundle, ambient: Count) -> tuple[GaugePart, ...]:
    """Split what takes up the agent's window, besides the room for its answer, into parts.

    What the agent is only told to read is none of them: it is not handed over.
    """
    by_priority = dict.fromkeys(PRIORITIES, 0)
    for item in bundle.items:
        if not item.is_pointed_to:
            by_priority[item.priority] += item.count.tokens
    required, recommended, optional = by_priority.values()
    around = bundle.template_count.tokens if bundle.template_count else 0
    return (
        GaugePart("had", "had anyway", ambient.tokens),
        GaugePart("template", "template", around + bundle.frame_tokens),
        GaugePart("required", "required", required),
        GaugePart("recommended", "recommended", recommended),
        GaugePart("optional", "optional", optional),
    )
