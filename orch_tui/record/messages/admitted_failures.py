"""The sentence of a final message in which an agent says itself that it did not succeed.

It is looked for where agents say how it went: in what a message begins and ends with, and in a line
that is labelled as its status. A report may tell of failures that were mended anywhere else.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from orch_tui.record.messages.message_lines import MessageLine
from orch_tui.record.messages.other_languages import put_into_english
from orch_tui.record.messages.patterns import compile_lazily

_FIRST, _LAST = 4, 3
"""Lines of a message in which a sentence is looked at."""

_DID_NOT = (
    r"(?:could ?n[o'’]t|could not|can(?:not|['’]t| not)|(?:was|were|am|are|is)(?: not|n['’]t)"
    r" able to|(?:(?:was|were|am|are|is|still) )?unable to|did(?: not|n['’]t)"
    r" (?:manage|succeed|get)(?: to)?|failed to|won['’]t|will not|must decline to)"
)
_WORK = (
    r"(?:complete|finish|do (?:this|that|the|what|it|so)|implement|fix|solve|resolve"
    r"|make (?:it|this|the (?:change|fix|test)s?)|proceed|continue|carry (?:this|it|the|on|out)"
    r"|build|access|open|read|help|assist|comply|fulfil|achieve|start|perform|write|create"
    r"|provide|succeed|run|get|apply|locate|deliver|produce|install|reach|connect|work on)"
)
_TASK = (
    r"(?:task|work|job|run|implementation|build|attempt|migration|change|fix|refactoring"
    r"|deployment|aufgabe|tâche|tarea|tarefa)"
)
_SENTENCE = compile_lazily(
    rf"\b(?:I|we|the agent)(?:['’]m)? (?:\w+ ){{0,2}}?{_DID_NOT} (?:\w+ ){{0,2}}?{_WORK}\b"
    rf"|^{_DID_NOT} {_WORK}\b"
    r"|\bI (?:must|have to) (?:decline|refuse|stop)\b|\bI (?:gave|give|am giving|['’]m giving) up\b"
    r"|\bI(?: am|['’]m) (?:still )?(?:stuck|blocked)\b|\bI refuse\b|\bI stopped (?:here )?because\b"
    rf"|^(?:(?:the|this|my|die|la|a) )?{_TASK}(?: itself)? (?:(?:has|have|is|was|could|remains?"
    r"|stays|ist|est) )?(?:failed|blocked|unsuccessful|incomplete|unfinished|aborted"
    r"|fehlgeschlagen|gescheitert"
    r"|not (?:be )?(?:done|completed?|finished|possible|successful|implemented|solved))\b"
    r"|^(?:it|this) (?:has )?failed\b"
    rf"|\b(?:{_TASK}|it|this) (?:still )?(?:does|did)(?: not|n['’]t) work\b"
    r"|^(?:sorry|apologies|unfortunately)\b[^.]{0,80}\b(?:fail|could ?n|can(?:not|['’]t)|unable"
    r"|not (?:able|possible|done|complete))"
    r"|\bkonnte\b[^.]{0,80}\b(?:nicht|not)\b|\bn['’]ai (?:pas|not) (?:pu|réussi)\b"
    r"|\bno (?:pude|he podido|se pudo)\b|\bnão (?:consegui|foi possível)\b"
    r"|\bnon (?:sono riuscit|ho potuto|è stato possibile)",
    re.I,
)
_VERDICT = compile_lazily(
    r"(?:(?:task|run|build|overall|final)\W{1,3})?(?:status|result|outcome|verdict)?\W{0,4}"
    r"(?:failed|failure|fail|blocked|aborted|unsuccessful|incomplete|not (?:done|completed?"
    r"|finished|successful)|gave up|partially (?:done|completed?))\b(?!\W*\d)"
    r"(?!\W{1,3}\s?[\w./-]*[\w-][./]\w)"
    r"(?=\W*$|\s*[:.;,!—–(-]|\s+(?:to|because|due|as|since|after|with|at|on|by)\b)",
    re.I,
)
_LABELLED = compile_lazily(r"^(?:\w+ )?(?:status|outcome|verdict)\b\W{1,5}\w", re.I)
_NOTHING_WRONG = compile_lazily(
    r"\b(?:find|found|see|reproduce|any (?:problem|issue|bug|error)|no longer|before|previously"
    r"|used to|until|is fixed|now (?:pass|work|fixed)|bug|fixed|finden|trouver|encontrar|trovare)",
    re.I,
)
_SENTENCE_END = compile_lazily(r"(?<=[.!?…])\s+")
_DECORATION = " \t#>*_-+•`[]()✗✘❌⚠️🛑⛔❗🚫"


def find_admitted_failure(lines: Sequence[MessageLine]) -> str | None:
    """Find the words that say that the work failed; None where there are none."""
    prose = [line for line in lines if line.kind != "code"]
    for number, line in enumerate(prose):
        is_first = number < _FIRST
        is_near = is_first or number >= len(prose) - _LAST
        for said in _sentences(line):
            english = put_into_english(said)
            if (is_first or _LABELLED.match(english)) and _VERDICT.match(english):
                return _shorten(said)
            if is_near and _SENTENCE.search(english) and not _NOTHING_WRONG.search(english):
                return _shorten(said)
    return None


def _sentences(line: MessageLine) -> Iterator[str]:
    """The sentences of a line without their marks."""
    plain = line.content.replace("**", "").replace("__", "").strip(_DECORATION)
    yield from filter(None, (each.strip(_DECORATION) for each in _SENTENCE_END.split(plain)))


_LONGEST = 160


def _shorten(said: str) -> str:
    flat = " ".join(said.split())
    return flat if len(flat) <= _LONGEST else flat[: _LONGEST - 1] + "…"
