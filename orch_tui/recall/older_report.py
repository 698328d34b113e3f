"""The report of the older script ``synthesize_reports.py``: names in, a report out, no record.

It knows nothing but the names it is given, so it claims nothing else: every other placeholder of
a template is filled with ``not recorded``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from orch_tui.prepare.templates import Template, fill_template

NOT_RECORDED = "not recorded"


def older_report_to_dict(
    agents: Sequence[str], deliverables: Sequence[str], timestamp: str
) -> dict[str, Any]:
    """The older script's keys, then ours. ``status`` is that of the report itself."""
    return {
        "timestamp": timestamp,
        "agents_deployed": list(agents),
        "deliverables": list(deliverables),
        "status": "completed",
        "validation": {
            "agents_count": len(agents),
            "deliverables_count": len(deliverables),
        },
        "agent_status": dict.fromkeys(agents, NOT_RECORDED),
    }


def render_older_report(
    template: Template, agents: Sequence[str], deliverables: Sequence[str], timestamp: str
) -> str:
    """The template filled; no placeholder is left standing.

    Raises FormatError for what is wrong in a Jinja2 template, naming it.
    """
    unknown = dict.fromkeys(re.findall(r"\{([A-Za-z_]\w*)\}", template.text), NOT_RECORDED)
    return fill_template(
        template,
        unknown
        | {
            "agent_summaries": _listed(f"{agent}: {NOT_RECORDED}" for agent in agents),
            "deliverable_list_with_locations": _listed(deliverables),
            "timestamp": timestamp,
        },
    )


def _listed(lines: Iterable[str]) -> str:
    return "\n".join(f"- {line}" for line in lines) or "- none"
