"""The text handed to an agent, rendered from a bundle and a template.

The same bundle and template always give the same bytes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath

from orch_tui.assets import asset
from orch_tui.prepare.bundle import Bundle, ContextItem
from orch_tui.prepare.templates import Template, fill, load

DEFAULT_TEMPLATE = "briefing.md.j2"

_READ_FIRST = "Read these before you begin; the other agents work from the same text:"

SHORTEST_REFERENCE = 256
"""Bytes of a content from which a stored briefing refers to it instead of repeating it."""

_LANGUAGES = {"py": "python", "ts": "typescript", "js": "javascript", "rs": "rust", "sh": "bash"}
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")

Part = bytes | str
"""Of a stored briefing: literal bytes, or the SHA-256 of a content that stands there."""


@dataclass(frozen=True, slots=True)
class ItemView:
    """What a template sees of a context item."""

    type: str
    source: str
    priority: str
    sections: tuple[str, ...]
    shared_with: tuple[str, ...]
    tokens: int
    text: str
    label: str
    """Source and sections on one line."""
    block: str
    """The label as a heading over the text in a fence that nothing in the text can close."""


def render(bundle: Bundle, template: Template | None = None) -> bytes:
    """The briefing of a bundle, in UTF-8. ``template`` is the one of orch when not given.

    An item that is shared with other bundles is named for the agent to read; the others are there
    in full. Raises FormatError for what is wrong in the template, naming it.
    """
    template = template or load(DEFAULT_TEMPLATE)
    return fill(template, placeholders(bundle)).encode("utf-8", "replace")


def placeholders(bundle: Bundle) -> dict[str, object]:
    """What a template can ask for; the older form of templates has no ``items``."""
    parts = {
        "instructions": "\n\n".join(
            item.text.rstrip("\r\n") for item in bundle.items if _place(item) == "instructions"
        ),
        "read_first": "\n".join(
            f"- {_label(item)}" for item in bundle.items if _place(item) == "read_first"
        ),
        "blocks": "\n\n".join(block(item) for item in bundle.items if _place(item) == "blocks"),
    }
    return {
        "bundle_id": bundle.bundle_id,
        "name": bundle.name,
        "version": bundle.version,
        "session_id": bundle.session_id,
        "agent_type": bundle.agent_type,
        "model": bundle.model,
        "scope": bundle.scope,
        "created_at": bundle.created_at,
        "total_tokens": bundle.total.tokens,
        "estimator": bundle.total.estimator,
        **parts,
        "context": "\n\n".join(
            f"{_READ_FIRST}\n\n{part}" if name == "read_first" else part
            for name, part in parts.items()
            if part
        ),
        "sources": "\n".join(f"- {_label(item)}" for item in bundle.items),
        "report_back": asset("templates/report-back.md").read_text("utf-8").rstrip("\n"),
        "items": [_view(item) for item in bundle.items],
    }


def split(rendered: bytes, contents: Iterable[tuple[str, bytes]]) -> list[Part]:
    """A briefing as literal bytes and references to the contents (SHA-256, bytes) in it.

    Contents under ``SHORTEST_REFERENCE`` bytes stay literal. The longest are found first, so that
    a file is not torn by a section of it.
    """
    parts: list[Part] = [rendered]
    for sha256, content in sorted(contents, key=lambda pair: -len(pair[1])):
        if len(content) >= SHORTEST_REFERENCE:
            parts = [piece for part in parts for piece in _split(part, sha256, content)]
    return [part for part in parts if part]


def _split(part: Part, sha256: str, content: bytes) -> list[Part]:
    if isinstance(part, str):
        return [part]
    literal = part.split(content)
    pieces: list[Part] = [literal[0]]
    for piece in literal[1:]:
        pieces += [sha256, piece]
    return pieces


def _place(item: ContextItem) -> str:
    """Where an item stands. The agent reads itself what is shared or not at hand as bytes."""
    if item.type == "briefing":
        return "instructions"
    shared = item.type == "shared_context" and item.shared_with
    return "read_first" if not item.is_inline and (shared or item.data is None) else "blocks"


def _view(item: ContextItem) -> ItemView:
    return ItemView(
        type=item.type,
        source=item.source,
        priority=item.priority,
        sections=item.sections,
        shared_with=item.shared_with,
        tokens=item.count.tokens,
        text=item.text,
        label=_label(item),
        block=block(item),
    )


def _label(item: ContextItem) -> str:
    sections = f" (sections: {'; '.join(item.sections)})" if item.sections else ""
    return _CONTROL.sub(lambda match: repr(match[0])[1:-1], item.source + sections)


def block(item: ContextItem) -> str:
    """An item under its label, in a fence that nothing in its text can close."""
    text = item.text
    longest = max(map(len, re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    end = "" if text.endswith("\n") or not text else "\n"
    return f"### {_label(item)}\n\n{fence}{_language(item)}\n{text}{end}{fence}"


def _language(item: ContextItem) -> str:
    suffix = PurePosixPath(item.source.partition(":")[0]).suffix.removeprefix(".")
    return _LANGUAGES.get(suffix, suffix) if suffix.isalnum() and not item.is_inline else ""
