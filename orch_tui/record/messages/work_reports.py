"""Files that a report of work tells of by what they do now: ``x.py returns an error instead``.

Whoever reports that they changed files says of some of them only what they do. Such a path leads
its sentence, or stands in the parentheses that end an item. In a message that tells of no change,
or says that nothing was changed, the same words describe what is there already.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from orch_tui.record.messages.message_lines import MessageLine
from orch_tui.record.messages.other_languages import put_into_english
from orch_tui.record.messages.path_claims import (
    ARROW,
    BOUNDARY,
    JOINS,
    ONLY_LOOKS,
    begins_with_verb,
    is_about_future,
    is_denied,
    read_gaps,
    read_section_claim,
)
from orch_tui.record.messages.path_forms import DECORATION, PathPlace
from orch_tui.record.messages.patterns import compile_lazily, holds_any

_NOTHING_DONE = compile_lazily(
    r"\b(?:no (?:other )?(?:files?|changes?|code|edits?) (?:\w+ ){0,2}?"
    r"(?:made|changed|modified|touched|written)"
    r"|nothing (?:was|has been|is|were) (?:\w+ )?(?:changed|modified|written|committed|touched"
    r"|implemented|done|built|started)"
    r"|(?:I|we) (?:made no|changed nothing|only (?:reviewed|read|looked|analy[sz]ed)"
    r"|(?:did not|didn['’]t|haven['’]t|have not) (?:\w+ )?"
    r"(?:chang|modif|touch|start|writ|edit|ma[kd])\w*"
    r"(?: any| a)?(?: files?| changes?| code|thing)?(?: yet)?[.,;])|read[- ]only)",
    re.I,
    where=holds_any("no ", "made no", "nothing", "only", "not ", "n't", "n’t"),
)
_STANDS = compile_lazily(
    r"[\s*_`)\]]{0,6}(?:calls?|uses?|imports?|contains?|links?|depends?|describes?|explains?"
    r"|shows?"
    r"|documents?|defines?|expects?|lists?)\b(?![^.;]{0,40}\b(?:new|instead|now)\b)"
    r"|[\s*_`)\]:—–-]{0,6}(?:still|already|needs?|stays?|keeps?|remains?|requires?"
    r"|has (?!been|now|gained|(?:an? |the |its |two |three |some )?new)|have|is (?!now)|are (?!now)"
    r"|was (?!rewritten|changed to)|were"
    r"|must|should|will|would|can|could|may|might|cannot|fails?|breaks?|hides?|leaks?|crash\w*"
    r"|(?:line|l\.) ?\d|where|which|that|for|and)\b",
    re.I,
)
"""How a sentence goes on that describes a file, or finds fault with it."""
_DOES = compile_lazily(r"[\s*_`)\]:—–-]{1,8}(?:[\w'’]+ )?[a-z]")
_CLAUSE = compile_lazily(r",\s+(?:and\s+|while\s+)?[`*_\[]*$")
_INTRODUCED = compile_lazily(
    r"\W{0,4}(?:an?|one|two|the new|another|a new) (?:[\w-]+ ){0,3}[\w-]+[,:]?\s[`*(\[]*", re.I
)
"""``A script, x.py, fails the build``: nobody speaks so of what was there already."""
_LABELLED = compile_lazily(
    r"\W{0,4}(?!(?:see|cf|e\.g|notes?|warning|caveat|gotcha|next|todo|risk|issue|problem)\b)"
    r"[\w#-]+(?: [\w#-]+){0,2}:\s[`*(\[]*",
    re.I,
)
_TITLED = compile_lazily(r"\w[*_`)]*(?:\s[–—-]\s|:\s)[`*\[]*$")
"""``Response cache – lib/cache/response.ex``."""
_DONE = compile_lazily(
    r"^\W*(?:all |everything (?:on the list )?)?(?:is )?(?:done|complete[d]?|finished|ready"
    r"|outcome)\b"
    r"|\b(?:is|are) (?:now )?(?:done|complete|completed|finished|in place|fixed|ready)\b"
    r"|\b(?:is|are|can|works?|runs?|passes|supports?) (?:[\w-]+ ){0,4}now[.!:]|\bno longer\b"
    r"|\bworks? (?:end[ -]to[ -]end|again|as expected)\b"
    r"|\b(?:both|all|the|these) (?:\w+ )?files? (?:is|are|were|have been) (?:now )?"
    r"(?:written|created|updated|changed)\b"
    r"|^\W*(?:one|two|three|four|five|\d{1,2}) commits?\b"
    r"|\bnow (?=\(`)|\((?:done|completed?|finished)\)"
    r"|\b(?:tickets?|tasks?|items?) (?:are )?done\b",
    re.I,
)
_SO_NOW = compile_lazily(r"\bnow \($")
_HOLDS = compile_lazily(
    r"(?:^|[,;:(])[\s*_]*(?:and |the |its |new |unit |\w+ )?(?:tests?|specs?|models?|schema"
    r"|endpoints?|routes?"
    r"|docs|documentation|migrations?|styles?|entry|entries|helpers?|handlers?|components?"
    r"|fixtures?"
    r"|templates?|queries|views?) in [`*(\[]*$",
    re.I,
)
"""``models in app/models.py``: what of the work lies where."""
_FILES = compile_lazily(r"\W*(?:the )?files?(?: list)?\W*", re.I)
"""``Files: a.py, b.py`` in a report of work."""
_CROSSED = compile_lazily("[❌✗✘⬜]")
_OPEN = compile_lazily(r"\((?:open|to ?do|planned|pending|not started|next)\)", re.I)
_ENDS_ITEM = compile_lazily(r"[`*_]*\)[\s.:*_]*")


def tells_of_work(lines: Iterable[MessageLine], *, claims_any: bool) -> bool:
    """Tell whether a message reports changes; ``claims_any``: it says so of some file.

    Otherwise a paragraph that begins with a verb of doing says so ("Fixed 1,204 rows", "I fixed"),
    or one that something is done or so now.
    """
    said = [(line, put_into_english(line.content)) for line in lines if line.kind != "code"]
    works = claims_any or any(
        line.kind in ("text", "item", "heading")
        and (_DONE.search(text) or (line.kind == "text" and _begins_with_doing(text)))
        for line, text in said
    )
    return works and not any(
        line.kind != "quote" and _NOTHING_DONE.search(text) for line, text in said
    )


_I_DID = compile_lazily(r"(?:I|We)(?:['’]ve| have)?(?: now| also| just| successfully)? ")


def _begins_with_doing(text: str) -> bool:
    text = text.lstrip(DECORATION)
    told = _I_DID.match(text)
    return begins_with_verb(text[told.end() :] if told else text)


def find_subjects(line: MessageLine, places: Sequence[PathPlace]) -> list[bool]:
    """Find which paths of a line it says something new of, if it is of a report of work."""
    none = [False] * len(places)
    if line.kind not in ("text", "item") or line.unticked or line.content.endswith("?"):
        return none
    if is_about_future(line) or read_section_claim(line) in ("", "deleted"):
        return none
    gaps = read_gaps(line, places)
    heading = line.headings[-1].rstrip("*_ ") if line.headings else ""
    introduced = heading.endswith(":") or bool(_FILES.fullmatch(heading))
    label = gaps[0] if _FILES.fullmatch(gaps[0].rstrip(" *_`([")) else ""
    if (introduced or label) and not any(
        gap.strip(DECORATION + ",.") for gap in (gaps[1:] if label else gaps)
    ):
        # nothing but paths, below words that introduce them
        return [not ARROW.fullmatch(gap) for gap in gaps[1:]]
    subjects: list[bool] = []
    for index in range(len(places)):
        follows = index > 0 and subjects[-1]
        joined = index > 0 and JOINS.fullmatch(gaps[index])
        subjects.append(follows if joined else _is_subject(line, gaps, index, follows=follows))
    return subjects


def stands_beside(
    line: MessageLine, places: Sequence[PathPlace], below: MessageLine | None
) -> bool:
    """Tell whether the path that leads a line is one of a list of what was changed, if the others
    are: nothing says that it stays as it was, nor does what stands ``below`` a heading."""
    if line.kind not in ("item", "row", "heading") or line.unticked or is_about_future(line):
        return False
    before, after = read_gaps(line, places)[:2]
    if before.strip(DECORATION) or read_section_claim(line) in ("", "deleted"):
        return False
    if line.kind == "heading" and below and ONLY_LOOKS.match(put_into_english(below.content)):
        return False
    return not (is_denied(after) or _STANDS.match(after) or _CROSSED.search(before))


def _is_subject(line: MessageLine, gaps: Sequence[str], index: int, *, follows: bool) -> bool:
    """Tell whether the words around a path are news of it; ``follows``: those before it were."""
    gap, after = gaps[index], gaps[index + 1]
    before = BOUNDARY.split(gap)[-1]
    in_item = line.kind == "item"
    if in_item and _TITLED.search(gap) and not after.strip(DECORATION + "."):
        return True
    if _HOLDS.search(before) and not _OPEN.search(gaps[0]):
        return not is_denied(after)
    if _INTRODUCED.fullmatch(before):
        return not is_denied(after)
    if before.rstrip("`*_").endswith("(") and (in_item or _SO_NOW.search(before)):
        return _stands_alone(gaps, index) or bool(_SO_NOW.search(before))
    if before.rstrip("`*_").endswith("(") and JOINS.fullmatch(after) and index + 2 < len(gaps):
        return _stands_alone(gaps, index)
    leads = not before.strip(DECORATION) or (in_item and _LABELLED.fullmatch(before))
    return bool(leads or (follows and _CLAUSE.search(before))) and _says_something(gaps, index)


def _says_something(gaps: Sequence[str], index: int) -> bool:
    """The words behind a path, or behind those it is joined to, say what it does."""
    after = next((gap for gap in gaps[index + 1 :] if not JOINS.fullmatch(gap)), "")
    return bool(_DOES.match(after) and not _STANDS.match(after) and not is_denied(after))


def _stands_alone(gaps: Sequence[str], index: int) -> bool:
    """Nothing but paths stands in the parentheses, and nothing behind them."""
    after = next((gap for gap in gaps[index + 1 :] if not JOINS.fullmatch(gap)), gaps[-1])
    return bool(_ENDS_ITEM.fullmatch(after))
