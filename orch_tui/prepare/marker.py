"""The line under a briefing that names its deployment: ``<!-- orch 0123...cdef -->``.

An HTML comment, so that it does not show where Markdown is rendered. A prompt that carries it is
recognised as the briefing of that deployment, whatever was put around it. A briefing may quote
another one with the marker of that; its own is put under all of it, so the last one counts.
"""

from __future__ import annotations

import re

from orch_tui.hand_over_line import SeveralLinesError, find_hand_over

# Blanks are no part of it: a run of them before no marker would be tried from each of them.
_MARKER = r"<!-- orch ([0-9a-f]{32}) -->"


def render_marker(uid: str) -> str:
    """Render what is put under the text of a briefing for the deployment with that uid.

    ``uid`` is 32 hexadecimal digits, as ``ExecutionFacts.uid``.
    """
    return f"\n\n<!-- orch {uid} -->\n"


USUAL_UID = "04673b757ff2e341810d2e304bcb6b22"
"""A uid whose marker takes as many tokens as those of most, in each of the tokenizers."""


def mark_briefing(text: bytes, uid: str = USUAL_UID) -> bytes:
    """Put the marker of a deployment under a briefing: what is handed over; nothing under nothing.

    Without a uid it is as long in tokens as it will be once there is a deployment.
    """
    return text.rstrip(b"\n") + render_marker(uid).encode() if text else b""


def find_marker(prompt: str) -> str | None:
    """Find the uid of the deployment whose briefing a prompt is; None: it carries no marker."""
    found = _last(prompt)
    return found[1] if found else None


def find_deployment(prompt: str) -> str | None:
    """Find the uid of the deployment that a prompt is of: the briefing, or the line for it."""
    try:
        named = find_hand_over(prompt)
    except SeveralLinesError:
        named = None
    return find_marker(prompt) or (named[0] if named else None)


def is_hand_over(prompt: str) -> bool:
    """Tell whether a prompt names a briefing, by the line for it, without being that."""
    return find_marker(prompt) is None and find_deployment(prompt) is not None


def remove_marker(prompt: str) -> str:
    """Remove the marker of a briefing and the blanks around it, a line end in their place.

    Markers that the briefing quotes stay; a prompt without any comes back as it is.
    """
    found = _last(prompt)
    if found is None:
        return prompt
    return f"{prompt[: found.start()].rstrip()}\n{prompt[found.end() :].lstrip()}"


def _last(prompt: str) -> re.Match[str] | None:
    found = list(re.finditer(_MARKER, prompt))
    return found[-1] if found else None
