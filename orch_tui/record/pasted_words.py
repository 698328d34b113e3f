"""A final message as people copy it off a terminal, compared and read as the agent wrote it.

Claude Code marks what an agent says with a bullet and indents the lines below it; the terminal
breaks long lines and fills them with blanks. What was pasted is stored as it is.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import replace
from itertools import pairwise

from orch_tui.record.agent_words import AgentWords, read_framed_words, separate_joined_notes
from orch_tui.record.messages.patterns import compile_lazily
from orch_tui.record.notifications import read_handed_back, read_mailbox, read_notifications

_BULLET = compile_lazily(r"[ \t]*[⏺●][ \t]+")
_SIGN_LINES = compile_lazily(r"^[ \t]*(?:```|~~~)[^`~\n]*$|^[ \t|:+-]*--[ \t|:+-]*$", re.M)
"""Fences with their language, the line below the head of a table, rules."""
_SIGNS = compile_lazily(r"^[ \t]*(?:[#>▎]+|[-*+•][ \t])|[`*_|\u2500-\u257f]", re.M)
_KEPT_APART = compile_lazily(r"\s*(?:[-*+#>|`~⏺●]|\d{1,3}[.)]\s|\Z)")
"""How a line begins that no break of a longer one made."""
_MESSAGE = compile_lazily(
    r"\s*(?:\[SYSTEM NOTIFICATION\b|<(?:(?:task|agent)-notification|(?:agent|teammate)-message)\b)"
)
_TRAILER = compile_lazily(
    r"\n[ \t]*agentId: [\w.@-]{1,200}(?: \([^()\n]{0,300}\))?[ \t]*"
    r"(?:\n\s*<usage>[^<>]{0,500}</usage>)?\s*\Z"
    r"|\n[ \t]*<usage>[^<>]{0,500}</usage>\s*\Z"
)
"""The agent's id and figures that Claude Code puts under a result."""
_NARROWEST = 40
"""Columns of the narrowest terminal whose breaks are undone."""


def read_pasted_words(text: str) -> str:
    """Read the agent's words out of what was pasted; a text that is no paste stays as it is.

    Bullets, the indent below them, the breaks of a terminal and what Claude Code puts around the
    words are taken off.
    """
    return read_pasted_return(text).text or text


def read_pasted_return(text: str) -> AgentWords:
    """Read the agent's words and what Claude Code noted about them out of what was pasted."""
    is_copied = bool(_BULLET.match(text.lstrip("\n")))
    plain = _join_broken_lines(_without_bullets(text)) if is_copied else text
    return _separate_notes(plain, is_copied)


def fingerprints_of_paste(text: str) -> tuple[str, ...]:
    """Hash the letters of a message, without white space and bullets.

    One for all of it and one for the words without notes, each also without the signs of Markdown,
    which a terminal does not show: two pastes of a message, and the message itself, have one in
    common.
    """
    plain = _without_bullets(text)
    forms = (plain, _without_notes(plain, True), _without_notes(plain, False))
    letters = ["".join(form.split()) for form in forms]
    shown = ["".join(_without_signs(form).split()) for form in forms]
    letters += [f"shown {each}" for each in shown if each]
    return tuple(
        hashlib.sha256(each.encode("utf-8", "surrogatepass")).hexdigest()
        for each in dict.fromkeys(letters)
        if each
    )


def _without_signs(text: str) -> str:
    """Leave out what Markdown is marked with, and the lines with which a terminal draws tables."""
    return _SIGNS.sub("", _SIGN_LINES.sub("", text))


def _without_notes(text: str, is_wrapped: bool) -> str:
    return _separate_notes(text, is_wrapped).text


def _separate_notes(text: str, is_wrapped: bool) -> AgentWords:
    if told := _read_message(text):
        return told
    if trailer := _TRAILER.search(text):
        text = text[: trailer.start()]
    return read_framed_words(text) or separate_joined_notes(text, is_wrapped=is_wrapped)


def _read_message(text: str) -> AgentWords | None:
    """Read the words out of the one message to a session that holds them; None: it is none."""
    if not _MESSAGE.match(text):
        return None
    notified = read_notifications(text) or ()
    if len(notified) == 1:
        return replace(notified[0].words, error=notified[0].ending.get("error_message"))
    handed_back = read_handed_back(text)
    if len(handed_back) == 1:
        return handed_back[0][1]
    mailbox = read_mailbox(text)
    return AgentWords(mailbox[0].text, error=mailbox[0].failure) if len(mailbox) == 1 else None


def _without_bullets(text: str) -> str:
    """Take bullets off the lines they mark, and the indent off the lines below the first."""
    lines = [line.rstrip() for line in text.split("\n")]
    marked = [_BULLET.match(line) for line in lines]
    if not any(marked):
        return text
    below = [line for line, mark in zip(lines, marked, strict=True) if line and not mark]
    is_indented = all(line.startswith("  ") for line in below)
    return "\n".join(
        line[mark.end() :] if mark else line[2 * is_indented :]
        for line, mark in zip(lines, marked, strict=True)
    )


def _join_broken_lines(text: str) -> str:
    """Join lines that a terminal broke: where the next word would not have fitted any more."""
    lines = text.split("\n")
    width = max(map(len, lines))
    if width < _NARROWEST:
        return text
    joined = [[lines[0]]]
    for before, line in pairwise(lines):
        first = re.match(r"\S+", line.lstrip())
        is_full = before and first and len(before) + 1 + len(first[0]) > width
        if is_full and not _KEPT_APART.match(line):
            is_cut = len(before) == width and "/" in before.rpartition(" ")[2]
            joined[-1] += ["" if is_cut else " ", line.lstrip()]
        else:
            joined.append([line])
    return "\n".join(map("".join, joined))
